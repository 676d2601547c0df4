use super::*;

/// Contacts, with when they were changed.
fn timed() -> TableMetadata {
    let mut table = table("contact");
    table
        .columns
        .push(column("modifiedon", ColumnKind::DateTime));
    table
}

/// Contacts that each changed a day after the one before, from 1970 on; the last of ten has no time.
fn bench(rows: u64) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let key = DatabaseKey::from_bytes([7; 32]);
    let mirror = Mirror::open(&folder.path().join("mirror.db"), &key).unwrap();
    mirror.define_table(&timed()).unwrap();
    let bench = Bench {
        folder,
        key,
        mirror,
    };
    bench.mirror.begin("contact", FULL, 1).unwrap();
    let changes = (0..rows).map(|number| {
        let mut record = record(number, 5, &format!("Person {number:03}"));
        if number % 10 != 9 {
            let moment = Value::Integer(number as i64 * DAY + 1);
            record.values.push((5, moment));
        }
        Change::Upsert(record)
    });
    let batch = bench.batch(changes.collect());
    bench
        .mirror
        .apply_page(&timed(), batch, end(None, Some("d1")), 1)
        .unwrap();
    bench.mirror.reconcile("contact", 2).unwrap();
    bench
}

const DAY: i64 = 86_400_000;

fn spec(conditions: Vec<Condition>) -> ViewSpec {
    ViewSpec {
        table: "contact".into(),
        conditions,
        ..ViewSpec::default()
    }
}

fn condition(column: &str, test: Test) -> Condition {
    Condition {
        column: column.into(),
        test,
    }
}

#[test]
fn rows_are_counted_by_where_their_time_lies() {
    let bench = bench(10);
    let count = |spec: &ViewSpec, bounds: &[i64]| {
        let bounds: Vec<i64> = bounds.iter().map(|day| day * DAY).collect();
        bench.mirror.histogram(spec, "modifiedon", &bounds).unwrap()
    };
    let all = spec(vec![]);
    assert_eq!(count(&all, &[2, 3, 5, 6, 20]), [1, 2, 1, 3]);
    assert_eq!(count(&all, &[2, 4]), [2]);
    assert_eq!(count(&all, &[4]), [0_u64; 0]);
    assert_eq!(count(&all, &[]), [0_u64; 0]);
    // Within what else is asked for.
    let odd = condition("rating", Test::Equal(vec![Cell::Integer(2)]));
    assert_eq!(count(&spec(vec![odd]), &[0, 5, 10]), [2, 2]);
    let batch = bench.batch(vec![Change::Delete(id(3))]);
    bench
        .mirror
        .apply_page(&timed(), batch, end(None, Some("d2")), 3)
        .unwrap();
    assert_eq!(count(&all, &[0, 5, 10]), [4, 4]);
    let gone = ViewSpec {
        deleted: Deleted::Only,
        ..all
    };
    assert_eq!(count(&gone, &[0, 5, 10]), [1, 0]);
    let bad = bench.mirror.histogram(&spec(vec![]), "nothing", &[1, 2]);
    assert!(matches!(bad, Err(StoreError::UnknownColumn { .. })));
}

#[test]
fn an_order_that_is_kept_serves_spans_of_time_and_finds_the_same() {
    let bench = bench(20_000);
    let span = |from: i64, until: i64| {
        let within = Test::Within(Cell::Integer(from * DAY), Cell::Integer(until * DAY));
        spec(vec![condition("modifiedon", within)])
    };
    let bounds: Vec<i64> = (0..60).map(|day| day * 7 * DAY).collect();
    let asked = span(100, 300);
    let find = || {
        let view = bench.mirror.open_view(&asked).unwrap();
        let counts = bench.mirror.histogram(&spec(vec![]), "modifiedon", &bounds);
        let rows = bench
            .mirror
            .window(&view, 0, 5, &["fullname".into()], false);
        (view.total(), rows.unwrap(), counts.unwrap())
    };
    let plan = || -> String {
        bench
            .mirror
            .read(|connection| {
                let sql = "SELECT group_concat(name) FROM sqlite_schema WHERE name GLOB 'sort_*'";
                Ok(connection.query_row(sql, [], |row| row.get::<_, Option<String>>(0))?)
            })
            .unwrap()
            .unwrap_or_default()
    };
    let before = find();
    assert_eq!(before.0, 180);
    assert_eq!(before.1[0].cells, [Cell::Text("Person 100".into())]);
    assert_eq!(plan(), "");
    let sorted = ViewSpec {
        sort: Some(Sort {
            column: "modifiedon".into(),
            descending: false,
        }),
        ..spec(vec![])
    };
    bench.mirror.keep_order(&sorted).unwrap();
    assert_eq!(plan(), "sort_contact_modifiedon");
    assert_eq!(find(), before);
}
