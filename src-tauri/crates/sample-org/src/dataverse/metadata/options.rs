//! Labels, options and option sets.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::data::columns::{GLOBAL_OPTION_SETS, options};
use crate::data::id;
use crate::data::schema::{Choice, Column, Kind, Table};

/// A name as a number, for ids that are the same in every process.
pub fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

pub fn metadata_id(kind: u64, name: &str) -> Uuid {
    id(kind, 700, hash(name) & 0xffff_ffff_ffff)
}

/// A label of the user's language; none where there is no text.
pub fn label(text: &str) -> Value {
    if text.is_empty() {
        return json!({"LocalizedLabels": [], "UserLocalizedLabel": null});
    }
    let label = one(text, 1033);
    json!({"LocalizedLabels": [label], "UserLocalizedLabel": label})
}

/// A label that the user's language does not have.
pub fn foreign_label(text: &str) -> Value {
    json!({"LocalizedLabels": [one(text, 1031)], "UserLocalizedLabel": null})
}

fn one(text: &str, language: u32) -> Value {
    json!({"Label": text, "LanguageCode": language, "IsManaged": true,
        "MetadataId": metadata_id(500 + u64::from(language), text), "HasChanged": null})
}

pub fn managed(value: bool, name: &str) -> Value {
    json!({"Value": value, "CanBeChanged": value, "ManagedPropertyLogicalName": name})
}

fn option(kind: Kind, all: &[Choice], (value, text, state): &Choice) -> Value {
    let mut option = json!({
        "Value": value,
        "Color": null,
        "IsManaged": true,
        "ExternalValue": null,
        "ParentValues": [],
        "Tag": null,
        "IsHidden": false,
        "MetadataId": null,
        "HasChanged": null,
        "Label": label(text),
        "Description": label(""),
    });
    match kind {
        Kind::State => {
            option["@odata.type"] = json!("#Microsoft.Dynamics.CRM.StateOptionMetadata");
            let first = all.iter().find(|(_, _, state)| *state == Some(*value));
            option["DefaultStatus"] = json!(first.map_or(*value + 1, |(status, ..)| *status));
            option["InvariantName"] = json!(text);
        }
        Kind::Status => {
            option["@odata.type"] = json!("#Microsoft.Dynamics.CRM.StatusOptionMetadata");
            option["State"] = json!(state);
            option["TransitionData"] = Value::Null;
        }
        _ => {}
    }
    option
}

/// The option set of a column.
pub fn option_set(table: &Table, column: &Column) -> Value {
    let name = format!("{}_{}", table.name, column.name);
    let statuses = table
        .column("statuscode")
        .map(|column| column.options.as_slice())
        .unwrap_or_default();
    let listed: Vec<Value> = column
        .options
        .iter()
        .map(|choice| option(column.kind, statuses, choice))
        .collect();
    let kind = match column.kind {
        Kind::State => "State",
        Kind::Status => "Status",
        Kind::Boolean => "Boolean",
        _ => "Picklist",
    };
    let mut set = set(&name, &column.label, kind, false);
    match listed.as_slice() {
        [no, yes] if column.kind == Kind::Boolean => {
            set["TrueOption"] = yes.clone();
            set["FalseOption"] = no.clone();
        }
        _ => set["Options"] = json!(listed),
    }
    set
}

fn set(name: &str, text: &str, kind: &str, is_global: bool) -> Value {
    json!({
        "Description": label(text),
        "DisplayName": label(text),
        "IsCustomOptionSet": is_global,
        "IsGlobal": is_global,
        "IsManaged": !is_global,
        "IsCustomizable": managed(true, "iscustomizable"),
        "Name": name,
        "ExternalTypeName": null,
        "OptionSetType": kind,
        "IntroducedVersion": null,
        "ParentOptionSetName": null,
        "MetadataId": metadata_id(800, name),
        "HasChanged": null,
    })
}

/// The global option sets.
pub fn global_sets() -> Vec<Value> {
    GLOBAL_OPTION_SETS
        .iter()
        .map(|(name, text, listed)| {
            let listed = options(listed);
            let mut set = set(name, text, "Picklist", true);
            set["@odata.type"] = json!("#Microsoft.Dynamics.CRM.OptionSetMetadata");
            set["Options"] = listed
                .iter()
                .map(|choice| option(Kind::Picklist, &[], choice))
                .collect();
            set
        })
        .collect()
}
