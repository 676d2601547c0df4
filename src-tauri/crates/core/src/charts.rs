//! The charts of Home: four questions that are answered from the mirror alone, each bar with the
//! filters that show its rows.

mod spans;
#[cfg(test)]
mod tests;
mod values;

use jiff::Zoned;
use salesmirror_model::{Cell, ColumnMetadata, TableMetadata};
use salesmirror_store::{AppDb, Condition, Mirror, TableState, Tallied, Tally, Test};
use uuid::Uuid;

use crate::charts::spans::{Spans, days, months};
use crate::charts::values::{groups, label, place, said, sign};
use crate::error::{Result, blocking};
use crate::render::view_row;
use crate::session::Session;

/// Where an opportunity's stage may be: first what Dynamics 365's own pipeline chart groups by. A
/// column that nobody fills is passed over.
const STAGES: [&str; 3] = ["stepname", "salesstage", "salesstagecode"];
/// What an opportunity may be worth: amounts in the organisation's own currency can be added up.
const AMOUNTS: [&str; 2] = ["estimatedvalue_base", "estimatedvalue"];
/// States of an opportunity, the same in every organisation.
const OPEN: i64 = 0;
const WON: i64 = 1;
const LOST: i64 = 2;

/// The four charts.
#[derive(Debug, Clone, PartialEq)]
pub struct Charts {
    /// Open opportunities by stage.
    pub pipeline: Chart,
    /// Opportunities won and lost in each of the last twelve months.
    pub closed: Chart,
    /// Leads by source.
    pub sources: Chart,
    /// Records that changed on each of the last fourteen days.
    pub changes: Chart,
}

/// A chart: groups of bars, in the order they are shown.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chart {
    /// The groups; empty where there is nothing to show.
    pub groups: Vec<Group>,
    /// Label of the column that amounts are of; `None` where rows are only counted.
    pub amount: Option<String>,
    /// Sign of the currency of amounts, where they have one in common.
    pub currency: Option<String>,
    /// What has to be known of it, or why there is nothing to show. A sentence.
    pub note: Option<String>,
}

/// Bars with a common label.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// A value's label, a month as `2026-03`, or a day as `2026-03-12`.
    pub label: String,
    /// The bars.
    pub bars: Vec<Bar>,
}

/// A bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// What tells it apart within its group.
    pub name: String,
    /// Rows.
    pub rows: u64,
    /// What they add up to, where the chart has amounts.
    pub amount: f64,
    /// Logical name of the rows' table.
    pub table: String,
    /// The filters that show the rows; `None` where no filters do.
    pub filters: Option<Vec<ChartFilter>>,
}

/// A condition, in the words of the command line and the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartFilter {
    /// Logical name of the column.
    pub column: String,
    /// `equal`, `in`, `is_null`, `greater_or_equal` or `less`.
    pub op: &'static str,
    /// What it compares with.
    pub values: Vec<String>,
}

impl ChartFilter {
    fn new(column: &ColumnMetadata, op: &'static str, values: Vec<String>) -> Self {
        Self {
            column: column.logical_name.clone(),
            op,
            values,
        }
    }
}

impl Chart {
    fn empty(note: impl Into<String>) -> Self {
        Self {
            note: Some(note.into()),
            ..Self::default()
        }
    }
}

impl Session {
    /// The charts as the mirror has them now, by the calendar of this computer. Large tables get an
    /// index afterwards, so that the next time is quick.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub async fn charts(&self) -> Result<Charts> {
        let session = self.clone();
        let (charts, wanted) = blocking(move || {
            let now = Zoned::now();
            read(session.mirror(), session.db(), session.row().id, &now)
        })
        .await?;
        // While rows arrive an index would have to be kept up with each of them.
        if !self.is_syncing() {
            let mirror = self.mirror().clone();
            tokio::task::spawn_blocking(move || {
                for (table, columns) in wanted {
                    if let Err(error) = mirror.keep_tally(table, &columns) {
                        tracing::warn!(%error, table, "no index was made for a chart");
                    }
                }
            });
        }
        Ok(charts)
    }
}

/// The columns that a table's charts read.
type Wanted = Vec<(&'static str, Vec<String>)>;

fn read(mirror: &Mirror, db: &AppDb, connection: Uuid, now: &Zoned) -> Result<(Charts, Wanted)> {
    let tables = mirror.tables()?;
    let mut reading = Reading {
        mirror,
        tables: &tables,
        now,
        wanted: Vec::new(),
    };
    let pipeline = reading.pipeline()?;
    let closed = reading.closed()?;
    let sources = reading.sources()?;
    let spans = days(now);
    let changed = db.changes_by_span(connection, &spans.bounds_ms())?;
    let charts = Charts {
        pipeline,
        closed,
        sources,
        changes: reading.changes(&spans, &changed),
    };
    Ok((charts, reading.wanted))
}

struct Reading<'r> {
    mirror: &'r Mirror,
    tables: &'r [TableState],
    now: &'r Zoned,
    wanted: Wanted,
}

impl<'r> Reading<'r> {
    fn pipeline(&mut self) -> Result<Chart> {
        let table = match self.table("opportunity", "Opportunities") {
            Ok(table) => table,
            Err(chart) => return Ok(*chart),
        };
        let Some(state) = table.column("statecode") else {
            return Ok(lacks(table, "statecode"));
        };
        let mut stages = STAGES
            .iter()
            .filter_map(|name| table.column(name))
            .peekable();
        if stages.peek().is_none() {
            return Ok(lacks(table, "stepname, salesstage or salesstagecode"));
        }
        let amount = amount(table);
        let mut found: Option<(&ColumnMetadata, Vec<Tallied>)> = None;
        for stage in stages {
            let tallied = self.mirror.tally(&Tally {
                table: table.logical_name.clone(),
                by: stage.logical_name.clone(),
                amount: amount.map(|column| column.logical_name.clone()),
                conditions: vec![is_state(state, &[OPEN])],
                spans: None,
            })?;
            let is_filled = tallied.iter().any(|group| group.value != Cell::Null);
            if is_filled || found.is_none() {
                found = Some((stage, tallied));
            }
            if is_filled {
                break;
            }
        }
        let Some((stage, mut tallied)) = found.filter(|(_, tallied)| !tallied.is_empty()) else {
            return Ok(Chart::empty("There are no open opportunities."));
        };
        let closing = table.column("actualclosedate");
        let columns = [Some(state), Some(stage), closing, amount];
        self.want("opportunity", columns.into_iter().flatten());
        tallied.sort_by_key(|group| place(stage, &group.value));
        let only_open = ChartFilter::new(state, "equal", vec![said(state, OPEN)]);
        Ok(Chart {
            currency: self.currency(table, amount, &tallied)?,
            groups: groups(table, stage, tallied, &[only_open]),
            ..amounts(table, amount)
        })
    }

    fn closed(&mut self) -> Result<Chart> {
        let table = match self.table("opportunity", "Opportunities") {
            Ok(table) => table,
            Err(chart) => return Ok(*chart),
        };
        let Some(state) = table.column("statecode") else {
            return Ok(lacks(table, "statecode"));
        };
        let Some(closing) = table.column("actualclosedate") else {
            return Ok(lacks(table, "actualclosedate"));
        };
        let amount = amount(table);
        let spans = months(self.now);
        let tallied = self.mirror.tally(&Tally {
            table: table.logical_name.clone(),
            by: state.logical_name.clone(),
            amount: amount.map(|column| column.logical_name.clone()),
            conditions: vec![is_state(state, &[WON, LOST])],
            spans: Some((closing.logical_name.clone(), spans.bounds(closing.kind))),
        })?;
        if tallied.is_empty() {
            let note = "No opportunity was won or lost in the last 12 months.";
            return Ok(Chart::empty(note));
        }
        let bar = |month: usize, number: i64| {
            let same =
                |group: &&Tallied| group.span == month && group.value == Cell::Integer(number);
            let group = tallied.iter().find(same);
            let mut filters = vec![ChartFilter::new(state, "equal", vec![said(state, number)])];
            filters.extend(spans.filters(month, closing));
            Bar {
                name: label(state, &Cell::Integer(number)),
                rows: group.map_or(0, |group| group.rows),
                amount: group.map_or(0.0, |group| group.amount),
                table: table.logical_name.clone(),
                filters: Some(filters),
            }
        };
        let groups = spans.labels.iter().enumerate().map(|(month, label)| Group {
            label: label.clone(),
            bars: vec![bar(month, WON), bar(month, LOST)],
        });
        Ok(Chart {
            groups: groups.collect(),
            currency: self.currency(table, amount, &tallied)?,
            ..amounts(table, amount)
        })
    }

    fn sources(&mut self) -> Result<Chart> {
        let table = match self.table("lead", "Leads") {
            Ok(table) => table,
            Err(chart) => return Ok(*chart),
        };
        let Some(source) = table.column("leadsourcecode") else {
            return Ok(lacks(table, "leadsourcecode"));
        };
        let mut tallied = self.mirror.tally(&Tally {
            table: table.logical_name.clone(),
            by: source.logical_name.clone(),
            ..Tally::default()
        })?;
        if tallied.is_empty() {
            return Ok(Chart::empty("There are no leads."));
        }
        self.want("lead", [source].into_iter());
        // The largest come first; those without a source say the least.
        tallied.sort_by_key(|group| group.value == Cell::Null);
        Ok(Chart {
            groups: groups(table, source, tallied, &[]),
            ..Chart::default()
        })
    }

    fn changes(&self, spans: &Spans, changed: &[(String, usize, u64)]) -> Chart {
        if changed.is_empty() {
            return Chart::empty(
                "No record changed in the last 14 days. The first copy of a table does not count.",
            );
        }
        let bar = |day: usize, name: &str, rows: u64| {
            let metadata = self.find(name).map(|state| &state.metadata);
            let modified = metadata.and_then(|table| table.column("modifiedon"));
            Bar {
                name: metadata
                    .map_or(name, |table| &table.display_collection_name)
                    .to_owned(),
                rows,
                amount: 0.0,
                table: name.to_owned(),
                filters: modified.map(|column| spans.filters(day, column)),
            }
        };
        let groups = spans.labels.iter().enumerate().map(|(day, label)| Group {
            label: label.clone(),
            bars: changed
                .iter()
                .filter(|(_, span, _)| *span == day)
                .map(|(table, _, rows)| bar(day, table, *rows))
                .collect(),
        });
        Chart {
            groups: groups.collect(),
            note: Some("The first copy of a table does not count.".to_owned()),
            ..Chart::default()
        }
    }

    fn find(&self, name: &str) -> Option<&'r TableState> {
        self.tables
            .iter()
            .find(|state| state.metadata.logical_name == name)
    }

    /// A table that has been synced, else the chart that says that it was not.
    fn table(&self, name: &str, usual: &str) -> Result<&'r TableMetadata, Box<Chart>> {
        match self.find(name) {
            Some(state) if state.live > 0 || state.last_sync.is_some() => Ok(&state.metadata),
            _ => Err(Box::new(Chart::empty(format!(
                "{usual} were not synced yet."
            )))),
        }
    }

    fn want<'c>(&mut self, table: &'static str, columns: impl Iterator<Item = &'c ColumnMetadata>) {
        let names = columns.map(|column| column.logical_name.clone());
        self.wanted.push((table, names.collect()));
    }

    /// The sign of the organisation's currency, read from an amount as it writes it.
    fn currency(
        &self,
        table: &TableMetadata,
        amount: Option<&ColumnMetadata>,
        tallied: &[Tallied],
    ) -> Result<Option<String>> {
        let Some(column) = amount.filter(|column| is_common(column)) else {
            return Ok(None);
        };
        let Some(rowid) = tallied.iter().find_map(|group| group.example) else {
            return Ok(None);
        };
        let row = self
            .mirror
            .example(&table.logical_name, &column.logical_name, rowid)?;
        let shown = row.and_then(|row| view_row(&[column], row).values.pop());
        Ok(shown.and_then(|shown| sign(&shown.text?)))
    }
}

fn lacks(table: &TableMetadata, columns: &str) -> Chart {
    let name = &table.display_collection_name;
    Chart::empty(format!(
        "{name} have no column {columns} in this organisation."
    ))
}

fn amount(table: &TableMetadata) -> Option<&ColumnMetadata> {
    AMOUNTS.iter().find_map(|name| table.column(name))
}

/// Whether amounts are in the organisation's own currency.
fn is_common(column: &ColumnMetadata) -> bool {
    column.logical_name.ends_with("_base")
}

/// A chart with what has to be said of its amounts.
fn amounts(table: &TableMetadata, amount: Option<&ColumnMetadata>) -> Chart {
    let note = match amount {
        Some(column) if is_common(column) => None,
        Some(_) => Some("Amounts are added up as they are, in whatever currency.".to_owned()),
        None => Some(format!(
            "{} have no column estimatedvalue in this organisation: they are only counted.",
            table.display_collection_name
        )),
    };
    Chart {
        amount: amount.map(|column| column.display_name.clone()),
        note,
        ..Chart::default()
    }
}

fn is_state(column: &ColumnMetadata, states: &[i64]) -> Condition {
    Condition {
        column: column.logical_name.clone(),
        test: Test::Equal(states.iter().copied().map(Cell::Integer).collect()),
    }
}
