import { Link } from "@fluentui/react-components";
import { useState } from "react";
import { commands, type ErrorReply } from "../bridge/generated";
import { copyText } from "./clipboard";
import { useNotices } from "./notices";

/** What happened, what to do, and the service's own words ready to copy. */
export function ErrorText({ error }: { error: ErrorReply }) {
  return (
    <div className="error-text" role="alert">
      <p>
        <strong>{error.message}</strong> {error.hint} <FixLink error={error} />
      </p>
      {error.reference ? <Reference error={error} /> : null}
    </div>
  );
}

/** The portal page where it is mended, where there is one. */
export function FixLink({ error }: { error: ErrorReply }) {
  const { attempt } = useNotices();
  const { link } = error;
  if (!link) return null;
  return (
    <Link as="button" onClick={() => void attempt(() => commands.openLink(link))}>
      Open the page
    </Link>
  );
}

export function Reference({ error }: { error: ErrorReply }) {
  const [copied, setCopied] = useState(false);
  const text = `${error.code}\n${error.message}\n${error.reference ?? ""}`;
  return (
    <p className="error-reference">
      <code>{error.reference}</code>
      <Link as="button" onClick={() => void copyText(text).then(setCopied)}>
        {copied ? "Copied" : "Copy details"}
      </Link>
    </p>
  );
}
