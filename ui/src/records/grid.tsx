import {
  CellApiModule,
  type CellContextMenuEvent,
  type CellKeyDownEvent,
  CellStyleModule,
  type ColDef,
  ColumnApiModule,
  type GridApi,
  type GridReadyEvent,
  type IGetRowsParams,
  InfiniteRowModelModule,
  iconSetQuartzLight,
  ModuleRegistry,
  RowApiModule,
  RowStyleModule,
  ScrollApiModule,
  TooltipModule,
  themeQuartz,
} from "ag-grid-community";
import { AgGridReact } from "ag-grid-react";
import { useCallback, useEffect, useMemo, useRef } from "react";
import type { Sort } from "../bridge/generated";
import { styleNonce } from "../nonce";
import { SELECT } from "./columns";
import type { ColumnLayout } from "./layout";
import { isSelected, type Selection } from "./selection";
import type { GridRow as Row, ViewSource } from "./source";

ModuleRegistry.registerModules([
  InfiniteRowModelModule,
  CellStyleModule,
  RowStyleModule,
  ColumnApiModule,
  RowApiModule,
  CellApiModule,
  ScrollApiModule,
  TooltipModule,
]);

/** Rows that cross the bridge at once: a few screens. */
const BLOCK = 200;
/** Blocks that are kept; the others are asked for again, which takes milliseconds. */
const MOST_BLOCKS = 30;

const theme = themeQuartz.withPart(iconSetQuartzLight).withParams({
  browserColorScheme: "inherit",
  fontFamily: "inherit",
  spacing: 4,
  rowHeight: 32,
  headerHeight: 32,
  fontSize: 13,
  headerFontSize: 12,
  headerFontWeight: 600,
  cellHorizontalPadding: 12,
  wrapperBorder: false,
  wrapperBorderRadius: 0,
  columnBorder: false,
  rowBorder: { color: "var(--line-rows)" },
  headerRowBorder: { color: "var(--line)" },
  pinnedColumnBorder: { color: "var(--line)" },
  backgroundColor: "var(--layer)",
  headerBackgroundColor: "var(--strip)",
  headerTextColor: "var(--colorNeutralForeground2)",
  foregroundColor: "var(--colorNeutralForeground1)",
  accentColor: "var(--colorBrandBackground)",
  rowHoverColor: "var(--colorSubtleBackgroundHover)",
  selectedRowBackgroundColor: "var(--selected)",
  iconSize: 14,
  headerColumnResizeHandleHeight: "50%",
  tooltipBackgroundColor: "var(--colorNeutralBackground1)",
  tooltipTextColor: "var(--colorNeutralForeground1)",
});

const defaultColumn: ColDef<Row> = {
  sortable: true,
  resizable: true,
  minWidth: 64,
  suppressHeaderMenuButton: true,
  sortingOrder: ["asc", "desc", null],
};

export interface RecordsGridProps {
  source: ViewSource;
  columns: ColDef<Row>[];
  /** What the cells look up while they are drawn. */
  context: GridContext;
  /** Names of the columns whose cells a row has, in their order. */
  cells: string[];
  /** Changes when other rows are selected: the grid goes to the top. */
  selection: string;
  /** Changes when the same rows may have changed: the grid stays where it is. */
  revision: number;
  current: string | null;
  onOpen: (row: Row, index: number, byKeyboard: boolean) => void;
  /** A row was picked with a key held down: another one, or all up to it. */
  onPick: (index: number, isRange: boolean) => void;
  onPickAll: () => void;
  onMenu: (at: MenuPlace) => void;
  onCopy: (index: number, column: string) => void;
  /** Columns were moved or made wider by hand. */
  onLayout: (layout: ColumnLayout[]) => void;
  onSort: (sort: Sort | null) => void;
  onFailed: (reason: unknown) => void;
  onReady: (api: GridApi<Row>) => void;
}

/** What cells look up, apart from their row. */
export interface GridContext {
  terms: string[];
  selection: Selection;
  toggle: (index: number, isRange: boolean) => void;
}

/** Where a menu was asked for. */
export interface MenuPlace {
  row: Row;
  index: number;
  column: string;
  x: number;
  y: number;
}

export function RecordsGrid(props: RecordsGridProps) {
  const api = useRef<GridApi<Row> | null>(null);
  const latest = useRef(props);
  latest.current = props;

  const datasource = useMemo(
    () => ({
      getRows: (params: IGetRowsParams) => {
        const { source, cells, onSort, onFailed } = latest.current;
        const sort = sortOf(params);
        onSort(sort);
        const load = async () => {
          const view = await source.view(sort);
          const wanted = Math.min(params.endRow, view.total) - params.startRow;
          const rows = wanted > 0 ? await source.rows(sort, params.startRow, wanted, cells) : [];
          // Rows that vanished meanwhile leave gaps, which the next look at the view closes.
          while (rows.length < wanted) rows.push(goneRow(params.startRow + rows.length));
          params.successCallback(rows, view.total);
        };
        load().catch((reason: unknown) => {
          params.failCallback();
          onFailed(reason);
        });
      },
    }),
    [],
  );

  const selection = useRef(props.selection);
  useEffect(() => {
    if (selection.current === props.selection) return;
    selection.current = props.selection;
    const grid = api.current;
    if (!grid) return;
    grid.purgeInfiniteCache();
    if (grid.getDisplayedRowCount() > 0) grid.ensureIndexVisible(0, "top");
  }, [props.selection]);

  const columns = props.cells.join();
  const known = useRef(columns);
  useEffect(() => {
    if (known.current === columns) return;
    known.current = columns;
    // Rows that were read have no values of a column that is new.
    api.current?.refreshInfiniteCache();
  }, [columns]);

  const revision = useRef(props.revision);
  useEffect(() => {
    if (revision.current === props.revision) return;
    revision.current = props.revision;
    api.current?.refreshInfiniteCache();
  }, [props.revision]);

  // The grid asks its class rules when a row gets its data; what changes besides is told to the rows
  // themselves. To draw them anew would take the focus from whoever has it.
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    for (const row of root.current?.querySelectorAll(".ag-row") ?? []) {
      row.classList.toggle("row-current", row.getAttribute("row-id") === props.current);
    }
  }, [props.current]);

  const drawn = useRef(props.context);
  useEffect(() => {
    const before = drawn.current;
    drawn.current = props.context;
    const grid = api.current;
    if (!grid) return;
    if (before.terms.join() !== props.context.terms.join()) grid.refreshCells({ force: true });
    if (before.selection !== props.context.selection) {
      for (const row of root.current?.querySelectorAll(".ag-row") ?? []) {
        const index = Number(row.getAttribute("row-index"));
        const isPicked = isSelected(props.context.selection, index);
        row.classList.toggle("row-selected", isPicked);
        const box = row.querySelector<HTMLInputElement>(".select-box");
        if (box) box.checked = isPicked;
      }
    }
  }, [props.context]);

  const wasCovered = useRef(false);
  const onGridReady = useCallback((event: GridReadyEvent<Row>) => {
    api.current = event.api;
    latest.current.onReady(event.api);
  }, []);

  return (
    <div
      className="grid"
      ref={root}
      data-testid="grid"
      onPointerDownCapture={() => {
        // The click that closes what is on top is not meant for the row below it.
        wasCovered.current =
          document.querySelector(".fui-PopoverSurface, .fui-MenuPopover") !== null;
      }}
    >
      <AgGridReact<Row>
        theme={theme}
        {...(styleNonce() ? { styleNonce: styleNonce() } : {})}
        rowModelType="infinite"
        datasource={datasource}
        columnDefs={props.columns}
        defaultColDef={defaultColumn}
        getRowId={({ data }) => data.id}
        cacheBlockSize={BLOCK}
        maxBlocksInCache={MOST_BLOCKS}
        blockLoadDebounceMillis={20}
        infiniteInitialRowCount={BLOCK}
        suppressMultiSort
        suppressCellFocus={false}
        suppressNoRowsOverlay
        tooltipShowDelay={500}
        context={props.context}
        preventDefaultOnContextMenu
        rowClassRules={{
          "row-selected": ({ rowIndex }) => isSelected(latest.current.context.selection, rowIndex),
          "row-deleted": ({ data }) => data?.deleted === true,
          "row-stale": ({ data }) => data?.stale === true,
          "row-current": ({ data }) => data !== undefined && data.id === latest.current.current,
        }}
        onGridReady={onGridReady}
        onCellClicked={({ data, rowIndex, column, event }) => {
          if (!data || rowIndex === null || column.getColId() === SELECT) return;
          if (wasCovered.current) return;
          if (!(event instanceof MouseEvent)) return;
          if (event.shiftKey) latest.current.onPick(rowIndex, true);
          else if (event.ctrlKey || event.metaKey) latest.current.onPick(rowIndex, false);
          else latest.current.onOpen(data, rowIndex, false);
        }}
        onCellContextMenu={(event: CellContextMenuEvent<Row>) => {
          if (event.event instanceof MouseEvent) {
            openMenu(event, event.event.clientX, event.event.clientY, latest.current.onMenu);
          }
        }}
        onCellKeyDown={(event) => onKey(event as CellKeyDownEvent<Row>, latest.current)}
        onSortChanged={({ api: grid }) => {
          // Another order begins at its first row.
          if (grid.getDisplayedRowCount() > 0) grid.ensureIndexVisible(0, "top");
        }}
        onColumnMoved={({ finished, api: grid }) => {
          if (finished) latest.current.onLayout(layoutOf(grid));
        }}
        onColumnResized={({ finished, source, api: grid }) => {
          if (finished && source === "uiColumnResized") latest.current.onLayout(layoutOf(grid));
        }}
      />
    </div>
  );
}

type KeyHandlers = Pick<RecordsGridProps, "onOpen" | "onPick" | "onPickAll" | "onMenu" | "onCopy">;

/** What keys do in the grid, beside those that move. */
function onKey(cell: CellKeyDownEvent<Row>, handlers: KeyHandlers): void {
  const { event, data, rowIndex, column } = cell;
  if (!(event instanceof KeyboardEvent) || !data || rowIndex === null) return;
  const isControl = event.ctrlKey || event.metaKey;
  if (event.key === "Enter") {
    handlers.onOpen(data, rowIndex, true);
  } else if (event.key === " ") {
    event.preventDefault();
    handlers.onPick(rowIndex, event.shiftKey);
  } else if (isControl && event.key === "a") {
    event.preventDefault();
    handlers.onPickAll();
  } else if (isControl && event.key === "c") {
    event.preventDefault();
    handlers.onCopy(rowIndex, column.getColId());
  } else if (event.key === "ContextMenu" || (event.shiftKey && event.key === "F10")) {
    event.preventDefault();
    const place = (event.target as HTMLElement).getBoundingClientRect();
    openMenu(cell, place.left + 16, place.bottom - 4, handlers.onMenu);
  }
}

function openMenu(
  {
    data,
    rowIndex,
    column,
  }: Pick<CellKeyDownEvent<Row> | CellContextMenuEvent<Row>, "data" | "rowIndex" | "column">,
  x: number,
  y: number,
  onMenu: RecordsGridProps["onMenu"],
): void {
  if (!data || rowIndex === null) return;
  onMenu({ row: data, index: rowIndex, column: column.getColId(), x, y });
}

/** The columns as they stand in the grid, without those of ours. */
function layoutOf(grid: GridApi<Row>): ColumnLayout[] {
  return grid.getColumnState().flatMap(({ colId, width, pinned }) =>
    colId.startsWith("_")
      ? []
      : [
          {
            name: colId,
            ...(width ? { width: Math.round(width) } : {}),
            ...(pinned ? { pinned: true } : {}),
          },
        ],
  );
}

function sortOf(params: IGetRowsParams): Sort | null {
  const model = params.sortModel[0];
  return model ? { column: model.colId, descending: model.sort === "desc" } : null;
}

function goneRow(index: number): Row {
  return { id: `gone-${index}`, deleted: true, stale: false, cells: [], columns: [] };
}
