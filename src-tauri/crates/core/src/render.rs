//! Records as people and scripts see them.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use salesmirror_model::{Cell, ColumnKind, ColumnMetadata};
use salesmirror_store::Row;
use serde_json::value::RawValue;

const FORMATTED: &str = "@OData.Community.Display.V1.FormattedValue";
const LOOKUP_TABLE: &str = "@Microsoft.Dynamics.CRM.lookuplogicalname";

/// A value with the text that stands for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// The value.
    pub cell: Cell,
    /// Its label, or the amount as the organisation writes it.
    pub text: Option<String>,
}

/// A row of a window.
#[derive(Debug, Clone, PartialEq)]
pub struct ViewRow {
    /// Record id.
    pub id: String,
    /// Whether the organisation deleted it.
    pub deleted: bool,
    /// Whether it was invalidated.
    pub stale: bool,
    /// One value for each column.
    pub values: Vec<Shown>,
}

/// The properties of a record as it was delivered.
pub struct Delivered<'r>(HashMap<String, &'r RawValue>);

impl<'r> Delivered<'r> {
    /// Reads the row's original record; without one nothing was delivered.
    pub fn of(row: &'r Row) -> Self {
        let raw = row.raw.as_deref().unwrap_or_default();
        Self(serde_json::from_slice(raw).unwrap_or_default())
    }

    /// A property's JSON text.
    fn json(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.get())
    }

    fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.json(name)?).ok()
    }

    /// The value's own text, with the digits that were delivered.
    pub fn literal(&self, column: &ColumnMetadata) -> Option<String> {
        let json = self.json(&column.wire_name())?;
        match json {
            "null" => None,
            _ => Some(serde_json::from_str::<String>(json).unwrap_or_else(|_| json.to_owned())),
        }
    }
}

/// The text that people read: a label, a lookup's current name, an amount as the organisation
/// writes it. `None` where the value speaks for itself.
pub fn formatted(
    column: &ColumnMetadata,
    cell: &Cell,
    delivered: &Delivered<'_>,
) -> Option<String> {
    match cell {
        Cell::Null => None,
        Cell::Lookup(lookup) => lookup.name.as_deref().map(str::to_owned),
        Cell::Integer(value) if column.kind.has_labels() => column
            .label_of(*value)
            .map(str::to_owned)
            .or_else(|| delivered.text(&format!("{}{FORMATTED}", column.wire_name()))),
        Cell::Text(numbers) if column.kind == ColumnKind::MultiChoice => {
            let labels: Option<Vec<&str>> = numbers
                .split(',')
                .map(|number| column.label_of(number.trim().parse().ok()?))
                .collect();
            labels
                .map(|labels| labels.join("; "))
                .or_else(|| delivered.text(&format!("{}{FORMATTED}", column.wire_name())))
        }
        _ => delivered.text(&format!("{}{FORMATTED}", column.wire_name())),
    }
}

/// A row of the grid.
pub fn view_row(columns: &[&ColumnMetadata], row: Row) -> ViewRow {
    let texts: Vec<Option<String>> = {
        let delivered = Delivered::of(&row);
        let shown = |column: &ColumnMetadata, cell: &Cell| match cell {
            // The grid writes dates and plain numbers itself.
            Cell::Lookup(_) => None,
            _ if column.kind.has_labels() || column.kind == ColumnKind::Money => {
                formatted(column, cell, &delivered)
            }
            _ => None,
        };
        columns
            .iter()
            .zip(&row.cells)
            .map(|(column, cell)| shown(column, cell))
            .collect()
    };
    ViewRow {
        id: row.id.to_string(),
        deleted: row.deleted_at.is_some(),
        stale: row.stale_at.is_some(),
        values: row
            .cells
            .into_iter()
            .zip(texts)
            .map(|(cell, text)| Shown { cell, text })
            .collect(),
    }
}

/// A record as one JSON object: Dataverse's own names and values in the columns' order, with their
/// annotations, then `_deleted` and `_stale`, and of a deleted one `_deleted_at`: when that was seen.
pub fn record_json(columns: &[&ColumnMetadata], row: &Row) -> String {
    let delivered = Delivered::of(row);
    let mut json = String::from("{");
    for (column, cell) in columns.iter().zip(&row.cells) {
        let name = column.wire_name();
        if let Cell::Lookup(lookup) = cell
            && let Some(table) = &lookup.table
        {
            property(&mut json, &format!("{name}{LOOKUP_TABLE}"), &quoted(table));
        }
        if let Some(text) = formatted(column, cell, &delivered) {
            property(&mut json, &format!("{name}{FORMATTED}"), &quoted(&text));
        }
        let value = delivered
            .json(&name)
            .map_or_else(|| cell_json(column, cell), str::to_owned);
        property(&mut json, &name, &value);
    }
    property(&mut json, "_deleted", &row.deleted_at.is_some().to_string());
    property(&mut json, "_stale", &row.stale_at.is_some().to_string());
    if let Some(deleted_at) = row.deleted_at {
        property(&mut json, "_deleted_at", &quoted(&moment(deleted_at)));
    }
    json.push('}');
    json
}

fn property(json: &mut String, name: &str, value: &str) {
    if json.len() > 1 {
        json.push(',');
    }
    json.push_str(&quoted(name));
    json.push(':');
    json.push_str(value);
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_else(|_| "null".to_owned())
}

/// A cell as JSON where the record did not deliver the property.
fn cell_json(column: &ColumnMetadata, cell: &Cell) -> String {
    match plain(column, cell) {
        None => "null".to_owned(),
        Some(text) => match cell {
            Cell::Integer(_) if column.kind == ColumnKind::Boolean => text,
            Cell::Integer(_)
                if !matches!(column.kind, ColumnKind::DateTime | ColumnKind::DateOnly) =>
            {
                text
            }
            Cell::Real(_) => text,
            _ => quoted(&text),
        },
    }
}

/// A cell's own text, without labels: dates as ISO 8601, booleans as true and false.
pub fn plain(column: &ColumnMetadata, cell: &Cell) -> Option<String> {
    Some(match cell {
        Cell::Null => return None,
        Cell::Integer(value) => match column.kind {
            ColumnKind::Boolean => (*value != 0).to_string(),
            ColumnKind::DateTime => moment(*value),
            ColumnKind::DateOnly => day(*value),
            _ => value.to_string(),
        },
        Cell::Real(value) => value.to_string(),
        Cell::Text(text) => text.to_string(),
        Cell::Id(id) => id.to_string(),
        Cell::Lookup(lookup) => lookup.id.to_string(),
    })
}

/// A number with groups of three digits: `20,000` of 20000.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Milliseconds since 1970 as ISO 8601, in UTC.
pub fn moment(milliseconds: i64) -> String {
    let Ok(moment) = Timestamp::from_millisecond(milliseconds) else {
        return milliseconds.to_string();
    };
    if milliseconds % 1_000 == 0 {
        format!("{moment:.0}")
    } else {
        format!("{moment:.3}")
    }
}

fn day(days: i64) -> String {
    let span = i32::try_from(days)
        .ok()
        .and_then(|days| jiff::Span::new().try_days(days).ok());
    span.and_then(|span| Date::constant(1970, 1, 1).checked_add(span).ok())
        .map_or_else(|| days.to_string(), |date| date.to_string())
}
