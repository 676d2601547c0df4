//! Requests of the caller's own making, passed on to the Web API.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use salesmirror_core::{Passthrough, PassthroughReply, Session};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::body::{Json, bad_body};
use crate::document::Refusals;
use crate::error::{ApiError, Result};
use crate::state::Api;

/// Characters of a path at most.
const LONGEST_PATH: usize = 8_192;

/// A request to pass on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"method": "GET", "path": "accounts", "query": {"$select": "name", "$top": "3"}}))]
pub struct PassthroughCall {
    method: Method,
    /// Relative to `/api/data/v9.2/`; may carry a query. Other hosts and dot segments are refused.
    #[schema(max_length = 8192)]
    path: String,
    /// `Prefer`, `If-Match`, `If-None-Match`, `Content-Type` and `MSCRM.*`; no other.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// Parameters of the query, not encoded yet.
    #[serde(default)]
    query: BTreeMap<String, String>,
    /// Any JSON, passed on digit by digit; with `body_encoding: base64` a text in base64.
    #[serde(default)]
    #[schema(value_type = serde_json::Value)]
    body: Option<Box<RawValue>>,
    /// How the body is written here.
    #[serde(default)]
    body_encoding: Encoding,
}

/// What may be asked for.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// How a body is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Encoding {
    /// As JSON.
    #[default]
    Json,
    /// As a text in base64.
    Base64,
}

/// What Dynamics 365 answered, whatever that was.
#[derive(Debug, Serialize, ToSchema)]
pub struct PassthroughAnswer {
    /// The address that was asked.
    url: String,
    /// The real HTTP status.
    status: u16,
    /// Headers, their names in lower case; cookies are left out.
    headers: BTreeMap<String, String>,
    /// The body; null where there is none.
    #[schema(value_type = serde_json::Value)]
    body: Option<Box<RawValue>>,
    /// How the body is written here; null where there is none.
    #[schema(required)]
    body_encoding: Option<Encoding>,
}

/// Pass a request on
///
/// The reply is 200 with the real status inside. An expired sign-in is renewed and the call made
/// once more; where Dynamics 365 asks to wait, it is waited for.
#[utoipa::path(
    post, path = "/actions/v2/passthrough", tag = "Actions", operation_id = "passthrough",
    request_body = PassthroughCall,
    responses((status = 200, description = "The answer", body = PassthroughAnswer), Refusals)
)]
pub async fn passthrough(
    State(api): State<Api>,
    Json(call): Json<PassthroughCall>,
) -> Result<Response> {
    let request = request(call)?;
    let session = api.session().await?;
    let is_read = request.method == "GET";
    let sending = send(session, request);
    let reply = match is_read {
        true => sending.await?,
        // A write goes to its end, whether or not the caller waits for it.
        false => crate::state::to_its_end(sending).await??,
    };
    Ok(crate::body::json(StatusCode::OK, &answer(reply)))
}

async fn send(
    session: Session,
    request: Passthrough,
) -> salesmirror_core::Result<PassthroughReply> {
    session.passthrough_soon(request).await
}

fn request(call: PassthroughCall) -> Result<Passthrough> {
    if call.path.chars().count() > LONGEST_PATH {
        return Err(bad_body(format!(
            "The field path has more than {LONGEST_PATH} characters."
        )));
    }
    let method = match call.method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
    };
    let body = call.body.filter(|body| body.get() != "null");
    let body = match (body, call.body_encoding) {
        (None, _) => None,
        (Some(json), Encoding::Json) => Some(json.get().as_bytes().to_vec()),
        (Some(json), Encoding::Base64) => {
            let text: Option<String> = serde_json::from_str(json.get()).ok();
            let bytes = text.and_then(|text| STANDARD.decode(text).ok());
            Some(bytes.ok_or_else(|| {
                ApiError::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "bad_request_body",
                    "The field body is no text in base64.",
                )
            })?)
        }
    };
    Ok(Passthrough {
        method: method.to_owned(),
        path: call.path,
        headers: call.headers.into_iter().collect(),
        query: call.query.into_iter().collect(),
        body,
    })
}

fn answer(reply: PassthroughReply) -> PassthroughAnswer {
    let (body, body_encoding) = written(&reply.body);
    PassthroughAnswer {
        url: reply.url,
        status: reply.status,
        headers: reply.headers.into_iter().collect(),
        body,
        body_encoding,
    }
}

/// A body as JSON where it is JSON, else in base64.
fn written(body: &[u8]) -> (Option<Box<RawValue>>, Option<Encoding>) {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    if body.is_empty() {
        return (None, None);
    }
    if let Ok(json) = serde_json::from_slice::<Box<RawValue>>(body) {
        return (Some(json), Some(Encoding::Json));
    }
    let text = serde_json::Value::from(STANDARD.encode(body)).to_string();
    (RawValue::from_string(text).ok(), Some(Encoding::Base64))
}
