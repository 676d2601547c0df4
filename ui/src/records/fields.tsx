import {
  type Column,
  type Connection,
  commands,
  type GridCell,
  type Record as MirrorRecord,
  type TableColumns,
} from "../bridge/generated";
import { cellText } from "../format";
import { useNotices } from "../parts/notices";
import type { OpenRecord } from "./columns";

/** The fields of a record, by the organisation's own labels. */
export function Fields({
  connection,
  record,
  columns,
  isAll,
  raw,
  onOpenRecord,
}: {
  connection: Connection;
  record: MirrorRecord;
  columns: TableColumns;
  isAll: boolean;
  /** Values as they were delivered, by column; `null` for values as people read them. */
  raw: { [column: string]: unknown } | null;
  onOpenRecord: OpenRecord;
}) {
  const all = columns.columns.map((column, index) => ({
    column,
    cell: record.row.cells[index] ?? null,
  }));
  // Those that matter first, then what else is filled in; ids and numbers of the system are under "All".
  const filled = all.filter(
    ({ column, cell }) => cell !== null && cell !== "" && column.kind !== "id",
  );
  const rank = (column: Column) => {
    const place = columns.shown.indexOf(column.name);
    return place < 0 ? columns.shown.length : place;
  };
  const listed = isAll ? all : [...filled].sort((a, b) => rank(a.column) - rank(b.column));
  return (
    <dl className="fields">
      {listed.map(({ column, cell }) => (
        <div key={column.name}>
          <dt title={column.name}>{column.label}</dt>
          <dd>
            {raw ? (
              <code>{rawText(raw, column)}</code>
            ) : (
              <FieldValue
                connection={connection}
                column={column}
                cell={cell}
                onOpenRecord={onOpenRecord}
              />
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function FieldValue({
  connection,
  column,
  cell,
  onOpenRecord,
}: {
  connection: Connection;
  column: Column;
  cell: GridCell;
  onOpenRecord: OpenRecord;
}) {
  const { attempt } = useNotices();
  const text = cellText(cell, column.kind);
  if (text === "") return <span className="muted">–</span>;
  if (typeof cell === "object" && cell !== null && "id" in cell) {
    const { id, table } = cell;
    const isMirrored = connection.tables.some((known) => known.name === table);
    if (table && isMirrored) {
      return (
        <button type="button" className="cell-link" onClick={() => onOpenRecord(table, id)}>
          {text}
        </button>
      );
    }
  }
  if (/^[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+$/.test(text)) {
    const at = text.indexOf("@") + 1;
    return (
      <button
        type="button"
        className="cell-link"
        onClick={() => void attempt(() => commands.openLink(`mailto:${text}`))}
      >
        {text.slice(0, at)}
        <wbr />
        {text.slice(at)}
      </button>
    );
  }
  return <>{text}</>;
}

/** A lookup's value is delivered under the name of its property. */
function rawText(raw: { [column: string]: unknown }, column: Column): string {
  const value = raw[column.name] ?? raw[`_${column.name}_value`];
  return value === undefined || value === null ? "null" : String(value);
}
