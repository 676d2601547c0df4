//! `RetrieveMetadataChanges`: what of the schema changed since a stamp.

use serde_json::{Value, json};

use super::super::functions::argument;
use super::super::reply::Reply;
use super::super::{Call, errors};
use super::{attribute, entity};
use crate::state::State;

pub fn answer(state: &State, call: &Call<'_>) -> Result<Reply, Reply> {
    let stamp = argument(call, "ClientVersionStamp").unwrap_or_default();
    let stamp = stamp.trim_matches('\'');
    let since: u64 = match stamp.split('!').next() {
        None | Some("" | "null") => 0,
        Some(text) => text
            .parse()
            .map_err(|_| errors::bad_request("The client version stamp is malformed."))?,
    };
    if since > 0 && (since < state.web.oldest_stamp || since > state.metadata_version) {
        return Err(errors::expired_version_stamp(state));
    }
    let query: Value = argument(call, "Query")
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    let wanted = names(&query["Criteria"]);
    let mut list = Vec::new();
    for (place, table) in state.tables.iter().enumerate() {
        let changed = state.web.schema_versions.get(&place).copied().unwrap_or(1);
        let is_wanted = wanted.is_empty() || wanted.iter().any(|name| name == table.name);
        if table.dropped || changed <= since || !is_wanted {
            continue;
        }
        let mut whole = entity::whole(state, place);
        whole["HasChanged"] = json!(since > 0);
        whole["Attributes"] = attribute::all(state, place)
            .into_iter()
            .map(|found| found.whole)
            .collect();
        list.push(whole);
    }
    Ok(Reply::json(&json!({
        "@odata.context": call.context("Microsoft.Dynamics.CRM.RetrieveMetadataChangesResponse"),
        "ServerVersionStamp": format!("{}!03/12/2026 14:30:00", state.metadata_version),
        "EntityMetadata": list,
        "DeletedMetadata": null,
    })))
}

/// The logical names that the criteria of a query name.
fn names(criteria: &Value) -> Vec<String> {
    let conditions = criteria["Conditions"].as_array();
    conditions
        .into_iter()
        .flatten()
        .filter(|condition| condition["PropertyName"] == "LogicalName")
        .filter_map(|condition| condition["Value"]["Value"].as_str().map(str::to_owned))
        .collect()
}
