/** Selected rows as ranges of places in an open view, so that a million take no more than one. */

/** From the first place to the one after the last. */
export type Range = [number, number];

/** Ranges in order, none touching another. */
export type Selection = readonly Range[];

export const NOTHING: Selection = [];

export function isSelected(selection: Selection, place: number): boolean {
  return selection.some(([from, until]) => from <= place && place < until);
}

export function countOf(selection: Selection): number {
  return selection.reduce((sum, [from, until]) => sum + until - from, 0);
}

/** With these rows too. */
export function added(selection: Selection, from: number, until: number): Selection {
  if (until <= from) return selection;
  let [start, end] = [from, until];
  const rest: Range[] = [];
  for (const range of selection) {
    if (range[1] < start || range[0] > end) rest.push(range);
    else [start, end] = [Math.min(start, range[0]), Math.max(end, range[1])];
  }
  return [...rest, [start, end] as Range].sort((one, other) => one[0] - other[0]);
}

/** Without these rows. */
export function removed(selection: Selection, from: number, until: number): Selection {
  return selection.flatMap(([start, end]): Range[] => {
    if (end <= from || start >= until) return [[start, end]];
    const left: Range[] = [];
    if (start < from) left.push([start, from]);
    if (end > until) left.push([until, end]);
    return left;
  });
}

export function toggled(selection: Selection, place: number): Selection {
  return isSelected(selection, place)
    ? removed(selection, place, place + 1)
    : added(selection, place, place + 1);
}

/** The rows between two places, whichever comes first, both with them. */
export function between(one: number, other: number): Range {
  return [Math.min(one, other), Math.max(one, other) + 1];
}
