import { Button, Radio, RadioGroup, Spinner } from "@fluentui/react-components";
import { Beaker20Regular } from "@fluentui/react-icons";
import { useState } from "react";
import { commands, type ErrorReply } from "../bridge/generated";
import { asError } from "../bridge/store";
import { hostOf } from "../parts/environment";
import { ErrorText } from "../parts/error-text";
import { begin } from "../shell/actions";
import { StepHead, TextInput } from "./parts";
import { TenantFound, useTenant } from "./tenant";
import type { SetupControl } from "./use-setup";

/** Which cloud, whose tenant. */
export function ChooseStep({ control }: { control: SetupControl }) {
  const { setup, draft } = control;
  const tenant = useTenant(control);
  const example = setup.clouds.find((cloud) => cloud.id === draft.cloud)?.example;
  return (
    <div className="step">
      <div className="step-fields">
        <StepHead
          number={1}
          title="Where is your Dynamics 365?"
          lead="The address that Dynamics 365 has in your browser tells the cloud. Most organisations are in the commercial one."
        />
        <fieldset className="choices">
          <legend>Cloud</legend>
          <RadioGroup
            value={draft.cloud}
            onChange={(_, data) => void control.save({ cloud: data.value })}
          >
            {[...setup.clouds]
              .sort((one) => (one.id === "commercial" ? -1 : 0))
              .map((cloud) => (
                <Radio
                  key={cloud.id}
                  value={cloud.id}
                  data-testid={`cloud-${cloud.id}`}
                  label={
                    <>
                      {cloud.name} <span className="choice-note">{hostOf(cloud.example)}</span>
                    </>
                  }
                />
              ))}
            <Radio
              value="own"
              data-testid="cloud-own"
              label={
                <>
                  Another address{" "}
                  <span className="choice-note">such as a simulated organisation for training</span>
                </>
              }
            />
          </RadioGroup>
        </fieldset>
        {draft.cloud === "own" ? (
          <>
            <TextInput
              control={control}
              field="authority"
              label="Sign-in service"
              hint="Its address. Plain http works on this computer only."
              placeholder="https://login.contoso.example/"
            />
            <TextInput
              control={control}
              field="discovery"
              label="Discovery service (optional)"
              hint="It lists your environments. Without it you type the environment's address."
            />
          </>
        ) : null}
        <TextInput
          control={control}
          field="tenant"
          label="Directory (tenant), by domain or ID"
          placeholder="contoso.onmicrosoft.com"
          hint="Leave it empty for any: the environment says which tenant it belongs to."
          good={
            tenant.data ? (
              <TenantFound tenant={tenant.data} />
            ) : tenant.isLoading ? (
              <Spinner size="extra-tiny" label="Looking it up" />
            ) : undefined
          }
          bad={tenant.error ? <ErrorText error={asError(tenant.error)} /> : undefined}
        />
      </div>
      <aside className="step-aside">
        <SampleWay />
        {example ? (
          <section className="aside-box">
            <h2>How to tell the cloud</h2>
            <p>
              Open Dynamics 365 Sales in the browser and look at the address. Here it looks like{" "}
              <code>{hostOf(example)}</code>
              {draft.cloud === "commercial" ? ", or with a number, as crm4" : ""}.
            </p>
          </section>
        ) : null}
      </aside>
    </div>
  );
}

/** The way in for those who only want to look. */
function SampleWay() {
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
    <section className="aside-box">
      <h2>Only want to look?</h2>
      <p>
        A simulated organisation with 20,000 records runs on this computer. No account, and what you
        entered here stays.
      </p>
      {error ? <ErrorText error={error} /> : null}
      <Button
        type="button"
        icon={<Beaker20Regular />}
        disabled={starting}
        onClick={() => void explore()}
        data-testid="setup-sample"
      >
        {starting ? "Starting the sample" : "Explore the sample"}
      </Button>
    </section>
  );
}
