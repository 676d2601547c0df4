import type { Connection } from "../bridge/generated";
import type { OpenRecord } from "./columns";
import { type Line, unifiedFields } from "./unified";

/** The fields that programs see: the same in every organisation. */
export function UnifiedTab({
  connection,
  json,
  names,
  onOpenRecord,
}: {
  connection: Connection;
  json: string;
  /** What the records are called that this one points to, by their ids. */
  names: ReadonlyMap<string, string>;
  onOpenRecord: OpenRecord;
}) {
  const isMirrored = (table: string) => connection.tables.some((known) => known.name === table);
  return (
    <dl className="fields unified" data-testid="unified">
      {unifiedFields(json).map(({ name, label, lines }) => (
        <div key={name}>
          <dt title={name}>{label}</dt>
          <dd>
            {lines.length === 0 ? <span className="muted">–</span> : null}
            {keyed(lines).map(([key, line]) => (
              <Value
                key={key}
                line={line}
                name={line.opens ? names.get(line.opens.id) : undefined}
                onOpen={line.opens && isMirrored(line.opens.table) ? onOpenRecord : null}
              />
            ))}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Lines with keys of their own: two may say the same. */
function keyed(lines: Line[]): [string, Line][] {
  return lines.map((line, place) => [`${place} ${line.text}`, line]);
}

function Value({
  line,
  name,
  onOpen,
}: {
  line: Line;
  name: string | undefined;
  onOpen: OpenRecord | null;
}) {
  const { note, opens } = line;
  // Programs get the id; people read the name.
  const text = name ?? line.text;
  return (
    <p>
      {onOpen && opens ? (
        <button
          type="button"
          className="cell-link"
          title={name ? line.text : undefined}
          onClick={() => onOpen(opens.table, opens.id)}
        >
          {text}
        </button>
      ) : (
        <span title={name ? line.text : undefined}>{text}</span>
      )}
      {note ? <span className="unified-note">{note}</span> : null}
    </p>
  );
}
