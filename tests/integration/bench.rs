//! A running organisation and an app beside it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use salesmirror_core::{
    App, Connected, HttpConfig, Request, Result, RetryPolicy, RunReport, RunStatus, SecretStore,
    Session, Settings, SyncOptions,
};
use salesmirror_sample_org::{Activity, Config, SampleOrg, parse_rows};
use serde_json::Value;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// An organisation, a data directory, and secrets that outlive the app.
pub struct Bench {
    pub org: SampleOrg,
    pub folder: TempDir,
    pub secrets: SecretStore,
    pub http: reqwest::Client,
    /// How long an answer may stall; much, since machines that test are busy.
    pub read_timeout: Duration,
}

impl Bench {
    /// An organisation with so many rows: `account=10,contact=20`.
    pub async fn new(rows: &str) -> Self {
        let bench = Self::start(rows, false).await;
        bench.control("consent", r#"{"mode":"accept"}"#).await;
        bench
    }

    /// An organisation behind https, with a certificate that nobody trusts yet.
    pub async fn with_tls(rows: &str) -> Self {
        Self::start(rows, true).await
    }

    async fn start(rows: &str, tls: bool) -> Self {
        let config = Config {
            rows: parse_rows(rows).expect("rows"),
            tls,
            ..Config::default()
        };
        let org = SampleOrg::start(config).await.expect("an organisation");
        // The first of a process installs it; the others find it there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            org,
            folder: tempfile::tempdir().expect("a folder"),
            secrets: SecretStore::in_memory(),
            http: reqwest::Client::new(),
            read_timeout: Duration::from_secs(60),
        }
    }

    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The app, as it is after a start.
    pub fn app(&self) -> App {
        App::open(Settings {
            data_dir: Some(self.data_dir()),
            secrets: self.secrets.clone(),
            http: HttpConfig {
                user_agent: "test".into(),
                read_timeout: self.read_timeout,
                ..HttpConfig::default()
            },
            retry: RetryPolicy {
                max_wait: Duration::from_secs(5),
                backoff: Duration::from_millis(5),
            },
        })
        .expect("an app")
    }

    pub fn request(&self) -> Request {
        let org = self.org.description();
        Request {
            name: "Norrvale".into(),
            environment: org.environment_url.clone(),
            tenant: Some(org.tenant_id.clone()),
            client_id: org.client_id.clone(),
            client_secret: Some(org.client_secret.clone().into()),
            authority: Some(org.authority_url.clone()),
            timeout: Duration::from_secs(5),
            ..Request::default()
        }
    }

    /// Connects; the browser is an HTTP client that follows redirects.
    pub async fn connect(&self, app: &App, request: &Request) -> Result<Connected> {
        let http = self.http.clone();
        let browse = move |sign_in: &salesmirror_core::PendingSignIn| {
            let (http, url) = (http.clone(), sign_in.authorization_url.clone());
            tokio::spawn(async move { http.get(url).send().await });
        };
        app.connect(request, &browse, &CancellationToken::new())
            .await
    }

    /// A connected session.
    pub async fn session(&self) -> Session {
        let app = self.app();
        let connected = self
            .connect(&app, &self.request())
            .await
            .expect("a connection");
        app.session(&connected.row).await.expect("a session")
    }

    pub async fn control(&self, path: &str, body: impl std::fmt::Display) {
        let url = format!("{}/{path}", self.org.description().control_url);
        let reply = self
            .http
            .post(url)
            .body(body.to_string())
            .send()
            .await
            .expect("a reply");
        assert!(reply.status().is_success(), "{path}: {}", reply.status());
    }

    /// From now on nothing goes wrong any more.
    pub async fn end_faults(&self) {
        let url = format!("{}/faults", self.org.description().control_url);
        let reply = self.http.delete(url).send().await.expect("a reply");
        assert!(reply.status().is_success(), "{}", reply.status());
    }

    pub fn act(&self, creates: u64, updates: u64, deletes: u64) -> Activity {
        self.org.activity(Activity {
            creates,
            updates,
            deletes,
        })
    }

    /// What the organisation holds, by id.
    pub async fn truth(&self, table: &str) -> BTreeMap<String, Value> {
        let url = format!("{}/table/{table}", self.org.description().control_url);
        let text = self
            .http
            .get(url)
            .send()
            .await
            .expect("a reply")
            .text()
            .await
            .expect("a text");
        text.lines()
            .map(|line| {
                let mut row: Value = serde_json::from_str(line).expect("a row");
                let id = row[format!("{table}id")]
                    .as_str()
                    .expect("an id")
                    .to_owned();
                row.as_object_mut()
                    .expect("an object")
                    .remove("@odata.etag");
                (id, row)
            })
            .collect()
    }

    /// The paths of Web API requests since the log was cleared.
    pub async fn requests(&self) -> Vec<String> {
        let url = format!("{}/requests", self.org.description().control_url);
        let text = self
            .http
            .get(&url)
            .send()
            .await
            .expect("a reply")
            .text()
            .await
            .expect("a text");
        self.http.delete(&url).send().await.expect("a reply");
        let log: Vec<Value> = serde_json::from_str(&text).expect("a log");
        let paths = log
            .iter()
            .map(|entry| entry["path"].as_str().unwrap_or_default().to_owned());
        paths.filter(|path| path.starts_with("/api/")).collect()
    }

    /// Fails where the mirror differs from the organisation in any row or column.
    pub async fn assert_equal(&self, session: &Session) {
        for table in ["account", "contact", "lead", "opportunity", "systemuser"] {
            let truth = self.truth(table).await;
            let (total, rows) = session
                .records_json(
                    table,
                    &salesmirror_core::Selectors::default(),
                    &[],
                    0,
                    usize::MAX,
                )
                .await
                .expect("records");
            assert_eq!(total as usize, truth.len(), "rows of {table}");
            for row in rows {
                let mut row: Value = serde_json::from_str(&row).expect("a row");
                row.as_object_mut().expect("an object").retain(|name, _| {
                    !name.contains('@')
                        && !name.starts_with("_deleted")
                        && !name.starts_with("_stale")
                });
                let id = row[format!("{table}id")]
                    .as_str()
                    .expect("an id")
                    .to_owned();
                assert_eq!(Some(&row), truth.get(&id), "{table} {id}");
            }
        }
    }
}

/// Syncs, and fails where a table does.
pub async fn succeed(session: &Session, options: SyncOptions) -> Vec<RunReport> {
    let runs = sync(session, options).await;
    assert!(
        runs.iter().all(|run| run.status == RunStatus::Success),
        "{runs:?}"
    );
    runs
}

/// Syncs everything.
pub async fn sync(session: &Session, options: SyncOptions) -> Vec<RunReport> {
    session
        .sync(&options, &CancellationToken::new())
        .await
        .expect("a sync")
}
