/** The set-up as it is typed: what is typed is kept a moment later, and at once before a step. */
import { useCallback, useEffect, useRef, useState } from "react";
import { commands, type ErrorReply, type Setup, type SetupDraft } from "../bridge/generated";
import { asError, showSetup } from "../bridge/store";

/** Typing pauses for so long before it is kept and checked, in ms. */
const PAUSE_MS = 350;

export interface SetupControl {
  setup: Setup;
  /** What the fields show: ahead of what is kept by a moment. */
  draft: SetupDraft;
  /** Why it could not be kept. */
  error: ErrorReply | null;
  change(part: Partial<SetupDraft>): void;
  /** Keeps it now; gives the set-up as it is then, or nothing where the disk refused. */
  save(part?: Partial<SetupDraft>): Promise<Setup | null>;
  /** Takes what another command said. */
  take(setup: Setup): void;
  /** Whether somebody wanted to go on: then it is said of empty fields too what is missing. */
  isTried: boolean;
  tryNext(): void;
  /** What is wrong with a field. */
  problem(field: keyof SetupDraft | "client_secret"): string | null;
}

export function useSetup(setup: Setup): SetupControl {
  const [draft, setDraft] = useState(setup.draft);
  const [error, setError] = useState<ErrorReply | null>(null);
  const [triedStep, setTriedStep] = useState<string | null>(null);
  const latest = useRef(setup.draft);
  const timer = useRef<number | undefined>(undefined);

  const take = useCallback((next: Setup) => {
    // What core decides comes from core, what is typed from the fields.
    const { has_secret, signed_in, step, reached } = next.draft;
    latest.current = { ...latest.current, has_secret, signed_in, step, reached };
    setDraft(latest.current);
    showSetup(next);
  }, []);
  const queue = useRef<Promise<unknown>>(Promise.resolve());
  const asked = useRef(0);
  const save = useCallback(
    (part: Partial<SetupDraft> = {}) => {
      window.clearTimeout(timer.current);
      latest.current = { ...latest.current, ...part };
      setDraft(latest.current);
      asked.current += 1;
      const place = asked.current;
      // One after the other: an earlier answer that came later would take the step back.
      const saved = queue.current.then(async () => {
        try {
          const next = await commands.changeSetup(latest.current);
          if (place === asked.current) take(next);
          setError(null);
          return next;
        } catch (reason) {
          setError(asError(reason));
          return null;
        }
      });
      queue.current = saved;
      return saved;
    },
    [take],
  );
  const change = useCallback(
    (part: Partial<SetupDraft>) => {
      latest.current = { ...latest.current, ...part };
      setDraft(latest.current);
      window.clearTimeout(timer.current);
      timer.current = window.setTimeout(() => void save(), PAUSE_MS);
    },
    [save],
  );
  useEffect(() => () => window.clearTimeout(timer.current), []);
  const problem = useCallback(
    (field: string) => setup.problems.find((found) => found.field === field)?.message ?? null,
    [setup.problems],
  );
  const tryNext = useCallback(() => setTriedStep(latest.current.step), []);
  const isTried = triedStep === draft.step;
  return { setup, draft, error, change, save, take, problem, isTried, tryNext };
}
