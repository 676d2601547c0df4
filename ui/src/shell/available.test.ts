import { describe, expect, it } from "vitest";
import type { AvailableTable } from "../bridge/generated";
import { addable, labelOf, remark } from "./available";

function table(name: string, label: string, more: Partial<AvailableTable> = {}): AvailableTable {
  return {
    name,
    label,
    rows: 1,
    change_tracking: true,
    readable: true,
    mirrored: false,
    ...more,
  };
}

const TABLES = [
  table("quote", "Quotes"),
  table("account", "Accounts", { mirrored: true }),
  table("salesquota", "Sales quotas", { readable: false }),
  table("invoice", "Invoices"),
  table("goalrollup", ""),
  table("masquote", "A later quote"),
];

describe("addable tables", () => {
  it("are those that are not mirrored, by their labels, and unreadable ones come last", () => {
    const names = addable(TABLES, "").map(({ name }) => name);
    expect(names).toEqual(["masquote", "goalrollup", "invoice", "quote", "salesquota"]);
  });

  it("are found by label and by name, those that begin with the text first", () => {
    const found = (text: string) => addable(TABLES, text).map(({ name }) => name);
    expect(found(" QUOT ")).toEqual(["quote", "masquote", "salesquota"]);
    expect(found("rollup")).toEqual(["goalrollup"]);
    expect(found("account")).toEqual([]);
  });

  it("say what has to be known of them", () => {
    expect(remark(table("quote", "Quotes"))).toBeNull();
    expect(remark(table("quote", "Quotes", { change_tracking: false }))).toContain("off");
    expect(remark(table("quote", "Quotes", { readable: false }))).toContain("security role");
    expect(labelOf(table("goalrollup", ""))).toBe("goalrollup");
  });
});
