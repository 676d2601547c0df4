//! An open connection: its mirror, its client, and what is going on in it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use salesmirror_dataverse::{Client, PassthroughReply};
use salesmirror_model::TableMetadata;
use salesmirror_store::{
    AppDb, Checkpoint, ConnectionRow, IndexProgress, Mirror, Preview, RunRow, StoreError,
    TableState, View,
};
use tokio::sync::watch;
use uuid::Uuid;

use crate::app::{Rescue, now_ms};
use crate::background::Background;
use crate::data_dir::DataDir;
use crate::error::{Error, Result, blocking};
use crate::feed::Feed;
use crate::objects::Memory;
use crate::schedule::TableSchedule;
use crate::sync::Progress;
use crate::tables::chosen_tables;
use crate::tokens::ConnectionTokens;

/// An open connection; clones share it.
#[derive(Clone)]
pub struct Session {
    inner: Arc<Inner>,
}

struct Inner {
    row: ConnectionRow,
    mirror: Mirror,
    client: Client,
    tokens: Arc<ConnectionTokens>,
    db: AppDb,
    data_dir: DataDir,
    rescue: Option<Rescue>,
    notice: Option<String>,
    progress: Mutex<HashMap<String, Progress>>,
    background: Background,
    /// The guard's questions by table, each with the number of the run that it belongs to.
    questions: Mutex<HashMap<String, (i64, Preview)>>,
    /// What came back to the last request of the admin's own.
    last_reply: Mutex<Option<PassthroughReply>>,
    changed: watch::Sender<u64>,
    objects: Memory,
    feed: Feed,
}

/// A mirrored table as people see it.
#[derive(Debug, Clone)]
pub struct TableStatus {
    /// Logical name.
    pub table: String,
    /// Singular and plural label.
    pub labels: (String, String),
    /// Its metadata, once it was read.
    pub metadata: Option<TableMetadata>,
    /// Live rows.
    pub rows: u64,
    /// Tombstones.
    pub deleted: u64,
    /// Invalidated rows.
    pub stale: u64,
    /// `new`, `in_sync`, `syncing`, `throttled`, `stale`, `failed`, `paused`, `needs_confirmation`.
    pub state: &'static str,
    /// `full` or `incremental`: how the next sync will read it.
    pub strategy: &'static str,
    /// Why the last sync read it as it did, one sentence; empty before the first.
    pub reason: String,
    /// When mirror and organisation were proved to be equal, ms since 1970.
    pub verified: Option<i64>,
    /// End of the last successful sync, ms since 1970.
    pub last_sync: Option<i64>,
    /// When it is synced by itself.
    pub plan: TableSchedule,
    /// When the organisation forgets what the next incremental sync builds on, ms since 1970; `None`
    /// where it builds on nothing that ends.
    pub delta_expires: Option<i64>,
    /// The last run's error as JSON.
    pub last_error: Option<String>,
    /// Rows inserted or updated, and deleted, in the last 24 hours.
    pub recent: (u64, u64),
    /// The running sync.
    pub progress: Option<Progress>,
    /// What the mass-delete guard asks.
    pub guard: Option<Preview>,
    /// The search index.
    pub search: IndexProgress,
}

/// A day, in ms.
const DAY_MS: i64 = 86_400_000;

impl Session {
    pub(crate) fn new(
        row: ConnectionRow,
        mirror: Mirror,
        client: Client,
        tokens: Arc<ConnectionTokens>,
        db: AppDb,
        data_dir: DataDir,
        rescue: Option<Rescue>,
    ) -> Self {
        let inner = Inner {
            row,
            mirror,
            client,
            tokens,
            db,
            data_dir,
            notice: rescue.as_ref().map(Rescue::sentence),
            rescue,
            progress: Mutex::default(),
            background: Background::default(),
            questions: Mutex::default(),
            last_reply: Mutex::default(),
            changed: watch::Sender::new(0),
            objects: Memory::default(),
            feed: Feed::default(),
        };
        let inner = Arc::new(inner);
        let session = Arc::downgrade(&inner);
        inner.client.listen(move || {
            if let Some(session) = session.upgrade() {
                session.changed.send_modify(|count| *count += 1);
            }
        });
        Self { inner }
    }

    /// The connection.
    #[must_use]
    pub fn row(&self) -> &ConnectionRow {
        &self.inner.row
    }

    /// What has to be said of how it was opened: that its damaged mirror was moved aside.
    #[must_use]
    pub fn notice(&self) -> Option<&str> {
        self.inner.notice.as_deref()
    }

    /// What was saved from its damaged mirror, where it was opened with one.
    #[must_use]
    pub fn rescue(&self) -> Option<&Rescue> {
        self.inner.rescue.as_ref()
    }

    /// Its mirror.
    #[must_use]
    pub fn mirror(&self) -> &Mirror {
        &self.inner.mirror
    }

    /// Works on a table of the mirror where it holds nothing up.
    pub(crate) async fn on_mirror<T, F>(&self, table: &str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Mirror, &str) -> Result<T, StoreError> + Send + 'static,
    {
        let (mirror, table) = (self.inner.mirror.clone(), table.to_owned());
        blocking(move || Ok(work(&mirror, &table)?)).await
    }

    pub(crate) fn client(&self) -> &Client {
        &self.inner.client
    }

    pub(crate) fn tokens(&self) -> &ConnectionTokens {
        &self.inner.tokens
    }

    pub(crate) fn last_reply(&self) -> MutexGuard<'_, Option<PassthroughReply>> {
        let reply = self.inner.last_reply.lock();
        reply.unwrap_or_else(PoisonError::into_inner)
    }

    /// How long the service wants us to wait; `None` where nobody waits.
    #[must_use]
    pub fn throttled_for(&self) -> Option<Duration> {
        self.inner.client.throttled_for()
    }

    /// Why requests are sent again, one sentence; `None` while they are answered.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.inner.client.trouble()
    }

    pub(crate) fn background(&self) -> &Background {
        &self.inner.background
    }

    pub(crate) fn objects_memory(&self) -> &Memory {
        &self.inner.objects
    }

    pub(crate) fn feed(&self) -> &Feed {
        &self.inner.feed
    }

    pub(crate) fn db(&self) -> &AppDb {
        &self.inner.db
    }

    pub(crate) fn data_dir(&self) -> &DataDir {
        &self.inner.data_dir
    }

    /// Changes whenever something that [`Session::status`] shows may have changed.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.inner.changed.subscribe()
    }

    pub(crate) fn touch(&self) {
        self.inner.changed.send_modify(|count| *count += 1);
    }

    pub(crate) fn set_progress(&self, table: &str, progress: Option<Progress>) {
        let mut all = self
            .inner
            .progress
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match progress {
            Some(progress) => all.insert(table.to_owned(), progress),
            None => all.remove(table),
        };
        drop(all);
        self.touch();
    }

    /// The metadata of a mirrored table.
    ///
    /// # Errors
    /// Where it was never synced.
    pub async fn metadata(&self, table: &str) -> Result<TableMetadata> {
        let (mirror, table) = (self.inner.mirror.clone(), table.to_owned());
        blocking(move || {
            mirror.metadata(&table).map_err(|error| match error {
                StoreError::UnknownTable(_) => Error::never_synced(&table),
                other => other.into(),
            })
        })
        .await
    }

    /// All tables, the mission's five first.
    ///
    /// # Errors
    /// Where a database cannot be read.
    pub async fn status(&self) -> Result<Vec<TableStatus>> {
        let session = self.clone();
        blocking(move || {
            let states = session.inner.mirror.tables()?;
            let id = session.inner.row.id;
            let runs = session.last_runs()?;
            let recent = session.inner.db.changes_since(id, now_ms() - DAY_MS)?;
            let names = chosen_tables(&session.inner.db, id, &states)?;
            let plans = session.plans(&names, &states, now_ms())?;
            let delta_life = i64::from(session.kept_tracking_days()?) * DAY_MS;
            let progress = session
                .inner
                .progress
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            names
                .into_iter()
                .zip(plans)
                .map(|(name, plan)| {
                    let state = states
                        .iter()
                        .find(|state| state.metadata.logical_name == name);
                    let last_run = runs.iter().find(|run| run.table == name);
                    let recent = recent.iter().find(|(table, ..)| *table == name);
                    let mut progress = progress.get(&name).cloned();
                    if let Some(progress) = &mut progress {
                        progress.throttled = session.throttled_for();
                        progress.trouble = session.trouble();
                    }
                    let recent = recent.map_or((0, 0), |found| (found.1, found.2));
                    let guard = match (&progress, state) {
                        (None, Some(state)) => session.question(state)?,
                        _ => None,
                    };
                    let status = table_status(name, plan, state, last_run, recent, progress);
                    let delta_expires = state
                        .filter(|state| has_delta_link(&state.checkpoint))
                        .and_then(|state| Some(state.last_sync? + delta_life));
                    Ok(TableStatus {
                        guard,
                        delta_expires,
                        ..status
                    })
                })
                .collect()
        })
        .await
    }

    /// What the guard asks of a table; counted once a run, since that reads every row.
    fn question(&self, state: &TableState) -> Result<Option<Preview>> {
        let Checkpoint::Reconciling { run } = state.checkpoint else {
            return Ok(None);
        };
        let table = &state.metadata.logical_name;
        let questions = || {
            self.inner
                .questions
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some((asked_by, preview)) = questions().get(table)
            && *asked_by == run
        {
            return Ok(Some(preview.clone()));
        }
        let preview = self.inner.mirror.reconcile_preview(table)?;
        questions().insert(table.clone(), (run, preview.clone()));
        Ok(Some(preview))
    }

    /// Marks rows as stale; the next sync reads them again. All rows where no ids are given.
    ///
    /// # Errors
    /// Where the table was never synced, or the disk refuses.
    pub async fn invalidate(&self, table: &str, ids: &[Uuid]) -> Result<u64> {
        let ids = ids.to_vec();
        let count = self
            .on_mirror(table, move |mirror, table| match ids.as_slice() {
                [] => mirror.invalidate_table(table, now_ms()),
                ids => mirror.invalidate_records(table, ids, now_ms()),
            })
            .await?;
        self.touch();
        Ok(count)
    }

    /// The same for the rows of a view.
    ///
    /// # Errors
    /// Where the table was never synced, or the disk refuses.
    pub async fn invalidate_view(&self, view: &View) -> Result<u64> {
        let (mirror, wanted) = (self.mirror().clone(), view.clone());
        let ids = blocking(move || Ok(mirror.ids_of(&wanted)?)).await?;
        match ids.as_slice() {
            [] => Ok(0),
            ids => self.invalidate(&view.table, ids).await,
        }
    }
}

fn table_status(
    table: String,
    plan: TableSchedule,
    state: Option<&TableState>,
    last_run: Option<&RunRow>,
    recent: (u64, u64),
    progress: Option<Progress>,
) -> TableStatus {
    let last_status = last_run.map(|run| run.status.as_str());
    let word = match (&progress, state) {
        (Some(progress), _) if progress.throttled.is_some() => "throttled",
        (Some(_), _) => "syncing",
        (None, Some(state)) => match &state.checkpoint {
            // Another process does it.
            _ if last_status == Some("running") => "syncing",
            Checkpoint::Reconciling { .. } => "needs_confirmation",
            _ if last_status == Some("failed") => "failed",
            Checkpoint::Scanning { .. }
            | Checkpoint::Following { .. }
            | Checkpoint::Reading { .. }
            | Checkpoint::Comparing { .. } => "paused",
            _ if state.stale > 0 => "stale",
            _ if state.last_sync.is_some() => "in_sync",
            Checkpoint::Idle { .. } => "new",
        },
        (None, None) if last_status == Some("running") => "syncing",
        (None, None) if last_status == Some("failed") => "failed",
        (None, None) => "new",
    };
    let incremental = state.is_some_and(|state| match &state.checkpoint {
        Checkpoint::Following { .. }
        | Checkpoint::Reading { .. }
        | Checkpoint::Comparing { .. } => true,
        Checkpoint::Idle {
            delta_link,
            mark,
            needs_full,
        } => !needs_full && (delta_link.is_some() || mark.is_some()),
        _ => false,
    });
    let labels = match state {
        Some(state) => (
            state.metadata.display_name.clone(),
            state.metadata.display_collection_name.clone(),
        ),
        None => usual_labels(&table),
    };
    TableStatus {
        table,
        labels,
        metadata: state.map(|state| state.metadata.clone()),
        rows: state.map_or(0, |state| state.live),
        deleted: state.map_or(0, |state| state.deleted),
        stale: state.map_or(0, |state| state.stale),
        state: word,
        strategy: if incremental { "incremental" } else { "full" },
        reason: last_run.map_or_else(String::new, |run| run.reason.clone()),
        verified: state.and_then(|state| state.verified),
        last_sync: state.and_then(|state| state.last_sync),
        plan,
        delta_expires: None,
        last_error: last_run
            .filter(|run| run.status == "failed")
            .and_then(|run| run.error.clone()),
        recent,
        progress,
        guard: None,
        search: state.map_or(
            IndexProgress {
                indexed: 0,
                total: 0,
            },
            |state| state.search,
        ),
    }
}

fn has_delta_link(checkpoint: &Checkpoint) -> bool {
    match checkpoint {
        Checkpoint::Following { .. } => true,
        Checkpoint::Idle {
            delta_link,
            needs_full,
            ..
        } => delta_link.is_some() && !needs_full,
        _ => false,
    }
}

/// Labels of a table whose metadata was not read yet.
fn usual_labels(table: &str) -> (String, String) {
    let (one, many) = match table {
        "account" => ("Account", "Accounts"),
        "contact" => ("Contact", "Contacts"),
        "lead" => ("Lead", "Leads"),
        "opportunity" => ("Opportunity", "Opportunities"),
        "systemuser" => ("User", "Users"),
        other => (other, other),
    };
    (one.to_owned(), many.to_owned())
}
