//! Controls of rows, columns, tables, and of who may read and write them.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{Outcome, done, read, refused};
use crate::data::columns::{describe, kind};
use crate::data::row::Value;
use crate::data::schema::{Column, Kind, TABLES, number};
use crate::dataverse::errors::Right;
use crate::dataverse::pages;
use crate::state::{Activity, Depth, State};

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct Wanted {
    creates: u64,
    updates: u64,
    deletes: u64,
    tables: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Privileges {
    table: String,
    read: Option<Reach>,
    write: Option<Reach>,
    create: Option<Reach>,
    delete: Option<Reach>,
    /// Column security: false hides a column.
    #[serde(default)]
    columns: BTreeMap<String, bool>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Reach {
    None,
    User,
    Unit,
    #[serde(alias = "global")]
    All,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tracking {
    table: String,
    enabled: bool,
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct Tokens {
    tables: Option<Vec<String>>,
}

/// A row as a test wants it: JSON values byte by byte.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    table: String,
    id: Option<Uuid>,
    #[serde(default)]
    values: BTreeMap<String, Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Change {
    Add,
    Drop,
    Retype,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnWanted {
    table: String,
    column: String,
    action: Change,
    #[serde(default, rename = "type")]
    kind: String,
    label: Option<String>,
    /// Targets of a lookup, options of a choice: `1:One,2:Two`.
    #[serde(default)]
    of: String,
}

/// The columns of the beginning that a table has not; all others it has.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hidden {
    table: String,
    hidden: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ColumnsWanted {
    One(ColumnWanted),
    Hidden(Hidden),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Presence {
    table: String,
    present: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plugin {
    table: String,
    operation: Operation,
    /// The refusal; absent takes the plug-in away.
    message: Option<String>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Operation {
    Create,
    Update,
    Delete,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// Answers, where the address is one of these.
pub fn answer(state: &mut State, method: &str, path: &str, body: &[u8]) -> Option<Outcome> {
    Some(match (method, path) {
        ("POST", "activity") => read(body).and_then(|wanted| act(state, &wanted)),
        ("POST", "delta-tokens/expire") => read(body).and_then(|wanted: Tokens| {
            for table in tables(wanted.tables.as_deref(), 0..state.tables.len())? {
                state.expire_tokens(table);
            }
            Ok(done())
        }),
        ("POST", "metadata-stamps/expire") => {
            state.metadata_version += 1;
            state.web.oldest_stamp = state.metadata_version;
            state.forget_pages();
            Ok(done())
        }
        ("POST", "privileges") => read(body).and_then(|wanted| privileges(state, &wanted)),
        ("POST", "tracking") => read(body).and_then(|wanted: Tracking| {
            let table = named(&wanted.table)?;
            state.tables[table].tracked = wanted.enabled;
            state.metadata_moved(table);
            Ok(done())
        }),
        ("PUT" | "POST", "records") => read(body).and_then(|wanted| put(state, &wanted)),
        ("DELETE", "records") => read(body).and_then(|wanted| remove(state, &wanted)),
        ("POST", "columns") => read(body).and_then(|wanted| match wanted {
            ColumnsWanted::One(wanted) => column(state, &wanted),
            ColumnsWanted::Hidden(wanted) => hide(state, &wanted),
        }),
        ("POST", "tables") => read(body).and_then(|wanted: Presence| {
            let table = named(&wanted.table)?;
            state.tables[table].dropped = !wanted.present;
            state.metadata_moved(table);
            Ok(done())
        }),
        ("POST", "plugins") => read(body).and_then(|wanted: Plugin| {
            let table = named(&wanted.table)?;
            let operation = wanted.operation.name();
            let plugins = &mut state.web.plugins;
            plugins.retain(|(of, on, _)| (*of, on.as_str()) != (table, operation));
            if let Some(message) = wanted.message {
                plugins.push((table, operation.to_owned(), message));
            }
            Ok(done())
        }),
        _ => return None,
    })
}

/// Every row of a table, one a line.
pub fn truth(state: &State, table: &str) -> Response {
    match named(table) {
        Ok(table) => pages::truth(state, table).into_response(),
        Err(sentence) => refused(StatusCode::NOT_FOUND, &sentence),
    }
}

/// One row, `account/{id}`, as JSON whose digits nobody has touched.
pub fn record(state: &State, path: &str) -> Response {
    let row = path.split_once('/').and_then(|(table, id)| {
        let table = named(table).ok()?;
        state.find(table, Uuid::try_parse(id).ok()?)
    });
    match row {
        Some(row) => {
            let kind = [("content-type", "application/json")];
            (kind, pages::exact(state, row)).into_response()
        }
        None => refused(StatusCode::NOT_FOUND, "There is no such row."),
    }
}

fn act(state: &mut State, wanted: &Wanted) -> Outcome {
    let tables = tables(wanted.tables.as_deref(), 0..5)?;
    let done = state.act(
        Activity {
            creates: wanted.creates,
            updates: wanted.updates,
            deletes: wanted.deletes,
        },
        &tables,
    );
    Ok(json!(done))
}

fn privileges(state: &mut State, wanted: &Privileges) -> Outcome {
    let table = named(&wanted.table)?;
    for name in wanted.columns.keys() {
        known(state, table, name)?;
    }
    for (right, reach) in [
        (Right::Read, wanted.read),
        (Right::Write, wanted.write),
        (Right::Create, wanted.create),
        (Right::Delete, wanted.delete),
    ] {
        let Some(reach) = reach else {
            continue;
        };
        let depth = match reach {
            Reach::None => Depth::None,
            Reach::User => Depth::User,
            Reach::Unit => Depth::Unit,
            Reach::All => Depth::Global,
        };
        state.web.rights.insert((table, right), depth);
    }
    for (name, is_visible) in &wanted.columns {
        let key = (table, name.clone());
        if *is_visible {
            state.web.secured.remove(&key);
        } else {
            state.web.secured.insert(key);
        }
    }
    state.forget_pages();
    Ok(done())
}

fn put(state: &mut State, wanted: &Record) -> Outcome {
    let table = named(&wanted.table)?;
    let mut cells = BTreeMap::new();
    let mut id = wanted.id;
    for (name, raw) in &wanted.values {
        if name.contains('@') {
            continue;
        }
        let column = state.tables[table]
            .property(name)
            .ok_or_else(|| format!("There is no column \"{name}\"."))?;
        let raw = raw.get().trim();
        let target = format!("{name}@Microsoft.Dynamics.CRM.lookuplogicalname");
        let target = wanted
            .values
            .get(&target)
            .and_then(|raw| serde_json::from_str::<String>(raw.get()).ok())
            .or_else(|| column.targets.first().map(|name| (*name).to_owned()))
            .and_then(|name| number(&name));
        let parsed: Option<Uuid> = serde_json::from_str(raw).ok();
        if column.name == state.tables[table].primary_id {
            id = id.or(parsed);
            continue;
        }
        let value = match (raw, target, parsed) {
            ("null", ..) => Value::Null,
            (_, Some(target), Some(id)) if column.is_lookup() => Value::Reference(target, id),
            _ => Value::Exact(raw.to_owned()),
        };
        cells.insert(column.name.clone(), value);
    }
    let row = match id.and_then(|id| state.find(table, id)) {
        Some(row) => {
            state.update(row, cells);
            state.row(table, row.index).unwrap_or(row)
        }
        None => state.create(table, id, cells),
    };
    Ok(json!({
        "id": state.id(table, row.index),
        "versionnumber": row.version,
    }))
}

fn remove(state: &mut State, wanted: &Record) -> Outcome {
    let table = named(&wanted.table)?;
    let row = wanted.id.and_then(|id| state.find(table, id));
    state.delete(row.ok_or("There is no such row.")?);
    Ok(done())
}

fn column(state: &mut State, wanted: &ColumnWanted) -> Outcome {
    let table = named(&wanted.table)?;
    let label = wanted.label.as_deref().unwrap_or(&wanted.column);
    let mut made = Column::added(&wanted.column, label, kind(&wanted.kind));
    if made.kind == Kind::Text && !matches!(wanted.kind.as_str(), "" | "text") {
        return Err(format!("There is no type of column \"{}\".", wanted.kind));
    }
    describe(&mut made, &wanted.of);
    if made.is_lookup() && made.targets.is_empty() {
        return Err("\"of\" names the tables that a lookup points to.".to_owned());
    }
    for target in &made.targets {
        named(target)?;
    }
    let here = &state.tables[table];
    if [here.primary_id, here.primary_name].contains(&wanted.column.as_str()) {
        return Err(format!(
            "\"{}\" is a primary column and stays.",
            wanted.column
        ));
    }
    let place = known(state, table, &wanted.column);
    let columns = &mut state.tables[table].columns;
    match (&wanted.action, place) {
        (Change::Add, Err(_)) => columns.push(made),
        (Change::Add, Ok(_)) => return Err(format!("There is a column \"{}\".", wanted.column)),
        (Change::Drop, place) => {
            columns.remove(place?);
        }
        (Change::Retype, place) => columns[place?] = made,
    }
    if !matches!(wanted.action, Change::Add) {
        state.forget_cells(table, &wanted.column);
    }
    state.schema_changed(table);
    Ok(done())
}

fn hide(state: &mut State, wanted: &Hidden) -> Outcome {
    let table = named(&wanted.table)?;
    let first = &TABLES[table].columns;
    for name in &wanted.hidden {
        if !first.iter().any(|column| column.name == *name) {
            return Err(format!("The table has no column \"{name}\"."));
        }
    }
    let added = state.tables[table].columns.iter();
    let added: Vec<Column> = added.filter(|column| column.added).cloned().collect();
    state.tables[table].columns = first
        .iter()
        .filter(|column| !wanted.hidden.contains(&column.name))
        .cloned()
        .chain(added)
        .collect();
    state.metadata_moved(table);
    Ok(done())
}

fn known(state: &State, table: usize, name: &str) -> Result<usize, String> {
    let columns = &state.tables[table].columns;
    columns
        .iter()
        .position(|column| column.name == name)
        .ok_or_else(|| format!("There is no column \"{name}\"."))
}

/// The tables of these names; `usual` where none are named.
fn tables(names: Option<&[String]>, usual: std::ops::Range<usize>) -> Result<Vec<usize>, String> {
    match names {
        None => Ok(usual.collect()),
        Some(names) => names.iter().map(|name| named(name)).collect(),
    }
}

fn named(table: &str) -> Result<usize, String> {
    number(table).ok_or_else(|| {
        let names: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
        format!(
            "There is no table \"{table}\"; there are {}.",
            names.join(", ")
        )
    })
}
