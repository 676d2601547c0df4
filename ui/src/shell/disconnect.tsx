import { Checkbox } from "@fluentui/react-components";
import { useState } from "react";
import { type Connection, commands } from "../bridge/generated";
import { formatCount, plural } from "../format";
import { AppDialog, DialogPage, LossFooter } from "../parts/app-dialog";
import { connectionTitle } from "../parts/environment";
import { useNotices } from "../parts/notices";
import { go } from "../place";

export function DisconnectDialog({
  connection,
  isOpen,
  onClose,
}: {
  connection: Connection;
  isOpen: boolean;
  onClose: () => void;
}) {
  const { attempt, tell } = useNotices();
  const [purge, setPurge] = useState(true);
  const [busy, setBusy] = useState(false);
  const rows = connection.tables.reduce((sum, table) => sum + table.rows, 0);
  const deleted = connection.tables.reduce((sum, table) => sum + table.deleted, 0);
  const title = connectionTitle(connection);
  const disconnect = async () => {
    setBusy(true);
    if (await attempt(() => commands.disconnect(connection.id, purge))) {
      tell(`Disconnected ${title}`);
      onClose();
      go({ page: "home", connection: null });
    }
    setBusy(false);
  };
  return (
    <AppDialog isOpen={isOpen} onClose={onClose}>
      <DialogPage
        title={`Disconnect ${title}?`}
        footer={
          <LossFooter
            verb="Disconnect"
            keep="Stay connected"
            isBusy={busy}
            onConfirm={() => void disconnect()}
            onKeep={onClose}
            confirmId="disconnect-confirm"
          />
        }
      >
        <p>
          The sign-in and the client secret on this computer are forgotten. Nothing changes in
          Dynamics 365.
        </p>
        <Checkbox
          checked={purge}
          input={{ "data-testid": "disconnect-erase" } as object}
          onChange={(_, data) => setPurge(data.checked === true)}
          label={`Erase the ${formatCount(rows)} mirrored rows and their key too`}
        />
        {purge ? (
          <p className="caption">
            The history of changes goes with them
            {deleted > 0
              ? `, and ${plural(deleted, "row", "rows")} that Dynamics 365 does not have any more`
              : ""}
            . Nobody else has these.
          </p>
        ) : (
          <p className="caption">
            The data stays on this computer, encrypted, and is there again when you connect to this
            environment as the same user.
          </p>
        )}
      </DialogPage>
    </AppDialog>
  );
}
