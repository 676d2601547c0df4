import {
  Menu,
  MenuDivider,
  MenuItem,
  MenuList,
  MenuPopover,
  MenuTrigger,
} from "@fluentui/react-components";
import {
  Add20Regular,
  Beaker20Regular,
  Checkmark20Regular,
  ChevronUpDown20Regular,
} from "@fluentui/react-icons";
import { type AppState, type Connection, commands } from "../bridge/generated";
import { ConnectionTile, connectionDetail, connectionTitle } from "../parts/environment";
import { rail, useMedia } from "../parts/media";
import { useNotices } from "../parts/notices";
import { go, readPlace, samePage } from "../place";
import { begin } from "./actions";

/** Organisation and environment, always in sight: acting on the wrong one is the costly mistake. */
export function ConnectionSwitcher({ app, connection }: { app: AppState; connection: Connection }) {
  const { attempt } = useNotices();
  const isRail = useMedia(rail);
  const hasSample = app.connections.some((known) => known.kind === "sample");
  const explore = () => attempt(async () => begin(await commands.exploreSample()));
  return (
    <Menu positioning={{ position: "below", align: "start" }}>
      <MenuTrigger disableButtonEnhancement>
        <button
          type="button"
          className="switcher"
          data-testid="switcher"
          aria-label={
            isRail
              ? `Connection: ${connectionTitle(connection)}, ${connectionDetail(connection)}`
              : undefined
          }
        >
          <ConnectionTile connection={connection} />
          <span className="offscreen">Connection: </span>
          <span className="switcher-text">
            <span className="switcher-name">{connectionTitle(connection)}</span>
            <span className={`switcher-kind environment-text-${connection.kind}`}>
              {connectionDetail(connection)}
            </span>
          </span>
          <ChevronUpDown20Regular className="switcher-arrow" />
        </button>
      </MenuTrigger>
      <MenuPopover className="switcher-menu">
        <MenuList>
          {app.connections.map((known) => (
            <MenuItem
              key={known.id}
              icon={<ConnectionTile connection={known} />}
              secondaryContent={known.id === connection.id ? <Checkmark20Regular /> : undefined}
              onClick={() => go(samePage(readPlace(location.hash), known))}
              data-testid="switch-connection"
            >
              <span className="switcher-text">
                <span className="switcher-name">{connectionTitle(known)}</span>
                <span className={`switcher-kind environment-text-${known.kind}`}>
                  {connectionDetail(known)}
                </span>
              </span>
            </MenuItem>
          ))}
          <MenuDivider />
          <MenuItem
            icon={<Add20Regular />}
            onClick={() => go({ page: "connect" })}
            data-testid="connect-another"
          >
            {app.setup ? "Continue the set-up" : "Connect another"}
          </MenuItem>
          {hasSample ? null : (
            <MenuItem icon={<Beaker20Regular />} onClick={() => void explore()}>
              Explore the sample
            </MenuItem>
          )}
        </MenuList>
      </MenuPopover>
    </Menu>
  );
}
