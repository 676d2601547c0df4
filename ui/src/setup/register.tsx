import { Radio, RadioGroup } from "@fluentui/react-components";
import type { SetupWay } from "../bridge/generated";
import { CopyButton } from "../parts/copy-button";
import { CopyValue, Instructions, OpenPage, StepHead } from "./parts";
import { RegistrationSchematic } from "./schematic";
import type { SetupControl } from "./use-setup";

const CLOUD_SHELL = "https://shell.azure.com/bash";

/** Three ways to an app registration, and that there is one. */
export function RegisterStep({ control }: { control: SetupControl }) {
  const { draft, setup } = control;
  const { guide } = setup;
  const isScript = draft.way === "azure_cli" || draft.way === "powershell";
  return (
    <div className="step">
      <div className="step-fields">
        <StepHead
          number={2}
          title="Register Salesmirror in your tenant"
          lead="An app registration lets Salesmirror sign you in. Whoever makes it needs the role Application Developer, or a tenant where users may register apps."
        />
        <fieldset className="choices">
          <legend>How</legend>
          <RadioGroup
            value={draft.way}
            onChange={(_, data) => void control.save({ way: data.value as SetupWay })}
          >
            <Radio
              value="portal"
              data-testid="way-portal"
              label={
                <>
                  In the portal, step by step <span className="choice-note">about 5 minutes</span>
                </>
              }
            />
            <Radio
              value="azure_cli"
              data-testid="way-azure_cli"
              label={
                <>
                  With a script for the Azure CLI{" "}
                  <span className="choice-note">runs in Azure Cloud Shell, does steps 2 to 5</span>
                </>
              }
            />
            <Radio
              value="powershell"
              data-testid="way-powershell"
              label={
                <>
                  With a script for PowerShell{" "}
                  <span className="choice-note">
                    needs the module Microsoft.Graph.Authentication
                  </span>
                </>
              }
            />
            <Radio value="exists" data-testid="way-exists" label="An app exists already" />
          </RadioGroup>
        </fieldset>
        {draft.way === "portal" ? (
          <Instructions title="In the portal">
            <li>
              <p>
                Open the page <strong>Register an application</strong>.
              </p>
              <OpenPage url={guide.new_registration} testId="open-new_registration">
                Open Register an application
              </OpenPage>
            </li>
            <li>
              <p>Enter the name.</p>
              <CopyValue label="Name" value={guide.app_name} />
            </li>
            <li>
              Supported account types:{" "}
              <strong>Accounts in this organizational directory only (Single tenant)</strong>.
            </li>
            <li>
              <p>
                Redirect URI: choose the platform{" "}
                <strong>
                  {draft.public_client ? "Public client/native (mobile & desktop)" : "Web"}
                </strong>{" "}
                and paste the address.
              </p>
              <CopyValue label="Redirect URI" value={guide.redirect_uri} />
            </li>
            <li>
              Choose <strong>Register</strong>. The page that opens shows the IDs for step 5.
            </li>
          </Instructions>
        ) : null}
        {isScript ? (
          <section className="script">
            <div className="script-head">
              <h2>{draft.way === "azure_cli" ? "Script for Bash" : "Script for PowerShell"}</h2>
              <CopyButton text={guide.script} label="the script" testId="copy-script" />
            </div>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
            <pre tabIndex={0} data-testid="script">
              {guide.script}
            </pre>
            <p className="caption">
              Read it before you run it. It registers the app with everything that steps 3 to 5 ask
              for, and prints the values for step 5 at its end. It keeps nothing.
            </p>
            {draft.way === "azure_cli" && draft.cloud === "commercial" ? (
              <OpenPage url={CLOUD_SHELL}>Open Azure Cloud Shell</OpenPage>
            ) : null}
          </section>
        ) : null}
        {draft.way === "exists" ? (
          <Instructions title="What it must have">
            <li>
              <p>Its redirect URI. The next step says where.</p>
              <CopyValue label="Redirect URI" value={guide.redirect_uri} />
            </li>
            <li>
              The delegated permission <strong>Dynamics CRM, user_impersonation</strong>.
            </li>
            <li>
              {draft.public_client
                ? "Allow public client flows set to Yes."
                : "A client secret whose value you have: the portal shows it only right after it is made."}
            </li>
            <li>
              <p>Look it up in the list of registrations.</p>
              <OpenPage url={guide.registrations}>Open App registrations</OpenPage>
            </li>
          </Instructions>
        ) : null}
      </div>
      <aside className="step-aside">
        {draft.way === "portal" ? <RegistrationSchematic isPublic={draft.public_client} /> : null}
        <section className="aside-box">
          <h2>{draft.public_client ? "Without a secret" : "With a secret"}</h2>
          <p>
            {draft.public_client
              ? "You chose the platform Mobile and desktop. Step 3 has the choice."
              : "Most organisations use the platform Web, with a secret. Step 3 has the other choice."}
          </p>
        </section>
        <section className="aside-box">
          <h2>Not allowed to register apps?</h2>
          <p>
            Send this page's values to somebody who is, such as the Application Administrator. You
            can close Salesmirror meanwhile and go on later.
          </p>
        </section>
      </aside>
    </div>
  );
}
