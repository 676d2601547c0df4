//! Global Discovery: the environments of a user.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::form_urlencoded;
use uuid::Uuid;

use crate::data::id;
use crate::dataverse;

/// Where the list lies.
pub const PATH: &str = "/api/discovery/v2.0/Instances";

/// Which environments are listed.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Listing {
    pub own: bool,
    /// Others that can be reached by nobody here.
    pub enabled: u64,
    pub disabled: u64,
}

impl Default for Listing {
    fn default() -> Self {
        Self {
            own: true,
            enabled: 1,
            disabled: 1,
        }
    }
}

/// What the own environment is.
pub struct Own<'a> {
    pub seed: u64,
    pub id: Uuid,
    pub environment_id: Uuid,
    pub environment: &'a str,
    pub api: &'a str,
    pub tenant: Uuid,
    pub is_disabled: bool,
    pub is_administrator: bool,
}

/// Answers a call of a user.
pub fn answer(listing: &Listing, own: &Own<'_>, query: &str) -> Response {
    let mut rows = Vec::new();
    if listing.own {
        let mut row = instance(own, 0, "norrvale", "Norrvale Group", own.is_disabled);
        row["Id"] = own.id.to_string().into();
        row["EnvironmentId"] = own.environment_id.to_string().into();
        // With and without a slash at the end, as the service has it.
        row["Url"] = format!("{}/", own.environment).into();
        row["ApiUrl"] = own.api.into();
        rows.push(row);
    }
    for number in 1..=listing.enabled + listing.disabled {
        let name = format!("norrvale-{number}");
        let friendly = format!("Norrvale Sandbox {number}");
        rows.push(instance(
            own,
            number,
            &name,
            &friendly,
            number > listing.enabled,
        ));
    }
    let options: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let select = options.iter().find(|(name, _)| name == "$select");
    let mut context = "https://10.0.1.76:20193/api/discovery/v2.0/$metadata#Instances".to_owned();
    if let Some((_, names)) = select {
        context.push_str(&format!("({names})"));
        let names: Vec<&str> = names.split(',').map(str::trim).collect();
        for row in &mut rows {
            let Some(known) = row.as_object() else {
                continue;
            };
            let mut chosen = Map::new();
            for name in &names {
                let Some(value) = known.get(*name) else {
                    return dataverse::errors::bad_request(&format!(
                        "Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.Instance'."
                    ))
                    .into_response();
                };
                chosen.insert((*name).to_owned(), value.clone());
            }
            *row = Value::Object(chosen);
        }
    }
    if let Some((_, filter)) = options.iter().find(|(name, _)| name == "$filter") {
        // Only what the documentation shows: one comparison of a text.
        let Some((name, value)) = filter.split_once(" eq ") else {
            return StatusCode::BAD_REQUEST.into_response();
        };
        let value = value.trim_matches('\'');
        rows.retain(|row| row[name.trim()].as_str() == Some(value));
    }
    dataverse::Reply::json(&json!({"@odata.context": context, "value": rows})).into_response()
}

fn instance(own: &Own<'_>, number: u64, name: &str, friendly: &str, disabled: bool) -> Value {
    let identity = id(own.seed, 807, number);
    json!({
        "Id": identity,
        "UniqueName": format!("unq{}", &identity.simple().to_string()[..29]),
        "UrlName": name,
        "FriendlyName": friendly,
        "State": u8::from(disabled),
        "Version": "9.2.26034.00180",
        "Url": format!("https://{name}.crm4.dynamics.example/"),
        "ApiUrl": format!("https://{name}.api.crm4.dynamics.example"),
        "LastUpdated": "2026-03-12T14:30:00Z",
        "SchemaType": "Full",
        "OrganizationType": if number == 0 { 0 } else { 5 },
        "StatusMessage": 6,
        "TenantId": own.tenant,
        "Region": "EMEA",
        "EnvironmentId": format!("Default-{}", id(own.seed, 808, number)),
        "IsUserSysAdmin": own.is_administrator,
        "TrialExpirationDate": null,
        "Purpose": null,
        "DatacenterId": id(own.seed, 809, 0),
        "DatacenterName": null,
    })
}
