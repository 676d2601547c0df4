//! The control interface: activity, faults, tokens, privileges, the log, the truth.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::json;

use crate::data::schema::{TABLES, number};
use crate::dataverse::pages;
use crate::faults::Rule;
use crate::state::{Activity, Consent, Depth, State};

#[derive(Deserialize, Default)]
#[serde(default)]
struct Wanted {
    creates: u64,
    updates: u64,
    deletes: u64,
    tables: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Rules {
    Many(Vec<Rule>),
    One(Box<Rule>),
}

#[derive(Deserialize)]
struct Privilege {
    table: String,
    read: String,
}

#[derive(Deserialize)]
struct Tracking {
    table: String,
    enabled: bool,
}

#[derive(Deserialize)]
struct Mode {
    mode: String,
}

/// Answers a request below the control address.
pub fn answer(state: &mut State, method: &str, path: &str, body: &[u8]) -> Response {
    match (method, path) {
        ("POST", "activity") => with(body, |wanted: Wanted| {
            let tables = match wanted.tables {
                None => (0..5).collect(),
                Some(names) => names
                    .iter()
                    .filter_map(|name| number(name))
                    .collect::<Vec<_>>(),
            };
            let Wanted {
                creates,
                updates,
                deletes,
                ..
            } = wanted;
            let done = state.act(
                Activity {
                    creates,
                    updates,
                    deletes,
                },
                &tables,
            );
            axum::Json(done).into_response()
        }),
        ("POST", "faults") => with(body, |rules: Rules| {
            match rules {
                Rules::Many(rules) => state.faults.extend(rules),
                Rules::One(rule) => state.faults.push(*rule),
            }
            done()
        }),
        ("DELETE", "faults") => {
            state.faults.clear();
            done()
        }
        ("POST", "delta-tokens/expire") => {
            state.version += 1;
            state.oldest_token = state.version;
            state.forget_pages();
            done()
        }
        ("POST", "tokens/revoke") => {
            state.refresh_generation += 1;
            state.access.clear();
            done()
        }
        ("POST", "tokens/expire") => {
            state.access.clear();
            done()
        }
        ("POST", "privileges") => with(body, |wanted: Privilege| {
            let depth = match wanted.read.as_str() {
                "none" => Depth::None,
                "user" => Depth::User,
                _ => Depth::Global,
            };
            set(number(&wanted.table), |table| {
                state.forget_pages();
                state.depth.insert(table, depth);
            })
        }),
        ("POST", "tracking") => with(body, |wanted: Tracking| {
            set(number(&wanted.table), |table| {
                state.forget_pages();
                if wanted.enabled {
                    state.untracked.remove(&table);
                } else {
                    state.untracked.insert(table);
                }
            })
        }),
        ("POST", "consent") => with(body, |wanted: Mode| {
            state.consent = match wanted.mode.as_str() {
                "accept" => Consent::Accept,
                "decline" => Consent::Decline,
                _ => Consent::Page,
            };
            done()
        }),
        ("GET", "requests") => axum::Json(&state.requests).into_response(),
        ("DELETE", "requests") => {
            state.requests.clear();
            done()
        }
        ("GET", _) => match path.strip_prefix("table/").and_then(number) {
            Some(table) => pages::truth(state, table).into_response(),
            None => unknown(),
        },
        _ => unknown(),
    }
}

fn with<T: for<'de> Deserialize<'de>>(body: &[u8], act: impl FnOnce(T) -> Response) -> Response {
    let body = if body.is_empty() { b"{}" } else { body };
    match serde_json::from_slice(body) {
        Ok(value) => act(value),
        Err(error) => (
            StatusCode::BAD_REQUEST,
            axum::Json(json!({"error": error.to_string()})),
        )
            .into_response(),
    }
}

fn set(table: Option<usize>, act: impl FnOnce(usize)) -> Response {
    match table {
        Some(table) => {
            act(table);
            done()
        }
        None => {
            let names: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
            (
                StatusCode::NOT_FOUND,
                axum::Json(json!({"error": "no such table", "tables": names})),
            )
                .into_response()
        }
    }
}

fn done() -> Response {
    axum::Json(json!({"ok": true})).into_response()
}

fn unknown() -> Response {
    (
        StatusCode::NOT_FOUND,
        axum::Json(json!({"error": "no such control"})),
    )
        .into_response()
}
