//! Tables and columns, from `EntityDefinitions`.

use futures::future::try_join_all;
use salesmirror_model::{Choice, ColumnKind, ColumnMetadata, TableMetadata};
use serde::Deserialize;
use serde_json::Value;

use crate::client::Client;
use crate::{Error, Result};

const TABLE_PROPERTIES: &str = "LogicalName,EntitySetName,PrimaryIdAttribute,PrimaryNameAttribute,\
    ChangeTrackingEnabled,DisplayName,DisplayCollectionName,IsCustomEntity,ObjectTypeCode";

/// Casts that give the choices of a kind of column.
const CHOICE_CASTS: [(&str, &str); 5] = [
    ("PicklistAttributeMetadata", "OptionSet,GlobalOptionSet"),
    ("StateAttributeMetadata", "OptionSet"),
    ("StatusAttributeMetadata", "OptionSet"),
    (
        "MultiSelectPicklistAttributeMetadata",
        "OptionSet,GlobalOptionSet",
    ),
    ("BooleanAttributeMetadata", "OptionSet"),
];

/// A table as the list of all tables names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSummary {
    /// Logical name.
    pub logical_name: String,
    /// Entity set name.
    pub entity_set_name: String,
    /// Plural label.
    pub display_name: String,
    /// Column of the primary id.
    pub primary_id: String,
    /// Whether change tracking is switched on.
    pub change_tracking: bool,
    /// Ids of the privileges to read it, in lower case; empty where the service named none.
    pub read_privileges: Vec<String>,
}

/// A relationship that a lookup makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relationship {
    /// Logical name of the lookup.
    pub column: String,
    /// Logical name of the table that it points to.
    pub target: String,
    /// The single-valued navigation property: what a write binds.
    pub property: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ManyToOne {
    referencing_attribute: Option<String>,
    referenced_entity: Option<String>,
    referencing_entity_navigation_property_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entity {
    logical_name: String,
    entity_set_name: Option<String>,
    primary_id_attribute: Option<String>,
    primary_name_attribute: Option<String>,
    #[serde(default)]
    change_tracking_enabled: Option<bool>,
    #[serde(default)]
    display_name: Value,
    #[serde(default)]
    display_collection_name: Value,
    #[serde(default)]
    is_custom_entity: Option<bool>,
    #[serde(default)]
    object_type_code: Option<i64>,
    #[serde(default)]
    privileges: Option<Vec<Privilege>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct Privilege {
    privilege_id: String,
    privilege_type: Value,
}

/// A keyed address answers with one object; documented examples show it in a list of one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Keyed {
    One(Box<Entity>),
    Listed { value: Vec<Entity> },
}

#[derive(Deserialize)]
struct List<T> {
    value: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    logical_name: String,
    #[serde(default)]
    attribute_type: Option<String>,
    #[serde(default)]
    attribute_type_name: Value,
    #[serde(default)]
    attribute_of: Option<String>,
    #[serde(default)]
    is_valid_for_read: Option<bool>,
    #[serde(default, rename = "IsValidODataAttribute")]
    is_valid_odata: Option<bool>,
    #[serde(default)]
    is_custom_attribute: Option<bool>,
    #[serde(default)]
    display_name: Value,
    #[serde(default)]
    date_time_behavior: Value,
    #[serde(default)]
    format: Option<String>,
    #[serde(default)]
    targets: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Options {
    logical_name: String,
    #[serde(default)]
    option_set: Value,
    #[serde(default)]
    global_option_set: Value,
}

impl Client {
    /// A table with its columns and choices.
    ///
    /// # Errors
    /// Whatever the service or the network says; not that one kind of choices cannot be read.
    pub async fn table_metadata(&self, logical_name: &str) -> Result<TableMetadata> {
        let keyed = format!(
            "EntityDefinitions(LogicalName='{}')",
            logical_name.replace('\'', "''")
        );
        let entity = format!("{keyed}?$select={TABLE_PROPERTIES}");
        let attributes = format!("{keyed}/Attributes");
        let choices = CHOICE_CASTS.iter().map(|(cast, expand)| {
            let path = format!(
                "{keyed}/Attributes/Microsoft.Dynamics.CRM.{cast}?$select=LogicalName&$expand={expand}"
            );
            async move {
                match self.get_json::<List<Options>>(&path).await {
                    Ok(list) => Ok(list.value),
                    // Labels are worth having, but not worth a table.
                    Err(error @ Error::Service(_)) if !error.is_transient() => {
                        tracing::warn!(%error, cast, "no choices");
                        Ok(Vec::new())
                    }
                    Err(error) => Err(error),
                }
            }
        });
        let (entity, attributes, choices) = tokio::try_join!(
            self.get_json::<Keyed>(&entity),
            self.get_json::<List<Attribute>>(&attributes),
            try_join_all(choices),
        )?;
        let entity = match entity {
            Keyed::One(entity) => *entity,
            Keyed::Listed { mut value } => value
                .pop()
                .ok_or_else(|| Error::BadReply("a table without a definition".to_owned()))?,
        };
        let choices: Vec<Options> = choices.into_iter().flatten().collect();
        Ok(table(entity, attributes.value, &choices))
    }

    /// The relationships that a table's lookups make.
    ///
    /// # Errors
    /// Whatever the service or the network says.
    pub async fn relationships(&self, logical_name: &str) -> Result<Vec<Relationship>> {
        let name = logical_name.replace('\'', "''");
        let list: List<ManyToOne> = self
            .get_json(&format!(
                "EntityDefinitions(LogicalName='{name}')/ManyToOneRelationships?\
                 $select=ReferencingAttribute,ReferencedEntity,ReferencingEntityNavigationPropertyName"
            ))
            .await?;
        let found = list.value.into_iter().filter_map(|found| {
            Some(Relationship {
                column: found.referencing_attribute?,
                target: found.referenced_entity?,
                property: found.referencing_entity_navigation_property_name?,
            })
        });
        Ok(found.collect())
    }

    /// All tables that have an entity set, without their columns.
    ///
    /// # Errors
    /// Whatever the service or the network says.
    pub async fn tables(&self) -> Result<Vec<TableSummary>> {
        let listed = format!("EntityDefinitions?$select={TABLE_PROPERTIES}");
        let list: List<Entity> = match self.get_json(&format!("{listed},Privileges")).await {
            // Whose privileges are not told, they are found out by reading.
            Err(Error::Service(error)) if error.status == 400 => self.get_json(&listed).await?,
            result => result?,
        };
        Ok(list.value.into_iter().filter_map(summary).collect())
    }

    /// One table, without its columns.
    ///
    /// # Errors
    /// Whatever the service or the network says, as that there is no such table.
    pub async fn table_summary(&self, logical_name: &str) -> Result<TableSummary> {
        let name = logical_name.replace('\'', "''");
        let keyed = format!("EntityDefinitions(LogicalName='{name}')?$select={TABLE_PROPERTIES}");
        let found = match self
            .get_json::<Entity>(&format!("{keyed},Privileges"))
            .await
        {
            Err(Error::Service(error)) if error.status == 400 => self.get_json(&keyed).await?,
            result => result?,
        };
        summary(found).ok_or_else(|| Error::BadReply("a table without an entity set".to_owned()))
    }
}

fn summary(entity: Entity) -> Option<TableSummary> {
    let entity_set_name = entity.entity_set_name.filter(|name| !name.is_empty())?;
    Some(TableSummary {
        display_name: label(&entity.display_collection_name)
            .unwrap_or_else(|| entity.logical_name.clone()),
        primary_id: entity
            .primary_id_attribute
            .unwrap_or_else(|| format!("{}id", entity.logical_name)),
        change_tracking: entity.change_tracking_enabled.unwrap_or(false),
        read_privileges: read_privileges(entity.privileges.unwrap_or_default()),
        logical_name: entity.logical_name,
        entity_set_name,
    })
}

fn read_privileges(privileges: Vec<Privilege>) -> Vec<String> {
    privileges
        .into_iter()
        .filter(|privilege| privilege.privilege_type == "Read")
        .map(|privilege| privilege.privilege_id.to_ascii_lowercase())
        .collect()
}

fn table(entity: Entity, attributes: Vec<Attribute>, choices: &[Options]) -> TableMetadata {
    let name = entity.logical_name;
    let columns = attributes
        .into_iter()
        .filter_map(|found| column(&name, found, choices))
        .collect();
    TableMetadata {
        entity_set_name: entity.entity_set_name.unwrap_or_else(|| format!("{name}s")),
        primary_id: entity
            .primary_id_attribute
            .unwrap_or_else(|| format!("{name}id")),
        primary_name: entity
            .primary_name_attribute
            .filter(|name| !name.is_empty()),
        display_name: label(&entity.display_name).unwrap_or_else(|| name.clone()),
        display_collection_name: label(&entity.display_collection_name)
            .unwrap_or_else(|| name.clone()),
        is_custom: entity.is_custom_entity.unwrap_or(false),
        object_type_code: entity.object_type_code,
        change_tracking: entity.change_tracking_enabled.unwrap_or(false),
        columns,
        logical_name: name,
    }
}

/// The column of an attribute; `None` where it cannot be selected.
fn column(table: &str, attribute: Attribute, choices: &[Options]) -> Option<ColumnMetadata> {
    let readable =
        attribute.is_valid_for_read.unwrap_or(true) && attribute.is_valid_odata.unwrap_or(true);
    if !readable || attribute.attribute_of.is_some() {
        return None;
    }
    let name = attribute.logical_name;
    if !name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        tracing::warn!(
            table,
            column = name,
            "left out: its name cannot stand in a request"
        );
        return None;
    }
    let type_name = attribute
        .attribute_type_name
        .get("Value")
        .and_then(Value::as_str);
    // The format alone says nothing of the time zone, but it is better than nothing.
    let behavior = attribute
        .date_time_behavior
        .get("Value")
        .and_then(Value::as_str)
        .or(attribute.format.as_deref());
    let kind = kind(attribute.attribute_type.as_deref(), type_name, behavior)?;
    let choices = choices
        .iter()
        .find(|options| options.logical_name == name)
        .map(read_choices);
    Some(ColumnMetadata {
        display_name: label(&attribute.display_name).unwrap_or_else(|| name.clone()),
        kind,
        targets: attribute.targets.unwrap_or_default(),
        choices: choices.unwrap_or_default(),
        is_custom: attribute.is_custom_attribute.unwrap_or(false),
        logical_name: name,
    })
}

fn kind(
    attribute: Option<&str>,
    type_name: Option<&str>,
    behavior: Option<&str>,
) -> Option<ColumnKind> {
    // The two name the same kinds, and one of them may be left out.
    let attribute = attribute.or_else(|| type_name?.strip_suffix("Type"));
    Some(
        match (attribute.unwrap_or_default(), type_name.unwrap_or_default()) {
            (_, "MultiSelectPicklistType") => ColumnKind::MultiChoice,
            // Images come by requests of their own, and the others are no columns.
            (_, "ImageType" | "FileType") | ("Virtual" | "CalendarRules" | "PartyList", _) => {
                return None;
            }
            ("String", _) => ColumnKind::Text,
            ("Memo", _) => ColumnKind::Memo,
            ("Integer", _) => ColumnKind::Integer,
            ("BigInt", _) => ColumnKind::BigInteger,
            ("Decimal", _) => ColumnKind::Decimal,
            ("Double", _) => ColumnKind::Double,
            ("Money", _) => ColumnKind::Money,
            ("Boolean", _) => ColumnKind::Boolean,
            ("Picklist", _) => ColumnKind::Choice,
            ("State", _) => ColumnKind::State,
            ("Status", _) => ColumnKind::Status,
            ("DateTime", _) if behavior == Some("DateOnly") => ColumnKind::DateOnly,
            ("DateTime", _) => ColumnKind::DateTime,
            ("Lookup", _) => ColumnKind::Lookup,
            ("Customer", _) => ColumnKind::Customer,
            ("Owner", _) => ColumnKind::Owner,
            ("Uniqueidentifier", _) => ColumnKind::UniqueId,
            _ => ColumnKind::Other,
        },
    )
}

/// A label: the user's language, else any, else none.
fn label(value: &Value) -> Option<String> {
    let text = |label: &Value| {
        label
            .get("Label")
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    value
        .get("UserLocalizedLabel")
        .and_then(text)
        .or_else(|| {
            value
                .get("LocalizedLabels")?
                .as_array()?
                .iter()
                .find_map(text)
        })
        .filter(|label| !label.is_empty())
}

fn read_choices(options: &Options) -> Vec<Choice> {
    let sets = [&options.option_set, &options.global_option_set];
    let set = sets
        .into_iter()
        .find(|set| set.is_object())
        .unwrap_or(&Value::Null);
    let listed = set
        .get("Options")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    // A Boolean has its two options by name.
    let pair = [set.get("FalseOption"), set.get("TrueOption")];
    listed
        .iter()
        .chain(pair.into_iter().flatten())
        .filter_map(|option| {
            let value = option.get("Value")?.as_i64()?;
            Some(Choice {
                value,
                label: option
                    .get("Label")
                    .and_then(label)
                    .unwrap_or_else(|| value.to_string()),
                state: option.get("State").and_then(Value::as_i64),
            })
        })
        .collect()
}
