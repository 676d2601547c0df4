import {
  Button,
  Dialog,
  DialogActions,
  DialogBody,
  DialogContent,
  DialogSurface,
  DialogTitle,
} from "@fluentui/react-components";
import type { Connection } from "../bridge/generated";
import { formatCount } from "../format";

export interface Question {
  kind: "invalidate";
  tables: string[];
}

/** Asks before rows are marked as stale, and says what that means. */
export function Confirm({
  connection,
  question,
  onConfirm,
  onClose,
}: {
  connection: Connection;
  question: Question | null;
  onConfirm: (question: Question) => void;
  onClose: () => void;
}) {
  const tables = connection.tables.filter((table) => question?.tables.includes(table.name));
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  const what = tables.length === 1 ? (tables[0]?.label_plural ?? "") : "all tables";
  return (
    <Dialog open={question !== null} onOpenChange={(_, data) => (data.open ? null : onClose())}>
      <DialogSurface className="dialog">
        <DialogBody>
          <DialogTitle>Invalidate {what.toLowerCase()}?</DialogTitle>
          <DialogContent>
            <p>
              {formatCount(rows)} rows are marked as stale and read again from Dynamics 365. They
              stay in place until then, and nothing is deleted.
            </p>
          </DialogContent>
          <DialogActions className="dialog-footer">
            <Button onClick={onClose}>Cancel</Button>
            <Button
              appearance="primary"
              data-testid="confirm"
              onClick={() => {
                if (question) onConfirm(question);
                onClose();
              }}
            >
              Invalidate
            </Button>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}
