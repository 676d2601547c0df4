import { Link } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { Fragment, useState } from "react";
import {
  type Connection,
  commands,
  type Requests,
  type Run,
  type Table,
} from "../bridge/generated";
import { formatCount, formatDuration, formatMoment, formatRecent, plural } from "../format";
import { ErrorText } from "../parts/error-text";
import { narrow, useMedia } from "../parts/media";
import { StateIcon } from "../parts/state";
import { Lanes } from "./lanes";

/** Runs that the list shows; the lanes show all of the last 24 hours. */
const LISTED = 8;
const FETCHED = 500;

export function RunsCard({ connection }: { connection: Connection }) {
  const [showsAll, setShowsAll] = useState(false);
  const [opened, setOpened] = useState<number | null>(null);
  // A run is recorded when a table's sync ends.
  const ended = connection.tables
    .map((table) => `${table.last_sync}/${table.state}/${table.progress === null}`)
    .join();
  const { data: runs = [] } = useQuery({
    queryKey: ["runs", connection.id, ended],
    queryFn: () => commands.runs(connection.id, FETCHED),
    placeholderData: (before) => before,
  });
  if (runs.length === 0) {
    return (
      <section className="card card-empty" aria-label="Runs">
        <h2>Runs</h2>
        <p className="caption">
          Each sync of a table is listed here: what it read, how long it took.
        </p>
      </section>
    );
  }
  return (
    <section className="card runs" aria-label="Runs">
      <header className="card-header">
        <h2>Runs, last 24 hours</h2>
        <span className="offscreen" data-testid="run-newest">
          Newest is run {runs[0]?.id}
        </span>
        <ul className="legend">
          <li className="legend-incremental">Incremental</li>
          <li className="legend-full">Full</li>
          <li className="legend-throttled">Throttled</li>
          <li className="legend-failed">Failed</li>
        </ul>
        <span className="spring" />
        {connection.requests.today > 0 ? <Meter requests={connection.requests} /> : null}
        {runs.length > LISTED ? (
          <Link as="button" onClick={() => setShowsAll(!showsAll)} data-testid="all-runs">
            {showsAll ? "Fewer runs" : `All ${formatCount(runs.length)} runs`}
          </Link>
        ) : null}
      </header>
      <Lanes tables={connection.tables} runs={runs} now={Date.now()} />
      <table className="runs-table">
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Table</th>
            <th scope="col">Strategy</th>
            <th scope="col" className="number">
              Duration
            </th>
            <th scope="col" className="number">
              New
            </th>
            <th scope="col" className="number">
              Updated
            </th>
            <th scope="col" className="number">
              Deleted
            </th>
            <th scope="col" className="number wide">
              Unchanged
            </th>
            <th scope="col" className="number">
              Requests
            </th>
          </tr>
        </thead>
        <tbody>
          {runs.slice(0, showsAll ? runs.length : LISTED).map((run) => (
            <Fragment key={run.id}>
              <RunRow
                run={run}
                tables={connection.tables}
                isOpen={run.id === opened}
                onOpen={() => setOpened(run.id === opened ? null : run.id)}
              />
              {run.id === opened ? <RunDetails run={run} /> : null}
            </Fragment>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** What of the daily entitlement was used, and what reading everything would cost. */
function Meter({ requests }: { requests: Requests }) {
  const { today, entitlement, full_sync } = requests;
  return (
    <span
      className="caption"
      title={`A full sync of all tables takes about ${formatCount(full_sync)} requests. The day is that of UTC.`}
      data-testid="meter"
    >
      {formatCount(today)} of {formatCount(entitlement)} requests today
    </span>
  );
}

function RunRow({
  run,
  tables,
  isOpen,
  onOpen,
}: {
  run: Run;
  tables: Table[];
  isOpen: boolean;
  onOpen: () => void;
}) {
  const label = tables.find((table) => table.name === run.table)?.label_plural ?? run.table;
  const isDone = run.status === "success";
  const isNarrow = useMedia(narrow);
  return (
    <tr>
      <td title={formatMoment(run.started_at)}>{formatRecent(run.started_at, Date.now())}</td>
      <td>
        <button
          type="button"
          className="run-table"
          aria-expanded={isOpen}
          onClick={onOpen}
          data-testid={`run-${run.table}`}
        >
          <StateIcon state={STATES[run.status]} /> {label}
        </button>
      </td>
      <td>{run.strategy === "full" ? "Full" : "Incremental"}</td>
      <td className="number">{formatDuration(run.duration_ms)}</td>
      {isDone ? (
        <>
          <Figure value={run.inserted} />
          <Figure value={run.updated} />
          <Figure value={run.deleted} />
          <Figure value={run.unchanged} isWide />
        </>
      ) : (
        <td
          colSpan={isNarrow ? 3 : 4}
          className={`run-note run-${run.status}`}
          title={run.error?.hint}
        >
          {NOTES[run.status] ?? run.error?.message ?? "Failed"}
        </td>
      )}
      <td className="number">{formatCount(run.requests)}</td>
    </tr>
  );
}

/** What the columns have no room for: why it was read so, what it cost, what went wrong. */
function RunDetails({ run }: { run: Run }) {
  const cost = [
    plural(run.pages, "page", "pages"),
    plural(run.requests, "request", "requests"),
    run.retries > 0 ? plural(run.retries, "of them again", "of them again") : "",
    run.throttled_ms > 0 ? `waited ${formatDuration(run.throttled_ms)} for Dynamics 365` : "",
  ];
  return (
    <tr className="run-details" data-testid="run-details">
      <td />
      <td colSpan={8}>
        <p>
          Run {run.id}, {formatMoment(run.started_at)}. {run.reason}
        </p>
        <p className="muted">{cost.filter((part) => part !== "").join(", ")}</p>
        {run.error ? <ErrorText error={run.error} /> : null}
      </td>
    </tr>
  );
}

const STATES = {
  running: "syncing",
  success: "in_sync",
  failed: "failed",
  interrupted: "paused",
  needs_confirmation: "needs_confirmation",
} as const;

const NOTES: Partial<Record<Run["status"], string>> = {
  running: "Reading now",
  interrupted: "Stopped; the next sync goes on from there",
  needs_confirmation: "Rows were missing; waits for your answer",
};

function Figure({ value, isWide }: { value: number; isWide?: boolean }) {
  return (
    <td className={`number ${value === 0 ? "zero" : ""} ${isWide ? "wide" : ""}`}>
      {formatCount(value)}
    </td>
  );
}
