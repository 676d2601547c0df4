import { memo, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { formatCount } from "../format";
import { tokensOf } from "./json";
import { cutLine, drawn, LINE_HEIGHT, linesOf, MOST_LINES } from "./lines";

/**
 * The body of a reply. Of a long one only what is in sight is drawn; it is copied whole. Drawn anew only
 * for another reply: what is around it changes with each key, and ten times a second during a sync.
 */
export const ReplyText = memo(function ReplyText({
  text,
  isJson,
}: {
  text: string;
  isJson: boolean;
}) {
  const lines = useMemo(() => linesOf(text), [text]);
  const total = Math.min(lines.length, MOST_LINES);
  const pane = useRef<HTMLElement>(null);
  const [sight, setSight] = useState({ top: 0, height: 800 });
  const isAll = useRef(false);
  const [from, until] = drawn(total, sight.top, sight.height);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another reply is read from its beginning.
  useLayoutEffect(() => {
    if (pane.current) pane.current.scrollTop = 0;
    setSight((before) => ({ ...before, top: 0 }));
  }, [text]);
  useEffect(() => {
    const element = pane.current;
    if (!element) return;
    const look = () => setSight({ top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(look);
    observer.observe(element);
    element.addEventListener("scroll", look, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", look);
    };
  }, []);
  const onKey = (event: React.KeyboardEvent) => {
    if (!(event.ctrlKey || event.metaKey) || event.key !== "a") return;
    event.preventDefault();
    if (pane.current) getSelection()?.selectAllChildren(pane.current);
    isAll.current = true;
  };
  const onCopy = (event: React.ClipboardEvent) => {
    if (!isAll.current) return;
    // What is not drawn was selected too.
    event.preventDefault();
    event.clipboardData.setData("text/plain", text);
  };
  return (
    <section
      className="reply-text"
      aria-label="Body of the reply"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keyboard.
      tabIndex={0}
      ref={pane}
      onKeyDown={onKey}
      onMouseDown={() => {
        isAll.current = false;
      }}
      onCopy={onCopy}
      data-testid="reply-text"
    >
      <pre
        style={{
          paddingTop: from * LINE_HEIGHT,
          paddingBottom: (total - until) * LINE_HEIGHT,
        }}
      >
        {lines.slice(from, until).map((line, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines have no names but their numbers.
          <Line key={from + index} line={line} isJson={isJson} />
        ))}
      </pre>
      {lines.length > total ? (
        <p className="caption reply-cut">
          {formatCount(lines.length - total)} more lines are not shown. Save the reply to read them.
        </p>
      ) : null}
    </section>
  );
});

function Line({ line, isJson }: { line: string; isJson: boolean }) {
  const [shown, left] = cutLine(line);
  return (
    <div className="reply-line">
      {isJson
        ? tokensOf(shown).map((token, index) =>
            token.kind === "plain" ? (
              token.text
            ) : (
              // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a line stay where they are.
              <span key={index} className={`code-${token.kind}`}>
                {token.text}
              </span>
            ),
          )
        : shown}
      {left > 0 ? <span className="reply-left"> … {formatCount(left)} more characters</span> : null}
      {"\n"}
    </div>
  );
}
