/** Filters as people make them: what can be asked of a column, and how it reads. */
import type { Column, ColumnKind, Filter, FilterOp } from "../bridge/generated";

export interface Operator {
  op: FilterOp;
  label: string;
  /** How it is written in a pill, between the column and the value. */
  word: string;
  value: "none" | "text" | "number" | "date" | "period" | "choices" | "names";
}

const EMPTY: Operator = { op: "is_null", label: "is empty", word: "is empty", value: "none" };
const FILLED: Operator = {
  op: "is_not_null",
  label: "has a value",
  word: "has a value",
  value: "none",
};

const TEXT: Operator[] = [
  { op: "contains", label: "contains", word: "contains", value: "text" },
  { op: "not_contains", label: "does not contain", word: "does not contain", value: "text" },
  { op: "starts_with", label: "starts with", word: "starts with", value: "text" },
  { op: "equal", label: "is", word: "is", value: "text" },
  { op: "not_equal", label: "is not", word: "is not", value: "text" },
  EMPTY,
  FILLED,
];
const NUMBER: Operator[] = [
  { op: "equal", label: "is", word: "is", value: "number" },
  { op: "not_equal", label: "is not", word: "is not", value: "number" },
  { op: "greater_or_equal", label: "is at least", word: "≥", value: "number" },
  { op: "less_or_equal", label: "is at most", word: "≤", value: "number" },
  { op: "greater", label: "is more than", word: ">", value: "number" },
  { op: "less", label: "is less than", word: "<", value: "number" },
  EMPTY,
  FILLED,
];
const DATE: Operator[] = [
  { op: "within", label: "is in", word: "in", value: "period" },
  { op: "greater_or_equal", label: "is on or after", word: "from", value: "date" },
  { op: "less", label: "is before", word: "before", value: "date" },
  EMPTY,
  FILLED,
];
const CHOICE: Operator[] = [
  { op: "in", label: "is one of", word: "is", value: "choices" },
  { op: "not_in", label: "is none of", word: "is not", value: "choices" },
  EMPTY,
  FILLED,
];
const LOOKUP: Operator[] = [
  { op: "contains", label: "contains", word: "contains", value: "text" },
  { op: "not_contains", label: "does not contain", word: "does not contain", value: "text" },
  { op: "starts_with", label: "starts with", word: "starts with", value: "text" },
  { op: "in", label: "is one of", word: "is", value: "names" },
  EMPTY,
  FILLED,
];
const SEVERAL: Operator[] = [EMPTY, FILLED];

/** What can be asked of a column of a kind, the likeliest first. */
export function operatorsOf(kind: ColumnKind): Operator[] {
  switch (kind) {
    case "integer":
    case "decimal":
    case "money":
      return NUMBER;
    case "date_time":
    case "date":
      return DATE;
    case "choice":
    case "boolean":
      return CHOICE;
    case "multi_choice":
      return SEVERAL;
    case "lookup":
      return LOOKUP;
    case "id":
      return [{ op: "equal", label: "is", word: "is", value: "text" }, EMPTY, FILLED];
    default:
      return TEXT;
  }
}

export function operatorOf(column: Column, op: FilterOp): Operator | undefined {
  return operatorsOf(column.kind).find((known) => known.op === op);
}

/** Spans of days that are offered; others can be typed. */
export const PERIODS = [
  "today",
  "yesterday",
  "last 7 days",
  "last 30 days",
  "last 90 days",
  "this week",
  "last week",
  "this month",
  "last month",
  "this quarter",
  "last quarter",
  "this year",
  "last year",
  "next 7 days",
  "next 30 days",
];

const PERIOD =
  /^(today|yesterday|tomorrow|(this|last|next) (week|month|quarter|year)|(last|next) [1-9]\d{0,3} (day|week|month|year)s?)$/i;

/** The filter that a column begins with. */
export function newFilter(column: Column): Filter {
  const first = operatorsOf(column.kind)[0] ?? EMPTY;
  return {
    column: column.name,
    op: first.op,
    values: first.value === "period" ? ["last 30 days"] : [],
  };
}

/** The filter with another operator; what was entered stays where it still means something. */
export function withOperator(column: Column, filter: Filter, op: FilterOp): Filter {
  const before = operatorOf(column, filter.op)?.value;
  const after = operatorOf(column, op)?.value;
  const values = before === after ? filter.values : after === "period" ? ["last 30 days"] : [];
  return { ...filter, op, values };
}

/** What is wrong with it, in a few words; `null` where it can be applied. */
export function problemOf(column: Column, filter: Filter): string | null {
  const operator = operatorOf(column, filter.op);
  if (!operator) return "Choose how to compare";
  const value = filter.values[0]?.trim() ?? "";
  switch (operator.value) {
    case "none":
      return null;
    case "text":
      return value === "" ? "Enter a text" : null;
    case "number":
      return value !== "" && Number.isFinite(Number(value))
        ? null
        : "Enter a number, such as 1500.5";
    case "date":
      return isDay(value) ? null : "Enter a date, such as 2026-03-11";
    case "period":
      return PERIOD.test(value) ? null : "Enter a time, such as last 30 days";
    case "choices":
      return filter.values.length > 0 ? null : "Choose at least one";
    case "names":
      return value === "" ? "Enter a name" : null;
  }
}

function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

/** A filter in a pill: the column, what is asked, and the value. */
/** Conditions that are not offered for a kind of column, but may come from a chart or a saved view. */
const WORDS: { [op in FilterOp]?: string } = { equal: "is", not_equal: "is not" };

export function pillText(column: Column, filter: Filter): { what: string; value: string } {
  const operator = operatorOf(column, filter.op);
  const word = operator?.word ?? WORDS[filter.op] ?? filter.op;
  const values = filter.values.map((value) => labelOf(column, value));
  const many = operator?.value === "choices" || operator?.value === "names";
  return {
    what: `${column.label} ${word}`,
    value:
      many && values.length > 2 ? `${values[0]}, ${values.length - 1} more` : values.join(", "),
  };
}

function labelOf(column: Column, value: string): string {
  const known = column.choices.find((choice) => String(choice.value) === value);
  if (known) return known.label;
  if (column.kind === "boolean") return value === "1" ? "Yes" : value === "0" ? "No" : value;
  return value;
}

/** Labels of a column with labels, as they are chosen from. */
export function choicesOf(column: Column): { value: string; label: string }[] {
  if (column.choices.length > 0) {
    return column.choices.map(({ value, label }) => ({ value: String(value), label }));
  }
  return column.kind === "boolean"
    ? [
        { value: "1", label: "Yes" },
        { value: "0", label: "No" },
      ]
    : [];
}

/** Whether two lists of filters ask the same. */
export function areSame(one: Filter[], other: Filter[]): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
