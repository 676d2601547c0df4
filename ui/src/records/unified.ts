/** A unified object as lines that people read. */
import { formatMoment } from "../format";

/** A line of a field's value. */
export type Line = {
  text: string;
  /** What the value is, such as the type of an address. */
  note?: string;
  /** The record that it leads to. */
  opens?: { table: string; id: string };
};

export type UnifiedField = { name: string; label: string; lines: Line[] };

type Entry = { [field: string]: string | null };

/** What every object has; it says less than the object's own fields, and comes after them. */
const COMMON = ["owner_id", "created_at", "updated_at", "is_deleted", "id"];
/** Said by another field. */
const UNSAID = ["last_modified_at", "owner_type", "raw_data"];
const AMOUNTS = ["annual_revenue", "amount"];
/** Tables that fields with an id lead to. */
const TABLES: { [field: string]: string } = {
  parent_account_id: "account",
  primary_contact_id: "contact",
  account_id: "account",
  contact_id: "contact",
  converted_contact_id: "contact",
  converted_account_id: "account",
  converted_opportunity_id: "opportunity",
};
const LABELS: { [field: string]: string } = {
  id: "ID",
  owner_id: "Owner",
  created_at: "Created",
  updated_at: "Updated",
  is_deleted: "Deleted",
  number_of_employees: "Employees",
  phone_numbers: "Phone numbers",
  email_addresses: "Email addresses",
  is_active: "Active",
  last_activity_at: "Last activity",
  converted_date: "Converted",
};

/** The fields of an object, its own first; one without a value has no lines. */
export function unifiedFields(json: string): UnifiedField[] {
  const object = JSON.parse(json) as { [field: string]: unknown };
  const own = Object.keys(object).filter(
    (name) => !COMMON.includes(name) && !UNSAID.includes(name),
  );
  return [...own, ...COMMON]
    .filter((name) => name in object)
    .map((name) => ({ name, label: labelOf(name), lines: linesOf(name, object, json) }));
}

function labelOf(name: string): string {
  const words = name.replace(/_id$/, "").replaceAll("_", " ");
  return LABELS[name] ?? words.charAt(0).toUpperCase() + words.slice(1);
}

function linesOf(name: string, object: { [field: string]: unknown }, json: string): Line[] {
  const value = object[name];
  if (value === null || value === undefined || value === "") return [];
  if (Array.isArray(value)) return value.map((entry) => entryLine(entry as Entry));
  if (typeof value === "boolean") return [{ text: value ? "Yes" : "No" }];
  if (AMOUNTS.includes(name)) {
    const note = object.currency ? { note: String(object.currency) } : {};
    return [{ text: grouped(digitsOf(name, json) ?? String(value)), ...note }];
  }
  const text = String(value);
  if (name === "owner_id") {
    const kind = object.owner_type;
    if (kind !== "user" && kind !== "team") return [{ text }];
    const table = kind === "user" ? "systemuser" : "team";
    return [{ text, note: kind, opens: { table, id: text } }];
  }
  const table = TABLES[name];
  if (table) return [{ text, opens: { table, id: text } }];
  const time = /(_at|converted_date)$/.test(name) ? Date.parse(text) : Number.NaN;
  return [{ text: Number.isNaN(time) ? text : formatMoment(time) }];
}

/** An address over several lines, a telephone number, an e-mail address; each with its type. */
function entryLine(entry: Entry): Line {
  const type = Object.keys(entry).find((name) => name.endsWith("_type"));
  const note = type && entry[type] ? { note: entry[type] } : {};
  const single = entry.email_address ?? entry.phone_number;
  if (single) return { text: single, ...note };
  const joined = (names: string[], by: string) =>
    names
      .map((name) => entry[name])
      .filter((part) => part)
      .join(by);
  const lines = [
    entry.street_1,
    entry.street_2,
    joined(["postal_code", "city"], " "),
    joined(["state", "country"], ", "),
  ];
  return { text: lines.filter((line) => line).join("\n"), ...note };
}

/** A number's digits as they stand: more than a number here can hold. */
function digitsOf(name: string, json: string): string | undefined {
  // Within a text a quote has a backslash before it.
  return new RegExp(`[{,]"${name}":(-?[0-9][^,}]*)`).exec(json)?.[1];
}

/** 1250.7500 as 1,250.75. */
export function grouped(digits: string): string {
  const parts = /^(-?)(\d+)(?:\.(\d+))?$/.exec(digits);
  if (!parts) return digits;
  const [, sign, whole = "", fraction = ""] = parts;
  const rest = fraction.replace(/0+$/, "");
  return `${sign}${whole.replace(/\B(?=(\d{3})+$)/g, ",")}${rest ? `.${rest}` : ""}`;
}
