//! What the organisation remembers: changes, privileges, and what Entra ID and the network remember.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;
use uuid::Uuid;

use crate::data::row::{Row, World};
use crate::data::schema::{Column, TABLES};
use crate::data::{Dice, index_of};
use crate::entra::Directory;
use crate::network::Network;
use crate::variants::Variants;

/// A row that is not as it was in the beginning.
#[derive(Clone, Copy)]
pub struct Changed {
    pub revision: u32,
    pub version: u64,
    pub deleted: bool,
}

/// The changes of one table.
#[derive(Default)]
pub struct Changes {
    pub rows: BTreeMap<u64, Changed>,
    /// Versions in the order they were given.
    pub log: BTreeMap<u64, u64>,
    /// Rows there have ever been.
    pub end: u64,
    pub live: u64,
    /// Grows with every change: pages kept from before are no good.
    pub generation: u64,
}

/// How far the signed-in users may read a table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    None,
    User,
    Global,
}

/// Everything that changes while the organisation runs.
pub struct State {
    pub world: World,
    pub changes: Vec<Changes>,
    pub version: u64,
    /// Delta tokens below this are answered as expired.
    pub oldest_token: u64,
    pub entra: Directory,
    pub net: Network,
    pub variants: Variants,
    pub depth: HashMap<usize, Depth>,
    pub untracked: BTreeSet<usize>,
    /// Columns that the organisation has no more, by table.
    pub hidden: BTreeSet<(usize, String)>,
    /// Tables that the organisation has no more.
    pub gone: BTreeSet<usize>,
    /// Grows with every change of the schema.
    pub metadata_version: u64,
    pub activity: u64,
}

/// What one call of activity did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Activity {
    /// Rows created.
    pub creates: u64,
    /// Rows updated.
    pub updates: u64,
    /// Rows deleted.
    pub deletes: u64,
}

impl State {
    /// `version` is that of the first change, unless there are more rows than that.
    pub fn new(world: World, version: u64) -> Self {
        let changes = world
            .rows
            .iter()
            .map(|rows| Changes {
                end: *rows,
                live: *rows,
                ..Changes::default()
            })
            .collect();
        let version = version.max(world.first_version + world.rows.iter().sum::<u64>() + 1);
        Self {
            entra: Directory::new(&world),
            net: Network::default(),
            variants: Variants::default(),
            world,
            changes,
            version,
            oldest_token: version,
            depth: HashMap::new(),
            untracked: BTreeSet::new(),
            hidden: BTreeSet::new(),
            gone: BTreeSet::new(),
            metadata_version: 2_341_840,
            activity: 0,
        }
    }

    /// Everything is as it was in the beginning; versions go on growing.
    pub fn reset(&mut self) {
        *self = Self::new(self.world.clone(), self.version + 1);
    }

    /// The row of this index; `None` where it never was or is deleted.
    pub fn row(&self, table: usize, index: u64) -> Option<Row> {
        match self.changes[table].rows.get(&index) {
            Some(changed) if changed.deleted => None,
            Some(changed) => Some(Row {
                table,
                index,
                revision: changed.revision,
                version: changed.version,
            }),
            None if index < self.world.rows[table] => Some(self.first_row(table, index)),
            None => None,
        }
    }

    fn first_row(&self, table: usize, index: u64) -> Row {
        let before: u64 = self.world.rows[..table].iter().sum();
        Row {
            table,
            index,
            revision: 0,
            version: self.world.first_version + before + index,
        }
    }

    pub fn find(&self, table: usize, wanted: Uuid) -> Option<Row> {
        self.row(table, index_of(self.world.seed, table as u64, wanted)?)
    }

    pub fn depth(&self, table: usize) -> Depth {
        self.depth.get(&table).copied().unwrap_or(Depth::Global)
    }

    /// Answers change although no row did: pages kept from before are no good.
    pub fn forget_pages(&mut self) {
        for changes in &mut self.changes {
            changes.generation += 1;
        }
    }

    /// Whether the user's role reaches the row: with read at user level only their own.
    pub fn can_read(&self, row: Row, user: Uuid) -> bool {
        match self.depth(row.table) {
            Depth::Global => true,
            Depth::None => false,
            Depth::User => {
                let (table, index) = self.world.owner(row);
                self.id(table, index) == user
            }
        }
    }

    /// The columns that a table has now.
    pub fn columns(&self, table: usize) -> impl Iterator<Item = &'static Column> {
        TABLES[table]
            .columns
            .iter()
            .filter(move |column| !self.hidden.contains(&(table, column.name.to_string())))
    }

    pub fn is_tracked(&self, table: usize) -> bool {
        TABLES[table].tracked && !self.untracked.contains(&table)
    }

    pub fn id(&self, table: usize, index: u64) -> Uuid {
        self.world.id(table, index)
    }

    /// Creates, updates and deletes rows of these tables at random.
    pub fn act(&mut self, wanted: Activity, tables: &[usize]) -> Activity {
        self.activity += 1;
        let mut dice = Dice::new(self.world.seed, 4_242, self.activity);
        let mut done = Activity::default();
        if tables.is_empty() {
            return done;
        }
        for _ in 0..wanted.creates {
            let table = dice.pick(tables);
            let index = self.changes[table].end;
            self.changes[table].end += 1;
            self.changes[table].live += 1;
            self.change(table, index, 1, false);
            done.creates += 1;
        }
        for _ in 0..wanted.updates {
            let table = dice.pick(tables);
            let index = dice.below(self.changes[table].end);
            if let Some(row) = self.row(table, index) {
                self.change(table, index, row.revision + 1, false);
                done.updates += 1;
            }
        }
        for _ in 0..wanted.deletes {
            let table = dice.pick(tables);
            let index = dice.below(self.changes[table].end);
            if let Some(row) = self.row(table, index) {
                self.change(table, index, row.revision, true);
                self.changes[table].live -= 1;
                done.deletes += 1;
            }
        }
        done
    }

    fn change(&mut self, table: usize, index: u64, revision: u32, deleted: bool) {
        self.version += 1;
        let version = self.version;
        let changes = &mut self.changes[table];
        if let Some(old) = changes.rows.insert(
            index,
            Changed {
                revision,
                version,
                deleted,
            },
        ) {
            changes.log.remove(&old.version);
        }
        changes.log.insert(version, index);
        changes.generation += 1;
    }
}
