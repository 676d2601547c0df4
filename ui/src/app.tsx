import { Button, FluentProvider, Spinner } from "@fluentui/react-components";
import { Suspense, useEffect } from "react";
import type { AppState } from "./bridge/generated";
import { reload, useBridge } from "./bridge/store";
import { forgetAllBut } from "./console/store";
import { ErrorText } from "./parts/error-text";
import { latePage, useAhead } from "./parts/late-page";
import { Mark } from "./parts/mark";
import { NoticesProvider } from "./parts/notices";
import { usePlace } from "./place";
import { Shell } from "./shell/shell";
import { darkTheme, lightTheme, useIsDark } from "./theme";
import { WaitingPage } from "./welcome/waiting";
import { WelcomePage } from "./welcome/welcome";

// Needed once: the window is drawn without its code.
const setup = latePage(() => import("./setup/setup"));
const LATER = [setup];

export function App() {
  const app = useBridge((state) => state.app);
  const isDark = useIsDark(app?.theme ?? "system");
  useAhead(LATER);
  useEffect(() => {
    // Native controls, scroll bars and the page behind follow.
    document.documentElement.style.colorScheme = isDark ? "dark" : "light";
  }, [isDark]);
  const connections = app?.connections;
  useEffect(() => {
    if (connections) forgetAllBut(connections.map(({ id }) => id));
  }, [connections]);
  useEffect(() => {
    const back = (event: KeyboardEvent) => {
      if (event.altKey && event.key === "ArrowLeft") window.history.back();
    };
    window.addEventListener("keydown", back);
    return () => window.removeEventListener("keydown", back);
  }, []);
  return (
    // Only variables belong on this class: the provider copies it onto every portal.
    <FluentProvider
      theme={isDark ? darkTheme : lightTheme}
      className={isDark ? "theme-dark" : "theme-light"}
    >
      <NoticesProvider>{app ? <Page app={app} /> : <Starting />}</NoticesProvider>
    </FluentProvider>
  );
}

function Page({ app }: { app: AppState }) {
  const place = usePlace();
  const signIn = useBridge((state) => state.signIn);
  if (app.problem) return <ClosedPage app={app} problem={app.problem} />;
  if (place.page === "connect") {
    return (
      <Suspense fallback={null}>
        <setup.Page app={app} signIn={signIn} />
      </Suspense>
    );
  }
  if (signIn) return <WaitingPage signIn={signIn} />;
  const wanted = place.connection;
  const connection = app.connections.find((known) => known.id === wanted) ?? app.connections[0];
  if (!connection) return <WelcomePage setup={app.setup} />;
  return <Shell app={app} connection={connection} place={place} />;
}

function Starting() {
  return (
    <main className="page-centre">
      <Spinner size="tiny" label="Opening the mirror" />
    </main>
  );
}

/** Nothing can be opened, mostly because the keychain is locked. */
function ClosedPage({
  app,
  problem,
}: {
  app: AppState;
  problem: NonNullable<AppState["problem"]>;
}) {
  return (
    <main className="welcome" data-testid="closed">
      <Mark size={28} />
      <h1>Your data cannot be opened</h1>
      <ErrorText error={problem} />
      <p className="caption">
        Nothing is lost. The data is in {app.data_dir || "its folder"}, encrypted; its keys are in
        the system keychain.
      </p>
      <Button appearance="primary" onClick={() => void reload()} data-testid="open-again">
        Try again
      </Button>
    </main>
  );
}
