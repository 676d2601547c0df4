import { Button } from "@fluentui/react-components";
import { ErrorCircle20Filled, Warning20Filled } from "@fluentui/react-icons";
import { useState } from "react";
import type { ErrorReply } from "../bridge/generated";
import { FixLink, Reference } from "../parts/error-text";

/** What happened to the connection without anybody's doing; nothing is asked for. */
export function NoticeBanner({ text }: { text: string }) {
  return (
    <div className="banner banner-warning" role="status" data-testid="notice">
      <Warning20Filled />
      <div className="banner-text">
        <p>{text}</p>
      </div>
    </div>
  );
}

/** What keeps the whole connection from syncing: what happened, what to do, one button that does it. */
export function ProblemBanner({
  problem,
  isSignedOut,
  onSignIn,
  onRetry,
}: {
  problem: ErrorReply;
  isSignedOut: boolean;
  onSignIn: () => void;
  onRetry: () => void;
}) {
  const [details, setDetails] = useState(false);
  return (
    <div
      className={`banner ${isSignedOut ? "banner-warning" : "banner-error"}`}
      role="alert"
      data-testid="banner"
    >
      {isSignedOut ? <Warning20Filled /> : <ErrorCircle20Filled />}
      <div className="banner-text">
        <p>
          {isSignedOut ? <strong>Sign in again to keep syncing. </strong> : null}
          {isSignedOut ? problem.message : <strong>{problem.message}</strong>}{" "}
          {isSignedOut ? "Nothing is lost." : problem.hint} <FixLink error={problem} />
        </p>
        {details ? <Reference error={problem} /> : null}
      </div>
      {problem.reference && !details ? (
        <Button appearance="transparent" onClick={() => setDetails(true)}>
          Details
        </Button>
      ) : null}
      {isSignedOut ? (
        <Button appearance="primary" onClick={onSignIn} data-testid="banner-sign-in">
          Sign in
        </Button>
      ) : (
        <Button onClick={onRetry}>Try again</Button>
      )}
    </div>
  );
}
