//! Conditions and orders by fields, in the words of the columns that hold the fields' values.

use salesmirror_core::unified::Object;
use salesmirror_core::unified::write::{Sought, sought};
use salesmirror_core::{Error, compared, parts};
use uuid::Uuid;

/// A condition with columns where fields and their words stood.
///
/// # Errors
/// A field that no condition, or not this one, can be set for; a word that it never has.
pub fn filter(object: Object, text: &str) -> Result<String, Error> {
    let (name, rest) = split(text);
    let Some(found) = sought(object, name) else {
        return Ok(text.trim().to_owned());
    };
    let bad = |message: String, hint: String| Err(Error::usage("bad_filter", message, hint));
    match (found, parts(text)) {
        (Sought::Column(column), _) => Ok(format!("{column}{rest}")),
        (Sought::Instead(columns), _) => bad(
            format!("The list cannot be filtered by {name}, which is in no single column."),
            instead(columns),
        ),
        // What has no operator is refused whatever its column is.
        (Sought::Words { column, .. } | Sought::Ids(column), None) => Ok(format!("{column}{rest}")),
        (Sought::Words { column, words }, Some((_, operator, value))) => {
            let numbers = match (operator, value) {
                ("is-null" | "is-not-null", "") => {
                    words.iter().map(|(_, number)| *number).collect()
                }
                ("=" | "!=" | "in" | "not-in", _) => compared(operator, value)?
                    .iter()
                    .map(|word| number(name, words, word))
                    .collect::<Result<Vec<i64>, Error>>()?,
                _ => {
                    return bad(
                        format!("{name} cannot be compared with \"{operator}\"."),
                        "Use = != in not-in is-null or is-not-null.".to_owned(),
                    );
                }
            };
            let operator = match operator {
                "=" | "in" | "is-not-null" => "in",
                _ => "not-in",
            };
            let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
            Ok(format!("{column} {operator} {}", numbers.join(", ")))
        }
        (Sought::Ids(column), Some((_, operator, value))) => {
            let are_ids = matches!(operator, "=" | "in")
                && compared(operator, value)?
                    .iter()
                    .all(|value| value.trim().parse::<Uuid>().is_ok());
            match are_ids {
                true => Ok(format!("{column}{rest}")),
                false => bad(
                    format!(
                        "{name} can only be compared with ids, by = or in: its column holds others too."
                    ),
                    instead(&[column]),
                ),
            }
        }
    }
}

/// An order with the column where the field stood.
///
/// # Errors
/// A field that no single column gives the order of.
pub fn sort(object: Object, text: &str) -> Result<String, Error> {
    let (name, rest) = split(text);
    let columns = match sought(object, name) {
        None => return Ok(text.trim().to_owned()),
        Some(Sought::Column(column)) => return Ok(format!("{column}{rest}")),
        Some(Sought::Words { column, .. } | Sought::Ids(column)) => &[column][..],
        Some(Sought::Instead(columns)) => columns,
    };
    Err(Error::usage(
        "bad_sort",
        format!(
            "The list cannot be sorted by {name}: no single column has the order of its values."
        ),
        instead(columns),
    ))
}

/// The name that a text begins with, and what follows it.
fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text
        .find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'))
        .unwrap_or(text.len());
    text.split_at(end)
}

fn number(name: &str, words: &[(&str, i64)], word: &str) -> Result<i64, Error> {
    let same = |(own, _): &&(&str, i64)| own.eq_ignore_ascii_case(word.trim());
    words
        .iter()
        .find(same)
        .map(|(_, number)| *number)
        .ok_or_else(|| {
            let words: Vec<&str> = words.iter().map(|(own, _)| *own).collect();
            Error::usage(
                "bad_value",
                format!("\"{word}\" is no value of {name}."),
                format!("It has: {}.", words.join(", ")),
            )
        })
}

fn instead(columns: &[&str]) -> String {
    match columns {
        [] => "Name another field, or a column of the table.".to_owned(),
        columns => format!("Use the table's own columns: {}.", columns.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "11111111-2222-3333-4444-555555555555";

    #[test]
    fn conditions_mean_the_values_of_fields() {
        let of_account = format!("account_id = {ID}");
        let of_accounts = format!("account_id in \"{ID}\", {ID}");
        for (object, text, expected) in [
            (
                Object::Account,
                "industry = Retail",
                "industrycode = Retail",
            ),
            (Object::Account, " annual_revenue>=10 ", "revenue>=10"),
            (
                Object::Account,
                "address1_city = Bergen",
                "address1_city = Bergen",
            ),
            (
                Object::Account,
                "lifecycle_stage = customer",
                "customertypecode in 3",
            ),
            (
                Object::Account,
                "lifecycle_stage != lead",
                "customertypecode not-in 8",
            ),
            (
                Object::Account,
                "lifecycle_stage is-null",
                "customertypecode not-in 3, 8",
            ),
            (Object::Lead, "status = DISQUALIFIED", "statecode in 2"),
            (Object::Lead, "status = \"qualified\"", "statecode in 1"),
            (Object::Opportunity, "status=WON", "statecode in 1"),
            (
                Object::Opportunity,
                "status in \"WON\",LOST",
                "statecode in 1, 2",
            ),
            (
                Object::Opportunity,
                "status not-in OPEN",
                "statecode not-in 0",
            ),
            (
                Object::Opportunity,
                "status is-not-null",
                "statecode in 0, 1, 2",
            ),
            (
                Object::Opportunity,
                "statecode = Gewonnen",
                "statecode = Gewonnen",
            ),
            (Object::User, "is_active = true", "isdisabled in 0"),
            (Object::User, "is_active != true", "isdisabled not-in 0"),
            (Object::User, "is_active = False", "isdisabled in 1"),
            (Object::User, "title is-null", "title is-null"),
            (
                Object::Contact,
                of_account.as_str(),
                &of_account.replace("account_id", "parentcustomerid"),
            ),
            (
                Object::Contact,
                &of_accounts,
                &of_accounts.replace("account_id", "parentcustomerid"),
            ),
            (Object::Contact, "nonsense", "nonsense"),
            (Object::Opportunity, "status", "statecode"),
        ] {
            assert_eq!(filter(object, text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_in_no_single_column_is_refused_with_the_columns_to_use() {
        let of_account = format!("account_id = {ID}");
        for (object, text, code, named) in [
            (
                Object::Opportunity,
                "amount >= 1000",
                "bad_filter",
                "actualvalue",
            ),
            (
                Object::Opportunity,
                "close_date is-null",
                "bad_filter",
                "actualclosedate",
            ),
            (
                Object::Opportunity,
                "currency = EUR",
                "bad_filter",
                "transactioncurrencyid",
            ),
            (
                Object::Opportunity,
                of_account.as_str(),
                "bad_filter",
                "customerid",
            ),
            (
                Object::Opportunity,
                "contact_id is-null",
                "bad_filter",
                "parentcontactid",
            ),
            (
                Object::Opportunity,
                "stage = Propose",
                "bad_filter",
                "stepname",
            ),
            (
                Object::Opportunity,
                "pipeline = Sales",
                "bad_filter",
                "column",
            ),
            (
                Object::Opportunity,
                "status = Gewonnen",
                "bad_value",
                "OPEN, WON, LOST",
            ),
            (
                Object::Opportunity,
                "status = 1",
                "bad_value",
                "OPEN, WON, LOST",
            ),
            (
                Object::Opportunity,
                "status contains W",
                "bad_filter",
                "not-in",
            ),
            (
                Object::Lead,
                "converted_contact_id is-not-null",
                "bad_filter",
                "statecode",
            ),
            (
                Object::Lead,
                "addresses contains Bergen",
                "bad_filter",
                "address1_city",
            ),
            (
                Object::Account,
                "lifecycle_stage = prospect",
                "bad_value",
                "customer, lead",
            ),
            (
                Object::Contact,
                "account_id is-null",
                "bad_filter",
                "parentcustomerid",
            ),
            (
                Object::Contact,
                "account_id = Fjord",
                "bad_filter",
                "parentcustomerid",
            ),
            (Object::User, "is_active = 1", "bad_value", "true, false"),
        ] {
            let error = filter(object, text).unwrap_err();
            assert_eq!(error.code, code, "{text}");
            assert!(error.hint.contains(named), "{text}: {}", error.hint);
        }
    }

    #[test]
    fn orders_go_by_columns_that_have_the_order_of_the_values() {
        for (object, text, expected) in [
            (Object::Account, "annual_revenue:desc", Ok("revenue:desc")),
            (Object::Account, "address1_city", Ok("address1_city")),
            (Object::Contact, "updated_at", Ok("modifiedon")),
            (Object::Opportunity, "amount:desc", Err("actualvalue")),
            (Object::Opportunity, "status", Err("statecode")),
            (Object::User, "is_active", Err("isdisabled")),
            (Object::Contact, "account_id", Err("parentcustomerid")),
            (Object::Contact, "last_activity_at", Err("column")),
        ] {
            match (sort(object, text), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(error), Err(named)) => {
                    assert_eq!(error.code, "bad_sort", "{text}");
                    assert!(error.hint.contains(named), "{text}: {}", error.hint);
                }
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }
}
