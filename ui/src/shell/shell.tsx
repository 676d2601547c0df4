import { Suspense, useCallback, useEffect, useMemo, useState } from "react";
import { type AppState, type Connection, commands } from "../bridge/generated";
import { showTheme } from "../bridge/store";
import { HomePage } from "../home/home";
import { VerifyDialog } from "../home/verify";
import type { Doings } from "../palette/entries";
import { Palette } from "../palette/palette";
import { useControlKey } from "../parts/control-key";
import { latePage, useAhead } from "../parts/late-page";
import { useNotices } from "../parts/notices";
import { go, type Place, samePage } from "../place";
import { useActions } from "./actions";
import { AddTableDialog } from "./add-table";
import { Announcer } from "./announcer";
import { DisconnectDialog } from "./disconnect";
import { Navigation } from "./navigation";
import { ShortcutsDialog } from "./shortcuts";
import { TopBar } from "./top-bar";

// The grid is more code than all the rest: it comes, as the other pages, once the first page is drawn.
const records = latePage(() => import("../records/records"));
const settings = latePage(() => import("../settings/settings"));
const api = latePage(() => import("../api/api"));
const console = latePage(() => import("../console/console"));
const LATER = [records, console, api, settings];

export function Shell({
  app,
  connection,
  place,
}: {
  app: AppState;
  connection: Connection;
  place: Place;
}) {
  const actions = useActions(connection);
  useAhead(LATER);
  const [disconnecting, setDisconnecting] = useState(false);
  const [verifying, setVerifying] = useState(false);
  const [shortcuts, setShortcuts] = useState(false);
  const [palette, setPalette] = useState(false);
  const [adding, setAdding] = useState(false);
  const { attempt } = useNotices();
  const table =
    place.page === "table"
      ? connection.tables.find((known) => known.name === place.table)
      : undefined;

  const shown = table?.name;
  const doings = useMemo<Doings>(
    () => ({
      goHome: () => go({ page: "home", connection: connection.id }),
      goTable: (name) => go({ page: "table", connection: connection.id, table: name }),
      goApi: () => go({ page: "api", connection: connection.id }),
      goConsole: () => go({ page: "console", connection: connection.id }),
      goSettings: () => go({ page: "settings", connection: connection.id }),
      goConnection: (other) => go(samePage(place, other)),
      connectAnother: () => go({ page: "connect" }),
      sync: actions.sync,
      fullSync: actions.fullSync,
      pause: () => actions.pause(),
      signIn: actions.signIn,
      exportTable: (name) =>
        go({
          page: "table",
          connection: connection.id,
          table: name,
          // Told apart from the last time, or going there again would do nothing.
          ask: { isExport: true, at: Date.now() },
        }),
      addTable: () => setAdding(true),
      verify: () => setVerifying(true),
      disconnect: () => setDisconnecting(true),
      showShortcuts: () => setShortcuts(true),
      setTheme: (theme) => {
        showTheme(theme);
        void attempt(() => commands.setTheme(theme));
      },
    }),
    [actions, attempt, connection.id, place],
  );
  useControlKey(
    "k",
    useCallback(() => setPalette((isOpen) => !isOpen), []),
  );
  useControlKey(
    "r",
    useCallback(() => actions.sync(shown ? [shown] : []), [actions, shown]),
  );
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const isTyping =
        event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
      if (event.key === "?" && !isTyping) setShortcuts(true);
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);

  return (
    <div className="shell">
      <TopBar
        app={app}
        connection={connection}
        onShortcuts={() => setShortcuts(true)}
        onPalette={() => setPalette(true)}
      />
      <Navigation
        app={app}
        connection={connection}
        current={table?.name ?? (place.page === "table" ? "home" : place.page)}
        onAddTable={() => setAdding(true)}
      />
      <main className="layer">
        <Suspense fallback={null}>
          {table ? (
            <records.Page
              key={`${connection.id}/${table.name}`}
              connection={connection}
              table={table}
              ask={place.page === "table" ? (place.ask ?? null) : null}
            />
          ) : place.page === "api" ? (
            <api.Page key={connection.id} connection={connection} />
          ) : place.page === "console" ? (
            <console.Page key={connection.id} connection={connection} />
          ) : place.page === "settings" ? (
            <settings.Page key={connection.id} app={app} connection={connection} />
          ) : (
            <HomePage
              connection={connection}
              onVerify={() => setVerifying(true)}
              onDisconnect={() => setDisconnecting(true)}
            />
          )}
        </Suspense>
      </main>
      <Announcer connection={connection} />
      <Palette
        app={app}
        connection={connection}
        shown={shown}
        doings={doings}
        isOpen={palette}
        onClose={() => setPalette(false)}
      />
      {verifying ? (
        <VerifyDialog connection={connection} onClose={() => setVerifying(false)} />
      ) : null}
      <AddTableDialog connection={connection} isOpen={adding} onClose={() => setAdding(false)} />
      <ShortcutsDialog isOpen={shortcuts} onClose={() => setShortcuts(false)} />
      <DisconnectDialog
        connection={connection}
        isOpen={disconnecting}
        onClose={() => setDisconnecting(false)}
      />
    </div>
  );
}
