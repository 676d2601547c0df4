//! Whether the places that the product keeps things in are in order.

use salesmirror_auth::Secret;
use salesmirror_store::{Mirror, StoreError};
use uuid::Uuid;

use super::{App, SecretName};
use crate::error::{Category, Error, Result, blocking};
use crate::explanations::fix;
use crate::tokens::claims_setting;

impl App {
    /// Whether secrets can be kept: writes, reads and deletes one.
    ///
    /// # Errors
    /// What the keychain says.
    pub async fn check_keychain(&self) -> Result<()> {
        let secrets = self.inner.secrets.clone();
        blocking(move || {
            let name = format!("check/{}", Uuid::new_v4());
            let secret = Secret::from("check".to_owned());
            secrets.set(&name, &secret)?;
            let found = secrets.get(&name)?;
            secrets.delete(&name)?;
            match found {
                Some(_) => Ok(()),
                None => Err(Error::new(
                    Category::Keychain,
                    "keychain_refused",
                    "The keychain does not give back what it was given.",
                    fix("keychain_refused"),
                )),
            }
        })
        .await
    }

    /// What the place that keeps secrets is called.
    pub(crate) fn secrets_name(&self) -> &'static str {
        self.inner.secrets.name()
    }

    /// Whether the data directory can be written, and has room for the databases of a connection.
    pub(crate) async fn check_room(&self) -> Result<()> {
        let app = self.clone();
        blocking(move || app.inner.data_dir.create()).await
    }

    /// The same, and leaves no folder behind that was not there.
    pub(crate) async fn check_folder(&self) -> Result<()> {
        let app = self.clone();
        blocking(move || {
            let missing = app.inner.data_dir.missing();
            let created = app.inner.data_dir.create();
            if let Some(missing) = missing {
                app.inner.data_dir.remove_made(&missing);
            }
            created
        })
        .await
    }

    /// Whether every database can be read; gives how many there are.
    pub(crate) async fn check_databases(&self) -> Result<usize> {
        let app = self.clone();
        blocking(move || {
            let Some(db) = app.existing_db()? else {
                return Ok(0);
            };
            let rows = db.connections()?;
            for row in &rows {
                let key = app
                    .key(&SecretName::MirrorKey(row.id))?
                    .ok_or(StoreError::Damaged)?;
                Mirror::open(&app.inner.data_dir.mirror(row.id), &key)?.tables()?;
            }
            Ok(rows.len() + 1)
        })
        .await
    }

    /// What conditional access asked for when the sign-in ended.
    pub(crate) async fn claims(&self, id: Uuid) -> Result<Option<String>> {
        let app = self.clone();
        blocking(move || {
            let claims = app.make_db()?.setting(&claims_setting(id))?;
            Ok(claims.filter(|claims| !claims.is_empty()))
        })
        .await
    }

    /// Forgets it, once somebody has signed in with it.
    pub(crate) async fn forget_claims(&self, id: Uuid) -> Result<()> {
        let app = self.clone();
        blocking(move || Ok(app.make_db()?.set_setting(&claims_setting(id), "")?)).await
    }
}
