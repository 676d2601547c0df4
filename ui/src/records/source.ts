/** The rows of a table, window by window, from views that core holds open. */
import {
  commands,
  type GridCell,
  type Row,
  type Sort,
  type View,
  type ViewRequest,
} from "../bridge/generated";

/** A row of the grid. It knows its columns: the grid's may change while rows are on their way. */
export interface GridRow extends Row {
  columns: readonly string[];
}

/** What a row has in a column; `null` where the column is not read yet. */
export function cellOf(row: GridRow, column: string): GridCell {
  return row.cells[row.columns.indexOf(column)] ?? null;
}

export interface Opened {
  view: View;
  request: ViewRequest;
  /** Whether it has the rows of the view before, and more behind them. */
  isGrown: boolean;
}

/** Rows that are found first while somebody types; all of them follow. Whole blocks of the grid. */
const FIRST = 1_000;

/**
 * Keeps one view open at a time. A view holds still while the mirror changes, so that the rows of
 * one screen belong together; `reopen` looks again.
 */
export class ViewSource {
  #connection: string;
  #base: ViewRequest;
  #key = "";
  #opening: Promise<View> | null = null;
  #open: View | null = null;
  #onOpened: (opened: Opened) => void;
  #onOpening: (isOpening: boolean) => void;

  constructor(
    connection: string,
    base: ViewRequest,
    onOpened: (opened: Opened) => void,
    onOpening: (isOpening: boolean) => void = () => {},
  ) {
    this.#connection = connection;
    this.#base = base;
    this.#onOpened = onOpened;
    this.#onOpening = onOpening;
  }

  /** The view of these rows in this order. */
  view(sort: Sort | null): Promise<View> {
    const request = { ...this.#base, sort };
    const key = JSON.stringify(request);
    if (this.#opening === null || key !== this.#key) {
      this.#key = key;
      this.#opening = this.#openView(request, key);
    }
    return this.#opening;
  }

  /** Other rows from now on. */
  select(base: ViewRequest): void {
    this.#base = base;
  }

  /**
   * Looks again: the mirror has changed. Until the new view is open the old one goes on giving
   * rows, so that nobody who scrolls waits for it.
   */
  async reopen(sort: Sort | null): Promise<void> {
    const request = { ...this.#base, sort };
    const key = JSON.stringify(request);
    if (this.#open === null || key !== this.#key) return;
    const view = await commands.openView(this.#connection, request, null);
    if (key !== this.#key || this.#open === null) {
      void commands.closeView(view.id);
      return;
    }
    this.#opening = Promise.resolve(view);
    this.#take(view, request);
  }

  async rows(
    sort: Sort | null,
    offset: number,
    limit: number,
    columns: string[],
  ): Promise<GridRow[]> {
    const view = await this.view(sort);
    const read = async (id: number) => {
      const { rows } = await commands.window(id, offset, limit, columns);
      return rows.map((row) => ({ ...row, columns }));
    };
    try {
      return await read(view.id);
    } catch {
      // The view was closed in between, such as by a newer one: the newer one has the rows.
      if (this.#open?.id === view.id) this.#opening = null;
      const newer = await this.view(sort);
      return read(newer.id);
    }
  }

  close(): void {
    if (this.#open) void commands.closeView(this.#open.id);
    this.#open = null;
    this.#opening = null;
  }

  async #openView(request: ViewRequest, key: string): Promise<View> {
    let view: View;
    this.#onOpening(true);
    try {
      // In an order all rows are needed before the first is known.
      const isQuick = request.search !== null && request.sort === null;
      view = await commands.openView(this.#connection, request, isQuick ? FIRST : null);
    } catch (reason) {
      // The next who asks tries again.
      if (key === this.#key) {
        this.#opening = null;
        this.#onOpening(false);
      }
      throw reason;
    }
    if (key !== this.#key) {
      // Somebody typed on: nobody waits for this one any more.
      void commands.closeView(view.id);
      return this.view(request.sort);
    }
    this.#take(view, request);
    this.#onOpening(false);
    if (!view.whole) void this.#complete(request, key);
    return view;
  }

  /** Finds the rest, where nobody has asked for anything else meanwhile. */
  async #complete(request: ViewRequest, key: string): Promise<void> {
    try {
      const view = await commands.openView(this.#connection, request, null);
      if (key !== this.#key || this.#open === null) {
        void commands.closeView(view.id);
        return;
      }
      this.#opening = Promise.resolve(view);
      this.#take(view, request, true);
    } catch {
      // The first rows stay; the grid's next request says what is wrong.
    }
  }

  #take(view: View, request: ViewRequest, isGrown = false): void {
    const before = this.#open;
    this.#open = view;
    if (before) void commands.closeView(before.id);
    this.#onOpened({ view, request, isGrown });
  }
}
