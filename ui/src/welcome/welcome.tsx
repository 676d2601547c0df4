import { Button } from "@fluentui/react-components";
import {
  Beaker24Regular,
  Checkmark16Regular,
  CloudLink24Regular,
  LockClosed16Regular,
} from "@fluentui/react-icons";
import { type ReactNode, useState } from "react";
import { commands, type ErrorReply, type Setup } from "../bridge/generated";
import { asError } from "../bridge/store";
import { ErrorText } from "../parts/error-text";
import { Mark } from "../parts/mark";
import { go } from "../place";
import { indexOf, STEPS } from "../setup/steps";
import { begin } from "../shell/actions";

export function WelcomePage({ setup }: { setup: Setup | null }) {
  const [starting, setStarting] = useState(false);
  const [error, setError] = useState<ErrorReply | null>(null);
  const explore = async () => {
    setStarting(true);
    setError(null);
    try {
      begin(await commands.exploreSample());
    } catch (reason) {
      setError(asError(reason));
    }
    setStarting(false);
  };
  return (
    <main className="welcome">
      <Mark size={28} />
      <h1>Your Dynamics 365 Sales data, on this computer</h1>
      <p className="welcome-lead">
        An encrypted copy of accounts, contacts, leads, opportunities and users, kept up to date.
        Browse, search and export it without waiting for the cloud.
      </p>
      {error ? (
        <div className="banner banner-error">
          <ErrorText error={error} />
        </div>
      ) : null}
      <div className="welcome-ways">
        <Way
          icon={<CloudLink24Regular />}
          title="Connect your organisation"
          text="Register an app in Azure with step-by-step help, then sign in with your browser."
          points={[
            "About 10 minutes, can be paused",
            "Needs an Application Developer or similar role",
            "Production and sandbox side by side",
          ]}
        >
          {setup ? <Begun setup={setup} /> : null}
          <Button
            appearance="primary"
            className="welcome-button"
            onClick={() => go({ page: "connect" })}
            data-testid="welcome-connect"
          >
            {setup ? "Continue" : "Connect"}
          </Button>
        </Way>
        <Way
          icon={<Beaker24Regular />}
          title="Explore a sample organisation"
          text="A complete simulated organisation that runs on this computer."
          points={[
            "Ready in seconds, no account",
            "20,000 records that change as you look",
            "Nothing leaves this computer",
          ]}
        >
          <Button
            className="welcome-button"
            disabled={starting}
            onClick={() => void explore()}
            data-testid="welcome-sample"
          >
            {starting ? "Starting the sample" : "Explore the sample"}
          </Button>
        </Way>
      </div>
      <footer className="welcome-footer">
        <LockClosed16Regular /> Encrypted, key in the system keychain
        <span>No telemetry</span>
      </footer>
    </main>
  );
}

/** Where the set-up that was begun stands. */
function Begun({ setup }: { setup: Setup }) {
  const place = indexOf(setup.draft.step);
  const name = setup.draft.name || setup.draft.environment;
  return (
    <p className="welcome-begun" data-testid="welcome-begun">
      You are at step {place + 1} of {STEPS.length}, {STEPS[place]?.title}
      {name ? `, of ${name}` : ""}.
    </p>
  );
}

function Way({
  icon,
  title,
  text,
  points,
  children,
}: {
  icon: ReactNode;
  title: string;
  text: string;
  points: string[];
  children: ReactNode;
}) {
  return (
    <section className="way">
      <span className="way-icon">{icon}</span>
      <h2>{title}</h2>
      <p>{text}</p>
      <ul>
        {points.map((point) => (
          <li key={point}>
            <Checkmark16Regular /> {point}
          </li>
        ))}
      </ul>
      {children}
    </section>
  );
}
