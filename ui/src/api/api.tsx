import { Button, Field, Input, Switch } from "@fluentui/react-components";
import { CheckmarkCircle16Filled, ErrorCircle16Filled, Open16Regular } from "@fluentui/react-icons";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type Api, type ApiChange, type Connection, commands } from "../bridge/generated";
import { asError } from "../bridge/store";
import { CopyButton } from "../parts/copy-button";
import { ErrorText } from "../parts/error-text";
import { useNotices } from "../parts/notices";
import { CallsCard } from "./calls";
import { KeysCard } from "./keys";
import { SnippetCard } from "./snippet";

/** How often it is looked who called, in ms. */
const LOOK_EVERY_MS = 1_000;

/** The local API of a connection: switched on and off, its keys, how it is called, and who calls. */
export default function ApiPage({ connection }: { connection: Connection }) {
  const queries = useQueryClient();
  const queryKey = ["api", connection.id];
  const { data, error } = useQuery({
    queryKey,
    queryFn: () => commands.api(connection.id, null),
    refetchInterval: LOOK_EVERY_MS,
  });
  const [made, setMade] = useState<string | null>(null);
  const change = useMutation({
    mutationFn: (wanted: ApiChange) => commands.api(connection.id, wanted),
    onSuccess: (api) => {
      queries.setQueryData(queryKey, { ...api, made: null });
      if (api.made) setMade(api.made);
    },
  });
  if (error && !data) {
    return (
      <div className="api">
        <ErrorText error={asError(error)} />
      </div>
    );
  }
  if (!data) return null;
  return (
    <div className="api">
      <ApiHeader api={data} isBusy={change.isPending} onChange={change.mutateAsync} />
      {data.problem ? <ErrorText error={data.problem} /> : null}
      <div className="api-cards">
        <div className="api-column">
          <AddressCard api={data} isBusy={change.isPending} onChange={change.mutateAsync} />
          <KeysCard
            keys={data.keys}
            made={made}
            onChange={change.mutateAsync}
            onForget={() => setMade(null)}
          />
        </div>
        <div className="api-column">
          <SnippetCard base={data.url ?? `http://127.0.0.1:${data.port}`} apiKey={made} />
          <CallsCard calls={data.calls} isServed={data.url !== null} />
        </div>
      </div>
    </div>
  );
}

interface Part {
  api: Api;
  isBusy: boolean;
  onChange: (change: ApiChange) => Promise<Api>;
}

function ApiHeader({ api, isBusy, onChange }: Part) {
  const { attempt } = useNotices();
  const state = api.url ? "Running, on this computer only" : api.on ? "Not running" : "Off";
  return (
    <header className="api-header">
      <div>
        <h1>Unified API</h1>
        <p className="caption">
          One REST API over the mirror, for scripts and tools on this computer
        </p>
      </div>
      <span className="spring" />
      <span className="api-state" role="status" data-testid="api-state">
        {api.url ? <CheckmarkCircle16Filled className="state-in_sync" /> : null}
        {api.on && !api.url ? <ErrorCircle16Filled className="state-failed" /> : null}
        {state}
      </span>
      <Switch
        checked={api.on}
        disabled={isBusy}
        aria-label="Serve the unified API"
        onChange={(_, { checked }) =>
          void attempt(() => onChange({ kind: "switch", on: checked, port: api.port }))
        }
        input={{ "data-testid": "api-switch" } as object}
      />
    </header>
  );
}

function AddressCard({ api, isBusy, onChange }: Part) {
  const { attempt } = useNotices();
  const [text, setText] = useState<string | null>(null);
  const { url } = api;
  const typed = text ?? String(api.port);
  const port = Number(typed);
  const isPort = /^\d{1,5}$/.test(typed) && port >= 1024 && port <= 65_535;
  const isOther = isPort && port !== api.port;
  const move = async () => {
    if (await attempt(() => onChange({ kind: "switch", on: api.on, port }))) setText(null);
  };
  return (
    <section className="card api-card" aria-labelledby="api-address">
      <h2 id="api-address">Address</h2>
      <dl className="api-facts">
        <dt>Base address</dt>
        <dd>
          <code data-testid="api-url">{url ?? `http://127.0.0.1:${api.port}`}</code>
          {url ? <CopyButton text={url} label="the base address" /> : null}
        </dd>
        <dt>Port</dt>
        <dd>
          <form
            className="api-port"
            onSubmit={(event) => {
              event.preventDefault();
              if (isOther) void move();
            }}
          >
            <Field
              validationState={isPort ? "none" : "error"}
              validationMessage={isPort ? undefined : "A number from 1024 to 65535"}
            >
              <Input
                size="small"
                aria-label="Port"
                inputMode="numeric"
                value={typed}
                onChange={(_, { value }) => setText(value.trim())}
                input={{ "data-testid": "api-port" } as object}
              />
            </Field>
            {isOther ? (
              <Button size="small" type="submit" disabled={isBusy} data-testid="api-move">
                Use this port
              </Button>
            ) : null}
          </form>
        </dd>
        <dt>Reference</dt>
        <dd>
          {url ? (
            <>
              <OpenOwn url={`${url}/`}>All endpoints, with examples</OpenOwn>
              <OpenOwn url={`${url}/openapi.json`}>OpenAPI 3.1</OpenOwn>
            </>
          ) : (
            <span className="caption">Served once the API is on</span>
          )}
        </dd>
      </dl>
    </section>
  );
}

function OpenOwn({ url, children }: { url: string; children: string }) {
  const { attempt } = useNotices();
  return (
    <Button
      size="small"
      icon={<Open16Regular />}
      onClick={() => void attempt(() => commands.openLink(url))}
    >
      {children}
    </Button>
  );
}
