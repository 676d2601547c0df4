import { Input } from "@fluentui/react-components";
import { type ReactNode, useId, useLayoutEffect, useRef, useState } from "react";
import type { Suggestion } from "./suggestions";

/** A field that completes what is typed, and takes anything else as well. */
export function SuggestInput({
  label,
  value,
  suggestions,
  onChange,
  onEnter,
  before,
  placeholder,
  testId,
}: {
  label: string;
  value: string;
  /** What fits to the text as it is. */
  suggestions: Suggestion[];
  onChange: (value: string) => void;
  /** Enter, where nothing is being chosen. */
  onEnter?: () => void;
  before?: ReactNode;
  placeholder?: string;
  testId: string;
}) {
  const id = useId();
  const [isOpen, setOpen] = useState(false);
  const [current, setCurrent] = useState(-1);
  const root = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const isShown = isOpen && suggestions.length > 0;
  const place = Math.min(current, suggestions.length - 1);
  // The list lies over everything, whatever scrolls around the field.
  useLayoutEffect(() => {
    if (!isShown || !root.current || !list.current) return;
    const field = root.current.getBoundingClientRect();
    const below = window.innerHeight - field.bottom - 12;
    Object.assign(list.current.style, {
      left: `${field.left}px`,
      top: `${field.bottom + 2}px`,
      minWidth: `${Math.min(field.width, 480)}px`,
      maxHeight: `${Math.max(120, Math.min(320, below))}px`,
    });
  }, [isShown]);
  useLayoutEffect(() => {
    if (place >= 0) list.current?.children[place]?.scrollIntoView({ block: "nearest" });
  }, [place]);
  const close = () => {
    setOpen(false);
    setCurrent(-1);
  };
  const choose = (suggestion: Suggestion) => {
    onChange(suggestion.value);
    close();
  };
  const onKey = (event: React.KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!isShown) setOpen(true);
      const by = event.key === "ArrowDown" ? 1 : -1;
      const many = suggestions.length;
      if (many > 0) setCurrent(place < 0 && by < 0 ? many - 1 : (place + by + many) % many);
    } else if (event.key === "Enter") {
      event.preventDefault();
      const chosen = isShown ? suggestions[place] : undefined;
      if (chosen) choose(chosen);
      else {
        close();
        onEnter?.();
      }
    } else if (event.key === "Escape" && isShown) {
      event.preventDefault();
      event.stopPropagation();
      close();
    }
  };
  return (
    <div className="suggest" ref={root}>
      <Input
        className="suggest-input"
        value={value}
        placeholder={placeholder}
        contentBefore={before ? <span className="suggest-before">{before}</span> : undefined}
        onChange={(_, data) => {
          setOpen(true);
          setCurrent(-1);
          onChange(data.value);
        }}
        onKeyDown={onKey}
        onBlur={close}
        input={
          {
            role: "combobox",
            "aria-label": label,
            "aria-expanded": isShown,
            "aria-controls": isShown ? `${id}list` : undefined,
            "aria-autocomplete": "list",
            "aria-activedescendant": isShown && place >= 0 ? `${id}${place}` : undefined,
            spellCheck: false,
            autoComplete: "off",
            autoCapitalize: "off",
            "data-testid": testId,
          } as object
        }
      />
      {isShown ? (
        <div
          className="suggest-list"
          role="listbox"
          id={`${id}list`}
          aria-label={`Suggestions for ${label.toLowerCase()}`}
          ref={list}
          data-testid={`${testId}-list`}
        >
          {suggestions.map((suggestion, index) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: keys are taken by the field, as a combobox does.
            <div
              key={suggestion.value}
              id={`${id}${index}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === place}
              className="suggest-option"
              // The field keeps the focus.
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => choose(suggestion)}
            >
              <code>{suggestion.label}</code>
              <span className="caption">{suggestion.detail}</span>
            </div>
          ))}
        </div>
      ) : null}
    </div>
  );
}
