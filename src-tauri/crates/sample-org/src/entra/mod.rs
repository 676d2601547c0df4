//! Entra ID: documents, the sign-in page, the token endpoint, admin consent.

mod admin_consent;
mod authorize;
mod checks;
mod codes;
pub mod device;
pub mod directory;
mod documents;
mod grants;
mod pages;
pub mod refusal;
mod scope;
mod signing;
pub mod token;

use std::collections::HashMap;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use uuid::Uuid;

pub use directory::Directory;
pub use scope::Resources;

use crate::variants::Variants;
use refusal::Refusal;

/// A request to the authority.
pub struct Call<'a> {
    /// The authority's address, with a slash at the end.
    pub authority: &'a str,
    pub resources: Resources<'a>,
    pub variants: Variants,
    pub method: &'a str,
    pub tenant: &'a str,
    pub rest: &'a str,
    pub parameters: HashMap<String, String>,
    pub authorization: Option<&'a str>,
    pub origin: Option<&'a str>,
    pub cookie: Option<&'a str>,
}

impl<'a> Call<'a> {
    /// A parameter, or nothing.
    pub fn get(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    /// A parameter that has to be there.
    fn need(&self, name: &str) -> Result<&str, Refusal> {
        match self.get(name) {
            "" => Err(Refusal::new(900_144, name)),
            value => Ok(value),
        }
    }
}

/// Which tenant a path names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Named {
    Tenant(usize),
    /// `common` or `organizations`: the account tells.
    Any,
}

/// Answers a request below `/{tenant}/`; `None` where the address is none of the authority's.
pub fn answer(directory: &mut Directory, call: &Call<'_>) -> Option<Response> {
    let is_browser = matches!(
        call.rest,
        "oauth2/v2.0/authorize" | "adminconsent" | "v2.0/adminconsent" | "oauth2/deviceauth"
    );
    let is_known = is_browser
        || matches!(
            call.rest,
            "v2.0/.well-known/openid-configuration"
                | "discovery/instance"
                | "discovery/v2.0/keys"
                | "oauth2/v2.0/token"
                | "oauth2/v2.0/devicecode"
                | "oauth2/v2.0/logout"
        )
        || call.rest.starts_with("userrealm/");
    if !is_known {
        return None;
    }
    let response = route(directory, call, is_browser);
    Some(headed(response, call))
}

/// With the headers of recorded replies.
fn headed(mut response: Response, call: &Call<'_>) -> Response {
    let is_document = call.method == "GET"
        && (call.rest.contains("discovery") || call.rest.contains(".well-known"));
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &'static str| {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    };
    set(
        "strict-transport-security",
        "max-age=31536000; includeSubDomains",
    );
    set("x-content-type-options", "nosniff");
    set("p3p", "CP=\"DSP CUR OTPi IND OTRi ONL FIN\"");
    set("x-ms-ests-server", "2.1.12197.4 - NCUS ProdSlices");
    if is_document {
        set("cache-control", "max-age=86400, private");
        set("access-control-allow-origin", "*");
        set("access-control-allow-methods", "GET, OPTIONS");
    } else {
        set("cache-control", "no-store, no-cache");
        set("pragma", "no-cache");
        set("expires", "-1");
    }
    if headers.get(header::CONTENT_TYPE) == Some(&HeaderValue::from_static("application/json")) {
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json; charset=utf-8"),
        );
    }
    if let Ok(id) = HeaderValue::from_str(&Uuid::new_v4().to_string()) {
        headers.insert("x-ms-request-id", id);
    }
    response
}

fn route(directory: &mut Directory, call: &Call<'_>, is_browser: bool) -> Response {
    let now = directory.now();
    let named = match name_tenant(directory, call.tenant) {
        Ok(named) => named,
        Err(refusal) if is_browser => return refusal.page(&call.variants, now, ""),
        Err(refusal) if call.rest.ends_with("openid-configuration") => {
            return refusal.called("invalid_tenant").body(&call.variants, now);
        }
        Err(refusal) => return refusal.body(&call.variants, now),
    };
    match (call.method, call.rest) {
        ("GET", "v2.0/.well-known/openid-configuration") => {
            documents::configuration(directory, call, named)
        }
        ("GET", "discovery/instance") => documents::instance_discovery(call),
        ("GET", "discovery/v2.0/keys") => documents::keys(directory, call, named),
        ("GET" | "POST", "oauth2/v2.0/authorize") => authorize::answer(directory, call, named),
        ("GET" | "POST", "adminconsent" | "v2.0/adminconsent") => {
            admin_consent::answer(directory, call, named)
        }
        ("GET" | "POST", "oauth2/deviceauth") => device::page(directory, call),
        ("GET", rest) if rest.starts_with("userrealm/") => documents::user_realm(rest),
        ("GET", "oauth2/v2.0/logout") => {
            pages::page("You signed out of your account", "").into_response()
        }
        ("POST", "oauth2/v2.0/token") => match token::answer(directory, call, named) {
            Ok(response) => response,
            Err(refusal) => refusal.body(&call.variants, now),
        },
        ("POST", "oauth2/v2.0/devicecode") => match device::begin(directory, call, named) {
            Ok(response) => response,
            Err(refusal) => refusal.body(&call.variants, now),
        },
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

fn name_tenant(directory: &Directory, name: &str) -> Result<Named, Refusal> {
    if ["common", "organizations"].contains(&name) {
        return Ok(Named::Any);
    }
    if let Some(tenant) = directory.tenant(name) {
        return Ok(Named::Tenant(tenant));
    }
    let is_domain = name.split('.').count() > 1
        && name.split('.').all(|label| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        });
    if is_domain || Uuid::try_parse(name).is_ok() || name == "consumers" {
        Err(Refusal::new(90_002, name))
    } else {
        Err(Refusal::new(900_023, name))
    }
}
