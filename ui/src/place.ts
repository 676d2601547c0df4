/** Where the window is, kept in the address so that going back works. */
import { useSyncExternalStore } from "react";

export type Place =
  | { page: "home"; connection: string | null }
  | { page: "table"; connection: string; table: string }
  | { page: "settings"; connection: string }
  | { page: "connect" };

export function readPlace(hash: string): Place {
  const [page, connection, table] = hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  if (page === "connect") return { page };
  if (page === "table" && connection && table) return { page, connection, table };
  if (page === "settings" && connection) return { page, connection };
  return { page: "home", connection: page === "home" && connection ? connection : null };
}

export function writePlace(place: Place): string {
  const parts: string[] = [place.page];
  if (place.page !== "connect" && place.connection) parts.push(place.connection);
  if (place.page === "table") parts.push(place.table);
  return `#/${parts.map(encodeURIComponent).join("/")}`;
}

export function go(place: Place): void {
  window.location.hash = writePlace(place);
}

export function usePlace(): Place {
  const hash = useSyncExternalStore(
    (listener) => {
      window.addEventListener("hashchange", listener);
      return () => window.removeEventListener("hashchange", listener);
    },
    () => window.location.hash,
  );
  return readPlace(hash);
}
