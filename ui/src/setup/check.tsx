import { Button, Spinner } from "@fluentui/react-components";
import {
  ArrowClockwise20Regular,
  CheckmarkCircle16Filled,
  ChevronDown16Regular,
  ChevronUp16Regular,
  ErrorCircle16Filled,
  Warning16Filled,
} from "@fluentui/react-icons";
import { type ReactElement, useCallback, useEffect, useState } from "react";
import {
  type Check,
  type Checks,
  commands,
  type ErrorReply,
  type Finding,
} from "../bridge/generated";
import { asError, clearChecks, useBridge } from "../bridge/store";
import { formatBytes, formatCount, formatSpan } from "../format";
import { CopyButton } from "../parts/copy-button";
import { ErrorText } from "../parts/error-text";
import { grouped, headline, tableWord } from "./checks";
import { OpenPage } from "./parts";

const ICONS: Record<Finding, ReactElement> = {
  running: <Spinner size="extra-tiny" role="presentation" aria-hidden />,
  passed: <CheckmarkCircle16Filled />,
  caution: <Warning16Filled />,
  failed: <ErrorCircle16Filled />,
};

const WORDS: Record<Finding, string> = {
  running: "Running",
  passed: "Passed",
  caution: "Needs attention",
  failed: "Failed",
};

/** Runs the checks, and again when asked. */
export function useChecks() {
  const checks = useBridge((state) => state.checks);
  const [error, setError] = useState<ErrorReply | null>(null);
  const [isRunning, setRunning] = useState(false);
  const run = useCallback(async () => {
    setRunning(true);
    setError(null);
    clearChecks();
    try {
      await commands.checkSetup();
    } catch (reason) {
      const failure = asError(reason);
      if (failure.code !== "interrupted") setError(failure);
    }
    setRunning(false);
  }, []);
  useEffect(() => void run(), [run]);
  return { checks, error, isRunning, run };
}

/** The list that ticks itself. */
export function CheckStep({
  checks,
  error,
  isRunning,
  onAgain,
}: {
  checks: Checks | null;
  error: ErrorReply | null;
  isRunning: boolean;
  onAgain: () => void;
}) {
  const lines = grouped(checks?.checks ?? []);
  const [opened, setOpened] = useState<string | null>(null);
  const firstWrong = lines.find((line) => line.finding === "failed" || line.finding === "caution");
  const shown = opened ?? (isRunning ? null : (firstWrong?.name ?? null));
  const { title, summary } = headline(checks?.checks ?? [], error !== null);
  return (
    <div className="step step-check">
      <div className="step-fields">
        <header className="step-head">
          <p className="caption">Step 8 of 8</p>
          <h1 data-testid="check-title">{title}</h1>
          <p className="step-lead">{summary}</p>
        </header>
        {error ? (
          <div className="banner banner-error" data-testid="check-error" data-code={error.code}>
            <ErrorText error={error} />
          </div>
        ) : null}
        <ul className="checks">
          {lines.map((line) => (
            <CheckLine
              key={line.name}
              line={line}
              isOpen={shown === line.name}
              onToggle={() => setOpened(shown === line.name ? "" : line.name)}
              onAgain={onAgain}
            />
          ))}
        </ul>
        <Button
          type="button"
          icon={<ArrowClockwise20Regular />}
          disabled={isRunning}
          onClick={onAgain}
          data-testid="check-again"
        >
          Check again
        </Button>
      </div>
      <aside className="step-aside">{checks ? <Cost checks={checks} /> : null}</aside>
    </div>
  );
}

function CheckLine({
  line,
  isOpen,
  onToggle,
  onAgain,
}: {
  line: Check;
  isOpen: boolean;
  onToggle: () => void;
  onAgain: () => void;
}) {
  const hasMore = line.hint !== "" || line.raw !== null;
  return (
    <li className={`check check-${line.finding}`} data-testid={`check-${line.name}`}>
      <button
        type="button"
        className="check-line"
        aria-expanded={hasMore ? isOpen : undefined}
        disabled={!hasMore}
        onClick={onToggle}
      >
        <span className={`check-icon check-icon-${line.finding}`}>{ICONS[line.finding]}</span>
        <span className="offscreen">{WORDS[line.finding]}: </span>
        <span className="check-name">{line.name}</span>
        <span className="check-detail">
          {isOpen && line.finding === "failed" ? "" : line.detail}
        </span>
        <span className="check-arrow">
          {hasMore ? isOpen ? <ChevronUp16Regular /> : <ChevronDown16Regular /> : null}
        </span>
      </button>
      {isOpen && hasMore ? (
        <div className="check-more">
          <p>
            <strong>{line.detail}</strong>
          </p>
          <p>{line.hint}</p>
          <div className="button-row">
            {line.link ? <OpenPage url={line.link}>Open the page</OpenPage> : null}
            <Button type="button" icon={<ArrowClockwise20Regular />} onClick={onAgain}>
              Check again
            </Button>
          </div>
          {line.raw ? (
            <>
              <div className="raw-head">
                <h2>What Dynamics 365 answered</h2>
                <CopyButton text={`${line.name}: ${line.detail}\n${line.raw}`} label="the answer" />
              </div>
              <pre className="raw">{line.raw}</pre>
            </>
          ) : null}
        </div>
      ) : null}
    </li>
  );
}

/** What the first sync takes, about. */
function Cost({ checks }: { checks: Checks }) {
  const { cost } = checks;
  const unreadable = new Set(
    checks.checks
      .filter((check) => check.finding === "failed" && check.name.startsWith("Read "))
      .map((check) => check.table),
  );
  return (
    <section className="cost" data-testid="cost">
      <h2>The first sync</h2>
      <table>
        <tbody>
          {cost.tables.map((table) => (
            <tr key={table.table}>
              <th scope="row">{tableWord(table.table)}</th>
              <td className={unreadable.has(table.table) ? "muted" : ""}>
                {unreadable.has(table.table)
                  ? "Not readable"
                  : table.rows === null
                    ? "Not counted"
                    : formatCount(table.rows)}
              </td>
            </tr>
          ))}
        </tbody>
        <tbody className="cost-sum">
          <tr>
            <th scope="row">Rows</th>
            <td>{formatCount(cost.rows)}</td>
          </tr>
        </tbody>
        <tbody className="cost-more">
          <tr>
            <th scope="row">Time</th>
            <td>about {formatSpan(cost.seconds)}</td>
          </tr>
          <tr>
            <th scope="row">Requests</th>
            <td>
              {formatCount(cost.requests)} of {formatCount(cost.entitlement)} a day
            </td>
          </tr>
          <tr>
            <th scope="row">Disk space</th>
            <td>about {formatBytes(cost.bytes)}</td>
          </tr>
        </tbody>
      </table>
      <p className="caption">
        Counts are Dynamics 365's own and can be a day old. You can browse while rows arrive.
      </p>
    </section>
  );
}
