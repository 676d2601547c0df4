import { Field, Input, Radio, RadioGroup } from "@fluentui/react-components";
import { CopyValue, Instructions, OpenPage, StepHead } from "./parts";
import { RedirectSchematic } from "./schematic";
import type { SetupControl } from "./use-setup";

/** The platform and the address that the browser comes back to. */
export function RedirectStep({ control }: { control: SetupControl }) {
  const { draft, setup } = control;
  const { guide } = setup;
  return (
    <div className="step">
      <div className="step-fields">
        <StepHead
          number={3}
          title="Add the redirect URI"
          lead="After you sign in, Microsoft sends the browser to this address on your own computer, where Salesmirror waits."
        />
        <fieldset className="choices">
          <legend>Platform</legend>
          <RadioGroup
            value={draft.public_client ? "public" : "web"}
            onChange={(_, data) =>
              void control.save({
                public_client: data.value === "public",
                ...(data.value === "public" ? { unattended: false } : {}),
              })
            }
          >
            <Radio
              value="web"
              data-testid="platform-web"
              label={
                <>
                  Web, with a client secret{" "}
                  <span className="choice-note">the usual one; can also run unattended</span>
                </>
              }
            />
            <Radio
              value="public"
              data-testid="platform-public"
              label={
                <>
                  Mobile and desktop, without a secret{" "}
                  <span className="choice-note">nothing that expires</span>
                </>
              }
            />
          </RadioGroup>
        </fieldset>
        <Instructions title="In the portal">
          <li>
            <p>
              Open the app's <strong>Authentication</strong> page.
            </p>
            <OpenPage url={guide.authentication} testId="open-authentication">
              {draft.client_id ? "Open Authentication" : "Open App registrations"}
            </OpenPage>
          </li>
          <li>
            <p>
              Under{" "}
              <strong>{draft.public_client ? "Mobile and desktop applications" : "Web"}</strong>,
              add exactly this address.
            </p>
            <CopyValue label="Redirect URI" value={guide.redirect_uri} />
          </li>
          {draft.public_client ? (
            <li>
              Set <strong>Allow public client flows</strong> to <strong>Yes</strong>, and save.
            </li>
          ) : null}
        </Instructions>
        <Field
          label="Fixed port (optional)"
          hint="Microsoft ignores the port of localhost, so any free one is used. Fix it where a firewall rule needs one."
        >
          <Input
            className="short-input"
            value={draft.redirect_port?.toString() ?? ""}
            inputMode="numeric"
            autoComplete="off"
            onChange={(_, data) => {
              if (isPort(data.value)) control.change({ redirect_port: portOf(data.value) });
            }}
            input={{ "data-testid": "setup-redirect_port" } as object}
          />
        </Field>
      </div>
      <aside className="step-aside">
        <RedirectSchematic isPublic={draft.public_client} uri={guide.redirect_uri} />
        <section className="aside-box">
          <h2>Where it goes wrong</h2>
          <ul className="plain-list">
            <li>The platform Single-page application refuses desktop apps.</li>
            <li>
              The path counts: <code>/oauth/callback</code>, without a slash at the end.
            </li>
            <li>
              It is <code>localhost</code>, which the portal takes with http. It refuses{" "}
              <code>127.0.0.1</code>.
            </li>
          </ul>
        </section>
      </aside>
    </div>
  );
}

/** Whether a text is a port, or nothing: other keys leave the field as it is. */
export function isPort(text: string): boolean {
  return text === "" || (/^\d+$/.test(text) && portOf(text) !== null);
}

export function portOf(text: string): number | null {
  const port = Number.parseInt(text, 10);
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : null;
}
