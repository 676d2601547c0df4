//! The original record, compressed with a dictionary per table: records of a table repeat each
//! other's property names and annotations.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, params};
use zstd::bulk::{Compressor, Decompressor};

use crate::batch::Room;
use crate::{Result, StoreError};

/// A level that looks less closely: the dictionary does most of the work, and two cores are few.
const LEVEL: i32 = -3;
/// Size of a dictionary, in bytes: three rows of a wide table.
const DICTIONARY_BYTES: usize = 24 * 1024;
/// Records that a dictionary is made from: more make it hardly better, and the first page wait.
pub const TRAINING_ROWS: usize = 120;
/// The number of a record that was compressed without a dictionary.
pub const NO_DICTIONARY: i64 = 0;
/// Fewer records than this make no dictionary.
const FEWEST_ROWS: usize = 60;
/// Batches whose room is kept for the next page: one is written, one is read, one waits.
const ROOMS: usize = 3;
/// No record is longer than this, in bytes (a memo holds 1 MB, and a record several).
const LONGEST_RECORD: usize = 256 * 1024 * 1024;

/// A dictionary of a table, with its number in the database once it is kept there.
pub struct Dictionary {
    bytes: Box<[u8]>,
    number: OnceLock<i64>,
}

/// Dictionaries in use.
#[derive(Default)]
pub struct Codec {
    newest: Mutex<HashMap<String, Arc<Dictionary>>>,
    kept: Mutex<HashMap<i64, Arc<[u8]>>>,
    rooms: Mutex<Vec<Room>>,
}

impl Codec {
    /// The dictionary that a table's records are compressed with, if it has one.
    pub fn newest(&self, connection: &Connection, table: &str) -> Result<Option<Arc<Dictionary>>> {
        if let Some(found) = lock(&self.newest).get(table) {
            return Ok(Some(Arc::clone(found)));
        }
        let kept: Option<(i64, Vec<u8>)> = connection
            .prepare_cached(
                "SELECT number, bytes FROM dictionary WHERE table_name = ? ORDER BY number DESC LIMIT 1",
            )?
            .query_row([table], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        Ok(kept.map(|(number, bytes)| {
            self.offer(
                table,
                Dictionary {
                    bytes: bytes.into(),
                    number: number.into(),
                },
            )
        }))
    }

    /// Lets a table's records be compressed with this dictionary from now on, unless there is one
    /// already; gives the one that is used.
    pub fn offer(&self, table: &str, dictionary: Dictionary) -> Arc<Dictionary> {
        let mut newest = lock(&self.newest);
        let used = newest
            .entry(table.to_owned())
            .or_insert_with(|| Arc::new(dictionary));
        Arc::clone(used)
    }

    pub fn forget(&self, table: &str) {
        lock(&self.newest).remove(table);
    }

    /// Room that an earlier batch gave back.
    pub fn take_room(&self) -> Option<Room> {
        lock(&self.rooms).pop()
    }

    pub fn give_room(&self, room: Room) {
        let mut rooms = lock(&self.rooms);
        if rooms.len() < ROOMS {
            rooms.push(room);
        }
    }

    /// Gives a record back, byte for byte.
    pub fn decode(&self, connection: &Connection, number: i64, bytes: &[u8]) -> Result<Vec<u8>> {
        decompress(&mut self.decompressor(connection, number)?, bytes)
    }

    /// What reads many records of one dictionary: making it takes longer than reading a record.
    pub fn decompressor(
        &self,
        connection: &Connection,
        number: i64,
    ) -> Result<Decompressor<'static>> {
        let dictionary = self.dictionary(connection, number)?;
        Decompressor::with_dictionary(&dictionary).map_err(|_| StoreError::Damaged)
    }

    fn dictionary(&self, connection: &Connection, number: i64) -> Result<Arc<[u8]>> {
        if number == NO_DICTIONARY {
            return Ok(Arc::from([]));
        }
        if let Some(found) = lock(&self.kept).get(&number) {
            return Ok(Arc::clone(found));
        }
        let bytes: Vec<u8> = connection
            .prepare_cached("SELECT bytes FROM dictionary WHERE number = ?")?
            .query_row([number], |row| row.get(0))?;
        let bytes: Arc<[u8]> = bytes.into();
        lock(&self.kept).insert(number, Arc::clone(&bytes));
        Ok(bytes)
    }
}

impl Dictionary {
    /// Makes a dictionary from the first records of a table; `None` where they are too few or too
    /// alike.
    pub fn train(records: &[&[u8]]) -> Option<Self> {
        if records.len() < FEWEST_ROWS {
            return None;
        }
        let bytes = zstd::dict::from_samples(records, DICTIONARY_BYTES).ok()?;
        Some(Self {
            bytes: bytes.into(),
            number: OnceLock::new(),
        })
    }

    /// The number in the database, where it is put before the first record that needs it.
    pub fn keep(&self, connection: &Connection, table: &str) -> Result<i64> {
        if let Some(number) = self.number.get() {
            return Ok(*number);
        }
        connection.execute(
            "INSERT INTO dictionary (table_name, bytes) VALUES (?, ?)",
            params![table, self.bytes],
        )?;
        Ok(*self.number.get_or_init(|| connection.last_insert_rowid()))
    }
}

/// Gives a record back, byte for byte.
pub fn decompress(decoder: &mut Decompressor<'static>, bytes: &[u8]) -> Result<Vec<u8>> {
    let size = zstd::zstd_safe::get_frame_content_size(bytes)
        .ok()
        .flatten()
        .and_then(|size| usize::try_from(size).ok())
        .filter(|size| *size <= LONGEST_RECORD)
        .ok_or(StoreError::Damaged)?;
    decoder
        .decompress(bytes, size)
        .map_err(|_| StoreError::Damaged)
}

/// A compressor for many records.
pub fn compressor(dictionary: Option<&Dictionary>) -> Result<Compressor<'static>> {
    let bytes = dictionary.map_or(&[][..], |dictionary| &dictionary.bytes);
    Compressor::with_dictionary(LEVEL, bytes)
        .map_err(|error| StoreError::Unreadable(error.to_string()))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
