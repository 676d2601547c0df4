//! The rows of a page on their way to the writing thread: compressed and packed as they are read,
//! so that a page takes a few megabytes until it is written, in a handful of allocations.

use std::ops::Range;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use salesmirror_model::{Change, Collect, Record, Value};
use uuid::Uuid;
use zstd::bulk::Compressor;

use crate::codec::{Codec, Dictionary, TRAINING_ROWS, compressor};
use crate::ids::StoredId;
use crate::{Result, StoreError};

/// Rows that were read, ready to be applied.
pub struct Batch {
    codec: Arc<Codec>,
    table: Box<str>,
    dictionary: Option<Arc<Dictionary>>,
    /// `None` until there is a dictionary, or no hope of one.
    compressor: Option<Compressor<'static>>,
    room: Room,
    /// The newest write of ours when the rows were asked for.
    asked: i64,
    /// Tables that lookups point to.
    targets: Vec<Box<str>>,
    lookup_kinds: FxHashMap<Box<str>, u16>,
    /// The first record that could not be packed.
    problem: Option<StoreError>,
}

/// What the page said of one row: a record, or that it was deleted.
struct PackedRow {
    id: Uuid,
    record: Option<PackedRecord>,
}

struct PackedRecord {
    version: Option<i64>,
    texts: usize,
    raw: Range<usize>,
    values: Range<usize>,
}

/// A value in sixteen bytes: a page has hundreds of thousands.
#[derive(Clone, Copy)]
struct PackedValue {
    /// The number itself, or where the text or the id begins, from the row's first text on.
    content: u64,
    /// Length of a text, or of the name behind a lookup's id.
    length: u32,
    column: u16,
    kind: u16,
}

/// Kinds of packed values. A lookup into the n-th table of the batch has `LOOKUP + n`.
const INTEGER: u16 = 0;
const REAL: u16 = 1;
const TEXT: u16 = 2;
const ID: u16 = 3;
const LOOKUP_ANYWHERE: u16 = 4;
const LOOKUP: u16 = 5;
/// The length of a name that did not come.
const NO_NAME: u32 = u32::MAX;

/// Room for more texts and records than this goes back to the system, in bytes: one page of memos
/// is no reason to hold it for good.
const LARGEST_KEPT: usize = 48 << 20;

/// What a batch is packed into. It serves one page after the other: megabytes that are given back
/// and asked for again would stay with the process in the end, several times over.
#[derive(Default)]
pub struct Room {
    rows: Vec<PackedRow>,
    values: Vec<PackedValue>,
    /// Texts and ids, row by row.
    texts: Vec<u8>,
    /// Records, row by row; compressed once there is a compressor.
    records: Vec<u8>,
}

impl Room {
    /// Room of a large page of some wide rows. What is not used takes no memory.
    fn large() -> Self {
        Self {
            rows: Vec::with_capacity(5_000),
            values: Vec::with_capacity(400_000),
            texts: Vec::with_capacity(8 << 20),
            records: Vec::with_capacity(6 << 20),
        }
    }

    /// Whether it grew beyond what is worth keeping.
    fn is_oversized(&self) -> bool {
        self.texts.capacity() + self.records.capacity() > LARGEST_KEPT
    }

    fn clear(&mut self) {
        self.rows.clear();
        self.values.clear();
        self.texts.clear();
        self.records.clear();
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        let mut room = std::mem::take(&mut self.room);
        if !room.is_oversized() {
            room.clear();
            self.codec.give_room(room);
        }
    }
}

/// A row of a batch.
pub enum BatchRow<'b> {
    Upsert(BatchRecord<'b>),
    Delete(Uuid),
}

/// A record of a batch.
pub struct BatchRecord<'b> {
    batch: &'b Batch,
    record: &'b PackedRecord,
    pub id: Uuid,
}

/// A value as it is bound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BatchValue<'b> {
    Integer(i64),
    Real(f64),
    Text(&'b str),
    Id(StoredId),
    Lookup {
        id: StoredId,
        table: Option<&'b str>,
        name: Option<&'b str>,
    },
}

impl Batch {
    /// `begun` is the table's dictionary, where it has one already (else the first rows make one), and
    /// the newest write of ours.
    pub(crate) fn new(
        codec: Arc<Codec>,
        table: &str,
        begun: Result<(Option<Arc<Dictionary>>, i64)>,
    ) -> Self {
        // Without a number every write of ours counts as newer.
        let asked = begun.as_ref().map_or(0, |(_, asked)| *asked);
        let begun = begun.and_then(|(dictionary, _)| {
            let compressor = dictionary.as_deref().map(|found| compressor(Some(found)));
            Ok((compressor.transpose()?, dictionary))
        });
        let (compressor, dictionary, problem) = match begun {
            Ok((compressor, dictionary)) => (compressor, dictionary, None),
            Err(error) => (None, None, Some(error)),
        };
        let room = codec.take_room().unwrap_or_else(Room::large);
        Self {
            codec,
            table: table.into(),
            dictionary,
            compressor,
            room,
            asked,
            targets: Vec::new(),
            lookup_kinds: FxHashMap::default(),
            problem,
        }
    }

    /// Ends the taking: compresses what waits for a dictionary.
    pub(crate) fn finish(&mut self) -> Result<()> {
        if let Some(error) = self.problem.take() {
            return Err(error);
        }
        if self.compressor.is_none() {
            self.begin_compressing()?;
        }
        Ok(())
    }

    /// What the rows say was found out when this was the newest write of ours
    /// ([`Mirror::newest_write`](crate::Mirror::newest_write)), not only now.
    pub fn asked_at(&mut self, newest_write: i64) {
        self.asked = newest_write;
    }

    /// The newest write of ours when the rows were asked for.
    pub(crate) const fn asked(&self) -> i64 {
        self.asked
    }

    /// What the records are compressed with.
    pub(crate) fn dictionary(&self) -> Option<&Dictionary> {
        self.dictionary.as_deref()
    }

    /// Makes a dictionary of the records that came so far, and compresses them.
    fn begin_compressing(&mut self) -> Result<()> {
        let records = || self.room.rows.iter().filter_map(|row| row.record.as_ref());
        let samples: Vec<&[u8]> = records()
            .map(|record| &self.room.records[record.raw.clone()])
            .collect();
        let trained = Dictionary::train(&samples);
        self.dictionary = trained.map(|trained| self.codec.offer(&self.table, trained));
        let mut compressor = compressor(self.dictionary.as_deref())?;
        let plain = std::mem::take(&mut self.room.records);
        for record in self
            .room
            .rows
            .iter_mut()
            .filter_map(|row| row.record.as_mut())
        {
            record.raw = compress(
                &mut compressor,
                &plain[record.raw.clone()],
                &mut self.room.records,
            )?;
        }
        self.compressor = Some(compressor);
        Ok(())
    }

    /// The rows, in the order they were taken.
    pub(crate) fn rows(&self) -> impl Iterator<Item = BatchRow<'_>> {
        self.room.rows.iter().map(|row| match &row.record {
            Some(record) => BatchRow::Upsert(BatchRecord {
                batch: self,
                record,
                id: row.id,
            }),
            None => BatchRow::Delete(row.id),
        })
    }

    fn pack(&mut self, record: Record<'_>) -> Result<()> {
        let (base, first) = (self.room.texts.len(), self.room.values.len());
        for (column, value) in record.values {
            let (kind, content, length) = match value {
                Value::Integer(number) => (INTEGER, number.cast_unsigned(), 0),
                Value::Real(number) => (REAL, number.to_bits(), 0),
                Value::Text(text) => (TEXT, self.keep(base, text.as_bytes()), size(&text)?),
                Value::Id(id) => (ID, self.keep(base, &StoredId::from(id).0), 0),
                Value::Lookup { id, table, name } => {
                    let kind = table.map_or(LOOKUP_ANYWHERE, |table| self.lookup_kind(&table));
                    let content = self.keep(base, &StoredId::from(id).0);
                    let length = match &name {
                        Some(name) => {
                            self.keep(base, name.as_bytes());
                            size(name)?
                        }
                        None => NO_NAME,
                    };
                    (kind, content, length)
                }
            };
            let column = u16::try_from(column)
                .map_err(|_| StoreError::Unreadable("a table of 65,536 columns".to_owned()))?;
            self.room.values.push(PackedValue {
                content,
                length,
                column,
                kind,
            });
        }
        let raw = record.raw.as_bytes();
        let raw = match &mut self.compressor {
            Some(compressor) => compress(compressor, raw, &mut self.room.records)?,
            None => {
                let start = self.room.records.len();
                self.room.records.extend_from_slice(raw);
                start..self.room.records.len()
            }
        };
        self.room.rows.push(PackedRow {
            id: record.id,
            record: Some(PackedRecord {
                version: record.version,
                texts: base,
                raw,
                values: first..self.room.values.len(),
            }),
        });
        if self.compressor.is_none() && self.room.rows.len() == TRAINING_ROWS {
            self.begin_compressing()?;
        }
        Ok(())
    }

    /// Keeps bytes; gives their place in the row.
    fn keep(&mut self, base: usize, bytes: &[u8]) -> u64 {
        let place = self.room.texts.len() - base;
        self.room.texts.extend_from_slice(bytes);
        place as u64
    }

    /// The kind of a lookup into this table.
    fn lookup_kind(&mut self, table: &str) -> u16 {
        if let Some(kind) = self.lookup_kinds.get(table) {
            return *kind;
        }
        // No organisation has so many tables; a lookup into one too many is kept without its table.
        let Ok(kind) = u16::try_from(self.targets.len() + usize::from(LOOKUP)) else {
            return LOOKUP_ANYWHERE;
        };
        self.targets.push(table.into());
        self.lookup_kinds.insert(table.into(), kind);
        kind
    }
}

/// The length of a text.
fn size(text: &str) -> Result<u32> {
    u32::try_from(text.len())
        .map_err(|_| StoreError::Unreadable("a text of more than 4 GB".to_owned()))
}

impl Collect for Batch {
    fn take(&mut self, change: Change<'_>) {
        let packed = match change {
            Change::Upsert(record) => self.pack(record),
            Change::Delete(id) => {
                self.room.rows.push(PackedRow { id, record: None });
                Ok(())
            }
        };
        if let (Err(error), None) = (packed, &self.problem) {
            self.problem = Some(error);
        }
    }
}

impl<'b> BatchRecord<'b> {
    /// `versionnumber`.
    pub fn version(&self) -> Option<i64> {
        self.record.version
    }

    /// The compressed record.
    pub fn raw(&self) -> &'b [u8] {
        &self.batch.room.records[self.record.raw.clone()]
    }

    /// The values that are not null, each with the place of its column.
    pub fn values(&self) -> impl Iterator<Item = (usize, BatchValue<'b>)> {
        let texts = &self.batch.room.texts[self.record.texts..];
        let targets = &self.batch.targets;
        self.batch.room.values[self.record.values.clone()]
            .iter()
            .map(move |value| {
                let place = value.content as usize;
                let unpacked = match value.kind {
                    INTEGER => BatchValue::Integer(value.content.cast_signed()),
                    REAL => BatchValue::Real(f64::from_bits(value.content)),
                    TEXT => BatchValue::Text(text(texts, place, value.length)),
                    ID => BatchValue::Id(id(texts, place)),
                    kind => BatchValue::Lookup {
                        id: id(texts, place),
                        table: usize::from(kind)
                            .checked_sub(usize::from(LOOKUP))
                            .map(|place| &*targets[place]),
                        name: (value.length != NO_NAME)
                            .then(|| text(texts, place + 16, value.length)),
                    },
                };
                (usize::from(value.column), unpacked)
            })
    }
}

fn text(texts: &[u8], place: usize, length: u32) -> &str {
    // It was text when it was packed; the check is quicker than a copy.
    std::str::from_utf8(&texts[place..][..length as usize]).unwrap_or_default()
}

fn id(texts: &[u8], place: usize) -> StoredId {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&texts[place..][..16]);
    StoredId(bytes)
}

/// Appends a compressed record; gives where.
fn compress(
    compressor: &mut Compressor<'static>,
    raw: &[u8],
    records: &mut Vec<u8>,
) -> Result<Range<usize>> {
    let start = records.len();
    records.resize(start + zstd::zstd_safe::compress_bound(raw.len()), 0);
    let length = compressor
        .compress_to_buffer(raw, &mut records[start..])
        .map_err(|error| StoreError::Unreadable(error.to_string()))?;
    records.truncate(start + length);
    Ok(start..records.len())
}
