//! Forgetting a connection, with its data or without, and finding the data again.

use std::sync::PoisonError;

use salesmirror_store::{AppDb, ConnectionRow};
use uuid::Uuid;

use super::{App, SecretName};
use crate::data_dir::DataDir;
use crate::error::{Result, blocking};

/// The setting that names the mirror of a connection that is gone. Another user may read other rows
/// of the same environment, and gets a mirror of their own.
fn left_key(row: &ConnectionRow) -> String {
    let user = row.user.as_deref().unwrap_or_default();
    format!("{LEFT}{}\n{user}", row.environment)
}

/// How such settings begin.
const LEFT: &str = "left/";

/// Data of a connection that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftData {
    /// Names its files and its key.
    pub id: Uuid,
    /// Environment URL.
    pub environment: String,
    /// Who was signed in.
    pub user: String,
    /// Size of the mirror, in bytes.
    pub bytes: u64,
}

impl App {
    /// Forgets a connection. With `purge` its mirror and its key go too, and with the last connection
    /// the database of all of them; settings of the app and its log stay. Without, the data waits,
    /// encrypted, until the same user connects to the same environment again.
    ///
    /// # Errors
    /// Where the keychain or the disk refuses.
    pub async fn disconnect(&self, row: &ConnectionRow, purge: bool) -> Result<()> {
        let app = self.clone();
        let row = row.clone();
        self.close(row.id).await;
        blocking(move || {
            let Some(db) = app.existing_db()? else {
                return Ok(());
            };
            db.delete_connection(row.id)?;
            app.delete_secret(&SecretName::ClientSecret(row.id))?;
            if !purge {
                return Ok(db.set_setting(&left_key(&row), &row.id.to_string())?);
            }
            app.erase(row.id)?;
            // Without it nobody would find the data that waits.
            if db.connections()?.is_empty() && db.settings_under(LEFT)?.is_empty() {
                drop(db);
                app.erase_app_db()?;
            }
            Ok(())
        })
        .await
    }

    /// Forgets a connection with its data; what the whole product keeps stays.
    pub(crate) async fn forget(&self, row: &ConnectionRow) -> Result<()> {
        let (app, id) = (self.clone(), row.id);
        self.close(id).await;
        blocking(move || {
            if let Some(db) = app.existing_db()? {
                db.delete_connection(id)?;
            }
            app.erase(id)
        })
        .await
    }

    pub(super) fn erase(&self, id: Uuid) -> Result<()> {
        // The key first: without it what is left of the file is noise.
        self.delete_secret(&SecretName::MirrorKey(id))?;
        self.delete_secret(&SecretName::ClientSecret(id))?;
        DataDir::remove_database(&self.inner.data_dir.mirror(id))?;
        DataDir::remove_database(&self.inner.data_dir.second_copy(id))?;
        self.inner.data_dir.remove_damaged(id)?;
        self.inner.data_dir.remove_lock(id);
        Ok(())
    }

    pub(super) fn erase_app_db(&self) -> Result<()> {
        *self.inner.db.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.delete_secret(&SecretName::AppKey)?;
        DataDir::remove_database(&self.inner.data_dir.app_db())
    }

    /// The id under which the data of an earlier connection to the same place waits; `None` where
    /// there is none.
    pub(crate) async fn left_behind(&self, row: &ConnectionRow) -> Result<Option<Uuid>> {
        let (app, key) = (self.clone(), left_key(row));
        blocking(move || {
            let Some(db) = app.existing_db()? else {
                return Ok(None);
            };
            let Some(id) = db.setting(&key)?.and_then(|id| id.parse().ok()) else {
                return Ok(None);
            };
            let is_there = app.inner.data_dir.mirror(id).exists()
                && app.key(&SecretName::MirrorKey(id))?.is_some();
            Ok(is_there.then_some(id))
        })
        .await
    }

    /// The data of connections that are gone, by environment.
    ///
    /// # Errors
    /// Where the keychain or the database cannot be read.
    pub async fn left_data(&self) -> Result<Vec<LeftData>> {
        let app = self.clone();
        blocking(move || {
            let Some(db) = app.existing_db()? else {
                return Ok(Vec::new());
            };
            let left = db.settings_under(LEFT)?.into_iter();
            Ok(left
                .filter_map(|(key, id)| {
                    let (environment, user) = key.strip_prefix(LEFT)?.split_once('\n')?;
                    let id = id.parse().ok()?;
                    let file = std::fs::metadata(app.inner.data_dir.mirror(id)).ok()?;
                    Some(LeftData {
                        id,
                        environment: environment.to_owned(),
                        user: user.to_owned(),
                        bytes: file.len(),
                    })
                })
                .collect())
        })
        .await
    }

    /// Erases such data with its key; nothing where there is none of this id.
    ///
    /// # Errors
    /// Where the keychain or the disk refuses.
    pub async fn erase_left(&self, id: Uuid) -> Result<()> {
        let app = self.clone();
        blocking(move || {
            let Some(db) = app.existing_db()? else {
                return Ok(());
            };
            for (key, left) in db.settings_under(LEFT)? {
                if left == id.to_string() {
                    app.erase(id)?;
                    db.delete_setting(&key)?;
                }
            }
            Ok(())
        })
        .await
    }

    /// What was left is taken up: it waits no more.
    pub(super) fn take_up(&self, db: &AppDb, row: &ConnectionRow) -> Result<()> {
        Ok(db.delete_setting(&left_key(row))?)
    }
}
