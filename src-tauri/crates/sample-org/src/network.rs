//! What stands between a client and the organisation: faults, limits, the environment's mode, and the
//! log of everything that came.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::discovery::Listing;
use crate::entra::directory::Audience;
use crate::faults::Rule;
use crate::limits::Limits;

/// The log keeps no more requests.
const LOGGED: usize = 100_000;

/// Whether the environment can be used.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    #[default]
    Normal,
    Administration,
    Disabled,
    Copying,
}

/// A request as it is remembered.
#[derive(Clone, Default, Serialize)]
pub struct Logged {
    /// Since the organisation started.
    pub at_ms: u64,
    pub method: String,
    pub host: String,
    pub path: String,
    pub query: Option<String>,
    /// 0 where the connection was reset instead.
    pub status: u16,
    pub prefer: Option<String>,
    /// Whether a token came.
    pub authorization: bool,
    /// What it is for; absent where it is no good.
    pub audience: Option<Audience>,
    pub user: Option<String>,
    pub if_match: Option<String>,
    pub client_request_id: Option<String>,
    pub user_agent: Option<String>,
    pub body_bytes: usize,
}

/// Everything about the network.
pub struct Network {
    pub faults: Vec<Rule>,
    pub limits: Limits,
    pub mode: Mode,
    pub listing: Listing,
    pub requests: Vec<Logged>,
    started: Instant,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            faults: Vec::new(),
            limits: Limits::default(),
            mode: Mode::Normal,
            listing: Listing::default(),
            requests: Vec::new(),
            started: Instant::now(),
        }
    }
}

impl Network {
    pub fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub fn log(&mut self, request: Logged) {
        if self.requests.len() < LOGGED {
            self.requests.push(request);
        }
    }
}
