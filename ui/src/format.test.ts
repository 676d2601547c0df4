import { expect, test } from "vitest";
import {
  cellText,
  formatBytes,
  formatCountdown,
  formatDuration,
  formatMoment,
  formatRecent,
  formatSpan,
  initials,
  plural,
} from "./format";

test("cells are written as people read them", () => {
  const cases: [Parameters<typeof cellText>[0], Parameters<typeof cellText>[1], string][] = [
    [null, "text", ""],
    [undefined, "lookup", ""],
    ["Grå & Co", "text", "Grå & Co"],
    [0, "integer", "0"],
    [1234567.5, "decimal", "1,234,567.5"],
    // Days since 1970 are calendar days, whatever the time zone.
    [20_524, "date", "12 Mar 2026"],
    [-1, "date", "31 Dec 1969"],
    [{ value: 3, text: "Won" }, "choice", "Won"],
    // A value that the organisation has no label for.
    [7, "choice", "7"],
    [{ value: 100_700.5, text: "£ 100,700.50" }, "money", "£ 100,700.50"],
    [{ id: "a", table: "account", name: "Ember & Oak" }, "lookup", "Ember & Oak"],
    [{ id: "a", table: null, name: null }, "lookup", "a"],
  ];
  for (const [cell, kind, text] of cases) expect(cellText(cell, kind)).toBe(text);
});

test("times and spans", () => {
  const noon = new Date(2026, 2, 12, 14, 27).getTime();
  expect(formatMoment(noon)).toBe("12 Mar 2026 14:27");
  expect(formatRecent(noon, noon + 60_000)).toBe("14:27");
  expect(formatRecent(noon, noon + 86_400_000)).toBe("12 Mar 14:27");
  expect(formatCountdown(42)).toBe("0:42");
  expect(formatCountdown(-3)).toBe("0:00");
  expect(formatCountdown(185.2)).toBe("3:06");
  expect(formatSpan(0.2)).toBe("1 s");
  expect(formatSpan(46)).toBe("46 s");
  expect(formatSpan(7_800)).toBe("2 h 10 min");
  expect(formatDuration(61.4)).toBe("61 ms");
  expect(formatDuration(4_800)).toBe("4.8 s");
  expect([1, 999, 1_600, 2_140_000, 74_000_000].map(formatBytes)).toEqual([
    "1 byte",
    "999 bytes",
    "2 kB",
    "2.1 MB",
    "74 MB",
  ]);
});

test("names and counts", () => {
  expect(initials("Zeno Quillfeather")).toBe("ZQ");
  expect(initials("Ember & Oak Furniture")).toBe("EF");
  expect(initials("øyvind")).toBe("Ø");
  expect(initials("")).toBe("");
  expect(plural(1, "row", "rows")).toBe("1 row");
  expect(plural(412_806, "row", "rows")).toBe("412,806 rows");
});
