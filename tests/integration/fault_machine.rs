//! Faults of this computer and of time: a database that another process has locked, clocks that are
//! wrong, a week asleep, an organisation that is not there, a disk that is full, and deletes of
//! which nobody ever told. `docs/faults.md` has a line for each.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use salesmirror_core::{RunStatus, SyncOptions};
use salesmirror_sample_org::{Config, SampleOrg, parse_rows};
use serde_json::Value;

use crate::bench::{Bench, succeed, sync};
use crate::command_line::{CONNECT, in_session, text};
use crate::processes::{TABLES, versions};

const ROWS: &str = "account=40,contact=140,lead=40,opportunity=20,systemuser=10";

fn mirror(bench: &Bench) -> PathBuf {
    fs::read_dir(bench.data_dir())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("mirror-") && name.ends_with(".db")
        })
        .expect("a mirror")
}

/// Another process that holds the lock that writers of a database take, as SQLite takes it: byte
/// 120 of the shared memory file. It ends when its input is closed.
fn lock(database: &std::path::Path) -> Child {
    let shared = format!("{}-shm", database.display());
    let script = "import fcntl, struct, sys\n\
        file = open(sys.argv[1], 'r+b')\n\
        fcntl.fcntl(file, fcntl.F_SETLKW, struct.pack('hhqqi', fcntl.F_WRLCK, 0, 120, 1, 0))\n\
        print('held', flush=True)\nsys.stdin.read()";
    let mut child = Command::new("python3")
        .args(["-c", script, &shared])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 runs");
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().expect("an output"))
        .read_line(&mut line)
        .expect("a line");
    assert_eq!(line, "held\n");
    child
}

fn release(mut child: Child) {
    drop(child.stdin.take());
    child.wait().expect("an end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_another_process_has_locked_is_waited_for_and_then_said() {
    let bench = Bench::new(ROWS).await;
    let session = bench.session().await;
    sync(&session, SyncOptions::default()).await;
    let path = mirror(&bench);

    // For a while: the sync waits.
    bench.act(5, 30, 5);
    let holder = lock(&path);
    let begun = Instant::now();
    let released = tokio::task::spawn_blocking(move || {
        std::thread::sleep(Duration::from_secs(2));
        release(holder);
    });
    succeed(&session, SyncOptions::default()).await;
    assert!(
        begun.elapsed() >= Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
    released.await.expect("a release");
    bench.assert_equal(&session).await;

    // For long: it says so, and nothing is lost.
    bench.act(5, 30, 5);
    let holder = lock(&path);
    let contacts = SyncOptions {
        tables: vec!["contact".to_owned()],
        ..SyncOptions::default()
    };
    let runs = sync(&session, contacts).await;
    let codes: Vec<&str> = runs
        .iter()
        .filter_map(|run| run.error.as_ref())
        .map(|error| error.code.as_str())
        .collect();
    assert!(
        !codes.is_empty() && codes.iter().all(|code| *code == "database_busy"),
        "{runs:?}"
    );
    assert_eq!(
        session.status().await.expect("a status")[1].table,
        "contact"
    );
    release(holder);
    succeed(&session, SyncOptions::default()).await;
    bench.assert_equal(&session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_that_is_away_is_said_and_found_again() {
    let bench = Bench::new(ROWS).await;
    let session = bench.session().await;
    sync(&session, SyncOptions::default()).await;
    let Bench {
        org,
        folder,
        secrets,
        http,
        read_timeout,
    } = bench;
    let url = org.description().environment_url.clone();
    let port: u16 = url
        .rsplit(':')
        .next()
        .and_then(|port| port.parse().ok())
        .expect("a port");
    drop(org);
    // The listeners take a moment to close.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let runs = sync(&session, SyncOptions::default()).await;
    for run in &runs {
        let code = run.error.as_ref().map(|error| error.code.as_str());
        assert_eq!(
            (run.status, code),
            (RunStatus::Failed, Some("unreachable")),
            "{run:?}"
        );
    }
    assert_eq!(
        session.status().await.expect("a status")[1].rows,
        140,
        "rows stay"
    );
    let config = Config {
        rows: parse_rows(ROWS).expect("rows"),
        port,
        ..Config::default()
    };
    let org = SampleOrg::start(config)
        .await
        .expect("the organisation again");
    let bench = Bench {
        org,
        folder,
        secrets,
        http,
        read_timeout,
    };
    bench.act(5, 30, 5);
    succeed(&session, SyncOptions::default()).await;
    bench.assert_equal(&session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_week_asleep_one_sync_brings_everything() {
    let bench = Bench::new(ROWS).await;
    let session = bench.session().await;
    sync(&session, SyncOptions::default()).await;
    bench.act(9, 60, 9);
    bench.control("entra", r#"{"advance_s":700000}"#).await;
    bench.control("delta-tokens/expire", "{}").await;
    let runs = sync(&session, SyncOptions::default()).await;
    for run in &runs {
        assert_eq!(run.status, RunStatus::Success, "{run:?}");
        assert!(run.reason.contains("expired"), "{run:?}");
    }
    bench.assert_equal(&session).await;
    let runs = sync(&session, SyncOptions::default()).await;
    assert!(runs.iter().all(|run| run.requests == 1), "{runs:?}");
}

/// Exports what identifies each row, and compares it with the organisation.
async fn assert_exported(bench: &Bench) {
    for (table, _) in TABLES {
        let mirrored = versions(&bench.folder.path().join(format!("{table}.csv")));
        let truth: Vec<String> = bench
            .truth(table)
            .await
            .into_iter()
            .map(|(id, row)| format!("{id},{}", row["versionnumber"]))
            .collect();
        assert_eq!(mirrored, truth, "{table}");
    }
}

fn exports(program: &str) -> String {
    TABLES
        .iter()
        .map(|(table, id)| {
            format!("{program} export {table} --format csv --output \"$HOME/{table}.csv\" --columns {id},versionnumber --quiet || exit 3\n")
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_a_day_off_changes_nothing() {
    for offset in ["+1d", "-1d"] {
        let bench = Bench::new(ROWS).await;
        bench
            .control("faults", r#"{"match":{"path_contains":"/contacts","times":1},"action":{"status":429,"retry_after_date_s":2}}"#)
            .await;
        let control = &bench.org.description().control_url;
        let program = format!("env FAKETIME_DONT_FAKE_MONOTONIC=1 faketime -f {offset} \"$SM\"");
        let script = format!(
            "{}\n{program} sync --json > first || exit 1\n\
             curl -s {control}/activity -d '{{\"creates\":5,\"updates\":30,\"deletes\":5}}' > act || exit 2\n\
             {program} sync --json > second || exit 2\n\"$SM\" sync --json > third || exit 2\n{}cat \"$HOME/second\"",
            CONNECT.replace("\"$SM\"", &program),
            exports(&program),
        );
        let script = format!("cd \"$HOME\"\n{script}");
        let begun = Instant::now();
        let output = in_session(&bench, &script).await;
        assert!(output.status.success(), "{offset}: {}", text(&output));
        assert!(
            begun.elapsed() < Duration::from_secs(40),
            "{offset}: {:?}",
            begun.elapsed()
        );
        assert_exported(&bench).await;
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        let last = out.lines().next_back().unwrap_or_default();
        let second: Value = serde_json::from_str(last).expect("runs");
        for run in second["runs"].as_array().expect("runs") {
            assert_eq!(run["strategy"], "incremental", "{offset}: {run}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delete_of_which_no_delta_told_is_found_by_the_comparison_of_ids() {
    let bench = Bench::new(ROWS).await;
    let control = bench.org.description().control_url.clone();
    // A second mirror of the same organisation learns the delta link that follows the deletes. The
    // first one gets it with an answer in which they are missing.
    let script = format!(
        r#"cd "$HOME"
        {CONNECT} > /dev/null || exit 1
        "$SM" sync --quiet > /dev/null || exit 1
        curl -s {control}/activity -d '{{"deletes":5,"tables":["contact"]}}' > /dev/null
        export FIRST="$SALESMIRROR_DATA_DIR"; export SALESMIRROR_DATA_DIR="$HOME/second"
        {CONNECT} > /dev/null || exit 1
        "$SM" sync --quiet > /dev/null && "$SM" sync --quiet > /dev/null || exit 1
        export SALESMIRROR_DATA_DIR="$FIRST"
        python3 - {control} "$ENVIRONMENT" <<'END' || exit 4
import json, sys, urllib.request
control, environment = sys.argv[1], sys.argv[2].rstrip("/")
log = json.load(urllib.request.urlopen(control + "/requests"))
last = [one for one in log if one["path"].endswith("/contacts") and "deltatoken" in one["query"]][-1]
link = environment + last["path"] + "?" + last["query"]
body = json.dumps({{"@odata.context": "x", "value": [], "@odata.deltaLink": link}})
rule = {{"match": {{"path_contains": "/contacts", "times": 1}},
         "action": {{"status": 200, "headers": {{"content-type": "application/json"}}, "body": body}}}}
urllib.request.urlopen(control + "/faults", json.dumps(rule).encode())
END
        "$SM" sync --json; "$SM" records contact --limit 1 --json; echo
        "$SM" verify --table contact --json
        env FAKETIME_DONT_FAKE_MONOTONIC=1 faketime -f +8d "$SM" sync --json || exit 5
        "$SM" records contact --limit 1 --json; echo
        {}"#,
        exports("\"$SM\"")
    );
    let output = in_session(&bench, &script).await;
    assert!(output.status.success(), "{}", text(&output));
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let documents: Vec<Value> = out
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let [missed, before, proof, found, after] = documents.as_slice() else {
        panic!("{out}");
    };
    assert_eq!(missed["runs"][1]["deleted"], 0, "{missed}");
    assert_eq!(before["total"], 140, "{before}");
    assert_eq!(proof["tables"][0]["extra"]["count"], 5, "{proof}");
    assert_eq!(proof["tables"][0]["equal"], false, "{proof}");
    assert_eq!(found["runs"][1]["deleted"], 5, "{found}");
    assert_eq!(found["runs"][1]["strategy"], "incremental", "{found}");
    assert_eq!(after["total"], 135, "{after}");
    assert_exported(&bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_up_costs_nothing_but_the_wait_for_room() {
    let bench = Bench::new("account=3000,contact=6000,lead=10,opportunity=10,systemuser=10").await;
    bench
        .control("variants", r#"{"data":{"largest_page":500}}"#)
        .await;
    let org = bench.org.description().clone();
    let home = bench.folder.path().to_owned();
    // A small file system of its own, in a mount namespace that ends with the script.
    let script = format!(
        r#"cd "$HOME"; export SALESMIRROR_SECRETS_FD=3
        head -c 32 /dev/urandom | base64 > key
        mkdir small; mount -t tmpfs -o size=5m tmpfs small || exit 77
        export SALESMIRROR_DATA_DIR="$HOME/small/data"
        printf '%s' "$SECRET" | "$SM" connect --json --name demo --environment "$ENVIRONMENT" \
          --client-id "$CLIENT" --client-secret-stdin --flow client-credentials 3< key > /dev/null || exit 1
        for try in 1 2 3; do
          "$SM" sync --json --no-search 3< key; echo "exit $?"
          "$SM" status --json 3< key
        done
        mount -o remount,size=300m small
        "$SM" sync --json 3< key > /dev/null || exit 2
        {}"#,
        exports("\"$SM\"").replace(" || exit 3", " 3< key || exit 3")
    );
    let output = tokio::task::spawn_blocking(move || {
        let mut child = Command::new("unshare")
            .args(["--map-root-user", "--mount", "sh"])
            .env("SM", tests::program("salesmirror"))
            .env("HOME", home)
            .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
            .env("ENVIRONMENT", &org.environment_url)
            .env("CLIENT", &org.client_id)
            .env("SECRET", &org.client_secret)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("unshare runs");
        let mut stdin = child.stdin.take().expect("an input");
        stdin.write_all(script.as_bytes()).expect("a script");
        drop(stdin);
        child.wait_with_output().expect("an end")
    })
    .await
    .expect("an output");
    assert!(output.status.success(), "{}", text(&output));
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(out.matches("exit 1").count(), 3, "{out}");
    assert!(out.contains("\"code\":\"disk_full\""), "{out}");
    let rows: Vec<u64> = out
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|status| {
            let rows = |table: &Value| table["rows"].as_u64();
            Some(status["tables"].as_array()?.iter().filter_map(rows).sum())
        })
        .collect();
    assert!(
        rows.len() == 3 && rows[0] > 0 && rows.is_sorted(),
        "rows that came stay: {rows:?}"
    );
    assert_exported(&bench).await;
}
