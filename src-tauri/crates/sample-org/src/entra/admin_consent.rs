//! Admin consent: an administrator grants what an app asks for, for everybody.

use axum::response::{IntoResponse as _, Response};

use super::authorize::Callback;
use super::directory::{Answer, Directory, Granted};
use super::refusal::Refusal;
use super::{Call, Named, checks, pages};

/// Answers `{tenant}/adminconsent` and `{tenant}/v2.0/adminconsent`.
pub fn answer(directory: &mut Directory, call: &Call<'_>, named: Named) -> Response {
    let now = directory.now();
    let found = checks::app(directory, call.get("client_id"), named).and_then(|app| {
        let uri = call.get("redirect_uri");
        let (target, _) = app.redirect(uri).ok_or_else(|| Refusal::new(50_011, uri))?;
        Ok((app.client_id.clone(), target))
    });
    let (client_id, target) = match found {
        Ok(found) => found,
        Err(refusal) => return refusal.page(&call.variants, now, ""),
    };
    let tenant = match named {
        Named::Tenant(tenant) => tenant,
        Named::Any => 0,
    };
    let account = match directory.visitor.user.as_deref() {
        Some(mail) => directory.account(mail).unwrap_or_default(),
        None => call.get("user").parse().unwrap_or(0_usize),
    };
    let answer = match (
        directory.visitor.mode,
        call.get("answer"),
        call.get("sample_consent"),
    ) {
        (Answer::Accept, ..) | (Answer::Page, "accept", _) | (Answer::Page, _, "accept") => true,
        (Answer::Decline, ..) | (Answer::Page, "cancel", _) | (Answer::Page, _, "cancel") => false,
        _ => {
            return pages::question(
                "Permissions requested: review for your organization",
                &format!(
                    "<p>Salesmirror: access Dynamics 365 as organization users.</p>{}",
                    pages::accounts(directory, tenant, 0)
                ),
                call.parameters
                    .iter()
                    .filter(|(name, _)| !matches!(name.as_str(), "user" | "answer")),
            )
            .into_response();
        }
    };
    let callback = Callback::new(target, call);
    if !answer {
        return callback.send(Refusal::new(65_004, "").pairs(&call.variants, now));
    }
    let is_admin = directory
        .accounts
        .get(account)
        .is_some_and(|account| account.admin && account.tenant == tenant);
    if !is_admin {
        return Refusal::new(90_093, "").page(&call.variants, now, "");
    }
    if let Some(app) = directory.app_mut(&client_id) {
        app.consent = Granted::Admin;
    }
    let mut pairs = vec![
        ("admin_consent", "True".to_owned()),
        ("tenant", directory.tenants[tenant].id.to_string()),
    ];
    if call.rest.starts_with("v2.0/") && !call.get("scope").is_empty() {
        pairs.push(("scope", call.get("scope").to_owned()));
    }
    callback.send(pairs)
}
