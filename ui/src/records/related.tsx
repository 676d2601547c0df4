import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type Connection, commands } from "../bridge/generated";
import { asError } from "../bridge/store";
import { formatCount } from "../format";
import { ErrorText } from "../parts/error-text";
import { TableIcon } from "../parts/table-icon";
import { go } from "../place";
import type { OpenRecord } from "./columns";
import { findRelated, type Related } from "./relations";

/** What belongs to a record; `undefined` until it was looked up. */
export function useRelated(
  connection: Connection,
  shown: { table: string; id: string },
): { related: Related[] | undefined; error: unknown } {
  const client = useQueryClient();
  const changed = connection.tables.map((table) => table.last_sync).join();
  const { data, error } = useQuery({
    queryKey: ["related", connection.id, shown.table, shown.id, changed],
    queryFn: () =>
      findRelated(connection, shown.table, shown.id, (table) =>
        client.fetchQuery({
          queryKey: ["columns", connection.id, table],
          queryFn: () => commands.tableColumns({ connection: connection.id, table }),
          staleTime: 60_000,
        }),
      ),
  });
  return { related: data, error };
}

export function RelatedTab({
  connection,
  shown,
  onOpenRecord,
}: {
  connection: Connection;
  shown: { table: string; id: string };
  onOpenRecord: OpenRecord;
}) {
  const { related, error } = useRelated(connection, shown);
  if (error) return <ErrorText error={asError(error)} />;
  if (!related) return null;
  if (related.length === 0) {
    return <p className="muted">No mirrored record belongs to this one.</p>;
  }
  return (
    <>
      {related.map(({ table, column, columnLabel, total, records }) => (
        <section key={`${table.name} ${column}`} className="related">
          <h3>
            <TableIcon table={table.name} /> {table.label_plural}
            <span className="muted">{formatCount(total)}</span>
          </h3>
          <p className="caption">by {columnLabel}</p>
          <ul>
            {records.map((record) => (
              <li key={record.id}>
                <button
                  type="button"
                  className="cell-link"
                  onClick={() => onOpenRecord(table.name, record.id)}
                  data-testid="related-record"
                >
                  {record.title}
                </button>
                <span className="caption">{record.detail}</span>
              </li>
            ))}
          </ul>
          {total > records.length ? (
            <button
              type="button"
              className="cell-link"
              onClick={() =>
                go({
                  page: "table",
                  connection: connection.id,
                  table: table.name,
                  ask: { filters: [{ column, op: "equal", values: [shown.id] }], at: Date.now() },
                })
              }
              data-testid="related-all"
            >
              Show all {formatCount(total)}
            </button>
          ) : null}
        </section>
      ))}
    </>
  );
}
