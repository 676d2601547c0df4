import { Button, Link, Spinner, Tab, TabList } from "@fluentui/react-components";
import {
  ArrowDownload20Regular,
  CheckmarkCircle16Filled,
  Copy20Regular,
  ErrorCircle16Filled,
  ErrorCircle20Filled,
} from "@fluentui/react-icons";
import { type ReactNode, useState } from "react";
import { type Connection, type ConsoleReply, commands, type ErrorReply } from "../bridge/generated";
import { formatBytes, formatCountdown, formatDuration } from "../format";
import { copyText } from "../parts/clipboard";
import { hostOf } from "../parts/environment";
import { ErrorText, FixLink, Reference } from "../parts/error-text";
import { LabelledButton } from "../parts/labelled-button";
import { useNotices } from "../parts/notices";
import { useNow } from "../parts/now";
import { StateIcon } from "../parts/state";
import { writePlace } from "../place";
import { useActions } from "../shell/actions";
import { ReplyText } from "./reply-text";
import { fileName, isRefusal, statusText } from "./request";
import type { Answer, ConsoleState } from "./store";

/** What came of the last request. */
export function AnswerPane({
  connection,
  state,
  onAgain,
  onExample,
}: {
  connection: Connection;
  state: ConsoleState;
  onAgain: () => void;
  onExample: (path: string, query: [string, string][]) => void;
}) {
  const { answer, sending } = state;
  if (sending) return <Waiting connection={connection} since={sending.since} />;
  if (answer?.reply) {
    return <ReplyPane connection={connection} answer={answer} reply={answer.reply} />;
  }
  if (answer?.error) {
    return (
      <div className="empty console-empty" data-testid="answer-error">
        <ErrorCircle20Filled className="state-failed" />
        <h2>{connection.signed_in ? failureWord(answer.error) : "Sign in to send it"}</h2>
        <ErrorText error={answer.error} />
        {answer.error.code === "not_sent" ? null : connection.signed_in ? (
          <Button onClick={onAgain} data-testid="send-again">
            Send again
          </Button>
        ) : (
          <SignInButton connection={connection} />
        )}
      </div>
    );
  }
  if (!connection.signed_in) {
    return (
      <div className="empty console-empty" data-testid="console-signed-out">
        <h2>Sign in to send requests</h2>
        <p>They go out with your own sign-in, and can do what your security role allows.</p>
        <SignInButton connection={connection} />
      </div>
    );
  }
  return <Examples connection={connection} onExample={onExample} />;
}

/** How a request ended that was not answered. */
function failureWord(error: ErrorReply): string {
  if (error.code === "not_sent") return "Not sent";
  return error.code === "request_stopped" ? "Stopped" : "No answer";
}

function SignInButton({ connection }: { connection: Connection }) {
  const actions = useActions(connection);
  return (
    <Button appearance="primary" onClick={() => actions.signIn()} data-testid="console-sign-in">
      Sign in
    </Button>
  );
}

function Examples({
  connection,
  onExample,
}: {
  connection: Connection;
  onExample: (path: string, query: [string, string][]) => void;
}) {
  const table = connection.tables.find((known) => known.entity_set !== null);
  const examples: [label: string, path: string, query: [string, string][]][] = [
    ["Who is signed in", "WhoAmI", []],
  ];
  if (table?.entity_set) {
    const many = table.label_plural.toLowerCase();
    examples.push([`The first ten ${many}`, table.entity_set, [["$top", "10"]]]);
    examples.push([`How many ${many} there are`, `${table.entity_set}/$count`, []]);
  }
  return (
    <div className="empty console-empty" data-testid="console-examples">
      <h2>Nothing sent yet</h2>
      <p>
        Requests go to the Web API of {hostOf(connection.environment)} with your own sign-in. What
        was sent is remembered here, encrypted; what came back is not.
      </p>
      <div className="button-row">
        {examples.map(([label, path, query]) => (
          <Button key={label} size="small" onClick={() => onExample(path, query)}>
            {label}
          </Button>
        ))}
      </div>
    </div>
  );
}

function Waiting({ connection, since }: { connection: Connection; since: number }) {
  const now = useNow(true);
  const until = connection.throttled_until ?? 0;
  const seconds = Math.max(0, Math.floor((now - since) / 1_000));
  return (
    <div className="empty console-empty" data-testid="console-waiting">
      {until > now ? (
        <>
          <h2 className="now">
            <StateIcon state="throttled" />
            Throttled, sent again in {formatCountdown((until - now) / 1_000)}
          </h2>
          <p>
            Dynamics 365 limits the requests of this user, and asked to wait. Nothing was done yet.
          </p>
        </>
      ) : (
        <>
          <Spinner
            size="tiny"
            label={`Waiting for ${hostOf(connection.environment)}${seconds > 0 ? `, ${seconds} s` : ""}`}
          />
          {connection.trouble ? <p>{connection.trouble} It is tried again.</p> : null}
        </>
      )}
    </div>
  );
}

function ReplyPane({
  connection,
  answer,
  reply,
}: {
  connection: Connection;
  answer: Answer;
  reply: ConsoleReply;
}) {
  const [tab, setTab] = useState<"body" | "headers">("body");
  const { attempt, tell } = useNotices();
  const copy = async () => {
    if (await copyText(reply.text)) tell("Copied the reply");
  };
  const save = () =>
    attempt(async () => {
      const path = await commands.chooseFile(fileName(answer.request, reply), null);
      if (!path) return;
      await commands.saveReply(connection.id, path);
      tell(`Saved ${path.split(/[\\/]/).at(-1)}`, path);
    });
  return (
    <div className="console-reply">
      <div className="console-results">
        <TabList
          size="small"
          className="console-tabs"
          selectedValue={tab}
          onTabSelect={(_, data) => setTab(data.value as "body" | "headers")}
          data-testid="reply-tabs"
        >
          <Tab value="body">Reply</Tab>
          <Tab value="headers" data-testid="reply-headers-tab">
            Headers <span className="tab-count">{reply.headers.length}</span>
          </Tab>
        </TabList>
        <span className="spring" />
        <LabelledButton
          size="small"
          label="Copy reply"
          icon={<Copy20Regular />}
          isDisabled={reply.text === ""}
          onClick={() => void copy()}
          testId="reply-copy"
        />
        <LabelledButton
          size="small"
          label="Save reply"
          icon={<ArrowDownload20Regular />}
          isDisabled={reply.bytes === 0}
          onClick={() => void save()}
          testId="reply-save"
        />
      </div>
      {reply.problem ? <Problem reply={reply} /> : null}
      {reply.table ? <Affected connection={connection} reply={reply} /> : null}
      {tab === "headers" ? (
        <Headers reply={reply} />
      ) : reply.kind === "empty" ? (
        <div className="empty console-empty">
          <p>{reply.status === 304 ? "Nothing has changed since." : "The reply has no body."}</p>
        </div>
      ) : (
        <ReplyText text={reply.text} isJson={reply.kind === "json"} />
      )}
    </div>
  );
}

/** What the status means, above the service's own words. */
function Problem({ reply }: { reply: ConsoleReply }) {
  const { problem } = reply;
  if (!problem) return null;
  return (
    <div className="banner banner-error console-banner" role="alert" data-testid="reply-problem">
      <ErrorCircle20Filled />
      <div className="banner-text">
        <p>
          <strong>{problem.message}</strong> {problem.hint} <FixLink error={problem} />
        </p>
        {problem.reference ? <Reference error={problem} /> : null}
      </div>
    </div>
  );
}

/** What the mirror makes of a write. */
function Affected({ connection, reply }: { connection: Connection; reply: ConsoleReply }) {
  const table = connection.tables.find((known) => known.name === reply.table);
  if (!table) return null;
  const what = reply.record
    ? `this ${table.label.toLowerCase()}`
    : table.label_plural.toLowerCase();
  const isReading = table.progress !== null || connection.syncing;
  const isBehind = table.stale > 0 || table.state === "failed";
  const ask = reply.record ? { ask: { record: reply.record } } : {};
  return (
    <div className="console-affected" data-testid="reply-affected">
      <StateIcon state={isReading ? "syncing" : isBehind ? "stale" : "in_sync"} />
      <span>
        {isReading
          ? `The mirror is reading ${what} again.`
          : isBehind
            ? `The mirror has not read ${what} again yet. The next sync does.`
            : `The mirror has read ${what} again.`}
      </span>
      <Link
        href={writePlace({ page: "table", connection: connection.id, table: table.name, ...ask })}
      >
        {reply.record ? "Show the record" : `Show ${what}`}
      </Link>
    </div>
  );
}

function Headers({ reply }: { reply: ConsoleReply }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keyboard.
    <section className="reply-headers" tabIndex={0} aria-label="Headers of the reply">
      <table data-testid="reply-headers">
        <thead>
          <tr>
            <th scope="col">Header</th>
            <th scope="col">Value</th>
          </tr>
        </thead>
        <tbody>
          {reply.headers.map(([name, value]) => (
            <tr key={name}>
              <td>{name}</td>
              <td>{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** The line at the bottom: how the last request ended, in numbers. */
export function AnswerStatus({ state }: { state: ConsoleState }) {
  const { answer, sending } = state;
  const reply = answer?.reply;
  let said: ReactNode = null;
  if (sending) said = <span className="muted">Sending</span>;
  else if (reply) {
    const isBad = isRefusal(reply.status);
    said = (
      <>
        <span className="now" data-testid="reply-status">
          {isBad ? (
            <ErrorCircle16Filled className="state-failed" />
          ) : (
            <CheckmarkCircle16Filled className="state-in_sync" />
          )}
          <strong>{statusText(reply.status)}</strong>
        </span>
        <span className="muted" data-testid="reply-time">
          {formatDuration(reply.duration_ms)}
          {reply.waited_ms > 0 ? `, of which ${formatDuration(reply.waited_ms)} throttled` : ""}
        </span>
        <span className="muted">{reply.bytes > 0 ? formatBytes(reply.bytes) : "no body"}</span>
        {reply.kind === "base64" ? <span className="muted">no text: shown in base64</span> : null}
      </>
    );
  } else if (answer?.error) {
    said = (
      <span className="now">
        <ErrorCircle16Filled className="state-failed" />
        <strong>{failureWord(answer.error)}</strong>
      </span>
    );
  }
  return (
    <footer className="status-bar">
      {said}
      <span className="spring" />
      <span className="muted">
        <kbd>Ctrl Enter</kbd> Send
      </span>
      {/* Failures are alerts of their own. */}
      <output className="offscreen" aria-live="polite" data-testid="console-live">
        {sending
          ? "Sending"
          : reply && !reply.problem
            ? `${statusText(reply.status)}, ${formatDuration(reply.duration_ms)}, ${reply.bytes > 0 ? formatBytes(reply.bytes) : "no body"}`
            : ""}
      </output>
    </footer>
  );
}
