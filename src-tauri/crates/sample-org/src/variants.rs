//! What the documentation leaves open: each variant can be switched on, and a client has to take
//! all of them.

use serde::{Deserialize, Serialize};

use crate::dataverse::variants::Variants as DataVariants;

/// What stands between two parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Separator {
    Comma,
    Blank,
    Crlf,
}

/// What a refresh gives besides the access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshReply {
    /// A new refresh token; the old one stays good.
    Rotate,
    /// No refresh token.
    None,
    /// A new refresh token; the old one is no good any more.
    SingleUse,
}

/// Which of the two documented scopes is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScopeForm {
    Any,
    UserImpersonation,
    Default,
}

/// The variants of Entra ID, of HTTP and of the Web API.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Variants {
    pub challenge_quoted: bool,
    pub challenge_separator: Separator,
    pub trace_separator: Separator,
    pub error_uri: bool,
    pub callback_iss: bool,
    pub session_state: bool,
    /// 700025 or 90023.
    pub public_secret_code: u32,
    pub refresh_reply: RefreshReply,
    pub scope: ScopeForm,
    /// Life of an access token, in s.
    pub expires_in_s: i64,
    pub ext_expires_in: bool,
    pub two_request_ids: bool,
    /// Those of rows and metadata.
    pub data: DataVariants,
}

impl Default for Variants {
    fn default() -> Self {
        Self {
            challenge_quoted: false,
            challenge_separator: Separator::Comma,
            trace_separator: Separator::Blank,
            error_uri: true,
            callback_iss: false,
            session_state: true,
            public_secret_code: 700_025,
            refresh_reply: RefreshReply::Rotate,
            scope: ScopeForm::Any,
            expires_in_s: 4_500,
            ext_expires_in: true,
            two_request_ids: false,
            data: DataVariants::default(),
        }
    }
}

impl Variants {
    /// The same with the fields that `change` names.
    ///
    /// # Errors
    /// A sentence, where a field or a value is unknown.
    pub fn changed(&self, change: &serde_json::Value) -> Result<Self, String> {
        let Some(fields) = change.as_object() else {
            return Err("The body has to be an object.".to_owned());
        };
        let mut all = serde_json::to_value(self).map_err(|error| error.to_string())?;
        for (name, value) in fields {
            match (
                name.as_str(),
                all["data"].as_object_mut(),
                value.as_object(),
            ) {
                // What is not named stays as it is, among these too.
                ("data", Some(data), Some(change)) => data.extend(change.clone()),
                _ => all[name.as_str()] = value.clone(),
            }
        }
        let changed: Self = serde_json::from_value(all).map_err(|error| error.to_string())?;
        changed.data.check()?;
        if ![700_025, 90_023].contains(&changed.public_secret_code) {
            return Err("public_secret_code is 700025 or 90023.".to_owned());
        }
        if changed.challenge_separator == Separator::Crlf {
            return Err("challenge_separator is comma or blank.".to_owned());
        }
        if changed.trace_separator == Separator::Comma {
            return Err("trace_separator is blank or crlf.".to_owned());
        }
        Ok(changed)
    }

    /// The documented challenge to a call without a good token.
    pub fn challenge(&self, authority: &str, tenant: uuid::Uuid, resource: &str) -> String {
        let quote = if self.challenge_quoted { "\"" } else { "" };
        let between = match self.challenge_separator {
            Separator::Blank => " ",
            _ => ", ",
        };
        format!(
            "Bearer authorization_uri={quote}{authority}{tenant}/oauth2/authorize{quote}{between}resource_id={quote}{resource}/{quote}"
        )
    }
}
