//! Keys of the encrypted databases.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};

/// A random 32-byte key. It is used as it is (`x'…'`), so opening a connection derives nothing.
#[derive(Clone)]
pub struct DatabaseKey(SecretString);

impl DatabaseKey {
    /// The key of these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Self(SecretString::from(hex))
    }

    /// The key of 64 hexadecimal digits, as the keychain holds it; `None` where it is not that.
    #[must_use]
    pub fn from_hex(hex: &SecretString) -> Option<Self> {
        let text = hex.expose_secret();
        let fits = text.len() == 64 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        fits.then(|| Self(hex.clone()))
    }

    /// 64 hexadecimal digits, for the keychain.
    #[must_use]
    pub fn to_hex(&self) -> SecretString {
        self.0.clone()
    }

    pub(crate) fn pragma_value(&self) -> SecretString {
        SecretString::from(format!("x'{}'", self.0.expose_secret()))
    }
}

impl fmt::Debug for DatabaseKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DatabaseKey(…)")
    }
}
