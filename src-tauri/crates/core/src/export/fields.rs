//! The columns of an export, and their typed values: a column of the table gives one of them, a
//! lookup its name and its id.

use salesmirror_model::{Cell, ColumnKind, ColumnMetadata};
use salesmirror_store::Row;

use crate::render::{Delivered, formatted, plain};

/// What a column of an export holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    Text,
    Integer,
    Number,
    Boolean,
    /// Milliseconds since 1970 UTC.
    Moment,
    /// Days since 1970-01-01.
    Day,
}

/// A value of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Field {
    Null,
    Text(String),
    Integer(i64),
    Number(f64),
    Boolean(bool),
    Moment(i64),
    Day(i64),
}

/// Names and kinds of the columns that these columns of a table give.
pub fn heads(columns: &[&ColumnMetadata], raw_values: bool) -> Vec<(String, FieldKind)> {
    let mut heads = Vec::with_capacity(columns.len());
    for column in columns {
        let kind = match column.kind {
            kind if kind.has_labels() && !raw_values => FieldKind::Text,
            ColumnKind::Boolean => FieldKind::Boolean,
            ColumnKind::Integer
            | ColumnKind::BigInteger
            | ColumnKind::Choice
            | ColumnKind::State
            | ColumnKind::Status => FieldKind::Integer,
            ColumnKind::Decimal | ColumnKind::Double | ColumnKind::Money => FieldKind::Number,
            ColumnKind::DateTime => FieldKind::Moment,
            ColumnKind::DateOnly => FieldKind::Day,
            _ => FieldKind::Text,
        };
        heads.push((column.logical_name.clone(), kind));
        if column.kind.is_lookup() && !raw_values {
            heads.push((format!("{}.id", column.logical_name), FieldKind::Text));
        }
    }
    heads
}

/// The values of a row, as many as there are heads.
pub fn fields(columns: &[&ColumnMetadata], row: &Row, raw_values: bool) -> Vec<Field> {
    let delivered = Delivered::of(row);
    let mut fields = Vec::with_capacity(columns.len());
    for (column, cell) in columns.iter().zip(&row.cells) {
        if column.kind.is_lookup() {
            let (name, id) = match cell {
                Cell::Lookup(lookup) => (
                    lookup.name.as_deref().map(str::to_owned),
                    Some(lookup.id.to_string()),
                ),
                other => (None, plain(column, other)),
            };
            if !raw_values {
                fields.push(name.map_or(Field::Null, Field::Text));
            }
            fields.push(id.map_or(Field::Null, Field::Text));
            continue;
        }
        fields.push(match cell {
            Cell::Null => Field::Null,
            _ if column.kind.has_labels() && !raw_values => formatted(column, cell, &delivered)
                .or_else(|| plain(column, cell))
                .map_or(Field::Null, Field::Text),
            Cell::Integer(number) => match column.kind {
                ColumnKind::Boolean => Field::Boolean(*number != 0),
                ColumnKind::DateTime => Field::Moment(*number),
                ColumnKind::DateOnly => Field::Day(*number),
                kind if kind.is_decimal() => Field::Number(*number as f64),
                _ => Field::Integer(*number),
            },
            Cell::Real(number) => Field::Number(*number),
            other => plain(column, other).map_or(Field::Null, Field::Text),
        });
    }
    fields
}
