import { type ComponentType, lazy, useEffect, useState } from "react";

/** A page whose code comes when it is asked for. */
export interface LatePage<P extends object> {
  Page: ComponentType<P>;
  /** Brings the code, so that the page is drawn at once later. */
  load: () => Promise<unknown>;
}

/**
 * Makes a page of its module. Where the code is there already nothing is suspended: React keeps a
 * fallback for 300 ms, however short the wait was.
 */
export function latePage<P extends object>(
  bring: () => Promise<{ default: ComponentType<P> }>,
): LatePage<P> {
  let ready: ComponentType<P> | null = null;
  const load = async () => {
    const module = await bring();
    ready = module.default;
    return module;
  };
  const Late = lazy(load);
  // biome-ignore lint/correctness/noComponentHookFactories: each page is made once, with its module.
  function Page(props: P) {
    // What was begun one way stays so: another component would be drawn anew.
    const [Shown] = useState<ComponentType<P>>(() => ready ?? Late);
    return <Shown {...props} />;
  }
  return { Page, load };
}

/** Until the first page has come to rest, in ms. */
const PAUSE = 1_000;

/** Brings the code of other pages once this one is drawn; always the same list. */
export function useAhead(pages: readonly { load: () => Promise<unknown> }[]): void {
  useEffect(() => {
    const timer = setTimeout(() => {
      // A failure is told by the page that needs the code.
      for (const page of pages) page.load().catch(() => undefined);
    }, PAUSE);
    return () => clearTimeout(timer);
  }, [pages]);
}
