//! Lists of addresses, numbers and e-mail addresses, and what they become beside what is there.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::tests::{around, metadata};
use super::*;
use crate::unified::tests::choices;

/// The choices of `addresstypecode` in an organisation, address by address; `None` for no column.
type Types<'a> = [Option<&'a [(i64, &'a str)]>; 3];

const ALL: Option<&[(i64, &str)]> =
    Some(&[(1, "Bill To"), (2, "Ship To"), (3, "Primary"), (4, "Other")]);
const DEFAULT: Option<&[(i64, &str)]> = Some(&[(1, "Default Value")]);

const FULL: Types<'_> = [ALL, ALL, ALL];
/// The usual organisation's accounts and contacts.
const USUAL: Types<'_> = [ALL, DEFAULT, DEFAULT];
/// The usual organisation's leads.
const DEFAULTS: Types<'_> = [DEFAULT, DEFAULT, DEFAULT];
const NONE: Types<'_> = [None, None, None];

/// The attributes of a body, else its first problem.
fn outcome(
    name: &str,
    types: Types<'_>,
    current: Option<&Value>,
    purpose: Purpose,
    body: &Value,
) -> Result<Value, String> {
    let mut table = metadata(name);
    for (types, number) in types.into_iter().zip(1..) {
        let column = format!("address{number}_addresstypecode");
        let has_address = table.column(&column).is_some();
        let columns = table.columns.into_iter();
        let mut columns: Vec<_> = columns
            .filter(|other| other.logical_name != column)
            .collect();
        if let Some(types) = types.filter(|_| has_address) {
            columns.push(choices(&column, types));
        }
        table.columns = columns;
        table = crate::unified::tests::table(name, table.columns);
    }
    let around = around();
    let current = current.map(Value::to_string);
    let current = current
        .as_ref()
        .map(|text| Delivered::parse(text.as_bytes()).unwrap());
    let writing = Writing::new(&table, purpose, current.as_ref(), &around).unwrap();
    let body = RawValue::from_string(body.to_string()).unwrap();
    match writing.attributes(&body) {
        Ok(attributes) => Ok(serde_json::from_str(&attributes.json()).unwrap()),
        Err(problems) => Err(format!("{} {}", problems[0].code(), problems[0])),
    }
}

fn check_update(name: &str, types: Types<'_>, current: &Value, body: &Value, expected: Value) {
    let found = outcome(name, types, Some(current), Purpose::Update, body);
    assert_eq!(found, Ok(expected), "{name} {current} {body}");
}

#[test]
fn an_address_without_a_type_goes_to_the_main_one() {
    // What is there, what is given, what is written.
    for (name, types, current, given, expected) in [
        // No type was ever chosen: the first is the main one, and stays without a type.
        (
            "account",
            FULL,
            json!({"address1_city": "a"}),
            json!([{"city": "b"}]),
            json!({"address1_city": "b"}),
        ),
        (
            "lead",
            NONE,
            json!({"address1_city": "a"}),
            json!([{"city": "b"}]),
            json!({"address1_city": "b"}),
        ),
        (
            "lead",
            DEFAULTS,
            json!({"address1_city": "a", "address1_addresstypecode": 1, "address2_addresstypecode": 1}),
            json!([{"city": "b"}]),
            json!({"address1_city": "b"}),
        ),
        // By position.
        (
            "lead",
            DEFAULTS,
            json!({"address1_city": "a", "address1_addresstypecode": 1, "address2_city": "b", "address2_addresstypecode": 1}),
            json!([{"city": "c"}, {"city": "d"}]),
            json!({"address1_city": "c", "address2_city": "d"}),
        ),
        (
            "contact",
            USUAL,
            json!({"address1_city": "a", "address1_addresstypecode": 3, "address2_addresstypecode": 1}),
            json!([{"city": "b"}, {"city": "c"}]),
            json!({"address1_city": "b", "address2_city": "c"}),
        ),
        // Its type says where the main one is.
        (
            "account",
            FULL,
            json!({"address1_city": "a", "address1_addresstypecode": 1, "address2_city": "b", "address2_addresstypecode": 3}),
            json!([{"city": "c"}]),
            json!({"address2_city": "c"}),
        ),
        // One that bills stays what it is.
        (
            "account",
            FULL,
            json!({"address1_city": "a", "address1_addresstypecode": 1}),
            json!([{"city": "c"}]),
            json!({"address2_city": "c", "address2_addresstypecode": 3}),
        ),
    ] {
        check_update(
            name,
            types,
            &current,
            &json!({"addresses": given}),
            expected,
        );
    }
}

#[test]
fn an_address_with_a_type_goes_by_position_where_types_are_not_kept() {
    for (name, types, current, given, expected) in [
        (
            "contact",
            USUAL,
            json!({"address1_city": "a", "address2_city": "b", "address2_addresstypecode": 1}),
            json!([{"city": "c", "address_type": "primary"}]),
            json!({"address1_city": "c", "address1_addresstypecode": 3}),
        ),
        (
            "lead",
            NONE,
            json!({"address1_city": "a", "address2_city": "b"}),
            json!([{"city": "c", "address_type": "primary"}, {"city": "d", "address_type": "other"}]),
            json!({"address1_city": "c", "address2_city": "d"}),
        ),
        (
            "lead",
            DEFAULTS,
            json!({"address1_city": "a", "address1_addresstypecode": 1, "address2_city": "b", "address2_addresstypecode": 1}),
            json!([{"city": "d", "address_type": "billing"}, {"city": "c", "address_type": "primary"}]),
            json!({"address2_city": "d", "address1_city": "c"}),
        ),
        // As they were read.
        (
            "contact",
            USUAL,
            json!({"address1_city": "a", "address2_city": "b", "address2_addresstypecode": 1, "address3_city": "c"}),
            json!([
                {"city": "a", "address_type": "other"}, {"city": "b", "address_type": "billing"},
                {"city": "c", "address_type": "other"},
            ]),
            json!({"address1_city": "a", "address2_city": "b", "address3_city": "c"}),
        ),
        // One more than was read.
        (
            "account",
            FULL,
            json!({"address1_city": "a"}),
            json!([{"city": "a", "address_type": "other"}, {"city": "b", "address_type": "primary"}]),
            json!({"address1_city": "a", "address2_city": "b", "address2_addresstypecode": 3}),
        ),
        // What is no other one by default becomes one.
        (
            "account",
            USUAL,
            json!({"address1_city": "a", "address1_addresstypecode": 3, "address2_addresstypecode": 1}),
            json!([{"city": "b", "address_type": "mailing"}]),
            json!({"address2_city": "b", "address2_addresstypecode": null}),
        ),
        // A lead's only address, whatever it is called.
        (
            "lead",
            DEFAULTS,
            json!({"address1_city": "a", "address1_addresstypecode": 1}),
            json!([{"city": "b", "address_type": "shipping"}]),
            json!({"address1_city": "b"}),
        ),
        (
            "lead",
            NONE,
            json!({}),
            json!([{"city": "b", "address_type": "billing"}]),
            json!({"address1_city": "b"}),
        ),
    ] {
        check_update(
            name,
            types,
            &current,
            &json!({"addresses": given}),
            expected,
        );
    }
    // A new record's main address is the first, wherever it stands in the list.
    let body = json!({"addresses": [{"city": "b", "address_type": "billing"}, {"city": "a", "address_type": "primary"}]});
    for (name, types, expected) in [
        (
            "contact",
            FULL,
            json!({"address2_city": "b", "address2_addresstypecode": 1, "address1_city": "a", "address1_addresstypecode": 3}),
        ),
        (
            "lead",
            DEFAULTS,
            json!({"address2_city": "b", "address2_addresstypecode": 1, "address1_city": "a"}),
        ),
    ] {
        let found = outcome(name, types, None, Purpose::Create, &body);
        assert_eq!(found, Ok(expected), "{name}");
    }
}

#[test]
fn a_type_that_cannot_be_kept_is_refused() {
    for (name, types, current, given, expected) in [
        (
            "account",
            USUAL,
            json!({"address1_city": "a", "address1_addresstypecode": 3}),
            json!([{"city": "b", "address_type": "shipping"}]),
            "unknown_label addresses[0].address_type cannot be shipping: address2_addresstypecode",
        ),
        (
            "lead",
            NONE,
            json!({"address1_city": "a"}),
            json!([{"city": "b", "address_type": "primary"}, {"city": "c", "address_type": "billing"}]),
            "unknown_label addresses[1].address_type cannot be billing: address2_addresstypecode",
        ),
        (
            "lead",
            DEFAULTS,
            json!({}),
            json!([{"city": "b"}, {"city": "c", "address_type": "shipping"}]),
            "unknown_label addresses[1].address_type cannot be shipping: address2_addresstypecode",
        ),
        (
            "account",
            FULL,
            json!({
                "address1_city": "a", "address1_addresstypecode": 3,
                "address2_city": "b", "address2_addresstypecode": 1,
            }),
            json!([{"city": "c", "address_type": "shipping"}]),
            "no_column addresses has room for 0 of the type shipping here.",
        ),
    ] {
        let body = json!({"addresses": given});
        let found = outcome(name, types, Some(&current), Purpose::Update, &body);
        let problem = found.expect_err(&body.to_string());
        assert!(problem.starts_with(expected), "{problem}");
    }
}

#[test]
fn a_list_that_was_read_can_be_written_back() {
    let mails = |list: &[(&str, Option<&str>)]| {
        let entry = |(kind, value): &(&str, Option<&str>)| json!({"email_address": value, "email_address_type": kind});
        json!({"email_addresses": list.iter().map(entry).collect::<Vec<_>>()})
    };
    let (main, other, work) = ("primary", "other", "work");
    // emailaddress1 to 3 now, the list, what is written.
    for (now, list, expected) in [
        // Written back as it was read.
        (
            [Some("a"), None, Some("c")],
            mails(&[(main, Some("a")), (other, Some("c"))]),
            json!({"emailaddress1": "a", "emailaddress2": null, "emailaddress3": "c"}),
        ),
        // One goes.
        (
            [Some("a"), Some("b"), Some("c")],
            mails(&[(main, Some("a")), (other, Some("c"))]),
            json!({"emailaddress1": "a", "emailaddress2": null, "emailaddress3": "c"}),
        ),
        (
            [Some("a"), Some("b"), Some("c")],
            mails(&[(other, Some("b"))]),
            json!({"emailaddress2": "b", "emailaddress3": null}),
        ),
        // One comes, before the one that is there.
        (
            [Some("a"), None, Some("c")],
            mails(&[(work, Some("d")), (other, Some("c"))]),
            json!({"emailaddress2": "d", "emailaddress3": "c"}),
        ),
        // One takes the place of another.
        (
            [Some("a"), Some("b"), Some("c")],
            mails(&[(other, Some("d")), (other, Some("b"))]),
            json!({"emailaddress2": "b", "emailaddress3": "d"}),
        ),
        (
            [Some("a"), Some("b"), None],
            mails(&[(main, Some("d"))]),
            json!({"emailaddress1": "d"}),
        ),
        // Spaces at the ends make no other address.
        (
            [None, None, Some("c ")],
            mails(&[(other, Some("c"))]),
            json!({"emailaddress2": null, "emailaddress3": "c"}),
        ),
        // A type without a value has none any more.
        (
            [Some("a"), Some("b"), Some("c")],
            mails(&[(other, None)]),
            json!({"emailaddress2": null, "emailaddress3": null}),
        ),
    ] {
        let columns = ["emailaddress1", "emailaddress2", "emailaddress3"];
        let current: Value = columns.into_iter().map(str::to_owned).zip(now).collect();
        check_update("contact", FULL, &current, &list, expected);
    }
    let body = json!({"phone_numbers": [
        {"phone_number": "2", "phone_number_type": "other"}, {"phone_number": "1"},
    ]});
    let current = json!({"telephone2": "2", "mobilephone": "3"});
    check_update(
        "contact",
        FULL,
        &current,
        &body,
        json!({"telephone2": "2", "telephone1": "1"}),
    );
    // A new record has nothing to empty.
    let body = mails(&[(other, Some("b")), (main, None)]);
    let found = outcome("contact", FULL, None, Purpose::Create, &body);
    assert_eq!(found, Ok(json!({"emailaddress2": "b"})));
    let body = mails(&[
        (other, Some("b")),
        (work, Some("c")),
        (other, None),
        (other, Some("d")),
    ]);
    let found = outcome("contact", FULL, None, Purpose::Create, &body);
    let problem = "no_column email_addresses has room for 2 of the type other here.";
    assert_eq!(found, Err(problem.to_owned()));
}
