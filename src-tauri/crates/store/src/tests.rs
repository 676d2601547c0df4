use salesmirror_model::{
    Cell, Change, Choice, Collect as _, ColumnKind, ColumnMetadata, PageEnd, Record, TableMetadata,
    Value,
};
use tempfile::TempDir;
use uuid::Uuid;

use super::*;

mod charts;
mod histogram;
mod history;
mod query;
mod related;
mod requests;
mod sorting;
mod upgrade;
mod writes;

const FULL: Begin = Begin::Full {
    tracked: true,
    mark: None,
};

fn column(name: &str, kind: ColumnKind) -> ColumnMetadata {
    let targets = if name == "parentcustomerid" {
        vec!["account".into(), "contact".into()]
    } else {
        vec![]
    };
    let choices = if kind == ColumnKind::Choice {
        vec![
            Choice {
                value: 1,
                label: "Preferred".into(),
                state: None,
            },
            Choice {
                value: 2,
                label: "Blocked".into(),
                state: None,
            },
        ]
    } else {
        vec![]
    };
    ColumnMetadata {
        logical_name: name.into(),
        display_name: name.into(),
        kind,
        targets,
        choices,
        is_custom: false,
    }
}

fn table(name: &str) -> TableMetadata {
    TableMetadata {
        logical_name: name.into(),
        entity_set_name: format!("{name}s"),
        primary_id: format!("{name}id"),
        primary_name: Some("fullname".into()),
        display_name: name.into(),
        display_collection_name: name.into(),
        is_custom: false,
        object_type_code: None,
        change_tracking: true,
        columns: vec![
            column("fullname", ColumnKind::Text),
            column("income", ColumnKind::Money),
            column("rating", ColumnKind::Choice),
            column("parentcustomerid", ColumnKind::Customer),
            // What the organisation can name a column is not ours to trust.
            column("odd\"; drop table mirrored; --", ColumnKind::Memo),
        ],
    }
}

fn id(number: u64) -> Uuid {
    Uuid::from_u64_pair(7, number)
}

fn record(number: u64, version: i64, name: &str) -> Record<'static> {
    let raw = format!("{{\"fullname\":\"{name}\",\"v\":{version}}}");
    Record {
        id: id(number),
        version: Some(version),
        values: vec![
            (0, Value::Text(name.to_owned().into())),
            (1, Value::Real(number as f64 * 1.5)),
            (2, Value::Integer((number % 2 + 1) as i64)),
            (4, Value::Text(format!("Note {number}: grön energi").into())),
        ],
        raw: raw.leak(),
    }
}

fn end(next: Option<&str>, delta: Option<&str>) -> PageEnd {
    PageEnd {
        next_link: next.map(Into::into),
        delta_link: delta.map(Into::into),
        ..PageEnd::default()
    }
}

fn upserts(range: std::ops::Range<u64>, version: i64) -> Vec<Change<'static>> {
    range
        .map(|n| Change::Upsert(record(n, version, &format!("Person {n:03}"))))
        .collect()
}

struct Bench {
    folder: TempDir,
    key: DatabaseKey,
    mirror: Mirror,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = DatabaseKey::from_bytes([7; 32]);
        let mirror = Mirror::open(&folder.path().join("mirror.db"), &key).unwrap();
        mirror.define_table(&table("contact")).unwrap();
        Self {
            folder,
            key,
            mirror,
        }
    }

    /// Contacts 0 to 9, fully synced.
    fn synced() -> Self {
        let bench = Self::new();
        bench.mirror.begin("contact", FULL, 1).unwrap();
        bench.apply(upserts(0..10, 5), None, Some("d1"), 1);
        bench.mirror.reconcile("contact", 2).unwrap();
        bench
    }

    fn reopened(self) -> Self {
        let Self {
            folder,
            key,
            mirror,
        } = self;
        drop(mirror);
        let mirror = Mirror::open(&folder.path().join("mirror.db"), &key).unwrap();
        Self {
            folder,
            key,
            mirror,
        }
    }

    fn batch(&self, changes: Vec<Change<'_>>) -> Batch {
        let mut batch = self.mirror.batch("contact");
        for change in changes {
            batch.take(change);
        }
        batch
    }

    fn apply(
        &self,
        changes: Vec<Change<'_>>,
        next: Option<&str>,
        delta: Option<&str>,
        now: i64,
    ) -> PageOutcome {
        let batch = self.batch(changes);
        self.mirror
            .apply_page(&table("contact"), batch, end(next, delta), now)
            .unwrap()
    }

    fn names(&self, spec: ViewSpec) -> Vec<String> {
        let spec = ViewSpec {
            table: "contact".into(),
            ..spec
        };
        let view = self.mirror.open_view(&spec).unwrap();
        self.mirror
            .window(&view, 0, 100, &["fullname".into()], false)
            .unwrap()
            .into_iter()
            .map(|row| match &row.cells[0] {
                Cell::Text(text) => text.to_string(),
                other => format!("{other:?}"),
            })
            .collect()
    }

    fn state(&self) -> TableState {
        self.mirror.tables().unwrap().remove(0)
    }
}

#[test]
fn a_full_sync_resumes_at_its_last_page_and_promotes_its_link_with_the_tombstones() {
    let bench = Bench::new();
    let run = bench.mirror.begin("contact", FULL, 1).unwrap();
    bench.apply(upserts(0..3, 5), Some("n1"), None, 1);
    let bench = bench.reopened();
    let scanning = Checkpoint::Scanning {
        run,
        next_link: Some("n1".into()),
        tracked: true,
    };
    assert_eq!(bench.mirror.checkpoint("contact").unwrap(), scanning);
    // The page once more: nothing is counted or kept twice.
    let again = bench.apply(upserts(0..3, 5), Some("n1"), None, 1);
    assert_eq!(again, PageOutcome::default());
    bench.apply(upserts(2..6, 5), None, Some("d1"), 1);
    assert_eq!(
        bench.mirror.checkpoint("contact").unwrap(),
        Checkpoint::Reconciling { run }
    );
    assert_eq!(bench.mirror.reconcile("contact", 2).unwrap(), 0);
    let idle = Checkpoint::Idle {
        mark: None,
        delta_link: Some("d1".into()),
        needs_full: false,
    };
    assert_eq!(bench.mirror.checkpoint("contact").unwrap(), idle);
    assert_eq!(bench.state().live, 6);
}

#[test]
fn a_second_full_sync_finds_what_was_deleted_and_says_so_before() {
    let bench = Bench::synced();
    bench.mirror.begin("contact", FULL, 3).unwrap();
    let outcome = bench.apply(upserts(0..8, 5), None, Some("d2"), 3);
    assert_eq!(
        outcome,
        PageOutcome {
            unchanged: 8,
            ..PageOutcome::default()
        }
    );
    let preview = bench.mirror.reconcile_preview("contact").unwrap();
    assert_eq!(
        (preview.would_delete, preview.live_before, preview.seen),
        (2, 10, 8)
    );
    assert_eq!(preview.examples, ["Person 008", "Person 009"]);
    assert_eq!(bench.mirror.reconcile("contact", 4).unwrap(), 2);
    assert_eq!((bench.state().live, bench.state().deleted), (8, 2));
    let only = ViewSpec {
        deleted: Deleted::Only,
        ..ViewSpec::default()
    };
    assert_eq!(bench.names(only), ["Person 008", "Person 009"]);
}

#[test]
fn an_incremental_sync_applies_changes_deletes_and_returns() {
    let bench = Bench::synced();
    bench.mirror.begin("contact", Begin::Following, 3).unwrap();
    let changes = vec![
        Change::Upsert(record(1, 9, "Renamed")),
        Change::Upsert(record(2, 4, "From an older page")),
        Change::Delete(id(3)),
        Change::Delete(id(999)),
        Change::Upsert(record(50, 9, "New")),
    ];
    let outcome = bench.apply(changes, None, Some("d2"), 3);
    assert_eq!(
        outcome,
        PageOutcome {
            inserted: 1,
            updated: 1,
            unchanged: 1,
            deleted: 1
        }
    );
    assert_eq!((bench.state().live, bench.state().deleted), (10, 1));
    let names = bench.names(ViewSpec::default());
    assert!(names.contains(&"Renamed".into()) && names.contains(&"Person 002".into()));
    bench.mirror.begin("contact", Begin::Following, 4).unwrap();
    let back = vec![Change::Upsert(record(3, 12, "Back"))];
    bench.apply(back, None, None, 4);
    assert_eq!((bench.state().live, bench.state().deleted), (11, 0));
    let idle = Checkpoint::Idle {
        mark: None,
        delta_link: Some("d2".into()),
        needs_full: false,
    };
    assert_eq!(bench.mirror.checkpoint("contact").unwrap(), idle);
}

#[test]
fn invalidated_rows_stay_and_are_fresh_again_once_read() {
    let bench = Bench::synced();
    assert_eq!(
        bench
            .mirror
            .invalidate_records("contact", &[id(1), id(77)], 5)
            .unwrap(),
        1
    );
    assert_eq!(bench.mirror.stale_ids("contact", 10).unwrap(), [id(1)]);
    assert_eq!(bench.mirror.invalidate_table("contact", 6).unwrap(), 10);
    assert_eq!(bench.state().stale, 10);
    bench
        .mirror
        .apply_records(&table("contact"), bench.batch(upserts(0..10, 5)), vec![], 7)
        .unwrap();
    assert_eq!(bench.state().stale, 0);
}

#[test]
fn views_sort_filter_and_search() {
    let bench = Bench::synced();
    let sorted = |column: &str, descending| ViewSpec {
        sort: Some(Sort {
            column: column.into(),
            descending,
        }),
        ..ViewSpec::default()
    };
    assert_eq!(bench.names(sorted("income", true))[0], "Person 009");
    assert_eq!(
        bench.names(sorted("rating", false))[0],
        "Person 001",
        "Blocked before Preferred"
    );
    let where_ = |column: &str, test| ViewSpec {
        conditions: vec![Condition {
            column: column.into(),
            test,
        }],
        ..ViewSpec::default()
    };
    let hostile = "odd\"; drop table mirrored; --";
    assert_eq!(
        bench.names(where_(hostile, Test::Contains("4: GRÖN".into()))),
        ["Person 004"]
    );
    assert_eq!(
        bench.names(where_("income", Test::Less(Cell::Real(1.5)))),
        ["Person 000"]
    );
    assert_eq!(
        bench
            .names(where_("rating", Test::Equal(vec![Cell::Integer(2)])))
            .len(),
        5
    );
    assert_eq!(
        bench.names(where_("parentcustomerid", Test::IsNull)).len(),
        10
    );
    let search = |text: &str| ViewSpec {
        search: Some(text.into()),
        ..ViewSpec::default()
    };
    assert!(bench.names(search("son 004")).is_empty(), "not indexed yet");
    let progress = bench.mirror.index_search("contact", 100).unwrap();
    assert_eq!((progress.indexed, progress.total), (10, 10));
    assert_eq!(bench.names(search("RSON 004")), ["Person 004"]);
    // A filter finds its candidates there, and looks into its own column.
    let contains = |column: &str, text: &str| where_(column, Test::Contains(text.into()));
    assert_eq!(
        bench.names(contains("fullname", "RSON 004")),
        ["Person 004"]
    );
    assert!(bench.names(contains("fullname", "zzzz")).is_empty());
    assert_eq!(bench.names(contains("fullname", "n 0")).len(), 10);
    assert_eq!(
        bench.names(search("gron energi pe")).len(),
        10,
        "without its accent"
    );
    assert!(bench.names(search("\" OR 1")).is_empty());
    // A look at the first that are found, in the same order.
    for (text, most, found, is_whole) in [
        ("person", 4, 4, false),
        ("person", 11, 10, true),
        ("pe", 4, 4, false),
    ] {
        let first = ViewSpec {
            table: "contact".into(),
            at_most: Some(most),
            ..search(text)
        };
        let view = bench.mirror.open_view(&first).unwrap();
        assert_eq!(
            (view.total(), view.is_whole),
            (found, is_whole),
            "{text} {most}"
        );
    }
    let unknown = ViewSpec {
        table: "contact".into(),
        ..where_("nothing", Test::IsNull)
    };
    let error = bench.mirror.open_view(&unknown).unwrap_err();
    assert_eq!(error.code(), "unknown_column");
}

#[test]
fn a_lookup_shows_the_current_name_of_a_mirrored_target() {
    let bench = Bench::synced();
    let lookup = |target: &str, number, name: &str| Value::Lookup {
        id: id(number),
        table: Some(target.to_owned().into()),
        name: Some(name.to_owned().into()),
    };
    let mut to_contact = record(20, 6, "Child");
    to_contact
        .values
        .push((3, lookup("contact", 1, "Old name of 1")));
    let mut to_account = record(21, 6, "Employee");
    to_account
        .values
        .push((3, lookup("account", 1, "Osterhall Energy")));
    let changes = vec![Change::Upsert(to_contact), Change::Upsert(to_account)];
    bench
        .mirror
        .apply_records(&table("contact"), bench.batch(changes), vec![], 5)
        .unwrap();
    let name = |number| match &bench
        .mirror
        .record("contact", id(number), true)
        .unwrap()
        .unwrap()
        .cells[3]
    {
        Cell::Lookup(lookup) => lookup.name.clone().unwrap().to_string(),
        other => format!("{other:?}"),
    };
    assert_eq!(name(20), "Person 001");
    assert_eq!(name(21), "Osterhall Energy");
    let named = ViewSpec {
        conditions: vec![Condition {
            column: "parentcustomerid".into(),
            test: Test::LookupNamed(vec!["osterhall energy".into()]),
        }],
        sort: Some(Sort {
            column: "parentcustomerid".into(),
            descending: false,
        }),
        ..ViewSpec::default()
    };
    assert_eq!(bench.names(named), ["Employee"]);
}

#[test]
fn the_record_comes_back_byte_for_byte_with_a_dictionary_too() {
    let bench = Bench::new();
    bench.mirror.begin("contact", FULL, 1).unwrap();
    let changes = upserts(0..1_500, 5);
    bench.apply(changes, None, Some("d"), 1);
    let bench = bench.reopened();
    let row = bench
        .mirror
        .record("contact", id(1_234), true)
        .unwrap()
        .unwrap();
    assert_eq!(
        row.raw.as_deref(),
        Some(record(1_234, 5, "Person 1234").raw.as_bytes())
    );
}

#[test]
fn changed_columns_keep_the_rows_and_ask_for_a_full_sync() {
    let bench = Bench::synced();
    let mut changed = table("contact");
    changed.columns.remove(1);
    changed
        .columns
        .push(column("shoesize", ColumnKind::Integer));
    let definition = bench.mirror.define_table(&changed).unwrap();
    assert_eq!(
        (definition.added, definition.removed),
        (vec!["shoesize".into()], vec!["income".into()])
    );
    let idle = Checkpoint::Idle {
        mark: None,
        delta_link: None,
        needs_full: true,
    };
    assert_eq!(bench.mirror.checkpoint("contact").unwrap(), idle);
    assert_eq!(bench.names(ViewSpec::default()).len(), 10);
}

#[test]
fn nothing_can_be_read_without_the_key() {
    let bench = Bench::synced().reopened();
    let other = DatabaseKey::from_bytes([8; 32]);
    let path = bench.folder.path().join("mirror.db");
    assert!(matches!(
        Mirror::open(&path, &other),
        Err(StoreError::Damaged)
    ));
    for file in std::fs::read_dir(bench.folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(6).any(|part| part == b"Person"));
        assert!(!bytes.starts_with(b"SQLite format 3"));
    }
}

#[test]
fn app_data_survives_and_names_are_unique_whatever_their_case() {
    let folder = tempfile::tempdir().unwrap();
    let key = DatabaseKey::from_bytes([9; 32]);
    let row = ConnectionRow {
        id: id(1),
        name: "Norrvale".into(),
        environment: "https://norrvale.crm4.dynamics.com/".into(),
        other_origins: vec!["https://norrvale.api.crm4.dynamics.com/".into()],
        authority: "https://login.microsoftonline.com/".into(),
        tenant: "norrvale.example".into(),
        client_id: id(2).to_string(),
        flow: "browser".into(),
        public_client: false,
        redirect_port: Some(8400),
        user: None,
        organization: None,
        organization_version: None,
        environment_kind: "other".into(),
        created_at: 5,
        signed_in: true,
        secret_expires: None,
    };
    let db = AppDb::open(&folder.path().join("app.db"), &key).unwrap();
    db.put_connection(&row).unwrap();
    db.set_refresh_token(row.id, Some(&"token".into())).unwrap();
    let run = RunRow {
        connection: row.id,
        table: "lead".into(),
        inserted: 3,
        ..RunRow::default()
    };
    db.put_run(&run).unwrap();
    // The first copy of a table is no change; what a later sync brings is.
    assert_eq!(
        db.changes_since(row.id, 0).unwrap(),
        [("lead".to_owned(), 0, 0)]
    );
    let later = RunRow {
        strategy: "incremental".into(),
        ..run
    };
    db.put_run(&later).unwrap();
    drop(db);
    let db = AppDb::open(&folder.path().join("app.db"), &key).unwrap();
    assert_eq!(db.connection("NORRVALE").unwrap(), Some(row.clone()));
    assert!(db.refresh_token(row.id).unwrap().is_some());
    assert_eq!(
        db.changes_since(row.id, 0).unwrap(),
        [("lead".to_owned(), 3, 0)]
    );
    assert!(
        db.put_connection(&ConnectionRow {
            id: id(9),
            ..row.clone()
        })
        .is_err()
    );
    db.delete_connection(row.id).unwrap();
    assert!(db.runs(row.id, None, 10).unwrap().is_empty());
}

#[test]
fn a_database_of_a_newer_version_is_refused_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let key = DatabaseKey::from_bytes([7; 32]);
    drop(AppDb::open(&path, &key).unwrap());
    let connection = database::open_writable(&path, &key, database::PageHmac::Sha512).unwrap();
    connection.pragma_update(None, "user_version", 999).unwrap();
    drop(connection);
    for _ in 0..2 {
        let error = AppDb::open(&path, &key).err().unwrap();
        assert_eq!(error.code(), "database_newer");
        assert!(!error.hint().is_empty());
    }
}

#[test]
fn whoever_opens_a_mirror_disturbs_nobody_who_writes_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mirror.db");
    let key = DatabaseKey::from_bytes([7; 32]);
    drop(Mirror::open(&path, &key).unwrap());
    let mut writer = database::open_writable(&path, &key, database::PageHmac::Sha256).unwrap();
    let second = database::open_writable(&path, &key, database::PageHmac::Sha256).unwrap();
    second
        .busy_timeout(std::time::Duration::from_millis(10))
        .unwrap();
    let transaction = writer.transaction().unwrap();
    let count = "SELECT count(*) FROM target";
    transaction
        .query_row(count, [], |row| row.get::<_, i64>(0))
        .unwrap();
    // Another process that wants to write waits for the one that only read so far.
    let refused = second.execute("INSERT INTO target (name) VALUES ('x')", []);
    assert!(refused.is_err());
    transaction
        .execute("INSERT INTO target (name) VALUES ('y')", [])
        .unwrap();
    transaction.commit().unwrap();
    // Opening it anew changes nothing in it.
    let version = || -> i64 {
        second
            .query_row("PRAGMA data_version", [], |row| row.get(0))
            .unwrap()
    };
    let before = version();
    drop(Mirror::open(&path, &key).unwrap());
    assert_eq!(version(), before);
}
