//! The control interface. What is not understood is refused and changes nothing.

mod data;
mod entra;
mod network;

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::server::Organization;

/// What a control says of itself, or why it refuses.
type Outcome = Result<Value, String>;

/// Answers a request below the control address.
pub fn answer(organization: &Organization, method: &str, path: &str, body: &[u8]) -> Response {
    let path = path.trim_matches('/');
    if (method, path) == ("POST", "reset") {
        organization.reset();
        return axum::Json(done()).into_response();
    }
    if let Some(table) = path.strip_prefix("table/")
        && method == "GET"
    {
        return data::truth(&organization.lock(), table);
    }
    if let Some(record) = path.strip_prefix("records/")
        && method == "GET"
    {
        return data::record(&organization.lock(), record);
    }
    let mut state = organization.lock();
    let outcome = entra::answer(&mut state, method, path, body)
        .or_else(|| network::answer(&mut state, method, path, body))
        .or_else(|| data::answer(&mut state, method, path, body));
    match outcome {
        Some(Ok(value)) => axum::Json(value).into_response(),
        Some(Err(sentence)) => refused(StatusCode::BAD_REQUEST, &sentence),
        None => refused(
            StatusCode::NOT_FOUND,
            &format!("There is no control \"{method} {path}\"; docs/simulator.md lists them."),
        ),
    }
}

fn refused(status: StatusCode, sentence: &str) -> Response {
    (status, axum::Json(json!({"error": sentence}))).into_response()
}

fn done() -> Value {
    json!({"ok": true})
}

/// A body; nothing counts as `{}`.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let body = if body.trim_ascii().is_empty() {
        b"{}"
    } else {
        body
    };
    serde_json::from_slice(body).map_err(|error| format!("The body is not understood: {error}."))
}

/// One rule, or a list of them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Few {
    Many(Vec<Value>),
    One(Value),
}

/// Reads a body that is one thing or a list of it. What is wrong is said of the part.
fn read_few<T: DeserializeOwned>(body: &[u8]) -> Result<Vec<T>, String> {
    let parts = match read(body)? {
        Few::Many(parts) => parts,
        Few::One(part) => vec![part],
    };
    parts
        .into_iter()
        .map(|part| {
            serde_json::from_value(part)
                .map_err(|error| format!("The body is not understood: {error}."))
        })
        .collect()
}

/// The same with the fields that the body names.
fn changed<T: serde::Serialize + DeserializeOwned>(now: &T, body: &[u8]) -> Result<T, String> {
    let change: serde_json::Map<String, Value> = read(body)?;
    let mut all = serde_json::to_value(now).map_err(|error| error.to_string())?;
    for (name, value) in change {
        all[name.as_str()] = value;
    }
    serde_json::from_value(all).map_err(|error| format!("The body is not understood: {error}."))
}
