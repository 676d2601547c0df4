//! Writes of ours between what was asked of the organisation and its answer; and the log of events.

use super::*;

const FOLLOWING: Begin = Begin::Following;

impl Bench {
    /// Applies what a write made of a contact; `None` deletes it.
    fn written(&self, number: u64, version: Option<i64>, is_new: bool) -> bool {
        let change = match version {
            Some(version) => Change::Upsert(record(number, version, "Written")),
            None => Change::Delete(id(number)),
        };
        let batch = self.batch(vec![change]);
        self.mirror
            .apply_written(&table("contact"), batch, is_new, 100)
            .unwrap()
    }

    /// The name of a contact, `deleted`, or `none`; with a `*` where it is stale.
    fn now(&self, number: u64) -> String {
        let Some(row) = self.mirror.record("contact", id(number), false).unwrap() else {
            return "none".into();
        };
        let star = if row.stale_at.is_some() { "*" } else { "" };
        match (&row.deleted_at, &row.cells[0]) {
            (Some(_), _) => "deleted".into(),
            (None, Cell::Text(text)) => format!("{text}{star}"),
            other => panic!("{other:?}"),
        }
    }

    fn wanted(&self) -> Vec<Uuid> {
        self.mirror.wanted_ids("contact", 100).unwrap()
    }

    fn happened(&self, number: u64) -> Vec<What> {
        let told = self.mirror.history("contact", id(number), 9).unwrap();
        told.iter().map(|one| one.what).collect()
    }

    fn all(&self, from: EventId) -> Vec<(EventId, Event)> {
        self.mirror.events_after(from, 1_000).unwrap()
    }
}

/// What a page that was asked for before a write says of the written contact, when it comes after it.
#[test]
fn an_older_page_undoes_no_write() {
    type Write = fn(&Bench);
    let deleted: Write = |bench| assert!(bench.written(3, None, false));
    let changed: Write = |bench| assert!(bench.written(3, Some(9), false));
    let unread: Write = |bench| bench.mirror.note_unread("contact", id(3), 50).unwrap();
    let created: Write = |bench| assert!(bench.written(30, Some(9), true));
    let created_unread: Write = |bench| bench.mirror.note_unread("contact", id(30), 50).unwrap();
    let upsert = |number, version| Change::Upsert(record(number, version, "Paged"));
    let cases: [(Write, Change<'static>, &str, bool); 11] = [
        (deleted, upsert(3, 5), "deleted", true),
        (deleted, upsert(3, 8), "deleted", true),
        (deleted, Change::Delete(id(3)), "deleted", false),
        // Versions tell what is newer.
        (changed, upsert(3, 5), "Written", false),
        (changed, upsert(3, 8), "Written", false),
        (changed, upsert(3, 12), "Paged", false),
        (changed, Change::Delete(id(3)), "Written", true),
        // It stays stale until it is read by id.
        (unread, upsert(3, 5), "Person 003*", true),
        (unread, upsert(3, 8), "Person 003*", true),
        (created, Change::Delete(id(30)), "Written", true),
        (created_unread, upsert(30, 8), "none", true),
    ];
    for (place, (write, page, expect, is_wanted)) in cases.into_iter().enumerate() {
        let number = if matches!(&page, Change::Upsert(record) if record.id == id(30))
            || matches!(&page, Change::Delete(deleted) if *deleted == id(30))
        {
            30
        } else {
            3
        };
        for as_full in [false, true] {
            let bench = Bench::synced();
            let begin = if as_full { FULL } else { FOLLOWING };
            bench.mirror.begin("contact", begin, 20).unwrap();
            let older = bench.batch(vec![page_copy(&page)]);
            write(&bench);
            let end = end(Some("n1"), None);
            bench
                .mirror
                .apply_page(&table("contact"), older, end, 60)
                .unwrap();
            assert_eq!(bench.now(number), expect, "case {place}");
            assert_eq!(
                bench.wanted().contains(&id(number)),
                is_wanted,
                "case {place}"
            );
            // What is asked for afterwards is believed.
            let ids = bench.wanted();
            let newer = bench.batch(vec![Change::Upsert(record(number, 20, "Read"))]);
            bench
                .mirror
                .apply_records(&table("contact"), newer, ids, 70)
                .unwrap();
            assert_eq!(bench.now(number), "Read", "case {place}");
            assert!(bench.wanted().is_empty(), "case {place}");
            let counts = bench.state();
            let live = bench.names(ViewSpec::default()).len() as u64;
            assert_eq!((counts.live, counts.stale), (live, 0), "case {place}");
        }
    }
}

fn page_copy(change: &Change<'static>) -> Change<'static> {
    match change {
        Change::Delete(id) => Change::Delete(*id),
        Change::Upsert(record) => Change::Upsert(record.clone()),
    }
}

#[test]
fn two_writes_of_one_record_end_with_the_later_one() {
    let bench = Bench::synced();
    // The first was read back before the second, and is kept after it.
    let older = |version| {
        let mut batch = bench.mirror.batch("contact");
        batch.take(Change::Upsert(record(3, version, "First")));
        batch
    };
    let first = older(7);
    assert!(bench.written(3, Some(9), false));
    let keep = |batch| {
        bench
            .mirror
            .apply_written(&table("contact"), batch, false, 101)
            .unwrap()
    };
    assert!(keep(first));
    assert_eq!(bench.now(3), "Written");
    let first = older(11);
    assert!(bench.written(3, None, false));
    assert!(!keep(first), "it has to be read again");
    assert_eq!(bench.now(3), "deleted");
    assert_eq!(bench.wanted(), [id(3)]);
    assert!(keep(older(12)));
    assert_eq!((bench.now(3).as_str(), bench.wanted().len()), ("First", 0));
    // Read by columns that are others now, it is read again.
    let stale = older(13);
    let mut other = table("contact");
    other.columns.push(column("new", ColumnKind::Text));
    bench.mirror.define_table(&other).unwrap();
    assert!(!keep(stale));
    assert_eq!(bench.now(3), "First");
}

#[test]
fn a_comparison_of_ids_does_not_distrust_what_was_written_since() {
    let bench = Bench::synced();
    bench
        .mirror
        .begin("contact", Begin::Comparing { next: None }, 20)
        .unwrap();
    let asked = bench.mirror.newest_write().unwrap();
    assert!(bench.written(3, Some(9), false));
    assert!(bench.written(30, Some(9), true));
    let rows: Vec<IdRow> = (0..10).map(|number| (id(number), Some(5))).collect();
    let column = Some(MarkColumn::Version);
    bench
        .mirror
        .compare_page("contact", rows, column, end(None, None), asked, 30)
        .unwrap();
    let version = |number| {
        bench
            .mirror
            .record("contact", id(number), false)
            .unwrap()
            .unwrap()
            .version
    };
    assert_eq!(version(3), Some(9));
    assert_eq!(bench.wanted(), [id(3)]);
    // The new record was not in the list; it is no deleted one for that.
    assert_eq!(bench.mirror.reconcile("contact", 40).unwrap(), 0);
    assert_eq!(bench.now(30), "Written");
}

#[test]
fn writes_are_forgotten_after_a_day_and_with_their_table() {
    let bench = Bench::synced();
    let count = || {
        let count = bench.mirror.read(|connection| {
            Ok(
                connection.query_row("SELECT count(*) FROM written", [], |row| {
                    row.get::<_, i64>(0)
                })?,
            )
        });
        count.unwrap()
    };
    for number in 0..5 {
        bench
            .mirror
            .note_unread("contact", id(number), 1_000)
            .unwrap();
    }
    bench
        .mirror
        .note_unread("contact", id(5), 86_401_001)
        .unwrap();
    assert_eq!((count(), bench.mirror.newest_write().unwrap()), (1, 6));
    bench.mirror.drop_table("contact").unwrap();
    assert_eq!((count(), bench.mirror.newest_write().unwrap()), (0, 6));
}

#[test]
fn new_records_are_told_once_their_table_was_synced_in_full() {
    let bench = Bench::new();
    bench.mirror.begin("contact", FULL, 1).unwrap();
    bench.apply(upserts(0..10, 5), Some("n"), None, 1);
    // Made through us meanwhile: that is news.
    assert!(bench.written(40, Some(6), true));
    assert!(bench.written(41, Some(6), false));
    bench.apply(upserts(10..20, 5), None, Some("d1"), 1);
    bench.mirror.reconcile("contact", 2).unwrap();
    assert_eq!(bench.mirror.irreplaceable().unwrap(), (0, 1));
    assert_eq!(bench.happened(40), [What::Created]);
    bench.mirror.begin("contact", FOLLOWING, 3).unwrap();
    bench.apply(upserts(18..22, 7), None, Some("d2"), 3);
    bench.mirror.begin("contact", FULL, 4).unwrap();
    bench.apply(upserts(0..30, 8), None, Some("d3"), 4);
    bench.mirror.reconcile("contact", 5).unwrap();
    assert_eq!(bench.happened(21), [What::Created]);
    assert_eq!(bench.happened(29), [What::Created]);
    assert_eq!(bench.happened(0), []);
    // Nothing is noted of a table that comes again after it was dropped.
    bench.mirror.drop_table("contact").unwrap();
    bench.mirror.define_table(&table("contact")).unwrap();
    bench.mirror.begin("contact", FULL, 6).unwrap();
    bench.apply(upserts(0..10, 9), None, Some("d4"), 6);
    assert_eq!(bench.mirror.irreplaceable().unwrap(), (0, 0));
}

#[test]
fn the_log_tells_records_and_runs_in_one_order_page_by_page() {
    let bench = Bench::synced();
    let start = bench.mirror.newest_event().unwrap();
    bench.mirror.note_run(7, false, 10).unwrap();
    bench.mirror.begin("contact", FOLLOWING, 11).unwrap();
    let changes = vec![
        Change::Upsert(record(1, 9, "Renamed")),
        Change::Delete(id(2)),
        Change::Upsert(record(30, 9, "New")),
    ];
    bench.apply(changes, None, Some("d2"), 12);
    bench.mirror.note_run(7, true, 13).unwrap();
    bench.mirror.note_run(7, true, 14).unwrap();
    bench.mirror.note_run(8, false, 15).unwrap();
    assert_eq!(bench.mirror.open_runs().unwrap(), [8]);
    let all = bench.all(start);
    let told: Vec<String> = all.iter().map(|(_, event)| tell(event)).collect();
    let expect = [
        "run 7 began",
        "Changed 1",
        "Deleted 2",
        "Created 30",
        "run 7 ended",
        "run 8 began",
    ];
    assert_eq!(told, expect);
    for limit in 1..=7 {
        let (mut at, mut read) = (start, Vec::new());
        loop {
            let page = bench.mirror.events_after(at, limit).unwrap();
            assert!(page.len() <= limit as usize);
            let Some((last, _)) = page.last() else { break };
            // As it goes out and comes back.
            at = last.to_string().parse().unwrap();
            assert_eq!(at, *last);
            read.extend(page);
        }
        assert_eq!(read, all, "{limit}");
        assert_eq!(at, bench.mirror.newest_event().unwrap());
    }
    let (end, bench) = (bench.mirror.newest_event().unwrap(), bench.reopened());
    assert_eq!(bench.all(start), all);
    assert_eq!(
        (bench.mirror.newest_event().unwrap(), bench.all(end).len()),
        (end, 0)
    );
    for text in [
        "",
        "7",
        "x-1-0-0",
        "1-2-3",
        "1-2-3-4-5",
        "1--2-0-0",
        "ffffffffff-1-0-0",
    ] {
        assert_eq!(text.parse::<EventId>(), Err(BadEventId), "{text}");
    }
}

fn tell(event: &Event) -> String {
    match event {
        Event::Record(event) => {
            let number = (0..100).find(|number| id(*number) == event.record).unwrap();
            assert_eq!(event.table, "contact");
            format!("{:?} {number}", event.happening.what)
        }
        Event::RunBegan(event) => format!("run {} began", event.run),
        Event::RunEnded(event) => format!("run {} ended", event.run),
        Event::Gap => "gap".into(),
    }
}

#[test]
fn a_reader_that_was_away_too_long_is_told_so_once_and_gets_what_is_left() {
    let bench = Bench::synced();
    let start = bench.mirror.newest_event().unwrap();
    let change = |number: u64, version, now| {
        bench.mirror.begin("contact", FOLLOWING, now).unwrap();
        let name = format!("Name {version}");
        bench.apply(
            vec![Change::Upsert(record(number, version, &name))],
            None,
            Some("d"),
            now,
        );
    };
    change(1, 10, 1_000);
    change(2, 11, 2_000);
    let seen = bench.mirror.newest_event().unwrap();
    change(3, 12, 3_000);
    bench.mirror.note_run(1, false, 3_001).unwrap();
    let tell_all = |from| -> Vec<String> {
        bench
            .all(from)
            .iter()
            .map(|(_, event)| tell(event))
            .collect()
    };
    // Retention takes what the reader has seen: nothing is missing.
    bench.mirror.purge(Some(2_500), None).unwrap();
    assert_eq!(tell_all(seen), ["Changed 3", "run 1 began"]);
    assert_eq!(tell_all(start), ["gap", "Changed 3", "run 1 began"]);
    // It is told once, at whatever place the reader goes on.
    let (gap, _) = bench.mirror.events_after(start, 1).unwrap()[0].clone();
    assert_eq!(tell_all(gap), ["Changed 3", "run 1 began"]);
    let page = bench.mirror.events_after(start, 2).unwrap();
    assert_eq!(tell_all(page[1].0), ["run 1 began"]);
    // Everything goes, and numbers are not given again.
    bench.mirror.purge(Some(9_999), None).unwrap();
    bench.mirror.forget_runs(vec![]).unwrap();
    let end = bench.mirror.newest_event().unwrap();
    assert_eq!(tell_all(seen), ["gap"]);
    assert_eq!(tell_all(end), [""; 0]);
    change(4, 13, 4_000);
    assert_eq!(tell_all(seen), ["gap", "Changed 4"]);
    assert_eq!(tell_all(end), ["Changed 4"]);
    // So does the history of a deleted record that is let go of.
    let before = bench.mirror.newest_event().unwrap();
    bench.mirror.begin("contact", FOLLOWING, 5_000).unwrap();
    bench.apply(vec![Change::Delete(id(4))], None, Some("d"), 5_000);
    change(5, 14, 5_001);
    assert_eq!(tell_all(before), ["Deleted 4", "Changed 5"]);
    bench.mirror.purge_deleted("contact", 9_999).unwrap();
    assert_eq!(tell_all(before), ["gap", "Changed 5"]);
    // And that of a table that is mirrored no more.
    let before = bench.mirror.newest_event().unwrap();
    change(6, 15, 6_000);
    bench.mirror.drop_table("contact").unwrap();
    assert_eq!(tell_all(before), ["gap"]);
}

#[test]
fn a_place_in_another_log_or_beyond_its_end_is_no_place() {
    let bench = Bench::synced();
    bench.mirror.note_run(1, false, 0x1234).unwrap();
    let end = bench.mirror.newest_event().unwrap();
    let text = end.to_string();
    assert!(text.ends_with("-1-1234-0"), "{text}");
    let gap_first = |place: &str| {
        let events = bench.all(place.parse().unwrap());
        let told: Vec<String> = events.iter().map(|(_, event)| tell(event)).collect();
        assert_eq!(told, ["gap", "run 1 began"], "{place}");
    };
    let log = text.split('-').next().unwrap();
    let other = u32::from_str_radix(log, 16).unwrap() ^ 1;
    gap_first(&format!("{other:08x}-1-1234-0"));
    // The newest entries went with the power, and others have their numbers.
    gap_first(&format!("{log}-2-1234-0"));
    gap_first(&format!("{log}-1-1235-0"));
    gap_first("00000000-0-0000-0");
    assert!(bench.all(end).is_empty());
    // A mirror that takes the place of a damaged one has a log of its own.
    let folder = tempfile::tempdir().unwrap();
    let other = Mirror::open(&folder.path().join("mirror.db"), &bench.key).unwrap();
    let path = bench.folder.path().join("mirror.db");
    Mirror::rescue(&path, &bench.key, &other).unwrap();
    assert_eq!(other.events_after(end, 9).unwrap()[0].1, Event::Gap);
}
