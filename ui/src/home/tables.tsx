import {
  Button,
  Menu,
  MenuDivider,
  MenuItem,
  MenuList,
  MenuPopover,
  MenuTrigger,
  ProgressBar,
  Tooltip,
} from "@fluentui/react-components";
import {
  ArrowClockwise20Regular,
  ArrowSync20Regular,
  Delete20Regular,
  History20Regular,
  MoreHorizontal20Regular,
  Pause20Regular,
  TableSimple20Regular,
} from "@fluentui/react-icons";
import { useState } from "react";
import type { Connection, Table } from "../bridge/generated";
import { formatCount, formatCountdown, formatRecent, formatSpan, plural } from "../format";
import { ErrorText } from "../parts/error-text";
import { useNow } from "../parts/now";
import { StateIcon, stateWord } from "../parts/state";
import { TableIcon } from "../parts/table-icon";
import { go, writePlace } from "../place";
import type { ConnectionActions } from "../shell/actions";

export function TablesCard({
  connection,
  actions,
  onInvalidate,
  onRemove,
  onReview,
}: {
  connection: Connection;
  actions: ConnectionActions;
  onInvalidate: (table: string) => void;
  onRemove: (table: string) => void;
  onReview: (table: string) => void;
}) {
  const isThrottled = connection.tables.some((table) => table.progress?.throttled_until);
  const now = useNow(isThrottled);
  return (
    <section className="card" aria-label="Tables">
      <table className="tables">
        <thead>
          <tr>
            <th scope="col">Table</th>
            <th scope="col" className="number">
              Rows
            </th>
            <th scope="col" className="number wide">
              Changed 24 h
            </th>
            <th scope="col" className="number wide">
              Deleted 24 h
            </th>
            <th scope="col" className="last-sync">
              Last sync
            </th>
            <th scope="col" className="last-sync">
              Next sync
            </th>
            <th scope="col">State</th>
            <th scope="col">
              <span className="offscreen">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {connection.tables.map((table) => (
            <tr key={table.name} data-testid={`home-table-${table.name}`}>
              <th scope="row">
                <a
                  className="tables-name"
                  href={writePlace({ page: "table", connection: connection.id, table: table.name })}
                >
                  <TableIcon table={table.name} />
                  {table.label_plural}
                </a>
              </th>
              <td className="number" data-testid={`table-rows-${table.name}`}>
                <Count value={table.rows} />
              </td>
              <td className="number wide">
                <Count value={table.changed_recently} />
              </td>
              <td className="number wide">
                <Count value={table.deleted_recently} />
              </td>
              <td className="last-sync">
                {table.last_sync ? formatRecent(table.last_sync, Date.now()) : "–"}
              </td>
              <td className="last-sync" data-testid={`table-next-${table.name}`}>
                {nextSync(table)}
              </td>
              <td className="tables-state" data-testid={`table-state-${table.name}`}>
                <StateCell
                  table={table}
                  now={now}
                  onReview={onReview}
                  problem={connection.problem?.code}
                />
              </td>
              <td className="tables-actions">
                <RowActions
                  connection={connection}
                  table={table}
                  actions={actions}
                  onInvalidate={onInvalidate}
                  onRemove={onRemove}
                />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** When the next sync follows by itself: "Now", a time, or a dash. */
function nextSync(table: Table): string {
  if (table.progress) return "Now";
  if (table.next_sync === null) return "–";
  const now = Date.now();
  return table.next_sync <= now ? "Now" : formatRecent(table.next_sync, now);
}

function Count({ value }: { value: number }) {
  return <span className={value === 0 ? "zero" : undefined}>{formatCount(value)}</span>;
}

function RowActions({
  connection,
  table,
  actions,
  onInvalidate,
  onRemove,
}: {
  connection: Connection;
  table: Table;
  actions: ConnectionActions;
  onInvalidate: (table: string) => void;
  onRemove: (table: string) => void;
}) {
  const canSync = connection.signed_in && table.progress === null;
  // Why it cannot be removed now: while anything syncs the mirror is being written.
  const kept = connection.syncing
    ? "After the sync"
    : connection.tables.length === 1
      ? "One table stays at least"
      : null;
  return (
    <>
      {table.progress ? (
        <Tooltip content={`Pause ${table.label_plural}`} relationship="label">
          <Button
            appearance="subtle"
            icon={<Pause20Regular />}
            onClick={() => actions.pause(table.name)}
            data-testid={`pause-${table.name}`}
          />
        </Tooltip>
      ) : (
        <Tooltip content={`Sync ${table.label_plural}`} relationship="label">
          <Button
            appearance="subtle"
            icon={<ArrowSync20Regular />}
            disabled={!canSync}
            onClick={() => actions.sync([table.name])}
            data-testid={`sync-${table.name}`}
          />
        </Tooltip>
      )}
      <Menu>
        <MenuTrigger disableButtonEnhancement>
          <Tooltip content={`More for ${table.label_plural}`} relationship="label">
            <Button
              appearance="subtle"
              icon={<MoreHorizontal20Regular />}
              data-testid={`more-${table.name}`}
            />
          </Tooltip>
        </MenuTrigger>
        <MenuPopover>
          <MenuList>
            <MenuItem
              icon={<TableSimple20Regular />}
              onClick={() => go({ page: "table", connection: connection.id, table: table.name })}
            >
              Browse
            </MenuItem>
            <MenuItem
              icon={<ArrowClockwise20Regular />}
              disabled={!canSync}
              onClick={() => actions.fullSync([table.name])}
              data-testid={`resync-${table.name}`}
            >
              Full resync
            </MenuItem>
            <MenuItem
              icon={<History20Regular />}
              disabled={!canSync || table.state === "new"}
              onClick={() => onInvalidate(table.name)}
              data-testid={`invalidate-${table.name}`}
            >
              Invalidate
            </MenuItem>
            <MenuDivider />
            <MenuItem
              icon={<Delete20Regular />}
              disabled={kept !== null}
              subText={kept}
              onClick={() => onRemove(table.name)}
              data-testid={`remove-${table.name}`}
            >
              Stop mirroring…
            </MenuItem>
          </MenuList>
        </MenuPopover>
      </Menu>
    </>
  );
}

function StateCell({
  table,
  now,
  problem,
  onReview,
}: {
  table: Table;
  now: number;
  /** The code of what the banner above says already. */
  problem: string | undefined;
  onReview: (table: string) => void;
}) {
  const [fix, setFix] = useState(false);
  const { progress, state } = table;
  if (progress && state === "throttled") {
    const seconds = ((progress.throttled_until ?? now) - now) / 1_000;
    return (
      <div className="state-throttled">
        <p className="state-line">
          <StateIcon state={state} /> Throttled, resumes in{" "}
          <strong>{formatCountdown(seconds)}</strong>
        </p>
        <p className="state-detail">Dynamics 365 asked to wait. Nothing is lost.</p>
      </div>
    );
  }
  if (progress?.trouble) {
    return (
      <div className="state-throttled">
        <p className="state-line">
          <StateIcon state="throttled" /> No answer, trying again
        </p>
        <p className="state-detail">Nothing is lost.</p>
      </div>
    );
  }
  if (progress) {
    const { rows, expected } = progress;
    return (
      <>
        <p className="state-line">
          <StateIcon state="syncing" /> Syncing
          <span className="spring" />
          <span className="state-figure">
            {expected
              ? `${formatCount(rows)} of ${formatCount(expected)}`
              : plural(rows, "row", "rows")}
          </span>
        </p>
        <ProgressBar
          thickness="medium"
          className="state-bar"
          {...(expected ? { value: rows / Math.max(1, expected) } : {})}
          aria-label={`Sync of ${table.label_plural}`}
        />
        <p className="state-detail">
          <span>{formatCount(progress.rows_per_second)} rows/s</span>
          <span className="spring" />
          {progress.seconds_left ? <span>{formatSpan(progress.seconds_left)} left</span> : null}
        </p>
      </>
    );
  }
  return (
    <>
      <p className={`state-line state-text-${state}`}>
        <StateIcon state={state} /> {stateWord(state)}
        {state === "needs_confirmation" ? (
          <Button
            size="small"
            onClick={() => onReview(table.name)}
            data-testid={`review-${table.name}`}
          >
            Review
          </Button>
        ) : null}
        {state === "failed" && table.error && table.error.code !== problem ? (
          <Button size="small" appearance="transparent" onClick={() => setFix(!fix)}>
            {fix ? "Hide fix" : "Show fix"}
          </Button>
        ) : null}
      </p>
      {state === "stale" ? (
        <p className="state-detail">
          {plural(table.stale, "row is", "rows are")} read again at the next sync
        </p>
      ) : null}
      {state === "paused" && table.error === null ? (
        <p className="state-detail">Goes on from its last page at the next sync</p>
      ) : null}
      {table.guard ? (
        <p className="state-detail">
          {plural(table.guard.would_delete, "row was", "rows were")} not sent
        </p>
      ) : null}
      {fix && table.error ? <ErrorText error={table.error} /> : null}
    </>
  );
}
