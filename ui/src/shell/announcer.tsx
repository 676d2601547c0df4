import { useEffect, useRef, useState } from "react";
import type { Connection } from "../bridge/generated";
import { formatCount } from "../format";
import { stateWord } from "../parts/state";

/** Screen readers hear of progress at most this often. */
const PACE_MS = 5_000;

/** One polite live region for state and progress. */
export function Announcer({ connection }: { connection: Connection }) {
  const [text, setText] = useState("");
  const latest = useRef(connection);
  latest.current = connection;
  useEffect(() => {
    const timer = setInterval(() => {
      const busy = latest.current.tables.filter((table) => table.progress !== null);
      setText(
        busy
          .map(
            (table) =>
              `${table.label_plural}: ${stateWord(table.state)}, ${formatCount(table.progress?.rows ?? 0)} rows`,
          )
          .join(". "),
      );
    }, PACE_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <output className="offscreen" aria-live="polite">
      {text}
    </output>
  );
}
