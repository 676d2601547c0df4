//! One sync of one table.

use std::sync::Arc;
use std::time::Instant;

use salesmirror_dataverse::{Client, Error as ServiceError, ScanOptions};
use salesmirror_model::{ColumnKind, TableMetadata};
use salesmirror_store::{Checkpoint, MarkColumn, Mirror, PageOutcome, Preview, Stamp, StoreError};
use tokio_util::sync::CancellationToken;

use super::engine::Engine;
use super::pages::{Hand, Pending};
use super::steps::{Effect, Event, Facts, Fetch, Refusal, Source, Standing, Wishes};
use super::{Progress, RunReport, RunStatus, Strategy, SyncOptions, guard_question};
use crate::app::now_ms;
use crate::error::{Category, Error, Result};
use crate::runs::RunLog;
use crate::session::Session;

/// Rows that are read again by id before any is written: 100 a request, some megabytes in memory.
const BY_ID_AT_ONCE: u32 = 500;

/// Runs a sync and reports it, whatever happens.
pub async fn run(
    session: &Session,
    table: &str,
    options: &SyncOptions,
    cancel: &CancellationToken,
) -> RunReport {
    let mut run = Run {
        session,
        client: session.client().metered(),
        table,
        log: RunLog::begin(session, table).await,
        strategy: Strategy::Full,
        reason: "",
        metadata: None,
        pending: None,
        hand: None,
        refusal: None,
        outcome: PageOutcome::default(),
        pages: 0,
        rows: 0,
        expected: None,
        guard: None,
        begun: Instant::now(),
        broken_since: None,
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
    let report = run.report(status, error);
    run.log.end(&report).await;
    session.set_progress(table, None);
    report
}

struct Run<'a> {
    session: &'a Session,
    client: Client,
    table: &'a str,
    log: RunLog,
    strategy: Strategy,
    reason: &'static str,
    metadata: Option<Arc<TableMetadata>>,
    /// A page on its way, with what was asked for.
    pending: Option<(Fetch, Pending)>,
    /// A page that was fetched and is not kept yet.
    hand: Option<(Fetch, Hand)>,
    /// Why the last page was not had.
    refusal: Option<Error>,
    outcome: PageOutcome,
    pages: u64,
    rows: u64,
    expected: Option<u64>,
    /// What the mass-delete guard asks.
    guard: Option<Preview>,
    begun: Instant,
    /// Since when no page came whole.
    broken_since: Option<Instant>,
}

impl Run<'_> {
    async fn drive(&mut self, options: &SyncOptions) -> Result<()> {
        let standing = self.standing().await?;
        let wishes = Wishes {
            full: options.full,
            yes: options.yes,
        };
        let measures = self.session.measures().await?;
        let mut engine = Engine::new(standing, wishes, measures, now_ms());
        let mut effect = engine.start();
        loop {
            self.reason = engine.reason().sentence();
            self.strategy = match engine.is_full() {
                true => Strategy::Full,
                false => Strategy::Incremental,
            };
            tracing::debug!(table = self.table, ?effect, "next");
            if self.log.is_due(self.reason) {
                let report = self.report(RunStatus::Interrupted, None);
                self.log.note(&report).await;
            }
            let event = match effect {
                Effect::ReadMetadata => self.read_metadata().await?,
                Effect::AskTracking => self.ask_tracking().await?,
                Effect::ReadMark(column) => self.read_mark(column).await?,
                Effect::Begin(begin) => {
                    self.mirror(move |mirror, table| mirror.begin(table, begin, now_ms()))
                        .await?;
                    self.committed().await?
                }
                Effect::Fetch(fetch) => self.fetch(fetch, engine.mark_column()).await?,
                Effect::Keep => self.keep(engine.mark_column()).await?,
                Effect::Weigh => self.weigh().await?,
                Effect::Reconcile => {
                    self.outcome.deleted += self
                        .mirror(|mirror, table| mirror.reconcile(table, now_ms()))
                        .await?;
                    self.committed().await?
                }
                Effect::Refresh => self.refresh().await?,
                Effect::Ask => {
                    let preview = self.mirror(Mirror::reconcile_preview).await?;
                    let question = guard_question(&preview, self.table);
                    self.guard = Some(preview);
                    return Err(question);
                }
                Effect::Fail => return Err(self.refusal.take().unwrap_or_else(Error::interrupted)),
                Effect::Finish => return Ok(()),
            };
            effect = engine.next(event);
        }
    }

    /// What it did so far.
    fn report(&self, status: RunStatus, error: Option<Error>) -> RunReport {
        let meter = self.client.meter();
        RunReport {
            id: self.log.id(),
            table: self.table.to_owned(),
            strategy: self.strategy,
            reason: self.reason,
            status,
            started_at: self.log.started_at(),
            inserted: self.outcome.inserted,
            updated: self.outcome.updated,
            deleted: self.outcome.deleted,
            unchanged: self.outcome.unchanged,
            pages: self.pages,
            requests: meter.requests(),
            retries: meter.retries(),
            throttled_ms: meter.throttled_ms(),
            duration_ms: self.begun.elapsed().as_millis() as u64,
            error,
            guard: self.guard.clone(),
        }
    }

    /// Where the table stands.
    async fn standing(&mut self) -> Result<Standing> {
        let found = self
            .mirror(|mirror, table| {
                let metadata = match mirror.metadata(table) {
                    Ok(metadata) => metadata,
                    Err(StoreError::UnknownTable(_)) => return Ok(None),
                    Err(error) => return Err(error),
                };
                let stamps = mirror.stamps(table)?;
                let standing = Standing {
                    facts: Some(facts(&metadata)),
                    metadata_version: mirror.metadata_version(table)?,
                    checkpoint: mirror.checkpoint(table)?,
                    wanted: mirror.wanted_rows(table)?,
                    live: mirror.live_rows(table)?,
                    ids_checked: stamps.ids_checked,
                    tracking_asked: stamps.tracking_asked,
                };
                Ok(Some((metadata, standing)))
            })
            .await?;
        Ok(match found {
            Some((metadata, standing)) => {
                self.metadata = Some(Arc::new(metadata));
                standing
            }
            None => Standing {
                facts: None,
                metadata_version: None,
                checkpoint: Checkpoint::Idle {
                    delta_link: None,
                    mark: None,
                    needs_full: true,
                },
                wanted: 0,
                live: 0,
                ids_checked: None,
                tracking_asked: None,
            },
        })
    }

    async fn committed(&self) -> Result<Event> {
        self.mirror(committed).await
    }

    /// The table's metadata; there before anything is fetched.
    fn metadata(&self) -> Result<Arc<TableMetadata>> {
        self.metadata
            .clone()
            .ok_or_else(|| StoreError::UnknownTable(self.table.to_owned()).into())
    }

    async fn read_metadata(&mut self) -> Result<Event> {
        let metadata = self.client.table_metadata(self.table).await?.mirrored();
        let (defined, facts) = (metadata.clone(), facts(&metadata));
        let definition = self
            .mirror(move |mirror, _| mirror.define_table(&defined))
            .await?;
        self.metadata = Some(Arc::new(metadata));
        (self.pending, self.hand) = (None, None);
        Ok(Event::Metadata {
            facts,
            changed: definition.changes_columns(),
        })
    }

    async fn ask_tracking(&self) -> Result<Event> {
        let is_granted = self.client.grants_tracking(&*self.metadata()?).await?;
        self.mirror(|mirror, table| mirror.stamp(table, Stamp::TrackingAsked, now_ms()))
            .await?;
        Ok(Event::Tracking(is_granted))
    }

    async fn read_mark(&self, column: MarkColumn) -> Result<Event> {
        match self.client.highest(&*self.metadata()?, column.name()).await {
            // In an empty table everything that comes is new.
            Ok(value) => Ok(Event::Mark(Some(value.unwrap_or(0)))),
            Err(ServiceError::Service(error)) if matches!(error.status, 400 | 404 | 501) => {
                tracing::warn!(table = self.table, ?error, "no mark");
                Ok(Event::Mark(None))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Works on the mirror where it holds nothing up.
    async fn mirror<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Mirror, &str) -> Result<T, StoreError> + Send + 'static,
    {
        self.session.on_mirror(self.table, work).await
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

    /// Whether pages of whatever size break for longer than a sync tries.
    fn broke_for_long(&mut self) -> bool {
        let since = *self.broken_since.get_or_insert_with(Instant::now);
        since.elapsed() >= self.session.client().policy().max_wait
    }

    async fn fetch(&mut self, fetch: Fetch, column: Option<MarkColumn>) -> Result<Event> {
        let pending = match self.pending.take() {
            Some((asked, pending)) if asked == fetch => pending,
            _ => self.send(&fetch, column)?,
        };
        if self.strategy == Strategy::Full && self.expected.is_none() && self.rows == 0 {
            self.expected = self.expected_rows().await;
        }
        self.show_progress();
        let hand = match pending.wait().await? {
            Ok(hand) => hand,
            Err(error) => {
                let refusal = match refusal(&error) {
                    Refusal::Smaller(_) if self.broke_for_long() => Refusal::Other,
                    refusal => refusal,
                };
                self.refusal = Some(error.into());
                return Ok(Event::Refused(refusal));
            }
        };
        self.broken_since = None;
        let end = hand.end();
        for reason in &end.unreadable {
            tracing::warn!(table = self.table, "{reason}");
        }
        let event = Event::Page {
            next_link: end.next_link.clone(),
            delta_link: end.delta_link.clone(),
            metadata_version: end.metadata_version.clone(),
        };
        self.hand = Some((fetch, hand));
        Ok(event)
    }

    fn send(&self, fetch: &Fetch, column: Option<MarkColumn>) -> Result<Pending> {
        let metadata = self.metadata()?;
        let mirror = self.session.mirror();
        Pending::send(&self.client, mirror, &metadata, fetch, column)
    }

    /// Commits the page in hand; the next one is fetched meanwhile.
    async fn keep(&mut self, column: Option<MarkColumn>) -> Result<Event> {
        let Some((fetch, hand)) = self.hand.take() else {
            return Err(Error::interrupted());
        };
        if let Some(link) = &hand.end().next_link {
            let next = Fetch {
                source: Source::Link(link.clone()),
                ..fetch
            };
            let pending = self.send(&next, column)?;
            self.pending = Some((next, pending));
        }
        let rows = hand.end().rows;
        let metadata = self.metadata()?;
        let (outcome, event) = match hand {
            Hand::Rows(page) => {
                let page = *page;
                let (batch, end, room) = (page.rows, page.end, page.room);
                let kept = self
                    .mirror(move |mirror, table| {
                        let outcome = mirror.apply_page(&metadata, batch, end, now_ms())?;
                        Ok((outcome, committed(mirror, table)?))
                    })
                    .await?;
                drop(room);
                kept
            }
            Hand::Ids(page, asked) => {
                self.mirror(move |mirror, table| {
                    let (rows, end) = (page.rows.0, page.end);
                    mirror.compare_page(table, rows, column, end, asked, now_ms())?;
                    Ok((PageOutcome::default(), committed(mirror, table)?))
                })
                .await?
            }
        };
        self.pages += 1;
        self.rows += rows;
        self.count(outcome);
        self.show_progress();
        Ok(event)
    }

    fn count(&mut self, outcome: PageOutcome) {
        self.outcome.inserted += outcome.inserted;
        self.outcome.updated += outcome.updated;
        self.outcome.unchanged += outcome.unchanged;
        self.outcome.deleted += outcome.deleted;
    }

    fn show_progress(&self) {
        let seconds = self.begun.elapsed().as_secs_f64().max(0.001);
        let progress = Progress {
            strategy: self.strategy,
            rows: self.rows,
            expected: self.expected,
            rows_per_second: self.rows as f64 / seconds,
            throttled: None,
            trouble: None,
        };
        self.session.set_progress(self.table, Some(progress));
    }

    async fn weigh(&self) -> Result<Event> {
        let preview = self.mirror(Mirror::reconcile_preview).await?;
        Ok(Event::Weighed {
            would_delete: preview.would_delete,
            live: preview.live_before,
            seen: preview.seen,
        })
    }

    /// Reads rows by id that were invalidated, or that a comparison found missing or changed.
    async fn refresh(&mut self) -> Result<Event> {
        let ids = self
            .mirror(|mirror, table| mirror.wanted_ids(table, BY_ID_AT_ONCE))
            .await?;
        let mut batch = self.mirror(|mirror, table| Ok(mirror.batch(table))).await?;
        let metadata = self.metadata()?;
        self.client
            .fetch_records(&metadata, &ids, &mut batch)
            .await?;
        let (outcome, left) = self
            .mirror(move |mirror, table| {
                let outcome = mirror.apply_records(&metadata, batch, ids, now_ms())?;
                Ok((outcome, mirror.wanted_rows(table)?))
            })
            .await?;
        self.outcome.inserted += outcome.inserted;
        self.outcome.updated += outcome.updated;
        self.outcome.deleted += outcome.deleted;
        Ok(Event::Refreshed { left })
    }
}

fn committed(mirror: &Mirror, table: &str) -> Result<Event, StoreError> {
    Ok(Event::Committed {
        checkpoint: mirror.checkpoint(table)?,
        wanted: mirror.wanted_rows(table)?,
        live: mirror.live_rows(table)?,
    })
}

/// What a table's metadata says of how it can be read.
pub fn facts(metadata: &TableMetadata) -> Facts {
    let has = |name: &str, kind: ColumnKind| {
        let column = metadata.column(name);
        column.is_some_and(|column| column.kind == kind)
    };
    let mark = if has(MarkColumn::Version.name(), ColumnKind::BigInteger) {
        Some(MarkColumn::Version)
    } else if has(MarkColumn::Modified.name(), ColumnKind::DateTime) {
        Some(MarkColumn::Modified)
    } else {
        None
    };
    Facts {
        tracking: metadata.change_tracking,
        mark,
    }
}

fn refusal(error: &ServiceError) -> Refusal {
    if error.tracking_refused() {
        return Refusal::Tracking;
    }
    if let ServiceError::PageBroke { page_size, .. } = error {
        let options = ScanOptions {
            page_size: *page_size,
            ..ScanOptions::default()
        };
        return match options.halved() {
            Some(smaller) => Refusal::Smaller(smaller.page_size),
            None => Refusal::Other,
        };
    }
    if matches!(error, ServiceError::ForeignLink(_)) {
        return Refusal::Foreign;
    }
    if error.delta_expired() && error.code() != "missing_privilege" {
        return Refusal::Gone;
    }
    Refusal::Other
}
