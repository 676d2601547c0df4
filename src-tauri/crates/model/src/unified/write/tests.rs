//! Bodies and what they become: one body, its attributes or its problems.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::*;
use crate::unified::tests::{choices, column, id, lookup, table};
use crate::unified::{Known, Labels, Projection};
use crate::{ColumnKind, TableMetadata};

const ONE: &str = "00000000-0000-0000-0000-000000000001";
const TWO: &str = "00000000-0000-0000-0000-000000000002";

pub(super) fn metadata(name: &str) -> TableMetadata {
    let mut columns = vec![lookup("ownerid", &["systemuser", "team"])];
    let texts: &[&str] = match name {
        "account" => &[
            "name",
            "description",
            "websiteurl",
            "telephone1",
            "telephone2",
            "fax",
        ],
        "contact" => &[
            "firstname",
            "lastname",
            "jobtitle",
            "telephone1",
            "mobilephone",
            "telephone2",
        ],
        "lead" => &[
            "firstname",
            "lastname",
            "companyname",
            "jobtitle",
            "telephone1",
        ],
        "opportunity" => &["name", "description", "stepname"],
        _ => &["fullname"],
    };
    columns.extend(texts.iter().map(|name| column(name, ColumnKind::Text)));
    for number in 1..=(if name == "contact" { 3 } else { 2 }) {
        for part in [
            "line1",
            "line2",
            "line3",
            "city",
            "stateorprovince",
            "postalcode",
            "country",
        ] {
            columns.push(column(&format!("address{number}_{part}"), ColumnKind::Text));
        }
        columns.push(choices(
            &format!("address{number}_addresstypecode"),
            match name {
                "lead" => &[(1, "Default Value")],
                _ => &[(1, "Bill To"), (2, "Ship To"), (3, "Primary"), (4, "Other")],
            },
        ));
    }
    for number in 1..=3 {
        columns.push(column(&format!("emailaddress{number}"), ColumnKind::Text));
    }
    columns.push(lookup("transactioncurrencyid", &["transactioncurrency"]));
    columns.push(choices(
        "statecode",
        &[(0, "Open"), (1, "Won"), (2, "Lost")],
    ));
    columns.extend([
        column("createdon", ColumnKind::DateTime),
        column(&format!("{name}id"), ColumnKind::UniqueId),
        column("nrv_text", ColumnKind::Text),
        column("nrv_count", ColumnKind::Integer),
        column("nrv_share", ColumnKind::Decimal),
        column("nrv_seen", ColumnKind::DateTime),
        column("nrv_day", ColumnKind::DateOnly),
        column("nrv_key", ColumnKind::UniqueId),
        lookup("nrv_projectid", &["nrv_project"]),
        lookup("nrv_party", &["account", "contact"]),
    ]);
    let yes_no = choices("nrv_big", &[(0, "No"), (1, "Yes")]);
    columns.push(ColumnMetadata {
        kind: ColumnKind::Boolean,
        ..yes_no
    });
    let several = choices("nrv_tags", &[(1, "Energy"), (2, "Retail")]);
    columns.push(ColumnMetadata {
        kind: ColumnKind::MultiChoice,
        ..several
    });
    match name {
        "account" => columns.extend([
            choices(
                "industrycode",
                &[(1, "Accounting"), (6, "Twice"), (7, "Twice"), (8, "energy")],
            ),
            choices("customertypecode", &[(3, "Customer"), (8, "Prospect")]),
            column("numberofemployees", ColumnKind::Integer),
            column("revenue", ColumnKind::Money),
            lookup("parentaccountid", &["account"]),
            lookup("primarycontactid", &["contact"]),
        ]),
        "contact" => columns.push(lookup("parentcustomerid", &["account", "contact"])),
        "lead" => columns.push(choices("leadsourcecode", &[(8, "Web")])),
        "opportunity" => columns.extend([
            column("estimatedvalue", ColumnKind::Money),
            column("actualvalue", ColumnKind::Money),
            column("estimatedclosedate", ColumnKind::DateOnly),
            column("actualclosedate", ColumnKind::DateTime),
            column("closeprobability", ColumnKind::Integer),
            lookup("parentaccountid", &["account"]),
            lookup("parentcontactid", &["contact"]),
            lookup("customerid", &["account", "contact"]),
        ]),
        _ => {}
    }
    table(name, columns)
}

pub(super) fn around() -> Surroundings {
    let way = |property: &str, set: &str| Navigation {
        property: property.to_owned(),
        set: set.to_owned(),
    };
    Surroundings {
        currencies: vec![("EUR".to_owned(), id(ONE)), ("SEK".to_owned(), id(TWO))],
        tables: [(id(TWO), "team".to_owned())].into(),
        navigation: [
            (
                ("nrv_projectid".to_owned(), "nrv_project".to_owned()),
                way("nrv_ProjectId", "nrv_projectset"),
            ),
            (
                ("nrv_party".to_owned(), "contact".to_owned()),
                way("nrv_Party_contact", "contacts"),
            ),
        ]
        .into(),
    }
}

fn written(
    name: &str,
    purpose: Purpose,
    current: Option<&Value>,
    body: &str,
) -> Result<String, Vec<Problem>> {
    let (metadata, around) = (metadata(name), around());
    let current = current.map(Value::to_string);
    let current = current
        .as_ref()
        .map(|text| Delivered::parse(text.as_bytes()).unwrap());
    let writing = Writing::new(&metadata, purpose, current.as_ref(), &around).unwrap();
    let body = RawValue::from_string(body.to_owned()).unwrap();
    Ok(writing.attributes(&body)?.json())
}

#[expect(clippy::needless_pass_by_value, reason = "rows are literals")]
fn check(name: &str, body: Value, expected: Value) {
    let found = written(name, Purpose::Update, None, &body.to_string());
    let found = found.unwrap_or_else(|problems| panic!("{body}: {problems:?}"));
    let found: Value = serde_json::from_str(&found).unwrap();
    assert_eq!(found, expected, "{body}");
}

/// The codes and sentences of what is wrong with a body.
fn refused(name: &str, purpose: Purpose, body: &str) -> Vec<(String, &'static str, String)> {
    let problems = written(name, purpose, None, body).expect_err(body);
    problems
        .iter()
        .map(|problem| (problem.field(), problem.code(), problem.to_string()))
        .collect()
}

#[test]
fn only_what_is_present_is_written() {
    check("account", json!({}), json!({}));
    check(
        "account",
        json!({"name": "Fjord", "description": null, "website": "https://x"}),
        json!({"name": "Fjord", "description": null, "websiteurl": "https://x"}),
    );
    check(
        "contact",
        json!({"first_name": "Dana", "last_name": "Berg", "title": "CFO"}),
        json!({"firstname": "Dana", "lastname": "Berg", "jobtitle": "CFO"}),
    );
    check(
        "lead",
        json!({"company": "Fjord", "lead_source": "Web"}),
        json!({"companyname": "Fjord", "leadsourcecode": 8}),
    );
    check(
        "opportunity",
        json!({"name": "Turbines", "probability": 40, "close_date": "2026-03-31"}),
        json!({"name": "Turbines", "closeprobability": 40, "estimatedclosedate": "2026-03-31"}),
    );
}

#[test]
fn choices_are_written_by_label_or_number() {
    for (given, number) in [
        (json!("Accounting"), json!(1)),
        (json!("accounting "), json!(1)),
        (json!("Energy"), json!(8)),
        (json!(8), json!(8)),
        (json!(8.0), json!(8)),
        (json!("8"), json!(8)),
        (json!(null), json!(null)),
    ] {
        check(
            "account",
            json!({"industry": given}),
            json!({"industrycode": number}),
        );
    }
    for (given, code, part) in [
        (
            json!("Space"),
            "unknown_label",
            "There are: Accounting, Twice, Twice, energy.",
        ),
        (json!(99), "unknown_label", "no value \"99\""),
        (json!("Twice"), "unknown_label", "one of 6, 7"),
        (
            json!(true),
            "wrong_type",
            "takes a label or a whole number, not true or false",
        ),
        (json!([]), "wrong_type", "not a list"),
    ] {
        let body = json!({"industry": given}).to_string();
        let problems = refused("account", Purpose::Update, &body);
        assert_eq!(
            (problems[0].0.as_str(), problems[0].1),
            ("industry", code),
            "{body}"
        );
        assert!(problems[0].2.contains(part), "{}", problems[0].2);
    }
}

#[test]
fn amounts_keep_every_digit_that_was_given() {
    for digits in [
        "922337203685477.5807",
        "0.0001",
        "123456789012345678901234567890.5",
        "1e3",
        "-0.50",
    ] {
        for body in [
            format!(r#"{{"amount": {digits}}}"#),
            format!(r#"{{"amount": "{digits}"}}"#),
        ] {
            let found = written("opportunity", Purpose::Create, None, &body).unwrap();
            assert_eq!(found, format!(r#"{{"estimatedvalue":{digits}}}"#));
        }
    }
    let problems = refused("account", Purpose::Create, r#"{"annual_revenue": "much"}"#);
    assert_eq!(
        problems[0].2,
        "annual_revenue takes a number, and \"much\" is none."
    );
}

#[test]
fn a_closed_opportunity_keeps_its_amount_where_it_is_read_from() {
    let closed = json!({"statecode": 1, "actualvalue": 2.5, "actualclosedate": "2026-01-01"});
    let body = r#"{"amount": 3, "close_date": "2026-02-01"}"#;
    for (current, expected) in [
        (
            Some(&closed),
            json!({"actualvalue": 3, "actualclosedate": "2026-02-01"}),
        ),
        (
            Some(&json!({"statecode": 0, "actualvalue": 2.5})),
            json!({"estimatedvalue": 3, "estimatedclosedate": "2026-02-01"}),
        ),
        (
            Some(&json!({"statecode": 2, "actualvalue": null})),
            json!({"estimatedvalue": 3, "estimatedclosedate": "2026-02-01"}),
        ),
        (
            None,
            json!({"estimatedvalue": 3, "estimatedclosedate": "2026-02-01"}),
        ),
    ] {
        let found = written("opportunity", Purpose::Update, current, body).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&found).unwrap(), expected);
    }
}

#[test]
fn references_are_bound_and_emptied() {
    let bound = |property: &str, address: &str| json!({format!("{property}@odata.bind"): address});
    let rows = [
        (
            "account",
            "parent_account_id",
            "parentaccountid",
            "accounts",
        ),
        (
            "account",
            "primary_contact_id",
            "primarycontactid",
            "contacts",
        ),
        (
            "contact",
            "account_id",
            "parentcustomerid_account",
            "accounts",
        ),
        ("opportunity", "account_id", "parentaccountid", "accounts"),
        ("opportunity", "contact_id", "parentcontactid", "contacts"),
    ];
    for (name, field, property, set) in rows {
        check(
            name,
            json!({field: ONE}),
            bound(property, &format!("/{set}({ONE})")),
        );
        check(
            name,
            json!({field: format!("{{{}}}", ONE.to_uppercase())}),
            bound(property, &format!("/{set}({ONE})")),
        );
        check(
            name,
            json!({field: null}),
            json!({format!("{property}@odata.bind"): null}),
        );
        // A new record has nothing to empty.
        let found = written(
            name,
            Purpose::Create,
            None,
            &json!({field: null}).to_string(),
        );
        assert_eq!(found.unwrap(), "{}");
        let problems = refused(name, Purpose::Update, &json!({field: "x"}).to_string());
        assert_eq!(problems[0].1, "bad_value", "{problems:?}");
    }
    // The contact belongs to another contact: that is not what is emptied.
    let of_contact = json!({
        "_parentcustomerid_value": ONE,
        "_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "contact",
    });
    let body = r#"{"account_id": null}"#;
    assert_eq!(
        written("contact", Purpose::Update, Some(&of_contact), body).unwrap(),
        "{}"
    );
    // The customer stands for the account.
    let of_account = json!({
        "_customerid_value": ONE,
        "_customerid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "account",
    });
    assert_eq!(
        written("opportunity", Purpose::Update, Some(&of_account), body).unwrap(),
        r#"{"parentaccountid@odata.bind":null,"customerid_account@odata.bind":null}"#
    );
}

#[test]
fn owners_are_bound_as_what_they_are() {
    for (body, set, owner) in [
        (json!({"owner_id": ONE}), "systemusers", ONE),
        // The mirror knows that this one is a team.
        (json!({"owner_id": TWO}), "teams", TWO),
        (
            json!({"owner_id": TWO, "owner_type": "user"}),
            "systemusers",
            TWO,
        ),
        (json!({"owner_type": "team", "owner_id": ONE}), "teams", ONE),
        (
            json!({"owner_id": ONE, "owner_type": null}),
            "systemusers",
            ONE,
        ),
    ] {
        check(
            "lead",
            body,
            json!({"ownerid@odata.bind": format!("/{set}({owner})")}),
        );
    }
    for (body, code) in [
        (json!({"owner_id": null}), "bad_value"),
        (json!({"owner_type": "team"}), "bad_value"),
        (
            json!({"owner_id": ONE, "owner_type": "robot"}),
            "unknown_label",
        ),
    ] {
        assert_eq!(
            refused("lead", Purpose::Update, &body.to_string())[0].1,
            code,
            "{body}"
        );
    }
}

#[test]
fn currencies_are_written_by_their_codes() {
    let bound = format!("/transactioncurrencies({TWO})");
    check(
        "account",
        json!({"currency": "sek"}),
        json!({"transactioncurrencyid@odata.bind": bound}),
    );
    let problems = refused("opportunity", Purpose::Create, r#"{"currency": "XXX"}"#);
    assert!(
        problems[0].2.ends_with("There are: EUR, SEK."),
        "{problems:?}"
    );
}

#[test]
fn states_are_written_where_dataverse_takes_them() {
    check(
        "lead",
        json!({"status": "DISQUALIFIED"}),
        json!({"statecode": 2}),
    );
    check("lead", json!({"status": "OPEN"}), json!({"statecode": 0}));
    check(
        "opportunity",
        json!({"status": "OPEN"}),
        json!({"statecode": 0}),
    );
    for name in ["lead", "opportunity"] {
        assert_eq!(
            written(name, Purpose::Create, None, r#"{"status": "OPEN"}"#).unwrap(),
            "{}"
        );
    }
    for (name, purpose, status, part) in [
        ("lead", Purpose::Update, "QUALIFIED", "QualifyLead"),
        ("opportunity", Purpose::Update, "WON", "WinOpportunity"),
        ("opportunity", Purpose::Create, "LOST", "LoseOpportunity"),
        (
            "lead",
            Purpose::Create,
            "DISQUALIFIED",
            "A new lead is OPEN",
        ),
        (
            "lead",
            Purpose::Update,
            "won",
            "There are: OPEN, QUALIFIED, DISQUALIFIED.",
        ),
    ] {
        let problems = refused(name, purpose, &json!({"status": status}).to_string());
        assert!(problems[0].2.contains(part), "{problems:?}");
        assert_eq!(problems[0].0, "status");
    }
    check(
        "account",
        json!({"lifecycle_stage": "customer"}),
        json!({"customertypecode": 3}),
    );
    check(
        "account",
        json!({"lifecycle_stage": "lead"}),
        json!({"customertypecode": 8}),
    );
    check(
        "account",
        json!({"lifecycle_stage": null}),
        json!({"customertypecode": null}),
    );
    let problems = refused(
        "account",
        Purpose::Update,
        r#"{"lifecycle_stage": "evangelist"}"#,
    );
    assert_eq!(problems[0].1, "unknown_label");
}

#[test]
fn numbers_and_addresses_go_to_the_columns_of_their_type() {
    check(
        "contact",
        json!({"phone_numbers": [
            {"phone_number": "m", "phone_number_type": "mobile"}, {"phone_number": "1"},
            {"phone_number": null, "phone_number_type": "other"},
        ]}),
        json!({"mobilephone": "m", "telephone1": "1", "telephone2": null}),
    );
    check(
        "lead",
        json!({"email_addresses": [
            {"email_address": "w@x", "email_address_type": "work"},
            {"email_address": "o@x", "email_address_type": "other"},
            {"email_address": "p@x", "email_address_type": "primary"},
        ]}),
        json!({"emailaddress2": "w@x", "emailaddress3": "o@x", "emailaddress1": "p@x"}),
    );
    for list in [json!(null), json!([])] {
        check("account", json!({"phone_numbers": list}), json!({}));
    }
    for (body, code, part) in [
        (
            json!([{"phone_number": "1", "phone_number_type": "mobile"}]),
            "no_column",
            "room for 0",
        ),
        (
            json!([{"phone_number": "1"}, {"phone_number": "2"}]),
            "no_column",
            "room for 1 of the type primary",
        ),
        (
            json!([{"phone_number": "1", "phone_number_type": "pager"}]),
            "unknown_label",
            "primary, mobile, fax, other",
        ),
        (
            json!([{"number": "1"}]),
            "read_only_field",
            "phone_numbers[0].number",
        ),
        (
            json!(["1"]),
            "wrong_type",
            "phone_numbers[0] takes an object, not text",
        ),
        (
            json!("1"),
            "wrong_type",
            "phone_numbers takes a list, not text",
        ),
        (
            json!([{"phone_number": 4755}]),
            "wrong_type",
            "takes text, not a number",
        ),
    ] {
        let body = json!({"phone_numbers": body}).to_string();
        let problems = refused("account", Purpose::Update, &body);
        assert_eq!(problems[0].1, code, "{body}");
        assert!(problems[0].2.contains(part), "{}", problems[0].2);
    }
}

#[test]
fn an_address_goes_to_where_its_type_is_now() {
    let current = json!({
        "address1_city": "Oslo", "address1_addresstypecode": 3,
        "address2_city": "Bergen", "address2_addresstypecode": 1,
    });
    let update = |body: Value| {
        written(
            "contact",
            Purpose::Update,
            Some(&current),
            &body.to_string(),
        )
    };
    let found = update(json!({"addresses": [{"address_type": "billing", "city": "Bodø"}]}));
    assert_eq!(found.unwrap(), r#"{"address2_city":"Bodø"}"#);
    // A type that the record has not yet takes the place that is empty.
    let found = update(json!({"addresses": [
        {"address_type": "shipping", "street_2": "b", "postal_code": "0150"},
        {"address_type": "primary", "country": "Norway"},
    ]}));
    assert_eq!(
        found.unwrap(),
        r#"{"address3_line2":"b","address3_line3":null,"address3_postalcode":"0150","address3_addresstypecode":2,"address1_country":"Norway"}"#
    );
    let found = written(
        "account",
        Purpose::Create,
        None,
        r#"{"addresses": [{"street_1": "a", "state": "s"}, {"address_type": "mailing", "city": "c"}]}"#,
    );
    assert_eq!(
        found.unwrap(),
        r#"{"address1_line1":"a","address1_stateorprovince":"s","address1_addresstypecode":3,"address2_city":"c","address2_addresstypecode":4}"#
    );
    // Leads have no types.
    let found = written(
        "lead",
        Purpose::Create,
        None,
        r#"{"addresses": [{"city": "c"}]}"#,
    );
    assert_eq!(found.unwrap(), r#"{"address1_city":"c"}"#);
    let full = r#"{"addresses": [{"city": "a"}, {"city": "b"}, {"city": "c"}]}"#;
    let problems = refused("account", Purpose::Create, full);
    assert_eq!(problems[0].1, "no_column", "{problems:?}");
    let problems = refused(
        "account",
        Purpose::Create,
        r#"{"addresses": [{"town": "a"}]}"#,
    );
    assert_eq!(problems[0].0, "addresses[0].town");
}

#[test]
fn custom_fields_are_columns_of_the_table() {
    let custom = |fields: Value, expected: Value| {
        check("account", json!({"custom_fields": fields}), expected);
    };
    custom(
        json!({
            "nrv_text": "x", "nrv_count": 3, "nrv_share": 0.5, "nrv_big": true, "nrv_tags": ["Energy", 2],
            "nrv_seen": "2026-03-31T08:00:00Z", "nrv_day": "2026-03-31T08:00:00Z", "nrv_key": ONE,
            "telephone2": null,
        }),
        json!({
            "nrv_text": "x", "nrv_count": 3, "nrv_share": 0.5, "nrv_big": true, "nrv_tags": "1,2",
            "nrv_seen": "2026-03-31T08:00:00Z", "nrv_day": "2026-03-31", "nrv_key": ONE,
            "telephone2": null,
        }),
    );
    custom(
        json!({"nrv_big": "Yes", "nrv_tags": "1,Retail"}),
        json!({"nrv_big": true, "nrv_tags": "1,2"}),
    );
    custom(json!(null), json!({}));
    custom(
        json!({"nrv_projectid": ONE}),
        json!({"nrv_ProjectId@odata.bind": format!("/nrv_projectset({ONE})")}),
    );
    custom(
        json!({"nrv_projectid": null}),
        json!({"nrv_ProjectId@odata.bind": null}),
    );
    custom(
        json!({"_nrv_party_value": {"id": ONE, "table": "contact"}}),
        json!({"nrv_Party_contact@odata.bind": format!("/contacts({ONE})")}),
    );
    custom(
        json!({"nrv_Party_account@odata.bind": format!("/accounts({ONE})")}),
        json!({"nrv_Party_account@odata.bind": format!("/accounts({ONE})")}),
    );
    let rows = [
        (
            json!({"nrv_nothing": 1}),
            "custom_fields.nrv_nothing",
            "unknown_field",
            "such as nrv_text",
        ),
        (
            json!({"nothing@odata.bind": "/x"}),
            "custom_fields.nothing@odata.bind",
            "unknown_field",
            "",
        ),
        (
            json!({"nrv_count": 1.5}),
            "custom_fields.nrv_count",
            "bad_value",
            "a whole number",
        ),
        (
            json!({"nrv_count": "3"}),
            "custom_fields.nrv_count",
            "wrong_type",
            "not text",
        ),
        (
            json!({"nrv_text": 3}),
            "custom_fields.nrv_text",
            "wrong_type",
            "takes text, not a number",
        ),
        (
            json!({"nrv_day": "2026-02-30"}),
            "custom_fields.nrv_day",
            "bad_value",
            "2026-02-30",
        ),
        (
            json!({"nrv_seen": "soon"}),
            "custom_fields.nrv_seen",
            "bad_value",
            "soon",
        ),
        (
            json!({"nrv_tags": ["Space"]}),
            "custom_fields.nrv_tags",
            "unknown_label",
            "Energy, Retail",
        ),
        (
            json!({"nrv_big": 2}),
            "custom_fields.nrv_big",
            "wrong_type",
            "true or false",
        ),
        (
            json!({"createdon": "2026-01-01"}),
            "custom_fields.createdon",
            "read_only_field",
            "",
        ),
        (
            json!({"accountid": ONE}),
            "custom_fields.accountid",
            "read_only_field",
            "",
        ),
        (
            json!({"nrv_party": ONE}),
            "custom_fields.nrv_party",
            "lookup_field",
            "one of account, contact",
        ),
        (
            json!({"nrv_party": {"id": ONE, "table": "account"}}),
            "custom_fields.nrv_party",
            "lookup_field",
            "odata.bind",
        ),
        (
            json!({"nrv_projectid": "x"}),
            "custom_fields.nrv_projectid",
            "bad_value",
            "GUID",
        ),
        (json!([1]), "custom_fields", "wrong_type", "an object"),
    ];
    for (fields, field, code, part) in rows {
        let body = json!({"custom_fields": fields}).to_string();
        let problems = refused("account", Purpose::Update, &body);
        assert_eq!(
            (problems[0].0.as_str(), problems[0].1),
            (field, code),
            "{body}"
        );
        assert!(problems[0].2.contains(part), "{}", problems[0].2);
    }
    let body =
        RawValue::from_string(r#"{"name": "x", "custom_fields": {"nrv_text": 1}}"#.into()).unwrap();
    assert_eq!(custom_columns(&body), ["nrv_text"]);
}

#[test]
fn everything_that_is_wrong_is_said() {
    let body = json!({
        "id": ONE, "created_at": "x", "nothing": 1, "name": 3, "last_activity_at": null,
        "description": "fine",
    });
    let problems = refused("account", Purpose::Update, &body.to_string());
    let codes: Vec<(&str, &str)> = problems
        .iter()
        .map(|(field, code, _)| (field.as_str(), *code))
        .collect();
    assert_eq!(
        codes,
        [
            ("id", "read_only_field"),
            ("created_at", "read_only_field"),
            ("nothing", "unknown_field"),
            ("name", "wrong_type"),
            ("last_activity_at", "read_only_field"),
        ]
    );
    assert!(
        problems[2]
            .2
            .contains("These can be written: owner_id, owner_type, name,"),
        "{}",
        problems[2].2
    );
    for body in ["[]", "null", "\"x\""] {
        assert_eq!(
            refused("account", Purpose::Update, body)[0].0,
            "record",
            "{body}"
        );
    }
    let problems = refused("systemuser", Purpose::Update, r#"{"title": "CFO"}"#);
    assert_eq!(problems[0].1, "read_only_field");
    let problems = refused(
        "lead",
        Purpose::Update,
        r#"{"addresses": [], "phone_numbers": [{"phone_number": "1", "phone_number_type": "fax"}]}"#,
    );
    assert_eq!(problems[0].1, "no_column");
    let problems = refused(
        "contact",
        Purpose::Update,
        r#"{"currency": "EUR", "lifecycle_stage": "lead"}"#,
    );
    assert_eq!(
        (problems[0].1, problems[1].1),
        ("unknown_field", "read_only_field")
    );
}

#[test]
fn columns_that_the_organisation_lacks_are_named() {
    let bare = table("account", vec![column("name", ColumnKind::Text)]);
    let around = Surroundings::default();
    let writing = Writing::new(&bare, Purpose::Create, None, &around).unwrap();
    let body = RawValue::from_string(r#"{"industry": "x", "annual_revenue": 1}"#.into()).unwrap();
    let problems = writing.attributes(&body).unwrap_err();
    assert_eq!(
        problems[0].to_string(),
        "industry is kept in the column industrycode, which the table account of this organisation has not."
    );
    assert_eq!(problems.len(), 2);
    assert!(Writing::new(&table("task", vec![]), Purpose::Create, None, &around).is_none());
}

#[test]
fn records_are_found_by_the_columns_that_hold_a_fields_value() {
    for (object, field, expected) in [
        (Object::Account, "industry", Sought::Column("industrycode")),
        (
            Object::Account,
            "parent_account_id",
            Sought::Column("parentaccountid"),
        ),
        (
            Object::Contact,
            "account_id",
            Sought::Ids("parentcustomerid"),
        ),
        (
            Object::Opportunity,
            "amount",
            Sought::Instead(&["estimatedvalue", "actualvalue"]),
        ),
        (
            Object::Opportunity,
            "account_id",
            Sought::Instead(&["parentaccountid", "customerid"]),
        ),
        (
            Object::Opportunity,
            "contact_id",
            Sought::Instead(&["parentcontactid", "customerid"]),
        ),
        (Object::User, "updated_at", Sought::Column("modifiedon")),
        (
            Object::User,
            "last_modified_at",
            Sought::Column("modifiedon"),
        ),
        (Object::User, "is_deleted", Sought::Instead(&[])),
    ] {
        assert_eq!(sought(object, field), Some(expected), "{field}");
    }
    assert_eq!(sought(Object::Account, "nothing"), None);
}

#[test]
fn words_are_found_by_the_numbers_that_they_are_read_from() {
    for (object, field) in [
        (Object::Account, "lifecycle_stage"),
        (Object::Lead, "status"),
        (Object::Opportunity, "status"),
        (Object::User, "is_active"),
    ] {
        let Some(Sought::Words { column, words }) = sought(object, field) else {
            panic!("{field}");
        };
        let table = table(object.table(), vec![]);
        let projection = Projection::new(&table, Labels::Delivered).unwrap();
        // Every number that may be delivered gives its word, or nothing.
        for number in 0..20 {
            let value = match column {
                "isdisabled" if number > 1 => break,
                "isdisabled" => json!(number == 1),
                _ => json!(number),
            };
            let record = json!({ column: value }).to_string();
            let record = Delivered::parse(record.as_bytes()).unwrap();
            let read = projection.object_of(Uuid::nil(), &record, false, &Known::default(), None);
            let read = serde_json::to_value(read).unwrap();
            let word = words.iter().find(|(_, own)| *own == number);
            let read = match &read[field] {
                Value::Bool(truth) => Some(truth.to_string()),
                value => value.as_str().map(str::to_owned),
            };
            assert_eq!(
                read.as_deref(),
                word.map(|(word, _)| *word),
                "{field} {number}"
            );
        }
    }
}

#[test]
fn bodies_that_go_to_where_their_fields_are_now_need_the_record() {
    for (name, body, expected) in [
        (
            "account",
            json!({"name": "a", "custom_fields": {"address1_city": "b"}}),
            false,
        ),
        (
            "account",
            json!({"name": "a", "addresses": [{"city": "b"}]}),
            true,
        ),
        ("lead", json!({"addresses": null}), false),
        (
            "contact",
            json!({"phone_numbers": [{"phone_number": "1"}]}),
            true,
        ),
        (
            "lead",
            json!({"email_addresses": [{"email_address": "a"}]}),
            true,
        ),
        ("opportunity", json!({"amount": 1}), true),
        ("opportunity", json!({"amount": null}), true),
        ("opportunity", json!({"close_date": "2026-03-31"}), true),
        (
            "opportunity",
            json!({"probability": 4, "account_id": ONE}),
            false,
        ),
        ("opportunity", json!({"account_id": null}), true),
        ("contact", json!({"account_id": null}), true),
        ("contact", json!({"account_id": ONE}), false),
        ("account", json!({"parent_account_id": null}), false),
        ("account", json!({"amount": 1}), false),
        ("account", json!(["addresses"]), false),
    ] {
        let object = Object::of_table(name).unwrap();
        let raw = RawValue::from_string(body.to_string()).unwrap();
        assert_eq!(depends_on_current(object, &raw), expected, "{name} {body}");
    }
}
