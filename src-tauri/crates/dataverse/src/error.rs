//! What the service or the way to it can answer, in words.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use salesmirror_model::network::{NETWORK, Reason};
use salesmirror_model::urls::UrlError;
use serde_json::Value;

use crate::TokenError;
use crate::explain::DATAVERSE;
use crate::page::without_mark;

/// The result of this crate's operations.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the Web API or of the way to it. `Display` is a sentence for the user.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The host cannot be found or reached, or the connection broke.
    #[error("{host} cannot be reached: {reason}.")]
    Unreachable {
        /// The host.
        host: String,
        /// What the network said.
        reason: Reason,
    },
    /// The answer broke off, or never came.
    #[error("The answer of {host} broke off: {reason}.")]
    Broken {
        /// The host.
        host: String,
        /// What the network said.
        reason: String,
    },
    /// A page broke each time: smaller pages may pass. `times` and `page_size` say how often, and
    /// how many rows a page had been asked for.
    #[error("A page of {page_size} rows broke {times} times: {source}")]
    PageBroke {
        /// How often it was tried.
        times: u32,
        /// Rows a page.
        page_size: u32,
        /// What happened the last time.
        source: Box<Error>,
    },
    /// The service asked to wait for longer than we were told to; with its words, where it had any.
    #[error("Dynamics 365 limits the requests of this user, and did not let up in time.")]
    Throttled(Option<Box<ServiceError>>),
    /// No access token could be had.
    #[error("{0}")]
    Token(TokenError),
    /// The service refused a fresh token.
    #[error("Dynamics 365 did not accept the sign-in for {0}.")]
    NotSignedIn(String),
    /// The service answered with an error.
    #[error("{}", .0.sentence())]
    Service(Box<ServiceError>),
    /// The service, or something before it, is out of order.
    #[error("Dynamics 365 is not available at the moment ({0}).")]
    Unavailable(String),
    /// What stands before the service answered for it.
    #[error("Dynamics 365 is not available at the moment (status {status}).")]
    FrontDoor {
        /// HTTP status.
        status: u16,
        /// Request id.
        request: Option<String>,
    },
    /// A request that is not sent, since it would leave the Web API or change who asks.
    #[error("{0}")]
    NotSent(String),
    /// What answers is no Dataverse.
    #[error("{0} answers, but not as a Dynamics 365 environment.")]
    NotDataverse(String),
    /// A redirect, which the Web API never gives.
    #[error("{host} sends requests on to {target}, which Dynamics 365 does not do.")]
    Redirected {
        /// The host that was asked.
        host: String,
        /// Where it pointed.
        target: String,
    },
    /// A link to a place that must not see the token.
    #[error("{0}")]
    ForeignLink(#[from] UrlError),
    /// A reply in a shape that nothing can be read from.
    #[error("Dynamics 365 sent a reply that cannot be read: {0}.")]
    BadReply(String),
    /// A write whose answer was lost, so that nobody knows whether it was done.
    #[error(
        "The answer to the change was lost, so it is not known whether Dynamics 365 made it. {0}"
    )]
    Unanswered(Box<Error>),
    /// A write that points to a record which is not there.
    #[error("The change points to a record that Dynamics 365 does not have: {}", .0.message)]
    Dangling(Box<ServiceError>),
    /// Stopped on request.
    #[error("Stopped before it was finished.")]
    Cancelled,
}

/// An error body of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceError {
    /// HTTP status.
    pub status: u16,
    /// The code as 32 bits, however it was written.
    pub code: Option<u32>,
    /// The service's words.
    pub message: String,
    /// Request id.
    pub request: Option<String>,
}

const EXPIRED_VERSION_STAMP: u32 = 0x8004_4352;
const TRACKING_DISABLED: [u32; 2] = [0x8007_2491, 0x8007_2492];
const PRIVILEGE: u32 = 0x8004_0220;
const NOT_A_MEMBER: u32 = 0x8007_2560;
const NOT_FOUND: u32 = 0x8004_0217;
/// Of 412: the record has another version; another record has this alternate key, looks alike by a
/// rule of the organisation, or has this id.
const VERSION_CONFLICT: u32 = 0x8006_0882;
const DUPLICATE_KEY: u32 = 0x8006_0892;
const DUPLICATE_FOUND: u32 = 0x8004_0333;
const ALREADY_EXISTS: u32 = 0x8004_0237;
const TRANSIENT_SQL: [u32; 3] = [0x8004_4150, 0x8004_4151, 0x8004_0216];

impl ServiceError {
    /// Reads an error body; `None` where it is none.
    pub fn read(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Option<Self> {
        let json: Value = serde_json::from_slice(without_mark(body)).ok()?;
        let error = json.get("error").or_else(|| json.get("Error"))?;
        let text = |name: &str| error.get(name).and_then(Value::as_str).map(str::to_owned);
        let message = text("message")
            .or_else(|| text("Message"))
            .unwrap_or_default();
        let code = match error.get("code") {
            Some(Value::String(code)) => parse_code(code),
            Some(Value::Number(code)) => code.as_i64().map(|code| code as u32),
            _ => None,
        };
        Some(Self {
            status: status.as_u16(),
            code,
            message,
            request: request_id(headers),
        })
    }

    /// What a status says by itself.
    pub(crate) fn bare(status: StatusCode, headers: &HeaderMap) -> Self {
        Self {
            status: status.as_u16(),
            code: None,
            message: String::new(),
            request: request_id(headers),
        }
    }

    /// What a 412 means; the documented texts stand in for a code that is missing.
    fn conflict(&self) -> &'static str {
        match self.code {
            Some(DUPLICATE_KEY) => "duplicate_key",
            Some(DUPLICATE_FOUND) => "duplicate_found",
            Some(ALREADY_EXISTS) => "already_exists",
            None if self.message.contains("matching key values") => "already_exists",
            None if self.message.contains("violated") => "duplicate_key",
            _ => "version_conflict",
        }
    }

    /// The privilege that is missing, from any of the texts for it.
    #[must_use]
    pub fn privilege(&self) -> Option<&str> {
        let start = self.message.find("prv")?;
        let name = &self.message[start..];
        let end = name.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        Some(&name[..end.unwrap_or(name.len())])
    }

    fn sentence(&self) -> String {
        if let Some(privilege) = self.privilege() {
            return format!("The signed-in user lacks the privilege {privilege}.");
        }
        match self.code {
            Some(NOT_A_MEMBER) => "The signed-in user is not a member of this organisation.".into(),
            Some(PRIVILEGE) => "The signed-in user's security role does not allow this.".into(),
            Some(NOT_FOUND) => "Dynamics 365 has no such record.".into(),
            Some(ALREADY_EXISTS) => "Dynamics 365 has a record with this id already.".into(),
            Some(VERSION_CONFLICT) => {
                "The record was changed in Dynamics 365 since it was read.".into()
            }
            _ if self.status == 404 && self.message.is_empty() => {
                "Dynamics 365 has no such record.".into()
            }
            _ if self.status == 412 && self.message.is_empty() => {
                "The record was changed in Dynamics 365 since it was read.".into()
            }
            Some(EXPIRED_VERSION_STAMP) => {
                "The mark of the last sync has expired in Dynamics 365.".into()
            }
            _ if self.message.is_empty() => format!("Dynamics 365 answered {}.", self.status),
            _ => format!("Dynamics 365 answered: {}", self.message.trim()),
        }
    }

    /// The code, or where there is none the documented text.
    fn is_expired(&self) -> bool {
        self.code == Some(EXPIRED_VERSION_STAMP) || self.message.contains("ersion stamp")
    }

    pub(crate) fn is_transient(&self) -> bool {
        self.status >= 500
            && !self.is_expired()
            && self.code.is_none_or(|code| TRANSIENT_SQL.contains(&code))
    }
}

fn parse_code(text: &str) -> Option<u32> {
    let text = text.trim();
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse::<i64>().ok().map(|code| code as u32),
    }
}

/// The request's ids for a support call. A header can hold two, joined by a comma.
pub fn request_id(headers: &HeaderMap) -> Option<String> {
    let mut ids: Vec<&str> = Vec::new();
    for name in ["x-ms-service-request-id", "req_id"] {
        let values = headers.get_all(name).iter();
        let texts = values.filter_map(|value| value.to_str().ok());
        for id in texts.flat_map(|text| text.split(',')).map(str::trim) {
            if !id.is_empty() && !ids.contains(&id) {
                ids.push(id);
            }
        }
    }
    (!ids.is_empty()).then(|| ids.join(", "))
}

impl Error {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { reason, .. } => reason.code,
            Self::Broken { .. } => "answer_broken",
            Self::PageBroke { .. } => "page_broken",
            Self::Throttled(_) => "throttled",
            Self::Token(_) | Self::NotSignedIn(_) => "not_signed_in",
            Self::Unavailable(_) | Self::FrontDoor { .. } => "service_unavailable",
            Self::NotSent(_) => "not_sent",
            Self::NotDataverse(_) | Self::Redirected { .. } => "not_dataverse",
            Self::ForeignLink(_) => "foreign_link",
            Self::BadReply(_) => "bad_reply",
            Self::Unanswered(_) => "write_unanswered",
            Self::Dangling(_) => "unknown_reference",
            Self::Cancelled => "interrupted",
            Self::Service(error) => match error.code {
                Some(NOT_A_MEMBER) => "not_a_member",
                Some(NOT_FOUND) => "not_found",
                Some(EXPIRED_VERSION_STAMP) => "delta_expired",
                Some(code) if TRACKING_DISABLED.contains(&code) => "tracking_unavailable",
                Some(PRIVILEGE) => "missing_privilege",
                _ if error.status == 412 => error.conflict(),
                _ if error.status == 403 || error.privilege().is_some() => "missing_privilege",
                _ if error.status == 404 => "not_found",
                _ => "refused",
            },
        }
    }

    /// What to do.
    #[must_use]
    pub fn hint(&self) -> String {
        let code = self.code();
        let row = DATAVERSE.iter().chain(NETWORK).find(|row| row.code == code);
        match (row, self) {
            (Some(row), _) => row.fix,
            // Codes that other crates make too, and explain.
            (None, Self::Cancelled) => "Nothing is lost: the next sync goes on from the last page.",
            (None, _) => "Check the address, the network and the proxy, then try again.",
        }
        .to_owned()
    }

    /// A connection that failed, or broke once it was made; with the innermost reason.
    pub(crate) fn unreachable(host: &str, error: &reqwest::Error) -> Self {
        let (host, reason) = (host.to_owned(), Reason::of(error));
        if error.is_connect() {
            Self::Unreachable { host, reason }
        } else {
            let reason = reason.to_string();
            Self::Broken { host, reason }
        }
    }

    /// The service's own answer, where it is what went wrong.
    #[must_use]
    pub fn service(&self) -> Option<&ServiceError> {
        match self {
            Self::Service(error) | Self::Dangling(error) | Self::Throttled(Some(error)) => {
                Some(error)
            }
            Self::PageBroke { source, .. } | Self::Unanswered(source) => source.service(),
            _ => None,
        }
    }

    /// The service's code and request id.
    #[must_use]
    pub fn reference(&self) -> Option<String> {
        let error = match self {
            Self::Service(error) | Self::Dangling(error) | Self::Throttled(Some(error)) => error,
            Self::Unanswered(source) => return source.reference(),
            Self::PageBroke { source, .. } => return source.reference(),
            Self::FrontDoor { status, request } => {
                let request = request.as_ref().map(|id| format!(", request {id}"));
                return Some(format!("status {status}{}", request.unwrap_or_default()));
            }
            _ => return None,
        };
        let code = error.code.map(|code| format!("0x{code:08x}"));
        let request = error.request.as_ref().map(|id| format!("request {id}"));
        let parts: Vec<String> = [code, Some(format!("status {}", error.status)), request]
            .into_iter()
            .flatten()
            .collect();
        Some(parts.join(", "))
    }

    /// A refusal that speaks of a record which is not there, where that is not the one that was
    /// named.
    pub(crate) fn dangling(self) -> Self {
        match self {
            Self::Service(error) => Self::Dangling(error),
            other => other,
        }
    }

    /// A refusal that means that the record is not there.
    pub(crate) fn missing(self) -> Self {
        match self {
            Self::Service(error) => Self::Service(Box::new(ServiceError {
                code: Some(NOT_FOUND),
                ..*error
            })),
            other => other,
        }
    }

    /// HTTP status of the service's refusal; `None` where the error is no refusal.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Service(error) | Self::Dangling(error) => Some(error.status),
            _ => None,
        }
    }

    /// Whether the same request may work later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Broken { .. }
            | Self::PageBroke { .. }
            | Self::Throttled(_)
            | Self::Unavailable(_)
            | Self::Unanswered(_)
            | Self::FrontDoor { .. } => true,
            Self::Service(error) => error.is_transient(),
            _ => false,
        }
    }

    /// Whether the answer was too much for the way or for the service, so that a smaller page may
    /// pass: it broke off, came as something else, or took too long.
    pub(crate) fn breaks_page(&self) -> bool {
        match self {
            Self::Broken { .. } | Self::Unavailable(_) => true,
            Self::FrontDoor { status, .. } => matches!(status, 408 | 504),
            Self::Service(error) => error
                .code
                .is_some_and(|code| TRANSIENT_SQL[..2].contains(&code)),
            _ => false,
        }
    }

    /// Whether a delta link has to be given up for a full sync. The status of the documented code
    /// is not settled, so a bad request on a delta link means the same.
    #[must_use]
    pub fn delta_expired(&self) -> bool {
        match self {
            Self::Service(error) => error.is_expired() || matches!(error.status, 400 | 404 | 410),
            _ => false,
        }
    }

    /// Whether the table can be read, but not with change tracking.
    #[must_use]
    pub fn tracking_refused(&self) -> bool {
        match self {
            Self::Service(error) => {
                error
                    .code
                    .is_some_and(|code| TRACKING_DISABLED.contains(&code))
                    || (error.message.contains("change tracking"))
                    || (error.privilege().is_some() && error.message.contains("Global"))
            }
            _ => false,
        }
    }
}
