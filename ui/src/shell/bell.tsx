import {
  Button,
  Popover,
  PopoverSurface,
  PopoverTrigger,
  Tooltip,
} from "@fluentui/react-components";
import {
  Alert20Regular,
  CheckmarkCircle20Filled,
  ErrorCircle20Filled,
  Warning20Filled,
} from "@fluentui/react-icons";
import { useEffect, useRef, useState } from "react";
import type { Connection } from "../bridge/generated";
import { plural } from "../format";
import { go } from "../place";
import { type Need, needsOf, whose } from "./needs";

/** What waits for the admin, whichever page and connection is shown. */
export function Bell({ connections }: { connections: Connection[] }) {
  const [isOpen, setOpen] = useState(false);
  const needs = needsOf(connections);
  const name =
    needs.length === 0
      ? "Notifications"
      : `Notifications: ${plural(needs.length, "thing needs", "things need")} you`;
  const show = (need: Need) => {
    setOpen(false);
    go({ page: "home", connection: need.connection.id });
  };
  return (
    <Popover
      open={isOpen}
      onOpenChange={(_, data) => setOpen(data.open)}
      positioning={{ position: "below", align: "end", offset: 4 }}
      trapFocus
    >
      <PopoverTrigger disableButtonEnhancement>
        <Tooltip content={name} relationship="label">
          <Button
            appearance="subtle"
            className="bell"
            data-testid="bell"
            icon={
              <>
                <Alert20Regular />
                {needs.length > 0 ? (
                  <span
                    className={needs[0]?.isUrgent ? "bell-count bell-urgent" : "bell-count"}
                    aria-hidden="true"
                  >
                    {needs.length > 9 ? "9+" : needs.length}
                  </span>
                ) : null}
              </>
            }
          />
        </Tooltip>
      </PopoverTrigger>
      <PopoverSurface className="bell-surface" aria-label="Notifications">
        <h2>Notifications</h2>
        {needs.length === 0 ? (
          <None />
        ) : (
          <ul>
            {needs.map((need) => (
              <li key={need.key}>
                <button type="button" onClick={() => show(need)} data-testid="bell-need">
                  {need.isUrgent ? (
                    <ErrorCircle20Filled className="bell-urgent-icon" />
                  ) : (
                    <Warning20Filled className="bell-warning-icon" />
                  )}
                  <span>
                    <strong>{need.title}</strong>
                    {need.detail ? <span>{need.detail}</span> : null}
                    <Whose need={need} connections={connections} />
                  </span>
                </button>
              </li>
            ))}
          </ul>
        )}
      </PopoverSurface>
    </Popover>
  );
}

/** Takes the focus, so that Escape closes what it stands in. */
function None() {
  const text = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    const timer = setTimeout(() => text.current?.focus());
    return () => clearTimeout(timer);
  }, []);
  return (
    <p className="bell-none" ref={text} tabIndex={-1} data-testid="bell-none">
      <CheckmarkCircle20Filled /> Nothing needs you.
    </p>
  );
}

function Whose({ need, connections }: { need: Need; connections: Connection[] }) {
  const name = whose(need, connections);
  return name ? <span className="caption">{name}</span> : null;
}
