import { Button, Spinner } from "@fluentui/react-components";
import type {
  Column,
  Connection,
  ErrorReply,
  Filter,
  Table,
  TableColumns,
  ViewRequest,
} from "../bridge/generated";
import { formatCount } from "../format";
import { ErrorText } from "../parts/error-text";
import { useActions } from "../shell/actions";
import { pillText } from "./filters";
import { useCount } from "./use-count";

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
  connection,
  table,
  columns,
  request,
  onChange,
  onClear,
}: {
  connection: Connection;
  table: Table;
  columns: TableColumns;
  request: ViewRequest;
  onChange: (filters: Filter[]) => void;
  onClear: () => void;
}) {
  const name = table.label_plural.toLowerCase();
  const { indexed, total } = table.search;
  const search = request.search ?? "";
  const isFollowing = search !== "" && indexed < total;
  const isLive = request.deleted === "exclude" && !request.stale_only;
  const last = request.filters.at(-1);
  const relaxed = last ? { ...request, filters: request.filters.slice(0, -1) } : null;
  const without = useCount(connection, relaxed).count?.rows;
  const column = last && columns.columns.find((known) => known.name === last.column);
  if (search === "" && isLive && !last) {
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
  const which = isLive ? name : `${request.stale_only ? "stale" : "deleted"} ${name}`;
  const many = request.filters.length;
  const matching = many > 1 ? (many === 2 ? "both filters" : `all ${many} filters`) : "the filter";
  return (
    <div className="empty empty-over" data-testid="no-matches">
      <h2>
        {last
          ? `No ${which} match ${matching}${search === "" ? "" : ` and “${search}”`}`
          : search === ""
            ? `There are no ${which}`
            : `No ${which} contain “${search}”`}
      </h2>
      <p>
        {isFollowing ? (
          `Search finds ${formatCount(indexed)} of ${formatCount(total)} rows so far; it looks again by itself.`
        ) : last && column ? (
          <>
            Without <strong>{sentenceOf(column, last)}</strong> there{" "}
            {without === undefined
              ? "may be some"
              : without === 1
                ? "is 1"
                : `are ${formatCount(without)}`}
            .
          </>
        ) : (
          `There are ${formatCount(table.rows)} ${name} in all.`
        )}
      </p>
      <div className="button-row">
        {last && without !== 0 ? (
          <Button
            appearance="primary"
            onClick={() => onChange(request.filters.slice(0, -1))}
            data-testid="relax"
          >
            Remove that filter
          </Button>
        ) : null}
        <Button onClick={onClear} data-testid="clear-all">
          Show all {name}
        </Button>
      </div>
    </div>
  );
}

function sentenceOf(column: Column, filter: Filter): string {
  const { what, value } = pillText(column, filter);
  return value === "" ? what : `${what} ${value}`;
}

export function LoadFailed({ error }: { error: ErrorReply }) {
  return (
    <div className="empty empty-over">
      <ErrorText error={error} />
    </div>
  );
}
