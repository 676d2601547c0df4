/** What the steps are made of. */
import { Button, Field, Input, Link } from "@fluentui/react-components";
import { CheckmarkCircle16Filled, ErrorCircle16Filled, Open16Regular } from "@fluentui/react-icons";
import { type ReactNode, useState } from "react";
import { commands, type SetupDraft } from "../bridge/generated";
import { CopyButton } from "../parts/copy-button";
import { useNotices } from "../parts/notices";
import type { SetupControl } from "./use-setup";

/** The heading of a step. */
export function StepHead({ number, title, lead }: { number: number; title: string; lead: string }) {
  return (
    <header className="step-head">
      <p className="caption">Step {number} of 8</p>
      <h1>{title}</h1>
      <p className="step-lead">{lead}</p>
    </header>
  );
}

/** A value for the portal, behind a Copy button. */
export function CopyValue({ label, value }: { label: string; value: string }) {
  return (
    <div className="copy-value">
      <span className="copy-label">{label}</span>
      <code>{value}</code>
      <CopyButton text={value} label={label} />
    </div>
  );
}

/** Opens a page in the browser; its address is in the tooltip of the system's own. */
export function OpenPage({
  url,
  children,
  testId,
}: {
  url: string;
  children: ReactNode;
  testId?: string;
}) {
  const { attempt } = useNotices();
  return (
    <Button
      type="button"
      icon={<Open16Regular />}
      iconPosition="after"
      title={url}
      onClick={() => void attempt(() => commands.openLink(url))}
      data-testid={testId}
    >
      {children}
    </Button>
  );
}

/** The same in the middle of a sentence. */
export function OpenLink({ url, children }: { url: string; children: ReactNode }) {
  const { attempt } = useNotices();
  return (
    <Link
      as="button"
      type="button"
      inline
      title={url}
      onClick={() => void attempt(() => commands.openLink(url))}
    >
      {children}
    </Link>
  );
}

/** Something that is right. */
export function Good({ children }: { children: ReactNode }) {
  return (
    <span className="field-good">
      <CheckmarkCircle16Filled /> {children}
    </span>
  );
}

/** Something that is wrong. */
export function Bad({ children }: { children: ReactNode }) {
  return (
    <span className="field-bad" role="alert">
      <ErrorCircle16Filled /> <span>{children}</span>
    </span>
  );
}

type TextField = "name" | "authority" | "discovery" | "tenant" | "client_id" | "environment";

/** A field of text. What is wrong is said once something was typed, or the field was left. */
export function TextInput({
  control,
  field,
  label,
  hint,
  placeholder,
  good,
  bad,
}: {
  control: SetupControl;
  field: TextField;
  label: string;
  hint?: ReactNode;
  placeholder?: string;
  good?: ReactNode;
  bad?: ReactNode;
}) {
  const [left, setLeft] = useState(false);
  const value = control.draft[field];
  // What is on the screen and what was checked differ while somebody types.
  const isChecked = control.setup.draft[field] === value;
  const problem =
    isChecked && (value !== "" || left || control.isTried) ? control.problem(field) : null;
  const below = problem ?? bad;
  return (
    <Field
      label={label}
      validationState={below ? "error" : "none"}
      validationMessage={below ? { children: below } : undefined}
      hint={below ? undefined : { children: good ?? hint }}
    >
      <Input
        value={value}
        placeholder={placeholder ?? ""}
        autoComplete="off"
        spellCheck={false}
        onChange={(_, data) => control.change({ [field]: data.value } as Partial<SetupDraft>)}
        onBlur={() => {
          setLeft(true);
          void control.save();
        }}
        input={{ "data-testid": `setup-${field}` } as object}
      />
    </Field>
  );
}

/** Numbered instructions. */
export function Instructions({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="instructions">
      <h2>{title}</h2>
      <ol>{children}</ol>
    </section>
  );
}
