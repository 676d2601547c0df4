import {
  Button,
  Menu,
  MenuItem,
  MenuList,
  MenuPopover,
  MenuTrigger,
  Tooltip,
  useArrowNavigationGroup,
} from "@fluentui/react-components";
import {
  Delete20Regular,
  MoreHorizontal16Regular,
  Play20Regular,
  Rename20Regular,
  Save20Regular,
} from "@fluentui/react-icons";
import { memo } from "react";
import type { ConsoleRequest, SavedRequest, SentRequest } from "../bridge/generated";
import { formatDuration, formatMoment, formatRecent } from "../format";
import { isRefusal, statusText } from "./request";

/** What can be done with a request that is kept. */
export interface RequestActions {
  load: (request: ConsoleRequest, name: string | null) => void;
  run: (request: ConsoleRequest, name: string | null) => void;
  saveAs: (request: ConsoleRequest) => void;
  rename: (saved: SavedRequest) => void;
  remove: (saved: SavedRequest) => void;
  forget: (sent: SentRequest) => void;
  clear: () => void;
}

/** Requests with a name, and the last that were sent. Not drawn anew with each key that is typed. */
export const RequestLists = memo(function RequestLists({
  saved,
  sent,
  current,
  actions,
}: {
  saved: SavedRequest[];
  sent: SentRequest[];
  /** The name of the saved request that is edited. */
  current: string | null;
  actions: RequestActions;
}) {
  const group = useArrowNavigationGroup({ axis: "grid", memorizeCurrent: true });
  const sentGroup = useArrowNavigationGroup({ axis: "grid", memorizeCurrent: true });
  const now = Date.now();
  return (
    <>
      <section aria-labelledby="saved-head">
        <header className="request-head">
          <h2 id="saved-head">Saved</h2>
        </header>
        {saved.length === 0 ? (
          <p className="caption request-none">Requests that are saved appear here.</p>
        ) : (
          <ul className="request-list" {...group} data-testid="saved-list">
            {saved.map((known) => (
              <li key={known.id} className={known.name === current ? "request-current" : ""}>
                <button
                  type="button"
                  className="request-item"
                  aria-current={known.name === current ? "true" : undefined}
                  title={`${known.request.method} ${known.request.path}`}
                  onClick={() => actions.load(known.request, known.name)}
                  data-testid="saved-request"
                >
                  <span className="request-name">{known.name}</span>
                  <RequestLine request={known.request} />
                </button>
                <More label={`More for ${known.name}`} testId="saved-more">
                  <MenuItem
                    icon={<Play20Regular />}
                    onClick={() => actions.run(known.request, known.name)}
                    data-testid="saved-run"
                  >
                    Run
                  </MenuItem>
                  <MenuItem
                    icon={<Rename20Regular />}
                    onClick={() => actions.rename(known)}
                    data-testid="saved-rename"
                  >
                    Rename
                  </MenuItem>
                  <MenuItem
                    icon={<Delete20Regular />}
                    onClick={() => actions.remove(known)}
                    data-testid="saved-delete"
                  >
                    Delete
                  </MenuItem>
                </More>
              </li>
            ))}
          </ul>
        )}
      </section>
      <section className="request-history" aria-labelledby="sent-head">
        <header className="request-head">
          <h2 id="sent-head">History</h2>
          {sent.length > 0 ? (
            <Button
              size="small"
              appearance="subtle"
              onClick={actions.clear}
              data-testid="history-clear"
            >
              Clear
            </Button>
          ) : null}
        </header>
        {sent.length === 0 ? (
          <p className="caption request-none">
            The last 200 requests appear here, without what came back.
          </p>
        ) : (
          <ul className="request-list" {...sentGroup} data-testid="history-list">
            {sent.map((known) => (
              <li key={known.id}>
                <button
                  type="button"
                  className="request-item"
                  title={`${known.request.method} ${known.request.path}, ${formatMoment(known.sent_at)}${known.error ? `. ${known.error}` : ""}`}
                  onClick={() => actions.load(known.request, null)}
                  data-testid="history-request"
                >
                  <RequestLine request={known.request} />
                  <span className="request-facts">
                    <span>{formatRecent(known.sent_at, now)}</span>
                    <Outcome sent={known} />
                  </span>
                </button>
                <More
                  label={`More for ${known.request.method} ${known.request.path}`}
                  testId="history-more"
                >
                  <MenuItem
                    icon={<Play20Regular />}
                    onClick={() => actions.run(known.request, null)}
                  >
                    Run again
                  </MenuItem>
                  <MenuItem
                    icon={<Save20Regular />}
                    onClick={() => actions.saveAs(known.request)}
                    data-testid="history-save"
                  >
                    Save as
                  </MenuItem>
                  <MenuItem icon={<Delete20Regular />} onClick={() => actions.forget(known)}>
                    Remove
                  </MenuItem>
                </More>
              </li>
            ))}
          </ul>
        )}
      </section>
    </>
  );
});

function RequestLine({ request }: { request: ConsoleRequest }) {
  return (
    <span className="request-line">
      <span className={`method method-${request.method}`}>{request.method}</span>
      <code>{request.path || "/"}</code>
    </span>
  );
}

function Outcome({ sent }: { sent: SentRequest }) {
  const { status, duration_ms: duration } = sent;
  const isBad = status === null || isRefusal(status);
  const word = status === null ? (sent.error ? "No answer" : "Unknown") : statusText(status);
  return (
    <>
      <span className={isBad ? "state-text-failed" : ""}>{word}</span>
      {duration === null ? null : <span>{formatDuration(duration)}</span>}
    </>
  );
}

function More({
  label,
  testId,
  children,
}: {
  label: string;
  testId: string;
  children: React.ReactNode;
}) {
  return (
    <Menu>
      <MenuTrigger disableButtonEnhancement>
        <Tooltip content={label} relationship="label">
          <Button
            size="small"
            appearance="subtle"
            className="request-more"
            icon={<MoreHorizontal16Regular />}
            data-testid={testId}
          />
        </Tooltip>
      </MenuTrigger>
      <MenuPopover>
        <MenuList>{children}</MenuList>
      </MenuPopover>
    </Menu>
  );
}
