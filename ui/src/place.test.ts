import { expect, test } from "vitest";
import { type Place, readPlace, samePage, writePlace } from "./place";

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
    { page: "console", connection: "5f1c" },
    { page: "connect" },
  ];
  for (const place of places) expect(readPlace(writePlace(place))).toEqual(place);
});

test("an address that means nothing is home", () => {
  for (const hash of ["", "#", "#/", "#/nowhere", "#/table/only"]) {
    expect(readPlace(hash)).toEqual({ page: "home", connection: null });
  }
});

test("another connection is shown at the same page", () => {
  const other = { id: "2", tables: [{ name: "contact" }] };
  const at = (place: Place) => writePlace(samePage(place, other));
  expect(at({ page: "table", connection: "1", table: "contact" })).toBe("#/table/2/contact");
  expect(at({ page: "table", connection: "1", table: "lead" })).toBe("#/home/2");
  expect(at({ page: "settings", connection: "1" })).toBe("#/settings/2");
  expect(at({ page: "console", connection: "1" })).toBe("#/console/2");
});
