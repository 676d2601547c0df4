import { Button, Radio, RadioGroup, Spinner } from "@fluentui/react-components";
import { ListRegular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import {
  commands,
  type ErrorReply,
  type ListedEnvironment,
  type SignIn,
} from "../bridge/generated";
import { asError } from "../bridge/store";
import { ErrorText } from "../parts/error-text";
import { Good, OpenLink, StepHead, TextInput } from "./parts";
import { nameFrom } from "./steps";
import type { SetupControl } from "./use-setup";
import { Waiting } from "./waiting";

/** Which environment: typed, or chosen from those that Microsoft lists. */
export function EnvironmentStep({
  control,
  signIn,
}: {
  control: SetupControl;
  signIn: SignIn | null;
}) {
  const { draft, setup } = control;
  const [listed, setListed] = useState<ListedEnvironment[] | null>(null);
  const [error, setError] = useState<ErrorReply | null>(null);
  const [isBusy, setBusy] = useState(false);
  const kept = setup.draft;
  const found = useQuery({
    queryKey: ["environment", kept.environment, kept.tenant, kept.cloud, kept.authority],
    queryFn: () => commands.findEnvironment(),
    enabled: kept.environment.trim() !== "" && control.problem("environment") === null,
  });
  const list = async () => {
    setBusy(true);
    setError(null);
    try {
      setListed(await commands.setupEnvironments());
    } catch (reason) {
      const failure = asError(reason);
      if (failure.code !== "cancelled") setError(failure);
    }
    setBusy(false);
  };
  const choose = (environment: ListedEnvironment) =>
    void control.save({
      environment: environment.url,
      name: draft.name || environment.name,
    });
  const canList = draft.cloud !== "own" || draft.discovery.trim() !== "";
  return (
    <div className="step">
      <div className="step-fields">
        <StepHead
          number={6}
          title="Which environment?"
          lead="One connection mirrors one environment. Production and sandbox can be side by side, each with a connection of its own."
        />
        <TextInput
          control={control}
          field="environment"
          label="Environment URL"
          placeholder={setup.guide.example.replace(/\/$/, "")}
          hint="The address that Dynamics 365 opens at. What follows the host does not matter."
          good={
            found.data ? (
              <span data-testid="environment-found">
                <Good>
                  Dynamics 365 answers at {found.data.url.replace(/^https?:\/\/|\/$/g, "")}. It
                  belongs to tenant {found.data.tenant} and signs in at {found.data.authority}
                </Good>
              </span>
            ) : found.isLoading ? (
              <Spinner size="extra-tiny" label="Asking it" />
            ) : undefined
          }
          bad={found.error ? <ErrorText error={asError(found.error)} /> : undefined}
        />
        <div className="name-field">
          <TextInput
            control={control}
            field="name"
            label="Name of the connection"
            hint="How it is called in Salesmirror, and on the command line."
            placeholder={nameFrom(draft.environment) || "Contoso production"}
          />
        </div>
        {signIn ? <Waiting signIn={signIn} /> : null}
        {listed === null ? null : (
          <Environments listed={listed} chosen={draft.environment} onChoose={choose} />
        )}
      </div>
      <aside className="step-aside">
        <section className="aside-box">
          <h2>Or pick it from a list</h2>
          <p>
            Microsoft's Global Discovery Service lists the environments of the user who signs in.
          </p>
          {error ? <ErrorText error={error} /> : null}
          <Button
            type="button"
            icon={<ListRegular />}
            disabled={isBusy || !canList}
            onClick={() => void list()}
            data-testid="list-environments"
          >
            {isBusy ? "Waiting for the sign-in" : listed ? "List them again" : "Sign in and list"}
          </Button>
          {canList ? null : (
            <p className="caption">Step 1 has no discovery service for this address.</p>
          )}
        </section>
        <section className="aside-box">
          <h2>Where to find it</h2>
          <p>
            The <OpenLink url={setup.guide.admin_center}>Power Platform admin center</OpenLink>{" "}
            shows each environment with its URL and its type.
          </p>
        </section>
      </aside>
    </div>
  );
}

function Environments({
  listed,
  chosen,
  onChoose,
}: {
  listed: ListedEnvironment[];
  chosen: string;
  onChoose: (environment: ListedEnvironment) => void;
}) {
  if (listed.length === 0) {
    return (
      <p className="banner banner-warning" data-testid="environments-empty">
        Microsoft lists no environment for this user. That happens with delegated administrators and
        with new users; type the address above instead.
      </p>
    );
  }
  return (
    <fieldset className="choices" data-testid="environments">
      <legend>Environments of this user</legend>
      <RadioGroup
        value={chosen}
        onChange={(_, data) => {
          const found = listed.find((environment) => environment.url === data.value);
          if (found) onChoose(found);
        }}
      >
        {listed.map((environment) => (
          <Radio
            key={environment.url}
            value={environment.url}
            disabled={!environment.enabled}
            data-testid="listed-environment"
            label={
              <>
                {environment.name}{" "}
                <span className="choice-note">
                  {environment.url.replace(/^https?:\/\/|\/$/g, "")}
                  {environment.enabled ? "" : ", disabled"}
                </span>
              </>
            }
          />
        ))}
      </RadioGroup>
      <p className="caption">Yours is missing? Type its address above. Lists can be short.</p>
    </fieldset>
  );
}
