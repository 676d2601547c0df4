import { useState } from "react";
import { type Connection, commands, type Table } from "../bridge/generated";
import { plural } from "../format";
import { AppDialog, DialogPage, LossFooter } from "../parts/app-dialog";
import { useNotices } from "../parts/notices";

/** Asks before a table's rows leave this computer. */
export function RemoveTableDialog({
  connection,
  table,
  onClose,
}: {
  connection: Connection;
  /** `null` while it asks nothing. */
  table: Table | null;
  onClose: () => void;
}) {
  const { attempt, tell } = useNotices();
  const [busy, setBusy] = useState(false);
  const name = table?.label_plural ?? "";
  const remove = async () => {
    if (!table) return;
    setBusy(true);
    if (
      await attempt(() => commands.removeTable({ connection: connection.id, table: table.name }))
    ) {
      tell(`Stopped mirroring ${name}`);
      onClose();
    }
    setBusy(false);
  };
  return (
    <AppDialog isOpen={table !== null} onClose={onClose} testId="remove-table">
      <DialogPage
        title={`Stop mirroring ${name.toLowerCase()}?`}
        footer={
          <LossFooter
            verb="Stop mirroring"
            keep="Keep the table"
            isBusy={busy}
            onConfirm={() => void remove()}
            onKeep={onClose}
            confirmId="remove-table-confirm"
            keepId="remove-table-keep"
          />
        }
      >
        <p>
          {plural(table?.rows ?? 0, "row goes", "rows go")} from this computer, with the history of
          their changes. Nothing changes in Dynamics 365, and the table can be added again.
        </p>
        {table && table.deleted > 0 ? (
          <p>
            {plural(table.deleted, "row", "rows")} that Dynamics 365 does not have any more{" "}
            {table.deleted === 1 ? "goes" : "go"} too. Nobody else has{" "}
            {table.deleted === 1 ? "it" : "them"}.
          </p>
        ) : null}
      </DialogPage>
    </AppDialog>
  );
}
