import { Link } from "@fluentui/react-components";
import { useState } from "react";
import type { ErrorReply } from "../bridge/generated";
import { copyText } from "./clipboard";

/** What happened, what to do, and the service's own words ready to copy. */
export function ErrorText({ error }: { error: ErrorReply }) {
  return (
    <div className="error-text" role="alert">
      <p>
        <strong>{error.message}</strong> {error.hint}
      </p>
      {error.reference ? <Reference error={error} /> : null}
    </div>
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
