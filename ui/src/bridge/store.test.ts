import { expect, test, vi } from "vitest";
import type { AppState, Connection } from "./generated";
import { asError, type BridgeState, reduce } from "./store";

vi.mock("@tauri-apps/api/event", () => ({ listen: vi.fn() }));
vi.mock("@tauri-apps/api/core", () => ({ invoke: vi.fn() }));

const connection = (id: string, name: string) => ({ id, name }) as Connection;
const app = (...connections: Connection[]): AppState => ({
  version: "0.1.0",
  data_dir: "/data",
  connections,
  setup: null,
  theme: "system",
  problem: null,
});
const empty: BridgeState = { app: null, signIn: null, exporting: null, proof: null, checks: null };

test("a changed connection takes the place of what was known of it", () => {
  const before = reduce(empty, {
    type: "snapshot",
    state: app(connection("a", "A"), connection("b", "B")),
  });
  const after = reduce(before, { type: "connection", connection: connection("b", "Changed") });
  expect(after.app?.connections.map((known) => known.name)).toEqual(["A", "Changed"]);
  // What was told before is not changed under those who read it.
  expect(before.app?.connections[1]?.name).toBe("B");
});

test("a change of a connection that was disconnected meanwhile brings it not back", () => {
  const before = reduce(empty, { type: "snapshot", state: app(connection("a", "A")) });
  const after = reduce(before, { type: "connection", connection: connection("gone", "Gone") });
  expect(after.app?.connections.map((known) => known.id)).toEqual(["a"]);
  expect(reduce(empty, { type: "connection", connection: connection("a", "A") })).toBe(empty);
});

test("a sign-in comes and goes beside the rest", () => {
  const signIn = {
    authorization_url: "https://x",
    redirect_uri: "http://localhost",
    expires_at: 1,
  };
  const waiting = reduce(empty, { type: "sign_in", sign_in: signIn });
  expect(waiting.signIn).toEqual(signIn);
  expect(reduce(waiting, { type: "sign_in", sign_in: null }).signIn).toBeNull();
});

test("whatever a command is rejected with can be shown", () => {
  const told = { code: "busy", message: "Busy.", hint: "Wait.", reference: null };
  expect(asError(told)).toBe(told);
  expect(asError("no such command").message).toBe("no such command");
  expect(asError(new Error("broken")).message).toBe("broken");
});
