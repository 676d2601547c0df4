//! Create, update, upsert, delete.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde_json::json;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::address::{self, Key};
use super::errors::{self, Right};
use super::evaluate::{self, plain};
use super::payload::{self, Payload};
use super::reply::Reply;
use super::{Call, PATH, computed, pages, query};
use crate::data::row::{Row, Value};
use crate::state::{Depth, State};

/// `POST accounts`.
pub fn create(state: &mut State, call: &Call<'_>, table: usize) -> Result<Reply, Reply> {
    if let Some(id) = chosen(state, call, table)? {
        return Err(id);
    }
    let payload = payload::read(state, table, call.body)?;
    let row = insert(state, call, table, payload)?;
    written(state, call, row, StatusCode::CREATED)
}

/// The refusal of duplicate detection, where the client asks for it.
fn chosen(state: &State, call: &Call<'_>, table: usize) -> Result<Option<Reply>, Reply> {
    if call.header("mscrm.suppressduplicatedetection") != Some("false") {
        return Ok(None);
    }
    let fields: serde_json::Value = serde_json::from_slice(call.body).unwrap_or_default();
    let Some(mail) = fields["emailaddress1"].as_str() else {
        return Ok(None);
    };
    let values = BTreeMap::from([("emailaddress1".to_owned(), mail.to_owned())]);
    let has_column = state.tables[table].column("emailaddress1").is_some();
    let twin = has_column
        .then(|| address::with_values(state, table, &values))
        .flatten();
    Ok(twin.map(|_| {
        errors::error(
            StatusCode::PRECONDITION_FAILED,
            "0x80040333",
            "A record was not created or updated because a duplicate of the current record already exists.",
        )
    }))
}

fn insert(
    state: &mut State,
    call: &Call<'_>,
    table: usize,
    payload: Payload,
) -> Result<Row, Reply> {
    refuse_by_plugin(state, table, "create")?;
    if state.right(table, Right::Create) == Depth::None {
        return Err(errors::missing_privilege(
            state,
            Right::Create,
            table,
            call.user,
        ));
    }
    let Payload {
        mut cells,
        id,
        nested,
    } = payload;
    let id = id.filter(|id| !id.is_nil());
    if id.is_some_and(|id| state.find(table, id).is_some()) {
        return Err(errors::duplicate_id());
    }
    for (column, target, body) in nested {
        let inner = payload::read(state, target, body.as_bytes())?;
        let row = insert(state, call, target, inner)?;
        let id = state.id(target, row.index);
        cells.insert(column, Value::Reference(target, id));
    }
    computed::complete(state, table, None, call.user, &mut cells)?;
    unique(state, table, None, &cells)?;
    Ok(state.create(table, id, cells))
}

/// `PATCH accounts(…)`: an upsert, unless `If-Match` says that the row must be there.
pub fn update(state: &mut State, call: &Call<'_>, table: usize, key: &Key) -> Result<Reply, Reply> {
    let payload = payload::read(state, table, call.body)?;
    let Some(row) = address::find(state, table, key) else {
        if call.header("if-match").is_some() {
            return Err(address::missing(state, table, key));
        }
        let payload = with_key(state, table, key, payload)?;
        let row = insert(state, call, table, payload)?;
        return written(state, call, row, StatusCode::CREATED);
    };
    if call.header("if-none-match") == Some("*") {
        return Err(errors::duplicate_id());
    }
    let row = change(state, call, row, payload)?;
    written(state, call, row, StatusCode::OK)
}

/// What the key says belongs to the row that an upsert creates.
fn with_key(
    state: &State,
    table: usize,
    key: &Key,
    mut payload: Payload,
) -> Result<Payload, Reply> {
    match key {
        Key::Id(id) => payload.id = Some(*id),
        Key::Alternate(values) => {
            for (name, text) in values {
                let Some(column) = state.tables[table].column(name) else {
                    continue;
                };
                let quoted = json!(text).to_string();
                let value = payload::value(state, table, column, &quoted)
                    .or_else(|_| payload::value(state, table, column, text))?;
                payload.cells.entry(name.clone()).or_insert(value);
            }
        }
    }
    Ok(payload)
}

fn change(state: &mut State, call: &Call<'_>, row: Row, payload: Payload) -> Result<Row, Reply> {
    state.may(Right::Write, row, call.user)?;
    matches(call, row)?;
    refuse_by_plugin(state, row.table, "update")?;
    let Payload {
        mut cells, nested, ..
    } = payload;
    if !nested.is_empty() {
        return Err(errors::bad_request(
            "Deep update of navigation properties is not allowed.",
        ));
    }
    computed::complete(state, row.table, Some(row), call.user, &mut cells)?;
    unique(state, row.table, Some(row), &cells)?;
    state.update(row, cells);
    Ok(state.row(row.table, row.index).unwrap_or(row))
}

/// `If-Match: W/"…"`.
fn matches(call: &Call<'_>, row: Row) -> Result<(), Reply> {
    match call.header("if-match") {
        None | Some("*") => Ok(()),
        Some(tag) if tag == format!("W/\"{}\"", row.version) => Ok(()),
        Some(_) => Err(errors::version_mismatch()),
    }
}

/// `DELETE accounts(…)`.
pub fn delete(state: &mut State, call: &Call<'_>, table: usize, key: &Key) -> Result<Reply, Reply> {
    let name = state.tables[table].name;
    if matches!(name, "systemuser" | "organization") {
        return Err(errors::error(
            StatusCode::BAD_REQUEST,
            "0x80040800",
            &format!(
                "The 'Delete' method does not support entities of type '{name}'. MessageProcessorCache returned MessageProcessor.Empty."
            ),
        ));
    }
    let row =
        address::find(state, table, key).ok_or_else(|| address::missing(state, table, key))?;
    state.may(Right::Delete, row, call.user)?;
    matches(call, row)?;
    refuse_by_plugin(state, table, "delete")?;
    state.delete(row);
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// Writes below a row: one property, or a reference.
pub fn below(
    state: &mut State,
    call: &Call<'_>,
    table: usize,
    key: &Key,
    rest: &str,
) -> Result<Reply, Reply> {
    let row =
        address::find(state, table, key).ok_or_else(|| address::missing(state, table, key))?;
    let here = &state.tables[table];
    let (name, tail) = rest.split_once('/').unwrap_or((rest, ""));
    let id = state.id(table, row.index);
    if tail.is_empty() {
        let column = here
            .property(name)
            .ok_or_else(|| errors::unknown_column(name, here.name))?;
        let value = if call.method == "DELETE" {
            Value::Null
        } else {
            let fields: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(call.body)
                .map_err(|error| {
                    errors::bad_payload(here.set, &format!("Invalid JSON. {error}"))
                })?;
            let raw = fields.get("value").map_or("null", |raw| raw.get().trim());
            payload::value(state, table, column, raw)?
        };
        let cells = BTreeMap::from([(column.name.clone(), value)]);
        change(
            state,
            call,
            row,
            Payload {
                cells,
                ..Payload::default()
            },
        )?;
        return Ok(entity_id(
            state,
            call,
            row,
            Reply::empty(StatusCode::NO_CONTENT),
        ));
    }
    let linked = || -> Result<(usize, Uuid), Reply> {
        let fields: serde_json::Value = serde_json::from_slice(call.body).unwrap_or_default();
        let text = fields["@odata.id"].as_str().unwrap_or_default();
        payload::refer(state, text)
    };
    let (row, column, value) = match evaluate::lookup(here, name) {
        Some((column, _)) if call.method == "DELETE" => (row, column.name.clone(), Value::Null),
        Some((column, _)) => {
            let (of, id) = linked()?;
            (row, column.name.clone(), Value::Reference(of, id))
        }
        None => {
            let collection = name.split('(').next().unwrap_or_default();
            let (child, column) = query::collection(state, table, collection)
                .ok_or_else(|| errors::unknown_column(name, here.name))?;
            let (child_id, value) = match name.split_once('(') {
                Some((_, inside)) => (
                    Uuid::try_parse(inside.trim_end_matches(')')).unwrap_or_default(),
                    Value::Null,
                ),
                None => (linked()?.1, Value::Reference(table, id)),
            };
            let row = state.find(child, child_id).ok_or_else(|| {
                errors::not_found(state.tables[child].name, &child_id.to_string())
            })?;
            (row, column, value)
        }
    };
    let cells = BTreeMap::from([(column, value)]);
    change(
        state,
        call,
        row,
        Payload {
            cells,
            ..Payload::default()
        },
    )?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// `CreateMultiple`, `UpdateMultiple`, `UpsertMultiple`: all or nothing.
pub fn many(state: &mut State, call: &Call<'_>, table: usize, rest: &str) -> Result<Reply, Reply> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Targets {
        targets: Vec<Box<RawValue>>,
    }
    let name = rest.trim_start_matches("Microsoft.Dynamics.CRM.");
    if !matches!(name, "CreateMultiple" | "UpdateMultiple" | "UpsertMultiple") {
        return Err(errors::unknown_set(state, rest));
    }
    let set = state.tables[table].set;
    let Targets { targets } = serde_json::from_slice(call.body)
        .map_err(|error| errors::bad_payload(set, &format!("Invalid JSON. {error}")))?;
    let before = state.changes.clone();
    let mut ids = Vec::new();
    for target in targets {
        let done = payload::read(state, table, target.get().as_bytes()).and_then(|payload| {
            let known = payload.id.and_then(|id| state.find(table, id));
            match known {
                Some(row) if name != "CreateMultiple" => change(state, call, row, payload),
                None if name == "UpdateMultiple" => Err(errors::not_found(
                    state.tables[table].name,
                    &payload.id.unwrap_or_default().to_string(),
                )),
                _ => insert(state, call, table, payload),
            }
        });
        match done {
            Ok(row) => ids.push(state.id(table, row.index)),
            Err(refusal) => {
                state.restore(before);
                return Err(refusal);
            }
        }
    }
    if name == "UpdateMultiple" {
        return Ok(Reply::empty(StatusCode::NO_CONTENT));
    }
    Ok(Reply::json(&json!({
        "@odata.context": call.context(&format!("Microsoft.Dynamics.CRM.{name}Response")),
        "Ids": ids,
    })))
}

/// The answer to a write: where the row is, or the row itself where the client prefers that.
fn written(state: &State, call: &Call<'_>, row: Row, status: StatusCode) -> Result<Reply, Reply> {
    if !call.prefers("return=representation") {
        let reply = entity_id(state, call, row, Reply::empty(StatusCode::NO_CONTENT));
        return Ok(reply);
    }
    let shape = query::shape(state, call.user, row.table, &call.options())?;
    let reply = pages::whole(state, call, row, &shape).status(status);
    Ok(call.applied(entity_id(state, call, row, reply)))
}

fn entity_id(state: &State, call: &Call<'_>, row: Row, reply: Reply) -> Reply {
    let set = state.tables[row.table].set;
    let address = format!(
        "{}{PATH}{set}({})",
        call.origin,
        state.id(row.table, row.index)
    );
    reply
        .with("location", address.clone())
        .with("odata-entityid", address)
}

/// Refuses a row that would have the same alternate key as another.
fn unique(
    state: &State,
    table: usize,
    row: Option<Row>,
    cells: &BTreeMap<String, Value>,
) -> Result<(), Reply> {
    let here = &state.tables[table];
    for key in &here.keys {
        if !key.columns.iter().any(|name| cells.contains_key(*name)) {
            continue;
        }
        let mut values = BTreeMap::new();
        for name in &key.columns {
            let column = here.column(name);
            let value = match (cells.get(*name), row, column) {
                (Some(value), ..) => value.clone(),
                (None, Some(row), Some(column)) => plain(state.value(row, column), column),
                _ => Value::Null,
            };
            let text = match value {
                Value::Text(text) | Value::Number(text) => text,
                Value::Integer(number) => number.to_string(),
                _ => break,
            };
            values.insert((*name).to_owned(), text);
        }
        // A key with a null in it holds nothing apart.
        if values.len() < key.columns.len() {
            continue;
        }
        let twin = address::with_values(state, table, &values);
        if twin.is_some_and(|twin| Some(twin.index) != row.map(|row| row.index)) {
            return Err(errors::duplicate_key(key.label));
        }
    }
    Ok(())
}

fn refuse_by_plugin(state: &State, table: usize, operation: &str) -> Result<(), Reply> {
    let found = state
        .web
        .plugins
        .iter()
        .find(|(of, on, _)| *of == table && on == operation);
    match found {
        Some((_, _, message)) => Err(errors::error(
            StatusCode::BAD_REQUEST,
            "0x80040265",
            message,
        )),
        None => Ok(()),
    }
}
