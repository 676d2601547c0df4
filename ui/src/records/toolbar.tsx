import {
  Button,
  Input,
  Menu,
  MenuItem,
  MenuItemRadio,
  MenuList,
  MenuPopover,
  MenuTrigger,
  Tooltip,
} from "@fluentui/react-components";
import {
  ArrowClockwise20Regular,
  ArrowDownload20Regular,
  ArrowSync20Regular,
  ChevronDown16Regular,
  Dismiss16Regular,
  History20Regular,
  MoreHorizontal20Regular,
  Search20Regular,
} from "@fluentui/react-icons";
import { useCallback, useRef } from "react";
import type { Table } from "../bridge/generated";
import { useControlKey } from "../parts/control-key";

/** Which rows are shown. */
export type Kind = "live" | "stale" | "deleted";

const KINDS: Record<Kind, string> = {
  live: "All rows",
  stale: "Stale rows",
  deleted: "Deleted rows",
};

export function Toolbar({
  table,
  typed,
  onType,
  kind,
  onKind,
  canSync,
  onSync,
  onFullSync,
  onInvalidate,
  onExport,
}: {
  table: Table;
  typed: string;
  onType: (text: string) => void;
  kind: Kind;
  onKind: (kind: Kind) => void;
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
        <Menu
          checkedValues={{ kind: [kind] }}
          onCheckedValueChange={(_, { checkedItems }) =>
            onKind((checkedItems[0] ?? "live") as Kind)
          }
        >
          <MenuTrigger disableButtonEnhancement>
            <Button
              appearance="subtle"
              icon={<ChevronDown16Regular />}
              iconPosition="after"
              className="view-picker"
              data-testid="view-picker"
            >
              {KINDS[kind]}
            </Button>
          </MenuTrigger>
          <MenuPopover>
            <MenuList>
              {(Object.keys(KINDS) as Kind[]).map((known) => (
                <MenuItemRadio key={known} name="kind" value={known} data-testid={`kind-${known}`}>
                  {KINDS[known]}
                </MenuItemRadio>
              ))}
            </MenuList>
          </MenuPopover>
        </Menu>
        <span className="spring" />
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
                Invalidate
              </MenuItem>
            </MenuList>
          </MenuPopover>
        </Menu>
      </div>
      <div className="records-row">
        <Search table={table} typed={typed} onType={onType} />
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
