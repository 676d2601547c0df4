import { Button, Spinner } from "@fluentui/react-components";
import { ClipboardTextLtr20Regular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { commands } from "../bridge/generated";
import { asError } from "../bridge/store";
import { CopyButton } from "../parts/copy-button";
import { ErrorText } from "../parts/error-text";
import { LogLevel } from "./network";
import { Row } from "./row";

/** What somebody who helps needs: shown before it is copied. */
export function Diagnostics() {
  const [isShown, setShown] = useState(false);
  const { data, error, isFetching, refetch } = useQuery({
    queryKey: ["diagnostics"],
    queryFn: () => commands.diagnostics(),
    enabled: isShown,
  });
  return (
    <>
      <LogLevel />
      <Row
        icon={<ClipboardTextLtr20Regular />}
        title="Diagnostics"
        text="Versions, checks, runs and the end of the log. No secrets, no records, no names of people"
      >
        <Button
          onClick={() => {
            setShown(true);
            if (isShown) void refetch();
          }}
          data-testid="diagnostics-show"
        >
          {data ? "Gather again" : "Show diagnostics"}
        </Button>
      </Row>
      {isFetching ? <Spinner size="tiny" label="Gathering, up to 20 s without a network" /> : null}
      {error ? <ErrorText error={asError(error)} /> : null}
      {data ? (
        <section className="diagnostics">
          <div className="script-head">
            <h3>Read it before you hand it on</h3>
            <CopyButton text={data} label="diagnostics" testId="diagnostics-copy" />
          </div>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
          <pre tabIndex={0} data-testid="diagnostics">
            {data}
          </pre>
        </section>
      ) : null}
    </>
  );
}
