//! Lists that are held while somebody pages through them: those in an order that may change, and those
//! that Dynamics 365 pages itself.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use salesmirror_core::{Session, View};
use uuid::Uuid;

use crate::query::Query;

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

struct Entry {
    used: Instant,
    query: Query,
    list: List,
}

/// The lists that are held.
#[derive(Default)]
pub struct Held {
    lists: Mutex<HashMap<Uuid, Entry>>,
}

impl Held {
    /// Holds a list, and what was asked for; gives its name. What nobody has read for long goes.
    pub fn hold(&self, query: &Query, list: List) -> Uuid {
        let id = Uuid::new_v4();
        let entry = Entry {
            used: Instant::now(),
            query: query.clone(),
            list,
        };
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        lists.insert(id, entry);
        lists.retain(|_, entry| entry.used.elapsed() < LIFE);
        let mut rows: u64 = lists.values().map(|entry| entry.list.rows()).sum();
        while lists.len() > 1 && (rows > MOST_ROWS || lists.len() > MOST_LISTS) {
            let oldest = lists
                .iter()
                .filter(|(other, _)| **other != id)
                .min_by_key(|(_, entry)| entry.used)
                .map(|(other, _)| *other);
            let Some(oldest) = oldest else { break };
            if let Some(entry) = lists.remove(&oldest) {
                rows -= entry.list.rows();
            }
        }
        id
    }

    /// A list that is still held, with what was asked for.
    pub fn find(&self, id: Uuid) -> Option<(Query, List)> {
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = lists.get_mut(&id)?;
        if entry.used.elapsed() > LIFE {
            return None;
        }
        entry.used = Instant::now();
        Some((entry.query.clone(), entry.list.clone()))
    }
}
