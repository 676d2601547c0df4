//! The authority: its OpenID configuration, and the app as it is registered there.

use salesmirror_model::clouds::is_same_authority;
use salesmirror_model::parse_guid;
use salesmirror_model::urls::parse_secure;
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;
use uuid::Uuid;

use crate::AuthError;

/// The app as it is registered in a tenant.
#[derive(Clone)]
pub struct Registration {
    /// Authority, such as `https://login.microsoftonline.com/`.
    pub authority: Url,
    /// Tenant: id, domain, `organizations` or `common`.
    pub tenant: String,
    /// Application (client) id.
    pub client_id: String,
    /// Whether it has a secret.
    pub client: ClientKind,
}

/// Whether the app has a secret.
#[derive(Clone)]
pub enum ClientKind {
    /// Platform "Mobile and desktop applications": no secret, which Entra ID would refuse.
    Public,
    /// Platform "Web": a secret is required.
    Confidential(SecretString),
}

/// Where to sign in and where to get tokens.
#[derive(Debug, Clone)]
pub struct Endpoints {
    /// The page for people.
    pub authorization: Url,
    /// The endpoint for programs.
    pub token: Url,
    /// Who signs tokens.
    pub issuer: String,
}

impl Endpoints {
    /// The tenant's id, which the issuer's address holds; `None` for `organizations` and `common`.
    #[must_use]
    pub fn tenant_id(&self) -> Option<Uuid> {
        let issuer = Url::parse(&self.issuer).ok()?;
        issuer.path_segments()?.find_map(parse_guid)
    }
}

#[derive(Deserialize)]
struct Configuration {
    authorization_endpoint: String,
    token_endpoint: String,
    #[serde(default)]
    issuer: String,
}

/// Reads the OpenID configuration. Endpoints on another host are refused: a secret goes there.
///
/// # Errors
/// Where the authority cannot be reached, does not know the tenant, or names foreign endpoints.
pub async fn discover(
    http: &reqwest::Client,
    authority: &Url,
    tenant: &str,
) -> Result<Endpoints, AuthError> {
    let mut address = authority.clone();
    address.set_query(None);
    if let Ok(mut path) = address.path_segments_mut() {
        path.pop_if_empty()
            .extend([tenant, "v2.0", ".well-known", "openid-configuration"]);
    }
    let body = crate::token::send(|| http.get(address.clone()), authority).await?;
    let configuration: Configuration = serde_json::from_slice(&body)
        .map_err(|_| AuthError::NotAnAuthority(authority.to_string()))?;
    let endpoint = |text: &str| {
        let url =
            parse_secure(text).map_err(|_| AuthError::NotAnAuthority(authority.to_string()))?;
        if is_same_authority(authority, &url) {
            Ok(url)
        } else {
            Err(AuthError::ForeignEndpoint {
                authority: host(authority),
                target: host(&url),
            })
        }
    };
    Ok(Endpoints {
        authorization: endpoint(&configuration.authorization_endpoint)?,
        token: endpoint(&configuration.token_endpoint)?,
        issuer: configuration.issuer,
    })
}

pub(crate) fn host(url: &Url) -> String {
    url.host_str().unwrap_or("the sign-in service").to_owned()
}
