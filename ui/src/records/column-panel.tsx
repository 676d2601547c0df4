import {
  Button,
  Checkbox,
  Input,
  Popover,
  PopoverSurface,
  PopoverTrigger,
  Tooltip,
} from "@fluentui/react-components";
import {
  ArrowDown16Regular,
  ArrowUp16Regular,
  ColumnTriple20Regular,
  Pin16Filled,
  Pin16Regular,
  Search16Regular,
} from "@fluentui/react-icons";
import { useState } from "react";
import type { TableColumns } from "../bridge/generated";
import { foundColumns } from "./filter-bar";
import { type ColumnLayout, moved } from "./layout";

/** Which columns are shown, in which order, and which stay in sight. */
export function ColumnPanel({
  columns,
  layout,
  onChange,
  onReset,
}: {
  columns: TableColumns;
  layout: ColumnLayout[];
  onChange: (layout: ColumnLayout[]) => void;
  onReset: () => void;
}) {
  const [wanted, setWanted] = useState("");
  const shown = layout.map((column) => column.name);
  const found = foundColumns(columns.columns, shown, wanted);
  const toggle = (name: string, isShown: boolean) =>
    onChange(isShown ? [...layout, { name }] : layout.filter((column) => column.name !== name));
  return (
    <Popover positioning={{ position: "below", align: "end", offset: 4 }} trapFocus>
      <PopoverTrigger disableButtonEnhancement>
        <Button
          appearance="subtle"
          icon={<ColumnTriple20Regular />}
          aria-label="Columns"
          data-testid="columns-open"
        >
          <span className="button-label">Columns</span>
        </Button>
      </PopoverTrigger>
      <PopoverSurface className="filter-surface column-panel" aria-label="Columns">
        <Input
          value={wanted}
          onChange={(_, data) => setWanted(data.value)}
          placeholder={`Search ${columns.columns.length} columns`}
          aria-label="Search columns"
          contentBefore={<Search16Regular />}
          input={{ "data-testid": "columns-search" } as object}
        />
        <ul>
          {found.map((column) => {
            const place = shown.indexOf(column.name);
            const own = layout[place];
            return (
              <li key={column.name} data-testid={`column-${column.name}`}>
                <Checkbox
                  label={column.label}
                  title={column.name}
                  checked={own !== undefined}
                  // A grid without columns shows nothing to click on.
                  disabled={own !== undefined && layout.length === 1}
                  onChange={(_, data) => toggle(column.name, data.checked === true)}
                />
                {own && wanted === "" ? (
                  <span className="column-tools">
                    <Tool
                      label={own.pinned ? `Unpin ${column.label}` : `Pin ${column.label}`}
                      icon={own.pinned ? <Pin16Filled /> : <Pin16Regular />}
                      onClick={() =>
                        onChange(
                          layout.map((known) =>
                            known.name === column.name
                              ? { ...known, pinned: known.pinned !== true }
                              : known,
                          ),
                        )
                      }
                    />
                    <Tool
                      label={`Move ${column.label} to the left`}
                      icon={<ArrowUp16Regular />}
                      disabled={place === 0}
                      onClick={() => onChange(moved(layout, column.name, -1))}
                    />
                    <Tool
                      label={`Move ${column.label} to the right`}
                      icon={<ArrowDown16Regular />}
                      disabled={place === layout.length - 1}
                      onClick={() => onChange(moved(layout, column.name, 1))}
                    />
                  </span>
                ) : null}
              </li>
            );
          })}
        </ul>
        {found.length === 0 ? <p className="caption">No column has “{wanted.trim()}”.</p> : null}
        <footer>
          <span className="caption" data-testid="columns-count">
            {layout.length} of {columns.columns.length} shown
          </span>
          <Button size="small" onClick={onReset} data-testid="columns-reset">
            Usual columns
          </Button>
        </footer>
      </PopoverSurface>
    </Popover>
  );
}

function Tool({
  label,
  icon,
  disabled = false,
  onClick,
}: {
  label: string;
  icon: React.ReactElement;
  disabled?: boolean;
  onClick: () => void;
}) {
  return (
    <Tooltip content={label} relationship="label">
      <Button
        size="small"
        appearance="subtle"
        icon={icon}
        disabledFocusable={disabled}
        onClick={onClick}
      />
    </Tooltip>
  );
}
