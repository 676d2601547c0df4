//! Why a table is read as it is.

use salesmirror_store::MarkColumn;

use super::steps::Facts;

/// Why a table is read as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Nothing is there that an incremental sync could begin with.
    First,
    /// The admin asked for it.
    Asked,
    /// An interrupted full sync goes on.
    Resumed,
    /// The guard's question waited for an answer.
    Pending,
    /// Change tracking.
    Tracked,
    /// Change tracking is granted now.
    TrackingGranted,
    /// Change tracking is not granted.
    TrackingRefused,
    /// By version number: tracking is switched off.
    VersionOff,
    /// By version number: tracking is not granted.
    VersionRefused,
    /// By time of change: tracking is switched off.
    ModifiedOff,
    /// By time of change: tracking is not granted.
    ModifiedRefused,
    /// Neither tracking nor a column that tells changes.
    Unmarked,
    /// A comparison of ids goes on.
    Compared,
    /// Too many rows were invalidated to read them one by one.
    Invalidated,
    /// Too many rows differ to read them one by one.
    Differs,
    /// The columns changed.
    Columns,
    /// The link or the mark of the last sync is good for nothing any more.
    LinkGone,
}

impl Reason {
    /// Change tracking was switched on or off.
    pub(super) fn switched(facts: Facts) -> Self {
        match facts.tracking {
            true => Self::TrackingGranted,
            false => Self::TrackingRefused,
        }
    }

    /// Why a table is read by marks.
    pub(super) fn untracked(facts: Facts) -> Self {
        let is_off = !facts.tracking;
        match facts.mark {
            Some(MarkColumn::Modified) if is_off => Self::ModifiedOff,
            Some(MarkColumn::Modified) => Self::ModifiedRefused,
            _ if is_off => Self::VersionOff,
            _ => Self::VersionRefused,
        }
    }

    /// Whether every row is read.
    #[must_use]
    pub const fn is_full(self) -> bool {
        !matches!(
            self,
            Self::Tracked
                | Self::VersionOff
                | Self::VersionRefused
                | Self::ModifiedOff
                | Self::ModifiedRefused
                | Self::Compared
        )
    }

    /// One sentence for people.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::First => "There is no earlier sync to go on from.",
            Self::Asked => "A full sync was asked for.",
            Self::Resumed => "A full sync that was interrupted goes on from its last page.",
            Self::Pending => "The question about missing rows was open.",
            Self::Tracked => "By change tracking.",
            Self::TrackingGranted => "Change tracking can be used from now on.",
            Self::TrackingRefused => {
                "Change tracking cannot be used: it is switched off, or the user may not read the whole table."
            }
            Self::VersionOff => {
                "By versionnumber and a comparison of ids: change tracking is switched off for this table."
            }
            Self::VersionRefused => {
                "By versionnumber and a comparison of ids: the user may not read the whole table, which change tracking needs."
            }
            Self::ModifiedOff => {
                "By modifiedon and a comparison of ids: change tracking is switched off, and there is no versionnumber."
            }
            Self::ModifiedRefused => {
                "By modifiedon and a comparison of ids: change tracking is not granted, and there is no versionnumber."
            }
            Self::Unmarked => {
                "The table has neither change tracking nor a column that tells what changed."
            }
            Self::Compared => "A comparison of ids goes on.",
            Self::Invalidated => "Many rows were invalidated: one full sync takes fewer requests.",
            Self::Differs => "Many rows differ: one full sync takes fewer requests.",
            Self::Columns => "Columns of the table changed.",
            Self::LinkGone => {
                "Dynamics 365 takes the mark of the last sync no more: it expired, or the table changed."
            }
        }
    }
}
