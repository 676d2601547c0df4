//! `Attributes`: every column, and what hangs on it.

use serde_json::{Map, Value, json};

use super::super::payload::max_length;
use super::super::reply::Reply;
use super::super::{Call, errors};
use super::options::{self, foreign_label, label, managed, metadata_id};
use super::select::Selection;
use crate::data::schema::{Column, Kind, Table};
use crate::state::State;

/// Types that `Attributes` can be cast to.
pub const TYPES: [&str; 21] = [
    "AttributeMetadata",
    "StringAttributeMetadata",
    "MemoAttributeMetadata",
    "IntegerAttributeMetadata",
    "BigIntAttributeMetadata",
    "DecimalAttributeMetadata",
    "DoubleAttributeMetadata",
    "MoneyAttributeMetadata",
    "BooleanAttributeMetadata",
    "EnumAttributeMetadata",
    "PicklistAttributeMetadata",
    "StateAttributeMetadata",
    "StatusAttributeMetadata",
    "MultiSelectPicklistAttributeMetadata",
    "DateTimeAttributeMetadata",
    "LookupAttributeMetadata",
    "UniqueIdentifierAttributeMetadata",
    "ImageAttributeMetadata",
    "FileAttributeMetadata",
    "EntityNameAttributeMetadata",
    "ManagedPropertyAttributeMetadata",
];

/// An attribute: all its properties, and its option sets apart.
pub struct Attribute {
    pub metadata_type: &'static str,
    pub whole: Value,
    /// Properties that only the attribute's own type has.
    own: Map<String, Value>,
    option_set: Value,
    global_set: Value,
}

impl Attribute {
    /// Whether `LogicalName='name'` or a metadata id means this one.
    pub fn has_key(&self, key: &str) -> bool {
        let wanted = super::value_of(key);
        self.whole["LogicalName"] == wanted || self.whole["MetadataId"] == wanted
    }
}

/// All attributes of a table.
pub fn all(state: &State, table: usize) -> Vec<Attribute> {
    let here = &state.tables[table];
    let mut list = Vec::new();
    for column in &here.columns {
        list.push(attribute(state, table, column));
        let hangs = |suffix: &str, kind: Kind| hanging(here, column, suffix, kind);
        match column.kind {
            Kind::Picklist | Kind::State | Kind::Status | Kind::Boolean | Kind::MultiSelect => {
                list.push(hangs("name", Kind::ManagedProperty));
            }
            Kind::Lookup => {
                list.push(hangs("name", Kind::Text));
                list.push(hangs("yominame", Kind::Text));
            }
            Kind::Customer | Kind::Owner => {
                list.push(hangs("name", Kind::Text));
                list.push(hangs("yominame", Kind::Text));
                list.push(hangs("idtype", Kind::EntityName));
            }
            Kind::Image => {
                list.push(hangs("_timestamp", Kind::BigInt));
                list.push(hangs("_url", Kind::Text));
                list.push(hangs("id", Kind::Id));
            }
            Kind::File => list.push(hangs("_name", Kind::Text)),
            _ => {}
        }
    }
    list
}

/// What is asked for of an attribute.
///
/// # Errors
/// The refusal of a property that its type, as it was asked for, does not have.
pub fn select(
    call: &Call<'_>,
    attribute: &Attribute,
    selection: &Selection,
    cast: Option<&str>,
    is_single: bool,
) -> Result<Value, Reply> {
    let mut value = attribute.whole.clone();
    let of = cast.unwrap_or("AttributeMetadata");
    if let Some(fields) = value.as_object_mut() {
        if cast.is_some() {
            fields.remove("@odata.type");
        }
        if cast.is_none() && selection.select.is_some() {
            for name in attribute.own.keys() {
                fields.remove(name);
            }
        }
    }
    if let Some(names) = &selection.select {
        // Navigation properties may be named in a selection; they come by `$expand` alone.
        let is_set =
            |name: &String| cast.is_some() && (name == "OptionSet" || name == "GlobalOptionSet");
        let named = names.iter().filter(|name| !is_set(name)).cloned();
        value = Selection::columns(named.collect()).project(&value, of)?;
    }
    for (name, nested) in &selection.expand {
        let set = match (name.as_str(), cast) {
            ("OptionSet", Some(_))
                if !attribute.option_set.is_null() || !attribute.global_set.is_null() =>
            {
                &attribute.option_set
            }
            ("GlobalOptionSet", Some(_))
                if !attribute.option_set.is_null() || !attribute.global_set.is_null() =>
            {
                &attribute.global_set
            }
            _ => return Err(errors::unknown_column(name, of)),
        };
        if is_single {
            let context = format!(
                "EntityDefinitions({})/Attributes({})/Microsoft.Dynamics.CRM.{of}/{name}/$entity",
                attribute.whole["EntityMetadataId"]
                    .as_str()
                    .unwrap_or_default(),
                attribute.whole["MetadataId"].as_str().unwrap_or_default()
            );
            value[format!("{name}@odata.context")] = json!(call.context(&context));
        }
        value[name] = if set.is_null() {
            Value::Null
        } else {
            nested.project(set, "OptionSetMetadata")?
        };
    }
    if let Some(fields) = value.as_object_mut() {
        fields.remove("EntityMetadataId");
    }
    Ok(value)
}

/// The properties that every attribute has: what `$expand=Attributes` gives.
pub fn common(attribute: &Attribute, selection: &Selection) -> Result<Value, Reply> {
    let mut value = attribute.whole.clone();
    if let Some(fields) = value.as_object_mut() {
        for name in attribute.own.keys() {
            fields.remove(name);
        }
        fields.remove("EntityMetadataId");
    }
    selection.project(&value, "AttributeMetadata")
}

fn names(kind: Kind) -> (&'static str, &'static str, &'static str) {
    match kind {
        Kind::Text => ("String", "StringType", "StringAttributeMetadata"),
        Kind::Memo => ("Memo", "MemoType", "MemoAttributeMetadata"),
        Kind::Integer => ("Integer", "IntegerType", "IntegerAttributeMetadata"),
        Kind::BigInt => ("BigInt", "BigIntType", "BigIntAttributeMetadata"),
        Kind::Decimal => ("Decimal", "DecimalType", "DecimalAttributeMetadata"),
        Kind::Double => ("Double", "DoubleType", "DoubleAttributeMetadata"),
        Kind::Money => ("Money", "MoneyType", "MoneyAttributeMetadata"),
        Kind::Boolean => ("Boolean", "BooleanType", "BooleanAttributeMetadata"),
        Kind::Picklist => ("Picklist", "PicklistType", "PicklistAttributeMetadata"),
        Kind::State => ("State", "StateType", "StateAttributeMetadata"),
        Kind::Status => ("Status", "StatusType", "StatusAttributeMetadata"),
        Kind::MultiSelect => (
            "Virtual",
            "MultiSelectPicklistType",
            "MultiSelectPicklistAttributeMetadata",
        ),
        Kind::DateTime | Kind::FixedDateTime | Kind::DateOnly => {
            ("DateTime", "DateTimeType", "DateTimeAttributeMetadata")
        }
        Kind::Lookup => ("Lookup", "LookupType", "LookupAttributeMetadata"),
        Kind::Customer => ("Customer", "CustomerType", "LookupAttributeMetadata"),
        Kind::Owner => ("Owner", "OwnerType", "LookupAttributeMetadata"),
        Kind::Id => (
            "Uniqueidentifier",
            "UniqueidentifierType",
            "UniqueIdentifierAttributeMetadata",
        ),
        Kind::Image => ("Virtual", "ImageType", "ImageAttributeMetadata"),
        Kind::File => ("Virtual", "FileType", "FileAttributeMetadata"),
        Kind::EntityName => (
            "EntityName",
            "EntityNameType",
            "EntityNameAttributeMetadata",
        ),
        Kind::ManagedProperty => (
            "ManagedProperty",
            "ManagedPropertyType",
            "ManagedPropertyAttributeMetadata",
        ),
    }
}

fn attribute(state: &State, table: usize, column: &Column) -> Attribute {
    let here = &state.tables[table];
    let (type_name, type_value, metadata_type) = names(column.kind);
    let shown = match column.name.as_str() {
        "nrv_accountfield2" => foreign_label("Norrvale-Feld 2"),
        _ => label(&column.label),
    };
    let is_readable = column.kind != Kind::ManagedProperty;
    let mut whole = base(
        here,
        &column.name,
        &column.schema,
        type_name,
        type_value,
        metadata_type,
    );
    whole["DisplayName"] = shown;
    whole["IsCustomAttribute"] = json!(column.is_custom());
    whole["IsPrimaryId"] = json!(column.name == here.primary_id);
    whole["IsPrimaryName"] = json!(column.name == here.primary_name);
    whole["IsValidForCreate"] = json!(column.is_writable());
    whole["IsValidForUpdate"] = json!(column.is_writable() && column.name != here.primary_id);
    whole["IsValidForRead"] = json!(is_readable);
    whole["IsValidODataAttribute"] = json!(is_readable);
    whole["IsSecured"] = json!(state.is_secured(table, &column.name));
    let own = own(column);
    if let (Some(fields), own) = (whole.as_object_mut(), own.clone()) {
        fields.extend(own);
    }
    let (option_set, global_set) = match column.global {
        _ if !column.is_choice() => (Value::Null, Value::Null),
        None => (options::option_set(here, column), Value::Null),
        Some(name) => {
            let sets = options::global_sets();
            let found = sets.into_iter().find(|set| set["Name"] == name);
            (Value::Null, found.unwrap_or_default())
        }
    };
    Attribute {
        metadata_type,
        whole,
        own,
        option_set,
        global_set,
    }
}

/// What the column's own type says beside what all say.
fn own(column: &Column) -> Map<String, Value> {
    let value = match column.kind {
        Kind::Text | Kind::Memo => json!({
            "Format": if column.kind == Kind::Memo { "TextArea" } else { "Text" },
            "MaxLength": max_length(column),
            "DatabaseLength": max_length(column) * 2,
            "IsLocalizable": false,
            "FormatName": {"Value": if column.kind == Kind::Memo { "TextArea" } else { "Text" }},
            "ImeMode": "Auto",
        }),
        Kind::Integer => json!({"Format": "None", "MinValue": i32::MIN, "MaxValue": i32::MAX,
            "FormulaDefinition": null, "SourceTypeMask": 0}),
        Kind::BigInt => json!({"MinValue": i64::MIN, "MaxValue": i64::MAX}),
        Kind::Decimal | Kind::Double => {
            json!({"MinValue": -100_000_000_000_i64, "MaxValue": 100_000_000_000_i64,
            "Precision": 10, "ImeMode": "Disabled"})
        }
        Kind::Money => {
            json!({"MinValue": -922_337_203_685_477_i64, "MaxValue": 922_337_203_685_477_i64,
            "Precision": 4, "PrecisionSource": 2, "IsBaseCurrency": column.name.ends_with("_base"),
            "CalculationOf": column.name.strip_suffix("_base"), "ImeMode": "Disabled"})
        }
        Kind::Boolean => json!({"DefaultValue": false}),
        Kind::Picklist | Kind::State | Kind::Status | Kind::MultiSelect => {
            json!({"DefaultFormValue": -1})
        }
        Kind::DateTime | Kind::FixedDateTime | Kind::DateOnly => {
            let behavior = match column.kind {
                Kind::DateOnly => "DateOnly",
                Kind::FixedDateTime => "TimeZoneIndependent",
                _ => "UserLocal",
            };
            let format = if column.kind == Kind::DateOnly {
                "DateOnly"
            } else {
                "DateAndTime"
            };
            json!({"DateTimeBehavior": {"Value": behavior}, "Format": format, "ImeMode": "Inactive",
                "CanChangeDateTimeBehavior": managed(true, "canchangedatetimebehavior")})
        }
        Kind::Lookup | Kind::Customer | Kind::Owner => {
            json!({"Targets": column.targets, "Format": "None"})
        }
        Kind::Image => json!({"IsPrimaryImage": true, "MaxHeight": 144, "MaxWidth": 144,
            "MaxSizeInKB": 10_240, "CanStoreFullImage": false}),
        Kind::File => json!({"MaxSizeInKB": 32_768}),
        Kind::Id | Kind::EntityName | Kind::ManagedProperty => json!({}),
    };
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// An attribute that belongs to another: its name or its type. It cannot be selected.
fn hanging(table: &Table, column: &Column, suffix: &str, kind: Kind) -> Attribute {
    let stem = match suffix {
        "idtype" => column.name.trim_end_matches("id"),
        _ => &column.name,
    };
    let name = format!("{stem}{suffix}");
    let schema = format!("{}{suffix}", column.schema);
    // The name of a choice is `Virtual`, and of no type of its own.
    let (type_name, type_value, metadata_type) = match kind {
        Kind::ManagedProperty => ("Virtual", "VirtualType", "AttributeMetadata"),
        _ => names(kind),
    };
    let mut whole = base(table, &name, &schema, type_name, type_value, metadata_type);
    whole["AttributeOf"] = json!(column.name);
    whole["DisplayName"] = label("");
    whole["IsCustomAttribute"] = json!(column.is_custom());
    whole["IsValidODataAttribute"] = json!(false);
    Attribute {
        metadata_type,
        whole,
        own: Map::new(),
        option_set: Value::Null,
        global_set: Value::Null,
    }
}

fn base(
    table: &Table,
    name: &str,
    schema: &str,
    type_name: &str,
    type_value: &str,
    metadata_type: &str,
) -> Value {
    json!({
        "@odata.type": format!("#Microsoft.Dynamics.CRM.{metadata_type}"),
        "MetadataId": metadata_id(table.type_code.cast_unsigned(), name),
        "EntityMetadataId": metadata_id(1, table.name),
        "HasChanged": null,
        "AttributeOf": null,
        "AttributeType": type_name,
        "AttributeTypeName": {"Value": type_value},
        "ColumnNumber": options::hash(name) % 1_000,
        "Description": label(""),
        "DisplayName": null,
        "DeprecatedVersion": null,
        "IntroducedVersion": "5.0.0.0",
        "EntityLogicalName": table.name,
        "LogicalName": name,
        "SchemaName": schema,
        "ExternalName": null,
        "InheritsFrom": null,
        "IsLogical": false,
        "IsManaged": true,
        "IsCustomAttribute": false,
        "IsPrimaryId": false,
        "IsPrimaryName": false,
        "IsSecured": false,
        "IsFilterable": false,
        "IsSearchable": false,
        "IsRetrievable": false,
        "IsRequiredForForm": false,
        "IsValidForForm": false,
        "IsValidForGrid": false,
        "IsValidForCreate": false,
        "IsValidForUpdate": false,
        "IsValidForRead": true,
        "IsValidODataAttribute": true,
        "IsDataSourceSecret": false,
        "CanBeSecuredForRead": false,
        "CanBeSecuredForCreate": false,
        "CanBeSecuredForUpdate": false,
        "LinkedAttributeId": null,
        "SourceType": null,
        "AutoNumberFormat": null,
        "IsCustomizable": managed(true, "iscustomizable"),
        "IsRenameable": managed(true, "isrenameable"),
        "IsValidForAdvancedFind": managed(true, "canmodifysearchsettings"),
        "IsAuditEnabled": managed(true, "canmodifyauditsettings"),
        "IsGlobalFilterEnabled": managed(false, "canmodifyglobalfiltersettings"),
        "IsSortableEnabled": managed(false, "canmodifyissortablesettings"),
        "CanModifyAdditionalSettings": managed(true, "canmodifyadditionalsettings"),
        "RequiredLevel": {"Value": "None", "CanBeChanged": true,
            "ManagedPropertyLogicalName": "canmodifyrequirementlevelsettings"},
    })
}
