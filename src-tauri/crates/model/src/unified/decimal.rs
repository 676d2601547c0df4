//! Amounts with the digits that were delivered: binary numbers would lose some.

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// A decimal number as its JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decimal(Box<str>);

impl Decimal {
    /// Takes a JSON number, or a text that holds one (as with `IEEE754Compatible`); `None` for
    /// anything else.
    #[must_use]
    pub fn read(json: &RawValue) -> Option<Self> {
        let text = json.get();
        if text.starts_with('"') {
            return Self::parse(serde_json::from_str::<String>(text).ok()?.trim());
        }
        Self::parse(text)
    }

    /// Takes the text of a JSON number.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_number = text
            .bytes()
            .next()
            .is_some_and(|first| first == b'-' || first.is_ascii_digit());
        // Only what a JSON parser takes can be written into JSON as it stands.
        (is_number && serde_json::from_str::<&RawValue>(text).is_ok()).then(|| Self(text.into()))
    }

    /// Its digits.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// A whole number, where it is one: `12.0` is.
    #[must_use]
    pub fn whole(&self) -> Option<i64> {
        if let Ok(number) = self.0.parse() {
            return Some(number);
        }
        let number: f64 = self.0.parse().ok()?;
        /// The largest number up to which each whole one has a binary form.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        #[expect(clippy::cast_possible_truncation, reason = "checked just before")]
        (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.0.to_string())
            .map_err(serde::ser::Error::custom)?
            .serialize(serializer)
    }
}

#[cfg(feature = "openapi")]
mod schema {
    use utoipa::openapi::RefOr;
    use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
    use utoipa::{PartialSchema, ToSchema};

    impl PartialSchema for super::Decimal {
        fn schema() -> RefOr<Schema> {
            ObjectBuilder::new()
                .schema_type(SchemaType::Type(Type::Number))
                .description(Some("A decimal number with all its digits."))
                .build()
                .into()
        }
    }

    impl ToSchema for super::Decimal {}
}
