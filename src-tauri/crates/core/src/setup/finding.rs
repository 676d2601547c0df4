//! What the tenant and the environment say of themselves before anybody signs in.

use salesmirror_auth::discover;
use salesmirror_model::Place;
use salesmirror_model::clouds::Cloud;
use salesmirror_model::urls::{parse_environment, parse_secure};

use crate::app::App;
use crate::error::Result;
use crate::whereabouts::locate;

/// A tenant that the sign-in service knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundTenant {
    /// Its id.
    pub id: String,
    /// The host of the sign-in service.
    pub authority: String,
}

/// An environment that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundEnvironment {
    /// Its address, without what was pasted after the host.
    pub url: String,
    /// The sign-in service that it trusts.
    pub authority: String,
    /// The tenant that it belongs to.
    pub tenant: String,
    /// The cloud that its host tells, where it does.
    pub cloud: Option<String>,
}

impl App {
    /// Looks the set-up's tenant up; `None` where any tenant will do.
    ///
    /// # Errors
    /// Where the sign-in service cannot be reached, or does not know it.
    pub async fn find_tenant(&self) -> Result<Option<FoundTenant>> {
        let draft = self.begin_setup().await?;
        let Some(tenant) = draft.named_tenant() else {
            return Ok(None);
        };
        let address = draft.sign_in_address();
        let authority = parse_secure(&address)?;
        let place = Place {
            authority: &address,
            environment: "",
            tenant: &tenant,
            client_id: &draft.client_id,
        };
        let found = discover(&self.http(), &authority, &tenant).await;
        let found = found.map_err(|error| crate::error::Error::from(error).at(place))?;
        Ok(Some(FoundTenant {
            id: found
                .tenant_id()
                .map_or(tenant, |id| id.hyphenated().to_string()),
            authority: authority.host_str().unwrap_or_default().to_owned(),
        }))
    }

    /// Asks the set-up's environment where it belongs.
    ///
    /// # Errors
    /// Where it cannot be reached, is no Dynamics 365, or belongs to another tenant.
    pub async fn find_environment(&self) -> Result<FoundEnvironment> {
        let draft = self.begin_setup().await?;
        let environment = parse_environment(&draft.environment)?;
        let (authority, tenant) = (draft.own_authority(), draft.named_tenant());
        let place = Place {
            authority: authority.as_deref().unwrap_or_default(),
            environment: environment.as_str(),
            tenant: tenant.as_deref().unwrap_or_default(),
            client_id: &draft.client_id,
        };
        let found = locate(
            &self.http(),
            &environment,
            authority.as_deref(),
            tenant.as_deref(),
        )
        .await
        .map_err(|error| error.at(place))?;
        let cloud = Cloud::of_environment(&environment);
        Ok(FoundEnvironment {
            url: environment.to_string(),
            authority: found.authority.host_str().unwrap_or_default().to_owned(),
            tenant: found.tenant,
            cloud: cloud.map(|cloud| cloud.id.to_owned()),
        })
    }
}
