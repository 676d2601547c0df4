import { Button, Link, Radio, RadioGroup } from "@fluentui/react-components";
import { CheckmarkCircle20Filled, PersonSwap20Regular } from "@fluentui/react-icons";
import { useState } from "react";
import { commands, type ErrorReply, type SignIn } from "../bridge/generated";
import { asError } from "../bridge/store";
import { CopyButton } from "../parts/copy-button";
import { ErrorText } from "../parts/error-text";
import { CopyValue, Instructions, OpenPage, StepHead } from "./parts";
import { adminMessage } from "./permission";
import { indexOf, stepThatMends } from "./steps";
import type { SetupControl } from "./use-setup";
import { Waiting } from "./waiting";

/** Who signs in, and the sign-in itself. */
export function SignInStep({
  control,
  signIn,
  onSignedIn,
}: {
  control: SetupControl;
  signIn: SignIn | null;
  onSignedIn: () => void;
}) {
  const { draft, setup } = control;
  const [error, setError] = useState<ErrorReply | null>(null);
  const [isBusy, setBusy] = useState(false);
  const start = async (anotherUser: boolean) => {
    setError(null);
    setBusy(true);
    // Kept first, so that what is signed in with is what is on the screen.
    if (await control.save()) {
      try {
        control.take(await commands.signInSetup(anotherUser));
        onSignedIn();
      } catch (reason) {
        const failure = asError(reason);
        // Who cancelled knows it.
        setError(failure.code === "cancelled" ? null : failure);
      }
    }
    setBusy(false);
  };
  const mended = error ? stepThatMends(error.code) : undefined;
  const isConsent = error?.code === "consent_needed";
  return (
    <div className="step">
      <div className="step-fields">
        <StepHead
          number={7}
          title={draft.signed_in ? "You are signed in" : "Sign in"}
          lead={
            draft.signed_in
              ? "Go on to the checks, or sign in as somebody else."
              : "Salesmirror opens Microsoft's sign-in page in your browser and never sees your password."
          }
        />
        <fieldset className="choices" disabled={isBusy}>
          <legend>Who reads Dynamics 365</legend>
          <RadioGroup
            value={draft.unattended ? "app" : "user"}
            onChange={(_, data) => void control.save({ unattended: data.value === "app" })}
          >
            <Radio
              value="user"
              data-testid="flow-user"
              label={
                <>
                  You, through the browser{" "}
                  <span className="choice-note">reads what your security roles allow</span>
                </>
              }
            />
            <Radio
              value="app"
              data-testid="flow-app"
              disabled={draft.public_client}
              label={
                <>
                  The app itself, unattended{" "}
                  <span className="choice-note">
                    {draft.public_client
                      ? "needs the platform Web, with a secret"
                      : "needs an application user in Dynamics 365"}
                  </span>
                </>
              }
            />
          </RadioGroup>
        </fieldset>
        {draft.signed_in ? (
          <p className="signed-in" data-testid="setup-signed-in">
            <CheckmarkCircle20Filled /> Signed in as <strong>{setup.user}</strong>
          </p>
        ) : null}
        {error ? (
          <div
            className="banner banner-error setup-error"
            data-testid="setup-error"
            data-code={error.code}
          >
            <ErrorText error={error} />
            {mended ? (
              <Button
                type="button"
                onClick={() => void control.save({ step: mended.step })}
                data-testid="setup-mend"
              >
                Go to step {indexOf(mended.step) + 1}, {mended.title}
              </Button>
            ) : null}
            {isConsent && setup.guide.admin_consent ? (
              <div className="message-to-admin">
                <p>{adminMessage(setup.guide.app_name, setup.guide.admin_consent)}</p>
                <CopyButton
                  text={adminMessage(setup.guide.app_name, setup.guide.admin_consent)}
                  label="the message"
                />
              </div>
            ) : null}
          </div>
        ) : null}
        {signIn ? <Waiting signIn={signIn} /> : null}
        {signIn ? null : (
          <div className="button-row">
            <Button
              type="button"
              appearance={draft.signed_in ? "secondary" : "primary"}
              disabled={isBusy}
              onClick={() => void start(false)}
              data-testid="setup-sign-in"
            >
              {isBusy
                ? "Signing in"
                : draft.signed_in
                  ? "Sign in again"
                  : draft.unattended
                    ? "Sign in as the app"
                    : "Open the sign-in page"}
            </Button>
            {draft.unattended ? null : (
              <Button
                type="button"
                icon={<PersonSwap20Regular />}
                disabled={isBusy}
                onClick={() => void start(true)}
                data-testid="setup-sign-in-other"
              >
                Sign in as someone else
              </Button>
            )}
          </div>
        )}
        {error?.code === "port_taken" ? (
          <Link
            as="button"
            type="button"
            onClick={() => void control.save({ redirect_port: null })}
          >
            Use any free port
          </Link>
        ) : null}
      </div>
      <aside className="step-aside">
        {draft.unattended ? (
          <Instructions title="The application user">
            <li>
              <p>
                Open the environment in the Power Platform admin center, then{" "}
                <strong>Settings, Users + permissions, Application users</strong>.
              </p>
              <OpenPage url={setup.guide.admin_center}>Open the admin center</OpenPage>
            </li>
            <li>
              <p>
                Choose <strong>New app user</strong> and add the app by its ID.
              </p>
              <CopyValue label="Client ID" value={draft.client_id} />
            </li>
            <li>
              Give it a security role that reads Accounts, Contacts, Leads, Opportunities and Users
              at <strong>Organization</strong> level. System Administrator is more than it needs.
            </li>
          </Instructions>
        ) : (
          <section className="aside-box">
            <h2>What you will see</h2>
            <ol className="numbered">
              <li>Microsoft's own page, with the account that your browser knows</li>
              <li>
                Once, the question whether <strong>{setup.guide.app_name}</strong> may access
                Dynamics 365 as you
              </li>
              <li>A page that says you can come back here</li>
            </ol>
          </section>
        )}
        <section className="aside-box">
          <h2>This connection</h2>
          <dl className="facts">
            <dt>Environment</dt>
            <dd>{draft.environment}</dd>
            <dt>Client ID</dt>
            <dd>{draft.client_id}</dd>
            <dt>Comes back to</dt>
            <dd>{setup.guide.redirect_uri}</dd>
          </dl>
        </section>
      </aside>
    </div>
  );
}
