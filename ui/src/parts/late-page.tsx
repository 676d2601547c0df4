import { type ComponentType, lazy, useState } from "react";

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
