//! Errors as the API tells them: always the same document, whatever refused.

use axum::http::StatusCode;
use axum::http::header::{HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use salesmirror_core::explanations::explain;
use salesmirror_core::unified::write::Problem as FieldProblem;
use salesmirror_core::{Category, Error};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::body::json;

/// A refusal.
#[derive(Debug)]
pub struct ApiError {
    pub status: StatusCode,
    errors: Vec<Error>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// The result of a handler.
pub type Result<T, E = ApiError> = std::result::Result<T, E>;

/// Who said no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Dynamics 365.
    RemoteProvider,
    /// Salesmirror itself.
    Salesmirror,
}

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
pub struct Errors {
    /// One entry.
    errors: Vec<Problem>,
}

/// One thing that went wrong.
#[derive(Debug, Serialize, ToSchema)]
struct Problem {
    /// Id of this very answer, which the log names too.
    id: Uuid,
    /// What the code means, one sentence.
    title: String,
    /// What happened, one sentence.
    detail: String,
    /// Stable code, such as `unknown_record`.
    code: String,
    /// HTTP status of this answer.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// Where it comes from, and what to do.
    meta: Meta,
}

/// Where an error comes from, and what to do.
#[derive(Debug, Serialize, ToSchema)]
struct Meta {
    origin: Origin,
    /// What Dynamics 365 itself answered; null where it was not asked or did not answer.
    #[schema(required)]
    cause: Option<Cause>,
    /// What to do; empty where nothing can be said.
    hint: String,
}

/// An error as Dynamics 365 told it.
#[derive(Debug, Serialize, ToSchema)]
struct Cause {
    /// HTTP status of its answer.
    status: u16,
    /// Its error code, such as `0x80040217`; empty where it told none.
    code: String,
    /// Its words.
    message: String,
    /// Code, status and request id, for a support call.
    #[schema(required)]
    reference: Option<String>,
}

impl ApiError {
    /// A refusal of the API's own; the code's explanation says what to do.
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self {
            status,
            errors: vec![Error::explained(Category::Usage, code, detail)],
            headers: Vec::new(),
        }
    }

    /// The same with a header.
    pub fn with(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.push((name, HeaderValue::from_static(value)));
        self
    }

    /// No key, or a wrong one.
    pub fn unauthorized(code: &str, detail: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, detail)
            .with(WWW_AUTHENTICATE, "Bearer realm=\"salesmirror\"")
    }

    /// A parameter that cannot be used.
    pub fn parameter(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_parameter", detail)
    }

    /// Everything that keeps a body from being written.
    pub fn problems(problems: &[FieldProblem]) -> Self {
        let is_malformed = |problem: &FieldProblem| {
            let code = problem.code();
            // What custom fields there are, only the organisation knows.
            matches!(code, "unknown_field" | "read_only_field" | "wrong_type")
                && !problem.field().starts_with("custom_fields.")
        };
        let status = match problems.iter().any(is_malformed) {
            true => StatusCode::BAD_REQUEST,
            false => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let errors = problems
            .iter()
            .map(|problem| Error::explained(Category::Usage, problem.code(), problem.to_string()));
        Self {
            status,
            errors: errors.collect(),
            headers: Vec::new(),
        }
    }

    /// Too much at once.
    pub fn busy() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "api_busy",
            "The API has more to do than it can at the moment.",
        )
        .with(RETRY_AFTER, "1")
    }

    /// More lists than are held at once, and somebody reads each of them.
    pub fn no_room() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "api_busy",
            "As many lists as the API holds are being paged through at the moment.",
        )
        .with(RETRY_AFTER, "10")
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        Self {
            status: status(&error),
            errors: vec![error],
            headers: Vec::new(),
        }
    }
}

/// The status that an error of core's is told with.
fn status(error: &Error) -> StatusCode {
    // What it points to is missing, and not what it is about.
    if error.code == "unknown_reference" {
        return StatusCode::UNPROCESSABLE_ENTITY;
    }
    // Whether it was done is not known, whatever was said.
    if error.code == "write_unanswered" {
        return StatusCode::GATEWAY_TIMEOUT;
    }
    if let Some(reply) = &error.service {
        return match reply.status {
            // It is our sign-in that was refused, not the caller's key.
            401 => StatusCode::BAD_GATEWAY,
            known @ 400..=499 => StatusCode::from_u16(known).unwrap_or(StatusCode::BAD_REQUEST),
            _ => StatusCode::BAD_GATEWAY,
        };
    }
    match (error.category, error.code.as_str()) {
        (_, "unknown_record" | "unknown_table" | "never_synced" | "not_found") => {
            StatusCode::NOT_FOUND
        }
        (_, "version_conflict") => StatusCode::PRECONDITION_FAILED,
        (_, "already_exists" | "duplicate_key" | "duplicate_found") => StatusCode::CONFLICT,
        (_, "throttled") => StatusCode::TOO_MANY_REQUESTS,
        (_, "disk_full") => StatusCode::INSUFFICIENT_STORAGE,
        (_, "cursor_expired") => StatusCode::GONE,
        (Category::Usage, _) => StatusCode::UNPROCESSABLE_ENTITY,
        (Category::Busy | Category::Confirmation, _) => StatusCode::CONFLICT,
        (Category::GaveUp, _) => StatusCode::GATEWAY_TIMEOUT,
        (Category::SignIn | Category::Keychain | Category::Interrupted, _) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        (Category::Failed, _) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status;
        let errors = self.errors.into_iter().map(|error| problem(status, error));
        let document = Errors {
            errors: errors.collect(),
        };
        let mut response = json(status, &document);
        response.headers_mut().extend(self.headers);
        response
    }
}

fn problem(status: StatusCode, error: Error) -> Problem {
    let id = Uuid::new_v4();
    if status.is_server_error() {
        // The sentence may quote a record.
        tracing::warn!(
            %id,
            status = status.as_u16(),
            code = error.code,
            reference = error.reference,
            "a call of the API failed"
        );
    }
    let reference = error.reference.as_deref().map(str::to_owned);
    let cause = error.service.map(|reply| Cause {
        status: reply.status,
        code: reply.code,
        message: reply.message,
        reference,
    });
    let title = explain(&error.code).map_or_else(
        || status.canonical_reason().unwrap_or("Error").to_owned(),
        |row| row.meaning.to_owned(),
    );
    Problem {
        id,
        title,
        detail: error.message,
        code: error.code,
        status: status.as_u16(),
        meta: Meta {
            origin: match cause {
                Some(_) => Origin::RemoteProvider,
                None => Origin::Salesmirror,
            },
            cause,
            hint: error.hint,
        },
    }
}
