//! Whether an app and an account may have a token, whoever asks how.

use super::directory::{
    Account, App, AppAudience, Audience, Directory, Granted, Permission, Platform, UserConsent,
};
use super::refusal::Refusal;
use super::scope::Scope;
use super::{Call, Named};

/// The app that a request names, in this tenant.
///
/// # Errors
/// 900144, 700016 or 50194.
pub fn app<'a>(
    directory: &'a Directory,
    client_id: &str,
    named: Named,
) -> Result<&'a App, Refusal> {
    if client_id.is_empty() {
        return Err(Refusal::new(900_144, "client_id"));
    }
    let unknown = || Refusal::new(700_016, client_id);
    let app = directory
        .app(client_id)
        .filter(|app| !app.deleted)
        .ok_or_else(unknown)?;
    match named {
        Named::Any if app.audience == AppAudience::Single => Err(Refusal::new(50_194, client_id)),
        // Nobody of another tenant has ever used the app there.
        Named::Tenant(tenant) if tenant != 0 => Err(unknown()),
        _ => Ok(app),
    }
}

/// Whether the app may ask for this API, and the tenant has it.
///
/// # Errors
/// 650052, 650057 or 90008.
pub fn permission(
    directory: &Directory,
    app: &App,
    tenant: usize,
    scope: &Scope,
) -> Result<(), Refusal> {
    if scope.audience == Audience::Graph {
        return Ok(());
    }
    let tenant = &directory.tenants[tenant];
    if !tenant.dynamics {
        return Err(Refusal::new(650_052, &tenant.name));
    }
    if app.permissions.is_empty() {
        return Err(Refusal::new(90_008, &app.client_id));
    }
    if !app.permissions.contains(&Permission::Dynamics) {
        return Err(Refusal::new(650_057, &app.client_id));
    }
    Ok(())
}

/// Whether the account is in the tenant and fit to sign in.
///
/// # Errors
/// 50020, 50057, 50055 or 50105.
pub fn account(
    directory: &Directory,
    app: &App,
    account: usize,
    tenant: usize,
) -> Result<(), Refusal> {
    let account = &directory.accounts[account];
    if account.tenant != tenant {
        return Err(Refusal::new(50_020, &account.mail));
    }
    if !account.enabled {
        return Err(Refusal::new(50_057, ""));
    }
    if account.password_expired {
        return Err(Refusal::new(50_055, ""));
    }
    assignment(app, account)
}

/// Whether the account is assigned, where the app requires it.
///
/// # Errors
/// 50105.
pub fn assignment(app: &App, account: &Account) -> Result<(), Refusal> {
    if app.assignment_required && !account.assigned {
        return Err(Refusal::new(50_105, &app.client_id));
    }
    Ok(())
}

/// Whether a sign-in of this epoch meets the account's condition. Without an epoch nobody sits at a
/// browser.
///
/// # Errors
/// The condition's code, with the claims to ask for.
pub fn condition(account: &Account, resource: &str, epoch: Option<u64>) -> Result<(), Refusal> {
    let Some(code) = account.condition.code() else {
        return Ok(());
    };
    let met = epoch.is_some_and(|epoch| epoch >= account.condition_since);
    if met && account.condition.yields_to_sign_in() {
        return Ok(());
    }
    let refusal = Refusal::new(code, resource);
    Err(if account.condition.yields_to_sign_in() {
        refusal.with_suberror("basic_action").with_claims()
    } else {
        refusal.with_suberror("message_only").with_claims()
    })
}

/// Whether somebody has consented for this account.
pub fn has_consent(app: &App, account: usize) -> bool {
    match app.consent {
        Granted::Admin => true,
        Granted::Users | Granted::Withdrawn => app.consented.contains(&account),
    }
}

/// Whether the account may consent by itself.
pub fn may_consent(directory: &Directory, account: usize) -> bool {
    let account = &directory.accounts[account];
    account.admin || directory.tenants[account.tenant].user_consent == UserConsent::Allowed
}

/// Whether the app proves what it is, for grants of this platform.
///
/// # Errors
/// 7000218, 7000215, 7000222, 700025, 90023, 9002326 or 9002327.
pub fn client(
    directory: &Directory,
    call: &Call<'_>,
    app: &App,
    secret: &str,
    platform: Platform,
) -> Result<(), Refusal> {
    match (platform, call.origin) {
        (Platform::Spa, None) => return Err(Refusal::new(9_002_327, "")),
        (Platform::Web | Platform::Public, Some(origin)) => {
            return Err(Refusal::new(9_002_326, origin));
        }
        _ => {}
    }
    if platform == Platform::Web {
        return self::secret(directory, app, secret);
    }
    if !secret.is_empty() {
        return Err(Refusal::new(call.variants.public_secret_code, ""));
    }
    Ok(())
}

/// Whether this is a good secret of the app.
///
/// # Errors
/// 7000218, 7000215 or 7000222.
pub fn secret(directory: &Directory, app: &App, secret: &str) -> Result<(), Refusal> {
    if secret.is_empty() {
        return Err(Refusal::new(7_000_218, ""));
    }
    let Some(known) = app.secrets.iter().find(|known| known.value == secret) else {
        return Err(Refusal::new(7_000_215, &app.client_id));
    };
    if known.expires_at <= directory.now() {
        return Err(Refusal::new(7_000_222, &app.client_id));
    }
    Ok(())
}
