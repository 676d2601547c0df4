/** A long text as lines, of which only those in sight are drawn. */

/** Pixels of a line, as the style sheet has it. */
export const LINE_HEIGHT = 20;
/** So many lines are drawn at once, so that they can be selected and read aloud as a whole. */
export const MOST_DRAWN = 2_000;
/** Browsers draw nothing below some 33 million pixels. */
export const MOST_LINES = 1_500_000;
/** Letters of a line that are drawn: one value can be megabytes long. */
export const LONGEST_LINE = 4_000;
/** Lines above and below what is in sight. */
const MARGIN = 40;

export function linesOf(text: string): string[] {
  return text.split(/\r\n|\n|\r/);
}

/** The lines to draw where so much is in sight; from and until, the end not included. */
export function drawn(total: number, scrollTop: number, height: number): [number, number] {
  if (total <= MOST_DRAWN) return [0, total];
  const first = Math.floor(scrollTop / LINE_HEIGHT) - MARGIN;
  const last = Math.ceil((scrollTop + height) / LINE_HEIGHT) + MARGIN;
  const until = Math.min(total, Math.max(last, MARGIN));
  return [Math.min(Math.max(0, first), until), until];
}

/** What of a line is drawn, and how many letters are not. */
export function cutLine(line: string): [shown: string, left: number] {
  if (line.length <= LONGEST_LINE) return [line, 0];
  // Never between the two halves of one letter.
  const code = line.charCodeAt(LONGEST_LINE - 1);
  const end = code >= 0xd800 && code < 0xdc00 ? LONGEST_LINE - 1 : LONGEST_LINE;
  return [line.slice(0, end), line.length - end];
}
