//! Keys of the local API: made here, shown once, kept as hashes, and gone when they are revoked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use salesmirror_auth::Secret;
use salesmirror_store::ApiKeyRow;
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use super::{App, now_ms};
use crate::error::{Category, Error, Result, blocking};
use crate::random::random_bytes;

/// What every key begins with, so that scanners for leaked secrets and people know it.
const PREFIX: &str = "smk_";
/// Characters of a key that stay readable in lists, the prefix included.
const HINT: usize = 10;
/// Keys that somebody else chose are at least so long: what is shorter can be guessed.
const SHORTEST: usize = 8;
/// A header line holds no longer ones.
const LONGEST: usize = 512;
/// So long a list that was read is believed: a key that another process revokes ends as soon.
const BELIEVED: Duration = Duration::from_secs(1);
/// How exactly the last use is kept.
const NOTE_EVERY: Duration = Duration::from_secs(30);

/// The setting that holds what cursors are signed with; the database is encrypted.
const CURSOR_KEY: &str = "api-cursor-key";

/// What a key of the local API may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Read records, events, syncs and runs.
    Read,
    /// Create, update and delete records.
    Write,
    /// Send requests of the caller's own to the organisation.
    Passthrough,
    /// Start, pause and resume syncs, and invalidate records.
    Manage,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Passthrough, Self::Manage];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Passthrough => "passthrough",
            Self::Manage => "manage",
        }
    }

    /// The scope of this word.
    ///
    /// # Errors
    /// Where there is none.
    pub fn parse(word: &str) -> Result<Self> {
        let word = word.trim();
        let mut all = Self::ALL.into_iter();
        all.find(|scope| scope.as_str().eq_ignore_ascii_case(word))
            .ok_or_else(|| {
                Error::explained(
                    Category::Usage,
                    "bad_scope",
                    format!("\"{word}\" is no scope."),
                )
            })
    }
}

/// A key as it is listed: without itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Stable id.
    pub id: Uuid,
    /// The admin's name for it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The beginning of the key, by which its owner knows it again.
    pub hint: String,
    /// When it was made, ms since 1970.
    pub created_at: i64,
    /// When it was used last, ms since 1970; to half a minute.
    pub last_used: Option<i64>,
}

impl ApiKey {
    /// Whether it may do this.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }
}

impl NewApiKey {
    /// The key as it is shown, this once.
    #[must_use]
    pub fn text(&self) -> &str {
        self.secret.expose_secret()
    }
}

/// A key that was just made: the only time that it can be read.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// The key as it is listed.
    pub key: ApiKey,
    /// The key itself.
    pub secret: Secret,
}

/// What is known of the keys, so that not every request asks the database.
#[derive(Default)]
pub(super) struct Known {
    keys: Mutex<Option<(Instant, Arc<[Kept]>)>>,
    noted: Mutex<HashMap<Uuid, Instant>>,
}

struct Kept {
    key: ApiKey,
    hash: [u8; 32],
}

impl App {
    /// The keys of the local API, oldest first.
    ///
    /// # Errors
    /// Where the keychain or the database cannot be read.
    pub async fn api_keys(&self) -> Result<Vec<ApiKey>> {
        let app = self.clone();
        blocking(move || {
            let keys = app.kept_keys()?;
            Ok(keys.iter().map(|kept| kept.key.clone()).collect())
        })
        .await
    }

    /// Makes a random key.
    ///
    /// # Errors
    /// An empty name or one that is taken, no scope, a disk or keychain that refuses.
    pub async fn make_api_key(&self, name: &str, scopes: &[Scope]) -> Result<NewApiKey> {
        let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random_bytes()?));
        let secret = Secret::from(text);
        let key = self.keep_api_key(name, scopes, &secret).await?;
        Ok(NewApiKey { key, secret })
    }

    /// Takes a key that somebody else chose, in place of the one that had this name.
    ///
    /// # Errors
    /// A key that is too short or cannot be sent in a header, an empty name, no scope, a disk or
    /// keychain that refuses.
    pub async fn set_api_key(
        &self,
        name: &str,
        scopes: &[Scope],
        secret: &Secret,
    ) -> Result<ApiKey> {
        let text = secret.expose_secret();
        let is_printable = text.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_printable || !(SHORTEST..=LONGEST).contains(&text.len()) {
            return Err(Error::explained(
                Category::Usage,
                "bad_api_key",
                format!(
                    "An API key has {SHORTEST} to {LONGEST} letters, digits and signs, and no blanks."
                ),
            ));
        }
        let known = self.api_keys().await?;
        let is_named = |key: &&ApiKey| key.name.to_lowercase() == name.trim().to_lowercase();
        if let Some(before) = known.iter().find(is_named) {
            self.revoke_api_key(before.id).await?;
        }
        self.keep_api_key(name, scopes, secret).await
    }

    async fn keep_api_key(&self, name: &str, scopes: &[Scope], secret: &Secret) -> Result<ApiKey> {
        let name = name.trim();
        if name.is_empty() {
            return Err(Error::explained(
                Category::Usage,
                "bad_api_key_name",
                "An API key needs a name.",
            ));
        }
        let mut scopes = scopes.to_vec();
        scopes.sort_unstable();
        scopes.dedup();
        if scopes.is_empty() {
            return Err(Error::explained(
                Category::Usage,
                "bad_scope",
                "An API key needs at least one scope.",
            ));
        }
        let words: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
        let text = secret.expose_secret();
        // Of a short one little may be shown.
        let shown = HINT.min(text.len() / 4);
        let row = ApiKeyRow {
            id: Uuid::new_v4(),
            name: name.to_owned(),
            scopes: words.join(" "),
            hint: format!("{}…", text.get(..shown).unwrap_or_default()),
            hash: hash(text),
            created_at: now_ms(),
            last_used: None,
        };
        let app = self.clone();
        blocking(move || {
            let is_new = app.make_db()?.add_api_key(&row)?;
            app.forget_kept_keys();
            if is_new {
                return Ok(listed(row));
            }
            Err(Error::explained(
                Category::Usage,
                "api_key_name_taken",
                format!("There is an API key \"{}\" already.", row.name),
            ))
        })
        .await
    }

    /// Revokes a key: the next request with it is refused.
    ///
    /// # Errors
    /// Where there is no such key, or the disk refuses.
    pub async fn revoke_api_key(&self, id: Uuid) -> Result<()> {
        let app = self.clone();
        blocking(move || {
            let was_there = match app.existing_db()? {
                Some(db) => db.delete_api_key(id)?,
                None => false,
            };
            app.forget_kept_keys();
            if was_there {
                return Ok(());
            }
            Err(Error::explained(
                Category::Usage,
                "unknown_api_key",
                "There is no such API key; it may have been revoked already.",
            ))
        })
        .await
    }

    /// The key that was offered, where it is one of ours, and notes that it was used.
    ///
    /// # Errors
    /// Where the keychain or the database cannot be read.
    pub async fn check_api_key(&self, offered: &str) -> Result<Option<ApiKey>> {
        if offered.len() > LONGEST {
            return Ok(None);
        }
        let offered = hash(offered);
        let keys = match self.believed_keys() {
            Some(keys) => keys,
            None => {
                let app = self.clone();
                blocking(move || app.kept_keys()).await?
            }
        };
        // Each is looked at, whichever it is, and each for as long.
        let mut found = None;
        for kept in keys.iter() {
            if bool::from(kept.hash.ct_eq(&offered)) {
                found = Some(kept.key.clone());
            }
        }
        if let Some(key) = &found {
            self.note_key_use(key.id);
        }
        Ok(found)
    }

    /// What this installation signs cursors of the local API with, made where there is none.
    ///
    /// # Errors
    /// Where the keychain or the database cannot be read.
    pub async fn api_cursor_key(&self) -> Result<[u8; 32]> {
        let app = self.clone();
        blocking(move || {
            let db = app.make_db()?;
            let kept = db.setting(CURSOR_KEY)?;
            let kept = kept.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok());
            if let Some(key) = kept {
                return Ok(key);
            }
            let key = random_bytes()?;
            db.set_setting(CURSOR_KEY, &URL_SAFE_NO_PAD.encode(key))?;
            Ok(key)
        })
        .await
    }

    fn believed_keys(&self) -> Option<Arc<[Kept]>> {
        let known = self.inner.api_keys.keys.lock();
        let known = known.unwrap_or_else(PoisonError::into_inner);
        let (read_at, keys) = known.as_ref()?;
        (read_at.elapsed() < BELIEVED).then(|| Arc::clone(keys))
    }

    fn kept_keys(&self) -> Result<Arc<[Kept]>> {
        let begun = Instant::now();
        let rows = match self.existing_db()? {
            Some(db) => db.api_keys()?,
            None => Vec::new(),
        };
        let keys: Arc<[Kept]> = rows
            .into_iter()
            .map(|row| Kept {
                hash: row.hash,
                key: listed(row),
            })
            .collect();
        let known = self.inner.api_keys.keys.lock();
        *known.unwrap_or_else(PoisonError::into_inner) = Some((begun, Arc::clone(&keys)));
        Ok(keys)
    }

    fn forget_kept_keys(&self) {
        let known = self.inner.api_keys.keys.lock();
        *known.unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Beside the request, which need not wait for the disk.
    fn note_key_use(&self, id: Uuid) {
        {
            let noted = self.inner.api_keys.noted.lock();
            let mut noted = noted.unwrap_or_else(PoisonError::into_inner);
            if noted.get(&id).is_some_and(|at| at.elapsed() < NOTE_EVERY) {
                return;
            }
            noted.insert(id, Instant::now());
        }
        let (app, now) = (self.clone(), now_ms());
        tokio::task::spawn_blocking(move || {
            let noted = app.existing_db().and_then(|db| match db {
                Some(db) => Ok(db.note_api_key_use(id, now)?),
                None => Ok(()),
            });
            if let Err(error) = noted {
                tracing::warn!(%error, "the use of an API key was not noted");
            }
        });
    }
}

/// A key is random and long, so that a plain hash is enough: there is nothing to guess.
fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key).into()
}

fn listed(row: ApiKeyRow) -> ApiKey {
    let words = row.scopes.split(' ');
    ApiKey {
        id: row.id,
        name: row.name,
        // A word that a later version wrote grants nothing here.
        scopes: words.filter_map(|word| Scope::parse(word).ok()).collect(),
        hint: row.hint,
        created_at: row.created_at,
        last_used: row.last_used,
    }
}
