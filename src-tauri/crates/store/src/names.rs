//! Names of lookups as the service formatted them, for targets that are not mirrored.

use std::hash::BuildHasher as _;

use rusqlite::{Connection, params};
use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::Result;
use crate::ids::StoredId;

/// So many names are remembered as kept, 32 bytes each: thousands of rows point to the same record.
const REMEMBERED: usize = 200_000;

/// What is known to be kept, so that it is not written again with every row.
#[derive(Default)]
pub struct Names {
    kept: FxHashMap<(i64, StoredId), u64>,
}

impl Names {
    /// Keeps the name of a target, a table's number and an id.
    pub fn keep(
        &mut self,
        connection: &Connection,
        target: i64,
        id: StoredId,
        name: &str,
    ) -> Result<()> {
        let hash = FxBuildHasher.hash_one(name);
        if self.kept.get(&(target, id)) == Some(&hash) {
            return Ok(());
        }
        connection
            .prepare_cached(
                "INSERT INTO lookup_name VALUES (?, ?, ?) ON CONFLICT DO UPDATE \
                 SET name = excluded.name WHERE name <> excluded.name",
            )?
            .execute(params![target, id, name])?;
        if self.kept.len() >= REMEMBERED {
            self.kept.clear();
        }
        self.kept.insert((target, id), hash);
        Ok(())
    }

    /// Forgets what a transaction kept that was rolled back.
    pub fn forget(&mut self) {
        self.kept.clear();
    }
}
