import { Tooltip } from "@fluentui/react-components";
import {
  Add20Regular,
  Home20Filled,
  Home20Regular,
  PlugConnected20Regular,
  PlugConnectedSettings20Filled,
  PlugConnectedSettings20Regular,
  Send20Filled,
  Send20Regular,
  Settings20Filled,
  Settings20Regular,
} from "@fluentui/react-icons";
import type { ReactNode } from "react";
import type { AppState, Connection, Table } from "../bridge/generated";
import { formatCount } from "../format";
import { rail, useMedia } from "../parts/media";
import { StateGlyph, stateWord } from "../parts/state";
import { TableIcon } from "../parts/table-icon";
import { writePlace } from "../place";
import { ConnectionSwitcher } from "./switcher";

export function Navigation({
  app,
  connection,
  current,
  onAddTable,
}: {
  app: AppState;
  connection: Connection;
  /** The name of a table, or of a page. */
  current: string;
  onAddTable: () => void;
}) {
  return (
    <nav className="navigation" aria-label="Connection, tables and tools">
      <ConnectionSwitcher app={app} connection={connection} />
      <Item
        to={writePlace({ page: "home", connection: connection.id })}
        isCurrent={current === "home"}
        icon={current === "home" ? <Home20Filled /> : <Home20Regular />}
        label="Home"
        testId="nav-home"
      />
      <h2 className="navigation-group">Tables</h2>
      {connection.tables.map((table) => (
        <TableItem
          key={table.name}
          connection={connection}
          table={table}
          isCurrent={table.name === current}
        />
      ))}
      <AddTable onAdd={onAddTable} />
      <h2 className="navigation-group">Tools</h2>
      <Item
        to={writePlace({ page: "api", connection: connection.id })}
        isCurrent={current === "api"}
        icon={
          current === "api" ? <PlugConnectedSettings20Filled /> : <PlugConnectedSettings20Regular />
        }
        label="Unified API"
        testId="nav-api"
      />
      <Item
        to={writePlace({ page: "console", connection: connection.id })}
        isCurrent={current === "console"}
        icon={current === "console" ? <Send20Filled /> : <Send20Regular />}
        label="Passthrough"
        testId="nav-console"
      />
      <span className="spring" />
      {app.setup ? (
        <Item
          to={writePlace({ page: "connect" })}
          isCurrent={false}
          icon={<PlugConnected20Regular />}
          label="Continue the set-up"
          testId="nav-setup"
        />
      ) : null}
      <Item
        to={writePlace({ page: "settings", connection: connection.id })}
        isCurrent={current === "settings"}
        icon={current === "settings" ? <Settings20Filled /> : <Settings20Regular />}
        label="Settings"
        testId="nav-settings"
      />
    </nav>
  );
}

function AddTable({ onAdd }: { onAdd: () => void }) {
  const isRail = useMedia(rail);
  const button = (
    <button
      type="button"
      className="navigation-item navigation-action"
      onClick={onAdd}
      data-testid="add-table"
    >
      <Add20Regular />
      <span className="navigation-label">Add a table</span>
    </button>
  );
  if (!isRail) return button;
  return (
    <Tooltip content="Add a table" relationship="label" positioning="after">
      {button}
    </Tooltip>
  );
}

function TableItem({
  connection,
  table,
  isCurrent,
}: {
  connection: Connection;
  table: Table;
  isCurrent: boolean;
}) {
  const isQuiet = table.state === "in_sync" || table.state === "new";
  return (
    <Item
      to={writePlace({ page: "table", connection: connection.id, table: table.name })}
      isCurrent={isCurrent}
      icon={<TableIcon table={table.name} />}
      label={table.label_plural}
      detail={isQuiet ? undefined : stateWord(table.state)}
      testId={`nav-${table.name}`}
    >
      {isQuiet ? null : <StateGlyph state={table.state} />}
      <span className="navigation-count">{formatCount(table.rows)}</span>
    </Item>
  );
}

function Item({
  to,
  isCurrent,
  icon,
  label,
  detail,
  testId,
  children,
}: {
  to: string;
  isCurrent: boolean;
  icon: ReactNode;
  label: string;
  detail?: string | undefined;
  testId: string;
  children?: ReactNode;
}) {
  const isRail = useMedia(rail);
  const item = (
    <a
      href={to}
      className="navigation-item"
      aria-current={isCurrent ? "page" : undefined}
      aria-label={isRail ? label : undefined}
      data-testid={testId}
    >
      {icon}
      <span className="navigation-label">{label}</span>
      <span className="navigation-detail">{children}</span>
    </a>
  );
  if (!isRail) return item;
  return (
    <Tooltip
      content={detail ? `${label}: ${detail}` : label}
      relationship="description"
      positioning="after"
    >
      {item}
    </Tooltip>
  );
}
