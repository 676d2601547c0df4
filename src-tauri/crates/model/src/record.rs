//! Records: on their way from the service into the mirror, and as the mirror gives them back.

use std::borrow::Cow;

use uuid::Uuid;

/// A value as the mirror gives it back, and as it is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Null, or absent from the record.
    Null,
    /// Integers, booleans (0, 1), choices; date-times in milliseconds since 1970-01-01 UTC;
    /// date-only values in days since 1970-01-01.
    Integer(i64),
    /// Decimals, doubles and money, rounded to binary for sorting; the record keeps the digits.
    Real(f64),
    /// Text, multi-select choices, and anything that does not fit its column's kind.
    Text(Box<str>),
    /// A GUID that is no reference.
    Id(Uuid),
    /// A reference to another record.
    Lookup(Box<Lookup>),
}

/// A reference to another record, with what the annotations said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// The target's id.
    pub id: Uuid,
    /// The target's table (`lookuplogicalname`), where the service said.
    pub table: Option<Box<str>>,
    /// The target's name as the service formatted it.
    pub name: Option<Box<str>>,
}

/// A value on its way into the mirror. Text is borrowed from the page that it came in: hundreds of
/// thousands of rows come, and what is not kept is not copied.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// As [`Cell::Integer`].
    Integer(i64),
    /// As [`Cell::Real`].
    Real(f64),
    /// As [`Cell::Text`].
    Text(Cow<'a, str>),
    /// As [`Cell::Id`].
    Id(Uuid),
    /// A reference to another record.
    Lookup {
        /// The target's id.
        id: Uuid,
        /// The target's table (`lookuplogicalname`), where the service said.
        table: Option<Cow<'a, str>>,
        /// The target's name as the service formatted it.
        name: Option<Cow<'a, str>>,
    },
}

/// One record as delivered.
#[derive(Debug, Clone, PartialEq)]
pub struct Record<'a> {
    /// Primary id.
    pub id: Uuid,
    /// `versionnumber`, where it was delivered. A lower one never overwrites a higher one.
    pub version: Option<i64>,
    /// The values that are not null, each with its column's place in the table's metadata.
    pub values: Vec<(usize, Value<'a>)>,
    /// The JSON text of the record, byte for byte.
    pub raw: &'a str,
}

/// What a page says of one row.
#[derive(Debug, Clone, PartialEq)]
pub enum Change<'a> {
    /// The row is new or has changed.
    Upsert(Record<'a>),
    /// The row was deleted; it may never have been seen.
    Delete(Uuid),
}

/// Takes the rows of a page, one after the other, in the order of delivery. A row may come more
/// than once.
pub trait Collect: Send + 'static {
    /// Takes a row. Its record may be changed: it is read anew for the next row.
    fn take(&mut self, change: Change<'_>);
}

/// What ends a page of a scan or of a delta.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageEnd {
    /// The next link, byte for byte: only its absence ends a scan.
    pub next_link: Option<String>,
    /// The delta link, byte for byte, on the last page of a tracked scan or delta.
    pub delta_link: Option<String>,
    /// `globalmetadataversion`, where it came along: changes with every schema change.
    pub metadata_version: Option<String>,
    /// Rows that were read.
    pub rows: u64,
    /// Size of the body after decompression, in bytes.
    pub bytes: u64,
    /// Rows that could not be read (no usable primary id), each with a sentence for the log.
    pub unreadable: Vec<String>,
}
