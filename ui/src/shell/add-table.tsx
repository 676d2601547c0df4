import { Button, Input, Spinner } from "@fluentui/react-components";
import { Search16Regular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useRef, useState } from "react";
import { type AvailableTable, type Connection, commands } from "../bridge/generated";
import { asError } from "../bridge/store";
import { formatCount, plural } from "../format";
import { AppDialog, DialogPage } from "../parts/app-dialog";
import { ErrorText } from "../parts/error-text";
import { useNotices } from "../parts/notices";
import { addable, labelOf, MOST_SHOWN, remark } from "./available";

/** Chooses one more of the organisation's tables to mirror. */
export function AddTableDialog({
  connection,
  isOpen,
  onClose,
}: {
  connection: Connection;
  isOpen: boolean;
  onClose: () => void;
}) {
  return (
    <AppDialog isOpen={isOpen} onClose={onClose} className="add-table" testId="add-table-dialog">
      <Content connection={connection} onClose={onClose} />
    </AppDialog>
  );
}

function Content({ connection, onClose }: { connection: Connection; onClose: () => void }) {
  const { data, error, isFetching, refetch } = useQuery({
    queryKey: ["available-tables", connection.id],
    queryFn: () => commands.availableTables(connection.id),
    retry: false,
    gcTime: 0,
  });
  return (
    <DialogPage
      title="Add a table"
      footer={
        <>
          <span className="spring" />
          {error && !isFetching ? (
            <Button appearance="primary" onClick={() => void refetch()} data-testid="tables-again">
              Try again
            </Button>
          ) : null}
          <Button onClick={onClose} data-testid="add-table-close">
            Cancel
          </Button>
        </>
      }
    >
      {data ? (
        <Choice connection={connection} tables={data} onClose={onClose} />
      ) : isFetching ? (
        <Spinner
          size="tiny"
          labelPosition="after"
          label="Reading which tables the organisation has"
          className="add-table-waits"
        />
      ) : error ? (
        <ErrorText error={asError(error)} />
      ) : null}
    </DialogPage>
  );
}

function Choice({
  connection,
  tables,
  onClose,
}: {
  connection: Connection;
  tables: AvailableTable[];
  onClose: () => void;
}) {
  const { attempt, tell } = useNotices();
  const [wanted, setWanted] = useState("");
  const [adding, setAdding] = useState<string | null>(null);
  const list = useRef<HTMLUListElement>(null);
  const found = addable(tables, wanted);
  const readable = found.filter((table) => table.readable);
  const [first] = readable;
  const add = async (table: AvailableTable) => {
    setAdding(table.name);
    if (await attempt(() => commands.addTable({ connection: connection.id, table: table.name }))) {
      tell(`Added ${labelOf(table)}`, "Its rows are read now.");
      onClose();
    }
    setAdding(null);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    const buttons = [...(list.current?.querySelectorAll("button:not(:disabled)") ?? [])];
    const place = buttons.indexOf(document.activeElement as Element);
    const next = buttons[place + (event.key === "ArrowDown" ? 1 : -1)];
    if (next instanceof HTMLElement) next.focus();
  };
  return (
    // The arrows go from the field through the list; each of them can be reached by Tab too.
    // biome-ignore lint/a11y/noStaticElementInteractions: the elements in it are interactive.
    <div className="column-choice" onKeyDown={onKeyDown}>
      <Input
        // The dialog is for finding one of hundreds.
        autoFocus
        value={wanted}
        onChange={(_, data) => setWanted(data.value)}
        placeholder={`Search ${plural(tables.length, "table", "tables")}`}
        aria-label="Search tables"
        contentBefore={<Search16Regular />}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || wanted.trim() === "" || !first) return;
          event.preventDefault();
          void add(first);
        }}
        input={{ "data-testid": "add-table-search" } as object}
      />
      <ul ref={list} aria-label="Tables">
        {found.slice(0, MOST_SHOWN).map((table) => (
          <li key={table.name}>
            <button
              type="button"
              className={table === first && wanted.trim() !== "" ? "column-first" : undefined}
              disabled={!table.readable || adding !== null}
              onClick={() => void add(table)}
              data-testid={`add-${table.name}`}
            >
              <span>
                {labelOf(table)} <span className="caption">{table.name}</span>
                {remark(table) ? <span className="caption remark">{remark(table)}</span> : null}
              </span>
              <span className="caption figure">
                {table.rows === null ? "" : plural(table.rows, "row", "rows")}
              </span>
            </button>
          </li>
        ))}
      </ul>
      <p className="caption" role="status" data-testid="add-table-count">
        {adding !== null
          ? `Adding ${adding}`
          : found.length > 0
            ? found.length > MOST_SHOWN
              ? `The first ${MOST_SHOWN} of ${formatCount(found.length)}. Type more of the name to find the others.`
              : plural(readable.length, "table can be added", "tables can be added")
            : wanted.trim() === ""
              ? "Every table of the organisation is mirrored."
              : `No table that can be added has “${wanted.trim()}”.`}
      </p>
    </div>
  );
}
