import type { ApiCall } from "../bridge/generated";
import { formatDuration, plural } from "../format";

const clock = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});
/** The newest that are listed. */
const SHOWN = 100;

/** Who called, the newest first. */
export function CallsCard({ calls, isServed }: { calls: ApiCall[]; isServed: boolean }) {
  return (
    <section className="card api-card" aria-labelledby="api-calls">
      <header className="api-card-header">
        <h2 id="api-calls">Calls</h2>
        <span className="spring" />
        {calls[0] ? (
          <span className="caption">
            {plural(calls[0].number, "call", "calls")} since it was switched on
          </span>
        ) : null}
      </header>
      {calls.length === 0 ? (
        <p className="caption api-none">
          {isServed
            ? "Nobody has called yet. Calls appear here as they are answered; their content is not kept."
            : "Calls appear here while the API is on."}
        </p>
      ) : (
        <section
          className="api-calls"
          aria-label="List of calls"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard.
          tabIndex={0}
        >
          <table className="api-table">
            <thead>
              <tr>
                <th scope="col">Time</th>
                <th scope="col">Call</th>
                <th scope="col">Key</th>
                <th scope="col" className="number">
                  Status
                </th>
                <th scope="col" className="number">
                  Took
                </th>
              </tr>
            </thead>
            <tbody>
              {calls.slice(0, SHOWN).map((call) => (
                <tr key={call.number} data-testid="api-call">
                  <td>{clock.format(call.at)}</td>
                  <td className="api-path" title={`${call.method} ${call.path}`}>
                    <span className={`api-method method-${call.method.toLowerCase()}`}>
                      {call.method}
                    </span>
                    <code>{call.path}</code>
                  </td>
                  <td>{call.key ?? "–"}</td>
                  <td className={call.status >= 400 ? "number api-refused" : "number"}>
                    {call.status}
                  </td>
                  <td className="number">{formatDuration(call.duration_ms)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </section>
  );
}
