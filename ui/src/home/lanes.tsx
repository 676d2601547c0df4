import type { Run, Table } from "../bridge/generated";
import { formatClock } from "../format";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WIDTH = 1_000;
const LANE = 20;
/** A run of seconds is still seen. */
const NARROWEST = 3;

/** One lane a table: rhythm and failures at a glance. The list below says the same in words. */
export function Lanes({ tables, runs, now }: { tables: Table[]; runs: Run[]; now: number }) {
  const start = now - DAY_MS;
  const x = (time: number) => ((time - start) / DAY_MS) * WIDTH;
  const ticks: number[] = [];
  const first = new Date(start);
  first.setMinutes(0, 0, 0);
  for (let time = first.getTime(); time < now; time += HOUR_MS) {
    if (time > start && new Date(time).getHours() % 4 === 0) ticks.push(time);
  }
  const shown = runs.filter((run) => run.started_at >= start);
  const failed = shown.filter((run) => run.status === "failed").length;
  return (
    <div
      className="lanes"
      role="img"
      aria-label={`${shown.length} runs in the last 24 hours, ${failed} of them failed`}
    >
      <ul className="lanes-names" aria-hidden="true">
        {tables.map((table) => (
          <li key={table.name}>{table.label_plural}</li>
        ))}
      </ul>
      <div className="lanes-chart" aria-hidden="true">
        <svg
          height={tables.length * LANE}
          viewBox={`0 0 ${WIDTH} ${tables.length * LANE}`}
          preserveAspectRatio="none"
          aria-hidden="true"
        >
          {ticks.map((time) => (
            <line
              key={time}
              x1={x(time)}
              x2={x(time)}
              y1="0"
              y2={tables.length * LANE}
              className="lanes-tick"
            />
          ))}
          {tables.map((table, lane) => (
            <g key={table.name}>
              <line
                x1="0"
                x2={WIDTH}
                y1={lane * LANE + LANE / 2}
                y2={lane * LANE + LANE / 2}
                className="lanes-line"
              />
              {shown
                .filter((run) => run.table === table.name)
                .map((run) => (
                  <rect
                    key={run.started_at}
                    x={Math.min(x(run.started_at), WIDTH - NARROWEST)}
                    y={lane * LANE + 4}
                    width={Math.max(NARROWEST, (run.duration_ms / DAY_MS) * WIDTH)}
                    height={LANE - 8}
                    className={`lanes-run ${kindOf(run)}`}
                  />
                ))}
            </g>
          ))}
        </svg>
        <div className="lanes-times">
          {ticks.map((time) => (
            <span key={time} style={{ left: `${x(time) / 10}%` }}>
              {formatClock(time)}
            </span>
          ))}
        </div>
      </div>
    </div>
  );
}

function kindOf(run: Run): string {
  if (run.status === "failed") return "lanes-failed";
  if (run.throttled_ms > 0) return "lanes-throttled";
  return run.strategy === "full" ? "lanes-full" : "lanes-incremental";
}
