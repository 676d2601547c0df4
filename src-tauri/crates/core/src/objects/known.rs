//! What other records say of a page of records, read for all of them at once.

use std::collections::HashMap;
use std::sync::PoisonError;

use salesmirror_model::unified::{Known, Progress, Wanted};
use salesmirror_model::{Cell, TableMetadata};
use salesmirror_store::{Mirror, Row, StoreError};
use uuid::Uuid;

use super::currencies::{CODE, CURRENCY};
use crate::error::Result;
use crate::render::moment;
use crate::session::Session;

/// Lookups of process instances to their opportunity: Microsoft's own tables have the first, those
/// that an admin designed the second.
const OPPORTUNITY_OF: [&str; 2] = ["opportunityid", "bpf_opportunityid"];
/// Lookup of process instances to the stage that is active; no other tables have it.
const ACTIVE_STAGE: &str = "activestageid";
/// Lookup of process instances to the process.
const PROCESS: &str = "processid";
/// `statecode` of a process instance that is under way.
const UNDER_WAY: i64 = 0;

impl Session {
    /// What is wanted, as far as the mirror and what was kept tell.
    pub(super) fn known(&self, wanted: &Wanted) -> Result<Known> {
        let mirror = self.mirror();
        let mut known = Known::default();
        if !wanted.currencies.is_empty() {
            known.currencies = self.currencies(wanted.currencies.iter().copied())?;
        }
        if !wanted.untyped.is_empty() {
            known.tables = mirror.tables_of(&wanted.untyped)?;
        }
        if !wanted.qualified.is_empty() {
            known.converted = converted(mirror, &wanted.qualified)?;
        }
        if !wanted.unnamed.is_empty() {
            let ids: Vec<Uuid> = wanted.unnamed.iter().copied().collect();
            for table in ["processstage", "workflow"] {
                known.names.extend(names(mirror, table, &ids)?);
            }
        }
        if !wanted.opportunities.is_empty() {
            let ids: Vec<Uuid> = wanted.opportunities.iter().copied().collect();
            known.progress = self.progress_of(&ids)?;
        }
        Ok(known)
    }

    /// ISO codes of currencies: of the table where it is mirrored, else as they were kept.
    pub(super) fn currencies(
        &self,
        ids: impl Iterator<Item = Uuid>,
    ) -> Result<HashMap<Uuid, String>> {
        let mut codes = self.kept_currencies()?;
        let ids: Vec<Uuid> = ids.collect();
        let mirrored = optional(self.mirror().rows_of(CURRENCY, &ids, &[CODE]))?;
        for row in mirrored.unwrap_or_default() {
            if let [Cell::Text(code)] = row.cells.as_slice() {
                codes.insert(row.id, code.to_string());
            }
        }
        codes.retain(|_, code| !code.trim().is_empty());
        Ok(codes)
    }

    /// How far the process instances of opportunities have come, where their tables are mirrored.
    fn progress_of(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, Progress>> {
        let mirror = self.mirror();
        let mut best: HashMap<Uuid, (Rank, Progress)> = HashMap::new();
        for table in mirror.tables_with(ACTIVE_STAGE)? {
            let metadata = mirror.shared_metadata(&table)?;
            let Some(instances) = Instances::of(&metadata) else {
                continue;
            };
            let rows =
                mirror.rows_pointing_to(&table, instances.opportunity, ids, &instances.columns)?;
            for row in &rows {
                let Some((opportunity, rank, progress)) = instances.read(row) else {
                    continue;
                };
                match best.get(&opportunity) {
                    Some((other, _)) if *other >= rank => {}
                    _ => drop(best.insert(opportunity, (rank, progress))),
                }
            }
            self.keep_lookup(&table, instances.opportunity);
        }
        let progress = best.into_iter();
        Ok(progress.map(|(id, (_, progress))| (id, progress)).collect())
    }

    /// Lets the next page find rows by a lookup quickly. Once for each lookup, and not while rows
    /// arrive, which would have to keep the index up.
    fn keep_lookup(&self, table: &str, lookup: &'static str) {
        if self.is_syncing() {
            return;
        }
        let mut indexed = self
            .objects_memory()
            .indexed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if !indexed.insert(format!("{table}.{lookup}")) {
            return;
        }
        drop(indexed);
        let (mirror, table) = (self.mirror().clone(), table.to_owned());
        std::thread::spawn(move || {
            if let Err(error) = mirror.keep_lookup(&table, lookup) {
                tracing::warn!(%error, table, lookup, "no index was made for a lookup");
            }
        });
    }
}

/// Which of an opportunity's process instances counts: one that is under way, the newest of them.
type Rank = (bool, Option<i64>);

/// How a table of process instances is read.
struct Instances<'m> {
    metadata: &'m TableMetadata,
    opportunity: &'static str,
    columns: Vec<&'static str>,
}

impl<'m> Instances<'m> {
    /// `None` for a table that is none of opportunities.
    fn of(metadata: &'m TableMetadata) -> Option<Self> {
        let has = |name: &&str| metadata.column(name).is_some();
        let opportunity = OPPORTUNITY_OF.into_iter().find(|name| has(name))?;
        let columns = [
            opportunity,
            ACTIVE_STAGE,
            PROCESS,
            "statecode",
            "modifiedon",
        ];
        Some(Self {
            metadata,
            opportunity,
            columns: columns.into_iter().filter(|name| has(name)).collect(),
        })
    }

    /// The opportunity of an instance, and what the instance says.
    fn read(&self, row: &Row) -> Option<(Uuid, Rank, Progress)> {
        let cell = |wanted: &str| {
            let place = self.columns.iter().position(|name| *name == wanted)?;
            row.cells.get(place)
        };
        let name = |wanted: &str| match cell(wanted) {
            Some(Cell::Lookup(lookup)) => lookup.name.as_deref().map(str::to_owned),
            _ => None,
        };
        let integer = |wanted: &str| match cell(wanted) {
            Some(Cell::Integer(number)) => Some(*number),
            _ => None,
        };
        let Some(Cell::Lookup(opportunity)) = cell(self.opportunity) else {
            return None;
        };
        let rank = (
            integer("statecode") == Some(UNDER_WAY),
            integer("modifiedon"),
        );
        let progress = Progress {
            stage: name(ACTIVE_STAGE),
            // The table of a process bears the process's name.
            pipeline: name(PROCESS).or_else(|| Some(self.metadata.display_name.clone())),
        };
        Some((opportunity.id, rank, progress))
    }
}

/// When leads were seen to be qualified, else when their opportunities were made.
fn converted(
    mirror: &Mirror,
    qualified: &HashMap<Uuid, Option<Uuid>>,
) -> Result<HashMap<Uuid, String>> {
    let leads: Vec<Uuid> = qualified.keys().copied().collect();
    let seen = mirror.seen_to_become("lead", "statecode", "1", &leads)?;
    let mut dates: HashMap<Uuid, String> = seen
        .into_iter()
        .map(|(lead, seen_at)| (lead, moment(seen_at)))
        .collect();
    let unseen = qualified
        .iter()
        .filter(|(lead, _)| !dates.contains_key(*lead))
        .filter_map(|(lead, opportunity)| Some((*lead, (*opportunity)?)));
    let unseen: Vec<(Uuid, Uuid)> = unseen.collect();
    if unseen.is_empty() {
        return Ok(dates);
    }
    let ids: Vec<Uuid> = unseen.iter().map(|(_, opportunity)| *opportunity).collect();
    let rows = optional(mirror.rows_of("opportunity", &ids, &["createdon"]))?;
    let created: HashMap<Uuid, i64> = rows
        .unwrap_or_default()
        .into_iter()
        .filter_map(|row| match row.cells.as_slice() {
            [Cell::Integer(created)] => Some((row.id, *created)),
            _ => None,
        })
        .collect();
    for (lead, opportunity) in unseen {
        if let Some(created) = created.get(&opportunity) {
            dates.insert(lead, moment(*created));
        }
    }
    Ok(dates)
}

/// Names of a table's rows, where it is mirrored.
fn names(mirror: &Mirror, table: &str, ids: &[Uuid]) -> Result<HashMap<Uuid, String>> {
    let metadata = match mirror.shared_metadata(table) {
        Err(StoreError::UnknownTable(_)) => return Ok(HashMap::new()),
        found => found?,
    };
    let Some(primary_name) = &metadata.primary_name else {
        return Ok(HashMap::new());
    };
    let rows = mirror.rows_of(table, ids, &[primary_name])?;
    let named = rows
        .into_iter()
        .filter_map(|row| match row.cells.as_slice() {
            [Cell::Text(name)] => Some((row.id, name.to_string())),
            _ => None,
        });
    Ok(named.collect())
}

/// Nothing where the table or its column is not mirrored.
fn optional<T>(result: Result<T, StoreError>) -> Result<Option<T>> {
    match result {
        Err(StoreError::UnknownTable(_) | StoreError::UnknownColumn { .. }) => Ok(None),
        result => Ok(Some(result?)),
    }
}
