//! Records on their way from the service into the mirror.

use uuid::Uuid;

/// A value as the mirror stores it in a typed column.
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

/// One record as delivered.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Primary id.
    pub id: Uuid,
    /// `versionnumber`, where it was delivered. A lower one never overwrites a higher one.
    pub version: Option<i64>,
    /// One cell for each column of the table's metadata, in its order.
    pub cells: Vec<Cell>,
    /// The JSON text of the record, byte for byte.
    pub raw: Box<[u8]>,
}

/// What a page says of one row.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The row is new or has changed.
    Upsert(Record),
    /// The row was deleted; it may never have been seen.
    Delete(Uuid),
}

/// One page of a scan or of a delta.
#[derive(Debug, Clone, Default)]
pub struct RecordPage {
    /// Rows in the order of delivery. A row may come more than once.
    pub changes: Vec<Change>,
    /// The next link, byte for byte: only its absence ends a scan.
    pub next_link: Option<String>,
    /// The delta link, byte for byte, on the last page of a tracked scan or delta.
    pub delta_link: Option<String>,
    /// `globalmetadataversion`, where it came along: changes with every schema change.
    pub metadata_version: Option<String>,
    /// Size of the body after decompression, in bytes.
    pub bytes: u64,
    /// Rows that could not be read (no usable primary id), each with a sentence for the log.
    pub unreadable: Vec<String>,
}
