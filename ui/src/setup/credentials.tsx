import { Button, Field, Input, Link, Spinner } from "@fluentui/react-components";
import {
  ArrowClockwise20Regular,
  CheckmarkCircle16Filled,
  Dismiss16Regular,
} from "@fluentui/react-icons";
import { useRef, useState } from "react";
import { commands, type ErrorReply } from "../bridge/generated";
import { asError } from "../bridge/store";
import { ErrorText } from "../parts/error-text";
import { Good, OpenPage, StepHead, TextInput } from "./parts";
import { SecretSchematic } from "./schematic";
import { monthsAhead } from "./steps";
import { TenantFound, useTenant } from "./tenant";
import type { SetupControl } from "./use-setup";

/** The values of the registration. The secret leaves the page as soon as it is entered. */
export function CredentialsStep({ control }: { control: SetupControl }) {
  const { draft, setup } = control;
  const tenant = useTenant(control);
  const clientIsGood =
    setup.draft.client_id !== "" &&
    setup.draft.client_id === draft.client_id &&
    control.problem("client_id") === null;
  return (
    <div className="step">
      <div className="step-fields">
        <StepHead
          number={5}
          title="Enter the app's credentials"
          lead={
            draft.public_client
              ? "Two values from the app's Overview page."
              : "Values of the app registration. The secret goes straight to the system keychain and is never shown again."
          }
        />
        <TextInput
          control={control}
          field="tenant"
          label="Directory (tenant) ID"
          hint="From the app's Overview page. Where it is empty, the environment tells."
          good={
            tenant.data ? (
              <TenantFound tenant={tenant.data} />
            ) : tenant.isLoading ? (
              <Spinner size="extra-tiny" label="Looking it up" />
            ) : undefined
          }
          bad={tenant.error ? <ErrorText error={asError(tenant.error)} /> : undefined}
        />
        <TextInput
          control={control}
          field="client_id"
          label="Application (client) ID"
          hint="From the app's Overview page."
          placeholder="00000000-1111-2222-3333-444444444444"
          good={clientIsGood ? <Good>Well-formed. Checked when you sign in</Good> : undefined}
        />
        {draft.public_client ? null : (
          <>
            <SecretInput control={control} />
            <Field
              label={
                <>
                  Secret expires on <span className="muted">(optional)</span>
                </>
              }
              validationState={control.problem("secret_expires") ? "error" : "none"}
              validationMessage={control.problem("secret_expires") ?? undefined}
              hint="You are warned 30 and 7 days before, so a night's sync never fails by surprise."
            >
              <div className="date-row">
                <Input
                  className="short-input"
                  placeholder="2028-03-11"
                  autoComplete="off"
                  spellCheck={false}
                  value={draft.secret_expires ?? ""}
                  onChange={(_, data) => control.change({ secret_expires: data.value || null })}
                  input={{ "data-testid": "setup-secret_expires" } as object}
                />
                {[6, 12, 24].map((months) => (
                  <Link
                    key={months}
                    as="button"
                    type="button"
                    onClick={() =>
                      void control.save({ secret_expires: monthsAhead(new Date(), months) })
                    }
                  >
                    {months} months
                  </Link>
                ))}
              </div>
            </Field>
          </>
        )}
      </div>
      <aside className="step-aside">
        {draft.public_client ? null : (
          <section className="aside-box aside-drawing">
            <div className="drawing">
              <SecretSchematic />
            </div>
            <div className="aside-text">
              <h2>Where to find the value</h2>
              <ol className="numbered">
                <li>
                  Open the app, then <strong>Certificates &amp; secrets</strong>
                </li>
                <li>
                  Choose <strong>New client secret</strong> and the longest expiry your policy
                  allows
                </li>
                <li>
                  Copy <strong>Value</strong> at once. The portal hides it when you leave the page
                </li>
              </ol>
            </div>
          </section>
        )}
        <p className="caption">
          {draft.public_client ? "An app of the platform Web has a secret. " : ""}
          {draft.public_client ? "" : "A public client needs no secret. "}
          <Link
            as="button"
            type="button"
            inline
            className="caption-link"
            onClick={() =>
              void control.save({ public_client: !draft.public_client, unattended: false })
            }
            data-testid="setup-change-platform"
          >
            {draft.public_client ? "Change to Web" : "Change to Mobile and desktop"}
          </Link>
        </p>
      </aside>
    </div>
  );
}

/** The secret on its way to the keychain. What was kept is gone from the field. */
function SecretInput({ control }: { control: SetupControl }) {
  const { draft, setup } = control;
  const [value, setValue] = useState("");
  const [error, setError] = useState<ErrorReply | null>(null);
  const [isReplacing, setReplacing] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const missing = control.isTried && value === "" ? control.problem("client_secret") : null;
  const input = useRef<HTMLInputElement>(null);
  const keep = async (secret: string) => {
    if (secret === "" || isBusy) return;
    setBusy(true);
    try {
      control.take(await commands.keepSetupSecret(secret));
      setValue("");
      setError(null);
      setReplacing(false);
    } catch (reason) {
      setError(asError(reason));
    }
    setBusy(false);
  };
  if (draft.has_secret && !isReplacing) {
    return (
      <Field label="Client secret, the value">
        <div className="secret-kept" data-testid="secret-kept">
          <CheckmarkCircle16Filled /> In the system keychain
          <Button
            size="small"
            type="button"
            onClick={() => {
              setReplacing(true);
              setTimeout(() => input.current?.focus());
            }}
            data-testid="secret-replace"
          >
            Replace
          </Button>
        </div>
      </Field>
    );
  }
  const hasSpace = value.trim() !== value && value.trim() !== "";
  return (
    <>
      <Field
        label="Client secret, the value"
        validationState={error || missing ? "error" : "none"}
        validationMessage={
          error
            ? {
                children: (
                  <span className="field-error" role="alert" data-testid="secret-error">
                    <SecretProblem error={error} />
                    {hasSpace ? (
                      <>
                        {" "}
                        <Link
                          as="button"
                          type="button"
                          inline
                          onClick={() => {
                            setValue(value.trim());
                            void keep(value.trim());
                          }}
                        >
                          Remove the white space
                        </Link>
                      </>
                    ) : null}
                  </span>
                ),
              }
            : (missing ?? undefined)
        }
        hint={
          error || missing
            ? undefined
            : isBusy
              ? "On its way to the system keychain. Where that asks for its password, enter it there."
              : "Paste it. It is kept at once, and the field is emptied."
        }
      >
        <Input
          ref={input}
          type="password"
          autoComplete="off"
          spellCheck={false}
          value={value}
          disabled={isBusy}
          onChange={(_, data) => {
            setValue(data.value);
            setError(null);
          }}
          onPaste={(event) => {
            const pasted = event.clipboardData.getData("text");
            if (value !== "" || pasted === "") return;
            event.preventDefault();
            setValue(pasted);
            void keep(pasted);
          }}
          onBlur={() => void keep(value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter") return;
            event.preventDefault();
            void keep(value);
          }}
          contentAfter={
            value === "" ? undefined : (
              <Button
                appearance="transparent"
                size="small"
                type="button"
                icon={<Dismiss16Regular />}
                aria-label="Empty the field"
                onClick={() => {
                  setValue("");
                  setError(null);
                  input.current?.focus();
                }}
              />
            )
          }
          input={{ "data-testid": "setup-client_secret" } as object}
        />
      </Field>
      {error && isOfKeychain(error) ? (
        <Button
          type="button"
          icon={<ArrowClockwise20Regular />}
          onClick={() => void keep(value)}
          data-testid="secret-again"
        >
          Try again
        </Button>
      ) : null}
      {error && !isOfKeychain(error) ? (
        <OpenPage url={setup.guide.credentials} testId="open-credentials">
          {draft.client_id ? "Open Certificates & secrets" : "Open App registrations"}
        </OpenPage>
      ) : null}
    </>
  );
}

/** The secret may be right: the place for it failed. */
function isOfKeychain(error: ErrorReply): boolean {
  return error.code.startsWith("keychain");
}

/** The first sentence stands out: it is what happened. */
function SecretProblem({ error }: { error: ErrorReply }) {
  const end = error.message.indexOf(". ");
  const [first, rest] =
    end < 0 ? [error.message, ""] : [error.message.slice(0, end + 1), error.message.slice(end + 1)];
  // The hint of a secret that is an ID would say it again.
  return (
    <>
      <strong>{first}</strong>
      {rest} {error.code === "bad_client_secret" ? null : error.hint}
    </>
  );
}
