//! Mirrored tables in SQL: what each column becomes, and how a table follows its metadata.

use rusqlite::{Connection, OptionalExtension as _, params};
use salesmirror_model::{ColumnKind, ColumnMetadata, TableMetadata};

use crate::database::quoted;
use crate::{Result, StoreError, history, seen, wanted, written};

/// Existing migrations never change.
pub const MIGRATIONS: [&str; 4] = [
    "
CREATE TABLE mirrored (
    name TEXT PRIMARY KEY NOT NULL,
    position INTEGER NOT NULL,
    metadata TEXT NOT NULL,
    metadata_version TEXT,
    phase TEXT NOT NULL DEFAULT 'idle',
    run INTEGER NOT NULL DEFAULT 0,
    tracked INTEGER NOT NULL DEFAULT 0,
    started_at INTEGER,
    next_link TEXT,
    delta_link TEXT,
    pending_link TEXT,
    needs_full INTEGER NOT NULL DEFAULT 1,
    live INTEGER NOT NULL DEFAULT 0,
    dead INTEGER NOT NULL DEFAULT 0,
    stale INTEGER NOT NULL DEFAULT 0,
    last_sync INTEGER,
    indexed_through INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE seen (
    table_name TEXT NOT NULL, part INTEGER NOT NULL, bits BLOB NOT NULL, size INTEGER NOT NULL,
    PRIMARY KEY (table_name, part)
) STRICT;
CREATE TABLE target (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE lookup_name (
    target INTEGER NOT NULL, id BLOB NOT NULL, name TEXT NOT NULL, PRIMARY KEY (target, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE dictionary (number INTEGER PRIMARY KEY, table_name TEXT NOT NULL, bytes BLOB NOT NULL)
STRICT;
",
    "
ALTER TABLE mirrored ADD COLUMN mark TEXT;
ALTER TABLE mirrored ADD COLUMN pending_mark TEXT;
ALTER TABLE mirrored ADD COLUMN tracking_asked_at INTEGER;
ALTER TABLE mirrored ADD COLUMN ids_checked_at INTEGER;
ALTER TABLE mirrored ADD COLUMN verified_at INTEGER;
CREATE TABLE wanted (table_name TEXT NOT NULL, id BLOB NOT NULL, PRIMARY KEY (table_name, id))
STRICT, WITHOUT ROWID;
",
    "
CREATE TABLE history (
    number INTEGER PRIMARY KEY,
    table_number INTEGER NOT NULL,
    id BLOB NOT NULL,
    seen_at INTEGER NOT NULL,
    run INTEGER,
    what INTEGER NOT NULL,
    fields TEXT
) STRICT;
CREATE INDEX history_by_record ON history (table_number, id);
CREATE TABLE history_column (
    number INTEGER PRIMARY KEY, table_number INTEGER NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
    UNIQUE (table_number, name, kind)
) STRICT;
CREATE TABLE filling (
    table_name TEXT NOT NULL, column_name TEXT NOT NULL, PRIMARY KEY (table_name, column_name)
) STRICT, WITHOUT ROWID;
",
    "
CREATE TABLE feed (id INTEGER NOT NULL, lost INTEGER NOT NULL) STRICT;
INSERT INTO feed VALUES (abs(random() % 4294967296), 0);
CREATE TABLE run_event (
    number INTEGER PRIMARY KEY, run INTEGER NOT NULL, has_ended INTEGER NOT NULL, at INTEGER NOT NULL,
    UNIQUE (run, has_ended)
) STRICT;
CREATE TABLE written (
    number INTEGER PRIMARY KEY AUTOINCREMENT, table_name TEXT NOT NULL, id BLOB NOT NULL,
    written_at INTEGER NOT NULL
) STRICT;
CREATE INDEX written_by_table ON written (table_name, number);
",
];

/// Postings that are gathered in memory before they are written, in bytes: the more, the fewer
/// pieces of the index have to be merged afterwards.
const SEARCH_HASH_BYTES: u32 = 16 << 20;

/// What defining a table changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Definition {
    /// The table is new.
    pub created: bool,
    /// Columns that are new.
    pub added: Vec<String>,
    /// Columns that are gone; their values are gone too.
    pub removed: Vec<String>,
    /// Columns whose values are stored otherwise now.
    pub retyped: Vec<String>,
}

impl Definition {
    /// Whether rows have to be read again.
    #[must_use]
    pub fn changes_columns(&self) -> bool {
        self.created
            || !(self.added.is_empty() && self.removed.is_empty() && self.retyped.is_empty())
    }
}

/// Names of the SQL objects of a mirrored table.
pub fn data(table: &str) -> String {
    quoted(&format!("data_{table}"))
}

pub fn raw(table: &str) -> String {
    quoted(&format!("raw_{table}"))
}

pub fn search(table: &str) -> String {
    quoted(&format!("search_{table}"))
}

/// Rows that changed since they were indexed for search; those beyond `indexed_through` never were.
pub fn queue(table: &str) -> String {
    quoted(&format!("queue_{table}"))
}

/// The column beside a lookup that holds the number of its target's table. Logical names hold no
/// blank, so it cannot meet another column's name.
pub fn target_column(column: &str) -> String {
    quoted(&format!("{column} target"))
}

fn sql_type(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Text | ColumnKind::Memo | ColumnKind::MultiChoice | ColumnKind::Other => "TEXT",
        ColumnKind::Decimal | ColumnKind::Double | ColumnKind::Money => "REAL",
        ColumnKind::Lookup | ColumnKind::Customer | ColumnKind::Owner | ColumnKind::UniqueId => {
            "BLOB"
        }
        _ => "INTEGER",
    }
}

/// The SQL columns of one metadata column: text affinity must not turn a number that came where
/// text belongs into something else, so columns are declared by the kind alone.
fn declarations(column: &ColumnMetadata) -> Vec<String> {
    let own = format!("{} {}", quoted(&column.logical_name), sql_type(column.kind));
    if column.kind.is_lookup() {
        vec![
            own,
            format!("{} INTEGER", target_column(&column.logical_name)),
        ]
    } else {
        vec![own]
    }
}

/// The stored metadata of a table.
pub fn metadata(connection: &Connection, table: &str) -> Result<Option<TableMetadata>> {
    let text = metadata_text(connection, table)?;
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
}

/// The stored metadata of a table that has to be there.
pub fn known(connection: &Connection, table: &str) -> Result<TableMetadata> {
    metadata(connection, table)?.ok_or_else(|| StoreError::UnknownTable(table.to_owned()))
}

/// The same as it is stored.
pub fn metadata_text(connection: &Connection, table: &str) -> Result<Option<String>> {
    Ok(connection
        .prepare_cached("SELECT metadata FROM mirrored WHERE name = ?")?
        .query_row([table], |row| row.get(0))
        .optional()?)
}

/// Whether a table is mirrored.
pub fn is_mirrored(connection: &Connection, table: &str) -> Result<bool> {
    let mut find =
        connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM mirrored WHERE name = ?)")?;
    Ok(find.query_row([table], |row| row.get(0))?)
}

/// The organisation's metadata version that the table's last page carried.
pub fn metadata_version(connection: &Connection, table: &str) -> Result<Option<String>> {
    let version: Option<Option<String>> = connection
        .prepare_cached("SELECT metadata_version FROM mirrored WHERE name = ?")?
        .query_row([table], |row| row.get(0))
        .optional()?;
    Ok(version.flatten())
}

/// Makes the SQL tables follow the metadata. Rows stay; a change of columns forgets the links,
/// since they carry `$select`, so that a full sync follows.
pub fn define(connection: &mut Connection, table: &TableMetadata) -> Result<Definition> {
    let transaction = connection.transaction()?;
    let name = &table.logical_name;
    let text = serde_json::to_string(table)?;
    let definition = match metadata(&transaction, name)? {
        None => {
            create(&transaction, table)?;
            transaction.execute(
                "INSERT INTO mirrored (name, position, metadata) \
                 VALUES (?, (SELECT count(*) FROM mirrored), ?)",
                params![name, text],
            )?;
            Definition {
                created: true,
                ..Definition::default()
            }
        }
        Some(old) => {
            let definition = difference(&old, table);
            alter(&transaction, &old, table, &definition)?;
            if definition.added.len() + definition.retyped.len() > 0 {
                // A row of the same version would be taken for equal, and never get the new values.
                let data = data(name);
                transaction.execute(&format!("UPDATE {data} SET _version = NULL"), [])?;
                // What fills a new column was there before: that is no change of a record.
                let new = definition.added.iter().chain(&definition.retyped);
                history::begin_filling(&transaction, name, new)?;
            }
            transaction.execute(
                "UPDATE mirrored SET metadata = ? WHERE name = ?",
                params![text, name],
            )?;
            definition
        }
    };
    if definition.changes_columns() {
        transaction.execute(
            "UPDATE mirrored SET phase = 'idle', next_link = NULL, delta_link = NULL, \
             pending_link = NULL, mark = NULL, pending_mark = NULL, needs_full = 1 WHERE name = ?",
            [name],
        )?;
    }
    transaction.commit()?;
    Ok(definition)
}

pub fn create(connection: &Connection, table: &TableMetadata) -> Result<()> {
    let name = &table.logical_name;
    let columns: Vec<String> = table.columns.iter().flat_map(declarations).collect();
    connection.execute_batch(&format!(
        "CREATE TABLE {data} (_rowid INTEGER PRIMARY KEY, _id BLOB NOT NULL UNIQUE, \
         _version INTEGER, _deleted_at INTEGER, _stale_at INTEGER{comma}{columns});
         CREATE INDEX {live} ON {data} (_deleted_at);
         CREATE INDEX {stale} ON {data} (_stale_at) WHERE _stale_at IS NOT NULL;
         CREATE TABLE {raw} (_rowid INTEGER PRIMARY KEY, dictionary INTEGER NOT NULL, bytes BLOB NOT NULL);
         CREATE TABLE {queue} (_rowid INTEGER PRIMARY KEY);
         CREATE VIRTUAL TABLE {search} USING fts5(text, content='', contentless_delete=1, \
         detail='none', tokenize='trigram case_sensitive 1');
         INSERT INTO {search} ({search}, rank) VALUES ('hashsize', {SEARCH_HASH_BYTES});",
        data = data(name),
        // The rows of a view without an order or a condition, and those that were invalidated,
        // are found without reading a table of wide rows.
        live = quoted(&format!("live_{name}")),
        stale = quoted(&format!("stale_{name}")),
        raw = raw(name),
        queue = queue(name),
        search = search(name),
        comma = if columns.is_empty() { "" } else { ", " },
        columns = columns.join(", "),
    ))?;
    Ok(())
}

/// Drops a table with everything of it.
pub fn drop(connection: &mut Connection, table: &str) -> Result<()> {
    let transaction = connection.transaction()?;
    known(&transaction, table)?;
    for name in [data(table), raw(table), queue(table), search(table)] {
        transaction.execute_batch(&format!("DROP TABLE {name}"))?;
    }
    transaction.execute("DELETE FROM mirrored WHERE name = ?", [table])?;
    transaction.execute("DELETE FROM dictionary WHERE table_name = ?", [table])?;
    seen::forget(&transaction, table)?;
    wanted::forget(&transaction, table)?;
    written::forget(&transaction, table)?;
    history::forget(&transaction, table)?;
    transaction.commit()?;
    Ok(())
}

fn difference(old: &TableMetadata, new: &TableMetadata) -> Definition {
    let find = |table: &TableMetadata, name: &str| {
        table
            .columns
            .iter()
            .find(|column| column.logical_name == name)
            .map(|column| column.kind)
    };
    let mut definition = Definition::default();
    for column in &new.columns {
        match find(old, &column.logical_name) {
            None => definition.added.push(column.logical_name.clone()),
            Some(kind) if kind != column.kind => {
                definition.retyped.push(column.logical_name.clone());
            }
            Some(_) => {}
        }
    }
    for column in &old.columns {
        if find(new, &column.logical_name).is_none() {
            definition.removed.push(column.logical_name.clone());
        }
    }
    definition
}

fn alter(
    connection: &Connection,
    old: &TableMetadata,
    new: &TableMetadata,
    definition: &Definition,
) -> Result<()> {
    let data = data(&new.logical_name);
    let gone = definition.removed.iter().chain(&definition.retyped);
    if definition.removed.len() + definition.retyped.len() > 0 {
        drop_indexes(connection, &new.logical_name)?;
    }
    for name in gone {
        let Some(column) = old
            .columns
            .iter()
            .find(|column| &column.logical_name == name)
        else {
            continue;
        };
        connection.execute_batch(&format!("ALTER TABLE {data} DROP COLUMN {}", quoted(name)))?;
        if column.kind.is_lookup() {
            let target = target_column(name);
            connection.execute_batch(&format!("ALTER TABLE {data} DROP COLUMN {target}"))?;
        }
    }
    for name in definition.added.iter().chain(&definition.retyped) {
        let Some(column) = new
            .columns
            .iter()
            .find(|column| &column.logical_name == name)
        else {
            continue;
        };
        for declaration in declarations(column) {
            connection.execute_batch(&format!("ALTER TABLE {data} ADD COLUMN {declaration}"))?;
        }
    }
    Ok(())
}

/// Drops the indexes that views, charts and lookups made: a column with an index cannot be dropped.
fn drop_indexes(connection: &Connection, table: &str) -> Result<()> {
    let names: Vec<String> = connection
        .prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? \
                  AND (name GLOB 'sort_*' OR name GLOB 'chart_*' OR name GLOB 'lookup_*')",
        )?
        .query_map([format!("data_{table}")], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for name in names {
        connection.execute_batch(&format!("DROP INDEX {}", quoted(&name)))?;
    }
    Ok(())
}
