//! Setting up a connection.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::FieldProblem;

/// The steps, in their order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SetupStep {
    /// Cloud and tenant.
    #[default]
    Choose,
    /// How the app is registered.
    Register,
    /// Its redirect URI.
    Redirect,
    /// Its permission.
    Permission,
    /// Its ids and its secret.
    Credentials,
    /// Which environment.
    Environment,
    /// Signing in.
    SignIn,
    /// What can be read.
    Check,
}

/// How the app is registered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SetupWay {
    /// By hand, in the portal.
    #[default]
    Portal,
    /// By a script for the Azure CLI.
    AzureCli,
    /// By a script for PowerShell with Microsoft Graph.
    Powershell,
    /// It exists already.
    Exists,
}

/// What was typed so far. The secret is never in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SetupDraft {
    /// Where the admin is.
    pub step: SetupStep,
    /// The farthest step they came to.
    pub reached: SetupStep,
    /// The connection's name.
    pub name: String,
    /// `commercial`, `gcc`, `gcc-high`, `dod`, `china` or `own`.
    pub cloud: String,
    /// Authority, where the cloud is an own one.
    pub authority: String,
    /// Global Discovery Service, where the cloud is an own one.
    pub discovery: String,
    /// Tenant: id or domain; empty for any.
    pub tenant: String,
    /// How the app is registered.
    pub way: SetupWay,
    /// Whether the platform is Mobile and desktop, without a secret.
    pub public_client: bool,
    /// Fixed port of the redirect URI.
    pub redirect_port: Option<u16>,
    /// Application (client) id.
    pub client_id: String,
    /// Whether the keychain has the secret. The window does not decide it.
    pub has_secret: bool,
    /// The secret's last day, as `YYYY-MM-DD`.
    pub secret_expires: Option<String>,
    /// Environment URL.
    pub environment: String,
    /// Whether it signs in as the app itself.
    pub unattended: bool,
    /// Whether somebody has signed in with what is here. The window does not decide it.
    pub signed_in: bool,
}

/// What the portal wants, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SetupGuide {
    /// Name of the app registration.
    pub app_name: String,
    /// The redirect URI.
    pub redirect_uri: String,
    /// The page that makes a registration.
    pub new_registration: String,
    /// All registrations.
    pub registrations: String,
    /// The app's Overview page.
    pub overview: String,
    /// The app's Authentication page.
    pub authentication: String,
    /// The app's API permissions page.
    pub permissions: String,
    /// The app's Certificates & secrets page.
    pub credentials: String,
    /// The page on which an administrator consents for everybody; null before the app's id is known.
    pub admin_consent: Option<String>,
    /// The tenant's overview.
    pub tenant: String,
    /// Environments, their users and application users.
    pub admin_center: String,
    /// The script that does it all; empty where the way is another one.
    pub script: String,
    /// An environment's address in this cloud, as an example.
    pub example: String,
}

/// A cloud to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SetupCloud {
    /// Its word in [`SetupDraft::cloud`].
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where its environments are.
    pub example: String,
}

/// A set-up that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Setup {
    /// What was typed.
    pub draft: SetupDraft,
    /// What is wrong with it.
    pub problems: Vec<FieldProblem>,
    /// What the portal wants.
    pub guide: SetupGuide,
    /// The clouds to choose from.
    pub clouds: Vec<SetupCloud>,
    /// Who has signed in, once somebody has.
    pub user: Option<String>,
}

/// A tenant that the sign-in service knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FoundTenant {
    /// Its id.
    pub id: String,
    /// The host of the sign-in service.
    pub authority: String,
}

/// An environment that answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FoundEnvironment {
    /// Its address.
    pub url: String,
    /// The host of the sign-in service that it trusts.
    pub authority: String,
    /// The tenant that it belongs to.
    pub tenant: String,
    /// The cloud that its host tells, where it does.
    pub cloud: Option<String>,
}

/// An environment that Global Discovery lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ListedEnvironment {
    /// Name as people know it.
    pub name: String,
    /// Its address.
    pub url: String,
    /// Whether it is in use.
    pub enabled: bool,
    /// Region.
    pub region: String,
    /// Version.
    pub version: String,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
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

/// A check of a new connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
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
    pub link: Option<String>,
}

/// What a table's first sync reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TableCount {
    /// Logical name.
    pub table: String,
    /// Rows; null where they were not counted.
    #[ts(type = "number | null")]
    pub rows: Option<u64>,
}

/// What the first sync takes, about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FirstSync {
    /// Rows by table.
    pub tables: Vec<TableCount>,
    /// Rows in all.
    #[ts(type = "number")]
    pub rows: u64,
    /// Seconds.
    #[ts(type = "number")]
    pub seconds: u64,
    /// Requests.
    #[ts(type = "number")]
    pub requests: u64,
    /// Requests that a user has a day.
    #[ts(type = "number")]
    pub entitlement: u64,
    /// Bytes on disk.
    #[ts(type = "number")]
    pub bytes: u64,
}

/// The checks as far as they have come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Checks {
    /// One after the other.
    pub checks: Vec<Check>,
    /// What the first sync takes.
    pub cost: FirstSync,
}

/// What is changed of a connection; null leaves it as it is.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ConnectionChange {
    /// Its name.
    pub name: Option<String>,
    /// Its client secret.
    pub client_secret: Option<String>,
    /// The secret's last day, as `YYYY-MM-DD`; empty where it is not known.
    pub secret_expires: Option<String>,
    /// Fixed port of the redirect URI; 0 for any free one.
    pub redirect_port: Option<u16>,
}

impl std::fmt::Debug for ConnectionChange {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ConnectionChange")
            .field("name", &self.name)
            .field("secret_expires", &self.secret_expires)
            .field("redirect_port", &self.redirect_port)
            .finish_non_exhaustive()
    }
}
