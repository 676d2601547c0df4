/** The wizard: eight steps, a rail, and a strip at the bottom. Every step is kept as it is typed. */
import { Button, Link, Spinner } from "@fluentui/react-components";
import { ArrowLeft20Regular, Checkmark16Regular, Save20Regular } from "@fluentui/react-icons";
import { type FormEvent, useEffect, useRef, useState } from "react";
import {
  type AppState,
  commands,
  type ErrorReply,
  type Setup,
  type SetupStep,
  type SignIn,
} from "../bridge/generated";
import { asError, showSetup } from "../bridge/store";
import { AppDialog, DialogPage, LossFooter } from "../parts/app-dialog";
import { ErrorText } from "../parts/error-text";
import { Mark } from "../parts/mark";
import { useNotices } from "../parts/notices";
import { go } from "../place";
import { begin } from "../shell/actions";
import { CheckStep, useChecks } from "./check";
import { listed, partial, unreadable } from "./checks";
import { ChooseStep } from "./choose";
import { CredentialsStep } from "./credentials";
import { EnvironmentStep } from "./environment";
import { PermissionStep } from "./permission";
import { RedirectStep } from "./redirect";
import { RegisterStep } from "./register";
import { SignInStep } from "./sign-in";
import { canGo, caption, indexOf, nameFrom, obstacle, STEPS, stepAt, whatToFix } from "./steps";
import { type SetupControl, useSetup } from "./use-setup";

/** Goes on with the set-up that was begun, or begins one. */
export default function SetupPage({ app, signIn }: { app: AppState; signIn: SignIn | null }) {
  const [error, setError] = useState<ErrorReply | null>(null);
  // Once: when it ends while this page is still there, it is not begun again.
  const isBegun = useRef(app.setup !== null);
  useEffect(() => {
    if (isBegun.current) return;
    isBegun.current = true;
    commands
      .beginSetup()
      .then(showSetup)
      .catch((reason: unknown) => setError(asError(reason)));
  }, []);
  if (error) {
    return (
      <main className="welcome">
        <h1>The set-up cannot begin</h1>
        <ErrorText error={error} />
        <Button onClick={() => leave(app)}>Back</Button>
      </main>
    );
  }
  if (!app.setup) {
    return (
      <main className="page-centre">
        <Spinner size="tiny" label="Opening the set-up" />
      </main>
    );
  }
  return <Wizard app={app} setup={app.setup} signIn={signIn} />;
}

function leave(app: AppState) {
  go({ page: "home", connection: app.connections[0]?.id ?? null });
}

function Wizard({ app, setup, signIn }: { app: AppState; setup: Setup; signIn: SignIn | null }) {
  const control = useSetup(setup);
  const { step } = control.draft;
  const place = indexOf(step);
  const [isLeaving, setLeaving] = useState(false);
  const move = async (target: number, part: Parameters<SetupControl["save"]>[0] = {}) => {
    const next = stepAt(target);
    const reached = stepAt(Math.max(target, indexOf(control.draft.reached)));
    await control.save({ ...part, step: next, reached });
  };
  const next = async () => {
    // A name is as good as typed where one can be guessed.
    const name =
      step === "environment" && control.draft.name.trim() === ""
        ? { name: nameFrom(control.draft.environment) }
        : {};
    const kept = await control.save(name);
    if (!kept) return;
    if (obstacle(kept, step) === null) await move(place + 1);
    else control.tryNext();
  };
  const saveAndClose = async () => {
    if (await control.save()) leave(app);
  };
  const frame = { control, place, onMove: move, onClose: saveAndClose, signIn };
  return (
    <div className="wizard">
      <Rail
        setup={setup}
        current={step}
        isLocked={signIn !== null}
        onGo={(target) => void move(indexOf(target))}
        onDiscard={() => setLeaving(true)}
      />
      {step === "check" ? <CheckPage {...frame} /> : <StepPage {...frame} onNext={next} />}
      {isLeaving ? (
        <DiscardDialog
          hasSecret={setup.draft.has_secret}
          onClose={() => setLeaving(false)}
          app={app}
        />
      ) : null}
    </div>
  );
}

interface Frame {
  control: SetupControl;
  place: number;
  onMove: (target: number) => Promise<void>;
  onClose: () => Promise<void>;
  signIn: SignIn | null;
}

function StepPage({
  control,
  place,
  onMove,
  onClose,
  onNext,
  signIn,
}: Frame & { onNext: () => Promise<void> }) {
  const { setup, draft } = control;
  const { step } = draft;
  const fix = whatToFix(setup, step);
  const isWaiting = signIn !== null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void onNext();
  };
  return (
    <form className="wizard-page" onSubmit={submit} noValidate data-testid={`step-${step}`}>
      <main className="wizard-scroll" key={step}>
        {control.error ? (
          <div className="banner banner-error">
            <ErrorText error={control.error} />
          </div>
        ) : null}
        {step === "choose" ? <ChooseStep control={control} /> : null}
        {step === "register" ? <RegisterStep control={control} /> : null}
        {step === "redirect" ? <RedirectStep control={control} /> : null}
        {step === "permission" ? <PermissionStep control={control} /> : null}
        {step === "credentials" ? <CredentialsStep control={control} /> : null}
        {step === "environment" ? <EnvironmentStep control={control} signIn={signIn} /> : null}
        {step === "sign_in" ? (
          <SignInStep control={control} signIn={signIn} onSignedIn={() => void onMove(place + 1)} />
        ) : null}
      </main>
      <footer className="wizard-footer">
        {place > 0 ? (
          <Button
            type="button"
            icon={<ArrowLeft20Regular />}
            disabled={isWaiting}
            onClick={() => void onMove(place - 1)}
            data-testid="setup-back"
          >
            Back
          </Button>
        ) : null}
        <span className="spring" />
        {fix && step !== "sign_in" ? <span className="wizard-fix">{fix}</span> : null}
        <Button
          type="button"
          disabled={isWaiting}
          onClick={() => void onClose()}
          data-testid="setup-close"
        >
          Save and close
        </Button>
        <Button
          type="submit"
          appearance={step === "sign_in" && !draft.signed_in ? "secondary" : "primary"}
          disabled={isWaiting || (step === "sign_in" && !draft.signed_in)}
          data-testid="setup-next"
        >
          Next
        </Button>
      </footer>
    </form>
  );
}

function CheckPage({ control, place, onMove, onClose }: Frame) {
  const { attempt } = useNotices();
  const { checks, error, isRunning, run } = useChecks();
  const [isStarting, setStarting] = useState(false);
  const found = checks?.checks ?? [];
  const without = unreadable(found);
  const inPart = partial(found);
  const left = found.filter((check) => check.table && check.name.startsWith("Read ")).length;
  const start = async (leftOut: string[]) => {
    setStarting(true);
    const done = await attempt(async () => begin(await commands.finishSetup(leftOut)));
    if (!done) setStarting(false);
  };
  const canStart = !isRunning && error === null && !isStarting;
  const leaveOut = without.length > 0 ? without : inPart;
  return (
    <div className="wizard-page" data-testid="step-check">
      <main className="wizard-scroll">
        {control.error ? <ErrorText error={control.error} /> : null}
        <CheckStep checks={checks} error={error} isRunning={isRunning} onAgain={() => void run()} />
      </main>
      <footer className="wizard-footer">
        <Button
          type="button"
          icon={<ArrowLeft20Regular />}
          onClick={() => void onMove(place - 1)}
          data-testid="setup-back"
        >
          Back
        </Button>
        <span className="spring" />
        <Button type="button" onClick={() => void onClose()} data-testid="setup-close">
          Save and close
        </Button>
        {leaveOut.length > 0 && leaveOut.length < left ? (
          <Button
            type="button"
            disabled={!canStart}
            onClick={() => void start(leaveOut)}
            data-testid="start-without"
          >
            Start without {listed(leaveOut)}
          </Button>
        ) : null}
        <Button
          type="button"
          appearance="primary"
          disabled={!canStart || without.length > 0}
          onClick={() => void start([])}
          data-testid="start-first-sync"
        >
          Start first sync
        </Button>
      </footer>
    </div>
  );
}

function Rail({
  setup,
  current,
  isLocked,
  onGo,
  onDiscard,
}: {
  setup: Setup;
  current: SetupStep;
  isLocked: boolean;
  onGo: (step: SetupStep) => void;
  onDiscard: () => void;
}) {
  const reached = indexOf(setup.draft.reached);
  return (
    <nav className="wizard-rail" aria-label="Steps">
      <span className="brand">
        <Mark size={18} />
        <span className="brand-name">Salesmirror</span>
      </span>
      <p className="rail-title">Connect your organisation</p>
      <ol className="rail-steps">
        {STEPS.map(({ step, title }, place) => {
          const isCurrent = step === current;
          const isDone = !isCurrent && place < reached && obstacle(setup, step) === null;
          const said = place <= reached && !isCurrent ? caption(setup, step) : "";
          return (
            <li key={step} className={`rail-step${isDone ? " rail-done" : ""}`}>
              <button
                type="button"
                aria-current={isCurrent ? "step" : undefined}
                disabled={isLocked || (!isCurrent && !canGo(setup, step))}
                onClick={() => onGo(step)}
                data-testid={`rail-${step}`}
              >
                <span className="rail-number" aria-hidden="true">
                  {isDone ? <Checkmark16Regular /> : place + 1}
                </span>
                <span className="rail-text">
                  <span className="rail-name">{title}</span>
                  {said ? (
                    <span className="rail-caption" title={said}>
                      {said}
                    </span>
                  ) : null}
                </span>
              </button>
            </li>
          );
        })}
      </ol>
      <div className="rail-foot">
        <Save20Regular aria-hidden="true" />
        <p>
          Every step is saved. You can close the app and carry on later, or{" "}
          <Link
            as="button"
            type="button"
            inline
            disabled={isLocked}
            onClick={onDiscard}
            data-testid="setup-discard"
          >
            discard it
          </Link>
          .
        </p>
      </div>
    </nav>
  );
}

function DiscardDialog({
  hasSecret,
  onClose,
  app,
}: {
  hasSecret: boolean;
  onClose: () => void;
  app: AppState;
}) {
  const { attempt } = useNotices();
  const discard = async () => {
    if (await attempt(() => commands.discardSetup())) leave(app);
    onClose();
  };
  return (
    <AppDialog isOpen onClose={onClose} testId="discard-dialog">
      <DialogPage
        title="Discard this set-up?"
        footer={
          <LossFooter
            verb="Discard"
            keep="Keep it"
            onConfirm={() => void discard()}
            onKeep={onClose}
            confirmId="discard-confirm"
            keepId="discard-keep"
          />
        }
      >
        <p>
          What you entered is forgotten
          {hasSecret ? ", and the secret is taken out of the keychain" : ""}. The app registration
          in Azure stays as it is.
        </p>
      </DialogPage>
    </AppDialog>
  );
}
