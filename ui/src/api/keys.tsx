import { Button, Checkbox, Field, Input } from "@fluentui/react-components";
import { Add16Regular, Key20Regular } from "@fluentui/react-icons";
import { useState } from "react";
import type { Api, ApiChange, ApiKey, ApiScope, ErrorReply } from "../bridge/generated";
import { asError } from "../bridge/store";
import { formatRecent } from "../format";
import { AppDialog, DialogPage, LossFooter } from "../parts/app-dialog";
import { CopyButton } from "../parts/copy-button";
import { ErrorText } from "../parts/error-text";
import { useNotices } from "../parts/notices";

const SCOPES: { scope: ApiScope; label: string; text: string }[] = [
  { scope: "read", label: "Read", text: "records, changes, syncs and runs" },
  { scope: "write", label: "Write", text: "create, change and delete records in Dynamics 365" },
  {
    scope: "passthrough",
    label: "Passthrough",
    text: "any request to Dynamics 365, as the user who is signed in",
  },
  { scope: "manage", label: "Manage", text: "start and pause syncs, invalidate records" },
];

type Change = (change: ApiChange) => Promise<Api>;

/** Who may call. */
export function KeysCard({
  keys,
  made,
  onChange,
  onForget,
}: {
  keys: ApiKey[];
  /** The key that was made just now. */
  made: string | null;
  onChange: Change;
  onForget: () => void;
}) {
  const [isMaking, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<ApiKey | null>(null);
  const now = Date.now();
  return (
    <section className="card api-card" aria-labelledby="api-keys">
      <header className="api-card-header">
        <h2 id="api-keys">Keys</h2>
        <span className="spring" />
        <Button
          size="small"
          icon={<Add16Regular />}
          onClick={() => setMaking(true)}
          data-testid="api-key-add"
        >
          Make a key
        </Button>
      </header>
      {made ? (
        <div className="api-made" role="status" data-testid="api-made">
          <Key20Regular />
          <div>
            <p>Copy the key now. It is kept as a hash only, and not shown again.</p>
            <code data-testid="api-made-key">{made}</code>
          </div>
          <CopyButton text={made} label="the key" testId="api-made-copy" />
          <Button size="small" appearance="subtle" onClick={onForget} data-testid="api-made-done">
            Done
          </Button>
        </div>
      ) : null}
      {keys.length === 0 ? (
        <p className="caption api-none">
          Every caller needs a key. Make one for each program, so that you can revoke it alone.
        </p>
      ) : (
        <table className="api-table">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">May</th>
              <th scope="col">Last used</th>
              <th scope="col">
                <span className="offscreen">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {keys.map((key) => (
              <tr key={key.id} data-testid="api-key">
                <td className="api-key-name">
                  <strong>{key.name}</strong>
                  <code>{key.hint}</code>
                </td>
                <td>{key.scopes.join(", ")}</td>
                <td>{key.last_used === null ? "Never" : formatRecent(key.last_used, now)}</td>
                <td className="number">
                  <Button
                    size="small"
                    appearance="subtle"
                    aria-label={`Revoke ${key.name}`}
                    onClick={() => setRevoking(key)}
                    data-testid="api-key-revoke"
                  >
                    Revoke
                  </Button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {isMaking ? <MakeDialog onChange={onChange} onClose={() => setMaking(false)} /> : null}
      <RevokeDialog apiKey={revoking} onChange={onChange} onClose={() => setRevoking(null)} />
    </section>
  );
}

function MakeDialog({ onChange, onClose }: { onChange: Change; onClose: () => void }) {
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<ApiScope[]>(["read"]);
  const [problem, setProblem] = useState<ErrorReply | null>(null);
  const isReady = name.trim() !== "" && scopes.length > 0;
  const make = async () => {
    try {
      await onChange({ kind: "make_key", name: name.trim(), scopes });
      onClose();
    } catch (reason) {
      setProblem(asError(reason));
    }
  };
  return (
    <AppDialog isOpen onClose={onClose} testId="api-key-dialog">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady) void make();
        }}
      >
        <DialogPage
          title="Make a key"
          footer={
            <>
              <span className="spring" />
              <Button onClick={onClose}>Cancel</Button>
              <Button
                appearance="primary"
                type="submit"
                disabled={!isReady}
                data-testid="api-key-make"
              >
                Make the key
              </Button>
            </>
          }
        >
          <Field label="Name of the program">
            <Input
              value={name}
              placeholder="Nightly report"
              onChange={(_, data) => setName(data.value)}
              input={{ "data-testid": "api-key-name" } as object}
            />
          </Field>
          <fieldset className="api-scopes">
            <legend>What it may do</legend>
            {SCOPES.map(({ scope, label, text }) => (
              <Checkbox
                key={scope}
                checked={scopes.includes(scope)}
                label={
                  <>
                    {label} <span className="caption">· {text}</span>
                  </>
                }
                onChange={(_, { checked }) =>
                  setScopes(
                    checked ? [...scopes, scope] : scopes.filter((known) => known !== scope),
                  )
                }
                input={{ "data-testid": `api-scope-${scope}` } as object}
              />
            ))}
          </fieldset>
          {problem ? <ErrorText error={problem} /> : null}
        </DialogPage>
      </form>
    </AppDialog>
  );
}

function RevokeDialog({
  apiKey,
  onChange,
  onClose,
}: {
  apiKey: ApiKey | null;
  onChange: Change;
  onClose: () => void;
}) {
  const { attempt, tell } = useNotices();
  const revoke = async (key: ApiKey) => {
    if (await attempt(() => onChange({ kind: "revoke_key", id: key.id }))) {
      tell(`Revoked ${key.name}`);
      onClose();
    }
  };
  return (
    <AppDialog isOpen={apiKey !== null} onClose={onClose}>
      {apiKey ? (
        <DialogPage
          title={`Revoke ${apiKey.name}?`}
          footer={
            <LossFooter
              verb="Revoke"
              keep="Keep the key"
              onConfirm={() => void revoke(apiKey)}
              onKeep={onClose}
              confirmId="api-revoke-confirm"
            />
          }
        >
          <p>The next call with this key is refused. A revoked key cannot be brought back.</p>
        </DialogPage>
      ) : null}
    </AppDialog>
  );
}
