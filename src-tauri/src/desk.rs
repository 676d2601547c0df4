//! The window's handles on core.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use salesmirror_core::{
    App, ConnectionRow, DataDir, Ongoing, OpenViews, Result, Session, Settings,
};
use salesmirror_demo::Sample;
use salesmirror_local_api::Served;
use tokio::sync::OnceCell;

/// Closing the app takes a second at most; what was committed until then is kept in any case.
const LAST_WORDS: Duration = Duration::from_millis(900);

/// The window's handles on core.
#[derive(Default)]
pub struct Desk {
    app: OnceCell<App>,
    /// Views of records that are open.
    pub views: OpenViews,
    /// What somebody waits for.
    pub ongoing: Ongoing,
    /// Connections whose changes are told to the window already.
    pub watched: Mutex<HashMap<String, tauri::async_runtime::JoinHandle<()>>>,
    /// The local API of each connection that is served.
    pub apis: Served,
    /// The simulated organisation, while one runs.
    pub sample: Sample,
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

    /// Ends everything that runs, as far as that goes in the time that closing may take.
    pub async fn end(&self) {
        self.ongoing.cancel_all();
        if let Some(app) = self.app.get() {
            let _ = tokio::time::timeout(LAST_WORDS, app.end_syncs()).await;
        }
    }
}

/// The handles, as a command is given them.
pub type OnDesk<'d> = tauri::State<'d, Desk>;

/// Where the databases lie.
pub fn data_dir() -> Result<DataDir> {
    DataDir::new(std::env::var_os("SALESMIRROR_DATA_DIR").map(PathBuf::from))
}

fn open() -> Result<App> {
    let ca_file = std::env::var_os("SALESMIRROR_CA_FILE").map(PathBuf::from);
    App::open(Settings::of(
        &data_dir()?,
        ca_file.as_deref(),
        env!("CARGO_PKG_VERSION"),
    )?)
}
