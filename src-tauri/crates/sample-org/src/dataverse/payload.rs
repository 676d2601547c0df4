//! The body of a write: from JSON to values, digit by digit.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::reply::Reply;
use super::{address, errors, evaluate};
use crate::data::row::Value;
use crate::data::schema::{Column, Kind};
use crate::data::time::{read_day, read_moment};
use crate::state::State;

/// What a body asks for.
#[derive(Default)]
pub struct Payload {
    /// Values by logical name.
    pub cells: BTreeMap<String, Value>,
    pub id: Option<Uuid>,
    /// Rows to be made along with this one: the lookup, its table, their body.
    pub nested: Vec<(String, usize, String)>,
}

/// Characters that a text column takes.
pub fn max_length(column: &Column) -> usize {
    match column.kind {
        Kind::Memo => 1_048_576,
        _ if column.is_custom() => 4_000,
        _ => 500,
    }
}

/// Reads a body.
///
/// # Errors
/// The refusal of what does not fit the table.
pub fn read(state: &State, table: usize, body: &[u8]) -> Result<Payload, Reply> {
    let here = &state.tables[table];
    let bad = |message: &str| errors::bad_payload(here.set, message);
    let fields: BTreeMap<String, Box<RawValue>> =
        serde_json::from_slice(body).map_err(|error| bad(&format!("Invalid JSON. {error}")))?;
    let mut payload = Payload::default();
    for (name, raw) in &fields {
        let raw = raw.get().trim();
        if let Some((property, annotation)) = name.split_once('@') {
            if annotation == "odata.bind" {
                bind(state, table, property, raw, &mut payload)?;
            }
            continue;
        }
        if let Some(column) = here.property(name) {
            if column.is_lookup() {
                return Err(bad(
                    "CRM do not support direct update of Entity Reference properties, Use Navigation properties instead.",
                ));
            }
            let value = value(state, table, column, raw)?;
            if column.name == here.primary_id {
                if let Value::Id(id) = value {
                    payload.id = Some(id);
                }
            } else if column.is_writable() || column.name == "overriddencreatedon" {
                payload.cells.insert(column.name.clone(), value);
            }
            continue;
        }
        let Some((column, target)) = evaluate::lookup(here, name) else {
            return Err(bad(&format!(
                "The property '{name}' does not exist on type 'Microsoft.Dynamics.CRM.{}'. Make sure to only use property names that are defined by the type.",
                here.name
            )));
        };
        match (raw, state.table(target)) {
            ("null", _) => {
                payload.cells.insert(column.name.clone(), Value::Null);
            }
            (_, Some(target)) if raw.starts_with('{') => {
                payload
                    .nested
                    .push((column.name.clone(), target, raw.to_owned()));
            }
            _ => return Err(bad(&format!("The property '{name}' has an invalid value."))),
        }
    }
    Ok(payload)
}

fn bind(
    state: &State,
    table: usize,
    property: &str,
    raw: &str,
    payload: &mut Payload,
) -> Result<(), Reply> {
    let here = &state.tables[table];
    let bad = |message: &str| errors::bad_payload(here.set, message);
    let (column, _) = evaluate::lookup(here, property).ok_or_else(|| {
        bad(&format!(
            "An undeclared property '{property}' which only has property annotations in the payload but no property value was found in the payload."
        ))
    })?;
    // Null takes a reference away, as "Associate and disassociate table rows" documents for PATCH.
    if raw == "null" {
        payload.cells.insert(column.name.clone(), Value::Null);
        return Ok(());
    }
    let Ok(text) = serde_json::from_str::<String>(raw) else {
        return Err(bad(
            "The 'odata.bind' instance or property annotation has an invalid value. In OData, the 'odata.bind' instance or property annotation must have a non-null string value.",
        ));
    };
    let (target, id) = refer(state, &text)?;
    let name = state.tables[target].name;
    if !column.targets.contains(&name) || column.navigation(here.name, name) != property {
        return Err(bad(&format!(
            "A row of '{name}' cannot be bound to the property '{property}'."
        )));
    }
    payload
        .cells
        .insert(column.name.clone(), Value::Reference(target, id));
    Ok(())
}

/// The row that an address in a body names.
pub fn refer(state: &State, text: &str) -> Result<(usize, Uuid), Reply> {
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8_lossy();
    let place = address::read(state, &decoded)?;
    let Some(key) = place.key.filter(|_| place.rest.is_empty()) else {
        return Err(errors::bad_request(&format!("'{text}' names no row.")));
    };
    let row = address::find(state, place.table, &key)
        .ok_or_else(|| address::missing(state, place.table, &key))?;
    Ok((place.table, state.id(place.table, row.index)))
}

/// A JSON value as the column's kind takes it.
pub fn value(state: &State, table: usize, column: &Column, raw: &str) -> Result<Value, Reply> {
    let here = &state.tables[table];
    if raw == "null" {
        return Ok(Value::Null);
    }
    let text = || serde_json::from_str::<String>(raw).ok();
    let refuse = |of: &str| {
        Err(errors::bad_payload(
            here.set,
            &format!("Cannot convert the literal '{raw}' to the expected type '{of}'."),
        ))
    };
    match column.kind {
        Kind::Text | Kind::Memo | Kind::EntityName | Kind::Image | Kind::MultiSelect => {
            let Some(text) = text() else {
                return refuse("Edm.String");
            };
            if column.kind == Kind::MultiSelect {
                for part in text.split(',').filter(|part| !part.is_empty()) {
                    let number = part.trim().parse().unwrap_or(i64::MIN);
                    listed(state, table, column, number)?;
                }
            }
            if text.chars().count() > max_length(column) && column.kind != Kind::Image {
                return Err(errors::error(
                    StatusCode::BAD_REQUEST,
                    "0x80044331",
                    &format!(
                        "A validation error occurred. The length of the '{}' attribute of the '{}' entity exceeded the maximum allowed length of '{}'.",
                        column.name,
                        here.name,
                        max_length(column)
                    ),
                ));
            }
            Ok(Value::Text(text))
        }
        Kind::Integer | Kind::Picklist | Kind::State | Kind::Status => {
            let Ok(number) = raw.parse::<i32>() else {
                return refuse("Edm.Int32");
            };
            if column.kind != Kind::Integer {
                listed(state, table, column, i64::from(number))?;
            }
            Ok(Value::Integer(i64::from(number)))
        }
        Kind::BigInt => match raw.parse() {
            Ok(number) => Ok(Value::Integer(number)),
            Err(_) => refuse("Edm.Int64"),
        },
        Kind::Decimal | Kind::Money | Kind::Double => {
            if raw.parse::<f64>().is_err() {
                return refuse("Edm.Decimal");
            }
            Ok(Value::Number(raw.to_owned()))
        }
        Kind::Boolean => match raw {
            "true" => Ok(Value::Boolean(true)),
            "false" => Ok(Value::Boolean(false)),
            _ => refuse("Edm.Boolean"),
        },
        Kind::DateTime | Kind::FixedDateTime => match text().and_then(|text| read_moment(&text)) {
            Some(seconds) => Ok(Value::Moment(seconds)),
            None => refuse("Edm.DateTimeOffset"),
        },
        Kind::DateOnly => match text().and_then(|text| read_day(&text)) {
            Some(days) => Ok(Value::Day(days)),
            None => refuse("Edm.Date"),
        },
        Kind::Id | Kind::File => match text().and_then(|text| Uuid::try_parse(&text).ok()) {
            Some(id) => Ok(Value::Id(id)),
            None => refuse("Edm.Guid"),
        },
        Kind::Lookup | Kind::Customer | Kind::Owner | Kind::ManagedProperty => {
            refuse("Microsoft.Dynamics.CRM.crmbaseentity")
        }
    }
}

fn listed(state: &State, table: usize, column: &Column, number: i64) -> Result<(), Reply> {
    if column.options.iter().any(|(value, ..)| *value == number) {
        return Ok(());
    }
    let all: Vec<String> = column
        .options
        .iter()
        .map(|(value, ..)| value.to_string())
        .collect();
    Err(errors::error(
        StatusCode::BAD_REQUEST,
        "0x8004431a",
        &format!(
            "A validation error occurred. The value {number} of '{}' on record of type '{}' is outside the valid range. Accepted Values: {}",
            column.name,
            state.tables[table].name,
            all.join(",")
        ),
    ))
}
