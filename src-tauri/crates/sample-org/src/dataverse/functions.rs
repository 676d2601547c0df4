//! Functions that are bound to no table.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::errors;
use super::reply::Reply;
use super::{Call, PATH, privileges};
use crate::data::schema::{ORGANIZATION, UNIT};
use crate::state::State;

const VERSION: &str = "9.2.26034.00180";

/// Answers a function call; `None` where the path is none.
pub fn answer(state: &State, call: &Call<'_>) -> Option<Reply> {
    let name = call.path.split(['(', '/', '?']).next().unwrap_or_default();
    let response = |value: Value| {
        let mut reply = json!({"@odata.context":
            call.context(&format!("Microsoft.Dynamics.CRM.{name}Response"))});
        if let (Some(reply), Value::Object(fields)) = (reply.as_object_mut(), value) {
            reply.extend(fields);
        }
        Reply::json(&reply)
    };
    Some(match name {
        "WhoAmI" => response(json!({
            "BusinessUnitId": state.id(UNIT, 0),
            "UserId": call.user,
            "OrganizationId": state.id(ORGANIZATION, 0),
        })),
        "RetrieveCurrentOrganization" => response(organization(state, call)),
        "RetrieveVersion" => response(json!({"Version": VERSION})),
        "RetrieveTotalRecordCount" => match counts(state, call) {
            Ok(counts) => response(counts),
            Err(refusal) => refusal,
        },
        "RetrieveUserPrivileges" => response(json!({"RolePrivileges": privileges::of_user(state)})),
        _ if call
            .path
            .ends_with("/Microsoft.Dynamics.CRM.RetrieveUserPrivileges")
            || call
                .path
                .ends_with("/Microsoft.Dynamics.CRM.RetrieveUserPrivileges()") =>
        {
            Reply::json(&json!({
                "@odata.context": call.context("Microsoft.Dynamics.CRM.RetrieveUserPrivilegesResponse"),
                "RolePrivileges": privileges::of_user(state),
            }))
        }
        _ => return None,
    })
}

fn organization(state: &State, call: &Call<'_>) -> Value {
    json!({
        "Detail": {
            "OrganizationId": state.id(ORGANIZATION, 0),
            "FriendlyName": "Norrvale Group",
            "OrganizationVersion": VERSION,
            "EnvironmentId": format!("Default-{}", call.tenant),
            "DatacenterId": state.id(ORGANIZATION, 2),
            "Geo": "EMEA",
            "TenantId": call.tenant,
            "UrlName": "norrvale",
            "UniqueName": "unq0norrvale",
            "State": "Enabled",
            "Endpoints": {
                "Count": 3,
                "IsReadOnly": false,
                "Keys": ["WebApplication", "OrganizationService", "OrganizationDataService"],
                "Values": [
                    format!("{}/", call.environment),
                    format!("{}/XRMServices/2011/Organization.svc", call.api),
                    format!("{}/XRMServices/2011/OrganizationData.svc", call.api),
                ],
            },
        },
    })
}

/// The value of a parameter, whether it stands in the parentheses or behind an alias.
pub fn argument(call: &Call<'_>, name: &str) -> Option<String> {
    let inside = call.path.split_once('(')?.1;
    let inside = inside.rsplit_once(')').map_or(inside, |(inside, _)| inside);
    let given = inside
        .split_once(&format!("{name}="))
        .map(|(_, rest)| rest.to_owned())?;
    if given.starts_with('@') {
        let alias = given.split([',', ')']).next().unwrap_or_default();
        return call.parameter(alias);
    }
    Some(given)
}

fn counts(state: &State, call: &Call<'_>) -> Result<Value, Reply> {
    let names: Vec<String> = argument(call, "EntityNames")
        .and_then(|text| serde_json::from_str(&text.replace('\'', "\"")).ok())
        .unwrap_or_default();
    let mut values = Vec::new();
    for name in &names {
        let Some(table) = state.table(name) else {
            return Err(errors::error(
                StatusCode::BAD_REQUEST,
                "0x80040203",
                &format!("Entity {name} was not found in the CRM system. Check the entity name."),
            ));
        };
        values.push(if state.variants.data.not_counted {
            0
        } else {
            state.changes[table].live
        });
    }
    Ok(json!({
        "EntityRecordCountCollection":
            {"Count": names.len(), "IsReadOnly": false, "Keys": names, "Values": values},
    }))
}

/// The service document: every set there is.
pub fn sets(state: &State, call: &Call<'_>) -> Reply {
    let sets = state.tables.iter().filter(|table| !table.dropped);
    let list: Vec<Value> = sets
        .map(|table| json!({"name": table.set, "kind": "EntitySet", "url": table.set}))
        .collect();
    Reply::json(&json!({
        "@odata.context": format!("{}{PATH}$metadata", call.origin),
        "value": list,
    }))
}
