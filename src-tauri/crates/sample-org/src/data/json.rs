//! A row as JSON, and its values as the organisation formats them.

use std::fmt::Write as _;

use super::row::{CURRENCIES, Row, Value, World};
use super::schema::{Column, Kind, TABLES};

/// Which annotations were asked for.
#[derive(Clone, Copy, Default)]
pub struct Annotations {
    pub formatted: bool,
    pub lookup_table: bool,
    pub navigation: bool,
}

impl World {
    /// Appends a row as the Web API writes it: annotations before their property, nulls last.
    pub fn write(&self, row: Row, columns: &[&Column], annotations: Annotations, out: &mut String) {
        let _ = write!(out, "{{\"@odata.etag\":\"W/\\\"{}\\\"\"", row.version);
        let mut nulls = String::new();
        for column in columns {
            let wire = column.wire();
            let value = self.value(row, column);
            if matches!(value, Value::Null) {
                let _ = write!(nulls, ",\"{wire}\":null");
                continue;
            }
            if annotations.formatted
                && let Some(text) = self.formatted(row, column, &value)
            {
                let _ = write!(
                    out,
                    ",\"{wire}@OData.Community.Display.V1.FormattedValue\":"
                );
                quote(&text, out);
            }
            if let Value::Lookup(table, _) = value {
                let table = TABLES[table].name;
                if annotations.navigation {
                    let _ = write!(
                        out,
                        ",\"{wire}@Microsoft.Dynamics.CRM.associatednavigationproperty\":\"{}\"",
                        column.name
                    );
                }
                if annotations.lookup_table {
                    let _ = write!(
                        out,
                        ",\"{wire}@Microsoft.Dynamics.CRM.lookuplogicalname\":\"{table}\""
                    );
                }
            }
            let _ = write!(out, ",\"{wire}\":");
            match value {
                Value::Null => {}
                Value::Text(text) => quote(&text, out),
                Value::Integer(number) => {
                    let _ = write!(out, "{number}");
                }
                Value::Number(digits) => out.push_str(&digits),
                Value::Boolean(value) => {
                    let _ = write!(out, "{value}");
                }
                Value::Id(id) => {
                    let _ = write!(out, "\"{id}\"");
                }
                Value::Moment(seconds) => {
                    let _ = write!(out, "\"{}Z\"", moment(seconds));
                }
                Value::Day(days) => {
                    let _ = write!(out, "\"{}\"", day(days));
                }
                Value::Lookup(table, index) => {
                    let _ = write!(out, "\"{}\"", self.id(table, index));
                }
            }
        }
        out.push_str(&nulls);
        out.push('}');
    }

    fn formatted(&self, row: Row, column: &Column, value: &Value) -> Option<String> {
        let label = |number: i64| {
            column
                .options
                .iter()
                .find(|(value, ..)| *value == number)
                .map(|(_, label, _)| (*label).to_owned())
        };
        match (column.kind, value) {
            (_, Value::Lookup(table, index)) => self.name(*table, *index),
            (Kind::Picklist | Kind::State | Kind::Status, Value::Integer(number)) => label(*number),
            (Kind::Boolean, Value::Boolean(value)) => label(i64::from(*value)),
            (Kind::MultiSelect, Value::Text(numbers)) => {
                let labels: Vec<String> = numbers
                    .split(',')
                    .filter_map(|number| label(number.parse().ok()?))
                    .collect();
                Some(labels.join("; "))
            }
            (Kind::Money, Value::Number(digits)) => {
                let symbol = CURRENCIES[self.currency(row) as usize].2;
                let amount: f64 = digits.parse().ok()?;
                Some(format!(
                    "{symbol} {}.{:02}",
                    grouped(amount as i64),
                    (amount.fract() * 100.0) as i64
                ))
            }
            (Kind::Decimal, Value::Number(digits)) => Some(digits.clone()),
            (Kind::Integer | Kind::BigInt, Value::Integer(number)) => Some(grouped(*number)),
            (Kind::DateTime, Value::Moment(seconds)) => Some(moment(*seconds).replace('T', " ")),
            (Kind::DateOnly, Value::Day(days)) => Some(day(*days)),
            _ => None,
        }
    }
}

fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

fn quote(text: &str, out: &mut String) {
    match serde_json::to_string(text) {
        Ok(json) => out.push_str(&json),
        Err(_) => out.push_str("null"),
    }
}

/// `YYYY-MM-DD` (Howard Hinnant's civil_from_days).
pub fn day(days: i64) -> String {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `YYYY-MM-DDTHH:MM:SS`, in UTC.
pub fn moment(seconds: i64) -> String {
    let time = seconds.rem_euclid(86_400);
    format!(
        "{}T{:02}:{:02}:{:02}",
        day(seconds.div_euclid(86_400)),
        time / 3_600,
        time / 60 % 60,
        time % 60
    )
}
