//! What a window remembers for a connection: its views and how they were laid out. Filters hold
//! personal data, so that it lies in the encrypted database and goes with the connection.

use uuid::Uuid;

use crate::error::{Error, Result, blocking};
use crate::session::Session;

/// Bytes that one thing may take.
const MOST_BYTES: usize = 1 << 20;

impl Session {
    /// What was remembered under a name; `None` where nothing was.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub async fn recall(&self, name: &str) -> Result<Option<String>> {
        let (db, key) = (self.db().clone(), key(name, self.row().id)?);
        blocking(move || Ok(db.setting(&key)?)).await
    }

    /// Remembers a text under a name.
    ///
    /// # Errors
    /// A name that is none, a text of more than a megabyte, or where the disk refuses.
    pub async fn remember(&self, name: &str, text: String) -> Result<()> {
        if text.len() > MOST_BYTES {
            return Err(Error::usage(
                "too_much",
                "This is too much to remember.",
                "Remove some of the saved views.",
            ));
        }
        let (db, key) = (self.db().clone(), key(name, self.row().id)?);
        blocking(move || Ok(db.set_setting(&key, &text)?)).await
    }
}

/// Settings of a connection are named `what/id`.
fn key(name: &str, connection: Uuid) -> Result<String> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    if name.is_empty() || name.len() > 160 || !name.chars().all(is_plain) {
        return Err(Error::usage(
            "bad_name",
            format!("\"{name}\" is no name to remember by."),
            "",
        ));
    }
    Ok(format!("window-{name}/{connection}"))
}
