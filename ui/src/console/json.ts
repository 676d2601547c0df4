/** JSON as text: what is wrong with it, and how it is laid out. No value is read, so that every digit stays. */

export interface JsonProblem {
  message: string;
  /** Counted from one. */
  line: number;
  column: number;
}

/** Deeper than any record; the service stops long before. */
const DEEPEST = 200;
const BLANK = /[ \t\r\n]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
const STRING = /"(?:[^"\\\n\r]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/y;

/** The first thing that is wrong; `null` where it is JSON. */
export function jsonProblem(text: string): JsonProblem | null {
  let at = 0;
  const take = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (!found) return false;
    at = pattern.lastIndex;
    return true;
  };
  const value = (depth: number): string | null => {
    take(BLANK);
    if (depth > DEEPEST) return "This is nested too deeply";
    const first = text[at];
    if (first === "{") return members(depth, "}");
    if (first === "[") return members(depth, "]");
    if (first === '"') return string();
    if (take(WORD)) return null;
    const before = at;
    if (take(NUMBER)) {
      if (!/[\w.+-]/.test(text[at] ?? "")) return null;
      at = before;
      return "This is no number";
    }
    if (first === "'") return 'Texts stand in double quotes: "';
    return first === undefined ? "The end comes too early" : "A value is expected here";
  };
  const string = (): string | null => {
    const start = at;
    if (take(STRING)) return null;
    // The place of what is wrong, and not of the quote.
    let place = start + 1;
    for (; place < text.length; place += 1) {
      const letter = text[place];
      if (letter === "\n" || letter === "\r") break;
      if (letter !== "\\") continue;
      if (!/^\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/.test(text.slice(place, place + 6))) {
        at = place;
        return 'A backslash begins \\n, \\t, \\", \\\\ or \\u0000 here';
      }
      place += 1;
    }
    at = start;
    return "This text has no closing quote on its line";
  };
  const members = (depth: number, end: "}" | "]"): string | null => {
    at += 1;
    take(BLANK);
    if (text[at] === end) {
      at += 1;
      return null;
    }
    for (;;) {
      take(BLANK);
      if (end === "}") {
        if (text[at] !== '"') {
          return text[at] === undefined
            ? "The end comes too early"
            : "A name in double quotes is expected here";
        }
        const wrong = string();
        if (wrong) return wrong;
        take(BLANK);
        if (text[at] !== ":") return "A colon is expected here";
        at += 1;
      }
      const wrong = value(depth + 1);
      if (wrong) return wrong;
      take(BLANK);
      if (text[at] === end) {
        at += 1;
        return null;
      }
      if (text[at] !== ",") {
        return text[at] === undefined ? `${end} is missing` : `A comma or ${end} is expected here`;
      }
      const comma = at;
      at += 1;
      take(BLANK);
      if (text[at] === end) {
        at = comma;
        return "This comma is one too many";
      }
    }
  };
  let message = value(0);
  if (!message) {
    take(BLANK);
    if (at < text.length) message = "The JSON has ended before this";
  }
  if (!message) return null;
  const lines = text.slice(0, at).split("\n");
  return { message, line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
}

/** JSON over several lines, two spaces a level. */
export function indented(json: string): string {
  const parts: string[] = [];
  let depth = 0;
  const line = () => parts.push(`\n${"  ".repeat(depth)}`);
  const pieces = json.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/g) ?? [];
  pieces.forEach((piece, index) => {
    if (piece === "{" || piece === "[") {
      parts.push(piece);
      const next = pieces[index + 1];
      if (next === "}" || next === "]") return;
      depth += 1;
      line();
    } else if (piece === "}" || piece === "]") {
      const before = pieces[index - 1];
      if (before !== "{" && before !== "[") {
        depth = Math.max(0, depth - 1);
        line();
      }
      parts.push(piece);
    } else if (piece === ",") {
      parts.push(piece);
      line();
    } else if (piece === ":") {
      parts.push(": ");
    } else {
      parts.push(piece);
    }
  });
  return parts.join("");
}

export interface Token {
  text: string;
  kind: "plain" | "name" | "text" | "number" | "word";
}

const TOKEN =
  /("(?:[^"\\]|\\.)*")(?=\s*:)|("(?:[^"\\]|\\.)*"?)|(-?\d[\d.eE+-]*)|\b(true|false|null)\b/g;

/** One line of indented JSON in its parts, to be coloured. */
export function tokensOf(line: string): Token[] {
  const tokens: Token[] = [];
  let done = 0;
  for (const found of line.matchAll(TOKEN)) {
    if (found.index > done) tokens.push({ text: line.slice(done, found.index), kind: "plain" });
    const kind = found[1] ? "name" : found[2] ? "text" : found[3] ? "number" : "word";
    tokens.push({ text: found[0], kind });
    done = found.index + found[0].length;
  }
  if (done < line.length) tokens.push({ text: line.slice(done), kind: "plain" });
  return tokens;
}
