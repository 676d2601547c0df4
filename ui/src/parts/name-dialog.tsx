import { Button, Field, Input } from "@fluentui/react-components";
import { useState } from "react";
import { AppDialog, DialogPage } from "./app-dialog";

/** Asks under which name something is kept. */
export function NameDialog({
  title,
  verb,
  noun,
  initial = "",
  isTaken,
  canReplace,
  note,
  onName,
  onClose,
}: {
  title: string;
  verb: string;
  /** What gets the name, such as "view". */
  noun: string;
  initial?: string;
  isTaken: (name: string) => boolean;
  /** Whether a new one takes the place of what has the name; a rename would lose one of two. */
  canReplace: boolean;
  note?: string;
  onName: (name: string) => void;
  onClose: () => void;
}) {
  const [typed, setTyped] = useState(initial);
  const name = typed.trim();
  const isOther = isTaken(name);
  const isRefused = name === "" || (isOther && !canReplace);
  const save = () => {
    if (!isRefused) onName(name);
  };
  return (
    <AppDialog isOpen onClose={onClose} testId="name-dialog">
      <DialogPage
        title={title}
        footer={
          <>
            <span className="spring" />
            <Button onClick={onClose}>Cancel</Button>
            <Button
              appearance="primary"
              disabled={isRefused}
              onClick={save}
              data-testid="name-confirm"
            >
              {isOther && canReplace ? "Replace" : verb}
            </Button>
          </>
        }
      >
        {note ? <p>{note}</p> : null}
        <Field
          label="Name"
          validationState={isOther ? "warning" : "none"}
          validationMessage={
            isOther
              ? `A ${noun} of this name exists.${canReplace ? " It will be replaced." : ""}`
              : undefined
          }
        >
          <Input
            value={typed}
            maxLength={80}
            onChange={(_, data) => setTyped(data.value)}
            onKeyDown={(event) => {
              if (event.key === "Enter") save();
            }}
            input={{ "data-testid": "name" } as object}
          />
        </Field>
      </DialogPage>
    </AppDialog>
  );
}
