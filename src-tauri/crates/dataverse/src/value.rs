//! A property's JSON text as a typed value. Whatever does not fit its column is kept as text.

use std::borrow::Cow;

use salesmirror_model::{ColumnKind, Value, parse_guid};

/// Stands where null is meant.
const NIL: &str = "00000000-0000-0000-0000-000000000000";

/// The value of a property; `None` for null, and for the all-zero GUIDs that stand for it.
pub fn value(kind: ColumnKind, json: &str) -> Option<Value<'_>> {
    if json == "null" {
        return None;
    }
    if let Some(text) = string(json) {
        return text_value(kind, text);
    }
    Some(match (kind, json) {
        (_, "true") => Value::Integer(1),
        (_, "false") => Value::Integer(0),
        (ColumnKind::Decimal | ColumnKind::Double | ColumnKind::Money, _) => number(json),
        // Columns of text keep a number's digits.
        (ColumnKind::Text | ColumnKind::Memo | ColumnKind::MultiChoice | ColumnKind::Other, _) => {
            Value::Text(json.into())
        }
        _ => match json.parse() {
            Ok(value) => Value::Integer(value),
            Err(_) => number(json),
        },
    })
}

fn number(json: &str) -> Value<'_> {
    match json.parse::<f64>() {
        Ok(value) if value.is_finite() => Value::Real(value),
        _ => Value::Text(json.into()),
    }
}

fn text_value(kind: ColumnKind, text: Cow<'_, str>) -> Option<Value<'_>> {
    let fitted = match kind {
        ColumnKind::DateTime => milliseconds(&text).map(Value::Integer),
        ColumnKind::DateOnly => days(&text).map(Value::Integer),
        ColumnKind::Lookup | ColumnKind::Customer | ColumnKind::Owner | ColumnKind::UniqueId => {
            if text == NIL {
                return None;
            }
            parse_guid(&text).map(|id| {
                if kind == ColumnKind::UniqueId {
                    Value::Id(id)
                } else {
                    Value::Lookup {
                        id,
                        table: None,
                        name: None,
                    }
                }
            })
        }
        ColumnKind::Integer
        | ColumnKind::BigInteger
        | ColumnKind::Choice
        | ColumnKind::State
        | ColumnKind::Status => text.trim().parse().ok().map(Value::Integer),
        ColumnKind::Decimal | ColumnKind::Double | ColumnKind::Money => {
            let real = text.trim().parse::<f64>().ok();
            real.filter(|value| value.is_finite()).map(Value::Real)
        }
        ColumnKind::Boolean => match text.as_ref() {
            "true" | "True" | "1" => Some(Value::Integer(1)),
            "false" | "False" | "0" => Some(Value::Integer(0)),
            _ => None,
        },
        _ => None,
    };
    Some(fitted.unwrap_or(Value::Text(text)))
}

/// The text of a JSON string; `None` for every other value. Lone surrogates, which no text can
/// hold, become the replacement character.
pub fn string(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains('\\') {
        return Some(Cow::Borrowed(inner));
    }
    Some(Cow::Owned(
        serde_json::from_str(json).unwrap_or_else(|_| without_surrogates(json)),
    ))
}

fn without_surrogates(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find("\\u") {
        let (head, tail) = rest.split_at(at);
        text.push_str(head);
        let escape = tail
            .get(2..6)
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let length = if escape.is_some() { 6 } else { 2 };
        // Every surrogate, paired or not: this text is beyond repair already.
        let is_surrogate = escape.is_some_and(|code| (0xd800..0xe000).contains(&code));
        text.push_str(if is_surrogate {
            "\u{fffd}"
        } else {
            &tail[..length.min(tail.len())]
        });
        rest = &tail[length.min(tail.len())..];
    }
    text.push_str(rest);
    serde_json::from_str(&text).unwrap_or(text)
}

/// `YYYY-MM-DD` as days since 1970-01-01.
fn days(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let (year, month, day) = (
        digits(&bytes[..4])?,
        digits(&bytes[5..7])?,
        digits(&bytes[8..])?,
    );
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Howard Hinnant's days_from_civil: the year begins in March, so that the leap day is its last.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// `YYYY-MM-DDTHH:MM:SS[.fff]Z` (or with an offset) as milliseconds since 1970-01-01 UTC.
pub fn milliseconds(text: &str) -> Option<i64> {
    let date = days(text.get(..10)?)?;
    let bytes = text.as_bytes();
    if bytes.len() < 20 || bytes[10] != b'T' || bytes[13] != b':' || bytes[16] != b':' {
        return None;
    }
    let (hour, minute) = (digits(&bytes[11..13])?, digits(&bytes[14..16])?);
    let second = digits(&bytes[17..19])?;
    let mut rest = &text[19..];
    let mut fraction = 0;
    if let Some(tail) = rest.strip_prefix('.') {
        let length = tail.bytes().take_while(u8::is_ascii_digit).count();
        let padded: String = tail[..length]
            .chars()
            .chain("000".chars())
            .take(3)
            .collect();
        fraction = padded.parse().ok()?;
        rest = &tail[length..];
    }
    let offset = match rest.as_bytes() {
        b"Z" => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let minutes = digits(&[*h1, *h2])? * 60 + digits(&[*m1, *m2])?;
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };
    Some((((date * 24 + hour) * 60 + minute - offset) * 60 + second) * 1_000 + fraction)
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0, |value, byte| {
        byte.is_ascii_digit()
            .then(|| value * 10 + i64::from(byte - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_by_their_column() {
        let cases = [
            (
                ColumnKind::DateTime,
                "\"2026-03-12T14:27:05Z\"",
                Some(Value::Integer(1_773_325_625_000)),
            ),
            (
                ColumnKind::DateTime,
                "\"1970-01-01T01:00:00.25+01:00\"",
                Some(Value::Integer(250)),
            ),
            (
                ColumnKind::DateTime,
                "\"soon\"",
                Some(Value::Text("soon".into())),
            ),
            (
                ColumnKind::DateOnly,
                "\"2000-02-29\"",
                Some(Value::Integer(11_016)),
            ),
            (
                ColumnKind::DateOnly,
                "\"1969-12-31\"",
                Some(Value::Integer(-1)),
            ),
            (
                ColumnKind::Money,
                "4990.0000000000",
                Some(Value::Real(4990.0)),
            ),
            (ColumnKind::Choice, "\"3\"", Some(Value::Integer(3))),
            (ColumnKind::Boolean, "true", Some(Value::Integer(1))),
            (
                ColumnKind::Text,
                "\"a\\nb\\u0000\"",
                Some(Value::Text("a\nb\0".into())),
            ),
            (
                ColumnKind::Text,
                "\"x\\ud800y\"",
                Some(Value::Text("x\u{fffd}y".into())),
            ),
            (ColumnKind::Text, "12.50", Some(Value::Text("12.50".into()))),
            (
                ColumnKind::Owner,
                "\"00000000-0000-0000-0000-000000000000\"",
                None,
            ),
            (ColumnKind::Integer, "null", None),
        ];
        for (kind, json, expect) in cases {
            assert_eq!(value(kind, json), expect, "{kind:?} {json}");
        }
    }
}
