//! Why a sign-in did not work, in words.

use serde::Deserialize;

use crate::explain::{Explanation, explain};

/// An error of signing in. `Display` is a sentence for the user.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AuthError {
    /// Entra ID refused.
    #[error("{}", .0.sentence())]
    Refused(Box<Refusal>),
    /// The authority cannot be reached.
    #[error("The sign-in service {host} cannot be reached: {reason}.")]
    Unreachable {
        /// The host.
        host: String,
        /// What the network said.
        reason: String,
    },
    /// The authority answers, but not as one.
    #[error("{0} answers, but not as a sign-in service.")]
    NotAnAuthority(String),
    /// The authority named an endpoint elsewhere.
    #[error("The sign-in service {authority} sends credentials to {target}. Nothing was sent.")]
    ForeignEndpoint {
        /// The authority's host.
        authority: String,
        /// The endpoint's host.
        target: String,
    },
    /// The redirect URI's port is in use.
    #[error("Port {0} of the redirect URI is in use by another program.")]
    PortTaken(u16),
    /// The browser did not come back in time.
    #[error("Nobody finished the sign-in in the browser in time.")]
    TimedOut,
    /// Stopped on request.
    #[error("The sign-in was stopped.")]
    Cancelled,
    /// The machine refused something local.
    #[error("The sign-in cannot begin: {0}.")]
    Local(String),
}

/// An error body of Entra ID, or the error of a callback.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Refusal {
    /// OAuth's code, such as `invalid_client`.
    pub error: String,
    /// Entra ID's words.
    pub error_description: String,
    error_codes: Vec<u32>,
    trace_id: Option<String>,
    correlation_id: Option<String>,
}

impl Refusal {
    pub(crate) fn from_callback(error: String, description: String) -> Self {
        Self {
            error,
            error_description: description,
            ..Self::default()
        }
    }

    /// The `AADSTS` number, from its own field or from the text.
    #[must_use]
    pub fn aadsts(&self) -> Option<u32> {
        self.error_codes.first().copied().or_else(|| {
            let (_, rest) = self.error_description.split_once("AADSTS")?;
            let end = rest
                .find(|digit: char| !digit.is_ascii_digit())
                .unwrap_or(rest.len());
            rest[..end].parse().ok()
        })
    }

    fn explanation(&self) -> Option<Explanation> {
        self.aadsts()
            .and_then(explain)
            .or_else(|| match self.error.as_str() {
                "access_denied" => explain(65_004),
                "invalid_scope" => explain(70_011),
                _ => None,
            })
    }

    fn sentence(&self) -> String {
        match self.explanation() {
            Some(explanation) => explanation.meaning.to_owned(),
            None => {
                // The first line says it; trace ids go to the reference.
                let text = self
                    .error_description
                    .split("Trace ID")
                    .next()
                    .unwrap_or_default()
                    .trim();
                let text = if text.is_empty() {
                    self.error.as_str()
                } else {
                    text
                };
                format!("Entra ID refused: {text}")
            }
        }
    }
}

impl AuthError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal
                .explanation()
                .map_or("sign_in_refused", |found| found.code),
            Self::Unreachable { .. } => "unreachable",
            Self::NotAnAuthority(_) => "not_an_authority",
            Self::ForeignEndpoint { .. } => "foreign_endpoint",
            Self::PortTaken(_) => "port_taken",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
            Self::Local(_) => "local_failure",
        }
    }

    /// What to do.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.explanation().map_or(
                "Sign in again. If it stays, the reference helps Microsoft's support.",
                |found| found.fix,
            ),
            Self::Unreachable { .. } => "Check the network and the proxy, then try again.",
            Self::NotAnAuthority(_) | Self::ForeignEndpoint { .. } => {
                "Check the authority's address; leave it out for the commercial cloud."
            }
            Self::PortTaken(_) => "Close that program, or leave the port out: any port will do.",
            Self::TimedOut => {
                "Sign in again. If the browser showed an error about the redirect URI, add \
                 http://localhost/oauth/callback on the app's Authentication page."
            }
            Self::Cancelled => "Nothing was kept. Sign in again when you are ready.",
            Self::Local(_) => "Try again.",
        }
    }

    /// The `AADSTS` number.
    #[must_use]
    pub fn aadsts(&self) -> Option<u32> {
        match self {
            Self::Refused(refusal) => refusal.aadsts(),
            _ => None,
        }
    }

    /// Code, trace id and correlation id, for a support call.
    #[must_use]
    pub fn reference(&self) -> Option<String> {
        let Self::Refused(refusal) = self else {
            return None;
        };
        let parts = [
            Some(
                refusal
                    .aadsts()
                    .map_or_else(|| refusal.error.clone(), |code| format!("AADSTS{code}")),
            ),
            refusal.trace_id.as_ref().map(|id| format!("trace {id}")),
            refusal
                .correlation_id
                .as_ref()
                .map(|id| format!("correlation {id}")),
        ];
        Some(parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }

    /// Entra ID's own words, ready to copy.
    #[must_use]
    pub fn raw(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) => Some(&refusal.error_description),
            _ => None,
        }
    }

    /// Whether the stored refresh token is good for nothing any more.
    #[must_use]
    pub fn needs_sign_in(&self) -> bool {
        match self {
            Self::Refused(refusal) => {
                refusal.error == "invalid_grant"
                    || refusal.error == "interaction_required"
                    || refusal
                        .explanation()
                        .is_some_and(|found| found.ends_sign_in)
            }
            _ => false,
        }
    }

    /// Whether the other kind of scope may work: `user_impersonation` and `.default` stand in for
    /// each other, depending on how the app was registered.
    pub(crate) fn suggests_other_scope(&self) -> bool {
        match self {
            Self::Refused(refusal) => {
                refusal.error == "invalid_scope"
                    || matches!(refusal.aadsts(), Some(65_001 | 70_011))
            }
            _ => false,
        }
    }
}
