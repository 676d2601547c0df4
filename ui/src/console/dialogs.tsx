import { Button } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { type Connection, type ConsoleRequest, commands } from "../bridge/generated";
import { cellText, formatBytes } from "../format";
import { AppDialog, DialogPage, LossFooter } from "../parts/app-dialog";
import { connectionTitle, EnvironmentBadge, hostOf } from "../parts/environment";
import { useColumns } from "../records/use-columns";
import { isJsonBody } from "./request";
import { type WriteWords, wordsOf } from "./writes";

/** Longer bodies are shown by their beginning. */
const SHOWN_BODY = 20_000;
const SHOWN_NAMES = 12;

/** Asks before a write: what changes, where, and as whom. */
export function WriteDialog({
  connection,
  request,
  onConfirm,
  onClose,
}: {
  connection: Connection;
  request: ConsoleRequest;
  onConfirm: () => void;
  onClose: () => void;
}) {
  const words = wordsOf(request, connection.tables);
  const query = request.query.map(([name, value]) => `${name}=${value}`);
  return (
    <AppDialog isOpen onClose={onClose} className="write-dialog" testId="write-dialog">
      <DialogPage
        title={words.title}
        footer={
          words.isDanger ? (
            <LossFooter
              verb={words.verb}
              keep="Cancel"
              onConfirm={onConfirm}
              onKeep={onClose}
              confirmId="write-confirm"
              keepId="write-cancel"
            />
          ) : (
            <>
              <span className="spring" />
              <Button onClick={onClose} data-testid="write-cancel">
                Cancel
              </Button>
              <Button appearance="primary" onClick={onConfirm} data-testid="write-confirm">
                {words.verb}
              </Button>
            </>
          )
        }
      >
        <dl className="write-facts">
          <div>
            <dt>Where</dt>
            <dd data-testid="write-where">
              <strong>{connectionTitle(connection)}</strong>{" "}
              <EnvironmentBadge kind={connection.kind} />
              <span className="caption">{hostOf(connection.environment)}</span>
            </dd>
          </div>
          {words.record ? <Record connection={connection} record={words.record} /> : null}
          {connection.user ? (
            <div>
              <dt>As</dt>
              <dd>{connection.user}</dd>
            </div>
          ) : null}
          <Changes request={request} />
        </dl>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keyboard. */}
        <section className="write-request" tabIndex={0} aria-label="Request">
          <pre data-testid="write-request">
            <strong className={`method method-${request.method}`}>{request.method}</strong>{" "}
            {request.path}
            {query.length > 0 ? `?${query.join("&")}` : ""}
            {request.headers.map(([name, value]) => `\n${name}: ${value}`).join("")}
            {request.body === null ? "" : `\n\n${request.body.slice(0, SHOWN_BODY)}`}
            {(request.body?.length ?? 0) > SHOWN_BODY ? "\n…" : ""}
          </pre>
        </section>
        <p>{words.note}</p>
      </DialogPage>
    </AppDialog>
  );
}

/** The record as the mirror knows it. */
function Record({
  connection,
  record,
}: {
  connection: Connection;
  record: NonNullable<WriteWords["record"]>;
}) {
  const columns = useColumns(connection, record.table.name);
  const { data } = useQuery({
    queryKey: ["record", connection.id, record.table.name, record.id],
    queryFn: () =>
      commands.record({ connection: connection.id, table: record.table.name, id: record.id }),
  });
  const index = columns?.columns.findIndex(({ name }) => name === columns.primary_name) ?? -1;
  const column = columns?.columns[index];
  const name = column && data ? cellText(data.row.cells[index], column.kind) : "";
  return (
    <div>
      <dt>{record.table.label}</dt>
      <dd data-testid="write-record">
        {name}
        <span className="caption">{record.id}</span>
      </dd>
    </div>
  );
}

/** What a body names, or how long it is. */
function Changes({ request }: { request: ConsoleRequest }) {
  const names = columnsOf(request);
  if (request.body === null) return null;
  return (
    <div>
      <dt>Body</dt>
      <dd>
        {names.length > 0
          ? names.slice(0, SHOWN_NAMES).join(", ") + (names.length > SHOWN_NAMES ? ", …" : "")
          : formatBytes(new Blob([request.body]).size)}
      </dd>
    </div>
  );
}

function columnsOf(request: ConsoleRequest): string[] {
  if (request.body === null || !isJsonBody(request)) return [];
  try {
    const read: unknown = JSON.parse(request.body);
    const isObject = typeof read === "object" && read !== null && !Array.isArray(read);
    return isObject ? Object.keys(read) : [];
  } catch {
    return [];
  }
}

/** Asks before something that is kept goes. */
export function ForgetDialog({
  title,
  text,
  verb,
  onConfirm,
  onClose,
}: {
  title: string;
  text: string;
  verb: string;
  onConfirm: () => void;
  onClose: () => void;
}) {
  return (
    <AppDialog isOpen onClose={onClose} testId="forget-dialog">
      <DialogPage
        title={title}
        footer={
          <LossFooter
            verb={verb}
            keep="Keep it"
            onConfirm={onConfirm}
            onKeep={onClose}
            confirmId="forget-confirm"
          />
        }
      >
        <p>{text}</p>
      </DialogPage>
    </AppDialog>
  );
}
