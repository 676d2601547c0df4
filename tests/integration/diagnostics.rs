//! What the log and the diagnostics tell when something is wrong, and settings that were edited by hand.

use std::path::Path;

use salesmirror_core::SyncOptions;

use crate::bench::{Bench, succeed};
use crate::desk::{Answer, Desk};

fn log(data_dir: &Path) -> String {
    let Ok(files) = std::fs::read_dir(data_dir.join("logs")) else {
        return String::new();
    };
    files
        .map(|file| std::fs::read_to_string(file.expect("a file").path()).expect("a text"))
        .collect()
}

/// Nobody asks for diagnostics while everything works.
#[tokio::test(flavor = "multi_thread")]
async fn diagnostics_are_told_where_the_keychain_or_the_databases_fail() {
    let desk = Desk::new().await;
    assert_eq!(desk.connect(&desk.good()).await.exit, 0);
    assert_eq!(desk.run(&["sync"]).exit, 0);
    let data_dir = desk.bench.data_dir();
    let told = |bus: &str| {
        let arguments = ["doctor", "--diagnostics"].map(str::to_owned);
        let mut command = desk.command(&arguments);
        command.env("DBUS_SESSION_BUS_ADDRESS", bus);
        let answer = Answer::of(&command.output().expect("the program runs"));
        assert_eq!(answer.exit, 0, "{}", answer.document);
        let told = answer.document["diagnostics"].as_str();
        told.expect("a text").to_owned()
    };
    let whole = told(&desk.bus);
    let expect = |told: &str, parts: &[&str]| {
        for part in parts {
            assert!(told.contains(part), "{part}: {told}");
        }
        // The log is told whatever else fails.
        assert!(told.contains("table=\"contact\""), "{told}");
    };
    expect(&whole, &["ok  Keychain", "contact: 5 rows"]);

    let without = told("unix:path=/nowhere");
    let failed = [
        "FAILED  Keychain",
        "Connections cannot be read: keychain",
        "Log\n",
    ];
    expect(&without, &failed);

    std::fs::write(data_dir.join("app.db"), [7; 8192]).expect("room");
    for companion in ["app.db-wal", "app.db-shm"] {
        let _ = std::fs::remove_file(data_dir.join(companion));
    }
    let failed = [
        "ok  Keychain",
        "FAILED  Databases",
        "Connections cannot be read: ",
    ];
    expect(&told(&desk.bus), &failed);
}

/// The first session is the one that most goes wrong in.
#[tokio::test(flavor = "multi_thread")]
async fn the_log_begins_with_the_first_session_and_tells_each_run_at_its_usual_level() {
    let desk = Desk::new().await;
    let data_dir = desk.bench.data_dir();
    let mut wrong = desk.good();
    wrong.secret = Some("not~the.secret".to_owned());
    assert_eq!(desk.connect(&wrong).await.exit, 3);
    assert!(!data_dir.exists(), "a sign-in that failed leaves no folder");

    assert_eq!(desk.connect(&desk.good()).await.exit, 0);
    let said = log(&data_dir);
    assert!(said.contains("a connection was made"), "{said}");

    let output = desk.command(&["sync".to_owned()]).output();
    let output = output.expect("the program runs");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let said = log(&data_dir);
    for table in ["account", "contact", "systemuser"] {
        let part = format!("table=\"{table}\" strategy=\"full\"");
        assert!(said.contains(&part), "{part}: {said}");
    }
    let body = r#"{"table":"lead","read":"none"}"#;
    desk.bench.control("privileges", body).await;
    desk.run(&["sync"]);
    let said = log(&data_dir);
    assert!(
        said.lines().any(|line| line.contains("WARN")
            && line.contains("table=\"lead\"")
            && line.contains("0x80040220")),
        "{said}"
    );

    assert_eq!(desk.run(&["app-settings", "--log-level", "error"]).exit, 0);
    let before = log(&data_dir);
    assert_eq!(desk.run(&["sync", "--table", "contact"]).exit, 0);
    assert_eq!(log(&data_dir), before, "less is told at once");
}

/// A file that was edited by hand must not lock out what mends it.
#[tokio::test(flavor = "multi_thread")]
async fn settings_that_make_no_sense_are_the_usual_ones() {
    let desk = Desk::new().await;
    assert_eq!(desk.run(&["app-settings", "--proxy", "none"]).exit, 0);
    let file = desk.bench.data_dir().join("app-settings.json");
    for text in [
        r#"{"proxy":"ftp://proxy:1","log_level":"warn"}"#,
        r#"{"proxy":""}"#,
        r#"{"proxy":7}"#,
        "{",
        "",
    ] {
        std::fs::write(&file, text).expect("room");
        let shown = desk.run(&["app-settings"]);
        assert_eq!(shown.exit, 0, "{text}: {}", shown.document);
        assert_eq!(shown.document["proxy"], "system", "{text}");
        assert_eq!(desk.run(&["doctor"]).exit, 0, "{text}");
        let changed = desk.run(&["app-settings", "--proxy", "none"]);
        assert_eq!(changed.document["proxy"], "none", "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_asks_for_pages_of_the_size_that_is_set() {
    let bench = Bench::new("account=1,contact=700,lead=1,opportunity=1,systemuser=1").await;
    let session = bench.session().await;
    for (size, pages) in [("default", 1), ("250", 3), ("700", 1)] {
        session.decide("page-size", size).await.expect("a setting");
        let options = SyncOptions {
            tables: vec!["contact".into()],
            full: true,
            ..SyncOptions::default()
        };
        bench.requests().await;
        succeed(&session, options).await;
        let asked = bench.requests().await;
        let asked = asked
            .iter()
            .filter(|path| path.ends_with("/contacts") || path.contains("/contacts?"));
        assert_eq!(asked.count(), pages, "{size}");
    }
    succeed(&session, SyncOptions::default()).await;
    bench.assert_equal(&session).await;
}
