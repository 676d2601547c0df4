import { expect, it } from "vitest";
import type { ConsoleRequest, Table } from "../bridge/generated";
import { wordsOf } from "./writes";

const ID = "60c4e274-0d87-e711-80e5-00155db19e6d";
const tables = [
  { name: "account", label: "Account", entity_set: "accounts" },
  { name: "contact", label: "Contact", entity_set: "contacts" },
] as Table[];

it("a write is told by what it does", () => {
  for (const [method, path, title, verb, isDanger] of [
    ["DELETE", `contacts(${ID})`, "Delete this contact?", "Delete", true],
    ["DELETE", `contacts(${ID})/jobtitle`, "Clear jobtitle of this contact?", "Clear", true],
    ["DELETE", `contacts(${ID})/parent/$ref`, "Remove this link of the contact?", "Remove", true],
    ["DELETE", "contacts", "Send this DELETE request?", "Send", true],
    ["PATCH", `contacts(contactid=${ID})`, "Update this contact?", "Update", false],
    ["PATCH", "new_odds(1)", "Update this record?", "Update", false],
    ["PATCH", "contacts", "Send this PATCH request?", "Send", false],
    ["PUT", `contacts(${ID})/jobtitle`, "Change jobtitle of this contact?", "Change", false],
    ["PUT", `contacts(${ID})/parent/$ref`, "Set this link of the contact?", "Set", false],
    ["POST", "accounts", "Create an account?", "Create", false],
    ["POST", "contacts", "Create a contact?", "Create", false],
    ["POST", "WinOpportunity", "Run WinOpportunity?", "Run", false],
    ["POST", `contacts(${ID})/Microsoft.Dynamics.CRM.Merge`, "Run Merge?", "Run", false],
    ["POST", "$batch", "Send this batch?", "Send", false],
    ["POST", "", "Send this POST request?", "Send", false],
  ] as const) {
    const request = { method, path, query: [], headers: [], body: null } as ConsoleRequest;
    const words = wordsOf(request, tables);
    expect([words.title, words.verb, words.isDanger]).toEqual([title, verb, isDanger]);
    // The button says what the title asks.
    expect(words.title.startsWith(words.verb)).toBe(true);
  }
});

it("the record is known by its id, and an update that may create says so", () => {
  const patch = (path: string, headers: [string, string][]) =>
    wordsOf({ method: "PATCH", path, query: [], headers, body: "{}" }, tables);
  expect(patch(`accounts(${ID.toUpperCase()})`, []).record?.id.toLowerCase()).toBe(ID);
  expect(patch(`accounts(accountid={${ID}})`, []).record?.id).toBe(ID);
  expect(patch("accounts(accountnumber='A1')", []).record).toBeNull();
  expect(patch(`leads(${ID})`, []).record).toBeNull();
  expect(patch(`accounts(${ID})`, []).note).toContain("creates one");
  expect(patch(`accounts(${ID})`, [["if-match", "*"]]).note).not.toContain("creates one");
});
