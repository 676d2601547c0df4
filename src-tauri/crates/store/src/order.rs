//! Indexes that serve the order of a view, and what else they serve.

use rusqlite::Connection;
use salesmirror_model::{ColumnKind, ColumnMetadata, TableMetadata};

use crate::Result;
use crate::database::quoted;
use crate::schema::data;
use crate::view::{Condition, Test, ViewSpec};

/// How values are compared in the order of a view: text as people read it. Values of other kinds are
/// compared the same with it, and an index is used only where both say it.
pub const COLLATION: &str = "COLLATE NOCASE";

/// Whether an index serves the order of a column.
pub fn has_index(
    connection: &Connection,
    table: &TableMetadata,
    column: &ColumnMetadata,
) -> Result<bool> {
    let mut find =
        connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = ?)")?;
    Ok(find.query_row([index_name(table, column)], |row| row.get(0))?)
}

fn index_name(table: &TableMetadata, column: &ColumnMetadata) -> String {
    format!("sort_{}_{}", table.logical_name, column.logical_name)
}

/// The SQL that makes an index for a sorted column, where one helps.
pub fn index_for(table: &TableMetadata, name: &str) -> Option<String> {
    let column = table.column(name)?;
    if column.kind.is_lookup() || !column.choices.is_empty() {
        return None;
    }
    let own = quoted(&column.logical_name);
    Some(format!(
        "CREATE INDEX IF NOT EXISTS {} ON {} ({own} {COLLATION}, _rowid, _deleted_at, _stale_at)",
        quoted(&index_name(table, column)),
        data(&table.logical_name),
    ))
}

/// Whether the index of a column's order has all that a view asks for with this condition, its only one.
/// Anywhere else such an index would fetch a million rows one by one.
pub fn covers(spec: &ViewSpec, condition: &Condition, column: &ColumnMetadata) -> bool {
    let is_range = matches!(
        condition.test,
        Test::Less(_)
            | Test::LessOrEqual(_)
            | Test::Greater(_)
            | Test::GreaterOrEqual(_)
            | Test::Within(..)
    );
    let is_time = matches!(column.kind, ColumnKind::DateTime | ColumnKind::DateOnly);
    let is_alone = spec.conditions.len() == 1 && spec.search.is_none();
    let keeps = |name: &str| name == condition.column;
    is_range && is_time && is_alone && spec.sort.as_ref().is_none_or(|sort| keeps(&sort.column))
}
