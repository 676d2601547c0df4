//! The log of events: what happened to records and in syncs, whoever did it, read from any place on.

use std::time::{Duration, Instant};

use salesmirror_core::{EventId, Fed, FeedEvent, Session, SyncOptions, What};
use serde_json::json;
use uuid::Uuid;

use crate::bench::{Bench, succeed};

const FEW: &str = "account=60,contact=400,lead=40,opportunity=30,systemuser=10";

async fn all(session: &Session, after: EventId) -> Vec<Fed> {
    session.events_after(after, 100_000).await.expect("events")
}

fn tell(fed: &Fed) -> String {
    match &fed.event {
        FeedEvent::Record(event) => format!("{} {:?}", event.table, event.happening.what),
        FeedEvent::RunBegan(run) => format!("{} began", run.table),
        FeedEvent::RunEnded(run) => format!("{} {}", run.table, run.status),
        FeedEvent::Gap => "gap".to_owned(),
    }
}

fn only(table: &str) -> SyncOptions {
    SyncOptions {
        tables: vec![table.to_owned()],
        ..SyncOptions::default()
    }
}

async fn again(bench: &Bench) -> Session {
    let app = bench.app();
    let row = app.find(None).await.expect("the connection");
    app.session(&row).await.expect("a session")
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_told_in_the_order_it_happened_over_restarts_and_processes() {
    let bench = Bench::new(FEW).await;
    let session = bench.session().await;
    let start = session.newest_event().await.expect("a place");
    succeed(&session, SyncOptions::default()).await;
    let first = all(&session, start).await;
    assert_eq!(first.len(), 10, "a first sync tells of itself alone");
    for table in ["account", "contact", "lead", "opportunity", "systemuser"] {
        let told: Vec<String> = first
            .iter()
            .map(tell)
            .filter(|told| told.starts_with(table))
            .collect();
        assert_eq!(told, [format!("{table} began"), format!("{table} success")]);
    }
    let seen = first.last().expect("an event").id;
    // One process writes, another syncs, a third reads.
    let id = Uuid::new_v4();
    let attributes = |object: serde_json::Value| match object {
        serde_json::Value::Object(object) => object.into(),
        other => panic!("{other}"),
    };
    let made = attributes(json!({"lastname": "Lunde"}));
    session
        .create_record("contact", id, made)
        .await
        .expect("a contact");
    let changed = attributes(json!({"lastname": "Lund"}));
    session
        .update_record("contact", id, changed, None)
        .await
        .expect("a change");
    let did = bench.act(5, 40, 5);
    let other = again(&bench).await;
    let runs = succeed(&other, SyncOptions::default()).await;
    other
        .delete_record("contact", id, None)
        .await
        .expect("a deletion");
    let reader = again(&bench).await;
    let events = all(&reader, seen).await;
    let told: Vec<String> = events.iter().map(tell).collect();
    assert_eq!(told[..2], ["contact Created", "contact Changed"], "{did:?}");
    assert_eq!(told.last().map(String::as_str), Some("contact Deleted"));
    // Each run stands around what it did, with its figures.
    for run in &runs {
        let of_run: Vec<&Fed> = events
            .iter()
            .filter(|fed| match &fed.event {
                FeedEvent::Record(event) => event.happening.run == Some(run.id),
                FeedEvent::RunBegan(told) | FeedEvent::RunEnded(told) => told.id == run.id,
                FeedEvent::Gap => panic!("nothing is lost"),
            })
            .collect();
        let [begin, records @ .., end] = of_run.as_slice() else {
            panic!("{of_run:?}")
        };
        assert!(
            matches!(&begin.event, FeedEvent::RunBegan(told) if told.started_at == run.started_at)
        );
        let FeedEvent::RunEnded(ended) = &end.event else {
            panic!("{end:?}")
        };
        let figures = (ended.inserted, ended.updated, ended.deleted);
        assert_eq!(figures, (run.inserted, run.updated, run.deleted));
        let count = |wanted: What| {
            let is_it = |fed: &&&Fed| matches!(&fed.event, FeedEvent::Record(event) if event.happening.what == wanted);
            records.iter().filter(is_it).count() as u64
        };
        assert_eq!(count(What::Created), run.inserted, "{}", run.table);
        assert_eq!(count(What::Deleted), run.deleted, "{}", run.table);
        assert!(count(What::Changed) <= run.updated, "{}", run.table);
    }
    assert!(runs.iter().map(|run| run.inserted).sum::<u64>() > 0);
    // Choices carry their labels, and pages of any size give the same.
    for size in [1, 7, 64] {
        let (mut at, mut read) = (seen, Vec::new());
        loop {
            let page = session.events_after(at, size).await.expect("events");
            let Some(last) = page.last() else { break };
            at = last.id.to_string().parse().expect("a place");
            read.extend(page);
        }
        assert_eq!(read, events, "{size}");
    }
    assert!(
        all(&session, reader.newest_event().await.expect("a place"))
            .await
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_hears_of_this_process_at_once_and_of_others_within_a_second() {
    let bench = Bench::new(FEW).await;
    let session = bench.session().await;
    succeed(&session, SyncOptions::default()).await;
    let other = again(&bench).await;
    let mut changes = session.feed_changes();
    let mut second = session.feed_changes();
    let mut at = session.newest_event().await.expect("a place");
    tokio::time::sleep(Duration::from_millis(300)).await;
    for syncs in [&session, &other, &session] {
        changes.mark_unchanged();
        second.mark_unchanged();
        let begun = Instant::now();
        succeed(syncs, only("lead")).await;
        for waiting in [&mut changes, &mut second] {
            let heard = tokio::time::timeout(Duration::from_secs(5), waiting.changed()).await;
            heard.expect("in time").expect("news");
        }
        loop {
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "the end of the run is not told"
            );
            let events = all(&session, at).await;
            if let Some(last) = events.last() {
                at = last.id;
            }
            if events.iter().any(|fed| tell(fed) == "lead success") {
                break;
            }
            changes.changed().await.expect("news");
        }
    }
    // Nobody waits for a while; then somebody does again.
    drop((changes, second));
    tokio::time::sleep(Duration::from_millis(1_300)).await;
    let mut changes = session.feed_changes();
    tokio::time::sleep(Duration::from_millis(300)).await;
    changes.mark_unchanged();
    succeed(&other, only("lead")).await;
    let heard = tokio::time::timeout(Duration::from_secs(5), changes.changed()).await;
    heard.expect("in time").expect("news");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_dies_is_told_as_ended_by_the_next() {
    let bench = Bench::new(FEW).await;
    let session = bench.session().await;
    succeed(&session, SyncOptions::default()).await;
    let start = session.newest_event().await.expect("a place");
    let stall = r#"[{"match":{"path_contains":"/leads"},"action":{"stall":true}}]"#;
    bench.control("faults", stall).await;
    let dying = session.clone();
    let dying = tokio::spawn(async move {
        let never = tokio_util::sync::CancellationToken::new();
        dying.sync(&only("lead"), &never).await
    });
    let begun = Instant::now();
    while all(&session, start).await.is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it never began");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    dying.abort();
    assert!(dying.await.is_err_and(|error| error.is_cancelled()));
    bench.end_faults().await;
    let other = again(&bench).await;
    succeed(&other, only("lead")).await;
    let told: Vec<String> = all(&session, start).await.iter().map(tell).collect();
    assert_eq!(
        told,
        [
            "lead began",
            "lead interrupted",
            "lead began",
            "lead success"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_was_away_for_longer_than_is_kept_is_told_so() {
    let bench = Bench::new(FEW).await;
    let session = bench.session().await;
    succeed(&session, SyncOptions::default()).await;
    let seen = session.newest_event().await.expect("a place");
    bench.act(2, 30, 6);
    succeed(&session, SyncOptions::default()).await;
    assert_ne!(tell(&all(&session, seen).await[0]), "gap");
    // The history of deleted records goes with them.
    let none = tokio_util::sync::CancellationToken::new();
    assert!(session.purge_deleted(&[], 0, &none).await.expect("a purge") > 0);
    let events = all(&session, seen).await;
    assert_eq!(tell(&events[0]), "gap");
    assert!(events.len() > 1 && events[1..].iter().all(|fed| tell(fed) != "gap"));
    assert_eq!(all(&session, events[0].id).await, events[1..]);
    // A mirror that was made anew has a log of its own.
    let end = session.newest_event().await.expect("a place");
    drop(session);
    let path = bench.data_dir();
    for file in std::fs::read_dir(&path).expect("a folder") {
        let file = file.expect("a file").path();
        let name = file
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        if name.starts_with("mirror-") && name.contains(".db") {
            std::fs::remove_file(file).expect("a file");
        }
    }
    let session = again(&bench).await;
    succeed(&session, SyncOptions::default()).await;
    assert_eq!(tell(&all(&session, end).await[0]), "gap");
    bench.assert_equal(&session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn syncs_of_a_connection_that_came_again_are_told_with_their_own_figures() {
    let bench = Bench::new(FEW).await;
    let session = bench.session().await;
    let start = session.newest_event().await.expect("a place");
    succeed(&session, SyncOptions::default()).await;
    let before = all(&session, start).await;
    let seen = before.last().expect("an event").id;
    drop(session);
    let app = bench.app();
    let row = app.find(None).await.expect("the connection");
    app.disconnect(&row, false).await.expect("no purge");

    bench.act(20, 0, 3);
    let session = bench.session().await;
    assert_eq!(session.row().id, row.id, "the data was taken up");
    let runs = succeed(&session, SyncOptions::default()).await;
    // What the log said of the runs that went is gone, of which whoever did not see it hears.
    assert_eq!(tell(&all(&session, start).await[0]), "gap");
    assert_ne!(tell(&all(&session, seen).await[0]), "gap");
    for from in [seen, start, EventId::default()] {
        let mut told: Vec<(i64, bool)> = Vec::new();
        for fed in all(&session, from).await {
            match fed.event {
                FeedEvent::RunBegan(run) => told.push((run.id, false)),
                FeedEvent::RunEnded(run) => told.push((run.id, true)),
                FeedEvent::Record(event) => {
                    let run = event.happening.run;
                    assert!(
                        runs.iter().any(|told| run == Some(told.id)),
                        "{run:?} in {runs:?}"
                    );
                }
                FeedEvent::Gap => {}
            }
        }
        told.sort_unstable();
        let mut expected: Vec<(i64, bool)> = runs
            .iter()
            .flat_map(|run| [(run.id, false), (run.id, true)])
            .collect();
        expected.sort_unstable();
        assert_eq!(told, expected);
    }
    // A number that was once given stands for that run alone.
    let earlier = before.iter().filter_map(|fed| match &fed.event {
        FeedEvent::RunEnded(run) => Some(run.id),
        _ => None,
    });
    let highest = earlier.max().expect("a run");
    assert!(
        runs.iter().all(|run| run.id > highest),
        "{highest} {runs:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_passes_over_runs_that_are_kept_no_more_however_many_there_are() {
    let bench = Bench::new(FEW).await;
    let session = bench.session().await;
    succeed(&session, SyncOptions::default()).await;
    let start = session.newest_event().await.expect("a place");
    for run in 0..50 {
        let run = 1_000_000 + run;
        session.mirror().note_run(run, false, 1).expect("a note");
        session.mirror().note_run(run, true, 2).expect("a note");
    }
    assert!(all(&session, start).await.is_empty());
    succeed(&session, only("lead")).await;
    for size in [1, 7, 100, 1_000] {
        let (mut at, mut told) = (start, Vec::new());
        loop {
            let page = session.events_after(at, size).await.expect("events");
            let Some(last) = page.last() else { break };
            at = last.id;
            told.extend(page.iter().map(tell));
        }
        assert_eq!(told, ["lead began", "lead success"], "{size}");
    }
}
