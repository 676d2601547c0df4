//! Global Discovery: the environments that a user can reach.

use reqwest::StatusCode;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use url::Url;

use crate::error::{ServiceError, request_id};
use crate::{Error, Result};

/// An environment as Global Discovery lists it. Everything but its address may be missing.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Instance {
    /// Name as people know it.
    #[serde(deserialize_with = "text")]
    pub friendly_name: String,
    /// Its address.
    #[serde(deserialize_with = "text")]
    pub url: String,
    /// Its other address, for programs.
    #[serde(deserialize_with = "text")]
    pub api_url: String,
    /// The middle of its address.
    #[serde(deserialize_with = "text")]
    pub url_name: String,
    /// 0 enabled, 1 disabled.
    pub state: Value,
    /// Version of the organisation.
    #[serde(deserialize_with = "text")]
    pub version: String,
    /// Region.
    #[serde(deserialize_with = "text")]
    pub region: String,
    /// Tenant id.
    #[serde(deserialize_with = "text")]
    pub tenant_id: String,
    /// Environment id, not always a GUID.
    #[serde(deserialize_with = "text")]
    pub environment_id: String,
    /// Whether the user administers it.
    pub is_user_sys_admin: Option<bool>,
}

/// A text; nothing where there is null or something else.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        _ => String::new(),
    })
}

impl Instance {
    /// Whether it is in use: only a state that says so counts as disabled.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        match &self.state {
            Value::Number(number) => number.as_i64() != Some(1),
            Value::String(text) => text != "1" && !text.eq_ignore_ascii_case("disabled"),
            _ => true,
        }
    }
}

/// The environments of the user whose token for this service it is. The list can be short or empty,
/// as for delegated administrators.
///
/// # Errors
/// Whatever the service or the network says.
pub async fn environments(
    http: &reqwest::Client,
    discovery: &Url,
    token: &SecretString,
) -> Result<Vec<Instance>> {
    #[derive(Deserialize)]
    struct Reply {
        #[serde(default)]
        value: Vec<Instance>,
    }
    let host = || discovery.host_str().unwrap_or_default().to_owned();
    let address = discovery
        .join("/api/discovery/v2.0/Instances")
        .map_err(|_| Error::NotDataverse(host()))?;
    let reply = http
        .get(address)
        .bearer_auth(token.expose_secret())
        .header("Accept", "application/json")
        .send()
        .await
        .map_err(|error| Error::unreachable(&host(), &error))?;
    let (status, headers) = (reply.status(), reply.headers().clone());
    let body = reply
        .bytes()
        .await
        .map_err(|error| Error::unreachable(&host(), &error))?;
    if status.is_success() {
        // Its context names an internal address, which means nothing outside.
        let reply: Reply =
            serde_json::from_slice(&body).map_err(|_| Error::NotDataverse(host()))?;
        return Ok(reply.value);
    }
    Err(match ServiceError::read(status, &headers, &body) {
        _ if status == StatusCode::UNAUTHORIZED => Error::NotSignedIn(host()),
        words if status == StatusCode::TOO_MANY_REQUESTS => Error::Throttled(words.map(Box::new)),
        Some(error) => Error::Service(Box::new(error)),
        None if status.is_server_error() => Error::FrontDoor {
            status: status.as_u16(),
            request: request_id(&headers),
        },
        None => Error::NotDataverse(host()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_is_read_from_a_full_row_and_from_a_short_one() {
        // The documented shapes: the row of the table, and one of two columns.
        let full: Instance = serde_json::from_str(
            r#"{"Id":"6bcbf6bf-1f2a-4ab9-9901-2605b314d72d","UniqueName":"unq6bcbf6bf1f2a4ab999012605b314d",
            "UrlName":"yourorganization","FriendlyName":"Your Organization","State":1,"Version":"9.2.22074.168",
            "Url":"https://yourorganization.crm.dynamics.com/","ApiUrl":"https://yourorganization.api.crm.dynamics.com",
            "TenantId":"f6976b02-5a42-4e90-ac3d-8bf516ce0859","Region":"NA","IsUserSysAdmin":true,"Purpose":null}"#,
        )
        .expect("an instance");
        assert_eq!(full.friendly_name, "Your Organization");
        assert!(!full.is_enabled() && full.is_user_sys_admin == Some(true));
        let short: Instance = serde_json::from_str(
            r#"{"ApiUrl":"https://yourorganization.api.crm.dynamics.com","FriendlyName":null}"#,
        )
        .expect("an instance");
        assert!(short.is_enabled() && short.url.is_empty() && short.friendly_name.is_empty());
    }
}
