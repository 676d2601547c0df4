//! Faults that a sync survives, each injected through real HTTP and followed by a comparison of the
//! mirror with the organisation row by row. `docs/faults.md` has a line for each.

use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};

use salesmirror_core::{Fix, RunReport, RunStatus, Session, Strategy, SyncOptions, VerifyOptions};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::bench::{Bench, sync};
use crate::command_line::{CONNECT, in_session, text};

/// Three pages of contacts and a half, so that there are pages in the middle of the scan.
const ROWS: &str = "account=20,contact=140,lead=20,opportunity=20,systemuser=10";
const SMALL_PAGES: &str = r#"{"data":{"largest_page":40}}"#;
const FEW: &str = "account=60,contact=150,lead=40,opportunity=30,systemuser=10";

/// How the sync with the fault ends. One without it follows, and has to succeed.
#[derive(Debug, Clone, Copy)]
enum Ending {
    /// It survives by itself.
    Survives,
    /// Contacts end with this code.
    Fails(&'static str),
}

use Ending::{Fails, Survives};

async fn contacts(session: &Session, full: bool) -> RunReport {
    let options = SyncOptions {
        tables: vec!["contact".to_owned()],
        full,
        yes: true,
        ..SyncOptions::default()
    };
    sync(session, options).await.remove(0)
}

/// Full syncs of contacts, each with a fault on its way while records change before it.
async fn check(faults: &[(&str, &str, Ending)]) {
    let mut bench = Bench::new(ROWS).await;
    bench.read_timeout = std::time::Duration::from_secs(4);
    bench.control("variants", SMALL_PAGES).await;
    let session = bench.session().await;
    sync(&session, SyncOptions::default()).await;
    for (name, rules, ending) in faults {
        bench.act(4, 40, 4);
        bench.control("faults", (*rules).to_owned()).await;
        let run = contacts(&session, true).await;
        match ending {
            Survives => assert_eq!(run.status, RunStatus::Success, "{name}: {run:?}"),
            Fails(code) => {
                let error = run.error.as_ref().expect(name);
                assert_eq!(
                    (run.status, error.code.as_str()),
                    (RunStatus::Failed, *code),
                    "{name}"
                );
                assert!(
                    !error.message.is_empty() && !error.hint.is_empty(),
                    "{name}"
                );
                let kept = session.status().await.expect("a status")[1].rows;
                assert!(kept >= 100, "{name}: {kept} rows can be browsed");
            }
        }
        if *name == "429 for long" {
            // The service asked for six seconds, and a sync here waits for five at most.
            tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        }
        let url = format!("{}/faults", bench.org.description().control_url);
        bench.http.delete(url).send().await.expect("a reply");
        let runs = sync(&session, SyncOptions::default()).await;
        assert!(
            runs.iter().all(|run| run.status == RunStatus::Success),
            "{name}: {runs:?}"
        );
        bench.assert_equal(&session).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_refuse_for_a_while_or_for_long() {
    let second = r#""path_contains":"/contacts","query_contains":"skiptoken""#;
    let once = |action: &str| format!(r#"{{"match":{{{second},"times":1}},"action":{action}}}"#);
    let ever = |action: &str| format!(r#"{{"match":{{{second}}},"action":{action}}}"#);
    check(&[
        (
            "429, seconds",
            &once(r#"{"status":429,"retry_after_s":1}"#),
            Survives,
        ),
        (
            "429, a date",
            &once(r#"{"status":429,"retry_after_date_s":2}"#),
            Survives,
        ),
        ("429 alone", &once(r#"{"status":429}"#), Survives),
        (
            "500",
            &once(r#"{"status":500,"error_code":"0x80044150","message":"Generic SQL error."}"#),
            Survives,
        ),
        (
            "502",
            &once(r#"{"status":502,"body":"<html></html>"}"#),
            Survives,
        ),
        (
            "503",
            &once(r#"{"status":503,"body":"<html></html>"}"#),
            Survives,
        ),
        (
            "504",
            &once(r#"{"status":504,"body":"<html></html>"}"#),
            Survives,
        ),
        (
            "503 for long",
            &ever(r#"{"status":503,"body":"<html></html>"}"#),
            Fails("service_unavailable"),
        ),
        (
            "429 for long",
            &ever(r#"{"status":429,"retry_after_s":6}"#),
            Fails("throttled"),
        ),
        ("401 while paging", &once(r#"{"status":401}"#), Survives),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_break() {
    let second = r#""path_contains":"/contacts","query_contains":"skiptoken""#;
    let once = |action: &str| format!(r#"{{"match":{{{second},"times":1}},"action":{action}}}"#);
    check(&[
        ("reset", &once(r#"{"reset":true}"#), Survives),
        ("reset in the body", &once(r#"{"reset_body_at":5000}"#), Survives),
        ("cut in the body", &once(r#"{"cut_body_at":5000}"#), Survives),
        ("Content-Length too long", &once(r#"{"content_length":9000000}"#), Survives),
        ("an HTML page with 200", &once(r#"{"html":true}"#), Survives),
        ("gzip cut off", &once(r#"{"gzip":"truncated"}"#), Survives),
        ("gzip broken", &once(r#"{"gzip":"corrupt"}"#), Survives),
        ("gzip that is none", &once(r#"{"gzip":"none"}"#), Survives),
        ("stalled before the answer", &once(r#"{"stall":true}"#), Survives),
        ("stalled in the body", &once(r#"{"stall_body_at":5000}"#), Survives),
        ("refused as it connects", r#"{"match":{"times":2},"action":{"reset_accept":true}}"#, Survives),
        (
            "stalled for long",
            r#"{"match":{"path_contains":"/contacts"},"action":{"stall":true}}"#,
            Fails("page_broken"),
        ),
        (
            "a foreign next link",
            r#"{"match":{"path_contains":"/contacts","times":1},"action":{"link_origin":"http://localhost:9"}}"#,
            Fails("foreign_link"),
        ),
        (
            "403 on one table",
            r#"{"match":{"path_contains":"/contacts"},"action":{"status":403,"error_code":"0x80040220","message":"no"}}"#,
            Fails("missing_privilege"),
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_come_and_go_and_so_do_tables_and_tracking() {
    let bench = Bench::new(FEW).await;
    let session = bench.session().await;
    sync(&session, SyncOptions::default()).await;
    // What the organisation changes, and how the tables that are concerned are read then.
    for (path, body, table, expected) in [
        (
            "columns",
            r#"{"table":"lead","hidden":["jobtitle"]}"#,
            2,
            (RunStatus::Success, Strategy::Full),
        ),
        (
            "columns",
            r#"{"table":"lead","hidden":[]}"#,
            2,
            (RunStatus::Success, Strategy::Full),
        ),
        (
            "tracking",
            r#"{"table":"lead","enabled":false}"#,
            2,
            (RunStatus::Success, Strategy::Full),
        ),
        (
            "tables",
            r#"{"table":"lead","present":false}"#,
            2,
            (RunStatus::Failed, Strategy::Full),
        ),
    ] {
        bench.control(path, body).await;
        bench.act(5, 30, 5);
        let runs = sync(&session, SyncOptions::default()).await;
        assert_eq!(
            (runs[table].status, runs[table].strategy),
            expected,
            "{body}: {runs:?}"
        );
        if expected.0 == RunStatus::Success {
            bench.assert_equal(&session).await;
        }
    }
    // The table's rows can be browsed while it is gone, and follow once it is back.
    assert!(session.status().await.expect("a status")[2].rows > 20);
    bench
        .control("tables", r#"{"table":"lead","present":true}"#)
        .await;
    sync(&session, SyncOptions::default()).await;
    bench.act(5, 30, 5);
    let runs = sync(&session, SyncOptions::default()).await;
    assert_eq!(runs[2].strategy, Strategy::Incremental, "{runs:?}");
    assert!(
        runs[2].reason.contains("versionnumber"),
        "{}",
        runs[2].reason
    );
    bench.assert_equal(&session).await;
    // Tracking again: noticed by the metadata version, and used from then on.
    bench
        .control("tracking", r#"{"table":"lead","enabled":true}"#)
        .await;
    let runs = sync(&session, SyncOptions::default()).await;
    assert!(
        runs[2].reason.contains("hange tracking can be used"),
        "{runs:?}"
    );
    bench.act(5, 30, 5);
    let runs = sync(&session, SyncOptions::default()).await;
    assert_eq!(runs[2].reason, "By change tracking.");
    bench.assert_equal(&session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_tracking_changes_and_deletes_are_found_by_version_or_by_time() {
    for hidden in [
        r#"{"table":"lead","hidden":[]}"#,
        r#"{"table":"lead","hidden":["versionnumber"]}"#,
    ] {
        let bench = Bench::new(FEW).await;
        let session = bench.session().await;
        bench.control("columns", hidden).await;
        bench
            .control("tracking", r#"{"table":"lead","enabled":false}"#)
            .await;
        sync(&session, SyncOptions::default()).await;
        for round in 0..4 {
            bench
                .control(
                    "activity",
                    r#"{"creates":3,"updates":9,"deletes":2,"tables":["lead"]}"#,
                )
                .await;
            let runs = sync(&session, SyncOptions::default()).await;
            assert_eq!(
                (runs[2].status, runs[2].strategy),
                (RunStatus::Success, Strategy::Incremental),
                "{round}: {runs:?}"
            );
            assert!(runs[2].deleted > 0 && runs[2].inserted > 0, "{runs:?}");
            bench.assert_equal(&session).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_tells_what_differs_and_repairs_it() {
    let bench = Bench::new(FEW).await;
    let session = bench.session().await;
    sync(&session, SyncOptions::default()).await;
    let prove = |repair| {
        let session = session.clone();
        async move {
            let options = VerifyOptions {
                repair,
                ..VerifyOptions::default()
            };
            session
                .verify(&options, &CancellationToken::new(), &|_, _| {})
                .await
                .expect("a proof")
        }
    };
    let found = prove(false).await;
    assert!(
        found.iter().all(|table| table.equal && table.requests == 1),
        "{found:?}"
    );
    assert!(
        session
            .status()
            .await
            .expect("a status")
            .iter()
            .all(|table| table.verified.is_some())
    );
    // Deleted in the organisation, and unknown to the mirror.
    bench
        .control("activity", r#"{"deletes":6,"tables":["contact"]}"#)
        .await;
    bench
        .control(
            "activity",
            r#"{"creates":4,"updates":5,"tables":["contact"]}"#,
        )
        .await;
    let found = prove(false).await;
    let contact = &found[1];
    assert!(!contact.equal && contact.extra.count > 0, "{contact:?}");
    assert_eq!(contact.missing.count, 4, "{contact:?}");
    assert!(
        contact.changed.count > 0 && !contact.changed.examples.is_empty(),
        "{contact:?}"
    );
    assert_ne!(contact.fix, Fix::None);
    let found = prove(true).await;
    assert!(
        found[1].repaired && found.iter().all(|table| table.equal),
        "{found:?}"
    );
    bench.assert_equal(&session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_mirror_is_moved_aside_and_synced_again() {
    let bench = Bench::new(FEW).await;
    let session = bench.session().await;
    sync(&session, SyncOptions::default()).await;
    drop(session);
    let file = |name: &str| {
        let files = fs::read_dir(bench.data_dir()).expect("a folder");
        let mut paths = files.map(|file| file.expect("a file").path());
        let found = paths.find(|path| {
            path.to_string_lossy().contains(name) && path.extension().is_some_and(|end| end == "db")
        });
        found.expect("the mirror")
    };
    let mut mirror = fs::OpenOptions::new()
        .write(true)
        .open(file("mirror-"))
        .expect("the mirror");
    mirror.seek(SeekFrom::Start(200)).expect("a place");
    mirror.write_all(&[0; 4_000]).expect("room");
    drop(mirror);
    let app = bench.app();
    let row = app.find(None).await.expect("the connection");
    let session = app.session(&row).await.expect("a session");
    assert!(
        session
            .notice()
            .is_some_and(|notice| notice.contains("damaged"))
    );
    assert!(file(".damaged-").exists());
    let runs = sync(&session, SyncOptions::default()).await;
    assert!(
        runs.iter().all(|run| run.status == RunStatus::Success),
        "{runs:?}"
    );
    bench.assert_equal(&session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_ends_a_sync_within_a_second_and_keeps_what_was_committed() {
    for signal in ["INT", "TERM"] {
        let bench = Bench::new(ROWS).await;
        bench.control("variants", SMALL_PAGES).await;
        bench
            .control("faults", r#"{"match":{"path_contains":"/contacts","query_contains":"skiptoken"},"action":{"delay_ms":60000}}"#)
            .await;
        let script = format!(
            r#"{CONNECT} > /dev/null || exit 1
            python3 - "$SM" <<'END'
import json, os, signal, subprocess, sys, time
sync = subprocess.Popen([sys.argv[1], "sync", "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
def rows():
    status = subprocess.run([sys.argv[1], "status", "--json"], capture_output=True)
    return json.loads(status.stdout)["tables"][1]["rows"]
while rows() < 40:
    time.sleep(0.1)
begun = time.monotonic()
sync.send_signal(signal.SIG{signal})
out, _ = sync.communicate()
seconds = time.monotonic() - begun
print(json.dumps({{"seconds": seconds, "exit": sync.returncode, "rows": rows(), "said": out.decode()}}))
END"#
        );
        let output = in_session(&bench, &script).await;
        let out = String::from_utf8_lossy(&output.stdout);
        let last = out.lines().next_back().unwrap_or_default();
        let found: Value =
            serde_json::from_str(last).unwrap_or_else(|_| panic!("{}", text(&output)));
        assert_eq!(found["exit"], 130, "{found}");
        assert_eq!(found["rows"], 40, "{found}");
        assert!(
            found["seconds"].as_f64().expect("seconds") < 1.0,
            "{signal}: {found}"
        );
    }
}
