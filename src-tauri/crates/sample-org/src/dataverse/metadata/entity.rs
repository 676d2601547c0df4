//! `EntityDefinitions`: tables, their keys and their relationships.

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::reply::Reply;
use super::super::{Call, errors, privileges};
use super::attribute;
use super::options::{label, managed, metadata_id};
use super::select::Selection;
use crate::data::schema::TEAM;
use crate::state::State;

/// The table that `LogicalName='account'`, a bare name or a metadata id means.
pub fn find(state: &State, key: &str) -> Option<usize> {
    let wanted = super::value_of(key);
    let by_id = Uuid::try_parse(&wanted).ok();
    state.tables.iter().position(|table| {
        !table.dropped && (table.name == wanted || by_id == Some(metadata_id(1, table.name)))
    })
}

/// What is asked for of a table; `None` where the filter leaves it out.
pub fn select(
    state: &State,
    table: usize,
    selection: &Selection,
    _call: &Call<'_>,
) -> Result<Option<Value>, Reply> {
    let whole = whole(state, table);
    if !selection.holds(&whole) {
        return Ok(None);
    }
    let mut value = selection.project(&whole, "EntityMetadata")?;
    for (name, nested) in &selection.expand {
        let list = match name.as_str() {
            "Attributes" => {
                let mut list = Vec::new();
                for found in attribute::all(state, table) {
                    if nested.holds(&found.whole) {
                        list.push(attribute::common(&found, nested)?);
                    }
                }
                value[name] = json!(list);
                continue;
            }
            "ManyToOneRelationships" => many_to_one(state, table),
            "OneToManyRelationships" => one_to_many(state, table),
            "ManyToManyRelationships" => Vec::new(),
            "Keys" => keys(state, table),
            _ => return Err(errors::unknown_column(name, "EntityMetadata")),
        };
        let list = list
            .iter()
            .filter(|found| nested.holds(found))
            .map(|found| nested.project(found, "RelationshipMetadataBase"))
            .collect::<Result<Vec<_>, _>>()?;
        value[name] = json!(list);
    }
    Ok(Some(value))
}

/// All properties of a table.
pub fn whole(state: &State, table: usize) -> Value {
    let here = &state.tables[table];
    let is_owned = here.column("ownerid").is_some();
    let mut whole = json!({
        "MetadataId": metadata_id(1, here.name),
        "HasChanged": null,
        "ActivityTypeMask": i32::from(here.is_activity()),
        "AutoRouteToOwnerQueue": false,
        "CanTriggerWorkflow": true,
        "Description": label(here.label),
        "DisplayCollectionName": label(here.plural),
        "DisplayName": label(here.label),
        "EntityHelpUrlEnabled": false,
        "EntityHelpUrl": null,
        "IsDocumentManagementEnabled": false,
        "IsOneNoteIntegrationEnabled": false,
        "IsInteractionCentricEnabled": true,
        "IsKnowledgeManagementEnabled": false,
        "IsSLAEnabled": false,
        "IsBPFEntity": here.name == "opportunitysalesprocess",
        "AutoCreateAccessTeams": false,
        "IsActivity": here.is_activity(),
        "IsActivityParty": table <= TEAM,
        "IsRetrieveAuditEnabled": false,
        "IsRetrieveMultipleAuditEnabled": false,
        "IsArchivalEnabled": false,
        "IsAvailableOffline": true,
        "IsChildEntity": false,
        "IsAIRUpdated": true,
        "IconLargeName": null,
        "IsCustomEntity": here.is_custom(),
        "IsBusinessProcessEnabled": false,
        "SyncToExternalSearchIndex": false,
        "IsOptimisticConcurrencyEnabled": true,
        "ChangeTrackingEnabled": here.tracked,
        "IsImportable": true,
        "IsIntersect": false,
        "IsManaged": !here.is_custom(),
        "IsEnabledForCharts": true,
        "IsEnabledForTrace": false,
        "IsValidForAdvancedFind": true,
        "DaysSinceRecordLastModified": 0,
        "MobileOfflineFilters": "",
        "IsReadingPaneEnabled": true,
        "IsQuickCreateEnabled": true,
        "LogicalName": here.name,
        "ObjectTypeCode": here.type_code,
        "OwnershipType": if is_owned { "UserOwned" } else { "OrganizationOwned" },
        "PrimaryNameAttribute": here.primary_name,
        "PrimaryImageAttribute": here.column("entityimage").map(|column| column.name.clone()),
        "PrimaryIdAttribute": here.primary_id,
        "RecurrenceBaseEntityLogicalName": null,
        "ReportViewName": format!("Filtered{}", here.schema),
        "SchemaName": here.schema,
        "IntroducedVersion": "5.0.0.0",
        "IsStateModelAware": here.column("statecode").is_some(),
        "EnforceStateTransitions": false,
        "ExternalName": null,
        "EntityColor": "#794300",
        "LogicalCollectionName": here.set,
        "ExternalCollectionName": null,
        "CollectionSchemaName": format!("{}s", here.schema),
        "EntitySetName": here.set,
        "IsEnabledForExternalChannels": true,
        "IsPrivate": false,
        "UsesBusinessDataLabelTable": false,
        "IsLogicalEntity": false,
        "HasNotes": true,
        "HasActivities": true,
        "HasFeedback": false,
        "IsSolutionAware": false,
        "CreatedOn": "1900-01-01T00:00:00Z",
        "ModifiedOn": "2026-03-12T14:30:00Z",
        "SettingOf": null,
        "DataProviderId": null,
        "DataSourceId": null,
        "TableType": if here.is_elastic() { "Elastic" } else { "Standard" },
        "OwnerId": null,
        "OwningBusinessUnit": null,
        "OwnerIdType": null,
        "Privileges": privileges::of_table(state, table),
        "Settings": [],
    });
    for (name, property, value) in [
        ("IsAuditEnabled", "canmodifyauditsettings", false),
        ("IsValidForQueue", "canmodifyqueuesettings", false),
        ("IsConnectionsEnabled", "canmodifyconnectionsettings", true),
        ("IsCustomizable", "iscustomizable", true),
        ("IsRenameable", "isrenameable", true),
        ("IsMappable", "ismappable", true),
        (
            "IsDuplicateDetectionEnabled",
            "canmodifyduplicatedetectionsettings",
            true,
        ),
        ("CanCreateAttributes", "cancreateattributes", true),
        ("CanCreateForms", "cancreateforms", true),
        ("CanCreateViews", "cancreateviews", true),
        ("CanCreateCharts", "cancreatecharts", true),
        (
            "CanBeRelatedEntityInRelationship",
            "canberelatedentityinrelationship",
            true,
        ),
        (
            "CanBePrimaryEntityInRelationship",
            "canbeprimaryentityinrelationship",
            true,
        ),
        ("CanBeInManyToMany", "canbeinmanytomany", true),
        (
            "CanBeInCustomEntityAssociation",
            "canbeincustomentityassociation",
            true,
        ),
        (
            "CanEnableSyncToExternalSearchIndex",
            "canenablesynctoexternalsearchindex",
            true,
        ),
        (
            "CanModifyAdditionalSettings",
            "canmodifyadditionalsettings",
            true,
        ),
        (
            "CanChangeHierarchicalRelationship",
            "canchangehierarchicalrelationship",
            true,
        ),
        (
            "CanChangeTrackingBeEnabled",
            "canchangetrackingbeenabled",
            true,
        ),
        ("IsMailMergeEnabled", "canmodifymailmergesettings", true),
        ("IsVisibleInMobile", "canmodifymobilevisibility", false),
        (
            "IsVisibleInMobileClient",
            "canmodifymobileclientvisibility",
            true,
        ),
        (
            "IsReadOnlyInMobileClient",
            "canmodifymobileclientreadonly",
            false,
        ),
        (
            "IsOfflineInMobileClient",
            "canmodifymobileclientoffline",
            true,
        ),
    ] {
        whole[name] = managed(value, property);
    }
    whole
}

/// Alternate keys.
pub fn keys(state: &State, table: usize) -> Vec<Value> {
    let here = &state.tables[table];
    here.keys
        .iter()
        .map(|key| {
            json!({
                "MetadataId": metadata_id(3, &format!("{}.{}", here.name, key.name)),
                "HasChanged": null,
                "LogicalName": key.name,
                "SchemaName": key.name,
                "EntityLogicalName": here.name,
                "KeyAttributes": key.columns,
                "EntityKeyIndexStatus": "Active",
                "IsSynchronous": false,
                "IsSecondaryKey": false,
                "IsManaged": false,
                "IntroducedVersion": "1.0",
                "DisplayName": label(key.label),
                "IsCustomizable": managed(true, "iscustomizable"),
            })
        })
        .collect()
}

/// Relationships in which this table has the lookup.
pub fn many_to_one(state: &State, table: usize) -> Vec<Value> {
    relationships(state)
        .into_iter()
        .filter(|found| found["ReferencingEntity"] == state.tables[table].name)
        .collect()
}

/// Relationships in which other tables point here.
pub fn one_to_many(state: &State, table: usize) -> Vec<Value> {
    relationships(state)
        .into_iter()
        .filter(|found| found["ReferencedEntity"] == state.tables[table].name)
        .collect()
}

fn relationships(state: &State) -> Vec<Value> {
    let mut list = Vec::new();
    for table in state.tables.iter().filter(|table| !table.dropped) {
        for column in table.columns.iter().filter(|column| column.is_lookup()) {
            for target in &column.targets {
                let Some(there) = state.table(target) else {
                    continue;
                };
                let name = column.relationship(table.name, target);
                list.push(json!({
                    "MetadataId": metadata_id(2, &name),
                    "HasChanged": null,
                    "SchemaName": name,
                    "RelationshipType": "OneToManyRelationship",
                    "IsCustomRelationship": column.is_custom(),
                    "IsManaged": !column.is_custom(),
                    "IsValidForAdvancedFind": true,
                    "IntroducedVersion": "5.0.0.0",
                    "SecurityTypes": "Append",
                    "ReferencedEntity": target,
                    "ReferencedAttribute": state.tables[there].primary_id,
                    "ReferencedEntityNavigationPropertyName": name,
                    "ReferencingEntity": table.name,
                    "ReferencingAttribute": column.name,
                    "ReferencingEntityNavigationPropertyName": column.navigation(table.name, target),
                    "IsHierarchical": false,
                    "EntityKey": null,
                    "RelationshipBehavior": 1,
                    "IsRelationshipAttributeDenormalized": false,
                    "IsCustomizable": managed(true, "iscustomizable"),
                }));
            }
        }
    }
    list
}
