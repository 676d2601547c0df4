import { Button, Field, Input, Link } from "@fluentui/react-components";
import { Add20Regular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import {
  type AppState,
  type Connection,
  type ConnectionChange,
  commands,
  type ErrorReply,
  type LeftData,
} from "../bridge/generated";
import { asError } from "../bridge/store";
import { formatBytes } from "../format";
import { AppDialog, DialogPage, LossFooter } from "../parts/app-dialog";
import { ConnectionTile, connectionTitle, EnvironmentBadge, hostOf } from "../parts/environment";
import { ErrorText } from "../parts/error-text";
import { useNotices } from "../parts/notices";
import { go } from "../place";
import { isPort, portOf } from "../setup/redirect";
import { monthsAhead } from "../setup/steps";
import { useActions } from "../shell/actions";
import { DisconnectDialog } from "../shell/disconnect";

const NO_CHANGE: ConnectionChange = {
  name: null,
  client_secret: null,
  secret_expires: null,
  redirect_port: null,
};

/** All connections, each with what can be changed of it. */
export function Connections({ app, connection }: { app: AppState; connection: Connection }) {
  const [opened, setOpened] = useState<string | null>(connection.id);
  return (
    <>
      {app.connections.map((known) => (
        <section key={known.id} className="connection-card" data-testid="connection-card">
          <button
            type="button"
            className="connection-head"
            aria-expanded={opened === known.id}
            onClick={() => setOpened(opened === known.id ? null : known.id)}
          >
            <ConnectionTile connection={known} />
            <span className="settings-text">
              <span className="connection-name">
                {connectionTitle(known)} <EnvironmentBadge kind={known.kind} />
              </span>
              <span className="caption">
                {[hostOf(known.environment), known.organization].filter(Boolean).join(", ")},{" "}
                {known.signed_in ? (known.user ?? "signed in") : "signed out"}
              </span>
            </span>
          </button>
          {opened === known.id ? <ConnectionForm key={known.id} connection={known} /> : null}
        </section>
      ))}
      <Button
        icon={<Add20Regular />}
        onClick={() => go({ page: "connect" })}
        data-testid="settings-connect"
      >
        {app.setup ? "Continue the set-up" : "Connect another"}
      </Button>
      <Left connections={app.connections.length} />
    </>
  );
}

/** Data of connections that are gone: it is found again by connecting anew, or erased here. */
function Left({ connections }: { connections: number }) {
  const { attempt } = useNotices();
  const [asked, setAsked] = useState<LeftData | null>(null);
  const { data: left = [], refetch } = useQuery({
    queryKey: ["left", connections],
    queryFn: commands.leftData,
  });
  const erase = async (found: LeftData) => {
    setAsked(null);
    await attempt(() => commands.eraseLeft(found.id));
    await refetch();
  };
  if (left.length === 0) return null;
  return (
    <section className="left-data" data-testid="left-data">
      <h2>Data that was kept</h2>
      <p className="caption">
        Of connections that are gone. It is there again when the same user connects to the same
        environment.
      </p>
      <ul>
        {left.map((found) => (
          <li key={found.id}>
            <span>
              {hostOf(found.environment)}, {found.user}{" "}
              <span className="caption">{formatBytes(found.bytes)}</span>
            </span>
            <Button size="small" onClick={() => setAsked(found)} data-testid="left-erase">
              Erase
            </Button>
          </li>
        ))}
      </ul>
      <AppDialog isOpen={asked !== null} onClose={() => setAsked(null)}>
        <DialogPage
          title="Erase this data?"
          footer={
            <LossFooter
              verb="Erase"
              keep="Keep it"
              onConfirm={() => asked && void erase(asked)}
              onKeep={() => setAsked(null)}
              confirmId="left-confirm"
            />
          }
        >
          <p>
            The mirrored rows of {asked ? hostOf(asked.environment) : ""} go, with the history of
            their changes and the rows that were deleted in Dynamics 365, which nobody else has.
            Nothing changes in Dynamics 365.
          </p>
        </DialogPage>
      </AppDialog>
    </section>
  );
}

function ConnectionForm({ connection }: { connection: Connection }) {
  const actions = useActions(connection);
  const [name, setName] = useState(connection.name);
  const [secret, setSecret] = useState("");
  const [expires, setExpires] = useState(connection.secret_expires ?? "");
  const [port, setPort] = useState(connection.redirect_port?.toString() ?? "");
  const [error, setError] = useState<ErrorReply | null>(null);
  const [isKept, setKept] = useState(false);
  const [isLeaving, setLeaving] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const isSample = connection.kind === "sample";
  const change: ConnectionChange = {
    ...NO_CHANGE,
    ...(name === connection.name ? {} : { name }),
    ...(secret === "" ? {} : { client_secret: secret }),
    ...(secret === "" && expires === (connection.secret_expires ?? "")
      ? {}
      : { secret_expires: expires }),
    ...(port === (connection.redirect_port?.toString() ?? "")
      ? {}
      : { redirect_port: portOf(port) ?? 0 }),
  };
  const isChanged = Object.values(change).some((value) => value !== null);
  const save = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      await commands.changeConnection(connection.id, change);
      // It is in the keychain now, and nowhere in the page.
      setSecret("");
      setError(null);
      setKept(true);
    } catch (reason) {
      setError(asError(reason));
    }
    setBusy(false);
  };
  const touch = (set: (value: string) => void) => (value: string) => {
    set(value);
    setKept(false);
    setError(null);
  };
  return (
    <form className="connection-form" onSubmit={(event) => void save(event)} noValidate>
      <Field label="Name">
        <Input
          value={name}
          onChange={(_, data) => touch(setName)(data.value)}
          input={{ "data-testid": "connection-name" } as object}
        />
      </Field>
      {connection.public_client || isSample ? null : (
        <>
          <Field
            label="Client secret"
            hint="One is in the system keychain. Paste another's value to replace it; syncs use it at once."
          >
            <Input
              type="password"
              autoComplete="off"
              value={secret}
              onChange={(_, data) => {
                touch(setSecret)(data.value);
                // What was said of the old secret does not hold for the new one.
                if (expires === connection.secret_expires) setExpires("");
              }}
              input={{ "data-testid": "connection-secret" } as object}
            />
          </Field>
          <Field
            label="Secret expires on"
            hint="You are warned 30 and 7 days before. Empty where it is not known."
          >
            <div className="date-row">
              <Input
                className="short-input"
                placeholder="2028-03-11"
                value={expires}
                onChange={(_, data) => touch(setExpires)(data.value)}
                input={{ "data-testid": "connection-expires" } as object}
              />
              {[6, 12, 24].map((months) => (
                <Link
                  key={months}
                  as="button"
                  type="button"
                  onClick={() => touch(setExpires)(monthsAhead(new Date(), months))}
                >
                  {months} months
                </Link>
              ))}
            </div>
          </Field>
        </>
      )}
      {isSample || connection.unattended ? null : (
        <Field label="Port of the redirect URI" hint="Any free port where this is empty.">
          <Input
            className="short-input"
            inputMode="numeric"
            value={port}
            onChange={(_, data) => (isPort(data.value) ? touch(setPort)(data.value) : null)}
            input={{ "data-testid": "connection-port" } as object}
          />
        </Field>
      )}
      <dl className="facts facts-wide">
        <dt>Environment</dt>
        <dd>{connection.environment}</dd>
        <dt>Client ID</dt>
        <dd>{connection.client_id}</dd>
        <dt>Tenant</dt>
        <dd>{connection.tenant}</dd>
        <dt>Signs in</dt>
        <dd>{connection.unattended ? "as the app itself" : (connection.user ?? "as a user")}</dd>
      </dl>
      {error ? (
        <div className="banner banner-error" data-testid="connection-error" data-code={error.code}>
          <ErrorText error={error} />
        </div>
      ) : null}
      <div className="button-row">
        <Button
          type="submit"
          appearance="primary"
          disabled={!isChanged || isBusy}
          data-testid="connection-save"
        >
          Save
        </Button>
        <Button
          type="button"
          onClick={() => actions.signIn()}
          data-testid="connection-sign-in"
          disabled={isBusy}
        >
          Sign in again
        </Button>
        {connection.unattended || isSample ? null : (
          <Button type="button" disabled={isBusy} onClick={() => actions.signIn(true)}>
            Sign in as someone else
          </Button>
        )}
        {isKept ? (
          <span className="caption settings-kept" data-testid="connection-kept">
            Saved
          </span>
        ) : null}
        <span className="spring" />
        <Button
          type="button"
          appearance="subtle"
          className="danger-button"
          onClick={() => setLeaving(true)}
          data-testid="connection-disconnect"
        >
          Disconnect
        </Button>
      </div>
      <DisconnectDialog
        connection={connection}
        isOpen={isLeaving}
        onClose={() => setLeaving(false)}
      />
    </form>
  );
}
