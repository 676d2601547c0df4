import { expect, it } from "vitest";
import type { Column, Table } from "../bridge/generated";
import { nameSuggestions, pathSuggestions, valueSuggestions } from "./suggestions";

const tables = [
  { name: "account", label_plural: "Accounts", entity_set: "accounts" },
  { name: "systemuser", label_plural: "Users", entity_set: "systemusers" },
  { name: "new_odd", label_plural: "Odds", entity_set: null },
] as Table[];
const columns = [
  { name: "name", label: "Account Name", kind: "text" },
  { name: "ownerid", label: "Owner", kind: "lookup" },
  { name: "revenue", label: "Annual Revenue", kind: "money" },
] as Column[];
const values = (found: { value: string }[]) => found.map(({ value }) => value);

it("a path is completed by what is mirrored, and by its parameters", () => {
  expect(values(pathSuggestions("", tables)).slice(0, 3)).toEqual([
    "accounts",
    "systemusers",
    "WhoAmI",
  ]);
  expect(values(pathSuggestions("ACC", tables))[0]).toBe("accounts");
  expect(values(pathSuggestions("users", tables))).toEqual(["systemusers"]);
  expect(values(pathSuggestions("accounts", tables))).not.toContain("accounts");
  expect(pathSuggestions("accounts(1", tables)).toEqual([]);
  expect(pathSuggestions("accounts/x", tables)).toEqual([]);
  expect(values(pathSuggestions("accounts?$se", tables))).toEqual(["accounts?$select="]);
  expect(values(pathSuggestions("accounts?$top=1&$or", tables))).toEqual([
    "accounts?$top=1&$orderby=",
  ]);
  expect(pathSuggestions("accounts?$top=", tables)).toEqual([]);
});

it("names and values of parameters and headers are completed", () => {
  expect(values(nameSuggestions("query", "$s"))[0]).toBe("$select");
  expect(values(nameSuggestions("query", "$select"))).toEqual([]);
  expect(values(nameSuggestions("headers", "if"))).toEqual(["If-Match", "If-None-Match"]);
  expect(values(valueSuggestions("headers", "if-match", "", []))).toEqual(["*"]);
  expect(valueSuggestions("headers", "X", "", [])).toEqual([]);
  const query = (name: string, typed: string) =>
    values(valueSuggestions("query", name, typed, columns));
  expect(query("$select", "na")).toEqual(["name"]);
  expect(query("$select", "name,own")).toEqual(["name,_ownerid_value"]);
  expect(query("$select", "name,")).toEqual(["name,_ownerid_value", "name,revenue"]);
  expect(query("$select", "name")).toEqual([]);
  expect(query("$filter", "annual")).toEqual(["revenue"]);
  expect(query("$filter", "name eq ")).toEqual([]);
  expect(query("$filter", "name eq 'A' and own")).toEqual(["name eq 'A' and _ownerid_value"]);
  expect(query("$count", "")).toEqual(["true"]);
  expect(query("$top", "")).toEqual([]);
});
