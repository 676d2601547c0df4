import {
  CellApiModule,
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
import type { Row, Sort } from "../bridge/generated";
import { styleNonce } from "../nonce";
import type { ViewSource } from "./source";

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
  /** Names of the columns whose cells a row has, in their order. */
  cells: string[];
  /** Changes when other rows are selected: the grid goes to the top. */
  selection: string;
  /** Changes when the same rows may have changed: the grid stays where it is. */
  revision: number;
  current: string | null;
  onOpen: (row: Row, index: number, byKeyboard: boolean) => void;
  onSort: (sort: Sort | null) => void;
  onFailed: (reason: unknown) => void;
  onReady: (api: GridApi<Row>) => void;
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

  const revision = useRef(props.revision);
  useEffect(() => {
    if (revision.current === props.revision) return;
    revision.current = props.revision;
    api.current?.refreshInfiniteCache();
  }, [props.revision]);

  const marked = useRef<string | null>(null);
  useEffect(() => {
    const ids = [marked.current, props.current].filter((id) => id !== null);
    marked.current = props.current;
    const grid = api.current;
    const rowNodes = ids.flatMap((id) => grid?.getRowNode(id) ?? []);
    if (rowNodes.length > 0) grid?.redrawRows({ rowNodes });
  }, [props.current]);

  const onGridReady = useCallback((event: GridReadyEvent<Row>) => {
    api.current = event.api;
    latest.current.onReady(event.api);
  }, []);

  return (
    <div className="grid" data-testid="grid">
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
        rowClassRules={{
          "row-deleted": ({ data }) => data?.deleted === true,
          "row-stale": ({ data }) => data?.stale === true,
          "row-current": ({ data }) => data !== undefined && data.id === latest.current.current,
        }}
        onGridReady={onGridReady}
        onRowClicked={({ data, rowIndex }) => {
          if (data && rowIndex !== null) latest.current.onOpen(data, rowIndex, false);
        }}
        onCellKeyDown={({ event, data, rowIndex }) => {
          if (
            event instanceof KeyboardEvent &&
            event.key === "Enter" &&
            data &&
            rowIndex !== null
          ) {
            latest.current.onOpen(data, rowIndex, true);
          }
        }}
      />
    </div>
  );
}

function sortOf(params: IGetRowsParams): Sort | null {
  const model = params.sortModel[0];
  return model ? { column: model.colId, descending: model.sort === "desc" } : null;
}

function goneRow(index: number): Row {
  return { id: `gone-${index}`, deleted: true, stale: false, cells: [] };
}
