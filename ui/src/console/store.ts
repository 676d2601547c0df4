/**
 * What the page for requests shows of each connection. It outlives the page: a request goes on, and what
 * was written stays, while one looks at something else.
 */
import { useSyncExternalStore } from "react";
import {
  type Console,
  type ConsoleChange,
  type ConsoleReply,
  type ConsoleRequest,
  commands,
  type ErrorReply,
} from "../bridge/generated";
import { asError } from "../bridge/store";
import { type Draft, EMPTY, isSameRequest, toDraft, toRequest } from "./request";

export interface Answer {
  request: ConsoleRequest;
  /** What came back. */
  reply: ConsoleReply | null;
  /** Why nothing did. */
  error: ErrorReply | null;
}

export interface ConsoleState {
  draft: Draft;
  /** The saved request that the draft began as. */
  saved: { name: string; request: ConsoleRequest } | null;
  /** What was being written when something else took its place. */
  before: Draft | null;
  /** What is on its way, and since when, ms since 1970. */
  sending: { request: ConsoleRequest; since: number } | null;
  answer: Answer | null;
  /** The requests that are kept; `null` until they were read. */
  kept: Console | null;
}

const FRESH: ConsoleState = {
  draft: EMPTY,
  saved: null,
  before: null,
  sending: null,
  answer: null,
  kept: null,
};

const states = new Map<string, ConsoleState>();
const listeners = new Set<() => void>();

function stateOf(connection: string): ConsoleState {
  return states.get(connection) ?? FRESH;
}

function change(connection: string, by: Partial<ConsoleState>): void {
  states.set(connection, { ...stateOf(connection), ...by });
  for (const listener of listeners) listener();
}

export function useConsole(connection: string): ConsoleState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => stateOf(connection),
  );
}

export function edit(connection: string, by: Partial<Draft>): void {
  change(connection, { draft: { ...stateOf(connection).draft, ...by } });
}

/** Puts a request into the editor. What was being written there, and is kept nowhere, can be had back. */
export function load(connection: string, request: ConsoleRequest, name: string | null): void {
  const { draft, kept } = stateOf(connection);
  change(connection, {
    draft: toDraft(request),
    saved: name === null ? null : { name, request },
    before: isLost(draft, kept) ? draft : null,
  });
}

/** Begins with an empty one. */
export function begin(connection: string): void {
  load(connection, toRequest(EMPTY), null);
}

/** Gives back what was being written. */
export function restore(connection: string): void {
  const { before } = stateOf(connection);
  if (before) change(connection, { draft: before, before: null, saved: null });
}

/** Whether a draft would be gone once it is replaced. */
export function isLost(draft: Draft, kept: Console | null): boolean {
  const request = toRequest(draft);
  if (isSameRequest(request, toRequest(EMPTY))) return false;
  const all = [...(kept?.sent ?? []), ...(kept?.saved ?? [])];
  return !all.some((known) => isSameRequest(known.request, request));
}

/** Shows why a request is not sent. */
export function refuse(connection: string, request: ConsoleRequest, error: ErrorReply): void {
  change(connection, { answer: { request, reply: null, error } });
}

/** Sends a request; what comes of it is shown. */
export async function send(connection: string, request: ConsoleRequest): Promise<void> {
  if (stateOf(connection).sending) return;
  // The answer before may be large: it goes first.
  change(connection, { sending: { request, since: Date.now() }, answer: null });
  let answer: Answer = { request, reply: null, error: null };
  try {
    answer = { ...answer, reply: await commands.sendRequest(connection, request) };
  } catch (reason) {
    answer = { ...answer, error: asError(reason) };
  }
  change(connection, { sending: null, answer });
  // What is listed is no part of the answer: where it cannot be read the page says so itself.
  await keep(connection, null).catch(() => undefined);
}

/** Forgets what was shown of connections that are gone. */
export function forgetAllBut(connections: string[]): void {
  for (const known of states.keys()) if (!connections.includes(known)) states.delete(known);
}

/** Reads what is kept, after a change where there is one. */
export async function keep(connection: string, by: ConsoleChange | null): Promise<void> {
  change(connection, { kept: await commands.console(connection, by) });
}

/** Keeps the draft under a name, and goes on with it. */
export async function save(connection: string, name: string): Promise<void> {
  const request = toRequest(stateOf(connection).draft);
  await keep(connection, { type: "save", name, request });
  change(connection, { saved: { name: name.trim(), request } });
}

export async function rename(connection: string, id: number, name: string): Promise<void> {
  const { saved, kept } = stateOf(connection);
  const before = kept?.saved.find((known) => known.id === id)?.name;
  await keep(connection, { type: "rename", id, name });
  if (saved && saved.name === before)
    change(connection, { saved: { ...saved, name: name.trim() } });
}

export async function remove(connection: string, id: number): Promise<void> {
  const { saved, kept } = stateOf(connection);
  const before = kept?.saved.find((known) => known.id === id)?.name;
  await keep(connection, { type: "remove", id });
  // What was written stays in the editor, without a name.
  if (saved && saved.name === before) change(connection, { saved: null });
}
