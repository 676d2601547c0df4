//! Two versions of a record, property by property, as they were delivered.

use std::borrow::Cow;

use salesmirror_model::{ColumnKind, ColumnMetadata};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

const FORMATTED: &str = "@OData.Community.Display.V1.FormattedValue";
const LOOKUP_TABLE: &str = "@Microsoft.Dynamics.CRM.lookuplogicalname";

/// A record's properties in their order.
pub struct Properties<'r>(pub Vec<(Cow<'r, str>, &'r RawValue)>);

#[derive(Deserialize)]
struct Name<'r>(#[serde(borrow)] Cow<'r, str>);

impl<'de> Deserialize<'de> for Properties<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Properties<'de>;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a record")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut properties = Vec::with_capacity(128);
                while let Some((Name(name), value)) = map.next_entry()? {
                    properties.push((name, value));
                }
                Ok(Properties(properties))
            }
        }
        deserializer.deserialize_map(Visit)
    }
}

impl<'r> Properties<'r> {
    pub fn value(&self, name: &str) -> Option<&'r RawValue> {
        let found = self.0.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| *value)
    }

    /// Appends a column's value as `null` or `[value, label, table]`, as it was delivered.
    pub fn write(&self, json: &mut String, column: &ColumnMetadata) {
        let name = column.wire_name();
        let value = self.value(&name).map_or("null", RawValue::get);
        if value == "null" {
            json.push_str("null");
            return;
        }
        json.push('[');
        json.push_str(value);
        let table = match column.kind.is_lookup() {
            true => self.value(&format!("{name}{LOOKUP_TABLE}")),
            false => None,
        };
        // A text is its own label.
        let has_label = !matches!(column.kind, ColumnKind::Text | ColumnKind::Memo);
        let label = match has_label {
            true => self.value(&format!("{name}{FORMATTED}")),
            false => None,
        };
        if label.is_some() || table.is_some() {
            json.push(',');
            json.push_str(label.map_or("null", RawValue::get));
        }
        if let Some(table) = table {
            json.push(',');
            json.push_str(table.get());
        }
        json.push(']');
    }
}

/// Whether two values are the same, however they are written. What is left out is null.
pub fn is_equal(kind: ColumnKind, old: Option<&RawValue>, new: Option<&RawValue>) -> bool {
    let text = |value: Option<&RawValue>| value.map_or("null", RawValue::get).to_owned();
    match (old, new) {
        (Some(old), Some(new)) if old.get() == new.get() => return true,
        _ => {}
    }
    let (old, new) = (text(old), text(new));
    if old == new {
        return true;
    }
    if kind.is_decimal() {
        return digits(&old) == digits(&new);
    }
    let parsed = |text: &str| serde_json::from_str::<String>(text).ok();
    match (parsed(&old), parsed(&new)) {
        (Some(old), Some(new)) => old == new,
        _ => false,
    }
}

/// A number's text without zeros that mean nothing: 1.50 is 1.5, and 1E2 stays as it is.
fn digits(number: &str) -> &str {
    if !number.contains('.') || number.contains(['e', 'E']) {
        return number;
    }
    number.trim_end_matches('0').trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_compared_by_what_they_say() {
        let rows = [
            (ColumnKind::Text, r#""a""#, r#""a""#, true),
            (ColumnKind::Text, r#""a""#, r#""b""#, false),
            (ColumnKind::Text, r#""a/b""#, r#""a\/b""#, true),
            (ColumnKind::Text, "null", r#""""#, false),
            (ColumnKind::Money, "1.50", "1.5", true),
            (ColumnKind::Money, "100", "100.00", true),
            (ColumnKind::Money, "100", "10", false),
            (
                ColumnKind::Money,
                "922337203685477.5801",
                "922337203685477.5802",
                false,
            ),
            (ColumnKind::Decimal, "0.0000000001", "1E-10", false),
            (ColumnKind::Integer, "10", "100", false),
        ];
        for (kind, old, new, equal) in rows {
            let [old, new] = [old, new].map(|text| RawValue::from_string(text.into()).unwrap());
            assert_eq!(
                is_equal(kind, Some(&old), Some(&new)),
                equal,
                "{old} and {new}"
            );
        }
        let null = RawValue::from_string("null".into()).unwrap();
        assert!(is_equal(ColumnKind::Text, None, Some(&null)));
    }
}
