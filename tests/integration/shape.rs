//! The shape of a JSON text: which keys, what kind of values, how numbers are written.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// What a value looks like, whatever it says.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    Null,
    Boolean,
    Integer,
    /// So many digits after the decimal point.
    Decimal(usize),
    Text(&'static str),
    /// What its elements have in common; `None` where there is none.
    List(Option<Box<Shape>>),
    Object(BTreeMap<String, Shape>),
}

/// The shape of a JSON text.
pub fn shape(json: &str) -> Shape {
    let json = json.trim();
    match json.as_bytes().first() {
        Some(b'{') => {
            let members: BTreeMap<String, Box<RawValue>> =
                serde_json::from_str(json).expect("an object");
            Shape::Object(
                members
                    .iter()
                    .map(|(key, value)| (key.clone(), shape(value.get())))
                    .collect(),
            )
        }
        Some(b'[') => {
            let elements: Vec<Box<RawValue>> = serde_json::from_str(json).expect("a list");
            Shape::List(
                elements
                    .iter()
                    .map(|element| shape(element.get()))
                    .reduce(joined)
                    .map(Box::new),
            )
        }
        Some(b'"') => Shape::Text(kind(&serde_json::from_str::<String>(json).expect("a text"))),
        Some(b't' | b'f') => Shape::Boolean,
        Some(b'n') => Shape::Null,
        _ => json
            .split_once('.')
            .map_or(Shape::Integer, |(_, digits)| Shape::Decimal(digits.len())),
    }
}

/// What kind of text it is, as far as a client cares.
fn kind(text: &str) -> &'static str {
    let is_guid = |text: &str| {
        text.len() == 36
            && text.char_indices().all(|(place, letter)| match place {
                8 | 13 | 18 | 23 => letter == '-',
                _ => letter.is_ascii_digit() || matches!(letter, 'a'..='f'),
            })
    };
    let digits = |text: &str| {
        text.chars()
            .map(|letter| if letter.is_ascii_digit() { '9' } else { letter })
            .collect::<String>()
    };
    if is_guid(text) {
        return "guid";
    }
    if text.starts_with("http://") || text.starts_with("https://") {
        return match text.split_once('?').map(|(_, query)| query) {
            Some(query) if query.contains("$skiptoken=%3Ccookie%20pagenumber=%22") => "next link",
            Some(query) if query.contains("$deltatoken=") => "delta link",
            _ if text.contains("/$metadata#") => "context",
            _ => "address",
        };
    }
    if text.starts_with("W/\"") && text.ends_with('"') {
        return "etag";
    }
    match digits(text).as_str() {
        "9999-99-99T99:99:99Z" => "moment",
        "9999-99-99 99:99:99Z" => "moment of Entra ID",
        "9999-99-99" => "day",
        code if code.starts_with("9x") || text.starts_with("0x") => "code",
        _ => "text",
    }
}

/// What two rows of a list have in common: a null says nothing of the kind, and a key that only one
/// of them has belongs to both.
fn joined(one: Shape, other: Shape) -> Shape {
    match (one, other) {
        (Shape::Null, shape) | (shape, Shape::Null) => shape,
        (Shape::Object(mut one), Shape::Object(other)) => {
            for (key, shape) in other {
                let shape = match one.remove(&key) {
                    Some(first) => joined(first, shape),
                    None => shape,
                };
                one.insert(key, shape);
            }
            Shape::Object(one)
        }
        (Shape::List(one), Shape::List(other)) => Shape::List(match (one, other) {
            (Some(one), Some(other)) => Some(Box::new(joined(*one, *other))),
            (one, other) => one.or(other),
        }),
        (one, _) => one,
    }
}

/// What differs between a documented shape and another one, each with its place.
pub fn differences(documented: &Shape, found: &Shape) -> Vec<String> {
    let mut list = Vec::new();
    compare("", documented, found, &mut list);
    list
}

fn compare(place: &str, documented: &Shape, found: &Shape, list: &mut Vec<String>) {
    match (documented, found) {
        // A value that happens to be null shows nothing.
        (Shape::Null, _) | (_, Shape::Null) => {}
        (Shape::List(Some(documented)), Shape::List(Some(found))) => {
            compare(&format!("{place}[]"), documented, found, list);
        }
        (Shape::List(_), Shape::List(_)) => {}
        (Shape::Object(documented), Shape::Object(found)) => {
            for (key, shape) in documented {
                match found.get(key) {
                    Some(other) => compare(&format!("{place}.{key}"), shape, other, list),
                    // Annotations of a null are absent.
                    None if is_of_a_null(key, found) => {}
                    None => list.push(format!("{place}.{key} is missing")),
                }
            }
            for key in found.keys() {
                if !documented.contains_key(key) && !is_of_a_null(key, documented) {
                    list.push(format!("{place}.{key} is not documented"));
                }
            }
        }
        // How many digits follow differs between lists and single reads, and is promised nowhere.
        (Shape::Decimal(_), Shape::Decimal(1..=12)) => {}
        (documented, found) if documented == found => {}
        (documented, found) => list.push(format!("{place}: {found:?} instead of {documented:?}")),
    }
}

fn is_of_a_null(key: &str, object: &BTreeMap<String, Shape>) -> bool {
    key.split_once('@')
        .is_some_and(|(property, _)| object.get(property) == Some(&Shape::Null))
}
