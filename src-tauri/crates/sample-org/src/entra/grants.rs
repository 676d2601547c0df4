//! Tokens: how they are made, and what a refresh token is good for.

use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use serde_json::json;
use sha2::Sha256;
use uuid::Uuid;

use super::directory::{Access, Audience, Directory, Platform, Subject};
use super::scope::Scope;
use super::{Call, Named, documents, signing};
use crate::variants::RefreshReply;

/// A sign-in, as a refresh token remembers it.
pub struct Grant {
    pub account: usize,
    pub client_id: String,
    pub platform: Platform,
    /// When the user last sat at the browser.
    pub epoch: u64,
    /// When this token was made, in s since 1970.
    pub issued: i64,
}

/// Which tokens a reply holds.
pub struct Reply<'a> {
    pub grant: &'a Grant,
    pub scope: &'a Scope,
    pub refresh: RefreshReply,
    pub nonce: Option<String>,
}

/// A reply to somebody who signed in.
pub fn reply(directory: &mut Directory, call: &Call<'_>, wanted: &Reply<'_>) -> Response {
    let (grant, scope) = (wanted.grant, wanted.scope);
    let account = directory.accounts[grant.account].clone();
    let tenant = directory.tenants[account.tenant].id;
    let issuer = documents::issuer(directory, call, Named::Tenant(account.tenant));
    let now = directory.now();
    let until = now + call.variants.expires_in_s;
    let access = signing::sign(&json!({
        "aud": scope.resource, "iss": issuer, "iat": now, "nbf": now, "exp": until, "appid": grant.client_id,
        "oid": account.object_id, "tid": tenant, "upn": account.mail, "name": account.name,
        "scp": "user_impersonation", "ver": "1.0", "uti": Uuid::new_v4().simple().to_string(),
    }));
    remember(
        directory,
        &access,
        scope.audience,
        Subject::Account(grant.account),
        until,
    );
    let mut body = json!({
        "token_type": "Bearer",
        "scope": scope.granted(),
        "expires_in": call.variants.expires_in_s,
        "access_token": access,
    });
    if call.variants.ext_expires_in {
        body["ext_expires_in"] = call.variants.expires_in_s.into();
    }
    if wanted.refresh != RefreshReply::None {
        body["refresh_token"] = seal(directory, grant, now).into();
    }
    if scope.openid {
        let mut claims = json!({
            "aud": grant.client_id, "iss": issuer, "iat": now, "nbf": now, "exp": now + 3_600,
            "name": account.name, "preferred_username": account.mail, "oid": account.object_id,
            "sub": subject(&grant.client_id, account.object_id), "tid": tenant, "ver": "2.0",
        });
        if let Some(nonce) = &wanted.nonce {
            claims["nonce"] = nonce.as_str().into();
        }
        body["id_token"] = signing::sign(&claims).into();
    }
    if call.get("client_info") == "1" {
        let info = json!({"uid": account.object_id, "utid": tenant}).to_string();
        body["client_info"] = URL_SAFE_NO_PAD.encode(info).into();
    }
    axum::Json(body).into_response()
}

/// A reply to an app.
pub fn app_reply(
    directory: &mut Directory,
    call: &Call<'_>,
    client_id: &str,
    tenant: usize,
    scope: &Scope,
) -> Response {
    let issuer = documents::issuer(directory, call, Named::Tenant(tenant));
    let now = directory.now();
    let until = now + call.variants.expires_in_s;
    let access = signing::sign(&json!({
        "aud": scope.resource, "iss": issuer, "iat": now, "nbf": now, "exp": until, "appid": client_id,
        "idtyp": "app", "tid": directory.tenants[tenant].id, "ver": "1.0", "uti": Uuid::new_v4().simple().to_string(),
    }));
    remember(
        directory,
        &access,
        scope.audience,
        Subject::App(client_id.to_owned()),
        until,
    );
    let mut body = json!({
        "token_type": "Bearer",
        "expires_in": call.variants.expires_in_s,
        "access_token": access,
    });
    if call.variants.ext_expires_in {
        body["ext_expires_in"] = call.variants.expires_in_s.into();
    }
    axum::Json(body).into_response()
}

fn remember(
    directory: &mut Directory,
    token: &str,
    audience: Audience,
    subject: Subject,
    until: i64,
) {
    let now = directory.now();
    directory.access.retain(|_, access| access.until > now);
    let access = Access {
        audience,
        subject,
        until,
    };
    directory.access.insert(token.to_owned(), access);
}

/// The same for an app and a user, and different for every other app.
fn subject(client_id: &str, object_id: Uuid) -> String {
    signature(0, &format!("{client_id}.{object_id}"))
}

/// A refresh token carries what it is good for, signed with a key from the seed: it outlives the
/// process.
fn seal(directory: &Directory, grant: &Grant, now: i64) -> String {
    let platform = match grant.platform {
        Platform::Web => "w",
        Platform::Public => "p",
        Platform::Spa => "s",
    };
    let content = format!(
        "{}.{}.{platform}.{}.{now}.{}",
        grant.account,
        URL_SAFE_NO_PAD.encode(&grant.client_id),
        grant.epoch,
        Uuid::new_v4().simple()
    );
    format!("1.A{content}.{}", signature(directory.seed, &content))
}

/// What a refresh token is good for; `None` where nobody here made it.
pub fn open(directory: &Directory, token: &str) -> Option<Grant> {
    let (content, signed) = token.strip_prefix("1.A")?.rsplit_once('.')?;
    if signature(directory.seed, content) != signed {
        return None;
    }
    let mut parts = content.split('.');
    let account: usize = parts.next()?.parse().ok()?;
    let client_id = URL_SAFE_NO_PAD.decode(parts.next()?).ok()?;
    let platform = match parts.next()? {
        "w" => Platform::Web,
        "p" => Platform::Public,
        _ => Platform::Spa,
    };
    let epoch = parts.next()?.parse().ok()?;
    let issued = parts.next()?.parse().ok()?;
    (account < directory.accounts.len()).then_some(Grant {
        account,
        client_id: String::from_utf8(client_id).ok()?,
        platform,
        epoch,
        issued,
    })
}

fn signature(seed: u64, content: &str) -> String {
    // A key of any length fits.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&seed.to_be_bytes()) else {
        return String::new();
    };
    mac.update(content.as_bytes());
    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}
