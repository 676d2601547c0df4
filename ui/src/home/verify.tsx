import { Button, ProgressBar } from "@fluentui/react-components";
import { ShieldCheckmark16Regular } from "@fluentui/react-icons";
import { useCallback, useEffect, useRef, useState } from "react";
import { type Connection, commands, type Proof, type Table } from "../bridge/generated";
import { asError, clearProof, useBridge } from "../bridge/store";
import { formatCount, formatRecent, plural } from "../format";
import { AppDialog, DialogPage } from "../parts/app-dialog";
import { ErrorText } from "../parts/error-text";
import { StateIcon } from "../parts/state";

/** The code with which the mass-delete guard stops a repair. */
const GUARD = "mass_delete";

/** When all tables were last proved equal to the organisation's; a click proves it again. */
export function Verified({
  connection,
  onVerify,
}: {
  connection: Connection;
  onVerify: () => void;
}) {
  const times = connection.tables.map((table) => table.verified);
  const last = Math.max(...connection.tables.map((table) => table.last_sync ?? 0));
  const oldest = times.some((time) => time === null) ? null : Math.min(...times.map(Number));
  const text =
    oldest === null || times.length === 0
      ? "Verify now"
      : `Verified equal ${formatRecent(oldest, Date.now())}${last > oldest ? ", before the last sync" : ""}`;
  return (
    <button
      type="button"
      className="verified"
      title="Compare every row with Dynamics 365"
      disabled={!connection.signed_in}
      onClick={onVerify}
      data-testid="verify"
    >
      <ShieldCheckmark16Regular aria-hidden="true" /> {text}
    </button>
  );
}

/** Compares table by table while it is open, and offers the cheapest fix of what differs. */
export function VerifyDialog({
  connection,
  onClose,
}: {
  connection: Connection;
  onClose: () => void;
}) {
  // The tables as they were when it began.
  const [tables] = useState(connection.tables.filter((table) => table.state !== "new"));
  const { proofs, working, begin, stop } = useProofs(connection.id, tables);
  const close = () => {
    stop();
    onClose();
  };
  const differing = proofs.filter((proof) => !proof.equal && proof.error?.code !== GUARD);
  const repairable = differing.filter((proof) => proof.fix !== "none");
  const guarded = proofs.filter((proof) => proof.error?.code === GUARD);
  return (
    <AppDialog isOpen onClose={close} className="proof" testId="proof">
      <DialogPage
        title={titleOf(proofs, working, tables.length)}
        footer={
          <>
            <span className="spring" />
            <Button
              appearance={repairable.length > 0 ? "secondary" : "primary"}
              onClick={close}
              data-testid="proof-close"
            >
              {working ? "Stop" : "Close"}
            </Button>
            {!working && repairable.length > 0 ? (
              <Button
                appearance="primary"
                onClick={() => begin(repairable, { repair: true, remove: false })}
                data-testid="proof-repair"
              >
                Repair
              </Button>
            ) : null}
          </>
        }
      >
        <p>
          Every row's ID and version is compared with Dynamics 365, some 5,000 rows a request. Rows
          themselves are not read.
        </p>
        <table className="proof-tables">
          <thead className="offscreen">
            <tr>
              <th scope="col">Table</th>
              <th scope="col">Result</th>
            </tr>
          </thead>
          <tbody>
            {tables.map((table) => (
              <tr key={table.name} data-testid={`proof-${table.name}`}>
                <th scope="row">{table.label_plural}</th>
                <td>
                  <Result
                    table={table}
                    proof={proofs.find((found) => found.table === table.name)}
                    isWorking={working === table.name}
                  />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        {guarded.map((proof) => (
          <div key={proof.table} className="proof-guard" role="alert">
            <p>
              <strong>
                Mark {plural(proof.extra, "row", "rows")} of {labelOf(tables, proof.table)} as
                deleted?
              </strong>{" "}
              Dynamics 365 did not list them. Most likely the security role of the signed-in user
              changed. Nothing has been marked yet.
            </p>
            <Button
              appearance="transparent"
              className="danger-button"
              disabled={working !== null}
              onClick={() => begin([proof], { repair: true, remove: true })}
              data-testid={`proof-remove-${proof.table}`}
            >
              Mark as deleted
            </Button>
          </div>
        ))}
      </DialogPage>
    </AppDialog>
  );
}

function Result({
  table,
  proof,
  isWorking,
}: {
  table: Table;
  proof: Proof | undefined;
  isWorking: boolean;
}) {
  const progress = useBridge((state) => state.proof);
  if (isWorking) {
    const rows = progress?.table === table.name ? progress.rows : 0;
    return (
      <>
        <p className="state-line">
          Comparing
          <span className="spring" />
          <span className="state-figure">
            {formatCount(rows)} of {formatCount(Math.max(table.rows, rows))}
          </span>
        </p>
        <ProgressBar
          thickness="medium"
          value={rows / Math.max(1, table.rows, rows)}
          aria-label={`Comparison of ${table.label_plural}`}
        />
      </>
    );
  }
  if (!proof) return <p className="muted">Waits</p>;
  if (proof.error && proof.error.code !== GUARD) return <ErrorText error={proof.error} />;
  if (proof.equal) {
    return (
      <p className="state-line">
        <StateIcon state="in_sync" /> {proof.repaired ? "Repaired, equal" : "Equal"}
        <span className="spring" />
        <span className="state-figure">
          {plural(proof.rows, "row", "rows")}, {plural(proof.requests, "request", "requests")}
        </span>
      </p>
    );
  }
  return (
    <>
      <p className="state-line">
        <StateIcon state="stale" /> {differences(proof)}
      </p>
      <p className="state-detail">{FIXES[proof.fix]}</p>
    </>
  );
}

const FIXES: Record<Proof["fix"], string> = {
  none: "",
  sync: "Newer than the last sync: the next one brings it.",
  records: "Repair reads these rows again, and marks those that are gone as deleted.",
  full: "Repair reads the whole table again, which takes fewer requests than row by row.",
};

/** "3 rows missing, 1 changed, 2 no longer there". */
export function differences(proof: Proof): string {
  const parts = [
    proof.missing > 0 ? `${formatCount(proof.missing)} missing here` : "",
    proof.changed > 0 ? `${formatCount(proof.changed)} of another version` : "",
    proof.extra > 0 ? `${formatCount(proof.extra)} no longer there` : "",
  ];
  return parts.filter((part) => part !== "").join(", ");
}

function titleOf(proofs: Proof[], working: string | null, tables: number): string {
  if (working !== null) return "Comparing with Dynamics 365";
  const equal = proofs.filter((proof) => proof.equal).length;
  if (equal === tables) return "Mirror and organisation are equal";
  if (proofs.length < tables) return "Comparison stopped";
  return `${plural(tables - equal, "table differs", "tables differ")}`;
}

function labelOf(tables: Table[], name: string): string {
  return tables.find((table) => table.name === name)?.label_plural ?? name;
}

interface How {
  repair: boolean;
  remove: boolean;
}

/** Compares one table after the other. */
function useProofs(connection: string, tables: Table[]) {
  const [proofs, setProofs] = useState<Proof[]>([]);
  const [working, setWorking] = useState<string | null>(null);
  // Which attempt goes on; a stopped one tells nothing more.
  const attempt = useRef(0);
  const prove = useCallback(
    async (names: string[], how: How) => {
      attempt.current += 1;
      const own = attempt.current;
      setProofs((before) => before.filter((proof) => !names.includes(proof.table)));
      for (const name of names) {
        clearProof();
        setWorking(name);
        const found = await commands
          .verify({ connection, table: name }, how.repair, how.remove)
          .catch((reason) => unproved(name, reason));
        if (own !== attempt.current) return;
        setProofs((before) => [...before, found]);
      }
      setWorking(null);
    },
    [connection],
  );
  const stop = useCallback(() => {
    attempt.current += 1;
    setWorking(null);
    void commands.cancel("proof");
  }, []);
  useEffect(() => {
    void prove(
      tables.map((table) => table.name),
      { repair: false, remove: false },
    );
    return stop;
  }, [prove, stop, tables]);
  const begin = (differing: Proof[], how: How) =>
    void prove(
      differing.map((proof) => proof.table),
      how,
    );
  return { proofs, working, begin, stop };
}

function unproved(table: string, reason: unknown): Proof {
  return {
    table,
    rows: 0,
    missing: 0,
    extra: 0,
    changed: 0,
    fix: "none",
    repaired: false,
    equal: false,
    requests: 0,
    error: asError(reason),
  };
}
