/** Which records belong to a record. */
import {
  type Connection,
  commands,
  type Table,
  type TableColumns,
  type ViewRequest,
} from "../bridge/generated";
import { cellText, NAMELESS } from "../format";

/** Lookups that lead from one table to another: the first that the organisation has is used. */
const RELATIONS: Record<string, [table: string, columns: string[]][]> = {
  account: [
    ["contact", ["parentcustomerid"]],
    ["opportunity", ["parentaccountid", "customerid"]],
    ["lead", ["parentaccountid", "customerid"]],
    ["account", ["parentaccountid"]],
  ],
  contact: [
    ["opportunity", ["parentcontactid", "customerid"]],
    ["lead", ["parentcontactid", "customerid"]],
    ["account", ["primarycontactid"]],
  ],
  lead: [
    ["opportunity", ["originatingleadid"]],
    ["contact", ["originatingleadid"]],
    ["account", ["originatingleadid"]],
  ],
  opportunity: [["lead", ["qualifyingopportunityid"]]],
  systemuser: [
    ["account", ["ownerid"]],
    ["contact", ["ownerid"]],
    ["lead", ["ownerid"]],
    ["opportunity", ["ownerid"]],
    ["systemuser", ["parentsystemuserid"]],
  ],
};

/** Records of one relation that are listed. */
const MOST = 5;

export interface Related {
  table: Table;
  /** The lookup that leads here. */
  column: string;
  columnLabel: string;
  total: number;
  records: { id: string; title: string; detail: string }[];
}

export function relationsOf(table: string): [table: string, columns: string[]][] {
  return RELATIONS[table] ?? [];
}

/** What belongs to a record, by its relations; those with nothing are left out. */
export async function findRelated(
  connection: Connection,
  table: string,
  id: string,
  columnsOf: (table: string) => Promise<TableColumns>,
): Promise<Related[]> {
  const looks = relationsOf(table).map(async ([name, candidates]) => {
    const known = connection.tables.find((one) => one.name === name);
    if (!known || known.rows === 0) return null;
    const columns = await columnsOf(name);
    const column = candidates
      .map((candidate) => columns.columns.find((one) => one.name === candidate))
      .find((one) => one !== undefined);
    if (!column) return null;
    const shown = columns.shown.slice(0, 2);
    const request: ViewRequest = {
      table: name,
      filters: [{ column: column.name, op: "equal", values: [id] }],
      search: null,
      sort: null,
      deleted: "exclude",
      stale_only: false,
    };
    const view = await commands.openView(connection.id, request, null);
    try {
      if (view.total === 0) return null;
      const { rows } = await commands.window(view.id, 0, MOST, shown);
      const text = (cells: (typeof rows)[number]["cells"], place: number) => {
        const one = columns.columns.find((candidate) => candidate.name === shown[place]);
        return one ? cellText(cells[place] ?? null, one.kind) : "";
      };
      return {
        table: known,
        column: column.name,
        columnLabel: column.label,
        total: view.total,
        records: rows.map((row) => ({
          id: row.id,
          title: text(row.cells, 0) || NAMELESS,
          detail: text(row.cells, 1),
        })),
      };
    } finally {
      void commands.closeView(view.id);
    }
  });
  return (await Promise.all(looks)).filter((related) => related !== null);
}
