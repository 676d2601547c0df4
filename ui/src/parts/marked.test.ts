import { describe, expect, it } from "vitest";
import { markedParts, termsOf } from "./marked";

const marked = (text: string, search: string) =>
  markedParts(text, termsOf(search))
    .map((part) => (part.isMatch ? `[${part.text}]` : part.text))
    .join("");

describe("matches", () => {
  it("are marked whatever their case, as often as they come", () => {
    expect(marked("Larkmere Hotels Larkspur", "LARK")).toBe("[Lark]mere Hotels [Lark]spur");
  });
  it("of several words may overlap", () => {
    expect(marked("brandvik", "brand and")).toBe("[brand]vik");
    expect(marked("brandvik", "bran andv")).toBe("[bran][dv]ik");
  });
  it("leave a text alone that has none", () => {
    expect(markedParts("Ada", termsOf("x"))).toEqual([{ text: "Ada", isMatch: false }]);
    expect(markedParts("", termsOf("x"))).toEqual([{ text: "", isMatch: false }]);
    expect(marked("İstanbul", "st")).toBe("İstanbul");
  });
});
