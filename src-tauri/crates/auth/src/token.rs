//! The token endpoint.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::{Bytes, BytesMut};
use reqwest::{RequestBuilder, Response, StatusCode};
use salesmirror_model::network::Reason;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::authority::host;
use crate::error::Refusal;
use crate::{AuthError, ClientKind, Endpoints, Registration};

/// Until then the endpoint has to answer.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Replies are some kilobytes. What is a thousand times longer is no reply of a sign-in service,
/// and would only fill the memory.
const LONGEST_REPLY: usize = 1024 * 1024;
/// Pauses before the same request is sent again to a service that says it is out of order.
const PAUSES: [Duration; 2] = [Duration::from_millis(300), Duration::from_millis(1_200)];
/// What an access token is good for where the reply does not say.
const USUAL_LIFE: Duration = Duration::from_secs(3_600);
/// The longest life that Microsoft documents; a longer one is not believed.
const LONGEST_LIFE: Duration = Duration::from_secs(86_400);

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
    token_type: Option<String>,
    #[serde(default)]
    expires_in: Value,
    refresh_token: Option<SecretString>,
    scope: Option<String>,
    id_token: Option<String>,
}

impl Reply {
    /// Seconds as a number or, as older endpoints have it, as text.
    fn life(&self) -> Duration {
        let seconds = match &self.expires_in {
            Value::String(text) => text.trim().parse::<f64>().ok(),
            other => other.as_f64(),
        };
        seconds
            .and_then(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).ok())
            .unwrap_or(USUAL_LIFE)
            .min(LONGEST_LIFE)
    }

    /// Whether the token can be used at all: it stands in a header of every request.
    fn is_usable(&self) -> bool {
        let token = self.access_token.expose_secret();
        let is_bearer = self
            .token_type
            .as_deref()
            .is_none_or(|kind| kind.eq_ignore_ascii_case("bearer"));
        is_bearer && !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())
    }
}

/// The two ways to ask for a user's access to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The delegated permission by its name, as Microsoft documents it.
    Impersonation,
    /// Whatever the app registration lists.
    Default,
}

impl Scope {
    /// As it stands in a request, with what gives a refresh token and the user's name.
    pub fn text(self, resource: &Url) -> String {
        let origin = resource.origin().ascii_serialization();
        let name = match self {
            Self::Impersonation => "user_impersonation",
            Self::Default => ".default",
        };
        format!("{origin}/{name} offline_access openid profile")
    }

    pub fn other(self) -> Self {
        match self {
            Self::Impersonation => Self::Default,
            Self::Default => Self::Impersonation,
        }
    }
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
    let grant = Grant {
        kind: "refresh_token",
        secret: Some(("refresh_token", refresh_token)),
        more: &[],
    };
    for_user(
        http,
        endpoints,
        registration,
        &grant,
        Scope::Impersonation,
        resource,
    )
    .await
}

/// Gets an access token for the app itself. `.default` is the only scope that Entra ID takes here.
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
    let grant = Grant {
        kind: "client_credentials",
        secret: None,
        more: &[],
    };
    request(http, endpoints, registration, &grant, &scope).await
}

/// What is exchanged for tokens.
pub(crate) struct Grant<'a> {
    pub kind: &'a str,
    /// The field that nobody else may see.
    pub secret: Option<(&'a str, &'a SecretString)>,
    pub more: &'a [(&'a str, &'a str)],
}

/// A user's tokens: where one kind of scope is refused, the other is tried once.
pub(crate) async fn for_user(
    http: &reqwest::Client,
    endpoints: &Endpoints,
    registration: &Registration,
    grant: &Grant<'_>,
    scope: Scope,
    resource: &Url,
) -> Result<Tokens, AuthError> {
    let first = scope.text(resource);
    let error = match request(http, endpoints, registration, grant, &first).await {
        Err(error) if error.suggests_other_scope() => error,
        result => return result,
    };
    // The first refusal is the one to tell: it is about what the app is documented to ask for.
    let second = scope.other().text(resource);
    request(http, endpoints, registration, grant, &second)
        .await
        .map_err(|_| error)
}

async fn request(
    http: &reqwest::Client,
    endpoints: &Endpoints,
    registration: &Registration,
    grant: &Grant<'_>,
    scope: &str,
) -> Result<Tokens, AuthError> {
    let mut form = vec![("grant_type", grant.kind)];
    form.extend(grant.more);
    let mut secrets = Vec::new();
    if let Some((name, secret)) = grant.secret {
        form.push((name, secret.expose_secret()));
        secrets.push(secret);
    }
    form.push(("client_id", &registration.client_id));
    form.push(("scope", scope));
    if let ClientKind::Confidential(secret) = &registration.client {
        form.push(("client_secret", secret.expose_secret()));
        secrets.push(secret);
    }
    let body = send(
        || http.post(endpoints.token.clone()).form(&form),
        &endpoints.token,
    )
    .await
    .map_err(|error| match error {
        AuthError::Refused(refusal) => AuthError::Refused(Box::new(refusal.cleaned(&secrets))),
        other => other,
    })?;
    let not_one = || AuthError::NotAnAuthority(endpoints.token.to_string());
    let reply: Reply = serde_json::from_slice(&body).map_err(|_| not_one())?;
    if !reply.is_usable() {
        return Err(not_one());
    }
    Ok(Tokens {
        expires_in: reply.life(),
        user: reply.id_token.as_deref().and_then(claims),
        access: reply.access_token,
        refresh: reply
            .refresh_token
            .filter(|token| !token.expose_secret().is_empty()),
        scope: reply.scope,
    })
}

/// Sends a request to the authority; gives the body of a success. A service that says it is out of
/// order is asked again twice.
pub(crate) async fn send(
    request: impl Fn() -> RequestBuilder,
    authority: &Url,
) -> Result<Bytes, AuthError> {
    let mut pauses = PAUSES.into_iter();
    loop {
        let error = match send_once(request(), authority).await {
            Err(error) if error.code() == "sign_in_unavailable" => error,
            result => return result,
        };
        let Some(pause) = pauses.next() else {
            return Err(error);
        };
        tokio::time::sleep(pause).await;
    }
}

async fn send_once(request: RequestBuilder, authority: &Url) -> Result<Bytes, AuthError> {
    let unreachable = |error: reqwest::Error| AuthError::Unreachable {
        host: host(authority),
        reason: Reason::of(&error),
    };
    let mut reply = request.timeout(TIMEOUT).send().await.map_err(unreachable)?;
    let status = reply.status();
    let body = limited(&mut reply)
        .await
        .map_err(unreachable)?
        .ok_or_else(|| AuthError::NotAnAuthority(authority.to_string()))?;
    if status.is_success() {
        return Ok(body);
    }
    match serde_json::from_slice::<Refusal>(&body) {
        Ok(refusal) if !refusal.error.is_empty() => {
            Err(AuthError::Refused(Box::new(refusal.cleaned(&[]))))
        }
        _ if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
            Err(AuthError::Unavailable {
                host: host(authority),
                status: status.as_u16(),
            })
        }
        _ => Err(AuthError::NotAnAuthority(authority.to_string())),
    }
}

/// The body, or nothing where it is too long.
async fn limited(reply: &mut Response) -> Result<Option<Bytes>, reqwest::Error> {
    let mut body = BytesMut::new();
    while let Some(part) = reply.chunk().await? {
        if body.len() + part.len() > LONGEST_REPLY {
            return Ok(None);
        }
        body.extend_from_slice(&part);
    }
    Ok(Some(body.freeze()))
}

fn claims(id_token: &str) -> Option<UserClaims> {
    let payload = id_token.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?).ok()
}
