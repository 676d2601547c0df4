import { Button, Field, Input, Link, Radio, RadioGroup } from "@fluentui/react-components";
import { ArrowLeft20Regular } from "@fluentui/react-icons";
import { type FormEvent, useState } from "react";
import {
  type AppState,
  type ConnectionForm,
  commands,
  type ErrorReply,
  type FieldProblem,
  type SignIn,
} from "../bridge/generated";
import { asError } from "../bridge/store";
import { ErrorText } from "../parts/error-text";
import { Mark } from "../parts/mark";
import { go } from "../place";
import { begin } from "../shell/actions";
import { WaitingPage } from "./waiting";
import { WhereToFind } from "./where";

const EMPTY: ConnectionForm = {
  name: "",
  environment: "",
  tenant: "",
  client_id: "",
  client_secret: "",
  public_client: false,
  authority: null,
  redirect_port: null,
};

type TextField = "name" | "environment" | "tenant" | "client_id" | "client_secret" | "authority";

/** The form, and the waiting page in its place while somebody signs in: what was typed stays. */
export function ConnectPage({ app, signIn }: { app: AppState; signIn: SignIn | null }) {
  const [form, setForm] = useState(EMPTY);
  const [problems, setProblems] = useState<FieldProblem[]>([]);
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set());
  const [error, setError] = useState<ErrorReply | null>(null);
  const [busy, setBusy] = useState(false);
  const [advanced, setAdvanced] = useState(form.authority !== null || form.redirect_port !== null);

  const change = (part: Partial<ConnectionForm>) => {
    setForm((before) => ({ ...before, ...part }));
  };
  const check = async (field?: string) => {
    if (field) setTouched(new Set([...touched, field]));
    const found = await commands.checkForm(form);
    setProblems(found);
    return found;
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setError(null);
    setTouched(new Set(Object.keys(EMPTY)));
    if ((await check()).length > 0) return;
    setBusy(true);
    try {
      begin(await commands.connect(form));
    } catch (reason) {
      const failure = asError(reason);
      // Who cancelled knows it.
      const isCancelled = failure.code === "cancelled" || failure.code === "interrupted";
      setError(isCancelled ? null : failure);
      setBusy(false);
    }
  };
  const problem = (field: string) =>
    touched.has(field) ? problems.find((found) => found.field === field)?.message : undefined;

  const text = (
    field: TextField,
    label: string,
    hint: string,
    more: { type?: "password"; placeholder?: string; mono?: boolean } = {},
  ) => {
    const message = problem(field);
    return (
      <Field
        label={label}
        {...(message ? { validationMessage: message, validationState: "error" } : { hint })}
      >
        <Input
          value={form[field] ?? ""}
          type={more.type ?? "text"}
          placeholder={more.placeholder ?? ""}
          autoComplete="off"
          spellCheck={false}
          onChange={(_, data) =>
            change({ [field]: field === "authority" ? data.value || null : data.value })
          }
          onBlur={() => void check(field)}
          input={{ "data-testid": `form-${field}` } as object}
        />
      </Field>
    );
  };

  if (signIn) return <WaitingPage signIn={signIn} />;
  return (
    <div className="wizard">
      <aside className="wizard-rail">
        <span className="brand">
          <Mark size={18} />
          <span className="brand-name">Salesmirror</span>
        </span>
        <h2>Connect your organisation</h2>
        <p>
          Salesmirror signs in as you, through an app registration of your own tenant. It reads; it
          changes nothing in Dynamics 365.
        </p>
        <p>
          The secret goes straight to the system keychain and is never shown again. The mirrored
          data stays on this computer, encrypted.
        </p>
      </aside>
      <form className="wizard-page" onSubmit={(event) => void submit(event)} noValidate>
        <div className="wizard-scroll">
          <div className="wizard-fields">
            <h1>Enter the app registration's values</h1>
            <p className="wizard-lead">From the Overview page of the app in the Azure portal.</p>
            {error ? (
              <div className="banner banner-error">
                <ErrorText error={error} />
              </div>
            ) : null}
            {text("name", "Name", "How the connection is called here.", {
              placeholder: "Contoso production",
            })}
            {text("environment", "Environment URL", "The address that Dynamics 365 opens at.", {
              placeholder: "https://contoso.crm4.dynamics.com",
            })}
            {text("tenant", "Directory (tenant) ID", "Its GUID, or one of its domains.")}
            {text("client_id", "Application (client) ID", "A GUID.")}
            <Field label="Kind of registration">
              <RadioGroup
                layout="horizontal"
                value={form.public_client ? "public" : "web"}
                onChange={(_, data) => change({ public_client: data.value === "public" })}
              >
                <Radio value="web" label="Web, with a secret" />
                <Radio
                  value="public"
                  label="Mobile and desktop, without"
                  data-testid="form-public_client"
                />
              </RadioGroup>
            </Field>
            {form.public_client
              ? null
              : text("client_secret", "Client secret, the value", "Kept in the system keychain.", {
                  type: "password",
                })}
            {advanced ? (
              <>
                {text("authority", "Authority", "Only where it is not the commercial cloud's.", {
                  placeholder: "https://login.microsoftonline.com/",
                })}
                <Field label="Port of the redirect URI" hint="Any free port where this is empty.">
                  <Input
                    value={form.redirect_port?.toString() ?? ""}
                    inputMode="numeric"
                    onChange={(_, data) => change({ redirect_port: portOf(data.value) })}
                    input={{ "data-testid": "form-redirect_port" } as object}
                  />
                </Field>
              </>
            ) : (
              <Link
                as="button"
                type="button"
                onClick={() => setAdvanced(true)}
                data-testid="form-advanced"
              >
                Another cloud, or a fixed port
              </Link>
            )}
          </div>
          <WhereToFind isPublic={form.public_client} port={form.redirect_port} />
        </div>
        <footer className="wizard-footer">
          <Button
            icon={<ArrowLeft20Regular />}
            disabled={busy}
            onClick={() => go({ page: "home", connection: app.connections[0]?.id ?? null })}
            data-testid="form-back"
          >
            Back
          </Button>
          <span className="spring" />
          <Button appearance="primary" type="submit" disabled={busy} data-testid="form-submit">
            {busy ? "Connecting" : "Sign in and connect"}
          </Button>
        </footer>
      </form>
    </div>
  );
}

function portOf(text: string): number | null {
  const port = Number.parseInt(text, 10);
  return port > 0 && port < 65_536 ? port : null;
}
