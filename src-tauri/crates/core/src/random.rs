//! Randomness that secrets depend on.

use salesmirror_store::DatabaseKey;

use crate::error::{Category, Error, Result};

/// A new random database key.
pub fn database_key() -> Result<DatabaseKey> {
    Ok(DatabaseKey::from_bytes(random_bytes()?))
}

/// As many random bytes as a key has.
pub fn random_bytes() -> Result<[u8; 32]> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|source| {
        Error::new(
            Category::Failed,
            "no_randomness",
            format!("The system gave no random numbers: {source}."),
            "Restart the machine, then try again.",
        )
    })?;
    Ok(bytes)
}
