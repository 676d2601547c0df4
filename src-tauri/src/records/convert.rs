//! Views and records, as the window reads them.

use salesmirror_core::{
    Cell, ColumnKind, Deleted, FieldChange, Happening, HistogramBar, RecordDetail, Selectors,
    Shown, TableMetadata, View, ViewRow, told_text, usual_columns, what_word,
};
use salesmirror_wire::{self as wire, GridCell};

use crate::convert::named;

/// Something that happened to a record.
pub fn happening(happening: Happening) -> wire::Happening {
    let field = |change: FieldChange| wire::FieldChange {
        from: change.from.as_ref().map(|told| told_text(Some(told))),
        to: change.to.as_ref().map(|told| told_text(Some(told))),
        kind: kind(change.kind),
        column: change.column,
    };
    wire::Happening {
        what: named(what_word(happening.what)),
        seen_at: happening.seen_at,
        run: happening.run,
        fields: happening.fields.into_iter().map(field).collect(),
    }
}

/// Columns that a grid shows at first.
const SHOWN_COLUMNS: usize = 9;

/// A table's columns.
pub fn columns(table: &TableMetadata) -> wire::TableColumns {
    let columns = table.columns.iter().map(|column| wire::Column {
        name: column.logical_name.clone(),
        label: column.display_name.clone(),
        kind: kind(column.kind),
        choices: column
            .choices
            .iter()
            .map(|choice| wire::Choice {
                value: choice.value,
                label: choice.label.clone(),
            })
            .collect(),
        custom: column.is_custom,
    });
    wire::TableColumns {
        table: table.logical_name.clone(),
        primary_name: table.primary_name.clone(),
        columns: columns.collect(),
        shown: usual_columns(table, SHOWN_COLUMNS),
    }
}

const fn kind(kind: ColumnKind) -> wire::ColumnKind {
    match kind {
        ColumnKind::Text => wire::ColumnKind::Text,
        ColumnKind::Memo => wire::ColumnKind::Memo,
        ColumnKind::Integer | ColumnKind::BigInteger => wire::ColumnKind::Integer,
        ColumnKind::Decimal | ColumnKind::Double => wire::ColumnKind::Decimal,
        ColumnKind::Money => wire::ColumnKind::Money,
        ColumnKind::Boolean => wire::ColumnKind::Boolean,
        ColumnKind::Choice | ColumnKind::State | ColumnKind::Status => wire::ColumnKind::Choice,
        ColumnKind::MultiChoice => wire::ColumnKind::MultiChoice,
        ColumnKind::DateTime => wire::ColumnKind::DateTime,
        ColumnKind::DateOnly => wire::ColumnKind::Date,
        ColumnKind::Lookup | ColumnKind::Customer | ColumnKind::Owner => wire::ColumnKind::Lookup,
        ColumnKind::UniqueId => wire::ColumnKind::Id,
        ColumnKind::Other => wire::ColumnKind::Other,
    }
}

/// A request for a view as core's selectors.
pub fn selectors(request: &wire::ViewRequest) -> Selectors {
    Selectors {
        filters: request
            .filters
            .iter()
            .map(wire::Filter::expression)
            .collect(),
        search: request.search.clone(),
        sort: request.sort.as_ref().map(|sort| {
            let direction = if sort.descending { "desc" } else { "asc" };
            format!("{}:{direction}", sort.column)
        }),
        deleted: match request.deleted {
            wire::Deleted::Exclude => Deleted::Exclude,
            wire::Deleted::Include => Deleted::Include,
            wire::Deleted::Only => Deleted::Only,
        },
        stale_only: request.stale_only,
    }
}

/// A row of the grid.
pub fn row(row: ViewRow) -> wire::Row {
    wire::Row {
        id: row.id,
        deleted: row.deleted,
        stale: row.stale,
        cells: row.values.into_iter().map(cell).collect(),
    }
}

fn cell(shown: Shown) -> GridCell {
    match (shown.cell, shown.text) {
        (Cell::Null, _) => GridCell::Null,
        (Cell::Lookup(lookup), _) => GridCell::Lookup {
            id: lookup.id.to_string(),
            table: lookup.table.map(String::from),
            name: lookup.name.map(String::from),
        },
        (Cell::Integer(value), Some(text)) => GridCell::Formatted {
            value: value as f64,
            text,
        },
        (Cell::Real(value), Some(text)) => GridCell::Formatted { value, text },
        (_, Some(text)) => GridCell::Text(text),
        (Cell::Integer(value), None) => GridCell::Number(value as f64),
        (Cell::Real(value), None) => GridCell::Number(value),
        (Cell::Text(text), None) => GridCell::Text(text.into()),
        (Cell::Id(id), None) => GridCell::Text(id.to_string()),
    }
}

/// One record in full.
pub fn record(record: RecordDetail) -> wire::Record {
    wire::Record {
        row: row(record.row),
        version: record.version,
        raw: record.raw,
        unified: record.unified,
        deleted_at: record.deleted_at,
        link: record.link,
    }
}

/// A view that was opened under this number.
pub fn view(id: u32, view: &View) -> wire::View {
    wire::View {
        id,
        total: view.total(),
        whole: view.is_whole,
        opened_ms: view.opened_in.as_secs_f64() * 1_000.0,
    }
}

/// How rows are spread.
pub fn histogram(bars: Vec<HistogramBar>) -> Vec<wire::HistogramBar> {
    let bar = |bar: HistogramBar| wire::HistogramBar {
        first: bar.first.to_string(),
        last: bar.last.to_string(),
        rows: bar.rows,
        chosen: bar.chosen,
    };
    bars.into_iter().map(bar).collect()
}

/// Rows of a view.
pub fn window(rows: Vec<ViewRow>) -> wire::Window {
    wire::Window {
        rows: rows.into_iter().map(row).collect(),
    }
}
