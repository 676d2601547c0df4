import { useCallback, useEffect, useRef, useState } from "react";
import type { Sort, Table } from "../bridge/generated";
import type { ViewSource } from "./source";

/** While rows arrive, the grid looks again at most this often. */
const REOPEN_PAUSE_MS = 2_000;

export interface Revision {
  /** Grows when the grid should read what it shows again. */
  revision: number;
  /** Whether the mirror has other rows by now than the view. */
  isBehind: boolean;
  lookAgain: () => void;
}

/**
 * Follows the mirror. What is shown is read again in place, so that nothing moves under the mouse;
 * which rows are shown, and where, changes when somebody asks for it. Only a table that fills for
 * the first time, or a search index that still follows, is looked at anew by itself.
 */
export function useRevision(
  source: ViewSource,
  table: Table,
  sort: Sort | null,
  { view, isSearching, isBusy }: { view: number | null; isSearching: boolean; isBusy: boolean },
): Revision {
  const [revision, setRevision] = useState(0);
  const [isBehind, setBehind] = useState(false);
  const rows = [table.rows, table.deleted, table.stale, table.changed_recently].join();
  const state = [rows, table.last_sync, isSearching ? table.search.indexed : ""].join();
  const last = useRef(Date.now());
  const isFilling = table.last_sync === null;
  const seen = useRef({ rows, state, isFilling });
  const isFollowing = isSearching && table.search.indexed < table.search.total;
  const canReopen = !isBusy && (isFilling || isFollowing);
  const reopen = useCallback(() => {
    source.reopen(sort).then(
      () => {
        setBehind(false);
        setRevision((before) => before + 1);
      },
      // The grid's own next request says what is wrong.
      () => undefined,
    );
  }, [source, sort]);
  useEffect(() => {
    if (seen.current.state === state) return;
    const wait = Math.max(0, last.current + REOPEN_PAUSE_MS - Date.now());
    const timer = setTimeout(() => {
      const before = seen.current;
      seen.current = { rows, state, isFilling };
      last.current = Date.now();
      // What filled or followed until now is looked at once more when it is done.
      if (canReopen || (!isBusy && (before.isFilling || (isSearching && before.rows === rows)))) {
        reopen();
        return;
      }
      if (before.rows !== rows) setBehind(true);
      setRevision((count) => count + 1);
    }, wait);
    return () => clearTimeout(timer);
  }, [state, rows, isFilling, isSearching, canReopen, isBusy, reopen]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another view is up to date.
  useEffect(() => setBehind(false), [view]);
  return { revision, isBehind, lookAgain: reopen };
}
