import {
  Button,
  Menu,
  MenuGroup,
  MenuGroupHeader,
  MenuItem,
  MenuList,
  MenuPopover,
  MenuTrigger,
  Tooltip,
} from "@fluentui/react-components";
import {
  Alert20Regular,
  CheckmarkCircle20Filled,
  ErrorCircle20Filled,
  Warning20Filled,
} from "@fluentui/react-icons";
import type { Connection } from "../bridge/generated";
import { plural } from "../format";
import { go } from "../place";
import { type Need, needsOf, whose } from "./needs";

/**
 * What waits for the admin, whichever page and connection is shown. A menu and no popover: what closes
 * later would give the focus back to a popover's button that had it once.
 */
export function Bell({ connections }: { connections: Connection[] }) {
  const needs = needsOf(connections);
  const name =
    needs.length === 0
      ? "Notifications"
      : `Notifications: ${plural(needs.length, "thing needs", "things need")} you`;
  return (
    <Menu positioning={{ position: "below", align: "end", offset: 4 }}>
      <MenuTrigger disableButtonEnhancement>
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
      </MenuTrigger>
      <MenuPopover className="bell-surface">
        <MenuList>
          <MenuGroup>
            <MenuGroupHeader>Notifications</MenuGroupHeader>
            {needs.length === 0 ? (
              <MenuItem
                icon={<CheckmarkCircle20Filled className="bell-good-icon" />}
                data-testid="bell-none"
              >
                Nothing needs you.
              </MenuItem>
            ) : (
              needs.map((need) => <Waiting key={need.key} need={need} connections={connections} />)
            )}
          </MenuGroup>
        </MenuList>
      </MenuPopover>
    </Menu>
  );
}

function Waiting({ need, connections }: { need: Need; connections: Connection[] }) {
  const name = whose(need, connections);
  return (
    <MenuItem
      icon={
        need.isUrgent ? (
          <ErrorCircle20Filled className="bell-urgent-icon" />
        ) : (
          <Warning20Filled className="bell-warning-icon" />
        )
      }
      onClick={() => go({ page: "home", connection: need.connection.id })}
      data-testid="bell-need"
    >
      <span className="bell-text">
        <strong>{need.title}</strong>
        {need.detail ? <span>{need.detail}</span> : null}
        {name ? <span className="caption">{name}</span> : null}
      </span>
    </MenuItem>
  );
}
