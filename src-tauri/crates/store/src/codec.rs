//! The original record, compressed with a dictionary per table: records of a table repeat each
//! other's property names and annotations.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::EncoderDictionary;

use crate::{Result, StoreError};

/// The fastest level: the dictionary does most of the work, and two cores are few.
const LEVEL: i32 = 1;
/// Size of a dictionary, in bytes.
const DICTIONARY_BYTES: usize = 64 * 1024;
/// Fewer records than this make no dictionary.
const TRAINING_ROWS: usize = 400;
/// No record is longer than this, in bytes (a memo holds 1 MB, and a record several).
const LONGEST_RECORD: usize = 256 * 1024 * 1024;

/// A dictionary with its number in the database; 0 stands for none.
#[derive(Clone)]
pub struct Encoder {
    pub number: i64,
    dictionary: Option<Arc<EncoderDictionary<'static>>>,
}

/// Dictionaries in use, by table and by number.
#[derive(Default)]
pub struct Codec {
    encoders: Mutex<HashMap<String, Encoder>>,
    dictionaries: Mutex<HashMap<i64, Arc<[u8]>>>,
}

impl Codec {
    /// The encoder of a table, if one is in memory.
    pub fn encoder(&self, table: &str) -> Option<Encoder> {
        lock(&self.encoders).get(table).cloned()
    }

    pub fn remember(&self, table: &str, number: i64, dictionary: &[u8]) -> Encoder {
        let encoder = Encoder {
            number,
            dictionary: (number != 0).then(|| Arc::new(EncoderDictionary::copy(dictionary, LEVEL))),
        };
        if number != 0 {
            lock(&self.encoders).insert(table.to_owned(), encoder.clone());
            lock(&self.dictionaries).insert(number, dictionary.into());
        }
        encoder
    }

    pub fn forget(&self, table: &str) {
        lock(&self.encoders).remove(table);
    }

    /// Gives a record back, byte for byte.
    pub fn decode(&self, connection: &Connection, number: i64, bytes: &[u8]) -> Result<Vec<u8>> {
        let dictionary = self.dictionary(connection, number)?;
        let size = zstd::zstd_safe::get_frame_content_size(bytes)
            .ok()
            .flatten()
            .and_then(|size| usize::try_from(size).ok())
            .filter(|size| *size <= LONGEST_RECORD)
            .ok_or(StoreError::Damaged)?;
        Decompressor::with_dictionary(&dictionary)
            .and_then(|mut decoder| decoder.decompress(bytes, size))
            .map_err(|_| StoreError::Damaged)
    }

    fn dictionary(&self, connection: &Connection, number: i64) -> Result<Arc<[u8]>> {
        if number == 0 {
            return Ok(Arc::from([]));
        }
        if let Some(found) = lock(&self.dictionaries).get(&number) {
            return Ok(Arc::clone(found));
        }
        let bytes: Vec<u8> = connection
            .prepare_cached("SELECT bytes FROM dictionary WHERE number = ?")?
            .query_row([number], |row| row.get(0))?;
        let bytes: Arc<[u8]> = bytes.into();
        lock(&self.dictionaries).insert(number, Arc::clone(&bytes));
        Ok(bytes)
    }
}

impl Encoder {
    /// A compressor for many records.
    pub fn compressor(&self) -> Result<Compressor<'_>> {
        match &self.dictionary {
            Some(dictionary) => Compressor::with_prepared_dictionary(dictionary),
            None => Compressor::new(LEVEL),
        }
        .map_err(|error| StoreError::Unreadable(error.to_string()))
    }
}

/// A dictionary from the first records of a table; `None` where they are too few or too alike.
pub fn train(records: &[&[u8]]) -> Option<Vec<u8>> {
    if records.len() < TRAINING_ROWS {
        return None;
    }
    zstd::dict::from_samples(records, DICTIONARY_BYTES).ok()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
