//! Rows as they are now: generated ones, with what has changed since beside them.

use std::collections::btree_map::Range;
use std::collections::{BTreeMap, HashMap};
use std::iter::Peekable;

use uuid::Uuid;

use crate::data::row::{Row, Value};
use crate::data::schema::{Column, TEAM, UNIT, USER};
use crate::data::{Dice, index_of};
use crate::state::{Activity, Depth, State};

/// A GUID as SQL Server orders it: its last six bytes first, the first four last.
pub type OrderedId = [u8; 16];

/// The bytes of a GUID in the order in which SQL Server compares them.
pub fn ordered(id: Uuid) -> OrderedId {
    const ORDER: [usize; 16] = [10, 11, 12, 13, 14, 15, 8, 9, 6, 7, 4, 5, 0, 1, 2, 3];
    let bytes = id.to_bytes_le();
    ORDER.map(|place| bytes[place])
}

/// A row that is not as it was in the beginning.
#[derive(Clone)]
pub struct Changed {
    pub revision: u32,
    pub version: u64,
    pub deleted: bool,
    pub written: Option<Box<Written>>,
}

/// What clients wrote to a row.
#[derive(Clone, Default)]
pub struct Written {
    /// The id, where the row was not generated under its own.
    pub id: Option<Uuid>,
    /// Nothing of the row is generated: columns without a cell are null.
    pub alone: bool,
    /// Values by logical name.
    pub cells: BTreeMap<String, Value>,
}

/// The changes of one table.
#[derive(Clone, Default)]
pub struct Changes {
    pub rows: BTreeMap<u64, Changed>,
    /// Versions in the order they were given.
    pub log: BTreeMap<u64, u64>,
    /// Rows there have ever been.
    pub end: u64,
    pub live: u64,
    /// Grows with every change: pages kept from before are no good.
    pub generation: u64,
    /// Delta tokens of this table below this are answered as expired.
    pub oldest_token: u64,
    /// Rows with ids of their own, by id and in the order of ids.
    pub chosen: HashMap<Uuid, u64>,
    pub order: BTreeMap<OrderedId, u64>,
}

impl State {
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

    /// The index that an id stands for, whether its row is there or deleted.
    pub fn index(&self, table: usize, wanted: Uuid) -> Option<u64> {
        if let Some(index) = self.changes[table].chosen.get(&wanted) {
            return Some(*index);
        }
        let index = index_of(self.world.seed, table as u64, wanted)?;
        let is_generated = index < self.changes[table].end
            && self
                .written(table, index)
                .is_none_or(|written| written.id.is_none());
        is_generated.then_some(index)
    }

    pub fn find(&self, table: usize, wanted: Uuid) -> Option<Row> {
        self.row(table, self.index(table, wanted)?)
    }

    pub fn written(&self, table: usize, index: u64) -> Option<&Written> {
        self.changes[table].rows.get(&index)?.written.as_deref()
    }

    pub fn id(&self, table: usize, index: u64) -> Uuid {
        self.written(table, index)
            .and_then(|written| written.id)
            .unwrap_or_else(|| self.world.id(table, index))
    }

    /// The value of a column; what was written stands before what is generated.
    pub fn value(&self, row: Row, column: &Column) -> Value {
        self.value_beside(row, column, self.written(row.table, row.index))
    }

    /// The same, where the caller has looked up what was written.
    pub fn value_beside(&self, row: Row, column: &Column, written: Option<&Written>) -> Value {
        let Some(written) = written else {
            return self.world.value(row, column);
        };
        if let Some(value) = written.cells.get(&column.name) {
            return value.clone();
        }
        if column.name == self.tables[row.table].primary_id {
            return Value::Id(self.id(row.table, row.index));
        }
        if written.alone && column.name != "versionnumber" {
            return Value::Null;
        }
        self.world.value(row, column)
    }

    /// The primary name of a row.
    pub fn name(&self, table: usize, index: u64) -> Option<String> {
        let Some(written) = self.written(table, index) else {
            return self.world.name(table, index);
        };
        match written.cells.get(self.tables[table].primary_name) {
            Some(Value::Text(name)) => Some(name.clone()),
            Some(_) => None,
            None if written.alone => None,
            None => self.world.name(table, index),
        }
    }

    /// The table and id that a lookup points to.
    pub fn target(&self, value: &Value) -> Option<(usize, Uuid)> {
        match value {
            Value::Lookup(table, index) => Some((*table, self.id(*table, *index))),
            Value::Reference(table, id) => Some((*table, *id)),
            _ => None,
        }
    }

    /// The value of a column by its logical name.
    pub fn cell(&self, row: Row, name: &str) -> Value {
        self.tables[row.table]
            .column(name)
            .map_or(Value::Null, |column| self.value(row, column))
    }

    /// How far the user's role reaches: with read at user level only their own rows.
    pub fn can_reach(&self, row: Row, user: Uuid, depth: Depth) -> bool {
        match depth {
            Depth::Global => true,
            Depth::None => false,
            Depth::User => self.target(&self.cell(row, "ownerid")) == Some((USER, user)),
            Depth::Unit => {
                let unit = self
                    .find(USER, user)
                    .and_then(|user| self.target(&self.cell(user, "businessunitid")));
                unit.is_some() && self.target(&self.cell(row, "owningbusinessunit")) == unit
            }
        }
    }

    /// Rows of a table in the order of their ids, behind `after`.
    pub fn rows_after(&self, table: usize, after: Option<Uuid>) -> Scan<'_> {
        let changes = &self.changes[table];
        let Some(after) = after else {
            return Scan {
                state: self,
                table,
                index: 0,
                chosen: changes.order.range::<OrderedId, _>(..).peekable(),
            };
        };
        let key = ordered(after);
        // Generated ids carry their index in the bytes that are compared first.
        let mut index = after.as_u64_pair().1 & 0xffff_ffff_ffff;
        if ordered(self.world.id(table, index)) <= key {
            index += 1;
        }
        let above = (std::ops::Bound::Excluded(key), std::ops::Bound::Unbounded);
        Scan {
            state: self,
            table,
            index,
            chosen: changes.order.range::<OrderedId, _>(above).peekable(),
        }
    }

    /// Answers change although no row did: pages kept from before are no good.
    pub fn forget_pages(&mut self) {
        for changes in &mut self.changes {
            changes.generation += 1;
        }
    }

    /// Delta links of this table are dead from now on.
    pub fn expire_tokens(&mut self, table: usize) {
        self.version += 1;
        self.changes[table].oldest_token = self.version;
        self.changes[table].generation += 1;
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
                self.delete(row);
                done.deletes += 1;
            }
        }
        done
    }

    pub fn delete(&mut self, row: Row) {
        self.change(row.table, row.index, row.revision, true);
        let id = self.id(row.table, row.index);
        let changes = &mut self.changes[row.table];
        changes.live -= 1;
        changes.order.remove(&ordered(id));
    }

    /// Puts cells beside a row and gives it a new version.
    pub fn update(&mut self, row: Row, cells: BTreeMap<String, Value>) {
        self.change(row.table, row.index, row.revision, false);
        if let Some(changed) = self.changes[row.table].rows.get_mut(&row.index) {
            changed.written.get_or_insert_default().cells.extend(cells);
        }
    }

    /// A row of nothing but these cells. An id that was used and deleted before is used again.
    pub fn create(
        &mut self,
        table: usize,
        id: Option<Uuid>,
        cells: BTreeMap<String, Value>,
    ) -> Row {
        let known = id.and_then(|id| self.index(table, id));
        let index = known.unwrap_or(self.changes[table].end);
        let written = Written {
            id: id.filter(|id| *id != self.world.id(table, index)),
            alone: true,
            cells,
        };
        let changes = &mut self.changes[table];
        changes.end = changes.end.max(index + 1);
        changes.live += 1;
        if let Some(id) = written.id {
            changes.chosen.insert(id, index);
            changes.order.insert(ordered(id), index);
        }
        self.change(table, index, 0, false);
        if let Some(changed) = self.changes[table].rows.get_mut(&index) {
            changed.written = Some(Box::new(written));
        }
        Row {
            table,
            index,
            revision: 0,
            version: self.version,
        }
    }

    /// What was written to a column that is no more, or is another now, is gone.
    pub fn forget_cells(&mut self, table: usize, name: &str) {
        for changed in self.changes[table].rows.values_mut() {
            if let Some(written) = &mut changed.written {
                written.cells.remove(name);
            }
        }
    }

    /// Takes everything back that was written since; versions are not given a second time.
    pub fn restore(&mut self, before: Vec<Changes>) {
        let generations: Vec<u64> = self
            .changes
            .iter()
            .map(|changes| changes.generation)
            .collect();
        self.changes = before;
        for (changes, generation) in self.changes.iter_mut().zip(generations) {
            changes.generation = generation + 1;
        }
    }

    fn change(&mut self, table: usize, index: u64, revision: u32, deleted: bool) {
        self.version += 1;
        let version = self.version;
        let changes = &mut self.changes[table];
        let old = changes.rows.remove(&index);
        if let Some(old) = &old {
            changes.log.remove(&old.version);
        }
        changes.rows.insert(
            index,
            Changed {
                revision,
                version,
                deleted,
                written: old.and_then(|old| old.written),
            },
        );
        changes.log.insert(version, index);
        changes.generation += 1;
    }

    /// The user's business unit, as new rows get it.
    pub fn unit_of(&self, owner: (usize, Uuid)) -> Value {
        let unit = |table| {
            self.find(table, owner.1)
                .and_then(|row| self.target(&self.cell(row, "businessunitid")))
        };
        match owner.0 {
            USER | TEAM => unit(owner.0).map_or(Value::Null, |(_, id)| Value::Reference(UNIT, id)),
            _ => Value::Null,
        }
    }
}

/// Live rows in the order of their ids.
pub struct Scan<'s> {
    state: &'s State,
    table: usize,
    index: u64,
    chosen: Peekable<Range<'s, OrderedId, u64>>,
}

impl Iterator for Scan<'_> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        let changes = &self.state.changes[self.table];
        while self.index < changes.end {
            let is_own = |written: &Written| written.id.is_some();
            let row = self.state.row(self.table, self.index).filter(|row| {
                !self
                    .state
                    .written(self.table, row.index)
                    .is_some_and(is_own)
            });
            let Some(row) = row else {
                self.index += 1;
                continue;
            };
            if let Some((key, index)) = self.chosen.peek()
                && **key < ordered(self.state.world.id(self.table, row.index))
            {
                let index = **index;
                self.chosen.next();
                return self.state.row(self.table, index);
            }
            self.index += 1;
            return Some(row);
        }
        let (_, index) = self.chosen.next()?;
        self.state.row(self.table, *index)
    }
}
