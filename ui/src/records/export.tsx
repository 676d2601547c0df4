import {
  Button,
  Checkbox,
  Field,
  ProgressBar,
  Radio,
  RadioGroup,
} from "@fluentui/react-components";
import { CheckmarkCircle20Filled, Folder20Regular } from "@fluentui/react-icons";
import { useEffect, useState } from "react";
import {
  type Connection,
  commands,
  type ExportProgress,
  type Table,
  type ViewRequest,
} from "../bridge/generated";
import { clearExport, useBridge } from "../bridge/store";
import { formatBytes, formatCount, plural } from "../format";
import { AppDialog, DialogPage } from "../parts/app-dialog";
import { connectionTitle } from "../parts/environment";
import { ErrorText } from "../parts/error-text";
import { useNotices } from "../parts/notices";

interface Choices {
  rows: "view" | "table";
  rawValues: boolean;
  bom: boolean;
  formulaGuard: boolean;
}

export function ExportDialog({
  connection,
  table,
  request,
  total,
  columns,
  allColumns,
  isOpen,
  onClose,
}: {
  connection: Connection;
  table: Table;
  request: ViewRequest;
  total: number;
  columns: string[];
  allColumns: number;
  isOpen: boolean;
  onClose: () => void;
}) {
  const { attempt } = useNotices();
  const progress = useBridge((state) => state.exporting);
  const [isRunning, setRunning] = useState(false);
  const [path, setPath] = useState<string | null>(null);
  const [choices, setChoices] = useState<Choices>({
    rows: "view",
    rawValues: false,
    bom: true,
    formulaGuard: true,
  });
  const name = table.label_plural.toLowerCase();
  useEffect(() => {
    if (!isOpen) return;
    clearExport();
    setRunning(false);
    setPath(null);
  }, [isOpen]);

  const choose = async () => {
    const day = new Date().toISOString().slice(0, 10);
    const suggested = `${connectionTitle(connection)} ${name} ${day}.csv`.replace(
      /[\\/:*?"<>|]/g,
      "-",
    );
    const chosen = await commands.chooseExportFile(suggested);
    if (chosen) setPath(chosen);
    return chosen;
  };
  const run = () =>
    attempt(async () => {
      const file = path ?? (await choose());
      if (!file) return;
      clearExport();
      setRunning(true);
      const isView = choices.rows === "view";
      const whole: ViewRequest = {
        ...request,
        filters: [],
        search: null,
        deleted: "exclude",
        stale_only: false,
      };
      await commands.export(connection.id, {
        view: isView ? request : whole,
        columns: isView ? columns : [],
        path: file,
        raw_values: choices.rawValues,
        bom: choices.bom,
        formula_guard: choices.formulaGuard,
      });
    }).then((worked) => {
      if (!worked) setRunning(false);
    });
  const close = () => {
    if (isRunning && !progress?.path && !progress?.error) void commands.cancel("export");
    onClose();
  };
  return (
    <AppDialog isOpen={isOpen} onClose={close} className="export" testId="export">
      {isRunning ? (
        <Running
          name={name}
          progress={progress}
          onCancel={() => void commands.cancel("export")}
          onClose={close}
        />
      ) : (
        <DialogPage
          title={<>Export {name}</>}
          footer={
            <>
              <p className="caption">CSV, UTF-8. Includes personal data: keep it somewhere safe.</p>
              <span className="spring" />
              <Button onClick={close}>Cancel</Button>
              <Button appearance="primary" onClick={() => void run()} data-testid="export-start">
                Export
              </Button>
            </>
          }
        >
          <ChoiceFields
            choices={choices}
            onChange={setChoices}
            view={`${plural(total, "row", "rows")}, ${columns.length} columns${isNarrowed(request) ? ", as filtered and sorted" : ""}`}
            whole={`${plural(table.rows, "row", "rows")}, ${allColumns} columns`}
          />
          <Field label="Save as">
            <button
              type="button"
              className="path"
              onClick={() => void choose()}
              data-testid="export-path"
            >
              <Folder20Regular />
              <span>{path ?? "Asked for when the export starts"}</span>
              <span className="path-browse">Browse</span>
            </button>
          </Field>
        </DialogPage>
      )}
    </AppDialog>
  );
}

function isNarrowed(request: ViewRequest): boolean {
  return (
    request.search !== null ||
    request.sort !== null ||
    request.stale_only ||
    request.deleted !== "exclude"
  );
}

function ChoiceFields({
  choices,
  onChange,
  view,
  whole,
}: {
  choices: Choices;
  onChange: (choices: Choices) => void;
  view: string;
  whole: string;
}) {
  return (
    <>
      <Field label="Rows">
        <RadioGroup
          value={choices.rows}
          onChange={(_, data) => onChange({ ...choices, rows: data.value as Choices["rows"] })}
        >
          <Radio value="view" label={<Option title="This view" detail={view} />} />
          <Radio value="table" label={<Option title="Whole table" detail={whole} />} />
        </RadioGroup>
      </Field>
      <Field label="Choices and lookups">
        <RadioGroup
          value={choices.rawValues ? "raw" : "labels"}
          onChange={(_, data) => onChange({ ...choices, rawValues: data.value === "raw" })}
        >
          <Radio
            value="labels"
            label={<Option title="Labels and names" detail="as people read them" />}
          />
          <Radio
            value="raw"
            label={<Option title="Stored values" detail="numbers and ids, for other programs" />}
          />
        </RadioGroup>
      </Field>
      <Checkbox
        checked={choices.bom}
        onChange={(_, data) => onChange({ ...choices, bom: data.checked === true })}
        label="Byte order mark, so that Excel reads accents correctly"
      />
      <Checkbox
        checked={choices.formulaGuard}
        onChange={(_, data) => onChange({ ...choices, formulaGuard: data.checked === true })}
        label="Neutralise cells that a spreadsheet would run as a formula"
      />
    </>
  );
}

function Option({ title, detail }: { title: string; detail: string }) {
  return (
    <>
      {title} <span className="muted">{detail}</span>
    </>
  );
}

function Running({
  name,
  progress,
  onCancel,
  onClose,
}: {
  name: string;
  progress: ExportProgress | null;
  onCancel: () => void;
  onClose: () => void;
}) {
  const { attempt } = useNotices();
  const path = progress?.path ?? null;
  if (progress?.error) {
    return (
      <DialogPage
        title={
          progress.error.code === "interrupted" ? "Export cancelled" : "The export did not finish"
        }
        footer={
          <>
            <span className="spring" />
            <Button appearance="primary" onClick={onClose}>
              Close
            </Button>
          </>
        }
      >
        {progress.error.code === "interrupted" ? (
          <p>No file was left behind.</p>
        ) : (
          <ErrorText error={progress.error} />
        )}
      </DialogPage>
    );
  }
  if (path) {
    return (
      <DialogPage
        title={
          <span className="guard-title" data-testid="export-done">
            <CheckmarkCircle20Filled className="state-icon state-in_sync" />
            Exported {formatCount(progress?.rows ?? 0)} {name}
          </span>
        }
        footer={
          <>
            <span className="spring" />
            <Button onClick={() => void attempt(() => commands.showInFolder(path))}>
              Show in folder
            </Button>
            <Button appearance="primary" onClick={onClose} data-testid="export-close">
              Close
            </Button>
          </>
        }
      >
        <p className="export-file">{path}</p>
        <p className="caption">{formatBytes(progress?.bytes ?? 0)}</p>
      </DialogPage>
    );
  }
  const rows = progress?.rows ?? 0;
  const total = progress?.total ?? 0;
  return (
    <DialogPage
      title={<>Exporting {name}</>}
      footer={
        <>
          <span className="spring" />
          <Button onClick={onCancel}>Cancel</Button>
        </>
      }
    >
      <ProgressBar thickness="large" {...(total > 0 ? { value: rows / total } : {})} />
      <p className="guard-figures">
        <span>
          {total > 0 ? `${formatCount(rows)} of ${formatCount(total)} rows` : "Opening the view"}
        </span>
      </p>
    </DialogPage>
  );
}
