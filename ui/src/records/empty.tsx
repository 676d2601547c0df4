import { Button, Spinner } from "@fluentui/react-components";
import type { Connection, ErrorReply, Table } from "../bridge/generated";
import { formatCount } from "../format";
import { ErrorText } from "../parts/error-text";
import { useActions } from "../shell/actions";
import type { Kind } from "./toolbar";

/** A table that was never synced. */
export function EmptyTable({ connection, table }: { connection: Connection; table: Table }) {
  const actions = useActions(connection);
  const name = table.label_plural;
  return (
    <div className="records">
      <header className="records-header">
        <div className="records-row">
          <h1>{name}</h1>
        </div>
      </header>
      <div className="empty">
        {table.progress ? (
          <Spinner size="tiny" label={`Reading the columns of ${name.toLowerCase()}`} />
        ) : table.error ? (
          <ErrorText error={table.error} />
        ) : (
          <>
            <h2>{name} are not synced yet</h2>
            <p>The first sync reads every row. Rows can be browsed as they arrive.</p>
          </>
        )}
        {table.progress ? null : (
          <Button
            appearance="primary"
            disabled={!connection.signed_in}
            onClick={() => actions.sync([table.name])}
          >
            Sync {name.toLowerCase()}
          </Button>
        )}
      </div>
    </div>
  );
}

/** A view without rows says why, and what would show some. */
export function NoMatches({
  table,
  search,
  kind,
  onClear,
}: {
  table: Table;
  search: string;
  kind: Kind;
  onClear: () => void;
}) {
  const name = table.label_plural.toLowerCase();
  const { indexed, total } = table.search;
  const isFollowing = search !== "" && indexed < total;
  if (search === "" && kind === "live") {
    return (
      <div className="empty empty-over">
        <h2>{table.progress ? `The first ${name} are on their way` : `There are no ${name}`}</h2>
        <p>
          {table.progress
            ? "They appear here as they arrive."
            : "The organisation has none that the signed-in user may read."}
        </p>
      </div>
    );
  }
  const which = kind === "live" ? name : `${kind} ${name}`;
  return (
    <div className="empty empty-over" data-testid="no-matches">
      <h2>{search === "" ? `There are no ${which}` : `No ${which} contain “${search}”`}</h2>
      <p>
        {isFollowing
          ? `Search finds ${formatCount(indexed)} of ${formatCount(total)} rows so far; it looks again by itself.`
          : `There are ${formatCount(table.rows)} ${name} in all.`}
      </p>
      <Button onClick={onClear}>Show all {name}</Button>
    </div>
  );
}

export function LoadFailed({ error }: { error: ErrorReply }) {
  return (
    <div className="empty empty-over">
      <ErrorText error={error} />
    </div>
  );
}
