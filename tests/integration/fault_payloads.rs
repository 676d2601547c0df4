//! Payloads that a sync survives: rows twice, rows that change under the reader, columns that come,
//! go and turn into others, values that metadata does not foretell. `docs/faults.md` has a line for each.

use salesmirror_core::{Strategy, SyncOptions};
use serde_json::{Value, json};

use crate::bench::{Bench, succeed};

const ROWS: &str = "account=40,contact=100,lead=40,opportunity=20,systemuser=10";
const SMALL_PAGES: &str = r#"{"data":{"largest_page":40}}"#;
const ETAG: &str = "@odata.etag";

fn full(table: &str) -> SyncOptions {
    SyncOptions {
        tables: vec![table.to_owned()],
        full: true,
        yes: true,
        ..SyncOptions::default()
    }
}

/// The addresses of contacts that were asked for since the log was cleared.
async fn asked(bench: &Bench) -> Vec<String> {
    let description = bench.org.description();
    let url = format!("{}/requests", description.control_url);
    let reply = bench.http.get(&url).send().await.expect("a reply");
    let log: Vec<Value> =
        serde_json::from_str(&reply.text().await.expect("a text")).expect("a log");
    bench.http.delete(&url).send().await.expect("a reply");
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    log.iter()
        .filter(|entry| text(entry, "path").ends_with("/contacts"))
        .map(|entry| {
            format!(
                "{}{}?{}",
                description.environment_url.trim_end_matches('/'),
                text(entry, "path"),
                text(entry, "query")
            )
        })
        .collect()
}

/// A row as it is now, and as it was before its last change.
fn versions(row: &Value) -> (Value, Value) {
    let version = row["versionnumber"].as_i64().expect("a version");
    let tagged = |mut row: Value, version: i64| {
        row["versionnumber"] = json!(version);
        row[ETAG] = json!(format!("W/\"{version}\""));
        row
    };
    let mut old = row.clone();
    old["jobtitle"] = json!("As it was");
    (tagged(row.clone(), version), tagged(old, version - 1))
}

/// A rule that answers one request of contacts with these rows.
fn page(rows: &[Value], after: u64, link: (&str, &str)) -> String {
    let body = json!({"@odata.context": "x", "value": rows, link.0: link.1}).to_string();
    json!({
        "match": {"path_contains": "/contacts", "after": after, "times": 1},
        "action": {"status": 200, "headers": {"content-type": "application/json; odata.metadata=minimal"}, "body": body},
    })
    .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_comes_twice_keeps_its_newest_version() {
    let bench = Bench::new(ROWS).await;
    bench.control("variants", SMALL_PAGES).await;
    let session = bench.session().await;
    succeed(&session, SyncOptions::default()).await;
    asked(&bench).await;
    succeed(&session, full("contact")).await;
    let scan = asked(&bench).await;
    assert_eq!(scan.len(), 3, "{scan:?}");
    let truth: Vec<Value> = bench.truth("contact").await.into_values().collect();
    let (now, old) = versions(&truth[0]);
    let (other_now, other_old) = versions(&truth[1]);
    // What comes in place of the first page or the second, whose link leads to the real one.
    for (what, rules) in [
        (
            "the older before the newer",
            page(
                &[old.clone(), other_old.clone()],
                0,
                ("@odata.nextLink", &scan[0]),
            ),
        ),
        (
            "the newer before the older",
            page(
                &[old.clone(), other_old.clone()],
                1,
                ("@odata.nextLink", &scan[1]),
            ),
        ),
        (
            "both on one page, in both orders",
            page(
                &[
                    now.clone(),
                    old.clone(),
                    other_old.clone(),
                    other_now.clone(),
                ],
                0,
                ("@odata.nextLink", &scan[0]),
            ),
        ),
        (
            "the same page twice",
            page(
                &truth
                    .iter()
                    .take(40)
                    .map(|row| versions(row).0)
                    .collect::<Vec<_>>(),
                0,
                ("@odata.nextLink", &scan[0]),
            ),
        ),
    ] {
        for is_first in [true, false] {
            if is_first {
                // As if it had never been synced: rows are inserted, not updated.
                session.remove_table("contact").await.expect("a table");
                session.add_table("contact").await.expect("a table");
            }
            bench.control("faults", rules.clone()).await;
            let runs = succeed(&session, full("contact")).await;
            let requests = asked(&bench).await;
            assert!(requests.len() >= 4, "{what}: {runs:#?}");
            if is_first {
                assert_eq!(runs[0].inserted, 100, "{what}: counts are of rows");
            }
            bench.assert_equal(&session).await;
        }
    }
    // The same in the answer to a delta link: its own link follows, so that it is asked again.
    bench.act(0, 30, 3);
    succeed(&session, SyncOptions::default()).await;
    let delta = asked(&bench).await;
    let again = succeed(&session, SyncOptions::default()).await;
    assert_eq!(again[1].strategy, Strategy::Incremental);
    let delta = [delta, asked(&bench).await].concat();
    let last = delta.last().expect("a delta link");
    let truth: Vec<Value> = bench.truth("contact").await.into_values().collect();
    let (now, old) = versions(&truth[5]);
    bench
        .control("faults", page(&[now, old], 0, ("@odata.deltaLink", last)))
        .await;
    succeed(&session, SyncOptions::default()).await;
    bench.assert_equal(&session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_change_while_they_are_read_end_up_as_they_are() {
    let bench = Bench::new(ROWS).await;
    bench.control("variants", SMALL_PAGES).await;
    bench
        .control(
            "faults",
            r#"{"match":{"path_contains":"/contacts","query_contains":"skiptoken"},"action":{"delay_ms":300}}"#,
        )
        .await;
    let session = bench.session().await;
    for scan in [SyncOptions::default(), full("contact")] {
        let living = async {
            for _ in 0..12 {
                bench.act(2, 25, 2);
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        tokio::join!(succeed(&session, scan), living);
        succeed(&session, SyncOptions::default()).await;
        bench.assert_equal(&session).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_that_metadata_does_not_know_and_rows_without_some_are_read() {
    let bench = Bench::new(ROWS).await;
    bench.control("variants", SMALL_PAGES).await;
    let session = bench.session().await;
    succeed(&session, SyncOptions::default()).await;
    asked(&bench).await;
    succeed(&session, full("contact")).await;
    let scan = asked(&bench).await;
    let truth: Vec<Value> = bench.truth("contact").await.into_values().collect();
    let strange = |row: &Value| {
        let mut row = versions(row).1;
        let object = row.as_object_mut().expect("an object");
        for name in [
            "firstname",
            "telephone1",
            "_ownerid_value",
            "birthdate",
            "exchangerate",
        ] {
            object.remove(name);
        }
        object.insert("nrv_unheard".into(), json!({"of": ["anything", 1.5, null]}));
        object.insert("_nrv_unheard_value".into(), json!("x"));
        object.insert("nrv_unheard@Some.Annotation".into(), json!([1]));
        object.insert("gendercode".into(), json!(4_711));
        row
    };
    let rows: Vec<Value> = truth.iter().take(10).map(strange).collect();
    session.remove_table("contact").await.expect("a table");
    session.add_table("contact").await.expect("a table");
    // Ten strange rows are all there is, and a delta link of the real organisation would follow.
    let end = format!("{}&$deltatoken=1!01/01/2026 00:00:00", scan[0]);
    bench
        .control("faults", page(&rows, 0, ("@odata.deltaLink", &end)))
        .await;
    let runs = succeed(&session, full("contact")).await;
    assert_eq!(runs[0].inserted, 10, "{runs:?}");
    let id = rows[0]["contactid"].as_str().expect("an id");
    let shown = session
        .record_json("contact", uuid::Uuid::parse_str(id).expect("an id"), false)
        .await
        .expect("a record")
        .expect("a record");
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(shown["firstname"], Value::Null, "{shown}");
    assert_eq!(shown["gendercode"], 4_711, "{shown}");
    assert_eq!(shown["lastname"], truth[0]["lastname"], "{shown}");
    let raw = session
        .record_json("contact", uuid::Uuid::parse_str(id).expect("an id"), true)
        .await
        .expect("a record")
        .expect("a record");
    assert!(raw.contains("nrv_unheard"), "{raw}");
    // The organisation does not know that link: everything is read again.
    succeed(&session, SyncOptions::default()).await;
    bench.assert_equal(&session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_nobody_foresaw_arrive_as_they_are() {
    let bench = Bench::new(ROWS).await;
    let session = bench.session().await;
    let planes: String = (0..=16_u32)
        .filter_map(|plane| char::from_u32(plane * 0x1_0000 + 0x41))
        .collect();
    let ids: Vec<String> = bench.truth("account").await.into_keys().collect();
    let gone = "0f0f0f0f-0000-4000-8000-00000000abcd";
    let values = [
        json!({"name": "x".repeat(1 << 20), "description": "é".repeat(1 << 19)}),
        json!({"name": planes, "description": "\u{0}a\u{0}b"}),
        json!({"name": "\u{0}", "telephone1": "\u{feff}\u{202e}"}),
        json!({"name": null, "revenue": null, "industrycode": null, "_ownerid_value": null}),
        json!({"industrycode": 987_654_321, "preferredcontactmethodcode": -5}),
        json!({"_primarycontactid_value": gone, "_parentaccountid_value": gone}),
        json!({"numberofemployees": 2_147_483_647_i64, "name": "'; drop table account; --"}),
    ];
    for first in [true, false] {
        for (id, values) in ids.iter().zip(&values) {
            let body = json!({"table": "account", "id": id, "values": values});
            bench.control("records", body).await;
        }
        // What a number looks like is no business of ours.
        let digits = r#""values":{"revenue":922337203685477.5807,"exchangerate":0.0000000001,"creditlimit":1.10e3}"#;
        bench
            .control(
                "records",
                format!(r#"{{"table":"account","id":"{}",{digits}}}"#, ids[10]),
            )
            .await;
        let runs = succeed(&session, SyncOptions::default()).await;
        assert_eq!(runs[0].strategy == Strategy::Full, first, "{runs:?}");
        bench.assert_equal(&session).await;
    }
    let reply = format!(
        "{}/records/account/{}",
        bench.org.description().control_url,
        ids[0]
    );
    bench.http.delete(reply).send().await.expect("a reply");
    succeed(&session, SyncOptions::default()).await;
    bench.assert_equal(&session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_is_added_removed_or_turned_into_another_is_followed() {
    let bench = Bench::new(ROWS).await;
    let session = bench.session().await;
    succeed(&session, SyncOptions::default()).await;
    let ids: Vec<String> = bench.truth("lead").await.into_keys().collect();
    let change = |action: Value| {
        let mut body = json!({"table": "lead", "column": "nrv_turning"});
        body.as_object_mut()
            .expect("an object")
            .extend(action.as_object().expect("an object").clone());
        body
    };
    for (action, values) in [
        (
            json!({"action": "add", "type": "text", "label": "Turning"}),
            [json!("seven"), json!("8")],
        ),
        (
            json!({"action": "retype", "type": "integer"}),
            [json!(7), json!(8)],
        ),
        (
            json!({"action": "retype", "type": "datetime"}),
            [json!("2026-01-02T03:04:05Z"), Value::Null],
        ),
        (
            json!({"action": "retype", "type": "lookup", "of": "account"}),
            [Value::Null, Value::Null],
        ),
        (
            json!({"action": "retype", "type": "text"}),
            [json!("text again"), Value::Null],
        ),
        (json!({"action": "drop"}), [Value::Null, Value::Null]),
        (
            json!({"action": "add", "type": "decimal", "label": "Back"}),
            [json!(1.5), json!(2.25)],
        ),
    ] {
        bench.control("columns", change(action.clone())).await;
        if action["action"] != "drop" && action["type"] != "lookup" {
            for (id, value) in ids.iter().zip(&values) {
                let body = json!({"table": "lead", "id": id, "values": {"nrv_turning": value}});
                bench.control("records", body).await;
            }
        }
        let before = session.status().await.expect("a status")[2].rows;
        let runs = succeed(&session, SyncOptions::default()).await;
        assert_eq!(runs[2].strategy, Strategy::Full, "{action}: {runs:?}");
        assert!(!runs[2].reason.is_empty(), "{runs:?}");
        assert_eq!(session.status().await.expect("a status")[2].rows, before);
        bench.assert_equal(&session).await;
        bench.act(3, 20, 3);
        let runs = succeed(&session, SyncOptions::default()).await;
        assert_eq!(
            runs[2].strategy,
            Strategy::Incremental,
            "{action}: {runs:?}"
        );
        bench.assert_equal(&session).await;
    }
}
