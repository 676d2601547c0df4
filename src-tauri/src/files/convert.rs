//! What exports are asked for and tell, as core and the window have it.

use std::ops::Range;

use salesmirror_core::{ExportFormat, ExportOptions, Exported, Result};
use salesmirror_wire as wire;

use crate::convert::error;

/// How an export is written.
pub fn export_options(request: &wire::ExportRequest) -> ExportOptions {
    ExportOptions {
        format: match request.format {
            wire::ExportFormat::Csv => ExportFormat::Csv,
            wire::ExportFormat::Xlsx => ExportFormat::Xlsx,
            wire::ExportFormat::Jsonl => ExportFormat::Jsonl,
            wire::ExportFormat::Parquet => ExportFormat::Parquet,
        },
        delimiter: request.delimiter,
        quote_all: request.quote_all,
        local_dates: request.local_dates,
        raw_values: request.raw_values,
        bom: request.bom,
        formula_guard: request.formula_guard,
    }
}

/// What a format is called.
pub const fn format_name(format: wire::ExportFormat) -> &'static str {
    match format {
        wire::ExportFormat::Csv => "CSV",
        wire::ExportFormat::Xlsx => "Excel workbook",
        wire::ExportFormat::Jsonl => "JSON Lines",
        wire::ExportFormat::Parquet => "Apache Parquet",
    }
}

/// How its files end.
pub const fn ending(format: wire::ExportFormat) -> &'static str {
    match format {
        wire::ExportFormat::Csv => "csv",
        wire::ExportFormat::Xlsx => "xlsx",
        wire::ExportFormat::Jsonl => "jsonl",
        wire::ExportFormat::Parquet => "parquet",
    }
}

/// The places of picked rows.
pub fn places(picked: &wire::Picked) -> Vec<Range<u32>> {
    picked
        .places
        .iter()
        .map(|(from, until)| *from..*until)
        .collect()
}

/// An export that goes on.
pub fn exporting(rows: u64, total: u64) -> wire::ExportProgress {
    wire::ExportProgress {
        rows,
        total,
        ..wire::ExportProgress::default()
    }
}

/// An export that has ended.
pub fn exported(ended: Result<Exported>, path: String) -> wire::ExportProgress {
    match ended {
        Ok(done) => wire::ExportProgress {
            bytes: done.bytes,
            path: Some(path),
            ..exporting(done.rows, done.rows)
        },
        Err(reason) => wire::ExportProgress {
            error: Some(error(&reason)),
            ..wire::ExportProgress::default()
        },
    }
}
