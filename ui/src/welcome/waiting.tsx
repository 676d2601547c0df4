import { Button, Field, Spinner } from "@fluentui/react-components";
import { Copy20Regular } from "@fluentui/react-icons";
import { useState } from "react";
import { commands, type SignIn } from "../bridge/generated";
import { formatCountdown } from "../format";
import { copyText } from "../parts/clipboard";
import { Mark } from "../parts/mark";
import { useNotices } from "../parts/notices";
import { useNow } from "../parts/now";

/** While somebody signs in through the browser. */
export function WaitingPage({ signIn }: { signIn: SignIn }) {
  const { attempt } = useNotices();
  const [copied, setCopied] = useState(false);
  const now = useNow(true);
  return (
    <main className="welcome waiting" data-testid="signin-wait">
      <Mark size={28} />
      <h1>Finish signing in in your browser</h1>
      <p className="welcome-lead">
        Microsoft's sign-in page was opened there. Sign in and accept the permissions; then come
        back here.
      </p>
      <p className="waiting-now">
        <Spinner size="tiny" />
        Waiting for the browser,{" "}
        <strong>{formatCountdown((signIn.expires_at - now) / 1_000)}</strong> left
      </p>
      <Field
        label="No page opened?"
        hint={`Copy this address into any browser on this computer. It comes back to ${signIn.redirect_uri}.`}
        className="waiting-address"
      >
        <div className="address-row">
          <input
            className="address"
            readOnly
            value={signIn.authorization_url}
            data-testid="signin-address"
            onFocus={(event) => event.currentTarget.select()}
          />
          <Button
            icon={<Copy20Regular />}
            onClick={() => void copyText(signIn.authorization_url).then(setCopied)}
          >
            {copied ? "Copied" : "Copy"}
          </Button>
        </div>
      </Field>
      <Button
        onClick={() => void attempt(() => commands.cancelSignIn())}
        data-testid="signin-cancel"
      >
        Cancel
      </Button>
    </main>
  );
}
