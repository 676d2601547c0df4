import { Tooltip } from "@fluentui/react-components";
import {
  ArrowSync16Regular,
  CheckmarkCircle16Filled,
  CircleHint16Regular,
  ErrorCircle16Filled,
  History16Regular,
  HourglassHalf16Regular,
  PauseCircle16Regular,
  Warning16Filled,
} from "@fluentui/react-icons";
import type { ReactElement } from "react";
import type { TableState } from "../bridge/generated";

const ICONS: Record<TableState, ReactElement> = {
  new: <CircleHint16Regular />,
  in_sync: <CheckmarkCircle16Filled />,
  syncing: <ArrowSync16Regular className="turning" />,
  throttled: <HourglassHalf16Regular />,
  stale: <History16Regular />,
  failed: <ErrorCircle16Filled />,
  paused: <PauseCircle16Regular />,
  needs_confirmation: <Warning16Filled />,
};

const WORDS: Record<TableState, string> = {
  new: "Not synced yet",
  in_sync: "In sync",
  syncing: "Syncing",
  throttled: "Throttled",
  stale: "Stale",
  failed: "Failed",
  paused: "Paused",
  needs_confirmation: "Needs your answer",
};

export function stateWord(state: TableState): string {
  return WORDS[state];
}

export function StateIcon({ state }: { state: TableState }) {
  return (
    <span className={`state-icon state-${state}`} aria-hidden="true">
      {ICONS[state]}
    </span>
  );
}

/** The glyph alone, with a tooltip and an accessible name. */
export function StateGlyph({ state }: { state: TableState }) {
  return (
    <Tooltip content={WORDS[state]} relationship="label">
      <span className={`state-icon state-${state}`} role="img">
        {ICONS[state]}
      </span>
    </Tooltip>
  );
}
