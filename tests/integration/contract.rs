//! The contract of the command line: one row a command, with its exit code and its exact keys.

use serde_json::Value;

use crate::bench::Bench;
use crate::command_line::{CONNECT, in_session, text};

/// What a command printed on stdout, and how it ended.
struct Ran {
    out: String,
    exit: i32,
}

/// Runs commands one after the other in a connected and synced session.
async fn run(bench: &Bench, commands: &[&str]) -> Vec<Ran> {
    let mut script =
        format!("{CONNECT} > /dev/null\n\"$SM\" sync --json > /dev/null\ncd \"$HOME\"\n");
    for command in commands {
        script.push_str(&format!("{command}\nprintf '\\n@@ %s\\n' \"$?\"\n"));
    }
    let output = in_session(bench, &script).await;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut rest = stdout.as_str();
    let mut ran = Vec::new();
    for command in commands {
        let (out, tail) = rest
            .split_once("\n@@ ")
            .unwrap_or_else(|| panic!("{command} did not end: {}", text(&output)));
        let (exit, tail) = tail.split_once('\n').expect("an exit code");
        ran.push(Ran {
            out: out.to_owned(),
            exit: exit.parse().expect("a number"),
        });
        rest = tail;
    }
    ran
}

/// Keys of an object, or of the first object of a list.
fn keys(value: &Value) -> String {
    let object = match value {
        Value::Array(list) => list.first().unwrap_or(&Value::Null),
        other => other,
    };
    let names = object.as_object().map(|object| object.keys().cloned());
    names
        .map(|names| names.collect::<Vec<_>>().join(" "))
        .unwrap_or_default()
}

const SMALL: &str = "account=30,contact=60,lead=20,opportunity=20,systemuser=10";

#[tokio::test(flavor = "multi_thread")]
async fn every_command_prints_one_document_with_the_agreed_keys() {
    let bench = Bench::new(SMALL).await;
    let rows: Vec<(&str, i32, &str, &str)> = vec![
        (
            "connections --json",
            0,
            "",
            "name environment authority tenant client_id flow user organization signed_in",
        ),
        (
            "status --json",
            0,
            "",
            "connection environment signed_in tables",
        ),
        (
            "status --json",
            0,
            "/tables",
            "table rows deleted stale state strategy last_sync next_sync last_error reason verified",
        ),
        (
            "sync --json",
            0,
            "/runs",
            "table strategy status inserted updated deleted unchanged pages requests retries throttled_ms duration_ms error reason",
        ),
        (
            "tables --json",
            0,
            "",
            "table entity_set display_name rows change_tracking mirrored",
        ),
        (
            "tables --available --json",
            0,
            "",
            "table entity_set display_name rows change_tracking readable mirrored",
        ),
        (
            "records contacts --limit 1 --columns fullname,ownerid,statecode --json",
            0,
            "",
            "total rows",
        ),
        (
            "records contacts --limit 1 --columns fullname,ownerid,statecode --json",
            0,
            "/rows",
            "fullname _ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname _ownerid_value@OData.Community.Display.V1.FormattedValue _ownerid_value statecode@OData.Community.Display.V1.FormattedValue statecode _deleted _stale",
        ),
        (
            "export contacts --format csv --output a.csv --json",
            0,
            "",
            "rows bytes path",
        ),
        (
            "export contacts --format xlsx --output a.xlsx --json",
            0,
            "",
            "rows bytes path",
        ),
        (
            "export contacts --format jsonl --output a.jsonl --json",
            0,
            "",
            "rows bytes path",
        ),
        (
            "export contacts --format parquet --output a.parquet --json",
            0,
            "",
            "rows bytes path",
        ),
        (
            "query 'SELECT count(*) n FROM contacts' --format json",
            0,
            "",
            "columns rows truncated",
        ),
        (
            "query 'SELECT count(*) n FROM contact' --json",
            0,
            "",
            "columns rows truncated",
        ),
        (
            "passthrough GET WhoAmI",
            0,
            "",
            "url status headers body body_encoding",
        ),
        (
            "passthrough GET 'contacts(60c4e274-0d87-e711-80e5-00155db19e6d)' --json",
            0,
            "/body/error",
            "code message",
        ),
        ("invalidate contacts --no-sync --json", 0, "", "invalidated"),
        ("doctor --json", 0, "", "checks"),
        ("doctor --json", 0, "/checks", "name ok detail hint"),
        ("tables remove lead --json", 0, "", "removed"),
        (
            "records leads --json",
            2,
            "/error",
            "code message hint reference link",
        ),
        (
            "sync --table lead --json",
            2,
            "/error",
            "code message hint reference link",
        ),
        ("tables add leads --json", 0, "", "added"),
        (
            "sync --table lead --json",
            0,
            "/runs",
            "table strategy status inserted updated deleted unchanged pages requests retries throttled_ms duration_ms error reason",
        ),
        (
            "tables add nothing --json",
            2,
            "/error",
            "code message hint reference link",
        ),
        (
            "query 'DELETE FROM contact' --json",
            2,
            "/error",
            "code message hint reference link",
        ),
        (
            "passthrough GET '../../x' --json",
            2,
            "/error",
            "code message hint reference link",
        ),
        (
            "records contacts --filter 'nothing = 1' --json",
            2,
            "/error",
            "code message hint reference link",
        ),
        (
            "show contacts 60c4e274-0d87-e711-80e5-00155db19e6d --json",
            1,
            "/error",
            "code message hint reference link",
        ),
        (
            "export contacts --format csv --output /nonexistent/a.csv --json",
            1,
            "/error",
            "code message hint reference link",
        ),
        (
            "disconnect demo --purge --json",
            0,
            "",
            "disconnected purged",
        ),
    ];
    let commands: Vec<String> = rows
        .iter()
        .map(|row| format!("\"$SM\" {} 2>/dev/null", row.0))
        .collect();
    let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
    for (ran, (command, exit, place, expect)) in run(&bench, &commands).await.iter().zip(&rows) {
        assert_eq!(ran.exit, *exit, "{command}: {}", ran.out);
        assert_eq!(ran.out.trim().lines().count(), 1, "{command}: {}", ran.out);
        let document: Value =
            serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{command}: {}", ran.out));
        let part = document.pointer(place).unwrap_or(&Value::Null);
        // More keys may be added behind those that were agreed.
        let found = keys(part);
        let is_kept = found == *expect || found.starts_with(&format!("{expect} "));
        assert!(is_kept, "{command} has {found}: {}", ran.out);
    }
    assert!(!bench.data_dir().join("app.db").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn selectors_mean_what_the_contract_says() {
    let bench = Bench::new(SMALL).await;
    let session = bench.session().await;
    crate::bench::sync(&session, salesmirror_core::SyncOptions::default()).await;
    let truth = bench.truth("account").await;
    let count = |test: &dyn Fn(&Value) -> bool| truth.values().filter(|row| test(row)).count();
    let any = truth.values().next().expect("an account");
    let name = any["name"].as_str().expect("a name");
    let owner = any["_ownerid_value"].as_str().expect("an owner");
    let quoted = name.replace('"', "\"\"");
    let revenue = |row: &Value| row["revenue"].to_string().parse::<f64>().ok();
    let folded = |row: &Value| row["name"].as_str().unwrap_or_default().to_lowercase();
    let start: String = name.chars().take(4).collect::<String>().to_uppercase();
    let rows: Vec<(String, usize)> = vec![
        (
            format!("name = {name}"),
            count(&|row| row["name"] == any["name"]),
        ),
        (
            format!("name != {name}"),
            count(&|row| row["name"] != any["name"]),
        ),
        (
            format!("name in \"{quoted}\",\"no, such\"\" name\""),
            count(&|row| row["name"] == any["name"]),
        ),
        (
            format!("name starts-with {start}"),
            count(&|row| folded(row).starts_with(&start.to_lowercase())),
        ),
        (
            format!("name contains {start}"),
            count(&|row| folded(row).contains(&start.to_lowercase())),
        ),
        (
            "statecode = Active".into(),
            count(&|row| row["statecode"] == 0),
        ),
        ("statecode=0".into(), count(&|row| row["statecode"] == 0)),
        ("statecode in 0,inactive".into(), truth.len()),
        (
            "revenue is-null".into(),
            count(&|row| row["revenue"].is_null()),
        ),
        (
            "revenue is-not-null".into(),
            count(&|row| !row["revenue"].is_null()),
        ),
        (
            "revenue >= 100000.5".into(),
            count(&|row| revenue(row).is_some_and(|value| value >= 100_000.5)),
        ),
        (
            "revenue < 100000.5".into(),
            count(&|row| revenue(row).is_some_and(|value| value < 100_000.5)),
        ),
        (
            format!("ownerid = {owner}"),
            count(&|row| row["_ownerid_value"] == owner),
        ),
        (
            format!("_ownerid_value = {owner}"),
            count(&|row| row["_ownerid_value"] == owner),
        ),
        ("createdon > 1999-12-31".into(), truth.len()),
        ("createdon < 1999-12-31T00:00:00Z".into(), 0),
        // A value is a value, whatever SQL would make of it.
        ("name = x' OR '1'='1".into(), 0),
        ("name contains '; DROP TABLE data_account; --".into(), 0),
        ("name in \"') OR 1=1 --\"".into(), 0),
        ("ownerid = \") UNION SELECT 1 --\"".into(), 0),
    ];
    for (filter, expect) in rows {
        let selectors = salesmirror_core::Selectors {
            filters: vec![filter.clone()],
            ..Default::default()
        };
        let (total, _) = session
            .records_json("account", &selectors, &[], 0, 5)
            .await
            .unwrap_or_else(|error| panic!("{filter}: {error}"));
        assert_eq!(total as usize, expect, "{filter}");
    }
    for (filter, sort) in [
        ("\"name\" = 1", None),
        ("name; DROP TABLE data_account = 1", None),
        ("name) OR (1 = 1", None),
        ("name like x", None),
        ("revenue = 1 OR 1=1", None),
        ("statecode = nothing", None),
        ("createdon > yesterday'--", None),
        ("accountid = x' OR 1=1", None),
        ("statecode = 0", Some("name; DROP TABLE data_account")),
        ("statecode = 0", Some("name:desc; DROP TABLE data_account")),
        ("statecode = 0", Some("(SELECT 1)")),
        ("statecode = 0", Some("_deleted_at")),
    ] {
        let selectors = salesmirror_core::Selectors {
            filters: vec![filter.to_owned()],
            sort: sort.map(str::to_owned),
            ..Default::default()
        };
        let refused = session.records_json("account", &selectors, &[], 0, 5).await;
        assert_eq!(
            refused.expect_err(filter).category,
            salesmirror_core::Category::Usage,
            "{filter} {sort:?}"
        );
    }
    let table = "account; DROP TABLE data_account";
    assert_eq!(
        session.table(table).await.expect_err("no table").code,
        "unknown_table"
    );
    let (total, _) = session
        .records_json(
            "account",
            &salesmirror_core::Selectors::default(),
            &[],
            0,
            1,
        )
        .await
        .expect("the table is there");
    assert_eq!(total as usize, truth.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_request_of_one_s_own_must_not_do_never_reaches_the_organisation() {
    let bench = Bench::new(SMALL).await;
    let session = bench.session().await;
    let request = |path: &str, header: Option<(&str, &str)>| salesmirror_core::Passthrough {
        method: "GET".into(),
        path: path.into(),
        headers: header
            .map(|(name, value)| (name.into(), value.into()))
            .into_iter()
            .collect(),
        ..Default::default()
    };
    bench.requests().await;
    for (path, header) in [
        ("https://evil.example/api/data/v9.2/WhoAmI", None),
        ("//evil.example/api/data/v9.2/WhoAmI", None),
        ("../../../oauth", None),
        ("%2e%2e/%2e%2e/x", None),
        ("accounts%2f..%2f..%2f..%2fx", None),
        ("WhoAmI\r\nX-Injected: 1", None),
        ("WhoAmI", Some(("Authorization", "Bearer x"))),
        ("WhoAmI", Some(("Host", "evil.example"))),
        ("WhoAmI", Some(("Cookie", "a=b"))),
        ("WhoAmI", Some(("Prefer", "x\r\nX-Injected: 1"))),
        ("WhoAmI", Some(("Prefer\r\nX-Injected", "1"))),
    ] {
        let error = session
            .passthrough(request(path, header))
            .await
            .expect_err(path);
        assert_eq!(
            (error.code.as_str(), error.category),
            ("not_sent", salesmirror_core::Category::Usage),
            "{path}"
        );
    }
    assert!(bench.requests().await.is_empty());
    let reply = session
        .passthrough(request("WhoAmI", None))
        .await
        .expect("a reply");
    assert_eq!(reply.status, 200);
}
