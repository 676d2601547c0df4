/** The wizard's steps: their order, their words, and which fields each must have right. */
import type { Setup, SetupDraft, SetupStep } from "../bridge/generated";

export interface StepText {
  step: SetupStep;
  title: string;
  /** Fields whose problems keep one on the step. */
  fields: string[];
}

export const STEPS: StepText[] = [
  { step: "choose", title: "Choose", fields: ["authority", "discovery", "tenant"] },
  { step: "register", title: "Register the app", fields: [] },
  { step: "redirect", title: "Redirect URI", fields: [] },
  { step: "permission", title: "API permission", fields: [] },
  {
    step: "credentials",
    title: "Credentials",
    fields: ["tenant", "client_id", "client_secret", "secret_expires"],
  },
  { step: "environment", title: "Environment", fields: ["environment", "name"] },
  { step: "sign_in", title: "Sign in", fields: ["unattended"] },
  { step: "check", title: "Check", fields: [] },
];

export function indexOf(step: SetupStep): number {
  return STEPS.findIndex((known) => known.step === step);
}

export function stepAt(index: number): SetupStep {
  return STEPS[Math.max(0, Math.min(index, STEPS.length - 1))]?.step ?? "choose";
}

/** What keeps one on a step; `null` where nothing does. */
export function obstacle(setup: Setup, step: SetupStep): string | null {
  const fields = STEPS[indexOf(step)]?.fields ?? [];
  const problem = setup.problems.find((found) => fields.includes(found.field));
  if (problem) return problem.message;
  if (step === "sign_in" && !setup.draft.signed_in) return "Sign in to continue";
  return null;
}

/** The field of a step that is to be mended first, in two or three words. */
export function whatToFix(setup: Setup, step: SetupStep): string | null {
  const fields = STEPS[indexOf(step)]?.fields ?? [];
  const problem = setup.problems.find((found) => fields.includes(found.field));
  const word = problem ? FIELD_WORDS[problem.field] : undefined;
  return word ? `${word} to continue` : obstacle(setup, step);
}

const FIELD_WORDS: Record<string, string> = {
  authority: "Enter the sign-in service",
  discovery: "Fix the discovery address",
  tenant: "Fix the tenant",
  client_id: "Enter the client ID",
  client_secret: "Enter the secret",
  secret_expires: "Fix the date",
  environment: "Enter the environment",
  name: "Name the connection",
  unattended: "Change the platform",
};

/** Where the rail may lead: steps that were reached, as long as those before them are right. */
export function canGo(setup: Setup, step: SetupStep): boolean {
  const target = indexOf(step);
  if (target > indexOf(setup.draft.reached)) return false;
  return STEPS.slice(0, target).every((before) => obstacle(setup, before.step) === null);
}

/** What was decided in a step, for the rail. */
export function caption(setup: Setup, step: SetupStep): string {
  const { draft } = setup;
  switch (step) {
    case "choose": {
      const cloud = setup.clouds.find((known) => known.id === draft.cloud)?.name ?? "Own service";
      return draft.tenant ? `${cloud}, ${draft.tenant}` : cloud;
    }
    case "register":
      return WAYS[draft.way];
    case "redirect":
      return draft.public_client ? "Mobile and desktop" : "Web";
    case "permission":
      return "user_impersonation";
    case "credentials":
      return draft.secret_expires ? `Secret expires ${draft.secret_expires}` : draft.client_id;
    case "environment":
      return draft.environment.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
    case "sign_in":
      return draft.signed_in ? (setup.user ?? "Signed in") : "";
    case "check":
      return "";
  }
}

const WAYS: Record<SetupDraft["way"], string> = {
  portal: "Guided in the portal",
  azure_cli: "By script, Azure CLI",
  powershell: "By script, PowerShell",
  exists: "Exists already",
};

/** A name for a connection, from the host of its environment: "contoso". */
export function nameFrom(environment: string): string {
  const host = environment.trim().replace(/^https?:\/\//, "");
  const first = host.split(/[./:]/)[0] ?? "";
  return first.charAt(0).toUpperCase() + first.slice(1);
}

/** A day so many months ahead, as `YYYY-MM-DD`. */
export function monthsAhead(today: Date, months: number): string {
  const day = new Date(Date.UTC(today.getFullYear(), today.getMonth() + months, today.getDate()));
  return day.toISOString().slice(0, 10);
}

/** Where in the set-up an error is mended; what is done in the portal alone is mended there. */
const MENDED: { [code: string]: SetupStep } = {
  invalid_client_secret: "credentials",
  secret_expired: "credentials",
  secret_missing: "credentials",
  public_client_with_secret: "redirect",
  client_not_found: "credentials",
  tenant_not_found: "choose",
  redirect_uri_not_registered: "redirect",
  redirect_uri_single_page: "redirect",
  permission_missing: "permission",
  resource_not_found: "environment",
};

export function stepThatMends(code: string): StepText | undefined {
  return STEPS.find(({ step }) => step === MENDED[code]);
}
