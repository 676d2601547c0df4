//! CSV: RFC 4180, null as an empty field and empty text as `""`.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use salesmirror_model::{Cell, ColumnKind, ColumnMetadata};
use salesmirror_store::{QueryValue, Row};

use super::{ExportOptions, is_formula};
use crate::render::{Delivered, formatted, plain};

/// A row of a query's result as a line of CSV.
#[must_use]
pub fn csv_line(values: &[QueryValue]) -> String {
    let options = ExportOptions::default();
    let mut line = String::new();
    let mut fields = Fields {
        line: &mut line,
        options: &options,
        first: true,
    };
    for value in values {
        match value {
            QueryValue::Null => fields.optional(None),
            QueryValue::Integer(number) => fields.plain(&number.to_string()),
            QueryValue::Real(number) => fields.plain(&number.to_string()),
            QueryValue::Text(text) => fields.text(text),
            QueryValue::Bytes(bytes) => fields.plain(&super::base64_text(bytes)),
        }
    }
    line.push_str("\r\n");
    line
}

/// The names of the columns, behind the byte order mark.
pub fn header(columns: &[&ColumnMetadata], options: &ExportOptions) -> String {
    let mut line = String::new();
    if options.bom {
        line.push('\u{feff}');
    }
    let mut fields = Fields {
        line: &mut line,
        options,
        first: true,
    };
    for column in columns {
        fields.text(&column.logical_name);
        if column.kind.is_lookup() && !options.raw_values {
            fields.text(&format!("{}.id", column.logical_name));
        }
    }
    line.push_str("\r\n");
    line
}

/// Adds a row as a line.
pub fn write_line(
    columns: &[&ColumnMetadata],
    options: &ExportOptions,
    row: &Row,
    line: &mut String,
) {
    let delivered = Delivered::of(row);
    let mut fields = Fields {
        line,
        options,
        first: true,
    };
    for (column, cell) in columns.iter().zip(&row.cells) {
        match cell {
            Cell::Lookup(lookup) => {
                if !options.raw_values {
                    fields.optional(lookup.name.as_deref());
                }
                fields.plain(&lookup.id.to_string());
            }
            Cell::Null => {
                fields.optional(None);
                if column.kind.is_lookup() && !options.raw_values {
                    fields.optional(None);
                }
            }
            _ if column.kind.has_labels() && !options.raw_values => {
                let label = formatted(column, cell, &delivered);
                fields.optional(label.or_else(|| plain(column, cell)).as_deref());
            }
            Cell::Real(_) => {
                let digits = delivered.literal(column).or_else(|| plain(column, cell));
                fields.plain(digits.as_deref().unwrap_or_default());
            }
            Cell::Text(text) => fields.text(text),
            Cell::Integer(moment) if options.local_dates && column.kind == ColumnKind::DateTime => {
                fields.plain(&local_moment(*moment, &TimeZone::system()));
            }
            _ => fields.plain(plain(column, cell).as_deref().unwrap_or_default()),
        }
    }
    fields.line.push_str("\r\n");
}

/// Milliseconds since 1970 by the clock on the wall, as spreadsheets take it for a date.
fn local_moment(milliseconds: i64, zone: &TimeZone) -> String {
    let Ok(moment) = Timestamp::from_millisecond(milliseconds) else {
        return milliseconds.to_string();
    };
    let local = moment.to_zoned(zone.clone());
    local.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

struct Fields<'a> {
    line: &'a mut String,
    options: &'a ExportOptions,
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
        let quote = if self.options.quote_all { "\"" } else { "" };
        self.line.push_str(quote);
        self.line.push_str(text);
        self.line.push_str(quote);
    }

    /// Text; empty text is `""`, so that it differs from null.
    fn text(&mut self, text: &str) {
        self.begin();
        let guarded = self.options.formula_guard && is_formula(text);
        // Words at a time: these are most bytes of an export.
        let is_special = memchr::memchr3(b'"', b'\r', b'\n', text.as_bytes()).is_some();
        let quote = self.options.quote_all
            || is_special
            || text.is_empty()
            || text.contains(self.options.delimiter)
            || text.starts_with(char::is_whitespace)
            || text.ends_with(char::is_whitespace);
        if quote {
            self.line.push('"');
        }
        if guarded {
            self.line.push('\'');
        }
        if is_special && text.contains('"') {
            self.line.push_str(&text.replace('"', "\"\""));
        } else {
            self.line.push_str(text);
        }
        if quote {
            self.line.push('"');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(text: Option<&str>, options: &ExportOptions) -> String {
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
        let options = ExportOptions::default();
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
        let open = ExportOptions {
            formula_guard: false,
            delimiter: ';',
            ..options
        };
        assert_eq!(field(Some("=1;2"), &open), "\"=1;2\"");
        assert_eq!(field(Some("a,b"), &open), "a,b");
        let all = ExportOptions {
            quote_all: true,
            ..ExportOptions::default()
        };
        assert_eq!(field(Some("plain"), &all), "\"plain\"");
        assert_eq!(field(None, &all), "");
    }

    #[test]
    fn moments_are_those_of_the_clock_on_the_wall() {
        let zone = TimeZone::get("Europe/Oslo").unwrap();
        // 2026-03-28 and 2026-03-29, 12:00 UTC: summer time began in between.
        assert_eq!(
            local_moment(1_774_699_200_000, &zone),
            "2026-03-28 13:00:00"
        );
        assert_eq!(
            local_moment(1_774_785_600_000, &zone),
            "2026-03-29 14:00:00"
        );
    }
}
