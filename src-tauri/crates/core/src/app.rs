//! The product as one object: connections, their sessions, settings.

mod api_keys;
mod change;
mod damage;
mod health;
mod leave;
mod network;
mod settings;

pub use api_keys::{ApiKey, NewApiKey, Scope};
pub use change::ConnectionChange;
pub(crate) use change::check_day;
pub use damage::Rescue;
pub use leave::LeftData;
pub use settings::{AppSettings, AppSettingsChange};

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use salesmirror_auth::{Secret, SecretStore};
use salesmirror_dataverse::{Client, HttpConfig, RetryPolicy, http_client};
use salesmirror_model::clouds::{belongs_to, twin};
use salesmirror_model::urls::parse_secure;
use salesmirror_store::{AppDb, ConnectionRow, DatabaseKey, Mirror, StoreError};
use uuid::Uuid;

use crate::data_dir::DataDir;
use crate::error::{Category, Error, Result, blocking, extra_root};
use crate::random::database_key;
use crate::session::Session;
use crate::tokens::{ConnectionTokens, registration};

/// How to open the product.
pub struct Settings {
    /// Where the databases lie; the platform's place where there is none.
    pub data_dir: Option<PathBuf>,
    /// Where secrets are kept.
    pub secrets: SecretStore,
    /// How to reach the network.
    pub http: HttpConfig,
    /// How long requests are tried.
    pub retry: RetryPolicy,
}

impl Settings {
    /// As the product's programs open it: the platform's keychain, and one name on the network with
    /// the program's version. The file is a root certificate to trust beside the system's.
    ///
    /// # Errors
    /// A keychain that does not answer, or a file that is no certificate.
    pub fn of(data_dir: &DataDir, ca_file: Option<&Path>, version: &str) -> Result<Self> {
        Ok(Self {
            secrets: SecretStore::open(data_dir.root())?,
            data_dir: Some(data_dir.root().to_owned()),
            http: HttpConfig {
                user_agent: format!("Salesmirror/{version}"),
                extra_root_pem: extra_root(ca_file)?,
                ..HttpConfig::default()
            },
            retry: RetryPolicy::default(),
        })
    }
}

/// How long somebody in front of the screen waits for a network that does not answer.
pub(crate) const PATIENCE: RetryPolicy = RetryPolicy {
    max_wait: Duration::from_secs(10),
    backoff: Duration::from_millis(500),
};

/// The open product; clones share it.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

struct Inner {
    data_dir: DataDir,
    secrets: SecretStore,
    http_config: HttpConfig,
    http: Mutex<Network>,
    retry: RetryPolicy,
    db: Mutex<Option<AppDb>>,
    sessions: Mutex<HashMap<Uuid, Session>>,
    /// Held while the draft of a set-up is read and written.
    setting_up: tokio::sync::Mutex<()>,
    api_keys: api_keys::Known,
}

/// Names of keychain entries.
pub(crate) enum SecretName {
    AppKey,
    MirrorKey(Uuid),
    ClientSecret(Uuid),
    ProxyPassword,
}

/// The one HTTP client, as the settings want it.
struct Network {
    client: reqwest::Client,
    /// Whether the proxy's password is still in a keychain that was closed.
    is_incomplete: bool,
}

impl App {
    /// Opens the product. Nothing is created before there is something to keep.
    ///
    /// # Errors
    /// Where there is no place for data, or the network settings cannot be used.
    pub fn open(settings: Settings) -> Result<Self> {
        let app = Self {
            inner: Arc::new(Inner {
                data_dir: DataDir::new(settings.data_dir)?,
                secrets: settings.secrets,
                http: Mutex::new(Network {
                    client: http_client(&settings.http)?,
                    is_incomplete: true,
                }),
                http_config: settings.http,
                retry: settings.retry,
                db: Mutex::new(None),
                sessions: Mutex::default(),
                setting_up: tokio::sync::Mutex::default(),
                api_keys: api_keys::Known::default(),
            }),
        };
        app.renew_http()?;
        Ok(app)
    }

    /// Where the databases lie.
    #[must_use]
    pub fn data_dir(&self) -> &DataDir {
        &self.inner.data_dir
    }

    pub(crate) fn open_sessions(&self) -> Vec<Session> {
        let sessions = self.inner.sessions.lock();
        let sessions = sessions.unwrap_or_else(PoisonError::into_inner);
        sessions.values().cloned().collect()
    }

    /// How long requests are tried while somebody waits in front of the screen: a broken network is
    /// told soon.
    pub(crate) fn patience(&self) -> RetryPolicy {
        match self.inner.retry.max_wait < PATIENCE.max_wait {
            true => self.inner.retry,
            false => PATIENCE,
        }
    }

    /// The database of connections, if there is one yet.
    fn existing_db(&self) -> Result<Option<AppDb>> {
        let mut db = self.inner.db.lock().unwrap_or_else(PoisonError::into_inner);
        if db.is_none() && self.inner.data_dir.app_db().exists() {
            let key = self.key(&SecretName::AppKey)?.ok_or_else(|| {
                Error::new(
                    Category::Keychain,
                    "key_missing",
                    "The keychain has no key for the data in this folder.",
                    "Unlock the keychain of the account that made it, or choose another data directory.",
                )
            })?;
            let opened = AppDb::open(&self.inner.data_dir.app_db(), &key);
            *db = Some(opened.map_err(|error| match error {
                StoreError::Damaged => Error::explained(
                    Category::Failed,
                    "app_data_damaged",
                    "The file app.db, with the connections, cannot be read.",
                ),
                other => other.into(),
            })?);
        }
        Ok(db.clone())
    }

    /// The database of connections, made where there is none.
    pub(crate) fn make_db(&self) -> Result<AppDb> {
        if let Some(db) = self.existing_db()? {
            return Ok(db);
        }
        self.inner.data_dir.create()?;
        let key = self.make_key(&SecretName::AppKey)?;
        let db = AppDb::open(&self.inner.data_dir.app_db(), &key)?;
        *self.inner.db.lock().unwrap_or_else(PoisonError::into_inner) = Some(db.clone());
        Ok(db)
    }

    fn secret_name(&self, name: &SecretName) -> Result<String> {
        let installation = self.inner.data_dir.installation()?;
        Ok(match name {
            SecretName::AppKey => format!("{installation}/app-key"),
            SecretName::MirrorKey(id) => format!("{installation}/{id}/mirror-key"),
            SecretName::ClientSecret(id) => format!("{installation}/{id}/client-secret"),
            SecretName::ProxyPassword => format!("{installation}/proxy-password"),
        })
    }

    pub(crate) fn secret(&self, name: &SecretName) -> Result<Option<Secret>> {
        Ok(self.inner.secrets.get(&self.secret_name(name)?)?)
    }

    fn key(&self, name: &SecretName) -> Result<Option<DatabaseKey>> {
        Ok(self
            .secret(name)?
            .and_then(|hex| DatabaseKey::from_hex(&hex)))
    }

    fn make_key(&self, name: &SecretName) -> Result<DatabaseKey> {
        let key = database_key()?;
        self.inner
            .secrets
            .set(&self.secret_name(name)?, &key.to_hex())?;
        Ok(key)
    }

    pub(crate) fn set_secret(&self, name: &SecretName, secret: &Secret) -> Result<()> {
        self.inner.data_dir.create()?;
        Ok(self.inner.secrets.set(&self.secret_name(name)?, secret)?)
    }

    pub(crate) fn delete_secret(&self, name: &SecretName) -> Result<()> {
        self.inner.secrets.delete(&self.secret_name(name)?)?;
        Ok(())
    }

    /// One change of the draft at a time: each reads the file and writes it.
    pub(crate) async fn setting_up(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.inner.setting_up.lock().await
    }

    /// All connections, oldest first.
    ///
    /// # Errors
    /// Where the keychain or the database cannot be read.
    pub async fn connections(&self) -> Result<Vec<ConnectionRow>> {
        let app = self.clone();
        blocking(move || match app.existing_db()? {
            Some(db) => Ok(db.connections()?),
            None => Ok(Vec::new()),
        })
        .await
    }

    /// The connection of this name; without a name the only one.
    ///
    /// # Errors
    /// Where there is none, or more than one and no name.
    pub async fn find(&self, name: Option<&str>) -> Result<ConnectionRow> {
        let mut connections = self.settled_connections().await?;
        let names: Vec<String> = connections.iter().map(|row| row.name.clone()).collect();
        match name {
            Some(name) => connections
                .into_iter()
                .find(|row| row.name.eq_ignore_ascii_case(name) || row.id.to_string() == name)
                .ok_or_else(|| {
                    Error::usage(
                        "unknown_connection",
                        format!("There is no connection \"{name}\"."),
                        if names.is_empty() {
                            "Make one with `salesmirror connect`.".to_owned()
                        } else {
                            format!("There is: {}.", names.join(", "))
                        },
                    )
                }),
            None if connections.len() == 1 => Ok(connections.remove(0)),
            None if connections.is_empty() => Err(Error::usage(
                "no_connection",
                "There is no connection yet.",
                "Make one with `salesmirror connect`, or try `salesmirror sample-org`.",
            )),
            None => Err(Error::usage(
                "which_connection",
                "There is more than one connection.",
                format!("Choose one with --connection: {}.", names.join(", ")),
            )),
        }
    }

    /// The open session of a connection.
    ///
    /// # Errors
    /// Where the keychain or the mirror cannot be read.
    pub async fn session(&self, row: &ConnectionRow) -> Result<Session> {
        let app = self.clone();
        let row = row.clone();
        blocking(move || {
            let mut sessions = app
                .inner
                .sessions
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            match sessions.get(&row.id) {
                Some(session) if session.mirror().is_damaged() => {
                    app.data_dir().note_damage(row.id)?;
                }
                Some(session) => return Ok(session.clone()),
                None => {}
            }
            let session = app.open_session(&row)?;
            sessions.insert(row.id, session.clone());
            Ok(session)
        })
        .await
    }

    fn open_session(&self, row: &ConnectionRow) -> Result<Session> {
        let key = self.key(&SecretName::MirrorKey(row.id))?.ok_or_else(|| {
            Error::new(
                Category::Keychain,
                "key_missing",
                format!("The keychain has no key for the data of \"{}\".", row.name),
                "Disconnect it with its data and connect again; everything is fetched anew.",
            )
        })?;
        let db = self.make_db()?;
        let (mirror, rescue) = self.open_mirror(row.id, &key, &db)?;
        let secret = match row.public_client {
            true => None,
            false => self.secret(&SecretName::ClientSecret(row.id))?,
        };
        let authority = parse_secure(&row.authority)?;
        let environment = parse_secure(&row.environment)?;
        let registration = registration(&authority, &row.tenant, &row.client_id, secret);
        let tokens = ConnectionTokens::kept(
            self.http(),
            registration,
            environment.clone(),
            row.flow == "client-credentials",
            self.inner.retry,
            db.clone(),
            row.id,
        );
        // Kept by an earlier version or edited by hand: what is no origin of the environment is not
        // taken for one.
        let origins: Vec<_> = row
            .other_origins
            .iter()
            .filter_map(|text| parse_secure(text).ok())
            .chain(twin(&environment))
            .filter(|origin| belongs_to(&environment, origin))
            .collect();
        let client = Client::new(self.http(), &environment, &origins, tokens.clone())?
            .with_policy(self.inner.retry);
        Ok(Session::new(
            row.clone(),
            mirror,
            client,
            tokens,
            db,
            self.inner.data_dir.clone(),
            rescue,
        ))
    }

    /// Stops what runs in the background, for an end of the program: what was committed stays.
    pub async fn end_syncs(&self) {
        let open = self.open_sessions();
        futures::future::join_all(open.iter().map(Session::end)).await;
    }

    /// Opens a connection anew, as after its mirror was found to be damaged.
    ///
    /// # Errors
    /// Where the keychain or the disk refuses.
    pub async fn reopen(&self, row: &ConnectionRow) -> Result<Session> {
        self.close(row.id).await;
        self.session(row).await
    }

    /// Ends what an open connection does: it holds the connection's lock, and would go on writing into
    /// what is being replaced or forgotten.
    pub(crate) async fn close(&self, id: Uuid) {
        let open = self
            .inner
            .sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&id);
        if let Some(session) = open {
            session.end().await;
        }
    }

    /// Keeps a new connection with its keys and secret: all of it, or nothing.
    pub(crate) fn keep(
        &self,
        row: &ConnectionRow,
        secret: Option<&Secret>,
        refresh: Option<&Secret>,
    ) -> Result<()> {
        let had_db = self.existing_db()?.is_some();
        let had_mirror = self.inner.data_dir.mirror(row.id).exists();
        let kept = self.try_keep(row, secret, refresh);
        if kept.is_err() && !had_mirror {
            // The first error is the one to tell; what cannot be undone for the same reason stays.
            let _ = self.erase(row.id);
            if !had_db {
                let _ = self.erase_app_db();
            }
        }
        kept
    }

    fn try_keep(
        &self,
        row: &ConnectionRow,
        secret: Option<&Secret>,
        refresh: Option<&Secret>,
    ) -> Result<()> {
        let db = self.make_db()?;
        let name = SecretName::MirrorKey(row.id);
        let key = match self.key(&name)? {
            Some(key) => key,
            None => self.make_key(&name)?,
        };
        if let Some(secret) = secret {
            self.set_secret(&SecretName::ClientSecret(row.id), secret)?;
        }
        let mirror = Mirror::open(&self.inner.data_dir.mirror(row.id), &key)?;
        // The runs of the connection that left its data here went with it.
        mirror.forget_runs(db.run_ids(row.id)?)?;
        db.put_connection(row)?;
        db.set_refresh_token(row.id, refresh)?;
        self.take_up(&db, row)
    }

    /// Keeps a changed connection (its user, organisation, sign-in state), and opens it anew.
    pub(crate) async fn update(&self, row: &ConnectionRow, refresh: Option<Secret>) -> Result<()> {
        let app = self.clone();
        let (id, row) = (row.id, row.clone());
        blocking(move || {
            let db = app.make_db()?;
            db.put_connection(&row)?;
            if let Some(token) = refresh {
                db.set_refresh_token(row.id, Some(&token))?;
            }
            Ok(())
        })
        .await?;
        self.close(id).await;
        Ok(())
    }

    /// The client secret of a connection, for signing in again.
    pub(crate) async fn client_secret(&self, id: Uuid) -> Result<Option<Secret>> {
        let app = self.clone();
        blocking(move || app.secret(&SecretName::ClientSecret(id))).await
    }

    /// A setting.
    ///
    /// # Errors
    /// Where the keychain or the database cannot be read.
    pub async fn setting(&self, key: &'static str) -> Result<Option<String>> {
        let app = self.clone();
        blocking(move || match app.existing_db()? {
            Some(db) => Ok(db.setting(key)?),
            None => Ok(None),
        })
        .await
    }

    /// Keeps a setting.
    ///
    /// # Errors
    /// Where the keychain or the disk refuses.
    pub async fn set_setting(&self, key: &'static str, value: String) -> Result<()> {
        let app = self.clone();
        blocking(move || Ok(app.make_db()?.set_setting(key, &value)?)).await
    }
}

/// Now, in ms since 1970.
pub(crate) fn now_ms() -> i64 {
    let elapsed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}
