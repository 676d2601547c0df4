//! What was typed so far. It is kept in a file of its own, since there is no database before the
//! first connection; the secret is in the keychain.

use std::fs;
use std::path::Path;

use salesmirror_model::clouds::Cloud;
use salesmirror_model::urls;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::data_dir::write_whole;
use crate::error::{Error, Result};
use crate::form::{FieldProblem, Form, tenant_problem};

/// The steps, in their order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
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

/// A cloud that is none of Microsoft's: its addresses are typed.
pub const OWN_CLOUD: &str = "own";

/// A set-up that is under way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Draft {
    /// Names its secret.
    pub id: Uuid,
    /// Where the admin is.
    pub step: Step,
    /// The farthest step they came to.
    pub reached: Step,
    /// The connection's name.
    pub name: String,
    /// A word of [`Cloud`], or [`OWN_CLOUD`].
    pub cloud: String,
    /// Authority, where the cloud is an own one.
    pub authority: String,
    /// Global Discovery Service, where the cloud is an own one.
    pub discovery: String,
    /// Tenant: id or domain; empty for any.
    pub tenant: String,
    /// How the app is registered.
    pub way: Way,
    /// Whether the platform is Mobile and desktop, without a secret.
    pub public_client: bool,
    /// Fixed port of the redirect URI.
    pub redirect_port: Option<u16>,
    /// Application (client) id.
    pub client_id: String,
    /// Whether the keychain has the secret.
    pub has_secret: bool,
    /// The secret's last day, as `YYYY-MM-DD`.
    pub secret_expires: Option<String>,
    /// Environment URL.
    pub environment: String,
    /// Whether it signs in as the app itself.
    pub unattended: bool,
    /// The connection, once somebody has signed in.
    pub connection: Option<Uuid>,
}

impl Draft {
    pub(super) fn new() -> Self {
        Self {
            id: Uuid::new_v4(),
            cloud: Cloud::commercial().id.to_owned(),
            ..Self::default()
        }
    }

    pub(super) fn read(path: &Path) -> Result<Option<Self>> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::file(path, &error)),
        };
        match serde_json::from_str(&text) {
            Ok(draft) => Ok(Some(draft)),
            Err(error) => {
                // Half a file is worth less than a new beginning.
                tracing::warn!(%error, "the set-up's draft cannot be read");
                Ok(None)
            }
        }
    }

    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let text =
            serde_json::to_string_pretty(self).map_err(|error| Error::file(path, &error.into()))?;
        write_whole(path, &text)
    }

    pub(super) fn remove(path: &Path) -> Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::file(path, &error))
            }
            _ => Ok(()),
        }
    }

    /// The cloud; an own one goes by the rules of the commercial one.
    #[must_use]
    pub fn cloud(&self) -> &'static Cloud {
        Cloud::by_id(&self.cloud).unwrap_or_else(Cloud::commercial)
    }

    fn is_own_cloud(&self) -> bool {
        self.cloud == OWN_CLOUD
    }

    pub(super) fn own_authority(&self) -> Option<String> {
        let authority = self.authority.trim();
        (self.is_own_cloud() && !authority.is_empty()).then(|| authority.to_owned())
    }

    pub(super) fn own_discovery(&self) -> Option<String> {
        let discovery = self.discovery.trim();
        (self.is_own_cloud() && !discovery.is_empty()).then(|| discovery.to_owned())
    }

    /// Where to sign in, as far as it is known before an environment is.
    #[must_use]
    pub fn sign_in_address(&self) -> String {
        self.own_authority()
            .unwrap_or_else(|| self.cloud().authority())
    }

    pub(super) fn named_tenant(&self) -> Option<String> {
        let tenant = self.tenant.trim();
        (!tenant.is_empty()).then(|| tenant.to_owned())
    }

    /// Whether another draft signs in as the same app to the same place.
    pub(super) fn leads_to(&self, other: &Self) -> bool {
        self.name.trim() == other.name.trim()
            && self.cloud == other.cloud
            && self.authority == other.authority
            && self.tenant == other.tenant
            && self.public_client == other.public_client
            && self.redirect_port == other.redirect_port
            && self.client_id == other.client_id
            && self.secret_expires == other.secret_expires
            && self.environment == other.environment
            && self.unattended == other.unattended
    }

    /// What is wrong, in the order of the steps.
    pub(super) fn problems(&self) -> Vec<FieldProblem> {
        let mut problems = Vec::new();
        let mut add = |field, message: Option<String>| {
            if let Some(message) = message {
                problems.push(FieldProblem { field, message });
            }
        };
        let address = |text: &str| match text.trim() {
            "" => None,
            text => urls::parse_secure(text)
                .err()
                .map(|error| error.to_string()),
        };
        if self.is_own_cloud() {
            add(
                "authority",
                match self.authority.trim() {
                    "" => Some("Enter the address of the sign-in service.".to_owned()),
                    _ => address(&self.authority),
                },
            );
            add("discovery", address(&self.discovery));
        }
        add(
            "tenant",
            self.named_tenant().as_deref().and_then(tenant_problem),
        );
        let form = Form {
            name: &self.name,
            environment: &self.environment,
            tenant: None,
            client_id: &self.client_id,
            client_secret: None,
            authority: None,
        };
        let mut rest = form.problems();
        // In the order of the steps the name comes last.
        rest.sort_by_key(|problem| match problem.field {
            "client_id" => 0,
            "environment" => 1,
            _ => 2,
        });
        for problem in rest {
            add(problem.field, Some(problem.message));
        }
        let needs_secret = !self.public_client && !self.has_secret;
        add(
            "client_secret",
            needs_secret.then(|| {
                "Paste the client secret's value, or change to Mobile and desktop.".to_owned()
            }),
        );
        add("secret_expires", self.secret_expires_problem());
        add(
            "unattended",
            (self.unattended && self.public_client).then(|| {
                "Only an app with a secret can sign in by itself. Change to the platform Web."
                    .to_owned()
            }),
        );
        problems
    }

    fn secret_expires_problem(&self) -> Option<String> {
        let text = self.secret_expires.as_deref()?;
        let Ok(date) = text.parse::<jiff::civil::Date>() else {
            return Some("Enter a date, such as 2028-03-11.".to_owned());
        };
        (date < jiff::Zoned::now().date()).then(|| {
            "This day has passed: the secret is good for nothing. Make a new one.".to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> Draft {
        Draft {
            name: "Norrvale".into(),
            client_id: "5f1c0f64-2a57-4b5a-9c53-0d3f4c3ba001".into(),
            environment: "https://norrvale.crm4.dynamics.com".into(),
            has_secret: true,
            ..Draft::new()
        }
    }

    #[test]
    fn what_is_wrong_is_said_of_the_field_where_it_is() {
        let fields = |draft: &Draft| -> Vec<&str> {
            draft.problems().iter().map(|found| found.field).collect()
        };
        assert!(draft().problems().is_empty(), "{:?}", draft().problems());
        assert_eq!(
            fields(&Draft::new()),
            ["client_id", "environment", "name", "client_secret"]
        );
        type Change = fn(&mut Draft);
        let rows: [(Change, &[&str]); 10] = [
            (|draft| draft.tenant = "not a tenant".into(), &["tenant"]),
            (|draft| draft.tenant = " norrvale.example ".into(), &[]),
            (|draft| draft.cloud = OWN_CLOUD.into(), &["authority"]),
            (
                |draft| {
                    draft.cloud = OWN_CLOUD.into();
                    draft.authority = "http://evil.example".into();
                    draft.discovery = "nothing".into();
                },
                &["authority", "discovery"],
            ),
            (
                |draft| {
                    draft.cloud = OWN_CLOUD.into();
                    draft.authority = "http://localhost:8400/".into();
                },
                &[],
            ),
            (|draft| draft.has_secret = false, &["client_secret"]),
            (
                |draft| {
                    draft.has_secret = false;
                    draft.public_client = true;
                },
                &[],
            ),
            (
                |draft| {
                    draft.public_client = true;
                    draft.unattended = true;
                },
                &["unattended"],
            ),
            (
                |draft| draft.secret_expires = Some("11.3.2028".into()),
                &["secret_expires"],
            ),
            (
                |draft| draft.secret_expires = Some("2020-01-01".into()),
                &["secret_expires"],
            ),
        ];
        for (place, (change, expected)) in rows.into_iter().enumerate() {
            let mut draft = draft();
            change(&mut draft);
            assert_eq!(fields(&draft), expected, "row {place}");
        }
    }

    #[test]
    fn a_draft_is_there_again_and_half_a_file_is_a_new_beginning() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("setup.json");
        assert_eq!(Draft::read(&path).unwrap(), None);
        draft().write(&path).unwrap();
        let kept = Draft::read(&path).unwrap().unwrap();
        assert_eq!(kept.name, "Norrvale");
        fs::write(&path, "{\"name\": \"Nor").unwrap();
        assert_eq!(Draft::read(&path).unwrap(), None);
        Draft::remove(&path).unwrap();
        Draft::remove(&path).unwrap();
    }
}
