import { describe, expect, it } from "vitest";
import { indented, jsonProblem, tokensOf } from "./json";

describe("JSON that is written", () => {
  it("is told from what is none, and where it ends to be", () => {
    const rows: [text: string, at: [line: number, column: number] | null, message?: string][] = [
      ['{"a": [1, -2.50e+3, true, null, "\\u00e5\\n"], "b": {}}', null],
      [' "text" ', null],
      ["[]", null],
      ["12345678901234567890.10", null],
      ["", [1, 1], "The end comes too early"],
      ["{", [1, 2], "The end comes too early"],
      ['{"a": 1,\n  "b" 2}', [2, 7], "A colon is expected here"],
      ['{"a": 1,}', [1, 8], "This comma is one too many"],
      ["[1 2]", [1, 4], "A comma or ] is expected here"],
      ["[1", [1, 3], "] is missing"],
      ["{a: 1}", [1, 2], "A name in double quotes is expected here"],
      ["['a']", [1, 2], 'Texts stand in double quotes: "'],
      ['{"a": "open\n}', [1, 7], "This text has no closing quote on its line"],
      ['["C:\\path"]', [1, 5], 'A backslash begins \\n, \\t, \\", \\\\ or \\u0000 here'],
      ["[01]", [1, 2], "This is no number"],
      ["[1.]", [1, 2], "This is no number"],
      ["[.5]", [1, 2], "A value is expected here"],
      ["{} {}", [1, 4], "The JSON has ended before this"],
      ["undefined", [1, 1], "A value is expected here"],
      ["[".repeat(5_000), [1, 202], "This is nested too deeply"],
    ];
    for (const [text, at, message] of rows) {
      const problem = jsonProblem(text);
      const found = problem && [problem.line, problem.column];
      expect([text.slice(0, 40), found, problem?.message]).toEqual([
        text.slice(0, 40),
        at,
        message,
      ]);
      // The same verdict as the web view's own reader, which tells no place.
      let isJson = true;
      try {
        JSON.parse(text);
      } catch {
        isJson = false;
      }
      expect(isJson).toBe(problem === null);
    }
  });

  it("is laid out without touching a value", () => {
    expect(indented('{"a":922337203685477.5801,"b":[ ],"c":[1,{"d":"x, {y}: \\""}],"e":{}}')).toBe(
      '{\n  "a": 922337203685477.5801,\n  "b": [],\n  "c": [\n    1,\n    {\n      "d": "x, {y}: \\""\n    }\n  ],\n  "e": {}\n}',
    );
    expect(indented('"only"')).toBe('"only"');
    const once = indented('{"a":[1.10,2]}');
    expect(indented(once)).toBe(once);
  });

  it("is coloured by what it is", () => {
    const kinds = (line: string) => tokensOf(line).map(({ text, kind }) => `${kind}:${text}`);
    expect(kinds('  "a: \\"b\\"": "c, 1: null",')).toEqual([
      "plain:  ",
      'name:"a: \\"b\\""',
      "plain:: ",
      'text:"c, 1: null"',
      "plain:,",
    ]);
    expect(kinds('"x": -1.50')).toEqual(['name:"x"', "plain:: ", "number:-1.50"]);
    expect(kinds("  null,")).toEqual(["plain:  ", "word:null", "plain:,"]);
    expect(tokensOf("").length).toBe(0);
  });
});
