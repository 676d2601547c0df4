import { Dropdown, Option, Tab, TabList } from "@fluentui/react-components";
import { useState } from "react";
import { CopyButton } from "../parts/copy-button";
import { LANGUAGES, type Language, OBJECTS, operationsOf, snippet } from "./snippets";

/** A call to copy: what somebody tries first. */
export function SnippetCard({ base, apiKey }: { base: string; apiKey: string | null }) {
  const [object, setObject] = useState("contacts");
  const [wanted, setWanted] = useState("list");
  const [language, setLanguage] = useState<Language>("curl");
  const operations = operationsOf(object);
  const operation = operations.find((known) => known.id === wanted) ?? operations[0];
  if (!operation) return null;
  const text = snippet(language, base, operation, apiKey);
  return (
    <section className="card api-card" aria-labelledby="api-call">
      <header className="api-card-header">
        <h2 id="api-call">Call it</h2>
        <span className="spring" />
        <Dropdown
          size="small"
          aria-label="What to do"
          value={operation.label}
          selectedOptions={[operation.id]}
          onOptionSelect={(_, { optionValue }) => setWanted(optionValue ?? "list")}
        >
          {operations.map(({ id, label }) => (
            <Option key={id} value={id}>
              {label}
            </Option>
          ))}
        </Dropdown>
        <Dropdown
          size="small"
          aria-label="Objects"
          value={object}
          selectedOptions={[object]}
          onOptionSelect={(_, { optionValue }) => setObject(optionValue ?? "contacts")}
          button={{ "data-testid": "api-object" } as object}
        >
          {OBJECTS.map((name) => (
            <Option key={name} value={name}>
              {name}
            </Option>
          ))}
        </Dropdown>
      </header>
      <p className="api-call">
        <span className={`api-method method-${operation.method.toLowerCase()}`}>
          {operation.method}
        </span>
        <code>{operation.path}</code>
      </p>
      <div className="api-languages">
        <TabList
          size="small"
          selectedValue={language}
          onTabSelect={(_, { value }) => setLanguage(value as Language)}
        >
          {LANGUAGES.map(({ language: value, label }) => (
            <Tab key={value} value={value}>
              {label}
            </Tab>
          ))}
        </TabList>
        <span className="spring" />
        <CopyButton text={text} label="the call" testId="api-snippet-copy" />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard. */}
      <pre className="api-snippet" tabIndex={0} data-testid="api-snippet">
        {text}
      </pre>
    </section>
  );
}
