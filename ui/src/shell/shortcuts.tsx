import { Button } from "@fluentui/react-components";
import { AppDialog, DialogPage } from "../parts/app-dialog";

const SHORTCUTS: [keys: string, what: string][] = [
  ["Ctrl K", "Search everything, and all commands"],
  ["Ctrl F", "Search this table"],
  ["Ctrl E", "Export what is shown"],
  ["Ctrl R", "Sync this table, or all of them from Home"],
  ["Ctrl Enter", "Send the request that is written"],
  ["Enter", "Open the record of the current row"],
  ["↑ ↓ Page Home End", "Move in the grid"],
  ["Space, Shift Space", "Select the current row, or all up to it"],
  ["Ctrl A", "Select all that match"],
  ["Ctrl C", "Copy the current cell, or the selected rows"],
  ["Shift F10", "Menu of the current cell"],
  ["Ctrl +, Ctrl −", "Enlarge what is shown, or make it smaller"],
  ["Alt ←", "Back"],
  ["Escape", "Close what is on top: a menu, a dialog, the record"],
  ["?", "This list"],
];

export function ShortcutsDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  return (
    <AppDialog isOpen={isOpen} onClose={onClose}>
      <DialogPage
        title="Keyboard shortcuts"
        footer={
          <>
            <span className="spring" />
            <Button appearance="primary" onClick={onClose}>
              Close
            </Button>
          </>
        }
      >
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
      </DialogPage>
    </AppDialog>
  );
}
