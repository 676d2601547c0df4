//! What the control interface has set about rows: rights, secured columns, variants.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

use super::errors::{self, Right};
use super::reply::Reply;
use crate::data::row::Row;
use crate::state::{Depth, State};

/// Page sizes that next links remember, at most; then the oldest are as good as forgotten.
const REMEMBERED: usize = 100_000;

/// Settings of the Web API.
#[derive(Default)]
pub struct Settings {
    /// How far users may reach; everything where nothing is said.
    pub rights: BTreeMap<(usize, Right), Depth>,
    /// Columns that column security hides.
    pub secured: BTreeSet<(usize, String)>,
    /// Plug-ins that refuse: table, operation, message.
    pub plugins: Vec<(usize, String, String)>,
    /// The version of the schema at which a table last changed.
    pub schema_versions: BTreeMap<usize, u64>,
    /// Stamps of RetrieveMetadataChanges below this are answered as expired.
    pub oldest_stamp: u64,
    /// A next link keeps its page size: sizes by cookie.
    sizes: Mutex<HashMap<String, usize>>,
}

impl Settings {
    pub fn remember(&self, cookie: String, size: usize) {
        let mut sizes = self.sizes.lock().unwrap_or_else(PoisonError::into_inner);
        if sizes.len() >= REMEMBERED {
            sizes.clear();
        }
        sizes.insert(cookie, size);
    }

    pub fn size(&self, cookie: &str) -> Option<usize> {
        let sizes = self.sizes.lock().unwrap_or_else(PoisonError::into_inner);
        sizes.get(cookie).copied()
    }
}

impl State {
    /// The number of the table with this logical name, if it is there.
    pub fn table(&self, name: &str) -> Option<usize> {
        self.tables
            .iter()
            .position(|table| table.name == name && !table.dropped)
    }

    /// The number of the table with this set name, if it is there.
    pub fn set(&self, name: &str) -> Option<usize> {
        self.tables
            .iter()
            .position(|table| table.set == name && !table.dropped)
    }

    pub fn is_secured(&self, table: usize, column: &str) -> bool {
        !self.web.secured.is_empty() && self.web.secured.contains(&(table, column.to_owned()))
    }

    pub fn right(&self, table: usize, right: Right) -> Depth {
        let given = self.web.rights.get(&(table, right));
        given.copied().unwrap_or(Depth::Global)
    }

    pub fn depth(&self, table: usize) -> Depth {
        self.right(table, Right::Read)
    }

    /// Refuses where the table's rows may not be read at all.
    pub fn may_read(&self, table: usize, user: Uuid) -> Result<(), Reply> {
        match self.depth(table) {
            Depth::None => Err(errors::missing_privilege(self, Right::Read, table, user)),
            _ => Ok(()),
        }
    }

    /// Whether the user's role reaches the row.
    pub fn can_read(&self, row: Row, user: Uuid) -> bool {
        self.can_reach(row, user, self.depth(row.table))
    }

    /// Refuses what the user may not do with a row.
    pub fn may(&self, right: Right, row: Row, user: Uuid) -> Result<(), Reply> {
        let depth = self.right(row.table, right);
        if depth == Depth::None {
            return Err(errors::missing_privilege(self, right, row.table, user));
        }
        if self.can_reach(row, user, depth) {
            Ok(())
        } else {
            Err(errors::out_of_reach(self, right, row, user))
        }
    }

    pub fn is_tracked(&self, table: usize) -> bool {
        self.tables[table].tracked
    }

    /// The schema has changed: its version moves, and the table's delta links are dead.
    pub fn schema_changed(&mut self, table: usize) {
        self.expire_tokens(table);
        self.metadata_moved(table);
    }

    /// The version of the schema moves, and no delta link dies.
    pub fn metadata_moved(&mut self, table: usize) {
        self.metadata_version += 1;
        self.web
            .schema_versions
            .insert(table, self.metadata_version);
        self.forget_pages();
    }
}
