//! What a new connection can do, as a list that ticks itself.

use salesmirror_dataverse::Client;
use salesmirror_model::clouds::{belongs_to, twin};
use salesmirror_model::tables::DEFAULT_TABLES;
use salesmirror_model::urls::is_loopback;
use salesmirror_store::ConnectionRow;
use url::Url;

use crate::error::{Category, Error, Result};

/// One check of a new connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was checked.
    pub name: String,
    /// Whether it passed.
    pub ok: bool,
    /// What was found.
    pub detail: String,
    /// What to do, where it did not pass.
    pub hint: String,
}

impl Check {
    /// A check that passed.
    pub fn passed(name: &str, detail: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            ok: true,
            detail: detail.into(),
            hint: String::new(),
        }
    }

    /// A check that failed.
    pub fn failed(name: &str, error: &Error) -> Self {
        Self {
            name: name.to_owned(),
            ok: false,
            detail: error.message.clone(),
            hint: error.hint.clone(),
        }
    }
}

/// Looks at what the new connection can do. Only who we are must work.
pub async fn examine(
    client: &Client,
    row: &mut ConnectionRow,
    judge_kind: bool,
) -> Result<Vec<Check>> {
    let who = client.who_am_i().await.map_err(|error| {
        let mut error = Error::from(error);
        if error.code == "not_a_member" {
            // The credentials are right, and the environment refuses whose they are.
            error.category = Category::SignIn;
        }
        error
    })?;
    row.user = client
        .user_name(who.user_id)
        .await
        .ok()
        .flatten()
        .or_else(|| Some(who.user_id.to_string()));
    let mut checks = vec![Check::passed(
        "Signed in",
        row.user.clone().unwrap_or_default(),
    )];
    let mut addresses = Vec::new();
    match client.organization().await {
        Ok(organization) => {
            addresses = organization.addresses();
            let version = organization.organization_version;
            checks.push(Check::passed(
                "Organisation",
                format!("{}, version {version}", organization.friendly_name),
            ));
            if judge_kind {
                let kind = organization
                    .organization_type
                    .as_ref()
                    .and_then(|kind| kind.as_str());
                row.environment_kind = match kind {
                    Some("Customer") if !is_loopback_text(&row.environment) => "production",
                    Some("CustomerTest" | "CustomerFreeTest" | "Trial") => "sandbox",
                    _ => "other",
                }
                .to_owned();
            }
            row.organization = Some(organization.friendly_name).filter(|name| !name.is_empty());
            row.organization_version = Some(version).filter(|version| !version.is_empty());
        }
        Err(error) => checks.push(Check::failed("Organisation", &error.into())),
    }
    row.other_origins = other_origins(&row.environment, addresses);
    let tables =
        futures::future::join_all(DEFAULT_TABLES.map(|table| check_table(client, table))).await;
    checks.extend(tables.into_iter().flatten());
    match client.record_counts(&DEFAULT_TABLES).await {
        Ok(counts) => {
            let total: u64 = counts.values().sum();
            checks.push(Check::passed(
                "Row counts",
                format!("{total} rows in {} tables", counts.len()),
            ));
        }
        Err(error) => checks.push(Check::failed("Row counts", &error.into())),
    }
    Ok(checks)
}

/// The origins beside the entered one to which tokens may go: the documented twin of its host, and
/// those that the organisation names and that provably belong to it.
fn other_origins(environment: &str, named: Vec<Url>) -> Vec<String> {
    let Ok(environment) = Url::parse(environment) else {
        return Vec::new();
    };
    let mut origins = Vec::new();
    for candidate in twin(&environment).into_iter().chain(named) {
        let origin = format!("{}/", candidate.origin().ascii_serialization());
        if candidate.origin() != environment.origin()
            && belongs_to(&environment, &candidate)
            && !origins.contains(&origin)
        {
            origins.push(origin);
        }
    }
    origins
}

fn is_loopback_text(environment: &str) -> bool {
    Url::parse(environment).is_ok_and(|url| is_loopback(&url))
}

async fn check_table(client: &Client, table: &str) -> Vec<Check> {
    let read = format!("Read {table}");
    let path = format!(
        "EntityDefinitions(LogicalName='{table}')?$select=EntitySetName,PrimaryIdAttribute,ChangeTrackingEnabled"
    );
    let definition: serde_json::Value = match client.get_json(&path).await {
        Ok(definition) => definition,
        Err(error) => return vec![Check::failed(&read, &error.into())],
    };
    let text = |name: &str| {
        definition
            .get(name)
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default()
    };
    let first = format!(
        "{}?$select={}&$top=1",
        text("EntitySetName"),
        text("PrimaryIdAttribute")
    );
    let mut checks = vec![match client.get_json::<serde_json::Value>(&first).await {
        Ok(_) => Check::passed(&read, "can be read"),
        Err(error) => Check::failed(&read, &error.into()),
    }];
    let tracked = definition
        .get("ChangeTrackingEnabled")
        .and_then(serde_json::Value::as_bool);
    let name = format!("Change tracking {table}");
    checks.push(match tracked {
        Some(true) => Check::passed(&name, "on"),
        _ => Check {
            ok: false,
            hint: crate::explanations::fix("tracking_unavailable").to_owned(),
            ..Check::passed(&name, "off")
        },
    });
    checks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_origins_that_belong_to_the_environment_are_kept() {
        let named = |texts: &[&str]| -> Vec<Url> {
            texts
                .iter()
                .map(|text| Url::parse(text).expect(text))
                .collect()
        };
        for (environment, addresses, expect) in [
            (
                "https://norrvale.crm4.dynamics.com/",
                named(&[
                    "https://norrvale.crm4.dynamics.com/",
                    "https://norrvale.api.crm4.dynamics.com/XRMServices/2011/Organization.svc",
                    "https://evil.example/XRMServices/2011/OrganizationData.svc",
                ]),
                vec!["https://norrvale.api.crm4.dynamics.com/"],
            ),
            // The documented twin needs no word of the organisation.
            (
                "https://norrvale.api.crm4.dynamics.com/",
                vec![],
                vec!["https://norrvale.crm4.dynamics.com/"],
            ),
            (
                "http://localhost:8400/",
                named(&["http://127.0.0.1:8400/x", "http://evil.example/"]),
                vec!["http://127.0.0.1:8400/"],
            ),
            (
                "https://crm.own.example/",
                named(&["https://api.own.example/"]),
                vec![],
            ),
        ] {
            assert_eq!(
                other_origins(environment, addresses),
                expect,
                "{environment}"
            );
        }
    }
}
