import { Button, Field, Input, Spinner } from "@fluentui/react-components";
import { Copy20Regular } from "@fluentui/react-icons";
import { useState } from "react";
import { commands, type ErrorReply, type SignIn } from "../bridge/generated";
import { formatCountdown } from "../format";
import { copyText } from "../parts/clipboard";
import { ErrorText } from "../parts/error-text";
import { useNotices } from "../parts/notices";
import { useNow } from "../parts/now";

/** While somebody signs in through the browser. */
export function Waiting({ signIn }: { signIn: SignIn }) {
  const { attempt } = useNotices();
  const [copied, setCopied] = useState(false);
  const now = useNow(true);
  return (
    <section className="waiting-box" data-testid="signin-wait" aria-label="Waiting for the browser">
      <p className="waiting-now">
        <Spinner size="tiny" role="presentation" aria-hidden />
        <span>
          Waiting for the browser,{" "}
          <strong>{formatCountdown((signIn.expires_at - now) / 1_000)}</strong> left. Sign in there
          and accept the permissions, then come back.
        </span>
        <Button
          type="button"
          onClick={() => void attempt(() => commands.cancel("sign_in"))}
          data-testid="signin-cancel"
        >
          Cancel
        </Button>
      </p>
      <Field
        label="No page opened?"
        hint={`Copy this address into any browser on this computer. It comes back to ${signIn.redirect_uri}.`}
      >
        <div className="address-row">
          <input
            className="address"
            readOnly
            aria-label="Sign-in address"
            value={signIn.authorization_url}
            data-testid="signin-address"
            onFocus={(event) => event.currentTarget.select()}
          />
          <Button
            type="button"
            icon={<Copy20Regular />}
            onClick={() => void copyText(signIn.authorization_url).then(setCopied)}
          >
            {copied ? "Copied" : "Copy"}
          </Button>
        </div>
      </Field>
      <BrowserError />
    </section>
  );
}

/** Some refusals Microsoft shows in the browser only: their number leads to the same table. */
export function BrowserError() {
  const [number, setNumber] = useState("");
  const [found, setFound] = useState<ErrorReply | null | undefined>(undefined);
  const look = async (text: string) => {
    setNumber(text);
    if (!/\d{5}/.test(text)) {
      setFound(undefined);
      return;
    }
    const match = /AADSTS\d+/i.exec(text)?.[0] ?? text;
    setFound(await commands.explainError(match));
  };
  return (
    <>
      <Field
        label="The page shows an error?"
        hint="Enter its number, such as AADSTS50011, or paste the whole text."
      >
        <Input
          className="short-input"
          value={number}
          placeholder="AADSTS"
          autoComplete="off"
          spellCheck={false}
          onChange={(_, data) => void look(data.value)}
          input={{ "data-testid": "browser-error" } as object}
        />
      </Field>
      {found ? (
        <div
          className="banner banner-error"
          data-testid="browser-error-found"
          data-code={found.code}
        >
          <ErrorText error={found} />
        </div>
      ) : null}
      {found === null ? (
        <p className="caption">
          This number is not in Salesmirror's table. Microsoft's own page on error codes explains
          it.
        </p>
      ) : null}
    </>
  );
}
