import { expect, test } from "vitest";
import type { Chart, ChartBar } from "../bridge/generated";
import {
  asTable,
  formatAmount,
  formatTick,
  fullLabel,
  LOOKS,
  type Look,
  marksOf,
  shortLabel,
  summary,
  ticks,
} from "./chart";

function look(key: Look["key"]): Look {
  const found = LOOKS.find((one) => one.key === key);
  if (!found) throw new Error(key);
  return found;
}

function bar(name: string, rows: number, amount = 0, op: "equal" | "is_null" = "equal"): ChartBar {
  return { name, rows, amount, table: "lead", filters: [{ column: "stage", op, values: [name] }] };
}

function chart(groups: [string, ChartBar[]][], amount: string | null = null): Chart {
  const currency = amount === null ? null : "€";
  return { groups: groups.map(([label, bars]) => ({ label, bars })), amount, currency, note: null };
}

const pipeline = chart(
  [
    ["1-Qualify", [bar("1-Qualify", 2, 18_400_000)]],
    ["Not set", [bar("Not set", 7, 1_000, "is_null")]],
  ],
  "Est. Revenue (Base)",
);

test.each([
  [0, [0, 1]],
  [1, [0, 1]],
  [2, [0, 1, 2]],
  [7, [0, 5, 10]],
  [12, [0, 5, 10, 15]],
  [14_200, [0, 5_000, 10_000, 15_000]],
  [1_000_000, [0, 500_000, 1_000_000]],
])("an axis up to %d has steps that are easily read", (most, expected) => {
  expect(ticks(most)).toEqual(expected);
});

test.each([
  [0, "0", "0"],
  [950, "950", "950"],
  [1_000, "1.0 k", "1k"],
  [15_000, "15.0 k", "15k"],
  [999_960, "1.0 M", "1M"],
  [18_400_000, "18.4 M", "18.4M"],
  [218_400_000, "218 M", "218M"],
  [3_200_000_000, "3.2 bn", "3.2bn"],
])("%d is %s as an amount and %s on an axis", (value, amount, tick) => {
  expect(formatAmount(value, null)).toBe(amount);
  expect(formatAmount(value, "€")).toBe(`€ ${amount}`);
  expect(formatTick(value)).toBe(tick);
});

test.each([
  ["2026-03", "Mar", "Mar 2026"],
  ["2026-03-12", "12 Mar", "Thu 12 Mar"],
  ["Trade show", "Trade show", "Trade show"],
  ["2-Develop", "2-Develop", "2-Develop"],
])("%s is %s on an axis and %s in a sentence", (label, short, full) => {
  expect(shortLabel(label)).toBe(short);
  expect(fullLabel(label)).toBe(full);
});

test("the pipeline is as long as its amounts, and says both figures", () => {
  const [first, unset] = marksOf(pipeline, look("pipeline"));
  expect(first).toMatchObject({ value: 18_400_000, figure: "€ 18.4 M", tone: "plain" });
  expect(first?.words).toBe("1-Qualify: 2 opportunities, € 18.4 M");
  expect(unset?.tone).toBe("muted");
  expect(look("pipeline").caption(pipeline)).toBe("€ 18.4 M open");
});

test("a pipeline whose amounts nobody fills in is counted", () => {
  const counted = chart([["Open", [bar("Open", 3)]]], "Est. Revenue");
  expect(marksOf(counted, look("pipeline"))[0]).toMatchObject({ value: 3, figure: "3" });
  expect(look("pipeline").caption(counted)).toBe("3 open");
});

test("a day is one bar that opens the table which changed most and can be filtered", () => {
  const lost = { ...bar("Tasks", 9), filters: null };
  const days = chart([
    ["2026-03-11", [bar("Leads", 2)]],
    ["2026-03-12", [lost, bar("Leads", 4)]],
  ]);
  const [before, today] = marksOf(days, look("changes"));
  expect(before?.tone).toBe("muted");
  expect(today).toMatchObject({ value: 13, tone: "plain", opens: { name: "Leads" } });
  expect(today?.words).toBe("Thu 12 Mar: 13 records (Tasks 9, Leads 4)");
  expect(asTable(days, look("changes"))).toMatchObject({
    heads: ["Leads", "Tasks"],
    rows: [
      { label: "Wed 11 Mar", cells: [{ text: "2" }, { text: "0", bar: null }] },
      { label: "Thu 12 Mar", cells: [{ text: "4" }, { text: "9" }] },
    ],
  });
});

test("the table has the same numbers, amounts beside their counts", () => {
  expect(asTable(pipeline, look("pipeline"))).toMatchObject({
    heads: ["Opportunities", "Est. Revenue (Base)"],
    rows: [
      { label: "1-Qualify", cells: [{ text: "2" }, { text: "€ 18.4 M" }] },
      { label: "Not set", cells: [{ text: "7" }, { text: "€ 1.0 k" }] },
    ],
  });
  const closed = chart([["2026-03", [bar("Won", 3, 5), bar("Lost", 0)]]], "Est. Revenue");
  expect(asTable(closed, look("closed"))).toMatchObject({
    heads: ["Won", "Won, Est. Revenue", "Lost", "Lost, Est. Revenue"],
    rows: [{ label: "Mar 2026", cells: [{ text: "3" }, { text: "€ 5" }, { text: "0" }, {}] }],
  });
});

test("a summary names the whole and the most of it", () => {
  expect(summary(pipeline, look("pipeline"))).toBe(
    "Pipeline by stage, € 18.4 M open: 9 opportunities. Most: 1-Qualify: 2 opportunities, € 18.4 M",
  );
});
