//! Reading tables page by page, and single records.

use std::sync::Arc;

use salesmirror_model::{Record, RecordPage, TableMetadata};
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use crate::client::Client;
use crate::link::{self, PageRequest, ScanOptions};
use crate::page::{decode_page, decode_record};
use crate::{Error, Result};

/// How often a page that breaks is asked for.
const TRIES: u32 = 5;

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

    /// Fetches and reads a page. One that is cut off, is an HTML page or takes too long is asked
    /// for again some times.
    ///
    /// # Errors
    /// [`Error::PageBroke`] where it broke each time: begin the scan again with
    /// [`ScanOptions::halved`]. Else whatever the service or the network says.
    pub async fn fetch_page(
        &self,
        table: &Arc<TableMetadata>,
        request: &PageRequest,
    ) -> Result<FetchedPage> {
        let mut backoff = self.backoff();
        let mut times = 0;
        loop {
            let source = match self.try_page(table, request).await {
                Err(error) if error.breaks_page() => error,
                result => return result,
            };
            times += 1;
            if times >= TRIES {
                return Err(Error::PageBroke {
                    times,
                    page_size: request.options.page_size,
                    source: Box::new(source),
                });
            }
            tracing::debug!(error = %source, "the page is asked for again");
            self.count_retry();
            tokio::time::sleep(backoff.pause()).await;
        }
    }

    async fn try_page(
        &self,
        table: &Arc<TableMetadata>,
        request: &PageRequest,
    ) -> Result<FetchedPage> {
        let (body, room) = self.get_page(&request.url, &request.prefer).await?;
        let table = Arc::clone(table);
        let decoded = tokio::task::spawn_blocking(move || decode_page(&table, &body)).await;
        let page = decoded.map_err(|_| Error::Cancelled)??;
        Ok(FetchedPage { page, room })
    }

    /// Reads one record; `None` where the service has it no more.
    ///
    /// # Errors
    /// Whatever the service or the network says.
    pub async fn fetch_record(&self, table: &TableMetadata, id: Uuid) -> Result<Option<Record>> {
        let url = link::record(self.base(), table, id)?;
        match self.get(&url, Some(&link::annotated())).await {
            Ok(body) => decode_record(table, &body).map(Some),
            Err(error) if error.code() == "not_found" => Ok(None),
            Err(error) => Err(error),
        }
    }
}
