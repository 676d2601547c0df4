import {
  Button,
  Input,
  Menu,
  MenuItem,
  MenuList,
  MenuPopover,
  MenuTrigger,
  Tooltip,
} from "@fluentui/react-components";
import {
  ArrowClockwise20Regular,
  ArrowDownload20Regular,
  ArrowSync20Regular,
  Dismiss16Regular,
  History20Regular,
  MoreHorizontal20Regular,
  Search20Regular,
} from "@fluentui/react-icons";
import { type ReactNode, useCallback, useRef } from "react";
import type { Table } from "../bridge/generated";
import { useControlKey } from "../parts/control-key";

export function Toolbar({
  table,
  typed,
  onType,
  views,
  columns,
  filters,
  canSync,
  onSync,
  onFullSync,
  onInvalidate,
  onExport,
}: {
  table: Table;
  typed: string;
  onType: (text: string) => void;
  /** The picker of views, the panel of columns, and the filters' pills. */
  views: ReactNode;
  columns: ReactNode;
  filters: ReactNode;
  canSync: boolean;
  onSync: () => void;
  onFullSync: () => void;
  onInvalidate: () => void;
  onExport: () => void;
}) {
  return (
    <header className="records-header">
      <div className="records-row">
        <h1>{table.label_plural}</h1>
        {views}
        <span className="spring" />
        {columns}
        <Tooltip content={`Sync ${table.label_plural}`} relationship="description">
          <Button
            appearance="subtle"
            icon={<ArrowSync20Regular />}
            disabled={!canSync}
            onClick={onSync}
            aria-label="Sync now"
          >
            <span className="button-label">Sync now</span>
          </Button>
        </Tooltip>
        <Button
          icon={<ArrowDownload20Regular />}
          onClick={onExport}
          aria-label="Export"
          data-testid="export-open"
        >
          <span className="button-label">Export</span>
        </Button>
        <Menu>
          <MenuTrigger disableButtonEnhancement>
            <Tooltip content="More" relationship="label">
              <Button appearance="subtle" icon={<MoreHorizontal20Regular />} />
            </Tooltip>
          </MenuTrigger>
          <MenuPopover>
            <MenuList>
              <MenuItem icon={<ArrowClockwise20Regular />} disabled={!canSync} onClick={onFullSync}>
                Full resync
              </MenuItem>
              <MenuItem icon={<History20Regular />} disabled={!canSync} onClick={onInvalidate}>
                Invalidate all rows
              </MenuItem>
            </MenuList>
          </MenuPopover>
        </Menu>
      </div>
      <div className="records-row">
        <Search table={table} typed={typed} onType={onType} />
        {filters}
      </div>
    </header>
  );
}

function Search({
  table,
  typed,
  onType,
}: {
  table: Table;
  typed: string;
  onType: (text: string) => void;
}) {
  const input = useRef<HTMLInputElement>(null);
  const focus = useCallback(() => {
    input.current?.focus();
    input.current?.select();
  }, []);
  useControlKey("f", focus);
  return (
    <Input
      ref={input}
      className="search"
      value={typed}
      onChange={(_, data) => onType(data.value)}
      onKeyDown={(event) => {
        if (event.key === "Escape" && typed !== "") {
          event.stopPropagation();
          onType("");
        }
      }}
      placeholder={`Search ${table.label_plural.toLowerCase()}`}
      aria-label={`Search ${table.label_plural.toLowerCase()}`}
      contentBefore={<Search20Regular />}
      contentAfter={
        typed === "" ? (
          <kbd>Ctrl F</kbd>
        ) : (
          <Button
            size="small"
            appearance="transparent"
            icon={<Dismiss16Regular />}
            aria-label="Clear search"
            onClick={() => onType("")}
          />
        )
      }
      input={{ "data-testid": "search" } as object}
    />
  );
}
