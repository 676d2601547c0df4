import { keepPreviousData, useQuery } from "@tanstack/react-query";
import {
  type Connection,
  commands,
  type Filter,
  type HistogramBar,
  type ViewRequest,
} from "../bridge/generated";
import { drawn, ends, summary } from "./bars";
import { usePaused } from "./use-count";

const PAUSE_MS = 150;
const WIDTH = 304;
const HEIGHT = 44;

/** How rows are spread around a filter of dates; its place is kept while they are counted. */
export function Histogram({
  connection,
  request,
  filter,
}: {
  connection: Connection;
  /** The view without the filter. */
  request: ViewRequest;
  /** `null` while it cannot be applied. */
  filter: Filter | null;
}) {
  const asked = usePaused(filter === null ? "" : JSON.stringify([request, filter]), PAUSE_MS);
  const { data, error } = useQuery({
    queryKey: ["histogram", connection.id, asked],
    enabled: asked !== "",
    retry: false,
    staleTime: 10_000,
    placeholderData: keepPreviousData,
    queryFn: () => {
      const [view, condition] = JSON.parse(asked) as [ViewRequest, Filter];
      return commands.histogram(connection.id, view, condition);
    },
  });
  if (error) return null;
  if (!data || data.length === 0) {
    return <div className="histogram" data-testid="histogram-waits" aria-hidden="true" />;
  }
  return <Bars bars={data} />;
}

function Bars({ bars }: { bars: HistogramBar[] }) {
  const { chosen, other, isBefore } = ends(bars);
  const legend = [
    <span key="other">{other}</span>,
    <span key="chosen" className="histogram-chosen">
      {chosen}
    </span>,
  ];
  return (
    <div className="histogram" data-testid="histogram">
      <svg
        role="img"
        aria-label={summary(bars)}
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
      >
        {drawn(bars).map((bar) => (
          <rect
            key={bar.key}
            className={bar.chosen ? "histogram-bar histogram-bar-chosen" : "histogram-bar"}
            x={bar.left * WIDTH}
            width={bar.width * WIDTH}
            y={(1 - bar.height) * HEIGHT}
            height={bar.height * HEIGHT}
          >
            <title>{bar.words}</title>
          </rect>
        ))}
      </svg>
      <div className="histogram-legend" aria-hidden="true">
        {isBefore ? legend : legend.reverse()}
      </div>
    </div>
  );
}
