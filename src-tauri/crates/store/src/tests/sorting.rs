use super::*;

/// Enough rows for several threads to be worth it.
const MANY: u64 = 20_000;

/// Names that begin alike, differ in case, are no ASCII, empty, or missing; amounts of all kinds.
fn values(number: u64) -> Vec<(usize, Value<'static>)> {
    const NAMES: [&str; 9] = [
        "Zoë",
        "zoe",
        "ZOE Quill",
        "Åse",
        "åse",
        "",
        "Person with a long beginning A",
        "a\u{0}b",
        "0",
    ];
    let mut values = vec![(2, Value::Integer((number % 3 + 1) as i64))];
    match number % 11 {
        10 => {}
        9 => {
            let name = format!("Person with a long beginning {}", number * 7_919 % 1_000);
            values.push((0, Value::Text(name.into())));
        }
        other => values.push((0, Value::Text(NAMES[other as usize].into()))),
    }
    match number % 5 {
        0 => {}
        1 => values.push((1, Value::Real(-1.5 * number as f64))),
        2 => values.push((1, Value::Real(0.0))),
        _ => values.push((1, Value::Real((number * 7_919 % 1_009) as f64 / 3.0))),
    }
    values
}

fn filled() -> Bench {
    let bench = Bench::new();
    bench.mirror.begin("contact", FULL, 1).unwrap();
    let changes = (0..MANY).map(|number| {
        Change::Upsert(Record {
            id: id(number),
            version: Some(5),
            values: values(number),
            raw: "{}",
        })
    });
    bench.apply(changes.collect(), None, Some("d1"), 1);
    bench.mirror.reconcile("contact", 2).unwrap();
    let gone = (0..MANY)
        .step_by(97)
        .map(|number| Change::Delete(id(number)));
    bench.apply(gone.collect(), None, Some("d2"), 3);
    bench
}

/// All orders of a column, with and without deleted rows.
fn orders(column: &str, conditions: &[Condition]) -> Vec<ViewSpec> {
    let spec = |descending, deleted| ViewSpec {
        table: "contact".into(),
        sort: Some(Sort {
            column: column.into(),
            descending,
        }),
        deleted,
        conditions: conditions.to_vec(),
        ..ViewSpec::default()
    };
    let each = [Deleted::Exclude, Deleted::Include, Deleted::Only];
    each.into_iter()
        .flat_map(|deleted| [spec(false, deleted), spec(true, deleted)])
        .collect()
}

impl Bench {
    fn sorts_as_sqlite_does(&self, spec: &ViewSpec) {
        let found = crate::sorting::sorted(&self.mirror, spec).unwrap();
        let (expected, _) = self
            .mirror
            .read(|connection| view::rowids(connection, spec))
            .unwrap();
        assert_eq!(found, Some(expected), "{spec:?}");
    }
}

#[test]
fn several_threads_sort_as_sqlite_does() {
    let bench = filled();
    let conditions = [Condition {
        column: "rating".into(),
        test: Test::NotEqual(vec![Cell::Integer(3)]),
    }];
    for column in ["fullname", "income", "rating", "parentcustomerid"] {
        for spec in orders(column, &conditions) {
            bench.sorts_as_sqlite_does(&spec);
        }
    }
}

#[test]
fn several_threads_walk_an_index_as_sqlite_does() {
    let bench = filled();
    for column in ["fullname", "income"] {
        let specs = orders(column, &[]);
        bench.mirror.keep_order(&specs[0]).unwrap();
        for spec in &specs {
            bench.sorts_as_sqlite_does(spec);
        }
    }
}

#[test]
fn one_thread_finds_what_is_little_or_needs_the_rows_themselves() {
    let bench = filled();
    let sorted = |spec: &ViewSpec| crate::sorting::sorted(&bench.mirror, spec).unwrap();
    let spec = orders("fullname", &[]).remove(0);
    assert!(sorted(&spec).is_some());
    let searched = ViewSpec {
        search: Some("zoe".into()),
        ..spec.clone()
    };
    assert_eq!(sorted(&searched), None);
    bench.mirror.keep_order(&spec).unwrap();
    let condition = Condition {
        column: "rating".into(),
        test: Test::IsNull,
    };
    assert_eq!(sorted(&orders("fullname", &[condition]).remove(0)), None);
    let small = Bench::synced();
    assert_eq!(crate::sorting::sorted(&small.mirror, &spec).unwrap(), None);
}

#[test]
fn pieces_come_in_the_order_of_the_view_and_end_when_nobody_wants_more() {
    let bench = filled();
    let spec = ViewSpec {
        table: "contact".into(),
        ..ViewSpec::default()
    };
    let view = bench.mirror.open_view(&spec).unwrap();
    let columns = ["fullname".to_owned()];
    let ids = |rows: Vec<Row>| rows.into_iter().map(|row| row.id).collect::<Vec<_>>();
    let mut found = Vec::new();
    bench
        .mirror
        .pieces(&view, &columns, false, ids, |mut piece| {
            found.append(&mut piece);
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(found, bench.mirror.ids_of(&view).unwrap());
    let mut pieces = 0;
    bench
        .mirror
        .pieces(&view, &columns, false, ids, |_| {
            pieces += 1;
            std::ops::ControlFlow::Break(())
        })
        .unwrap();
    assert_eq!(pieces, 1);
    let unknown = ["nothing".to_owned()];
    let refused = bench.mirror.pieces(&view, &unknown, false, ids, |_| {
        std::ops::ControlFlow::Continue(())
    });
    assert!(matches!(refused, Err(StoreError::UnknownColumn { .. })));
}
