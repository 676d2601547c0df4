import { describe, expect, it } from "vitest";
import { plain } from "./copy";

describe("a copied cell", () => {
  it("stays one cell and is never run as a formula", () => {
    expect(plain("a\tb\r\nc")).toBe("a b c");
    expect(plain('=HYPERLINK("x")')).toBe('\'=HYPERLINK("x")');
    expect(plain("@SUM(A1)")).toBe("'@SUM(A1)");
    expect(plain("-1+cmd|' /C calc'!A0")).toBe("'-1+cmd|' /C calc'!A0");
    expect(plain("+47 55 555 0135")).toBe("+47 55 555 0135");
    expect(plain("-12.5")).toBe("-12.5");
  });
});
