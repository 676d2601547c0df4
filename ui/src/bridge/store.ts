/**
 * The window's copy of what core tells: a snapshot first, then changes. Nothing here decides
 * anything; components read it and call commands.
 */
import { listen } from "@tauri-apps/api/event";
import { useSyncExternalStore } from "react";
import {
  type AppState,
  type Checks,
  type Connection,
  commands,
  type ErrorReply,
  type Event,
  type ExportProgress,
  type ProofProgress,
  type Setup,
  type SignIn,
} from "./generated";

export interface BridgeState {
  /** `null` until the first snapshot came. */
  readonly app: AppState | null;
  readonly signIn: SignIn | null;
  readonly exporting: ExportProgress | null;
  readonly proof: ProofProgress | null;
  /** The checks of a new connection, as far as they have come. */
  readonly checks: Checks | null;
}

const EVENT = "salesmirror://event";

let state: BridgeState = { app: null, signIn: null, exporting: null, proof: null, checks: null };
const listeners = new Set<() => void>();

function set(next: BridgeState) {
  state = next;
  for (const listener of listeners) listener();
}

/** The state after an event. */
export function reduce(before: BridgeState, event: Event): BridgeState {
  switch (event.type) {
    case "snapshot":
      return { ...before, app: event.state };
    case "connection":
      return before.app === null
        ? before
        : { ...before, app: withConnection(before.app, event.connection) };
    case "sign_in":
      return { ...before, signIn: event.sign_in };
    case "checks":
      return { ...before, checks: event.checks };
    case "export":
      return { ...before, exporting: event.progress };
    case "proof":
      return { ...before, proof: event.progress };
  }
}

function withConnection(app: AppState, changed: Connection): AppState {
  // One that the snapshot does not have was disconnected meanwhile.
  const connections = app.connections.map((known) => (known.id === changed.id ? changed : known));
  return { ...app, connections };
}

/** Begins to follow core. */
export async function start(): Promise<void> {
  try {
    await listen<Event>(EVENT, (event) => set(reduce(state, event.payload)));
    await reload();
  } catch (reason) {
    set({ ...state, app: unreachable(asError(reason)) });
  }
}

/** Asks for everything anew, such as after the keychain was unlocked. */
export async function reload(): Promise<void> {
  set(reduce(state, { type: "snapshot", state: await commands.appState() }));
}

/** Shows a theme at once; keeping it is the command's business. */
export function showTheme(theme: AppState["theme"]): void {
  if (state.app) set({ ...state, app: { ...state.app, theme } });
}

/** Keeps what a command said of the set-up. */
export function showSetup(setup: Setup): void {
  if (state.app) set({ ...state, app: { ...state.app, setup } });
}

/** Forgets the last checks, before the next ones begin. */
export function clearChecks(): void {
  set({ ...state, checks: null });
}

/** Forgets the last export, before the next one begins. */
export function clearExport(): void {
  set({ ...state, exporting: null });
}

/** Forgets how far the last comparison came, before the next one begins. */
export function clearProof(): void {
  set({ ...state, proof: null });
}

function unreachable(problem: ErrorReply): AppState {
  return { version: "", data_dir: "", connections: [], setup: null, theme: "system", problem };
}

export function useBridge<T>(select: (state: BridgeState) => T): T {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => select(state),
  );
}

/** What a command was rejected with, as an error that can be shown. */
export function asError(reason: unknown): ErrorReply {
  if (typeof reason === "object" && reason !== null && "message" in reason && "code" in reason) {
    return reason as ErrorReply;
  }
  const message = reason instanceof Error ? reason.message : String(reason);
  return { code: "internal", message, hint: "", reference: null, link: null };
}
