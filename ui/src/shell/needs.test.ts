import { describe, expect, it } from "vitest";
import type { Connection, ErrorReply, Table } from "../bridge/generated";
import { needsOf, whose } from "./needs";

const error = (code: string, message: string): ErrorReply =>
  ({ code, message, hint: "Do this.", reference: null }) as unknown as ErrorReply;
const table = (over: Partial<Table>): Table =>
  ({
    name: "lead",
    label_plural: "Leads",
    state: "in_sync",
    error: null,
    guard: null,
    ...over,
  }) as Table;
const connection = (over: Partial<Connection>): Connection =>
  ({
    id: "1",
    name: "Norrvale",
    kind: "production",
    signed_in: true,
    problem: null,
    warnings: [],
    notice: null,
    tables: [],
    ...over,
  }) as Connection;

describe("what waits for the admin", () => {
  const guard = { would_delete: 1204, live_before: 5000, examples: [] };
  const refused = error("forbidden", "Your role reads only your own leads.");
  it.each<[string, Partial<Connection>, string[]]>([
    ["nothing", { tables: [table({})] }, []],
    [
      "a sign-in that ended",
      { signed_in: false, problem: error("signed_out", "The password changed.") },
      ["Sign in again to keep syncing. The password changed."],
    ],
    [
      "a table that fails",
      { tables: [table({ state: "failed", error: refused })] },
      ["Leads could not be synced. Your role reads only your own leads."],
    ],
    [
      "the same reason as the connection's is told once",
      {
        problem: error("keychain_locked", "The keychain is locked."),
        tables: [table({ state: "failed", error: error("keychain_locked", "Locked.") })],
      },
      ["The keychain is locked. Do this."],
    ],
    [
      "the guard's question",
      { tables: [table({ state: "needs_confirmation", guard })] },
      ["Leads wait for your answer. 1,204 rows were not in what Dynamics 365 sent."],
    ],
    [
      "what holds something up comes first",
      {
        warnings: ["The secret ends in 7 days."],
        notice: "A damaged copy was moved aside.",
        tables: [table({ state: "failed", error: refused })],
      },
      [
        "Leads could not be synced. Your role reads only your own leads.",
        "The secret ends in 7 days.",
        "A damaged copy was moved aside.",
      ],
    ],
  ])("%s", (_, over, expected) => {
    const needs = needsOf([connection(over)]);
    expect(needs.map(({ title, detail }) => `${title} ${detail}`.trim())).toEqual(expected);
    expect(new Set(needs.map((need) => need.key)).size).toBe(needs.length);
  });

  it("says whose it is where there are several", () => {
    const one = connection({ warnings: ["The secret ends in 7 days."] });
    const other = connection({ ...one, id: "2", name: "Sandbox" });
    const needs = needsOf([one, other]);
    expect(needs.map((need) => whose(need, [one, other]))).toEqual(["Norrvale", "Sandbox"]);
    expect(needs.map((need) => whose(need, [one]))).toEqual([null, null]);
  });
});
