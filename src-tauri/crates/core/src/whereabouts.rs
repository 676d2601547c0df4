//! Where to sign in for an environment: what the user says, and else what the environment itself
//! says to a stranger, as far as it can be believed.

use salesmirror_auth::{Endpoints, discover};
use salesmirror_dataverse::{Challenge, challenge};
use salesmirror_model::clouds::{Cloud, is_known_authority, is_same_authority};
use salesmirror_model::parse_guid;
use salesmirror_model::urls::parse_secure;
use url::Url;

use crate::error::{Category, Error, Result};

/// Where to sign in.
pub struct Whereabouts {
    pub authority: Url,
    pub tenant: String,
    pub endpoints: Endpoints,
}

/// Finds out where to sign in.
///
/// # Errors
/// Where the environment is no Dynamics 365, names an authority that nobody knows, or belongs to
/// another tenant than the one that was entered.
pub async fn locate(
    http: &reqwest::Client,
    environment: &Url,
    authority: Option<&str>,
    tenant: Option<&str>,
) -> Result<Whereabouts> {
    let challenge = challenge(http, environment).await?;
    let entered = authority.map(parse_secure).transpose()?;
    let believed = challenge.as_ref().filter(|challenge| {
        is_known_authority(&challenge.authority, environment)
            || entered
                .as_ref()
                .is_some_and(|entered| is_same_authority(entered, &challenge.authority))
    });
    let needs_challenge = entered.is_none() || tenant.is_none();
    if let (Some(found), None, true) = (&challenge, believed, needs_challenge) {
        return Err(unknown_authority(environment, found));
    }
    let authority = match (entered, believed) {
        (Some(entered), _) => entered,
        (None, Some(challenge)) => challenge.authority.clone(),
        (None, None) => {
            let cloud = Cloud::of_environment(environment).unwrap_or_else(Cloud::commercial);
            parse_secure(&cloud.authority())?
        }
    };
    let tenant = match (tenant, believed) {
        (Some(tenant), _) => tenant.trim().to_owned(),
        (None, Some(challenge)) => challenge.tenant.clone(),
        (None, None) => {
            return Err(Error::explained(
                Category::Usage,
                "tenant_unknown",
                format!(
                    "{} does not say which tenant it belongs to.",
                    host(environment)
                ),
            ));
        }
    };
    let endpoints = discover(http, &authority, &tenant).await?;
    if let Some(challenge) = believed {
        let entered = parse_guid(&tenant).or_else(|| endpoints.tenant_id());
        let owner = parse_guid(&challenge.tenant);
        if let (Some(entered), Some(owner)) = (entered, owner)
            && entered != owner
        {
            return Err(Error::explained(
                Category::SignIn,
                "other_tenant",
                format!(
                    "{} belongs to another tenant ({owner}) than the one you entered ({tenant}).",
                    host(environment)
                ),
            ));
        }
    }
    Ok(Whereabouts {
        authority,
        tenant,
        endpoints,
    })
}

fn unknown_authority(environment: &Url, challenge: &Challenge) -> Error {
    Error::explained(
        Category::Failed,
        "unknown_authority",
        format!(
            "{} wants the sign-in at {}, which is no sign-in service of Microsoft. Nothing was sent there.",
            host(environment),
            challenge.authority.origin().ascii_serialization()
        ),
    )
}

fn host(url: &Url) -> &str {
    url.host_str().unwrap_or("The environment")
}
