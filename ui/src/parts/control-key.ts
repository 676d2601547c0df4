import { useEffect } from "react";

/** Does something on Ctrl (or Cmd) and a key, in place of what the web view would do. */
export function useControlKey(key: string, act: () => void): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      // What is on top takes its keys first.
      if (event.defaultPrevented || !(event.ctrlKey || event.metaKey) || event.key !== key) return;
      event.preventDefault();
      act();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [key, act]);
}
