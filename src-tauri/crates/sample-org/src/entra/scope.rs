//! What a scope asks for.

use uuid::Uuid;

use super::directory::Audience;
use super::refusal::Refusal;
use crate::variants::{ScopeForm, Variants};

/// The app id of Dynamics CRM, in every tenant.
const DYNAMICS: &str = "00000007-0000-0000-c000-000000000000";
/// The app id of Microsoft Graph.
const GRAPH: &str = "00000003-0000-0000-c000-000000000000";
/// Graph's permissions that can be named without their resource; only some are known here.
const GRAPH_SCOPES: [&str; 2] = ["User.Read", "User.ReadBasic.All"];

/// The origins that Dynamics answers at.
#[derive(Clone, Copy)]
pub struct Resources<'a> {
    pub environment: &'a str,
    pub api: &'a str,
    pub discovery: &'a str,
}

/// A scope, read.
#[derive(Clone, Debug)]
pub struct Scope {
    pub audience: Audience,
    /// As it was named, without a slash at the end.
    pub resource: String,
    pub is_default: bool,
    pub offline: bool,
    pub openid: bool,
}

impl Scope {
    /// The scopes as the reply names them.
    pub fn granted(&self) -> String {
        let mut names = match self.audience {
            Audience::Graph => vec!["User.Read".to_owned()],
            _ => vec![format!("{}/user_impersonation", self.resource)],
        };
        if self.is_default {
            names.push(format!("{}/.default", self.resource));
        }
        names.join(" ")
    }
}

/// Reads a scope.
///
/// # Errors
/// 900144, 70011, 500011 or 650053.
pub fn read(text: &str, resources: &Resources<'_>, variants: &Variants) -> Result<Scope, Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::new(900_144, "scope"));
    }
    let mut scope = Scope {
        audience: Audience::Graph,
        resource: "https://graph.microsoft.com".to_owned(),
        is_default: false,
        offline: false,
        openid: false,
    };
    let mut named: Option<String> = None;
    for part in text.split_whitespace() {
        match part {
            "openid" | "profile" | "email" => scope.openid = true,
            "offline_access" => scope.offline = true,
            _ => {
                let (audience, resource, permission) = split(part, resources)?;
                if named.as_ref().is_some_and(|other| *other != resource) {
                    return Err(Refusal::new(70_011, text));
                }
                let is_default = permission == ".default";
                let is_known =
                    is_default || permission == "user_impersonation" || audience == Audience::Graph;
                if !is_known {
                    return Err(Refusal::new(650_053, permission));
                }
                let refused = match variants.scope {
                    ScopeForm::Any => false,
                    ScopeForm::UserImpersonation => is_default,
                    ScopeForm::Default => !is_default,
                };
                if refused && audience != Audience::Graph {
                    return Err(Refusal::new(70_011, part));
                }
                scope.audience = audience;
                scope.is_default |= is_default;
                scope.resource.clone_from(&resource);
                named = Some(resource);
            }
        }
    }
    Ok(scope)
}

/// Audience, resource and permission of one scope.
fn split<'a>(
    part: &'a str,
    resources: &Resources<'_>,
) -> Result<(Audience, String, &'a str), Refusal> {
    if GRAPH_SCOPES.contains(&part) {
        return Ok((
            Audience::Graph,
            "https://graph.microsoft.com".to_owned(),
            part,
        ));
    }
    let Some((resource, permission)) = part.rsplit_once('/') else {
        return Err(Refusal::new(70_011, part));
    };
    let resource = resource.trim_end_matches('/');
    let is = |origin: &str| resource.eq_ignore_ascii_case(origin.trim_end_matches('/'));
    let audience = if is(resources.environment) || is(resources.api) || is(DYNAMICS) {
        Audience::Environment
    } else if is(resources.discovery) {
        Audience::Discovery
    } else if is("https://graph.microsoft.com") || is(GRAPH) {
        Audience::Graph
    } else if resource.contains("://") || Uuid::try_parse(resource).is_ok() {
        return Err(Refusal::new(500_011, resource));
    } else {
        return Err(Refusal::new(70_011, part));
    };
    Ok((audience, resource.to_owned(), permission))
}
