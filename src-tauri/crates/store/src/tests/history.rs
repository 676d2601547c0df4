//! The history: what is noted, what is not, what goes, and what survives damage.

use std::fs::OpenOptions;
use std::io::{Seek as _, SeekFrom, Write as _};

use super::*;

const RUN: i64 = 42;

/// A contact as a page brings it; `raw` is what was delivered.
fn delivered(number: u64, version: i64, raw: &str) -> Change<'static> {
    Change::Upsert(Record {
        id: id(number),
        version: Some(version),
        values: vec![],
        raw: raw.to_owned().leak(),
    })
}

/// A change as `column: from → to`, with labels and tables in brackets.
fn told(change: &FieldChange) -> String {
    let value = |told: &Option<Told>| match told {
        None => "null".to_owned(),
        Some(Told { json, label, table }) => {
            let mut text = json.clone();
            for part in [label, table].into_iter().flatten() {
                text.push_str(&format!(" [{part}]"));
            }
            text
        }
    };
    format!(
        "{}: {} → {}",
        change.column,
        value(&change.from),
        value(&change.to)
    )
}

fn history(bench: &Bench, number: u64) -> Vec<Happening> {
    bench.mirror.history("contact", id(number), 100).unwrap()
}

#[test]
fn a_change_is_told_as_it_was_delivered() {
    let rows: [(&str, &str, &[&str]); 10] = [
        (r#"{"fullname":"A"}"#, r#"{"fullname":"A"}"#, &[]),
        (
            r#"{"fullname":"A"}"#,
            r#"{"fullname":"B"}"#,
            &[r#"fullname: "A" → "B""#],
        ),
        (
            r#"{"fullname":null}"#,
            r#"{"fullname":"B"}"#,
            &[r#"fullname: null → "B""#],
        ),
        // What is left out is null, whichever of the two leaves it out.
        (r#"{"fullname":null}"#, "{}", &[]),
        (r#"{"fullname":"A"}"#, "{}", &[r#"fullname: "A" → null"#]),
        ("{}", r#"{"fullname":"B"}"#, &[r#"fullname: null → "B""#]),
        // Digits that no floating-point number holds.
        (
            r#"{"income":922337203685477.5801,"income@OData.Community.Display.V1.FormattedValue":"€922"}"#,
            r#"{"income":922337203685477.5802}"#,
            &["income: 922337203685477.5801 [€922] → 922337203685477.5802"],
        ),
        // The same amount, written otherwise.
        (r#"{"income":1.50}"#, r#"{"income":1.5}"#, &[]),
        (
            r#"{"rating":1,"rating@OData.Community.Display.V1.FormattedValue":"Preferred"}"#,
            r#"{"rating@OData.Community.Display.V1.FormattedValue":"Blocked","rating":2}"#,
            &["rating: 1 [Preferred] → 2 [Blocked]"],
        ),
        (
            r#"{"_parentcustomerid_value":null,"fullname":"A","unknown":1}"#,
            r#"{"_parentcustomerid_value":"00000000-0000-0007-0000-000000000001","_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname":"account","_parentcustomerid_value@OData.Community.Display.V1.FormattedValue":"Fjord AB","fullname":"B","unknown":2}"#,
            &[
                r#"parentcustomerid: null → "00000000-0000-0007-0000-000000000001" [Fjord AB] [account]"#,
                r#"fullname: "A" → "B""#,
            ],
        ),
    ];
    for (old, new, expected) in rows {
        let bench = Bench::new();
        bench.mirror.begin("contact", FULL, 1).unwrap();
        bench.apply(vec![delivered(1, 5, old)], None, Some("d1"), 1);
        bench.mirror.reconcile("contact", 2).unwrap();
        assert_eq!(history(&bench, 1), [], "a first arrival is no change");
        bench.mirror.attribute("contact", Some(RUN));
        bench.mirror.begin("contact", Begin::Following, 3).unwrap();
        bench.apply(vec![delivered(1, 6, new)], None, Some("d2"), 7_000);
        let found = history(&bench, 1);
        let fields: Vec<String> = found
            .iter()
            .flat_map(|happening| happening.fields.iter().map(told))
            .collect();
        assert_eq!(fields, expected, "{old} to {new}");
        for happening in found {
            assert_eq!(
                (happening.what, happening.seen_at, happening.run),
                (What::Changed, 7_000, Some(RUN))
            );
        }
    }
}

#[test]
fn deletions_and_returns_are_told_and_what_is_read_again_unchanged_is_not() {
    let bench = Bench::synced();
    bench.mirror.invalidate_table("contact", 3).unwrap();
    bench.mirror.begin("contact", Begin::Following, 3).unwrap();
    bench.apply(upserts(0..10, 5), None, Some("d2"), 4);
    assert!((0..10).all(|number| history(&bench, number).is_empty()));
    bench.mirror.begin("contact", Begin::Following, 5).unwrap();
    bench.apply(vec![Change::Delete(id(1))], None, Some("d3"), 50);
    bench.mirror.begin("contact", Begin::Following, 6).unwrap();
    bench.apply(
        vec![Change::Upsert(record(1, 9, "Renamed"))],
        None,
        Some("d4"),
        60,
    );
    bench.mirror.attribute("contact", Some(RUN));
    bench.mirror.begin("contact", FULL, 7).unwrap();
    bench.apply(
        vec![Change::Upsert(record(2, 5, "Person 002"))],
        None,
        Some("d5"),
        70,
    );
    bench.mirror.reconcile("contact", 80).unwrap();
    let told: Vec<(What, i64, Option<i64>, usize)> = history(&bench, 1)
        .iter()
        .map(|found| (found.what, found.seen_at, found.run, found.fields.len()))
        .collect();
    assert_eq!(
        told,
        [
            (What::Deleted, 80, Some(RUN), 0),
            (What::Returned, 60, None, 1),
            (What::Deleted, 50, None, 0),
        ]
    );
    assert_eq!(history(&bench, 2), []);
}

#[test]
fn what_fills_a_new_column_is_no_change_and_what_changes_it_later_is() {
    let bench = Bench::synced();
    let mut wider = table("contact");
    wider.columns.push(column("jobtitle", ColumnKind::Text));
    let apply = |changes, delta, now| {
        let mut batch = bench.mirror.batch("contact");
        for change in changes {
            batch.take(change);
        }
        bench
            .mirror
            .apply_page(&wider, batch, end(None, Some(delta)), now)
            .unwrap();
    };
    bench.mirror.define_table(&wider).unwrap();
    bench.mirror.begin("contact", FULL, 3).unwrap();
    // One row changed as well.
    let rows = (0..10)
        .map(|number| {
            let name = if number == 4 {
                "Renamed"
            } else {
                &*format!("Person {number:03}")
            };
            delivered(
                number,
                5,
                &format!(r#"{{"fullname":"{name}","jobtitle":"CEO"}}"#),
            )
        })
        .collect();
    apply(rows, "d2", 4);
    bench.mirror.reconcile("contact", 5).unwrap();
    for number in 0..10 {
        let fields: Vec<String> = history(&bench, number)
            .iter()
            .flat_map(|found| found.fields.iter().map(told))
            .collect();
        match number {
            4 => assert_eq!(fields, [r#"fullname: "Person 004" → "Renamed""#]),
            _ => assert!(fields.is_empty(), "{fields:?}"),
        }
    }
    bench.mirror.begin("contact", Begin::Following, 6).unwrap();
    let raw = r#"{"fullname":"Person 001","jobtitle":"CTO"}"#;
    apply(vec![delivered(1, 8, raw)], "d3", 7);
    assert_eq!(
        told(&history(&bench, 1)[0].fields[0]),
        r#"jobtitle: "CEO" → "CTO""#
    );
}

#[test]
fn what_is_older_than_the_admin_keeps_goes_with_all_of_it() {
    let bench = Bench::synced();
    bench.mirror.index_search("contact", 100).unwrap();
    for (number, now) in [(9, 1_000), (3, 2_000)] {
        bench
            .mirror
            .begin("contact", Begin::Following, now)
            .unwrap();
        let changes = vec![
            Change::Upsert(record(5, now, &format!("At {now}"))),
            Change::Delete(id(number)),
        ];
        bench.apply(changes, None, Some("d2"), now);
    }
    let purged = bench.mirror.purge(None, None).unwrap();
    assert_eq!(purged, Purged::default());
    let purged = bench.mirror.purge(Some(1_500), Some(1_500)).unwrap();
    assert_eq!(
        purged,
        Purged {
            changes: 2,
            rows: 1
        }
    );
    assert_eq!(history(&bench, 5).len(), 1);
    assert!(
        bench
            .mirror
            .record("contact", id(9), false)
            .unwrap()
            .is_none()
    );
    assert!(
        bench
            .mirror
            .record("contact", id(3), true)
            .unwrap()
            .is_some()
    );
    let state = bench.state();
    assert_eq!((state.live, state.deleted), (8, 1));
    // The number of the row that went is given again, and search finds only what has it now.
    bench
        .mirror
        .begin("contact", Begin::Following, 3_000)
        .unwrap();
    bench.apply(
        vec![Change::Upsert(record(77, 9, "Newcomer"))],
        None,
        Some("d4"),
        3_000,
    );
    let progress = bench.mirror.index_search("contact", 100).unwrap();
    assert_eq!((progress.indexed, progress.total), (10, 10));
    for (text, expected) in [("Newcomer", vec!["Newcomer"]), ("Person 009", vec![])] {
        let spec = ViewSpec {
            table: "contact".into(),
            search: Some(text.into()),
            ..ViewSpec::default()
        };
        assert_eq!(bench.names(spec), expected, "{text}");
    }
}

/// Size of a page, in bytes: SQLCipher's default.
const PAGE: u64 = 4_096;

#[test]
fn a_damaged_mirror_gives_what_can_be_read_and_counts_the_rest() {
    const ROWS: u64 = 1_000;
    const DELETED: u64 = 300;
    const CHANGED: u64 = 400;
    let bench = Bench::new();
    bench.mirror.begin("contact", FULL, 1).unwrap();
    bench.apply(upserts(0..ROWS, 5), None, Some("d1"), 1);
    bench.mirror.reconcile("contact", 2).unwrap();
    bench.mirror.attribute("contact", Some(RUN));
    bench.mirror.begin("contact", Begin::Following, 3).unwrap();
    let changed = (0..CHANGED).map(|n| Change::Upsert(record(n, 6, &format!("Changed {n}"))));
    let deleted = (ROWS - DELETED..ROWS).map(|n| Change::Delete(id(n)));
    bench.apply(changed.chain(deleted).collect(), None, Some("d2"), 77);
    bench.mirror.settle().unwrap();
    let path = bench.folder.path().join("mirror.db");
    let pages = std::fs::metadata(&path).unwrap().len() / PAGE;
    assert!(pages > 60, "{pages} pages");
    let total = DELETED + CHANGED + DELETED;
    let (mut whole, mut partly) = (0, 0);
    // No page at all, the first one, and every fourth.
    for broken in [None, Some(0)]
        .into_iter()
        .chain((1..pages).step_by(4).map(Some))
    {
        let copy = bench.folder.path().join("damaged.db");
        std::fs::copy(&path, &copy).unwrap();
        if let Some(page) = broken {
            let mut file = OpenOptions::new().write(true).open(&copy).unwrap();
            file.seek(SeekFrom::Start(page * PAGE + 100)).unwrap();
            file.write_all(&[0x55; 500]).unwrap();
        }
        let fresh = tempfile::tempdir().unwrap();
        let into = Mirror::open(&fresh.path().join("mirror.db"), &bench.key).unwrap();
        let rescued = Mirror::rescue(&copy, &bench.key, &into).unwrap();
        let saved = rescued.tombstones + rescued.changes;
        assert!(
            saved + rescued.lost == total || rescued.is_uncounted,
            "page {broken:?}: {rescued:?}"
        );
        match broken {
            None => assert_eq!(
                rescued,
                Rescued {
                    tombstones: DELETED,
                    changes: CHANGED + DELETED,
                    ..Rescued::default()
                }
            ),
            Some(0) => assert_eq!(
                rescued,
                Rescued {
                    is_uncounted: true,
                    ..Rescued::default()
                }
            ),
            Some(_) if saved == total => whole += 1,
            Some(_) => partly += u64::from(saved > 0),
        }
        if saved == total {
            let row = into.record("contact", id(ROWS - 1), true).unwrap().unwrap();
            assert_eq!(row.deleted_at, Some(77));
            assert_eq!(into.tables().unwrap()[0].deleted, DELETED);
            let found = into.history("contact", id(7), 9).unwrap();
            assert_eq!(
                (told(&found[0].fields[0]).as_str(), found[0].run),
                (r#"fullname: "Person 007" → "Changed 7""#, Some(RUN))
            );
        }
    }
    assert!(whole > 3 && partly > 0, "{whole} whole, {partly} in part");
}

#[test]
fn the_second_copy_holds_what_no_organisation_gives_again_and_follows() {
    let bench = Bench::synced();
    let path = bench.folder.path().join("kept.db");
    let copy = || bench.mirror.second_copy(&path).unwrap();
    let follow = |changes: Vec<Change<'_>>, now| {
        bench
            .mirror
            .begin("contact", Begin::Following, now)
            .unwrap();
        bench.apply(changes, None, Some("d2"), now);
        bench.mirror.copy_irreplaceable(&copy()).unwrap();
    };
    // What it gives to an empty mirror is what the mirror itself has.
    let check = |deleted: &[u64]| {
        let fresh = tempfile::tempdir().unwrap();
        let into = Mirror::open(&fresh.path().join("mirror.db"), &bench.key).unwrap();
        let saved = Mirror::rescue(&path, &bench.key, &into).unwrap();
        let (rows, changes) = bench.mirror.irreplaceable().unwrap();
        assert_eq!(
            (saved.tombstones, saved.changes, saved.lost),
            (rows, changes, 0)
        );
        assert_eq!(rows, deleted.len() as u64);
        for number in 0..12 {
            let theirs = into.history("contact", id(number), 99).unwrap();
            assert_eq!(theirs, history(&bench, number), "{number}");
            let kept = into.record("contact", id(number), true).unwrap();
            assert_eq!(kept.is_some(), deleted.contains(&number), "{number}");
            let Some(kept) = kept else { continue };
            let own = bench
                .mirror
                .record("contact", id(number), true)
                .unwrap()
                .unwrap();
            assert_eq!(
                (kept.deleted_at, kept.raw, kept.cells),
                (own.deleted_at, own.raw, own.cells)
            );
        }
    };
    follow(
        vec![Change::Delete(id(3)), Change::Upsert(record(1, 6, "One"))],
        10,
    );
    check(&[3]);
    follow(
        vec![Change::Delete(id(4)), Change::Upsert(record(2, 6, "Two"))],
        11,
    );
    check(&[3, 4]);
    // One comes back and changes, and is deleted again otherwise.
    follow(vec![Change::Upsert(record(3, 7, "Back"))], 12);
    check(&[4]);
    follow(vec![Change::Upsert(record(3, 8, "Again"))], 13);
    follow(vec![Change::Delete(id(3))], 14);
    check(&[3, 4]);
    // A copy that was lost or damaged is made anew.
    std::fs::write(&path, "no database").unwrap();
    follow(vec![Change::Delete(id(5))], 15);
    check(&[3, 4, 5]);
    // What is let go of is let go of there too, and what comes later is copied.
    let everything = bench.mirror.purge(Some(99), Some(99)).unwrap();
    assert_eq!(everything.rows, 3);
    copy().purge(Some(99), Some(99)).unwrap();
    check(&[]);
    follow(
        vec![Change::Delete(id(6)), Change::Upsert(record(1, 9, "Uno"))],
        16,
    );
    check(&[6]);
    // Even where only the mirror was told to, or a column came.
    bench.mirror.purge(Some(99), None).unwrap();
    let mut changed = table("contact");
    changed
        .columns
        .push(column("shoesize", ColumnKind::Integer));
    bench.mirror.define_table(&changed).unwrap();
    bench.mirror.copy_irreplaceable(&copy()).unwrap();
    check(&[6]);
}
