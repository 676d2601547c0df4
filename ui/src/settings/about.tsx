import { Button, Input } from "@fluentui/react-components";
import {
  BookOpen20Regular,
  Info20Regular,
  Search16Regular,
  Table20Regular,
} from "@fluentui/react-icons";
import { useState } from "react";
import type { AppState } from "../bridge/generated";
import { formatCount } from "../format";
import { Row } from "./row";

type Part = [name: string, version: string, licence: string];

export function About({ app }: { app: AppState }) {
  const [parts, setParts] = useState<Part[] | null>(null);
  const show = async () => {
    // Some kilobytes that most people never look at.
    const list = await import("./licences.json");
    setParts(list.default as Part[]);
  };
  return (
    <>
      <Row
        icon={<Info20Regular />}
        title={`Salesmirror ${app.version}`}
        text="Apache License 2.0. Nothing leaves this computer but the calls to Microsoft. No telemetry."
      />
      <Row
        icon={<Table20Regular />}
        title="Where the data is"
        text={`${app.data_dir}, encrypted; its keys are in the system keychain`}
      />
      <Row
        icon={<BookOpen20Regular />}
        title="Made with"
        text="Open source parts, each under its own licence"
      >
        {parts ? null : (
          <Button onClick={() => void show()} data-testid="licences-show">
            Show licences
          </Button>
        )}
      </Row>
      {parts ? <Licences parts={parts} /> : null}
    </>
  );
}

function Licences({ parts }: { parts: Part[] }) {
  const [wanted, setWanted] = useState("");
  const found = matching(parts, wanted);
  return (
    <section className="licences" data-testid="licences">
      <Input
        value={wanted}
        aria-label="Search parts and licences"
        placeholder="Name or licence"
        contentBefore={<Search16Regular />}
        onChange={(_, data) => setWanted(data.value)}
        input={{ "data-testid": "licences-search" } as object}
      />
      <p className="caption">
        {formatCount(found.length)} of {formatCount(parts.length)}
      </p>
      {found.length === 0 ? <p>No part or licence has “{wanted.trim()}” in its name.</p> : null}
      <div className="licences-list" hidden={found.length === 0}>
        <table>
          <thead>
            <tr>
              <th>Part</th>
              <th>Version</th>
              <th>Licence</th>
            </tr>
          </thead>
          <tbody>
            {found.map(([name, version, licence]) => (
              <tr key={`${name} ${version}`}>
                <td>{name}</td>
                <td>{version}</td>
                <td>{licence}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** Parts whose name or licence has the words. */
export function matching(parts: Part[], wanted: string): Part[] {
  const word = wanted.trim().toLowerCase();
  if (word === "") return parts;
  return parts.filter(
    ([name, , licence]) =>
      name.toLowerCase().includes(word) || licence.toLowerCase().includes(word),
  );
}
