//! The Web API.

mod address;
mod batch;
mod call;
mod computed;
mod cookie;
pub mod errors;
mod evaluate;
mod filter;
mod functions;
mod metadata;
pub mod pages;
mod payload;
mod privileges;
mod query;
mod record;
mod reply;
pub mod settings;
mod tracking;
pub mod variants;
mod write;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use uuid::Uuid;

use crate::data::schema::USER;
use crate::state::State;

pub use self::call::Call;
pub use self::reply::Reply;

/// Where the Web API lies on its origin.
pub const PATH: &str = "/api/data/v9.2/";
/// Versions that are answered alike.
const PATHS: [&str; 3] = [PATH, "/api/data/v9.1/", "/api/data/v9.0/"];

/// What stands behind the Web API's path; `None` for other paths.
pub fn rest(path: &str) -> Option<&str> {
    PATHS.iter().find_map(|start| path.strip_prefix(start))
}

/// Answers a call.
pub fn answer(state: &mut State, call: &Call<'_>) -> Reply {
    let reply = if call.path == "$batch" {
        batch::answer(state, call)
    } else {
        answer_one(state, call)
    };
    if reply.is_error() && call.path != "$batch" {
        let is_annotated =
            call.asks_for("Microsoft.PowerApps.CDS.ErrorDetails.ApiExceptionMessageName");
        return errors::dress(state, reply, is_annotated);
    }
    reply
}

/// Answers a call that is no batch.
fn answer_one(state: &mut State, call: &Call<'_>) -> Reply {
    if call.method == "GET" {
        if call.path.is_empty() {
            return functions::sets(state, call);
        }
        if let Some(reply) = functions::answer(state, call) {
            return reply;
        }
        if let Some(reply) = metadata::answer(state, call) {
            return reply;
        }
    }
    match address::read(state, &call.path) {
        Ok(place) => address::answer(state, call, &place),
        Err(refusal) => refusal,
    }
}

/// The user that a token was issued for.
pub fn user(state: &State, index: u64) -> Uuid {
    state.id(USER, index)
}

/// Refuses a call without a good token.
pub fn challenge(text: &str) -> Response {
    let mut response = StatusCode::UNAUTHORIZED.into_response();
    if let Ok(value) = HeaderValue::from_str(text) {
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, value);
    }
    response
}
