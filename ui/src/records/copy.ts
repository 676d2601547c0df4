/** Rows as text for a spreadsheet. */
import { type Column, commands } from "../bridge/generated";
import { cellText } from "../format";
import { countOf, type Selection } from "./selection";

/** A clipboard of more is slow in every program; an export takes any number. */
export const MOST_COPIED = 50_000;
const STEP = 1_000;

/** Selected rows with a line of labels, tabs between values. */
export async function rowsAsText(
  view: number,
  selection: Selection,
  columns: Column[],
): Promise<{ text: string; rows: number }> {
  const names = columns.map((column) => column.name);
  const lines = [columns.map((column) => plain(column.label)).join("\t")];
  let left = Math.min(countOf(selection), MOST_COPIED);
  for (const [from, until] of selection) {
    for (let at = from; at < until && left > 0; at += STEP) {
      const wanted = Math.min(STEP, until - at, left);
      const { rows } = await commands.window(view, at, wanted, names);
      for (const row of rows) {
        const cells = columns.map((column, index) =>
          plain(cellText(row.cells[index] ?? null, column.kind)),
        );
        lines.push(cells.join("\t"));
      }
      left -= wanted;
    }
  }
  return { text: `${lines.join("\r\n")}\r\n`, rows: lines.length - 1 };
}

/** Tabs and line ends would be taken for other cells, and a formula would be run. */
export function plain(text: string): string {
  const line = text.replace(/[\t\r\n]+/g, " ");
  const isFormula = /^[=@]/.test(line) || /^[+-](?![\d\s().,/-]*$)/.test(line);
  return isFormula ? `'${line}` : line;
}
