/** What a write will do, in words, before it is sent. */
import type { ConsoleRequest, Table } from "../bridge/generated";
import { targetOf } from "./request";

export interface WriteWords {
  /** A question. */
  title: string;
  /** The same verb, on the button. */
  verb: string;
  /** What one should know before it happens. */
  note: string;
  /** Whether something goes that this does not bring back. */
  isDanger: boolean;
  /** The record of the mirror that it is about. */
  record: { table: Table; id: string } | null;
}

const GUID = /^[\s'{]*([\da-f]{8}-?(?:[\da-f]{4}-?){3}[\da-f]{12})[\s'}]*$/i;

export function wordsOf(request: ConsoleRequest, tables: Table[]): WriteWords {
  const target = targetOf(request.path, tables);
  const { table, key, rest } = target;
  const label = table?.label.toLowerCase();
  const one = label ?? "record";
  const id = key === null ? undefined : GUID.exec(key.split("=").at(-1) ?? "")?.[1];
  const record = table && id ? { table, id } : null;
  const last = rest.at(-1) ?? "";
  const part = last === "$ref" || last === "$value" ? (rest.at(-2) ?? "") : last;
  const words = (title: string, verb: string, note: string, isDanger = false): WriteWords => ({
    title,
    verb,
    note,
    isDanger,
    record,
  });
  const rather = "What it changes is up to Dynamics 365. The mirror follows with its next sync.";

  if (target.set === "$batch") {
    return words("Send this batch?", "Send", `It may hold many changes. ${rather}`);
  }
  if (last === "$ref") {
    return request.method === "DELETE"
      ? words(`Remove this link of the ${one}?`, "Remove", "Both records stay.", true)
      : words(`Set this link of the ${one}?`, "Set", "Both records stay as they are otherwise.");
  }
  switch (request.method) {
    case "DELETE":
      if (key !== null && rest.length === 0) {
        return words(
          `Delete this ${one}?`,
          "Delete",
          "Dynamics 365 deletes it, with what belongs to it by its relationships. It does not come back.",
          true,
        );
      }
      if (key !== null) {
        return words(
          `Clear ${part} of this ${one}?`,
          "Clear",
          "Its value goes; the record stays.",
          true,
        );
      }
      break;
    case "PATCH":
      if (key !== null && rest.length === 0) {
        const isGuarded = request.headers.some(([name]) => name.toLowerCase() === "if-match");
        return words(
          `Update this ${one}?`,
          "Update",
          isGuarded
            ? "Only the columns in the body change."
            : "Only the columns in the body change. Where there is no record of this key Dynamics 365 creates one; the header If-Match: * prevents that.",
        );
      }
      break;
    case "PUT":
      if (key !== null && rest.length > 0) {
        return words(`Change ${part} of this ${one}?`, "Change", "Nothing else changes.");
      }
      break;
    case "POST":
      if (key === null && rest.length === 0 && table) {
        return words(
          `Create ${article(one)} ${one}?`,
          "Create",
          "Each time it is sent it makes one more.",
        );
      }
      if (rest.length > 0 || !table) {
        const name = (part || target.set).replace(/^Microsoft\.Dynamics\.CRM\./, "").split("(")[0];
        if (name) return words(`Run ${name}?`, "Run", rather);
      }
      break;
  }
  return words(`Send this ${request.method} request?`, "Send", rather, request.method === "DELETE");
}

function article(noun: string): string {
  return /^[aeio]/i.test(noun) ? "an" : "a";
}
