/** What waits for the admin, over all connections: what the bell counts and lists. */
import type { Connection } from "../bridge/generated";
import { plural } from "../format";
import { connectionTitle } from "../parts/environment";

export interface Need {
  key: string;
  connection: Connection;
  /** Whether something stands still until the admin does something. */
  isUrgent: boolean;
  /** What happened, a sentence. */
  title: string;
  /** What to do, or where. */
  detail: string;
}

/** Those that hold something up first, then in the order of the connections. */
export function needsOf(connections: Connection[]): Need[] {
  const needs = connections.flatMap(ofConnection);
  return [...needs.filter((need) => need.isUrgent), ...needs.filter((need) => !need.isUrgent)];
}

function ofConnection(connection: Connection): Need[] {
  const need = (key: string, isUrgent: boolean, title: string, detail = ""): Need => ({
    key: `${connection.id} ${key}`,
    connection,
    isUrgent,
    title,
    detail,
  });
  const { problem, tables, warnings, notice } = connection;
  const needs: Need[] = [];
  if (problem) {
    const title = connection.signed_in ? problem.message : "Sign in again to keep syncing.";
    needs.push(need("problem", true, title, connection.signed_in ? problem.hint : problem.message));
  }
  for (const table of tables) {
    if (table.guard) {
      const rows = plural(table.guard.would_delete, "row was", "rows were");
      const title = `${table.label_plural} wait for your answer.`;
      needs.push(need(table.name, true, title, `${rows} not in what Dynamics 365 sent.`));
    } else if (table.state === "failed" && table.error && table.error.code !== problem?.code) {
      const title = `${table.label_plural} could not be synced.`;
      needs.push(need(table.name, true, title, table.error.message));
    }
  }
  for (const warning of warnings) needs.push(need(warning, false, warning));
  if (notice) needs.push(need("notice", false, notice));
  return needs;
}

/** The connection's name where there is more than one to tell apart. */
export function whose(need: Need, connections: Connection[]): string | null {
  return connections.length > 1 ? connectionTitle(need.connection) : null;
}
