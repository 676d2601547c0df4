//! Exports: what the grid shows, by construction. Memory stays flat, and the file appears only when
//! it is complete.

mod csv;
mod fields;
mod parquet;
mod writer;
mod xlsx;

#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use salesmirror_model::{ColumnMetadata, TableMetadata};
use salesmirror_store::{Mirror, View, ViewSpec};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::writer::{Piece, Writer};
use crate::error::{Error, Result, blocking};
use crate::render::record_json;
use crate::selectors::{Selectors, columns};
use crate::session::Session;

pub use self::csv::csv_line;

/// What an export is written as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ExportFormat {
    /// Comma-separated values.
    #[default]
    Csv,
    /// An Excel workbook.
    Xlsx,
    /// One JSON object a line, as `records` gives them.
    Jsonl,
    /// Apache Parquet.
    Parquet,
}

/// How an export is written. What a format has no use for is ignored.
#[derive(Debug, Clone)]
pub struct ExportOptions {
    /// The format.
    pub format: ExportFormat,
    /// Values as delivered in one column each, instead of labels.
    pub raw_values: bool,
    /// CSV: a byte order mark, which Excel needs to see UTF-8.
    pub bom: bool,
    /// CSV: the delimiter.
    pub delimiter: char,
    /// CSV: quotes around every value, and not only where one is needed.
    pub quote_all: bool,
    /// CSV: moments in this computer's time zone, as spreadsheets read them, instead of ISO 8601 in UTC.
    pub local_dates: bool,
    /// CSV and XLSX: keep a spreadsheet from running a cell as a formula.
    pub formula_guard: bool,
}

impl Default for ExportOptions {
    fn default() -> Self {
        Self {
            format: ExportFormat::Csv,
            raw_values: false,
            bom: false,
            delimiter: ',',
            quote_all: false,
            local_dates: false,
            formula_guard: true,
        }
    }
}

/// What an export wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// Rows.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
    /// The file; `None` where it went to a stream.
    pub path: Option<PathBuf>,
}

/// Which rows are exported.
#[derive(Debug, Clone)]
pub enum ExportRows {
    /// Those that match, as the mirror has them when the export begins.
    Matching(ViewSpec),
    /// Those of a view that is open.
    Of(View),
}

impl From<ViewSpec> for ExportRows {
    fn from(spec: ViewSpec) -> Self {
        Self::Matching(spec)
    }
}

impl ExportRows {
    fn table(&self) -> &str {
        match self {
            Self::Matching(spec) => &spec.table,
            Self::Of(view) => &view.table,
        }
    }
}

impl Session {
    /// Records as JSON objects, `offset` and `limit` after the total was counted.
    ///
    /// # Errors
    /// A bad selector, an unknown column, a database that cannot be read.
    pub async fn records_json(
        &self,
        table: &str,
        selectors: &Selectors,
        names: &[String],
        offset: u64,
        limit: usize,
    ) -> Result<(u64, Vec<String>)> {
        let metadata = self.metadata(table).await?;
        let spec = selectors.view(&metadata)?;
        let (mirror, names) = (self.mirror().clone(), names.to_vec());
        blocking(move || {
            let columns = columns(&metadata, &names)?;
            let view = mirror.open_view(&spec)?;
            let rows = mirror.window(&view, offset, limit, &logical_names(&columns), true)?;
            Ok((
                view.total(),
                rows.iter().map(|row| record_json(&columns, row)).collect(),
            ))
        })
        .await
    }

    /// One record as a JSON object, or as it was delivered; `None` where the mirror never saw it.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub async fn record_json(&self, table: &str, id: Uuid, raw: bool) -> Result<Option<String>> {
        let metadata = self.metadata(table).await?;
        let mirror = self.mirror().clone();
        blocking(move || {
            let Some(row) = mirror.record(&metadata.logical_name, id, true)? else {
                return Ok(None);
            };
            if raw {
                let text = row
                    .raw
                    .as_deref()
                    .map(String::from_utf8_lossy)
                    .unwrap_or_default();
                return Ok(Some(text.into_owned()));
            }
            let columns: Vec<&ColumnMetadata> = metadata.columns.iter().collect();
            Ok(Some(record_json(&columns, &row)))
        })
        .await
    }

    /// Writes rows into a file, which appears only when it is complete.
    ///
    /// # Errors
    /// A bad selector, a place that cannot be written, a full disk, or that it was cancelled.
    pub async fn export(
        &self,
        rows: ExportRows,
        names: &[String],
        path: &Path,
        options: &ExportOptions,
        cancel: &CancellationToken,
        progress: impl Fn(u64, u64) + Send + 'static,
    ) -> Result<Exported> {
        let metadata = self.metadata(rows.table()).await?;
        let (mirror, names) = (self.mirror().clone(), names.to_vec());
        let (path, options, cancel) = (path.to_owned(), options.clone(), cancel.clone());
        blocking(move || {
            let partial = partial_name(&path)?;
            let export = Export {
                metadata: &metadata,
                options: &options,
                cancel: &cancel,
                progress: &progress,
                place: &path,
            };
            let at_place = |source: io::Error| Error::file(&path, &source);
            let written = File::create_new(&partial)
                .map_err(at_place)
                .and_then(|file| {
                    let (rows, out) = export.write(&mirror, &rows, &names, Counted::new(file))?;
                    let bytes = out.bytes;
                    let file = out.into_inner().map_err(at_place)?;
                    file.sync_all().map_err(at_place)?;
                    fs::rename(&partial, &path).map_err(at_place)?;
                    Ok(Exported {
                        rows,
                        bytes,
                        path: Some(path.clone()),
                    })
                });
            if written.is_err() {
                // What is half done is of no use to anybody.
                let _ = fs::remove_file(&partial);
            }
            written
        })
        .await
    }

    /// Writes rows into a stream.
    ///
    /// # Errors
    /// A bad selector, or a stream that ended.
    pub async fn export_to(
        &self,
        rows: ExportRows,
        names: &[String],
        out: impl Write + Send + 'static,
        options: &ExportOptions,
        cancel: &CancellationToken,
        progress: impl Fn(u64, u64) + Send + 'static,
    ) -> Result<Exported> {
        let metadata = self.metadata(rows.table()).await?;
        let (mirror, names) = (self.mirror().clone(), names.to_vec());
        let (options, cancel) = (options.clone(), cancel.clone());
        blocking(move || {
            let place = Path::new("The output");
            let export = Export {
                metadata: &metadata,
                options: &options,
                cancel: &cancel,
                progress: &progress,
                place,
            };
            let (rows, mut out) = export.write(&mirror, &rows, &names, Counted::new(out))?;
            out.flush().map_err(|source| Error::file(place, &source))?;
            Ok(Exported {
                rows,
                bytes: out.bytes,
                path: None,
            })
        })
        .await
    }
}

/// Bytes as base64, for what is no text.
#[must_use]
pub fn base64_text(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn logical_names(columns: &[&ColumnMetadata]) -> Vec<String> {
    columns
        .iter()
        .map(|column| column.logical_name.clone())
        .collect()
}

/// A name beside the file, so that the last step is a rename within one folder.
pub(crate) fn partial_name(path: &Path) -> Result<PathBuf> {
    let Some(name) = path.file_name() else {
        return Err(Error::usage(
            "bad_path",
            format!("{} is no file.", path.display()),
            "Name a file with --output.",
        ));
    };
    let mut partial = std::ffi::OsString::from(".");
    partial.push(name);
    partial.push(format!(".{}.part", Uuid::new_v4().simple()));
    Ok(path.with_file_name(partial))
}

/// Counts what goes through.
struct Counted<W: Write> {
    inner: BufWriter<W>,
    bytes: u64,
}

impl<W: Write> Counted<W> {
    fn new(out: W) -> Self {
        Self {
            inner: BufWriter::new(out),
            bytes: 0,
        }
    }

    fn into_inner(self) -> io::Result<W> {
        self.inner.into_inner().map_err(|error| error.into_error())
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(buffer)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

struct Export<'a> {
    metadata: &'a TableMetadata,
    options: &'a ExportOptions,
    cancel: &'a CancellationToken,
    progress: &'a dyn Fn(u64, u64),
    place: &'a Path,
}

impl Export<'_> {
    /// Writes the rows of a view; gives how many, and the output back.
    fn write<W: Write + Send>(
        &self,
        mirror: &Mirror,
        which: &ExportRows,
        names: &[String],
        out: W,
    ) -> Result<(u64, W)> {
        let columns = columns(self.metadata, names)?;
        let view = match which {
            ExportRows::Matching(spec) => mirror.open_view(spec)?,
            ExportRows::Of(view) => view.clone(),
        };
        let mut writer = Writer::new(out, &columns, self.options, self.place)
            .map_err(|source| self.failed(&source))?;
        // Digits as delivered are in the original record; without money there is no need to unpack it.
        let needs_record = match self.options.format {
            ExportFormat::Jsonl => true,
            ExportFormat::Csv => columns.iter().any(|column| column.kind.is_decimal()),
            ExportFormat::Xlsx | ExportFormat::Parquet => false,
        };
        let names = logical_names(&columns);
        let (mut rows, mut written) = (0, Ok(()));
        // Lines are made where rows are read; what has one writer is given the rows.
        let options = self.options;
        let make = |rows| Piece::of(rows, &columns, options);
        mirror.pieces(&view, &names, needs_record, make, |piece| {
            if self.cancel.is_cancelled() {
                return ControlFlow::Break(());
            }
            written = writer.piece(&piece);
            if written.is_err() {
                return ControlFlow::Break(());
            }
            rows += piece.rows();
            (self.progress)(rows, view.total());
            ControlFlow::Continue(())
        })?;
        written.map_err(|source| self.failed(&source))?;
        if self.cancel.is_cancelled() {
            return Err(Error::interrupted());
        }
        let out = writer.finish().map_err(|source| self.failed(&source))?;
        (self.progress)(rows, view.total());
        Ok((rows, out))
    }

    fn failed(&self, source: &io::Error) -> Error {
        Error::file(self.place, source)
    }
}

/// Whether a spreadsheet would run the text. International phone numbers begin with a plus and do
/// no harm, so they stay as they are.
fn is_formula(text: &str) -> bool {
    let Some(first) = text.chars().next() else {
        return false;
    };
    match first {
        '=' | '-' | '@' | '\t' | '\r' => true,
        '+' => !is_phone_number(&text[1..]),
        _ => false,
    }
}

fn is_phone_number(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let only = text
        .chars()
        .all(|letter| letter.is_ascii_digit() || matches!(letter, ' ' | '(' | ')'));
    only && digits >= 7
}
