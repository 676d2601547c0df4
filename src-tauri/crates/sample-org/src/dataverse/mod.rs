//! The Web API.

pub mod errors;
mod metadata;
pub mod pages;
mod query;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::data::json::Annotations;
use crate::data::schema::{ORGANIZATION, TABLES, USER, number};
use crate::state::State;

/// Where the Web API lies on its origin.
pub const PATH: &str = "/api/data/v9.2/";
/// Versions that are answered alike.
const PATHS: [&str; 3] = [PATH, "/api/data/v9.1/", "/api/data/v9.0/"];

/// What stands behind the Web API's path; `None` for other paths.
pub fn rest(path: &str) -> Option<&str> {
    PATHS.iter().find_map(|start| path.strip_prefix(start))
}

/// A request, with what every answer needs of it.
pub struct Call<'a> {
    pub method: &'a str,
    /// The path behind [`PATH`], decoded.
    pub path: String,
    pub query: &'a str,
    #[expect(dead_code, reason = "writes read them")]
    pub headers: &'a HeaderMap,
    #[expect(dead_code, reason = "writes read it")]
    pub body: &'a Bytes,
    pub prefer: Option<&'a str>,
    /// The origin that was called.
    pub origin: String,
    /// The environment's two origins.
    pub environment: String,
    pub api: String,
    pub link_origin: Option<String>,
    pub user: Uuid,
    pub tenant: Uuid,
}

impl<'a> Call<'a> {
    /// A query parameter as it was sent.
    pub fn raw_parameter(&self, name: &str) -> Option<&'a str> {
        self.query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            let key = percent_decode_str(key).decode_utf8().ok()?;
            (key == name).then_some(value)
        })
    }

    /// A query parameter, decoded.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let raw = self.raw_parameter(name)?.replace('+', " ");
        Some(percent_decode_str(&raw).decode_utf8_lossy().into_owned())
    }

    fn preferences(&self) -> impl Iterator<Item = &'a str> {
        // Commas inside quotes part annotation names, not preferences: names are found either way.
        self.prefer
            .unwrap_or_default()
            .split([',', ';'])
            .map(str::trim)
    }

    pub fn prefers(&self, name: &str) -> bool {
        self.preferences().any(|preference| preference == name)
    }

    pub fn page_size(&self) -> usize {
        self.preferences()
            .find_map(|preference| preference.strip_prefix("odata.maxpagesize=")?.parse().ok())
            .unwrap_or(5_000)
    }

    /// With a page size, `$top` is ignored.
    pub fn top(&self) -> Option<usize> {
        if self
            .preferences()
            .any(|preference| preference.starts_with("odata.maxpagesize"))
        {
            return None;
        }
        self.parameter("$top")?.parse().ok()
    }

    /// Whether this annotation was asked for.
    pub fn asks_for(&self, name: &str) -> bool {
        let Some((_, wanted)) = self
            .prefer
            .unwrap_or_default()
            .split_once("odata.include-annotations=")
        else {
            return false;
        };
        wanted.starts_with("\"*\"") || wanted.starts_with('*') || wanted.contains(name)
    }

    pub fn annotations(&self) -> Annotations {
        Annotations {
            formatted: self.asks_for("OData.Community.Display.V1.FormattedValue"),
            lookup_table: self.asks_for("Microsoft.Dynamics.CRM.lookuplogicalname"),
            navigation: self.asks_for("Microsoft.Dynamics.CRM.associatednavigationproperty"),
        }
    }
}

/// Answers a call.
pub fn answer(state: &mut State, call: &Call<'_>) -> Response {
    if call.method != "GET" {
        return errors::error(
            StatusCode::METHOD_NOT_ALLOWED,
            "0x80060888",
            "The HTTP verb is not supported here.",
        );
    }
    let path = call.path.as_str();
    if path == "WhoAmI" || path == "WhoAmI()" {
        return json(&json!({
            "@odata.context": format!("{}{PATH}$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse", call.origin),
            "BusinessUnitId": state.id(7, 0),
            "UserId": call.user,
            "OrganizationId": state.id(ORGANIZATION, 0),
        }));
    }
    if path.starts_with("RetrieveCurrentOrganization") {
        return json(&organization(state, call));
    }
    if path.starts_with("RetrieveVersion") {
        return json(&json!({"Version": "9.2.26034.00180"}));
    }
    if path.starts_with("RetrieveTotalRecordCount") {
        return counts(state, call);
    }
    if let Some(rest) = path.strip_prefix("EntityDefinitions") {
        return metadata::answer(state, rest);
    }
    let (set, rest) = path
        .find(['(', '/'])
        .map_or((path, ""), |place| path.split_at(place));
    let found = TABLES.iter().position(|table| table.set == set);
    let Some(table) = found.filter(|table| !state.gone.contains(table)) else {
        return errors::unknown_set(set);
    };
    match rest {
        "" => pages::list(state, call, table),
        "/$count" => pages::count(state, table),
        _ => match rest
            .strip_prefix('(')
            .and_then(|rest| rest.strip_suffix(')'))
        {
            Some(key) => {
                let key = key.split_once('=').map_or(key, |(_, id)| id);
                pages::single(state, call, table, key)
            }
            None => errors::bad_request(&format!("The path '{path}' is not supported.")),
        },
    }
}

fn organization(state: &State, call: &Call<'_>) -> Value {
    json!({
        "@odata.context": format!("{}{PATH}$metadata#Microsoft.Dynamics.CRM.RetrieveCurrentOrganizationResponse", call.origin),
        "Detail": {
            "OrganizationId": state.id(ORGANIZATION, 0),
            "FriendlyName": "Norrvale Group",
            "OrganizationVersion": "9.2.26034.00180",
            "EnvironmentId": state.id(ORGANIZATION, 1),
            "DatacenterId": state.id(ORGANIZATION, 2),
            "Geo": "EMEA",
            "TenantId": call.tenant,
            "UrlName": "norrvale",
            "UniqueName": "unq0norrvale",
            "State": "Enabled",
            "OrganizationType": "Customer",
            "Endpoints": {
                "Count": 3,
                "IsReadOnly": false,
                "Keys": ["WebApplication", "OrganizationService", "OrganizationDataService"],
                "Values": [format!("{}/", call.environment), format!("{}/XRMServices/2011/Organization.svc", call.api),
                    format!("{}/XRMServices/2011/OrganizationData.svc", call.api)],
            },
        },
    })
}

fn counts(state: &State, call: &Call<'_>) -> Response {
    let names: Vec<String> = call
        .parameter("@p1")
        .or_else(|| {
            call.path
                .split_once("EntityNames=")
                .map(|(_, rest)| rest.trim_end_matches(')').to_owned())
        })
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    let mut values = Vec::new();
    for name in &names {
        match number(name) {
            Some(table) => values.push(state.changes[table].live),
            None => {
                return errors::error(
                    StatusCode::BAD_REQUEST,
                    "0x80040203",
                    &format!("Entity with name '{name}' was not found."),
                );
            }
        }
    }
    json(&json!({
        "@odata.context": format!("{}{PATH}$metadata#Microsoft.Dynamics.CRM.RetrieveTotalRecordCountResponse", call.origin),
        "EntityRecordCountCollection": {"Count": names.len(), "IsReadOnly": false, "Keys": names, "Values": values},
    }))
}

/// The user that a token was issued for.
pub fn user(state: &State, index: u64) -> Uuid {
    state.id(USER, index)
}

/// Refuses a call without a good token.
pub fn challenge(text: &str) -> Response {
    let mut response = StatusCode::UNAUTHORIZED.into_response();
    if let Ok(value) = HeaderValue::from_str(text) {
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, value);
    }
    response
}

pub fn json(value: &Value) -> Response {
    raw_json(value.to_string().into())
}

pub fn raw_json(body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    let headers: &mut HeaderMap = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json; odata.metadata=minimal"),
    );
    headers.insert("odata-version", HeaderValue::from_static("4.0"));
    response
}
