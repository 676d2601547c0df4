import type { Connection, Environment } from "../bridge/generated";
import { initials } from "../format";

const WORDS: Record<Environment, string> = {
  production: "Production",
  sandbox: "Sandbox",
  sample: "Simulated",
  other: "Environment",
};

export function environmentWord(kind: Environment): string {
  return WORDS[kind];
}

export function EnvironmentBadge({ kind }: { kind: Environment }) {
  return <span className={`environment environment-${kind}`}>{WORDS[kind]}</span>;
}

/** Two letters in the environment's colour. */
export function ConnectionTile({ connection }: { connection: Connection }) {
  return (
    <span className={`tile environment-${connection.kind}`} aria-hidden="true">
      {initials(connectionTitle(connection))}
    </span>
  );
}

/** The organisation's own name, else the name the admin gave. */
export function connectionTitle(connection: Connection): string {
  return connection.organization ?? connection.name;
}
