//! What can be changed of a connection after it was made.

use salesmirror_auth::Secret;
use salesmirror_store::ConnectionRow;
use secrecy::ExposeSecret as _;

use super::{App, SecretName};
use crate::error::{Category, Error, Result, blocking};
use crate::form::secret_problem;

/// What is changed; `None` leaves it as it is.
#[derive(Clone, Default)]
pub struct ConnectionChange {
    /// Its name.
    pub name: Option<String>,
    /// Its client secret.
    pub client_secret: Option<Secret>,
    /// The secret's last day, as `YYYY-MM-DD`; empty where it is not known.
    pub secret_expires: Option<String>,
    /// Fixed port of the redirect URI; `Some(None)` for any free one.
    pub redirect_port: Option<Option<u16>>,
}

/// Refuses what is no day.
pub(crate) fn check_day(day: &str) -> Result<()> {
    match day.parse::<jiff::civil::Date>() {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::usage(
            "bad_secret_expires",
            format!("\"{day}\" is no date."),
            "Enter a date, such as 2028-03-11.",
        )),
    }
}

impl App {
    /// Changes a connection, and opens it anew; its rows stay.
    ///
    /// # Errors
    /// Bad input, or the keychain or the disk refuses; then nothing is changed.
    pub async fn change_connection(
        &self,
        row: &ConnectionRow,
        change: ConnectionChange,
    ) -> Result<ConnectionRow> {
        let mut changed = row.clone();
        if let Some(name) = &change.name {
            name.trim().clone_into(&mut changed.name);
            self.check_name(&changed.name, Some(row.id)).await?;
        }
        if let Some(secret) = &change.client_secret {
            if row.public_client {
                return Err(Error::usage(
                    "bad_client_secret",
                    "This connection is a public client, which has no secret.",
                    "To use a secret, connect anew with the platform Web.",
                ));
            }
            if let Some(problem) = secret_problem(secret.expose_secret()) {
                return Err(Error::explained(
                    Category::Usage,
                    "bad_client_secret",
                    problem,
                ));
            }
            // What was said of the old secret does not hold for the new one.
            changed.secret_expires = None;
        }
        if let Some(day) = &change.secret_expires {
            let day = day.trim();
            if !day.is_empty() {
                check_day(day)?;
            }
            changed.secret_expires = (!day.is_empty()).then(|| day.to_owned());
        }
        if let Some(port) = change.redirect_port {
            changed.redirect_port = port;
        }
        if let Some(secret) = change.client_secret {
            let (app, id) = (self.clone(), row.id);
            blocking(move || app.set_secret(&SecretName::ClientSecret(id), &secret)).await?;
        }
        self.update(&changed, None).await?;
        Ok(changed)
    }

    /// Whether a connection may have this name.
    pub(crate) async fn check_name(&self, name: &str, but: Option<uuid::Uuid>) -> Result<()> {
        let name = name.trim();
        if name.is_empty() {
            return Err(Error::explained(
                Category::Usage,
                "bad_name",
                "A connection needs a name.",
            ));
        }
        let rows = self.connections().await?;
        let is_taken = rows
            .iter()
            .any(|row| row.name.eq_ignore_ascii_case(name) && Some(row.id) != but);
        match is_taken {
            true => Err(Error::explained(
                Category::Usage,
                "name_taken",
                format!("There is a connection \"{name}\" already."),
            )),
            false => Ok(()),
        }
    }
}
