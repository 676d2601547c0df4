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
