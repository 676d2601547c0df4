//! Metadata: tables, columns, choices, relationships, as JSON and as CSDL.

mod attribute;
mod changes;
mod csdl;
mod entity;
mod options;
mod select;

use serde_json::{Value, json};

use self::select::Selection;
use super::reply::Reply;
use super::{Call, errors};
use crate::state::State;

/// Conditions that a filter on `EntityDefinitions` may hold.
const LARGEST_FILTER: usize = 25;

/// Answers a request for metadata; `None` where the path is none.
pub fn answer(state: &State, call: &Call<'_>) -> Option<Reply> {
    let path = call.path.as_str();
    let done = if path == "$metadata" {
        Ok(csdl::document(state))
    } else if let Some(rest) = path.strip_prefix("EntityDefinitions") {
        definitions(state, call, rest)
    } else if let Some(rest) = path.strip_prefix("GlobalOptionSetDefinitions") {
        global_sets(call, rest)
    } else if path.starts_with("RetrieveMetadataChanges") {
        changes::answer(state, call)
    } else {
        return None;
    };
    Some(done.unwrap_or_else(|refusal| refusal))
}

fn definitions(state: &State, call: &Call<'_>, rest: &str) -> Result<Reply, Reply> {
    let selection = Selection::of(call)?;
    let Some((key, rest)) = keyed(rest) else {
        if selection.filter_size() > LARGEST_FILTER {
            return Err(errors::bad_request(&format!(
                "The filter has more than {LARGEST_FILTER} conditions."
            )));
        }
        let mut list = Vec::new();
        for (place, table) in state.tables.iter().enumerate() {
            if !table.dropped {
                list.extend(entity::select(state, place, &selection, call)?);
            }
        }
        return Ok(Reply::json(&json!({
            "@odata.context": call.context(&format!("EntityDefinitions{}", selection.context())),
            "value": list,
        })));
    };
    let table = entity::find(state, key).ok_or_else(|| {
        let name = value_of(key);
        errors::error(
            axum::http::StatusCode::NOT_FOUND,
            "0x80060888",
            &format!("Could not find an entity with name {name} and id 00000000-0000-0000-0000-000000000000."),
        )
    })?;
    if rest.is_empty() {
        let found = entity::select(state, table, &selection, call)?.unwrap_or_default();
        let context = format!("EntityDefinitions{}/$entity", selection.context());
        return Ok(Reply::json(&with_context(&call.context(&context), found)));
    }
    let inside = format!(
        "EntityDefinitions({})",
        key.split_once('=').map_or(key, |(_, name)| name)
    );
    let (part, rest) = rest.split_at(rest.find(['(', '/']).unwrap_or(rest.len()));
    match part {
        "Attributes" => attributes(state, call, table, rest, &selection, &inside),
        "ManyToOneRelationships"
        | "OneToManyRelationships"
        | "ManyToManyRelationships"
        | "Keys" => {
            let list = match part {
                "ManyToOneRelationships" => entity::many_to_one(state, table),
                "OneToManyRelationships" => entity::one_to_many(state, table),
                "Keys" => entity::keys(state, table),
                _ => Vec::new(),
            };
            let list = list
                .into_iter()
                .filter(|found| selection.holds(found))
                .map(|found| selection.project(&found, "RelationshipMetadataBase"))
                .collect::<Result<Vec<_>, _>>()?;
            Ok(Reply::json(&json!({
                "@odata.context": call.context(&format!("{inside}/{part}{}", selection.context())),
                "value": list,
            })))
        }
        _ => match entity::whole(state, table).get(part) {
            Some(value) => Ok(Reply::json(&json!({
                "@odata.context": call.context(&format!("{inside}/{part}")),
                "value": value,
            }))),
            None => Err(errors::unknown_set(state, part)),
        },
    }
}

fn attributes(
    state: &State,
    call: &Call<'_>,
    table: usize,
    rest: &str,
    selection: &Selection,
    inside: &str,
) -> Result<Reply, Reply> {
    let (key, rest) = match keyed(rest) {
        Some((key, rest)) => (Some(key), rest),
        None => (None, rest.trim_start_matches('/')),
    };
    let cast = rest.strip_prefix("Microsoft.Dynamics.CRM.");
    if !rest.is_empty() && cast.is_none() {
        return Err(errors::unknown_set(state, rest));
    }
    if let Some(cast) = cast
        && !attribute::TYPES.contains(&cast)
    {
        return Err(errors::bad_request(&format!(
            "The type 'Microsoft.Dynamics.CRM.{cast}' is not defined in the model."
        )));
    }
    let mut list = Vec::new();
    for found in attribute::all(state, table) {
        let fits = cast.is_none_or(|cast| found.metadata_type == cast);
        let is_meant = key.is_none_or(|key| found.has_key(key));
        if fits && is_meant && selection.holds(&found.whole) {
            list.push(attribute::select(
                call,
                &found,
                selection,
                cast,
                key.is_some(),
            )?);
        }
    }
    let cast = cast
        .map(|cast| format!("/Microsoft.Dynamics.CRM.{cast}"))
        .unwrap_or_default();
    let context = format!("{inside}/Attributes{cast}{}", selection.context());
    if key.is_none() {
        return Ok(Reply::json(&json!({
            "@odata.context": call.context(&context),
            "value": list,
        })));
    }
    match list.into_iter().next() {
        Some(found) => Ok(Reply::json(&with_context(
            &call.context(&format!("{context}/$entity")),
            found,
        ))),
        None => Err(errors::error(
            axum::http::StatusCode::NOT_FOUND,
            "0x80060888",
            &format!(
                "Could not find an attribute with name {} in entity {}.",
                value_of(key.unwrap_or_default()),
                state.tables[table].name
            ),
        )),
    }
}

fn global_sets(call: &Call<'_>, rest: &str) -> Result<Reply, Reply> {
    let selection = Selection::of(call)?;
    let all = options::global_sets();
    if let Some((key, _)) = keyed(rest) {
        let wanted = value_of(key);
        let found = all
            .iter()
            .find(|set| set["Name"] == wanted || set["MetadataId"] == wanted)
            .ok_or_else(|| errors::not_found("OptionSetMetadata", &wanted))?;
        let found = selection.project(found, "OptionSetMetadataBase")?;
        let context = format!("GlobalOptionSetDefinitions{}/$entity", selection.context());
        return Ok(Reply::json(&with_context(&call.context(&context), found)));
    }
    let list = all
        .iter()
        .filter(|set| selection.holds(set))
        .map(|set| selection.project(set, "OptionSetMetadataBase"))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Reply::json(&json!({
        "@odata.context": call.context(&format!("GlobalOptionSetDefinitions{}", selection.context())),
        "value": list,
    })))
}

/// `(LogicalName='account')/Attributes` → `LogicalName='account'` and `Attributes`.
fn keyed(rest: &str) -> Option<(&str, &str)> {
    let (key, rest) = rest.strip_prefix('(')?.split_once(')')?;
    Some((key, rest.trim_start_matches('/')))
}

fn value_of(key: &str) -> String {
    let value = key.split_once('=').map_or(key, |(_, value)| value);
    value.trim().trim_matches('\'').to_owned()
}

fn with_context(context: &str, found: Value) -> Value {
    let mut reply = json!({"@odata.context": context});
    if let (Some(reply), Value::Object(fields)) = (reply.as_object_mut(), found) {
        reply.extend(fields);
    }
    reply
}
