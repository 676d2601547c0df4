//! Who may call: programs on this computer that have a key. Web pages may not, whatever name they let
//! point here, and neither may what has no key.

use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderValue, ORIGIN,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use salesmirror_core::{ApiKey, Scope};

use crate::calls::Call;
use crate::error::{ApiError, Result};
use crate::state::Api;

const API_KEY: &str = "x-api-key";
const FETCH_SITE: &str = "sec-fetch-site";
const FETCH_MODE: &str = "sec-fetch-mode";
/// Wrong keys take so long each, one after the other: twenty guesses a second.
const WRONG_KEY: Duration = Duration::from_millis(50);
/// Names of this computer for itself.
const NAMES: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];
/// What is sent is for programs: a browser that shows it anyway runs nothing of it.
const POLICY: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Lets a request in or refuses it, and notes it in the log of calls.
pub async fn gate(State(api): State<Api>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let at = jiff::Timestamp::now().as_millisecond();
    // A body can be read by one alone, so that what is checked is the head.
    let (mut head, body) = request.into_parts();
    let (method, path) = (head.method.to_string(), head.uri.path().to_owned());
    let mut key = None;
    let mut response = match admit(&api, &head).await {
        Ok(admitted) => {
            if let Some(admitted) = admitted {
                key = Some(admitted.name.clone());
                head.extensions.insert(admitted);
            }
            next.run(Request::from_parts(head, body)).await
        }
        Err(error) => error.into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CONTENT_SECURITY_POLICY, POLICY),
    ] {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    api.calls.note(Call {
        number: 0,
        at,
        method,
        path,
        status: response.status().as_u16(),
        duration_ms: begun.elapsed().as_millis().try_into().unwrap_or(u64::MAX),
        key,
    });
    response
}

/// The key of a request that may go on; none where none is needed.
async fn admit(api: &Api, head: &Parts) -> Result<Option<ApiKey>> {
    let headers = &head.headers;
    check_host(head, api.port)?;
    check_origin(headers, api.port)?;
    let needs = match access(&head.method, head.uri.path()) {
        Access::Public => return Ok(None),
        Access::AnyKey => None,
        Access::Scope(scope) => Some(scope),
    };
    let offered = offered_key(headers)
        .ok_or_else(|| ApiError::unauthorized("no_api_key", "The request has no API key."))?;
    let Some(key) = api.app.check_api_key(offered).await? else {
        let _turn = api.wrong_keys.lock().await;
        tokio::time::sleep(WRONG_KEY).await;
        return Err(ApiError::unauthorized(
            "wrong_api_key",
            "This is none of the API keys.",
        ));
    };
    match needs {
        Some(scope) if !key.may(scope) => Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "missing_scope",
            format!(
                "The API key \"{}\" lacks the scope \"{}\".",
                key.name,
                scope.as_str()
            ),
        )),
        _ => Ok(Some(key)),
    }
}

/// What a request needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    /// Nothing: it gives no data.
    Public,
    /// A key.
    AnyKey,
    /// A key with this scope.
    Scope(Scope),
}

fn access(method: &Method, path: &str) -> Access {
    let is_read = matches!(*method, Method::GET | Method::HEAD);
    let part = path.trim_start_matches('/').split('/').next();
    match part.unwrap_or_default() {
        "" | "openapi.json" | "reference.css" if is_read => Access::Public,
        "crm" if is_read => Access::Scope(Scope::Read),
        "crm" => Access::Scope(Scope::Write),
        "events" => Access::Scope(Scope::Read),
        "mgmt" if is_read => Access::Scope(Scope::Read),
        "mgmt" => Access::Scope(Scope::Manage),
        "actions" => Access::Scope(Scope::Passthrough),
        _ => Access::AnyKey,
    }
}

/// A web page can let its own name point to this computer, and then calls by that name.
fn check_host(head: &Parts, port: u16) -> Result<()> {
    let mut hosts = head.headers.get_all(HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok());
    // A request that names the host in its first line too must not name another one.
    let line = head.uri.authority().map(|authority| authority.as_str());
    let is_own = host.is_some_and(|host| is_own(host, port))
        && hosts.next().is_none()
        && line.is_none_or(|line| is_own(line, port));
    if is_own {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::FORBIDDEN,
        "foreign_host",
        "The Host header names another host or port than this API's.",
    ))
}

fn is_own(authority: &str, port: u16) -> bool {
    let authority = authority.to_ascii_lowercase();
    NAMES.iter().any(|name| {
        let rest = authority.strip_prefix(name);
        rest.is_some_and(|rest| match rest.strip_prefix(':') {
            Some(digits) => digits == port.to_string(),
            None => rest.is_empty() && port == 80,
        })
    })
}

/// A browser says which page calls. The only page that may is our own.
fn check_origin(headers: &HeaderMap, port: u16) -> Result<()> {
    let is_foreign = headers.get_all(ORIGIN).iter().any(|origin| {
        let origin = origin.to_str().ok();
        let host = origin.and_then(|origin| origin.strip_prefix("http://"));
        !host.is_some_and(|host| is_own(host, port))
    });
    let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    // Following a link to the reference page is no call.
    let is_call = said(FETCH_MODE) != Some("navigate");
    let is_cross = matches!(said(FETCH_SITE), Some("cross-site" | "same-site"));
    if is_foreign || (is_cross && is_call) {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "foreign_origin",
            "A web page of another origin made this request.",
        ));
    }
    Ok(())
}

fn offered_key(headers: &HeaderMap) -> Option<&str> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = text(AUTHORIZATION.as_str()).and_then(|value| {
        let (scheme, key) = value.trim().split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
    });
    bearer
        .or_else(|| text(API_KEY).map(str::trim))
        .filter(|key| !key.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_computers_own_names_with_the_own_port_are_taken() {
        for (authority, port, expected) in [
            ("127.0.0.1:4711", 4711, true),
            ("LOCALHOST:4711", 4711, true),
            ("[::1]:4711", 4711, true),
            ("127.0.0.1", 80, true),
            ("127.0.0.1", 4711, false),
            ("127.0.0.1:4712", 4711, false),
            ("127.0.0.1:04711", 4711, false),
            ("127.0.0.1.evil.example:4711", 4711, false),
            ("localhost.evil.example:4711", 4711, false),
            ("evil.example:4711", 4711, false),
            ("evil@127.0.0.1:4711", 4711, false),
            ("127.0.0.1:4711@evil.example", 4711, false),
            ("127.0.0.2:4711", 4711, false),
            ("0.0.0.0:4711", 4711, false),
            ("2130706433:4711", 4711, false),
            ("", 80, false),
        ] {
            assert_eq!(is_own(authority, port), expected, "{authority} {port}");
        }
    }

    #[test]
    fn what_gives_or_changes_data_needs_a_key_and_what_is_unknown_too() {
        let read = Access::Scope(Scope::Read);
        for (method, path, expected) in [
            (Method::GET, "/", Access::Public),
            (Method::POST, "/", Access::AnyKey),
            (Method::GET, "/openapi.json", Access::Public),
            (Method::GET, "/crm/v2/accounts", read),
            (Method::HEAD, "/crm/v2/accounts", read),
            (
                Method::POST,
                "/crm/v2/accounts",
                Access::Scope(Scope::Write),
            ),
            (Method::GET, "//crm/v2/accounts", read),
            (
                Method::TRACE,
                "/crm/v2/accounts",
                Access::Scope(Scope::Write),
            ),
            (Method::GET, "/mgmt/v2/syncs", read),
            (
                Method::POST,
                "/mgmt/v2/syncs/_pause",
                Access::Scope(Scope::Manage),
            ),
            (
                Method::POST,
                "/actions/v2/passthrough",
                Access::Scope(Scope::Passthrough),
            ),
            (Method::GET, "/events", read),
            (Method::GET, "/%63rm/v2/accounts", Access::AnyKey),
            (Method::GET, "/CRM/v2/accounts", Access::AnyKey),
            (Method::GET, "/other", Access::AnyKey),
        ] {
            assert_eq!(access(&method, path), expected, "{method} {path}");
        }
    }
}
