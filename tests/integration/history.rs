//! What happened to records and in which run, how long that is kept, and what survives damage.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use salesmirror_core::{Happening, RunStatus, Session, SyncOptions, What, parse_guid};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::bench::{Bench, sync};
use crate::command_line::{CONNECT, in_session, text};

const FEW: &str = "account=60,contact=400,lead=40,opportunity=30,systemuser=10";

async fn put(bench: &Bench, table: &str, id: &str, values: Value) {
    let body = json!({"table": table, "id": id, "values": values});
    bench.control("records", body).await;
}

async fn delete(bench: &Bench, table: &str, count: u64) {
    let body = json!({"deletes": count, "tables": [table]});
    bench.control("activity", body).await;
}

async fn history(session: &Session, table: &str, id: &str) -> Vec<Happening> {
    let id = parse_guid(id).expect("an id");
    session.history(table, id, 100).await.expect("a history")
}

/// Ids of a table's deleted rows, with when they went.
async fn tombstones(session: &Session, table: &str) -> Vec<(String, String)> {
    let selectors = salesmirror_core::Selectors {
        deleted: salesmirror_core::Deleted::Only,
        ..Default::default()
    };
    let (total, rows) = session
        .records_json(table, &selectors, &[], 0, usize::MAX)
        .await
        .expect("records");
    assert_eq!(total as usize, rows.len());
    let text = |row: &Value, name: &str| row[name].as_str().expect(name).to_owned();
    let mut found: Vec<(String, String)> = rows
        .iter()
        .map(|row| {
            let row: Value = serde_json::from_str(row).expect("a row");
            assert_eq!(row["_deleted"], true);
            (text(&row, &format!("{table}id")), text(&row, "_deleted_at"))
        })
        .collect();
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_tells_what_changed_from_what_to_what_and_in_which_run() {
    let bench = Bench::new(FEW).await;
    let session = bench.session().await;
    sync(&session, SyncOptions::default()).await;
    let id = bench
        .truth("opportunity")
        .await
        .keys()
        .next()
        .expect("a row")
        .clone();
    assert!(history(&session, "opportunity", &id).await.is_empty());
    put(
        &bench,
        "opportunity",
        &id,
        json!({"name": "Before", "statecode": 0}),
    )
    .await;
    sync(&session, SyncOptions::default()).await;
    put(
        &bench,
        "opportunity",
        &id,
        json!({"name": "After", "statecode": 1}),
    )
    .await;
    let runs = sync(&session, SyncOptions::default()).await;
    let run = runs
        .iter()
        .find(|run| run.table == "opportunity")
        .expect("a run");
    let found = history(&session, "opportunity", &id).await;
    assert_eq!((found[0].what, found[0].run), (What::Changed, Some(run.id)));
    let told = salesmirror_core::happening_json(&found[0]);
    let told: Value = serde_json::from_str(&told).expect("JSON");
    let field = |name: &str| {
        let fields = told["fields"].as_array().expect("fields");
        let found = fields.iter().find(|field| field["column"] == name);
        found.unwrap_or_else(|| panic!("{name} in {told}")).clone()
    };
    assert_eq!(
        field("name"),
        json!({"column": "name", "from": "Before", "to": "After"})
    );
    assert_eq!(
        field("statecode"),
        json!({"column": "statecode", "from": 0, "from_label": "Open", "to": 1, "to_label": "Won"})
    );
    // It goes, and comes back as another.
    let control = &bench.org.description().control_url;
    let body = json!({"table": "opportunity", "id": id}).to_string();
    let request = bench.http.delete(format!("{control}/records")).body(body);
    let reply = request.send().await.expect("a reply");
    assert!(reply.status().is_success(), "{}", reply.status());
    sync(&session, SyncOptions::default()).await;
    put(&bench, "opportunity", &id, json!({"name": "Back"})).await;
    sync(&session, SyncOptions::default()).await;
    let found = history(&session, "opportunity", &id).await;
    let what: Vec<What> = found.iter().map(|entry| entry.what).collect();
    assert_eq!(what[..3], [What::Returned, What::Deleted, What::Changed]);
    let back = salesmirror_core::happening_json(&found[0]);
    assert!(
        back.contains(r#"{"column":"name","from":"After","to":"Back"}"#),
        "{back}"
    );
    bench.assert_equal(&session).await;
    // The run is listed with what it did.
    let kept = session
        .runs(Some("opportunity"), 3)
        .await
        .expect("runs")
        .remove(2);
    assert_eq!(
        (
            kept.id,
            kept.status.as_str(),
            kept.updated,
            kept.requests,
            kept.pages
        ),
        (run.id, "success", run.updated, run.requests, run.pages)
    );
    assert_eq!(kept.reason, run.reason);
    assert_eq!(kept.started_at, run.started_at);
    assert!(
        kept.finished_at
            .is_some_and(|ended| ended >= kept.started_at)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn deletions_are_told_with_when_they_went_and_in_which_run() {
    let bench = Bench::new(FEW).await;
    let session = bench.session().await;
    sync(&session, SyncOptions::default()).await;
    // By the delta, and by the comparison of a full sync.
    for expire in [false, true] {
        let before = tombstones(&session, "contact").await;
        delete(&bench, "contact", 8).await;
        if expire {
            bench.control("delta-tokens/expire", "").await;
        }
        let runs = sync(&session, SyncOptions::default()).await;
        let went: Vec<_> = tombstones(&session, "contact")
            .await
            .into_iter()
            .filter(|row| !before.contains(row))
            .collect();
        assert_eq!(went.len() as u64, runs[1].deleted, "{runs:?}");
        assert!(!went.is_empty());
        for (id, moment) in went {
            let found = history(&session, "contact", &id).await;
            assert_eq!(
                (found[0].what, found[0].run),
                (What::Deleted, Some(runs[1].id))
            );
            let seen = salesmirror_core::happening_json(&found[0]);
            assert!(seen.contains(&moment), "{moment} in {seen}");
        }
        bench.assert_equal(&session).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_ending_of_a_run_is_kept_with_its_reason_and_its_error() {
    let bench = Bench::new(FEW).await;
    let session = bench.session().await;
    sync(&session, SyncOptions::default()).await;
    bench
        .control("faults", r#"[{"match":{"path_contains":"/leads"},"action":{"status":403,"error_code":"0x80040220","message":"no"}},
            {"match":{"path_contains":"/accounts","times":1},"action":{"status":429,"retry_after_s":1}}]"#)
        .await;
    bench.control("delta-tokens/expire", "").await;
    bench
        .control("activity", r#"{"deletes":300,"tables":["contact"]}"#)
        .await;
    let cancelled = CancellationToken::new();
    sync(&session, SyncOptions::default()).await;
    cancelled.cancel();
    let only = SyncOptions {
        tables: vec!["systemuser".into()],
        ..SyncOptions::default()
    };
    session.sync(&only, &cancelled).await.expect("runs");
    for (table, status, code) in [
        ("lead", "failed", Some("missing_privilege")),
        ("account", "success", None),
        ("contact", "needs_confirmation", Some("mass_delete")),
        ("systemuser", "interrupted", Some("interrupted")),
    ] {
        let run = session.runs(Some(table), 1).await.expect("runs").remove(0);
        assert_eq!(
            (run.table.as_str(), run.status.as_str()),
            (table, status),
            "{run:?}"
        );
        let error: Option<Value> = run
            .error
            .as_deref()
            .map(|text| serde_json::from_str(text).expect("JSON"));
        assert_eq!(
            error.as_ref().and_then(|error| error["code"].as_str()),
            code,
            "{run:?}"
        );
        if let Some(error) = error {
            assert!(
                !error["hint"].as_str().expect("a hint").is_empty(),
                "{error}"
            );
        }
        if table == "account" {
            assert!(run.retries == 1 && run.throttled_ms >= 900, "{run:?}");
            assert!(
                run.reason.contains("full") || run.strategy == "full",
                "{run:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_process_was_killed_is_told_as_interrupted() {
    let bench = Bench::new("account=10,contact=11000,lead=5,opportunity=5,systemuser=5").await;
    bench
        .control("faults", r#"{"match":{"path_contains":"/contacts","query_contains":"skiptoken"},"action":{"delay_ms":60000}}"#)
        .await;
    let script = format!(
        r#"{CONNECT} > /dev/null || exit 1
        "$SM" sync --quiet --json > /dev/null 2>&1 & pid=$!
        until "$SM" status --json | grep -q '"rows":5000'; do sleep 0.1; done
        printf 'RUNNING %s\n' "$("$SM" runs --table contact --json)"
        kill -KILL $pid; wait $pid 2> /dev/null
        printf 'KILLED %s\n' "$("$SM" runs --table contact --json)"
        "$SM" runs --limit 2"#
    );
    let output = in_session(&bench, &script).await;
    let all = text(&output);
    let run = |word: &str| {
        let line = all.lines().find_map(|line| line.strip_prefix(word));
        let found: Value =
            serde_json::from_str(line.unwrap_or_else(|| panic!("{all}"))).expect("JSON");
        found["runs"][0].clone()
    };
    assert_eq!(run("RUNNING ")["status"], "running", "{all}");
    let killed = run("KILLED ");
    assert_eq!(
        (&killed["status"], &killed["error"]["code"]),
        (&json!("interrupted"), &json!("killed"))
    );
    for key in [
        "id",
        "table",
        "strategy",
        "status",
        "started",
        "reason",
        "inserted",
        "updated",
        "deleted",
        "unchanged",
        "pages",
        "requests",
        "retries",
        "throttled_ms",
        "duration_ms",
        "error",
    ] {
        assert!(killed.get(key).is_some(), "{key} in {killed}");
    }
    assert!(
        all.contains("STARTED") && all.contains("interrupted"),
        "{all}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_is_shown_in_a_shell() {
    let bench = Bench::new(FEW).await;
    let id = bench
        .truth("account")
        .await
        .keys()
        .next()
        .expect("a row")
        .clone();
    let url = &bench.org.description().control_url;
    let script = format!(
        r#"set -e
        {CONNECT} > /dev/null
        "$SM" sync --quiet
        "$SM" show account {id} --history | tail -1
        curl -fsS -X POST {url}/records -d '{{"table":"account","id":"{id}","values":{{"name":"Zephyr Works"}}}}' > /dev/null
        "$SM" sync --quiet > /dev/null
        printf 'JSON %s\n' "$("$SM" show accounts {id} --history --json)"
        printf 'RAW %s\n' "$("$SM" show accounts {id} --history --raw --json)"
        "$SM" show account {id} --history
        curl -fsS -X POST {url}/activity -d '{{"deletes":3,"tables":["account"]}}' > /dev/null
        "$SM" sync --quiet > /dev/null
        "$SM" records account --columns name --deleted only"#
    );
    let output = in_session(&bench, &script).await;
    let all = text(&output);
    assert!(output.status.success(), "{all}");
    assert!(all.contains("Nothing happened to it"), "{all}");
    for word in ["JSON ", "RAW "] {
        let line = all
            .lines()
            .find_map(|line| line.strip_prefix(word))
            .expect(word);
        let record: Value = serde_json::from_str(line).expect("JSON");
        let entry = &record["_history"][0];
        assert_eq!(entry["what"], "changed", "{record}");
        assert!(
            entry["run"].is_number() && entry["seen"].is_string(),
            "{entry}"
        );
        let fields = entry["fields"].as_array().expect("fields");
        assert!(
            fields
                .iter()
                .any(|field| field["column"] == "name" && field["to"] == "Zephyr Works"),
            "{entry}"
        );
        assert_eq!(record["name"], "Zephyr Works");
    }
    assert!(all.contains("→ Zephyr Works"), "{all}");
    assert!(all.contains("DELETED"), "{all}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guards_question_names_examples_and_is_asked_again_after_a_restart() {
    let bench = Bench::new(FEW).await;
    let session = bench.session().await;
    sync(&session, SyncOptions::default()).await;
    let before = bench.truth("contact").await;
    bench
        .control("activity", r#"{"deletes":300,"tables":["contact"]}"#)
        .await;
    bench.control("delta-tokens/expire", "").await;
    let after = bench.truth("contact").await;
    let gone: Vec<&str> = before
        .iter()
        .filter(|(id, _)| !after.contains_key(*id))
        .map(|(_, row)| row["fullname"].as_str().expect("a name"))
        .collect();
    let mut session = session;
    for _ in 0..2 {
        let runs = sync(&session, SyncOptions::default()).await;
        assert_eq!(runs[1].status, RunStatus::NeedsConfirmation);
        let guard = runs[1].guard.as_ref().expect("a question");
        assert_eq!(
            (guard.would_delete as usize, guard.live_before),
            (gone.len(), 400)
        );
        assert_eq!(guard.examples.len(), 5);
        let message = &runs[1].error.as_ref().expect("an error").message;
        for example in &guard.examples {
            assert!(
                gone.contains(&example.as_str()) && message.contains(example),
                "{message}"
            );
        }
        let status = session.status().await.expect("a status");
        assert_eq!(status[1].guard.as_ref(), Some(guard));
        let app = bench.app();
        drop(session);
        let row = app.find(None).await.expect("the connection");
        session = app.session(&row).await.expect("a session");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn purged_rows_leave_search_queries_and_counts_and_what_comes_after_is_found() {
    let bench = Bench::new(FEW).await;
    let session = bench.session().await;
    let cancel = CancellationToken::new();
    let index = || session.index_search(&cancel, |_, _, _| {});
    sync(&session, SyncOptions::default()).await;
    index().await.expect("an index");
    delete(&bench, "contact", 120).await;
    sync(&session, SyncOptions::default()).await;
    index().await.expect("an index");
    let went = tombstones(&session, "contact").await;
    assert!(went.len() > 50);
    // Too young for this.
    let none = session
        .purge_deleted(&[], 1, &cancel)
        .await
        .expect("a purge");
    assert_eq!(none, 0);
    let purged = session
        .purge_deleted(&["contact".into()], 0, &cancel)
        .await
        .expect("a purge");
    assert_eq!(purged as usize, went.len());
    assert!(tombstones(&session, "contact").await.is_empty());
    let status = session.status().await.expect("a status");
    assert_eq!(
        (status[1].deleted, status[1].rows as usize),
        (0, 400 - went.len())
    );
    for (id, _) in &went {
        assert!(history(&session, "contact", id).await.is_empty());
    }
    bench.assert_equal(&session).await;
    // New rows may take the numbers of those that went: search has to follow them.
    for number in 0..200 {
        let id = uuid::Uuid::from_u64_pair(9, number).to_string();
        put(
            &bench,
            "contact",
            &id,
            json!({"fullname": format!("Quixotic Zebra {number}")}),
        )
        .await;
    }
    sync(&session, SyncOptions::default()).await;
    index().await.expect("an index");
    let found = |text: &str| {
        let selectors = salesmirror_core::Selectors {
            search: Some(text.to_owned()),
            deleted: salesmirror_core::Deleted::Include,
            ..Default::default()
        };
        let session = session.clone();
        async move {
            let (total, rows) = session
                .records_json("contact", &selectors, &[], 0, usize::MAX)
                .await
                .expect("records");
            assert!(rows.iter().all(|row| row.contains("\"_deleted\":false")));
            total
        }
    };
    assert_eq!(found("xotic zeb").await, 200);
    let status = session.status().await.expect("a status");
    assert_eq!(status[1].search.indexed, status[1].search.total);
    let query = salesmirror_core::QueryLimits {
        rows: 10,
        time: std::time::Duration::from_secs(10),
    };
    let counted = session
        .query("SELECT count(*) FROM contact", query)
        .await
        .expect("a result");
    assert_eq!(
        format!("{:?}", counted.rows[0][0]),
        format!("Integer({})", 600 - went.len())
    );
    bench.assert_equal(&session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_goes_by_the_settings_that_the_admin_made() {
    let bench = Bench::new(FEW).await;
    let session = bench.session().await;
    sync(&session, SyncOptions::default()).await;
    // The guard lets 300 of 400 pass …
    session
        .set_preference("mass-delete-percent", "90%")
        .await
        .expect("a setting");
    delete(&bench, "contact", 300).await;
    bench.control("delta-tokens/expire", "").await;
    let runs = sync(&session, SyncOptions::default()).await;
    assert!(
        runs[1].status == RunStatus::Success && runs[1].deleted > 150,
        "{runs:?}"
    );
    // … and then stops one of a few.
    for key in ["mass-delete-percent", "mass-delete-rows"] {
        session.set_preference(key, "0").await.expect("a setting");
    }
    delete(&bench, "lead", 1).await;
    bench.control("delta-tokens/expire", "").await;
    let app = bench.app();
    let row = app.find(None).await.expect("the connection");
    let again = app.session(&row).await.expect("a session");
    let runs = sync(&again, SyncOptions::default()).await;
    assert_eq!(runs[2].status, RunStatus::NeedsConfirmation, "{runs:?}");
    assert_eq!(runs[2].guard.as_ref().expect("a question").would_delete, 1);
    session
        .set_preference("mass-delete-rows", "default")
        .await
        .expect("a setting");
    let kept = session
        .preference("mass-delete-rows")
        .await
        .expect("a setting");
    assert_eq!(kept.value, "100");
    let error = session
        .set_preference("keep-history", "0")
        .await
        .expect_err("no value");
    assert_eq!(error.code, "bad_setting");
    let error = session
        .preference("keep-everything")
        .await
        .expect_err("no setting");
    assert_eq!(error.code, "unknown_setting");
    // What is older than a day goes with the next sync, which is none of these.
    for key in ["keep-deleted", "keep-history", "keep-runs"] {
        session.set_preference(key, "1").await.expect("a setting");
    }
    let before = tombstones(&session, "contact").await.len();
    sync(
        &session,
        SyncOptions {
            yes: true,
            ..SyncOptions::default()
        },
    )
    .await;
    assert_eq!(tombstones(&session, "contact").await.len(), before);
    assert!(before > 150);
    bench.assert_equal(&session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_and_purge_in_a_shell() {
    let bench = Bench::new(FEW).await;
    let url = &bench.org.description().control_url;
    let script = format!(
        r#"{CONNECT} > /dev/null || exit 1
        "$SM" sync --quiet > /dev/null
        "$SM" settings
        "$SM" settings keep-history 30 --json
        "$SM" settings keep-history
        "$SM" settings keep-history soon --json; echo "exit $?"
        curl -fsS -X POST {url}/activity -d '{{"deletes":9,"tables":["lead"]}}' > /dev/null
        "$SM" sync --quiet > /dev/null
        "$SM" records leads --columns leadid --deleted only --json
        "$SM" purge leads --older-than 1 --json
        "$SM" purge leads --json
        "$SM" records leads --deleted only --json
        "$SM" purge --json; echo "exit $?"
        "$SM" settings mass-delete-percent 0 --quiet > /dev/null
        "$SM" settings mass-delete-rows 3 --quiet > /dev/null
        curl -fsS -X POST {url}/activity -d '{{"deletes":12,"tables":["lead"]}}' > /dev/null
        "$SM" sync --full --json; echo "guard $?"
        "$SM" sync 2>&1 | grep 'Among them'
        "$SM" status --json"#
    );
    let output = in_session(&bench, &script).await;
    let all = text(&output);
    for part in [
        "keep-deleted         forever",
        r#"{"key":"keep-history","value":"30","default":"365","#,
        "\n30\n",
        r#""code":"bad_setting""#,
        "exit 2",
        r#"{"purged":0}"#,
        r#"{"total":0,"rows":[]}"#,
    ] {
        assert!(all.contains(part), "{part} is missing in {all}");
    }
    assert_eq!(all.matches("exit 2").count(), 2, "{all}");
    // The question, with examples, by the admin's own limits.
    assert!(
        all.contains("guard 5") && all.contains("Among them: "),
        "{all}"
    );
    for start in ["{\"runs\"", "{\"connection\":\"demo\",\"environment\""] {
        let line = all
            .lines()
            .find(|line| line.starts_with(start))
            .expect(start);
        let document: Value = serde_json::from_str(line).expect("JSON");
        let list = document["runs"]
            .as_array()
            .or(document["tables"].as_array());
        let lead = list
            .into_iter()
            .flatten()
            .find(|entry| entry["table"] == "lead");
        let guard = &lead.expect("leads")["guard"];
        assert!(guard["would_delete"].as_u64() > Some(3), "{document}");
        assert_eq!(
            guard["examples"].as_array().map(Vec::len),
            Some(5),
            "{document}"
        );
    }
    let number = |line: &str, key: &str| {
        let document: Value = serde_json::from_str(line).expect("JSON");
        document[key].as_u64().expect("a number")
    };
    let lines = |start: &'static str| all.lines().filter(move |line| line.starts_with(start));
    let before = number(lines("{\"total\"").next().expect("a total"), "total");
    let purged = number(lines("{\"purged\"").next_back().expect("a count"), "purged");
    assert!(before > 0 && before == purged, "{all}");
}

/// What is done to a mirror's file.
#[derive(Debug, Clone, Copy)]
enum Harm {
    /// These bytes, in thousandths of the file, become noise.
    Overwritten(u64, u64),
    /// A place in every so many pages becomes noise.
    Sprinkled(u64),
    /// So many thousandths are left.
    CutOff(u64),
}

const PAGE: u64 = 4_096;

fn harm(file: &Path, harm: Harm) {
    let mut open = OpenOptions::new()
        .read(true)
        .write(true)
        .open(file)
        .expect("the mirror");
    let size = open.metadata().expect("a size").len();
    let mut noise = |from: u64, to: u64| {
        open.seek(SeekFrom::Start(from)).expect("a place");
        let noise: Vec<u8> = (from..to)
            .map(|place| (place.wrapping_mul(2_654_435_761) >> 7) as u8)
            .collect();
        open.write_all(&noise).expect("room");
    };
    match harm {
        Harm::Overwritten(from, to) => noise(size * from / 1_000, (size * to / 1_000).max(PAGE)),
        Harm::Sprinkled(pages) => {
            for page in (pages..size / PAGE).step_by(pages as usize) {
                noise(page * PAGE + 500, page * PAGE + 700);
            }
        }
        Harm::CutOff(left) => open.set_len(size * left / 1_000).expect("a size"),
    }
}

fn mirror_file(bench: &Bench) -> PathBuf {
    let files = std::fs::read_dir(bench.data_dir()).expect("a folder");
    let mut paths = files.map(|file| file.expect("a file").path());
    let found = paths.find(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("mirror-") && name.ends_with(".db") && !name.contains("damaged")
    });
    found.expect("the mirror")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_a_damaged_mirror_has_is_saved_as_far_as_it_can_be_read_and_the_rest_is_counted()
{
    // Whether the second copy is there.
    let cases = [
        (Harm::Overwritten(0, 2), true),
        (Harm::Overwritten(0, 300), true),
        (Harm::Overwritten(450, 550), true),
        (Harm::CutOff(500), true),
        (Harm::CutOff(0), true),
        (Harm::Overwritten(0, 2), false),
        (Harm::Overwritten(900, 1_000), false),
        (Harm::Sprinkled(40), false),
        (Harm::CutOff(970), false),
    ];
    for (what, has_copy) in cases {
        let bench = Bench::new(FEW).await;
        let session = bench.session().await;
        sync(&session, SyncOptions::default()).await;
        for _ in 0..2 {
            bench
                .control("activity", r#"{"updates":150,"tables":["contact"]}"#)
                .await;
            delete(&bench, "contact", 60).await;
            sync(&session, SyncOptions::default()).await;
        }
        let before = tombstones(&session, "contact").await;
        let mut told = BTreeMap::new();
        for id in bench
            .truth("contact")
            .await
            .keys()
            .chain(before.iter().map(|(id, _)| id))
        {
            told.insert(id.clone(), history(&session, "contact", id).await);
        }
        let changes: usize = told.values().map(Vec::len).sum();
        assert!(
            before.len() > 60 && changes > 200,
            "{} and {changes}",
            before.len()
        );
        drop(session);
        harm(&mirror_file(&bench), what);
        if !has_copy {
            let mirror = mirror_file(&bench)
                .to_string_lossy()
                .replace("mirror-", "kept-");
            std::fs::remove_file(mirror).expect("the second copy");
        }

        let app = bench.app();
        let row = app.find(None).await.expect("the connection");
        let mut session = app.session(&row).await.expect("a session");
        let full = SyncOptions {
            full: true,
            ..SyncOptions::default()
        };
        // Even the list of tables may be beyond reading.
        let _ = session.sync(&full, &CancellationToken::new()).await;
        if app.is_damaged(&row) {
            drop(session);
            session = app.reopen(&row).await.expect("a session");
        }
        let rescue = session
            .rescue()
            .unwrap_or_else(|| panic!("{what:?}"))
            .clone();
        assert!(
            rescue.moved_to.as_ref().is_some_and(|path| path.exists()) && rescue.counted,
            "{what:?}: {rescue:?}"
        );
        let sentence = session.notice().expect("a notice");
        for count in [rescue.deleted_rows, rescue.changes] {
            assert!(sentence.contains(&count.to_string()), "{sentence}");
        }
        let all = (before.len() + changes) as u64;
        let saved = rescue.deleted_rows + rescue.changes;
        assert_eq!(saved + rescue.lost, all, "{what:?}: {rescue:?}");
        assert!(!has_copy || rescue.lost == 0, "{what:?}: {rescue:?}");
        // Everything is fetched again, and what was saved is told as before.
        let runs = sync(
            &session,
            SyncOptions {
                yes: true,
                ..SyncOptions::default()
            },
        )
        .await;
        assert!(
            runs.iter().all(|run| run.status == RunStatus::Success),
            "{what:?}: {runs:?}"
        );
        bench.assert_equal(&session).await;
        let after = tombstones(&session, "contact").await;
        assert_eq!(after.len() as u64, rescue.deleted_rows, "{what:?}");
        assert!(after.iter().all(|row| before.contains(row)), "{what:?}");
        let mut kept = 0;
        for (id, told) in &told {
            let found = history(&session, "contact", id).await;
            assert!(
                found.iter().all(|entry| told.contains(entry)),
                "{what:?}: {found:?} of {told:?}"
            );
            kept += found.len() as u64;
        }
        assert_eq!(kept, rescue.changes, "{what:?}");
        // The next changes go on from there.
        bench.act(5, 60, 5);
        let runs = sync(&session, SyncOptions::default()).await;
        assert!(
            runs.iter().all(|run| run.status == RunStatus::Success),
            "{what:?}: {runs:?}"
        );
        bench.assert_equal(&session).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rescue_that_was_cut_off_is_done_again_from_the_file_that_was_moved_aside() {
    let bench = Bench::new(FEW).await;
    let session = bench.session().await;
    sync(&session, SyncOptions::default()).await;
    delete(&bench, "contact", 60).await;
    sync(&session, SyncOptions::default()).await;
    let before = tombstones(&session, "contact").await;
    drop(session);
    // As after a kill: the mirror is aside by the name in the note, and half a new one in its place.
    let mirror = mirror_file(&bench);
    let aside = mirror.with_extension("damaged-7.db");
    std::fs::rename(&mirror, &aside).expect("a file");
    std::fs::write(&mirror, "half a mirror").expect("a file");
    let name = aside.file_name().expect("a name").to_string_lossy();
    std::fs::write(mirror.with_extension("damaged"), &*name).expect("a note");
    let app = bench.app();
    let row = app.find(None).await.expect("the connection");
    let session = app.session(&row).await.expect("a session");
    let rescue = session.rescue().expect("a rescue");
    assert_eq!(
        (rescue.deleted_rows as usize, rescue.lost),
        (before.len(), 0)
    );
    assert_eq!(rescue.moved_to, Some(aside));
    assert!(!app.is_damaged(&row));
    sync(&session, SyncOptions::default()).await;
    assert_eq!(tombstones(&session, "contact").await, before);
    bench.assert_equal(&session).await;
    // A mirror that somebody removed is told as gone, and its second copy is there.
    drop(session);
    std::fs::remove_file(&mirror).expect("the mirror");
    let session = app.reopen(&row).await.expect("a session");
    let rescue = session.rescue().expect("a rescue");
    assert_eq!(
        (rescue.deleted_rows as usize, rescue.lost),
        (before.len(), 0)
    );
    assert!(rescue.moved_to.is_none() && session.notice().expect("a notice").contains("was gone"));
    sync(&session, SyncOptions::default()).await;
    assert_eq!(tombstones(&session, "contact").await, before);
    bench.assert_equal(&session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_is_said_in_a_shell_with_counts_and_found_by_commands_that_read() {
    let bench = Bench::new(FEW).await;
    let url = &bench.org.description().control_url;
    let script = format!(
        r#"{CONNECT} > /dev/null || exit 1
        "$SM" sync --quiet > /dev/null
        curl -fsS -X POST {url}/activity -d '{{"deletes":60,"tables":["contact"]}}' > /dev/null
        "$SM" sync --quiet > /dev/null
        file=$(ls "$SALESMIRROR_DATA_DIR"/mirror-*.db)
        size=$(stat -c %s "$file")
        dd if=/dev/urandom of="$file" bs=4096 seek=$((size / 8192)) count=$((size / 8192 - 60)) conv=notrunc 2> /dev/null
        "$SM" export contacts --format jsonl --output "$HOME/c.jsonl" --json; echo "exit $?"
        "$SM" sync --json; echo "exit $?"
        "$SM" status --json; echo "exit $?""#
    );
    let output = in_session(&bench, &script).await;
    let all = text(&output);
    assert!(all.contains("\"code\":\"database_damaged\""), "{all}");
    let document = |start: &str| -> Value {
        let line = all.lines().find(|line| line.starts_with(start));
        serde_json::from_str(line.unwrap_or_else(|| panic!("{all}"))).expect("JSON")
    };
    let synced = document("{\"runs\"");
    let rescued = &synced["rescued"];
    let sum: u64 = ["deleted_rows", "changes", "lost"]
        .iter()
        .map(|key| rescued[*key].as_u64().unwrap_or_else(|| panic!("{all}")))
        .sum();
    assert!(sum > 80 && rescued["counted"] == true, "{synced}");
    assert!(Path::new(rescued["moved_to"].as_str().expect("a path")).exists());
    assert_eq!(document("{\"connection\"")["rescued"], *rescued);
    assert!(all.contains("The local copy was damaged"), "{all}");
    assert_eq!(all.matches("exit 0").count(), 2, "{all}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_let_go_of_is_in_no_copy_either() {
    let bench = Bench::new(FEW).await;
    let session = bench.session().await;
    sync(&session, SyncOptions::default()).await;
    for table in ["contact", "lead", "account"] {
        delete(&bench, table, 9).await;
    }
    sync(&session, SyncOptions::default()).await;
    let kept = tombstones(&session, "account").await;
    assert!(!kept.is_empty());
    let contacts = ["contact".to_owned()];
    let purged = session
        .purge_deleted(&contacts, 0, &CancellationToken::new())
        .await
        .expect("a purge");
    assert!(purged > 0);
    session.remove_table("lead").await.expect("a table");
    drop(session);
    // All that is left is the second copy.
    harm(&mirror_file(&bench), Harm::CutOff(0));
    let app = bench.app();
    let row = app.find(None).await.expect("the connection");
    let session = app.session(&row).await.expect("a session");
    let rescue = session.rescue().expect("a rescue");
    assert_eq!(
        (rescue.deleted_rows as usize, rescue.changes as usize),
        (kept.len(), kept.len())
    );
    assert_eq!(tombstones(&session, "account").await, kept);
    assert!(tombstones(&session, "contact").await.is_empty());
    let tables = session.mirrored_tables().await.expect("tables");
    assert!(!tables.contains(&"lead".to_owned()));
    assert!(session.metadata("lead").await.is_err());
}
