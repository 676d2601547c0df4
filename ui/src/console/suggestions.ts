/** What can be completed while one types. */
import type { Column, Table } from "../bridge/generated";

export interface Suggestion {
  /** The whole text of the field once it is chosen. */
  value: string;
  /** What is shown of it. */
  label: string;
  detail: string;
}

const MOST = 12;

/** Paths that every organisation has. */
const PLACES: [path: string, detail: string][] = [
  ["WhoAmI", "Who is signed in"],
  ["RetrieveVersion", "Version of the organisation"],
  ["RetrieveCurrentOrganization(AccessType='Default')", "The organisation itself"],
  ["EntityDefinitions", "Tables and their columns"],
  ["GlobalOptionSetDefinitions", "Choices that tables share"],
  ["$metadata", "Everything there is, as XML"],
  ["$batch", "Several requests in one"],
];

const PARAMETERS: [name: string, detail: string][] = [
  ["$select", "Columns"],
  ["$filter", "Rows that match"],
  ["$orderby", "Order"],
  ["$top", "The first rows"],
  ["$count", "How many there are"],
  ["$expand", "Related records"],
  ["$apply", "Sums and groups"],
  ["fetchXml", "A query in FetchXML"],
  ["savedQuery", "A view, by its ID"],
  ["userQuery", "A personal view, by its ID"],
];

const HEADERS: [name: string, detail: string, values: string[]][] = [
  [
    "Prefer",
    "How the reply should be",
    [
      'odata.include-annotations="*"',
      "odata.maxpagesize=50",
      "return=representation",
      "respond-async",
    ],
  ],
  ["If-Match", "Only where the record is as I know it", ["*"]],
  ["If-None-Match", "Only where it is another one", ["*", "null"]],
  ["Content-Type", "What the body is", ["application/json", "multipart/mixed; boundary=batch_1"]],
  ["MSCRM.SuppressDuplicateDetection", "Whether duplicates are looked for", ["true", "false"]],
  ["MSCRM.BypassCustomPluginExecution", "Without the organisation's plug-ins", ["true"]],
  ["MSCRM.MergeLabels", "Labels of other languages stay", ["true"]],
  ["MSCRM.SolutionUniqueName", "The solution that a change belongs to", []],
];

/** The beginning counts first, then what has it somewhere. */
function ranked<T>(rows: T[], typed: string, textOf: (row: T) => string): T[] {
  const wanted = typed.toLowerCase();
  const begins = rows.filter((row) => textOf(row).toLowerCase().startsWith(wanted));
  const holds = rows.filter(
    (row) => !begins.includes(row) && textOf(row).toLowerCase().includes(wanted),
  );
  return [...begins, ...holds].slice(0, MOST);
}

export function pathSuggestions(typed: string, tables: Table[]): Suggestion[] {
  const sets = tables.flatMap((table): [string, string][] =>
    table.entity_set === null ? [] : [[table.entity_set, table.label_plural]],
  );
  const [path = "", ...query] = typed.split("?");
  if (query.length > 0) {
    const parts = query.join("?").split("&");
    const last = parts.pop() ?? "";
    if (last.includes("=")) return [];
    const before = `${path}?${parts.map((part) => `${part}&`).join("")}`;
    return ranked(PARAMETERS, last, ([name]) => name).map(([name, detail]) => ({
      value: `${before}${name}=`,
      label: name,
      detail,
    }));
  }
  if (/[(/]/.test(path)) return [];
  const all = [...sets, ...PLACES];
  // A label finds its table too: "Users" is systemusers.
  return ranked(all, path, ([name, detail]) => `${name.split("(")[0]} ${detail}`)
    .filter(([name]) => name !== path)
    .map(([name, detail]) => ({ value: name, label: name, detail }));
}

export function nameSuggestions(part: "query" | "headers", typed: string): Suggestion[] {
  const rows: [string, string][] =
    part === "query" ? PARAMETERS : HEADERS.map(([name, detail]) => [name, detail]);
  return ranked(rows, typed, ([name]) => name)
    .filter(([name]) => name !== typed)
    .map(([name, detail]) => ({ value: name, label: name, detail }));
}

/** Values of a header, or columns of the table that the path names. */
export function valueSuggestions(
  part: "query" | "headers",
  name: string,
  typed: string,
  columns: Column[],
): Suggestion[] {
  if (part === "headers") {
    const known = HEADERS.find(([header]) => header.toLowerCase() === name.trim().toLowerCase());
    return ranked(known?.[2] ?? [], typed, (value) => value)
      .filter((value) => value !== typed)
      .map((value) => ({ value, label: value, detail: "" }));
  }
  const wanted = name.trim().toLowerCase();
  if (wanted === "$count") {
    return typed === "true" ? [] : [{ value: "true", label: "true", detail: "" }];
  }
  const separator = { $select: ",", $orderby: ",", $filter: " " }[wanted];
  if (!separator) return [];
  const at = typed.lastIndexOf(separator) + 1;
  const before = typed.slice(0, at);
  // A filter is completed where a column can stand: at its beginning, and after and, or, not, (.
  if (wanted === "$filter" && before !== "" && !/(?:\b(?:and|or|not)|\() *$/.test(before))
    return [];
  const piece = typed.slice(at).trimStart();
  const taken = new Set(before.split(",").map((part) => part.trim()));
  return ranked(
    columns.filter((column) => !taken.has(wireName(column))),
    piece,
    (column) => `${wireName(column)} ${column.label}`,
  )
    .filter((column) => wireName(column) !== piece)
    .map((column) => ({
      value: `${before}${wireName(column)}`,
      label: wireName(column),
      detail: column.label,
    }));
}

/** A lookup is read by another name than it has. */
function wireName(column: Column): string {
  return column.kind === "lookup" ? `_${column.name}_value` : column.name;
}
