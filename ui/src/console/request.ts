/** A request as it is edited, and what it becomes. */
import type {
  BodyKind,
  ConsoleReply,
  ConsoleRequest,
  ErrorReply,
  Table,
} from "../bridge/generated";
import { jsonProblem } from "./json";

export const METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"] as const;
export type Method = (typeof METHODS)[number];
export const API_PATH = "/api/data/v9.2/";

/** A name and a value on a line of their own, told apart by a number. */
export interface Pair {
  key: number;
  name: string;
  value: string;
}

export interface Draft {
  method: Method;
  path: string;
  query: Pair[];
  headers: Pair[];
  body: string;
}

export type Part = "query" | "headers" | "body";

export const EMPTY: Draft = { method: "GET", path: "", query: [], headers: [], body: "" };

let lastKey = 0;

export function pair(name = "", value = ""): Pair {
  lastKey += 1;
  return { key: lastKey, name, value };
}

/** A request that is to be edited. */
export function toDraft(request: ConsoleRequest): Draft {
  const method = METHODS.find((known) => known === request.method) ?? "GET";
  const pairs = (rows: [string, string][]) => rows.map(([name, value]) => pair(name, value));
  return {
    method,
    path: request.path,
    query: pairs(request.query),
    headers: pairs(request.headers),
    body: request.body ?? "",
  };
}

/** What is sent of a draft. */
export function toRequest(draft: Draft): ConsoleRequest {
  const rows = (pairs: Pair[]) =>
    pairs
      .filter(({ name, value }) => name.trim() !== "" || value !== "")
      .map(({ name, value }): [string, string] => [name.trim(), value]);
  const headers = rows(draft.headers);
  const body = draft.method === "GET" || draft.body.trim() === "" ? null : draft.body;
  // Parts of a batch are told apart by full line ends, which a text field does not make.
  const isParts = contentType(headers).startsWith("multipart/");
  return {
    method: draft.method,
    path: draft.path.trim(),
    query: rows(draft.query),
    headers,
    body: body !== null && isParts ? body.replace(/\r?\n/g, "\r\n") : body,
  };
}

export function isSameRequest(one: ConsoleRequest, other: ConsoleRequest): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function contentType(headers: [string, string][]): string {
  const found = headers.find(([name]) => name.toLowerCase() === "content-type");
  return (found?.[1] ?? "application/json").trim().toLowerCase();
}

/** Whether the body is meant to be JSON. */
export function isJsonBody(request: ConsoleRequest): boolean {
  return /^application\/(?:[\w.+-]+\+)?json\b/.test(contentType(request.headers));
}

/** Why a draft is not sent as it stands, and where that is. */
export function problemOf(draft: Draft): { part: Part; error: ErrorReply } | null {
  const own = (part: Part, message: string, hint: string) => ({
    part,
    error: { code: "not_sent", message, hint, reference: null, link: null },
  });
  for (const [part, what] of [
    ["query", "parameter"],
    ["headers", "header"],
  ] as const) {
    if (draft[part].some(({ name, value }) => name.trim() === "" && value !== "")) {
      return own(part, `A ${what} has a value and no name.`, "Name it, or remove the line.");
    }
  }
  const request = toRequest(draft);
  if (request.body === null || !isJsonBody(request)) return null;
  const problem = jsonProblem(request.body);
  if (!problem) return null;
  return own(
    "body",
    `The body is no JSON: ${problem.message.toLowerCase()} (line ${problem.line}, column ${problem.column}).`,
    "Mend it, or say with Content-Type what else it is.",
  );
}

/** An address of this environment becomes the path that it is; everything else stays as it was typed. */
export function relativePath(typed: string, environment: string): string {
  const text = typed.trimStart();
  const below = `${environment.replace(/\/+$/, "")}/api/data/`.toLowerCase();
  const isBelow = text.toLowerCase().startsWith(below);
  if (!isBelow) return typed;
  return text.slice(below.length).replace(/^v\d+(?:\.\d+)*\/?/i, "");
}

/** The address of a request, as core makes it. */
export function addressOf(request: ConsoleRequest, environment: string): string {
  const path = request.path.replace(/^\/api\/data\/v9\.2\//, "").replace(/^\//, "");
  const [place = "", ...typed] = path.split("?");
  const parts = typed.length > 0 && typed.join("?") !== "" ? [typed.join("?")] : [];
  for (const [name, value] of request.query) parts.push(`${encoded(name)}=${encoded(value)}`);
  const query = parts.length > 0 ? `?${parts.join("&")}` : "";
  const host = environment.replace(/\/+$/, "");
  return `${host}${API_PATH}${place}${query}`.replaceAll(" ", "%20");
}

/** What OData writes often stays readable. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/%(24|40|2C|3A|3B|2F)/g, decodeURIComponent);
}

/** The same request for a terminal. The token is the reader's own. */
export function curlOf(request: ConsoleRequest, environment: string): string {
  const quoted = (text: string) =>
    text.includes("\r")
      ? `$'${text.replace(/[\\']/g, "\\$&").replaceAll("\r", "\\r").replaceAll("\n", "\\n")}'`
      : `'${text.replaceAll("'", "'\\''")}'`;
  const address = addressOf(request, environment);
  const lines = [
    `curl ${request.method === "GET" ? "" : `-X ${request.method} `}${/[[\]{}]/.test(address) ? "-g " : ""}${quoted(address)}`,
    '-H "Authorization: Bearer $TOKEN"',
    "-H 'Accept: application/json'",
    "-H 'OData-MaxVersion: 4.0'",
    "-H 'OData-Version: 4.0'",
  ];
  const headers = [...request.headers];
  if (request.body !== null && !headers.some(([name]) => name.toLowerCase() === "content-type")) {
    headers.push(["Content-Type", "application/json"]);
  }
  for (const [name, value] of headers) lines.push(`-H ${quoted(`${name}: ${value}`)}`);
  if (request.body !== null) lines.push(`--data-raw ${quoted(request.body)}`);
  return lines.join(" \\\n  ");
}

const REASONS: { [status: number]: string } = {
  200: "OK",
  201: "Created",
  202: "Accepted",
  204: "No content",
  304: "Not modified",
  400: "Bad request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not found",
  405: "Method not allowed",
  409: "Conflict",
  412: "Precondition failed",
  413: "Too large",
  415: "Unsupported type",
  429: "Too many requests",
  500: "Server error",
  501: "Not implemented",
  502: "Bad gateway",
  503: "Unavailable",
  504: "Gateway time-out",
};

/** "404 Not found". */
export function statusText(status: number): string {
  const reason = REASONS[status];
  return reason ? `${status} ${reason}` : String(status);
}

export function isRefusal(status: number): boolean {
  return status >= 400 || (status >= 300 && status !== 304);
}

/** The name that a reply's file is suggested to have. */
export function fileName(request: ConsoleRequest, reply: ConsoleReply): string {
  const path = request.path.replace(/^\/?(?:api\/data\/v[\d.]+\/)?/, "");
  const segments = (path.split("?")[0] ?? "").split("/").filter((part) => part !== "");
  const words = segments.map((part) => part.replace(/\(.*$/, "").replace(/[^\w.-]/g, ""));
  const name = words.filter((word) => word !== "").join(" ") || "reply";
  return `${name}.${ending(reply.kind, reply.headers)}`;
}

function ending(kind: BodyKind, headers: [string, string][]): string {
  if (kind === "json") return "json";
  if (kind === "base64") return "bin";
  const type = contentType(headers);
  if (type.includes("xml")) return "xml";
  return type.includes("html") ? "html" : "txt";
}

/** What a path names: a table of the mirror, a record of it, and what follows. */
export interface Target {
  set: string;
  table: Table | undefined;
  /** The key as it was written, without parentheses. */
  key: string | null;
  /** Segments below the record or the set. */
  rest: string[];
}

export function targetOf(path: string, tables: Table[]): Target {
  const plain = (path.split("?")[0] ?? "").replace(/^\/?(?:api\/data\/v[\d.]+\/)?/, "").trim();
  const [first = "", ...rest] = plain.split("/");
  const [set = "", ...key] = first.split("(");
  return {
    set,
    table: tables.find((table) => table.entity_set !== null && table.entity_set === set),
    key: key.length > 0 ? key.join("(").replace(/\)\s*$/, "") : null,
    rest: rest.filter((part) => part !== ""),
  };
}
