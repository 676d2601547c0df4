import type { GridApi } from "ag-grid-community";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import {
  type Connection,
  commands,
  type ErrorReply,
  type Filter,
  type Sort,
  type Table,
  type TableColumns,
} from "../bridge/generated";
import { asError } from "../bridge/store";
import { cellText, formatCount, plural } from "../format";
import { copyText } from "../parts/clipboard";
import { useControlKey } from "../parts/control-key";
import { InvalidateDialog } from "../parts/invalidate";
import { termsOf } from "../parts/marked";
import { useNotices } from "../parts/notices";
import type { Ask } from "../place";
import { useActions } from "../shell/actions";
import { ColumnPanel } from "./column-panel";
import { gridColumns } from "./columns";
import { CellMenu } from "./context-menu";
import { MOST_COPIED, rowsAsText } from "./copy";
import { EmptyTable, LoadFailed, NoMatches } from "./empty";
import { ExportDialog } from "./export";
import { FilterBar } from "./filter-bar";
import { type MenuPlace, RecordsGrid } from "./grid";
import { columnsOf, requestOf, USUAL, usable, type ViewState } from "./layout";
import { RecordPanel } from "./panel";
import { added, countOf, type Selection } from "./selection";
import { cellOf, type Opened, type GridRow as Row, ViewSource } from "./source";
import { StatusBar } from "./status-bar";
import { Toolbar } from "./toolbar";
import { useColumns } from "./use-columns";
import { usePaused } from "./use-count";
import { useKept } from "./use-kept";
import { useRevision } from "./use-revision";
import { useSelection } from "./use-selection";
import { ViewsMenu } from "./views-menu";

/** Keys are collected this long before search asks. */
const SEARCH_PAUSE_MS = 80;
/** What takes less time than this is not talked about. */
const UNNOTICED_MS = 150;

export default function RecordsPage({
  connection,
  table,
  ask,
}: {
  connection: Connection;
  table: Table;
  /** What the page was opened for. */
  ask: Ask | null;
}) {
  const columns = useColumns(connection, table.name);
  const [kept] = useKept(connection, table.name);
  if (!columns) return <EmptyTable connection={connection} table={table} />;
  // The layout is there within milliseconds; without it the grid would be drawn twice.
  if (!kept) return null;
  return <Records connection={connection} table={table} columns={columns} ask={ask} />;
}

interface Shown {
  table: string;
  id: string;
  /** The row's place in the grid; `null` for a record that a lookup led to. */
  index: number | null;
  byKeyboard: boolean;
  /** The record whose lookup led here. */
  from?: Shown | null;
}

function Records({
  connection,
  table,
  columns,
  ask,
}: {
  connection: Connection;
  table: Table;
  columns: TableColumns;
  ask: Ask | null;
}) {
  const actions = useActions(connection);
  const { attempt, tell } = useNotices();
  const [kept, keep] = useKept(connection, table.name);
  const views = kept?.views ?? [];
  const [state, setState] = useState<ViewState>(() =>
    usable(columns, { ...USUAL, columns: kept?.last?.columns ?? null }),
  );
  const [current, setCurrent] = useState<string | null>(null);
  const [typed, setTyped] = useState("");
  const search = usePaused(typed.trim(), SEARCH_PAUSE_MS);
  const [opened, setOpened] = useState<Opened | null>(null);
  const [isOpening, setOpening] = useState(false);
  const [failure, setFailure] = useState<ErrorReply | null>(null);
  const [shown, setShown] = useState<Shown | null>(null);
  const [menu, setMenu] = useState<MenuPlace | null>(null);
  const [exporting, setExporting] = useState<"view" | "selection" | null>(null);
  const [isInvalidating, setInvalidating] = useState(false);
  const grid = useRef<GridApi<Row> | null>(null);

  const change = useCallback(
    (part: Partial<ViewState>) => {
      const next = { ...state, ...part };
      setState(next);
      // A table's columns are as they were left; which rows were looked at begins anew. What is changed
      // of a saved view is the view's, and kept when it is saved.
      if (part.columns !== undefined && current === null) {
        keep({ views, last: { ...USUAL, columns: next.columns } });
      }
    },
    [state, views, current, keep],
  );
  useEffect(() => {
    if (!ask) return;
    if (ask.filters || ask.search !== undefined) {
      setState((before) => ({ ...before, kind: "live", filters: ask.filters ?? [] }));
      setTyped(ask.search ?? "");
      setCurrent(null);
    }
    if (ask.isExport) setExporting("view");
    if (ask.record) {
      setShown({ table: table.name, id: ask.record, index: null, byKeyboard: false });
    }
  }, [ask, table.name]);

  const request = useMemo(() => requestOf(table.name, state, search), [table.name, state, search]);
  const source = useRef<ViewSource | null>(null);
  if (source.current === null) {
    const onOpened = (next: Opened) => {
      setOpened(next);
      setFailure(null);
      if (next.isGrown) grid.current?.setRowCount(next.view.total, true);
    };
    source.current = new ViewSource(connection.id, request, onOpened, setOpening);
  }
  source.current.select(request);
  useEffect(() => () => source.current?.close(), []);

  const asked = JSON.stringify(request);
  const total = opened?.view.total ?? 0;
  const { selection, pick, pickAll, clear, select } = useSelection(
    // Not all rows are known yet, so that "all" cannot be selected.
    opened?.view.whole === false ? 0 : total,
    `${asked}${JSON.stringify(state.sort)}`,
  );
  const count = countOf(selection);
  const isSearching = search !== "";
  const { revision, isBehind, lookAgain } = useRevision(source.current, table, state.sort, {
    view: opened?.view.id ?? null,
    isSearching,
    isBusy: count > 0 || menu !== null,
  });
  // As text: the list is made anew with every change of a table.
  const tables = connection.tables.map((known) => known.name).join();
  const mirrored = useMemo(() => new Set(tables.split(",")), [tables]);
  const layout = useMemo(() => columnsOf(columns, state), [columns, state]);
  const visible = useMemo(
    () =>
      layout.flatMap(({ name }) => columns.columns.find((column) => column.name === name) ?? []),
    [columns, layout],
  );
  const openLookup = useCallback((target: string, id: string) => {
    setShown((from) => ({ table: target, id, index: null, byKeyboard: false, from }));
  }, []);
  const definitions = useMemo(
    () => gridColumns(columns, layout, state.sort, isSearching, mirrored, openLookup),
    [columns, layout, state.sort, isSearching, mirrored, openLookup],
  );
  const cells = useMemo(() => layout.map((column) => column.name), [layout]);
  const context = useMemo(
    () => ({ terms: termsOf(search), selection, toggle: pick }),
    [search, selection, pick],
  );
  const keepSort = useCallback((next: Sort | null) => {
    setState((before) =>
      JSON.stringify(before.sort) === JSON.stringify(next) ? before : { ...before, sort: next },
    );
  }, []);

  useControlKey(
    "e",
    useCallback(() => setExporting("view"), []),
  );

  const copyRows = (rows: Selection) =>
    attempt(async () => {
      if (!opened) return;
      const copied = await rowsAsText(opened.view.id, rows, visible);
      if (!(await copyText(copied.text))) return;
      const isCut = countOf(rows) > MOST_COPIED;
      tell(
        `Copied ${plural(copied.rows, "row", "rows")}`,
        isCut ? "A copy takes no more. An export has no limit." : undefined,
      );
    });
  const copyCell = async (index: number, column: string) => {
    if (count > 0) return copyRows(selection);
    const row = grid.current?.getDisplayedRowAtIndex(index)?.data;
    const place = cells.indexOf(column);
    const known = visible[place];
    // The box and the state have no text of their own: the row is meant.
    if (!known) return copyRows(added([], index, index + 1));
    if (row && known && (await copyText(cellText(cellOf(row, known.name), known.kind)))) {
      tell(`Copied ${known.label}`);
    }
  };
  const invalidate = (rows: Selection) =>
    attempt(async () => {
      if (!opened) return;
      const picked = { view: opened.view.id, places: [...rows] };
      const marked = await commands.invalidateRows(picked);
      tell(`Invalidated ${formatCount(marked)} rows`, "They stay and are read again now.");
      clear();
      await commands.sync(connection.id, [table.name], false);
    });

  const step = (by: number) => {
    const api = grid.current;
    if (!api || shown?.index === null || shown === null) return;
    const index = shown.index + by;
    const row = api.getDisplayedRowAtIndex(index)?.data;
    if (!row) return;
    api.ensureIndexVisible(index);
    setShown({ ...shown, id: row.id, index });
  };
  const clearAll = () => {
    setTyped("");
    setState((before) => ({ ...before, kind: "live", filters: [] }));
    setCurrent(null);
  };
  const setFilters = (filters: Filter[]) => change({ filters });
  const isLate = useLate(isOpening);
  const isEmpty = opened !== null && total === 0;
  const one: Selection = menu ? added([], menu.index, menu.index + 1) : [];
  return (
    <div className="records">
      <Toolbar
        table={table}
        typed={typed}
        onType={setTyped}
        views={
          <ViewsMenu
            state={state}
            views={views}
            current={current}
            own={kept?.last?.columns ?? null}
            onChoose={(chosen, name) => {
              setState(usable(columns, chosen));
              setCurrent(name);
              // The record that is open may not be among the other rows.
              setShown(null);
            }}
            onKeep={(next, name) => {
              keep({ views: next, last: kept?.last ?? USUAL }, true);
              setCurrent(name);
            }}
          />
        }
        columns={
          <ColumnPanel
            columns={columns}
            layout={layout}
            onChange={(next) => change({ columns: next })}
            onReset={() => change({ columns: null })}
          />
        }
        filters={
          <FilterBar
            connection={connection}
            columns={columns}
            request={request}
            filters={state.filters}
            onChange={setFilters}
          />
        }
        canSync={connection.signed_in && table.progress === null}
        onSync={() => actions.sync([table.name])}
        onFullSync={() => actions.fullSync([table.name])}
        onInvalidate={() => setInvalidating(true)}
        onExport={() => setExporting(count > 0 ? "selection" : "view")}
      />
      <div className="records-body">
        <div className="records-grid">
          <RecordsGrid
            source={source.current}
            columns={definitions}
            cells={cells}
            context={context}
            selection={asked}
            revision={revision}
            current={shown?.table === table.name ? shown.id : null}
            onOpen={(row, index, byKeyboard) =>
              setShown({ table: table.name, id: row.id, index, byKeyboard })
            }
            onPick={pick}
            onPickAll={pickAll}
            onMenu={setMenu}
            onCopy={(index, column) => void copyCell(index, column)}
            onLayout={(next) => change({ columns: next })}
            onSort={keepSort}
            onFailed={(reason) => setFailure(asError(reason))}
            onReady={(api) => {
              grid.current = api;
            }}
          />
          {failure ? <LoadFailed error={failure} /> : null}
          {isEmpty && !failure ? (
            <NoMatches
              connection={connection}
              table={table}
              columns={columns}
              request={request}
              onChange={setFilters}
              onClear={clearAll}
            />
          ) : null}
        </div>
        {shown ? (
          <RecordPanel
            connection={connection}
            shown={shown}
            onOpenRecord={openLookup}
            onBack={shown.from ? () => setShown(shown.from ?? null) : null}
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
        isFiltered={isSearching || state.kind !== "live" || state.filters.length > 0}
        selected={count}
        actions={[
          ...(count < total && opened?.view.whole
            ? [{ label: `All ${formatCount(total)}`, act: pickAll, testId: "select-all" }]
            : []),
          { label: "Copy", act: () => void copyRows(selection), testId: "copy-selected" },
          { label: "Export", act: () => setExporting("selection"), testId: "export-selected" },
          ...(connection.signed_in
            ? [
                {
                  label: "Invalidate",
                  act: () => void invalidate(selection),
                  testId: "invalidate-selected",
                },
              ]
            : []),
          { label: "Clear", act: clear, testId: "clear-selected" },
        ]}
        changed={isBehind}
        onLookAgain={() => {
          clear();
          lookAgain();
        }}
      />
      {menu ? (
        <CellMenu
          connection={connection}
          place={menu}
          column={visible[cells.indexOf(menu.column)]}
          onClose={() => setMenu(null)}
          onOpen={() =>
            setShown({ table: table.name, id: menu.row.id, index: menu.index, byKeyboard: true })
          }
          onOpenLink={() =>
            void attempt(async () => {
              const record = await commands.record({
                connection: connection.id,
                table: table.name,
                id: menu.row.id,
              });
              await commands.openLink(record.link);
            })
          }
          onCopyCell={() => void copyCell(menu.index, menu.column)}
          onCopyRows={() => void copyRows(one)}
          onFilter={(filter) => setFilters([...state.filters, filter])}
          onInvalidate={() => void invalidate(one)}
        />
      ) : null}
      <InvalidateDialog
        connection={connection}
        names={isInvalidating ? [table.name] : null}
        onConfirm={(names) => actions.invalidate(names)}
        onClose={() => setInvalidating(false)}
      />
      <ExportDialog
        connection={connection}
        table={table}
        request={{ ...request, sort: state.sort }}
        total={opened?.view.total ?? table.rows}
        picked={
          exporting === "selection" && opened && count > 0
            ? { view: opened.view.id, places: select() }
            : null
        }
        pickedCount={count}
        columns={cells}
        allColumns={columns.columns.length}
        isOpen={exporting !== null}
        onClose={() => setExporting(null)}
      />
    </div>
  );
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
