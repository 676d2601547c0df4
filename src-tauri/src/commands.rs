//! The window's commands, each as the table in `wire` names it: unpack, call core, return.
#![expect(
    clippy::needless_pass_by_value,
    reason = "a command's arguments are handed over by value"
)]

use std::time::Duration;

use salesmirror_core::{Error, PendingSignIn, VerifyOptions, Work, parse_guid, record_ids};
use salesmirror_wire::{
    AppSettings, AppSettingsChange, AppState, AvailableTable, Charts, Connection, ConnectionChange,
    ErrorReply, Event, Filter, Happening, HistogramBar, LeftData, Picked, Preference, Proof,
    Record, RecordKey, Run, TableColumns, TableKey, Theme, View, ViewRequest, Window,
};
use tauri::{AppHandle, Manager as _};
use tauri_plugin_opener::OpenerExt as _;

pub use crate::api::commands::*;
pub use crate::console::commands::*;
use crate::desk::{Desk, OnDesk};
pub use crate::files::commands::*;
use crate::records::convert as read;
pub use crate::setup::commands::*;
use crate::{convert, events};

pub type Reply<T> = Result<T, Refusal>;

/// Why a command did not do what it was asked for.
#[derive(serde::Serialize)]
#[serde(transparent)]
pub struct Refusal(ErrorReply);

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self(convert::error(&error))
    }
}

/// How long the browser may take.
const SIGN_IN_PATIENCE: Duration = Duration::from_secs(300);
/// Rows that one window may ask for.
const MOST_ROWS: u32 = 1_000;
/// Happenings that a record's panel lists.
const MOST_HAPPENINGS: u32 = 200;

#[tauri::command]
pub async fn app_state(handle: AppHandle) -> AppState {
    events::state(&handle).await
}

#[tauri::command]
pub async fn explore_sample(handle: AppHandle, desk: OnDesk<'_>) -> Reply<Connection> {
    let row = desk.sample.explore(desk.app().await?).await?;
    finish_connection(&handle, &desk, &row.id.to_string()).await
}

#[tauri::command]
pub async fn sign_in(
    handle: AppHandle,
    desk: OnDesk<'_>,
    connection: String,
    other: bool,
) -> Reply<Connection> {
    let app = desk.app().await?;
    let row = desk.connection(&connection).await?;
    if row.environment_kind == salesmirror_demo::KIND {
        desk.sample.sign_in_again(app, &row).await?;
    } else {
        let cancel = desk.ongoing.begin(Work::SignIn);
        let open = |pending: &PendingSignIn| wait_for_browser(&handle, pending);
        let signed_in = app
            .sign_in_again(&row, SIGN_IN_PATIENCE, other, &open, &cancel)
            .await;
        events::tell(&handle, &Event::SignIn { sign_in: None });
        signed_in?;
        bring_to_front(&handle);
    }
    events::forget(&desk, &connection);
    finish_connection(&handle, &desk, &connection).await
}

/// Tells the window of the connections there are now, and gives one of them.
pub async fn finish_connection(
    handle: &AppHandle,
    desk: &Desk,
    connection: &str,
) -> Reply<Connection> {
    events::tell_all(handle).await;
    let row = desk.connection(connection).await?;
    let session = desk.session(connection).await?;
    Ok(convert::connection(&row, &session).await?)
}

pub fn wait_for_browser(handle: &AppHandle, pending: &PendingSignIn) {
    let sign_in = Some(convert::sign_in(pending));
    events::tell(handle, &Event::SignIn { sign_in });
    let url = &pending.authorization_url;
    // Where no browser opens, the waiting page has the address to copy.
    if let Err(error) = handle.opener().open_url(url, None::<&str>) {
        tracing::warn!(%error, "no browser was opened");
    }
}

/// The browser covers the window while somebody signs in.
pub fn bring_to_front(handle: &AppHandle) {
    if let Some(window) = handle.get_webview_window("main") {
        let _ = window.set_focus();
    }
}

#[tauri::command]
pub fn cancel(desk: OnDesk<'_>, work: salesmirror_wire::Work) {
    desk.ongoing.cancel(convert::work(work));
}

#[tauri::command]
pub async fn change_connection(
    handle: AppHandle,
    desk: OnDesk<'_>,
    connection: String,
    change: ConnectionChange,
) -> Reply<()> {
    let row = desk.connection(&connection).await?;
    let app = desk.app().await?;
    app.change_connection(&row, convert::change(change)).await?;
    events::forget(&desk, &connection);
    events::tell_all(&handle).await;
    Ok(())
}

#[tauri::command]
pub async fn disconnect(
    handle: AppHandle,
    desk: OnDesk<'_>,
    connection: String,
    purge: bool,
) -> Reply<()> {
    let app = desk.app().await?;
    let row = desk.connection(&connection).await?;
    events::forget(&desk, &connection);
    desk.apis.stop(row.id).await;
    app.disconnect(&row, purge).await?;
    events::tell_all(&handle).await;
    Ok(())
}

#[tauri::command]
pub async fn left_data(desk: OnDesk<'_>) -> Reply<Vec<LeftData>> {
    let left = desk.app().await?.left_data().await?;
    Ok(left.into_iter().map(convert::left_data).collect())
}

#[tauri::command]
pub async fn erase_left(desk: OnDesk<'_>, id: String) -> Reply<()> {
    let id = parse_guid(&id).unwrap_or_default();
    Ok(desk.app().await?.erase_left(id).await?)
}

#[tauri::command]
pub async fn sync(
    desk: OnDesk<'_>,
    connection: String,
    tables: Vec<String>,
    full: bool,
) -> Reply<()> {
    let session = desk.session(&connection).await?;
    session.start_sync(convert::sync(tables, full));
    Ok(())
}

#[tauri::command]
pub async fn pause(desk: OnDesk<'_>, connection: String, table: Option<String>) -> Reply<()> {
    let session = desk.session(&connection).await?;
    match table {
        Some(table) => session.stop_table(&table),
        None => session.stop_sync(),
    }
    Ok(())
}

#[tauri::command]
pub async fn answer_guard(desk: OnDesk<'_>, key: TableKey, remove: bool) -> Reply<()> {
    let session = desk.session(&key.connection).await?;
    Ok(session.answer_guard(&key.table, remove).await?)
}

#[tauri::command]
pub async fn invalidate(desk: OnDesk<'_>, key: TableKey, ids: Vec<String>) -> Reply<u64> {
    let session = desk.session(&key.connection).await?;
    Ok(session.invalidate(&key.table, &record_ids(&ids)?).await?)
}

#[tauri::command]
pub async fn invalidate_rows(desk: OnDesk<'_>, picked: Picked) -> Reply<u64> {
    let (session, view) = desk.views.get(picked.view)?;
    let picked = view.pick(&crate::files::convert::places(&picked));
    Ok(session.invalidate_view(&picked).await?)
}

#[tauri::command]
pub async fn verify(
    handle: AppHandle,
    desk: OnDesk<'_>,
    key: TableKey,
    repair: bool,
    remove: bool,
) -> Reply<Proof> {
    let session = desk.session(&key.connection).await?;
    let cancel = desk.ongoing.begin(Work::Proof);
    let options = VerifyOptions {
        tables: vec![key.table],
        repair,
        yes: remove,
    };
    let tell = |table: &str, rows| events::tell(&handle, &convert::proving(table, rows));
    let found = session.verify(&options, &cancel, &tell).await?;
    let proof = found.first().map(convert::proof);
    Ok(proof.ok_or_else(Error::interrupted)?)
}

#[tauri::command]
pub async fn available_tables(desk: OnDesk<'_>, connection: String) -> Reply<Vec<AvailableTable>> {
    let found = desk.session(&connection).await?.offered_tables().await?;
    Ok(found.into_iter().map(convert::available).collect())
}

#[tauri::command]
pub async fn add_table(desk: OnDesk<'_>, key: TableKey) -> Reply<()> {
    let session = desk.session(&key.connection).await?;
    Ok(session.mirror_table(&key.table).await?)
}

#[tauri::command]
pub async fn remove_table(desk: OnDesk<'_>, key: TableKey) -> Reply<()> {
    let session = desk.session(&key.connection).await?;
    session.remove_table(&key.table).await?;
    Ok(())
}

#[tauri::command]
pub async fn runs(desk: OnDesk<'_>, connection: String, limit: u32) -> Reply<Vec<Run>> {
    let session = desk.session(&connection).await?;
    let runs = session.runs(None, limit).await?;
    Ok(runs.into_iter().map(convert::run).collect())
}

#[tauri::command]
pub async fn charts(desk: OnDesk<'_>, connection: String) -> Reply<Charts> {
    let session = desk.session(&connection).await?;
    Ok(convert::charts(session.charts().await?))
}

#[tauri::command]
pub async fn table_columns(desk: OnDesk<'_>, key: TableKey) -> Reply<TableColumns> {
    let session = desk.session(&key.connection).await?;
    Ok(read::columns(&session.metadata(&key.table).await?))
}

#[tauri::command]
pub async fn open_view(
    desk: OnDesk<'_>,
    connection: String,
    request: ViewRequest,
    most: Option<u32>,
) -> Reply<View> {
    let session = desk.session(&connection).await?;
    let selectors = read::selectors(&request);
    let view = session.open_view(&request.table, &selectors, most).await?;
    Ok(read::view(desk.views.add(session, view.clone()), &view))
}

#[tauri::command]
pub async fn window(
    desk: OnDesk<'_>,
    view: u32,
    offset: f64,
    limit: u32,
    columns: Vec<String>,
) -> Reply<Window> {
    let (session, view) = desk.views.get(view)?;
    let (offset, limit) = (offset.max(0.0) as u64, limit.min(MOST_ROWS) as usize);
    let rows = session.window(&view, offset, limit, &columns).await?;
    Ok(read::window(rows))
}

#[tauri::command]
pub fn close_view(desk: OnDesk<'_>, view: u32) {
    desk.views.close(view);
}

#[tauri::command]
pub async fn histogram(
    desk: OnDesk<'_>,
    connection: String,
    request: ViewRequest,
    filter: Filter,
) -> Reply<Vec<HistogramBar>> {
    let (session, given) = (desk.session(&connection).await?, read::selectors(&request));
    let bars = session
        .histogram(&request.table, &given, &filter.expression())
        .await?;
    Ok(read::histogram(bars))
}

#[tauri::command]
pub async fn record(desk: OnDesk<'_>, key: RecordKey) -> Reply<Record> {
    let session = desk.session(&key.connection).await?;
    Ok(read::record(session.record(&key.table, &key.id).await?))
}

#[tauri::command]
pub async fn history(desk: OnDesk<'_>, key: RecordKey) -> Reply<Vec<Happening>> {
    let session = desk.session(&key.connection).await?;
    let happenings = session
        .history_of(&key.table, &key.id, MOST_HAPPENINGS)
        .await?;
    Ok(happenings.into_iter().map(read::happening).collect())
}

#[tauri::command]
pub async fn recall(desk: OnDesk<'_>, connection: String, name: String) -> Reply<Option<String>> {
    Ok(desk.session(&connection).await?.recall(&name).await?)
}

#[tauri::command]
pub async fn remember(
    desk: OnDesk<'_>,
    connection: String,
    name: String,
    text: String,
) -> Reply<()> {
    let session = desk.session(&connection).await?;
    Ok(session.remember(&name, text).await?)
}

#[tauri::command]
pub async fn app_settings(desk: OnDesk<'_>) -> Reply<AppSettings> {
    Ok(convert::app_settings(desk.app().await?.app_settings()))
}

#[tauri::command]
pub async fn set_app_settings(
    handle: AppHandle,
    desk: OnDesk<'_>,
    change: AppSettingsChange,
) -> Reply<AppSettings> {
    let change = convert::app_settings_change(change);
    let kept = desk.app().await?.set_app_settings(change).await?;
    // Connections were closed, to be opened by the new way.
    events::tell_all(&handle).await;
    Ok(convert::app_settings(kept))
}

#[tauri::command]
pub async fn diagnostics(desk: OnDesk<'_>) -> Reply<String> {
    let version = env!("CARGO_PKG_VERSION");
    Ok(desk.app().await?.diagnostics(version).await)
}

#[tauri::command]
pub async fn preferences(desk: OnDesk<'_>, connection: String) -> Reply<Vec<Preference>> {
    let found = desk.session(&connection).await?.choices().await?;
    Ok(found.into_iter().map(convert::preference).collect())
}

#[tauri::command]
pub async fn set_preference(
    desk: OnDesk<'_>,
    connection: String,
    key: String,
    value: String,
) -> Reply<()> {
    let session = desk.session(&connection).await?;
    Ok(session.decide(&key, &value).await?)
}

#[tauri::command]
pub async fn set_theme(handle: AppHandle, desk: OnDesk<'_>, theme: Theme) -> Reply<()> {
    if let Some(window) = handle.get_webview_window("main") {
        let _ = window.set_theme(convert::window_theme(theme));
    }
    let app = desk.app().await?;
    Ok(app.set_setting("theme", theme.as_str().to_owned()).await?)
}
