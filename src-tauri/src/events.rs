//! The one stream of events to the window.

use std::sync::PoisonError;
use std::time::Duration;

use salesmirror_core::{ConnectionRow, Result, Session, SyncOptions};
use salesmirror_wire::{AppState, Connection, Event};
use tauri::{AppHandle, Emitter as _, Manager as _};

use crate::convert;
use crate::desk::Desk;

/// The event's name; the window listens to no other.
const EVENT: &str = "salesmirror://event";
/// Progress is told at most ten times a second.
pub const PACE: Duration = Duration::from_millis(100);

/// Tells the window. A window that is closing hears nothing more, which is no error.
pub fn tell(handle: &AppHandle, event: &Event) {
    let _ = handle.emit(EVENT, event);
}

/// Everything that the window shows first.
pub async fn state(handle: &AppHandle) -> AppState {
    let desk = handle.state::<Desk>();
    let mut state = AppState {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..AppState::default()
    };
    if let Err(error) = fill(handle, &desk, &mut state).await {
        state.problem = Some(convert::error(&error));
    }
    state
}

async fn fill(handle: &AppHandle, desk: &Desk, state: &mut AppState) -> Result<()> {
    let app = desk.app().await?;
    state.data_dir = app.data_dir().root().display().to_string();
    state.setup = crate::setup::shown(app).await?;
    let rows = app.settled_connections().await?;
    state.theme = convert::named(&app.setting("theme").await?.unwrap_or_default());
    for row in rows {
        state.connections.push(open(handle, desk, &row).await);
    }
    Ok(())
}

/// Opens a connection and lets the window follow it. One that cannot be opened is shown with the
/// reason, beside the others.
async fn open(handle: &AppHandle, desk: &Desk, row: &ConnectionRow) -> Connection {
    let resumed = match row.environment_kind == salesmirror_demo::KIND {
        true => desk.sample.resume(row).await,
        false => Ok(()),
    };
    let opened = async {
        let app = desk.app().await?;
        let session = app.session(row).await?;
        follow(handle, desk, row, &session);
        desk.apis.resume(app, &session).await?;
        convert::connection(row, &session).await
    };
    let shown = match opened.await {
        Ok(connection) => connection,
        Err(error) => convert::closed_connection(row, &error),
    };
    match resumed {
        Ok(()) => shown,
        Err(error) => Connection {
            problem: Some(convert::error(&error)),
            ..shown
        },
    }
}

/// Tells the window whenever the session changes, once for each session.
fn follow(handle: &AppHandle, desk: &Desk, row: &ConnectionRow, session: &Session) {
    let mut watched = desk.watched.lock().unwrap_or_else(PoisonError::into_inner);
    let key = row.id.to_string();
    if watched
        .get(&key)
        .is_some_and(|task| !task.inner().is_finished())
    {
        return;
    }
    session.start_indexing();
    session.start_schedule();
    let (handle, id, mut changes) = (handle.clone(), key.clone(), session.changes());
    // The session itself is not held: the stream ends with it.
    let task = tauri::async_runtime::spawn(async move {
        while changes.changed().await.is_ok() {
            let desk = handle.state::<Desk>();
            let Ok(row) = desk.connection(&id).await else {
                return;
            };
            let Ok(app) = desk.app().await else { return };
            if app.is_damaged(&row) {
                tauri::async_runtime::spawn(open_anew(handle.clone(), row));
                return;
            }
            if let Ok(session) = app.session(&row).await
                && let Ok(connection) = convert::connection(&row, &session).await
            {
                let connection = Box::new(connection);
                tell(&handle, &Event::Connection { connection });
            }
            tokio::time::sleep(PACE).await;
        }
    });
    watched.insert(key, task);
}

/// Opens a connection whose mirror was found to be damaged: the file is moved aside, the window says
/// so, and everything is fetched again.
async fn open_anew(handle: AppHandle, row: ConnectionRow) {
    let desk = handle.state::<Desk>();
    desk.views.close_all_of(&row);
    let reopened = async { desk.app().await?.reopen(&row).await };
    match reopened.await {
        Ok(session) => session.start_sync(SyncOptions::default()),
        Err(error) => tracing::error!(%error, "the damaged mirror could not be replaced"),
    }
    forget(&desk, &row.id.to_string());
    tell_all(&handle).await;
}

/// Lets the window follow anew, after a session was opened again.
pub fn forget(desk: &Desk, connection: &str) {
    let mut watched = desk.watched.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(task) = watched.remove(connection) {
        task.abort();
    }
}

/// Tells the window everything, after connections came or went.
pub async fn tell_all(handle: &AppHandle) {
    let state = Box::new(state(handle).await);
    tell(handle, &Event::Snapshot { state });
}
