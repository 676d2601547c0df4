//! What an error code means and where it is mended, in one form for the command line, the window
//! and the documentation. Each crate explains the codes that it makes; core gathers them.

use url::Url;

use crate::clouds::Cloud;

/// An error code of ours with everything that can be said without knowing the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explanation {
    /// Stable code of our own.
    pub code: &'static str,
    /// The service's numbers that it stands for: `AADSTS…` of Entra ID in decimal, or Dataverse's
    /// 32-bit codes. Empty for what we find ourselves.
    pub numbers: &'static [u32],
    /// What happened, one sentence.
    pub meaning: &'static str,
    /// Why it mostly happens.
    pub cause: &'static str,
    /// What to do, with the place.
    pub fix: &'static str,
    /// The portal page where that is done.
    pub page: Option<Page>,
}

/// A page where something is mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// The app's Overview, with its ids.
    Overview,
    /// The app's Authentication page: platforms and redirect URIs.
    Authentication,
    /// The app's Certificates & secrets page.
    Credentials,
    /// The app's API permissions page.
    Permissions,
    /// All app registrations.
    Registrations,
    /// The page that makes a registration.
    NewRegistration,
    /// The page on which an administrator consents for everybody.
    AdminConsent,
    /// Enterprise applications: who is assigned to an app.
    EnterpriseApplications,
    /// The tenant's overview, with its id and its domains.
    Tenant,
    /// The rules of conditional access.
    ConditionalAccess,
    /// The Power Platform admin center: environments, their users and application users.
    Environments,
}

/// What a page's address is made from.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Authority of the connection.
    pub authority: &'a str,
    /// Environment of the connection.
    pub environment: &'a str,
    /// Tenant of the connection.
    pub tenant: &'a str,
    /// Application (client) id.
    pub client_id: &'a str,
}

impl Page {
    /// Its address for an app registration.
    #[must_use]
    pub fn link(self, place: Place<'_>) -> String {
        let url = |text: &str| Url::parse(text).ok();
        let cloud = url(place.environment)
            .and_then(|environment| Cloud::of_environment(&environment))
            .or_else(|| url(place.authority).and_then(|found| Cloud::of_authority(&found)))
            .unwrap_or_else(Cloud::commercial);
        let portal = cloud.portal;
        let of_app = |blade: &str| {
            format!(
                "https://{portal}/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/{blade}/appId/{}",
                place.client_id
            )
        };
        let of_tenant = |blade: &str| format!("https://{portal}/#view/{blade}");
        match self {
            Self::Overview => of_app("Overview"),
            Self::Authentication => of_app("Authentication"),
            Self::Credentials => of_app("Credentials"),
            Self::Permissions => of_app("CallAnAPI"),
            Self::Registrations => of_tenant("Microsoft_AAD_RegisteredApps/ApplicationsListBlade"),
            Self::NewRegistration => {
                of_tenant("Microsoft_AAD_RegisteredApps/CreateApplicationBlade")
            }
            Self::AdminConsent => format!(
                "{}/{}/adminconsent?client_id={}",
                place.authority.trim_end_matches('/'),
                place.tenant,
                place.client_id
            ),
            Self::EnterpriseApplications => {
                of_tenant("Microsoft_AAD_IAM/StartboardApplicationsMenuBlade/~/AppAppsPreview")
            }
            Self::Tenant => of_tenant("Microsoft_AAD_IAM/TenantOverview.ReactView"),
            Self::ConditionalAccess => {
                of_tenant("Microsoft_AAD_ConditionalAccess/ConditionalAccessBlade/~/Overview")
            }
            Self::Environments => {
                format!("https://{}/environments", cloud.admin_center)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_lies_in_the_portal_of_the_connections_cloud() {
        let place = |environment| Place {
            authority: "https://login.microsoftonline.us/",
            environment,
            tenant: "norrvale.example",
            client_id: "5f1c0f64-2a57-4b5a-9c53-0d3f4c3ba001",
        };
        let app = "ApplicationMenuBlade/~/Credentials/appId/5f1c0f64-2a57-4b5a-9c53-0d3f4c3ba001";
        for (environment, page, link) in [
            (
                "https://norrvale.crm4.dynamics.com/",
                Page::Credentials,
                format!("https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/{app}"),
            ),
            (
                "https://norrvale.crm.dynamics.cn/",
                Page::Credentials,
                format!("https://portal.azure.cn/#view/Microsoft_AAD_RegisteredApps/{app}"),
            ),
            (
                // Where the host says nothing the authority does.
                "https://norrvale.example/",
                Page::Credentials,
                format!("https://portal.azure.us/#view/Microsoft_AAD_RegisteredApps/{app}"),
            ),
            (
                "https://norrvale.crm.appsplatform.us/",
                Page::Environments,
                "https://admin.appsplatform.us/environments".to_owned(),
            ),
            (
                "https://norrvale.example/",
                Page::AdminConsent,
                "https://login.microsoftonline.us/norrvale.example/adminconsent?client_id=5f1c0f64-2a57-4b5a-9c53-0d3f4c3ba001"
                    .to_owned(),
            ),
        ] {
            assert_eq!(page.link(place(environment)), link);
        }
    }
}
