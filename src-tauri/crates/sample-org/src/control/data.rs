//! Controls of rows, and of who may read them.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::json;

use super::{Outcome, done, read, refused};
use crate::data::schema::{TABLES, number};
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
struct Privilege {
    table: String,
    read: Reach,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reach {
    None,
    User,
    All,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tracking {
    table: String,
    enabled: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hidden {
    table: String,
    hidden: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Presence {
    table: String,
    present: bool,
}

/// Answers, where the address is one of these.
pub fn answer(state: &mut State, method: &str, path: &str, body: &[u8]) -> Option<Outcome> {
    Some(match (method, path) {
        ("POST", "activity") => read(body).and_then(|wanted| act(state, &wanted)),
        ("POST", "delta-tokens/expire") => {
            state.version += 1;
            state.oldest_token = state.version;
            state.forget_pages();
            Ok(done())
        }
        ("POST", "privileges") => read(body).and_then(|wanted: Privilege| {
            let table = named(&wanted.table)?;
            state.forget_pages();
            let depth = match wanted.read {
                Reach::None => Depth::None,
                Reach::User => Depth::User,
                Reach::All => Depth::Global,
            };
            state.depth.insert(table, depth);
            Ok(done())
        }),
        ("POST", "tracking") => read(body).and_then(|wanted: Tracking| {
            let table = named(&wanted.table)?;
            state.forget_pages();
            if wanted.enabled {
                state.untracked.remove(&table);
            } else {
                state.untracked.insert(table);
            }
            state.metadata_version += 1;
            Ok(done())
        }),
        ("POST", "columns") => read(body).and_then(|wanted: Hidden| {
            let table = named(&wanted.table)?;
            for name in &wanted.hidden {
                if !TABLES[table]
                    .columns
                    .iter()
                    .any(|column| column.name == *name)
                {
                    return Err(format!("The table has no column \"{name}\"."));
                }
            }
            state.forget_pages();
            state.hidden.retain(|(of, _)| *of != table);
            let hidden = wanted.hidden.into_iter().map(|name| (table, name));
            state.hidden.extend(hidden);
            state.metadata_version += 1;
            Ok(done())
        }),
        ("POST", "tables") => read(body).and_then(|wanted: Presence| {
            let table = named(&wanted.table)?;
            if wanted.present {
                state.gone.remove(&table);
            } else {
                state.gone.insert(table);
            }
            state.forget_pages();
            state.metadata_version += 1;
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

fn act(state: &mut State, wanted: &Wanted) -> Outcome {
    let tables = match &wanted.tables {
        None => (0..5).collect(),
        Some(names) => names
            .iter()
            .map(|name| named(name))
            .collect::<Result<Vec<_>, _>>()?,
    };
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

fn named(table: &str) -> Result<usize, String> {
    number(table).ok_or_else(|| {
        let names: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
        format!(
            "There is no table \"{table}\"; there are {}.",
            names.join(", ")
        )
    })
}
