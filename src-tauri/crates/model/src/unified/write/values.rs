//! Single values: from JSON to what a column takes.

use serde::Deserialize as _;
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::Problem;
use crate::unified::Decimal;
use crate::unified::delivered::text as lossy_text;
use crate::{Choice, ColumnKind, ColumnMetadata, parse_guid};

/// A JSON value by its type.
pub(super) enum Found<'r> {
    Null,
    Text(String),
    Number(Decimal),
    Boolean(bool),
    List(&'r RawValue),
    Object(&'r RawValue),
}

pub(super) fn found(value: &RawValue) -> Found<'_> {
    match value.get().as_bytes().first() {
        Some(b'"') => Found::Text(lossy_text(value)),
        Some(b't') => Found::Boolean(true),
        Some(b'f') => Found::Boolean(false),
        Some(b'[') => Found::List(value),
        Some(b'{') => Found::Object(value),
        _ => Decimal::read(value).map_or(Found::Null, Found::Number),
    }
}

impl Found<'_> {
    /// Its type, as a sentence names it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Text(_) => "text",
            Self::Number(_) => "a number",
            Self::Boolean(_) => "true or false",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }

    pub fn wrong(&self, field: &str, expected: &'static str) -> Problem {
        Problem::WrongType {
            field: field.to_owned(),
            expected,
            found: self.kind(),
        }
    }

    pub fn not_one_of(&self, field: &str, words: &[&str]) -> Problem {
        match self {
            Self::Text(text) => {
                let words = words.iter().map(|word| (*word).to_owned()).collect();
                Problem::unknown_label(field, text, words)
            }
            other => other.wrong(field, "one of some words"),
        }
    }
}

pub(super) fn kind(value: &RawValue) -> &'static str {
    found(value).kind()
}

/// The properties of a JSON object, in their order; `None` where it is none.
pub(super) fn object(value: &RawValue) -> Option<Vec<(String, &RawValue)>> {
    struct Visit;
    impl<'de> serde::de::Visitor<'de> for Visit {
        type Value = Vec<(String, &'de RawValue)>;

        fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("an object")
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(
            self,
            mut map: A,
        ) -> Result<Self::Value, A::Error> {
            let mut properties = Vec::new();
            while let Some(property) = map.next_entry()? {
                properties.push(property);
            }
            Ok(properties)
        }
    }
    let mut deserializer = serde_json::Deserializer::from_str(value.get());
    serde::Deserializer::deserialize_map(&mut deserializer, Visit).ok()
}

/// The entries of a JSON list; `None` where it is none.
pub(super) fn list(value: &RawValue) -> Option<Vec<&RawValue>> {
    let mut deserializer = serde_json::Deserializer::from_str(value.get());
    Vec::deserialize(&mut deserializer).ok()
}

pub(super) fn text(field: &str, value: &RawValue) -> Result<Option<String>, Problem> {
    match found(value) {
        Found::Null => Ok(None),
        Found::Text(text) => Ok(Some(text)),
        other => Err(other.wrong(field, "text")),
    }
}

pub(super) fn id(field: &str, value: &RawValue) -> Result<Option<Uuid>, Problem> {
    const ID: &str = "the id of a record (a GUID)";
    match found(value) {
        Found::Null => Ok(None),
        Found::Text(text) => match parse_guid(&text) {
            Some(id) => Ok(Some(id)),
            None => Err(bad(field, ID, &text)),
        },
        other => Err(other.wrong(field, ID)),
    }
}

/// A value as a column takes it.
pub(super) fn value(
    field: &str,
    column: &ColumnMetadata,
    value: &RawValue,
) -> Result<Box<RawValue>, Problem> {
    let found = found(value);
    if matches!(found, Found::Null) {
        return Ok(RawValue::NULL.to_owned());
    }
    let json = match column.kind {
        ColumnKind::Text | ColumnKind::Memo => match found {
            Found::Text(text) => Value::from(text),
            other => return Err(other.wrong(field, "text")),
        },
        ColumnKind::Integer | ColumnKind::BigInteger => whole(field, &found)?.into(),
        ColumnKind::Decimal | ColumnKind::Double | ColumnKind::Money => {
            return decimal(field, &found);
        }
        ColumnKind::Boolean => match found {
            Found::Boolean(is_so) => is_so.into(),
            Found::Text(label) => (choice(field, column, &label)? != 0).into(),
            other => return Err(other.wrong(field, "true or false")),
        },
        ColumnKind::Choice | ColumnKind::State | ColumnKind::Status => {
            labelled(field, column, &found)?.into()
        }
        ColumnKind::MultiChoice => several(field, column, &found)?.into(),
        ColumnKind::DateOnly => match &found {
            Found::Text(text) => day(text)
                .ok_or_else(|| bad(field, "a day such as 2026-03-31", text))?
                .into(),
            other => return Err(other.wrong(field, "a day such as 2026-03-31")),
        },
        ColumnKind::DateTime => match &found {
            Found::Text(text) if day(text).is_some() => text.trim().into(),
            Found::Text(text) => return Err(bad(field, MOMENT, text)),
            other => return Err(other.wrong(field, MOMENT)),
        },
        ColumnKind::UniqueId => id(field, value)?.map(|id| id.to_string()).into(),
        // Dataverse says what it does not take.
        ColumnKind::Lookup | ColumnKind::Customer | ColumnKind::Owner | ColumnKind::Other => {
            return Ok(value.to_owned());
        }
    };
    serde_json::value::to_raw_value(&json).map_err(|_| bad(field, "a value", value.get()))
}

const MOMENT: &str = "a moment such as 2026-03-31T08:00:00Z";

fn bad(field: &str, expected: &'static str, value: &str) -> Problem {
    Problem::BadValue {
        field: field.to_owned(),
        expected,
        value: value.to_owned(),
    }
}

fn whole(field: &str, found: &Found<'_>) -> Result<i64, Problem> {
    const WHOLE: &str = "a whole number";
    match found {
        Found::Number(number) => number
            .whole()
            .ok_or_else(|| bad(field, WHOLE, number.digits())),
        other => Err(other.wrong(field, WHOLE)),
    }
}

fn decimal(field: &str, found: &Found<'_>) -> Result<Box<RawValue>, Problem> {
    const NUMBER: &str = "a number";
    let number = match found {
        Found::Number(number) => number.clone(),
        Found::Text(text) => Decimal::parse(text.trim()).ok_or_else(|| bad(field, NUMBER, text))?,
        other => return Err(other.wrong(field, NUMBER)),
    };
    let digits = number.digits().to_owned();
    RawValue::from_string(digits).map_err(|_| bad(field, NUMBER, number.digits()))
}

/// The number of a choice, by its label or by itself.
fn labelled(field: &str, column: &ColumnMetadata, found: &Found<'_>) -> Result<i64, Problem> {
    match found {
        Found::Text(label) => choice(field, column, label),
        Found::Number(number) => {
            let value = number.whole();
            let value =
                value.ok_or_else(|| bad(field, "a label or a whole number", number.digits()))?;
            let is_known = column.choices.iter().any(|choice| choice.value == value);
            // Where the metadata lists nothing, Dataverse knows better.
            match is_known || column.choices.is_empty() {
                true => Ok(value),
                false => Err(unknown(field, column, number.digits())),
            }
        }
        other => Err(other.wrong(field, "a label or a whole number")),
    }
}

fn choice(field: &str, column: &ColumnMetadata, label: &str) -> Result<i64, Problem> {
    let label = label.trim();
    let same = |test: &dyn Fn(&Choice) -> bool| -> Vec<i64> {
        let choices = column.choices.iter().filter(|choice| test(choice));
        choices.map(|choice| choice.value).collect()
    };
    let lower = label.to_lowercase();
    let exact = same(&|choice| choice.label == label);
    let values = match exact.is_empty() {
        true => same(&|choice| choice.label.trim().to_lowercase() == lower),
        false => exact,
    };
    match values.as_slice() {
        [value] => Ok(*value),
        // A value without a label is read as its number.
        [] => match label.parse() {
            Ok(number)
                if column.choices.is_empty()
                    || column.choices.iter().any(|choice| choice.value == number) =>
            {
                Ok(number)
            }
            _ => Err(unknown(field, column, label)),
        },
        _ => Err(Problem::AmbiguousLabel {
            field: field.to_owned(),
            label: label.to_owned(),
            values,
        }),
    }
}

fn unknown(field: &str, column: &ColumnMetadata, label: &str) -> Problem {
    let labels = column.choices.iter().map(|choice| choice.label.clone());
    Problem::unknown_label(field, label, labels.collect())
}

/// Several choices: a list of labels and numbers, or the text that Dataverse has, `1,2,3`.
fn several(field: &str, column: &ColumnMetadata, found: &Found<'_>) -> Result<String, Problem> {
    const SEVERAL: &str = "a list of labels or whole numbers";
    let numbers: Vec<i64> = match found {
        Found::List(entries) => list(entries)
            .unwrap_or_default()
            .into_iter()
            .map(|entry| labelled(field, column, &self::found(entry)))
            .collect::<Result<_, _>>()?,
        Found::Text(text) => text
            .split([',', ';'])
            .filter(|part| !part.trim().is_empty())
            .map(|part| choice(field, column, part))
            .collect::<Result<_, _>>()?,
        other => return Err(other.wrong(field, SEVERAL)),
    };
    let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
    Ok(numbers.join(","))
}

/// The day that a text begins with.
fn day(text: &str) -> Option<String> {
    let text = text.trim();
    let (date, rest) = (text.get(..10)?, text.get(10..)?);
    let mut parts = date.splitn(3, '-');
    let mut part = |digits: usize| -> Option<u32> {
        let part = parts.next()?;
        let is_number = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| part.parse().ok())?
    };
    let (year, month, day) = (part(4)?, part(2)?, part(2)?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    let is_day = year > 0 && (1..=last).contains(&day);
    (is_day && (rest.is_empty() || rest.starts_with(['T', 't', ' ']))).then(|| date.to_owned())
}
