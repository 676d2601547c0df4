//! What the window has open: the product, views, a sign-in, an export.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use salesmirror_core::{
    App, ConnectionRow, DataDir, Error, HttpConfig, Result, RetryPolicy, SecretStore, Session,
    Settings, View,
};
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use crate::sample::Sample;

/// Views that stay open; the grid closes its own, so that more means a leak.
const MOST_VIEWS: usize = 32;
/// Closing the app takes a second at most; what was committed until then is kept in any case.
const LAST_WORDS: Duration = Duration::from_millis(900);

/// The window's handles on core.
#[derive(Default)]
pub struct Desk {
    app: OnceCell<App>,
    views: Mutex<Views>,
    sign_in: Mutex<Option<CancellationToken>>,
    export: Mutex<Option<CancellationToken>>,
    proof: Mutex<Option<CancellationToken>>,
    /// Connections whose changes are told to the window already.
    pub watched: Mutex<HashMap<String, tauri::async_runtime::JoinHandle<()>>>,
    /// The simulated organisation, while one runs.
    pub sample: Sample,
}

#[derive(Default)]
struct Views {
    last: u32,
    open: HashMap<u32, (Session, View)>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    /// The product; opened when it is first needed, and tried again after a failure.
    pub async fn app(&self) -> Result<&App> {
        self.app.get_or_try_init(|| async { open() }).await
    }

    /// The connection of this id.
    pub async fn connection(&self, id: &str) -> Result<ConnectionRow> {
        self.app().await?.find(Some(id)).await
    }

    /// The open session of a connection.
    pub async fn session(&self, id: &str) -> Result<Session> {
        let row = self.connection(id).await?;
        self.app().await?.session(&row).await
    }

    /// Keeps a view open; gives its handle.
    pub fn add_view(&self, session: Session, view: View) -> u32 {
        let mut views = lock(&self.views);
        if views.open.len() >= MOST_VIEWS
            && let Some(oldest) = views.open.keys().min().copied()
        {
            views.open.remove(&oldest);
        }
        views.last += 1;
        let id = views.last;
        views.open.insert(id, (session, view));
        id
    }

    /// An open view.
    pub fn view(&self, id: u32) -> Result<(Session, View)> {
        lock(&self.views)
            .open
            .get(&id)
            .cloned()
            .ok_or_else(|| Error::usage("view_closed", "This view is closed.", "Open it again."))
    }

    /// Closes all views of a connection, whose mirror is about to be replaced.
    pub fn close_views_of(&self, connection: &ConnectionRow) {
        let mut views = lock(&self.views);
        let is_other = |session: &Session| session.row().id != connection.id;
        views.open.retain(|_, (session, _)| is_other(session));
    }

    /// Ends everything that runs, as far as that goes in the time that closing may take.
    pub async fn end(&self) {
        self.cancel_sign_in();
        self.cancel_export();
        self.cancel_proof();
        if let Some(app) = self.app.get() {
            let _ = tokio::time::timeout(LAST_WORDS, app.end_syncs()).await;
        }
    }

    /// Closes a view.
    pub fn close_view(&self, id: u32) {
        lock(&self.views).open.remove(&id);
    }

    /// A token for a new sign-in; one that still waits ends.
    pub fn begin_sign_in(&self) -> CancellationToken {
        replace(&self.sign_in)
    }

    /// Ends the sign-in that waits for the browser.
    pub fn cancel_sign_in(&self) {
        if let Some(token) = lock(&self.sign_in).take() {
            token.cancel();
        }
    }

    /// A token for a new export; one that still runs ends.
    pub fn begin_export(&self) -> CancellationToken {
        replace(&self.export)
    }

    /// A token for a new comparison with the organisation; one that still runs ends.
    pub fn begin_proof(&self) -> CancellationToken {
        replace(&self.proof)
    }

    /// Ends the running comparison.
    pub fn cancel_proof(&self) {
        if let Some(token) = lock(&self.proof).take() {
            token.cancel();
        }
    }

    /// Ends the running export.
    pub fn cancel_export(&self) {
        if let Some(token) = lock(&self.export).take() {
            token.cancel();
        }
    }
}

fn replace(place: &Mutex<Option<CancellationToken>>) -> CancellationToken {
    let token = CancellationToken::new();
    if let Some(before) = lock(place).replace(token.clone()) {
        before.cancel();
    }
    token
}

fn open() -> Result<App> {
    let data_dir = DataDir::new(std::env::var_os("SALESMIRROR_DATA_DIR").map(PathBuf::from))?;
    App::open(Settings {
        secrets: SecretStore::open(data_dir.root())?,
        data_dir: Some(data_dir.root().to_owned()),
        http: HttpConfig {
            user_agent: concat!("Salesmirror/", env!("CARGO_PKG_VERSION")).to_owned(),
            extra_root_pem: extra_root()?,
            ..HttpConfig::default()
        },
        retry: RetryPolicy::default(),
    })
}

/// A further root certificate, named as for the command line.
fn extra_root() -> Result<Option<Vec<u8>>> {
    let Some(path) = std::env::var_os("SALESMIRROR_CA_FILE").map(PathBuf::from) else {
        return Ok(None);
    };
    std::fs::read(&path)
        .map(Some)
        .map_err(|source| Error::file(&path, &source))
}
