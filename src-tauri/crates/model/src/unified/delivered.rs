//! A record as it was delivered, property by property.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use rustc_hash::FxBuildHasher;
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::Decimal;
use crate::parse_guid;

const FORMATTED: &str = "@OData.Community.Display.V1.FormattedValue";
const LOOKUP_TABLE: &str = "@Microsoft.Dynamics.CRM.lookuplogicalname";
/// Properties of a usual record that are not null, its annotations included.
const USUAL_PROPERTIES: usize = 96;

/// The properties of a record that are not null, as JSON texts.
#[derive(Debug, Default)]
pub struct Delivered<'r>(HashMap<Cow<'r, str>, &'r RawValue, FxBuildHasher>);

/// A reference to another record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The target's id.
    pub id: Uuid,
    /// The target's table, where it is known.
    pub table: Option<String>,
}

impl<'r> Delivered<'r> {
    /// Reads a JSON object.
    ///
    /// # Errors
    /// What is no JSON object.
    pub fn parse(json: &'r [u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(json)
    }

    /// All properties that are not null, in no order.
    pub fn properties(&self) -> impl Iterator<Item = (&str, &'r RawValue)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), *value))
    }

    /// A property that is not null.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&'r RawValue> {
        self.0.get(name).copied()
    }

    /// A property as text: a string, or the digits of a number.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.value(name).map(text)
    }

    /// The same, where it says something.
    #[must_use]
    pub fn filled(&self, name: &str) -> Option<String> {
        self.text(name).filter(|text| !text.trim().is_empty())
    }

    /// A number with its digits.
    #[must_use]
    pub fn decimal(&self, name: &str) -> Option<Decimal> {
        Decimal::read(self.value(name)?)
    }

    /// A whole number.
    #[must_use]
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.decimal(name)?.whole()
    }

    /// Yes or no; numbers are taken too.
    #[must_use]
    pub fn boolean(&self, name: &str) -> Option<bool> {
        match self.value(name)?.get() {
            "true" => Some(true),
            "false" => Some(false),
            _ => self.integer(name).map(|number| number != 0),
        }
    }

    /// The value as the organisation formatted it.
    #[must_use]
    pub fn formatted(&self, name: &str) -> Option<String> {
        self.filled(&format!("{name}{FORMATTED}"))
    }

    /// An id.
    #[must_use]
    pub fn id(&self, name: &str) -> Option<Uuid> {
        parse_guid(&self.text(name)?)
    }

    /// A lookup by its column's logical name, with the table that the annotation names.
    #[must_use]
    pub fn reference(&self, column: &str) -> Option<Reference> {
        let name = format!("_{column}_value");
        Some(Reference {
            id: self.id(&name)?,
            table: self.filled(&format!("{name}{LOOKUP_TABLE}")),
        })
    }

    /// The name of a lookup's target as the organisation formatted it.
    #[must_use]
    pub fn reference_name(&self, column: &str) -> Option<String> {
        self.formatted(&format!("_{column}_value"))
    }
}

/// A JSON value as text. Half characters, which JSON can hold and text cannot, become U+FFFD.
pub(super) fn text(value: &RawValue) -> String {
    let json = value.get();
    if !json.starts_with('"') {
        return json.to_owned();
    }
    let lossy = || serde_json::from_str::<Lossy>(json).map(|text| text.0);
    serde_json::from_str(json)
        .or_else(|_| lossy())
        .unwrap_or_default()
}

struct Lossy(String);

impl<'de> Deserialize<'de> for Lossy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl Visitor<'_> for Visit {
            type Value = Lossy;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a text")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
                Ok(Lossy(String::from_utf8_lossy(bytes).into_owned()))
            }
        }
        deserializer.deserialize_bytes(Visit)
    }
}

#[derive(Deserialize)]
struct Name<'r>(#[serde(borrow)] Cow<'r, str>);

impl<'de: 'r, 'r> Deserialize<'de> for Delivered<'r> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Delivered<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a record")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut properties =
                    HashMap::with_capacity_and_hasher(USUAL_PROPERTIES, FxBuildHasher);
                while let Some((Name(name), value)) = map.next_entry::<Name<'_>, &RawValue>()? {
                    // Most columns of most records are empty.
                    if value.get() != "null" {
                        properties.insert(name, value);
                    }
                }
                Ok(Delivered(properties))
            }
        }
        deserializer.deserialize_map(Visit)
    }
}
