import { describe, expect, it } from "vitest";
import type { TableColumns } from "../bridge/generated";
import { columnsOf, isSame, moved, readKept, requestOf, USUAL, usable, withView } from "./layout";

const column = (name: string) => ({
  name,
  label: name,
  kind: "text" as const,
  choices: [],
  custom: false,
});
const table: TableColumns = {
  table: "contact",
  primary_name: "fullname",
  columns: ["fullname", "jobtitle", "city"].map(column),
  shown: ["fullname", "jobtitle"],
};

describe("a view", () => {
  it("shows the usual columns, the name pinned, until others are chosen", () => {
    expect(columnsOf(table, USUAL)).toEqual([
      { name: "fullname", pinned: true },
      { name: "jobtitle" },
    ]);
    expect(columnsOf(table, { ...USUAL, columns: [{ name: "city" }] })).toEqual([{ name: "city" }]);
  });

  it("lives on when columns are gone", () => {
    const state = {
      ...USUAL,
      columns: [{ name: "gone" }],
      filters: [{ column: "gone", op: "is_null" as const, values: [] }],
      sort: { column: "gone", descending: true },
    };
    expect(columnsOf(table, state).map(({ name }) => name)).toEqual(["fullname", "jobtitle"]);
    expect(usable(table, state)).toMatchObject({ filters: [], sort: null });
  });

  it("asks for what it shows", () => {
    const request = requestOf("contact", { ...USUAL, kind: "deleted" }, "berg");
    expect(request).toMatchObject({ deleted: "only", search: "berg", stale_only: false });
    expect(requestOf("contact", USUAL, "").search).toBeNull();
  });

  it("is kept by its name, and read again whatever was kept", () => {
    const one = { name: "Mine", state: USUAL };
    const other = { name: "Mine", state: { ...USUAL, kind: "stale" as const } };
    const views = withView(withView([], one), other);
    expect(views).toEqual([other]);
    expect(isSame(one.state, other.state)).toBe(false);
    expect(readKept(JSON.stringify({ views }))).toEqual({ views, last: null });
    expect(readKept("{")).toEqual({ views: [], last: null });
    expect(readKept(null).views).toEqual([]);
  });

  it("moves columns within its ends", () => {
    const columns = [{ name: "a" }, { name: "b" }, { name: "c" }];
    expect(moved(columns, "a", 1).map(({ name }) => name)).toEqual(["b", "a", "c"]);
    expect(moved(columns, "a", -1)).toBe(columns);
    expect(moved(columns, "c", 1)).toBe(columns);
  });
});
