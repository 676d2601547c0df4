import { Link, Spinner } from "@fluentui/react-components";
import type { Table } from "../bridge/generated";
import { formatCount, formatDuration } from "../format";
import { StateIcon } from "../parts/state";
import type { Opened } from "./source";

export function StatusBar({
  table,
  opened,
  isOpening,
  isFiltered,
  selected,
  actions,
  changed,
  onLookAgain,
}: {
  table: Table;
  opened: Opened | null;
  /** Another view is on its way and takes a while. */
  isOpening: boolean;
  isFiltered: boolean;
  selected: number;
  /** What can be done with the selected rows. */
  actions: { label: string; act: () => void; testId: string }[];
  /** Whether the mirror has other rows by now than the view. */
  changed: boolean;
  onLookAgain: () => void;
}) {
  const name = table.label_plural.toLowerCase();
  return (
    <footer className="status-bar">
      {isOpening ? (
        <Spinner
          size="extra-tiny"
          label={`Going through ${formatCount(table.rows)} ${name}; the next time is quicker`}
          data-testid="status-opening"
        />
      ) : opened ? (
        <>
          <span data-testid="status-total">
            <strong>
              {formatCount(opened.view.total)}
              {opened.view.whole ? "" : "+"}
            </strong>
            {isFiltered && opened.request.deleted !== "only"
              ? ` of ${formatCount(table.rows)} ${name}`
              : ` ${opened.request.deleted === "only" ? "deleted " : ""}${name}`}
          </span>
          <span className="muted" data-testid="status-opened">
            opened in {formatDuration(opened.view.opened_ms)}
          </span>
        </>
      ) : null}
      {selected > 0 ? (
        <span className="selected" data-testid="status-selected">
          <strong>{formatCount(selected)} selected</strong>
          {actions.map(({ label, act, testId }) => (
            <Link key={label} as="button" type="button" onClick={act} data-testid={testId}>
              {label}
            </Link>
          ))}
        </span>
      ) : null}
      {changed ? (
        <span className="changed" data-testid="status-changed">
          <span className="muted">Rows have changed since</span>
          <Link as="button" type="button" onClick={onLookAgain} data-testid="look-again">
            Look again
          </Link>
        </span>
      ) : null}
      <span className="spring" />
      <Going table={table} />
    </footer>
  );
}

function Going({ table }: { table: Table }) {
  const { progress, search } = table;
  if (progress) {
    const share = progress.expected
      ? `${Math.min(100, Math.floor((100 * progress.rows) / progress.expected))}%, rows arriving`
      : `${formatCount(progress.rows)} rows arrived`;
    return (
      <span className="now">
        <StateIcon state={table.state} /> {share}
      </span>
    );
  }
  if (search.indexed < search.total) {
    return (
      <span className="muted" data-testid="status-search">
        search index: {formatCount(search.indexed)} of {formatCount(search.total)} rows
      </span>
    );
  }
  return null;
}
