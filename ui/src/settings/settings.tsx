import { Dropdown, Option } from "@fluentui/react-components";
import {
  ArrowSyncCircle20Regular,
  Clock20Regular,
  Color20Regular,
  Delete20Regular,
  DocumentTable20Regular,
  History20Regular,
  ShieldError20Regular,
  Table20Regular,
} from "@fluentui/react-icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import {
  type AppState,
  type Connection,
  commands,
  type Preference,
  type Theme,
} from "../bridge/generated";
import { asError, showTheme } from "../bridge/store";
import { formatCount, plural } from "../format";
import { connectionTitle } from "../parts/environment";
import { ErrorText } from "../parts/error-text";
import { useNotices } from "../parts/notices";
import { About } from "./about";
import { Connections } from "./connections";
import { Diagnostics } from "./diagnostics";
import { NetworkSettings } from "./network";
import { Row } from "./row";

const SECTIONS = [
  "Sync",
  "Storage and retention",
  "Network",
  "Appearance",
  "Connections",
  "Diagnostics",
  "About",
] as const;
type Section = (typeof SECTIONS)[number];

export default function SettingsPage({
  app,
  connection,
}: {
  app: AppState;
  connection: Connection;
}) {
  const [section, setSection] = useState<Section>("Sync");
  return (
    <div className="settings">
      <nav className="settings-sections" aria-label="Settings">
        <h1>Settings</h1>
        {SECTIONS.map((name) => (
          <button
            key={name}
            type="button"
            className="settings-section"
            aria-current={name === section ? "page" : undefined}
            onClick={() => setSection(name)}
            data-testid={`settings-${name.toLowerCase().replaceAll(" ", "-")}`}
          >
            {name}
          </button>
        ))}
      </nav>
      <section className="settings-page" aria-label={section}>
        <h2>{section}</h2>
        {section === "Sync" || section === "Storage and retention" ? (
          <p className="caption settings-of">For {connectionTitle(connection)}</p>
        ) : null}
        {section === "Sync" ? <SyncSettings connection={connection} /> : null}
        {section === "Storage and retention" ? <StorageSettings connection={connection} /> : null}
        {section === "Network" ? <NetworkSettings /> : null}
        {section === "Connections" ? <Connections app={app} connection={connection} /> : null}
        {section === "Diagnostics" ? <Diagnostics /> : null}
        {section === "Appearance" ? <AppearanceSettings theme={app.theme} /> : null}
        {section === "About" ? <About app={app} /> : null}
      </section>
    </div>
  );
}

function SyncSettings({ connection }: { connection: Connection }) {
  return (
    <Preferences connection={connection}>
      {(pick) => (
        <>
          <Row
            icon={<Clock20Regular />}
            title="Schedule"
            text="Applies to every table that has none of its own"
          >
            {pick("schedule", "Schedule", INTERVALS, interval)}
          </Row>
          {connection.tables.map((table) => (
            <Row key={table.name} title={table.label_plural}>
              {pick(
                `schedule/${table.name}`,
                `Schedule of ${table.label_plural}`,
                ["default", ...INTERVALS],
                interval,
              )}
            </Row>
          ))}
          <Row
            icon={<ShieldError20Regular />}
            title="Mass-delete guard"
            text="Stop and ask before a sync marks this share of a table as deleted"
          >
            {pick("mass-delete-percent", "Mass-delete guard", ["5", "10", "20", "50"], (value) =>
              value === "100" ? "Never" : `More than ${value}%`,
            )}
          </Row>
          <Row
            icon={<DocumentTable20Regular />}
            title="Page size"
            text="Rows asked for in one request. Smaller pages help on slow lines"
          >
            {pick("page-size", "Page size", ["500", "1000", "2500", "5000"], (value) =>
              value === "5000" ? "5,000 rows (fastest)" : plural(Number(value), "row", "rows"),
            )}
          </Row>
          <Row
            icon={<Table20Regular />}
            title="Deletions that are never asked about"
            text="Up to this number, whatever share of the table it is. A sync that brings no rows at all always asks"
          >
            {pick("mass-delete-rows", "Rows without asking", ["0", "100", "1000"], (value) =>
              plural(Number(value), "row", "rows"),
            )}
          </Row>
        </>
      )}
    </Preferences>
  );
}

const INTERVALS = ["5m", "15m", "30m", "1h", "4h", "1d", "off"];
const UNITS: Record<string, [string, string]> = {
  s: ["second", "seconds"],
  m: ["minute", "minutes"],
  h: ["hour", "hours"],
  d: ["day", "days"],
};

/** "Every 15 minutes". */
function interval(value: string): string {
  if (value === "off") return "Only by hand";
  if (value === "default") return "As the connection";
  const [one, many] = UNITS[value.slice(-1)] ?? ["", ""];
  const count = Number(value.slice(0, -1));
  return count === 1 ? `Every ${one}` : `Every ${formatCount(count)} ${many}`;
}

function StorageSettings({ connection }: { connection: Connection }) {
  const deleted = connection.tables.reduce((sum, table) => sum + table.deleted, 0);
  return (
    <Preferences connection={connection}>
      {(pick) => (
        <>
          <Row
            icon={<Delete20Regular />}
            title="Deleted rows"
            text={`Kept behind a filter, with when they went. ${formatCount(deleted)} are kept now`}
          >
            {pick("keep-deleted", "Keep deleted rows", ["30", "90", "365", "730", "forever"], days)}
          </Row>
          <Row
            icon={<History20Regular />}
            title="History of records"
            text="Which column changed, from what to what, and when it was seen"
          >
            {pick("keep-history", "Keep history", ["30", "90", "365", "730", "forever"], days)}
          </Row>
          <Row
            icon={<ArrowSyncCircle20Regular />}
            title="List of runs"
            text="What each sync read, how long it took, and what went wrong"
          >
            {pick("keep-runs", "Keep runs", ["30", "90", "365", "forever"], days)}
          </Row>
        </>
      )}
    </Preferences>
  );
}

/** "90 days", "2 years". */
function days(value: string): string {
  if (value === "forever") return "Forever";
  const count = Number(value);
  return count > 0 && count % 365 === 0
    ? plural(count / 365, "year", "years")
    : plural(count, "day", "days");
}

type Pick = (
  key: string,
  label: string,
  values: string[],
  word: (value: string) => string,
) => ReactNode;

/** Reads what is set for a connection, and gives what changes it. */
function Preferences({
  connection,
  children,
}: {
  connection: Connection;
  children: (pick: Pick) => ReactNode;
}) {
  const { attempt } = useNotices();
  const queries = useQueryClient();
  const queryKey = ["preferences", connection.id];
  const { data, error } = useQuery({
    queryKey,
    queryFn: () => commands.preferences(connection.id),
  });
  if (error) return <ErrorText error={asError(error)} />;
  if (!data) return null;
  const change = async (key: string, value: string) => {
    await attempt(() => commands.setPreference(connection.id, key, value));
    await queries.invalidateQueries({ queryKey });
  };
  const pick: Pick = (key, label, values, word) => {
    const found = data.find((preference: Preference) => preference.key === key);
    if (!found) return null;
    // What was set elsewhere to something else is offered too.
    const offered = values.includes(found.value) ? values : [...values, found.value];
    return (
      <Dropdown
        className="settings-choice"
        aria-label={label}
        value={word(found.value)}
        selectedOptions={[found.value]}
        onOptionSelect={(_, { optionValue }) => void change(key, optionValue ?? found.value)}
        data-testid={`preference-${key}`}
      >
        {offered.map((value) => (
          <Option key={value} value={value} text={word(value)}>
            {value === found.default ? `${word(value)} (default)` : word(value)}
          </Option>
        ))}
      </Dropdown>
    );
  };
  return children(pick);
}

const THEMES: Record<Theme, string> = { system: "As the system", light: "Light", dark: "Dark" };

function AppearanceSettings({ theme }: { theme: Theme }) {
  const { attempt } = useNotices();
  const choose = (chosen: Theme) => {
    showTheme(chosen);
    void attempt(() => commands.setTheme(chosen));
  };
  return (
    <Row icon={<Color20Regular />} title="Theme" text="Light, dark, or as the system is">
      <Dropdown
        className="settings-choice"
        aria-label="Theme"
        value={THEMES[theme]}
        selectedOptions={[theme]}
        onOptionSelect={(_, { optionValue }) => choose((optionValue ?? theme) as Theme)}
      >
        {Object.entries(THEMES).map(([value, word]) => (
          <Option key={value} value={value}>
            {word}
          </Option>
        ))}
      </Dropdown>
    </Row>
  );
}
