import { describe, expect, it } from "vitest";
import { added, between, countOf, isSelected, NOTHING, removed, toggled } from "./selection";

describe("a selection", () => {
  it("joins ranges that touch and keeps their order", () => {
    const selection = added(added(added(NOTHING, 10, 20), 0, 5), 5, 10);
    expect(selection).toEqual([[0, 20]]);
    expect(added(added(NOTHING, 10, 20), 0, 5)).toEqual([
      [0, 5],
      [10, 20],
    ]);
  });

  it("takes rows out of the middle", () => {
    const selection = removed(added(NOTHING, 0, 1_000_000), 500, 501);
    expect(selection).toEqual([
      [0, 500],
      [501, 1_000_000],
    ]);
    expect(countOf(selection)).toBe(999_999);
    expect(isSelected(selection, 500)).toBe(false);
    expect(isSelected(selection, 501)).toBe(true);
  });

  it("toggles one row", () => {
    expect(toggled(NOTHING, 3)).toEqual([[3, 4]]);
    expect(toggled(toggled(NOTHING, 3), 3)).toEqual([]);
  });

  it("spans from either end", () => {
    expect(between(7, 3)).toEqual([3, 8]);
    expect(added(NOTHING, 4, 4)).toEqual([]);
  });
});
