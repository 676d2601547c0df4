//! A row as JSON, and its values as the organisation formats them.

use std::collections::HashMap;
use std::fmt::Write as _;

use uuid::Uuid;

use crate::data::row::{CURRENCIES, Row, Value};
use crate::data::schema::{Column, Kind, USER};
use crate::data::time::{day, moment, shown_day, shown_moment};
use crate::state::State;

/// Which annotations were asked for.
#[derive(Clone, Copy, Default)]
pub struct Annotations {
    pub formatted: bool,
    pub lookup_table: bool,
    pub navigation: bool,
}

/// A column of an answer.
pub struct Shown<'s> {
    pub column: &'s Column,
    /// Column security: null, whatever its value.
    pub is_hidden: bool,
}

/// Which columns of a row an answer holds, and what is expanded in it.
#[derive(Default)]
pub struct Shape<'s> {
    pub columns: Vec<Shown<'s>>,
    pub expands: Vec<Expand<'s>>,
    /// `ownerid` comes along with users although nobody selects it.
    pub has_owner: bool,
}

/// An expanded navigation property.
pub struct Expand<'s> {
    pub name: String,
    pub shape: Shape<'s>,
    pub leads: Leads<'s>,
}

/// Where an expanded property leads.
pub enum Leads<'s> {
    /// To the row of a lookup, if it is of this table.
    One(&'s Column, usize),
    /// To the rows that point here, by the id they point to, and how many a parent has at most.
    Many(HashMap<Uuid, Vec<Row>>, usize),
}

impl State {
    /// Appends a row as the Web API writes it: annotations before their property, nulls last.
    pub fn write(&self, row: Row, shape: &Shape<'_>, annotations: Annotations, out: &mut String) {
        let _ = write!(out, "{{\"@odata.etag\":\"W/\\\"{}\\\"\"", row.version);
        self.write_columns(row, shape, annotations, out);
        out.push('}');
    }

    fn write_columns(
        &self,
        row: Row,
        shape: &Shape<'_>,
        annotations: Annotations,
        out: &mut String,
    ) {
        let mut nulls = String::new();
        let table = self.tables[row.table].name;
        let written = self.written(row.table, row.index);
        for Shown { column, is_hidden } in &shape.columns {
            let wire = column.wire.as_str();
            let value = if *is_hidden {
                Value::Null
            } else {
                self.value_beside(row, column, written)
            };
            if matches!(value, Value::Null) {
                let _ = write!(nulls, ",\"{}\":null", escaped(wire));
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
            if let Value::Lookup(target, _) | Value::Reference(target, _) = value {
                let target = self.tables[target].name;
                if annotations.navigation {
                    let _ = write!(
                        out,
                        ",\"{wire}@Microsoft.Dynamics.CRM.associatednavigationproperty\":\"{}\"",
                        column.navigation(table, target)
                    );
                }
                if annotations.lookup_table {
                    let _ = write!(
                        out,
                        ",\"{wire}@Microsoft.Dynamics.CRM.lookuplogicalname\":\"{target}\""
                    );
                }
            }
            let _ = write!(out, ",\"{}\":", escaped(wire));
            self.write_value(value, out);
        }
        if shape.has_owner {
            let _ = write!(out, ",\"ownerid\":\"{}\"", self.id(USER, row.index));
        }
        out.push_str(&nulls);
        for expand in &shape.expands {
            self.write_expanded(row, expand, annotations, out);
        }
    }

    fn write_value(&self, value: Value, out: &mut String) {
        let _ = match value {
            Value::Null => out.write_str("null"),
            Value::Text(text) => {
                quote(&text, out);
                Ok(())
            }
            Value::Integer(number) => write!(out, "{number}"),
            Value::Number(digits) | Value::Exact(digits) => out.write_str(&digits),
            Value::Boolean(value) => write!(out, "{value}"),
            Value::Id(id) | Value::Reference(_, id) => write!(out, "\"{id}\""),
            Value::Moment(seconds) => write!(out, "\"{}Z\"", moment(seconds)),
            Value::Day(days) => write!(out, "\"{}\"", day(days)),
            Value::Lookup(table, index) => write!(out, "\"{}\"", self.id(table, index)),
        };
    }

    fn write_expanded(
        &self,
        row: Row,
        expand: &Expand<'_>,
        annotations: Annotations,
        out: &mut String,
    ) {
        let _ = write!(out, ",\"{}\":", expand.name);
        match &expand.leads {
            Leads::One(column, table) => {
                let target = self
                    .target(&self.value(row, column))
                    .filter(|(of, _)| of == table)
                    .and_then(|(table, id)| self.find(table, id));
                match target {
                    None => out.push_str("null"),
                    Some(target) => self.write_nested(target, &expand.shape, annotations, out),
                }
            }
            Leads::Many(children, most) => {
                out.push('[');
                let found = children.get(&self.id(row.table, row.index));
                for (place, child) in found.into_iter().flatten().take(*most).enumerate() {
                    if place > 0 {
                        out.push(',');
                    }
                    self.write(*child, &expand.shape, annotations, out);
                }
                out.push(']');
            }
        }
    }

    /// The row of an expanded lookup comes without an ETag, as recorded.
    fn write_nested(
        &self,
        row: Row,
        shape: &Shape<'_>,
        annotations: Annotations,
        out: &mut String,
    ) {
        let begin = out.len();
        self.write_columns(row, shape, annotations, out);
        // The columns begin with a comma, and there is at least the primary id.
        out.replace_range(begin..=begin, "{");
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
            (_, Value::Reference(table, id)) => self.name(*table, self.index(*table, *id)?),
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
                // Twins are in the organisation's own currency, whatever the row's.
                let symbol = match column.name.ends_with("_base") {
                    true => CURRENCIES[0].2,
                    false => self.symbol(row).unwrap_or_default(),
                };
                Some(format!("{symbol}{}", shown_amount(digits)))
            }
            (Kind::Decimal | Kind::Double, Value::Number(digits)) => Some(digits.clone()),
            (Kind::Integer | Kind::BigInt, Value::Integer(number)) => {
                Some(grouped(&number.to_string()))
            }
            (Kind::DateTime | Kind::FixedDateTime, Value::Moment(seconds)) => {
                Some(shown_moment(*seconds))
            }
            (Kind::DateOnly, Value::Day(days)) => Some(shown_day(*days)),
            _ => None,
        }
    }

    fn symbol(&self, row: Row) -> Option<&'static str> {
        let (table, id) = self.target(&self.cell(row, "transactioncurrencyid"))?;
        let index = self.index(table, id)?;
        Some(CURRENCIES[index as usize % CURRENCIES.len()].2)
    }
}

/// `20,000.00` of `20000.0000`.
fn shown_amount(digits: &str) -> String {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let cents: String = fraction.chars().chain("00".chars()).take(2).collect();
    format!("{}.{cents}", grouped(whole))
}

fn grouped(number: &str) -> String {
    let digits = number.trim_start_matches('-');
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number.starts_with('-') {
        format!("-{text}")
    } else {
        text
    }
}

/// A property name; a column can be called anything.
fn escaped(name: &str) -> std::borrow::Cow<'_, str> {
    if name.contains(['"', '\\']) {
        let mut text = String::new();
        quote(name, &mut text);
        text[1..text.len() - 1].to_owned().into()
    } else {
        name.into()
    }
}

fn quote(text: &str, out: &mut String) {
    match serde_json::to_string(text) {
        Ok(json) => out.push_str(&json),
        Err(_) => out.push_str("null"),
    }
}
