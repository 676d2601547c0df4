import { Button, Input, Popover, PopoverSurface, PopoverTrigger } from "@fluentui/react-components";
import { Add20Regular, Dismiss16Regular, Search16Regular } from "@fluentui/react-icons";
import { useState } from "react";
import type { Column, Connection, Filter, TableColumns, ViewRequest } from "../bridge/generated";
import { FilterEditor } from "./filter-editor";
import { newFilter, pillText } from "./filters";

/** The filters of a view: a pill for each, and one more. */
export function FilterBar({
  connection,
  columns,
  request,
  filters,
  onChange,
}: {
  connection: Connection;
  columns: TableColumns;
  /** The view as it is; candidates are counted within the rest of it. */
  request: ViewRequest;
  filters: Filter[];
  onChange: (filters: Filter[]) => void;
}) {
  const replaced = (index: number, filter: Filter) =>
    filters.map((known, place) => (place === index ? filter : known));
  const without = (index: number) => filters.filter((_, place) => place !== index);
  const find = (name: string) => columns.columns.find((column) => column.name === name);
  return (
    <>
      {filters.map((filter, index) => {
        const column = find(filter.column);
        if (!column) return null;
        return (
          <Pill
            // Two may ask of the same column; their places tell them apart.
            // biome-ignore lint/suspicious/noArrayIndexKey: the place is what tells them apart.
            key={`${filter.column} ${index}`}
            column={column}
            filter={filter}
            onRemove={() => onChange(without(index))}
          >
            {(close) => (
              <FilterEditor
                connection={connection}
                column={column}
                filter={filter}
                request={{ ...request, filters: without(index) }}
                onApply={(next) => {
                  onChange(replaced(index, next));
                  close();
                }}
                onRemove={() => {
                  onChange(without(index));
                  close();
                }}
                onCancel={close}
              />
            )}
          </Pill>
        );
      })}
      <AddFilter
        connection={connection}
        columns={columns}
        request={request}
        onAdd={(filter) => onChange([...filters, filter])}
      />
      <span className="spring" />
      {filters.length > 0 ? (
        <Button appearance="subtle" onClick={() => onChange([])} data-testid="filters-clear">
          Clear all
        </Button>
      ) : null}
    </>
  );
}

function Pill({
  column,
  filter,
  onRemove,
  children,
}: {
  column: Column;
  filter: Filter;
  onRemove: () => void;
  children: (close: () => void) => React.ReactNode;
}) {
  const [isOpen, setOpen] = useState(false);
  const { what, value } = pillText(column, filter);
  return (
    <span className={isOpen ? "pill pill-open" : "pill"} data-testid={`pill-${column.name}`}>
      <Popover
        open={isOpen}
        onOpenChange={(_, data) => setOpen(data.open)}
        positioning={{ position: "below", align: "start", offset: 4 }}
        trapFocus
      >
        <PopoverTrigger disableButtonEnhancement>
          <button type="button" className="pill-text" title={`${what} ${value}`}>
            <span>{what}</span>
            {value ? <strong>{value}</strong> : null}
          </button>
        </PopoverTrigger>
        <PopoverSurface className="filter-surface" aria-label={`Filter by ${column.label}`}>
          {children(() => setOpen(false))}
        </PopoverSurface>
      </Popover>
      <button
        type="button"
        className="pill-remove"
        aria-label={`Remove the filter ${what} ${value}`}
        onClick={onRemove}
      >
        <Dismiss16Regular />
      </button>
    </span>
  );
}

/** First the column, then what is asked of it. */
function AddFilter({
  connection,
  columns,
  request,
  onAdd,
}: {
  connection: Connection;
  columns: TableColumns;
  request: ViewRequest;
  onAdd: (filter: Filter) => void;
}) {
  const [isOpen, setOpen] = useState(false);
  const [wanted, setWanted] = useState("");
  const [column, setColumn] = useState<Column | null>(null);
  const show = (open: boolean) => {
    setOpen(open);
    setWanted("");
    setColumn(null);
  };
  return (
    <Popover
      open={isOpen}
      onOpenChange={(_, data) => show(data.open)}
      positioning={{ position: "below", align: "start", offset: 4 }}
      trapFocus
    >
      <PopoverTrigger disableButtonEnhancement>
        <Button
          appearance="subtle"
          icon={<Add20Regular />}
          className="add-filter"
          aria-label="Filter"
          data-testid="filter-add"
        >
          <span className="button-label">Filter</span>
        </Button>
      </PopoverTrigger>
      <PopoverSurface
        className="filter-surface"
        aria-label={column ? `Filter by ${column.label}` : "Choose a column"}
      >
        {column ? (
          <FilterEditor
            connection={connection}
            column={column}
            filter={newFilter(column)}
            request={request}
            onApply={(filter) => {
              onAdd(filter);
              show(false);
            }}
            onRemove={null}
            onCancel={() => setColumn(null)}
            isFirst
          />
        ) : (
          <ColumnChoice
            columns={columns.columns}
            first={columns.shown}
            wanted={wanted}
            onWanted={setWanted}
            onChoose={setColumn}
          />
        )}
      </PopoverSurface>
    </Popover>
  );
}

/** A list of columns to choose from: those that are shown first. */
export function ColumnChoice({
  columns,
  first,
  wanted,
  onWanted,
  onChoose,
}: {
  columns: Column[];
  first: string[];
  wanted: string;
  onWanted: (text: string) => void;
  onChoose: (column: Column) => void;
}) {
  const found = foundColumns(columns, first, wanted);
  return (
    <div className="column-choice">
      <Input
        value={wanted}
        onChange={(_, data) => onWanted(data.value)}
        placeholder="Search columns"
        aria-label="Search columns"
        contentBefore={<Search16Regular />}
        onKeyDown={(event) => {
          const only = found[0];
          if (event.key === "Enter" && only) {
            event.preventDefault();
            onChoose(only);
          }
        }}
        input={{ "data-testid": "filter-column-search" } as object}
      />
      <ul>
        {found.map((column, place) => (
          <li key={column.name}>
            <button
              type="button"
              className={place === 0 && wanted !== "" ? "column-first" : undefined}
              onClick={() => onChoose(column)}
              data-testid={`filter-column-${column.name}`}
            >
              {column.label}
              <span className="caption">
                {column.name}
                {place === 0 && wanted !== "" ? <kbd>Enter</kbd> : null}
              </span>
            </button>
          </li>
        ))}
      </ul>
      {found.length === 0 ? <p className="caption">No column has “{wanted.trim()}”.</p> : null}
    </div>
  );
}

/** Columns whose label or name has the text; those that are shown come first. */
export function foundColumns(columns: Column[], first: string[], wanted: string): Column[] {
  const text = wanted.trim().toLowerCase();
  const rank = (column: Column) => {
    const place = first.indexOf(column.name);
    return place < 0 ? first.length : place;
  };
  return columns
    .filter((column) => column.label.toLowerCase().includes(text) || column.name.includes(text))
    .sort((one, other) => rank(one) - rank(other) || one.label.localeCompare(other.label));
}
