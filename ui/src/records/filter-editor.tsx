import {
  Button,
  Checkbox,
  Combobox,
  Dropdown,
  Field,
  Input,
  Option,
} from "@fluentui/react-components";
import { Delete16Regular } from "@fluentui/react-icons";
import { useEffect, useRef, useState } from "react";
import type { Column, Connection, Filter, FilterOp, ViewRequest } from "../bridge/generated";
import { formatDuration, plural } from "../format";
import { choicesOf, operatorOf, operatorsOf, PERIODS, problemOf, withOperator } from "./filters";
import { Histogram } from "./histogram";
import { useCount } from "./use-count";

/** One filter, with how many rows it would leave before it is applied. */
export function FilterEditor({
  connection,
  column,
  filter,
  request,
  onApply,
  onRemove,
  onCancel,
  isFirst = false,
}: {
  connection: Connection;
  column: Column;
  filter: Filter;
  /** The view without this filter. */
  request: ViewRequest;
  onApply: (filter: Filter) => void;
  onRemove: (() => void) | null;
  onCancel: () => void;
  /** Whether it follows the choice of a column, which Cancel leads back to. */
  isFirst?: boolean;
}) {
  const [draft, setDraft] = useState(filter);
  const [isTried, setTried] = useState(false);
  const problem = problemOf(column, draft);
  const wanted = problem ? null : { ...request, filters: [...request.filters, draft] };
  const { count, error } = useCount(connection, wanted);
  const operators = operatorsOf(column.kind);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    // After the popover has taken the focus: the value is what is typed next.
    const timer = setTimeout(() => {
      const fields = form.current?.querySelectorAll<HTMLElement>("input, button[role='combobox']");
      (fields?.[1] ?? fields?.[0])?.focus();
    });
    return () => clearTimeout(timer);
  }, []);
  const operator = operatorOf(column, draft.op);
  return (
    <form
      className="filter-editor"
      ref={form}
      data-testid="filter-editor"
      onSubmit={(event) => {
        event.preventDefault();
        if (problem) setTried(true);
        else onApply(trimmed(draft));
      }}
    >
      <header>
        <h2>{column.label}</h2>
        {onRemove ? (
          <Button
            size="small"
            appearance="subtle"
            icon={<Delete16Regular />}
            onClick={onRemove}
            data-testid="filter-remove"
          >
            Remove
          </Button>
        ) : null}
      </header>
      <Dropdown
        aria-label="How to compare"
        value={operator?.label ?? ""}
        selectedOptions={[draft.op]}
        onOptionSelect={(_, data) =>
          setDraft(withOperator(column, draft, data.optionValue as FilterOp))
        }
        button={{ "data-testid": "filter-op" } as object}
      >
        {operators.map(({ op, label }) => (
          <Option key={op} value={op}>
            {label}
          </Option>
        ))}
      </Dropdown>
      <Field
        validationState={isTried && problem ? "error" : "none"}
        validationMessage={isTried ? (problem ?? undefined) : undefined}
      >
        <ValueInput column={column} draft={draft} onChange={setDraft} />
      </Field>
      {operator?.value === "period" || operator?.value === "date" ? (
        <Histogram connection={connection} request={request} filter={problem ? null : draft} />
      ) : null}
      <footer>
        <span className="filter-count" role="status" data-testid="filter-count">
          {problem || error ? (
            <span className="caption">{problem ?? error?.message}</span>
          ) : count ? (
            <>
              <strong>{plural(count.rows, "row", "rows")}</strong>{" "}
              <span className="caption">counted in {formatDuration(count.ms)}</span>
            </>
          ) : (
            <span className="caption">Counting</span>
          )}
        </span>
        <Button onClick={onCancel} data-testid="filter-cancel">
          {isFirst ? "Back" : "Cancel"}
        </Button>
        <Button type="submit" appearance="primary" data-testid="filter-apply">
          Apply
        </Button>
      </footer>
    </form>
  );
}

function trimmed(filter: Filter): Filter {
  return { ...filter, values: filter.values.map((value) => value.trim()) };
}

function ValueInput({
  column,
  draft,
  onChange,
}: {
  column: Column;
  draft: Filter;
  onChange: (filter: Filter) => void;
}) {
  const value = draft.values[0] ?? "";
  const set = (values: string[]) => onChange({ ...draft, values });
  switch (operatorOf(column, draft.op)?.value) {
    case "choices":
      return (
        <fieldset className="filter-choices" aria-label={column.label}>
          {choicesOf(column).map((choice) => (
            <Checkbox
              key={choice.value}
              label={choice.label}
              checked={draft.values.includes(choice.value)}
              onChange={(_, data) =>
                set(
                  data.checked
                    ? [...draft.values, choice.value]
                    : draft.values.filter((known) => known !== choice.value),
                )
              }
            />
          ))}
        </fieldset>
      );
    case "period":
      return <PeriodInput value={value} onChange={(period) => set([period])} />;
    case "names":
      return (
        <Input
          aria-label="Names, separated by semicolons"
          placeholder="Names, separated by ;"
          value={draft.values.join("; ")}
          onChange={(_, data) => set(data.value.split(";").map((name) => name.trimStart()))}
          input={{ "data-testid": "filter-value" } as object}
        />
      );
    case "text":
    case "number":
    case "date":
      return (
        <Input
          aria-label="Value"
          value={value}
          placeholder={column.kind === "date" || column.kind === "date_time" ? "2026-03-11" : ""}
          onChange={(_, data) => set([data.value])}
          input={{ "data-testid": "filter-value" } as object}
        />
      );
    default:
      return <span />;
  }
}

/** A span of days: typed, or chosen from a list that opens only when it is asked for, since it covers what
 * is counted. */
function PeriodInput({ value, onChange }: { value: string; onChange: (period: string) => void }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <Combobox
      freeform
      aria-label="Time"
      value={value}
      selectedOptions={PERIODS.includes(value) ? [value] : []}
      open={isOpen}
      onOpenChange={(event, data) => setOpen(data.open && !isTyping(event))}
      onOptionSelect={(_, data) => onChange(data.optionValue ?? "")}
      onChange={(event) => onChange(event.target.value)}
      onKeyDown={(event) => {
        if (event.key !== "Enter" || isOpen) return;
        event.preventDefault();
        event.currentTarget.form?.requestSubmit();
      }}
      data-testid="filter-value"
    >
      {PERIODS.map((period) => (
        <Option key={period} value={period}>
          {period}
        </Option>
      ))}
    </Combobox>
  );
}

function isTyping(event: { type: string; key?: unknown }): boolean {
  if (event.type !== "keydown") return event.type === "change" || event.type === "input";
  return event.key === "Enter" || (typeof event.key === "string" && event.key.length === 1);
}
