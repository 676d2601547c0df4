import { expect, it } from "vitest";
import { cutLine, drawn, LINE_HEIGHT, LONGEST_LINE, linesOf, MOST_DRAWN } from "./lines";

it("a short text is drawn whole, of a long one what is in sight", () => {
  expect(drawn(MOST_DRAWN, 9_999, 400)).toEqual([0, MOST_DRAWN]);
  expect(drawn(0, 0, 400)).toEqual([0, 0]);
  const total = 1_000_000;
  for (const line of [0, 1, 39, 40, 500_000, total - 20, total + 500]) {
    const [from, until] = drawn(total, line * LINE_HEIGHT, 400);
    expect(from).toBeGreaterThanOrEqual(0);
    expect(until).toBeLessThanOrEqual(total);
    expect(until - from).toBeLessThan(120);
    // Every line in sight is drawn.
    const seen = Math.min(line, total - 1);
    if (line < total) expect(from <= seen && seen < until).toBe(true);
    if (line < total - 20) expect(until).toBeGreaterThanOrEqual(line + 400 / LINE_HEIGHT);
  }
});

it("a long line is cut between letters", () => {
  expect(cutLine("x".repeat(LONGEST_LINE))).toEqual(["x".repeat(LONGEST_LINE), 0]);
  const [shown, left] = cutLine(`${"x".repeat(LONGEST_LINE - 1)}🪞🪞`);
  expect([shown.length, left]).toEqual([LONGEST_LINE - 1, 4]);
});

it("lines end as any system ends them", () => {
  expect(linesOf("a\r\nb\nc\rd")).toEqual(["a", "b", "c", "d"]);
  expect(linesOf("")).toEqual([""]);
});
