import { Link } from "@fluentui/react-components";
import { useState } from "react";
import { commands } from "../bridge/generated";
import { copyText } from "../parts/clipboard";
import { useNotices } from "../parts/notices";

const PORTAL =
  "https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationsListBlade";

/** Where the portal shows what the form asks for. */
export function WhereToFind({ isPublic, port }: { isPublic: boolean; port: number | null }) {
  const { attempt } = useNotices();
  const [copied, setCopied] = useState(false);
  const redirect = `http://localhost${port === null ? "" : `:${port}`}/oauth/callback`;
  return (
    <aside className="where">
      <h2>Where to find them</h2>
      <ol>
        <li>
          Open{" "}
          <Link
            as="button"
            type="button"
            onClick={() => void attempt(() => commands.openLink(PORTAL))}
          >
            App registrations
          </Link>{" "}
          and choose the app. <strong>Overview</strong> shows both IDs.
        </li>
        <li>
          Under <strong>Authentication</strong>, the platform{" "}
          <strong>{isPublic ? "Mobile and desktop applications" : "Web"}</strong> needs the redirect
          URI <code>{redirect}</code>{" "}
          <Link as="button" type="button" onClick={() => void copyText(redirect).then(setCopied)}>
            {copied ? "Copied" : "Copy"}
          </Link>
        </li>
        <li>
          Under <strong>API permissions</strong>, add <strong>Dynamics CRM</strong>, delegated,{" "}
          <code>user_impersonation</code>.
        </li>
        {isPublic ? (
          <li>
            Under <strong>Authentication</strong>, <strong>Allow public client flows</strong> is on.
          </li>
        ) : (
          <li>
            Under <strong>Certificates &amp; secrets</strong>, copy the <strong>Value</strong> of a
            new secret at once, not its Secret ID: the portal hides it when you leave the page.
          </li>
        )}
      </ol>
    </aside>
  );
}
