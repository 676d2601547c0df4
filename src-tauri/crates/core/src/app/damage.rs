//! What happens to a damaged mirror: it is moved aside, and what no organisation gives again is read
//! from it as far as that can be done.

use std::path::PathBuf;

use salesmirror_store::{AppDb, ConnectionRow, DatabaseKey, Mirror, Rescued, StoreError};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{App, now_ms};
use crate::data_dir::DataDir;
use crate::error::{Result, blocking};
use crate::session::Session;

/// What became of a damaged mirror.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rescue {
    /// When it was moved aside, ms since 1970.
    pub at: i64,
    /// Where it is now; `None` where there was no file any more.
    pub moved_to: Option<PathBuf>,
    /// Deleted rows that were saved from it.
    pub deleted_rows: u64,
    /// Entries of the history that were saved from it.
    pub changes: u64,
    /// Deleted rows and entries that could not be read.
    pub lost: u64,
    /// Whether that is all that was lost; otherwise it is the least.
    pub counted: bool,
}

/// How many deleted rows and entries of the history a mirror had when its second copy was made, and the
/// number of the newest entry.
type Kept = (u64, u64, Option<i64>);

/// The setting that holds [`Kept`]: a damaged mirror cannot always tell.
fn kept_setting(connection: Uuid) -> String {
    format!("irreplaceable/{connection}")
}

/// The setting that holds the last rescue.
fn rescue_setting(connection: Uuid) -> String {
    format!("rescue/{connection}")
}

impl Rescue {
    /// What was saved of the mirror itself, then of its second copy; `kept` is how many deleted rows
    /// and entries there were.
    fn new(moved_to: Option<PathBuf>, own: Rescued, second: Rescued, kept: Option<Kept>) -> Self {
        let deleted_rows = own.tombstones + second.tombstones;
        let changes = own.changes + second.changes;
        let lost = match (own.is_uncounted, kept) {
            (true, Some((rows, entries, _))) => {
                rows.saturating_sub(deleted_rows) + entries.saturating_sub(changes)
            }
            _ => own.lost.saturating_sub(second.tombstones + second.changes),
        };
        Self {
            at: now_ms(),
            moved_to,
            deleted_rows,
            changes,
            lost,
            counted: !own.is_uncounted || kept.is_some(),
        }
    }

    /// What there is to say of it.
    #[must_use]
    pub fn sentence(&self) -> String {
        let lost = match (self.lost, self.counted) {
            (0, true) => "nothing of that was lost".to_owned(),
            (lost, true) => format!("{lost} of them could not be read"),
            (0, false) => "how many could not be read cannot be told".to_owned(),
            (lost, false) => format!("at least {lost} could not be read"),
        };
        let what = match &self.moved_to {
            Some(path) => format!("was damaged. It was moved to {}", path.display()),
            None => "was gone".to_owned(),
        };
        format!(
            "The local copy {what}, and the next sync fetches everything again. Deleted rows and \
             history that only the copy had: {} rows and {} changes were saved, {lost}.",
            self.deleted_rows, self.changes,
        )
    }
}

impl App {
    /// Opens a mirror. A damaged one is moved aside, never deleted, and another takes its place with
    /// what could be saved.
    pub(super) fn open_mirror(
        &self,
        id: Uuid,
        key: &DatabaseKey,
        db: &AppDb,
    ) -> Result<(Mirror, Option<Rescue>)> {
        let data_dir = &self.inner.data_dir;
        let path = data_dir.mirror(id);
        let size = std::fs::metadata(&path).map_or(0, |file| file.len());
        // An empty file would pass for a new mirror.
        let is_emptied = size == 0 && data_dir.second_copy(id).exists();
        if !data_dir.is_damaged(id) && !is_emptied {
            match Mirror::open(&path, key) {
                Ok(mirror) => return Ok((mirror, None)),
                Err(StoreError::Damaged) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // Whoever syncs has it open.
        let Some(_lock) = data_dir.try_lock(id)? else {
            return Err(StoreError::Damaged.into());
        };
        let aside = data_dir.set_aside(id, now_ms())?;
        let mirror = Mirror::open(&path, key)?;
        let own = Mirror::rescue(&aside, key, &mirror)?;
        let copy = data_dir.second_copy(id);
        let second = match (own.lost > 0 || own.is_uncounted) && copy.exists() {
            true => Mirror::rescue(&copy, key, &mirror)?,
            false => Rescued::default(),
        };
        let rescue = Rescue::new(aside.exists().then_some(aside), own, second, kept(db, id)?);
        tracing::warn!("{}", rescue.sentence());
        db.set_setting(
            &rescue_setting(id),
            &serde_json::to_string(&rescue).map_err(StoreError::from)?,
        )?;
        // From here on the new mirror is whole, and its second copy begins anew: it counts tables
        // and columns otherwise.
        data_dir.forget_damage(id)?;
        DataDir::remove_database(&copy)?;
        mirror.copy_irreplaceable(&mirror.second_copy(&copy)?)?;
        Ok((mirror, Some(rescue)))
    }

    /// Whether this connection's mirror was found to be damaged: it has to be opened anew.
    #[must_use]
    pub fn is_damaged(&self, row: &ConnectionRow) -> bool {
        self.inner.data_dir.is_damaged(row.id)
    }

    /// Notes which mirrors were found to be damaged while they were used, so that they are moved
    /// aside when they are opened next. Gives whether there were any.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn note_damage(&self) -> Result<bool> {
        let mut any = false;
        for session in self.open_sessions() {
            if session.mirror().is_damaged() {
                self.inner.data_dir.note_damage(session.row().id)?;
                any = true;
            }
        }
        Ok(any)
    }
}

fn kept(db: &AppDb, connection: Uuid) -> Result<Option<Kept>> {
    let text = db.setting(&kept_setting(connection))?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

impl Session {
    /// Keeps a second copy of what no organisation gives again, and how much that is, where something
    /// came to it. Call it while the connection's lock is held.
    pub(crate) async fn keep_irreplaceable(&self) {
        let session = self.clone();
        let copied = blocking(move || {
            let (mirror, id) = (session.mirror(), session.row().id);
            let newest = mirror.newest_change()?;
            let is_known = match kept(session.db(), id)? {
                Some((_, _, known)) => known == newest,
                None => newest.is_none() && mirror.irreplaceable()? == (0, 0),
            };
            if is_known {
                return Ok(());
            }
            let copy = mirror.second_copy(&session.data_dir().second_copy(id))?;
            mirror.copy_irreplaceable(&copy)?;
            let (rows, changes) = mirror.irreplaceable()?;
            let kept: Kept = (rows, changes, newest);
            let text = serde_json::to_string(&kept).map_err(StoreError::from)?;
            Ok(session.db().set_setting(&kept_setting(id), &text)?)
        })
        .await;
        // The next sync tries again.
        if let Err(error) = copied {
            tracing::warn!(%error, "deleted rows and history have no second copy");
        }
    }

    /// Has the second copy brought up to date and counted again: something was let go of.
    pub(crate) async fn recount_irreplaceable(&self) {
        let session = self.clone();
        let forgotten = blocking(move || session.forget_counts()).await;
        if let Err(error) = forgotten {
            tracing::warn!(%error, "deleted rows and history are counted as before");
        }
        self.keep_irreplaceable().await;
    }

    fn forget_counts(&self) -> Result<()> {
        Ok(self.db().set_setting(&kept_setting(self.row().id), "")?)
    }

    /// Lets a table that is mirrored no more go from the second copy. Call it while the connection's
    /// lock is held.
    pub(crate) fn drop_copied(&self, table: &str) -> Result<()> {
        let path = self.data_dir().second_copy(self.row().id);
        if path.exists() {
            match self.mirror().second_copy(&path)?.drop_table(table) {
                Ok(()) | Err(StoreError::UnknownTable(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.forget_counts()
    }

    /// What became of the mirror that was damaged last; `None` where none was.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn last_rescue(&self) -> Result<Option<Rescue>> {
        let (db, id) = (self.db().clone(), self.row().id);
        blocking(move || {
            let text = db.setting(&rescue_setting(id))?;
            Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
        })
        .await
    }
}
