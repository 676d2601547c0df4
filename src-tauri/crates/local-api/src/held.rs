//! Lists that are held while somebody pages through them: those in an order that may change, and those
//! that Dynamics 365 pages itself.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use salesmirror_core::{Session, View};
use uuid::Uuid;

/// How long a list is held after it was read last.
const LIFE: Duration = Duration::from_secs(15 * 60);
/// Lists that are held at once.
const MOST_LISTS: usize = 256;
/// Rows that all of them have, at 4 bytes each: 64 MB.
const MOST_ROWS: u64 = 16_000_000;

/// A list that is held.
#[derive(Clone)]
pub enum List {
    /// Row numbers of the mirror.
    View {
        /// Whose mirror.
        session: Session,
        /// The rows.
        view: View,
    },
    /// The path of the next page, below the Web API's.
    Page(String),
}

impl List {
    fn rows(&self) -> u64 {
        match self {
            Self::View { view, .. } => view.total(),
            Self::Page(_) => 0,
        }
    }
}

/// The lists that are held.
#[derive(Default)]
pub struct Held {
    lists: Mutex<HashMap<Uuid, (Instant, List)>>,
}

impl Held {
    /// Holds a list; gives its name. What nobody has read for long goes.
    pub fn hold(&self, list: List) -> Uuid {
        let id = Uuid::new_v4();
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        lists.insert(id, (Instant::now(), list));
        lists.retain(|_, (used, _)| used.elapsed() < LIFE);
        let mut rows: u64 = lists.values().map(|(_, list)| list.rows()).sum();
        while lists.len() > 1 && (rows > MOST_ROWS || lists.len() > MOST_LISTS) {
            let oldest = lists
                .iter()
                .filter(|(other, _)| **other != id)
                .min_by_key(|(_, (used, _))| *used)
                .map(|(other, _)| *other);
            let Some(oldest) = oldest else { break };
            if let Some((_, list)) = lists.remove(&oldest) {
                rows -= list.rows();
            }
        }
        id
    }

    /// A list that is still held.
    pub fn find(&self, id: Uuid) -> Option<List> {
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        let (used, list) = lists.get_mut(&id)?;
        if used.elapsed() > LIFE {
            return None;
        }
        *used = Instant::now();
        Some(list.clone())
    }
}
