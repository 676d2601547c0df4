//! Reading tables page by page, and single records.

use std::sync::Arc;
use std::time::Duration;

use salesmirror_model::{Record, RecordPage, TableMetadata};
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use crate::client::Client;
use crate::link::{self, PageRequest, ScanOptions, exact};
use crate::page::{decode_page, decode_record};
use crate::{Error, Result};

/// How often a page whose body is broken is asked for.
const TRIES: u32 = 4;

/// A page with the room in memory that it takes, which is given back when this is dropped.
#[derive(Debug)]
pub struct FetchedPage {
    /// The page.
    pub page: RecordPage,
    /// Its room.
    pub room: Option<OwnedSemaphorePermit>,
}

impl Client {
    /// The request of a table's first page.
    ///
    /// # Errors
    /// Where the table's set name makes no address.
    pub fn first_request(
        &self,
        table: &TableMetadata,
        options: &ScanOptions,
    ) -> Result<PageRequest> {
        link::first(self.base(), table, options)
    }

    /// The request of the page behind a next link or a delta link, byte for byte. Whether the link
    /// may see a token is checked when it is sent.
    ///
    /// # Errors
    /// Where the link is no address.
    pub fn continue_request(&self, link: &str, options: &ScanOptions) -> Result<PageRequest> {
        link::next(self.base(), link, options)
    }

    /// Fetches and reads a page. A body that is cut off or an HTML page is asked for again.
    ///
    /// # Errors
    /// Whatever the service or the network says.
    pub async fn fetch_page(
        &self,
        table: &Arc<TableMetadata>,
        request: &PageRequest,
    ) -> Result<FetchedPage> {
        let mut tried = 1;
        loop {
            let (body, room) = self.get_page(&request.url, Some(&request.prefer)).await?;
            let table = Arc::clone(table);
            let decoded = tokio::task::spawn_blocking(move || decode_page(&table, &body)).await;
            match decoded.map_err(|_| Error::Cancelled)? {
                Ok(page) => return Ok(FetchedPage { page, room }),
                Err(error) if error.is_transient() && tried < TRIES => {
                    tracing::debug!(%error, "the page is asked for again");
                    tokio::time::sleep(Duration::from_millis(200 << tried)).await;
                    tried += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads one record; `None` where the service has it no more.
    ///
    /// # Errors
    /// Whatever the service or the network says.
    pub async fn fetch_record(&self, table: &TableMetadata, id: Uuid) -> Result<Option<Record>> {
        let request = self.first_request(
            table,
            &ScanOptions {
                track_changes: false,
                ..ScanOptions::default()
            },
        )?;
        let query = request
            .url
            .query()
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        let url = exact(&format!(
            "{}{}({id}){query}",
            self.base(),
            table.entity_set_name
        ))?;
        match self.get(&url, Some(&request.prefer)).await {
            Ok(body) => decode_record(table, &body).map(Some),
            Err(error) if error.code() == "not_found" => Ok(None),
            Err(error) => Err(error),
        }
    }
}
