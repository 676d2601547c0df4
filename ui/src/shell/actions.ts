/** What the admin can do with a connection, from wherever it is offered. */
import { useMemo } from "react";
import { type Connection, commands } from "../bridge/generated";
import { formatCount } from "../format";
import { useNotices } from "../parts/notices";
import { go } from "../place";

export interface ConnectionActions {
  sync(tables?: string[]): void;
  fullSync(tables?: string[]): void;
  /** Stops what is synced now: a table, or all of them. */
  pause(table?: string): void;
  signIn(anotherUser?: boolean): void;
  /** Marks rows as stale and reads them again. */
  invalidate(tables: string[]): void;
  answerGuard(table: string, remove: boolean): void;
}

export function useActions(connection: Connection): ConnectionActions {
  const { attempt, tell } = useNotices();
  const id = connection.id;
  return useMemo(
    () => ({
      sync: (tables = []) => void attempt(() => commands.sync(id, tables, false)),
      fullSync: (tables = []) => void attempt(() => commands.sync(id, tables, true)),
      pause: (table) => void attempt(() => commands.pause(id, table ?? null)),
      signIn: (anotherUser = false) =>
        void attempt(async () => {
          await commands.signIn(id, anotherUser);
          await commands.sync(id, [], false);
        }),
      invalidate: (tables) =>
        void attempt(async () => {
          let rows = 0;
          for (const table of tables)
            rows += await commands.invalidate({ connection: id, table }, []);
          tell(
            `Invalidated ${formatCount(rows)} rows`,
            "They stay in place and are read again now.",
          );
          await commands.sync(id, tables, false);
        }),
      answerGuard: (table, remove) =>
        void attempt(() => commands.answerGuard({ connection: id, table }, remove)),
    }),
    [id, attempt, tell],
  );
}

/** Shows a connection that was just made; its schedule starts the first sync by itself. */
export function begin(made: Connection): void {
  go({ page: "home", connection: made.id });
}

/** Tables that were synced at least once, so that there is something to invalidate. */
export function syncedTables(connection: Connection): string[] {
  return connection.tables.filter((table) => table.state !== "new").map((table) => table.name);
}
