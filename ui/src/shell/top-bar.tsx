import {
  Button,
  Menu,
  MenuItemRadio,
  MenuList,
  MenuPopover,
  MenuTrigger,
  Tooltip,
} from "@fluentui/react-components";
import {
  Keyboard20Regular,
  Search20Regular,
  WeatherMoon20Regular,
  WeatherSunny20Regular,
} from "@fluentui/react-icons";
import { type AppState, type Connection, commands, type Theme } from "../bridge/generated";
import { showTheme } from "../bridge/store";
import { Mark } from "../parts/mark";
import { useNotices } from "../parts/notices";
import { StateIcon } from "../parts/state";
import { useIsDark } from "../theme";
import { Bell } from "./bell";

export function TopBar({
  app,
  connection,
  onShortcuts,
  onPalette,
}: {
  app: AppState;
  connection: Connection;
  onShortcuts: () => void;
  onPalette: () => void;
}) {
  return (
    <header className="top-bar">
      <span className="brand">
        <Mark size={18} />
        <span className="brand-name">Salesmirror</span>
      </span>
      <button type="button" className="omnibox" onClick={onPalette} data-testid="omnibox">
        <Search20Regular />
        <span>Search records, tables and commands</span>
        <kbd>Ctrl K</kbd>
      </button>
      <span className="top-bar-now">
        <Now connection={connection} />
        <Bell connections={app.connections} />
        <ThemeMenu theme={app.theme} />
        <Tooltip content="Keyboard shortcuts" relationship="label">
          <Button appearance="subtle" icon={<Keyboard20Regular />} onClick={onShortcuts} />
        </Tooltip>
      </span>
    </header>
  );
}

/** What is going on, in a few words. */
function Now({ connection }: { connection: Connection }) {
  const busy = connection.tables.filter((table) => table.progress !== null);
  const throttled = busy.find((table) => table.state === "throttled");
  if (throttled) {
    return (
      <span className="now state-throttled">
        <StateIcon state="throttled" /> Throttled
      </span>
    );
  }
  if (busy.length > 0) {
    const rows = busy.reduce((sum, table) => sum + (table.progress?.rows ?? 0), 0);
    const expected = busy.reduce((sum, table) => sum + (table.progress?.expected ?? 0), 0);
    const share = expected > 0 ? ` ${Math.min(100, Math.floor((100 * rows) / expected))}%` : "";
    const only = busy.length === 1 ? busy[0]?.label_plural : `${busy.length} tables`;
    return (
      <span className="now">
        <StateIcon state="syncing" /> {only}
        {share}
      </span>
    );
  }
  if (!connection.signed_in) {
    return (
      <span className="now state-needs_confirmation">
        <StateIcon state="needs_confirmation" /> Signed out
      </span>
    );
  }
  return null;
}

function ThemeMenu({ theme }: { theme: Theme }) {
  const { attempt } = useNotices();
  const isDark = useIsDark(theme);
  return (
    <Menu
      checkedValues={{ theme: [theme] }}
      onCheckedValueChange={(_, { checkedItems }) => {
        const chosen = checkedItems[0] as Theme | undefined;
        if (!chosen) return;
        showTheme(chosen);
        void attempt(() => commands.setTheme(chosen));
      }}
    >
      <MenuTrigger disableButtonEnhancement>
        <Tooltip content="Theme" relationship="label">
          <Button
            appearance="subtle"
            icon={isDark ? <WeatherMoon20Regular /> : <WeatherSunny20Regular />}
            data-testid="theme-switch"
          />
        </Tooltip>
      </MenuTrigger>
      <MenuPopover>
        <MenuList>
          <MenuItemRadio name="theme" value="light" data-testid="theme-light">
            Light
          </MenuItemRadio>
          <MenuItemRadio name="theme" value="dark" data-testid="theme-dark">
            Dark
          </MenuItemRadio>
          <MenuItemRadio name="theme" value="system">
            As the system is set
          </MenuItemRadio>
        </MenuList>
      </MenuPopover>
    </Menu>
  );
}
