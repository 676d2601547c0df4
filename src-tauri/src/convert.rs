//! Core's types as DTOs.

use std::time::Duration;

use salesmirror_core::{
    AppSettings, AppSettingsChange, AvailableTable, Bar, Chart, ChartFilter, Charts, Choice,
    ConnectionChange, ConnectionRow, Error, Group, LeftData, PendingSignIn, Preview, Progress,
    Result, RunRow, Secret, Session, SyncOptions, TableStatus, Verification, Work,
};
use salesmirror_wire::{self as wire, ErrorReply, TableState};
use serde::de::DeserializeOwned;

/// What to do on a desktop without a keychain.
const NO_KEYCHAIN: &str = "Install and unlock one, such as GNOME Keyring or KWallet, log in to the \
    desktop again, then try again.";

/// An error as the window shows it.
pub fn error(error: &Error) -> ErrorReply {
    ErrorReply {
        code: error.code.clone(),
        message: error.message.clone(),
        hint: match error.code.as_str() {
            // Core's hint is for a terminal.
            "keychain_absent" => NO_KEYCHAIN.to_owned(),
            _ => error.hint.clone(),
        },
        reference: error.reference.as_deref().map(str::to_owned),
        link: error.link.as_deref().map(str::to_owned),
    }
}

/// Data of a connection that is gone.
pub fn left_data(left: LeftData) -> wire::LeftData {
    wire::LeftData {
        id: left.id.to_string(),
        environment: left.environment,
        user: left.user,
        bytes: left.bytes,
    }
}

/// What is changed of a connection.
pub fn change(change: wire::ConnectionChange) -> ConnectionChange {
    ConnectionChange {
        name: change.name,
        client_secret: change.client_secret.map(Secret::from),
        secret_expires: change.secret_expires,
        redirect_port: change.redirect_port.map(|port| (port > 0).then_some(port)),
    }
}

/// A sign-in that waits for the browser.
pub fn sign_in(pending: &PendingSignIn) -> wire::SignIn {
    wire::SignIn {
        authorization_url: pending.authorization_url.clone(),
        redirect_uri: pending.redirect_uri.clone(),
        expires_at: from_now(pending.timeout),
    }
}

/// Work that can be ended.
pub const fn work(work: wire::Work) -> Work {
    match work {
        wire::Work::SignIn => Work::SignIn,
        wire::Work::Export => Work::Export,
        wire::Work::Proof => Work::Proof,
        wire::Work::Check => Work::Check,
        wire::Work::Request => Work::Request,
    }
}

/// The window's own theme; `None` follows the system.
pub const fn window_theme(theme: wire::Theme) -> Option<tauri::Theme> {
    match theme {
        wire::Theme::System => None,
        wire::Theme::Light => Some(tauri::Theme::Light),
        wire::Theme::Dark => Some(tauri::Theme::Dark),
    }
}

/// The settings of the whole product.
pub fn app_settings(settings: AppSettings) -> wire::AppSettings {
    wire::AppSettings {
        proxy: settings.proxy,
        proxy_user: settings.proxy_user,
        has_proxy_password: settings.has_proxy_password,
        log_level: settings.log_level,
    }
}

/// What is changed of them.
pub fn app_settings_change(change: wire::AppSettingsChange) -> AppSettingsChange {
    AppSettingsChange {
        proxy: change.proxy,
        proxy_user: change.proxy_user,
        proxy_password: change.proxy_password.map(Secret::from),
        log_level: change.log_level,
    }
}

/// The moment after this wait, in ms since 1970.
pub fn from_now(wait: Duration) -> i64 {
    let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
    jiff::Timestamp::now().as_millisecond().saturating_add(wait)
}

/// A value of the wire that core names by a word; both use the same words.
pub fn named<T: DeserializeOwned + Default>(word: &str) -> T {
    serde_json::from_value(word.into()).unwrap_or_default()
}

/// A connection with its tables as they stand.
pub async fn connection(row: &ConnectionRow, session: &Session) -> Result<wire::Connection> {
    let status = session.status().await?;
    let requests = session.requests(&status).await?;
    let warnings = session.warnings(&status).await?;
    let mut tables: Vec<wire::Table> = status.into_iter().map(table).collect();
    let syncing = session.is_syncing();
    let problem = match (session.problem(), row.signed_in) {
        (Some(problem), _) => Some(error(&problem)),
        (None, false) => Some(signed_out(&tables)),
        (None, true) if syncing => None,
        (None, true) => common_problem(&tables),
    };
    if !row.signed_in {
        // Nothing is wrong with the tables: they wait for the sign-in, which the connection asks for.
        let failed = |table: &&mut wire::Table| table.state == TableState::Failed;
        for table in tables.iter_mut().filter(failed) {
            table.state = TableState::Paused;
        }
    }
    Ok(wire::Connection {
        syncing,
        tables,
        problem,
        requests: wire::Requests {
            today: requests.today,
            entitlement: requests.entitlement,
            full_sync: requests.full_sync,
        },
        warnings: warnings
            .into_iter()
            .map(|warning| format!("{} {}", warning.message, warning.hint))
            .collect(),
        throttled_until: session.throttled_for().map(from_now),
        trouble: session.trouble(),
        notice: session.notice().map(str::to_owned),
        ..bare(row)
    })
}

/// A connection whose data cannot be opened.
pub fn closed_connection(row: &ConnectionRow, reason: &Error) -> wire::Connection {
    wire::Connection {
        problem: Some(error(reason)),
        ..bare(row)
    }
}

fn bare(row: &ConnectionRow) -> wire::Connection {
    wire::Connection {
        id: row.id.to_string(),
        name: row.name.clone(),
        environment: row.environment.clone(),
        kind: named(&row.environment_kind),
        authority: row.authority.clone(),
        tenant: row.tenant.clone(),
        client_id: row.client_id.clone(),
        public_client: row.public_client,
        unattended: row.flow == "client-credentials",
        secret_expires: row.secret_expires.clone(),
        redirect_port: row.redirect_port,
        organization: row.organization.clone(),
        organization_version: row.organization_version.clone(),
        user: row.user.clone(),
        signed_in: row.signed_in,
        syncing: false,
        tables: Vec::new(),
        problem: None,
        requests: wire::Requests::default(),
        throttled_until: None,
        trouble: None,
        warnings: Vec::new(),
        notice: None,
    }
}

/// Why the sign-in ended, as the last sync heard it.
fn signed_out(tables: &[wire::Table]) -> ErrorReply {
    let said = tables.iter().find_map(|table| table.error.clone());
    said.unwrap_or_else(|| ErrorReply {
        code: "signed_out".to_owned(),
        message: "This connection is signed out.".to_owned(),
        hint: "Sign in again to keep syncing. Nothing is lost.".to_owned(),
        reference: None,
        link: None,
    })
}

/// What all tables failed of, which is then the connection's problem and not each table's.
fn common_problem(tables: &[wire::Table]) -> Option<ErrorReply> {
    let first = tables.first()?.error.clone()?;
    tables
        .iter()
        .all(|table| {
            table
                .error
                .as_ref()
                .is_some_and(|error| error.code == first.code)
        })
        .then_some(first)
}

fn table(status: TableStatus) -> wire::Table {
    let strategy = status
        .progress
        .as_ref()
        .map_or(status.strategy, |progress| progress.strategy.as_str());
    wire::Table {
        name: status.table,
        label: status.labels.0,
        label_plural: status.labels.1,
        entity_set: status.metadata.map(|table| table.entity_set_name),
        rows: status.rows,
        deleted: status.deleted,
        stale: status.stale,
        changed_recently: status.recent.0,
        deleted_recently: status.recent.1,
        state: named(status.state),
        strategy: Some(named(strategy)),
        last_sync: status.last_sync,
        next_sync: status.plan.next,
        verified: status.verified,
        error: status.last_error.as_deref().map(kept_error),
        progress: status.progress.as_ref().map(progress),
        guard: status.guard.map(guard),
        search: wire::SearchProgress {
            indexed: status.search.indexed,
            total: status.search.total,
        },
    }
}

/// An error of a run, which is kept as JSON.
fn kept_error(json: &str) -> ErrorReply {
    serde_json::from_str(json).unwrap_or_else(|_| ErrorReply {
        code: "failed".to_owned(),
        message: json.to_owned(),
        hint: String::new(),
        reference: None,
        link: None,
    })
}

fn progress(progress: &Progress) -> wire::Progress {
    let speed = progress.rows_per_second;
    let left = progress
        .expected
        .and_then(|expected| expected.checked_sub(progress.rows))
        .filter(|_| speed >= 1.0)
        .map(|rows| (rows as f64 / speed).ceil() as u64);
    wire::Progress {
        rows: progress.rows,
        // The count can be a day old: what has come is at least there.
        expected: progress.expected.map(|count| count.max(progress.rows)),
        rows_per_second: speed as u64,
        seconds_left: left,
        throttled_until: progress.throttled.map(from_now),
        trouble: progress.trouble.clone(),
    }
}

fn guard(preview: Preview) -> wire::GuardQuestion {
    wire::GuardQuestion {
        would_delete: preview.would_delete,
        live_before: preview.live_before,
        examples: preview.examples,
    }
}

/// What comparing a table found.
pub fn proof(found: &Verification) -> wire::Proof {
    wire::Proof {
        table: found.table.clone(),
        rows: found.rows,
        missing: found.missing.count,
        extra: found.extra.count,
        changed: found.changed.count,
        fix: named(found.fix.as_str()),
        repaired: found.repaired,
        equal: found.equal,
        requests: found.requests,
        error: found.error.as_ref().map(error),
    }
}

/// A run.
pub fn run(run: RunRow) -> wire::Run {
    wire::Run {
        duration_ms: run.duration_ms(),
        id: run.id,
        table: run.table,
        strategy: named(&run.strategy),
        reason: run.reason,
        status: named(&run.status),
        started_at: run.started_at,
        inserted: run.inserted,
        updated: run.updated,
        deleted: run.deleted,
        unchanged: run.unchanged,
        pages: run.pages,
        requests: run.requests,
        retries: run.retries,
        throttled_ms: run.throttled_ms,
        error: run.error.as_deref().map(kept_error),
    }
}

/// The charts of Home.
pub fn charts(charts: Charts) -> wire::Charts {
    wire::Charts {
        pipeline: chart(charts.pipeline),
        closed: chart(charts.closed),
        sources: chart(charts.sources),
        changes: chart(charts.changes),
    }
}

fn chart(chart: Chart) -> wire::Chart {
    let filter = |filter: ChartFilter| wire::Filter {
        column: filter.column,
        op: named(filter.op),
        values: filter.values,
    };
    let bar = |bar: Bar| wire::ChartBar {
        name: bar.name,
        rows: bar.rows,
        amount: bar.amount,
        table: bar.table,
        filters: bar.filters.map(|all| all.into_iter().map(filter).collect()),
    };
    let group = |group: Group| wire::ChartGroup {
        label: group.label,
        bars: group.bars.into_iter().map(bar).collect(),
    };
    wire::Chart {
        groups: chart.groups.into_iter().map(group).collect(),
        amount: chart.amount,
        currency: chart.currency,
        note: chart.note,
    }
}

/// A setting of a connection.
pub fn preference(choice: Choice) -> wire::Preference {
    wire::Preference {
        key: choice.key,
        value: choice.value,
        default: choice.default,
    }
}

/// A sync of tables; all of them where none is named.
pub fn sync(tables: Vec<String>, full: bool) -> SyncOptions {
    SyncOptions {
        tables,
        full,
        ..SyncOptions::default()
    }
}

/// How far a proof has come in a table.
pub fn proving(table: &str, rows: u64) -> wire::Event {
    let table = table.to_owned();
    wire::Event::Proof {
        progress: wire::ProofProgress { table, rows },
    }
}

/// A table that the organisation has.
pub fn available(table: AvailableTable) -> wire::AvailableTable {
    wire::AvailableTable {
        name: table.table,
        label: table.display_name,
        rows: table.rows,
        change_tracking: table.change_tracking,
        readable: table.readable,
        mirrored: table.mirrored,
    }
}
