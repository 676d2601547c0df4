import { Button, Dropdown, Option, Tab, TabList } from "@fluentui/react-components";
import { Dismiss20Regular, Send20Regular } from "@fluentui/react-icons";
import { useEffect, useRef } from "react";
import { type Connection, commands } from "../bridge/generated";
import { useNotices } from "../parts/notices";
import { useColumns } from "../records/use-columns";
import { BodyEditor } from "./body";
import { Pairs } from "./pairs";
import {
  API_PATH,
  type Draft,
  METHODS,
  type Method,
  type Part,
  relativePath,
  targetOf,
} from "./request";
import { SuggestInput } from "./suggest";
import { pathSuggestions } from "./suggestions";

/** What is sent: method and path, and below them parameters, headers and the body. */
export function Editor({
  connection,
  draft,
  part,
  isSending,
  onChange,
  onPart,
  onSend,
}: {
  connection: Connection;
  draft: Draft;
  /** The part that is shown. */
  part: Part;
  isSending: boolean;
  onChange: (by: Partial<Draft>) => void;
  onPart: (part: Part) => void;
  onSend: () => void;
}) {
  const { attempt } = useNotices();
  const sendButton = useRef<HTMLButtonElement>(null);
  const wasSending = useRef(isSending);
  useEffect(() => {
    // The button that had the focus is another one now.
    if (wasSending.current !== isSending && document.activeElement === document.body) {
      sendButton.current?.focus();
    }
    wasSending.current = isSending;
  }, [isSending]);
  const count = (pairs: Draft["query"]) =>
    pairs.filter(({ name, value }) => name.trim() !== "" || value !== "").length || "";
  return (
    <>
      <div className="console-address">
        <Dropdown
          className={`console-method method-${draft.method}`}
          aria-label="Method"
          value={draft.method}
          selectedOptions={[draft.method]}
          onOptionSelect={(_, { optionValue }) =>
            onChange({ method: (optionValue ?? draft.method) as Method })
          }
          data-testid="method"
        >
          {METHODS.map((method) => (
            <Option key={method} value={method} text={method}>
              <span className={`method method-${method}`}>{method}</span>
            </Option>
          ))}
        </Dropdown>
        <SuggestInput
          label="Path"
          value={draft.path}
          suggestions={pathSuggestions(draft.path, connection.tables)}
          onChange={(typed) => onChange({ path: relativePath(typed, connection.environment) })}
          onEnter={onSend}
          before={API_PATH}
          placeholder="accounts"
          testId="path"
        />
        {isSending ? (
          <Button
            ref={sendButton}
            icon={<Dismiss20Regular />}
            onClick={() => void attempt(() => commands.cancel("request"))}
            data-testid="console-cancel"
          >
            Cancel
          </Button>
        ) : (
          <Button
            ref={sendButton}
            appearance="primary"
            icon={<Send20Regular />}
            disabled={!connection.signed_in}
            onClick={onSend}
            data-testid="console-send"
          >
            Send
          </Button>
        )}
      </div>
      <section className="console-editor" aria-label="Request">
        <TabList
          size="small"
          className="console-tabs"
          selectedValue={part}
          onTabSelect={(_, data) => onPart(data.value as Part)}
          data-testid="console-parts"
        >
          <Tab value="query" data-testid="part-query">
            Parameters <span className="tab-count">{count(draft.query)}</span>
          </Tab>
          <Tab value="headers" data-testid="part-headers">
            Headers <span className="tab-count">{count(draft.headers)}</span>
          </Tab>
          <Tab value="body" data-testid="part-body">
            Body <span className="tab-count">{draft.body.trim() === "" ? "" : "•"}</span>
          </Tab>
        </TabList>
        <div className="console-part">
          {part === "body" ? (
            <BodyEditor draft={draft} onChange={(body) => onChange({ body })} />
          ) : (
            <PairsOf connection={connection} draft={draft} part={part} onChange={onChange} />
          )}
        </div>
      </section>
    </>
  );
}

function PairsOf({
  connection,
  draft,
  part,
  onChange,
}: {
  connection: Connection;
  draft: Draft;
  part: "query" | "headers";
  onChange: (by: Partial<Draft>) => void;
}) {
  const { table } = targetOf(draft.path, connection.tables);
  return table && part === "query" ? (
    <PairsWithColumns
      connection={connection}
      draft={draft}
      table={table.name}
      onChange={onChange}
    />
  ) : (
    <Pairs
      part={part}
      pairs={draft[part]}
      columns={[]}
      onChange={(pairs) => onChange({ [part]: pairs })}
    />
  );
}

function PairsWithColumns({
  connection,
  draft,
  table,
  onChange,
}: {
  connection: Connection;
  draft: Draft;
  table: string;
  onChange: (by: Partial<Draft>) => void;
}) {
  const columns = useColumns(connection, table);
  return (
    <Pairs
      part="query"
      pairs={draft.query}
      columns={columns?.columns ?? []}
      onChange={(query) => onChange({ query })}
    />
  );
}
