import type { Connection, Environment } from "../bridge/generated";
import { initials } from "../format";

const WORDS: Record<Environment, string> = {
  production: "Production",
  sandbox: "Sandbox",
  sample: "Simulated",
  other: "Environment",
};

/** Nothing where the service did not say what kind of environment it is. */
export function EnvironmentBadge({ kind }: { kind: Environment }) {
  if (kind === "other") return null;
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

/**
 * The name that the admin gave: a production organisation and its copies may all call themselves the
 * same. The sample was named by nobody.
 */
export function connectionTitle(connection: Connection): string {
  return connection.kind === "sample"
    ? (connection.organization ?? connection.name)
    : connection.name;
}

/** What kind of environment it is, and whose. */
export function connectionDetail(connection: Connection): string {
  const { kind, organization } = connection;
  const what = kind === "other" ? hostOf(connection.environment) : WORDS[kind];
  const isTold = organization === null || organization === connectionTitle(connection);
  return isTold ? what : `${what}, ${organization}`;
}

export function hostOf(environment: string): string {
  return environment.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
}
