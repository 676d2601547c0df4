//! Metadata: every kind of column, choices, relationships, changes of the schema.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Bench;
use super::desk::Desk;

fn named<'v>(list: &'v Value, name: &str) -> &'v Value {
    list["value"]
        .as_array()
        .and_then(|list| list.iter().find(|found| found["LogicalName"] == name))
        .unwrap_or_else(|| panic!("no {name}"))
}

#[tokio::test]
async fn every_kind_of_column_is_described() {
    let bench = Bench::new().await;
    let desk = Desk::new(&bench).await;
    let (_, list) = desk
        .fetch("EntityDefinitions(LogicalName='nrv_serviceline')/Attributes")
        .await;
    for (name, kind, type_name, metadata) in [
        (
            "nrv_title",
            "String",
            "StringType",
            "StringAttributeMetadata",
        ),
        ("nrv_notes", "Memo", "MemoType", "MemoAttributeMetadata"),
        (
            "nrv_units",
            "Integer",
            "IntegerType",
            "IntegerAttributeMetadata",
        ),
        (
            "nrv_serial",
            "BigInt",
            "BigIntType",
            "BigIntAttributeMetadata",
        ),
        (
            "nrv_share",
            "Decimal",
            "DecimalType",
            "DecimalAttributeMetadata",
        ),
        (
            "nrv_ratio",
            "Double",
            "DoubleType",
            "DoubleAttributeMetadata",
        ),
        ("nrv_fee", "Money", "MoneyType", "MoneyAttributeMetadata"),
        (
            "nrv_fee_base",
            "Money",
            "MoneyType",
            "MoneyAttributeMetadata",
        ),
        (
            "nrv_isactive",
            "Boolean",
            "BooleanType",
            "BooleanAttributeMetadata",
        ),
        (
            "nrv_grade",
            "Picklist",
            "PicklistType",
            "PicklistAttributeMetadata",
        ),
        ("statecode", "State", "StateType", "StateAttributeMetadata"),
        (
            "statuscode",
            "Status",
            "StatusType",
            "StatusAttributeMetadata",
        ),
        (
            "nrv_channels",
            "Virtual",
            "MultiSelectPicklistType",
            "MultiSelectPicklistAttributeMetadata",
        ),
        (
            "nrv_visitedon",
            "DateTime",
            "DateTimeType",
            "DateTimeAttributeMetadata",
        ),
        (
            "nrv_accountid",
            "Lookup",
            "LookupType",
            "LookupAttributeMetadata",
        ),
        (
            "nrv_customer",
            "Customer",
            "CustomerType",
            "LookupAttributeMetadata",
        ),
        ("ownerid", "Owner", "OwnerType", "LookupAttributeMetadata"),
        (
            "nrv_processid",
            "Uniqueidentifier",
            "UniqueidentifierType",
            "UniqueIdentifierAttributeMetadata",
        ),
        (
            "entityimage",
            "Virtual",
            "ImageType",
            "ImageAttributeMetadata",
        ),
        (
            "nrv_contract",
            "Virtual",
            "FileType",
            "FileAttributeMetadata",
        ),
        (
            "nrv_objecttype",
            "EntityName",
            "EntityNameType",
            "EntityNameAttributeMetadata",
        ),
        (
            "nrv_iscustomizable",
            "ManagedProperty",
            "ManagedPropertyType",
            "ManagedPropertyAttributeMetadata",
        ),
        (
            "nrv_gradename",
            "Virtual",
            "VirtualType",
            "AttributeMetadata",
        ),
        (
            "nrv_accountidname",
            "String",
            "StringType",
            "StringAttributeMetadata",
        ),
    ] {
        let found = named(&list, name);
        assert_eq!(found["AttributeType"], kind, "{name}");
        assert_eq!(found["AttributeTypeName"]["Value"], type_name, "{name}");
        assert_eq!(
            found["@odata.type"],
            format!("#Microsoft.Dynamics.CRM.{metadata}"),
            "{name}"
        );
    }
    for (name, behavior, format) in [
        ("nrv_visitedon", "UserLocal", "DateAndTime"),
        ("nrv_startsat", "TimeZoneIndependent", "DateAndTime"),
        ("nrv_validfrom", "DateOnly", "DateOnly"),
    ] {
        let found = named(&list, name);
        assert_eq!(found["DateTimeBehavior"]["Value"], behavior);
        assert_eq!(found["Format"], format);
    }
    assert_eq!(
        named(&list, "nrv_customer")["Targets"],
        json!(["account", "contact"])
    );
    assert_eq!(named(&list, "nrv_accountid")["SchemaName"], "nrv_AccountId");
    // What can be selected is what metadata says can be.
    let (_, page) = desk.fetch("nrv_servicelineset?$top=1").await;
    let row = page["value"][0].as_object().expect("a row");
    for found in list["value"].as_array().expect("a list") {
        let name = found["LogicalName"].as_str().expect("a name");
        let selectable = found["IsValidForRead"] == true
            && found["IsValidODataAttribute"] == true
            && found["AttributeOf"].is_null();
        let wire = match found["AttributeType"].as_str() {
            Some("Lookup" | "Customer" | "Owner") => format!("_{name}_value"),
            _ => name.to_owned(),
        };
        assert_eq!(row.contains_key(&wire), selectable, "{name}");
        let (status, _) = desk
            .fetch(&format!("nrv_servicelineset?$top=1&$select={wire}"))
            .await;
        assert_eq!(status == 200, selectable, "{name}");
    }
}

#[tokio::test]
async fn choices_come_by_a_cast() {
    let bench = Bench::new().await;
    let desk = Desk::new(&bench).await;
    let path = |table: &str, cast: &str, expand: &str| {
        format!(
            "EntityDefinitions(LogicalName='{table}')/Attributes/Microsoft.Dynamics.CRM.{cast}?$select=LogicalName&$expand={expand}"
        )
    };
    let (_, list) = desk
        .fetch(&path(
            "nrv_serviceline",
            "PicklistAttributeMetadata",
            "OptionSet,GlobalOptionSet",
        ))
        .await;
    let local = named(&list, "nrv_grade");
    assert_eq!(local["OptionSet"]["Options"][0]["Value"], 100_000_000);
    assert!(local["GlobalOptionSet"].is_null() && local.get("@odata.type").is_none());
    let global = named(&list, "nrv_region");
    assert!(global["OptionSet"].is_null());
    assert_eq!(global["GlobalOptionSet"]["Name"], "nrv_region");
    let (_, list) = desk
        .fetch(&path(
            "nrv_serviceline",
            "MultiSelectPicklistAttributeMetadata",
            "OptionSet,GlobalOptionSet",
        ))
        .await;
    assert_eq!(
        named(&list, "nrv_channels")["GlobalOptionSet"]["Options"][3]["Value"],
        4
    );
    let (_, list) = desk
        .fetch(&path("account", "BooleanAttributeMetadata", "OptionSet"))
        .await;
    let set = &named(&list, "creditonhold")["OptionSet"];
    assert_eq!(
        (&set["TrueOption"]["Value"], &set["FalseOption"]["Value"]),
        (&json!(1), &json!(0))
    );
    let (_, list) = desk
        .fetch(&path(
            "opportunity",
            "StatusAttributeMetadata",
            "OptionSet($select=Options)",
        ))
        .await;
    let options = &named(&list, "statuscode")["OptionSet"]["Options"];
    let states: BTreeMap<i64, i64> = options
        .as_array()
        .expect("options")
        .iter()
        .map(|option| {
            (
                option["Value"].as_i64().expect("a value"),
                option["State"].as_i64().expect("a state"),
            )
        })
        .collect();
    assert_eq!(
        states,
        BTreeMap::from([(1, 0), (2, 0), (3, 1), (4, 2), (5, 2), (100_000_001, 0)])
    );
    let (_, one) = desk.fetch("EntityDefinitions(LogicalName='account')/Attributes(LogicalName='industrycode')/Microsoft.Dynamics.CRM.PicklistAttributeMetadata?$select=LogicalName&$expand=OptionSet").await;
    assert!(
        one["OptionSet@odata.context"].is_string() && one["OptionSet"]["Options"].is_array(),
        "{one}"
    );
    let (_, sets) = desk
        .fetch("GlobalOptionSetDefinitions(Name='nrv_channel')")
        .await;
    assert_eq!(
        sets["Options"][0]["Label"]["UserLocalizedLabel"]["Label"],
        "Web"
    );
}

#[tokio::test]
async fn definitions_are_selected_filtered_and_refused() {
    let bench = Bench::new().await;
    let desk = Desk::new(&bench).await;
    for (query, wanted) in [
        ("$filter=LogicalName eq 'account'", vec!["account"]),
        (
            "$filter=IsPrivate eq false and (SchemaName eq 'Account' or EntitySetName eq 'tasks')",
            vec!["account", "task"],
        ),
        ("$filter=IsActivity eq true", vec!["task"]),
        (
            "$filter=IsCustomEntity eq true",
            vec!["nrv_serviceline", "nrv_reading"],
        ),
        ("$filter=TableType eq 'Elastic'", vec!["nrv_reading"]),
        (
            "$filter=startswith(LogicalName,'nrv_s')",
            vec!["nrv_serviceline"],
        ),
        (
            "$filter=CanChangeTrackingBeEnabled/Value eq true and ObjectTypeCode lt 3",
            vec!["account", "contact"],
        ),
    ] {
        let (status, list) = desk
            .fetch(&format!("EntityDefinitions?$select=LogicalName&{query}"))
            .await;
        assert_eq!(status, 200, "{query}: {list}");
        let found = list["value"].as_array().expect("a list");
        let names: Vec<&str> = found
            .iter()
            .filter_map(|found| found["LogicalName"].as_str())
            .collect();
        assert_eq!(names, wanted, "{query}");
        assert!(
            found
                .iter()
                .all(|found| found.as_object().is_some_and(|found| found.len() == 2)),
            "and MetadataId"
        );
    }
    let (_, task) = desk.fetch("EntityDefinitions(LogicalName='task')?$select=EntitySetName,PrimaryIdAttribute,PrimaryNameAttribute").await;
    assert_eq!(
        (
            &task["EntitySetName"],
            &task["PrimaryIdAttribute"],
            &task["PrimaryNameAttribute"]
        ),
        (&json!("tasks"), &json!("activityid"), &json!("subject"))
    );
    let id = task["MetadataId"].as_str().expect("an id");
    let (_, by_id) = desk.fetch(&format!("EntityDefinitions({id})/Attributes?$filter=LogicalName%20eq%20'subject'&$select=MetadataId")).await;
    assert_eq!(
        by_id["value"][0].as_object().expect("an object").len(),
        2,
        "the id and the type"
    );
    let many: Vec<String> = (0..26)
        .map(|number| format!("LogicalName eq 'x{number}'"))
        .collect();
    for (path, part) in [
        (
            "EntityDefinitions(LogicalName='account')?$select=Bogus".to_owned(),
            "'Bogus' on type 'Microsoft.Dynamics.CRM.EntityMetadata'",
        ),
        (
            "EntityDefinitions(LogicalName='account')/Attributes?$select=LogicalName,Targets"
                .to_owned(),
            "'Targets' on type 'Microsoft.Dynamics.CRM.AttributeMetadata'",
        ),
        (
            "EntityDefinitions(LogicalName='account')/Attributes?$expand=OptionSet".to_owned(),
            "'OptionSet'",
        ),
        (
            "EntityDefinitions(LogicalName='account')/Attributes/Microsoft.Dynamics.CRM.Bogus"
                .to_owned(),
            "not defined in the model",
        ),
        (
            "EntityDefinitions(LogicalName='dragon')".to_owned(),
            "Could not find an entity",
        ),
        (
            format!("EntityDefinitions?$filter={}", many.join(" or ")),
            "25",
        ),
    ] {
        let (status, answer) = desk.fetch(&path).await;
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(
            (400..405).contains(&status) && message.contains(part),
            "{path}: {answer}"
        );
    }
    let (_, list) = desk.fetch("EntityDefinitions(LogicalName='account')/Attributes/Microsoft.Dynamics.CRM.LookupAttributeMetadata?$select=LogicalName,Targets").await;
    assert_eq!(
        named(&list, "primarycontactid")["Targets"],
        json!(["contact"])
    );
    let (_, all) = desk.fetch("EntityDefinitions?$select=LogicalName&$expand=Attributes($select=LogicalName,AttributeType)").await;
    let account = named(&all, "account");
    assert!(account["Attributes"].as_array().expect("a list").len() > 100);
    let (_, labels) = desk
        .fetch("EntityDefinitions(LogicalName='account')/Attributes")
        .await;
    let german = &named(&labels, "nrv_accountfield2")["DisplayName"];
    assert!(german["UserLocalizedLabel"].is_null());
    assert_eq!(german["LocalizedLabels"][0]["Label"], "Norrvale-Feld 2");
    assert_eq!(
        named(&labels, "nrv_hostile")["DisplayName"]["UserLocalizedLabel"]["Label"],
        "\"; drop table"
    );
    assert_eq!(
        named(&labels, "nrv_unlabelled")["DisplayName"]["LocalizedLabels"],
        json!([])
    );
}

#[tokio::test]
async fn relationships_name_the_properties_that_really_lead_there() {
    let bench = Bench::new().await;
    let desk = Desk::new(&bench).await;
    for (table, set) in [
        ("account", "accounts"),
        ("contact", "contacts"),
        ("task", "tasks"),
        ("nrv_serviceline", "nrv_servicelineset"),
    ] {
        let (_, list) = desk
            .fetch(&format!(
                "EntityDefinitions(LogicalName='{table}')/ManyToOneRelationships"
            ))
            .await;
        let list = list["value"].as_array().expect("a list").clone();
        assert!(!list.is_empty(), "{table}");
        for found in list {
            let name = found["ReferencingEntityNavigationPropertyName"]
                .as_str()
                .expect("a name");
            let (status, answer) = desk.fetch(&format!("{set}?$top=1&$expand={name}")).await;
            assert_eq!(status, 200, "{table}.{name}: {answer}");
        }
        let (_, list) = desk
            .fetch(&format!(
                "EntityDefinitions(LogicalName='{table}')/OneToManyRelationships"
            ))
            .await;
        for found in list["value"].as_array().expect("a list") {
            let name = found["ReferencedEntityNavigationPropertyName"]
                .as_str()
                .expect("a name");
            let (status, answer) = desk.fetch(&format!("{set}?$top=1&$expand={name}")).await;
            assert_eq!(status, 200, "{table}.{name}: {answer}");
        }
    }
    let (_, sets) = desk.fetch("").await;
    let sets = sets["value"].as_array().expect("a list").clone();
    let reply = desk.send("GET", "$metadata", "", &[]).await;
    assert_eq!(reply.headers["content-type"], "application/xml");
    for set in sets {
        let name = set["name"].as_str().expect("a name");
        assert!(
            reply.text.contains(&format!("<EntitySet Name=\"{name}\"")),
            "{name}"
        );
    }
    assert!(
        reply.text.contains(
            "<NavigationProperty Name=\"parentcustomerid_account\" Type=\"mscrm.account\""
        )
    );
}
