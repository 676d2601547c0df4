//! What the service computes when a row is written: names, composites, states, base amounts.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::StatusCode;
use uuid::Uuid;

use super::errors;
use super::evaluate::plain;
use super::reply::Reply;
use crate::data::amounts::divide;
use crate::data::row::{CURRENCIES, RATES, Row, Value};
use crate::data::schema::{CURRENCY, Kind, TEAM, USER};
use crate::state::State;

type Cells = BTreeMap<String, Value>;

/// Adds to the cells of a write what follows from them; `row` is the row that is changed.
///
/// # Errors
/// A status reason that does not go with the state.
pub fn complete(
    state: &State,
    table: usize,
    row: Option<Row>,
    user: Uuid,
    cells: &mut Cells,
) -> Result<(), Reply> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
        .cast_signed();
    let set = |cells: &mut Cells, name: &str, value: Value| {
        if state.tables[table].column(name).is_some() {
            cells.insert(name.to_owned(), value);
        }
    };
    if row.is_none() {
        // A migrated row brings the date of its origin along, and is told to have come today.
        match cells.get("overriddencreatedon").cloned() {
            Some(origin @ Value::Moment(_)) => {
                set(cells, "createdon", origin);
                set(cells, "overriddencreatedon", Value::Moment(now));
            }
            _ => set(cells, "createdon", Value::Moment(now)),
        }
        set(cells, "createdby", Value::Reference(USER, user));
        if !cells.contains_key("ownerid") {
            set(cells, "ownerid", Value::Reference(USER, user));
        }
        defaults(state, table, cells);
    } else {
        cells.remove("overriddencreatedon");
    }
    set(cells, "modifiedon", Value::Moment(now));
    set(cells, "modifiedby", Value::Reference(USER, user));
    if let Some((of, id)) = cells.get("ownerid").and_then(|owner| state.target(owner)) {
        let own = |is_own| {
            if is_own {
                Value::Reference(of, id)
            } else {
                Value::Null
            }
        };
        set(cells, "owninguser", own(of == USER));
        set(cells, "owningteam", own(of == TEAM));
        set(cells, "owningbusinessunit", state.unit_of((of, id)));
    }
    states(state, table, row, cells)?;
    names(state, table, row, cells);
    amounts(state, table, row, cells);
    Ok(())
}

fn defaults(state: &State, table: usize, cells: &mut Cells) {
    for column in &state.tables[table].columns {
        let value = match column.kind {
            Kind::Boolean => Value::Boolean(false),
            Kind::State => match column.options.first() {
                Some((value, ..)) if !cells.contains_key("statuscode") => Value::Integer(*value),
                _ => continue,
            },
            Kind::EntityName if column.name == "activitytypecode" => {
                Value::Text(state.tables[table].name.to_owned())
            }
            _ => continue,
        };
        cells.entry(column.name.clone()).or_insert(value);
    }
}

/// The value that a column will have.
fn coming(state: &State, table: usize, row: Option<Row>, cells: &Cells, name: &str) -> Value {
    match (cells.get(name), row, state.tables[table].column(name)) {
        (Some(value), _, _) => value.clone(),
        (None, Some(row), Some(column)) => plain(state.value(row, column), column),
        _ => Value::Null,
    }
}

fn states(state: &State, table: usize, row: Option<Row>, cells: &mut Cells) -> Result<(), Reply> {
    let here = &state.tables[table];
    let Some(column) = here.column("statuscode") else {
        return Ok(());
    };
    let of = |status: i64| {
        let found = column.options.iter().find(|(value, ..)| *value == status);
        found.and_then(|(_, _, state)| *state)
    };
    match (
        cells.get("statecode").cloned(),
        cells.get("statuscode").cloned(),
    ) {
        (Some(Value::Integer(wanted)), Some(Value::Integer(status)))
            if of(status) != Some(wanted) =>
        {
            Err(errors::error(
                StatusCode::BAD_REQUEST,
                "0x80048408",
                &format!(
                    "{status} is not a valid status code for state code {wanted} on {} with Id {}.",
                    here.name,
                    row.map(|row| state.id(row.table, row.index))
                        .unwrap_or_default()
                ),
            ))
        }
        (Some(Value::Integer(wanted)), None | Some(Value::Null)) => {
            let first = column
                .options
                .iter()
                .find(|(_, _, state)| *state == Some(wanted));
            if let Some((status, ..)) = first {
                cells.insert("statuscode".to_owned(), Value::Integer(*status));
            }
            Ok(())
        }
        (None | Some(Value::Null), Some(Value::Integer(status))) => {
            if let Some(wanted) = of(status) {
                cells.insert("statecode".to_owned(), Value::Integer(wanted));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn names(state: &State, table: usize, row: Option<Row>, cells: &mut Cells) {
    let here = &state.tables[table];
    let text = |cells: &Cells, name: &str| match coming(state, table, row, cells, name) {
        Value::Text(text) if !text.is_empty() => Some(text),
        _ => None,
    };
    let touched =
        |cells: &Cells, names: &[&str]| names.iter().any(|name| cells.contains_key(*name));
    if here.primary_name == "fullname"
        && (row.is_none() || touched(cells, &["firstname", "lastname"]))
    {
        let parts = [text(cells, "firstname"), text(cells, "lastname")];
        let name: Vec<String> = parts.into_iter().flatten().collect();
        let name = (!name.is_empty()).then(|| name.join(" "));
        cells.insert("fullname".to_owned(), name.map_or(Value::Null, Value::Text));
    }
    for number in 1..=3 {
        let composite = format!("address{number}_composite");
        let prefix = format!("address{number}_");
        let is_touched = cells.keys().any(|name| name.starts_with(&prefix));
        if here.column(&composite).is_none() || !is_touched {
            continue;
        }
        let part = |name: &str| text(cells, &format!("{prefix}{name}"));
        let place: Vec<String> = [part("postalcode"), part("city")]
            .into_iter()
            .flatten()
            .collect();
        let place = (!place.is_empty()).then(|| place.join(" "));
        let lines = [
            part("line1"),
            part("line2"),
            part("line3"),
            place,
            part("country"),
        ];
        let lines: Vec<String> = lines.into_iter().flatten().collect();
        let whole = (!lines.is_empty()).then(|| lines.join("\n"));
        cells.insert(composite, whole.map_or(Value::Null, Value::Text));
    }
}

/// The `_base` twin of each amount that is written.
fn amounts(state: &State, table: usize, row: Option<Row>, cells: &mut Cells) {
    let here = &state.tables[table];
    let written: Vec<(String, Value)> = cells
        .iter()
        .filter(|(name, _)| {
            here.column(name)
                .is_some_and(|column| column.kind == Kind::Money)
        })
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if written.is_empty() || here.column("transactioncurrencyid").is_none() {
        return;
    }
    if matches!(
        coming(state, table, row, cells, "transactioncurrencyid"),
        Value::Null
    ) {
        let first = Value::Reference(CURRENCY, state.id(CURRENCY, 0));
        cells.insert("transactioncurrencyid".to_owned(), first);
    }
    let currency = coming(state, table, row, cells, "transactioncurrencyid");
    let index = state
        .target(&currency)
        .and_then(|(table, id)| state.index(table, id))
        .unwrap_or_default();
    let rate = RATES[index as usize % CURRENCIES.len()];
    if here.column("exchangerate").is_some() {
        cells.insert("exchangerate".to_owned(), Value::Number(rate.to_owned()));
    }
    for (name, value) in written {
        let twin = format!("{name}_base");
        if here.column(&twin).is_none() {
            continue;
        }
        let base = match value {
            Value::Number(digits) => Value::Number(divide(&digits, rate)),
            _ => Value::Null,
        };
        cells.insert(twin, base);
    }
}
