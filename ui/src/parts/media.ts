import { useSyncExternalStore } from "react";

/** Whether the window fits a media query, now and whenever that changes. */
export function useMedia(query: MediaQueryList): boolean {
  return useSyncExternalStore(
    (listener) => {
      query.addEventListener("change", listener);
      return () => query.removeEventListener("change", listener);
    },
    () => query.matches,
  );
}

/** As the style sheet has it: below this width only the icons of the navigation are left. */
export const rail = window.matchMedia("(width < 1000px)");
/** As the style sheet has it: below this width tables leave out the columns that one can do without. */
export const narrow = window.matchMedia("(width < 1100px)");
