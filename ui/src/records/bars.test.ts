import { describe, expect, it } from "vitest";
import type { HistogramBar } from "../bridge/generated";
import { drawn, ends, summary } from "./bars";

function bar(first: string, rows: number, chosen: boolean, last = first): HistogramBar {
  return { first, last, rows, chosen };
}

const BEFORE = bar("2026-02-10", 5, false, "2026-02-11");
const BARS = [
  BEFORE,
  bar("2026-02-12", 10, true, "2026-02-13"),
  bar("2026-02-14", 0, true, "2026-02-15"),
];

describe("bars", () => {
  it("are as high as their rows, beside each other, and those without rows are seen", () => {
    const found = drawn(BARS);
    expect(found.map((one) => one.height)).toEqual([0.5, 1, 0.02]);
    expect(found.map((one) => one.left)).toEqual([0, 1 / 3, 2 / 3]);
    expect(found.every((one) => one.width < 1 / 3)).toBe(true);
    expect(found[1]?.words).toBe("12 Feb to 13 Feb 2026: 10 rows");
    // One row of a million is still seen.
    const [few] = drawn([bar("2026-01-01", 1, true), bar("2026-01-02", 1_000_000, true)]);
    expect(few?.height).toBe(0.04);
  });

  it("without any rows are not divided by nothing", () => {
    expect(drawn([bar("2026-01-01", 0, true)])[0]?.height).toBe(0.02);
    expect(drawn([])).toEqual([]);
  });

  it("say what is asked for and where the rest begins or ends", () => {
    expect(ends(BARS)).toEqual({
      chosen: "12 Feb to 15 Feb 2026",
      other: "10 Feb 2026",
      isBefore: true,
    });
    const before = [bar("2025-12-31", 1, true), bar("2026-01-01", 2, false)];
    expect(ends(before)).toEqual({
      chosen: "31 Dec 2025",
      other: "1 Jan 2026",
      isBefore: false,
    });
    expect(ends([bar("2026-01-01", 1, true)]).other).toBe("");
    expect(ends([]).chosen).toBe("");
  });

  it("are told in a sentence", () => {
    expect(summary(BARS)).toBe("10 rows from 12 Feb to 15 Feb 2026, 5 rows in the days around");
  });
});
