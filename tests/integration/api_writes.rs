//! Writes and events through the local API.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::StreamExt as _;
use salesmirror_core::{Scope, SyncOptions};
use serde_json::{Value, json};

use crate::api::{Reply, Served};
use crate::bench::succeed;

const ROWS: &str = "account=30,contact=60,lead=10,opportunity=10,systemuser=5";

impl Served {
    async fn patch(&self, path: &str, body: Value, if_match: Option<&str>) -> Reply {
        let mut request = self
            .request("PATCH", path)
            .bearer_auth(&self.key)
            .json(&body);
        if let Some(if_match) = if_match {
            request = request.header("if-match", if_match);
        }
        self.send(request).await
    }

    async fn delete(&self, path: &str) -> Reply {
        self.send(self.request("DELETE", path).bearer_auth(&self.key))
            .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_made_changed_and_deleted_and_the_mirror_knows_at_once() {
    let served = Served::new(ROWS).await;
    let body = json!({"record": {
        "first_name": "Sigrid", "last_name": "Halvorsen", "title": "Head of sales",
        "email_addresses": [{"email_address": "sigrid@osterhall.example", "email_address_type": "primary"}],
        "phone_numbers": [{"phone_number": "+47 55 55 01 22", "phone_number_type": "mobile"}],
        "addresses": [{"street_1": "Bryggen 1", "city": "Bergen", "address_type": "billing"}],
        "custom_fields": {"department": "Sales"},
    }});
    let made = served.post("/crm/v2/contacts", body).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(
        (&made.body["stale"], &made.body["record"]["last_name"]),
        (&json!(false), &json!("Halvorsen"))
    );
    let id = made.body["id"].as_str().expect("an id").to_owned();
    let path = format!("/crm/v2/contacts/{id}");
    assert_eq!(made.headers["location"], path);
    let truth = &served.bench.truth("contact").await[&id];
    assert_eq!(
        (
            &truth["lastname"],
            &truth["mobilephone"],
            &truth["department"]
        ),
        (
            &json!("Halvorsen"),
            &json!("+47 55 55 01 22"),
            &json!("Sales")
        )
    );
    // The mirror has it without a sync.
    served.bench.requests().await;
    let got = served.get(&path).await;
    assert_eq!(got.body["record"], made.body["record"]);
    assert!(served.bench.requests().await.is_empty());
    // Only what is there is written.
    let changed = served
        .patch(&path, json!({"record": {"title": null}}), None)
        .await;
    assert_eq!(
        (changed.status, &changed.body["record"]["title"]),
        (200, &Value::Null),
        "{changed:?}"
    );
    assert_eq!(changed.body["record"]["first_name"], "Sigrid");
    // An older version is not overwritten, and the status is the service's.
    let stale = served
        .patch(
            &path,
            json!({"record": {"title": "x"}}),
            Some(&got.headers["etag"]),
        )
        .await;
    assert_eq!(
        (stale.status, stale.code().as_str()),
        (412, "version_conflict"),
        "{stale:?}"
    );
    let fresh = served
        .patch(
            &path,
            json!({"record": {"title": "y"}}),
            Some(&changed.headers["etag"]),
        )
        .await;
    assert_eq!(
        (fresh.status, &fresh.body["record"]["title"]),
        (200, &json!("y")),
        "{fresh:?}"
    );
    let deleted = served.delete(&path).await;
    assert_eq!(
        (deleted.status, &deleted.body["record"]["is_deleted"]),
        (200, &json!(true)),
        "{deleted:?}"
    );
    assert_eq!(served.get(&path).await.status, 404);
    assert!(!served.bench.truth("contact").await.contains_key(&id));
    assert_eq!(served.delete(&path).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_makes_no_second_record() {
    let served = Served::new(ROWS).await;
    let id = "0a8f5b2c-6d1e-4f3a-9b7c-2e4d6f8a0b1c";
    let body = json!({"id": id, "record": {"name": "Once"}});
    let inner = json!({"record": {"id": id, "name": "Once"}});
    let first = served.post("/crm/v2/accounts", body.clone()).await;
    assert_eq!(
        (first.status, first.body["id"].as_str()),
        (201, Some(id)),
        "{first:?}"
    );
    for again in [body, inner] {
        let reply = served.post("/crm/v2/accounts", again).await;
        assert_eq!(
            (reply.status, reply.body["id"].as_str()),
            (200, Some(id)),
            "{reply:?}"
        );
    }
    let keyed = |name: &str, key: &str| {
        let request = served
            .request("POST", "/crm/v2/accounts")
            .bearer_auth(&served.key);
        let body = json!({"record": {"name": name}});
        served.send(request.header("idempotency-key", key).json(&body))
    };
    let (one, same, other) = (
        keyed("Keyed", "order-1").await,
        keyed("Keyed", "order-1").await,
        keyed("Keyed", "order-2").await,
    );
    assert_eq!((one.status, same.status, other.status), (201, 200, 201));
    assert_eq!(one.body["id"], same.body["id"]);
    assert_ne!(one.body["id"], other.body["id"]);
    let truth = served.bench.truth("account").await;
    assert_eq!(
        truth.values().filter(|row| row["name"] == "Once").count(),
        1
    );
    assert_eq!(
        truth.values().filter(|row| row["name"] == "Keyed").count(),
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_is_said_field_by_field_and_nothing_is_sent() {
    let served = Served::new(ROWS).await;
    let account = served
        .list("accounts", &[("page_size", "1")])
        .await
        .ids()
        .remove(0);
    served.bench.requests().await;
    for (body, status, code) in [
        (json!({"record": {"nonsense": 1}}), 400, "unknown_field"),
        (json!({"record": {"name": 5}}), 400, "wrong_type"),
        (
            json!({"record": {"created_at": "2026-01-01T00:00:00Z"}}),
            400,
            "read_only_field",
        ),
        (
            json!({"record": {"industry": "No such industry"}}),
            422,
            "unknown_label",
        ),
        (json!({"record": 5}), 400, "wrong_type"),
        (json!({"record": {}, "more": 1}), 400, "bad_request_body"),
        (json!({}), 400, "bad_request_body"),
    ] {
        let reply = served
            .patch(&format!("/crm/v2/accounts/{account}"), body.clone(), None)
            .await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (status, code),
            "{body}: {reply:?}"
        );
    }
    let several = json!({"record": {"nonsense": 1, "name": 5}});
    let reply = served.post("/crm/v2/accounts", several).await;
    assert_eq!(
        reply.body["errors"].as_array().map(Vec::len),
        Some(2),
        "{reply:?}"
    );
    for (method, path) in [
        ("POST", "/crm/v2/users"),
        ("PATCH", "/crm/v2/users/x"),
        ("DELETE", "/crm/v2/users/x"),
    ] {
        let request = served.request(method, path).bearer_auth(&served.key);
        assert_eq!(served.send(request).await.code(), "method_not_allowed");
    }
    assert!(served.bench.requests().await.is_empty());
    // An unknown id makes no record.
    let nobody = "00000000-0000-0000-0000-00000000dead";
    let reply = served
        .patch(
            &format!("/crm/v2/accounts/{nobody}"),
            json!({"record": {"name": "x"}}),
            None,
        )
        .await;
    assert_eq!((reply.status, reply.code().as_str()), (404, "not_found"));
    let cause = &reply.body["errors"][0]["meta"]["cause"];
    assert_eq!(
        (&cause["code"], &cause["status"]),
        (&json!("0x80040217"), &json!(404)),
        "{reply:?}"
    );
    assert!(!served.bench.truth("account").await.contains_key(nobody));
    let reader = served
        .app
        .make_api_key("reader", &[Scope::Read])
        .await
        .expect("a key");
    let request = served
        .request("DELETE", &format!("/crm/v2/accounts/{account}"))
        .bearer_auth(reader.text());
    assert_eq!(served.send(request).await.code(), "missing_scope");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_reading_back_fails_is_a_success_that_says_so() {
    let served = Served::new(ROWS).await;
    let id = served
        .list("accounts", &[("page_size", "1")])
        .await
        .ids()
        .remove(0);
    let path = format!("/crm/v2/accounts/{id}");
    // Every read of a single account fails, the write does not.
    served
        .bench
        .control(
            "faults",
            r#"{"match":{"path_contains":"/accounts(","method":"GET"},"action":{"status":403}}"#,
        )
        .await;
    let reply = served
        .patch(&path, json!({"record": {"name": "Written blindly"}}), None)
        .await;
    assert_eq!(
        (reply.status, &reply.body["stale"]),
        (200, &json!(true)),
        "{reply:?}"
    );
    assert!(
        reply.body["stale_reason"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    );
    assert_eq!(
        served.bench.truth("account").await[&id]["name"],
        "Written blindly"
    );
    assert_eq!(served.get(&path).await.body["stale"], true);
    let url = format!("{}/faults", served.bench.org.description().control_url);
    served.bench.http.delete(url).send().await.expect("a reply");
    succeed(&served.session, SyncOptions::default()).await;
    let got = served.get(&path).await;
    assert_eq!(
        (&got.body["stale"], &got.body["record"]["name"]),
        (&json!(false), &json!("Written blindly"))
    );
}

/// Reads events until there are so many, or the stream ends.
async fn events(
    served: &Served,
    query: &str,
    last: Option<&str>,
    many: usize,
) -> Vec<(String, String, Value)> {
    let mut request = served
        .request("GET", &format!("/events{query}"))
        .bearer_auth(&served.key);
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let reply = request.send().await.expect("an answer");
    assert_eq!(reply.headers()["content-type"], "text/event-stream");
    let mut stream = reply.bytes_stream();
    let (mut text, mut found) = (String::new(), Vec::new());
    while found.len() < many {
        let Ok(Some(bytes)) = tokio::time::timeout(Duration::from_secs(10), stream.next()).await
        else {
            break;
        };
        text.push_str(&String::from_utf8_lossy(&bytes.expect("bytes")));
        while let Some((event, rest)) = text
            .split_once("\n\n")
            .map(|(event, rest)| (event.to_owned(), rest.to_owned()))
        {
            text = rest;
            let field = |name: &str| {
                let line = event
                    .lines()
                    .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                line.unwrap_or_default().to_owned()
            };
            if !event.starts_with(':') {
                let data = serde_json::from_str(&field("data")).expect("JSON");
                found.push((field("id"), field("event"), data));
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn events_come_as_they_happen_and_a_reader_that_was_away_misses_none() {
    let served = Served::new(ROWS).await;
    let id = served
        .list("leads", &[("page_size", "1")])
        .await
        .ids()
        .remove(0);
    let path = format!("/crm/v2/leads/{id}");
    let follow = events(&served, "?object=leads", None, 1);
    let change = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        served
            .patch(
                &path,
                json!({"record": {"company": "Fjord & Falk\r\nWind"}}),
                None,
            )
            .await
    };
    let (seen, changed) = tokio::join!(follow, change);
    assert_eq!(changed.status, 200, "{changed:?}");
    let (first, name, data) = &seen[0];
    assert_eq!(
        (name.as_str(), data["object"].as_str(), data["id"].as_str()),
        ("record", Some("leads"), Some(id.as_str()))
    );
    assert_eq!(data["what"], "changed", "{data}");
    let fields = data["fields"].as_array().expect("fields").iter();
    assert!(
        fields
            .into_iter()
            .any(|field| field["to"] == "Fjord & Falk\r\nWind"),
        "{data}"
    );
    // Away: three more changes, and a sync.
    for number in 0..3 {
        served
            .patch(
                &path,
                json!({"record": {"company": format!("Company {number}")}}),
                None,
            )
            .await;
    }
    succeed(&served.session, SyncOptions::default()).await;
    let missed = events(
        &served,
        "?follow=false&object=leads",
        Some(first),
        usize::MAX,
    )
    .await;
    let names: Vec<&str> = missed.iter().map(|(_, name, _)| name.as_str()).collect();
    assert_eq!(
        names.iter().filter(|name| **name == "record").count(),
        3,
        "{names:?}"
    );
    assert!(
        names.contains(&"sync_began") && names.contains(&"sync_ended"),
        "{names:?}"
    );
    // From the last on nothing is left, and an id of nowhere begins anew behind a gap.
    let last = &missed.last().expect("an event").0;
    assert!(
        events(&served, "?follow=false&object=leads", Some(last), 1)
            .await
            .is_empty()
    );
    let anew = events(&served, "?follow=false", Some("nonsense"), usize::MAX).await;
    assert_eq!(anew[0].1, "gap", "{anew:?}");
    assert!(anew.len() > missed.len());
    // A slow reader holds nobody up: it never reads, and others do.
    let idle = served
        .request("GET", "/events?last_event_id=x")
        .bearer_auth(&served.key)
        .send()
        .await
        .expect("an answer");
    assert_eq!(
        events(
            &served,
            "?follow=false&object=leads",
            Some(first),
            usize::MAX
        )
        .await
        .len(),
        missed.len()
    );
    drop(idle);
    // Who loses the key loses the stream.
    let guest = served
        .app
        .make_api_key("guest", &[Scope::Read])
        .await
        .expect("a key");
    let reply = served
        .request("GET", "/events")
        .bearer_auth(guest.text())
        .send()
        .await
        .expect("an answer");
    served
        .app
        .revoke_api_key(guest.key.id)
        .await
        .expect("revoked");
    // However much happens meanwhile.
    let over = AtomicBool::new(false);
    let changing = async {
        for number in 0.. {
            if over.load(Ordering::SeqCst) {
                return number;
            }
            let name = format!("Busy {number}");
            served
                .patch(&path, json!({"record": {"company": name}}), None)
                .await;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        0
    };
    let reading = async {
        let ended = tokio::time::timeout(Duration::from_secs(15), reply.text()).await;
        over.store(true, Ordering::SeqCst);
        ended
    };
    let (ended, changes) = tokio::join!(reading, changing);
    let told = ended.expect("the stream of a revoked key ends");
    let told = told.expect("it ends between two events");
    assert!(changes > 3 && told.matches("event: record").count() <= changes);
}
