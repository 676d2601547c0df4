import { Button, Link, Tooltip } from "@fluentui/react-components";
import {
  Add20Regular,
  Code20Regular,
  Dismiss20Regular,
  History20Regular,
  Save20Regular,
} from "@fluentui/react-icons";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type {
  Connection,
  ConsoleRequest,
  ErrorReply,
  SavedRequest,
  SentRequest,
} from "../bridge/generated";
import { asError } from "../bridge/store";
import { formatBytes } from "../format";
import { copyText } from "../parts/clipboard";
import { useControlKey } from "../parts/control-key";
import { EnvironmentBadge } from "../parts/environment";
import { ErrorText } from "../parts/error-text";
import { LabelledButton } from "../parts/labelled-button";
import { narrow, useMedia } from "../parts/media";
import { NameDialog } from "../parts/name-dialog";
import { useNotices } from "../parts/notices";
import { AnswerPane, AnswerStatus } from "./answer";
import { ForgetDialog, WriteDialog } from "./dialogs";
import { Editor } from "./editor";
import { type RequestActions, RequestLists } from "./lists";
import { curlOf, isSameRequest, type Part, problemOf, toRequest } from "./request";
import {
  begin,
  type ConsoleState,
  edit,
  keep,
  load,
  refuse,
  remove,
  rename,
  restore,
  save,
  send,
  useConsole,
} from "./store";

/** What is asked before it is done. */
type Question =
  | { what: "write"; request: ConsoleRequest }
  | { what: "name" }
  | { what: "rename"; saved: SavedRequest }
  | { what: "remove"; saved: SavedRequest }
  | { what: "clear" };

const NO_SAVED: SavedRequest[] = [];
const NO_SENT: SentRequest[] = [];

/** The same object each time, which does what was given last. */
function useSteady(actions: RequestActions): RequestActions {
  const latest = useRef(actions);
  latest.current = actions;
  return useMemo(
    () => ({
      load: (request, name) => latest.current.load(request, name),
      run: (request, name) => latest.current.run(request, name),
      saveAs: (request) => latest.current.saveAs(request),
      rename: (saved) => latest.current.rename(saved),
      remove: (saved) => latest.current.remove(saved),
      forget: (sent) => latest.current.forget(sent),
      clear: () => latest.current.clear(),
    }),
    [],
  );
}

/** Requests of the admin's own to the Web API. */
export default function ConsolePage({ connection }: { connection: Connection }) {
  const { attempt, tell } = useNotices();
  const state = useConsole(connection.id);
  const { draft, sending, kept, answer } = state;
  const [part, setPart] = useState<Part>("query");
  const [question, setQuestion] = useState<Question | null>(null);
  const [problem, setProblem] = useState<ErrorReply | null>(null);
  const isNarrow = useMedia(narrow);
  const [areListsOpen, setListsOpen] = useState(false);
  const id = connection.id;

  useEffect(() => {
    keep(id, null).then(
      () => setProblem(null),
      (reason) => setProblem(asError(reason)),
    );
  }, [id]);

  const sendRequest = useCallback(
    (request: ConsoleRequest) => {
      if (request.method === "GET") void send(id, request);
      else setQuestion({ what: "write", request });
    },
    [id],
  );
  const canSend = connection.signed_in && !sending && !question;
  const sendDraft = useCallback(() => {
    // Another dialog may be on top.
    if (!canSend || document.querySelector("[role='dialog']")) return;
    const found = problemOf(draft);
    if (found) {
      setPart(found.part);
      refuse(id, toRequest(draft), found.error);
      return;
    }
    sendRequest(toRequest(draft));
  }, [canSend, draft, id, sendRequest]);
  useControlKey("Enter", sendDraft);

  const open = (request: ConsoleRequest, name: string | null) => {
    load(id, request, name);
    if (request.body !== null) setPart("body");
    else setPart(request.query.length > 0 || request.headers.length === 0 ? "query" : "headers");
  };
  const actions = useSteady({
    load: (request, name) => {
      open(request, name);
      setListsOpen(false);
      leftOut(kept?.sent, request, tell);
    },
    run: (request, name) => {
      open(request, name);
      setListsOpen(false);
      if (connection.signed_in && !sending) sendRequest(request);
    },
    saveAs: (request) => {
      open(request, null);
      setQuestion({ what: "name" });
    },
    rename: (saved) => setQuestion({ what: "rename", saved }),
    remove: (saved) => setQuestion({ what: "remove", saved }),
    forget: (sent) => void attempt(() => keep(id, { type: "forget", id: sent.id })),
    clear: () => setQuestion({ what: "clear" }),
  });
  const copyCurl = async () => {
    if (await copyText(curlOf(toRequest(draft), connection.environment))) tell("Copied as curl");
  };
  const lists = problem ? (
    <ErrorText error={problem} />
  ) : (
    <RequestLists
      saved={kept?.saved ?? NO_SAVED}
      sent={kept?.sent ?? NO_SENT}
      current={state.saved?.name ?? null}
      actions={actions}
    />
  );
  return (
    <div className="console">
      <header className="console-header">
        <h1>Passthrough</h1>
        <EnvironmentBadge kind={connection.kind} />
        <Editing
          state={state}
          onSave={(name) => void attempt(() => save(id, name))}
          onUndo={() => restore(id)}
        />
        <span className="spring" />
        {isNarrow ? (
          <Tooltip content="Saved requests and history" relationship="description">
            <Button
              appearance="subtle"
              icon={<History20Regular />}
              aria-expanded={areListsOpen}
              onClick={() => setListsOpen(!areListsOpen)}
              aria-label="Saved requests and history"
              data-testid="lists-open"
            />
          </Tooltip>
        ) : null}
        <LabelledButton
          label="New"
          icon={<Add20Regular />}
          onClick={() => {
            begin(id);
            setPart("query");
          }}
          testId="console-new"
        />
        <LabelledButton
          label="Copy as curl"
          icon={<Code20Regular />}
          onClick={() => void copyCurl()}
          testId="console-curl"
        />
        <LabelledButton
          label="Save as"
          icon={<Save20Regular />}
          onClick={() => setQuestion({ what: "name" })}
          testId="console-save"
        />
      </header>
      <div className="console-body">
        {isNarrow ? null : (
          <aside className="console-lists" aria-label="Kept requests">
            {lists}
          </aside>
        )}
        {isNarrow && areListsOpen ? (
          <Overlay onClose={() => setListsOpen(false)}>{lists}</Overlay>
        ) : null}
        <div className="console-main">
          <Editor
            connection={connection}
            draft={draft}
            part={part}
            isSending={sending !== null}
            onChange={(by) => edit(id, by)}
            onPart={setPart}
            onSend={sendDraft}
          />
          <section className="console-answer" aria-label="Answer">
            <AnswerPane
              connection={connection}
              state={state}
              onAgain={() => answer && sendRequest(answer.request)}
              onExample={(path, query) => {
                const request = { method: "GET", path, query, headers: [], body: null };
                open(request, null);
                void send(id, request);
              }}
            />
          </section>
          <AnswerStatus state={state} />
        </div>
      </div>
      <Questions
        connection={connection}
        state={state}
        question={question}
        onClose={() => setQuestion(null)}
      />
    </div>
  );
}

/** A body that was too long to be remembered is missed now, and not once it was sent without. */
function leftOut(
  sent: SentRequest[] | undefined,
  request: ConsoleRequest,
  tell: (title: string, detail?: string) => void,
) {
  const found = sent?.find((known) => known.request === request);
  if (!found || found.body_bytes === 0 || request.body !== null) return;
  tell(
    "The body is not there any more",
    `It had ${formatBytes(found.body_bytes)}; up to one megabyte is remembered.`,
  );
}

/** Which saved request is edited, and what was being written before. */
function Editing({
  state,
  onSave,
  onUndo,
}: {
  state: ConsoleState;
  onSave: (name: string) => void;
  onUndo: () => void;
}) {
  const { saved, before, draft } = state;
  const isEdited = saved !== null && !isSameRequest(saved.request, toRequest(draft));
  return (
    <span className="view-edited console-editing">
      {saved ? (
        <span className="console-name" data-testid="console-name">
          {saved.name}
        </span>
      ) : null}
      {saved && isEdited ? (
        <>
          <span className="caption">Edited</span>
          <Link
            as="button"
            type="button"
            onClick={() => onSave(saved.name)}
            data-testid="console-update"
          >
            Save
          </Link>
        </>
      ) : null}
      {before ? (
        <Link as="button" type="button" onClick={onUndo} data-testid="console-undo">
          Back to what you wrote
        </Link>
      ) : null}
    </span>
  );
}

/** The lists over a window that is too narrow to have them beside the editor. */
function Overlay({ onClose, children }: { onClose: () => void; children: React.ReactNode }) {
  const panel = useRef<HTMLElement>(null);
  useEffect(() => panel.current?.focus(), []);
  return (
    <aside
      className="console-lists console-overlay"
      aria-label="Kept requests"
      tabIndex={-1}
      ref={panel}
      onKeyDown={(event) => {
        if (event.key === "Escape" && !event.defaultPrevented) onClose();
      }}
      data-testid="lists"
    >
      <Button
        size="small"
        appearance="subtle"
        className="console-overlay-close"
        icon={<Dismiss20Regular />}
        aria-label="Close"
        onClick={onClose}
      />
      {children}
    </aside>
  );
}

function Questions({
  connection,
  state,
  question,
  onClose,
}: {
  connection: Connection;
  state: ConsoleState;
  question: Question | null;
  onClose: () => void;
}) {
  const { attempt, tell } = useNotices();
  const id = connection.id;
  const saved = state.kept?.saved ?? [];
  switch (question?.what) {
    case "write":
      return (
        <WriteDialog
          connection={connection}
          request={question.request}
          onConfirm={() => {
            onClose();
            void send(id, question.request);
          }}
          onClose={onClose}
        />
      );
    case "name":
      return (
        <NameDialog
          title="Save request"
          verb="Save"
          noun="request"
          initial={state.saved?.name ?? ""}
          isTaken={(name) => saved.some((known) => hasName(known, name))}
          canReplace
          note="Method, path, parameters, headers and body are kept under this name, encrypted."
          onName={(name) => {
            onClose();
            void attempt(() => save(id, name)).then((isDone) => isDone && tell(`Saved “${name}”`));
          }}
          onClose={onClose}
        />
      );
    case "rename":
      return (
        <NameDialog
          title="Rename request"
          verb="Rename"
          noun="request"
          initial={question.saved.name}
          isTaken={(name) =>
            saved.some((known) => known.id !== question.saved.id && hasName(known, name))
          }
          canReplace={false}
          onName={(name) => {
            onClose();
            void attempt(() => rename(id, question.saved.id, name));
          }}
          onClose={onClose}
        />
      );
    case "remove":
      return (
        <ForgetDialog
          title={`Delete “${question.saved.name}”?`}
          text="The saved request goes. Nothing changes in Dynamics 365."
          verb="Delete"
          onConfirm={() => {
            onClose();
            void attempt(() => remove(id, question.saved.id));
          }}
          onClose={onClose}
        />
      );
    case "clear":
      return (
        <ForgetDialog
          title="Clear the history?"
          text="The requests that were sent are forgotten; those that are saved stay."
          verb="Clear"
          onConfirm={() => {
            onClose();
            void attempt(() => keep(id, { type: "forget", id: null }));
          }}
          onClose={onClose}
        />
      );
    default:
      return null;
  }
}

/** Requests are told apart by their names, whose case does not count. */
function hasName(request: SavedRequest, name: string): boolean {
  return request.name.toLowerCase() === name.toLowerCase();
}
