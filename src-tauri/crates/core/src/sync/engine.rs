//! Decides how a table is synced: events in, effects out, no I/O. The driver (`drive`) acts; the
//! simulation (`simulation_tests`) tries arbitrary organisations, faults and kills on the same decisions.
//!
//! Every decision follows from where the committed checkpoint stands, so that a run that was killed
//! goes on as if nothing had been.

use salesmirror_store::{Begin, Checkpoint, Mark, MarkColumn};

use super::reason::Reason;
use super::steps::{Effect, Event, Facts, Fetch, Measures, Refusal, Source, Standing, Wishes};

/// A run that has to begin again more often than this fails: something else is wrong.
const MOST_RESTARTS: u32 = 4;
/// Ids are compared, and a refused change tracking is asked for again, after so long (7 days, in ms):
/// rows that a user may no longer see are not promised to come in a delta.
const FROM_TIME_TO_TIME: i64 = 7 * 86_400_000;

/// One run of one table.
#[derive(Debug)]
pub struct Engine {
    wishes: Wishes,
    measures: Measures,
    now: i64,
    facts: Facts,
    standing: Standing,
    /// The metadata was read in this run.
    is_fresh: bool,
    /// How often.
    looks: u32,
    /// Read the metadata before anything else.
    must_look: bool,
    /// Read every row next.
    must_scan: bool,
    /// The chain that is under way began in this run, so that nothing older is missed at its end.
    began_here: bool,
    /// Everything was read.
    is_done: bool,
    tracking: Tracking,
    /// The service does not filter or sort by the mark.
    marks_refused: bool,
    /// The highest mark, asked for in this run before what follows was read.
    newest: Option<Option<Mark>>,
    annotations: bool,
    restarts: u32,
    reason: Option<Reason>,
}

/// Whether change tracking is granted, as far as this run knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tracking {
    /// By the metadata.
    AsSaid,
    Granted,
    Refused,
}

impl Engine {
    /// A run from where the table stands; `now` in ms since 1970.
    pub fn new(standing: Standing, wishes: Wishes, measures: Measures, now: i64) -> Self {
        Self {
            wishes,
            measures,
            now,
            facts: standing.facts.unwrap_or_default(),
            is_fresh: false,
            looks: 0,
            must_look: standing.facts.is_none() || wishes.full || is_due(standing.ids_checked, now),
            must_scan: wishes.full,
            began_here: false,
            is_done: false,
            tracking: Tracking::AsSaid,
            marks_refused: false,
            newest: None,
            annotations: true,
            restarts: 0,
            reason: wishes.full.then_some(Reason::Asked),
            standing,
        }
    }

    /// The column that ids are compared by, where there is one.
    pub fn mark_column(&self) -> Option<MarkColumn> {
        self.facts.mark
    }

    /// Whether every row is read.
    pub fn is_full(&self) -> bool {
        self.reason().is_full()
    }

    /// Why the table is read as it is.
    pub fn reason(&self) -> Reason {
        self.reason.unwrap_or(Reason::First)
    }

    /// What to do first.
    pub fn start(&mut self) -> Effect {
        self.step()
    }

    /// What to do after an event.
    pub fn next(&mut self, event: Event) -> Effect {
        match event {
            Event::Metadata { facts, changed } => self.looked(facts, changed),
            Event::Tracking(granted) => {
                self.tracking = [Tracking::Refused, Tracking::Granted][usize::from(granted)];
                self.step()
            }
            Event::Mark(value) => {
                let column = self.facts.mark;
                let mark = column.zip(value);
                self.newest = Some(mark.map(|(column, value)| Mark { column, value }));
                self.step()
            }
            Event::Page {
                next_link,
                delta_link,
                metadata_version,
            } => self.fetched(
                next_link.is_some() || delta_link.is_some(),
                metadata_version,
            ),
            Event::Refused(refusal) => self.refused(refusal),
            Event::Committed {
                checkpoint,
                wanted,
                live,
            } => {
                let before = std::mem::replace(&mut self.standing.checkpoint, checkpoint);
                self.standing.wanted = wanted;
                self.standing.live = live;
                let is_idle = matches!(self.standing.checkpoint, Checkpoint::Idle { .. });
                if is_idle && !matches!(before, Checkpoint::Idle { .. }) {
                    self.came_to_rest(&before);
                }
                self.step()
            }
            Event::Weighed {
                would_delete,
                live,
                seen,
            } => {
                let share = would_delete as f64 / live.max(1) as f64;
                let is_many =
                    would_delete > self.measures.guard_rows && share > self.measures.guard_share;
                let is_all = seen == 0 && would_delete > 0;
                if (is_many || is_all) && !self.wishes.yes {
                    Effect::Ask
                } else {
                    Effect::Reconcile
                }
            }
            Event::Refreshed { left } => {
                // Rows that stay wanted although they were read would be asked for forever.
                if left >= self.standing.wanted {
                    return Effect::Finish;
                }
                self.standing.wanted = left;
                self.step()
            }
        }
    }

    /// What follows from where the table stands.
    fn step(&mut self) -> Effect {
        if self.must_look {
            return Effect::ReadMetadata;
        }
        if self.must_scan {
            return self.begin_full();
        }
        let (source, ids) = match self.standing.checkpoint.clone() {
            Checkpoint::Idle {
                delta_link,
                mark,
                needs_full,
            } => {
                if self.is_done {
                    return self.wind_up();
                }
                return self.begin(delta_link.is_some(), mark, needs_full);
            }
            Checkpoint::Reconciling { .. } => {
                self.explain(Reason::Pending);
                return Effect::Weigh;
            }
            Checkpoint::Scanning {
                next_link: Some(link),
                ..
            } => {
                self.explain(Reason::Resumed);
                (Source::Link(link), false)
            }
            Checkpoint::Scanning { tracked, .. } => {
                self.explain(Reason::Resumed);
                (Source::First { tracked }, false)
            }
            Checkpoint::Following { next_link, .. } => {
                self.explain(Reason::Tracked);
                (Source::Link(next_link), false)
            }
            Checkpoint::Reading {
                next_link, mark, ..
            } => {
                self.explain(Reason::untracked(self.facts));
                match (next_link, mark) {
                    (Some(link), _) => (Source::Link(link), false),
                    (None, Some(mark)) => (Source::Since(self.well_below(mark)), false),
                    (None, None) => return self.begin_full(),
                }
            }
            Checkpoint::Comparing { next_link, .. } => {
                self.explain(Reason::Compared);
                (next_link.map_or(Source::Ids, Source::Link), true)
            }
        };
        Effect::Fetch(Fetch {
            source,
            ids,
            annotations: self.annotations,
            page_size: self.measures.page_size,
        })
    }

    /// A sync of a table where none is under way.
    fn begin(&mut self, has_link: bool, mark: Option<Mark>, needs_full: bool) -> Effect {
        if needs_full || (!has_link && mark.is_none()) {
            return self.begin_full();
        }
        if self.is_cheaper_in_full() {
            self.explain(Reason::Invalidated);
            return self.begin_full();
        }
        if has_link {
            self.explain(Reason::Tracked);
            self.began_here = true;
            return Effect::Begin(Begin::Following);
        }
        let column = mark.map(|mark| mark.column);
        if column.is_none() || column != self.facts.mark || self.marks_refused {
            return self.begin_full();
        }
        if self.facts.tracking && self.tracking == Tracking::AsSaid && self.is_time_to_ask() {
            return Effect::AskTracking;
        }
        if self.tracking == Tracking::Granted {
            self.explain(Reason::TrackingGranted);
            return self.begin_full();
        }
        self.explain(Reason::untracked(self.facts));
        let Some(newest) = self.newest else {
            return self.read_mark();
        };
        self.began_here = true;
        match newest {
            // Nothing is newer: what is left is to look for deletes.
            Some(newest) if Some(newest) != mark => Effect::Begin(Begin::Reading { next: newest }),
            newest => Effect::Begin(Begin::Comparing { next: newest }),
        }
    }

    fn begin_full(&mut self) -> Effect {
        let tracked = self.facts.tracking && self.tracking != Tracking::Refused;
        let reason = match self.standing.checkpoint {
            Checkpoint::Idle { mark: None, .. } if self.is_unmarked() && !tracked => {
                Reason::Unmarked
            }
            _ => Reason::First,
        };
        self.explain(reason);
        if !tracked && !self.is_unmarked() && self.newest.is_none() {
            return self.read_mark();
        }
        self.must_scan = false;
        self.began_here = true;
        self.is_done = false;
        let mark = match self.facts.mark {
            Some(column) if !tracked && !self.marks_refused => {
                // Where the service does not say, the comparison of ids finds what changed.
                let unknown = Mark { column, value: 0 };
                Some(self.newest.flatten().unwrap_or(unknown))
            }
            _ => None,
        };
        Effect::Begin(Begin::Full { tracked, mark })
    }

    fn is_unmarked(&self) -> bool {
        self.facts.mark.is_none() || self.marks_refused
    }

    fn read_mark(&mut self) -> Effect {
        match self.facts.mark {
            Some(column) => Effect::ReadMark(column),
            None => {
                self.newest = Some(None);
                self.step()
            }
        }
    }

    /// The chain ended. One that an earlier run began says nothing of what changed since.
    fn came_to_rest(&mut self, before: &Checkpoint) {
        self.newest = None;
        if matches!(before, Checkpoint::Reconciling { .. }) {
            self.standing.ids_checked = Some(self.now);
        }
        self.is_done = self.began_here;
    }

    /// What is left once everything was read.
    fn wind_up(&mut self) -> Effect {
        if self.standing.wanted == 0 {
            return self.compare_or_finish();
        }
        if self.is_cheaper_in_full() && self.restarts < MOST_RESTARTS && !self.is_full() {
            self.restarts += 1;
            self.reason = Some(Reason::Differs);
            return self.begin_full();
        }
        Effect::Refresh
    }

    fn compare_or_finish(&mut self) -> Effect {
        let Checkpoint::Idle {
            delta_link: Some(_),
            ..
        } = self.standing.checkpoint
        else {
            return Effect::Finish;
        };
        if !is_due(self.standing.ids_checked, self.now) {
            return Effect::Finish;
        }
        if self.facts.mark.is_none() {
            // Ids alone do not tell that a row changed while it could not be seen.
            self.must_scan = true;
            return self.step();
        }
        Effect::Begin(Begin::Comparing { next: None })
    }

    fn looked(&mut self, facts: Facts, changed: bool) -> Effect {
        let is_new = self.standing.facts.is_none();
        self.standing.facts = Some(facts);
        if facts.tracking != self.facts.tracking && !is_new {
            self.tracking = Tracking::AsSaid;
            self.must_scan = true;
            self.explain_instead(Reason::switched(facts));
        }
        self.facts = facts;
        self.is_fresh = true;
        self.looks += 1;
        self.must_look = false;
        if changed {
            self.newest = None;
            self.is_done = false;
            self.standing.checkpoint = Checkpoint::Idle {
                delta_link: None,
                mark: None,
                needs_full: true,
            };
            if !is_new {
                self.explain_instead(Reason::Columns);
            }
        }
        self.step()
    }

    fn fetched(&mut self, has_link: bool, metadata_version: Option<String>) -> Effect {
        let is_other = metadata_version.is_some()
            && self.standing.metadata_version.is_some()
            && metadata_version != self.standing.metadata_version;
        self.standing.metadata_version = metadata_version.or(self.standing.metadata_version.take());
        // What was read before the change, even in this run, may be older than it.
        if is_other && self.looks < MOST_RESTARTS {
            // The page is asked for again, unless the columns are others.
            return Effect::ReadMetadata;
        }
        let Checkpoint::Scanning { tracked: true, .. } = self.standing.checkpoint else {
            return Effect::Keep;
        };
        if has_link {
            return Effect::Keep;
        }
        if self.annotations {
            // Older versions gave no delta link while formatted values were asked for.
            self.annotations = false;
        } else {
            self.tracking = Tracking::Refused;
            self.reason = Some(Reason::TrackingRefused);
        }
        self.begin_full()
    }

    fn refused(&mut self, refusal: Refusal) -> Effect {
        if self.restarts >= MOST_RESTARTS && !matches!(refusal, Refusal::Smaller(_)) {
            return Effect::Fail;
        }
        match refusal {
            // Once more from the beginning, where an earlier run kept it.
            Refusal::Foreign if !self.began_here => self.start_over(),
            Refusal::Other | Refusal::Foreign => Effect::Fail,
            Refusal::Smaller(page_size) => {
                self.measures.page_size = page_size;
                self.begin_again()
            }
            Refusal::Tracking => {
                self.restarts += 1;
                self.tracking = Tracking::Refused;
                self.reason = Some(Reason::TrackingRefused);
                self.must_scan = true;
                self.step()
            }
            Refusal::Gone => self.start_over(),
        }
    }

    /// What was asked for is not there any more: every row is read, by what the organisation says
    /// its columns are now.
    fn start_over(&mut self) -> Effect {
        let is_plain = match &self.standing.checkpoint {
            Checkpoint::Scanning { next_link, .. } => next_link.is_none(),
            _ => false,
        };
        if is_plain && self.is_fresh {
            return Effect::Fail;
        }
        self.restarts += 1;
        let by_query = match &self.standing.checkpoint {
            Checkpoint::Reading { next_link, .. } | Checkpoint::Comparing { next_link, .. } => {
                next_link.is_none()
            }
            _ => false,
        };
        if by_query && self.is_fresh {
            self.marks_refused = true;
        }
        self.must_look = !self.is_fresh;
        self.must_scan = true;
        self.explain_instead(Reason::LinkGone);
        self.step()
    }

    /// Whether so many rows wait to be read by id that one full sync takes fewer requests.
    fn is_cheaper_in_full(&self) -> bool {
        let part = self.standing.live / self.measures.by_id_part;
        self.standing.wanted > part.max(self.measures.by_id_rows)
    }

    fn well_below(&self, mark: Mark) -> Mark {
        let below = match mark.column {
            MarkColumn::Version => self.measures.versions_below,
            MarkColumn::Modified => self.measures.time_below,
        };
        Mark {
            value: (mark.value - below).max(0),
            ..mark
        }
    }

    /// The same kind of chain from its beginning: the pages behind a link keep their size.
    fn begin_again(&mut self) -> Effect {
        match self.standing.checkpoint {
            Checkpoint::Following { .. } => Effect::Begin(Begin::Following),
            Checkpoint::Reading {
                mark: Some(mark), ..
            } => {
                // An older mark is as good: rows may come twice.
                let next = self.newest.flatten().unwrap_or(mark);
                Effect::Begin(Begin::Reading { next })
            }
            Checkpoint::Comparing { .. } => Effect::Begin(Begin::Comparing { next: None }),
            _ => self.begin_full(),
        }
    }

    fn is_time_to_ask(&self) -> bool {
        is_due(self.standing.tracking_asked, self.now)
    }

    /// A reason that counts more than what the run began with, but for the admin's own.
    fn explain_instead(&mut self, reason: Reason) {
        if self.reason != Some(Reason::Asked) {
            self.reason = Some(reason);
        }
    }

    /// The first reason of a run is the one that counts.
    fn explain(&mut self, reason: Reason) {
        self.reason.get_or_insert(reason);
    }
}

/// Whether something that is done from time to time has its turn; a clock that was set back does not
/// put it off for long.
fn is_due(last: Option<i64>, now: i64) -> bool {
    last.is_none_or(|last| (now - last).abs() >= FROM_TIME_TO_TIME)
}
