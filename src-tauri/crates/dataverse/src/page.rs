//! Pages of records: JSON text in, typed rows out. A hundred thousand rows a second, so each row is
//! handed on while its text is still in the processor's cache, and nothing is copied on the way.

use std::borrow::Cow;
use std::fmt;
use std::io::Read;

use rustc_hash::FxHashMap;
use salesmirror_model::{Change, Collect, PageEnd, Record, TableMetadata, Value, parse_guid};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::attributes::ObjectOf;
use crate::text::{Text, cut_off};
use crate::value::{string, value};
use crate::{Error, Result};

const FORMATTED: &str = "@OData.Community.Display.V1.FormattedValue";
const LOOKUP_TABLE: &str = "@Microsoft.Dynamics.CRM.lookuplogicalname";
const METADATA_VERSION: &str = "@Microsoft.Dynamics.CRM.globalmetadataversion";

/// Reads one page; each of its rows goes to `rows`.
///
/// # Errors
/// [`Error::Unavailable`] where the body is an HTML page or cut off, [`Error::BadReply`] where it is
/// JSON but no page. `rows` may have taken some rows by then.
pub fn read_page(
    table: &TableMetadata,
    body: impl Read,
    rows: &mut dyn Collect,
) -> Result<PageEnd> {
    let mut text = Text::new(body)?;
    match text.peek()? {
        Some(b'{') => {}
        Some(b'<') => {
            return Err(Error::Unavailable(
                "an HTML page instead of data".to_owned(),
            ));
        }
        Some(b'[' | b'"') => return Err(Error::BadReply("JSON that is no page".to_owned())),
        _ => return Err(cut_off()),
    }
    let mut end = PageEnd::default();
    let mut is_page = false;
    text.take(b'{')?;
    while !text.take(b'}')? {
        let key = utf8(text.value()?);
        let key = string(&key).ok_or_else(cut_off)?.into_owned();
        if !text.take(b':')? {
            return Err(cut_off());
        }
        match key.as_str() {
            "value" => {
                is_page = true;
                read_rows(table, &mut text, rows, &mut end)?;
            }
            "@odata.nextLink" => end.next_link = read_text(&mut text)?,
            "@odata.deltaLink" => end.delta_link = read_text(&mut text)?,
            METADATA_VERSION => end.metadata_version = read_text(&mut text)?,
            other => {
                is_page |= other == "@odata.context";
                text.value()?;
            }
        }
        if !text.take(b',')? && text.peek()? != Some(b'}') {
            return Err(cut_off());
        }
    }
    if text.peek()?.is_some() {
        return Err(cut_off());
    }
    if !is_page && end.delta_link.is_none() {
        return Err(Error::BadReply("a page without records".to_owned()));
    }
    end.bytes = text.bytes;
    Ok(end)
}

fn read_rows<R: Read>(
    table: &TableMetadata,
    text: &mut Text<R>,
    rows: &mut dyn Collect,
    end: &mut PageEnd,
) -> Result<()> {
    if !text.take(b'[')? {
        return match text.value()? {
            b"null" => Ok(()),
            _ => Err(Error::BadReply("records that are no list".to_owned())),
        };
    }
    let slots = Slots::new(table);
    while !text.take(b']')? {
        end.rows += 1;
        match read_row(&slots, table, &utf8(text.value()?)) {
            Ok(change) => rows.take(change),
            Err(Unreadable::Broken) => return Err(cut_off()),
            Err(Unreadable::Unusable(reason)) => end.unreadable.push(reason),
        }
        if !text.take(b',')? && text.peek()? != Some(b']') {
            return Err(cut_off());
        }
    }
    Ok(())
}

/// A text, or a number that came where text belongs; `None` for null.
fn read_text<R: Read>(text: &mut Text<R>) -> Result<Option<String>> {
    let json = utf8(text.value()?);
    let read = string(&json).unwrap_or(Cow::Borrowed(&json));
    Ok((*json != *"null").then(|| read.into_owned()))
}

/// Reads a single record.
///
/// # Errors
/// [`Error::BadReply`] where the body is no record of this table.
pub fn read_record(table: &TableMetadata, body: &[u8], rows: &mut dyn Collect) -> Result<()> {
    let text = as_row(utf8(without_mark(body)));
    match read_row(&Slots::new(table), table, &text) {
        Ok(change @ Change::Upsert(_)) => {
            rows.take(change);
            Ok(())
        }
        Ok(Change::Delete(_)) => Err(Error::BadReply("a deleted entry".to_owned())),
        Err(Unreadable::Broken) => Err(Error::BadReply("no record".to_owned())),
        Err(Unreadable::Unusable(reason)) => Err(Error::BadReply(reason)),
    }
}

/// A record that was read by itself as a row of a page: without what the reply says of itself.
fn as_row(text: Cow<'_, str>) -> Cow<'_, str> {
    const OWN: [&str; 2] = ["@odata.context", METADATA_VERSION];
    if OWN.iter().all(|name| !text.contains(name)) {
        return text;
    }
    let Ok(mut record) = serde_json::from_str::<ObjectOf>(&text) else {
        return text;
    };
    // What says that it is no record but a deleted entry has to be heard.
    if record.0.iter().any(|(name, _)| name == "reason") {
        return text;
    }
    record.0.retain(|(name, _)| !OWN.contains(&name.as_str()));
    serde_json::to_string(&record).map_or(text, Cow::Owned)
}

/// Bytes that are no UTF-8 are rare: only then is the text copied.
fn utf8(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}

/// Why a row gives nothing.
enum Unreadable {
    /// It is no JSON: what came is broken.
    Broken,
    /// It says nothing that can be kept.
    Unusable(String),
}

/// A reply without the byte order mark that may stand before it.
pub fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body)
}

/// What a property means.
#[derive(Clone, Copy)]
enum Slot {
    Column(usize),
    LookupTable(usize),
    LookupName(usize),
    Reason,
    Context,
    DeletedId,
}

/// Properties of a table's rows by name.
struct Slots {
    /// Looked up for every property of every row; the names are the organisation's own, so that
    /// nobody gains from making them collide.
    by_name: FxHashMap<String, Slot>,
    primary_id: Option<usize>,
    version: Option<usize>,
}

impl Slots {
    fn new(table: &TableMetadata) -> Self {
        let mut by_name = FxHashMap::default();
        by_name.insert("reason".to_owned(), Slot::Reason);
        by_name.insert("@odata.context".to_owned(), Slot::Context);
        by_name.insert("id".to_owned(), Slot::DeletedId);
        let (mut primary_id, mut version) = (None, None);
        for (index, column) in table.columns.iter().enumerate() {
            let name = column.wire_name();
            if column.kind.is_lookup() {
                by_name.insert(format!("{name}{LOOKUP_TABLE}"), Slot::LookupTable(index));
                by_name.insert(format!("{name}{FORMATTED}"), Slot::LookupName(index));
            }
            by_name.insert(name, Slot::Column(index));
            if column.logical_name == table.primary_id {
                primary_id = Some(index);
            }
            if column.logical_name == "versionnumber" {
                version = Some(index);
            }
        }
        Self {
            by_name,
            primary_id,
            version,
        }
    }
}

/// What a row said, while it is read.
struct RowReader<'s> {
    slots: &'s Slots,
    table: &'s TableMetadata,
}

struct RowParts<'de> {
    values: Vec<(usize, Value<'de>)>,
    id: Option<Uuid>,
    version: Option<i64>,
    deleted: bool,
    deleted_id: Option<Uuid>,
}

fn read_row<'a>(
    slots: &Slots,
    table: &TableMetadata,
    row: &'a str,
) -> Result<Change<'a>, Unreadable> {
    let unusable =
        |what: &str| Unreadable::Unusable(format!("A row of {}{what}", table.logical_name));
    let mut json = serde_json::Deserializer::from_str(row);
    let parts = json
        .deserialize_map(RowReader { slots, table })
        .map_err(|error| match error.is_data() {
            true => unusable(&format!(" cannot be read: {error}.")),
            false => Unreadable::Broken,
        })?;
    if parts.deleted {
        return parts
            .deleted_id
            .map(Change::Delete)
            .ok_or_else(|| unusable(" was deleted and has no id."));
    }
    let id = parts.id.ok_or_else(|| unusable(" has no id."))?;
    Ok(Change::Upsert(Record {
        id,
        version: parts.version,
        values: parts.values,
        raw: row,
    }))
}

impl<'de> Visitor<'de> for RowReader<'_> {
    type Value = RowParts<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a record")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<RowParts<'de>, M::Error> {
        // Annotations stand before their property, but no order is promised.
        let mut names: Vec<(Slot, Cow<'_, str>)> = Vec::new();
        let mut parts = RowParts {
            values: Vec::with_capacity(self.table.columns.len()),
            id: None,
            version: None,
            deleted: false,
            deleted_id: None,
        };
        while let Some(key) = map.next_key::<Key<'de>>()? {
            let json: &'de RawValue = map.next_value()?;
            let Some(slot) = self.slots.by_name.get(key.0.as_ref()) else {
                continue;
            };
            match *slot {
                Slot::Column(index) => {
                    let Some(value) = value(self.table.columns[index].kind, json.get()) else {
                        continue;
                    };
                    match value {
                        Value::Id(id) if self.slots.primary_id == Some(index) => {
                            parts.id = Some(id);
                        }
                        Value::Integer(version) if self.slots.version == Some(index) => {
                            parts.version = Some(version);
                        }
                        _ => {}
                    }
                    parts.values.push((index, value));
                }
                Slot::LookupTable(_) | Slot::LookupName(_) => {
                    names.extend(string(json.get()).map(|text| (*slot, text)));
                }
                Slot::Reason => parts.deleted |= json.get() == "\"deleted\"",
                Slot::Context => parts.deleted |= json.get().ends_with("/$deletedEntity\""),
                Slot::DeletedId => {
                    parts.deleted_id = string(json.get()).and_then(|text| last_guid(&text));
                }
            }
        }
        for (slot, text) in names {
            let (wanted, is_table) = match slot {
                Slot::LookupTable(index) => (index, true),
                Slot::LookupName(index) => (index, false),
                _ => continue,
            };
            // Lookups are few, and so are the values before each.
            let found = parts.values.iter_mut().find(|(index, _)| *index == wanted);
            if let Some((_, Value::Lookup { table, name, .. })) = found {
                *(if is_table { table } else { name }) = Some(text);
            }
        }
        Ok(parts)
    }
}

/// A property's name, borrowed where it holds no escape.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

/// A GUID by itself, or the one in the parentheses of an address.
fn last_guid(text: &str) -> Option<Uuid> {
    parse_guid(text).or_else(|| {
        let start = text.rfind('(')?;
        parse_guid(text[start + 1..].strip_suffix(')')?)
    })
}
