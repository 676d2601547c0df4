//! Controls of the directory.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Outcome, done, read};
use crate::data::id;
use crate::data::schema::USER;
use crate::entra::directory::{
    Account, Answer, AppAudience, Condition, Directory, Granted, Permission, Platform, RedirectUri,
    SECRET_LIFE, Secret, Tenant, UserConsent, registration,
};
use crate::entra::refusal::Rule;
use crate::state::State;

/// Answers, where the address is one of these.
pub fn answer(state: &mut State, method: &str, path: &str, body: &[u8]) -> Option<Outcome> {
    let directory = &mut state.entra;
    Some(match (method, path) {
        ("POST", "app") => read(body).and_then(|change| change_app(directory, change)),
        ("GET", "app") => value(&directory.apps),
        ("POST", "user") => read(body).and_then(|change| change_user(state, change)),
        ("GET", "user") => directory
            .accounts
            .iter()
            .map(|account| describe(directory, account))
            .collect(),
        ("POST", "tenant") => read(body).and_then(|change| change_tenant(directory, change)),
        ("GET", "tenant") => value(&directory.tenants),
        ("POST", "consent") => read(body).and_then(|change| change_visitor(directory, change)),
        ("GET", "consent") => value(&directory.visitor),
        ("POST", "entra") => read(body).and_then(|change| change_authority(directory, change)),
        ("GET", "entra") => Ok(authority(directory)),
        ("DELETE", "entra") => {
            directory.refusals.clear();
            Ok(done())
        }
        ("POST", "tokens/revoke") => read(body).and_then(|change| revoke(directory, &change)),
        ("POST", "tokens/expire") => {
            directory.access.clear();
            Ok(done())
        }
        _ => return None,
    })
}

fn value(of: &impl Serialize) -> Outcome {
    serde_json::to_value(of).map_err(|error| error.to_string())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AppChange {
    client_id: Option<String>,
    name: Option<String>,
    audience: Option<AppAudience>,
    public_flows: Option<bool>,
    redirect_uris: Option<Vec<RedirectUri>>,
    secrets: Option<Vec<SecretChange>>,
    permissions: Option<BTreeSet<Permission>>,
    consent: Option<Granted>,
    assignment_required: Option<bool>,
    application_user: Option<bool>,
    deleted: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretChange {
    id: Option<Uuid>,
    value: Option<String>,
    expires_in_s: Option<i64>,
}

fn change_app(directory: &mut Directory, change: AppChange) -> Outcome {
    let client_id = change
        .client_id
        .unwrap_or_else(|| directory.apps[0].client_id.clone());
    for redirect in change.redirect_uris.iter().flatten() {
        if url::Url::parse(&redirect.uri).is_err() {
            return Err(format!("\"{}\" is not a redirect URI.", redirect.uri));
        }
    }
    let now = directory.now();
    if directory.app(&client_id).is_none() {
        let mut app = registration(client_id.clone(), Platform::Web);
        // An app of somebody else is unknown to the organisation.
        app.application_user = false;
        directory.apps.push(app);
    }
    let Some(app) = directory.app_mut(&client_id) else {
        return Err(format!("There is no app {client_id}."));
    };
    if let Some(consent) = change.consent {
        app.consent = consent;
        if consent == Granted::Withdrawn {
            app.consented.clear();
        }
    }
    if let Some(secrets) = change.secrets {
        app.secrets = secrets
            .into_iter()
            .map(|secret| Secret {
                id: secret.id.unwrap_or_else(Uuid::new_v4),
                value: secret
                    .value
                    .unwrap_or_else(|| format!("smp8Q~{}", Uuid::new_v4().simple())),
                expires_at: now.saturating_add(secret.expires_in_s.unwrap_or(SECRET_LIFE)),
            })
            .collect();
    }
    set(&mut app.name, change.name);
    set(&mut app.audience, change.audience);
    set(&mut app.public_flows, change.public_flows);
    set(&mut app.redirect_uris, change.redirect_uris);
    set(&mut app.permissions, change.permissions);
    set(&mut app.assignment_required, change.assignment_required);
    set(&mut app.application_user, change.application_user);
    set(&mut app.deleted, change.deleted);
    value(app)
}

fn set<T>(field: &mut T, wanted: Option<T>) {
    if let Some(wanted) = wanted {
        *field = wanted;
    }
}

/// A mail address, or the number of a row.
#[derive(Deserialize)]
#[serde(untagged)]
enum Who {
    Mail(String),
    Row(u64),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserChange {
    user: Who,
    name: Option<String>,
    tenant: Option<String>,
    member: Option<bool>,
    admin: Option<bool>,
    password: Option<String>,
    enabled: Option<bool>,
    password_expired: Option<bool>,
    assigned: Option<bool>,
    condition: Option<Condition>,
    password_changed: Option<bool>,
}

fn change_user(state: &mut State, change: UserChange) -> Outcome {
    let mail = match change.user {
        Who::Mail(mail) => mail,
        Who::Row(row) if row < state.world.rows[USER] => state.world.user_mail(row),
        Who::Row(row) => return Err(format!("There is no systemuser {row}.")),
    };
    if !mail.contains('@') {
        return Err(format!("\"{mail}\" is not a mail address."));
    }
    // A systemuser that could not sign in so far.
    let row = (0..state.world.rows[USER]).find(|row| state.world.user_mail(*row) == mail);
    let name = row.and_then(|row| state.world.name(USER, row));
    let directory = &mut state.entra;
    let tenant = match &change.tenant {
        Some(name) => Some(
            directory
                .tenant(name)
                .ok_or_else(|| format!("There is no tenant \"{name}\"."))?,
        ),
        None => None,
    };
    let known = directory.account(&mail);
    let has_row = row.is_some() || known.is_some_and(|at| directory.accounts[at].row.is_some());
    if change.member == Some(true) && !has_row {
        return Err(format!(
            "{mail} has no row of systemusers: name one of the organisation's users."
        ));
    }
    let at = known.unwrap_or_else(|| {
        let number = directory.accounts.len();
        let name = name.unwrap_or_else(|| mail.clone());
        let object_id = id(directory.seed, 805, 100 + number as u64);
        let mut account = Account::new(mail, name, 0, object_id);
        account.row = row;
        account.member = row.is_some();
        directory.accounts.push(account);
        number
    });
    let epoch = directory.turn();
    let account = &mut directory.accounts[at];
    if let Some(condition) = change.condition {
        account.condition = condition;
        account.condition_since = epoch;
    }
    set(&mut account.name, change.name);
    set(&mut account.tenant, tenant);
    set(&mut account.member, change.member);
    set(&mut account.admin, change.admin);
    set(&mut account.password, change.password);
    set(&mut account.enabled, change.enabled);
    set(&mut account.password_expired, change.password_expired);
    set(&mut account.assigned, change.assigned);
    if change.password_changed == Some(true) {
        directory.revoke(Some(at), 50_173);
    }
    describe(directory, &directory.accounts[at])
}

fn describe(directory: &Directory, account: &Account) -> Outcome {
    let mut description = value(account)?;
    let tenant = &directory.tenants[account.tenant];
    description["tenant"] = tenant
        .domains
        .first()
        .map_or(Value::Null, |name| name.as_str().into());
    Ok(description)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TenantChange {
    tenant: Option<String>,
    name: Option<String>,
    dynamics: Option<bool>,
    user_consent: Option<UserConsent>,
}

fn change_tenant(directory: &mut Directory, change: TenantChange) -> Outcome {
    let at = match &change.tenant {
        None => 0,
        Some(name) => match directory.tenant(name) {
            Some(at) => at,
            None => {
                let number = directory.tenants.len() as u64;
                let given = Uuid::try_parse(name).ok();
                directory.tenants.push(Tenant {
                    id: given.unwrap_or_else(|| id(directory.seed, 801, number)),
                    name: name.clone(),
                    domains: if given.is_some() {
                        Vec::new()
                    } else {
                        vec![name.clone()]
                    },
                    dynamics: false,
                    user_consent: UserConsent::Allowed,
                });
                directory.tenants.len() - 1
            }
        },
    };
    let tenant = &mut directory.tenants[at];
    set(&mut tenant.name, change.name);
    set(&mut tenant.dynamics, change.dynamics);
    set(&mut tenant.user_consent, change.user_consent);
    value(tenant)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VisitorChange {
    mode: Option<Answer>,
    #[serde(default, deserialize_with = "present")]
    user: Option<Option<String>>,
}

/// Tells null from absent.
fn present<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

fn change_visitor(directory: &mut Directory, change: VisitorChange) -> Outcome {
    if let Some(Some(mail)) = &change.user
        && directory.account(mail).is_none()
    {
        return Err(format!("There is no account {mail}; add it under user."));
    }
    set(&mut directory.visitor.mode, change.mode);
    set(&mut directory.visitor.user, change.user);
    value(&directory.visitor)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AuthorityChange {
    refuse: Option<Rule>,
    advance_s: Option<u64>,
}

fn change_authority(directory: &mut Directory, change: AuthorityChange) -> Outcome {
    if let Some(rule) = &change.refuse
        && !rule
            .status
            .is_none_or(|status| (400..=599).contains(&status))
    {
        return Err("status is one of 400 to 599.".to_owned());
    }
    directory.refusals.extend(change.refuse);
    directory.ahead += Duration::from_secs(change.advance_s.unwrap_or_default());
    Ok(authority(directory))
}

fn authority(directory: &Directory) -> Value {
    let codes: Vec<u32> = directory.refusals.iter().map(|rule| rule.code).collect();
    json!({"refuse": codes, "ahead_s": directory.ahead.as_secs()})
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revocation {
    user: Option<String>,
    code: Option<u32>,
}

/// What ends a refresh token.
const ENDINGS: [u32; 5] = [50_173, 50_133, 70_008, 700_082, 700_084];

fn revoke(directory: &mut Directory, change: &Revocation) -> Outcome {
    let code = change.code.unwrap_or(ENDINGS[0]);
    if !ENDINGS.contains(&code) {
        return Err(format!("code is one of {ENDINGS:?}."));
    }
    let account = match &change.user {
        None => None,
        Some(mail) => Some(
            directory
                .account(mail)
                .ok_or_else(|| format!("There is no account {mail}."))?,
        ),
    };
    directory.revoke(account, code);
    Ok(done())
}
