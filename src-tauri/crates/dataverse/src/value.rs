//! A property's JSON text as a typed cell. Whatever does not fit its column is kept as text.

use std::borrow::Cow;

use salesmirror_model::{Cell, ColumnKind, Lookup, parse_guid};

/// Stands where null is meant.
const NIL: &str = "00000000-0000-0000-0000-000000000000";

/// The cell of a property. All-zero GUIDs stand for null.
pub fn cell(kind: ColumnKind, json: &str) -> Cell {
    if json == "null" {
        return Cell::Null;
    }
    if let Some(text) = string(json) {
        return text_cell(kind, text);
    }
    match (kind, json) {
        (_, "true") => Cell::Integer(1),
        (_, "false") => Cell::Integer(0),
        (ColumnKind::Decimal | ColumnKind::Double | ColumnKind::Money, _) => number(json),
        // Columns of text keep a number's digits.
        (ColumnKind::Text | ColumnKind::Memo | ColumnKind::MultiChoice | ColumnKind::Other, _) => {
            Cell::Text(json.into())
        }
        _ => match json.parse() {
            Ok(value) => Cell::Integer(value),
            Err(_) => number(json),
        },
    }
}

fn number(json: &str) -> Cell {
    match json.parse::<f64>() {
        Ok(value) if value.is_finite() => Cell::Real(value),
        _ => Cell::Text(json.into()),
    }
}

fn text_cell(kind: ColumnKind, text: Cow<'_, str>) -> Cell {
    let fitted = match kind {
        ColumnKind::DateTime => milliseconds(&text).map(Cell::Integer),
        ColumnKind::DateOnly => days(&text).map(Cell::Integer),
        ColumnKind::Lookup | ColumnKind::Customer | ColumnKind::Owner | ColumnKind::UniqueId => {
            if text == NIL {
                return Cell::Null;
            }
            parse_guid(&text).map(|id| {
                if kind == ColumnKind::UniqueId {
                    Cell::Id(id)
                } else {
                    Cell::Lookup(Box::new(Lookup {
                        id,
                        table: None,
                        name: None,
                    }))
                }
            })
        }
        ColumnKind::Integer
        | ColumnKind::BigInteger
        | ColumnKind::Choice
        | ColumnKind::State
        | ColumnKind::Status => text.trim().parse().ok().map(Cell::Integer),
        ColumnKind::Decimal | ColumnKind::Double | ColumnKind::Money => Some(number(text.trim())),
        ColumnKind::Boolean => match text.as_ref() {
            "true" | "True" | "1" => Some(Cell::Integer(1)),
            "false" | "False" | "0" => Some(Cell::Integer(0)),
            _ => None,
        },
        _ => None,
    };
    fitted.unwrap_or_else(|| Cell::Text(text.into()))
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
fn milliseconds(text: &str) -> Option<i64> {
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
    fn values_become_cells_by_their_column() {
        let cases = [
            (
                ColumnKind::DateTime,
                "\"2026-03-12T14:27:05Z\"",
                Cell::Integer(1_773_325_625_000),
            ),
            (
                ColumnKind::DateTime,
                "\"1970-01-01T01:00:00.25+01:00\"",
                Cell::Integer(250),
            ),
            (ColumnKind::DateTime, "\"soon\"", Cell::Text("soon".into())),
            (
                ColumnKind::DateOnly,
                "\"2000-02-29\"",
                Cell::Integer(11_016),
            ),
            (ColumnKind::DateOnly, "\"1969-12-31\"", Cell::Integer(-1)),
            (ColumnKind::Money, "4990.0000000000", Cell::Real(4990.0)),
            (ColumnKind::Choice, "\"3\"", Cell::Integer(3)),
            (ColumnKind::Boolean, "true", Cell::Integer(1)),
            (
                ColumnKind::Text,
                "\"a\\nb\\u0000\"",
                Cell::Text("a\nb\0".into()),
            ),
            (
                ColumnKind::Text,
                "\"x\\ud800y\"",
                Cell::Text("x\u{fffd}y".into()),
            ),
            (ColumnKind::Text, "12.50", Cell::Text("12.50".into())),
            (
                ColumnKind::Owner,
                "\"00000000-0000-0000-0000-000000000000\"",
                Cell::Null,
            ),
            (ColumnKind::Integer, "null", Cell::Null),
        ];
        for (kind, json, expect) in cases {
            assert_eq!(cell(kind, json), expect, "{kind:?} {json}");
        }
    }
}
