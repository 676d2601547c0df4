//! What a path means: a set, a row by id or by key, a property, a navigation.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::errors::{self, Right};
use super::evaluate::{self, plain};
use super::pages;
use super::query::{self, split};
use super::reply::Reply;
use super::{Call, PATH, rest, write};
use crate::data::row::{Row, Value};
use crate::data::schema::Kind;
use crate::state::State;

/// A place below a set.
#[derive(Debug, Clone)]
pub struct Place {
    pub table: usize,
    pub key: Option<Key>,
    /// What stands behind the key, without its slash.
    pub rest: String,
}

/// What names a row.
#[derive(Debug, Clone)]
pub enum Key {
    Id(Uuid),
    /// Values by column.
    Alternate(BTreeMap<String, String>),
}

/// Reads a path below the Web API, or a whole address of it.
///
/// # Errors
/// The refusal of a set that there is not, or of a malformed key.
pub fn read(state: &State, path: &str) -> Result<Place, Reply> {
    let path = path
        .split_once("/api/data/")
        .map_or(Some(path), |(before, _)| rest(&path[before.len()..]))
        .unwrap_or(path);
    let path = path.trim_matches('/');
    let (set, rest) = path
        .find(['(', '/'])
        .map_or((path, ""), |place| path.split_at(place));
    let table = state
        .set(set)
        .ok_or_else(|| errors::unknown_set(state, set))?;
    let Some(inside) = rest.strip_prefix('(') else {
        return Ok(Place {
            table,
            key: None,
            rest: rest.trim_start_matches('/').to_owned(),
        });
    };
    let end = closing(inside)
        .ok_or_else(|| errors::bad_request("Bad Request - Error in query syntax."))?;
    let (key, rest) = inside.split_at(end);
    Ok(Place {
        table,
        key: Some(read_key(state, table, key)?),
        rest: rest[1..].trim_start_matches('/').to_owned(),
    })
}

/// The place of the parenthesis that closes, quotes regarded.
fn closing(text: &str) -> Option<usize> {
    let mut is_quoted = false;
    text.char_indices()
        .find_map(|(place, letter)| match letter {
            '\'' => {
                is_quoted = !is_quoted;
                None
            }
            ')' if !is_quoted => Some(place),
            _ => None,
        })
}

fn read_key(state: &State, table: usize, text: &str) -> Result<Key, Reply> {
    let here = &state.tables[table];
    if let Ok(id) = Uuid::try_parse(text.trim()) {
        return Ok(Key::Id(id));
    }
    let malformed = || errors::bad_request("Bad Request - Error in query syntax.");
    let mut values = BTreeMap::new();
    for part in split(text, ',') {
        let (name, value) = part.split_once('=').ok_or_else(malformed)?;
        let (name, value) = (name.trim(), value.trim());
        let value = match value
            .strip_prefix('\'')
            .and_then(|rest| rest.strip_suffix('\''))
        {
            Some(text) => text.replace("''", "'"),
            None => value.to_owned(),
        };
        if name == here.primary_id {
            return Uuid::try_parse(&value)
                .map(Key::Id)
                .map_err(|_| malformed());
        }
        let column = here
            .property(name)
            .ok_or_else(|| errors::unknown_column(name, here.name))?;
        values.insert(column.name.clone(), value);
    }
    let is_key = here.keys.iter().any(|key| {
        key.columns.len() == values.len()
            && key
                .columns
                .iter()
                .all(|column| values.contains_key(*column))
    });
    if !is_key {
        return Err(errors::bad_request(
            "The specified key properties are not a key of the entity.",
        ));
    }
    Ok(Key::Alternate(values))
}

/// The row that a key names.
pub fn find(state: &State, table: usize, key: &Key) -> Option<Row> {
    match key {
        Key::Id(id) => state.find(table, *id),
        Key::Alternate(values) => with_values(state, table, values),
    }
}

/// The row that has these values in these columns.
pub fn with_values(state: &State, table: usize, values: &BTreeMap<String, String>) -> Option<Row> {
    let here = &state.tables[table];
    let columns: Vec<_> = values
        .iter()
        .filter_map(|(name, value)| Some((here.column(name)?, value)))
        .collect();
    state.rows_after(table, None).find(|row| {
        columns.iter().all(
            |(column, wanted)| match plain(state.value(*row, column), column) {
                Value::Text(text) => text.to_lowercase() == wanted.to_lowercase(),
                Value::Integer(number) => number.to_string() == **wanted,
                Value::Number(number) => {
                    evaluate::decimal_order(&number, wanted).is_some_and(std::cmp::Ordering::is_eq)
                }
                value => state
                    .target(&value)
                    .is_some_and(|(_, id)| Uuid::try_parse(wanted) == Ok(id)),
            },
        )
    })
}

/// The refusal of a key that names no row.
pub fn missing(state: &State, table: usize, key: &Key) -> Reply {
    let name = state.tables[table].name;
    match key {
        Key::Id(id) => errors::not_found(name, &id.to_string()),
        Key::Alternate(..) => errors::error(
            axum::http::StatusCode::NOT_FOUND,
            "0x80060891",
            &format!("A record with the specified key values does not exist in {name} entity"),
        ),
    }
}

/// Answers a request to a place.
pub fn answer(state: &mut State, call: &Call<'_>, place: &Place) -> Reply {
    let done = match (call.method, &place.key) {
        ("GET", None) if place.rest.is_empty() => pages::list(state, call, place.table, None),
        ("GET", None) if place.rest == "$count" => pages::count(state, call, place.table),
        ("GET", Some(key)) => read_below(state, call, place.table, key, &place.rest),
        ("POST", None) if place.rest.is_empty() => write::create(state, call, place.table),
        ("POST", None) => write::many(state, call, place.table, &place.rest),
        ("PATCH", Some(key)) if place.rest.is_empty() => {
            write::update(state, call, place.table, key)
        }
        ("DELETE", Some(key)) if place.rest.is_empty() => {
            write::delete(state, call, place.table, key)
        }
        ("PUT" | "DELETE" | "POST", Some(key)) => {
            write::below(state, call, place.table, key, &place.rest)
        }
        _ => Err(errors::bad_request(&format!(
            "The HTTP verb '{}' used is not supported for '{}'.",
            call.method, call.path
        ))),
    };
    done.unwrap_or_else(|refusal| refusal)
}

fn read_below(
    state: &State,
    call: &Call<'_>,
    table: usize,
    key: &Key,
    rest: &str,
) -> Result<Reply, Reply> {
    state.may_read(table, call.user)?;
    let row = find(state, table, key).ok_or_else(|| missing(state, table, key))?;
    if rest.is_empty() {
        return pages::single(state, call, row);
    }
    state.may(Right::Read, row, call.user)?;
    let here = &state.tables[table];
    let (name, tail) = rest.split_once('/').unwrap_or((rest, ""));
    if let Some((column, target)) = evaluate::lookup(here, name) {
        let found = state
            .target(&state.value(row, column))
            .filter(|(of, _)| state.tables[*of].name == target)
            .and_then(|(of, id)| state.find(of, id));
        return match found {
            Some(found) if tail.is_empty() => {
                state.may_read(found.table, call.user)?;
                pages::single(state, call, found)
            }
            Some(found) if tail == "$ref" => Ok(reference(state, call, found)),
            Some(_) => Err(errors::unknown_column(tail, target)),
            None => Ok(Reply::empty(axum::http::StatusCode::NO_CONTENT)),
        };
    }
    if let Some((child, column)) = query::collection(state, table, name) {
        let parent = (column, (table, state.id(table, row.index)));
        return pages::list(state, call, child, Some(&parent));
    }
    match here.property(name) {
        Some(column) if tail == "$value" && column.kind != Kind::ManagedProperty => {
            let text = match plain(state.value(row, column), column) {
                Value::Text(text) | Value::Number(text) => text,
                Value::Integer(number) => number.to_string(),
                _ => String::new(),
            };
            Ok(Reply::typed("text/plain", text))
        }
        Some(_) => pages::property(state, call, row, name),
        None => Err(errors::unknown_column(name, here.name)),
    }
}

fn reference(state: &State, call: &Call<'_>, row: Row) -> Reply {
    let set = state.tables[row.table].set;
    Reply::json(&serde_json::json!({
        "@odata.context": call.context("$ref"),
        "@odata.id": format!("{}{PATH}{set}({})", call.origin, state.id(row.table, row.index)),
    }))
}
