import { act, renderHook } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { Console, ConsoleRequest } from "../bridge/generated";
import { EMPTY, toDraft, toRequest } from "./request";
import { begin, edit, forgetAllBut, isLost, load, restore, useConsole } from "./store";

const request = (path: string): ConsoleRequest => ({
  method: "GET",
  path,
  query: [],
  headers: [],
  body: null,
});

describe("what is being written", () => {
  it("is each connection's own, and comes back after something else was looked at", () => {
    const { result } = renderHook(() => useConsole("one"));
    const { result: other } = renderHook(() => useConsole("two"));
    act(() => edit("one", { path: "accounts" }));
    expect(other.current.draft.path).toBe("");
    act(() => edit("two", { path: "leads" }));
    expect([result.current.draft.path, other.current.draft.path]).toEqual(["accounts", "leads"]);
    act(() => load("one", request("WhoAmI"), "Me"));
    expect(result.current.draft.path).toBe("WhoAmI");
    expect(result.current.saved?.name).toBe("Me");
    expect(result.current.before?.path).toBe("accounts");
    act(() => restore("one"));
    expect(result.current).toMatchObject({
      draft: { path: "accounts" },
      before: null,
      saved: null,
    });
    act(() => begin("one"));
    expect(toRequest(result.current.draft)).toEqual(toRequest(EMPTY));
    act(() => forgetAllBut(["one"]));
    act(() => edit("two", { method: "POST" }));
    expect(other.current.draft).toMatchObject({ method: "POST", path: "" });
    // An empty one is nobody's loss.
    act(() => load("one", request("WhoAmI"), null));
    expect(result.current.before).toBeNull();
  });

  it("is lost only where nothing else has it", () => {
    const kept = {
      sent: [{ request: request("sent") }],
      saved: [{ request: request("saved") }],
    } as Console;
    for (const [path, isGone] of [
      ["", false],
      ["sent", false],
      ["saved", false],
      ["new", true],
    ] as const) {
      expect(isLost(toDraft(request(path)), kept)).toBe(isGone);
    }
    expect(isLost(toDraft(request("sent")), null)).toBe(true);
  });
});
