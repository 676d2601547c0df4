//! What an environment says to a stranger: which authority and tenant it trusts.

use std::time::Duration;

use reqwest::header::{HeaderMap, LOCATION, WWW_AUTHENTICATE};
use reqwest::{Response, StatusCode};
use url::Url;

use crate::client::API_PATH;
use crate::error::ServiceError;
use crate::{Error, Result};

/// A broken connection is tried again after these pauses: somebody waits in front of the screen.
const PAUSES: [Duration; 2] = [Duration::from_millis(300), Duration::from_millis(900)];
/// Bytes of an error body that are read; the rest of somebody's web page does not matter.
const LONGEST_BODY: usize = 64 * 1024;

/// The challenge of a 401. Nothing in it may be believed before its host is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// The sign-in service.
    pub authority: Url,
    /// The tenant that owns the environment: mostly its id.
    pub tenant: String,
    /// The resource that tokens are for.
    pub resource: Option<Url>,
}

/// Asks an environment without a token. `None` where it asks for a sign-in but does not say where.
///
/// # Errors
/// Where it cannot be reached, is out of order, or is no Dynamics 365.
pub async fn challenge(http: &reqwest::Client, environment: &Url) -> Result<Option<Challenge>> {
    let host = || environment.host_str().unwrap_or_default().to_owned();
    let address = environment
        .join(API_PATH)
        .and_then(|base| base.join("WhoAmI"))
        .map_err(|_| Error::NotDataverse(host()))?;
    let mut reply = reach(http, &address, &host()).await?;
    let status = reply.status();
    if status == StatusCode::UNAUTHORIZED {
        return Ok(read(reply.headers()));
    }
    if status.is_redirection() {
        let target = reply.headers().get(LOCATION);
        let target = target.and_then(|value| value.to_str().ok());
        return Err(Error::Redirected {
            host: host(),
            target: target.unwrap_or("another address").to_owned(),
        });
    }
    if status == StatusCode::TOO_MANY_REQUESTS {
        return Ok(None);
    }
    if status.is_server_error() {
        return Err(Error::Unavailable(format!("status {}", status.as_u16())));
    }
    let headers = reply.headers().clone();
    let mut body = Vec::new();
    while let Ok(Some(part)) = reply.chunk().await {
        body.extend_from_slice(&part);
        if body.len() > LONGEST_BODY {
            break;
        }
    }
    match ServiceError::read(status, &headers, &body) {
        Some(_) if !status.is_success() && status != StatusCode::NOT_FOUND => Ok(None),
        _ => Err(Error::NotDataverse(host())),
    }
}

async fn reach(http: &reqwest::Client, address: &Url, host: &str) -> Result<Response> {
    let mut pauses = PAUSES.into_iter();
    loop {
        let request = http
            .get(address.clone())
            .header("Accept", "application/json");
        let error = match request.send().await {
            Ok(reply) => return Ok(reply),
            Err(error) => error,
        };
        // A name that is not there, or a closed port, is so a moment later too.
        let pause = match pauses.next() {
            Some(pause) if !error.is_connect() => pause,
            _ => return Err(Error::unreachable(host, &error)),
        };
        tokio::time::sleep(pause).await;
    }
}

/// Reads the challenge: values are quoted or not, with commas or blanks between them.
fn read(headers: &HeaderMap) -> Option<Challenge> {
    headers
        .get_all(WWW_AUTHENTICATE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .find_map(|text| {
            let parameters = parameters(text)?;
            let find = |name: &str| {
                parameters
                    .iter()
                    .find(|(found, _)| found.eq_ignore_ascii_case(name))
                    .map(|(_, value)| value.as_str())
            };
            let address = Url::parse(find("authorization_uri").or_else(|| find("authorization"))?);
            let (authority, tenant) = split(&address.ok()?)?;
            Some(Challenge {
                authority,
                tenant,
                resource: find("resource_id").and_then(|text| Url::parse(text).ok()),
            })
        })
}

fn parameters(header: &str) -> Option<Vec<(String, String)>> {
    let (scheme, mut rest) = header.trim_start().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let mut found = Vec::new();
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_matches([' ', ',', '\t']);
        let after = after.trim_start();
        let (value, left) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once([',', ' ', '\t']).unwrap_or((after, "")),
        };
        found.push((name.to_owned(), value.to_owned()));
        rest = left;
    }
    Some(found)
}

/// The authority and the tenant of an address such as `…/{tenant}/oauth2/authorize`.
fn split(address: &Url) -> Option<(Url, String)> {
    let segments: Vec<&str> = address.path_segments()?.collect();
    let place = segments
        .iter()
        .position(|segment| *segment == "oauth2")
        .map_or(Some(0), |oauth2| oauth2.checked_sub(1))?;
    let tenant = (*segments.get(place)?).to_owned();
    let mut authority = address.clone();
    authority.set_query(None);
    authority.set_fragment(None);
    authority
        .path_segments_mut()
        .ok()?
        .clear()
        .extend(&segments[..place])
        .push("");
    (!tenant.is_empty()).then_some((authority, tenant))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn a_challenge_is_read_however_it_is_written() {
        let (authority, tenant) = (
            "https://login.microsoftonline.com/",
            "bd6c851f-0000-0000-0000-000000000000",
        );
        let resource = "https://org00000001.crm11.dynamics.com/";
        let address = format!("{authority}{tenant}/oauth2/authorize");
        for header in [
            format!("Bearer authorization_uri={address}, resource_id={resource}"),
            format!("Bearer authorization_uri={address} resource_id={resource}"),
            format!("Bearer authorization_uri={address},resource_id={resource}"),
            format!("bearer resource_id=\"{resource}\", authorization_uri=\"{address}\""),
            format!(
                "Bearer realm=\"a=b, c\" authorization_uri=\"{address}\" resource_id=\"{resource}\""
            ),
        ] {
            let mut headers = HeaderMap::new();
            headers.append(
                WWW_AUTHENTICATE,
                HeaderValue::from_static("Basic realm=\"x\""),
            );
            headers.append(
                WWW_AUTHENTICATE,
                HeaderValue::from_str(&header).expect("a header"),
            );
            let found = read(&headers).unwrap_or_else(|| panic!("{header}"));
            assert_eq!(found.authority.as_str(), authority, "{header}");
            assert_eq!(found.tenant, tenant, "{header}");
            assert_eq!(
                found.resource.map(String::from).as_deref(),
                Some(resource),
                "{header}"
            );
        }
    }

    #[test]
    fn what_is_no_challenge_gives_none() {
        for header in [
            "Basic realm=\"x\"",
            "Bearer",
            "Bearer realm=\"\"",
            "Bearer authorization_uri=nowhere",
            "Bearer authorization_uri=https://login.microsoftonline.com/oauth2/authorize",
            "Bearer authorization_uri=\"https://login.microsoftonline.com/",
        ] {
            let mut headers = HeaderMap::new();
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(header));
            assert_eq!(read(&headers), None, "{header}");
        }
    }
}
