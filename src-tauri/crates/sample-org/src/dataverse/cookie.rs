//! The paging cookie: an XML element inside another, the inner one encoded twice, with upper-case
//! hex outside and lower-case inside, as it was recorded.

use percent_encoding::percent_decode_str;
use uuid::Uuid;

/// Where a page begins, and what it belongs to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cursor {
    pub page: u64,
    /// The last row that was sent.
    pub last: Option<Uuid>,
    pub first: Option<Uuid>,
    /// The version that the scan's or the delta's link will carry on from; 0 untracked.
    pub watermark: u64,
    /// The version that a delta begins after, and the last one that was sent.
    pub since: Option<(u64, u64)>,
}

impl Cursor {
    /// The value of `$skiptoken`. The attributes that carry a tracked scan on are a guess of the
    /// service's: `maxTimestamp` is known from a connector.
    pub fn write(&self, primary_id: &str) -> String {
        let id = |id: Option<Uuid>| id.unwrap_or_default().to_string().to_uppercase();
        let mut inner = format!(
            "<cookie page=\"{}\"><{primary_id} last=\"{{{}}}\" first=\"{{{}}}\"",
            self.page - 1,
            id(self.last),
            id(self.first)
        );
        if self.watermark > 0 {
            inner.push_str(&format!(" maxTimestamp=\"{}\"", self.watermark));
        }
        if let Some((since, last)) = self.since {
            inner.push_str(&format!(
                " minTimestamp=\"{since}\" lastTimestamp=\"{last}\""
            ));
        }
        inner.push_str(" /></cookie>");
        let mut twice = String::new();
        for letter in inner.chars() {
            match letter {
                '<' | '>' | '"' | '=' | ' ' | '/' | '{' | '}' => {
                    twice.push_str(&format!("%25{:02x}", letter as u32));
                }
                _ => twice.push(letter),
            }
        }
        format!(
            "%3Ccookie%20pagenumber=%22{}%22%20pagingcookie=%22{twice}%22%20istracking=%22{}%22%20/%3E",
            self.page,
            if self.watermark > 0 { "True" } else { "False" }
        )
    }

    /// Reads a cookie as it was received. A client that encoded it anew in its own way is
    /// understood, as one decoding gives the same text; one that decoded it twice is not.
    pub fn read(raw: &str, primary_id: &str, is_strict: bool) -> Option<Self> {
        let blanks = raw.replace('+', " ");
        let outer = percent_decode_str(&blanks).decode_utf8().ok()?;
        let inner = between(&outer, "pagingcookie=\"", "\"")?;
        if !inner.starts_with("%3c") {
            return None;
        }
        let inner = percent_decode_str(inner).decode_utf8().ok()?;
        let id = |name: &str| {
            between(&inner, &format!(" {name}=\"{{"), "}\"").and_then(|id| Uuid::try_parse(id).ok())
        };
        let number = |name: &str| {
            between(&inner, &format!(" {name}=\""), "\"").and_then(|text| text.parse().ok())
        };
        let cursor = Self {
            page: between(&outer, "pagenumber=\"", "\"")?.parse().ok()?,
            last: Some(id("last")?),
            first: Some(id("first")?),
            watermark: number("maxTimestamp").unwrap_or_default(),
            since: number("minTimestamp").zip(number("lastTimestamp")),
        };
        let is_ours = cursor.page > 1 && inner.contains(&format!("<{primary_id} "));
        let is_same = !is_strict || cursor.write(primary_id) == raw;
        (is_ours && is_same).then_some(cursor)
    }
}

fn between<'t>(text: &'t str, begin: &str, end: &str) -> Option<&'t str> {
    Some(text.split_once(begin)?.1.split_once(end)?.0)
}
