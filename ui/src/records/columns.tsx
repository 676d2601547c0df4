import { Tooltip } from "@fluentui/react-components";
import { Delete16Regular, History16Regular } from "@fluentui/react-icons";
import type { ColDef, ICellRendererParams, ValueFormatterParams } from "ag-grid-community";
import type { Column, GridCell, Row, TableColumns } from "../bridge/generated";
import { cellText, isNumeric } from "../format";

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
  shown: Column[],
  mirrored: ReadonlySet<string>,
  open: OpenRecord,
): ColDef<Row>[] {
  const glyph: ColDef<Row> = {
    colId: "_state",
    headerName: "State",
    headerComponent: GlyphHeader,
    width: 36,
    minWidth: 36,
    pinned: "left",
    sortable: false,
    resizable: false,
    suppressNavigable: true,
    cellClass: "cell-glyph",
    cellRenderer: Glyph,
  };
  return [glyph, ...shown.map((column, index) => definition(table, column, index, mirrored, open))];
}

/** The column is as wide as its sign: its name is for those who listen. */
function GlyphHeader() {
  return <span className="offscreen">State</span>;
}

function definition(
  table: TableColumns,
  column: Column,
  index: number,
  mirrored: ReadonlySet<string>,
  open: OpenRecord,
): ColDef<Row> {
  const isName = column.name === table.primary_name;
  const isMail = column.name.includes("emailaddress");
  return {
    colId: column.name,
    headerName: column.label,
    headerTooltip: column.label === column.name ? column.label : `${column.label} (${column.name})`,
    width: isName ? NAME_WIDTH : isMail ? MAIL_WIDTH : (WIDTHS[column.kind] ?? WIDTH),
    pinned: isName ? "left" : undefined,
    cellClass: isName ? "cell-name" : isNumeric(column.kind) ? "cell-number" : undefined,
    headerClass: isNumeric(column.kind) ? "head-number" : undefined,
    valueGetter: ({ data }) => data?.cells[index] ?? null,
    valueFormatter: ({ value }: ValueFormatterParams<Row, GridCell>) =>
      cellText(value ?? null, column.kind),
    tooltipValueGetter: ({ value }) => cellText(value as GridCell, column.kind) || null,
    ...(column.kind === "lookup"
      ? {
          cellRenderer: (params: ICellRendererParams<Row, GridCell>) => (
            <LookupCell cell={params.value ?? null} mirrored={mirrored} open={open} />
          ),
        }
      : {}),
  };
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
