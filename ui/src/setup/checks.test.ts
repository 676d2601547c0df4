import { expect, test } from "vitest";
import type { Check, Finding } from "../bridge/generated";
import { grouped, headline, listed, partial, unreadable } from "./checks";

const check = (name: string, finding: Finding, detail = "All rows", raw: string | null = null) => {
  const table = /^(?:Read|Change tracking) (\w+)$/.exec(name)?.[1] ?? null;
  return { name, table, finding, detail, hint: "", raw, link: null } satisfies Check;
};
const healthy = [
  check("Signed in", "passed", "dana"),
  check("Read account", "passed"),
  check("Read contact", "passed"),
  check("Read systemuser", "passed"),
  check("Change tracking account", "passed", "On"),
  check("Change tracking contact", "passed", "On"),
];

test("tables of which the same is said share a line", () => {
  expect(grouped(healthy).map((line) => line.name)).toEqual([
    "Signed in",
    "Read Accounts, Contacts, Users",
    "Change tracking Accounts, Contacts",
  ]);
  const refused = check("Read contact", "failed", "Refused", "0x80040220");
  const lines = grouped(healthy.map((known) => (known.name === refused.name ? refused : known)));
  expect(lines.map((line) => line.name)).toContain("Read Contacts");
  expect(lines.map((line) => line.name)).toContain("Read Accounts, Users");
});

test("the title says the situation", () => {
  expect(headline(healthy, false).title).toBe("Everything is ready");
  expect(headline([], false).title).toBe("Checking");
  expect(headline([...healthy, check("Row counts", "running")], false).title).toBe("Checking");
  const failing = [...healthy, check("Read lead", "failed")];
  expect(headline(failing, false)).toEqual({
    title: "One check needs you",
    summary: "6 passed, 1 failed. Everything but Leads is ready to sync.",
  });
  expect(headline([...failing, check("Read opportunity", "failed")], false).title).toBe(
    "2 checks need you",
  );
  expect(headline([...healthy, check("Read lead", "caution")], false).title).toBe(
    "Ready, with something to know",
  );
  expect(headline(healthy, true).title).toBe("The checks could not run");
});

test("what cannot be read can be left out", () => {
  const checks = [...healthy, check("Read lead", "failed"), check("Read opportunity", "caution")];
  expect(unreadable(checks)).toEqual(["lead"]);
  expect(partial(checks)).toEqual(["opportunity"]);
  expect(listed(["lead", "opportunity", "systemuser"])).toBe("Leads, Opportunities and Users");
  expect(listed(["lead"])).toBe("Leads");
});
