//! What tests of the whole program do to databases, which only this crate can open.

use std::path::Path;

use crate::database::{self, PageHmac};
use crate::{DatabaseKey, Result};

/// Which of the two kinds of databases a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `app.db`.
    App,
    /// A mirror.
    Mirror,
}

/// Leaves a database as a later version of the program would, with migrations that this one has not.
///
/// # Errors
/// Where the file cannot be opened with this key.
pub fn make_newer(path: &Path, key: &DatabaseKey, kind: Kind) -> Result<()> {
    let hmac = match kind {
        Kind::App => PageHmac::Sha512,
        Kind::Mirror => PageHmac::Sha256,
    };
    let connection = database::open_writable(path, key, hmac)?;
    connection.pragma_update(None, "user_version", 999)?;
    Ok(())
}
