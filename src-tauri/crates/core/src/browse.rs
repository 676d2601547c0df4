//! What the grid and the record panel read.

use salesmirror_model::{ColumnKind, ColumnMetadata};
use salesmirror_store::View;
use url::Url;
use uuid::Uuid;

use crate::error::{Error, Result, blocking};
use crate::export::logical_names;
use crate::render::{ViewRow, view_row};
use crate::selectors::{Selectors, columns};
use crate::session::Session;

/// One record in full.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordDetail {
    /// The record, one value for each column of its table.
    pub row: ViewRow,
    /// `versionnumber`.
    pub version: Option<i64>,
    /// The record as the organisation delivered it, indented.
    pub raw: String,
    /// When it was found deleted, ms since 1970.
    pub deleted_at: Option<i64>,
    /// Address of its form in Dynamics 365.
    pub link: String,
}

impl Session {
    /// Opens a view. Where its order has no index yet one is made afterwards, so that the next
    /// time is quick.
    ///
    /// # Errors
    /// A bad selector, an unknown column, a database that cannot be read.
    pub async fn open_view(&self, table: &str, selectors: &Selectors) -> Result<View> {
        let metadata = self.metadata(table).await?;
        let spec = selectors.view(&metadata)?;
        let (mirror, wanted) = (self.mirror().clone(), spec.clone());
        let view = blocking(move || Ok(mirror.open_view(&wanted)?)).await?;
        // While rows arrive an index would have to be kept up with each of them.
        if spec.sort.is_some() && !self.is_syncing() {
            let mirror = self.mirror().clone();
            tokio::task::spawn_blocking(move || {
                if let Err(error) = mirror.keep_order(&spec) {
                    tracing::warn!(%error, "no index was made for the order of a view");
                }
            });
        }
        Ok(view)
    }

    /// Rows of a view for the grid.
    ///
    /// # Errors
    /// An unknown column, a database that cannot be read.
    pub async fn window(
        &self,
        view: &View,
        offset: u64,
        limit: usize,
        names: &[String],
    ) -> Result<Vec<ViewRow>> {
        let metadata = self.metadata(&view.table).await?;
        let (mirror, view, names) = (self.mirror().clone(), view.clone(), names.to_vec());
        blocking(move || {
            let columns = columns(&metadata, &names)?;
            // An amount is shown as the organisation writes it, which only the record knows.
            let needs_record = columns
                .iter()
                .any(|column| column.kind == ColumnKind::Money);
            let rows =
                mirror.window(&view, offset, limit, &logical_names(&columns), needs_record)?;
            Ok(rows
                .into_iter()
                .map(|row| view_row(&columns, row))
                .collect())
        })
        .await
    }

    /// One record; `None` where the mirror never saw it.
    ///
    /// # Errors
    /// A table that was never synced, a database that cannot be read.
    pub async fn record(&self, table: &str, id: Uuid) -> Result<Option<RecordDetail>> {
        let metadata = self.metadata(table).await?;
        let (mirror, link) = (self.mirror().clone(), self.record_link(table, id)?);
        blocking(move || {
            let Some(row) = mirror.record(&metadata.logical_name, id, true)? else {
                return Ok(None);
            };
            let raw = row.raw.clone().unwrap_or_default();
            let raw = serde_json::from_slice::<serde_json::Value>(&raw)
                .and_then(|value| serde_json::to_string_pretty(&value))
                .unwrap_or_else(|_| String::from_utf8_lossy(&raw).into_owned());
            let columns: Vec<&ColumnMetadata> = metadata.columns.iter().collect();
            let (version, deleted_at) = (row.version, row.deleted_at);
            Ok(Some(RecordDetail {
                row: view_row(&columns, row),
                version,
                raw,
                deleted_at,
                link,
            }))
        })
        .await
    }

    /// Address of a record's form, as Dynamics 365 documents it for links.
    fn record_link(&self, table: &str, id: Uuid) -> Result<String> {
        let mut url = Url::parse(&self.row().environment)
            .and_then(|environment| environment.join("main.aspx"))
            .map_err(|error| Error::usage("bad_url", error.to_string(), ""))?;
        url.query_pairs_mut()
            .append_pair("pagetype", "entityrecord")
            .append_pair("etn", table)
            .append_pair("id", &id.to_string());
        Ok(url.into())
    }
}
