/** What the palette lists, apart from records. */
import type { AppState, Connection } from "../bridge/generated";
import { connectionDetail, connectionTitle } from "../parts/environment";

export interface Entry {
  id: string;
  group: string;
  title: string;
  detail?: string;
  /** The keys that do the same. */
  keys?: string;
  icon: "page" | "table" | "record" | "command" | "all" | "connection";
  /** The table of a record or of a table's page. */
  table?: string;
  act: () => void;
  /** Opens the record in Dynamics 365. */
  actOutside?: () => void;
}

export interface Doings {
  goHome: () => void;
  goTable: (table: string) => void;
  goApi: () => void;
  goConsole: () => void;
  goSettings: () => void;
  goConnection: (other: Connection) => void;
  connectAnother: () => void;
  sync: (tables: string[]) => void;
  fullSync: (tables: string[]) => void;
  pause: () => void;
  signIn: () => void;
  exportTable: (table: string) => void;
  addTable: () => void;
  verify: () => void;
  disconnect: () => void;
  showShortcuts: () => void;
  setTheme: (theme: "light" | "dark" | "system") => void;
}

/** Pages, tables and commands that make sense now. */
export function standingEntries(
  app: AppState,
  connection: Connection,
  shown: string | undefined,
  doings: Doings,
): Entry[] {
  const isSyncing = connection.tables.some((table) => table.progress !== null);
  const table = connection.tables.find((known) => known.name === shown);
  const entries: Entry[] = [
    {
      id: "home",
      group: "Go to",
      title: "Home",
      icon: "page",
      act: doings.goHome,
    },
    ...connection.tables.map(
      (known): Entry => ({
        id: `table-${known.name}`,
        group: "Go to",
        title: known.label_plural,
        icon: "table",
        table: known.name,
        act: () => doings.goTable(known.name),
      }),
    ),
    {
      id: "api",
      group: "Go to",
      title: "Unified API",
      detail: "For programs on this computer",
      icon: "page",
      act: doings.goApi,
    },
    {
      id: "console",
      group: "Go to",
      title: "Passthrough",
      detail: "Requests to the Web API",
      icon: "page",
      act: doings.goConsole,
    },
    { id: "settings", group: "Go to", title: "Settings", icon: "page", act: doings.goSettings },
  ];
  const command = (id: string, title: string, act: () => void, keys?: string): Entry => ({
    id,
    group: "Commands",
    title,
    icon: "command",
    act,
    ...(keys ? { keys } : {}),
  });
  if (connection.signed_in) {
    if (table && table.progress === null) {
      const name = table.label_plural;
      entries.push(command("sync", `Sync ${name} now`, () => doings.sync([table.name]), "Ctrl R"));
      entries.push(command("full", `Full resync of ${name}`, () => doings.fullSync([table.name])));
    } else if (!table && !isSyncing) {
      entries.push(command("sync", "Sync all tables now", () => doings.sync([]), "Ctrl R"));
      entries.push(command("full", "Full resync of all tables", () => doings.fullSync([])));
    }
    if (isSyncing) entries.push(command("pause", "Pause the sync", doings.pause));
  } else {
    entries.push(command("sign-in", "Sign in again", doings.signIn));
  }
  for (const known of table ? [table] : connection.tables) {
    if (known.state === "new") continue;
    const keys = table ? "Ctrl E" : undefined;
    const act = () => doings.exportTable(known.name);
    entries.push(command(`export-${known.name}`, `Export ${known.label_plural}`, act, keys));
  }
  if (connection.signed_in && !isSyncing) {
    entries.push(command("verify", "Verify: compare every row with Dynamics 365", doings.verify));
  }
  if (connection.signed_in) entries.push(command("add-table", "Add a table", doings.addTable));
  entries.push(
    command("disconnect", `Disconnect ${connectionTitle(connection)}`, doings.disconnect),
  );
  entries.push(command("keys", "Show keyboard shortcuts", doings.showShortcuts, "?"));
  for (const [theme, title] of [
    ["light", "Use the light theme"],
    ["dark", "Use the dark theme"],
    ["system", "Use the system's theme"],
  ] as const) {
    if (app.theme !== theme) {
      entries.push(command(`theme-${theme}`, title, () => doings.setTheme(theme)));
    }
  }
  for (const other of app.connections) {
    if (other.id === connection.id) continue;
    entries.push({
      id: `connection-${other.id}`,
      group: "Connections",
      title: `Switch to ${connectionTitle(other)}`,
      detail: connectionDetail(other),
      icon: "connection",
      act: () => doings.goConnection(other),
    });
  }
  entries.push({
    id: "connect",
    group: "Connections",
    title: "Connect another organisation",
    icon: "connection",
    act: doings.connectAnother,
  });
  return entries;
}

/** Those whose title has every word, in their order; a `>` in front asks for commands only. */
export function matching(entries: Entry[], typed: string): Entry[] {
  const isCommand = typed.startsWith(">");
  const words = (isCommand ? typed.slice(1) : typed).toLowerCase().split(/\s+/).filter(Boolean);
  return entries.filter(
    (entry) =>
      (!isCommand || entry.group === "Commands") &&
      words.every((word) => entry.title.toLowerCase().includes(word)),
  );
}
