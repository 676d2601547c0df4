import { describe, expect, it } from "vitest";
import type { ConsoleReply, ConsoleRequest, Table } from "../bridge/generated";
import {
  addressOf,
  curlOf,
  type Draft,
  EMPTY,
  fileName,
  pair,
  problemOf,
  relativePath,
  targetOf,
  toDraft,
  toRequest,
} from "./request";

const ENVIRONMENT = "https://norrvale.crm4.dynamics.com/";
const request = (by: Partial<ConsoleRequest>): ConsoleRequest => ({
  method: "GET",
  path: "",
  query: [],
  headers: [],
  body: null,
  ...by,
});
const draft = (by: Partial<Draft>): Draft => ({ ...EMPTY, ...by });

describe("a draft", () => {
  it("becomes the request that it came from", () => {
    const before = request({
      method: "PATCH",
      path: "accounts(1)?$select=name",
      query: [["$expand", "a($select=b)"]],
      headers: [["If-Match", "*"]],
      body: '{"a":1}',
    });
    expect(toRequest(toDraft(before))).toEqual(before);
  });

  it("loses what says nothing, and a body that GET has not", () => {
    const typed = draft({
      path: "  accounts ",
      query: [pair(" $top ", "1"), pair(), pair("empty", "")],
      body: "{}",
    });
    const query = [
      ["$top", "1"],
      ["empty", ""],
    ];
    expect(toRequest(typed)).toMatchObject({ path: "accounts", query, body: null });
    expect(toRequest({ ...typed, method: "POST" }).body).toBe("{}");
    expect(toRequest({ ...typed, method: "POST", body: " \n" }).body).toBeNull();
  });

  it("has full line ends where it is a batch", () => {
    const headers = [pair("content-type", "multipart/mixed; boundary=b")];
    const typed = draft({ method: "POST", path: "$batch", headers, body: "--b\nA: b\r\n\n--b--" });
    expect(toRequest(typed).body).toBe("--b\r\nA: b\r\n\r\n--b--");
    expect(problemOf(typed)).toBeNull();
  });

  it("is not sent with a body that is no JSON, or with a value without a name", () => {
    const post = (by: Partial<Draft>) => draft({ method: "POST", path: "accounts", ...by });
    expect(problemOf(post({ body: '{"name": "A"}' }))).toBeNull();
    expect(problemOf(draft({ body: "{" }))).toBeNull();
    const problem = problemOf(post({ body: '{"name" "A"}' }));
    expect(problem?.part).toBe("body");
    expect(problem?.error.message).toBe(
      "The body is no JSON: a colon is expected here (line 1, column 9).",
    );
    for (const [type, isRefused] of [
      ["application/json; odata.metadata=minimal", true],
      ["application/merge-patch+json", true],
      ["text/plain", false],
    ] as const) {
      const headers = [pair("Content-Type", type)];
      expect([type, problemOf(post({ headers, body: "{" })) !== null]).toEqual([type, isRefused]);
    }
    expect(problemOf(draft({ query: [pair("", "1")] }))?.part).toBe("query");
    expect(problemOf(draft({ headers: [pair(" ", "1")] }))?.part).toBe("headers");
  });
});

describe("an address", () => {
  it("of this environment becomes a path", () => {
    for (const [typed, path] of [
      [`${ENVIRONMENT}api/data/v9.2/accounts?$top=1`, "accounts?$top=1"],
      ["HTTPS://Norrvale.crm4.dynamics.com/api/data/v9.1/accounts(1)", "accounts(1)"],
      [`${ENVIRONMENT}api/data/v9.2`, ""],
      ["https://norrvale.crm4.dynamics.com.evil.example/api/data/v9.2/x", null],
      ["https://evil.example/api/data/v9.2/x", null],
      ["accounts", null],
      [" accounts", null],
    ] as const) {
      expect(relativePath(typed, ENVIRONMENT)).toBe(path ?? typed);
    }
  });

  it("is what core makes of path and parameters", () => {
    for (const [path, query, expected] of [
      ["WhoAmI", [], "WhoAmI"],
      ["/api/data/v9.2/WhoAmI", [], "WhoAmI"],
      [
        "accounts",
        [["$filter", "name eq 'A & B=C'"]],
        "accounts?$filter=name%20eq%20'A%20%26%20B%3DC'",
      ],
      ["accounts?$top=1", [["$select", "name,a/b"]], "accounts?$top=1&$select=name,a/b"],
      ["accounts?", [["å", "!(*)~"]], "accounts?%C3%A5=!(*)~"],
    ] as [string, [string, string][], string][]) {
      expect(addressOf(request({ path, query }), ENVIRONMENT)).toBe(
        `${ENVIRONMENT}api/data/v9.2/${expected}`,
      );
    }
  });
});

describe("curl", () => {
  it("has everything but the token", () => {
    expect(curlOf(request({ path: "WhoAmI" }), ENVIRONMENT).split(" \\\n  ")).toEqual([
      "curl 'https://norrvale.crm4.dynamics.com/api/data/v9.2/WhoAmI'",
      '-H "Authorization: Bearer $TOKEN"',
      "-H 'Accept: application/json'",
      "-H 'OData-MaxVersion: 4.0'",
      "-H 'OData-Version: 4.0'",
    ]);
    const write = curlOf(
      request({
        method: "PATCH",
        path: "accounts(name='O''Hara')",
        headers: [["If-Match", "*"]],
        body: '{"name":"it\'s"}',
      }),
      ENVIRONMENT,
    );
    expect(write).toContain("curl -X PATCH 'https");
    expect(write).toContain(`accounts(name='\\''O'\\'''\\''Hara'\\'')'`);
    expect(write).toContain("-H 'If-Match: *'");
    expect(write).toContain("-H 'Content-Type: application/json'");
    expect(write.endsWith(`--data-raw '{"name":"it'\\''s"}'`)).toBe(true);
    const batch = curlOf(
      request({
        method: "POST",
        path: "$batch",
        headers: [["content-type", "multipart/mixed;boundary=b"]],
        body: "--b\r\nIt's",
      }),
      ENVIRONMENT,
    );
    expect(batch).not.toContain("application/json'\n  --data");
    expect(batch.endsWith("--data-raw $'--b\\r\\nIt\\'s'")).toBe(true);
  });
});

it("a file is named after what was asked", () => {
  const reply = (kind: ConsoleReply["kind"], type: string) =>
    ({ kind, headers: [["content-type", type]] as [string, string][] }) as ConsoleReply;
  const json = reply("json", "application/json");
  for (const [path, given, name] of [
    ["contacts?$top=1", json, "contacts.json"],
    [
      "accounts(60c4e274)/contact_customer_accounts",
      json,
      "accounts contact_customer_accounts.json",
    ],
    ["/api/data/v9.2/WhoAmI", json, "WhoAmI.json"],
    ["$metadata", reply("text", "application/xml"), "metadata.xml"],
    ["accounts/$count", reply("text", "text/plain"), "accounts count.txt"],
    [
      "accounts(1)/entityimage/$value",
      reply("base64", "image/png"),
      "accounts entityimage value.bin",
    ],
    ["", json, "reply.json"],
  ] as const) {
    expect(fileName(request({ path }), given)).toBe(name);
  }
});

it("a path names a table, a record and what is below", () => {
  const account = { name: "account", entity_set: "accounts" } as Table;
  const odd = { name: "new_odd", entity_set: null } as Table;
  const of = (path: string) => {
    const { set, table, key, rest } = targetOf(path, [odd, account]);
    return [set, table?.name, key, rest];
  };
  expect(of("accounts")).toEqual(["accounts", "account", null, []]);
  expect(of("/api/data/v9.2/accounts(1)/name?x=(2)")).toEqual([
    "accounts",
    "account",
    "1",
    ["name"],
  ]);
  expect(of("accounts(name='a(b)')")).toEqual(["accounts", "account", "name='a(b)'", []]);
  expect(of("WhoAmI")).toEqual(["WhoAmI", undefined, null, []]);
  expect(of("")).toEqual(["", undefined, null, []]);
});
