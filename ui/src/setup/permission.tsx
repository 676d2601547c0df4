import { CopyButton } from "../parts/copy-button";
import { CopyValue, Instructions, OpenLink, OpenPage, StepHead } from "./parts";
import { PermissionSchematic } from "./schematic";
import type { SetupControl } from "./use-setup";

const DYNAMICS_CRM = "00000007-0000-0000-c000-000000000000";

/** What the app may do, and who has to agree. */
export function PermissionStep({ control }: { control: SetupControl }) {
  const { draft, setup } = control;
  const { guide } = setup;
  return (
    <div className="step">
      <div className="step-fields">
        <StepHead
          number={4}
          title="Give it one permission"
          lead="Salesmirror acts as the person who signs in, and sees what that person's security roles allow. It needs no other permission."
        />
        <Instructions title="In the portal">
          <li>
            <p>
              Open the app's <strong>API permissions</strong> page and choose{" "}
              <strong>Add a permission</strong>.
            </p>
            <OpenPage url={guide.permissions} testId="open-permissions">
              {draft.client_id ? "Open API permissions" : "Open App registrations"}
            </OpenPage>
          </li>
          <li>
            <p>
              Under <strong>Microsoft APIs</strong> choose <strong>Dynamics CRM</strong>. If it is
              not listed, search <strong>APIs my organization uses</strong> for its ID.
            </p>
            <CopyValue label="Dynamics CRM" value={DYNAMICS_CRM} />
          </li>
          <li>
            <p>
              Choose <strong>Delegated permissions</strong>, tick this one, and add it.
            </p>
            <CopyValue label="Permission" value="user_impersonation" />
          </li>
          <li>
            Choose <strong>Grant admin consent</strong> if you may. Else each user is asked once at
            the first sign-in, where the tenant allows that.
          </li>
        </Instructions>
        <section className="instructions">
          <h2>If only an administrator may consent</h2>
          <p>
            {guide.admin_consent ? (
              <>
                Send this to one. They open the{" "}
                <OpenLink url={guide.admin_consent}>consent page</OpenLink> and accept.
              </>
            ) : (
              "The link to the consent page holds the client ID of step 5. Come back here once it is entered."
            )}
          </p>
          {guide.admin_consent ? (
            <div className="message-to-admin">
              <p data-testid="admin-message">{adminMessage(guide.app_name, guide.admin_consent)}</p>
              <CopyButton
                text={adminMessage(guide.app_name, guide.admin_consent)}
                label="the message"
              />
            </div>
          ) : null}
        </section>
      </div>
      <aside className="step-aside">
        <PermissionSchematic />
        <section className="aside-box">
          <h2>What it means</h2>
          <p>
            <strong>user_impersonation</strong> is delegated: without a user who signs in it opens
            nothing. Salesmirror reads; it changes nothing in Dynamics 365 by itself.
          </p>
        </section>
      </aside>
    </div>
  );
}

/** What to tell the administrator. */
export function adminMessage(app: string, link: string): string {
  return (
    `Please grant consent for the app "${app}" in our tenant. It asks for one delegated permission, ` +
    `Dynamics CRM user_impersonation: it reads Dynamics 365 as the person who is signed in. Open ${link} and accept.`
  );
}
