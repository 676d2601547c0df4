import { Button, Tooltip } from "@fluentui/react-components";
import { Dismiss16Regular } from "@fluentui/react-icons";
import { useMemo } from "react";
import type { Column } from "../bridge/generated";
import { type Pair, pair } from "./request";
import { SuggestInput } from "./suggest";
import { nameSuggestions, valueSuggestions } from "./suggestions";

/** Names and values, each on a line; the last line is empty, to be typed into. */
export function Pairs({
  part,
  pairs,
  columns,
  onChange,
}: {
  part: "query" | "headers";
  pairs: Pair[];
  /** Columns of the table that the path names. */
  columns: Column[];
  onChange: (pairs: Pair[]) => void;
}) {
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new empty line once the last was taken.
  const empty = useMemo(() => pair(), [pairs.length]);
  const what = part === "query" ? "parameter" : "header";
  const change = (key: number, by: Partial<Pair>) =>
    onChange(
      key === empty.key
        ? [...pairs, { ...empty, ...by }]
        : pairs.map((known) => (known.key === key ? { ...known, ...by } : known)),
    );
  return (
    <ul className="pairs" aria-label={part === "query" ? "Parameters" : "Headers"}>
      {[...pairs, empty].map((row, index) => (
        <li key={row.key}>
          <SuggestInput
            label={`Name of ${what} ${index + 1}`}
            value={row.name}
            suggestions={nameSuggestions(part, row.name)}
            onChange={(name) => change(row.key, { name })}
            placeholder={part === "query" ? "Parameter" : "Header"}
            testId={`${part}-name-${index}`}
          />
          <SuggestInput
            label={`Value of ${row.name || `${what} ${index + 1}`}`}
            value={row.value}
            suggestions={valueSuggestions(part, row.name, row.value, columns)}
            onChange={(value) => change(row.key, { value })}
            placeholder="Value"
            testId={`${part}-value-${index}`}
          />
          {row.key === empty.key ? (
            <span className="pairs-nothing" />
          ) : (
            <Tooltip content={`Remove ${row.name || `${what} ${index + 1}`}`} relationship="label">
              <Button
                appearance="subtle"
                icon={<Dismiss16Regular />}
                onClick={() => onChange(pairs.filter((known) => known.key !== row.key))}
                data-testid={`${part}-remove-${index}`}
              />
            </Tooltip>
          )}
        </li>
      ))}
    </ul>
  );
}
