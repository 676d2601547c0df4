import { Button, Dropdown, Field, Input, Option } from "@fluentui/react-components";
import { DocumentBulletList20Regular, GlobeShield20Regular } from "@fluentui/react-icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import {
  type AppSettings,
  type AppSettingsChange,
  commands,
  type ErrorReply,
} from "../bridge/generated";
import { asError } from "../bridge/store";
import { ErrorText } from "../parts/error-text";
import { Row } from "./row";

const NO_CHANGE: AppSettingsChange = {
  proxy: null,
  proxy_user: null,
  proxy_password: null,
  log_level: null,
};
const KEY = ["app-settings"];

/** Settings of the whole product, and what changes them. */
export function useAppSettings() {
  const queries = useQueryClient();
  const [error, setError] = useState<ErrorReply | null>(null);
  const { data } = useQuery({ queryKey: KEY, queryFn: () => commands.appSettings() });
  const change = async (part: Partial<AppSettingsChange>) => {
    try {
      queries.setQueryData(KEY, await commands.setAppSettings({ ...NO_CHANGE, ...part }));
      setError(null);
      return true;
    } catch (reason) {
      setError(asError(reason));
      return false;
    }
  };
  return { settings: data, error, change };
}

type Way = "system" | "none" | "manual";
const WAYS: Record<Way, string> = {
  system: "As the system",
  none: "No proxy",
  manual: "A proxy at this address",
};

function wayOf(settings: AppSettings): Way {
  return settings.proxy === "system" || settings.proxy === "none" ? settings.proxy : "manual";
}

export function NetworkSettings() {
  const { settings, error, change } = useAppSettings();
  const [chosen, setChosen] = useState<Way | null>(null);
  if (!settings) return null;
  const way = chosen ?? wayOf(settings);
  const choose = (next: Way) => {
    setChosen(next);
    if (next !== "manual") void change({ proxy: next });
  };
  return (
    <>
      <Row
        icon={<GlobeShield20Regular />}
        title="Proxy"
        text="The way to Microsoft. This computer's own addresses never go through it"
      >
        <Dropdown
          className="settings-choice"
          aria-label="Proxy"
          value={WAYS[way]}
          selectedOptions={[way]}
          onOptionSelect={(_, { optionValue }) => choose((optionValue ?? way) as Way)}
          data-testid="proxy-way"
        >
          {Object.entries(WAYS).map(([value, word]) => (
            <Option key={value} value={value}>
              {word}
            </Option>
          ))}
        </Dropdown>
      </Row>
      {way === "manual" ? <ManualProxy settings={settings} change={change} /> : null}
      {error ? (
        <div className="banner banner-error settings-error" data-testid="network-error">
          <ErrorText error={error} />
        </div>
      ) : null}
    </>
  );
}

function ManualProxy({
  settings,
  change,
}: {
  settings: AppSettings;
  change: (part: Partial<AppSettingsChange>) => Promise<boolean>;
}) {
  const [address, setAddress] = useState(wayOf(settings) === "manual" ? settings.proxy : "");
  const [user, setUser] = useState(settings.proxy_user);
  const [password, setPassword] = useState("");
  const [isKept, setKept] = useState(false);
  const save = async () => {
    const done = await change({
      proxy: address,
      proxy_user: user,
      // Without a user a password has no meaning.
      proxy_password: user === "" ? "" : password || null,
    });
    setKept(done);
    // Once kept it is in the keychain, and nowhere in the page.
    if (done) setPassword("");
  };
  return (
    <form
      className="settings-form"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <Field label="Address" hint="Host and port, such as http://proxy.contoso.com:8080">
        <Input
          value={address}
          autoComplete="off"
          spellCheck={false}
          onChange={(_, data) => {
            setAddress(data.value);
            setKept(false);
          }}
          input={{ "data-testid": "proxy-address" } as object}
        />
      </Field>
      <Field label="User name (optional)">
        <Input
          value={user}
          autoComplete="off"
          spellCheck={false}
          onChange={(_, data) => {
            setUser(data.value);
            setKept(false);
          }}
          input={{ "data-testid": "proxy-user" } as object}
        />
      </Field>
      {user === "" ? null : (
        <Field
          label="Password"
          hint={
            settings.has_proxy_password
              ? "One is in the system keychain. Enter another to replace it."
              : "It goes to the system keychain."
          }
        >
          <Input
            type="password"
            value={password}
            autoComplete="off"
            onChange={(_, data) => {
              setPassword(data.value);
              setKept(false);
            }}
            input={{ "data-testid": "proxy-password" } as object}
          />
        </Field>
      )}
      <div className="button-row">
        <Button type="submit" appearance="primary" data-testid="proxy-save">
          Use this proxy
        </Button>
        {isKept ? <span className="caption settings-kept">Used from now on</span> : null}
      </div>
    </form>
  );
}

const LEVELS: Record<string, string> = {
  error: "Errors only",
  warn: "Errors and warnings",
  info: "What happens (usual)",
  debug: "Every detail",
};

export function LogLevel() {
  const { settings, change } = useAppSettings();
  if (!settings) return null;
  const level = settings.log_level;
  return (
    <Row
      icon={<DocumentBulletList20Regular />}
      title="Log"
      text="Kept for a week in the data folder. No records, no secrets, at any level"
    >
      <Dropdown
        className="settings-choice"
        aria-label="Log"
        value={LEVELS[level] ?? level}
        selectedOptions={[level]}
        onOptionSelect={(_, { optionValue }) => void change({ log_level: optionValue ?? level })}
        data-testid="log-level"
      >
        {Object.entries(LEVELS).map(([value, word]) => (
          <Option key={value} value={value}>
            {word}
          </Option>
        ))}
      </Dropdown>
    </Row>
  );
}
