//! Errors as scripts and the window see them.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// An error outside the process: a code to match on, a sentence, what to do, and the service's own
/// words for a support call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ErrorReply {
    /// Stable code, such as `secret_expired`.
    pub code: String,
    /// What happened, one sentence.
    pub message: String,
    /// What to do about it; empty where nothing can be said.
    pub hint: String,
    /// The service's error code and request id, where there are any.
    pub reference: Option<String>,
    /// The portal page where it is mended, where there is one.
    #[serde(default)]
    pub link: Option<String>,
}
