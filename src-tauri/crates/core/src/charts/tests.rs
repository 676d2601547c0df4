use jiff::tz::TimeZone;
use salesmirror_model::ColumnKind;
use salesmirror_model::{Change, Choice, Collect as _, PageEnd, Record, Value};
use salesmirror_store::{Begin, ConnectionRow, DatabaseKey, RunRow};
use tempfile::TempDir;

use super::*;
use crate::selectors::Selectors;

struct Bench {
    _folder: TempDir,
    mirror: Mirror,
    db: AppDb,
    connection: Uuid,
    now: Zoned,
}

fn column(name: &str, kind: ColumnKind, labels: &[(i64, &str)]) -> ColumnMetadata {
    let choice = |(value, label): &(i64, &str)| Choice {
        value: *value,
        label: (*label).to_owned(),
        state: None,
    };
    ColumnMetadata {
        logical_name: name.to_owned(),
        display_name: format!("Label of {name}"),
        kind,
        targets: vec![],
        choices: labels.iter().map(choice).collect(),
        is_custom: false,
    }
}

fn table(name: &str, plural: &str, columns: Vec<ColumnMetadata>) -> TableMetadata {
    TableMetadata {
        logical_name: name.to_owned(),
        entity_set_name: plural.to_lowercase(),
        primary_id: format!("{name}id"),
        primary_name: None,
        display_name: name.to_owned(),
        display_collection_name: plural.to_owned(),
        is_custom: false,
        object_type_code: None,
        change_tracking: true,
        columns,
    }
}

fn state() -> ColumnMetadata {
    let labels = [(0, "Open"), (1, "Won"), (2, "Lost")];
    column("statecode", ColumnKind::State, &labels)
}

fn stage() -> ColumnMetadata {
    let labels = [(0, "Qualify"), (1, "Develop"), (2, "Close"), (7, "close")];
    column("salesstage", ColumnKind::Choice, &labels)
}

/// State, phase, stage, amount in base currency, close date.
fn opportunities() -> TableMetadata {
    let columns = vec![
        state(),
        column("stepname", ColumnKind::Text, &[]),
        stage(),
        column("estimatedvalue_base", ColumnKind::Money, &[]),
        column("actualclosedate", ColumnKind::DateOnly, &[]),
        column("modifiedon", ColumnKind::DateTime, &[]),
    ];
    table("opportunity", "Opportunities", columns)
}

const AMOUNT: &str =
    r#"{"estimatedvalue_base@OData.Community.Display.V1.FormattedValue":"€1,250.00"}"#;

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = || DatabaseKey::from_bytes([7; 32]);
        let db = AppDb::open(&folder.path().join("app.db"), &key()).unwrap();
        let connection = ConnectionRow {
            id: Uuid::from_u128(9),
            name: "norrvale".to_owned(),
            ..ConnectionRow::default()
        };
        db.put_connection(&connection).unwrap();
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        Self {
            mirror: Mirror::open(&folder.path().join("mirror.db"), &key()).unwrap(),
            _folder: folder,
            db,
            connection: connection.id,
            now: jiff::civil::date(2026, 3, 12)
                .at(0, 30, 0, 0)
                .to_zoned(zone)
                .unwrap(),
        }
    }

    fn fill(&self, table: &TableMetadata, rows: &[Vec<Option<Value<'static>>>]) {
        self.mirror.define_table(table).unwrap();
        let name = &table.logical_name;
        let begin = Begin::Full {
            tracked: true,
            mark: None,
        };
        self.mirror.begin(name, begin, 1).unwrap();
        let mut batch = self.mirror.batch(name);
        for (index, values) in rows.iter().enumerate() {
            batch.take(Change::Upsert(Record {
                id: Uuid::from_u64_pair(7, index as u64),
                version: Some(1),
                values: values
                    .iter()
                    .cloned()
                    .enumerate()
                    .filter_map(|(at, value)| Some((at, value?)))
                    .collect(),
                raw: AMOUNT,
            }));
        }
        let end = PageEnd {
            delta_link: Some("d".into()),
            ..PageEnd::default()
        };
        self.mirror.apply_page(table, batch, end, 1).unwrap();
        self.mirror.reconcile(name, 2).unwrap();
    }

    fn charts(&self) -> Charts {
        read(&self.mirror, &self.db, self.connection, &self.now)
            .unwrap()
            .0
    }

    /// How many rows the filters of a bar show.
    fn shown(&self, bar: &Bar) -> u64 {
        let filters = bar.filters.as_ref().expect("filters").iter().map(|filter| {
            let operator = match filter.op {
                "equal" => "=",
                "in" => "in",
                "is_null" => "is-null",
                "greater_or_equal" => ">=",
                "less" => "<",
                other => panic!("{other} is no operator"),
            };
            let values: Vec<String> = filter
                .values
                .iter()
                .map(|value| format!("\"{value}\""))
                .collect();
            format!("{} {operator} {}", filter.column, values.join(","))
        });
        let selectors = Selectors {
            filters: filters.collect(),
            ..Selectors::default()
        };
        let metadata = self.mirror.metadata(&bar.table).unwrap();
        self.mirror
            .open_view(&selectors.view(&metadata).unwrap())
            .unwrap()
            .total()
    }

    /// Label, rows and amount of each bar, after it was checked that its filters show its rows.
    fn bars(&self, chart: &Chart) -> Vec<(String, u64, f64)> {
        let bars = chart.groups.iter().flat_map(|group| &group.bars);
        bars.map(|bar| {
            assert_eq!(self.shown(bar), bar.rows, "{bar:?}");
            (bar.name.clone(), bar.rows, bar.amount)
        })
        .collect()
    }
}

fn day(text: &str) -> Value<'static> {
    let date: jiff::civil::Date = text.parse().unwrap();
    let since = date.since(jiff::civil::date(1970, 1, 1)).unwrap();
    Value::Integer(since.get_days().into())
}

fn opportunity(
    state: i64,
    phase: Option<&'static str>,
    stage: Option<i64>,
    amount: Option<f64>,
    closed: Option<&str>,
) -> Vec<Option<Value<'static>>> {
    vec![
        Some(Value::Integer(state)),
        phase.map(|text| Value::Text(text.into())),
        stage.map(Value::Integer),
        amount.map(Value::Real),
        closed.map(day),
    ]
}

#[test]
fn open_opportunities_are_added_up_by_the_phase_that_they_name() {
    let bench = Bench::new();
    let rows = [
        opportunity(0, Some("10-Close"), None, Some(1.0), None),
        opportunity(0, Some("2-Develop"), Some(1), Some(20.0), None),
        opportunity(0, Some("2-Develop"), Some(1), None, None),
        opportunity(0, None, Some(1), Some(3.5), None),
        opportunity(
            1,
            Some("2-Develop"),
            Some(1),
            Some(400.0),
            Some("2026-03-01"),
        ),
    ];
    bench.fill(&opportunities(), &rows);
    let chart = bench.charts().pipeline;
    assert_eq!(
        bench.bars(&chart),
        [
            ("2-Develop".to_owned(), 2, 20.0),
            ("10-Close".to_owned(), 1, 1.0),
            ("Not set".to_owned(), 1, 3.5),
        ]
    );
    assert_eq!(chart.currency.as_deref(), Some("€"));
    assert_eq!(
        chart.amount.as_deref(),
        Some("Label of estimatedvalue_base")
    );
    assert_eq!(chart.note, None);
}

#[test]
fn a_phase_that_nobody_fills_is_passed_over_for_the_stage() {
    let bench = Bench::new();
    let rows = [
        opportunity(0, None, Some(7), None, None),
        opportunity(0, None, Some(2), None, None),
        opportunity(0, None, Some(99), None, None),
        opportunity(0, None, Some(0), None, None),
    ];
    bench.fill(&opportunities(), &rows);
    let bars = bench.bars(&bench.charts().pipeline);
    let names: Vec<&str> = bars.iter().map(|(name, ..)| name.as_str()).collect();
    // In the organisation's order; two that are called alike stay two.
    assert_eq!(names, ["Qualify", "Close", "close", "99"]);
}

#[test]
fn what_is_closed_falls_into_the_month_of_its_day() {
    let bench = Bench::new();
    let rows = [
        opportunity(1, None, None, Some(1.0), Some("2026-03-31")),
        opportunity(1, None, None, Some(2.0), Some("2026-03-01")),
        opportunity(2, None, None, Some(4.0), Some("2026-02-28")),
        opportunity(2, None, None, Some(8.0), Some("2025-04-01")),
        opportunity(2, None, None, Some(16.0), Some("2025-03-31")),
        opportunity(1, None, None, Some(32.0), Some("2026-04-01")),
        opportunity(0, None, None, Some(64.0), Some("2026-03-05")),
    ];
    bench.fill(&opportunities(), &rows);
    let chart = bench.charts().closed;
    let labels: Vec<&str> = chart
        .groups
        .iter()
        .map(|group| group.label.as_str())
        .collect();
    assert_eq!(labels.len(), 12);
    assert_eq!((labels[0], labels[11]), ("2025-04", "2026-03"));
    let bars = bench.bars(&chart);
    assert_eq!(bars[0], ("Won".to_owned(), 0, 0.0));
    assert_eq!(bars[1], ("Lost".to_owned(), 1, 8.0));
    assert_eq!(bars[21], ("Lost".to_owned(), 1, 4.0));
    assert_eq!(bars[22], ("Won".to_owned(), 2, 3.0));
}

#[test]
fn a_moment_falls_into_the_month_that_people_had_then() {
    let bench = Bench::new();
    let mut table = opportunities();
    table.columns[4].kind = ColumnKind::DateTime;
    let closed = |text: &str| {
        let moment: jiff::Timestamp = text.parse().unwrap();
        let mut row = opportunity(1, None, None, None, None);
        row[4] = Some(Value::Integer(moment.as_millisecond()));
        row
    };
    // In Berlin it is an hour later.
    bench.fill(
        &table,
        &[
            closed("2026-02-28T22:59:59Z"),
            closed("2026-02-28T23:00:00Z"),
        ],
    );
    let bars = bench.bars(&bench.charts().closed);
    assert_eq!((bars[20].1, bars[22].1), (1, 1));
}

#[test]
fn leads_are_counted_by_source_and_the_smallest_become_one() {
    let bench = Bench::new();
    let names: Vec<String> = (1..=14).map(|number| format!("Source, {number}")).collect();
    let labels: Vec<(i64, &str)> = (1..).zip(names.iter().map(String::as_str)).collect();
    let source = column("leadsourcecode", ColumnKind::Choice, &labels);
    let leads = table("lead", "Leads", vec![source]);
    let mut rows = vec![vec![None]; 40];
    for number in 1..=14_i64 {
        for _ in 0..number {
            rows.push(vec![Some(Value::Integer(number))]);
        }
    }
    bench.fill(&leads, &rows);
    let chart = bench.charts().sources;
    let bars = bench.bars(&chart);
    assert_eq!(bars.len(), 10);
    assert_eq!(bars[0], ("Source, 14".to_owned(), 14, 0.0));
    assert_eq!(bars[8], ("Not set".to_owned(), 40, 0.0));
    assert_eq!(bars[9], ("6 more".to_owned(), 21, 0.0));
    assert_eq!(bars.iter().map(|(_, rows, _)| rows).sum::<u64>(), 145);
}

#[test]
fn what_is_missing_is_said() {
    let bench = Bench::new();
    let charts = bench.charts();
    let note = |chart: &Chart| chart.note.clone().unwrap_or_default();
    assert_eq!(note(&charts.pipeline), "Opportunities were not synced yet.");
    assert_eq!(note(&charts.sources), "Leads were not synced yet.");
    assert!(note(&charts.changes).starts_with("No record changed"));

    bench.fill(&table("lead", "Interessenten", vec![state()]), &[]);
    bench.fill(
        &table("opportunity", "Deals", vec![state()]),
        &[vec![Some(Value::Integer(0))]],
    );
    let charts = bench.charts();
    let lacks = "have no column leadsourcecode in this organisation.";
    assert_eq!(note(&charts.sources), format!("Interessenten {lacks}"));
    let lacks = "have no column stepname, salesstage or salesstagecode in this organisation.";
    assert_eq!(note(&charts.pipeline), format!("Deals {lacks}"));
    assert!(note(&charts.closed).contains("actualclosedate"));

    let without_amount = table("opportunity", "Deals", vec![state(), stage()]);
    bench.fill(
        &without_amount,
        &[vec![Some(Value::Integer(0)), Some(Value::Integer(1))]],
    );
    let chart = bench.charts().pipeline;
    assert_eq!((chart.groups.len(), chart.amount.clone()), (1, None));
    assert!(note(&chart).contains("estimatedvalue"));

    bench.fill(&opportunities(), &[]);
    let charts = bench.charts();
    assert_eq!(note(&charts.pipeline), "There are no open opportunities.");
    assert!(note(&charts.closed).contains("won or lost in the last 12 months"));
}

#[test]
fn changes_are_told_by_the_day_of_this_computer_without_the_first_copy() {
    let bench = Bench::new();
    bench.fill(&opportunities(), &[opportunity(0, None, None, None, None)]);
    let run = |table: &str, strategy: &str, status: &str, at: &str, figures: [u64; 3]| {
        let at: jiff::Timestamp = at.parse().unwrap();
        let run = RunRow {
            connection: bench.connection,
            table: table.to_owned(),
            strategy: strategy.to_owned(),
            status: status.to_owned(),
            started_at: at.as_millisecond(),
            inserted: figures[0],
            updated: figures[1],
            deleted: figures[2],
            ..RunRow::default()
        };
        bench.db.put_run(&run).unwrap();
    };
    run(
        "opportunity",
        "full",
        "interrupted",
        "2026-03-10T10:00:00Z",
        [500, 0, 0],
    );
    run(
        "opportunity",
        "full",
        "success",
        "2026-03-10T11:00:00Z",
        [400, 3, 0],
    );
    run(
        "opportunity",
        "full",
        "success",
        "2026-03-11T22:00:00Z",
        [5, 1, 1],
    );
    // In Berlin this is half past midnight.
    run(
        "opportunity",
        "incremental",
        "success",
        "2026-03-11T23:30:00Z",
        [2, 2, 2],
    );
    run(
        "task",
        "incremental",
        "success",
        "2026-03-11T23:29:00Z",
        [0, 9, 0],
    );
    run(
        "task",
        "incremental",
        "success",
        "2026-02-20T10:00:00Z",
        [0, 9, 0],
    );
    let chart = bench.charts().changes;
    assert_eq!(chart.groups.len(), 14);
    assert_eq!(chart.groups[13].label, "2026-03-12");
    let day = |index: usize| {
        let bars = chart.groups[index].bars.iter();
        bars.map(|bar| (bar.name.as_str(), bar.rows))
            .collect::<Vec<_>>()
    };
    assert_eq!(day(11), [("Opportunities", 3)]);
    assert_eq!(day(12), [("Opportunities", 7)]);
    assert_eq!(day(13), [("task", 9), ("Opportunities", 6)]);
    let filters = chart.groups[13].bars[1].filters.clone().unwrap();
    assert_eq!(filters[0].column, "modifiedon");
    assert_eq!(filters[0].values, ["2026-03-11T23:00:00Z"]);
    assert_eq!(filters[1].values, ["2026-03-12T23:00:00Z"]);
    assert_eq!(chart.groups[13].bars[0].filters, None);
}

#[test]
fn the_sign_of_a_currency_is_what_stands_beside_the_digits() {
    let rows = [
        ("€1,250.00", Some("€")),
        ("1 250,00 kr", Some("kr")),
        ("CHF 1'250.00", Some("CHF")),
        ("R$1.250,00", Some("R$")),
        ("($1,250.00)", Some("$")),
        ("1,250.00", None),
        ("1 million euro or so", None),
    ];
    for (text, expected) in rows {
        assert_eq!(sign(text).as_deref(), expected, "{text}");
    }
}
