//! The local API over real HTTP, beside a running organisation.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::{Method, StatusCode};
use salesmirror_core::{
    App, ColumnKind, ColumnMetadata, ConnectionRow, Scope, Selectors, Session, SyncOptions,
    TableMetadata, selected,
};
use salesmirror_local_api::{Running, Server};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;

use crate::bench::{Bench, succeed, sync};

const ROWS: &str = "account=120,contact=420,lead=60,opportunity=80,systemuser=20";

/// A served connection, and a key that may do everything.
pub struct Served {
    pub bench: Bench,
    pub app: App,
    pub row: ConnectionRow,
    pub session: Session,
    pub running: Running,
    pub key: String,
    pub http: reqwest::Client,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Value,
}

impl Reply {
    /// The code of the one error that it tells; fails where it is no error as the API writes them.
    pub fn code(&self) -> String {
        let error = &self.body["errors"][0];
        assert_eq!(
            self.body["errors"].as_array().map(Vec::len),
            Some(1),
            "{self:?}"
        );
        assert_eq!(error["status"], self.status, "{self:?}");
        for field in ["id", "title", "detail", "code"] {
            assert!(
                error[field].as_str().is_some_and(|text| !text.is_empty()),
                "{field}: {self:?}"
            );
        }
        let origin = error["meta"]["origin"].as_str().unwrap_or_default();
        assert!(
            ["salesmirror", "remote-provider"].contains(&origin),
            "{self:?}"
        );
        assert_eq!(
            error["meta"]["cause"].is_null(),
            origin == "salesmirror",
            "{self:?}"
        );
        error["code"].as_str().unwrap_or_default().to_owned()
    }

    pub fn ids(&self) -> Vec<String> {
        let records = self.body["records"].as_array();
        let records = records.unwrap_or_else(|| panic!("{self:?}"));
        let id = |record: &Value| record["id"].as_str().expect("an id").to_owned();
        records.iter().map(id).collect()
    }

    pub fn cursor(&self, which: &str) -> Option<String> {
        self.body["pagination"][which].as_str().map(str::to_owned)
    }
}

impl Served {
    pub async fn new(rows: &str) -> Self {
        let bench = Bench::new(rows).await;
        let app = bench.app();
        let connected = bench
            .connect(&app, &bench.request())
            .await
            .expect("a connection");
        let row = connected.row;
        let session = app.session(&row).await.expect("a session");
        succeed(&session, SyncOptions::default()).await;
        let made = app.make_api_key("test", &Scope::ALL).await.expect("a key");
        let running = Server::start(app.clone(), row.clone(), 0)
            .await
            .expect("a server");
        bench.requests().await;
        Self {
            key: made.text().to_owned(),
            bench,
            app,
            row,
            session,
            running,
            http: reqwest::Client::new(),
        }
    }

    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.running.url());
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        self.http.request(method, url)
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        let reply = request.send().await.expect("an answer");
        let status = reply.status().as_u16();
        let headers = reply
            .headers()
            .iter()
            .map(|(name, value)| {
                (
                    name.to_string(),
                    value.to_str().unwrap_or_default().to_owned(),
                )
            })
            .collect();
        let text = reply.text().await.expect("a body");
        Reply {
            status,
            headers,
            body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
        }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.request("GET", path).bearer_auth(&self.key))
            .await
    }

    /// A list with parameters that are still to be encoded.
    pub async fn list(&self, object: &str, parameters: &[(&str, &str)]) -> Reply {
        let query: Vec<String> = parameters
            .iter()
            .map(|(name, value)| {
                let mut text = String::new();
                url::form_urlencoded::Serializer::new(&mut text).append_pair(name, value);
                text
            })
            .collect();
        self.get(&format!("/crm/v2/{object}?{}", query.join("&")))
            .await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(
            self.request("POST", path)
                .bearer_auth(&self.key)
                .json(&body),
        )
        .await
    }

    /// Every page from the first on, following `next`; each page's ids.
    async fn pages(&self, object: &str, parameters: &[(&str, &str)]) -> Vec<Vec<String>> {
        let mut pages = Vec::new();
        let mut reply = self.list(object, parameters).await;
        loop {
            assert_eq!(reply.status, 200, "{reply:?}");
            pages.push(reply.ids());
            let Some(next) = reply.cursor("next") else {
                return pages;
            };
            // The cursor alone is enough.
            reply = self.list(object, &[("cursor", &next)]).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_paged_to_and_fro_and_hold_every_record_once() {
    let served = Served::new(ROWS).await;
    for (object, table) in [
        ("accounts", "account"),
        ("contacts", "contact"),
        ("leads", "lead"),
        ("opportunities", "opportunity"),
        ("users", "systemuser"),
    ] {
        let truth: BTreeSet<String> = served.bench.truth(table).await.into_keys().collect();
        for parameters in [
            &[("page_size", "17")][..],
            &[("page_size", "17"), ("sort", "updated_at:desc")],
            &[("page_size", "1000")],
            &[("page_size", "17"), ("filter", "created_at > 1990-01-01")],
        ] {
            let pages = served.pages(object, parameters).await;
            let all: Vec<&String> = pages.iter().flatten().collect();
            let distinct: BTreeSet<String> = all.iter().map(|id| (*id).clone()).collect();
            assert_eq!(all.len(), truth.len(), "{object} {parameters:?}");
            assert_eq!(distinct, truth, "{object} {parameters:?}");
        }
        // There and back again.
        for sort in [None, Some(("sort", "created_at"))] {
            let parameters: Vec<(&str, &str)> =
                sort.into_iter().chain([("page_size", "7")]).collect();
            let first = served.list(object, &parameters).await;
            assert_eq!(first.body["pagination"]["total_count"], truth.len());
            assert_eq!(first.cursor("previous"), None);
            let next = first.cursor("next").expect("a next page");
            let second = served.list(object, &[("cursor", &next)]).await;
            let back = second.cursor("previous").expect("a page before");
            let again = served.list(object, &[("cursor", &back)]).await;
            assert_eq!(again.ids(), first.ids(), "{object}");
            assert_eq!(again.cursor("previous"), None, "{object}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_pages_while_rows_change_loses_none_and_gets_none_twice() {
    let served = Served::new("account=10,contact=1500,lead=5,opportunity=5,systemuser=5").await;
    let before: BTreeSet<String> = served.bench.truth("contact").await.into_keys().collect();
    let over = AtomicBool::new(false);
    let changing = async {
        let mut rounds = 0;
        while !over.load(Ordering::SeqCst) {
            served.bench.act(60, 200, 10);
            sync(&served.session, SyncOptions::default()).await;
            rounds += 1;
        }
        rounds
    };
    let reading = async {
        let mut read = Vec::new();
        for _ in 0..3 {
            for parameters in [
                &[("page_size", "31")][..],
                &[("page_size", "31"), ("sort", "updated_at:desc")],
                &[("page_size", "31"), ("filter", "created_at > 1990-01-01")],
            ] {
                let pages = served.pages("contacts", parameters).await;
                read.push((parameters, pages.concat()));
            }
        }
        over.store(true, Ordering::SeqCst);
        read
    };
    let (rounds, read) = tokio::join!(changing, reading);
    assert!(rounds > 2, "the table changed: {rounds}");
    let after: BTreeSet<String> = served.bench.truth("contact").await.into_keys().collect();
    let throughout: BTreeSet<&String> = before.intersection(&after).collect();
    assert!(throughout.len() > 500 && throughout.len() < before.len());
    for (parameters, ids) in read {
        let distinct: BTreeSet<&String> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len(), "none twice with {parameters:?}");
        let lost: Vec<_> = throughout.difference(&distinct).collect();
        assert!(lost.is_empty(), "lost with {parameters:?}: {lost:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_by_words_give_the_records_whose_fields_say_them() {
    let served = Served::new(ROWS).await;
    for (object, field, words) in [
        ("accounts", "lifecycle_stage", &["customer", "lead"][..]),
        ("leads", "status", &["OPEN", "QUALIFIED", "DISQUALIFIED"]),
        ("opportunities", "status", &["OPEN", "WON", "LOST"]),
        ("users", "is_active", &["true", "false"]),
    ] {
        let all = served.list(object, &[("page_size", "1000")]).await;
        let records = all.body["records"].as_array().expect("records");
        let ids = |is_wanted: &dyn Fn(&str) -> bool| {
            let wanted = records.iter().filter(|record| {
                let value = &record[field];
                is_wanted(
                    &value
                        .as_str()
                        .map_or_else(|| value.to_string(), str::to_owned),
                )
            });
            let mut ids: Vec<String> = wanted
                .filter_map(|record| record["id"].as_str().map(str::to_owned))
                .collect();
            ids.sort_unstable();
            ids
        };
        let mut found = 0;
        let mut conditions = vec![
            (format!("{field} is-null"), ids(&|value| value == "null")),
            (
                format!("{field} is-not-null"),
                ids(&|value| value != "null"),
            ),
            (
                format!("{field} in {}", words[..2].join(", ")),
                ids(&|value| words[..2].contains(&value)),
            ),
        ];
        for word in words {
            conditions.push((format!("{field} = {word}"), ids(&|value| value == *word)));
            conditions.push((format!("{field} != {word}"), ids(&|value| value != *word)));
        }
        for (filter, expected) in conditions {
            let parameters = [("filter", filter.as_str()), ("page_size", "1000")];
            let mut listed = served.list(object, &parameters).await.ids();
            listed.sort_unstable();
            found += usize::from(!listed.is_empty() && listed.len() < records.len());
            assert_eq!(listed, expected, "{object}: {filter}");
        }
        assert!(found > 0, "{object} are all alike");
    }
    for parameter in [
        ("filter", "amount >= 1000"),
        ("filter", "currency = EUR"),
        ("filter", "close_date is-null"),
        ("filter", "status = Gewonnen"),
        ("sort", "amount:desc"),
        ("sort", "status"),
    ] {
        for read_from_cache in ["true", "false"] {
            if (parameter.0, read_from_cache) == ("filter", "false") {
                continue;
            }
            let parameters = [parameter, ("read_from_cache", read_from_cache)];
            let reply = served.list("opportunities", &parameters).await;
            assert_eq!(reply.status, 422, "{parameters:?} {reply:?}");
            let hint = reply.body["errors"][0]["meta"]["hint"].as_str();
            assert!(hint.is_some_and(|hint| hint.contains(':')), "{reply:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_read_is_not_pushed_out_by_others() {
    let served = Served::new(ROWS).await;
    let begin = [("sort", "created_at"), ("page_size", "30")];
    let mut begun = Vec::new();
    for number in 0..256 {
        let reply = served.list("leads", &begin).await;
        assert_eq!(reply.status, 200, "{number}: {reply:?}");
        begun.push((reply.cursor("next").expect("a next page"), reply.ids()));
    }
    // One more is refused rather than one of those broken off.
    let refused = served.list("leads", &begin).await;
    assert_eq!((refused.status, refused.code().as_str()), (503, "api_busy"));
    let seconds: u64 = refused.headers["retry-after"].parse().expect("seconds");
    assert!((1..=60).contains(&seconds));
    // What needs no place is answered all the same: a list of one page, a whole table, and the organisation.
    let single = [("sort", "created_at"), ("page_size", "60")];
    for parameters in [&single[..], &[("page_size", "30")]] {
        let reply = served.list("leads", parameters).await;
        assert_eq!(reply.status, 200, "{parameters:?}: {reply:?}");
    }
    let live = [("read_from_cache", "false"), ("page_size", "30")];
    assert_eq!(served.list("leads", &live).await.status, 200);
    // One that was read to its end makes room, and its last page can be had again until then.
    let (cursor, first) = &begun[100];
    let last = served.list("leads", &[("cursor", cursor)]).await;
    assert_eq!((last.status, last.cursor("next")), (200, None));
    let again = served.list("leads", &[("cursor", cursor)]).await;
    assert_eq!(again.ids(), last.ids());
    let all: BTreeSet<String> = first.iter().cloned().chain(last.ids()).collect();
    assert_eq!(all.len(), 60);
    assert_eq!(served.list("leads", &begin).await.status, 200);
    assert_eq!(served.list("leads", &begin).await.status, 503);
    let gone = served.list("leads", &[("cursor", cursor)]).await;
    assert_eq!((gone.status, gone.code().as_str()), (410, "cursor_expired"));
    for at in [0, 1, 99, 101, 255] {
        let reply = served.list("leads", &[("cursor", &begun[at].0)]).await;
        assert_eq!((reply.status, reply.ids().len()), (200, 30), "{at}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_of_the_organisation_pushes_out_no_other() {
    let served = Served::new(ROWS).await;
    let sorted = [("sort", "created_at"), ("page_size", "30")];
    let view = served.list("leads", &sorted).await;
    let view = view.cursor("next").expect("a next page");
    let live = [("read_from_cache", "false"), ("page_size", "20")];
    let other = served.list("leads", &live).await;
    let other = other.cursor("next").expect("a next page");
    // More pages than lists are held.
    let crawl = [("read_from_cache", "false"), ("page_size", "1")];
    let mut reply = served.list("contacts", &crawl).await;
    let (mut ids, mut before) = (reply.ids(), None);
    while let Some(next) = reply.cursor("next") {
        reply = served.list("contacts", &[("cursor", &next)]).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        ids.extend(reply.ids());
        before = Some((next, reply.ids()));
    }
    let distinct: BTreeSet<&String> = ids.iter().collect();
    assert_eq!((ids.len(), distinct.len()), (420, 420));
    let (last, expected) = before.expect("several pages");
    let again = served.list("contacts", &[("cursor", &last)]).await;
    assert_eq!(again.ids(), expected, "the last page can be had again");
    for (cursor, rows) in [(view, 30), (other, 20)] {
        let reply = served.list("leads", &[("cursor", &cursor)]).await;
        assert_eq!((reply.status, reply.ids().len()), (200, rows), "{reply:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_order_and_search_mean_what_they_mean_on_the_command_line() {
    let served = Served::new(ROWS).await;
    let truth = served.bench.truth("contact").await;
    let some = truth
        .values()
        .find(|row| row["jobtitle"].is_string())
        .expect("a contact");
    let title = some["jobtitle"].as_str().expect("a title");
    let expected = truth
        .values()
        .filter(|row| row["jobtitle"] == title)
        .count();
    for filter in [
        format!("title = \"{title}\""),
        format!("jobtitle = \"{title}\""),
    ] {
        let reply = served
            .list("contacts", &[("filter", &filter), ("page_size", "1000")])
            .await;
        assert_eq!(reply.ids().len(), expected, "{filter}: {reply:?}");
        assert_eq!(reply.body["pagination"]["total_count"], expected);
        let titles = reply.body["records"].as_array().expect("records").iter();
        assert!(titles.into_iter().all(|record| record["title"] == title));
    }
    // Several conditions are joined by and.
    let both = [("filter", "title is-null"), ("filter", "title is-not-null")];
    assert_eq!(
        served.list("contacts", &both).await.ids(),
        Vec::<String>::new()
    );
    let sorted = served
        .list(
            "contacts",
            &[("sort", "last_name:desc"), ("page_size", "1000")],
        )
        .await;
    let names: Vec<String> = sorted.body["records"]
        .as_array()
        .expect("records")
        .iter()
        .filter_map(|record| record["last_name"].as_str().map(str::to_lowercase))
        .collect();
    assert!(names.is_sorted_by(|one, other| one >= other), "{names:?}");
    // What was changed since.
    let all = served
        .list(
            "contacts",
            &[("sort", "updated_at:desc"), ("page_size", "1000")],
        )
        .await;
    let third = &all.body["records"][3];
    let moment = third["updated_at"].as_str().expect("a moment");
    let since = served
        .list(
            "contacts",
            &[("modified_after", moment), ("page_size", "1000")],
        )
        .await;
    let ids = since.ids();
    assert!(ids.len() >= 4 && ids.contains(&third["id"].as_str().expect("an id").to_owned()));
    let moments = since.body["records"].as_array().expect("records").iter();
    assert!(
        moments
            .into_iter()
            .all(|record| record["updated_at"].as_str() >= Some(moment))
    );
    let moments = since.body["records"].as_array().expect("records").iter();
    let moments: Vec<&str> = moments
        .filter_map(|record| record["updated_at"].as_str())
        .collect();
    assert!(moments.is_sorted(), "the oldest change comes first");
    // Search.
    let name = some["lastname"].as_str().expect("a name");
    served
        .session
        .index_search(&Default::default(), |_, _, _| {})
        .await
        .expect("an index");
    let found = served
        .list("contacts", &[("search", name), ("page_size", "1000")])
        .await;
    let id = some["contactid"].as_str().expect("an id").to_owned();
    assert!(found.ids().contains(&id), "{name}: {found:?}");
    // What means nothing is said, with a hint.
    for parameters in [
        ("filter", "nonsense"),
        ("filter", "no_such_column = 1"),
        ("filter", "created_at > yesterday-ish"),
        ("sort", "no_such_column"),
        ("sort", "name:sideways"),
    ] {
        let reply = served.list("accounts", &[parameters]).await;
        assert_eq!(reply.status, 422, "{parameters:?} {reply:?}");
        assert!(
            ["bad_filter", "unknown_column", "bad_value", "bad_sort"]
                .contains(&reply.code().as_str())
        );
    }
    for (name, value) in [
        ("page_size", "0"),
        ("page_size", "1001"),
        ("page_size", "+5"),
        ("page_size", ""),
        ("include_deleted", "yes"),
        ("modified_after", "last week"),
        ("nonsense", "1"),
    ] {
        let reply = served.list("accounts", &[(name, value)]).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (400, "bad_parameter"),
            "{name}={value}"
        );
    }
    let twice = served
        .list("accounts", &[("page_size", "5"), ("page_size", "6")])
        .await;
    assert_eq!(twice.code(), "bad_parameter");
}

#[test]
fn columns_are_selected_as_long_as_their_names_have_room_in_an_address() {
    let column = |number: usize| ColumnMetadata {
        logical_name: format!("new_customcolumn{number:014}"),
        display_name: String::new(),
        kind: ColumnKind::Text,
        targets: vec![],
        choices: vec![],
        is_custom: true,
    };
    let table = |columns: usize| TableMetadata {
        logical_name: "account".into(),
        entity_set_name: "accounts".into(),
        primary_id: "accountid".into(),
        primary_name: None,
        display_name: String::new(),
        display_collection_name: String::new(),
        is_custom: false,
        object_type_code: None,
        change_tracking: true,
        columns: (0..columns).map(column).collect(),
    };
    let names = selected(&table(700)).expect("a selection");
    assert_eq!(names.split(',').count(), 700);
    for columns in [0, 1_200] {
        assert_eq!(selected(&table(columns)), None, "{columns}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_records_are_there_for_those_who_ask() {
    let served = Served::new(ROWS).await;
    served.bench.act(0, 0, 60);
    succeed(&served.session, SyncOptions::default()).await;
    let live = served.list("contacts", &[("page_size", "1000")]).await;
    let all = served
        .list(
            "contacts",
            &[("page_size", "1000"), ("include_deleted", "true")],
        )
        .await;
    let live: BTreeSet<String> = live.ids().into_iter().collect();
    let gone: Vec<&Value> = all.body["records"]
        .as_array()
        .expect("records")
        .iter()
        .filter(|record| record["is_deleted"] == true)
        .collect();
    assert!(!gone.is_empty());
    assert_eq!(
        all.body["pagination"]["total_count"],
        live.len() + gone.len()
    );
    let id = gone[0]["id"].as_str().expect("an id");
    let reply = served.get(&format!("/crm/v2/contacts/{id}")).await;
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (404, "unknown_record")
    );
    let reply = served
        .get(&format!("/crm/v2/contacts/{id}?include_deleted=true"))
        .await;
    assert_eq!(
        (reply.status, &reply.body["record"]["is_deleted"]),
        (200, &json!(true))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_comes_from_the_mirror_or_as_it_is_right_now() {
    let served = Served::new(ROWS).await;
    let truth = served.bench.truth("account").await;
    let (id, row) = truth.iter().next().expect("an account");
    let path = format!("/crm/v2/accounts/{id}");
    let reply = served.get(&format!("{path}?include_raw_data=true")).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.body["record"]["name"], row["name"]);
    assert_eq!(reply.body["record"]["raw_data"]["accountid"], **id);
    assert_eq!(reply.body["stale"], false);
    assert!(
        served.get(&path).await.body["record"]
            .get("raw_data")
            .is_none()
    );
    assert!(
        served.bench.requests().await.is_empty(),
        "the mirror answered"
    );
    // A change that no sync has seen.
    let change = json!({"method": "PATCH", "path": format!("accounts({id})"), "body": {"name": "Renamed just now"}});
    let changed = served.post("/actions/v2/passthrough", change).await;
    assert_eq!(
        (changed.status, &changed.body["status"]),
        (200, &json!(204)),
        "{changed:?}"
    );
    assert_ne!(
        served.get(&path).await.body["record"]["name"],
        "Renamed just now"
    );
    let live = served.get(&format!("{path}?read_from_cache=false")).await;
    assert_eq!(live.body["record"]["name"], "Renamed just now", "{live:?}");
    // Pages come from the organisation too, and only by what was given out here.
    let mut seen = BTreeSet::new();
    let mut reply = served
        .list(
            "accounts",
            &[
                ("read_from_cache", "false"),
                ("page_size", "50"),
                ("sort", "name"),
            ],
        )
        .await;
    loop {
        assert_eq!(reply.status, 200, "{reply:?}");
        seen.extend(reply.ids());
        let Some(next) = reply.cursor("next") else {
            break;
        };
        assert!(
            !next.contains("http") && !next.contains("skiptoken"),
            "{next}"
        );
        reply = served.list("accounts", &[("cursor", &next)]).await;
    }
    assert_eq!(seen, truth.keys().cloned().collect::<BTreeSet<_>>());
    // What is nowhere is nowhere.
    let nobody = "/crm/v2/accounts/00000000-0000-0000-0000-00000000dead";
    assert_eq!(served.get(nobody).await.code(), "unknown_record");
    let reply = served.get(&format!("{nobody}?read_from_cache=false")).await;
    assert_eq!((reply.status, reply.code().as_str()), (404, "not_found"));
    let cause = &reply.body["errors"][0]["meta"]["cause"];
    assert!(
        cause["code"]
            .as_str()
            .is_some_and(|code| code.starts_with("0x")),
        "{reply:?}"
    );
    assert!(
        cause["message"]
            .as_str()
            .is_some_and(|text| !text.is_empty()),
        "{reply:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn syncs_are_listed_started_paused_and_resumed() {
    let served = Served::new(ROWS).await;
    let reply = served.get("/mgmt/v2/syncs").await;
    let objects: Vec<&str> = reply.body["syncs"]
        .as_array()
        .expect("syncs")
        .iter()
        .filter_map(|sync| sync["object"].as_str())
        .collect();
    assert_eq!(
        objects,
        ["accounts", "contacts", "leads", "opportunities", "users"]
    );
    assert_eq!(reply.body["syncs"][1]["rows"], 420);
    served.bench.act(5, 20, 0);
    let runs = |reply: &Reply| reply.body["sync_runs"].as_array().map_or(0, Vec::len);
    let before = runs(&served.get("/mgmt/v2/sync-runs?object=contacts").await);
    let started = served
        .post("/mgmt/v2/syncs/_trigger", json!({"object": "contacts"}))
        .await;
    assert_eq!(started.status, 202, "{started:?}");
    let mut changes = served.session.changes();
    while served.session.is_syncing() {
        changes.changed().await.expect("a change");
    }
    let reply = served.get("/mgmt/v2/sync-runs?object=contacts").await;
    assert_eq!(runs(&reply), before + 1);
    assert_eq!(reply.body["sync_runs"][0]["status"], "success");
    assert_eq!(reply.body["sync_runs"][0]["strategy"], "incremental");
    let paused = served
        .post("/mgmt/v2/syncs/_pause", json!({"object": "leads"}))
        .await;
    assert_eq!(paused.body["syncs"][0]["paused"], true, "{paused:?}");
    assert_eq!(paused.body["syncs"][0]["next_sync"], Value::Null);
    let resumed = served
        .post("/mgmt/v2/syncs/_resume", json!({"object": "leads"}))
        .await;
    assert_eq!(resumed.body["syncs"][0]["paused"], false);
    let everything = served.post("/mgmt/v2/syncs/_pause", json!({})).await;
    let all = everything.body["syncs"].as_array().expect("syncs").iter();
    assert!(all.into_iter().all(|sync| sync["paused"] == true));
    for path in [
        "/mgmt/v2/syncs/_trigger",
        "/mgmt/v2/syncs/_pause",
        "/mgmt/v2/syncs/_resume",
    ] {
        let reply = served.post(path, json!({"object": "nonsense"})).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (404, "unknown_table")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn invalidated_records_are_stale_at_once_and_read_again() {
    let served = Served::new(ROWS).await;
    let id = served
        .list("leads", &[("page_size", "1")])
        .await
        .ids()
        .remove(0);
    let path = format!("/crm/v2/leads/{id}");
    let body = json!({"object": "leads", "ids": [id], "sync": false});
    let reply = served.post("/mgmt/v2/invalidations", body).await;
    assert_eq!(reply.status, 202);
    assert_eq!(reply.body, json!({"invalidated": 1, "sync_started": false}));
    assert_eq!(served.get(&path).await.body["stale"], true);
    let reply = served
        .post("/mgmt/v2/invalidations", json!({"object": "leads"}))
        .await;
    assert_eq!(reply.body, json!({"invalidated": 60, "sync_started": true}));
    let mut changes = served.session.changes();
    while served.session.is_syncing() {
        changes.changed().await.expect("a change");
    }
    assert_eq!(served.get(&path).await.body["stale"], false);
    for (body, code) in [
        (
            json!({"object": "leads", "ids": ["no id"]}),
            "bad_request_body",
        ),
        (json!({"object": "nonsense"}), "unknown_table"),
        (json!({}), "bad_request_body"),
        (json!({"object": "leads", "extra": 1}), "bad_request_body"),
    ] {
        assert_eq!(
            served.post("/mgmt/v2/invalidations", body).await.code(),
            code
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn passthrough_keeps_status_digits_and_bytes() {
    let served = Served::new(ROWS).await;
    let call = |body: Value| served.post("/actions/v2/passthrough", body);
    let reply = call(json!({"method": "GET", "path": "WhoAmI"})).await;
    assert_eq!(
        (reply.status, &reply.body["status"]),
        (200, &json!(200)),
        "{reply:?}"
    );
    assert_eq!(reply.body["body_encoding"], "json");
    assert!(reply.body["body"]["UserId"].is_string());
    // A refusal of the service is an answer, with its real status inside.
    let reply =
        call(json!({"method": "GET", "path": "accounts(00000000-0000-0000-0000-00000000dead)"}))
            .await;
    assert_eq!((reply.status, &reply.body["status"]), (200, &json!(404)));
    assert_eq!(reply.body["body"]["error"]["code"], "0x80040217");
    // Digits come through as they are.
    let made = call(json!({
        "method": "POST", "path": "accounts", "headers": {"Prefer": "return=representation"},
        "body": {"name": "Digits", "revenue": 123_456_789.25}
    }))
    .await;
    assert_eq!(made.body["status"], 201, "{made:?}");
    assert_eq!(made.body["body"]["revenue"].as_f64(), Some(123_456_789.25));
    // Metadata as XML is no JSON.
    let reply = call(json!({"method": "GET", "path": "$metadata"})).await;
    if reply.body["status"] == 200 {
        assert_eq!(reply.body["body_encoding"], "base64");
    }
    let query = json!({"method": "GET", "path": "accounts", "query": {"$select": "name", "$filter": "name eq 'Digits'"}});
    assert_eq!(call(query).await.body["body"]["value"][0]["name"], "Digits");
    let bytes = json!({"method": "PATCH", "path": "accounts(00000000-0000-0000-0000-00000000beef)", "body": "eyJuYW1lIjoiQmFzZSA2NCJ9", "body_encoding": "base64"});
    let reply = call(bytes).await;
    assert_eq!(reply.body["status"], 204, "{reply:?}");
    let reply = call(
        json!({"method": "PATCH", "path": "accounts", "body": "%%%", "body_encoding": "base64"}),
    )
    .await;
    assert_eq!(reply.code(), "bad_request_body");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_calls_names_the_key_and_holds_no_data() {
    let served = Served::new(ROWS).await;
    let (before, mut follow) = served.running.calls();
    assert!(before.is_empty());
    served
        .list("contacts", &[("search", "Halvorsen"), ("page_size", "2")])
        .await;
    served.send(served.request("GET", "/crm/v2/contacts")).await;
    let first = follow.recv().await.expect("a call");
    assert_eq!(
        (first.number, first.method.as_str(), first.path.as_str()),
        (1, "GET", "/crm/v2/contacts")
    );
    assert_eq!((first.status, first.key.as_deref()), (200, Some("test")));
    let second = follow.recv().await.expect("a call");
    assert_eq!((second.status, second.key), (401, None));
    let (kept, _) = served.running.calls();
    assert!(kept.len() == 2 && !format!("{kept:?}").contains("Halvorsen"));
    for number in 0..600 {
        served.get(&format!("/{number}")).await;
    }
    let (kept, _) = served.running.calls();
    assert_eq!(
        (kept.len(), kept.last().map(|call| call.number)),
        (500, Some(602))
    );
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn many_who_read_at_once_leave_few_connections_of_the_mirror_open() {
    let served = Served::new(ROWS).await;
    let open = || {
        let files = std::fs::read_dir("/proc/self/fd").expect("open files");
        let names = files.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
        let names = names.map(|path| path.display().to_string());
        // The log, which each connection opens for itself and closes with itself: the file stays open for
        // the next connection, as its locks are the process's.
        let is_log = |name: &String| name.contains("/mirror-") && name.ends_with(".db-wal");
        names.filter(is_log).count()
    };
    let view = served
        .session
        .open_view("contact", &Selectors::default(), None)
        .await
        .expect("a view")
        .pick(std::slice::from_ref(&(0..1)));
    let (mirror, readers) = (served.session.mirror(), 60);
    let (all_read, go_on) = (Barrier::new(readers + 1), Barrier::new(readers + 1));
    let most = std::thread::scope(|scope| {
        for _ in 0..readers {
            scope.spawn(|| {
                // One piece of few rows: whoever made it holds the connection that it was read with.
                let hold = |rows: Vec<_>| {
                    all_read.wait();
                    go_on.wait();
                    rows.len()
                };
                let read = mirror.pieces(&view, &[], false, hold, |_| ControlFlow::Continue(()));
                read.expect("a row");
            });
        }
        all_read.wait();
        let most = open();
        go_on.wait();
        most
    });
    assert!(most > readers, "each reads with its own: {most}");
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    // Beside those that are kept, the one that writes.
    let kept = (2 * processors).max(4) + 1;
    assert!((2..=kept).contains(&open()), "{} of {most} stay", open());
    // And what is kept is used.
    let reply = served.list("contacts", &[("page_size", "5")]).await;
    assert_eq!((reply.status, reply.ids().len()), (200, 5));
    assert!(open() <= kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_nothing_does_not_outlive_the_server() {
    let served = Served::new("account=5,contact=1000,lead=5,opportunity=5,systemuser=5").await;
    let socket = TcpSocket::new_v4().expect("a socket");
    socket
        .set_recv_buffer_size(4 << 10)
        .expect("a small buffer");
    let address = format!("127.0.0.1:{}", served.running.port());
    let address = address.parse().expect("an address");
    let mut client = socket.connect(address).await.expect("a connection");
    // More answers than fit into what lies between.
    let path = "/crm/v2/contacts?page_size=1000&include_raw_data=true";
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\n\r\n",
        served.key
    );
    let (wanted, whole) = (20, served.get(path).await.body.to_string().len());
    for _ in 0..wanted {
        client.write_all(request.as_bytes()).await.expect("written");
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let stopping = tokio::time::timeout(Duration::from_secs(5), served.running.stop());
    stopping.await.expect("it stops all the same");
    // Nothing is written any more: what is there already comes, and then the connection is over.
    let (mut got, mut buffer) = (0, vec![0; 64 << 10]);
    let reading = async {
        while let Ok(read @ 1..) = client.read(&mut buffer).await {
            got += read;
        }
    };
    let read = tokio::time::timeout(Duration::from_secs(20), reading).await;
    read.expect("the connection is over");
    assert!(
        got > 0 && got < whole,
        "cut off within the first answer: {got} of {whole}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_server_answers_nobody_and_its_port_is_free() {
    let served = Served::new(ROWS).await;
    let (port, url) = (served.running.port(), served.running.url());
    let taken = Server::start(served.app.clone(), served.row.clone(), port).await;
    assert_eq!(
        taken.err().map(|error| error.code),
        Some("port_taken".to_owned())
    );
    served.running.stop().await;
    let refused = served.http.get(format!("{url}/openapi.json")).send().await;
    assert!(refused.is_err());
    let again = Server::start(served.app.clone(), served.row.clone(), port)
        .await
        .expect("a server");
    let reply = served
        .http
        .get(format!("{}/openapi.json", again.url()))
        .send()
        .await
        .expect("an answer");
    assert_eq!(reply.status(), StatusCode::OK);
    let document: Value = reply.json().await.expect("a document");
    assert!(
        document["openapi"]
            .as_str()
            .is_some_and(|version| version.starts_with("3.1"))
    );
    assert_eq!(document["servers"][0]["url"], again.url());
    let page = served
        .http
        .get(again.url())
        .send()
        .await
        .expect("an answer");
    let policy = page.headers()["content-security-policy"]
        .to_str()
        .expect("a policy")
        .to_owned();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
    assert!(
        page.text()
            .await
            .expect("a page")
            .contains("/crm/v2/contacts")
    );
}
