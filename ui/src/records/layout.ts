/** A view as people leave it: which rows, in which order, in which columns. */
import type { Filter, Sort, TableColumns, ViewRequest } from "../bridge/generated";

/** Which rows are shown. */
export type Kind = "live" | "stale" | "deleted";

export interface ColumnLayout {
  name: string;
  /** In pixels; as wide as its kind needs where it is left out. */
  width?: number;
  pinned?: boolean;
}

export interface ViewState {
  kind: Kind;
  filters: Filter[];
  sort: Sort | null;
  /** The columns in their order; the usual ones where it is `null`. */
  columns: ColumnLayout[] | null;
}

export interface SavedView {
  name: string;
  state: ViewState;
}

/** What is kept of a table. */
export interface Kept {
  views: SavedView[];
  /** How it was left. */
  last: ViewState | null;
}

export const USUAL: ViewState = { kind: "live", filters: [], sort: null, columns: null };

export function requestOf(table: string, state: ViewState, search: string): ViewRequest {
  return {
    table,
    filters: state.filters,
    search: search === "" ? null : search,
    sort: null,
    deleted: state.kind === "deleted" ? "only" : "exclude",
    stale_only: state.kind === "stale",
  };
}

/** The columns that are shown. What the organisation has no longer is left out. */
export function columnsOf(table: TableColumns, state: ViewState): ColumnLayout[] {
  const known = new Set(table.columns.map((column) => column.name));
  const own = (state.columns ?? []).filter((column) => known.has(column.name));
  if (own.length > 0) return own;
  return table.shown.map((name) =>
    name === table.primary_name ? { name, pinned: true } : { name },
  );
}

/** Without what refers to columns that are gone. */
export function usable(table: TableColumns, state: ViewState): ViewState {
  const known = new Set(table.columns.map((column) => column.name));
  const filters = state.filters.filter((filter) => known.has(filter.column));
  const sort = state.sort && known.has(state.sort.column) ? state.sort : null;
  return { ...USUAL, ...state, filters, sort };
}

export function isSame(one: ViewState, other: ViewState): boolean {
  const text = (state: ViewState) =>
    JSON.stringify([state.kind, state.filters, state.sort, state.columns]);
  return text(one) === text(other);
}

/** What was kept, from its text; nothing where it cannot be read. */
export function readKept(text: string | null): Kept {
  const nothing: Kept = { views: [], last: null };
  if (!text) return nothing;
  try {
    const kept = JSON.parse(text) as Partial<Kept>;
    return { views: kept.views ?? [], last: kept.last ?? null };
  } catch {
    return nothing;
  }
}

/** The list with this view in it, in place of one of its name. */
export function withView(views: SavedView[], view: SavedView): SavedView[] {
  const others = views.filter((known) => known.name !== view.name);
  return [...others, view].sort((one, other) => one.name.localeCompare(other.name));
}

/** The columns with one moved by so many places. */
export function moved(columns: ColumnLayout[], name: string, by: number): ColumnLayout[] {
  const from = columns.findIndex((column) => column.name === name);
  const to = from + by;
  const column = columns[from];
  if (!column || to < 0 || to >= columns.length) return columns;
  const rest = columns.filter((_, index) => index !== from);
  return [...rest.slice(0, to), column, ...rest.slice(to)];
}
