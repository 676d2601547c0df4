//! Proving that the mirror equals the organisation, and repairing it where it does not.

use std::collections::HashMap;
use std::sync::Arc;

use salesmirror_model::{Change, Collect as _, TableMetadata};
use salesmirror_store::{IdRow, MarkColumn, Stamp};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::pages::{Hand, Pending};
use super::run::{self, facts};
use super::steps::{Fetch, Measures, Source};
use super::{SyncOptions, guard_question};
use crate::app::now_ms;
use crate::error::{Error, Result};
use crate::session::Session;

/// Ids of differing rows that a report names, of each kind.
const EXAMPLES: usize = 5;

/// Is told how many rows of a table have come so far, page by page.
pub type Compared<'a> = &'a (dyn Fn(&str, u64) + Send + Sync);

/// What to prove.
#[derive(Debug, Clone, Default)]
pub struct VerifyOptions {
    /// Logical names; all mirrored tables where empty.
    pub tables: Vec<String>,
    /// Repair what differs.
    pub repair: bool,
    /// Answers the mass-delete guard with yes.
    pub yes: bool,
}

/// How many rows differ in one way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// How many.
    pub count: u64,
    /// Some of them.
    pub examples: Vec<Uuid>,
}

/// The cheapest way to make mirror and organisation equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fix {
    /// They are equal.
    None,
    /// What differs is newer than the last sync: the next one brings it.
    Sync,
    /// Rows that are gone are marked as deleted, and the others read again by id.
    Records,
    /// Too many rows differ: a full sync takes fewer requests.
    Full,
}

impl Fix {
    /// The word in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Sync => "sync",
            Self::Records => "records",
            Self::Full => "full",
        }
    }
}

/// What the proof of one table found.
#[derive(Debug, Clone)]
pub struct Verification {
    /// Logical name.
    pub table: String,
    /// Rows of the organisation.
    pub rows: u64,
    /// Rows that the mirror has not.
    pub missing: Difference,
    /// Rows that the organisation has not.
    pub extra: Difference,
    /// Rows of another version.
    pub changed: Difference,
    /// The cheapest fix.
    pub fix: Fix,
    /// Differences were found and are repaired.
    pub repaired: bool,
    /// Both are equal now.
    pub equal: bool,
    /// Requests sent.
    pub requests: u64,
    /// Why it could not be proved or repaired.
    pub error: Option<Error>,
}

/// All differences of a table.
#[derive(Default)]
struct Differences {
    rows: u64,
    missing: Vec<Uuid>,
    extra: Vec<Uuid>,
    changed: Vec<Uuid>,
    /// Something differs that is no newer than what the mirror has.
    is_old: bool,
    /// The newest write of ours when the organisation was asked.
    asked: i64,
}

impl Session {
    /// Compares ids and versions of all rows with the organisation's. Where all are equal that is
    /// noted; where not, it is said, and repaired if that is wanted.
    ///
    /// # Errors
    /// Where another process syncs this connection and does not end, or a database cannot be read.
    pub async fn verify(
        &self,
        options: &VerifyOptions,
        cancel: &CancellationToken,
        compared: Compared<'_>,
    ) -> Result<Vec<Verification>> {
        let _turn = self.turn(false, cancel).await?;
        let tables = match options.tables.as_slice() {
            [] => self.mirrored_tables().await?,
            tables => tables.to_vec(),
        };
        let mut reports = Vec::new();
        for table in &tables {
            reports.push(self.verify_table(table, options, cancel, compared).await?);
        }
        if self.mirror().is_damaged() {
            self.data_dir().note_damage(self.row().id)?;
        }
        self.touch();
        Ok(reports)
    }

    async fn verify_table(
        &self,
        table: &str,
        options: &VerifyOptions,
        cancel: &CancellationToken,
        compared: Compared<'_>,
    ) -> Result<Verification> {
        let proof = Proof {
            session: self,
            client: self.client().metered(),
            table,
            compared,
        };
        let mut report = Verification {
            table: table.to_owned(),
            rows: 0,
            missing: Difference::default(),
            extra: Difference::default(),
            changed: Difference::default(),
            fix: Fix::None,
            repaired: false,
            equal: false,
            requests: 0,
            error: None,
        };
        let proved = tokio::select! {
            proved = proof.run(options, cancel, &mut report) => proved,
            () = cancel.cancelled() => Err(Error::interrupted()),
        };
        report.requests += proof.client.meter().requests();
        report.error = proved.err();
        Ok(report)
    }
}

struct Proof<'a> {
    session: &'a Session,
    client: salesmirror_dataverse::Client,
    table: &'a str,
    compared: Compared<'a>,
}

impl Proof<'_> {
    async fn run(
        &self,
        options: &VerifyOptions,
        cancel: &CancellationToken,
        report: &mut Verification,
    ) -> Result<()> {
        let found = self.compare().await?;
        let live = self
            .session
            .on_mirror(self.table, |mirror, table| mirror.live_rows(table))
            .await?;
        report.rows = found.rows;
        report.missing = difference(&found.missing);
        report.extra = difference(&found.extra);
        report.changed = difference(&found.changed);
        report.fix = cheapest(&found, live);
        if report.fix == Fix::None {
            return self.equal(report).await;
        }
        if !options.repair {
            return Ok(());
        }
        self.guard(&found, live, options.yes).await?;
        self.repair(found).await?;
        let sync = SyncOptions {
            yes: options.yes,
            ..SyncOptions::default()
        };
        let synced = run::run(self.session, self.table, &sync, cancel).await;
        report.requests += synced.requests;
        if let Some(error) = synced.error {
            return Err(error);
        }
        if cheapest(&self.compare().await?, live) == Fix::None {
            report.repaired = true;
            return self.equal(report).await;
        }
        Ok(())
    }

    async fn equal(&self, report: &mut Verification) -> Result<()> {
        self.session
            .on_mirror(self.table, |mirror, table| {
                mirror.stamp(table, Stamp::Verified, now_ms())
            })
            .await?;
        report.equal = true;
        Ok(())
    }

    async fn compare(&self) -> Result<Differences> {
        let metadata = Arc::new(self.session.metadata(self.table).await?);
        let column = facts(&metadata).mark;
        let asked = self
            .session
            .on_mirror(self.table, |mirror, _| mirror.newest_write())
            .await?;
        let theirs = self.read_ids(&metadata, column).await?;
        let ours = self
            .session
            .on_mirror(self.table, move |mirror, table| {
                mirror.live_ids(table, column)
            })
            .await?;
        Ok(Differences {
            asked,
            ..differences(theirs, &ours)
        })
    }

    async fn read_ids(
        &self,
        metadata: &Arc<TableMetadata>,
        column: Option<MarkColumn>,
    ) -> Result<HashMap<Uuid, Option<i64>>> {
        let mut fetch = Fetch {
            source: Source::Ids,
            ids: true,
            annotations: false,
            page_size: Measures::default().page_size,
        };
        let mirror = self.session.mirror();
        let mut found = HashMap::new();
        loop {
            let pending = Pending::send(&self.client, mirror, metadata, &fetch, column)?;
            let Hand::Ids(page, _) = pending.wait().await?? else {
                return Err(Error::interrupted());
            };
            found.extend(page.rows.0);
            (self.compared)(self.table, found.len() as u64);
            let Some(link) = page.end.next_link else {
                return Ok(found);
            };
            fetch.source = Source::Link(link);
        }
    }

    /// Extra rows become tombstones only as the guard allows.
    async fn guard(&self, found: &Differences, live: u64, yes: bool) -> Result<()> {
        let measures = self.session.measures().await?;
        let extra = found.extra.len() as u64;
        let share = extra as f64 / live.max(1) as f64;
        let is_many = extra > measures.guard_rows && share > measures.guard_share;
        if yes || extra == 0 || !(is_many || found.rows == 0) {
            return Ok(());
        }
        let some: Vec<Uuid> = found.extra.iter().take(EXAMPLES).copied().collect();
        let examples = self
            .session
            .on_mirror(self.table, move |mirror, table| mirror.names(table, &some))
            .await?;
        let preview = salesmirror_store::Preview {
            would_delete: extra,
            live_before: live,
            seen: found.rows,
            examples,
        };
        Err(guard_question(&preview, self.table))
    }

    /// Marks extra rows as deleted, and notes the others to be read again where no sync brings them.
    async fn repair(&self, found: Differences) -> Result<()> {
        let metadata = self.session.metadata(self.table).await?;
        self.session
            .on_mirror(self.table, move |mirror, table| {
                let mut batch = mirror.batch(table);
                batch.asked_at(found.asked);
                for id in found.extra {
                    batch.take(Change::Delete(id));
                }
                mirror.apply_records(&metadata, batch, Vec::new(), now_ms())?;
                if found.is_old {
                    mirror.want(table, [found.missing, found.changed].concat())?;
                }
                Ok(())
            })
            .await
    }
}

fn differences(mut theirs: HashMap<Uuid, Option<i64>>, ours: &[IdRow]) -> Differences {
    let newest = ours.iter().filter_map(|(_, value)| *value).max();
    let is_newer = |value: Option<i64>| value.is_some() && value > newest;
    let mut found = Differences {
        rows: theirs.len() as u64,
        ..Differences::default()
    };
    for (id, own) in ours {
        match theirs.remove(id) {
            None => found.extra.push(*id),
            Some(value) if value.is_some() && value != *own => {
                found.is_old |= !is_newer(value);
                found.changed.push(*id);
            }
            Some(_) => {}
        }
    }
    for (id, value) in theirs {
        found.is_old |= !is_newer(value);
        found.missing.push(id);
    }
    found.missing.sort();
    found
}

fn cheapest(found: &Differences, live: u64) -> Fix {
    let measures = Measures::default();
    let by_id = (found.missing.len() + found.changed.len()) as u64;
    if by_id == 0 && found.extra.is_empty() {
        Fix::None
    } else if !found.is_old {
        // Whether a row that is gone will be told of, nobody can say.
        match found.extra.is_empty() {
            true => Fix::Sync,
            false => Fix::Records,
        }
    } else if by_id <= measures.by_id_rows.max(live / measures.by_id_part) {
        Fix::Records
    } else {
        Fix::Full
    }
}

fn difference(ids: &[Uuid]) -> Difference {
    Difference {
        count: ids.len() as u64,
        examples: ids.iter().take(EXAMPLES).copied().collect(),
    }
}
