import { expect, test } from "vitest";
import { type Place, readPlace, writePlace } from "./place";

test("a place survives the address", () => {
  const places: Place[] = [
    { page: "home", connection: null },
    { page: "home", connection: "5f1c" },
    { page: "table", connection: "5f1c", table: "new_odd/name" },
    {
      page: "table",
      connection: "5f1c",
      table: "contact",
      ask: { filters: [{ column: "city", op: "in", values: ["Å/b#?"] }], record: "1" },
    },
    { page: "connect" },
  ];
  for (const place of places) expect(readPlace(writePlace(place))).toEqual(place);
});

test("an address that means nothing is home", () => {
  for (const hash of ["", "#", "#/", "#/nowhere", "#/table/only"]) {
    expect(readPlace(hash)).toEqual({ page: "home", connection: null });
  }
});
