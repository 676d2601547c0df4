//! Objects of records: one record and what its fields become.

use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::{Choice, ColumnKind, ColumnMetadata, TableMetadata};

pub(super) fn column(name: &str, kind: ColumnKind) -> ColumnMetadata {
    ColumnMetadata {
        logical_name: name.to_owned(),
        display_name: name.to_owned(),
        kind,
        targets: Vec::new(),
        choices: Vec::new(),
        is_custom: name.starts_with("nrv_"),
    }
}

pub(super) fn choices(name: &str, labels: &[(i64, &str)]) -> ColumnMetadata {
    ColumnMetadata {
        choices: labels
            .iter()
            .map(|(value, label)| Choice {
                value: *value,
                label: (*label).to_owned(),
                state: None,
            })
            .collect(),
        ..column(name, ColumnKind::Choice)
    }
}

pub(super) fn lookup(name: &str, targets: &[&str]) -> ColumnMetadata {
    ColumnMetadata {
        targets: targets.iter().map(|name| (*name).to_owned()).collect(),
        ..column(name, ColumnKind::Lookup)
    }
}

pub(super) fn table(name: &str, columns: Vec<ColumnMetadata>) -> TableMetadata {
    TableMetadata {
        logical_name: name.to_owned(),
        entity_set_name: format!("{name}s"),
        primary_id: format!("{name}id"),
        primary_name: None,
        display_name: name.to_owned(),
        display_collection_name: format!("{name}s"),
        is_custom: false,
        object_type_code: None,
        change_tracking: true,
        columns,
    }
}

const ID: &str = "00000000-0000-0000-0000-0000000000aa";
const ONE: &str = "00000000-0000-0000-0000-000000000001";
const TWO: &str = "00000000-0000-0000-0000-000000000002";

pub(super) fn id(text: &str) -> Uuid {
    Uuid::try_parse(text).unwrap()
}

/// The object of a record of a table without any metadata but that of choices and lookups.
fn object(name: &str, record: &str, known: &Known, labels: Labels) -> String {
    let table = table(
        name,
        vec![
            choices("industrycode", &[(1, "Accounting"), (7, "")]),
            choices("leadsourcecode", &[(8, "Web")]),
            lookup("ownerid", &["systemuser", "team"]),
            lookup("parentcustomerid", &["account", "contact"]),
            lookup("customerid", &["account", "contact"]),
            lookup("parentaccountid", &["account"]),
        ],
    );
    let projection = Projection::new(&table, labels).unwrap();
    let record = Delivered::parse(record.as_bytes()).unwrap();
    projection
        .object_of(id(ID), &record, false, known, None)
        .json()
}

fn check_with(name: &str, record: &Value, known: &Known, expected: &Value) {
    let json = object(name, &record.to_string(), known, Labels::Delivered);
    let found: Value = serde_json::from_str(&json).unwrap();
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&found[field], value, "{field} of {record} in {json}");
    }
}

#[expect(clippy::needless_pass_by_value, reason = "rows are literals")]
fn check(name: &str, record: Value, expected: Value) {
    check_with(name, &record, &Known::default(), &expected);
}

const TABLE_OF: &str = "@Microsoft.Dynamics.CRM.lookuplogicalname";
const LABEL: &str = "@OData.Community.Display.V1.FormattedValue";

fn reference(column: &str, id: &str, table: Option<&str>) -> Value {
    let name = format!("_{column}_value");
    let mut record = json!({ &name: id });
    if let Some(table) = table {
        record[format!("{name}{TABLE_OF}")] = table.into();
    }
    record
}

#[expect(clippy::needless_pass_by_value, reason = "rows are literals")]
fn with(mut record: Value, more: Value) -> Value {
    let fields = more.as_object().unwrap().clone();
    record.as_object_mut().unwrap().extend(fields);
    record
}

#[test]
fn an_empty_record_has_every_field() {
    let rows = [
        (
            "account",
            "id created_at updated_at last_modified_at is_deleted owner_id owner_type name description \
             industry website number_of_employees addresses phone_numbers email_addresses \
             parent_account_id primary_contact_id annual_revenue currency lifecycle_stage \
             last_activity_at",
        ),
        (
            "contact",
            "id created_at updated_at last_modified_at is_deleted owner_id owner_type first_name \
             last_name title addresses email_addresses phone_numbers account_id lifecycle_stage \
             last_activity_at",
        ),
        (
            "lead",
            "id created_at updated_at last_modified_at is_deleted owner_id owner_type lead_source \
             title company first_name last_name addresses email_addresses phone_numbers status \
             converted_date converted_contact_id converted_account_id converted_opportunity_id",
        ),
        (
            "opportunity",
            "id created_at updated_at last_modified_at is_deleted owner_id owner_type name description \
             stage pipeline amount currency status close_date probability account_id contact_id \
             last_activity_at",
        ),
        (
            "systemuser",
            "id created_at updated_at last_modified_at is_deleted owner_id owner_type name email \
             is_active title",
        ),
    ];
    for (name, fields) in rows {
        let json = object(name, "{}", &Known::default(), Labels::Delivered);
        let found: Value = serde_json::from_str(&json).unwrap();
        let found = found.as_object().unwrap();
        let names: Vec<&str> = found.keys().map(String::as_str).collect();
        assert_eq!(
            names.join(" "),
            fields.split_whitespace().collect::<Vec<_>>().join(" ")
        );
        for (field, value) in found {
            let is_empty = match field.as_str() {
                "id" => value == ID,
                "is_deleted" => value == false,
                _ if value.is_array() => value.as_array().unwrap().is_empty(),
                _ => value.is_null(),
            };
            assert!(is_empty, "{field} is {value}");
        }
        // The table of fields for writing knows the same fields.
        let object = Object::of_table(name).unwrap();
        for field in write::fields(object) {
            assert!(
                found.contains_key(field.name) || field.name == "raw_data",
                "{} of {name}",
                field.name
            );
        }
        assert_eq!(write::fields(object).count(), found.len() + 1, "{name}");
    }
    assert!(Projection::new(&table("task", vec![]), Labels::Delivered).is_none());
}

#[test]
fn times_are_as_delivered_and_the_original_date_of_a_migrated_row_is_its_creation() {
    check(
        "account",
        json!({
            "createdon": "2014-02-01T10:00:00Z", "overriddencreatedon": "2026-05-01T08:00:00Z",
            "modifiedon": "2026-05-01T08:00:01.123Z",
        }),
        json!({
            "created_at": "2014-02-01T10:00:00Z", "updated_at": "2026-05-01T08:00:01.123Z",
            "last_modified_at": "2026-05-01T08:00:01.123Z",
        }),
    );
}

#[test]
fn owners_are_users_or_teams() {
    let known = Known {
        tables: [(id(TWO), "team".to_owned())].into(),
        ..Known::default()
    };
    let rows = [
        (reference("ownerid", ONE, Some("systemuser")), json!("user")),
        (reference("ownerid", ONE, Some("team")), json!("team")),
        (reference("ownerid", TWO, None), json!("team")),
        (reference("ownerid", ONE, None), json!(null)),
        (
            with(
                reference("ownerid", ONE, None),
                reference("owningteam", ONE, None),
            ),
            json!("team"),
        ),
        (
            with(
                reference("ownerid", ONE, None),
                reference("owninguser", ONE, None),
            ),
            json!("user"),
        ),
    ];
    for (record, owner_type) in rows {
        let owner = record["_ownerid_value"].clone();
        let expected = json!({"owner_id": owner, "owner_type": owner_type});
        check_with("contact", &record, &known, &expected);
    }
}

#[test]
fn labels_are_the_organisations_own() {
    let formatted = |value: Value, label: &str| json!({"industrycode": value, format!("industrycode{LABEL}"): label});
    let rows = [
        (
            json!({"industrycode": 1}),
            json!("Accounting"),
            json!("Accounting"),
        ),
        // Renamed since the record came.
        (
            formatted(json!(1), "Buchhaltung"),
            json!("Buchhaltung"),
            json!("Accounting"),
        ),
        (
            formatted(json!(99), "Raumfahrt"),
            json!("Raumfahrt"),
            json!("Raumfahrt"),
        ),
        // What nobody labelled is its number.
        (json!({"industrycode": 4711}), json!("4711"), json!("4711")),
        (json!({"industrycode": 7}), json!("7"), json!("7")),
        (json!({"industrycode": null}), json!(null), json!(null)),
        (json!({}), json!(null), json!(null)),
    ];
    for (record, delivered, metadata) in rows {
        for (labels, expected) in [(Labels::Delivered, delivered), (Labels::Metadata, metadata)] {
            let json = object("account", &record.to_string(), &Known::default(), labels);
            let found: Value = serde_json::from_str(&json).unwrap();
            assert_eq!(found["industry"], expected, "{record}, {labels:?}");
        }
    }
    check(
        "lead",
        json!({"leadsourcecode": 8}),
        json!({"lead_source": "Web"}),
    );
}

#[test]
fn each_address_has_its_own_type() {
    let address = |number: u8, code: Value, city: &str| {
        json!({
            format!("address{number}_addresstypecode"): code,
            format!("address{number}_city"): city,
        })
    };
    let expected = |city: &str, kind: &str| {
        json!({
            "street_1": null, "street_2": null, "city": city, "state": null, "postal_code": null,
            "country": null, "address_type": kind,
        })
    };
    let three = with(
        with(address(1, json!(3), "Oslo"), address(2, json!(1), "Bergen")),
        address(3, json!(2), "Tromsø"),
    );
    check(
        "contact",
        three,
        json!({"addresses": [
            expected("Oslo", "primary"), expected("Bergen", "billing"), expected("Tromsø", "shipping"),
        ]}),
    );
    // An address of which only the type is known is none; blanks say nothing.
    for nothing in ["", "  "] {
        check(
            "lead",
            address(2, json!(1), nothing),
            json!({"addresses": []}),
        );
    }
    for code in [json!(4), json!(null), json!(77)] {
        check(
            "account",
            address(2, code, "Bodø"),
            json!({"addresses": [expected("Bodø", "other")]}),
        );
    }
    let streets = [
        (Some("1"), Some("2"), Some("3"), json!("1"), json!("2, 3")),
        (Some("1"), None, Some("3"), json!("1"), json!("3")),
        (None, Some("2"), None, json!(null), json!("2")),
    ];
    for (line1, line2, line3, first, second) in streets {
        let record = json!({
            "address1_line1": line1, "address1_line2": line2, "address1_line3": line3,
        });
        let json = object(
            "account",
            &record.to_string(),
            &Known::default(),
            Labels::Delivered,
        );
        let found: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(found["addresses"][0]["street_1"], first, "{record}");
        assert_eq!(found["addresses"][0]["street_2"], second, "{record}");
    }
}

#[test]
fn every_number_and_address_is_listed_by_its_type() {
    let phones = json!({
        "telephone1": "1", "telephone2": "2", "telephone3": "3", "mobilephone": "m", "fax": "f",
    });
    let phone =
        |number: &str, kind: &str| json!({"phone_number": number, "phone_number_type": kind});
    check(
        "contact",
        phones,
        json!({"phone_numbers": [
            phone("1", "primary"), phone("m", "mobile"), phone("f", "fax"), phone("2", "other"),
            phone("3", "other"),
        ]}),
    );
    let email =
        |address: &str, kind: &str| json!({"email_address": address, "email_address_type": kind});
    for name in ["account", "contact", "lead"] {
        check(
            name,
            json!({"emailaddress1": "a@x", "emailaddress2": "", "emailaddress3": "c@x"}),
            json!({"email_addresses": [email("a@x", "primary"), email("c@x", "other")]}),
        );
    }
    check(
        "systemuser",
        json!({"internalemailaddress": "dana@x", "fullname": "Dana", "title": null, "jobtitle": "CFO"}),
        json!({"email": "dana@x", "name": "Dana", "title": "CFO"}),
    );
}

#[test]
fn a_contacts_account_is_an_account() {
    let known = Known {
        tables: [(id(TWO), "account".to_owned())].into(),
        ..Known::default()
    };
    let rows = [
        (
            reference("parentcustomerid", ONE, Some("account")),
            json!(ONE),
        ),
        (
            reference("parentcustomerid", ONE, Some("contact")),
            json!(null),
        ),
        (reference("parentcustomerid", TWO, None), json!(TWO)),
        // Nobody knows what it is.
        (reference("parentcustomerid", ONE, None), json!(null)),
    ];
    for (record, account) in rows {
        check_with("contact", &record, &known, &json!({"account_id": account}));
    }
}

#[test]
fn users_are_active_unless_disabled() {
    for (value, expected) in [
        (json!(true), json!(false)),
        (json!(false), json!(true)),
        (json!(null), json!(null)),
        (json!(1), json!(false)),
    ] {
        check(
            "systemuser",
            json!({"isdisabled": value}),
            json!({"is_active": expected}),
        );
    }
    check(
        "systemuser",
        json!({"fullname": "# Mirror Service", "applicationid": ONE, "internalemailaddress": null}),
        json!({"name": "# Mirror Service", "email": null, "owner_id": null}),
    );
}

#[test]
fn relationship_types_that_mean_a_stage_are_stages() {
    for (code, stage) in [
        (json!(3), json!("customer")),
        (json!(8), json!("lead")),
        (json!(1), json!(null)),
        (json!(null), json!(null)),
    ] {
        check(
            "account",
            json!({"customertypecode": code}),
            json!({"lifecycle_stage": stage}),
        );
    }
}

#[test]
fn the_status_of_a_lead_and_what_it_became_follow_from_its_state() {
    let ids = with(
        with(
            reference("parentcontactid", ONE, Some("contact")),
            reference("parentaccountid", TWO, None),
        ),
        reference("qualifyingopportunityid", ONE, None),
    );
    let known = Known {
        converted: [(id(ID), "2026-01-02T03:04:05Z".to_owned())].into(),
        ..Known::default()
    };
    for (state, status) in [
        (json!(0), json!("OPEN")),
        (json!(1), json!("QUALIFIED")),
        (json!(2), json!("DISQUALIFIED")),
        (json!(3), json!(null)),
        (json!(null), json!(null)),
    ] {
        let is_qualified = status == "QUALIFIED";
        let only = |value: Value| if is_qualified { value } else { Value::Null };
        let record = with(
            ids.clone(),
            json!({"statecode": state, "statuscode": 100_000_001}),
        );
        let expected = json!({
            "status": status,
            "converted_contact_id": only(json!(ONE)),
            "converted_account_id": only(json!(TWO)),
            "converted_opportunity_id": only(json!(ONE)),
            "converted_date": only(json!("2026-01-02T03:04:05Z")),
        });
        check_with("lead", &record, &known, &expected);
    }
    // Qualified without an opportunity, and nobody saw it.
    check(
        "lead",
        json!({"statecode": 1, "_qualifyingopportunityid_value": null}),
        json!({"status": "QUALIFIED", "converted_opportunity_id": null, "converted_date": null}),
    );
}

#[test]
fn what_an_opportunity_brings_depends_on_its_state() {
    let rows = [
        (
            0,
            json!({"estimatedvalue": 1.5, "actualvalue": 2.5}),
            "OPEN",
            json!(1.5),
        ),
        (
            1,
            json!({"estimatedvalue": 1.5, "actualvalue": 2.5}),
            "WON",
            json!(2.5),
        ),
        (
            2,
            json!({"estimatedvalue": 1.5, "actualvalue": 0}),
            "LOST",
            json!(0),
        ),
        (
            1,
            json!({"estimatedvalue": 1.5, "actualvalue": null}),
            "WON",
            json!(1.5),
        ),
        (2, json!({"estimatedvalue": null}), "LOST", json!(null)),
    ];
    for (state, amounts, status, amount) in rows {
        // A custom status reason changes nothing.
        let record = with(
            amounts,
            json!({"statecode": state, "statuscode": 100_000_001}),
        );
        check(
            "opportunity",
            record,
            json!({"status": status, "amount": amount}),
        );
    }
    let dates = json!({"estimatedclosedate": "2026-03-01", "actualclosedate": "2026-02-01"});
    for (state, date) in [(0, "2026-03-01"), (1, "2026-02-01"), (2, "2026-02-01")] {
        let record = with(dates.clone(), json!({"statecode": state}));
        check("opportunity", record, json!({"close_date": date}));
    }
    check(
        "opportunity",
        json!({"statecode": 1, "estimatedclosedate": "2026-03-01"}),
        json!({"close_date": "2026-03-01"}),
    );
}

#[test]
fn amounts_keep_every_digit_that_was_delivered() {
    for digits in [
        "922337203685477.5807",
        "-922337203685477.5808",
        "4990.0000000000",
        "0.0001",
        "1.10e3",
        "123456789012345678901234567890.1234",
    ] {
        for (name, record) in [
            ("opportunity", format!(r#"{{"estimatedvalue":{digits}}}"#)),
            (
                "opportunity",
                format!(r#"{{"statecode":1,"actualvalue":{digits}}}"#),
            ),
            ("account", format!(r#"{{"revenue":{digits}}}"#)),
            // With IEEE754Compatible numbers are texts.
            ("account", format!(r#"{{"revenue":"{digits}"}}"#)),
        ] {
            let json = object(name, &record, &Known::default(), Labels::Delivered);
            let field = if name == "account" {
                "annual_revenue"
            } else {
                "amount"
            };
            assert!(
                json.contains(&format!("\"{field}\":{digits},")),
                "{record} gives {json}"
            );
        }
    }
    for (value, whole) in [
        ("12", json!(12)),
        ("12.0", json!(12)),
        ("12.5", json!(null)),
    ] {
        check(
            "account",
            serde_json::from_str(&format!(r#"{{"numberofemployees":{value}}}"#)).unwrap(),
            json!({"number_of_employees": whole}),
        );
    }
}

#[test]
fn a_currency_is_its_code_and_is_never_invented() {
    let known = Known {
        currencies: [(id(ONE), "SEK".to_owned())].into(),
        ..Known::default()
    };
    for (record, code) in [
        (reference("transactioncurrencyid", ONE, None), json!("SEK")),
        (reference("transactioncurrencyid", TWO, None), json!(null)),
        (json!({"_transactioncurrencyid_value": null}), json!(null)),
        (
            with(
                reference("transactioncurrencyid", TWO, Some("transactioncurrency")),
                json!({format!("_transactioncurrencyid_value{LABEL}"): "US Dollar"}),
            ),
            json!(null),
        ),
    ] {
        for name in ["account", "opportunity"] {
            check_with(name, &record, &known, &json!({"currency": code}));
        }
    }
}

#[test]
fn an_opportunity_is_its_accounts_and_its_contacts() {
    let customer = |table| reference("customerid", ONE, table);
    let rows = [
        (customer(Some("account")), json!(ONE), json!(null)),
        (customer(Some("contact")), json!(null), json!(ONE)),
        (customer(None), json!(null), json!(null)),
        (
            with(
                customer(Some("contact")),
                reference("parentaccountid", TWO, None),
            ),
            json!(TWO),
            json!(ONE),
        ),
        (
            with(
                customer(Some("account")),
                reference("parentaccountid", TWO, Some("account")),
            ),
            json!(TWO),
            json!(null),
        ),
        (
            reference("parentcontactid", TWO, Some("contact")),
            json!(null),
            json!(TWO),
        ),
    ];
    for (record, account, contact) in rows {
        check(
            "opportunity",
            record,
            json!({"account_id": account, "contact_id": contact}),
        );
    }
}

#[test]
fn the_stage_is_the_active_one_of_the_process() {
    let annotated = |stage: &str, process: &str, state: i64, modified: &str| {
        json!({
            "_activestageid_value": ONE, format!("_activestageid_value{LABEL}"): stage,
            "_processid_value": TWO, format!("_processid_value{LABEL}"): process,
            "statecode": state, "modifiedon": modified,
        })
    };
    let relation = "opportunity_opportunitysalesprocess";
    let known = Known {
        progress: [(
            id(ID),
            Progress {
                stage: Some("Develop".into()),
                pipeline: Some("Mirrored".into()),
            },
        )]
        .into(),
        names: [
            (id(ONE), "Propose".to_owned()),
            (id(TWO), "Old Process".to_owned()),
        ]
        .into(),
        ..Known::default()
    };
    let nothing = Known::default();
    let rows = [
        (
            json!({"stepname": "1-Qualify"}),
            &nothing,
            json!("1-Qualify"),
            json!(null),
        ),
        (json!({"stepname": ""}), &nothing, json!(null), json!(null)),
        (
            json!({"stepname": "1-Qualify"}),
            &known,
            json!("Develop"),
            json!("Mirrored"),
        ),
        // An array, of which the instance that is under way counts.
        (
            json!({"stepname": "x", relation: [
                annotated("Close", "Done", 1, "2026-09-01"), annotated("Develop", "Key", 0, "2026-01-01"),
            ]}),
            &nothing,
            json!("Develop"),
            json!("Key"),
        ),
        (
            json!({relation: [
                annotated("Close", "Older", 1, "2026-01-01"), annotated("Qualify", "Newer", 1, "2026-09-01"),
            ]}),
            &known,
            json!("Qualify"),
            json!("Newer"),
        ),
        (
            json!({relation: [{"activestageid": {"stagename": "Propose"}, "processid": {"name": "P"}}]}),
            &nothing,
            json!("Propose"),
            json!("P"),
        ),
        (
            json!({relation: [], "stepname": "x"}),
            &nothing,
            json!("x"),
            json!(null),
        ),
        // The columns of older organisations, with a label or without.
        (
            json!({
                "_stageid_value": ONE, format!("_stageid_value{LABEL}"): "Close", "stepname": "x",
                "_processid_value": TWO,
            }),
            &nothing,
            json!("Close"),
            json!(null),
        ),
    ];
    for (record, known, stage, pipeline) in rows {
        let expected = json!({"stage": stage, "pipeline": pipeline});
        check_with("opportunity", &record, known, &expected);
    }
    let old = Known {
        progress: Default::default(),
        ..known
    };
    check_with(
        "opportunity",
        &json!({"stageid": ONE, "processid": TWO}),
        &old,
        &json!({"stage": "Propose", "pipeline": "Old Process"}),
    );
}

#[test]
fn what_is_wanted_of_other_records_is_asked_once() {
    let table = table(
        "lead",
        vec![
            lookup("ownerid", &[]),
            lookup("qualifyingopportunityid", &["opportunity"]),
        ],
    );
    let projection = Projection::new(&table, Labels::Metadata).unwrap();
    let record = json!({
        "leadid": ID, "statecode": 1, "_qualifyingopportunityid_value": ONE, "_ownerid_value": TWO,
        "_transactioncurrencyid_value": ONE,
    });
    let record = record.to_string();
    let mut wanted = Wanted::default();
    for _ in 0..2 {
        projection.want(&Delivered::parse(record.as_bytes()).unwrap(), &mut wanted);
    }
    let expected = Wanted {
        currencies: [id(ONE)].into(),
        untyped: [(id(TWO), vec!["systemuser".to_owned(), "team".to_owned()])].into(),
        qualified: [(id(ID), Some(id(ONE)))].into(),
        ..Wanted::default()
    };
    assert_eq!(wanted, expected);
}

#[test]
fn texts_are_as_delivered_and_half_characters_do_no_harm() {
    for (json, expected) in [
        (r#""plain""#, "plain"),
        (r#""a\u0000\ud83d\ude00\/""#, "a\u{0}\u{1f600}/"),
        (r#""half \ud83d""#, "half \u{fffd}"),
        ("12.50", "12.50"),
    ] {
        let record = format!(r#"{{"name":{json}}}"#);
        let text = object("account", &record, &Known::default(), Labels::Delivered);
        let found: Value = serde_json::from_str(&text).unwrap();
        let name = found["name"].as_str().unwrap();
        assert_eq!(
            name.trim_end_matches('\u{fffd}'),
            expected.trim_end_matches('\u{fffd}'),
            "{json}"
        );
    }
}

#[test]
fn the_record_is_given_back_byte_for_byte_where_it_is_asked_for() {
    let table = table("account", vec![]);
    let projection = Projection::new(&table, Labels::Metadata).unwrap();
    let raw = r#"{"revenue":1.10e3,"name":"\u00e9"}"#;
    let record = Delivered::parse(raw.as_bytes()).unwrap();
    let kept = serde_json::from_str(raw).ok();
    let found = projection.object_of(id(ID), &record, true, &Known::default(), kept);
    assert!(
        found.json().contains(&format!("\"raw_data\":{raw}")),
        "{}",
        found.json()
    );
    assert!(found.head().is_deleted);
    assert_eq!(found.object(), Object::Account);
}

#[cfg(feature = "openapi")]
#[test]
fn the_schemas_name_every_field_as_required() {
    use utoipa::PartialSchema as _;
    let schema = serde_json::to_value(Opportunity::schema()).unwrap();
    let own = schema["allOf"][1].clone();
    assert_eq!(
        own["properties"]["amount"]["oneOf"]
            .as_array()
            .map(Vec::len),
        Some(2),
        "{schema}"
    );
    let required = own["required"].as_array().unwrap();
    let properties = own["properties"].as_object().unwrap();
    assert_eq!(required.len(), properties.len(), "{schema}");
}
