import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { type Connection, commands, type ErrorReply, type ViewRequest } from "../bridge/generated";
import { asError } from "../bridge/store";

const PAUSE_MS = 150;

/** How many rows a view would have, and how long counting them took. */
export interface Count {
  rows: number;
  ms: number;
}

/** Counts what a view would have; `undefined` while it is counted, or where nothing is asked. */
export function useCount(
  connection: Connection,
  request: ViewRequest | null,
): { count: Count | undefined; error: ErrorReply | null } {
  const asked = usePaused(request === null ? "" : JSON.stringify(request), PAUSE_MS);
  const { data, error } = useQuery({
    queryKey: ["count", connection.id, asked],
    enabled: asked !== "",
    retry: false,
    staleTime: 10_000,
    queryFn: async (): Promise<Count> => {
      const view = await commands.openView(connection.id, JSON.parse(asked) as ViewRequest, null);
      void commands.closeView(view.id);
      return { rows: view.total, ms: view.opened_ms };
    },
  });
  if (asked === "") return { count: undefined, error: null };
  return { count: data, error: error ? asError(error) : null };
}

/** The value, once it has held still for a while. */
export function usePaused<T>(value: T, pause: number): T {
  const [paused, setPaused] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setPaused(value), pause);
    return () => clearTimeout(timer);
  }, [value, pause]);
  return paused;
}
