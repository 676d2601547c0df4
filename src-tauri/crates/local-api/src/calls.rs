//! What was called: the newest calls in memory, for whoever looks at the API at work. Paths hold ids,
//! and neither queries nor bodies are kept, so that no record's text is.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use tokio::sync::broadcast;

/// Calls that are kept.
const KEPT: usize = 500;
/// Longer paths are cut, in bytes.
const LONGEST_PATH: usize = 200;

/// A call that was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Counts up from one.
    pub number: u64,
    /// When it came, ms since 1970.
    pub at: i64,
    /// HTTP method.
    pub method: String,
    /// Path, without the query.
    pub path: String,
    /// HTTP status of the answer.
    pub status: u16,
    /// Time until the answer began, in ms.
    pub duration_ms: u64,
    /// Name of the key; `None` where there was none, or a wrong one.
    pub key: Option<String>,
}

/// The newest calls.
pub struct Calls {
    newest: Mutex<VecDeque<Call>>,
    sender: broadcast::Sender<Call>,
}

impl Default for Calls {
    fn default() -> Self {
        Self {
            newest: Mutex::default(),
            sender: broadcast::Sender::new(KEPT),
        }
    }
}

impl Calls {
    /// Notes a call; its number is given here.
    pub fn note(&self, call: Call) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let number = newest.back().map_or(1, |last| last.number + 1);
        let mut path = call.path;
        if path.len() > LONGEST_PATH {
            let end = (0..=LONGEST_PATH)
                .rev()
                .find(|at| path.is_char_boundary(*at));
            path.truncate(end.unwrap_or_default());
            path.push('…');
        }
        let call = Call {
            number,
            path,
            ..call
        };
        if newest.len() >= KEPT {
            newest.pop_front();
        }
        newest.push_back(call.clone());
        // Nobody may be looking.
        let _ = self.sender.send(call);
    }

    /// The newest calls, the oldest of them first, and a stream of those that follow.
    pub fn follow(&self) -> (Vec<Call>, broadcast::Receiver<Call>) {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        (newest.iter().cloned().collect(), self.sender.subscribe())
    }
}
