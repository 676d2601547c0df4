//! Pages of records: JSON text in, typed rows out. A hundred thousand rows a second, so nothing is
//! copied that is not kept.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use rustc_hash::FxHashMap;
use salesmirror_model::{Cell, Change, Record, RecordPage, TableMetadata, parse_guid};
use serde::Deserialize;
use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::value::{cell, string};
use crate::{Error, Result};

const FORMATTED: &str = "@OData.Community.Display.V1.FormattedValue";
const LOOKUP_TABLE: &str = "@Microsoft.Dynamics.CRM.lookuplogicalname";

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow, default)]
    value: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default, rename = "@odata.context")]
    context: Option<&'a RawValue>,
    #[serde(default, rename = "@odata.nextLink")]
    next_link: Option<String>,
    #[serde(default, rename = "@odata.deltaLink")]
    delta_link: Option<String>,
    #[serde(
        borrow,
        default,
        rename = "@Microsoft.Dynamics.CRM.globalmetadataversion"
    )]
    metadata_version: Option<&'a RawValue>,
}

/// Reads one page.
///
/// # Errors
/// [`Error::Unavailable`] where the body is an HTML page or cut off, [`Error::BadReply`] where it is
/// JSON but no page.
pub fn decode_page(table: &TableMetadata, body: &Bytes) -> Result<RecordPage> {
    // Bytes that are no UTF-8 are rare: only then is the body copied.
    let text = match std::str::from_utf8(body) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(body),
    };
    let text = text.trim_start_matches('\u{feff}');
    let page: Page<'_> = serde_json::from_str(text).map_err(|error| {
        if text.trim_start().starts_with('<') {
            Error::Unavailable("an HTML page instead of data".to_owned())
        } else if error.is_eof() || error.is_syntax() {
            Error::Unavailable("a reply that was cut off".to_owned())
        } else {
            Error::BadReply(error.to_string())
        }
    })?;
    if page.value.is_none() && page.context.is_none() && page.delta_link.is_none() {
        return Err(Error::BadReply("a page without records".to_owned()));
    }
    let mut result = RecordPage {
        next_link: page.next_link,
        delta_link: page.delta_link,
        metadata_version: page.metadata_version.and_then(|json| {
            string(json.get())
                .or_else(|| Some(json.get().into()))
                .map(Cow::into_owned)
        }),
        bytes: body.len() as u64,
        ..RecordPage::default()
    };
    let rows = page.value.unwrap_or_default();
    result.changes.reserve(rows.len());
    let slots = Slots::new(table);
    for row in rows {
        match read_row(&slots, table, row) {
            Ok(change) => result.changes.push(change),
            Err(reason) => result.unreadable.push(reason),
        }
    }
    Ok(result)
}

/// Reads a single record.
pub fn decode_record(table: &TableMetadata, body: &Bytes) -> Result<Record> {
    let text = String::from_utf8_lossy(without_mark(body));
    let row: &RawValue =
        serde_json::from_str(&text).map_err(|error| Error::BadReply(error.to_string()))?;
    match read_row(&Slots::new(table), table, row) {
        Ok(Change::Upsert(record)) => Ok(record),
        Ok(Change::Delete(_)) => Err(Error::BadReply("a deleted entry".to_owned())),
        Err(reason) => Err(Error::BadReply(reason)),
    }
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

struct RowParts {
    cells: Vec<Cell>,
    deleted: bool,
    deleted_id: Option<Uuid>,
}

fn read_row(slots: &Slots, table: &TableMetadata, row: &RawValue) -> Result<Change, String> {
    let mut json = serde_json::Deserializer::from_str(row.get());
    let parts = json
        .deserialize_map(RowReader { slots, table })
        .map_err(|error| format!("A row of {} cannot be read: {error}.", table.logical_name))?;
    if parts.deleted {
        return parts
            .deleted_id
            .map(Change::Delete)
            .ok_or_else(|| format!("A deleted row of {} has no id.", table.logical_name));
    }
    let id = match slots.primary_id.map(|index| &parts.cells[index]) {
        Some(Cell::Id(id)) => *id,
        _ => return Err(format!("A row of {} has no id.", table.logical_name)),
    };
    let version = slots.version.and_then(|index| match parts.cells[index] {
        Cell::Integer(version) => Some(version),
        _ => None,
    });
    let raw = row.get().as_bytes().into();
    Ok(Change::Upsert(Record {
        id,
        version,
        cells: parts.cells,
        raw,
    }))
}

impl<'de> Visitor<'de> for RowReader<'_> {
    type Value = RowParts;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a record")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<RowParts, M::Error> {
        let mut cells = vec![Cell::Null; self.table.columns.len()];
        // Annotations stand before their property, but no order is promised.
        let mut names: Vec<(Slot, Cow<'_, str>)> = Vec::new();
        let mut parts = RowParts {
            cells: Vec::new(),
            deleted: false,
            deleted_id: None,
        };
        while let Some(key) = map.next_key::<Key<'de>>()? {
            let value: &'de RawValue = map.next_value()?;
            let Some(slot) = self.slots.by_name.get(key.0.as_ref()) else {
                continue;
            };
            match slot {
                Slot::Column(index) => {
                    cells[*index] = cell(self.table.columns[*index].kind, value.get());
                }
                Slot::LookupTable(_) | Slot::LookupName(_) => {
                    names.extend(string(value.get()).map(|text| (*slot, text)));
                }
                Slot::Reason => parts.deleted |= value.get() == "\"deleted\"",
                Slot::Context => parts.deleted |= value.get().ends_with("/$deletedEntity\""),
                Slot::DeletedId => {
                    parts.deleted_id = string(value.get()).and_then(|text| last_guid(&text));
                }
            }
        }
        for (slot, text) in names {
            let (index, is_table) = match slot {
                Slot::LookupTable(index) => (index, true),
                Slot::LookupName(index) => (index, false),
                _ => continue,
            };
            if let Cell::Lookup(lookup) = &mut cells[index] {
                let place = if is_table {
                    &mut lookup.table
                } else {
                    &mut lookup.name
                };
                *place = Some(text.into());
            }
        }
        Ok(RowParts { cells, ..parts })
    }
}

/// A property's name, borrowed where it holds no escape.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
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
