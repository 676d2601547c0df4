import { lazy, Suspense, useCallback, useEffect, useState } from "react";
import type { AppState, Connection } from "../bridge/generated";
import { HomePage } from "../home/home";
import { useControlKey } from "../parts/control-key";
import type { Place } from "../place";
import { SettingsPage } from "../settings/settings";
import { useActions } from "./actions";
import { Announcer } from "./announcer";
import { DisconnectDialog } from "./disconnect";
import { Navigation } from "./navigation";
import { ShortcutsDialog } from "./shortcuts";
import { TopBar } from "./top-bar";

// The grid is more code than all the rest: it comes when a table is first opened.
const RecordsPage = lazy(() => import("../records/records"));

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
  const [disconnecting, setDisconnecting] = useState(false);
  const [shortcuts, setShortcuts] = useState(false);
  const table =
    place.page === "table"
      ? connection.tables.find((known) => known.name === place.table)
      : undefined;

  const shown = table?.name;
  useControlKey(
    "r",
    useCallback(() => actions.sync(shown ? [shown] : []), [actions, shown]),
  );
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const isTyping = event.target instanceof HTMLInputElement;
      if (event.key === "?" && !isTyping) setShortcuts(true);
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);

  return (
    <div className="shell">
      <TopBar app={app} connection={connection} onShortcuts={() => setShortcuts(true)} />
      <Navigation app={app} connection={connection} current={table?.name ?? place.page} />
      <main className="layer">
        {table ? (
          <Suspense fallback={null}>
            <RecordsPage
              key={`${connection.id}/${table.name}`}
              connection={connection}
              table={table}
              ask={place.page === "table" ? (place.ask ?? null) : null}
            />
          </Suspense>
        ) : place.page === "settings" ? (
          <SettingsPage key={connection.id} app={app} connection={connection} />
        ) : (
          <HomePage connection={connection} onDisconnect={() => setDisconnecting(true)} />
        )}
      </main>
      <Announcer connection={connection} />
      <ShortcutsDialog isOpen={shortcuts} onClose={() => setShortcuts(false)} />
      <DisconnectDialog
        connection={connection}
        isOpen={disconnecting}
        onClose={() => setDisconnecting(false)}
      />
    </div>
  );
}
