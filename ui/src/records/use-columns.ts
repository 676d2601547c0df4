import { useQuery } from "@tanstack/react-query";
import { type Connection, commands, type TableColumns } from "../bridge/generated";

/** Columns come with the metadata, which the first sync reads at its beginning. */
const RETRY_MS = 500;
const FRESH_MS = 60_000;

/** The columns of a table; `undefined` until its first sync has begun. */
export function useColumns(connection: Connection, table: string): TableColumns | undefined {
  const { data } = useQuery({
    queryKey: ["columns", connection.id, table],
    queryFn: () => commands.tableColumns({ connection: connection.id, table }),
    staleTime: FRESH_MS,
    refetchInterval: (query) => (query.state.data ? false : RETRY_MS),
  });
  return data;
}
