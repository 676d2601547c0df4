//! Why a sign-in did not work, in words.

use salesmirror_model::Explanation;
use salesmirror_model::network::Reason;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer};

use crate::explain::{self, explain};

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
        reason: Reason,
    },
    /// The authority is out of order, and may be in order later.
    #[error("The sign-in service {host} is out of order: it answered with status {status}.")]
    Unavailable {
        /// The host.
        host: String,
        /// HTTP status.
        status: u16,
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
    #[serde(deserialize_with = "numbers")]
    error_codes: Vec<u32>,
    trace_id: Option<String>,
    correlation_id: Option<String>,
    /// What conditional access wants to see in the next request for a sign-in, as JSON.
    claims: Option<String>,
}

/// The numbers of a list, written as numbers or as texts; whatever else is there is left out.
fn numbers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u32>, D::Error> {
    let found = serde_json::Value::deserialize(deserializer)?;
    let number = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.parse().ok(),
        other => other.as_u64().and_then(|number| number.try_into().ok()),
    };
    Ok(found
        .as_array()
        .map(|values| values.iter().filter_map(number).collect())
        .unwrap_or_default())
}

impl Refusal {
    pub(crate) fn from_callback(error: String, description: String) -> Self {
        Self {
            error,
            error_description: description,
            ..Self::default()
        }
    }

    /// Takes out what no message may show: secrets that the other side sent back, and characters
    /// that a terminal would obey.
    pub(crate) fn cleaned(mut self, secrets: &[&SecretString]) -> Self {
        let clean = |text: &str| {
            let mut text = text.to_owned();
            for secret in secrets {
                let secret = secret.expose_secret();
                if !secret.is_empty() {
                    text = text.replace(secret, "…");
                }
            }
            let printable = |letter: char| if letter.is_control() { ' ' } else { letter };
            text.chars().map(printable).collect::<String>()
        };
        self.error = clean(&self.error);
        self.error_description = clean(&self.error_description);
        self.trace_id = self.trace_id.as_deref().map(clean);
        self.correlation_id = self.correlation_id.as_deref().map(clean);
        self
    }

    /// The `AADSTS` number, from its own field or from the text.
    #[must_use]
    pub fn aadsts(&self) -> Option<u32> {
        let explained = self
            .error_codes
            .iter()
            .find(|code| explain(**code).is_some());
        explained
            .or_else(|| self.error_codes.first())
            .copied()
            .or_else(|| {
                let (_, rest) = self.error_description.split_once("AADSTS")?;
                let end = rest
                    .find(|digit: char| !digit.is_ascii_digit())
                    .unwrap_or(rest.len());
                rest[..end].parse().ok()
            })
    }

    /// What follows a label in the text, for replies whose fields lack it.
    fn labelled(&self, label: &str) -> Option<&str> {
        let (_, rest) = self.error_description.split_once(label)?;
        rest.split_whitespace().next()
    }

    fn explanation(&self) -> Option<&'static Explanation> {
        self.aadsts()
            .and_then(explain)
            .or_else(|| match self.error.as_str() {
                "access_denied" => explain::of_code("declined"),
                "invalid_scope" => explain::of_code("invalid_scope"),
                "invalid_grant" => explain::of_code("grant_refused"),
                "consent_required" => explain::of_code("consent_needed"),
                "login_required" => explain::of_code("sign_in_expired"),
                "interaction_required" => explain::of_code("conditional_access"),
                "temporarily_unavailable" | "server_error" => {
                    explain::of_code("sign_in_unavailable")
                }
                _ => None,
            })
    }

    fn sentence(&self) -> String {
        if let Some(explanation) = self.explanation() {
            return explanation.meaning.to_owned();
        }
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

impl AuthError {
    /// The row of the table of errors.
    #[must_use]
    pub fn explanation(&self) -> &'static Explanation {
        let code = match self {
            Self::Refused(refusal) => {
                return refusal
                    .explanation()
                    .unwrap_or_else(|| of_code("sign_in_refused"));
            }
            Self::Unreachable { reason, .. } => reason.code,
            Self::Unavailable { .. } => "sign_in_unavailable",
            Self::NotAnAuthority(_) => "not_an_authority",
            Self::ForeignEndpoint { .. } => "foreign_endpoint",
            Self::PortTaken(_) => "port_taken",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
            Self::Local(_) => "local_failure",
        };
        of_code(code)
    }

    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.explanation().code
    }

    /// What to do.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        self.explanation().fix
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
        let code = refusal
            .aadsts()
            .map_or_else(|| refusal.error.clone(), |code| format!("AADSTS{code}"));
        let id = |field: &Option<String>, label: &str, name: &str| {
            field
                .as_deref()
                .or_else(|| refusal.labelled(label))
                .map(|id| format!("{name} {id}"))
        };
        let parts = [
            Some(code),
            id(&refusal.trace_id, "Trace ID:", "trace"),
            id(&refusal.correlation_id, "Correlation ID:", "correlation"),
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

    /// What the next request for a sign-in has to carry, where conditional access asked for more.
    #[must_use]
    pub fn claims(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) => refusal.claims.as_deref(),
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
                    || refusal.explanation().is_some_and(explain::ends_sign_in)
            }
            _ => false,
        }
    }

    /// Whether the same request may work later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            _ => self.code() == "sign_in_unavailable",
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

/// The row of a code that this module names itself; the last of Entra ID's rows is the one for
/// everything that has no row of its own.
fn of_code(code: &str) -> &'static Explanation {
    explain::of_code(code).unwrap_or(&explain::ENTRA[explain::ENTRA.len() - 1])
}
