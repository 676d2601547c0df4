//! Syncs by the schedule, by real processes; throttling and parallelism of all tables together; what
//! was sent, counted.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command};
use std::time::{Duration, Instant};

use salesmirror_core::{RunStatus, SyncOptions};
use serde_json::{Value, json};

use crate::bench::{Bench, sync};
use crate::desk::Desk;

/// A `sync --watch` of its own process.
struct Watch {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Watch {
    fn start(desk: &Desk) -> Self {
        let arguments = ["sync", "--watch"].map(str::to_owned);
        let mut child = desk.command(&arguments).spawn().expect("the program runs");
        let out = BufReader::new(child.stdout.take().expect("an output"));
        Self { child, out }
    }

    /// The next round: which tables ended how.
    fn round(&mut self) -> Vec<(String, String)> {
        let mut line = String::new();
        self.out.read_line(&mut line).expect("a line");
        let document: Value = serde_json::from_str(&line).expect("a document a line");
        let runs = document["runs"].as_array().expect("runs");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        runs.iter()
            .map(|run| (text(&run["table"]), text(&run["status"])))
            .collect()
    }

    /// Sends a signal; gives the exit code, how long the end took, and what was said on stderr.
    fn end(mut self, signal: &str) -> (Option<i32>, Duration, String) {
        let begun = Instant::now();
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &pid]).status();
        assert!(sent.expect("kill runs").success());
        let ended = self.child.wait().expect("an end");
        let took = begun.elapsed();
        let mut said = String::new();
        let errors = self.child.stderr.as_mut().expect("an error output");
        errors.read_to_string(&mut said).expect("text");
        (ended.code(), took, said)
    }
}

async fn connected() -> Desk {
    let desk = Desk::new().await;
    let answer = desk.connect(&desk.good()).await;
    assert_eq!(answer.exit, 0, "{}", answer.document);
    desk
}

fn tables(round: &[(String, String)]) -> Vec<&str> {
    round.iter().map(|(table, _)| table.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_syncs_what_is_due_hears_of_changes_and_ends_at_once() {
    let desk = connected().await;
    desk.run(&["schedule", "--every", "5s"]);
    let slow = desk.run(&["schedule", "lead", "--every", "1h"]).document;
    assert_eq!(slow["tables"][0]["every"], "1h", "{slow}");
    let mut watch = Watch::start(&desk);
    let first = watch.round();
    assert_eq!(first.len(), 5, "{first:?}");
    desk.bench.act(3, 3, 1);
    // Another process changes the plan in the meantime.
    assert_eq!(desk.run(&["schedule", "contact", "--pause"]).exit, 0);
    let second = watch.round();
    assert_eq!(tables(&second), ["account", "opportunity", "systemuser"]);
    let status = desk.run(&["status"]).document;
    let next = |table: usize| &status["tables"][table]["next_sync"];
    assert!(next(0).is_string() && next(1).is_null(), "{status}");
    let truth = desk.bench.truth("account").await.len();
    assert_eq!(desk.run(&["records", "account"]).document["total"], truth);
    assert_eq!(desk.run(&["schedule", "contact", "--resume"]).exit, 0);
    let third = watch.round();
    assert!(tables(&third).contains(&"contact"), "{third:?}");
    let (exit, took, said) = watch.end("INT");
    assert_eq!(exit, Some(130), "{said}");
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert!(said.contains("Waiting until"), "{said}");

    // In the middle of a sync too, and the schedule has not forgotten what is due.
    desk.tell(
        "faults",
        &json!({"match": {"path_contains": "/accounts", "times": 1}, "action": {"stall": true}}),
    )
    .await;
    let watch = Watch::start(&desk);
    tokio::time::sleep(Duration::from_secs(7)).await;
    let (exit, took, said) = watch.end("TERM");
    assert_eq!(exit, Some(130), "{said}");
    assert!(took < Duration::from_secs(1), "{took:?}");
    let rows = desk.run(&["records", "account"]).document;
    assert_eq!(rows["total"], truth, "{rows}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_waits_for_another_process_and_does_not_sync_again_what_that_has_synced() {
    let desk = connected().await;
    desk.tell(
        "faults",
        &json!({"match": {"path_contains": "/accounts", "times": 1}, "action": {"delay_ms": 3000}}),
    )
    .await;
    let arguments = ["sync"].map(str::to_owned);
    let other = desk.command(&arguments).spawn().expect("the program runs");
    // Its first run is kept as soon as it holds the lock.
    while desk.run(&["runs"]).document["runs"][0].is_null() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let watch = Watch::start(&desk);
    let other = other.wait_with_output().expect("an end");
    assert!(other.status.success());
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (exit, _, said) = watch.end("INT");
    assert_eq!(exit, Some(130), "{said}");
    let runs = desk.run(&["runs"]).document;
    assert_eq!(runs["runs"].as_array().map(Vec::len), Some(5), "{runs}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_is_counted_and_the_admin_is_warned_before_tracking_ends() {
    let desk = connected().await;
    let before = desk.run(&["status"]).document["requests"]["today"].clone();
    desk.bench.requests().await;
    let body = r#"{"value":[{"expirechangetrackingindays":3}]}"#;
    desk.tell(
        "faults",
        &json!({"match": {"path_contains": "/organizations"}, "action": {"status": 200, "body": body}}),
    )
    .await;
    assert_eq!(desk.run(&["sync"]).exit, 0);
    desk.run(&["passthrough", "GET", "WhoAmI"]);
    let sent = desk.bench.requests().await.len() as u64;
    let status = desk.run(&["status"]).document;
    let requests = &status["requests"];
    let counted = requests["today"].as_u64().unwrap_or_default();
    assert_eq!(
        counted - before.as_u64().unwrap_or_default(),
        sent,
        "{requests}"
    );
    assert_eq!(requests["entitlement"], 40_000);
    assert!(
        requests["full_sync"]
            .as_u64()
            .is_some_and(|cost| (40..60).contains(&cost)),
        "{requests}"
    );
    assert_eq!(status["warnings"], json!([]));
    let changed = desk.run(&["schedule", "lead", "--every", "2d"]).document;
    assert_eq!(changed["warnings"], json!([]));
    let changed = desk.run(&["schedule", "lead", "--every", "3d"]).document;
    let warning = &changed["warnings"][0];
    assert_eq!(
        (warning["code"].as_str(), warning["table"].as_str()),
        (Some("interval_too_long"), Some("lead")),
        "{changed}"
    );
    let refused = desk.run(&["schedule", "--every", "3"]);
    assert_eq!((refused.code(), refused.exit), ("bad_interval", 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_schedule_is_warned_of_when_the_organisation_forgets_soon() {
    let desk = connected().await;
    let body = r#"{"value":[{"expirechangetrackingindays":0}]}"#;
    desk.tell(
        "faults",
        &json!({"match": {"path_contains": "/organizations"}, "action": {"status": 200, "body": body}}),
    )
    .await;
    assert_eq!(desk.run(&["sync", "--table", "lead"]).exit, 0);
    let paused = desk.run(&["schedule", "--pause"]).document;
    assert_eq!(paused["paused"], true);
    let codes: Vec<(&str, &str)> = paused["warnings"]
        .as_array()
        .expect("warnings")
        .iter()
        .filter_map(|warning| Some((warning["code"].as_str()?, warning["table"].as_str()?)))
        .collect();
    assert_eq!(codes, [("delta_expires", "lead")], "{paused}");
}

async fn log(bench: &Bench) -> Vec<Value> {
    let url = format!("{}/requests", bench.org.description().control_url);
    let reply = bench.http.get(&url).send().await.expect("a reply");
    let all: Vec<Value> =
        serde_json::from_str(&reply.text().await.expect("a text")).expect("a log");
    bench.http.delete(&url).send().await.expect("a reply");
    all.into_iter()
        .filter(|entry| {
            entry["path"]
                .as_str()
                .is_some_and(|path| path.starts_with("/api/"))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_table_that_is_throttled_makes_all_wait_and_none_send() {
    let bench = Bench::new("account=400,contact=400,lead=400,opportunity=400,systemuser=40").await;
    bench
        .control("variants", r#"{"data":{"largest_page":20}}"#)
        .await;
    let session = bench.session().await;
    sync(&session, SyncOptions::default()).await;
    log(&bench).await;
    bench
        .control("faults", r#"{"match":{"path_contains":"/contacts","after":4,"times":1},"action":{"status":429,"error_code":"0x80072322","retry_after_s":2}}"#)
        .await;
    let options = SyncOptions {
        full: true,
        ..SyncOptions::default()
    };
    let runs = sync(&session, options).await;
    assert!(
        runs.iter().all(|run| run.status == RunStatus::Success),
        "{runs:?}"
    );
    let log = log(&bench).await;
    let at = |entry: &Value| entry["at_ms"].as_u64().expect("a time");
    let refused = log.iter().find(|entry| entry["status"] == 429);
    let refused = at(refused.expect("a refusal"));
    // What was under way when the refusal came may still arrive.
    let silence = refused + 150..refused + 1_950;
    let sent: Vec<&Value> = log
        .iter()
        .filter(|entry| silence.contains(&at(entry)))
        .collect();
    assert!(sent.is_empty(), "{sent:?}");
    let after = log.iter().filter(|entry| at(entry) >= silence.end).count();
    assert!(
        after > 20,
        "{after} of {} requests came after the wait",
        log.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_is_under_way_than_the_service_hints() {
    let bench = Bench::new("account=200,contact=200,lead=200,opportunity=200,systemuser=40").await;
    bench
        .control("variants", r#"{"data":{"largest_page":20}}"#)
        .await;
    bench
        .control(
            "faults",
            r#"{"match":{"path_contains":"/api/data"},"action":{"delay_ms":40}}"#,
        )
        .await;
    let session = bench.session().await;
    let limits = |concurrent: u32| format!(r#"{{"enabled":true,"concurrent":{concurrent}}}"#);
    bench.control("limits", limits(52)).await;
    // From here on the hint is known: it is 4.
    sync(&session, SyncOptions::default()).await;
    let full = || SyncOptions {
        full: true,
        ..SyncOptions::default()
    };
    for (concurrent, is_refused) in [(4, false), (2, true)] {
        bench.control("limits", limits(concurrent)).await;
        log(&bench).await;
        let runs = sync(&session, full()).await;
        // Where even the hint is too much, the tables may give up on the throttling.
        let is_done = runs.iter().all(|run| run.status == RunStatus::Success);
        assert!(is_done || is_refused, "{runs:?}");
        let refusals = log(&bench)
            .await
            .iter()
            .filter(|entry| entry["status"] == 429)
            .count();
        assert_eq!(
            refusals > 0,
            is_refused,
            "{concurrent} at once: {refusals} refusals"
        );
    }
}

/// A connection whose schedule runs in the background, in the middle of a first sync that stalls.
async fn stalled(bench: &Bench) -> (salesmirror_core::App, salesmirror_core::Session) {
    let stall = r#"{"match":{"path_contains":"/contacts","query_contains":"skiptoken"},"action":{"delay_ms":60000}}"#;
    bench.control("faults", stall).await;
    bench
        .control("variants", r#"{"data":{"largest_page":40}}"#)
        .await;
    let app = bench.app();
    let connected = bench.connect(&app, &bench.request()).await;
    let row = connected.expect("a connection").row;
    let session = app.session(&row).await.expect("a session");
    session.start_schedule();
    let begun = Instant::now();
    while session.status().await.expect("a status")[1].rows < 40 {
        assert!(begun.elapsed() < Duration::from_secs(30), "no page came");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    (app, session)
}

const PAGES: &str = "account=5,contact=140,lead=5,opportunity=5,systemuser=5";

#[tokio::test(flavor = "multi_thread")]
async fn closing_the_app_ends_a_sync_within_a_second_and_keeps_what_was_committed() {
    let bench = Bench::new(PAGES).await;
    let (app, session) = stalled(&bench).await;
    let begun = Instant::now();
    app.end_syncs().await;
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
    let runs = session.runs(Some("contact"), 5).await.expect("runs");
    assert_eq!(runs[0].status, "interrupted", "{runs:?}");
    assert_eq!(session.status().await.expect("a status")[1].rows, 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_forgotten_is_synced_no_more() {
    let bench = Bench::new(PAGES).await;
    let (app, session) = stalled(&bench).await;
    // Due again within seconds, if anybody still went by it.
    let often = salesmirror_core::ScheduleChange {
        every: Some(salesmirror_core::Every::Interval(Duration::from_secs(5))),
        ..salesmirror_core::ScheduleChange::default()
    };
    session.set_schedule(None, often).await.expect("room");
    app.disconnect(session.row(), false).await.expect("an end");
    let url = format!("{}/faults", bench.org.description().control_url);
    bench.http.delete(url).send().await.expect("a reply");
    bench.requests().await;
    tokio::time::sleep(Duration::from_secs(8)).await;
    let asked = bench.requests().await;
    assert!(asked.is_empty(), "{asked:?}");
}
