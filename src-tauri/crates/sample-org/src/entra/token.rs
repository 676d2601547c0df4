//! The token endpoint.

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::percent_decode_str;
use sha2::{Digest as _, Sha256};

use super::directory::{App, Directory, Granted, Platform};
use super::grants::{Grant, Reply};
use super::refusal::{Refusal, Step, meet, timestamp};
use super::scope::{self, Scope};
use super::{Call, Named, checks, device, grants};
use crate::variants::RefreshReply;

/// Life of a code, in s.
const CODE_LIFE: i64 = 600;
/// A refresh token dies unused after 90 days, in s.
const REFRESH_LIFE: i64 = 7_776_000;
/// One of a single-page app dies after a day, in s.
const SPA_REFRESH_LIFE: i64 = 86_400;

/// A code that waits to be exchanged.
pub struct Code {
    pub client_id: String,
    pub redirect_uri: String,
    pub platform: Platform,
    /// Empty without PKCE.
    pub challenge: String,
    pub is_plain: bool,
    pub nonce: Option<String>,
    pub scope: Scope,
    pub account: usize,
    pub epoch: u64,
    pub issued: i64,
    pub used: bool,
}

/// Answers a token request.
///
/// # Errors
/// Why there is no token.
pub fn answer(
    directory: &mut Directory,
    call: &Call<'_>,
    named: Named,
) -> Result<Response, Refusal> {
    let grant = call.need("grant_type")?;
    let (client_id, secret) = credentials(call);
    let app = checks::app(directory, &client_id, named)?.clone();
    match grant {
        "authorization_code" => code(directory, call, &app, &secret),
        "refresh_token" => refresh(directory, call, &app, &secret),
        "client_credentials" => client_credentials(directory, call, &app, &secret, named),
        "password" => password(directory, call, &app, &secret, named),
        "urn:ietf:params:oauth:grant-type:device_code" | "device_code" => {
            public_flow(directory, &app, &secret)?;
            device::redeem(directory, call, &app)
        }
        other => Err(Refusal::new(70_003, other)),
    }
}

/// Client id and secret, from the form or the header.
pub fn credentials(call: &Call<'_>) -> (String, String) {
    let basic = call
        .authorization
        .and_then(|value| value.strip_prefix("Basic "))
        .and_then(|text| STANDARD.decode(text).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok());
    if let Some((id, secret)) = basic.as_deref().and_then(|text| text.split_once(':')) {
        let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        return (decode(id), decode(secret));
    }
    (
        call.get("client_id").to_owned(),
        call.get("client_secret").to_owned(),
    )
}

/// Grants without a redirect URI are for public clients, or for apps with their secret.
pub fn public_flow(directory: &Directory, app: &App, secret: &str) -> Result<(), Refusal> {
    if app.public_flows && secret.is_empty() {
        return Ok(());
    }
    checks::secret(directory, app, secret)
}

fn code(
    directory: &mut Directory,
    call: &Call<'_>,
    app: &App,
    secret: &str,
) -> Result<Response, Refusal> {
    let presented = call.need("code")?;
    let known = directory
        .codes
        .get(presented)
        .filter(|code| code.client_id == app.client_id);
    let platform = known.map_or_else(|| usual_platform(app), |code| code.platform);
    checks::client(directory, call, app, secret, platform)?;
    meet(&mut directory.refusals, Step::Code)?;
    let asked = match call.get("scope") {
        "" => None,
        text => Some(scope::read(text, &call.resources, &call.variants)?),
    };
    let now = directory.now();
    let Some(code) = directory
        .codes
        .get_mut(presented)
        .filter(|code| code.client_id == app.client_id)
    else {
        return Err(Refusal::new(70_000, ""));
    };
    if code.used {
        return Err(Refusal::new(54_005, ""));
    }
    if now > code.issued + CODE_LIFE {
        return Err(Refusal::new(70_008, ""));
    }
    // Whoever guesses has one guess.
    code.used = true;
    if code.redirect_uri != call.get("redirect_uri") {
        return Err(Refusal::new(500_112, call.get("redirect_uri")));
    }
    let verifier = call.get("code_verifier");
    let computed = if code.is_plain {
        verifier.to_owned()
    } else {
        URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
    };
    if !code.challenge.is_empty() && code.challenge != computed {
        return Err(Refusal::new(501_481, ""));
    }
    let grant = Grant {
        account: code.account,
        client_id: app.client_id.clone(),
        platform,
        epoch: code.epoch,
        issued: now,
    };
    let nonce = code.nonce.clone();
    let mut scope = code.scope.clone();
    if let Some(asked) = asked {
        scope = Scope {
            offline: scope.offline || asked.offline,
            openid: scope.openid || asked.openid,
            ..asked
        };
    }
    let tenant = directory.accounts[grant.account].tenant;
    checks::permission(directory, app, tenant, &scope)?;
    let wanted = Reply {
        grant: &grant,
        scope: &scope,
        refresh: if scope.offline {
            RefreshReply::Rotate
        } else {
            RefreshReply::None
        },
        nonce,
    };
    Ok(grants::reply(directory, call, &wanted))
}

/// What an app is by its registration, where no code tells.
fn usual_platform(app: &App) -> Platform {
    app.redirect_uris.first().map_or(
        if app.secrets.is_empty() {
            Platform::Public
        } else {
            Platform::Web
        },
        |uri| uri.platform,
    )
}

fn refresh(
    directory: &mut Directory,
    call: &Call<'_>,
    app: &App,
    secret: &str,
) -> Result<Response, Refusal> {
    let token = call.need("refresh_token")?;
    let opened = grants::open(directory, token);
    let platform = opened
        .as_ref()
        .map_or_else(|| usual_platform(app), |grant| grant.platform);
    checks::client(directory, call, app, secret, platform)?;
    meet(&mut directory.refusals, Step::Refresh)?;
    let grant = opened
        .filter(|grant| grant.client_id == app.client_id && !directory.spent.contains(token))
        .ok_or_else(|| Refusal::new(70_000, ""))?;
    still_good(directory, app, &grant)?;
    let scope = scope::read(call.get("scope"), &call.resources, &call.variants)?;
    let account = &directory.accounts[grant.account];
    checks::permission(directory, app, account.tenant, &scope)?;
    checks::condition(account, &scope.resource, Some(grant.epoch))?;
    if call.variants.refresh_reply == RefreshReply::SingleUse {
        directory.spent.insert(token.to_owned());
    }
    let wanted = Reply {
        grant: &grant,
        scope: &scope,
        refresh: call.variants.refresh_reply,
        nonce: None,
    };
    Ok(grants::reply(directory, call, &wanted))
}

/// Whether the sign-in behind a refresh token is still good.
fn still_good(directory: &Directory, app: &App, grant: &Grant) -> Result<(), Refusal> {
    let revoked = directory.revocations.iter().rev().find(|revoked| {
        grant.epoch < revoked.before
            && revoked
                .account
                .is_none_or(|account| account == grant.account)
    });
    let issued = timestamp(grant.issued);
    if let Some(revoked) = revoked {
        return Err(Refusal::new(revoked.code, &issued));
    }
    let age = directory.now() - grant.issued;
    if grant.platform == Platform::Spa && age > SPA_REFRESH_LIFE {
        return Err(Refusal::new(700_084, &issued));
    }
    if age > REFRESH_LIFE {
        return Err(Refusal::new(700_082, &issued));
    }
    let account = &directory.accounts[grant.account];
    if !account.enabled {
        return Err(Refusal::new(50_057, ""));
    }
    if account.password_expired {
        return Err(Refusal::new(50_133, ""));
    }
    checks::assignment(app, account)?;
    // Whoever has a refresh token consented once; it may have been taken back.
    if app.consent == Granted::Withdrawn && !app.consented.contains(&grant.account) {
        return Err(no_consent(app));
    }
    Ok(())
}

fn no_consent(app: &App) -> Refusal {
    Refusal::new(65_001, &app.client_id)
        .called("invalid_grant")
        .with_suberror("consent_required")
}

fn client_credentials(
    directory: &mut Directory,
    call: &Call<'_>,
    app: &App,
    secret: &str,
    named: Named,
) -> Result<Response, Refusal> {
    checks::secret(directory, app, secret)?;
    meet(&mut directory.refusals, Step::ClientCredentials)?;
    let Named::Tenant(tenant) = named else {
        return Err(Refusal::new(50_059, ""));
    };
    let text = call.need("scope")?;
    let form = crate::variants::Variants {
        scope: crate::variants::ScopeForm::Any,
        ..call.variants.clone()
    };
    let scope = scope::read(text, &call.resources, &form)?;
    if !text
        .split_whitespace()
        .all(|part| part.ends_with("/.default"))
    {
        return Err(Refusal::new(1_002_012, text));
    }
    // An app that knows itself needs no permission of a user's: the organisation decides.
    if !directory.tenants[tenant].dynamics {
        return Err(Refusal::new(650_052, &directory.tenants[tenant].name));
    }
    Ok(grants::app_reply(
        directory,
        call,
        &app.client_id,
        tenant,
        &scope,
    ))
}

fn password(
    directory: &mut Directory,
    call: &Call<'_>,
    app: &App,
    secret: &str,
    named: Named,
) -> Result<Response, Refusal> {
    public_flow(directory, app, secret)?;
    meet(&mut directory.refusals, Step::Password)?;
    let mail = call.need("username")?;
    let account = directory
        .account(mail)
        .filter(|account| match named {
            Named::Tenant(tenant) => directory.accounts[*account].tenant == tenant,
            Named::Any => true,
        })
        .ok_or_else(|| Refusal::new(50_034, mail))?;
    let tenant = directory.accounts[account].tenant;
    if directory.accounts[account].password != call.need("password")? {
        return Err(Refusal::new(50_126, ""));
    }
    checks::account(directory, app, account, tenant)?;
    let scope = scope::read(call.get("scope"), &call.resources, &call.variants)?;
    checks::permission(directory, app, tenant, &scope)?;
    checks::condition(&directory.accounts[account], &scope.resource, None)
        .map_err(|refusal| refusal.called("invalid_grant"))?;
    if !checks::has_consent(app, account) {
        return Err(no_consent(app));
    }
    let grant = Grant {
        account,
        client_id: app.client_id.clone(),
        platform: if secret.is_empty() {
            Platform::Public
        } else {
            Platform::Web
        },
        epoch: directory.epoch,
        issued: directory.now(),
    };
    let wanted = Reply {
        grant: &grant,
        scope: &scope,
        refresh: if scope.offline {
            RefreshReply::Rotate
        } else {
            RefreshReply::None
        },
        nonce: None,
    };
    Ok(grants::reply(directory, call, &wanted))
}
