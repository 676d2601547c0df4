/** What the charts of Home say: scales, labels, sentences and tables, without drawing any of it. */
import type { Chart, ChartBar, ChartGroup, Charts } from "../bridge/generated";
import { formatCount, plural } from "../format";

/** How one of the charts is told. */
export interface Look {
  key: keyof Charts;
  title: string;
  /** Lying bars for labels that have to be read, standing ones for what goes on in time. */
  shape: "rows" | "columns";
  /** What is counted. */
  one: string;
  many: string;
  /** What the rows of its table are named by. */
  by: string;
  /** Beside the title. */
  caption: (chart: Chart) => string;
}

export const LOOKS: Look[] = [
  {
    key: "pipeline",
    title: "Pipeline by stage",
    shape: "rows",
    one: "opportunity",
    many: "opportunities",
    by: "Stage",
    caption: (chart) =>
      isByAmount(chart)
        ? `${formatAmount(totalOf(chart).amount, chart.currency)} open`
        : `${formatCount(totalOf(chart).rows)} open`,
  },
  {
    key: "changes",
    title: "Records changed per day",
    shape: "columns",
    one: "record",
    many: "records",
    by: "Day",
    caption: () => "last 14 days",
  },
  {
    key: "closed",
    title: "Opportunities won and lost",
    shape: "columns",
    one: "opportunity",
    many: "opportunities",
    by: "Month",
    caption: () => "last 12 months",
  },
  {
    key: "sources",
    title: "Leads by source",
    shape: "rows",
    one: "lead",
    many: "leads",
    by: "Source",
    caption: (chart) => plural(totalOf(chart).rows, "lead", "leads"),
  },
];

interface Total {
  rows: number;
  amount: number;
}

function sum(bars: ChartBar[]): Total {
  return bars.reduce(
    (total, bar) => ({ rows: total.rows + bar.rows, amount: total.amount + bar.amount }),
    { rows: 0, amount: 0 },
  );
}

export function totalOf(chart: Chart): Total {
  return sum(chart.groups.flatMap((group) => group.bars));
}

/** Whether a chart of lying bars shows amounts; where nobody fills them in, it counts. */
export function isByAmount(chart: Chart): boolean {
  return chart.amount !== null && totalOf(chart).amount > 0;
}

/** Values of an axis from 0 to at least `most`, at steps that are easily read. */
export function ticks(most: number, wanted = 3): number[] {
  const rough = Math.max(1, most) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((step) => step * power >= rough) ?? 10;
  // What is counted has no halves.
  const step = Math.max(1, factor * power);
  const count = Math.max(1, Math.ceil(most / step));
  return Array.from({ length: count + 1 }, (_, index) => index * step);
}

const UNITS: [number, string][] = [
  [1e9, "bn"],
  [1e6, "M"],
  [1e3, "k"],
];

/** Up to three digits and a unit: "950", "62.0 M", "267 M". */
function formatScaled(value: number): string {
  // 999,950 would be "1000 k".
  const unit = UNITS.find(([size]) => Math.abs(value) >= size * 0.99995);
  if (!unit) return formatCount(value);
  const scaled = value / unit[0];
  return `${scaled.toFixed(Math.abs(scaled) < 99.95 ? 1 : 0)} ${unit[1]}`;
}

/** As short as an axis needs it: "950", "15k", "1.5M". */
export function formatTick(value: number): string {
  return formatScaled(value).replace(".0 ", "").replace(" ", "");
}

/** "€ 18.4 M". */
export function formatAmount(value: number, currency: string | null): string {
  return currency === null ? formatScaled(value) : `${currency} ${formatScaled(value)}`;
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const WEEKDAYS = "Sun Mon Tue Wed Thu Fri Sat".split(" ");

/** A group's label under its bars: "Mar" of a month, "12 Mar" of a day; others as they are. */
export function shortLabel(label: string): string {
  const [, , month, day] = /^(\d{4})-(\d{2})(?:-(\d{2}))?$/u.exec(label) ?? [];
  if (!month) return label;
  const name = MONTHS[Number(month) - 1] ?? month;
  return day ? `${Number(day)} ${name}` : name;
}

/** A group's label by itself: "Mar 2026", "Thu 12 Mar". */
export function fullLabel(label: string): string {
  const short = shortLabel(label);
  if (short === label) return label;
  if (label.length === "2026-03".length) return `${short} ${label.slice(0, 4)}`;
  return `${WEEKDAYS[new Date(`${label}T00:00:00Z`).getUTCDay()]} ${short}`;
}

/** Something to point at: a bar, or all bars of a group that are one for the eye. */
export interface Mark {
  key: string;
  /** Number of its group, and its place within it. */
  group: number;
  place: number;
  value: number;
  /** Drawn in the muted ink: it says less than the others. */
  tone: "plain" | "muted" | "second";
  /** What stands beside a lying bar. */
  label: string;
  figure: string;
  /** The whole of it in words. */
  words: string;
  /** The rows that it opens; `null` where no filters show them. */
  opens: ChartBar | null;
}

/** Bars that stand beside each other in each group. */
export function placesOf(look: Look): number {
  return look.key === "closed" ? 2 : 1;
}

export function marksOf(chart: Chart, look: Look): Mark[] {
  const byAmount = look.shape === "rows" && isByAmount(chart);
  return chart.groups.flatMap((group, index) => {
    const label = fullLabel(group.label);
    if (look.key === "changes") return dayMark(group, index, index === chart.groups.length - 1);
    return group.bars.map((bar, place): Mark => {
      const count = plural(bar.rows, look.one, look.many);
      const amount = chart.amount === null ? "" : `, ${formatAmount(bar.amount, chart.currency)}`;
      const who = look.shape === "rows" ? label : `${label}, ${bar.name}`;
      return {
        key: `${group.label}/${bar.name}`,
        group: index,
        place,
        value: byAmount ? bar.amount : bar.rows,
        tone: place > 0 ? "second" : isUnset(bar) ? "muted" : "plain",
        label,
        figure: byAmount ? formatAmount(bar.amount, chart.currency) : formatCount(bar.rows),
        words: `${who}: ${count}${amount}`,
        opens: bar.filters ? bar : null,
      };
    });
  });
}

/** A day is one bar for all tables; it opens the table that changed most. */
function dayMark(group: ChartGroup, index: number, isToday: boolean): Mark {
  const { rows } = sum(group.bars);
  const tables = group.bars.map((bar) => `${bar.name} ${formatCount(bar.rows)}`).join(", ");
  return {
    key: group.label,
    group: index,
    place: 0,
    value: rows,
    tone: isToday ? "plain" : "muted",
    label: fullLabel(group.label),
    figure: formatCount(rows),
    words: `${fullLabel(group.label)}: ${plural(rows, "record", "records")} (${tables})`,
    opens: group.bars.find((bar) => bar.filters) ?? null,
  };
}

function isUnset(bar: ChartBar): boolean {
  return bar.filters?.some((filter) => filter.op === "is_null") ?? false;
}

/** A chart in one sentence, for who cannot see it. */
export function summary(chart: Chart, look: Look): string {
  const marks = marksOf(chart, look);
  const most = marks.reduce((best, mark) => (mark.value > best.value ? mark : best), {
    value: 0,
    words: "",
  });
  const { rows } = totalOf(chart);
  const all = `${look.title}, ${look.caption(chart)}: ${plural(rows, look.one, look.many)}`;
  return most.words === "" ? all : `${all}. Most: ${most.words}`;
}

export interface TableCell {
  text: string;
  bar: ChartBar | null;
}

/** The same numbers as a table: a column for each kind of bar, and one more for its amount. */
export function asTable(chart: Chart, look: Look) {
  const isList = look.shape === "rows";
  const names = isList
    ? [look.many]
    : [...new Set(chart.groups.flatMap((group) => group.bars.map((bar) => bar.name)))];
  const { amount } = chart;
  const heads = names.flatMap((name) => {
    const head = isList ? capital(name) : name;
    if (amount === null) return [head];
    return [head, isList ? amount : `${head}, ${amount}`];
  });
  const rows = chart.groups.map((group) => ({
    label: fullLabel(group.label),
    cells: names.flatMap((name): TableCell[] => {
      const bar = isList ? group.bars[0] : group.bars.find((one) => one.name === name);
      const count = { text: formatCount(bar?.rows ?? 0), bar: bar?.rows ? bar : null };
      if (amount === null) return [count];
      return [count, { text: formatAmount(bar?.amount ?? 0, chart.currency), bar: null }];
    }),
  }));
  return { heads, rows };
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
