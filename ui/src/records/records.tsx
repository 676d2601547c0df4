import type { GridApi } from "ag-grid-community";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type {
  Connection,
  ErrorReply,
  Row,
  Sort,
  Table,
  TableColumns,
  ViewRequest,
} from "../bridge/generated";
import { asError } from "../bridge/store";
import { useControlKey } from "../parts/control-key";
import { useActions } from "../shell/actions";
import { gridColumns } from "./columns";
import { EmptyTable, LoadFailed, NoMatches } from "./empty";
import { ExportDialog } from "./export";
import { RecordsGrid } from "./grid";
import { RecordPanel } from "./panel";
import { type Opened, ViewSource } from "./source";
import { StatusBar } from "./status-bar";
import { type Kind, Toolbar } from "./toolbar";
import { useColumns } from "./use-columns";

/** Keys are collected this long before search asks. */
const SEARCH_PAUSE_MS = 80;
/** What takes less time than this is not talked about. */
const UNNOTICED_MS = 150;
/** While rows arrive, the grid looks again at most this often. */
const REOPEN_PAUSE_MS = 2_000;

export default function RecordsPage({
  connection,
  table,
}: {
  connection: Connection;
  table: Table;
}) {
  const columns = useColumns(connection, table.name);
  if (!columns) return <EmptyTable connection={connection} table={table} />;
  return <Records connection={connection} table={table} columns={columns} />;
}

interface Shown {
  table: string;
  id: string;
  /** The row's place in the grid; `null` for a record that a lookup led to. */
  index: number | null;
  byKeyboard: boolean;
}

function Records({
  connection,
  table,
  columns,
}: {
  connection: Connection;
  table: Table;
  columns: TableColumns;
}) {
  const actions = useActions(connection);
  const [typed, setTyped] = useState("");
  const search = usePaused(typed.trim(), SEARCH_PAUSE_MS);
  const [kind, setKind] = useState<Kind>("live");
  const [sort, setSort] = useState<Sort | null>(null);
  const [opened, setOpened] = useState<Opened | null>(null);
  const [isOpening, setOpening] = useState(false);
  const [failure, setFailure] = useState<ErrorReply | null>(null);
  const [shown, setShown] = useState<Shown | null>(null);
  const [exporting, setExporting] = useState(false);
  const grid = useRef<GridApi<Row> | null>(null);

  const request = useMemo(() => requestFor(table.name, search, kind), [table.name, search, kind]);
  const source = useRef<ViewSource | null>(null);
  if (source.current === null) {
    const onOpened = (next: Opened) => {
      setOpened(next);
      setFailure(null);
    };
    source.current = new ViewSource(connection.id, request, onOpened, setOpening);
  }
  source.current.select(request);
  useEffect(() => () => source.current?.close(), []);

  const revision = useRevision(source.current, table, sort);
  // As text: the list is made anew with every change of a table.
  const tables = connection.tables.map((known) => known.name).join();
  const mirrored = useMemo(() => new Set(tables.split(",")), [tables]);
  const visible = useMemo(
    () =>
      columns.shown.flatMap((name) => columns.columns.find((column) => column.name === name) ?? []),
    [columns],
  );
  const openLookup = useCallback(
    (target: string, id: string) => setShown({ table: target, id, index: null, byKeyboard: false }),
    [],
  );
  const definitions = useMemo(
    () => gridColumns(columns, visible, mirrored, openLookup),
    [columns, visible, mirrored, openLookup],
  );
  const cells = useMemo(() => visible.map((column) => column.name), [visible]);
  const keepSort = useCallback((next: Sort | null) => {
    setSort((before) => (JSON.stringify(before) === JSON.stringify(next) ? before : next));
  }, []);

  useControlKey(
    "e",
    useCallback(() => setExporting(true), []),
  );

  const step = (by: number) => {
    const api = grid.current;
    if (!api || shown?.index === null || shown === null) return;
    const index = shown.index + by;
    const row = api.getDisplayedRowAtIndex(index)?.data;
    if (!row) return;
    api.ensureIndexVisible(index);
    setShown({ ...shown, id: row.id, index });
  };
  const isLate = useLate(isOpening);
  const isEmpty = opened !== null && opened.view.total === 0;
  return (
    <div className="records">
      <Toolbar
        table={table}
        typed={typed}
        onType={setTyped}
        kind={kind}
        onKind={setKind}
        canSync={connection.signed_in && table.progress === null}
        onSync={() => actions.sync([table.name])}
        onFullSync={() => actions.fullSync([table.name])}
        onInvalidate={() => actions.invalidate([table.name])}
        onExport={() => setExporting(true)}
      />
      <div className="records-body">
        <div className="records-grid">
          <RecordsGrid
            source={source.current}
            columns={definitions}
            cells={cells}
            selection={JSON.stringify(request)}
            revision={revision}
            current={shown?.table === table.name ? shown.id : null}
            onOpen={(row, index, byKeyboard) =>
              setShown({ table: table.name, id: row.id, index, byKeyboard })
            }
            onSort={keepSort}
            onFailed={(reason) => setFailure(asError(reason))}
            onReady={(api) => {
              grid.current = api;
            }}
          />
          {failure ? <LoadFailed error={failure} /> : null}
          {isEmpty && !failure ? (
            <NoMatches
              table={table}
              search={search}
              kind={kind}
              onClear={() => {
                setTyped("");
                setKind("live");
              }}
            />
          ) : null}
        </div>
        {shown ? (
          <RecordPanel
            connection={connection}
            shown={shown}
            onOpenRecord={openLookup}
            onStep={shown.index === null ? null : step}
            onClose={() => {
              setShown(null);
              if (shown.index !== null && shown.byKeyboard) {
                grid.current?.setFocusedCell(shown.index, cells[0] ?? "_state");
              }
            }}
          />
        ) : null}
      </div>
      <StatusBar
        table={table}
        opened={opened}
        isOpening={isLate}
        isFiltered={search !== "" || kind !== "live"}
      />
      <ExportDialog
        connection={connection}
        table={table}
        request={{ ...request, sort }}
        total={opened?.view.total ?? table.rows}
        columns={cells}
        allColumns={columns.columns.length}
        isOpen={exporting}
        onClose={() => setExporting(false)}
      />
    </div>
  );
}

function requestFor(table: string, search: string, kind: Kind): ViewRequest {
  return {
    table,
    filters: [],
    search: search === "" ? null : search,
    sort: null,
    deleted: kind === "deleted" ? "only" : "exclude",
    stale_only: kind === "stale",
  };
}

/** The value, once it has held still for a while. */
function usePaused<T>(value: T, pause: number): T {
  const [paused, setPaused] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setPaused(value), pause);
    return () => clearTimeout(timer);
  }, [value, pause]);
  return paused;
}

/** Whether something has lasted long enough to be worth saying. */
function useLate(isGoing: boolean): boolean {
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    if (!isGoing) {
      setLate(false);
      return;
    }
    const timer = setTimeout(() => setLate(true), UNNOTICED_MS);
    return () => clearTimeout(timer);
  }, [isGoing]);
  return isLate;
}

/** Grows when a sync changed the table and the view was opened anew, quietly and not too often. */
function useRevision(source: ViewSource, table: Table, sort: Sort | null): number {
  const [revision, setRevision] = useState(0);
  const state = [
    table.rows,
    table.deleted,
    table.stale,
    table.last_sync,
    table.search.indexed,
  ].join();
  const seen = useRef(state);
  const last = useRef(Date.now());
  useEffect(() => {
    if (seen.current === state) return;
    const wait = Math.max(0, last.current + REOPEN_PAUSE_MS - Date.now());
    const timer = setTimeout(() => {
      seen.current = state;
      last.current = Date.now();
      source.reopen(sort).then(
        () => setRevision((before) => before + 1),
        // The grid's own next request says what is wrong.
        () => undefined,
      );
    }, wait);
    return () => clearTimeout(timer);
  }, [state, source, sort]);
  return revision;
}
