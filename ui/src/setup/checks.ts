/** The list of checks as it is shown: lines that say the same of several tables are one. */
import type { Check } from "../bridge/generated";
import { plural } from "../format";

const TABLE_WORDS: Record<string, string> = {
  account: "Accounts",
  contact: "Contacts",
  lead: "Leads",
  opportunity: "Opportunities",
  systemuser: "Users",
};

export function tableWord(table: string): string {
  return TABLE_WORDS[table] ?? table;
}

/** "Read Accounts, Contacts", where both can be read in the same way. */
export function grouped(checks: Check[]): Check[] {
  const lines: Check[] = [];
  for (const check of checks) {
    const kind = check.table ? check.name.slice(0, -check.table.length).trim() : null;
    if (!check.table || kind === null) {
      lines.push(check);
      continue;
    }
    const named = { ...check, name: `${kind} ${tableWord(check.table)}` };
    const before = lines.findIndex(
      (line) =>
        line.table !== null &&
        line.name.startsWith(`${kind} `) &&
        line.finding === check.finding &&
        line.detail === check.detail &&
        line.raw === null &&
        check.raw === null,
    );
    const known = lines[before];
    if (known) {
      lines[before] = { ...known, name: `${known.name}, ${tableWord(check.table)}` };
    } else {
      lines.push(named);
    }
  }
  return lines;
}

/** Tables that cannot be read. */
export function unreadable(checks: Check[]): string[] {
  return checks
    .filter((check) => check.finding === "failed" && check.name.startsWith("Read "))
    .flatMap((check) => check.table ?? []);
}

/** Tables that are read only in part. */
export function partial(checks: Check[]): string[] {
  return checks
    .filter((check) => check.finding === "caution" && check.name.startsWith("Read "))
    .flatMap((check) => check.table ?? []);
}

/** "Accounts", "Accounts and Leads", "Accounts, Leads and Users". */
export function listed(tables: string[]): string {
  const words = tables.map(tableWord);
  const last = words.pop() ?? "";
  return words.length === 0 ? last : `${words.join(", ")} and ${last}`;
}

export function headline(checks: Check[], hasError: boolean): { title: string; summary: string } {
  const count = (finding: Check["finding"]) =>
    checks.filter((check) => check.finding === finding).length;
  const [passed, failed, caution, running] = [
    count("passed"),
    count("failed"),
    count("caution"),
    count("running"),
  ];
  const parts = [`${passed} passed`];
  if (failed) parts.push(`${failed} failed`);
  if (caution) parts.push(`${caution} to look at`);
  if (running && !hasError) parts.push(`${running} running`);
  const summary = `${parts.join(", ")}. `;
  if (hasError) return { title: "The checks could not run", summary: "Nothing was changed." };
  if (failed) {
    const without = unreadable(checks);
    const rest = without.length > 0 ? `Everything but ${listed(without)} is ready to sync.` : "";
    return {
      title: failed === 1 ? "One check needs you" : `${failed} checks need you`,
      summary: summary + rest,
    };
  }
  if (running || checks.length === 0) {
    return { title: "Checking", summary: checks.length === 0 ? "" : summary };
  }
  if (caution) {
    return {
      title: "Ready, with something to know",
      summary: `${summary}The sync works; ${plural(caution, "line says", "lines say")} what would make it better.`,
    };
  }
  return { title: "Everything is ready", summary: `${summary}The first sync can start.` };
}
