//! What a new connection can do, as a list that ticks itself.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use salesmirror_dataverse::{Client, Depth, Passthrough};
use salesmirror_model::Place;
use salesmirror_model::clouds::{belongs_to, twin};
use salesmirror_model::tables::DEFAULT_TABLES;
use salesmirror_model::urls::is_loopback;
use salesmirror_store::ConnectionRow;
use url::Url;

use crate::error::{Category, Error, Result};
use crate::render::grouped;
use crate::tokens::place;

/// How a check ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Finding {
    /// Still under way.
    #[default]
    Running,
    /// All is well.
    Passed,
    /// It works, but not as well as it could.
    Caution,
    /// It does not work.
    Failed,
}

/// One check of a new connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Check {
    /// What was checked.
    pub name: String,
    /// The table, where it is about one.
    pub table: Option<String>,
    /// How it ended.
    pub finding: Finding,
    /// What was found.
    pub detail: String,
    /// What to do, where it did not pass.
    pub hint: String,
    /// The service's own words, where it refused.
    pub raw: Option<String>,
    /// The portal page where it is mended.
    pub link: Option<Box<str>>,
    /// Rows by table, where rows were counted.
    pub counts: Vec<(String, u64)>,
}

impl Check {
    /// A check that passed.
    pub fn passed(name: &str, detail: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            finding: Finding::Passed,
            detail: detail.into(),
            ..Self::default()
        }
    }

    /// A check that failed.
    pub fn failed(name: &str, error: &Error) -> Self {
        Self {
            name: name.to_owned(),
            finding: Finding::Failed,
            detail: error.message.clone(),
            hint: error.hint.clone(),
            raw: error.reference.as_deref().map(str::to_owned),
            link: error.link.clone(),
            ..Self::default()
        }
    }

    /// Whether it did not fail.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.finding != Finding::Failed
    }

    fn running(name: &str, table: Option<&str>) -> Self {
        Self {
            name: name.to_owned(),
            table: table.map(str::to_owned),
            ..Self::default()
        }
    }

    /// What works but could be better, as the table of errors explains it.
    fn caution(name: &str, detail: String, code: &str, place: Place<'_>) -> Self {
        let error = Error::explained(Category::Failed, code, detail).at(place);
        Self {
            finding: Finding::Caution,
            ..Self::failed(name, &error)
        }
    }
}

const SIGNED_IN: &str = "Signed in";
const ORGANIZATION: &str = "Organisation";
const LIMITS: &str = "Service limits";
const RETENTION: &str = "Change tracking life";
const COUNTS: &str = "Row counts";

fn reading(table: &str) -> String {
    format!("Read {table}")
}

fn tracking(table: &str) -> String {
    format!("Change tracking {table}")
}

/// The list while it fills, and who is told of it.
struct List<'a> {
    checks: Mutex<Vec<Check>>,
    tell: &'a (dyn Fn(&[Check]) + Send + Sync),
}

impl<'a> List<'a> {
    fn new(tell: &'a (dyn Fn(&[Check]) + Send + Sync)) -> Self {
        let mut checks = vec![
            Check::running(SIGNED_IN, None),
            Check::running(ORGANIZATION, None),
        ];
        for name in [reading, tracking] {
            let of_table = |table: &&str| Check::running(&name(table), Some(table));
            checks.extend(DEFAULT_TABLES.iter().map(of_table));
        }
        let rest = [LIMITS, RETENTION, COUNTS];
        checks.extend(rest.map(|name| Check::running(name, None)));
        tell(&checks);
        Self {
            checks: Mutex::new(checks),
            tell,
        }
    }

    fn set(&self, found: Check) {
        let mut checks = self.checks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(check) = checks.iter_mut().find(|check| check.name == found.name) {
            *check = Check {
                table: check.table.take(),
                ..found
            };
        }
        (self.tell)(&checks);
    }
}

/// Looks at what the new connection can do, and tells of each check as it ends. Only who we are must
/// work.
pub async fn examine(
    client: &Client,
    row: &mut ConnectionRow,
    judge_kind: bool,
    tell: &(dyn Fn(&[Check]) + Send + Sync),
) -> Result<Vec<Check>> {
    let list = List::new(tell);
    let who = client.who_am_i().await.map_err(|error| {
        let mut error = Error::from(error);
        if error.code == "not_a_member" {
            // The credentials are right, and the environment refuses whose they are.
            error.category = Category::SignIn;
        }
        error
    })?;
    // Where the name cannot be read now, the one that is known is better than an id.
    let name = client.user_name(who.user_id).await.ok().flatten();
    row.user = name
        .or_else(|| row.user.take())
        .or_else(|| Some(who.user_id.to_string()));
    list.set(Check::passed(
        SIGNED_IN,
        row.user.clone().unwrap_or_default(),
    ));
    let known = row.clone();
    let at = place(&known);
    let organization = async {
        match client.organization().await {
            Ok(found) => {
                let (name, version) = (&found.friendly_name, &found.organization_version);
                list.set(Check::passed(
                    ORGANIZATION,
                    format!("{name}, version {version}"),
                ));
                Some(found)
            }
            Err(error) => {
                list.set(Check::failed(ORGANIZATION, &Error::from(error).at(at)));
                None
            }
        }
    };
    let tables = async {
        // Who may not ask is not asked how far reading reaches.
        let depths = client.user_privileges().await.ok();
        let each = DEFAULT_TABLES.map(|table| check_table(client, table, depths.as_ref(), at));
        futures::future::join_all(each.map(|found| async {
            for check in found.await {
                list.set(check);
            }
        }))
        .await;
    };
    let others = async {
        list.set(check_limits(client).await);
        list.set(check_retention(client, at).await);
        list.set(match client.record_counts(&DEFAULT_TABLES).await {
            Ok(counts) => Check {
                counts: counts.clone().into_iter().collect(),
                ..Check::passed(
                    COUNTS,
                    match counts.values().sum::<u64>() {
                        0 => "not counted yet".to_owned(),
                        total => format!("{} rows in {} tables", grouped(total), counts.len()),
                    },
                )
            },
            Err(error) => Check::failed(COUNTS, &Error::from(error).at(at)),
        });
    };
    let (organization, (), ()) = tokio::join!(organization, tables, others);
    let mut addresses = Vec::new();
    if let Some(organization) = organization {
        addresses = organization.addresses();
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
        row.organization_version =
            Some(organization.organization_version).filter(|version| !version.is_empty());
    }
    row.other_origins = other_origins(&row.environment, addresses);
    let checks = list
        .checks
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
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

/// Whether a table can be read, how far, and whether it tells what changed.
async fn check_table(
    client: &Client,
    table: &str,
    depths: Option<&HashMap<String, Depth>>,
    at: Place<'_>,
) -> Vec<Check> {
    let read = reading(table);
    let failed = |error: salesmirror_dataverse::Error| {
        let mut error = Error::from(error);
        if error.code == "missing_privilege" && table == "systemuser" {
            error.hint = format!(
                "{} Without it owners have names, and no addresses.",
                error.hint
            );
        }
        Check::failed(&read, &error.at(at))
    };
    let summary = match client.table_summary(table).await {
        Ok(summary) => summary,
        Err(error) => {
            let unknown = Check {
                finding: Finding::Caution,
                ..Check::passed(&tracking(table), "not known")
            };
            return vec![failed(error), unknown];
        }
    };
    let first = format!(
        "{}?$select={}&$top=1",
        summary.entity_set_name, summary.primary_id
    );
    let own = depths.and_then(|depths| {
        let ids = summary.read_privileges.iter();
        ids.filter_map(|id| depths.get(id)).max().copied()
    });
    let readable = match client.get_json::<serde_json::Value>(&first).await {
        Err(error) => failed(error),
        Ok(_) => match own {
            None | Some(Depth::Global) => Check::passed(&read, "All rows"),
            Some(depth) => Check {
                raw: Some(format!("RetrieveUserPrivileges: {read}, depth {depth:?}")),
                ..Check::caution(
                    &read,
                    match depth {
                        Depth::Basic => "Own rows only",
                        Depth::Local => "Rows of the business unit",
                        _ => "Rows of the business unit and below",
                    }
                    .to_owned(),
                    "read_not_global",
                    at,
                )
            },
        },
    };
    let tracked = match summary.change_tracking {
        true => Check::passed(&tracking(table), "On"),
        false => Check::caution(
            &tracking(table),
            "Off".to_owned(),
            "tracking_unavailable",
            at,
        ),
    };
    vec![readable, tracked]
}

/// What the service says is left before it throttles; for display only, since the numbers change.
async fn check_limits(client: &Client) -> Check {
    let request = Passthrough {
        method: "GET".to_owned(),
        path: "WhoAmI".to_owned(),
        ..Passthrough::default()
    };
    let reply = match client.passthrough(request).await {
        Ok(reply) => reply,
        Err(error) => return Check::failed(LIMITS, &error.into()),
    };
    let header = |wanted: &str| {
        let mut headers = reply.headers.iter();
        headers
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.clone())
    };
    let left = header("x-ms-ratelimit-burst-remaining-xrm-requests");
    let hint = header("x-ms-dop-hint");
    let left = left.map(|left| {
        let left = left.parse().map_or(left, grouped);
        format!("{left} requests free in the next five minutes")
    });
    let hint = hint.map(|hint| format!("{hint} side by side advised"));
    let told: Vec<String> = left.into_iter().chain(hint).collect();
    Check::passed(
        LIMITS,
        match told.is_empty() {
            true => "not told; they are kept to when they are met".to_owned(),
            false => told.join(", "),
        },
    )
}

/// How long the organisation remembers what changed.
async fn check_retention(client: &Client, at: Place<'_>) -> Check {
    match client.change_tracking_days().await {
        Ok(Some(0)) => Check::caution(
            RETENTION,
            "Changes are not kept".to_owned(),
            "tracking_days_none",
            at,
        ),
        Ok(Some(days)) => Check::passed(
            RETENTION,
            format!("{days} days; after a longer pause a table is read in full again"),
        ),
        Ok(None) => Check::passed(RETENTION, "not told; usually 7 days"),
        Err(error) => {
            tracing::info!(%error, "how long changes are kept was not told");
            Check::passed(RETENTION, "may not be read; usually 7 days")
        }
    }
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
