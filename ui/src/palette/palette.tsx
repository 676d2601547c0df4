import { Dialog, DialogSurface } from "@fluentui/react-components";
import {
  ArrowRight20Regular,
  Flash20Regular,
  Home20Regular,
  PlugConnected20Regular,
  Search20Regular,
  Send20Regular,
  TableSearch20Regular,
} from "@fluentui/react-icons";
import { useEffect, useId, useMemo, useRef, useState } from "react";
import { type AppState, type Connection, commands } from "../bridge/generated";
import { formatCount, formatDuration } from "../format";
import { Marked, termsOf } from "../parts/marked";
import { useNotices } from "../parts/notices";
import { TableIcon } from "../parts/table-icon";
import { go } from "../place";
import { type Doings, type Entry, matching, standingEntries } from "./entries";
import { type Found, useFound } from "./use-found";

/** One place to go anywhere and do anything: records of all tables, pages, commands. */
export function Palette({
  app,
  connection,
  shown,
  doings,
  isOpen,
  onClose,
}: {
  app: AppState;
  connection: Connection;
  /** The table that is shown. */
  shown: string | undefined;
  doings: Doings;
  isOpen: boolean;
  onClose: () => void;
}) {
  return (
    <Dialog open={isOpen} onOpenChange={(_, data) => (data.open ? null : onClose())}>
      <DialogSurface className="palette" aria-label="Search and commands" data-testid="palette">
        <Content
          app={app}
          connection={connection}
          shown={shown}
          doings={doings}
          onClose={onClose}
        />
      </DialogSurface>
    </Dialog>
  );
}

function Content({
  app,
  connection,
  shown,
  doings,
  onClose,
}: {
  app: AppState;
  connection: Connection;
  shown: string | undefined;
  doings: Doings;
  onClose: () => void;
}) {
  const { attempt } = useNotices();
  const [typed, setTyped] = useState("");
  const [current, setCurrent] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const id = useId();
  const found = useFound(connection, typed);
  const standing = useMemo(
    () => standingEntries(app, connection, shown, doings),
    [app, connection, shown, doings],
  );
  const entries = useMemo(
    () => [
      ...(found && typed.trim() !== "" ? foundEntries(connection, found, attempt) : []),
      ...matching(standing, typed.trim()),
    ],
    [found, typed, standing, connection, attempt],
  );
  const place = Math.min(current, entries.length - 1);
  useEffect(() => {
    list.current
      ?.querySelector('[aria-selected="true"]')
      ?.scrollIntoView({ block: place === 0 ? "end" : "nearest" });
  }, [place]);
  const run = (entry: Entry | undefined, isOutside = false) => {
    const act = isOutside ? entry?.actOutside : entry?.act;
    if (!act) return;
    onClose();
    act();
  };
  const onKey = (event: React.KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const by = event.key === "ArrowDown" ? 1 : -1;
      setCurrent((place + by + entries.length) % Math.max(1, entries.length));
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(entries[place], event.ctrlKey || event.metaKey);
    }
  };
  const terms = termsOf(typed.replace(/^>/, ""));
  return (
    <>
      <div className="palette-head">
        <Search20Regular />
        <input
          // The dialog is for typing; there is nothing else in it to focus.
          // biome-ignore lint/a11y/noAutofocus: the dialog is a text field.
          autoFocus
          role="combobox"
          aria-label="Search records, tables and commands"
          aria-expanded="true"
          aria-controls={`${id}list`}
          aria-activedescendant={entries[place] ? `${id}${place}` : undefined}
          placeholder="Search records, tables and commands"
          spellCheck={false}
          autoComplete="off"
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
            setCurrent(0);
          }}
          onKeyDown={onKey}
          data-testid="palette-input"
        />
        {found ? <span className="caption">{formatDuration(found.ms)}</span> : null}
      </div>
      <div
        className="palette-list"
        role="listbox"
        id={`${id}list`}
        aria-label="Results"
        ref={list}
        hidden={entries.length === 0}
        data-testid="palette-list"
      >
        {entries.map((entry, index) => (
          <div key={entry.id} className="palette-item">
            {entry.group !== entries[index - 1]?.group ? (
              <div className="palette-group" role="presentation">
                {entry.group}
              </div>
            ) : null}
            {/* biome-ignore lint/a11y/useKeyWithClickEvents: keys are taken by the field, as a combobox does. */}
            <div
              id={`${id}${index}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === place}
              className="palette-entry"
              onClick={() => run(entry)}
              onMouseMove={() => setCurrent(index)}
              data-testid={`palette-${entry.icon}`}
            >
              <EntryIcon entry={entry} />
              <span className="palette-title">
                {entry.icon === "all" ? entry.title : <Marked text={entry.title} terms={terms} />}
              </span>
              <span className="palette-detail">{entry.detail}</span>
              {index === place ? <kbd>Enter</kbd> : entry.keys ? <kbd>{entry.keys}</kbd> : null}
            </div>
          </div>
        ))}
      </div>
      {entries.length === 0 ? (
        <p className="palette-none" role="status" data-testid="palette-none">
          Nothing has “{typed.trim()}”: no record of a mirrored table, no page, no command.
        </p>
      ) : null}
      <footer className="palette-foot">
        <span>
          <kbd>↑</kbd> <kbd>↓</kbd> Move
        </span>
        <span>
          <kbd>Enter</kbd> Open
        </span>
        {connection.kind === "sample" ? null : (
          <span>
            <kbd>Ctrl Enter</kbd> Open in Dynamics 365
          </span>
        )}
        <span className="spring" />
        <span>
          <kbd>&gt;</kbd> Commands only
        </span>
      </footer>
    </>
  );
}

function foundEntries(
  connection: Connection,
  found: Found,
  attempt: (act: () => Promise<unknown>) => Promise<boolean>,
): Entry[] {
  const to = (table: string, ask: { record?: string; search?: string }) =>
    go({ page: "table", connection: connection.id, table, ask: { ...ask, at: Date.now() } });
  return found.tables.flatMap(({ table, total, isWhole, records }) => {
    const group =
      total > records.length
        ? `${table.label_plural}, ${formatCount(total)}${isWhole ? "" : " or more"} matches`
        : table.label_plural;
    const entries: Entry[] = records.map((record) => ({
      id: `record-${record.id}`,
      group,
      title: record.title,
      detail: record.detail,
      icon: "record",
      table: table.name,
      act: () => to(table.name, { record: record.id }),
      actOutside: () =>
        void attempt(async () => {
          const whole = await commands.record({
            connection: connection.id,
            table: table.name,
            id: record.id,
          });
          await commands.openLink(whole.link);
        }),
    }));
    if (total > records.length) {
      entries.push({
        id: `all-${table.name}`,
        group,
        title: `Show all ${table.label_plural.toLowerCase()} with “${found.search}”`,
        icon: "all",
        act: () => to(table.name, { search: found.search }),
      });
    }
    return entries;
  });
}

function EntryIcon({ entry }: { entry: Entry }) {
  switch (entry.icon) {
    case "record":
    case "table":
      return <TableIcon table={entry.table ?? ""} />;
    case "all":
      return <TableSearch20Regular />;
    case "command":
      return <Flash20Regular />;
    case "connection":
      return <PlugConnected20Regular />;
    default:
      if (entry.id === "home") return <Home20Regular />;
      return entry.id === "console" ? <Send20Regular /> : <ArrowRight20Regular />;
  }
}
