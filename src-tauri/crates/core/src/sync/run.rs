//! One sync of one table.

use std::sync::Arc;
use std::time::Instant;

use salesmirror_dataverse::{Client, Error as ServiceError, FetchedPage, PageRequest, ScanOptions};
use salesmirror_model::{PageEnd, TableMetadata};
use salesmirror_store::{Batch, Checkpoint, Mirror, PageOutcome, RunRow, StoreError};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Progress, RunReport, RunStatus, Strategy, SyncOptions, guard_question};
use crate::app::now_ms;
use crate::error::{Category, Error, Result, blocking};
use crate::session::Session;

/// A full sync that would delete more than this share of the rows asks first …
const GUARD_SHARE: f64 = 0.2;
/// … where it is more than so many rows.
const GUARD_ROWS: u64 = 100;
/// Up to so many invalidated rows are read one by one; more are worth a full sync.
const STALE_BY_ID: u64 = 200;

/// Runs a sync and reports it, whatever happens.
pub async fn run(
    session: &Session,
    table: &str,
    options: &SyncOptions,
    cancel: &CancellationToken,
) -> RunReport {
    let begun = Instant::now();
    let started_at = now_ms();
    let mut run = Run {
        session,
        client: session.client().metered(),
        table,
        strategy: Strategy::Full,
        resumed: false,
        tracked: true,
        annotations: true,
        page_size: ScanOptions::default().page_size,
        outcome: PageOutcome::default(),
        pages: 0,
        rows: 0,
        expected: None,
        begun,
    };
    // From its first request on, a table that has its turn is shown as syncing.
    run.show_progress();
    let result = tokio::select! {
        result = run.drive(options) => result,
        () = cancel.cancelled() => Err(Error::interrupted()),
    };
    let (status, error) = match result {
        Ok(()) => (RunStatus::Success, None),
        Err(error) => match error.category {
            Category::Interrupted => (RunStatus::Interrupted, Some(error)),
            Category::Confirmation => (RunStatus::NeedsConfirmation, Some(error)),
            _ => (RunStatus::Failed, Some(error)),
        },
    };
    let meter = run.client.meter();
    let report = RunReport {
        table: table.to_owned(),
        strategy: run.strategy,
        status,
        inserted: run.outcome.inserted,
        updated: run.outcome.updated,
        deleted: run.outcome.deleted,
        unchanged: run.outcome.unchanged,
        pages: run.pages,
        requests: meter.requests(),
        retries: meter.retries(),
        throttled_ms: meter.throttled_ms(),
        duration_ms: begun.elapsed().as_millis() as u64,
        error,
    };
    // A report that cannot be kept is still given.
    if let Err(error) = keep_report(session, &report, started_at).await {
        tracing::warn!(%error, "the run was not recorded");
    }
    session.set_progress(table, None);
    report
}

async fn keep_report(session: &Session, report: &RunReport, started_at: i64) -> Result<()> {
    let error = report.error.as_ref().map(|error| {
        serde_json::json!({
            "code": error.code, "message": error.message, "hint": error.hint, "reference": error.reference,
        })
        .to_string()
    });
    let row = RunRow {
        id: 0,
        connection: session.row().id,
        table: report.table.clone(),
        strategy: report.strategy.as_str().to_owned(),
        reason: String::new(),
        status: report.status.as_str().to_owned(),
        started_at,
        finished_at: Some(now_ms()),
        inserted: report.inserted,
        updated: report.updated,
        deleted: report.deleted,
        unchanged: report.unchanged,
        pages: report.pages,
        requests: report.requests,
        retries: report.retries,
        throttled_ms: report.throttled_ms,
        error,
    };
    let db = session.db().clone();
    blocking(move || Ok(db.put_run(&row)?)).await?;
    Ok(())
}

struct Run<'a> {
    session: &'a Session,
    client: Client,
    table: &'a str,
    strategy: Strategy,
    /// The chain began with a link that an earlier run kept, which can have expired since.
    resumed: bool,
    tracked: bool,
    annotations: bool,
    /// Rows a page. A next link keeps the size that its scan began with, so that another size
    /// begins the scan again.
    page_size: u32,
    outcome: PageOutcome,
    pages: u64,
    rows: u64,
    expected: Option<u64>,
    begun: Instant,
}

/// Why a chain of pages ended early.
enum Setback {
    /// The link is good for nothing any more: read every row.
    StartOver,
    /// The table cannot be read with change tracking.
    Untracked,
    /// The service gave no delta link with annotations: once more without.
    WithoutAnnotations,
    /// Pages of this size break, again and again: once more with smaller ones.
    SmallerPages(u32),
    Failed(Error),
}

impl From<Error> for Setback {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Run<'_> {
    async fn drive(&mut self, options: &SyncOptions) -> Result<()> {
        let (metadata, is_new) = self.known_metadata(options.full).await?;
        let mut metadata = Arc::new(metadata);
        self.tracked = metadata.change_tracking;
        let mut full = options.full || is_new;
        if !full && self.mirror(Mirror::stale_rows).await? > STALE_BY_ID {
            full = true;
        }
        // A pending question of the guard is answered before anything is read.
        if let Checkpoint::Reconciling { .. } = self.checkpoint().await?
            && !options.full
        {
            return self.reconcile(options.yes).await;
        }
        loop {
            match self.chain(&metadata, full).await {
                Ok(()) => break,
                Err(Setback::Failed(error)) => return Err(error),
                Err(Setback::StartOver) => {
                    metadata = Arc::new(self.fresh_metadata().await?);
                    self.mirror(Mirror::restart_scan).await?;
                }
                Err(Setback::Untracked) => self.tracked = false,
                Err(Setback::WithoutAnnotations) => self.annotations = false,
                Err(Setback::SmallerPages(size)) => {
                    tracing::warn!(table = self.table, size, "pages broke; smaller ones follow");
                    self.page_size = size;
                    if self.strategy == Strategy::Incremental {
                        // From the delta link on: the pages behind it keep their size.
                        self.mirror(|mirror, table| mirror.begin_incremental(table, now_ms()))
                            .await?;
                        continue;
                    }
                }
            }
            full = true;
        }
        if let Checkpoint::Reconciling { .. } = self.checkpoint().await? {
            self.reconcile(options.yes).await?;
        }
        self.refresh_stale(&metadata).await
    }

    /// The metadata to read by: what the mirror has, or what the organisation says now.
    async fn known_metadata(&self, fresh: bool) -> Result<(TableMetadata, bool)> {
        let known = self
            .mirror(|mirror, table| match mirror.metadata(table) {
                Ok(metadata) => Ok(Some(metadata)),
                Err(StoreError::UnknownTable(_)) => Ok(None),
                Err(error) => Err(error),
            })
            .await?;
        match known {
            Some(metadata) if !fresh => Ok((metadata, false)),
            _ => Ok((self.fresh_metadata().await?, known.is_none())),
        }
    }

    async fn fresh_metadata(&self) -> Result<TableMetadata> {
        let metadata = self.client.table_metadata(self.table).await?;
        let defined = metadata.clone();
        self.mirror(move |mirror, _| mirror.define_table(&defined))
            .await?;
        Ok(metadata)
    }

    async fn checkpoint(&self) -> Result<Checkpoint> {
        self.mirror(Mirror::checkpoint).await
    }

    /// Works on the mirror where it holds nothing up.
    async fn mirror<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Mirror, &str) -> Result<T, StoreError> + Send + 'static,
    {
        self.session.on_mirror(self.table, work).await
    }

    /// Reads pages from where the checkpoint stands to the end.
    async fn chain(&mut self, metadata: &Arc<TableMetadata>, full: bool) -> Result<(), Setback> {
        let options = ScanOptions {
            track_changes: self.tracked,
            annotations: self.annotations,
            page_size: self.page_size,
        };
        let checkpoint = self.checkpoint().await?;
        let tracked = self.tracked;
        let request = match checkpoint {
            Checkpoint::Following { next_link, .. } if !full => {
                self.strategy = Strategy::Incremental;
                self.link(&next_link, &options)?
            }
            Checkpoint::Idle {
                delta_link: Some(link),
                needs_full: false,
            } if !full => {
                self.strategy = Strategy::Incremental;
                self.mirror(|mirror, table| mirror.begin_incremental(table, now_ms()))
                    .await?;
                self.link(&link, &options)?
            }
            Checkpoint::Scanning {
                next_link: Some(link),
                ..
            } if !full => {
                self.strategy = Strategy::Full;
                self.resumed = true;
                self.link(&link, &options)?
            }
            _ => {
                self.strategy = Strategy::Full;
                self.resumed = false;
                self.mirror(move |mirror, table| mirror.begin_full(table, tracked, now_ms()))
                    .await?;
                self.client
                    .first_request(metadata, &options)
                    .map_err(Error::from)?
            }
        };
        if self.strategy == Strategy::Full {
            self.expected = self.expected_rows().await;
        }
        self.show_progress();
        self.read_pages(metadata, request, &options).await
    }

    fn link(&self, link: &str, options: &ScanOptions) -> Result<PageRequest> {
        Ok(self.client.continue_request(link, options)?)
    }

    /// For progress only; that the organisation does not say is no reason to stop.
    async fn expected_rows(&self) -> Option<u64> {
        self.client
            .record_counts(&[self.table])
            .await
            .ok()?
            .get(self.table)
            .copied()
    }

    async fn read_pages(
        &mut self,
        metadata: &Arc<TableMetadata>,
        request: PageRequest,
        options: &ScanOptions,
    ) -> Result<(), Setback> {
        let mut pending = self.fetch(metadata, request);
        loop {
            let FetchedPage { rows, end, room } = match (&mut pending.0).await {
                Ok(Ok(page)) => page,
                Ok(Err(error)) => return Err(self.setback(error)),
                Err(_) => return Err(Error::interrupted().into()),
            };
            for reason in &end.unreadable {
                tracing::warn!(table = self.table, "{reason}");
            }
            let next = end.next_link.clone();
            let ends_untracked = next.is_none() && end.delta_link.is_none();
            if ends_untracked && self.tracked && self.strategy == Strategy::Full {
                // Older versions gave no delta link while formatted values were asked for.
                return Err(if self.annotations {
                    Setback::WithoutAnnotations
                } else {
                    Setback::Untracked
                });
            }
            // The next page is fetched while this one is written.
            let following = match &next {
                Some(link) => Some(self.fetch(metadata, self.link(link, options)?)),
                None => None,
            };
            self.apply(metadata, rows, end).await?;
            drop(room);
            match following {
                Some(next) => pending = next,
                None => return Ok(()),
            }
        }
    }

    fn fetch(&self, metadata: &Arc<TableMetadata>, request: PageRequest) -> Pending {
        let (client, metadata) = (self.client.clone(), Arc::clone(metadata));
        let mirror = self.session.mirror().clone();
        Pending(tokio::spawn(async move {
            let batch = || mirror.batch(&metadata.logical_name);
            client.fetch_page(&metadata, &request, batch).await
        }))
    }

    fn setback(&self, error: ServiceError) -> Setback {
        if error.tracking_refused() && self.tracked {
            return Setback::Untracked;
        }
        if let ServiceError::PageBroke { page_size, .. } = &error
            && let Some(smaller) = (ScanOptions {
                page_size: *page_size,
                ..ScanOptions::default()
            })
            .halved()
        {
            return Setback::SmallerPages(smaller.page_size);
        }
        let kept_link = self.strategy == Strategy::Incremental || self.resumed;
        if kept_link && error.delta_expired() && error.code() != "missing_privilege" {
            return Setback::StartOver;
        }
        Setback::Failed(error.into())
    }

    async fn apply(
        &mut self,
        metadata: &Arc<TableMetadata>,
        batch: Batch,
        end: PageEnd,
    ) -> Result<()> {
        let rows = end.rows;
        let metadata = Arc::clone(metadata);
        let outcome = self
            .mirror(move |mirror, _| mirror.apply_page(&metadata, batch, end, now_ms()))
            .await?;
        self.pages += 1;
        self.rows += rows;
        self.outcome.inserted += outcome.inserted;
        self.outcome.updated += outcome.updated;
        self.outcome.unchanged += outcome.unchanged;
        self.outcome.deleted += outcome.deleted;
        self.show_progress();
        Ok(())
    }

    fn show_progress(&self) {
        let seconds = self.begun.elapsed().as_secs_f64().max(0.001);
        let progress = Progress {
            strategy: self.strategy,
            rows: self.rows,
            expected: self.expected,
            rows_per_second: self.rows as f64 / seconds,
            throttled: None,
        };
        self.session.set_progress(self.table, Some(progress));
    }

    /// Turns rows that did not come into tombstones, after the guard has looked.
    async fn reconcile(&mut self, yes: bool) -> Result<()> {
        let preview = self.mirror(Mirror::reconcile_preview).await?;
        let share = preview.would_delete as f64 / preview.live_before.max(1) as f64;
        let is_many = preview.would_delete > GUARD_ROWS && share > GUARD_SHARE;
        let is_all = preview.seen == 0 && preview.would_delete > 0;
        if (is_many || is_all) && !yes {
            return Err(guard_question(&preview, self.table));
        }
        self.outcome.deleted += self
            .mirror(|mirror, table| mirror.reconcile(table, now_ms()))
            .await?;
        Ok(())
    }

    /// Reads invalidated rows again that the sync did not bring.
    async fn refresh_stale(&mut self, metadata: &Arc<TableMetadata>) -> Result<()> {
        let ids = self
            .mirror(|mirror, table| mirror.stale_ids(table, STALE_BY_ID as u32))
            .await?;
        if ids.is_empty() {
            return Ok(());
        }
        let mut batch = self.mirror(|mirror, table| Ok(mirror.batch(table))).await?;
        self.client
            .fetch_records(metadata, &ids, &mut batch)
            .await?;
        let metadata = Arc::clone(metadata);
        let outcome = self
            .mirror(move |mirror, _| mirror.apply_records(&metadata, batch, now_ms()))
            .await?;
        self.outcome.updated += outcome.updated;
        self.outcome.deleted += outcome.deleted;
        Ok(())
    }
}

/// A page on its way; given up where nobody waits for it any more.
struct Pending(JoinHandle<std::result::Result<FetchedPage<Batch>, ServiceError>>);

impl Drop for Pending {
    fn drop(&mut self) {
        self.0.abort();
    }
}
