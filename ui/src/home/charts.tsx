import { Link, Tooltip, useArrowNavigationGroup } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type Chart, type Connection, commands, type Filter } from "../bridge/generated";
import { asError } from "../bridge/store";
import { ErrorText } from "../parts/error-text";
import {
  asTable,
  formatTick,
  LOOKS,
  type Look,
  type Mark,
  marksOf,
  placesOf,
  shortLabel,
  summary,
  ticks,
} from "./chart";

/** Shows the rows of a bar. */
export type OpenRows = (table: string, filters: Filter[]) => void;

/** A lying bar's row, and the bar in it, in px. */
const ROW = 24;
const BAR = 12;
/** Height of what standing bars are drawn on, in px: about that of the lying bars beside them. */
const PLOTS: Partial<Record<Look["key"], number>> = { changes: 96, closed: 192 };
/** How much of a group's width its bars take. */
const FILLED = 0.64;

/** What people would rather see than read, from the mirror alone. */
export function Charts({ connection, onOpen }: { connection: Connection; onOpen: OpenRows }) {
  const ended = connection.tables.map((table) => `${table.name}/${table.last_sync}`).join();
  const { data, error } = useQuery({
    queryKey: ["charts", connection.id, ended],
    queryFn: () => commands.charts(connection.id),
    // The old numbers stay until the new ones are there, but never those of another organisation.
    placeholderData: (before, query) => (query?.queryKey[1] === connection.id ? before : undefined),
  });
  if (error) {
    return (
      <section className="card card-empty" aria-label="Charts">
        <ErrorText error={asError(error)} />
      </section>
    );
  }
  if (!data) return null;
  return (
    <div className="charts">
      {LOOKS.map((look) => (
        <ChartCard key={look.key} chart={data[look.key]} look={look} onOpen={onOpen} />
      ))}
    </div>
  );
}

interface Drawn {
  chart: Chart;
  look: Look;
  onOpen: OpenRows;
}

function ChartCard({ chart, look, onOpen }: Drawn) {
  const [isTable, setTable] = useState(false);
  const isEmpty = chart.groups.length === 0;
  const Drawing = isTable ? ChartTable : look.shape === "rows" ? LyingBars : StandingBars;
  const action = isTable ? "Show as chart" : "Show as table";
  return (
    <section className="card chart" aria-label={look.title} data-testid={`chart-${look.key}`}>
      <header className="chart-header">
        <h2>{look.title}</h2>
        {isEmpty ? null : <span className="caption">{look.caption(chart)}</span>}
        <span className="spring" />
        {isEmpty ? null : (
          <Link
            as="button"
            className="chart-switch"
            aria-label={`${action}: ${look.title}`}
            onClick={() => setTable(!isTable)}
            data-testid={`chart-switch-${look.key}`}
          >
            {action}
          </Link>
        )}
      </header>
      {isEmpty ? null : <Drawing chart={chart} look={look} onOpen={onOpen} />}
      {chart.note ? <p className="caption chart-note">{chart.note}</p> : null}
    </section>
  );
}

/** Bars in rows, each with its label and its figure. */
function LyingBars({ chart, look, onOpen }: Drawn) {
  const marks = marksOf(chart, look);
  const most = Math.max(1, ...marks.map((mark) => mark.value));
  return (
    <div className="chart-rows">
      <svg role="img" aria-label={summary(chart, look)} height={marks.length * ROW}>
        {marks.map((mark, index) => (
          <rect
            key={mark.key}
            y={index * ROW + (ROW - BAR) / 2}
            // Little is not nothing.
            width={`${mark.value > 0 ? Math.max(0.5, (mark.value / most) * 100) : 0}%`}
            height={BAR}
            rx="2"
            className={`chart-bar chart-${mark.tone}`}
          />
        ))}
      </svg>
      <Marks look={look}>
        {marks.map((mark) => (
          <li key={mark.key}>
            <MarkButton mark={mark} onOpen={onOpen}>
              <span className="chart-label">{mark.label}</span>
              <span>{mark.figure}</span>
            </MarkButton>
          </li>
        ))}
      </Marks>
    </div>
  );
}

/** Bars that stand on time. */
function StandingBars({ chart, look, onOpen }: Drawn) {
  const marks = marksOf(chart, look).filter((mark) => mark.value > 0);
  const steps = ticks(Math.max(...marks.map((mark) => mark.value)));
  const top = steps[steps.length - 1] ?? 1;
  const plot = PLOTS[look.key] ?? 96;
  const places = placesOf(look);
  const slot = 100 / chart.groups.length;
  const width = (slot * FILLED) / places;
  const left = (mark: Mark) => slot * (mark.group + (1 - FILLED) / 2) + width * mark.place;
  const isMonths = look.key === "closed";
  return (
    <div className="chart-columns">
      <ul className="chart-axis" aria-hidden="true">
        {steps.map((step) => (
          <li key={step} style={{ bottom: `${(step / top) * 100}%` }}>
            {formatTick(step)}
          </li>
        ))}
      </ul>
      <div className="chart-plot">
        <svg role="img" aria-label={summary(chart, look)} height={plot}>
          {steps.map((step) => (
            <line
              key={step}
              x2="100%"
              y1={plot - (step / top) * plot}
              y2={plot - (step / top) * plot}
              className="chart-line"
            />
          ))}
          {marks.map((mark) => {
            const height = Math.max(2, (mark.value / top) * plot);
            return (
              <rect
                key={mark.key}
                x={`${left(mark)}%`}
                y={plot - height}
                width={`${width * (places > 1 ? 0.9 : 1)}%`}
                height={height}
                rx="2"
                className={`chart-bar chart-${mark.tone}`}
              />
            );
          })}
        </svg>
        <Marks look={look}>
          {marks.map((mark) => (
            <li key={mark.key} style={{ left: `${left(mark)}%`, width: `${width}%` }}>
              <MarkButton mark={mark} onOpen={onOpen} />
            </li>
          ))}
        </Marks>
      </div>
      <ul className={`chart-times ${isMonths ? "" : "chart-ends"}`} aria-hidden="true">
        {chart.groups.map((group, index) => (
          <li key={group.label}>
            {isMonths || index === 0
              ? shortLabel(group.label)
              : index === chart.groups.length - 1
                ? "Today"
                : null}
          </li>
        ))}
      </ul>
      {isMonths ? (
        <ul className="legend chart-legend">
          {chart.groups[0]?.bars.map((bar, place) => (
            <li key={bar.name} className={place > 0 ? "legend-second" : ""}>
              {bar.name}
            </li>
          ))}
        </ul>
      ) : null}
    </div>
  );
}

/** What can be pointed at lies over the drawing; Tab comes once to a chart, arrows go through it. */
function Marks({ look, children }: { look: Look; children: React.ReactNode }) {
  const arrows = useArrowNavigationGroup({ axis: "both", memorizeCurrent: true });
  return (
    <ul className="chart-marks" aria-label={look.title} {...arrows}>
      {children}
    </ul>
  );
}

function MarkButton({
  mark,
  onOpen,
  children,
}: {
  mark: Mark;
  onOpen: OpenRows;
  children?: React.ReactNode;
}) {
  const { opens } = mark;
  // Text that is seen is the name, and what the tooltip adds describes it.
  const relationship = children ? "description" : "label";
  return (
    <Tooltip content={mark.words} relationship={relationship} withArrow>
      <button
        type="button"
        aria-disabled={opens === null}
        onClick={opens ? () => onOpen(opens.table, opens.filters ?? []) : undefined}
      >
        {children}
      </button>
    </Tooltip>
  );
}

function ChartTable({ chart, look, onOpen }: Drawn) {
  const { heads, rows } = asTable(chart, look);
  return (
    <table className="chart-table" data-testid={`chart-table-${look.key}`}>
      <caption className="offscreen">{look.title}</caption>
      <thead>
        <tr>
          <th scope="col">{look.by}</th>
          {heads.map((head) => (
            <th key={head} scope="col" className="number">
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.label}>
            <th scope="row">{row.label}</th>
            {row.cells.map(({ text, bar }, index) => (
              <td key={heads[index]} className={`number ${text === "0" ? "zero" : ""}`}>
                {bar?.filters ? (
                  <Link as="button" onClick={() => onOpen(bar.table, bar.filters ?? [])}>
                    {text}
                  </Link>
                ) : (
                  text
                )}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
