import {
  Button,
  Dialog,
  DialogActions,
  DialogBody,
  DialogContent,
  DialogSurface,
  DialogTitle,
} from "@fluentui/react-components";

const SHORTCUTS: [keys: string, what: string][] = [
  ["Ctrl F", "Search this table"],
  ["Ctrl E", "Export what is shown"],
  ["Ctrl R", "Sync this table, or all of them from Home"],
  ["Enter", "Open the record of the current row"],
  ["↑ ↓ Page Home End", "Move in the grid"],
  ["Alt ←", "Back"],
  ["Escape", "Close the innermost thing"],
  ["?", "This list"],
];

export function ShortcutsDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  return (
    <Dialog open={isOpen} onOpenChange={(_, data) => (data.open ? null : onClose())}>
      <DialogSurface className="dialog">
        <DialogBody>
          <DialogTitle>Keyboard shortcuts</DialogTitle>
          <DialogContent>
            <dl className="shortcuts">
              {SHORTCUTS.map(([keys, what]) => (
                <div key={keys}>
                  <dt>
                    <kbd>{keys}</kbd>
                  </dt>
                  <dd>{what}</dd>
                </div>
              ))}
            </dl>
          </DialogContent>
          <DialogActions className="dialog-footer">
            <Button appearance="primary" onClick={onClose}>
              Close
            </Button>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}
