//! Connect, sync, browse, search, export.

use std::time::Duration;

use salesmirror_core::{ExportOptions, RunStatus, Selectors, Strategy, SyncOptions};
use tokio_util::sync::CancellationToken;

use crate::bench::{Bench, sync};

const SMALL: &str = "account=300,contact=700,lead=250,opportunity=200,systemuser=40";

#[tokio::test(flavor = "multi_thread")]
async fn the_mirror_equals_the_organisation_after_full_and_incremental_syncs() {
    let bench = Bench::new(SMALL).await;
    let session = bench.session().await;
    for run in sync(&session, SyncOptions::default()).await {
        assert_eq!(
            (run.status, run.strategy),
            (RunStatus::Success, Strategy::Full),
            "{run:?}"
        );
    }
    bench.assert_equal(&session).await;
    for round in 0..5 {
        let done = bench.act(40, 120, 25);
        let runs = sync(&session, SyncOptions::default()).await;
        assert!(
            runs.iter().all(|run| run.strategy == Strategy::Incremental),
            "{runs:?}"
        );
        let changed: u64 = runs
            .iter()
            .map(|run| run.inserted + run.updated + run.deleted)
            .sum();
        assert!(
            changed > 0 && changed <= done.creates + done.updates + done.deletes,
            "round {round}"
        );
        bench.assert_equal(&session).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_nothing_new_a_sync_costs_one_request_a_table() {
    let bench = Bench::new(SMALL).await;
    let session = bench.session().await;
    sync(&session, SyncOptions::default()).await;
    bench.requests().await;
    let runs = sync(&session, SyncOptions::default()).await;
    assert!(
        runs.iter()
            .all(|run| run.requests == 1 && run.unchanged == 0),
        "{runs:?}"
    );
    assert_eq!(bench.requests().await.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_sync_goes_on_from_its_last_page_in_a_new_process() {
    let bench = Bench::new("account=10,contact=22000,lead=5,opportunity=5,systemuser=5").await;
    let session = bench.session().await;
    bench
        .control("faults", r#"{"match":{"path_contains":"/contacts","query_contains":"skiptoken","after":1},"action":{"delay_ms":60000}}"#)
        .await;
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    tokio::spawn({
        let session = session.clone();
        async move {
            while session.status().await.expect("a status")[1].rows < 10_000 {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            stop.cancel();
        }
    });
    let runs = session
        .sync(&SyncOptions::default(), &cancel)
        .await
        .expect("a sync");
    assert_eq!(runs[1].status, RunStatus::Interrupted, "{runs:?}");
    drop(session);
    let url = format!("{}/faults", bench.org.description().control_url);
    bench.http.delete(url).send().await.expect("a reply");
    bench.requests().await;
    let app = bench.app();
    let row = app.find(None).await.expect("the connection");
    let session = app.session(&row).await.expect("a session");
    let runs = sync(&session, SyncOptions::default()).await;
    assert!(
        runs[1].inserted < 22_000 && runs[1].status == RunStatus::Success,
        "{runs:?}"
    );
    let again = bench
        .requests()
        .await
        .iter()
        .filter(|path| path.ends_with("/contacts"))
        .count();
    // And one request for what changed since the scan began.
    assert!(again <= 4, "{again} pages of five and a delta");
    bench.assert_equal(&session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_delta_link_leads_to_a_full_sync_by_itself() {
    let bench = Bench::new(SMALL).await;
    let session = bench.session().await;
    sync(&session, SyncOptions::default()).await;
    bench.act(10, 30, 10);
    bench.control("delta-tokens/expire", "").await;
    let runs = sync(&session, SyncOptions::default()).await;
    assert!(
        runs.iter()
            .all(|run| run.strategy == Strategy::Full && run.status == RunStatus::Success),
        "{runs:?}"
    );
    bench.assert_equal(&session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_without_tracking_is_read_by_versions_and_a_forbidden_one_fails_alone() {
    let bench = Bench::new(SMALL).await;
    let session = bench.session().await;
    bench
        .control("tracking", r#"{"table":"lead","enabled":false}"#)
        .await;
    bench
        .control("privileges", r#"{"table":"opportunity","read":"none"}"#)
        .await;
    bench
        .control("privileges", r#"{"table":"account","read":"user"}"#)
        .await;
    let runs = sync(&session, SyncOptions::default()).await;
    let failed: Vec<&str> = runs
        .iter()
        .filter(|run| run.status != RunStatus::Success)
        .map(|run| run.table.as_str())
        .collect();
    assert_eq!(failed, ["opportunity"]);
    let error = runs[3].error.as_ref().expect("an error");
    assert_eq!(error.code, "missing_privilege");
    assert!(
        error.message.contains("prvReadopportunity") && !error.hint.is_empty(),
        "{error:?}"
    );
    let again = sync(&session, SyncOptions::default()).await;
    assert_eq!(
        (again[2].strategy, again[2].unchanged, again[2].requests),
        (Strategy::Incremental, 0, 2),
        "the highest version, and one page of ids"
    );
    // Their own accounts are all that this user reads, and none is taken for deleted afterwards.
    let own = runs[0].inserted;
    assert!(own > 0 && own < 300, "{own} accounts");
    assert_eq!(
        (again[0].strategy, again[0].deleted),
        (Strategy::Incremental, 0)
    );
    assert_eq!(session.status().await.expect("a status")[0].rows, own);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_deletes_wait_for_an_answer_that_survives_a_restart() {
    let bench = Bench::new(SMALL).await;
    let session = bench.session().await;
    sync(&session, SyncOptions::default()).await;
    let body = r#"{"deletes":400,"tables":["contact"]}"#;
    bench.control("activity", body).await;
    bench.control("delta-tokens/expire", "").await;
    let runs = sync(&session, SyncOptions::default()).await;
    assert_eq!(runs[1].status, RunStatus::NeedsConfirmation, "{runs:?}");
    assert_eq!(
        session.status().await.expect("a status")[1].state,
        "needs_confirmation"
    );
    let app = bench.app();
    drop(session);
    let row = app.find(None).await.expect("the connection");
    let session = app.session(&row).await.expect("a session");
    let runs = sync(&session, SyncOptions::default()).await;
    assert_eq!(runs[1].status, RunStatus::NeedsConfirmation);
    let runs = sync(
        &session,
        SyncOptions {
            yes: true,
            ..SyncOptions::default()
        },
    )
    .await;
    assert!(runs[1].deleted > 200, "{runs:?}");
    bench.assert_equal(&session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_on_the_way_cost_retries_and_nothing_else() {
    let bench = Bench::new("account=10,contact=12000,lead=5,opportunity=5,systemuser=5").await;
    let session = bench.session().await;
    bench
        .control(
            "faults",
            r#"[{"match":{"path_contains":"/contacts","times":1},"action":{"status":429,"headers":{"Retry-After":"0"}}},
                {"match":{"path_contains":"/contacts","times":1},"action":{"status":503,"body":"<html>busy</html>"}},
                {"match":{"path_contains":"/contacts","query_contains":"skiptoken","times":1},"action":{"html":true}},
                {"match":{"path_contains":"/contacts","query_contains":"skiptoken","times":1},"action":{"cut_body_at":20000}},
                {"match":{"path_contains":"/accounts","times":1},"action":{"status":401}}]"#,
        )
        .await;
    let runs = sync(&session, SyncOptions::default()).await;
    assert!(
        runs.iter().all(|run| run.status == RunStatus::Success),
        "{runs:?}"
    );
    assert!(runs[1].retries >= 2 && runs[0].retries >= 1, "{runs:?}");
    bench.assert_equal(&session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_next_link_to_another_origin_is_refused() {
    let bench = Bench::new("account=10,contact=12000,lead=5,opportunity=5,systemuser=5").await;
    let session = bench.session().await;
    bench
        .control("faults", r#"{"match":{"path_contains":"/contacts","times":1},"action":{"link_origin":"http://localhost:9"}}"#)
        .await;
    let runs = sync(&session, SyncOptions::default()).await;
    assert_eq!(
        runs[1].error.as_ref().expect("an error").code,
        "foreign_link"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_sign_in_stops_the_sync_and_keeps_everything() {
    let bench = Bench::new(SMALL).await;
    let session = bench.session().await;
    sync(&session, SyncOptions::default()).await;
    bench.control("tokens/revoke", "").await;
    let runs = sync(&session, SyncOptions::default()).await;
    for run in &runs {
        let error = run.error.as_ref().expect("an error");
        assert_eq!(
            error.category,
            salesmirror_core::Category::SignIn,
            "{error:?}"
        );
    }
    assert_eq!(session.status().await.expect("a status")[1].rows, 700);
}

#[tokio::test(flavor = "multi_thread")]
async fn invalidated_rows_are_read_again() {
    let bench = Bench::new(SMALL).await;
    let session = bench.session().await;
    sync(&session, SyncOptions::default()).await;
    let id =
        salesmirror_core::parse_guid(bench.truth("contact").await.keys().next().expect("a row"))
            .expect("an id");
    assert_eq!(
        session.invalidate("contact", &[id]).await.expect("a count"),
        1
    );
    assert_eq!(session.status().await.expect("a status")[1].state, "stale");
    sync(&session, SyncOptions::default()).await;
    assert_eq!(session.invalidate("lead", &[]).await.expect("a count"), 250);
    let runs = sync(&session, SyncOptions::default()).await;
    assert_eq!(runs[2].strategy, Strategy::Full);
    assert!(
        session
            .status()
            .await
            .expect("a status")
            .iter()
            .all(|table| table.state == "in_sync")
    );
    bench.assert_equal(&session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_found_and_exported_as_they_are_shown() {
    let bench = Bench::new(SMALL).await;
    let session = bench.session().await;
    sync(&session, SyncOptions::default()).await;
    session
        .index_search(&CancellationToken::new(), |_, _, _| {})
        .await
        .expect("an index");
    let truth = bench.truth("contact").await;
    let wanted = truth
        .values()
        .filter(|row| row["jobtitle"] == "Plant Manager")
        .count();
    let selectors = Selectors {
        filters: vec!["jobtitle = Plant Manager".into()],
        ..Selectors::default()
    };
    let (total, _) = session
        .records_json("contact", &selectors, &[], 0, 10)
        .await
        .expect("records");
    assert_eq!(total as usize, wanted);
    let search = Selectors {
        search: Some("lant manag".into()),
        ..Selectors::default()
    };
    let (found, _) = session
        .records_json("contact", &search, &[], 0, 10)
        .await
        .expect("records");
    assert!(found as usize >= wanted && wanted > 0);
    let metadata = session.metadata("contact").await.expect("metadata");
    let spec = Selectors {
        sort: Some("fullname:desc".into()),
        ..selectors
    }
    .view(&metadata)
    .expect("a view");
    let path = bench.folder.path().join("contacts.csv");
    let columns = ["fullname", "parentcustomerid", "statecode", "description"].map(str::to_owned);
    let exported = session
        .export(
            spec.into(),
            &columns,
            &path,
            &ExportOptions::default(),
            &CancellationToken::new(),
            |_, _| {},
        )
        .await
        .expect("an export");
    assert_eq!(exported.rows as usize, wanted);
    let text = std::fs::read_to_string(&path).expect("a file");
    assert!(
        text.starts_with("fullname,parentcustomerid,parentcustomerid.id,statecode,description\r\n"),
        "{text}"
    );
    assert!(text.contains(",Active,"));
    assert_eq!(
        std::fs::read_dir(bench.folder.path())
            .expect("a folder")
            .count(),
        2,
        "no leftovers"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_fails_leaves_nothing_behind() {
    let bench = Bench::new(SMALL).await;
    let app = bench.app();
    let good = bench.request();
    let cases: Vec<(salesmirror_core::Request, &str)> = vec![
        (
            salesmirror_core::Request {
                client_secret: Some("wrong".to_owned().into()),
                ..good.clone()
            },
            "invalid_client_secret",
        ),
        (
            salesmirror_core::Request {
                tenant: Some("nobody.example".into()),
                ..good.clone()
            },
            "tenant_not_found",
        ),
        (
            salesmirror_core::Request {
                client_id: "11111111-1111-1111-1111-111111111111".into(),
                timeout: Duration::from_millis(500),
                ..good.clone()
            },
            "timed_out",
        ),
        (
            salesmirror_core::Request {
                authority: Some("http://localhost:9/".into()),
                ..good.clone()
            },
            "unreachable",
        ),
        (
            salesmirror_core::Request {
                environment: "http://norrvale.example".into(),
                ..good.clone()
            },
            "bad_environment",
        ),
    ];
    for (request, code) in cases {
        let error = bench.connect(&app, &request).await.expect_err(code);
        assert_eq!(error.code, code, "{error:?}");
        assert!(!error.message.is_empty());
    }
    bench.control("consent", r#"{"mode":"decline"}"#).await;
    let error = bench.connect(&app, &good).await.expect_err("declined");
    assert_eq!(
        (error.code.as_str(), error.category),
        ("declined", salesmirror_core::Category::SignIn)
    );
    assert!(app.connections().await.expect("a list").is_empty());
    assert!(!bench.data_dir().join("app.db").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_on_disk_in_the_clear_and_a_purge_leaves_nothing() {
    let bench = Bench::new(SMALL).await;
    let session = bench.session().await;
    sync(&session, SyncOptions::default()).await;
    let secret = bench.org.description().client_secret.clone();
    let words = [
        secret.as_bytes(),
        b"Plant Manager",
        b"norrvale.example",
        b"eyJ0eXAi",
        b"1.A0.",
    ];
    let mut files = 0;
    for file in std::fs::read_dir(bench.data_dir()).expect("a folder") {
        let path = file.expect("a file").path();
        let bytes = std::fs::read(&path).expect("a file");
        for word in words {
            assert!(
                !bytes.windows(word.len()).any(|part| part == word),
                "{}",
                path.display()
            );
        }
        files += 1;
    }
    assert!(files >= 3);
    let app = bench.app();
    let row = app.find(None).await.expect("the connection");
    drop(session);
    app.disconnect(&row, true).await.expect("a purge");
    let left: Vec<String> = std::fs::read_dir(bench.data_dir())
        .expect("a folder")
        .map(|file| {
            file.expect("a file")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    assert_eq!(left, ["installation"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_whose_kept_link_expired_meanwhile_starts_over() {
    let bench = Bench::new("account=10,contact=16000,lead=5,opportunity=5,systemuser=5").await;
    let session = bench.session().await;
    // The sync stops behind the first pages …
    bench
        .control("faults", r#"{"match":{"path_contains":"/contacts","query_contains":"skiptoken","after":1},"action":{"status":403,"error_code":"0x80040220","message":"no"}}"#)
        .await;
    let runs = sync(&session, SyncOptions::default()).await;
    assert_eq!(runs[1].status, RunStatus::Failed, "{runs:?}");
    let url = format!("{}/faults", bench.org.description().control_url);
    bench.http.delete(url).send().await.expect("a reply");
    // … and weeks later the service knows the link of the next page no more.
    bench
        .control("faults", r#"{"match":{"path_contains":"/contacts","query_contains":"skiptoken","times":1},"action":{"status":410,"error_code":"0x80060891","message":"The paging cookie has expired."}}"#)
        .await;
    bench.act(20, 100, 20);
    let runs = sync(&session, SyncOptions::default()).await;
    assert_eq!(
        (runs[1].status, runs[1].strategy),
        (RunStatus::Success, Strategy::Full),
        "{runs:?}"
    );
    bench.assert_equal(&session).await;
}
