//! The demo's entry point: the simulated organisation in this process. Below it nothing knows that
//! an organisation is simulated; it is reached through HTTP like any other.

use std::time::Duration;

use salesmirror_core::{App, ConnectionRow, Error, PendingSignIn, Request, Result, Secret};
use salesmirror_sample_org::{Activity, Config, SampleOrg};
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
/// The sign-in page sends straight back; more hops than this are a loop.
const MOST_REDIRECTS: usize = 5;

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
            let organization = start(port).await?;
            *running = Some(organization.live(ACTIVITY_EVERY, ACTIVITY));
        }
        Ok(())
    }

    /// Starts the organisation, connects to it and signs in.
    ///
    /// # Errors
    /// What [`App::connect`] says.
    pub async fn connect(&self, app: &App) -> Result<ConnectionRow> {
        let mut running = self.running.lock().await;
        if let Some(task) = running.take() {
            task.abort();
        }
        let organization = start(0).await?;
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
        let http = app.http().clone();
        let cancel = tokio_util::sync::CancellationToken::new();
        let connected = app
            .connect(&request, &|pending| accept(&http, pending), &cancel)
            .await?;
        Ok(connected.row)
    }

    /// Signs in to the organisation again.
    ///
    /// # Errors
    /// What [`App::sign_in_again`] says.
    pub async fn sign_in_again(&self, app: &App, row: &ConnectionRow) -> Result<()> {
        self.resume(row).await?;
        let http = app.http().clone();
        let cancel = tokio_util::sync::CancellationToken::new();
        let open = |pending: &PendingSignIn| accept(&http, pending);
        app.sign_in_again(row, PATIENCE, false, &open, &cancel)
            .await?;
        Ok(())
    }
}

async fn start(port: u16) -> Result<SampleOrg> {
    let config = Config {
        port,
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

/// Signs in for the newcomer, who has no account there: visits the page and accepts.
fn accept(http: &reqwest::Client, pending: &PendingSignIn) {
    let http = http.clone();
    let mut address = format!("{}&sample_consent=accept", pending.authorization_url);
    tokio::spawn(async move {
        for _ in 0..MOST_REDIRECTS {
            let Ok(response) = http.get(&address).send().await else {
                return;
            };
            let next = response
                .headers()
                .get("location")
                .and_then(|value| value.to_str().ok())
                .and_then(|text| response.url().join(text).ok());
            let Some(next) = next else { return };
            address = next.into();
        }
    });
}
