//! Unified objects: records of the five tables as programs see them, from the mirror or as they came.

mod currencies;
mod current;
mod known;
mod write;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use salesmirror_model::TableMetadata;
use salesmirror_model::unified::write::Navigation;
use salesmirror_model::unified::{Delivered, Known, Labels, Object, Projection, Unified, Wanted};
use salesmirror_store::{DeliveredRow, Edge, Mirror, StoreError, View};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::error::{Category, Error, Result, blocking};
use crate::selectors::Selectors;
use crate::session::Session;

/// Some consecutive objects in the order of ids.
#[derive(Debug, Clone)]
pub struct UnifiedSlice {
    /// The objects.
    pub objects: Vec<Unified>,
    /// Whether there are more in the direction that was read.
    pub has_more: bool,
}

/// The mirror's copy of a record, with the version that it is of.
#[derive(Debug, Clone)]
pub struct UnifiedCopy {
    /// The object.
    pub object: Unified,
    /// Whether it was invalidated.
    pub is_stale: bool,
    /// `@odata.etag`, where the record was delivered with one.
    pub etag: Option<String>,
}

/// What a session remembers for unified objects.
pub(crate) struct Memory {
    /// Pages that are read at once: more than there are processors would only wait for each other,
    /// each with a database connection of its own.
    readers: Semaphore,
    /// Lookups whose index was asked for.
    indexed: Mutex<HashSet<String>>,
    /// Where the lookups of tables lead.
    navigation: Mutex<HashMap<String, Arc<Ways>>>,
}

/// How lookups of a table are written, by column and target's table.
type Ways = HashMap<(String, String), Navigation>;

/// Pages that are read at once, for each processor.
const READERS_A_PROCESSOR: usize = 2;

impl Default for Memory {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            readers: Semaphore::new(processors * READERS_A_PROCESSOR),
            indexed: Mutex::default(),
            navigation: Mutex::default(),
        }
    }
}

fn etag(row: &DeliveredRow) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Tagged {
        #[serde(rename = "@odata.etag")]
        etag: Option<String>,
    }
    serde_json::from_slice::<Tagged>(&row.json).ok()?.etag
}

/// The unified object of a table.
///
/// # Errors
/// Where the table has none.
pub fn unified_object(table: &str) -> Result<Object> {
    Object::of_table(table).ok_or_else(|| {
        Error::usage(
            "not_unified",
            format!("The table \"{table}\" has no unified object."),
            "The tables account, contact, lead, opportunity and systemuser have one.",
        )
    })
}

impl Session {
    /// Objects of some consecutive rows of a view; rows that are gone since are left out.
    ///
    /// # Errors
    /// A table that has no unified object or was never synced, a database that cannot be read.
    pub async fn unified_window(
        &self,
        view: &View,
        offset: u64,
        limit: usize,
        raw: bool,
    ) -> Result<Vec<Unified>> {
        let view = view.clone();
        let table = view.table.to_string();
        let read = move |mirror: &Mirror, _: &TableMetadata| {
            Ok((mirror.delivered_window(&view, offset, limit)?, ()))
        };
        Ok(self.objects(&table, raw, read).await?.0)
    }

    /// Objects in the order of ids from an edge on. Whoever goes on from the last id that came loses
    /// no row and gets none twice, whatever changes meanwhile; `selectors.sort` does not count.
    ///
    /// # Errors
    /// A bad selector, a table that has no unified object or was never synced, a database that cannot
    /// be read.
    pub async fn unified_slice(
        &self,
        table: &str,
        selectors: &Selectors,
        edge: Edge,
        limit: usize,
        raw: bool,
    ) -> Result<UnifiedSlice> {
        let selectors = selectors.clone();
        let read = move |mirror: &Mirror, metadata: &TableMetadata| {
            let spec = selectors.view(metadata)?;
            let slice = mirror.delivered_slice(&spec, edge, limit)?;
            Ok((slice.rows, slice.has_more))
        };
        let (objects, has_more) = self.objects(table, raw, read).await?;
        Ok(UnifiedSlice { objects, has_more })
    }

    /// The object of one record; `None` where the mirror never saw it.
    ///
    /// # Errors
    /// A table that has no unified object or was never synced, a database that cannot be read.
    pub async fn unified_record(
        &self,
        table: &str,
        id: Uuid,
        raw: bool,
    ) -> Result<Option<Unified>> {
        let copy = self.unified_copy(table, id, raw).await?;
        Ok(copy.map(|copy| copy.object))
    }

    /// The same with the version that it is of.
    ///
    /// # Errors
    /// As [`Session::unified_record`].
    pub async fn unified_copy(
        &self,
        table: &str,
        id: Uuid,
        raw: bool,
    ) -> Result<Option<UnifiedCopy>> {
        let read = move |mirror: &Mirror, metadata: &TableMetadata| {
            let row = mirror.delivered_record(&metadata.logical_name, id)?;
            let version = row.as_ref().map(|row| (row.stale_at.is_some(), etag(row)));
            Ok((row.into_iter().collect(), version.unwrap_or_default()))
        };
        let (mut objects, (is_stale, etag)) = self.objects(table, raw, read).await?;
        Ok(objects.pop().map(|object| UnifiedCopy {
            object,
            is_stale,
            etag,
        }))
    }

    /// The objects of records that did not come from the mirror: JSON texts as the organisation
    /// delivered them just now. What is no record of this table is left out.
    ///
    /// # Errors
    /// A table that has no unified object or was never synced, a database that cannot be read.
    pub async fn unified_of(
        &self,
        table: &str,
        records: Vec<Vec<u8>>,
        raw: bool,
    ) -> Result<Vec<Unified>> {
        unified_object(table)?;
        let (session, table) = (self.clone(), table.to_owned());
        let _permit = self.reader().await;
        blocking(move || {
            let metadata = session.shared_metadata(&table)?;
            let rows = records.into_iter().filter_map(|json| {
                let id = Delivered::parse(&json).ok()?.id(&metadata.primary_id)?;
                Some(DeliveredRow {
                    id,
                    deleted_at: None,
                    stale_at: None,
                    version: None,
                    json,
                })
            });
            session.project(&metadata, Labels::Delivered, &rows.collect::<Vec<_>>(), raw)
        })
        .await
    }

    /// Reads rows where it holds nothing up, and makes objects of them.
    async fn objects<T, F>(&self, table: &str, raw: bool, read: F) -> Result<(Vec<Unified>, T)>
    where
        T: Send + 'static,
        F: FnOnce(&Mirror, &TableMetadata) -> Result<(Vec<DeliveredRow>, T)> + Send + 'static,
    {
        unified_object(table)?;
        let (session, table) = (self.clone(), table.to_owned());
        let _permit = self.reader().await;
        blocking(move || {
            let metadata = session.shared_metadata(&table)?;
            let (rows, more) = read(session.mirror(), &metadata)?;
            Ok((
                session.project(&metadata, Labels::Metadata, &rows, raw)?,
                more,
            ))
        })
        .await
    }

    async fn reader(&self) -> Option<tokio::sync::SemaphorePermit<'_>> {
        // It is never closed; a page without a permit would be as good.
        self.objects_memory().readers.acquire().await.ok()
    }

    /// The metadata of a mirrored table, where waiting holds nothing up.
    fn shared_metadata(&self, table: &str) -> Result<Arc<TableMetadata>> {
        match self.mirror().shared_metadata(table) {
            Err(StoreError::UnknownTable(table)) => Err(Error::never_synced(&table)),
            found => Ok(found?),
        }
    }

    /// Makes objects of rows; what they need of other records is read for all of them at once.
    fn project(
        &self,
        metadata: &TableMetadata,
        labels: Labels,
        rows: &[DeliveredRow],
        raw: bool,
    ) -> Result<Vec<Unified>> {
        let table = &metadata.logical_name;
        let Some(projection) = Projection::new(metadata, labels) else {
            return unified_object(table).map(|_| Vec::new());
        };
        let mut wanted = Wanted::default();
        let mut records = Vec::with_capacity(rows.len());
        for row in rows {
            let record = Delivered::parse(&row.json).map_err(|_| unreadable(table, row.id))?;
            projection.want(&record, &mut wanted);
            records.push((row, record));
        }
        let known = match wanted == Wanted::default() {
            true => Known::default(),
            false => self.known(&wanted)?,
        };
        let objects = records.iter().map(|(row, record)| {
            let own = || serde_json::from_slice(&row.json).ok();
            let raw = raw.then(own).flatten();
            projection.object_of(row.id, record, row.deleted_at.is_some(), &known, raw)
        });
        Ok(objects.collect())
    }
}

fn unreadable(table: &str, id: Uuid) -> Error {
    Error::new(
        Category::Failed,
        "bad_record",
        format!("The {table} {id} in the mirror is no JSON object."),
        "Invalidate the record, so that it is read again.",
    )
}
