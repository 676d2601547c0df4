//! Records page by page, and what other rows say of them.

use std::collections::HashMap;

use super::*;

/// Enough rows for an index to be worth it.
const MANY: u64 = 5_000;

fn filled(rows: u64) -> Bench {
    let bench = Bench::new();
    bench.mirror.begin("contact", FULL, 1).unwrap();
    bench.apply(upserts(0..rows, 5), None, Some("d1"), 1);
    bench.mirror.reconcile("contact", 2).unwrap();
    bench
}

fn contacts(deleted: Deleted) -> ViewSpec {
    ViewSpec {
        table: "contact".into(),
        deleted,
        ..ViewSpec::default()
    }
}

#[test]
fn slices_follow_each_other_in_both_directions() {
    let bench = filled(25);
    bench.apply(vec![Change::Delete(id(3))], None, Some("d2"), 3);
    let all = |deleted| {
        let spec = contacts(deleted);
        let (mut ids, mut edge) = (Vec::new(), Edge::Start);
        loop {
            let slice = bench.mirror.delivered_slice(&spec, edge, 10).unwrap();
            ids.extend(slice.rows.iter().map(|row| row.id));
            match slice.rows.last() {
                Some(last) if slice.has_more => edge = Edge::After(last.id),
                _ => return ids,
            }
        }
    };
    let live = all(Deleted::Exclude);
    assert_eq!(live.len(), 24);
    assert_eq!(all(Deleted::Include).len(), 25);
    assert_eq!(all(Deleted::Only), [id(3)]);
    assert!(live.iter().map(|id| ids::StoredId::from(*id)).is_sorted());
    // Backwards, from a row that may be gone.
    let spec = contacts(Deleted::Exclude);
    for (place, has_more) in [(20, true), (10, false), (4, false), (0, false)] {
        let before = Edge::Before(live[place]);
        let slice = bench.mirror.delivered_slice(&spec, before, 10).unwrap();
        let found: Vec<Uuid> = slice.rows.iter().map(|row| row.id).collect();
        assert_eq!(found, live[place.saturating_sub(10)..place], "{place}");
        assert_eq!(slice.has_more, has_more, "{place}");
    }
    let row = bench
        .mirror
        .delivered_record("contact", id(3))
        .unwrap()
        .unwrap();
    assert_eq!(row.deleted_at, Some(3));
    assert_eq!(row.json, br#"{"fullname":"Person 003","v":5}"#);
    assert!(
        bench
            .mirror
            .delivered_record("contact", id(99))
            .unwrap()
            .is_none()
    );
    for unknown in [
        bench.mirror.delivered_record("nothing", id(1)).map(drop),
        bench
            .mirror
            .delivered_slice(
                &ViewSpec {
                    table: "nothing".into(),
                    ..spec
                },
                Edge::Start,
                1,
            )
            .map(drop),
    ] {
        assert!(
            matches!(unknown, Err(StoreError::UnknownTable(_))),
            "{unknown:?}"
        );
    }
}

#[test]
fn rows_are_found_by_their_lookup_and_quickly_once_an_index_is_kept() {
    let bench = filled(MANY);
    let pointing = |number: u64, to: u64| {
        let mut record = record(number, 6, "Child");
        record.values.push((
            3,
            Value::Lookup {
                id: id(to),
                table: Some("contact".into()),
                name: None,
            },
        ));
        Change::Upsert(record)
    };
    let changes = vec![
        pointing(MANY + 1, 1),
        pointing(MANY + 2, 1),
        pointing(MANY + 3, 2),
    ];
    bench
        .mirror
        .apply_records(&table("contact"), bench.batch(changes), Vec::new(), 5)
        .unwrap();
    let children = |of: &[Uuid]| {
        let rows = bench.mirror.rows_pointing_to(
            "contact",
            "parentcustomerid",
            of,
            &["parentcustomerid", "fullname"],
        );
        let mut ids: Vec<Uuid> = rows.unwrap().into_iter().map(|row| row.id).collect();
        ids.sort();
        ids
    };
    let expected = [id(MANY + 1), id(MANY + 2)];
    assert_eq!(children(&[id(1), id(7)]), expected);
    let indexes = || {
        bench
            .mirror
            .read(|connection| {
                let sql = "SELECT count(*) FROM sqlite_schema WHERE name GLOB 'lookup_contact_*'";
                Ok(connection.query_row(sql, [], |row| row.get::<_, i64>(0))?)
            })
            .unwrap()
    };
    assert_eq!(indexes(), 0);
    bench
        .mirror
        .keep_lookup("contact", "parentcustomerid")
        .unwrap();
    bench
        .mirror
        .keep_lookup("contact", "parentcustomerid")
        .unwrap();
    assert_eq!(indexes(), 1);
    assert_eq!(children(&[id(1), id(7)]), expected);
    // The column goes, and the index with it.
    let mut without = table("contact");
    without
        .columns
        .retain(|column| column.logical_name != "parentcustomerid");
    bench.mirror.define_table(&without).unwrap();
    assert_eq!(indexes(), 0);
}

#[test]
fn what_is_known_of_ids_comes_for_many_at_once() {
    let bench = filled(5);
    let wanted: HashMap<Uuid, Vec<String>> = [
        (id(1), vec!["account".to_owned(), "contact".to_owned()]),
        (id(77), vec!["contact".to_owned()]),
    ]
    .into();
    let tables = bench.mirror.tables_of(&wanted).unwrap();
    assert_eq!(tables, [(id(1), "contact".to_owned())].into());
    let rows = bench
        .mirror
        .rows_of("contact", &[id(2), id(77)], &["fullname"])
        .unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].cells, [Cell::Text("Person 002".into())]);
    assert_eq!(bench.mirror.tables_with("rating").unwrap(), ["contact"]);
    assert!(bench.mirror.tables_with("ratin").unwrap().is_empty());
    let mut names = bench.mirror.column_of_all("contact", "fullname").unwrap();
    names.sort();
    assert_eq!(names[4], (id(4), "Person 004".to_owned()));
    // Metadata is read anew once it has changed, by whomever.
    let shared = bench.mirror.shared_metadata("contact").unwrap();
    assert_eq!(*shared, table("contact"));
    let other = Mirror::open(&bench.folder.path().join("mirror.db"), &bench.key).unwrap();
    let mut changed = table("contact");
    changed.display_name = "Person".into();
    other.define_table(&changed).unwrap();
    assert_eq!(*bench.mirror.shared_metadata("contact").unwrap(), changed);
}
