//! The local API, as the page on it is told.

use salesmirror_core::{ApiKey, NewApiKey, Scope};
use salesmirror_local_api::{Call, Standing};
use salesmirror_wire as wire;

use crate::convert::error;

/// How a connection's API stands, with the keys and the one that was just made.
pub fn api(standing: Standing, keys: Vec<ApiKey>, made: Option<NewApiKey>) -> wire::Api {
    wire::Api {
        on: standing.is_on,
        port: standing.port,
        url: standing.url,
        problem: standing.problem.as_ref().map(error),
        keys: keys.into_iter().map(key).collect(),
        made: made.map(|made| made.text().to_owned()),
        calls: standing.calls.into_iter().rev().map(call).collect(),
    }
}

fn key(key: ApiKey) -> wire::ApiKey {
    wire::ApiKey {
        id: key.id.to_string(),
        name: key.name,
        scopes: key.scopes.into_iter().map(scope).collect(),
        hint: key.hint,
        created_at: key.created_at,
        last_used: key.last_used,
    }
}

const fn scope(scope: Scope) -> wire::ApiScope {
    match scope {
        Scope::Read => wire::ApiScope::Read,
        Scope::Write => wire::ApiScope::Write,
        Scope::Passthrough => wire::ApiScope::Passthrough,
        Scope::Manage => wire::ApiScope::Manage,
    }
}

fn call(call: Call) -> wire::ApiCall {
    wire::ApiCall {
        number: call.number,
        at: call.at,
        method: call.method,
        path: call.path,
        status: call.status,
        duration_ms: call.duration_ms,
        key: call.key,
    }
}
