//! What is written to a record.

use serde::Serialize;
use serde::ser::Serializer;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use crate::{Error, Result};

/// A record's attributes as Dataverse takes them: names (`name`, `parentcustomerid_account@odata.bind`)
/// with their JSON, whose digits stay as they are.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(transparent)]
pub struct Attributes(ObjectOf);

impl Attributes {
    /// Reads a JSON object; numbers keep their digits.
    ///
    /// # Errors
    /// [`Error::NotSent`] where it is none.
    pub fn read(json: &str) -> Result<Self> {
        let object: ObjectOf = serde_json::from_str(json)
            .map_err(|error| Error::NotSent(format!("A record is a JSON object: {error}.")))?;
        Ok(Self(object))
    }

    /// Sets an attribute; `()` or `None` is null.
    ///
    /// # Errors
    /// [`Error::NotSent`] where the value makes no JSON.
    pub fn set(&mut self, name: &str, value: impl Serialize) -> Result<()> {
        let json = to_raw_value(&value)
            .map_err(|error| Error::NotSent(format!("{name} cannot be written: {error}.")))?;
        self.0.0.retain(|(known, _)| known != name);
        self.0.0.push((name.to_owned(), json));
        Ok(())
    }

    /// The names with their JSON.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let parts = self.0.0.iter();
        parts.map(|(name, json)| (name.as_str(), json.get()))
    }

    /// Whether nothing is to be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.0.is_empty()
    }
}

impl From<Map<String, Value>> for Attributes {
    fn from(object: Map<String, Value>) -> Self {
        // A value that was read once makes JSON again.
        let parts = object
            .into_iter()
            .filter_map(|(name, value)| Some((name, to_raw_value(&value).ok()?)));
        Self(ObjectOf(parts.collect()))
    }
}

/// A JSON object in its own order. Of a name that comes twice the last one counts.
#[derive(Debug, Clone, Default)]
pub struct ObjectOf(pub Vec<(String, Box<RawValue>)>);

impl Serialize for ObjectOf {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, json)| (name, json)))
    }
}

impl<'de> serde::Deserialize<'de> for ObjectOf {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = ObjectOf;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<M: serde::de::MapAccess<'de>>(
                self,
                mut map: M,
            ) -> Result<ObjectOf, M::Error> {
                let mut parts: Vec<(String, Box<RawValue>)> = Vec::new();
                while let Some((name, json)) = map.next_entry::<String, Box<RawValue>>()? {
                    parts.retain(|(known, _)| *known != name);
                    parts.push((name, json));
                }
                Ok(ObjectOf(parts))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}
