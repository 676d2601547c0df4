//! What the admin decides for a connection.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A setting of a connection as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Preference {
    /// Its name, such as `keep-history`.
    pub key: String,
    /// Its value: `forever`, or a number in the setting's unit.
    pub value: String,
    /// The value where the admin said nothing.
    pub default: String,
}

/// Settings of the whole product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AppSettings {
    /// `system`, `none`, or the proxy's address.
    pub proxy: String,
    /// The user name that the proxy wants; empty where it wants none.
    pub proxy_user: String,
    /// Whether the keychain has the proxy's password.
    pub has_proxy_password: bool,
    /// `error`, `warn`, `info` or `debug`.
    pub log_level: String,
}

/// Data of a connection that is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LeftData {
    /// Names it.
    pub id: String,
    /// Environment URL.
    pub environment: String,
    /// Who was signed in.
    pub user: String,
    /// Size, in bytes.
    #[ts(type = "number")]
    pub bytes: u64,
}

/// What is changed of them; null leaves it as it is.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AppSettingsChange {
    /// `system`, `none`, or the proxy's address.
    pub proxy: Option<String>,
    /// The user name that the proxy wants.
    pub proxy_user: Option<String>,
    /// The password that the proxy wants; an empty one is forgotten.
    pub proxy_password: Option<String>,
    /// `error`, `warn`, `info` or `debug`.
    pub log_level: Option<String>,
}

impl std::fmt::Debug for AppSettingsChange {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("AppSettingsChange")
            .field("proxy", &self.proxy)
            .field("log_level", &self.log_level)
            .finish_non_exhaustive()
    }
}
