import {
  Button,
  Menu,
  MenuItem,
  MenuList,
  MenuPopover,
  MenuTrigger,
  Switch,
  Tab,
  TabList,
  Tooltip,
} from "@fluentui/react-components";
import {
  ArrowClockwise20Regular,
  ArrowLeft20Regular,
  ChevronDown20Regular,
  ChevronUp20Regular,
  Copy20Regular,
  Dismiss20Regular,
  History20Regular,
  MoreHorizontal20Regular,
  Open20Regular,
} from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import {
  type Connection,
  commands,
  type Record as MirrorRecord,
  type Table,
  type TableColumns,
} from "../bridge/generated";
import { asError } from "../bridge/store";
import { cellText, formatMoment, formatRecent, initials, NAMELESS } from "../format";
import { copyText } from "../parts/clipboard";
import { ErrorText } from "../parts/error-text";
import { useNotices } from "../parts/notices";
import { StateIcon, stateWord } from "../parts/state";
import type { OpenRecord } from "./columns";
import { Fields } from "./fields";
import { HistoryTab } from "./history";
import { RelatedTab } from "./related";
import { relationsOf } from "./relations";
import { UnifiedTab } from "./unified-tab";
import { useColumns } from "./use-columns";

type TabName = "fields" | "all" | "unified" | "related" | "history" | "json";

/** Tables whose records have a unified object. */
const UNIFIED = ["account", "contact", "lead", "opportunity", "systemuser"];

export function RecordPanel({
  connection,
  shown,
  onOpenRecord,
  onStep,
  onBack,
  onClose,
}: {
  connection: Connection;
  shown: { table: string; id: string; byKeyboard: boolean };
  onOpenRecord: OpenRecord;
  /** Goes to another row of the grid; `null` where the record is not from there. */
  onStep: ((by: number) => void) | null;
  /** To the record whose lookup led here; `null` where none did. */
  onBack: (() => void) | null;
  onClose: () => void;
}) {
  const [tab, setTab] = useState<TabName>("fields");
  const [isRaw, setRaw] = useState(false);
  const panel = useRef<HTMLElement>(null);
  const table = connection.tables.find((known) => known.name === shown.table);
  const columns = useColumns(connection, shown.table);
  const { data: record, error } = useQuery({
    queryKey: ["record", connection.id, shown.table, shown.id, table?.last_sync, table?.stale],
    queryFn: () => commands.record({ connection: connection.id, table: shown.table, id: shown.id }),
    placeholderData: (before) => (before?.row.id === shown.id ? before : undefined),
  });
  // The tabs stay where they are while the next record is on its way.
  const hasUnified = record ? record.unified !== null : UNIFIED.includes(shown.table);
  useEffect(() => {
    if (shown.byKeyboard) panel.current?.focus();
  }, [shown.byKeyboard]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      // A menu or dialog on top takes its own Escape first.
      if (event.key === "Escape" && !event.defaultPrevented) onClose();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [onClose]);

  return (
    <aside className="panel" aria-label="Record" tabIndex={-1} ref={panel} data-testid="panel">
      <header className="panel-header">
        <PanelTitle columns={columns} record={record} table={table} />
        <span className="panel-close">
          {onBack ? (
            <IconButton
              label="Back to the record before"
              icon={<ArrowLeft20Regular />}
              onClick={onBack}
            />
          ) : null}
          {onStep ? (
            <>
              <IconButton
                label="Previous record"
                icon={<ChevronUp20Regular />}
                onClick={() => onStep(-1)}
              />
              <IconButton
                label="Next record"
                icon={<ChevronDown20Regular />}
                onClick={() => onStep(1)}
              />
            </>
          ) : null}
          <IconButton label="Close" icon={<Dismiss20Regular />} onClick={onClose} />
        </span>
        {record && columns ? (
          <PanelActions
            connection={connection}
            table={shown.table}
            record={record}
            columns={columns}
          />
        ) : (
          // What is below must not move once the record has come.
          <div className="panel-actions" />
        )}
      </header>
      <TabList
        size="small"
        className="panel-tabs"
        data-testid="panel-tabs"
        selectedValue={tab}
        onTabSelect={(_, data) => setTab(data.value as TabName)}
      >
        <Tab value="fields">Fields</Tab>
        <Tab value="all">All {columns?.columns.length ?? ""}</Tab>
        {hasUnified ? (
          <Tab value="unified" data-testid="panel-unified">
            Unified
          </Tab>
        ) : null}
        {relationsOf(shown.table).length > 0 ? (
          <Tab value="related" data-testid="panel-related">
            Related
          </Tab>
        ) : null}
        <Tab value="history" data-testid="panel-history">
          History
        </Tab>
        <Tab value="json" data-testid="panel-json">
          JSON
        </Tab>
      </TabList>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keyboard. */}
      <section className="panel-body" tabIndex={0} aria-label="Fields of the record">
        {error ? <ErrorText error={asError(error)} /> : null}
        {record && columns ? (
          tab === "json" ? (
            <pre className="panel-json">{record.raw}</pre>
          ) : tab === "unified" && record.unified ? (
            <UnifiedTab
              connection={connection}
              json={record.unified}
              names={namesOf(record)}
              onOpenRecord={onOpenRecord}
            />
          ) : tab === "history" ? (
            <HistoryTab
              connection={connection}
              columns={columns}
              shown={shown}
              changed={table?.last_sync}
            />
          ) : tab === "related" ? (
            <RelatedTab connection={connection} shown={shown} onOpenRecord={onOpenRecord} />
          ) : (
            <>
              {tab === "all" ? (
                <Switch
                  className="raw-switch"
                  label="Raw values"
                  checked={isRaw}
                  onChange={(_, data) => setRaw(data.checked)}
                  data-testid="panel-raw"
                />
              ) : null}
              <Fields
                connection={connection}
                record={record}
                columns={columns}
                isAll={tab === "all"}
                raw={tab === "all" && isRaw ? rawValues(record.raw) : null}
                onOpenRecord={onOpenRecord}
              />
            </>
          )
        ) : null}
      </section>
      {record && table ? <PanelFooter record={record} table={table} /> : null}
    </aside>
  );
}

/** The record as it was delivered; numbers keep their digits as far as the window needs them. */
function rawValues(json: string): { [column: string]: unknown } {
  try {
    return JSON.parse(json) as { [column: string]: unknown };
  } catch {
    return {};
  }
}

function IconButton({
  label,
  icon,
  onClick,
}: {
  label: string;
  icon: React.ReactElement;
  onClick: () => void;
}) {
  return (
    <Tooltip content={label} relationship="label">
      <Button appearance="subtle" icon={icon} onClick={onClick} />
    </Tooltip>
  );
}

function PanelTitle({
  columns,
  record,
  table,
}: {
  columns: TableColumns | undefined;
  record: MirrorRecord | undefined;
  table: Table | undefined;
}) {
  const value = (name: string) => textOf(columns, record, name);
  const title = (columns?.primary_name ? value(columns.primary_name) : "") || NAMELESS;
  const subtitle = value("jobtitle") || value("title") || table?.label || "";
  return (
    <>
      <span className="avatar" aria-hidden="true">
        {record && title !== NAMELESS ? initials(title) : ""}
      </span>
      <div className="panel-title">
        <h2 title={title}>{record ? title : ""}</h2>
        <p title={subtitle}>{subtitle}</p>
      </div>
    </>
  );
}

function PanelActions({
  connection,
  table,
  record,
  columns,
}: {
  connection: Connection;
  table: string;
  record: MirrorRecord;
  columns: TableColumns;
}) {
  const { attempt, tell } = useNotices();
  const copy = async (what: string, text: string) => {
    if (await copyText(text)) tell(`Copied ${what}`);
  };
  const again = (isNow: boolean) =>
    void attempt(async () => {
      await commands.invalidate({ connection: connection.id, table }, [record.row.id]);
      if (isNow) await commands.sync(connection.id, [table], false);
      else tell("Invalidated the record", "It stays, and the next sync reads it again.");
    });
  const csv = () => {
    const quoted = (text: string) =>
      /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    const head = columns.columns.map((column) => quoted(column.name)).join(",");
    const line = columns.columns
      .map((column, index) => quoted(cellText(record.row.cells[index], column.kind)))
      .join(",");
    return `${head}\r\n${line}\r\n`;
  };
  return (
    <div className="panel-actions">
      {connection.kind === "sample" ? null : (
        <Button
          icon={<Open20Regular />}
          onClick={() => void attempt(() => commands.openLink(record.link))}
        >
          Open in Dynamics
        </Button>
      )}
      <Menu>
        <MenuTrigger disableButtonEnhancement>
          <Button icon={<Copy20Regular />} data-testid="copy-as">
            Copy as
          </Button>
        </MenuTrigger>
        <MenuPopover>
          <MenuList>
            <MenuItem onClick={() => void copy("as JSON", record.raw)}>JSON</MenuItem>
            <MenuItem onClick={() => void copy("as CSV", csv())}>CSV</MenuItem>
            {record.unified ? (
              <MenuItem onClick={() => void copy("as unified JSON", record.unified ?? "")}>
                Unified JSON
              </MenuItem>
            ) : null}
            <MenuItem onClick={() => void copy("the link", record.link)}>Link</MenuItem>
            <MenuItem onClick={() => void copy("the ID", record.row.id)}>Record ID</MenuItem>
          </MenuList>
        </MenuPopover>
      </Menu>
      <Menu>
        <MenuTrigger disableButtonEnhancement>
          <Tooltip content="More" relationship="label">
            <Button
              appearance="subtle"
              icon={<MoreHorizontal20Regular />}
              data-testid="panel-more"
            />
          </Tooltip>
        </MenuTrigger>
        <MenuPopover>
          <MenuList>
            <MenuItem
              icon={<ArrowClockwise20Regular />}
              disabled={!connection.signed_in || record.row.deleted}
              onClick={() => again(true)}
              data-testid="panel-refresh"
            >
              Refresh now
            </MenuItem>
            <MenuItem
              icon={<History20Regular />}
              disabled={record.row.deleted || record.row.stale}
              onClick={() => again(false)}
              data-testid="panel-invalidate"
            >
              Invalidate
            </MenuItem>
          </MenuList>
        </MenuPopover>
      </Menu>
    </div>
  );
}

function PanelFooter({ record, table }: { record: MirrorRecord; table: Table }) {
  const { deleted, stale } = record.row;
  return (
    <footer className="panel-footer">
      {deleted ? (
        <span>
          Deleted, found {record.deleted_at ? formatMoment(record.deleted_at) : "earlier"}
        </span>
      ) : (
        <span className="now">
          <StateIcon state={stale ? "stale" : "in_sync"} /> {stateWord(stale ? "stale" : "in_sync")}
          {table.last_sync ? (
            <span className="muted">read {formatRecent(table.last_sync, Date.now())}</span>
          ) : null}
        </span>
      )}
      <span className="spring" />
      {record.version === null ? null : <span className="muted">version {record.version}</span>}
    </footer>
  );
}

function textOf(
  columns: TableColumns | undefined,
  record: MirrorRecord | undefined,
  name: string,
): string {
  const index = columns?.columns.findIndex((column) => column.name === name) ?? -1;
  const column = columns?.columns[index];
  return column && record ? cellText(record.row.cells[index], column.kind) : "";
}

/** What the records are called that a record points to, by their ids. */
function namesOf(record: MirrorRecord): Map<string, string> {
  const names = new Map<string, string>();
  for (const cell of record.row.cells) {
    if (cell !== null && typeof cell === "object" && "id" in cell && cell.name) {
      names.set(cell.id, cell.name);
    }
  }
  return names;
}
