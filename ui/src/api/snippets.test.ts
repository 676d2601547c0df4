import { describe, expect, it } from "vitest";
import { OBJECTS, operationsOf, snippet } from "./snippets";

const BASE = "http://127.0.0.1:7365";
const operation = (object: string, id: string) => {
  const found = operationsOf(object).find((known) => known.id === id);
  if (!found) throw new Error(`${object} has no ${id}`);
  return found;
};

describe("calls of the local API", () => {
  it("are offered for what can be done", () => {
    const offered = OBJECTS.map((object) =>
      operationsOf(object)
        .map(({ id }) => id)
        .join(" "),
    );
    const all = "list get create update delete";
    expect(offered).toEqual([all, all, all, all, "list get"]);
  });

  it("are written for the shell that runs them", () => {
    expect(snippet("curl", BASE, operation("contacts", "list"), null)).toBe(
      `curl "${BASE}/crm/v2/contacts?page_size=100" \\\n  -H "Authorization: Bearer $SALESMIRROR_API_KEY"`,
    );
    expect(snippet("curl", BASE, operation("contacts", "update"), "smk_x")).toBe(
      [
        `curl -X PATCH "${BASE}/crm/v2/contacts/RECORD_ID" \\`,
        `  -H "Authorization: Bearer smk_x" \\`,
        `  -H "Content-Type: application/json" \\`,
        `  -d '{"record":{"first_name":"Zeno"}}'`,
      ].join("\n"),
    );
    expect(snippet("powershell", BASE, operation("accounts", "create"), null)).toBe(
      [
        `Invoke-RestMethod -Method Post "${BASE}/crm/v2/accounts" \``,
        `  -Headers @{ Authorization = "Bearer $env:SALESMIRROR_API_KEY" } \``,
        `  -ContentType "application/json" \``,
        `  -Body '{"record":{"name":"Norrvale Group","website":"https://norrvale.example"}}'`,
      ].join("\n"),
    );
    expect(snippet("python", BASE, operation("leads", "delete"), null)).toContain(
      `requests.delete(\n    "${BASE}/crm/v2/leads/RECORD_ID",`,
    );
  });
});
