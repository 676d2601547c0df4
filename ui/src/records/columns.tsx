import { Tooltip } from "@fluentui/react-components";
import { Delete16Regular, History16Regular } from "@fluentui/react-icons";
import type { ColDef, ICellRendererParams, ValueFormatterParams } from "ag-grid-community";
import type { Column, GridCell, Sort, TableColumns } from "../bridge/generated";
import { cellText, isNumeric, NAMELESS } from "../format";
import { Marked } from "../parts/marked";
import type { GridContext } from "./grid";
import type { ColumnLayout } from "./layout";
import { isSelected } from "./selection";
import { cellOf, type GridRow as Row } from "./source";

/** Widths in pixels. Date-times are never cut. */
const WIDTHS: Partial<Record<Column["kind"], number>> = {
  date_time: 152,
  date: 116,
  money: 140,
  integer: 110,
  decimal: 110,
  boolean: 110,
  choice: 130,
  lookup: 180,
  memo: 240,
};
const WIDTH = 172;
const NAME_WIDTH = 200;
const MAIL_WIDTH = 230;

/** What a click on a lookup opens. */
export type OpenRecord = (table: string, id: string) => void;

/** Column definitions of the grid: a glyph for deleted and stale rows, then the columns. */
export function gridColumns(
  table: TableColumns,
  layout: ColumnLayout[],
  sort: Sort | null,
  isSearching: boolean,
  mirrored: ReadonlySet<string>,
  open: OpenRecord,
): ColDef<Row>[] {
  const select: ColDef<Row> = {
    colId: SELECT,
    headerName: "Selected",
    headerComponent: SelectHeader,
    width: 36,
    minWidth: 36,
    pinned: "left",
    lockPosition: "left",
    sortable: false,
    resizable: false,
    cellClass: "cell-select",
    cellRenderer: SelectCell,
  };
  const glyph: ColDef<Row> = {
    colId: "_state",
    headerName: "State",
    headerComponent: GlyphHeader,
    width: 28,
    minWidth: 28,
    pinned: "left",
    lockPosition: "left",
    sortable: false,
    resizable: false,
    cellClass: "cell-glyph",
    cellRenderer: Glyph,
  };
  const shown = layout.map((own) => {
    const column = table.columns.find((known) => known.name === own.name);
    return column ? definition(table, column, own, sort, isSearching, mirrored, open) : null;
  });
  return [select, glyph, ...shown.filter((column) => column !== null)];
}

/** The column is as wide as its sign: its name is for those who listen. */
function GlyphHeader() {
  return <span className="offscreen">State</span>;
}

function definition(
  table: TableColumns,
  column: Column,
  own: ColumnLayout,
  sort: Sort | null,
  isSearching: boolean,
  mirrored: ReadonlySet<string>,
  open: OpenRecord,
): ColDef<Row> {
  const isName = column.name === table.primary_name;
  const isMail = column.name.includes("emailaddress");
  return {
    colId: column.name,
    headerName: column.label,
    headerTooltip: column.label === column.name ? column.label : `${column.label} (${column.name})`,
    width:
      own.width ?? (isName ? NAME_WIDTH : isMail ? MAIL_WIDTH : (WIDTHS[column.kind] ?? WIDTH)),
    pinned: own.pinned ? "left" : null,
    sort: sort?.column === column.name ? (sort.descending ? "desc" : "asc") : null,
    cellClass: isName ? "cell-name" : isNumeric(column.kind) ? "cell-number" : undefined,
    headerClass: isNumeric(column.kind) ? "head-number" : undefined,
    valueGetter: ({ data }) => (data ? cellOf(data, column.name) : null),
    // A row that is on its way has no name yet, which is not the same as none.
    valueFormatter: ({ data, value }: ValueFormatterParams<Row, GridCell>) =>
      cellText(value ?? null, column.kind) || (isName && data ? NAMELESS : ""),
    tooltipValueGetter: ({ value }) => cellText(value as GridCell, column.kind) || null,
    ...(column.kind === "lookup"
      ? {
          cellRenderer: (params: ICellRendererParams<Row, GridCell>) => (
            <LookupCell cell={params.value ?? null} mirrored={mirrored} open={open} />
          ),
        }
      : isSearching && SEARCHED.has(column.kind)
        ? { cellRenderer: MarkedCell }
        : {}),
  };
}

/** The name of the column with the boxes. */
export const SELECT = "_select";
/** Kinds whose text is searched. */
const SEARCHED = new Set<Column["kind"]>(["text", "memo"]);

type CellParams = ICellRendererParams<Row, GridCell, GridContext>;

function MarkedCell({ value, context }: CellParams) {
  return <Marked text={cellText(value ?? null, "text")} terms={context.terms} />;
}

function SelectCell({ data, node, context }: CellParams) {
  if (!data) return null;
  const place = node.rowIndex ?? 0;
  return (
    <input
      type="checkbox"
      className="select-box"
      tabIndex={-1}
      aria-label="Select the row"
      // The grid ticks it when the selection changes.
      defaultChecked={isSelected(context.selection, place)}
      onClick={(event) => {
        event.stopPropagation();
        context.toggle(place, event.shiftKey);
      }}
    />
  );
}

function SelectHeader() {
  return <span className="offscreen">Selected</span>;
}

function Glyph({ data }: ICellRendererParams<Row>) {
  if (data?.deleted) {
    return (
      <Tooltip content="Deleted in Dynamics 365, kept here" relationship="label">
        <span role="img" className="state-icon state-deleted">
          <Delete16Regular />
        </span>
      </Tooltip>
    );
  }
  if (data?.stale) {
    return (
      <Tooltip content="Stale: read again at the next sync" relationship="label">
        <span role="img" className="state-icon state-stale">
          <History16Regular />
        </span>
      </Tooltip>
    );
  }
  return null;
}

function LookupCell({
  cell,
  mirrored,
  open,
}: {
  cell: GridCell;
  mirrored: ReadonlySet<string>;
  open: OpenRecord;
}) {
  const text = cellText(cell, "lookup");
  if (typeof cell !== "object" || cell === null || !("id" in cell) || !cell.table) return text;
  const { id, table } = cell;
  if (!mirrored.has(table)) return text;
  return (
    <button
      type="button"
      className="cell-link"
      tabIndex={-1}
      onClick={(event) => {
        event.stopPropagation();
        open(table, id);
      }}
    >
      {text}
    </button>
  );
}
