//! The demo's entry point: the simulated organisation in this process. Below it nothing knows that
//! an organisation is simulated; it is reached through HTTP like any other.

use std::time::Duration;

use salesmirror_core::{App, ConnectionRow, Error, PendingSignIn, Request, Result, Secret};
use salesmirror_sample_org::{Activity, Config, SampleOrg, yesterday};
use tokio::sync::Mutex;

/// The kind of connection that it has.
pub const KIND: &str = "sample";
/// How often some of its records change, as in a company at work.
const ACTIVITY_EVERY: Duration = Duration::from_secs(15);
/// What changes then.
const ACTIVITY: Activity = Activity {
    creates: 3,
    updates: 14,
    deletes: 1,
};
/// Signing in takes milliseconds here; more means that something is wrong.
const PATIENCE: Duration = Duration::from_secs(30);

/// The organisation, while it runs.
#[derive(Default)]
pub struct Sample {
    running: Mutex<Option<tokio::task::JoinHandle<()>>>,
}

impl Drop for Sample {
    fn drop(&mut self) {
        if let Some(task) = self.running.get_mut().take() {
            task.abort();
        }
    }
}

impl Sample {
    /// Starts the organisation of a kept connection at the address it had, where it is not running.
    ///
    /// # Errors
    /// Where another program has taken the port since.
    pub async fn resume(&self, row: &ConnectionRow) -> Result<()> {
        let port = reqwest::Url::parse(&row.environment)
            .ok()
            .and_then(|url| url.port())
            .unwrap_or_default();
        let mut running = self.running.lock().await;
        if running.is_none() {
            let organization = start(port, row.created_at / 1000).await?;
            *running = Some(organization.live(ACTIVITY_EVERY, ACTIVITY));
        }
        Ok(())
    }

    /// The connection to the organisation; made where there is none.
    ///
    /// # Errors
    /// What [`App::connect`] says.
    pub async fn explore(&self, app: &App) -> Result<ConnectionRow> {
        let known = app.connections().await?;
        match known.into_iter().find(|row| row.environment_kind == KIND) {
            Some(row) => Ok(row),
            None => self.connect(app).await,
        }
    }

    /// Starts the organisation, connects to it and signs in.
    async fn connect(&self, app: &App) -> Result<ConnectionRow> {
        let mut running = self.running.lock().await;
        if let Some(task) = running.take() {
            task.abort();
        }
        let organization = start(0, jiff::Timestamp::now().as_second()).await?;
        let place = organization.description().clone();
        *running = Some(organization.live(ACTIVITY_EVERY, ACTIVITY));
        let request = Request {
            name: "Sample organisation".to_owned(),
            environment: place.environment_url,
            tenant: Some(place.tenant_id),
            client_id: place.client_id,
            client_secret: Some(Secret::from(place.client_secret)),
            authority: Some(place.authority_url),
            timeout: PATIENCE,
            kind: Some(KIND.to_owned()),
            ..Request::default()
        };
        let cancel = tokio_util::sync::CancellationToken::new();
        let connected = app.connect(&request, &accept, &cancel).await?;
        Ok(connected.row)
    }

    /// Signs in to the organisation again.
    ///
    /// # Errors
    /// What [`App::sign_in_again`] says.
    pub async fn sign_in_again(&self, app: &App, row: &ConnectionRow) -> Result<()> {
        self.resume(row).await?;
        let cancel = tokio_util::sync::CancellationToken::new();
        app.sign_in_again(row, PATIENCE, false, &accept, &cancel)
            .await?;
        Ok(())
    }
}

/// Starts it as it was explored at a moment, in seconds since 1970: the same day gives the same
/// records after a restart.
async fn start(port: u16, explored_at: i64) -> Result<SampleOrg> {
    let config = Config {
        port,
        present: yesterday(explored_at),
        ..Config::default()
    };
    SampleOrg::start(config).await.map_err(|error| {
        Error::usage(
            "sample_port_taken",
            format!("The sample organisation cannot start at port {port}: {error}."),
            "Another program uses the port. Close it and start Salesmirror again, or disconnect the \
             sample and explore it anew. What is mirrored can be browsed meanwhile.",
        )
    })
}

/// Signs in for the newcomer, who has no account there: visits the page, accepts, and comes back.
fn accept(pending: &PendingSignIn) {
    let address = format!("{}&sample_consent=accept", pending.authorization_url);
    // It is on this computer, where no proxy leads to.
    let Ok(http) = reqwest::Client::builder().no_proxy().build() else {
        return;
    };
    tokio::spawn(http.get(address).send());
}
