import { describe, expect, it } from "vitest";
import type { Column } from "../bridge/generated";
import { newFilter, operatorsOf, pillText, problemOf, withOperator } from "./filters";

function column(kind: Column["kind"], choices: Column["choices"] = []): Column {
  return { name: "it", label: "It", kind, choices, custom: false };
}

describe("filters", () => {
  it("begin with what people ask most", () => {
    expect(newFilter(column("text"))).toEqual({ column: "it", op: "contains", values: [] });
    expect(newFilter(column("date_time"))).toEqual({
      column: "it",
      op: "within",
      values: ["last 30 days"],
    });
    expect(newFilter(column("choice")).op).toBe("in");
  });

  it("can each be asked whether they are empty", () => {
    for (const kind of [
      "text",
      "money",
      "date",
      "choice",
      "lookup",
      "multi_choice",
      "id",
    ] as const) {
      const ops = operatorsOf(kind).map(({ op }) => op);
      expect(ops).toContain("is_null");
      expect(ops).toContain("is_not_null");
    }
  });

  it("keep what was entered where it still means something", () => {
    const text = { column: "it", op: "contains" as const, values: ["berg"] };
    expect(withOperator(column("text"), text, "starts_with").values).toEqual(["berg"]);
    expect(withOperator(column("text"), text, "is_null").values).toEqual([]);
    const choices = { column: "it", op: "in" as const, values: ["1", "2"] };
    expect(withOperator(column("choice"), choices, "not_in").values).toEqual(["1", "2"]);
  });

  it("say what is missing", () => {
    const number = column("money");
    const asks = (value: string) => ({ column: "it", op: "greater" as const, values: [value] });
    expect(problemOf(number, asks("1500.5"))).toBeNull();
    expect(problemOf(number, asks("a lot"))).toBe("Enter a number, such as 1500.5");
    expect(problemOf(number, asks(""))).not.toBeNull();
    const day = (value: string) => ({ column: "it", op: "less" as const, values: [value] });
    expect(problemOf(column("date"), day("2026-02-29"))).toBe("Enter a date, such as 2026-03-11");
    expect(problemOf(column("date"), day("2028-02-29"))).toBeNull();
    const period = (value: string) => ({ column: "it", op: "within" as const, values: [value] });
    expect(problemOf(column("date"), period("last 45 days"))).toBeNull();
    expect(problemOf(column("date"), period("recently"))).not.toBeNull();
    expect(problemOf(column("text"), { column: "it", op: "is_null", values: [] })).toBeNull();
  });

  it("read like a sentence", () => {
    const status = column("choice", [
      { value: 1, label: "Open" },
      { value: 2, label: "Won" },
      { value: 3, label: "Lost" },
    ]);
    expect(pillText(status, { column: "it", op: "in", values: ["1", "2"] })).toEqual({
      what: "It is",
      value: "Open, Won",
    });
    expect(pillText(status, { column: "it", op: "in", values: ["1", "2", "3"] }).value).toBe(
      "Open, 2 more",
    );
    expect(pillText(column("boolean"), { column: "it", op: "in", values: ["0"] }).value).toBe("No");
  });
});
