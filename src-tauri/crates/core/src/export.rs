//! Exports: what the grid shows, by construction. Memory stays flat, and the file appears only when
//! it is complete.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use salesmirror_model::{Cell, ColumnMetadata, TableMetadata};
use salesmirror_store::{Row, ViewSpec};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::error::{Error, Result, blocking};
use crate::render::{Delivered, formatted, plain, record_json};
use crate::selectors::{Selectors, columns};
use crate::session::Session;

/// How CSV is written.
#[derive(Debug, Clone)]
pub struct CsvOptions {
    /// Values as delivered in one column each, instead of labels.
    pub raw_values: bool,
    /// A byte order mark, which Excel needs to see UTF-8.
    pub bom: bool,
    /// The delimiter.
    pub delimiter: char,
    /// Keep a spreadsheet from running a cell as a formula.
    pub formula_guard: bool,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            raw_values: false,
            bom: false,
            delimiter: ',',
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

/// Progress is told every so many rows.
const PROGRESS_ROWS: u64 = 2_000;

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

    /// Writes a view as CSV into a file, which appears only when it is complete.
    ///
    /// # Errors
    /// A bad selector, a place that cannot be written, a full disk, or that it was cancelled.
    pub async fn export_csv(
        &self,
        spec: &ViewSpec,
        names: &[String],
        path: &Path,
        options: &CsvOptions,
        cancel: &CancellationToken,
        progress: impl Fn(u64, u64) + Send + 'static,
    ) -> Result<Exported> {
        let metadata = self.metadata(&spec.table).await?;
        let (mirror, spec, names) = (self.mirror().clone(), spec.clone(), names.to_vec());
        let (path, options, cancel) = (path.to_owned(), options.clone(), cancel.clone());
        blocking(move || {
            let partial = partial_name(&path)?;
            let written = File::create_new(&partial)
                .map_err(|source| Error::file(&path, &source))
                .and_then(|file| {
                    let export = Export {
                        metadata: &metadata,
                        options: &options,
                        cancel: &cancel,
                    };
                    let mut out = Counted {
                        inner: BufWriter::new(file),
                        bytes: 0,
                    };
                    let rows = export.write(&mirror, &spec, &names, &mut out, &progress, &path)?;
                    out.flush().map_err(|source| Error::file(&path, &source))?;
                    out.inner
                        .get_ref()
                        .sync_all()
                        .map_err(|source| Error::file(&path, &source))?;
                    fs::rename(&partial, &path).map_err(|source| Error::file(&path, &source))?;
                    Ok(Exported {
                        rows,
                        bytes: out.bytes,
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

    /// Writes a view as CSV into a stream.
    ///
    /// # Errors
    /// A bad selector, or a stream that ended.
    pub async fn export_csv_to(
        &self,
        spec: &ViewSpec,
        names: &[String],
        out: impl Write + Send + 'static,
        options: &CsvOptions,
        cancel: &CancellationToken,
    ) -> Result<Exported> {
        let metadata = self.metadata(&spec.table).await?;
        let (mirror, spec, names) = (self.mirror().clone(), spec.clone(), names.to_vec());
        let (options, cancel) = (options.clone(), cancel.clone());
        blocking(move || {
            let export = Export {
                metadata: &metadata,
                options: &options,
                cancel: &cancel,
            };
            let mut out = Counted {
                inner: BufWriter::new(out),
                bytes: 0,
            };
            let place = Path::new("the output");
            let rows = export.write(&mirror, &spec, &names, &mut out, &|_, _| {}, place)?;
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

pub(crate) fn logical_names(columns: &[&ColumnMetadata]) -> Vec<String> {
    columns
        .iter()
        .map(|column| column.logical_name.clone())
        .collect()
}

/// A name beside the file, so that the last step is a rename within one folder.
fn partial_name(path: &Path) -> Result<PathBuf> {
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

struct Counted<W: Write> {
    inner: BufWriter<W>,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let written = self.inner.write(buffer)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

struct Export<'a> {
    metadata: &'a TableMetadata,
    options: &'a CsvOptions,
    cancel: &'a CancellationToken,
}

impl Export<'_> {
    fn write(
        &self,
        mirror: &salesmirror_store::Mirror,
        spec: &ViewSpec,
        names: &[String],
        out: &mut impl Write,
        progress: &dyn Fn(u64, u64),
        place: &Path,
    ) -> Result<u64> {
        let columns = columns(self.metadata, names)?;
        let view = mirror.open_view(spec)?;
        // Digits as delivered are in the original record; without money there is no need to unpack it.
        let needs_record = columns.iter().any(|column| column.kind.is_decimal());
        let mut line = self.header(&columns);
        let mut failed = out.write_all(line.as_bytes()).err();
        let mut rows = 0;
        mirror.for_each_row(&view, &logical_names(&columns), needs_record, |row| {
            if failed.is_some() || self.cancel.is_cancelled() {
                return ControlFlow::Break(());
            }
            line.clear();
            self.line(&columns, &row, &mut line);
            failed = out.write_all(line.as_bytes()).err();
            rows += 1;
            if rows % PROGRESS_ROWS == 0 {
                progress(rows, view.total());
            }
            ControlFlow::Continue(())
        })?;
        if let Some(source) = failed {
            return Err(Error::file(place, &source));
        }
        if self.cancel.is_cancelled() {
            return Err(Error::interrupted());
        }
        progress(rows, view.total());
        Ok(rows)
    }

    fn header(&self, columns: &[&ColumnMetadata]) -> String {
        let mut line = String::new();
        if self.options.bom {
            line.push('\u{feff}');
        }
        let mut fields = Fields {
            line: &mut line,
            options: self.options,
            first: true,
        };
        for column in columns {
            fields.text(&column.logical_name);
            if column.kind.is_lookup() && !self.options.raw_values {
                fields.text(&format!("{}.id", column.logical_name));
            }
        }
        line.push_str("\r\n");
        line
    }

    fn line(&self, columns: &[&ColumnMetadata], row: &Row, line: &mut String) {
        let delivered = Delivered::of(row);
        let mut fields = Fields {
            line,
            options: self.options,
            first: true,
        };
        for (column, cell) in columns.iter().zip(&row.cells) {
            match cell {
                Cell::Lookup(lookup) => {
                    if !self.options.raw_values {
                        fields.optional(lookup.name.as_deref());
                    }
                    fields.plain(&lookup.id.to_string());
                }
                Cell::Null => {
                    fields.optional(None);
                    if column.kind.is_lookup() && !self.options.raw_values {
                        fields.optional(None);
                    }
                }
                _ if column.kind.has_labels() && !self.options.raw_values => {
                    let label = formatted(column, cell, &delivered);
                    fields.optional(label.or_else(|| plain(column, cell)).as_deref());
                }
                Cell::Real(_) => {
                    let digits = delivered.literal(column).or_else(|| plain(column, cell));
                    fields.plain(digits.as_deref().unwrap_or_default());
                }
                Cell::Text(text) => fields.text(text),
                _ => fields.plain(plain(column, cell).as_deref().unwrap_or_default()),
            }
        }
        fields.line.push_str("\r\n");
    }
}

struct Fields<'a> {
    line: &'a mut String,
    options: &'a CsvOptions,
    first: bool,
}

impl Fields<'_> {
    fn begin(&mut self) {
        if !self.first {
            self.line.push(self.options.delimiter);
        }
        self.first = false;
    }

    /// Null is an empty field.
    fn optional(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.begin(),
        }
    }

    /// A number, a date or an id, which is no formula and needs no quotes.
    fn plain(&mut self, text: &str) {
        self.begin();
        self.line.push_str(text);
    }

    /// Text; empty text is `""`, so that it differs from null.
    fn text(&mut self, text: &str) {
        self.begin();
        let guarded = self.options.formula_guard && is_formula(text);
        let delimiter = self.options.delimiter;
        let special = |letter: char| matches!(letter, '"' | '\r' | '\n') || letter == delimiter;
        let quote = text.is_empty() || text.contains(special) || text.trim() != text;
        if quote {
            self.line.push('"');
        }
        if guarded {
            self.line.push('\'');
        }
        if text.contains('"') {
            self.line.push_str(&text.replace('"', "\"\""));
        } else {
            self.line.push_str(text);
        }
        if quote {
            self.line.push('"');
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn field(text: Option<&str>, options: &CsvOptions) -> String {
        let mut line = String::new();
        Fields {
            line: &mut line,
            options,
            first: true,
        }
        .optional(text);
        line
    }

    #[test]
    fn fields_are_quoted_and_guarded() {
        let options = CsvOptions::default();
        for (text, expect) in [
            (None, ""),
            (Some(""), "\"\""),
            (Some("plain"), "plain"),
            (Some("a,b"), "\"a,b\""),
            (Some("say \"hi\""), "\"say \"\"hi\"\"\""),
            (Some("two\nlines"), "\"two\nlines\""),
            (Some("=1+1"), "'=1+1"),
            (Some("@SUM(A1,A2)"), "\"'@SUM(A1,A2)\""),
            (Some("+1+1"), "'+1+1"),
            (Some("-2"), "'-2"),
            (Some("+46 40 555 0132"), "+46 40 555 0132"),
        ] {
            assert_eq!(field(text, &options), expect);
        }
        let open = CsvOptions {
            formula_guard: false,
            delimiter: ';',
            ..options
        };
        assert_eq!(field(Some("=1;2"), &open), "\"=1;2\"");
        assert_eq!(field(Some("a,b"), &open), "a,b");
    }
}
