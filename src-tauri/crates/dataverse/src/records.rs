//! Reading tables page by page, and single records.

use std::sync::Arc;

use bytes::Bytes;
use salesmirror_model::{Collect, PageEnd, TableMetadata};
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use crate::client::Client;
use crate::link::{self, PageRequest, ScanOptions};
use crate::page::{read_page, read_record};
use crate::{Error, Result};

/// How often a page that breaks is asked for.
const TRIES: u32 = 5;

/// A page with the room in memory that it takes, which is given back when this is dropped.
#[derive(Debug)]
pub struct FetchedPage<C> {
    /// What took its rows.
    pub rows: C,
    /// What ends it.
    pub end: PageEnd,
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

    /// Fetches and reads a page; its rows go to what `collect` gives. One that is cut off, is an HTML page or takes too long is asked
    /// for again some times.
    ///
    /// # Errors
    /// [`Error::PageBroke`] where it broke each time: begin the scan again with
    /// [`ScanOptions::halved`]. Else whatever the service or the network says.
    pub async fn fetch_page<C: Collect>(
        &self,
        table: &Arc<TableMetadata>,
        request: &PageRequest,
        collect: impl Fn() -> C,
    ) -> Result<FetchedPage<C>> {
        let mut backoff = self.backoff();
        let mut times = 0;
        loop {
            let source = match self.try_page(table, request, collect()).await {
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

    async fn try_page<C: Collect>(
        &self,
        table: &Arc<TableMetadata>,
        request: &PageRequest,
        mut rows: C,
    ) -> Result<FetchedPage<C>> {
        let (body, room) = self.get_page(&request.url, &request.prefer).await?;
        let table = Arc::clone(table);
        let read = tokio::task::spawn_blocking(move || {
            read_page(&table, body.reader(), &mut rows).map(|end| (rows, end))
        });
        let (rows, end) = read.await.map_err(|_| Error::Cancelled)??;
        Ok(FetchedPage { rows, end, room })
    }

    /// Reads one record; gives `false` where the service has it no more.
    ///
    /// # Errors
    /// Whatever the service or the network says.
    pub async fn fetch_record(
        &self,
        table: &TableMetadata,
        id: Uuid,
        rows: &mut dyn Collect,
    ) -> Result<bool> {
        let Some(body) = self.record_body(table, id).await? else {
            return Ok(false);
        };
        read_record(table, &body, rows)?;
        Ok(true)
    }

    /// The body of a record as it was answered; `None` where the service has it no more.
    pub(crate) async fn record_body(
        &self,
        table: &TableMetadata,
        id: Uuid,
    ) -> Result<Option<Bytes>> {
        let url = link::record(self.base(), table, id)?;
        match self.get(&url, Some(&link::annotated())).await {
            Ok(body) => Ok(Some(body)),
            Err(error) if error.code() == "not_found" => Ok(None),
            Err(error) => Err(error),
        }
    }
}
