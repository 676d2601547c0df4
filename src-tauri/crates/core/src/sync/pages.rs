//! Pages on their way.

use std::sync::Arc;

use salesmirror_dataverse::{
    Client, Error as ServiceError, FetchedPage, IdRows, PageRequest, ScanOptions, ids_of,
};
use salesmirror_model::{PageEnd, TableMetadata};
use salesmirror_store::{Batch, Mark, MarkColumn, Mirror};
use tokio::task::JoinHandle;

use super::steps::{Fetch, Source};
use crate::error::{Error, Result};

type Fetched = std::result::Result<Hand, ServiceError>;

/// A page that was fetched.
pub enum Hand {
    /// Rows.
    Rows(Box<FetchedPage<Batch>>),
    /// Ids with their marks, and the newest write of ours when they were asked for.
    Ids(FetchedPage<IdRows>, i64),
}

impl Hand {
    /// What ends it.
    pub fn end(&self) -> &PageEnd {
        match self {
            Self::Rows(page) => &page.end,
            Self::Ids(page, _) => &page.end,
        }
    }
}

/// A page on its way; given up where nobody waits for it any more.
pub struct Pending(JoinHandle<Fetched>);

impl Pending {
    /// Sends the request.
    pub fn send(
        client: &Client,
        mirror: &Mirror,
        table: &Arc<TableMetadata>,
        fetch: &Fetch,
        column: Option<MarkColumn>,
    ) -> Result<Self> {
        let (client, mirror) = (client.clone(), mirror.clone());
        Ok(Self(if fetch.ids {
            let table = Arc::new(ids_of(table, column.map(MarkColumn::name)));
            let request = request(&client, &table, fetch)?;
            let asked = mirror.newest_write()?;
            tokio::spawn(async move {
                let page = client.fetch_page(&table, &request, IdRows::default).await;
                page.map(|page| Hand::Ids(page, asked))
            })
        } else {
            let table = Arc::clone(table);
            let request = request(&client, &table, fetch)?;
            tokio::spawn(async move {
                let batch = || mirror.batch(&table.logical_name);
                let page = client.fetch_page(&table, &request, batch).await;
                page.map(|page| Hand::Rows(Box::new(page)))
            })
        }))
    }

    /// Waits for it.
    pub async fn wait(mut self) -> Result<Fetched> {
        (&mut self.0).await.map_err(|_| Error::interrupted())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn request(
    client: &Client,
    table: &TableMetadata,
    fetch: &Fetch,
) -> std::result::Result<PageRequest, ServiceError> {
    let options = ScanOptions {
        page_size: fetch.page_size,
        track_changes: fetch.source == Source::First { tracked: true },
        annotations: fetch.annotations,
    };
    match &fetch.source {
        Source::First { .. } | Source::Ids => client.first_request(table, &options),
        Source::Link(link) => client.continue_request(link, &options),
        Source::Since(mark) => {
            client.since_request(table, mark.column.name(), &written(*mark), &options)
        }
    }
}

/// A mark as the service writes it.
fn written(mark: Mark) -> String {
    match mark.column {
        MarkColumn::Version => mark.value.to_string(),
        MarkColumn::Modified => jiff::Timestamp::from_millisecond(mark.value)
            .unwrap_or_default()
            .to_string(),
    }
}
