/** Where the window is, kept in the address so that going back works. */
import { useMemo, useSyncExternalStore } from "react";
import type { Filter } from "./bridge/generated";

/** What a table is opened for: some of its rows, or one record beside them. */
export interface Ask {
  filters?: Filter[];
  search?: string;
  record?: string;
  /** The dialog that exports what is shown. */
  isExport?: boolean;
  /** When it was asked, ms since 1970: the same can be asked twice. */
  at?: number;
}

export type Place =
  | { page: "home"; connection: string | null }
  | { page: "table"; connection: string; table: string; ask?: Ask }
  | { page: "console"; connection: string }
  | { page: "api"; connection: string }
  | { page: "settings"; connection: string }
  | { page: "connect" };

/** The same page of another connection, as far as that has it. */
export function samePage(place: Place, other: { id: string; tables: { name: string }[] }): Place {
  if (place.page === "settings" || place.page === "console" || place.page === "api") {
    return { page: place.page, connection: other.id };
  }
  if (place.page === "table" && other.tables.some(({ name }) => name === place.table)) {
    return { page: "table", connection: other.id, table: place.table };
  }
  return { page: "home", connection: other.id };
}

export function readPlace(hash: string): Place {
  const [page, connection, table, ask] = hash
    .replace(/^#\/?/, "")
    .split("/")
    .map(decodeURIComponent);
  if (page === "connect") return { page };
  if (page === "table" && connection && table) {
    const asked = readAsk(ask);
    return { page, connection, table, ...(asked ? { ask: asked } : {}) };
  }
  if ((page === "settings" || page === "console" || page === "api") && connection) {
    return { page, connection };
  }
  return { page: "home", connection: page === "home" && connection ? connection : null };
}

function readAsk(text: string | undefined): Ask | null {
  if (!text) return null;
  try {
    return JSON.parse(text) as Ask;
  } catch {
    return null;
  }
}

export function writePlace(place: Place): string {
  const parts: string[] = [place.page];
  if (place.page !== "connect" && place.connection) parts.push(place.connection);
  if (place.page === "table") parts.push(place.table);
  if (place.page === "table" && place.ask) parts.push(JSON.stringify(place.ask));
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
  // The same place is the same object, so that it is not arrived at twice.
  return useMemo(() => readPlace(hash), [hash]);
}
