import { Dropdown, Option } from "@fluentui/react-components";
import {
  Add16Regular,
  ArrowRight16Regular,
  ArrowUndo16Regular,
  Delete16Regular,
  Edit16Regular,
} from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import {
  type Connection,
  commands,
  type FieldChange,
  type Happening,
  type TableColumns,
} from "../bridge/generated";
import { asError } from "../bridge/store";
import { formatMoment, formatRecent, plural } from "../format";
import { ErrorText } from "../parts/error-text";

const ALL = "";

/** What happened to a record while it was mirrored, the newest first. */
export function HistoryTab({
  connection,
  columns,
  shown,
  changed,
}: {
  connection: Connection;
  columns: TableColumns;
  shown: { table: string; id: string };
  /** Changes whenever there may be something new. */
  changed: unknown;
}) {
  const [column, setColumn] = useState(ALL);
  const { data: happenings, error } = useQuery({
    queryKey: ["history", connection.id, shown.table, shown.id, changed],
    queryFn: () =>
      commands.history({ connection: connection.id, table: shown.table, id: shown.id }),
    placeholderData: (before) => before,
  });
  if (error) return <ErrorText error={asError(error)} />;
  if (!happenings) return null;
  if (happenings.length === 0) {
    return (
      <p className="muted" data-testid="history-empty">
        Nothing changed since this record was first mirrored. Changes are noted by each sync: which
        column, from what to what, and when it was seen.
      </p>
    );
  }
  const label = (name: string) =>
    columns.columns.find((known) => known.name === name)?.label ?? name;
  const names = [...new Set(happenings.flatMap((one) => one.fields.map((field) => field.column)))];
  const listed = happenings
    .map((one) => ({
      ...one,
      fields: one.fields.filter((field) => column === ALL || field.column === column),
    }))
    .filter((one) => column === ALL || one.fields.length > 0);
  return (
    <div className="history" data-testid="history">
      <Dropdown
        size="small"
        className="history-columns"
        aria-label="Column"
        value={column === ALL ? "All columns" : label(column)}
        selectedOptions={[column]}
        onOptionSelect={(_, data) => setColumn(data.optionValue ?? ALL)}
      >
        <Option value={ALL}>All columns</Option>
        {names.map((name) => (
          <Option key={name} value={name}>
            {label(name)}
          </Option>
        ))}
      </Dropdown>
      <ol>
        {listed.map((one) => (
          <Entry key={`${one.seen_at}${one.what}`} happening={one} label={label} />
        ))}
      </ol>
    </div>
  );
}

const ICONS = {
  changed: <Edit16Regular />,
  deleted: <Delete16Regular />,
  returned: <ArrowUndo16Regular />,
  created: <Add16Regular />,
} as const;

function Entry({ happening, label }: { happening: Happening; label: (name: string) => string }) {
  const { what, fields, seen_at, run } = happening;
  const title = {
    changed: plural(fields.length, "column changed", "columns changed"),
    deleted: "Deleted",
    returned: "Came back",
    created: "New record",
  }[what];
  return (
    <li className="history-entry">
      <span className="history-icon" aria-hidden="true">
        {ICONS[what]}
      </span>
      <p className="history-title">
        <strong>{title}</strong>
        <time dateTime={new Date(seen_at).toISOString()} title={formatMoment(seen_at)}>
          {formatRecent(seen_at, Date.now())}
        </time>
      </p>
      <p className="caption">
        {run === null ? "Written here, or noticed by a repair" : `Noticed in run ${run}`}
      </p>
      <dl>
        {fields.map((field) => (
          <div key={field.column}>
            <dt title={field.column}>{label(field.column)}</dt>
            <dd>
              <Was field={field} /> <ArrowRight16Regular aria-label="became" />{" "}
              <strong>{textOf(field.to, field)}</strong>
            </dd>
          </div>
        ))}
      </dl>
    </li>
  );
}

function Was({ field }: { field: FieldChange }) {
  if (field.from === null) return <span className="muted">empty</span>;
  return <s>{textOf(field.from, field)}</s>;
}

/** Moments as the window writes them; everything else as it was told. */
function textOf(text: string | null, field: FieldChange): string {
  if (text === null) return "empty";
  if (field.kind !== "date_time") return text;
  const time = Date.parse(text);
  return Number.isNaN(time) ? text : formatMoment(time);
}
