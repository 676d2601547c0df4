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
    rows: Vec<PackedRow>,
    values: Vec<(usize, Packed)>,
    /// Texts and ids, row by row.
    texts: Vec<u8>,
    /// Records, row by row; compressed once there is a compressor.
    records: Vec<u8>,
    /// Tables that lookups point to.
    targets: Vec<Box<str>>,
    target_places: FxHashMap<Box<str>, u16>,
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

/// A value; places count from the row's first text.
#[derive(Clone, Copy)]
enum Packed {
    Integer(i64),
    Real(f64),
    Text(Span),
    Id(u32),
    Lookup { id: u32, table: u16, name: Span },
}

#[derive(Clone, Copy)]
struct Span {
    start: u32,
    length: u32,
}

/// Stands for a name or a table that did not come.
const NO_NAME: Span = Span {
    start: 0,
    length: u32::MAX,
};
const NO_TABLE: u16 = u16::MAX;

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
    /// `dictionary` is the table's, where it has one already; else the first rows make one.
    pub(crate) fn new(
        codec: Arc<Codec>,
        table: &str,
        dictionary: Result<Option<Arc<Dictionary>>>,
    ) -> Self {
        let begun = dictionary.and_then(|dictionary| {
            let compressor = dictionary.as_deref().map(|found| compressor(Some(found)));
            Ok((compressor.transpose()?, dictionary))
        });
        let (compressor, dictionary, problem) = match begun {
            Ok((compressor, dictionary)) => (compressor, dictionary, None),
            Err(error) => (None, None, Some(error)),
        };
        Self {
            codec,
            table: table.into(),
            dictionary,
            compressor,
            rows: Vec::new(),
            values: Vec::new(),
            texts: Vec::new(),
            records: Vec::new(),
            targets: Vec::new(),
            target_places: FxHashMap::default(),
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

    /// What the records are compressed with.
    pub(crate) fn dictionary(&self) -> Option<&Dictionary> {
        self.dictionary.as_deref()
    }

    /// Makes a dictionary of the records that came so far, and compresses them.
    fn begin_compressing(&mut self) -> Result<()> {
        let records = || self.rows.iter().filter_map(|row| row.record.as_ref());
        let samples: Vec<&[u8]> = records()
            .map(|record| &self.records[record.raw.clone()])
            .collect();
        let trained = Dictionary::train(&samples);
        self.dictionary = trained.map(|trained| self.codec.offer(&self.table, trained));
        let mut compressor = compressor(self.dictionary.as_deref())?;
        let plain = std::mem::take(&mut self.records);
        for record in self.rows.iter_mut().filter_map(|row| row.record.as_mut()) {
            record.raw = compress(
                &mut compressor,
                &plain[record.raw.clone()],
                &mut self.records,
            )?;
        }
        self.compressor = Some(compressor);
        Ok(())
    }

    /// The rows, in the order they were taken.
    pub(crate) fn rows(&self) -> impl Iterator<Item = BatchRow<'_>> {
        self.rows.iter().map(|row| match &row.record {
            Some(record) => BatchRow::Upsert(BatchRecord {
                batch: self,
                record,
                id: row.id,
            }),
            None => BatchRow::Delete(row.id),
        })
    }

    fn pack(&mut self, record: Record<'_>) -> Result<()> {
        let (base, first) = (self.texts.len(), self.values.len());
        for (column, value) in record.values {
            let packed = match value {
                Value::Integer(number) => Packed::Integer(number),
                Value::Real(number) => Packed::Real(number),
                Value::Text(text) => Packed::Text(self.keep(base, text.as_bytes())?),
                Value::Id(id) => Packed::Id(self.keep(base, &StoredId::from(id).0)?.start),
                Value::Lookup { id, table, name } => Packed::Lookup {
                    id: self.keep(base, &StoredId::from(id).0)?.start,
                    table: table.map_or(NO_TABLE, |table| self.target_place(&table)),
                    name: match name {
                        Some(name) => self.keep(base, name.as_bytes())?,
                        None => NO_NAME,
                    },
                },
            };
            self.values.push((column, packed));
        }
        let raw = record.raw.as_bytes();
        let raw = match &mut self.compressor {
            Some(compressor) => compress(compressor, raw, &mut self.records)?,
            None => {
                let start = self.records.len();
                self.records.extend_from_slice(raw);
                start..self.records.len()
            }
        };
        self.rows.push(PackedRow {
            id: record.id,
            record: Some(PackedRecord {
                version: record.version,
                texts: base,
                raw,
                values: first..self.values.len(),
            }),
        });
        if self.compressor.is_none() && self.rows.len() == TRAINING_ROWS {
            self.begin_compressing()?;
        }
        Ok(())
    }

    fn keep(&mut self, base: usize, bytes: &[u8]) -> Result<Span> {
        let place = |length: usize| {
            u32::try_from(length)
                .map_err(|_| StoreError::Unreadable("a record of more than 4 GB".to_owned()))
        };
        let span = Span {
            start: place(self.texts.len() - base)?,
            length: place(bytes.len())?,
        };
        self.texts.extend_from_slice(bytes);
        Ok(span)
    }

    fn target_place(&mut self, table: &str) -> u16 {
        if let Some(place) = self.target_places.get(table) {
            return *place;
        }
        // No organisation has so many tables; a lookup into one too many is kept without its table.
        let Ok(place) = u16::try_from(self.targets.len()) else {
            return NO_TABLE;
        };
        self.targets.push(table.into());
        self.target_places.insert(table.into(), place);
        place
    }
}

impl Collect for Batch {
    fn take(&mut self, change: Change<'_>) {
        let packed = match change {
            Change::Upsert(record) => self.pack(record),
            Change::Delete(id) => {
                self.rows.push(PackedRow { id, record: None });
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
        &self.batch.records[self.record.raw.clone()]
    }

    /// The values that are not null, each with the place of its column.
    pub fn values(&self) -> impl Iterator<Item = (usize, BatchValue<'b>)> {
        let texts = &self.batch.texts[self.record.texts..];
        let tables = &self.batch.targets;
        self.batch.values[self.record.values.clone()]
            .iter()
            .map(move |(column, value)| {
                let value = match *value {
                    Packed::Integer(number) => BatchValue::Integer(number),
                    Packed::Real(number) => BatchValue::Real(number),
                    Packed::Text(span) => BatchValue::Text(text(texts, span).unwrap_or_default()),
                    Packed::Id(start) => BatchValue::Id(id(texts, start)),
                    Packed::Lookup {
                        id: start,
                        table,
                        name,
                    } => BatchValue::Lookup {
                        id: id(texts, start),
                        table: tables.get(usize::from(table)).map(|table| &**table),
                        name: text(texts, name),
                    },
                };
                (*column, value)
            })
    }
}

fn text(texts: &[u8], span: Span) -> Option<&str> {
    if span.length == NO_NAME.length {
        return None;
    }
    let bytes = &texts[span.start as usize..][..span.length as usize];
    // They were text when they were packed; the check is quicker than a copy.
    std::str::from_utf8(bytes).ok()
}

fn id(texts: &[u8], start: u32) -> StoredId {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&texts[start as usize..][..16]);
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
