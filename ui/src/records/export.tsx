import {
  Button,
  Checkbox,
  Dropdown,
  Field,
  Option as FluentOption,
  ProgressBar,
  Radio,
  RadioGroup,
} from "@fluentui/react-components";
import { CheckmarkCircle20Filled, Folder20Regular } from "@fluentui/react-icons";
import { useEffect, useState } from "react";
import {
  type Connection,
  commands,
  type ExportFormat,
  type ExportProgress,
  type Picked,
  type Table,
  type ViewRequest,
} from "../bridge/generated";
import { clearExport, useBridge } from "../bridge/store";
import { formatBytes, formatCount, formatSpan, plural } from "../format";
import { AppDialog, DialogPage } from "../parts/app-dialog";
import { connectionTitle } from "../parts/environment";
import { ErrorText } from "../parts/error-text";
import { useNotices } from "../parts/notices";

interface Choices {
  rows: "selection" | "view" | "table";
  format: ExportFormat;
  delimiter: string;
  rawValues: boolean;
  bom: boolean;
  quoteAll: boolean;
  localDates: boolean;
  formulaGuard: boolean;
}

const FORMATS: { [format in ExportFormat]: { name: string; ending: string; note: string } } = {
  csv: { name: "CSV", ending: "csv", note: "CSV, UTF-8." },
  xlsx: {
    name: "Excel workbook",
    ending: "xlsx",
    note: "Typed cells; a new sheet every 1,048,575 rows.",
  },
  jsonl: { name: "JSON Lines", ending: "jsonl", note: "One JSON object a line." },
  parquet: { name: "Apache Parquet", ending: "parquet", note: "For data tools." },
};

const DELIMITERS: { [delimiter: string]: string } = {
  ",": "Comma",
  ";": "Semicolon",
  "\t": "Tab",
  "|": "Vertical bar",
};

/** Whose clock moments are told by. */
const CLOCKS = { utc: "UTC, ISO 8601", local: "Local time" };

export function ExportDialog({
  connection,
  table,
  request,
  total,
  picked,
  pickedCount,
  columns,
  allColumns,
  isOpen,
  onClose,
}: {
  connection: Connection;
  table: Table;
  request: ViewRequest;
  total: number;
  /** The selected rows. */
  picked: Picked | null;
  pickedCount: number;
  columns: string[];
  allColumns: number;
  isOpen: boolean;
  onClose: () => void;
}) {
  const { attempt } = useNotices();
  const progress = useBridge((state) => state.exporting);
  const [isRunning, setRunning] = useState(false);
  const [path, setPath] = useState<string | null>(null);
  // The system's dialog is a window of its own, beside which this one can be clicked.
  const [isChoosing, setChoosing] = useState(false);
  const [choices, setChoices] = useState<Choices>({
    rows: "view",
    format: "csv",
    delimiter: ",",
    rawValues: false,
    bom: true,
    quoteAll: false,
    localDates: false,
    formulaGuard: true,
  });
  const name = table.label_plural.toLowerCase();
  const hasPicked = picked !== null;
  useEffect(() => {
    if (!isOpen) return;
    clearExport();
    setRunning(false);
    setPath(null);
    setChoices((before) => ({ ...before, rows: hasPicked ? "selection" : "view" }));
  }, [isOpen, hasPicked]);

  const choose = async () => {
    const day = new Date().toISOString().slice(0, 10);
    const suggested =
      `${connectionTitle(connection)} ${name} ${day}.${FORMATS[choices.format].ending}`.replace(
        /[\\/:*?"<>|]/g,
        "-",
      );
    setChoosing(true);
    try {
      const chosen = await commands.chooseFile(suggested, choices.format);
      if (chosen) setPath(chosen);
      return chosen;
    } finally {
      setChoosing(false);
    }
  };
  const run = () =>
    attempt(async () => {
      const file = path ?? (await choose());
      if (!file) return;
      clearExport();
      setRunning(true);
      const isView = choices.rows !== "table";
      const whole: ViewRequest = {
        ...request,
        filters: [],
        search: null,
        deleted: "exclude",
        stale_only: false,
      };
      await commands.export(connection.id, {
        view: isView ? request : whole,
        picked: choices.rows === "selection" ? picked : null,
        format: choices.format,
        delimiter: choices.delimiter,
        columns: isView ? columns : [],
        path: file,
        raw_values: choices.rawValues,
        bom: choices.bom,
        quote_all: choices.quoteAll,
        local_dates: choices.localDates,
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
              <p className="caption">
                {FORMATS[choices.format].note} Includes personal data: keep it somewhere safe.
              </p>
              <span className="spring" />
              <Button onClick={close}>Cancel</Button>
              <Button
                appearance="primary"
                disabled={isChoosing}
                onClick={() => void run()}
                data-testid="export-start"
              >
                Export
              </Button>
            </>
          }
        >
          <ChoiceFields
            choices={choices}
            onChange={(next) => {
              // A file of another kind has another name.
              if (next.format !== choices.format) setPath(null);
              setChoices(next);
            }}
            selection={hasPicked ? plural(pickedCount, "row", "rows") : null}
            view={`${plural(total, "row", "rows")}, ${columns.length} columns${isNarrowed(request) ? ", as filtered and sorted" : ""}`}
            whole={`${plural(table.rows, "row", "rows")}, ${allColumns} columns`}
          />
          <Field label="Save as">
            <button
              type="button"
              className="path"
              disabled={isChoosing}
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
    request.filters.length > 0 ||
    request.search !== null ||
    request.sort !== null ||
    request.stale_only ||
    request.deleted !== "exclude"
  );
}

function ChoiceFields({
  choices,
  onChange,
  selection,
  view,
  whole,
}: {
  choices: Choices;
  onChange: (choices: Choices) => void;
  selection: string | null;
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
          {selection === null ? null : (
            <Radio
              value="selection"
              label={<Option title="Selected rows" detail={selection} />}
              data-testid="export-selection"
            />
          )}
          <Radio value="view" label={<Option title="This view" detail={view} />} />
          <Radio value="table" label={<Option title="Whole table" detail={whole} />} />
        </RadioGroup>
      </Field>
      <div className="export-format">
        <Field label="Format">
          <Dropdown
            value={FORMATS[choices.format].name}
            selectedOptions={[choices.format]}
            onOptionSelect={(_, data) =>
              onChange({ ...choices, format: data.optionValue as ExportFormat })
            }
            button={{ "data-testid": "export-format" } as object}
          >
            {(Object.keys(FORMATS) as ExportFormat[]).map((format) => (
              <FluentOption key={format} value={format} text={FORMATS[format].name}>
                {FORMATS[format].name}
              </FluentOption>
            ))}
          </Dropdown>
        </Field>
        {choices.format === "csv" ? (
          <Field label="Between values">
            <Dropdown
              value={DELIMITERS[choices.delimiter] ?? ""}
              selectedOptions={[choices.delimiter]}
              onOptionSelect={(_, data) =>
                onChange({ ...choices, delimiter: data.optionValue ?? "," })
              }
            >
              {Object.entries(DELIMITERS).map(([delimiter, word]) => (
                <FluentOption key={delimiter} value={delimiter} text={word}>
                  {word}
                </FluentOption>
              ))}
            </Dropdown>
          </Field>
        ) : null}
        {choices.format === "csv" ? (
          <Field label="Date and time">
            <Dropdown
              value={CLOCKS[choices.localDates ? "local" : "utc"]}
              selectedOptions={[choices.localDates ? "local" : "utc"]}
              onOptionSelect={(_, data) =>
                onChange({ ...choices, localDates: data.optionValue === "local" })
              }
              button={{ "data-testid": "export-clock" } as object}
            >
              <FluentOption value="utc" text={CLOCKS.utc}>
                <Option title={CLOCKS.utc} detail="2026-03-12T14:30:00Z" />
              </FluentOption>
              <FluentOption value="local" text={CLOCKS.local} data-testid="export-local">
                <Option title={CLOCKS.local} detail="2026-03-12 15:30:00" />
              </FluentOption>
            </Dropdown>
          </Field>
        ) : null}
      </div>
      <Field label="Choices and lookups">
        <RadioGroup
          value={choices.rawValues ? "raw" : "labels"}
          onChange={(_, data) => onChange({ ...choices, rawValues: data.value === "raw" })}
        >
          <Radio
            value="labels"
            label={
              <Option
                title="Labels and names"
                detail="as people read them; a lookup's id is beside its name"
              />
            }
          />
          <Radio
            value="raw"
            label={<Option title="Stored values" detail="numbers and ids, for other programs" />}
          />
        </RadioGroup>
      </Field>
      {choices.format === "csv" ? (
        <>
          <Checkbox
            checked={choices.bom}
            onChange={(_, data) => onChange({ ...choices, bom: data.checked === true })}
            label="Byte order mark, so that Excel reads accents correctly"
          />
          <Checkbox
            checked={choices.quoteAll}
            onChange={(_, data) => onChange({ ...choices, quoteAll: data.checked === true })}
            label="Quotes around every value"
            data-testid="export-quotes"
          />
        </>
      ) : null}
      {choices.format === "csv" || choices.format === "xlsx" ? (
        <Checkbox
          checked={choices.formulaGuard}
          onChange={(_, data) => onChange({ ...choices, formulaGuard: data.checked === true })}
          label="Neutralise cells that a spreadsheet would run as a formula"
        />
      ) : null}
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
            <Button
              onClick={() => void attempt(() => commands.openFile(path))}
              data-testid="export-open-file"
            >
              Open
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
  return <Exporting name={name} progress={progress} onCancel={onCancel} />;
}

/** How far it is, how fast, and how long it takes still. */
function Exporting({
  name,
  progress,
  onCancel,
}: {
  name: string;
  progress: ExportProgress | null;
  onCancel: () => void;
}) {
  const [begun] = useState(() => Date.now());
  const rows = progress?.rows ?? 0;
  const total = progress?.total ?? 0;
  const seconds = (Date.now() - begun) / 1_000;
  // In the first second the figures would jump.
  const rate = seconds >= 1 ? rows / seconds : 0;
  return (
    <DialogPage
      title={<>Exporting {name}</>}
      footer={
        <>
          <span className="spring" />
          <Button onClick={onCancel} data-testid="export-cancel">
            Cancel
          </Button>
        </>
      }
    >
      <ProgressBar
        thickness="large"
        aria-label={`Export of ${name}`}
        {...(total > 0 ? { value: rows / total } : {})}
      />
      <p className="guard-figures export-figures">
        <span data-testid="export-progress">
          {total > 0 ? `${formatCount(rows)} of ${formatCount(total)} rows` : "Opening the view"}
        </span>
        {rate > 0 ? (
          <>
            <span>{formatCount(rate)} rows/s</span>
            <span>{formatSpan((total - rows) / rate)} left</span>
          </>
        ) : null}
      </p>
    </DialogPage>
  );
}
