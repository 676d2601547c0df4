//! Syncs, their runs, and invalidation.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use salesmirror_core::{RunRow, ScheduleChange, Session, SyncOptions, TableStatus, record_ids};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::body::{Json, bad_body, json};
use crate::document::Refusals;
use crate::error::{ApiError, Result};
use crate::parameters::Parameters;
use crate::state::Api;
use crate::time::moment;

/// Runs that are listed in one reply at most.
const MOST_RUNS: u32 = 1_000;
/// Characters of an object's name, and ids in one request.
const LONGEST_NAME: usize = 200;
const MOST_IDS: usize = 10_000;

/// The syncs of all mirrored tables.
#[derive(Debug, Serialize, ToSchema)]
pub struct Syncs {
    syncs: Vec<SyncState>,
}

/// The sync of a table.
#[derive(Debug, Serialize, ToSchema)]
struct SyncState {
    /// What the table is called here: `accounts`, or its logical name where it is no unified object.
    object: String,
    /// Logical name of the table.
    table: String,
    state: TableState,
    /// Records that are there.
    #[schema(minimum = 0)]
    rows: u64,
    /// Deleted records that are still kept.
    #[schema(minimum = 0)]
    deleted: u64,
    /// Invalidated records.
    #[schema(minimum = 0)]
    stale: u64,
    /// How the next sync will read it.
    strategy: Strategy,
    /// End of the last successful sync.
    #[schema(required, format = DateTime)]
    last_sync: Option<String>,
    /// When it is synced by itself.
    #[schema(required, format = DateTime)]
    next_sync: Option<String>,
    /// Seconds from one sync to the next; null where the schedule is off.
    #[schema(required)]
    every_seconds: Option<u64>,
    /// Whether the schedule rests.
    paused: bool,
    /// Why the last sync failed.
    #[schema(required)]
    last_error: Option<RunError>,
}

/// How a table stands.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SyncStateName)]
enum TableState {
    New,
    InSync,
    Syncing,
    Throttled,
    Stale,
    Failed,
    Paused,
    NeedsConfirmation,
}

/// How a sync reads a table.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Strategy {
    Full,
    Incremental,
}

/// Why a run failed.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
struct RunError {
    /// Stable code.
    code: String,
    /// What happened.
    message: String,
    /// What to do.
    hint: String,
    /// Code and request id of Dynamics 365.
    #[schema(required)]
    reference: Option<String>,
}

/// What syncs did, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct SyncRuns {
    sync_runs: Vec<SyncRun>,
}

/// One sync of one table.
#[derive(Debug, Serialize, ToSchema)]
pub struct SyncRun {
    id: i64,
    object: String,
    table: String,
    strategy: Strategy,
    /// Why it read the table so.
    reason: String,
    status: RunStatus,
    #[schema(format = DateTime)]
    started_at: String,
    #[schema(required, format = DateTime)]
    finished_at: Option<String>,
    inserted: u64,
    updated: u64,
    deleted: u64,
    unchanged: u64,
    pages: u64,
    requests: u64,
    retries: u64,
    /// Time that Dynamics 365 made us wait, in ms.
    throttled_ms: u64,
    duration_ms: u64,
    #[schema(required)]
    error: Option<RunError>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum RunStatus {
    Running,
    Success,
    Failed,
    Interrupted,
    NeedsConfirmation,
}

/// Which table to sync.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"object": "accounts", "perform_full_refresh": false}))]
pub struct Trigger {
    /// A unified object or a mirrored table; all of them where none is named.
    #[serde(default)]
    #[schema(max_length = 200)]
    object: Option<String>,
    /// Whether every record is read again.
    #[serde(default)]
    perform_full_refresh: bool,
}

/// Whose schedule is meant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"object": "accounts"}))]
pub struct Which {
    /// A unified object or a mirrored table; the whole connection where none is named.
    #[serde(default)]
    #[schema(max_length = 200)]
    object: Option<String>,
}

/// What is no longer to be believed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"object": "contacts", "ids": ["0a8f5b2c-6d1e-4f3a-9b7c-2e4d6f8a0b1c"]}))]
pub struct Invalidation {
    /// A unified object or a mirrored table.
    #[schema(max_length = 200)]
    object: String,
    /// Records; the whole table where it is left out. An empty list names no record.
    #[serde(default)]
    #[schema(max_items = 10000, value_type = Option<Vec<uuid::Uuid>>)]
    ids: Option<Vec<String>>,
    /// Whether they are read again at once.
    #[serde(default = "yes")]
    #[schema(default = true)]
    sync: bool,
}

const fn yes() -> bool {
    true
}

/// What was invalidated.
#[derive(Debug, Serialize, ToSchema)]
pub struct Invalidated {
    /// Records that are stale now.
    #[schema(minimum = 0)]
    invalidated: u64,
    /// Whether a sync was started that reads them again.
    sync_started: bool,
}

/// List syncs
///
/// All mirrored tables, how they stand and when they are synced.
#[utoipa::path(
    get, path = "/mgmt/v2/syncs", tag = "Management", operation_id = "list_syncs",
    responses((status = 200, description = "The syncs", body = Syncs), Refusals)
)]
pub async fn syncs(State(api): State<Api>, parameters: Parameters) -> Result<Response> {
    parameters.end()?;
    let session = api.session().await?;
    Ok(json(StatusCode::OK, &states(&session, None).await?))
}

/// List runs
///
/// What syncs did, the newest first.
#[utoipa::path(
    get, path = "/mgmt/v2/sync-runs", tag = "Management", operation_id = "list_sync_runs",
    params(
        ("object" = Option<String>, Query, description = "A unified object or a mirrored table", max_length = 200),
        ("page_size" = Option<u32>, Query, description = "How many at most", minimum = 1, maximum = 1000),
    ),
    responses((status = 200, description = "The runs", body = SyncRuns), Refusals)
)]
pub async fn sync_runs(State(api): State<Api>, mut parameters: Parameters) -> Result<Response> {
    let object = parameters.one("object")?;
    let limit = parameters.number("page_size", 1, MOST_RUNS, 100)?;
    parameters.end()?;
    let session = api.session().await?;
    let table = resolved(&session, object.as_deref()).await?;
    let runs = session.runs(table.as_deref(), limit).await?;
    let sync_runs = runs.into_iter().map(run).collect();
    Ok(json(StatusCode::OK, &SyncRuns { sync_runs }))
}

/// Start a sync
///
/// Answers at once; the sync goes on. One that runs already is waited for first.
#[utoipa::path(
    post, path = "/mgmt/v2/syncs/_trigger", tag = "Management", operation_id = "trigger_sync",
    request_body = Trigger,
    responses((status = 202, description = "The sync was started", body = Syncs), Refusals)
)]
pub async fn trigger(State(api): State<Api>, Json(wanted): Json<Trigger>) -> Result<Response> {
    let session = api.session().await?;
    let table = resolved(&session, wanted.object.as_deref()).await?;
    session.start_sync(SyncOptions {
        tables: table.iter().cloned().collect(),
        full: wanted.perform_full_refresh,
        ..SyncOptions::default()
    });
    Ok(json(
        StatusCode::ACCEPTED,
        &states(&session, table.as_deref()).await?,
    ))
}

/// Pause a schedule
///
/// Nothing is synced by itself until it is resumed. Without an object a sync that runs is stopped too;
/// what was committed stays.
#[utoipa::path(
    post, path = "/mgmt/v2/syncs/_pause", tag = "Management", operation_id = "pause_syncs",
    request_body = Which,
    responses((status = 200, description = "The syncs as they are now", body = Syncs), Refusals)
)]
pub async fn pause(State(api): State<Api>, Json(wanted): Json<Which>) -> Result<Response> {
    let session = api.session().await?;
    let table = resolved(&session, wanted.object.as_deref()).await?;
    rest(&session, table.as_deref(), true).await?;
    if table.is_none() {
        session.stop_sync();
    }
    Ok(json(
        StatusCode::OK,
        &states(&session, table.as_deref()).await?,
    ))
}

/// Resume a schedule
///
/// What is due is synced within seconds.
#[utoipa::path(
    post, path = "/mgmt/v2/syncs/_resume", tag = "Management", operation_id = "resume_syncs",
    request_body = Which,
    responses((status = 200, description = "The syncs as they are now", body = Syncs), Refusals)
)]
pub async fn resume(State(api): State<Api>, Json(wanted): Json<Which>) -> Result<Response> {
    let session = api.session().await?;
    let table = resolved(&session, wanted.object.as_deref()).await?;
    rest(&session, table.as_deref(), false).await?;
    Ok(json(
        StatusCode::OK,
        &states(&session, table.as_deref()).await?,
    ))
}

/// Invalidate records
///
/// They are shown as stale at once, and read again by a sync that is started right away.
#[utoipa::path(
    post, path = "/mgmt/v2/invalidations", tag = "Management", operation_id = "invalidate",
    request_body = Invalidation,
    responses((status = 202, description = "The records are stale", body = Invalidated), Refusals)
)]
pub async fn invalidate(
    State(api): State<Api>,
    Json(wanted): Json<Invalidation>,
) -> Result<Response> {
    let session = api.session().await?;
    let named_ids = wanted.ids.as_ref();
    if named_ids.is_some_and(|ids| ids.len() > MOST_IDS) {
        return Err(bad_body(format!(
            "{MOST_IDS} records can be named at once. Without ids it is the whole table."
        )));
    }
    let ids = record_ids(named_ids.map_or(&[], Vec::as_slice));
    let ids = ids.map_err(|_| bad_body("An id is no GUID."))?;
    let table = named(&session, &wanted.object).await?;
    // A list that happens to be empty names no record, and not all of them.
    let invalidated = match named_ids.is_some() && ids.is_empty() {
        true => 0,
        false => session.invalidate(&table, &ids).await?,
    };
    let sync_started = wanted.sync && invalidated > 0;
    if sync_started {
        session.start_sync(SyncOptions {
            tables: vec![table],
            ..SyncOptions::default()
        });
    }
    let document = Invalidated {
        invalidated,
        sync_started,
    };
    Ok(json(StatusCode::ACCEPTED, &document))
}

/// The table of an object's name.
async fn named(session: &Session, object: &str) -> Result<String> {
    if object.chars().count() > LONGEST_NAME {
        return Err(ApiError::parameter(format!(
            "The name of an object has {LONGEST_NAME} characters at most."
        )));
    }
    Ok(session.table(object).await?)
}

async fn resolved(session: &Session, object: Option<&str>) -> Result<Option<String>> {
    match object {
        Some(object) => named(session, object).await.map(Some),
        None => Ok(None),
    }
}

async fn rest(session: &Session, table: Option<&str>, is_paused: bool) -> Result<()> {
    let change = ScheduleChange {
        every: None,
        paused: Some(is_paused),
    };
    Ok(session.set_schedule(table, change).await?)
}

async fn states(session: &Session, table: Option<&str>) -> Result<Syncs> {
    let tables = session.status().await?;
    let wanted = tables
        .into_iter()
        .filter(|status| table.is_none_or(|table| status.table == table));
    Ok(Syncs {
        syncs: wanted.map(state).collect(),
    })
}

fn state(status: TableStatus) -> SyncState {
    let schedule = status.plan.schedule;
    SyncState {
        object: object(&status.table).to_owned(),
        state: match status.state {
            "in_sync" => TableState::InSync,
            "syncing" => TableState::Syncing,
            "throttled" => TableState::Throttled,
            "stale" => TableState::Stale,
            "failed" => TableState::Failed,
            "paused" => TableState::Paused,
            "needs_confirmation" => TableState::NeedsConfirmation,
            _ => TableState::New,
        },
        table: status.table,
        rows: status.rows,
        deleted: status.deleted,
        stale: status.stale,
        strategy: strategy(status.strategy),
        last_sync: status.last_sync.map(moment),
        next_sync: status.plan.next.map(moment),
        every_seconds: schedule.every.map(|every| every.as_secs()),
        paused: schedule.is_paused,
        last_error: status.last_error.as_deref().and_then(run_error),
    }
}

fn strategy(word: &str) -> Strategy {
    match word {
        "incremental" => Strategy::Incremental,
        _ => Strategy::Full,
    }
}

fn run_error(text: &str) -> Option<RunError> {
    let value: Value = serde_json::from_str(text).ok()?;
    serde_json::from_value(value).ok()
}

/// A run as the API tells it.
pub fn run(row: RunRow) -> SyncRun {
    SyncRun {
        id: row.id,
        object: object(&row.table).to_owned(),
        strategy: strategy(&row.strategy),
        status: match row.status.as_str() {
            "running" => RunStatus::Running,
            "success" => RunStatus::Success,
            "needs_confirmation" => RunStatus::NeedsConfirmation,
            "interrupted" => RunStatus::Interrupted,
            _ => RunStatus::Failed,
        },
        started_at: moment(row.started_at),
        finished_at: row
            .finished_at
            .filter(|_| row.status != "running")
            .map(moment),
        inserted: row.inserted,
        updated: row.updated,
        deleted: row.deleted,
        unchanged: row.unchanged,
        pages: row.pages,
        requests: row.requests,
        retries: row.retries,
        throttled_ms: row.throttled_ms,
        duration_ms: row.duration_ms(),
        error: row.error.as_deref().and_then(run_error),
        table: row.table,
        reason: row.reason,
    }
}

/// What a table is called here.
pub fn object(table: &str) -> &str {
    match table {
        "account" => "accounts",
        "contact" => "contacts",
        "lead" => "leads",
        "opportunity" => "opportunities",
        "systemuser" => "users",
        other => other,
    }
}
