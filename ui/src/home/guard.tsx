import { Button } from "@fluentui/react-components";
import { Warning24Filled } from "@fluentui/react-icons";
import type { Table } from "../bridge/generated";
import { formatCount } from "../format";
import { AppDialog, DialogPage } from "../parts/app-dialog";
import type { ConnectionActions } from "../shell/actions";

/** The mass-delete guard: the safe answer is the primary one. */
export function GuardDialog({
  table,
  actions,
  onClose,
}: {
  table: Table | null;
  actions: ConnectionActions;
  onClose: () => void;
}) {
  const guard = table?.guard;
  if (!table || !guard) return null;
  const name = table.label_plural.toLowerCase();
  const received = guard.live_before - guard.would_delete;
  const share = (100 * guard.would_delete) / Math.max(1, guard.live_before);
  const answer = (act: () => void) => {
    act();
    onClose();
  };
  return (
    <AppDialog isOpen onClose={onClose} className="guard" testId="guard">
      <DialogPage
        title={
          <span className="guard-title">
            <Warning24Filled className="guard-sign" />
            Mark {formatCount(guard.would_delete)} {name} as deleted?
          </span>
        }
        footer={
          <>
            <Button
              appearance="transparent"
              className="danger-button"
              onClick={() => answer(() => actions.answerGuard(table.name, true))}
              data-testid="guard-delete"
            >
              Mark as deleted
            </Button>
            <span className="spring" />
            <Button onClick={() => answer(() => actions.fullSync([table.name]))}>
              Check again
            </Button>
            <Button
              appearance="primary"
              onClick={() => answer(() => actions.answerGuard(table.name, false))}
              data-testid="guard-keep"
            >
              Keep the rows
            </Button>
          </>
        }
      >
        <p>
          The full sync of {table.label_plural} finished, but {formatCount(guard.would_delete)} rows
          in your mirror were not in what Dynamics 365 sent. Nothing has been marked yet.
        </p>
        <svg
          className="guard-bar"
          viewBox="0 0 100 1"
          preserveAspectRatio="none"
          aria-hidden="true"
        >
          <rect width={100 - share} height="1" className="guard-received" />
          <rect
            x={100 - share + 0.3}
            width={Math.max(0, share - 0.3)}
            height="1"
            className="guard-missing"
          />
        </svg>
        <p className="guard-figures">
          <span>
            <strong>{formatCount(received)}</strong> received
          </span>
          <span>
            <strong>{formatCount(guard.would_delete)}</strong> missing, {share.toFixed(1)}% of the
            table
          </span>
        </p>
        {guard.examples.length > 0 ? (
          <p className="guard-examples">
            <strong>Among them</strong> {guard.examples.join(", ")}
          </p>
        ) : null}
        <p>
          <strong>Most likely</strong> the security role of the signed-in user changed, so that it
          reads fewer rows. Check it in the Power Platform admin center, then check again.
        </p>
      </DialogPage>
    </AppDialog>
  );
}
