//! `EntityDefinitions`.

use axum::response::Response;
use serde_json::{Value, json};
use uuid::Uuid;

use super::errors;
use super::json as reply;
use crate::data::id;
use crate::data::schema::{Column, Kind, TABLES, Table};
use crate::state::State;

/// The path behind `EntityDefinitions`, decoded: `(LogicalName='account')/Attributes/…`.
pub fn answer(state: &State, rest: &str) -> Response {
    let rest = rest.trim_start_matches('/');
    if rest.is_empty() {
        return reply(&json!({"@odata.context": "$metadata#EntityDefinitions",
            "value": (0..TABLES.len())
                .filter(|number| !state.gone.contains(number))
                .map(|number| entity(state, number))
                .collect::<Vec<_>>()}));
    }
    let Some((key, path)) = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) else {
        return errors::unknown_set(rest);
    };
    let name = key.trim_start_matches("LogicalName=").trim_matches('\'');
    let found = TABLES.iter().position(|table| table.name == name);
    let Some(number) = found.filter(|number| !state.gone.contains(number)) else {
        return errors::not_found("EntityMetadata", name);
    };
    let table = &TABLES[number];
    let path = path.trim_start_matches('/');
    match path.strip_prefix("Attributes") {
        None if path.is_empty() => reply(&entity(state, number)),
        Some("") => list(
            &state
                .columns(number)
                .map(|column| attribute(table, column))
                .collect::<Vec<_>>(),
        ),
        Some(cast) => {
            let cast = cast.trim_start_matches("/Microsoft.Dynamics.CRM.");
            let fitting = state
                .columns(number)
                .filter(|column| metadata_type(column.kind) == cast);
            list(
                &fitting
                    .map(|column| with_options(table, column))
                    .collect::<Vec<_>>(),
            )
        }
        None => errors::unknown_set(path),
    }
}

fn list(value: &[Value]) -> Response {
    reply(&json!({"@odata.context": "$metadata#Attributes", "value": value}))
}

fn label(text: &str) -> Value {
    let label = json!({"Label": text, "LanguageCode": 1033, "IsManaged": true,
        "MetadataId": id(1, 500, text.len() as u64), "HasChanged": null});
    json!({"LocalizedLabels": [label], "UserLocalizedLabel": label})
}

fn entity(state: &State, number: usize) -> Value {
    let table = &TABLES[number];
    json!({
        "MetadataId": metadata_id(table, 0),
        "LogicalName": table.name,
        "SchemaName": table.name,
        "EntitySetName": table.set,
        "PrimaryIdAttribute": table.primary_id,
        "PrimaryNameAttribute": table.primary_name,
        "ChangeTrackingEnabled": state.is_tracked(number),
        "CanChangeTrackingBeEnabled": {"Value": true, "CanBeChanged": true, "ManagedPropertyLogicalName": "canchangetrackingbeenabled"},
        "DisplayName": label(table.label),
        "DisplayCollectionName": label(table.plural),
        "IsCustomEntity": false,
        "ObjectTypeCode": table.type_code,
        "TableType": "Standard",
    })
}

fn metadata_id(table: &Table, column: u64) -> Uuid {
    id(table.type_code as u64, 700, column)
}

fn names(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Text => ("String", "StringType"),
        Kind::Memo => ("Memo", "MemoType"),
        Kind::Integer => ("Integer", "IntegerType"),
        Kind::BigInt => ("BigInt", "BigIntType"),
        Kind::Decimal => ("Decimal", "DecimalType"),
        Kind::Double => ("Double", "DoubleType"),
        Kind::Money => ("Money", "MoneyType"),
        Kind::Boolean => ("Boolean", "BooleanType"),
        Kind::Picklist => ("Picklist", "PicklistType"),
        Kind::State => ("State", "StateType"),
        Kind::Status => ("Status", "StatusType"),
        Kind::MultiSelect => ("Virtual", "MultiSelectPicklistType"),
        Kind::DateTime | Kind::DateOnly => ("DateTime", "DateTimeType"),
        Kind::Lookup => ("Lookup", "LookupType"),
        Kind::Customer => ("Customer", "CustomerType"),
        Kind::Owner => ("Owner", "OwnerType"),
        Kind::Id => ("Uniqueidentifier", "UniqueidentifierType"),
    }
}

fn metadata_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "StringAttributeMetadata",
        Kind::Memo => "MemoAttributeMetadata",
        Kind::Integer => "IntegerAttributeMetadata",
        Kind::BigInt => "BigIntAttributeMetadata",
        Kind::Decimal => "DecimalAttributeMetadata",
        Kind::Double => "DoubleAttributeMetadata",
        Kind::Money => "MoneyAttributeMetadata",
        Kind::Boolean => "BooleanAttributeMetadata",
        Kind::Picklist => "PicklistAttributeMetadata",
        Kind::State => "StateAttributeMetadata",
        Kind::Status => "StatusAttributeMetadata",
        Kind::MultiSelect => "MultiSelectPicklistAttributeMetadata",
        Kind::DateTime | Kind::DateOnly => "DateTimeAttributeMetadata",
        Kind::Lookup | Kind::Customer | Kind::Owner => "LookupAttributeMetadata",
        Kind::Id => "UniqueIdentifierAttributeMetadata",
    }
}

fn attribute(table: &Table, column: &Column) -> Value {
    let (attribute_type, type_name) = names(column.kind);
    let place = table
        .columns
        .iter()
        .position(|other| other.name == column.name);
    let mut value = json!({
        "@odata.type": format!("#Microsoft.Dynamics.CRM.{}", metadata_type(column.kind)),
        "MetadataId": metadata_id(table, place.unwrap_or_default() as u64 + 1),
        "LogicalName": column.name,
        "SchemaName": column.name,
        "AttributeType": attribute_type,
        "AttributeTypeName": {"Value": type_name},
        "AttributeOf": null,
        "IsValidForRead": true,
        "IsValidODataAttribute": true,
        "IsCustomAttribute": column.name.starts_with("nrv_"),
        "DisplayName": label(&column.label),
    });
    if column.is_lookup() {
        value["Targets"] = json!(column.targets);
    }
    if let Kind::DateTime | Kind::DateOnly = column.kind {
        let behavior = if column.kind == Kind::DateOnly {
            "DateOnly"
        } else {
            "UserLocal"
        };
        value["DateTimeBehavior"] = json!({"Value": behavior});
        value["Format"] = json!(if column.kind == Kind::DateOnly {
            "DateOnly"
        } else {
            "DateAndTime"
        });
    }
    value
}

fn with_options(table: &Table, column: &Column) -> Value {
    let mut value = attribute(table, column);
    let option = |(number, text, state): &(i64, &'static str, Option<i64>)| {
        let mut option = json!({"Value": number, "Label": label(text), "Color": null});
        if let Some(state) = state {
            option["State"] = json!(state);
        }
        option
    };
    let options: Vec<Value> = column.options.iter().map(option).collect();
    value["OptionSet"] = match options.as_slice() {
        [no, yes] if column.kind == Kind::Boolean => {
            json!({"OptionSetType": "Boolean", "TrueOption": yes, "FalseOption": no})
        }
        _ => json!({"OptionSetType": "Picklist", "IsGlobal": false, "Options": options}),
    };
    value["GlobalOptionSet"] = Value::Null;
    value
}
