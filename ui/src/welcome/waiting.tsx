import type { SignIn } from "../bridge/generated";
import { Mark } from "../parts/mark";
import { Waiting } from "../setup/waiting";

/** While somebody signs in again to a connection that is there. */
export function WaitingPage({ signIn }: { signIn: SignIn }) {
  return (
    <main className="welcome waiting">
      <Mark size={28} />
      <h1>Finish signing in in your browser</h1>
      <p className="welcome-lead">
        Microsoft's sign-in page was opened there. Nothing of what is mirrored is touched.
      </p>
      <Waiting signIn={signIn} />
    </main>
  );
}
