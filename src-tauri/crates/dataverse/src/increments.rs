//! Reading tables that have no change tracking: what changed since a mark, and ids to compare.

use std::sync::Arc;

use salesmirror_model::{Change, Collect, TableMetadata, Value};
use uuid::Uuid;

use crate::client::Client;
use crate::link::{self, PageRequest, ScanOptions};
use crate::{Error, Result};

/// Ids of rows, each with its `versionnumber` or `modifiedon` where one was selected.
#[derive(Debug, Default)]
pub struct IdRows(pub Vec<(Uuid, Option<i64>)>);

impl Collect for IdRows {
    fn take(&mut self, change: Change<'_>) {
        let Change::Upsert(record) = change else {
            return;
        };
        let number = record.values.iter().find_map(|(_, value)| match value {
            Value::Integer(number) => Some(*number),
            _ => None,
        });
        self.0.push((record.id, record.version.or(number)));
    }
}

/// A table reduced to its id and one column, by which a scan of ids is read.
#[must_use]
pub fn ids_of(table: &TableMetadata, column: Option<&str>) -> TableMetadata {
    let is_wanted = |name: &str| name == table.primary_id || Some(name) == column;
    let columns = table.columns.iter();
    TableMetadata {
        columns: columns
            .filter(|column| is_wanted(&column.logical_name))
            .cloned()
            .collect(),
        ..table.clone()
    }
}

impl Client {
    /// The request of the first page of rows whose `column` is at least `value` (a number or a time,
    /// as the service writes it), in the order of the column and, where it ties, of the id.
    ///
    /// # Errors
    /// Where the table's names make no address.
    pub fn since_request(
        &self,
        table: &TableMetadata,
        column: &str,
        value: &str,
        options: &ScanOptions,
    ) -> Result<PageRequest> {
        let id = &table.primary_id;
        let query = format!("$filter={column}%20ge%20{value}&$orderby={column}%20asc,{id}%20asc");
        let options = ScanOptions {
            track_changes: false,
            ..options.clone()
        };
        link::query(self.base(), table, &options, &query)
    }

    /// The highest value of a column: a number, or a time in ms since 1970; `None` in an empty table.
    ///
    /// # Errors
    /// Whatever the service or the network says.
    pub async fn highest(&self, table: &TableMetadata, column: &str) -> Result<Option<i64>> {
        let reduced = Arc::new(ids_of(table, Some(column)));
        let options = ScanOptions {
            track_changes: false,
            annotations: false,
            ..ScanOptions::default()
        };
        let query = format!("$orderby={column}%20desc&$top=1");
        let mut request = link::query(self.base(), &reduced, &options, &query)?;
        // With a page size the service ignores `$top`.
        request.prefer.clear();
        let page = self.fetch_page(&reduced, &request, IdRows::default).await?;
        Ok(page.rows.0.first().and_then(|(_, value)| *value))
    }

    /// Whether a table can be read with change tracking, asked with a page of one id.
    ///
    /// # Errors
    /// Whatever the service or the network says, except that it cannot.
    pub async fn grants_tracking(&self, table: &TableMetadata) -> Result<bool> {
        let reduced = Arc::new(ids_of(table, None));
        let options = ScanOptions {
            page_size: 1,
            track_changes: true,
            annotations: false,
        };
        let request = self.first_request(&reduced, &options)?;
        match self.fetch_page(&reduced, &request, IdRows::default).await {
            Ok(_) => Ok(true),
            Err(Error::Service(error)) if error.status != 401 && error.status < 500 => Ok(false),
            Err(error) => Err(error),
        }
    }
}
