import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef } from "react";
import { type Connection, commands } from "../bridge/generated";
import { type Kept, readKept } from "./layout";

/** What is done quickly is kept once. */
const PAUSE_MS = 500;

/** What is kept of a table's views; `undefined` until it was read. */
export function useKept(
  connection: Connection,
  table: string,
): [Kept | undefined, (kept: Kept, isUrgent?: boolean) => void] {
  const client = useQueryClient();
  const name = `views-${table}`;
  const key = ["kept", connection.id, table];
  const { data } = useQuery({
    queryKey: key,
    queryFn: async () => readKept(await commands.recall(connection.id, name)),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  const waiting = useRef<{ timer: number; send: () => void } | null>(null);
  const keep = useCallback(
    (kept: Kept, isUrgent = false) => {
      client.setQueryData(["kept", connection.id, table], kept);
      if (waiting.current) clearTimeout(waiting.current.timer);
      const send = () => {
        waiting.current = null;
        // A layout that is not kept is no reason to disturb anybody.
        commands.remember(connection.id, name, JSON.stringify(kept)).catch(() => undefined);
      };
      if (isUrgent) send();
      else waiting.current = { timer: window.setTimeout(send, PAUSE_MS), send };
    },
    [client, connection.id, table, name],
  );
  useEffect(
    () => () => {
      if (!waiting.current) return;
      clearTimeout(waiting.current.timer);
      waiting.current.send();
    },
    [],
  );
  return [data, keep];
}
