//! What a window has open: views by handle, and long work that can be ended.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use salesmirror_store::{ConnectionRow, View};
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Result};
use crate::export::Exported;
use crate::session::Session;

/// Views that stay open; a grid closes its own, so that more means a leak.
const MOST_VIEWS: usize = 32;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Open views, by handle.
#[derive(Default)]
pub struct OpenViews {
    inner: Mutex<Views>,
}

#[derive(Default)]
struct Views {
    last: u32,
    open: HashMap<u32, (Session, View)>,
}

impl OpenViews {
    /// Keeps a view open; gives its handle.
    pub fn add(&self, session: Session, view: View) -> u32 {
        let mut views = lock(&self.inner);
        if views.open.len() >= MOST_VIEWS
            && let Some(oldest) = views.open.keys().min().copied()
        {
            views.open.remove(&oldest);
        }
        views.last += 1;
        let id = views.last;
        views.open.insert(id, (session, view));
        id
    }

    /// An open view.
    ///
    /// # Errors
    /// Where it was closed.
    pub fn get(&self, id: u32) -> Result<(Session, View)> {
        let views = lock(&self.inner);
        views
            .open
            .get(&id)
            .cloned()
            .ok_or_else(|| Error::usage("view_closed", "This view is closed.", "Open it again."))
    }

    /// Closes a view.
    pub fn close(&self, id: u32) {
        lock(&self.inner).open.remove(&id);
    }

    /// Closes all views of a connection, whose mirror is about to be replaced.
    pub fn close_all_of(&self, connection: &ConnectionRow) {
        let is_other = |session: &Session| session.row().id != connection.id;
        let mut views = lock(&self.inner);
        views.open.retain(|_, (session, _)| is_other(session));
    }
}

/// Long work that somebody waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Work {
    /// A sign-in that waits for the browser.
    SignIn,
    /// An export.
    Export,
    /// A comparison with the organisation.
    Proof,
    /// The checks of a new connection.
    Check,
    /// A request of the admin's own.
    Request,
}

/// Work that goes on, one of each kind.
#[derive(Default)]
pub struct Ongoing {
    tokens: Mutex<HashMap<Work, CancellationToken>>,
    /// Files that exports wrote.
    written: Mutex<Vec<PathBuf>>,
}

impl Ongoing {
    /// A token for new work; what of its kind still goes on ends.
    pub fn begin(&self, work: Work) -> CancellationToken {
        let token = CancellationToken::new();
        if let Some(before) = lock(&self.tokens).insert(work, token.clone()) {
            before.cancel();
        }
        token
    }

    /// Notes what an export wrote.
    pub fn note(&self, exported: Option<&Exported>) {
        let path = exported.and_then(|exported| exported.path.clone());
        lock(&self.written).extend(path);
    }

    /// Whether a file may be handed to the system to open.
    ///
    /// # Errors
    /// One that no export wrote since the start.
    pub fn may_open(&self, path: &str) -> Result<()> {
        match lock(&self.written)
            .iter()
            .any(|written| written == Path::new(path))
        {
            true => Ok(()),
            false => Err(Error::usage(
                "not_exported",
                format!("{path} was not exported since Salesmirror was started."),
                "Open it in the file manager.",
            )),
        }
    }

    /// Ends work of a kind.
    pub fn cancel(&self, work: Work) {
        if let Some(token) = lock(&self.tokens).remove(&work) {
            token.cancel();
        }
    }

    /// Ends everything.
    pub fn cancel_all(&self) {
        for (_, token) in lock(&self.tokens).drain() {
            token.cancel();
        }
    }
}
