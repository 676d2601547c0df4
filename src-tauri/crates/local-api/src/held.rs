//! Lists that are held while somebody pages through them: those in an order that may change, and those
//! that Dynamics 365 pages itself.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use salesmirror_core::{Session, View};
use uuid::Uuid;

use crate::error::{ApiError, Result};
use crate::query::Query;

/// How long a list is held after it was read last.
const LIFE: Duration = Duration::from_secs(15 * 60);
/// How long it is held after its last page was given, for those who did not get that page.
const LIFE_AFTER_END: Duration = Duration::from_secs(60);
/// A list that was read so shortly ago gives its place to no other.
const READ_LATELY: Duration = Duration::from_secs(60);
/// Views that are held at once.
const MOST_VIEWS: usize = 256;
/// Rows that all of them have, at 4 bytes each: 64 MB.
const MOST_ROWS: u64 = 16_000_000;
/// Lists of Dynamics 365 that are held at once.
const MOST_LIVE: usize = 256;
/// Links of such a list that are kept, of up to 32 KB each: those of the newest pages.
const MOST_LINKS: usize = 8;

/// Row numbers of a mirror.
#[derive(Clone)]
pub struct HeldView {
    /// Whose mirror.
    pub session: Session,
    /// The rows.
    pub view: View,
}

/// The lists that are held.
pub struct Held {
    views: Mutex<Shelf<HeldView>>,
    /// Apart, so that a program that reads everything from Dynamics 365 pushes out no view. Each list has
    /// the paths of pages, below the Web API's, by their numbers.
    live: Mutex<Shelf<BTreeMap<u64, String>>>,
}

impl Default for Held {
    fn default() -> Self {
        Self {
            views: Mutex::new(Shelf::new(MOST_VIEWS)),
            live: Mutex::new(Shelf::new(MOST_LIVE)),
        }
    }
}

impl Held {
    /// Holds a view, and what was asked for; gives its name.
    ///
    /// # Errors
    /// Where there is no room that could be made without taking a list from somebody who reads it now.
    pub fn hold_view(&self, query: &Query, view: HeldView) -> Result<Uuid> {
        let rows = view.view.total();
        lock(&self.views).hold(query, view, rows, Instant::now())
    }

    /// A view that is still held.
    pub fn view(&self, id: Uuid) -> Option<HeldView> {
        let mut views = lock(&self.views);
        views
            .find(id, Instant::now())
            .map(|entry| entry.list.clone())
    }

    /// Notes that a page of a view was given, and whether it was the last one.
    pub fn view_given(&self, id: Uuid, is_last: bool) {
        lock(&self.views).given(id, is_last);
    }

    /// The path of a page that Dynamics 365 is to be asked for.
    pub fn link(&self, id: Uuid, page: u64) -> Option<String> {
        let mut live = lock(&self.live);
        let entry = live.find(id, Instant::now())?;
        entry.list.get(&page).cloned()
    }

    /// Notes that a page of a list of Dynamics 365 was given (the first one where none is named) and the
    /// path of the page that follows; gives the list's name and the number of that page. Paths of pages
    /// long before are dropped.
    ///
    /// # Errors
    /// As [`Held::hold_view`].
    pub fn live_given(
        &self,
        query: &Query,
        given: Option<(Uuid, u64)>,
        next: Option<String>,
    ) -> Result<Option<(Uuid, u64)>> {
        let now = Instant::now();
        let mut live = lock(&self.live);
        if let Some((id, _)) = given {
            live.given(id, next.is_none());
        }
        let Some(next) = next else { return Ok(None) };
        let following = given.map_or(1, |(_, page)| page + 1);
        if let Some((id, _)) = given
            && let Some(entry) = live.find(id, now)
        {
            let links = &mut entry.list;
            links.insert(following, next);
            while links.len() > MOST_LINKS {
                let oldest = links.keys().find(|page| **page != following).copied();
                links.remove(&oldest.unwrap_or(following));
            }
            return Ok(Some((id, following)));
        }
        // A list that begins, or one that went while Dynamics 365 was asked.
        let links = BTreeMap::from([(following, next)]);
        let id = live.hold(query, links, 0, now)?;
        Ok(Some((id, following)))
    }

    /// What was asked for in a list that is still held.
    pub fn query(&self, id: Uuid) -> Option<Query> {
        let now = Instant::now();
        let view = lock(&self.views)
            .find(id, now)
            .map(|entry| entry.query.clone());
        view.or_else(|| {
            lock(&self.live)
                .find(id, now)
                .map(|entry| entry.query.clone())
        })
    }
}

/// A list that is held.
struct Entry<T> {
    /// When it was read last.
    used: Instant,
    /// Its last page was given.
    is_over: bool,
    query: Query,
    rows: u64,
    list: T,
}

impl<T> Entry<T> {
    fn is_alive(&self, now: Instant) -> bool {
        let life = if self.is_over { LIFE_AFTER_END } else { LIFE };
        now.duration_since(self.used) < life
    }

    /// Whether somebody may be about to ask for its next page.
    fn is_read(&self, now: Instant) -> bool {
        !self.is_over && now.duration_since(self.used) < READ_LATELY
    }
}

/// Lists of a kind.
struct Shelf<T> {
    lists: HashMap<Uuid, Entry<T>>,
    most: usize,
}

impl<T> Shelf<T> {
    fn new(most: usize) -> Self {
        Self {
            lists: HashMap::new(),
            most,
        }
    }

    /// Holds a list. What nobody has read for long goes; where that is not enough, lists that were read
    /// to their end, and then those that were not read for the longest time.
    fn hold(&mut self, query: &Query, list: T, rows: u64, now: Instant) -> Result<Uuid> {
        self.lists.retain(|_, entry| entry.is_alive(now));
        let mut held: u64 = self.lists.values().map(|entry| entry.rows).sum();
        while !self.lists.is_empty()
            && (self.lists.len() >= self.most || held.saturating_add(rows) > MOST_ROWS)
        {
            let idle = self.lists.iter().filter(|(_, entry)| !entry.is_read(now));
            let first = idle.min_by_key(|(_, entry)| (!entry.is_over, entry.used));
            let first = first.map(|(id, _)| *id);
            let Some(entry) = first.and_then(|id| self.lists.remove(&id)) else {
                return Err(ApiError::no_room());
            };
            held -= entry.rows;
        }
        let id = Uuid::new_v4();
        let entry = Entry {
            used: now,
            is_over: false,
            query: query.clone(),
            rows,
            list,
        };
        self.lists.insert(id, entry);
        Ok(id)
    }

    fn find(&mut self, id: Uuid, now: Instant) -> Option<&mut Entry<T>> {
        let entry = self.lists.get_mut(&id)?;
        let entry = Some(entry).filter(|entry| entry.is_alive(now))?;
        entry.used = now;
        Some(entry)
    }

    fn given(&mut self, id: Uuid, is_last: bool) {
        if let Some(entry) = self.lists.get_mut(&id) {
            // Who turns back from the last page reads on.
            entry.is_over = is_last;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
