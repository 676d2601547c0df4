//! The environments that a user can choose from, as Global Discovery lists them.

use std::time::Duration;

use salesmirror_auth::{Secret, SignInOptions, discover};
use salesmirror_dataverse::{Instance, environments};
use salesmirror_model::Place;
use salesmirror_model::clouds::Cloud;
use salesmirror_model::urls::{is_loopback, parse_environment, parse_secure};
use salesmirror_store::ConnectionRow;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::app::App;
use crate::connect::{Asking, PendingSignIn};
use crate::error::{Category, Error, Result};
use crate::tokens::registration;

/// A user's sign-in before any environment is chosen.
#[derive(Clone)]
pub struct DiscoveryRequest {
    /// The cloud: `commercial`, `gcc`, `gcc-high`, `dod` or `china`.
    pub cloud: String,
    /// Tenant; any that the user belongs to where there is none.
    pub tenant: Option<String>,
    /// Application (client) id.
    pub client_id: String,
    /// Client secret; `None` for a public client.
    pub client_secret: Option<Secret>,
    /// Authority; the cloud's where there is none.
    pub authority: Option<String>,
    /// Global Discovery Service; the cloud's where there is none.
    pub discovery: Option<String>,
    /// Fixed port of the redirect URI.
    pub redirect_port: Option<u16>,
    /// How long to wait for the browser.
    pub timeout: Duration,
}

/// An environment to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Name as people know it.
    pub name: String,
    /// Its address.
    pub url: String,
    /// Its other address, where one is listed.
    pub api_url: Option<String>,
    /// Whether it is in use.
    pub is_enabled: bool,
    /// Region.
    pub region: String,
    /// Version.
    pub version: String,
    /// Tenant id.
    pub tenant: String,
}

impl App {
    /// The environments of a connection's user. A short or empty list is no error: delegated
    /// administrators get one.
    ///
    /// # Errors
    /// Where no user is signed in, or Global Discovery cannot be reached.
    pub async fn environments(
        &self,
        row: &ConnectionRow,
        discovery: Option<&str>,
    ) -> Result<Vec<Environment>> {
        let environment = parse_secure(&row.environment)?;
        let cloud = Cloud::of_environment(&environment).unwrap_or_else(Cloud::commercial);
        let discovery = service(cloud, discovery, &parse_secure(&row.authority)?)?;
        let session = self.session(row).await?;
        let token = session.tokens().for_resource(&discovery).await?;
        Ok(listed(
            environments(&self.http(), &discovery, &token).await?,
        ))
    }

    /// The environments of a user who signs in for this, before there is a connection. Nothing is
    /// kept.
    ///
    /// # Errors
    /// A refused sign-in, or Global Discovery cannot be reached.
    pub async fn discover(
        &self,
        request: &DiscoveryRequest,
        open: &(dyn Fn(&PendingSignIn) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<Vec<Environment>> {
        let Some(cloud) = Cloud::by_id(&request.cloud) else {
            return Err(Error::explained(
                Category::Usage,
                "usage",
                format!("There is no cloud \"{}\".", request.cloud),
            ));
        };
        let authority = request.authority.clone();
        let authority = parse_secure(&authority.unwrap_or_else(|| cloud.authority()))?;
        let discovery = service(cloud, request.discovery.as_deref(), &authority)?;
        let tenant = request.tenant.as_deref().unwrap_or("organizations");
        let place = Place {
            authority: authority.as_str(),
            environment: discovery.as_str(),
            tenant,
            client_id: &request.client_id,
        };
        let asking = Asking {
            timeout: request.timeout,
            claims: None,
            another_user: false,
            open,
            cancel,
        };
        let registration = registration(
            &authority,
            tenant,
            &request.client_id,
            request.client_secret.clone(),
        );
        let options = SignInOptions {
            redirect_port: request.redirect_port,
            ..SignInOptions::default()
        };
        let signed_in = async {
            let endpoints = discover(&self.http(), &authority, tenant).await?;
            asking
                .answered(
                    &self.http(),
                    &endpoints,
                    &registration,
                    &discovery,
                    &options,
                )
                .await
        };
        let signed_in: Result<_> = signed_in.await;
        let tokens = signed_in.map_err(|error| error.at(place))?;
        Ok(listed(
            environments(&self.http(), &discovery, &tokens.access).await?,
        ))
    }
}

/// The Global Discovery Service. A token goes there: only the cloud's own is taken, or one on this
/// computer where the sign-in is here too.
fn service(cloud: &Cloud, entered: Option<&str>, authority: &Url) -> Result<Url> {
    let own = format!("https://{}/", cloud.discovery);
    let Some(entered) = entered else {
        return Ok(parse_secure(&own)?);
    };
    let url = parse_environment(entered)?;
    if url.as_str() == own || (is_loopback(&url) && is_loopback(authority)) {
        return Ok(url);
    }
    Err(Error::explained(
        Category::Usage,
        "bad_discovery",
        format!(
            "{} is not the Global Discovery Service of this cloud. Nothing was sent there.",
            url.origin().ascii_serialization()
        ),
    ))
}

/// What can be connected to: entries with an address that tokens may go to at all.
fn listed(instances: Vec<Instance>) -> Vec<Environment> {
    let address = |text: &str| parse_environment(text).ok().map(String::from);
    instances
        .into_iter()
        .filter_map(|instance| {
            let api_url = address(&instance.api_url);
            let url = address(&instance.url).or_else(|| api_url.clone())?;
            let named = [&instance.friendly_name, &instance.url_name, &url];
            let name = named.into_iter().find(|name| !name.is_empty())?.clone();
            Some(Environment {
                name,
                is_enabled: instance.is_enabled(),
                region: instance.region,
                version: instance.version,
                tenant: instance.tenant_id,
                api_url,
                url,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_to_the_clouds_own_discovery_service_only() {
        let microsoft = Url::parse("https://login.microsoftonline.com/").expect("a URL");
        let here = Url::parse("http://localhost:8400/").expect("a URL");
        let cloud = Cloud::commercial();
        for (entered, authority, taken) in [
            (None, &microsoft, true),
            (Some("globaldisco.crm.dynamics.com"), &microsoft, true),
            (
                Some("https://globaldisco.crm9.dynamics.com"),
                &microsoft,
                false,
            ),
            (
                Some("https://globaldisco.crm.dynamics.com.evil.example"),
                &microsoft,
                false,
            ),
            (Some("https://evil.example/"), &here, false),
            (Some("http://127.0.0.1:8401"), &microsoft, false),
            (Some("http://127.0.0.1:8401"), &here, true),
        ] {
            assert_eq!(
                service(cloud, entered, authority).is_ok(),
                taken,
                "{entered:?}"
            );
        }
    }

    #[test]
    fn entries_without_a_usable_address_are_left_out() {
        let instance = |url: &str, api_url: &str| Instance {
            url: url.into(),
            api_url: api_url.into(),
            ..Instance::default()
        };
        let found = listed(vec![
            instance(
                "https://a.crm4.dynamics.com",
                "https://a.api.crm4.dynamics.com/",
            ),
            instance("", "https://b.api.crm4.dynamics.com"),
            instance("http://c.example", ""),
            instance("", ""),
        ]);
        let urls: Vec<&str> = found.iter().map(|found| found.url.as_str()).collect();
        assert_eq!(
            urls,
            [
                "https://a.crm4.dynamics.com/",
                "https://b.api.crm4.dynamics.com/"
            ]
        );
    }
}
