//! The device code flow: the code is typed in another browser.

use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use uuid::Uuid;

use super::directory::{Answer, App, Directory, Platform};
use super::grants::{Grant, Reply};
use super::refusal::{Refusal, Step, meet};
use super::scope::{self, Scope};
use super::token::credentials;
use super::{Call, Named, checks, grants, pages};
use crate::variants::RefreshReply;

/// Life of a device code, in s.
const LIFE: i64 = 900;

/// A device that waits.
pub struct Device {
    client_id: String,
    user_code: String,
    scope: Scope,
    tenant: usize,
    issued: i64,
    answer: Option<(usize, bool)>,
}

/// Gives a device its codes.
///
/// # Errors
/// Why it gets none.
pub fn begin(
    directory: &mut Directory,
    call: &Call<'_>,
    named: Named,
) -> Result<Response, Refusal> {
    let (client_id, _) = credentials(call);
    let app = checks::app(directory, &client_id, named)?.clone();
    let scope = scope::read(call.get("scope"), &call.resources, &call.variants)?;
    let tenant = match named {
        Named::Tenant(tenant) => tenant,
        Named::Any => 0,
    };
    let random = Uuid::new_v4().simple().to_string().to_uppercase();
    let user_code = random[..9].to_owned();
    let device_code = format!("D{}", Uuid::new_v4().simple());
    let address = format!("{}common/oauth2/deviceauth", call.authority);
    let message = format!(
        "To sign in, use a web browser to open the page {address} and enter the code {user_code} to authenticate."
    );
    let device = Device {
        client_id: app.client_id,
        user_code: user_code.clone(),
        scope,
        tenant,
        issued: directory.now(),
        answer: None,
    };
    directory.devices.insert(device_code.clone(), device);
    Ok(axum::Json(json!({
        "user_code": user_code, "device_code": device_code, "verification_uri": address,
        "expires_in": LIFE, "interval": 5, "message": message,
    }))
    .into_response())
}

/// The page where the code is typed.
pub fn page(directory: &mut Directory, call: &Call<'_>) -> Response {
    let wanted = call.get("user_code").trim().to_uppercase();
    let chosen = call.get("user").parse().unwrap_or(0_usize);
    let found = directory
        .devices
        .values()
        .find(|device| device.user_code == wanted)
        .map(|device| device.tenant);
    let Some(tenant) = found else {
        return pages::question(
            "Enter code",
            "<label>Code <input name=\"user_code\"></label>",
            std::iter::empty(),
        )
        .into_response();
    };
    let answer = match call.get("answer") {
        "accept" if chosen < directory.accounts.len() => (chosen, true),
        "cancel" => (chosen, false),
        _ => {
            return pages::question(
                "Sign in to Norrvale Group (sample)",
                &pages::accounts(directory, tenant, 0),
                call.parameters
                    .iter()
                    .filter(|(name, _)| *name == "user_code"),
            )
            .into_response();
        }
    };
    for device in directory.devices.values_mut() {
        if device.user_code == wanted {
            device.answer = Some(answer);
        }
    }
    pages::page("You may now close this window", "").into_response()
}

/// Exchanges a device code.
///
/// # Errors
/// 70016 while nobody has answered; why there is no token.
pub fn redeem(directory: &mut Directory, call: &Call<'_>, app: &App) -> Result<Response, Refusal> {
    meet(&mut directory.refusals, Step::Device)?;
    let code = match call.get("device_code") {
        "" => call.need("code")?,
        code => code,
    };
    let invalid = || Refusal::new(70_018, code);
    let device = directory.devices.get(code).ok_or_else(invalid)?;
    if device.client_id != app.client_id {
        return Err(invalid());
    }
    if directory.now() > device.issued + LIFE {
        return Err(Refusal::new(70_020, ""));
    }
    let answer = match (device.answer, directory.visitor.mode) {
        (Some(answer), _) => answer,
        (None, Answer::Page) => return Err(Refusal::new(70_016, "")),
        (None, mode) => {
            let mail = directory.visitor.user.as_deref().unwrap_or_default();
            let account = directory.account(mail).unwrap_or_default();
            (account, mode == Answer::Accept)
        }
    };
    let (account, accepted) = answer;
    if !accepted {
        return Err(Refusal::new(65_004, "").called("authorization_declined"));
    }
    let (scope, tenant) = (device.scope.clone(), device.tenant);
    checks::account(directory, app, account, tenant)?;
    checks::permission(directory, app, tenant, &scope)?;
    let epoch = directory.epoch;
    checks::condition(&directory.accounts[account], &scope.resource, Some(epoch))?;
    directory.devices.remove(code);
    if let Some(app) = directory.app_mut(&app.client_id) {
        app.consented.insert(account);
    }
    let grant = Grant {
        account,
        client_id: app.client_id.clone(),
        platform: Platform::Public,
        epoch,
        issued: directory.now(),
    };
    let refresh = if scope.offline {
        RefreshReply::Rotate
    } else {
        RefreshReply::None
    };
    let wanted = Reply {
        grant: &grant,
        scope: &scope,
        refresh,
        nonce: None,
    };
    Ok(grants::reply(directory, call, &wanted))
}
