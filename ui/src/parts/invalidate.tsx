import { Button } from "@fluentui/react-components";
import type { Connection } from "../bridge/generated";
import { formatCount } from "../format";
import { AppDialog, DialogPage } from "./app-dialog";

/** Asks before rows are marked as stale, and says what that means. */
export function InvalidateDialog({
  connection,
  names,
  onConfirm,
  onClose,
}: {
  connection: Connection;
  /** The tables that it asks about; `null` while it asks nothing. */
  names: string[] | null;
  onConfirm: (names: string[]) => void;
  onClose: () => void;
}) {
  const tables = connection.tables.filter((table) => names?.includes(table.name));
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  const what = tables.length === 1 ? (tables[0]?.label_plural ?? "") : "all tables";
  const confirm = () => {
    if (names) onConfirm(names);
    onClose();
  };
  return (
    <AppDialog isOpen={names !== null} onClose={onClose}>
      <DialogPage
        title={`Invalidate ${what.toLowerCase()}?`}
        footer={
          <>
            <span className="spring" />
            <Button onClick={onClose}>Cancel</Button>
            <Button appearance="primary" data-testid="confirm" onClick={confirm}>
              Invalidate
            </Button>
          </>
        }
      >
        <p>
          {formatCount(rows)} rows are marked as stale and read again from Dynamics 365. They stay
          in place until then, and nothing is deleted.
        </p>
      </DialogPage>
    </AppDialog>
  );
}
