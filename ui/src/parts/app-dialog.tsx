import {
  Button,
  Dialog,
  DialogBody,
  DialogContent,
  DialogSurface,
  DialogTitle,
} from "@fluentui/react-components";
import type { ReactNode } from "react";

/** A dialog as the product has them: title, content, and a strip with what can be done. */
export function AppDialog({
  isOpen,
  onClose,
  className,
  testId,
  children,
}: {
  isOpen: boolean;
  onClose: () => void;
  className?: string;
  testId?: string;
  children: ReactNode;
}) {
  return (
    <Dialog open={isOpen} onOpenChange={(_, data) => (data.open ? null : onClose())}>
      <DialogSurface className={`dialog ${className ?? ""}`} data-testid={testId}>
        {children}
      </DialogSurface>
    </Dialog>
  );
}

/** The title, the content and the strip of an [`AppDialog`]. */
export function DialogPage({
  title,
  footer,
  children,
}: {
  title: ReactNode;
  footer: ReactNode;
  children: ReactNode;
}) {
  return (
    <>
      <DialogBody>
        <DialogTitle>{title}</DialogTitle>
        <DialogContent>{children}</DialogContent>
      </DialogBody>
      <footer className="dialog-footer">{footer}</footer>
    </>
  );
}

/** The strip of a dialog that asks before something is lost: what would be done is quiet and far away, and
 * keeping it is what most people should do. */
export function LossFooter({
  verb,
  keep,
  isBusy = false,
  onConfirm,
  onKeep,
  confirmId,
  keepId,
}: {
  verb: string;
  keep: string;
  /** While it is being done. */
  isBusy?: boolean;
  onConfirm: () => void;
  onKeep: () => void;
  confirmId: string;
  keepId?: string;
}) {
  return (
    <>
      <Button
        appearance="transparent"
        className="danger-button"
        disabled={isBusy}
        onClick={onConfirm}
        data-testid={confirmId}
      >
        {verb}
      </Button>
      <span className="spring" />
      <Button appearance="primary" onClick={onKeep} data-testid={keepId}>
        {keep}
      </Button>
    </>
  );
}
