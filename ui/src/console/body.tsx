import { Button } from "@fluentui/react-components";
import { CheckmarkCircle16Filled, ErrorCircle16Filled } from "@fluentui/react-icons";
import { useRef } from "react";
import { formatBytes } from "../format";
import { indented, jsonProblem } from "./json";
import { type Draft, isJsonBody, toRequest } from "./request";

/** The body, as text with its lines numbered. */
export function BodyEditor({
  draft,
  onChange,
}: {
  draft: Draft;
  onChange: (body: string) => void;
}) {
  const numbers = useRef<HTMLDivElement>(null);
  const { body } = draft;
  const isEmpty = body.trim() === "";
  // A GET sends none; what it would be is judged all the same.
  const isJson = isJsonBody({ ...toRequest(draft) });
  const problem = isJson && !isEmpty ? jsonProblem(body) : null;
  const lines = body.split("\n").length;
  const onKey = (event: React.KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.altKey) return;
    const { value, selectionStart } = event.currentTarget;
    const line = value.slice(value.lastIndexOf("\n", selectionStart - 1) + 1, selectionStart);
    const indent = /^\s*/.exec(line)?.[0] ?? "";
    const deeper = /[[{]\s*$/.test(line) ? "  " : "";
    if (indent + deeper === "") return;
    event.preventDefault();
    // By this way the step can be taken back.
    document.execCommand("insertText", false, `\n${indent}${deeper}`);
  };
  return (
    <div className="body-editor">
      <div className="body-text">
        <div className="body-numbers" aria-hidden="true" ref={numbers}>
          {Array.from({ length: lines }, (_, index) => index + 1).join("\n")}
        </div>
        <textarea
          aria-label="Body"
          aria-invalid={problem !== null}
          aria-describedby="body-state"
          value={body}
          wrap="off"
          spellCheck={false}
          autoComplete="off"
          placeholder={'{\n  "name": "Tarnvik Marine"\n}'}
          onChange={(event) => onChange(event.target.value)}
          onKeyDown={onKey}
          onScroll={(event) => {
            if (numbers.current) numbers.current.scrollTop = event.currentTarget.scrollTop;
          }}
          data-testid="body"
        />
      </div>
      <div className="body-foot">
        <span id="body-state" className="body-state" data-testid="body-state">
          {draft.method === "GET" && !isEmpty ? (
            "A GET request has no body: this one is kept, and not sent."
          ) : isEmpty ? (
            "No body"
          ) : problem ? (
            <>
              <ErrorCircle16Filled className="state-failed" />
              <span className="state-text-failed">
                Line {problem.line}, column {problem.column}: {problem.message}
              </span>
            </>
          ) : (
            <>
              {isJson ? <CheckmarkCircle16Filled className="state-in_sync" /> : null}
              {isJson ? "JSON" : "Text"}, {formatBytes(new Blob([body]).size)}
            </>
          )}
        </span>
        <span className="spring" />
        <Button
          size="small"
          appearance="subtle"
          disabled={!isJson || isEmpty || problem !== null}
          onClick={() => onChange(indented(body))}
          data-testid="body-format"
        >
          Format
        </Button>
      </div>
    </div>
  );
}
