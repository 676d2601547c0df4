import { describe, expect, it, vi } from "vitest";
import type { AppState, Connection, Table } from "../bridge/generated";
import { type Doings, matching, standingEntries } from "./entries";

const table = { name: "contact", label_plural: "Contacts", progress: null } as Table;
const connection = {
  id: "1",
  name: "One",
  organization: "Norrvale",
  kind: "production",
  signed_in: true,
  tables: [table],
} as Connection;
const other = { ...connection, id: "2", name: "Contoso", kind: "sandbox" } as Connection;
const app = { theme: "system", connections: [connection, other] } as AppState;
const doings = new Proxy({} as Doings, { get: () => vi.fn() });
const titles = (entries: { title: string }[]) => entries.map((entry) => entry.title);

describe("the palette", () => {
  it("offers what makes sense where one is", () => {
    const onTable = titles(standingEntries(app, connection, "contact", doings));
    expect(onTable).toContain("Sync Contacts now");
    expect(onTable).toContain("Export Contacts");
    expect(onTable).toContain("Switch to Contoso");
    expect(onTable).not.toContain("Use the system's theme");
    const signedOut = { ...connection, signed_in: false };
    const atHome = titles(standingEntries(app, signedOut, undefined, doings));
    expect(atHome).toContain("Sign in again");
    expect(atHome.some((title) => title.startsWith("Sync"))).toBe(false);
    expect(atHome).toContain("Export Contacts");
    expect(atHome).toContain("Disconnect One");
  });

  it("finds by words in any order of typing, commands alone behind >", () => {
    const entries = standingEntries(app, connection, "contact", doings);
    expect(titles(matching(entries, "cont"))).toContain("Contacts");
    expect(titles(matching(entries, ">cont"))).toEqual([
      "Sync Contacts now",
      "Full resync of Contacts",
      "Export Contacts",
    ]);
    expect(matching(entries, "nothing at all")).toEqual([]);
    expect(matching(entries, "")).toHaveLength(entries.length);
  });
});
