import { Menu, MenuDivider, MenuItem, MenuList, MenuPopover } from "@fluentui/react-components";
import {
  Copy20Regular,
  Filter20Regular,
  FilterDismiss20Regular,
  History20Regular,
  Open20Regular,
  PanelRight20Regular,
} from "@fluentui/react-icons";
import type { Column, Connection, Filter } from "../bridge/generated";
import { cellText } from "../format";
import type { MenuPlace } from "./grid";
import { cellOf } from "./source";

/** What can be done with a cell and its row. */
export function CellMenu({
  connection,
  place,
  column,
  onClose,
  onOpen,
  onOpenLink,
  onCopyCell,
  onCopyRows,
  onFilter,
  onInvalidate,
}: {
  connection: Connection;
  place: MenuPlace;
  column: Column | undefined;
  onClose: () => void;
  onOpen: () => void;
  onOpenLink: () => void;
  onCopyCell: () => void;
  onCopyRows: () => void;
  onFilter: (filter: Filter) => void;
  onInvalidate: () => void;
}) {
  const value = cellOf(place.row, place.column);
  const text = column ? cellText(value, column.kind) : "";
  const filter = column ? filterFor(column, value) : null;
  const target = {
    getBoundingClientRect: () => new DOMRect(place.x, place.y, 0, 0),
  };
  return (
    <Menu
      open
      onOpenChange={(_, data) => {
        if (!data.open) onClose();
      }}
      positioning={{ target, position: "below", align: "start" }}
    >
      <MenuPopover data-testid="cell-menu">
        <MenuList>
          <MenuItem icon={<PanelRight20Regular />} onClick={onOpen} secondaryContent="Enter">
            Open record
          </MenuItem>
          {connection.kind === "sample" ? null : (
            <MenuItem icon={<Open20Regular />} onClick={onOpenLink}>
              Open in Dynamics 365
            </MenuItem>
          )}
          <MenuDivider />
          <MenuItem
            icon={<Copy20Regular />}
            disabled={text === ""}
            onClick={onCopyCell}
            secondaryContent="Ctrl C"
            data-testid="menu-copy-cell"
          >
            Copy cell
          </MenuItem>
          <MenuItem icon={<Copy20Regular />} onClick={onCopyRows} data-testid="menu-copy-row">
            Copy row
          </MenuItem>
          {column && filter ? (
            <>
              <MenuDivider />
              <MenuItem
                icon={<Filter20Regular />}
                onClick={() => onFilter(filter.only)}
                data-testid="menu-filter"
              >
                Only {column.label} {shortened(text) || "empty"}
              </MenuItem>
              <MenuItem icon={<FilterDismiss20Regular />} onClick={() => onFilter(filter.without)}>
                Without {column.label} {shortened(text) || "empty"}
              </MenuItem>
            </>
          ) : null}
          <MenuDivider />
          <MenuItem
            icon={<History20Regular />}
            disabled={place.row.deleted || !connection.signed_in}
            onClick={onInvalidate}
            data-testid="menu-invalidate"
          >
            Invalidate
          </MenuItem>
        </MenuList>
      </MenuPopover>
    </Menu>
  );
}

function shortened(text: string): string {
  return text.length > 24 ? `“${text.slice(0, 23)}…”` : text && `“${text}”`;
}

/** Filters that keep only rows like this cell, and only others; `null` where none can. */
export function filterFor(
  column: Column,
  cell: MenuPlace["row"]["cells"][number],
): { only: Filter; without: Filter } | null {
  const name = column.name;
  if (cell === null || cell === "") {
    return {
      only: { column: name, op: "is_null", values: [] },
      without: { column: name, op: "is_not_null", values: [] },
    };
  }
  const pair = (values: string[], only: Filter["op"], without: Filter["op"]) => ({
    only: { column: name, op: only, values },
    without: { column: name, op: without, values },
  });
  switch (column.kind) {
    case "choice":
    case "boolean": {
      const label = cellText(cell, column.kind);
      const known = column.choices.find((choice) => choice.label === label);
      return known ? pair([String(known.value)], "in", "not_in") : null;
    }
    case "text":
    case "lookup":
      return pair([cellText(cell, column.kind)], "in", "not_in");
    default:
      return null;
  }
}
