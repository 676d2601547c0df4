/** The organisation's tables, as they are chosen from. */
import type { AvailableTable } from "../bridge/generated";

/** Rows of the list that are drawn; a word more finds the others. */
export const MOST_SHOWN = 100;

/** Tables that can be added and have the text in their label or name: those that begin with it first, and
 * last those that the admin's role does not read. */
export function addable(tables: AvailableTable[], wanted: string): AvailableTable[] {
  const text = wanted.trim().toLowerCase();
  const rank = (table: AvailableTable) => {
    if (!table.readable) return 2;
    const begins = labelOf(table).toLowerCase().startsWith(text) || table.name.startsWith(text);
    return begins ? 0 : 1;
  };
  const has = (table: AvailableTable) =>
    labelOf(table).toLowerCase().includes(text) || table.name.includes(text);
  return tables
    .filter((table) => !table.mirrored && has(table))
    .sort((one, other) => rank(one) - rank(other) || labelOf(one).localeCompare(labelOf(other)));
}

/** Some tables of the system have no label. */
export function labelOf(table: AvailableTable): string {
  return table.label === "" ? table.name : table.label;
}

/** What has to be known of a table before it is added; `null` where there is nothing. */
export function remark(table: AvailableTable): string | null {
  if (!table.readable) return "Your security role does not read this table.";
  return table.change_tracking ? null : "Change tracking is off: each sync takes more requests.";
}
