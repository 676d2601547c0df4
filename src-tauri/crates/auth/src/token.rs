//! The token endpoint.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use reqwest::RequestBuilder;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer};
use url::Url;

use crate::authority::host;
use crate::error::Refusal;
use crate::{AuthError, ClientKind, Endpoints, Registration};

/// Until then the endpoint has to answer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// What the token endpoint gave.
#[derive(Clone)]
pub struct Tokens {
    /// Access token, opaque to us.
    pub access: SecretString,
    /// How long it is good for.
    pub expires_in: Duration,
    /// The new refresh token; `None` means that the old one stays.
    pub refresh: Option<SecretString>,
    /// What was granted.
    pub scope: Option<String>,
    /// Who signed in, for display only.
    pub user: Option<UserClaims>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Tokens")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// Claims of the id token, for display only: they are not verified.
#[derive(Debug, Clone, Deserialize)]
pub struct UserClaims {
    /// Name.
    pub name: Option<String>,
    /// Mostly the e-mail address.
    pub preferred_username: Option<String>,
    /// Tenant id.
    #[serde(rename = "tid")]
    pub tenant_id: Option<String>,
}

#[derive(Deserialize)]
struct Reply {
    access_token: SecretString,
    #[serde(default = "one_hour", deserialize_with = "seconds")]
    expires_in: u64,
    refresh_token: Option<SecretString>,
    scope: Option<String>,
    id_token: Option<String>,
}

fn one_hour() -> u64 {
    3_600
}

/// Seconds as a number or, as older endpoints have it, as text.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Seconds {
        Number(u64),
        Text(String),
    }
    Ok(match Seconds::deserialize(deserializer)? {
        Seconds::Number(number) => number,
        Seconds::Text(text) => text.trim().parse().unwrap_or_else(|_| one_hour()),
    })
}

/// Gets a new access token, and mostly a new refresh token, for a refresh token.
///
/// # Errors
/// Where Entra ID refuses ([`AuthError::needs_sign_in`] tells whether the sign-in has ended) or
/// cannot be reached.
pub async fn refresh(
    http: &reqwest::Client,
    endpoints: &Endpoints,
    registration: &Registration,
    refresh_token: &SecretString,
    resource: &Url,
) -> Result<Tokens, AuthError> {
    let grant = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token.expose_secret()),
    ];
    let first = request(http, endpoints, registration, &grant, &user_scope(resource)).await;
    match first {
        Err(error) if error.suggests_other_scope() => {
            request(
                http,
                endpoints,
                registration,
                &grant,
                &default_scope(resource),
            )
            .await
        }
        result => result,
    }
}

/// Gets an access token for the app itself.
///
/// # Errors
/// Where Entra ID refuses or cannot be reached.
pub async fn client_credentials(
    http: &reqwest::Client,
    endpoints: &Endpoints,
    registration: &Registration,
    resource: &Url,
) -> Result<Tokens, AuthError> {
    let scope = format!("{}/.default", resource.origin().ascii_serialization());
    request(
        http,
        endpoints,
        registration,
        &[("grant_type", "client_credentials")],
        &scope,
    )
    .await
}

/// The documented scopes of a user's access, with a refresh token and the user's name.
pub(crate) fn user_scope(resource: &Url) -> String {
    let origin = resource.origin().ascii_serialization();
    format!("{origin}/user_impersonation offline_access openid profile")
}

fn default_scope(resource: &Url) -> String {
    format!(
        "{}/.default offline_access openid profile",
        resource.origin().ascii_serialization()
    )
}

pub(crate) async fn request(
    http: &reqwest::Client,
    endpoints: &Endpoints,
    registration: &Registration,
    grant: &[(&str, &str)],
    scope: &str,
) -> Result<Tokens, AuthError> {
    let mut form = grant.to_vec();
    form.push(("client_id", &registration.client_id));
    form.push(("scope", scope));
    if let ClientKind::Confidential(secret) = &registration.client {
        form.push(("client_secret", secret.expose_secret()));
    }
    let body = send(
        http.post(endpoints.token.clone()).form(&form),
        &endpoints.token,
    )
    .await?;
    let reply: Reply = serde_json::from_slice(&body)
        .map_err(|_| AuthError::NotAnAuthority(endpoints.token.to_string()))?;
    Ok(Tokens {
        access: reply.access_token,
        expires_in: Duration::from_secs(reply.expires_in),
        refresh: reply.refresh_token,
        scope: reply.scope,
        user: reply.id_token.as_deref().and_then(claims),
    })
}

/// Sends a request to the authority; gives the body of a success.
pub(crate) async fn send(request: RequestBuilder, authority: &Url) -> Result<Bytes, AuthError> {
    let unreachable = |error: reqwest::Error| {
        let mut reason = String::from("the connection failed");
        let mut source = std::error::Error::source(&error);
        while let Some(inner) = source {
            reason = inner.to_string();
            source = inner.source();
        }
        AuthError::Unreachable {
            host: host(authority),
            reason,
        }
    };
    let reply = request.timeout(TIMEOUT).send().await.map_err(unreachable)?;
    let status = reply.status();
    let body = reply.bytes().await.map_err(unreachable)?;
    if status.is_success() {
        return Ok(body);
    }
    match serde_json::from_slice::<Refusal>(&body) {
        Ok(refusal) if !refusal.error.is_empty() => Err(AuthError::Refused(Box::new(refusal))),
        _ if status.is_server_error() => Err(AuthError::Unreachable {
            host: host(authority),
            reason: format!("it answered with status {}", status.as_u16()),
        }),
        _ => Err(AuthError::NotAnAuthority(authority.to_string())),
    }
}

fn claims(id_token: &str) -> Option<UserClaims> {
    let payload = id_token.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?).ok()
}
