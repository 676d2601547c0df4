use super::*;

/// Enough rows for an index to be worth it.
const MANY: u64 = 20_000;

fn tally() -> Tally {
    Tally {
        table: "contact".into(),
        by: "rating".into(),
        amount: Some("income".into()),
        ..Tally::default()
    }
}

fn filled(rows: u64) -> Bench {
    let bench = Bench::new();
    bench.mirror.begin("contact", FULL, 1).unwrap();
    bench.apply(upserts(0..rows, 5), None, Some("d1"), 1);
    bench.mirror.reconcile("contact", 2).unwrap();
    bench
}

fn indexes(bench: &Bench) -> Vec<String> {
    bench
        .mirror
        .read(|connection| {
            let sql = "SELECT sql FROM sqlite_schema WHERE name GLOB 'chart_*' ORDER BY name";
            let mut statement = connection.prepare(sql)?;
            let found = statement.query_map([], |row| row.get(0))?;
            Ok(found.collect::<rusqlite::Result<_>>()?)
        })
        .unwrap()
}

#[test]
fn live_rows_are_counted_and_added_up_by_value_and_span() {
    let bench = filled(10);
    bench.apply(vec![Change::Delete(id(4))], None, Some("d2"), 3);
    // Ratings are 1 and 2 in turn, incomes one and a half of the number.
    let found = bench.mirror.tally(&tally()).unwrap();
    let figures: Vec<(Cell, u64, f64)> = found
        .iter()
        .map(|group| (group.value.clone(), group.rows, group.amount))
        .collect();
    assert_eq!(
        figures,
        [(Cell::Integer(2), 5, 37.5), (Cell::Integer(1), 4, 24.0),]
    );
    let example = found[0].example.expect("a row");
    let row = bench.mirror.example("contact", "income", example).unwrap();
    let row = row.expect("the row");
    assert_eq!(row.cells, [Cell::Real(13.5)]);
    assert!(row.raw.is_some());

    let spans = Tally {
        conditions: vec![Condition {
            column: "rating".into(),
            test: Test::Equal(vec![Cell::Integer(2)]),
        }],
        spans: Some(("income".into(), vec![2, 5, 7])),
        ..tally()
    };
    let found = bench.mirror.tally(&spans).unwrap();
    let mut spans: Vec<(usize, u64)> = found.iter().map(|one| (one.span, one.rows)).collect();
    spans.sort_unstable();
    // 1.5 lies before the first span, 7.5 and what follows after the last.
    assert_eq!(spans, [(0, 1)]);
}

#[test]
fn a_large_table_gets_one_index_for_its_charts_that_goes_with_its_columns() {
    let small = filled(10);
    let columns = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    small
        .mirror
        .keep_tally("contact", &columns(&["rating"]))
        .unwrap();
    assert!(indexes(&small).is_empty());

    let bench = filled(MANY);
    let before = bench.mirror.tally(&tally()).unwrap();
    bench
        .mirror
        .keep_tally("contact", &columns(&["rating"]))
        .unwrap();
    bench
        .mirror
        .keep_tally("contact", &columns(&["rating", "income"]))
        .unwrap();
    let kept = indexes(&bench);
    assert_eq!(kept.len(), 1);
    assert!(kept[0].contains("\"rating\", \"income\""), "{kept:?}");
    assert_eq!(bench.mirror.tally(&tally()).unwrap(), before);
    let plan = bench.mirror.read(|connection| {
        let sql = "EXPLAIN QUERY PLAN SELECT d.rating, count(*), total(d.income) \
                   FROM data_contact d WHERE +d._deleted_at IS NULL GROUP BY 1";
        Ok(connection.query_row(sql, [], |row| row.get::<_, String>(3))?)
    });
    assert!(plan.unwrap().contains("COVERING INDEX chart_contact"));

    let mut without = table("contact");
    without
        .columns
        .retain(|column| column.logical_name != "income");
    bench.mirror.define_table(&without).unwrap();
    assert!(indexes(&bench).is_empty());
}
