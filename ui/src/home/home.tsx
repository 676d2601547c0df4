import {
  Button,
  Menu,
  MenuDivider,
  MenuItem,
  MenuList,
  MenuPopover,
  MenuTrigger,
  Tooltip,
} from "@fluentui/react-components";
import {
  ArrowClockwise20Regular,
  ArrowSync20Regular,
  History20Regular,
  MoreHorizontal20Regular,
  Pause20Regular,
  PersonArrowRight20Regular,
  PlugDisconnected20Regular,
} from "@fluentui/react-icons";
import { useState } from "react";
import type { Connection } from "../bridge/generated";
import { connectionTitle, EnvironmentBadge, hostOf } from "../parts/environment";
import { InvalidateDialog } from "../parts/invalidate";
import { go } from "../place";
import { syncedTables, useActions } from "../shell/actions";
import { NoticeBanner, ProblemBanner } from "./banner";
import { Charts } from "./charts";
import { GuardDialog } from "./guard";
import { RemoveTableDialog } from "./remove-table";
import { RunsCard } from "./runs";
import { TablesCard } from "./tables";
import { Verified } from "./verify";

export function HomePage({
  connection,
  onVerify,
  onDisconnect,
}: {
  connection: Connection;
  onVerify: () => void;
  onDisconnect: () => void;
}) {
  const actions = useActions(connection);
  const [invalidating, setInvalidating] = useState<string[] | null>(null);
  const [removing, setRemoving] = useState<string | null>(null);
  const [guarded, setGuarded] = useState<string | null>(null);
  const canSync = connection.signed_in;
  const trouble = connection.tables.find((table) => table.progress?.trouble)?.progress?.trouble;
  const everything = syncedTables(connection);
  return (
    <div className="home">
      <header className="home-header">
        <div className="home-title">
          <h1>
            {connectionTitle(connection)} <EnvironmentBadge kind={connection.kind} />
          </h1>
          <p className="home-facts">
            <span>{hostOf(connection.environment)}</span>
            {connection.organization && connection.organization !== connectionTitle(connection) ? (
              <span>{connection.organization}</span>
            ) : null}
            {connection.organization_version ? (
              <span>Version {connection.organization_version}</span>
            ) : null}
            <span>
              {connection.signed_in ? `Signed in as ${connection.user ?? "unknown"}` : "Signed out"}
            </span>
            {syncedTables(connection).length > 0 ? (
              <span>
                <Verified connection={connection} onVerify={onVerify} />
              </span>
            ) : null}
          </p>
        </div>
        <div className="home-actions">
          {connection.syncing ? (
            <Button icon={<Pause20Regular />} onClick={() => actions.pause()} data-testid="pause">
              Pause
            </Button>
          ) : null}
          <Button
            appearance="primary"
            icon={<ArrowSync20Regular />}
            disabled={!canSync || connection.syncing}
            onClick={() => actions.sync()}
            data-testid="sync-now"
          >
            Sync now
          </Button>
          <Menu>
            <MenuTrigger disableButtonEnhancement>
              <Tooltip content="More" relationship="label">
                <Button
                  appearance="subtle"
                  icon={<MoreHorizontal20Regular />}
                  data-testid="home-more"
                />
              </Tooltip>
            </MenuTrigger>
            <MenuPopover>
              <MenuList>
                <MenuItem
                  icon={<ArrowClockwise20Regular />}
                  disabled={!canSync}
                  onClick={() => actions.fullSync()}
                  data-testid="resync-all"
                >
                  Full resync of all tables
                </MenuItem>
                <MenuItem
                  icon={<History20Regular />}
                  disabled={!canSync || everything.length === 0}
                  onClick={() => setInvalidating(everything)}
                  data-testid="invalidate-all"
                >
                  Invalidate all tables
                </MenuItem>
                <MenuDivider />
                <MenuItem
                  icon={<PersonArrowRight20Regular />}
                  onClick={() => actions.signIn()}
                  data-testid="sign-in-again"
                >
                  Sign in again
                </MenuItem>
                <MenuItem
                  icon={<PlugDisconnected20Regular />}
                  onClick={onDisconnect}
                  data-testid="disconnect"
                >
                  Disconnect
                </MenuItem>
              </MenuList>
            </MenuPopover>
          </Menu>
        </div>
      </header>
      {connection.problem ? (
        <ProblemBanner
          problem={connection.problem}
          isSignedOut={!connection.signed_in}
          onSignIn={() => actions.signIn()}
          onRetry={() => actions.sync()}
        />
      ) : null}
      {trouble ? (
        <NoticeBanner
          text={`${trouble} Salesmirror tries again by itself. Everything that is mirrored can be browsed meanwhile.`}
        />
      ) : null}
      {connection.notice ? <NoticeBanner text={connection.notice} /> : null}
      {connection.warnings.map((warning) => (
        <NoticeBanner key={warning} text={warning} />
      ))}
      <TablesCard
        connection={connection}
        actions={actions}
        onInvalidate={(table) => setInvalidating([table])}
        onRemove={setRemoving}
        onReview={setGuarded}
      />
      <RunsCard connection={connection} />
      <Charts
        connection={connection}
        onOpen={(table, filters) =>
          go({ page: "table", connection: connection.id, table, ask: { filters, at: Date.now() } })
        }
      />
      <InvalidateDialog
        connection={connection}
        names={invalidating}
        onConfirm={actions.invalidate}
        onClose={() => setInvalidating(null)}
      />
      <RemoveTableDialog
        connection={connection}
        table={connection.tables.find((table) => table.name === removing) ?? null}
        onClose={() => setRemoving(null)}
      />
      <GuardDialog
        table={connection.tables.find((table) => table.name === guarded && table.guard) ?? null}
        actions={actions}
        onClose={() => setGuarded(null)}
      />
    </div>
  );
}
