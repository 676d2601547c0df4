import { expect, test } from "vitest";
import type { Setup, SetupDraft } from "../bridge/generated";
import { canGo, caption, monthsAhead, nameFrom, obstacle, stepThatMends, whatToFix } from "./steps";

const draft: SetupDraft = {
  step: "credentials",
  reached: "sign_in",
  name: "Norrvale",
  cloud: "commercial",
  authority: "",
  discovery: "",
  tenant: "",
  way: "portal",
  public_client: false,
  redirect_port: null,
  client_id: "5f1c0f64-2a57-4b5a-9c53-0d3f4c3ba001",
  has_secret: true,
  secret_expires: null,
  environment: "https://norrvale.crm4.dynamics.com/main.aspx",
  unattended: false,
  signed_in: false,
};
const setup = (fields: string[] = [], part: Partial<SetupDraft> = {}): Setup => ({
  draft: { ...draft, ...part },
  problems: fields.map((field) => ({ field, message: `${field} is wrong` })),
  guide: {} as Setup["guide"],
  clouds: [{ id: "commercial", name: "Commercial", example: "" }],
  user: "dana@norrvale.example",
});

test("a step is left once its own fields are right", () => {
  expect(obstacle(setup(), "credentials")).toBeNull();
  expect(obstacle(setup(["client_secret"]), "credentials")).toBe("client_secret is wrong");
  expect(obstacle(setup(["client_secret"]), "environment")).toBeNull();
  expect(obstacle(setup(), "sign_in")).toBe("Sign in to continue");
  expect(obstacle(setup([], { signed_in: true }), "sign_in")).toBeNull();
  expect(whatToFix(setup(["client_secret"]), "credentials")).toBe("Enter the secret to continue");
});

test("the rail leads to what was reached, past nothing that is wrong", () => {
  expect(canGo(setup(), "sign_in")).toBe(true);
  expect(canGo(setup(), "check")).toBe(false);
  expect(canGo(setup(["client_id"]), "credentials")).toBe(true);
  expect(canGo(setup(["client_id"]), "environment")).toBe(false);
  expect(canGo(setup([], { reached: "check", signed_in: true }), "check")).toBe(true);
});

test("the rail says what was decided", () => {
  expect(caption(setup([], { tenant: "norrvale.example" }), "choose")).toBe(
    "Commercial, norrvale.example",
  );
  expect(caption(setup([], { cloud: "own" }), "choose")).toBe("Own service");
  expect(caption(setup(), "environment")).toBe("norrvale.crm4.dynamics.com");
  expect(caption(setup([], { secret_expires: "2028-03-11" }), "credentials")).toBe(
    "Secret expires 2028-03-11",
  );
  expect(caption(setup([], { signed_in: true }), "sign_in")).toBe("dana@norrvale.example");
});

test("a connection is named after its environment's host", () => {
  for (const [environment, name] of [
    ["https://norrvale.crm4.dynamics.com/", "Norrvale"],
    ["norrvale.crm4.dynamics.com", "Norrvale"],
    ["http://localhost:8400", "Localhost"],
    ["", ""],
  ] as const) {
    expect(nameFrom(environment)).toBe(name);
  }
});

test("months ahead are days of the calendar", () => {
  expect(monthsAhead(new Date(2026, 10, 25), 24)).toBe("2028-11-25");
  expect(monthsAhead(new Date(2026, 10, 25), 6)).toBe("2027-05-25");
});

test("an error leads to the step that mends it", () => {
  expect(stepThatMends("invalid_client_secret")?.title).toBe("Credentials");
  expect(stepThatMends("resource_not_found")?.step).toBe("environment");
  // Microsoft's own pages mend these.
  expect(stepThatMends("user_not_assigned")).toBeUndefined();
});
