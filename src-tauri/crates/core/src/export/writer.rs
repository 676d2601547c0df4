//! What is written of an export: lines that the threads that read have made, or rows for a format with
//! one writer.

use std::io::{self, Write};
use std::path::Path;

use salesmirror_model::ColumnMetadata;
use salesmirror_store::Row;

use super::fields::{fields, heads};
use super::parquet::ParquetWriter;
use super::xlsx::{SHEET_ROWS, XlsxWriter};
use super::{ExportFormat, ExportOptions, csv};
use crate::render::record_json;

/// Some rows on their way to the output.
pub enum Piece {
    /// As lines of text.
    Lines(String, u64),
    /// As they were read.
    Rows(Vec<Row>),
}

impl Piece {
    /// What the output is given of these rows.
    pub fn of(rows: Vec<Row>, columns: &[&ColumnMetadata], options: &ExportOptions) -> Self {
        let mut lines = String::new();
        match options.format {
            ExportFormat::Csv => {
                for row in &rows {
                    csv::write_line(columns, options, row, &mut lines);
                }
            }
            ExportFormat::Jsonl => {
                for row in &rows {
                    lines.push_str(&record_json(columns, row));
                    lines.push('\n');
                }
            }
            ExportFormat::Xlsx | ExportFormat::Parquet => return Self::Rows(rows),
        }
        Self::Lines(lines, rows.len() as u64)
    }

    /// How many there are.
    pub fn rows(&self) -> u64 {
        match self {
            Self::Lines(_, rows) => *rows,
            Self::Rows(rows) => rows.len() as u64,
        }
    }
}

/// Writes pieces in one of the formats.
pub struct Writer<'a, W: Write + Send> {
    written: Written<W>,
    columns: &'a [&'a ColumnMetadata],
    raw_values: bool,
}

enum Written<W: Write + Send> {
    Text(W),
    Parquet(Box<ParquetWriter<W>>),
    Xlsx(Box<XlsxWriter<W>>),
}

impl<'a, W: Write + Send> Writer<'a, W> {
    /// A writer of these columns to a file that is to be at `place`.
    pub fn new(
        mut out: W,
        columns: &'a [&'a ColumnMetadata],
        options: &ExportOptions,
        place: &Path,
    ) -> io::Result<Self> {
        let heads = heads(columns, options.raw_values);
        let written = match options.format {
            ExportFormat::Csv => {
                out.write_all(csv::header(columns, options).as_bytes())?;
                Written::Text(out)
            }
            ExportFormat::Jsonl => Written::Text(out),
            ExportFormat::Parquet => Written::Parquet(Box::new(ParquetWriter::new(out, &heads)?)),
            ExportFormat::Xlsx => {
                // The rows wait beside the result, not in some other place of the disk.
                let folder = place.parent().filter(|folder| folder.is_dir());
                let folder = folder.map_or_else(std::env::temp_dir, Path::to_owned);
                let guard = options.formula_guard;
                Written::Xlsx(Box::new(XlsxWriter::new(
                    out, &folder, heads, guard, SHEET_ROWS,
                )?))
            }
        };
        Ok(Self {
            written,
            columns,
            raw_values: options.raw_values,
        })
    }

    /// Writes a piece.
    pub fn piece(&mut self, piece: &Piece) -> io::Result<()> {
        match (&mut self.written, piece) {
            (Written::Text(out), Piece::Lines(lines, _)) => out.write_all(lines.as_bytes())?,
            (Written::Parquet(parquet), Piece::Rows(rows)) => {
                for row in rows {
                    parquet.row(fields(self.columns, row, self.raw_values))?;
                }
            }
            (Written::Xlsx(xlsx), Piece::Rows(rows)) => {
                for row in rows {
                    xlsx.row(&fields(self.columns, row, self.raw_values))?;
                }
            }
            // Each format is made of one kind of piece.
            (_, Piece::Lines(..) | Piece::Rows(_)) => {}
        }
        Ok(())
    }

    /// Ends what the format has at its end, and gives the output back.
    pub fn finish(self) -> io::Result<W> {
        match self.written {
            Written::Text(out) => Ok(out),
            Written::Parquet(parquet) => parquet.finish(),
            Written::Xlsx(xlsx) => xlsx.finish(),
        }
    }
}
