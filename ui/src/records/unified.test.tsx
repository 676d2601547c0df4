import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Connection } from "../bridge/generated";
import { grouped, unifiedFields } from "./unified";
import { UnifiedTab } from "./unified-tab";

const OWNER = "00000000-0000-0000-0000-000000000001";
const PARENT = "00000000-0000-0000-0000-000000000002";
const JSON_TEXT = `{"id":"00000000-0000-0000-0000-0000000000aa","created_at":"2026-03-12T14:27:00Z",
"updated_at":null,"last_modified_at":null,"is_deleted":false,"owner_id":"${OWNER}","owner_type":"team",
"name":"Fjord, \\"amount\\":1, {\\"annual_revenue\\":2}","annual_revenue":922337203685477.5800,"currency":"SEK",
"addresses":[{"street_1":"Kaia 1","street_2":null,"city":"Oslo","state":null,"postal_code":"0150",
"country":"Norway","address_type":"primary"},{"street_1":null,"street_2":null,"city":"Bergen","state":"Vestland",
"postal_code":null,"country":"Norway","address_type":"billing"}],
"phone_numbers":[{"phone_number":"+47 1","phone_number_type":"mobile"},{"phone_number":"+47 1","phone_number_type":"fax"}],
"email_addresses":[],"parent_account_id":"${PARENT}","lifecycle_stage":null}`.replaceAll("\n", "");

const field = (name: string) => {
  const found = unifiedFields(JSON_TEXT).find((one) => one.name === name);
  if (!found) throw new Error(name);
  return found;
};

describe("a unified object", () => {
  afterEach(cleanup);

  it("has its own fields first, each with a readable label", () => {
    const names = unifiedFields(JSON_TEXT).map(({ name }) => name);
    expect(names[0]).toBe("name");
    expect(names.slice(-5)).toEqual(["owner_id", "created_at", "updated_at", "is_deleted", "id"]);
    expect(names).not.toContain("last_modified_at");
    expect(field("annual_revenue").label).toBe("Annual revenue");
    expect(field("parent_account_id").label).toBe("Parent account");
  });

  it("keeps every digit of an amount, whatever texts hold", () => {
    expect(field("annual_revenue").lines).toEqual([
      { text: "922,337,203,685,477.58", note: "SEK" },
    ]);
    for (const [digits, text] of [
      ["4990.0000000000", "4,990"],
      ["-1250.7501", "-1,250.7501"],
      ["0.5", "0.5"],
      ["1.10e3", "1.10e3"],
      ["123", "123"],
    ] as const) {
      expect(grouped(digits)).toBe(text);
    }
  });

  it("lists addresses and numbers with their types", () => {
    expect(field("addresses").lines).toEqual([
      { text: "Kaia 1\n0150 Oslo\nNorway", note: "primary" },
      { text: "Bergen\nVestland, Norway", note: "billing" },
    ]);
    expect(field("phone_numbers").lines.map(({ note }) => note)).toEqual(["mobile", "fax"]);
    expect(field("email_addresses").lines).toEqual([]);
    expect(field("lifecycle_stage").lines).toEqual([]);
    expect(field("is_deleted").lines).toEqual([{ text: "No" }]);
  });

  it("opens the records of mirrored tables, and says of others who they are", () => {
    const onOpen = vi.fn();
    const connection = { tables: [{ name: "account" }] } as Connection;
    render(
      <UnifiedTab
        connection={connection}
        json={JSON_TEXT}
        names={new Map([[PARENT, "Oresund Energy"]])}
        onOpenRecord={onOpen}
      />,
    );
    // Programs get the id, people read the name.
    const parent = screen.getByRole("button", { name: "Oresund Energy" });
    expect(parent.title).toBe(PARENT);
    fireEvent.click(parent);
    expect(onOpen).toHaveBeenCalledWith("account", PARENT);
    // Teams are not mirrored here.
    expect(screen.queryByRole("button", { name: OWNER })).toBeNull();
    expect(screen.getByText(OWNER).parentElement?.textContent).toContain("team");
    expect(screen.getAllByText("–")).toHaveLength(3);
  });
});
