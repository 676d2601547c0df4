import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import {
  type Connection,
  commands,
  type Table,
  type TableColumns,
  type ViewRequest,
} from "../bridge/generated";
import { cellText, NAMELESS } from "../format";

/** Records of a table that have the text. */
export interface FoundTable {
  table: Table;
  total: number;
  /** Whether that is all, and not where counting stopped. */
  isWhole: boolean;
  records: { id: string; title: string; detail: string }[];
}

export interface Found {
  search: string;
  tables: FoundTable[];
  ms: number;
}

const PAUSE_MS = 60;
/** Records of one table that are listed. */
const MOST = 4;
/** Matches of one table that are counted: more is said as more, and found when it is asked for. */
const COUNTED = 1_000;
/** Less than that is in every second record. */
const SHORTEST = 2;

/** Looks in all tables at once for the text; the last answer stays until the next is there. */
export function useFound(connection: Connection, search: string): Found | null {
  const client = useQueryClient();
  const [found, setFound] = useState<Found | null>(null);
  const text = search.trim();
  // biome-ignore lint/correctness/useExhaustiveDependencies: progress makes the connection anew all the time.
  useEffect(() => {
    if (text.length < SHORTEST || text.startsWith(">")) {
      setFound(null);
      return;
    }
    let isOver = false;
    const timer = setTimeout(async () => {
      const begun = performance.now();
      const looks = connection.tables
        .filter((table) => table.rows > 0)
        .map(async (table) => {
          const columns = await client.fetchQuery({
            queryKey: ["columns", connection.id, table.name],
            queryFn: () => commands.tableColumns({ connection: connection.id, table: table.name }),
            staleTime: 60_000,
          });
          return lookIn(connection.id, table, columns, text);
        });
      const tables = (await Promise.allSettled(looks)).flatMap((look) =>
        look.status === "fulfilled" ? [look.value] : [],
      );
      if (isOver) return;
      setFound({
        search: text,
        tables: tables.filter((one) => one.total > 0),
        ms: performance.now() - begun,
      });
    }, PAUSE_MS);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [client, connection.id, text]);
  return found;
}

async function lookIn(
  connection: string,
  table: Table,
  columns: TableColumns,
  search: string,
): Promise<FoundTable> {
  const names = columns.shown.slice(0, 3);
  const request: ViewRequest = {
    table: table.name,
    filters: [],
    search,
    sort: null,
    deleted: "exclude",
    stale_only: false,
  };
  const view = await commands.openView(connection, request, COUNTED);
  try {
    const { rows } = await commands.window(view.id, 0, MOST, names);
    const text = (cells: (typeof rows)[number]["cells"], place: number) => {
      const column = columns.columns.find((known) => known.name === names[place]);
      return column ? cellText(cells[place] ?? null, column.kind) : "";
    };
    return {
      table,
      total: view.total,
      isWhole: view.whole,
      records: rows.map(({ id, cells }) => ({
        id,
        title: text(cells, 0) || NAMELESS,
        detail: [text(cells, 2), text(cells, 1)].filter(Boolean).join(", "),
      })),
    };
  } finally {
    void commands.closeView(view.id);
  }
}
