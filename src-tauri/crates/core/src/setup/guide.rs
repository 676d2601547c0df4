//! Where in the portal each step is done, and what is entered there.

use salesmirror_model::{Page, Place};

use super::{Draft, Way};

/// The name that the app registration gets.
const APP_NAME: &str = "Salesmirror";
/// Stands for any tenant in addresses of the sign-in service.
const ANY: &str = "organizations";

/// What the portal wants, for this set-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guide {
    /// Name of the app registration.
    pub app_name: String,
    /// The redirect URI; without a port any free one is used.
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
    /// The page on which an administrator consents for everybody; `None` before the app's id is known.
    pub admin_consent: Option<String>,
    /// The tenant's overview.
    pub tenant: String,
    /// Environments, their users and application users.
    pub admin_center: String,
    /// The scripts that do it all; empty where the way is another one.
    pub script: String,
}

impl Guide {
    /// The address of a page for a set-up.
    #[must_use]
    pub fn page(draft: &Draft, page: Page) -> Option<String> {
        let authority = draft.sign_in_address();
        let needs_id = !matches!(
            page,
            Page::Registrations | Page::Tenant | Page::ConditionalAccess | Page::Environments
        );
        let place = Place {
            authority: &authority,
            environment: &draft.cloud().example(),
            tenant: &draft.named_tenant().unwrap_or_else(|| ANY.to_owned()),
            client_id: draft.client_id.trim(),
        };
        (!needs_id || !place.client_id.is_empty()).then(|| page.link(place))
    }

    /// The guide of a set-up.
    #[must_use]
    pub fn new(draft: &Draft) -> Self {
        let authority = draft.sign_in_address();
        let tenant = draft.named_tenant();
        let client_id = draft.client_id.trim();
        let cloud = draft.cloud();
        let environment = cloud.example();
        let place = Place {
            authority: &authority,
            environment: &environment,
            tenant: tenant.as_deref().unwrap_or(ANY),
            client_id,
        };
        let of_app = |page: Page| match client_id.is_empty() {
            // Without an id the page of one app cannot be named; the list leads to it.
            true => Page::Registrations.link(place),
            false => page.link(place),
        };
        let port = draft
            .redirect_port
            .map(|port| format!(":{port}"))
            .unwrap_or_default();
        let wanted = super::scripts::Wanted {
            name: APP_NAME,
            cloud,
            tenant: tenant.as_deref(),
            public_client: draft.public_client,
            redirect_port: draft.redirect_port,
        };
        let scripts = super::scripts::scripts(&wanted);
        Self {
            app_name: APP_NAME.to_owned(),
            redirect_uri: format!("http://localhost{port}/oauth/callback"),
            new_registration: Page::NewRegistration.link(place),
            registrations: Page::Registrations.link(place),
            overview: of_app(Page::Overview),
            authentication: of_app(Page::Authentication),
            permissions: of_app(Page::Permissions),
            credentials: of_app(Page::Credentials),
            admin_consent: (!client_id.is_empty()).then(|| Page::AdminConsent.link(place)),
            tenant: Page::Tenant.link(place),
            admin_center: Page::Environments.link(place),
            script: match draft.way {
                Way::AzureCli => scripts.azure_cli,
                Way::Powershell => scripts.graph,
                Way::Portal | Way::Exists => String::new(),
            },
        }
    }
}
