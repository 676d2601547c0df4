//! What people know rows by.

use rusqlite::Connection;
use salesmirror_model::TableMetadata;
use uuid::Uuid;

use crate::database::quoted;
use crate::ids::StoredId;
use crate::schema::{self, data};
use crate::{Mirror, Result, StoreError};

impl Mirror {
    /// What people know these rows by: their primary names, else their ids. Rows that are not there
    /// have none.
    ///
    /// # Errors
    /// [`StoreError::UnknownTable`].
    pub fn names(&self, table: &str, ids: &[Uuid]) -> Result<Vec<String>> {
        self.read(|connection| {
            let metadata = schema::known(connection, table)?;
            names(connection, &metadata, ids)
        })
    }
}

/// The names of the rows that are there.
fn names(connection: &Connection, table: &TableMetadata, ids: &[Uuid]) -> Result<Vec<String>> {
    let mut names = Vec::with_capacity(ids.len());
    for id in ids {
        let (name_column, id) = (table.primary_name.as_deref(), StoredId::from(*id));
        match name(connection, &table.logical_name, name_column, "_id", &id) {
            Ok(found) => names.push(found),
            Err(StoreError::Sqlite(rusqlite::Error::QueryReturnedNoRows)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(names)
}

/// What people know a row by: its primary name, else its id.
pub fn name(
    connection: &Connection,
    table: &str,
    primary_name: Option<&str>,
    key: &str,
    value: &dyn rusqlite::ToSql,
) -> Result<String> {
    let column = primary_name.map_or("NULL".to_owned(), quoted);
    let sql = format!("SELECT {column}, _id FROM {} WHERE {key} = ?", data(table));
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_row([value], |row| {
        let name: Option<String> = row.get(0)?;
        let id: StoredId = row.get(1)?;
        Ok(name
            .filter(|name| !name.trim().is_empty())
            .unwrap_or_else(|| Uuid::from(id).to_string()))
    })?)
}
