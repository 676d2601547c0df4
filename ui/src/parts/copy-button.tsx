import { Button } from "@fluentui/react-components";
import { Checkmark16Regular, Copy16Regular } from "@fluentui/react-icons";
import { useEffect, useState } from "react";
import { copyText } from "./clipboard";

/** How long "Copied" stays, in ms. */
const COPIED_MS = 2_000;

/** A button that copies, and says so. */
export function CopyButton({
  text,
  label,
  testId,
}: {
  text: string;
  label: string;
  testId?: string;
}) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), COPIED_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <Button
      size="small"
      type="button"
      icon={copied ? <Checkmark16Regular /> : <Copy16Regular />}
      aria-label={copied ? `Copied ${label}` : `Copy ${label}`}
      onClick={() => void copyText(text).then(setCopied)}
      data-testid={testId}
    >
      {copied ? "Copied" : "Copy"}
    </Button>
  );
}
