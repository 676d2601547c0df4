/** How rows are spread around a filter of dates: bars and words, without drawing any of it. */
import type { HistogramBar } from "../bridge/generated";
import { formatDay, plural } from "../format";

/** A bar's place and height, as shares of the drawing. */
export interface Drawn {
  key: string;
  left: number;
  width: number;
  height: number;
  chosen: boolean;
  words: string;
}

/** What a bar without rows is drawn as: it is there, and has nothing in it. */
const LEAST = 0.02;
/** Share of a bar's room that is left free beside it. */
const GAP = 0.25;

export function drawn(bars: HistogramBar[]): Drawn[] {
  const most = Math.max(1, ...bars.map((bar) => bar.rows));
  const room = 1 / Math.max(1, bars.length);
  return bars.map((bar, index) => ({
    key: bar.first,
    left: index * room,
    width: room * (1 - GAP),
    height: bar.rows === 0 ? LEAST : Math.max(2 * LEAST, bar.rows / most),
    chosen: bar.chosen,
    words: `${span(bar.first, bar.last)}: ${plural(bar.rows, "row", "rows")}`,
  }));
}

/** What stands under the bars: the days that the filter asks for, and the other end of what is drawn. */
export interface Ends {
  chosen: string;
  /** Empty where everything is asked for. */
  other: string;
  /** Whether the other end is at the left. */
  isBefore: boolean;
}

export function ends(bars: HistogramBar[]): Ends {
  const chosen = bars.filter((bar) => bar.chosen);
  const [from, until] = [chosen[0], chosen.at(-1)];
  const isBefore = bars[0]?.chosen === false;
  const other = isBefore ? bars[0]?.first : bars.at(-1)?.last;
  return {
    chosen: from && until ? span(from.first, until.last) : "",
    other: other && chosen.length < bars.length ? formatDay(other) : "",
    isBefore,
  };
}

/** The bars in one sentence, for who cannot see them. */
export function summary(bars: HistogramBar[]): string {
  const inside = sum(bars.filter((bar) => bar.chosen));
  const outside = sum(bars.filter((bar) => !bar.chosen));
  const { chosen } = ends(bars);
  const around = `${plural(outside, "row", "rows")} in the days around`;
  return `${plural(inside, "row", "rows")} from ${chosen}, ${around}`;
}

function sum(bars: HistogramBar[]): number {
  return bars.reduce((rows, bar) => rows + bar.rows, 0);
}

/** "12 Feb to 12 Mar 2026"; the year once where it is the same. */
function span(first: string, last: string): string {
  if (first === last) return formatDay(first);
  const begin = formatDay(first);
  const isSameYear = first.slice(0, 4) === last.slice(0, 4);
  return `${isSameYear ? begin.replace(/ \d{4}$/u, "") : begin} to ${formatDay(last)}`;
}
