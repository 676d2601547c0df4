//! What the documentation leaves open: each variant that the service may choose is served, and the
//! product copes with it. `docs/protocol.md` lists them.

use std::time::{Duration, SystemTime};

use salesmirror_core::{RunStatus, Strategy, SyncOptions};
use salesmirror_dataverse::Error;
use url::Url;

use crate::bench::{Bench, sync};
use crate::replies::{
    Lines, Reply, Server, error_line, first_page, page_behind, page_lines, table,
};

const SMALL: &str = "account=30,contact=60,lead=20,opportunity=20,systemuser=10";
const ROW: &str = r#"{"@odata.etag":"W/\"7\"","name":"Osterhall","accountid":"3dee07c9-0003-5a63-9920-cba0aa5225ca"}"#;
const STAMP: &str =
    "Version stamp associated with the client has expired. Please perform a full sync.";
const DELTA: &str =
    "/api/data/v9.2/accounts?$select=name&$deltatoken=919042%2108%2f22%2f2017%2008%3a10%3a44";

/// What the client says of replies that come one after the other when it follows a delta link.
async fn check_delta(replies: Vec<Reply>, expected: &[&str], requests: usize) {
    let accounts = table(
        "account",
        "accounts",
        "accountid",
        "name revenue:money ownerid:owner versionnumber:bigint",
    );
    let said = format!("{replies:?}");
    let server = Server::in_turn(move |_| replies.clone()).await;
    let link = format!("{}{DELTA}", server.origin);
    let lines = match page_behind(&server.client(), &accounts, &link).await {
        Ok(page) => page_lines(&page),
        Err(error) => lines_of(&error),
    };
    assert_eq!(lines, expected, "{said}");
    let seen = server.seen.lock().expect("a log");
    assert_eq!(seen.len(), requests, "{said}");
    // Whatever happens on the way, the link goes out as it came.
    assert!(seen.iter().all(|address| address == DELTA), "{seen:?}");
}

fn lines_of(error: &Error) -> Vec<String> {
    let mut lines = vec![error_line(error)];
    if error.delta_expired() {
        lines.push("start over".to_owned());
    }
    lines
}

#[tokio::test]
async fn an_expired_version_stamp_is_known_whatever_its_status_and_however_its_code_is_written() {
    for status in [400, 404, 410, 412, 500] {
        for code in [
            r#""0x80044352""#,
            r#""0X80044352""#,
            r#""-2147204270""#,
            "-2147204270",
            r#""2147763026""#,
        ] {
            let body = format!(r#"{{"error":{{"code":{code},"message":"{STAMP}"}}}}"#);
            let line = format!("error delta_expired (0x80044352, status {status})");
            check_delta(vec![Reply::json(status, &body)], &[&line, "start over"], 1).await;
        }
    }
}

#[tokio::test]
async fn a_delta_link_refused_without_the_code_is_tried_once_more_and_then_given_up() {
    for status in [400, 404, 410] {
        for error in [r#"{"code":"","message":"Gone."}"#, r#"{"message":"Gone."}"#] {
            let reply = Reply::json(status, &format!(r#"{{"error":{error}}}"#));
            let code = if status == 404 {
                "not_found"
            } else {
                "refused"
            };
            let line = format!("error {code} (status {status})");
            check_delta(vec![reply.clone()], &[&line, "start over"], 2).await;
            let page = Reply::json(200, &format!(r#"{{"value":[{ROW}]}}"#));
            check_delta(vec![reply, page], &["name=Osterhall"], 2).await;
        }
    }
    // With an empty code the documented text says it, also where the status would mean "later".
    let reply = Reply::json(
        500,
        &format!(r#"{{"error":{{"code":"","message":"{STAMP}"}}}}"#),
    );
    check_delta(
        vec![reply],
        &["error refused (status 500)", "start over"],
        2,
    )
    .await;
}

#[tokio::test]
async fn a_delta_is_read_in_all_its_forms() {
    let context = r#""@odata.context":"https://elsewhere.example/$metadata#accounts""#;
    let link = r#""@odata.deltaLink":"https://o.example/api/data/v9.2/accounts?$deltatoken=9""#;
    let gone = "2e451703-c686-e711-80e5-00155db19e6d";
    let deleted = format!(
        r#"{context_of_one},"id":"{gone}","reason":"deleted""#,
        context_of_one = r#""@odata.context":"x/$metadata#accounts/$deletedEntity""#
    );
    let cases: Vec<(String, &[&str])> = vec![
        // Nothing new, with and without `value`, with and without a link.
        (format!("{{{context},{link}}}"), &["delta link"]),
        (format!("{{{link},\"value\":[]}}"), &["delta link"]),
        (format!("{{{context}}}"), &[]),
        (format!("{{{context},\"value\":null,{link}}}"), &["delta link"]),
        // The link before and behind the rows.
        (format!("{{{link},\"value\":[{ROW}]}}"), &["name=Osterhall", "delta link"]),
        (format!("{{\"value\":[{ROW}],{link}}}"), &["name=Osterhall", "delta link"]),
        // Deletes by reason, by context, by both, with a bare id and with an address.
        (format!("{{\"value\":[{{{deleted}}},{ROW}]}}"), &["delete", "name=Osterhall"]),
        (format!(r#"{{"value":[{{"id":"{gone}","reason":"deleted"}}]}}"#), &["delete"]),
        (format!(r#"{{"value":[{{"reason":"deleted","id":"https://o.example/accounts({gone})"}}]}}"#), &["delete"]),
        (format!(r#"{{"value":[{{"@odata.context":"y#accounts/$deletedEntity","id":"{gone}"}}]}}"#), &["delete"]),
        // The same row twice, and a page with a next link although it is short.
        (format!("{{\"value\":[{ROW},{ROW}]}}"), &["name=Osterhall", "name=Osterhall"]),
        (
            format!(r#"{{"value":[{ROW}],"@odata.nextLink":"https://o.example/api/data/v9.2/accounts?$skiptoken=1"}}"#),
            &["name=Osterhall", "next link"],
        ),
        // A byte order mark before the text.
        (format!("\u{feff}{{\"value\":[{ROW}]}}"), &["name=Osterhall"]),
        // Annotations before their property, behind it, and far from it; in any order.
        (
            r#"{"value":[{"accountid":"3dee07c9-0003-5a63-9920-cba0aa5225ca","_ownerid_value":"2e451703-c686-e711-80e5-00155db19e6e","name":null,
                "_ownerid_value@OData.Community.Display.V1.FormattedValue":"Nordics","versionnumber":9,"_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname":"team"}]}"#
                .to_owned(),
            &["ownerid=team/Nordics, versionnumber=9"],
        ),
        (
            r#"{"value":[{"_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname":"team","_ownerid_value@OData.Community.Display.V1.FormattedValue":"Nordics",
                "_ownerid_value":"2e451703-c686-e711-80e5-00155db19e6e","accountid":"3dee07c9-0003-5a63-9920-cba0aa5225ca"}]}"#
                .to_owned(),
            &["ownerid=team/Nordics"],
        ),
        // Zeros where null is meant, numbers as text, and many digits.
        (
            r#"{"value":[{"accountid":"3dee07c9-0003-5a63-9920-cba0aa5225ca","_ownerid_value":"00000000-0000-0000-0000-000000000000","versionnumber":"12","revenue":4990.000000000000}]}"#
                .to_owned(),
            &["revenue=4990, versionnumber=12"],
        ),
        // A virtual table's ETag is a GUID, and there is no version.
        (
            r#"{"value":[{"@odata.etag":"W/\"2e451703-c686-e711-80e5-00155db19e6d\"","name":"Virtual","accountid":"3dee07c9-0003-5a63-9920-cba0aa5225ca"}]}"#.to_owned(),
            &["name=Virtual"],
        ),
    ];
    for (body, expected) in cases {
        check_delta(vec![Reply::json(200, &body)], expected, 1).await;
    }
}

#[tokio::test]
async fn retry_after_is_taken_as_seconds_and_as_a_date_and_need_not_be_there() {
    let page = Reply::json(200, &format!("{{\"value\":[{ROW}]}}"));
    // A date has whole seconds: two ahead are more than one and at most two, if they are used at once.
    let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(2));
    let past = httpdate::fmt_http_date(SystemTime::now() - Duration::from_secs(90));
    let coded = r#"{"error":{"code":"0x80072322","message":"Number of requests exceeded the limit of 6000 over time window of 300 seconds."}}"#;
    let cases = [
        (Reply::json(429, coded).with("retry-after", &date), 900),
        (Reply::json(429, coded).with("retry-after", "1"), 900),
        (Reply::json(429, "").with("retry-after", &past), 0),
        (Reply::json(429, "<html>Too many requests</html>"), 0),
        (
            Reply::json(503, "<html>busy</html>").with("retry-after", "1"),
            900,
        ),
    ];
    for (refusal, at_least_ms) in cases {
        let accounts = table("account", "accounts", "accountid", "name");
        let replies = vec![refusal.clone(), page.clone()];
        let server = Server::in_turn(move |_| replies.clone()).await;
        let client = server.client();
        let begun = std::time::Instant::now();
        let found = first_page(&client, &accounts).await.expect("a page");
        assert_eq!(found.1.rows, 1);
        assert!(
            begun.elapsed() >= Duration::from_millis(at_least_ms),
            "{refusal:?}"
        );
        assert_eq!(
            (client.meter().requests(), client.meter().retries()),
            (2, 1),
            "{refusal:?}"
        );
    }
}

#[tokio::test]
async fn a_next_link_is_followed_on_both_origins_and_in_every_form() {
    let accounts = table("account", "accounts", "accountid", "name");
    let cookie = "$select=name&$skiptoken=%3Ccookie%20pagenumber=%222%22%20pagingcookie=%22%253ccookie%2520page%253d%25221%2522%253e'(a,b)%22%20istracking=%22False%22%20/%3E";
    let page = || Some(Reply::json(200, &format!("{{\"value\":[{ROW}]}}")));
    let environment = Server::start(move |_, _| page()).await;
    let api = Server::start(move |_, _| page()).await;
    let client = environment.client_with(&[Url::parse(&api.origin).expect("an address")]);
    let path = format!("/api/data/v9.2/accounts?{cookie}");
    for (link, server) in [
        (format!("{}{path}", environment.origin), &environment),
        (format!("{}{path}", api.origin), &api),
        (format!("accounts?{cookie}"), &environment),
        (path.clone(), &environment),
    ] {
        let found = page_behind(&client, &accounts, &link).await;
        assert!(found.is_ok_and(|page| page.1.rows == 1), "{link}");
        // Not a byte of it is written otherwise, and the other origin hears nothing.
        assert_eq!(
            server.seen.lock().expect("a log").pop().as_ref(),
            Some(&path),
            "{link}"
        );
        for server in [&environment, &api] {
            assert!(server.seen.lock().expect("a log").is_empty(), "{link}");
        }
    }
    for link in [
        "//evil.example/api/data/v9.2/accounts",
        "https://evil.example/api/data/v9.2/accounts",
        "/other?x=1",
    ] {
        let error = page_behind(&client, &accounts, link).await.expect_err(link);
        assert_eq!(error.code(), "foreign_link", "{link}");
    }
}

#[tokio::test]
async fn a_byte_order_mark_stands_before_no_reply_in_vain() {
    let who = r#"{"UserId":"60c4e274-0d87-e711-80e5-00155db19e6d","BusinessUnitId":"60c4e274-0d87-e711-80e5-00155db19e6d","OrganizationId":"60c4e274-0d87-e711-80e5-00155db19e6d"}"#;
    let server = Server::in_turn(move |_| vec![Reply::json(200, &format!("\u{feff}{who}"))]).await;
    assert!(server.client().who_am_i().await.is_ok());
    let accounts = table("account", "accounts", "accountid", "name");
    let server = Server::in_turn(|_| vec![Reply::json(200, &format!("\u{feff}{ROW}"))]).await;
    let mut lines = Lines::of(&accounts);
    let found = server
        .client()
        .fetch_record(&accounts, uuid::Uuid::nil(), &mut lines)
        .await;
    assert!(found.is_ok_and(|found| found) && lines.rows.len() == 1);
    let error = r#"{"error":{"code":"0x80072560","message":"The user is not a member of the organization."}}"#;
    let server =
        Server::in_turn(move |_| vec![Reply::json(403, &format!("\u{feff}{error}"))]).await;
    let error = server.client().who_am_i().await.expect_err("refused");
    assert_eq!(error.code(), "not_a_member");
}

/// A fault that gives this reply to requests of a table whose address holds this.
fn fault(path: &str, query: &str, times: u64, status: u16, body: &str) -> String {
    serde_json::json!({
        "match": {"path_contains": path, "query_contains": query, "times": times},
        "action": {"status": status, "body": body, "headers": {"content-type": "application/json"}},
    })
    .to_string()
}

async fn tell(bench: &Bench, path: &str, body: String) {
    let url = format!("{}/{path}", bench.org.description().control_url);
    let reply = bench
        .http
        .post(url)
        .body(body)
        .send()
        .await
        .expect("a reply");
    assert!(reply.status().is_success(), "{path}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_starts_over_when_its_mark_has_expired_whatever_the_status() {
    for (status, code) in [
        (400, "0x80044352"),
        (404, "-2147204270"),
        (410, "0x80044352"),
        (500, "0x80044352"),
        (410, ""),
    ] {
        let bench = Bench::new(SMALL).await;
        let session = bench.session().await;
        sync(&session, SyncOptions::default()).await;
        bench.act(5, 20, 5);
        let body = format!(r#"{{"error":{{"code":"{code}","message":"{STAMP}"}}}}"#);
        tell(
            &bench,
            "faults",
            fault("", "deltatoken", u64::MAX, status, &body),
        )
        .await;
        for run in sync(&session, SyncOptions::default()).await {
            assert_eq!(
                (run.status, run.strategy),
                (RunStatus::Success, Strategy::Full),
                "{status} {code}: {run:?}"
            );
        }
        bench.assert_equal(&session).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delta_that_says_nothing_keeps_the_link_that_was_used() {
    for body in [
        r#"{"@odata.context":"c"}"#,
        r#"{"@odata.context":"c","value":[]}"#,
    ] {
        let bench = Bench::new(SMALL).await;
        let session = bench.session().await;
        sync(&session, SyncOptions::default()).await;
        bench.act(5, 20, 5);
        // Each table hears once that there is nothing, without a link to go on from …
        for set in [
            "accounts",
            "contacts",
            "leads",
            "opportunities",
            "systemusers",
        ] {
            tell(&bench, "faults", fault(set, "deltatoken", 1, 200, body)).await;
        }
        for run in sync(&session, SyncOptions::default()).await {
            assert_eq!(
                (run.status, run.strategy),
                (RunStatus::Success, Strategy::Incremental),
                "{run:?}"
            );
            assert_eq!(run.inserted + run.updated + run.deleted, 0, "{run:?}");
        }
        // … and loses nothing: the kept link gives it all the next time.
        for run in sync(&session, SyncOptions::default()).await {
            assert_eq!(
                (run.status, run.strategy),
                (RunStatus::Success, Strategy::Incremental),
                "{run:?}"
            );
        }
        bench.assert_equal(&session).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_whose_tracking_is_refused_is_read_without_it() {
    for (status, code, message) in [
        (
            400,
            "0x80072491",
            "Entity lead isn't enabled for change tracking.",
        ),
        (
            403,
            "0x80072492",
            "Entity lead isn't enabled for change tracking.",
        ),
        (
            403,
            "0x80040220",
            "SecLib::CheckPrivilege failed. User: x, PrivilegeName: prvReadLead, PrivilegeId: y, Required Depth: Global, BusinessUnitId: z",
        ),
        (
            400,
            "0x80040220",
            "SecLib::CheckPrivilege failed. User: x, PrivilegeName: prvReadLead, PrivilegeId: y, Required Depth: Global, BusinessUnitId: z",
        ),
    ] {
        let bench = Bench::new(SMALL).await;
        let session = bench.session().await;
        let body = format!(r#"{{"error":{{"code":"{code}","message":"{message}"}}}}"#);
        tell(&bench, "faults", fault("/leads", "", 1, status, &body)).await;
        let runs = sync(&session, SyncOptions::default()).await;
        assert_eq!(
            (runs[2].status, runs[2].strategy),
            (RunStatus::Success, Strategy::Full),
            "{runs:?}"
        );
        bench.assert_equal(&session).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tracked_scan_without_a_delta_link_is_read_without_tracking() {
    let bench = Bench::new(SMALL).await;
    let session = bench.session().await;
    let none = r#"{"@odata.context":"c","value":[]}"#;
    // Neither with annotations nor without them does a link come.
    tell(&bench, "faults", fault("/leads", "", 2, 200, none)).await;
    let runs = sync(&session, SyncOptions::default()).await;
    assert_eq!(
        (runs[2].status, runs[2].inserted),
        (RunStatus::Success, 20),
        "{runs:?}"
    );
    bench.assert_equal(&session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delta_link_that_comes_only_without_annotations_is_kept() {
    let bench = Bench::new(SMALL).await;
    let session = bench.session().await;
    let none = r#"{"@odata.context":"c","value":[]}"#;
    // With annotations the scan ends without a link, without them it is as usual.
    tell(&bench, "faults", fault("/leads", "", 1, 200, none)).await;
    let runs = sync(&session, SyncOptions::default()).await;
    assert_eq!(
        (runs[2].status, runs[2].inserted),
        (RunStatus::Success, 20),
        "{runs:?}"
    );
    bench.act(5, 20, 5);
    let runs = sync(&session, SyncOptions::default()).await;
    assert_eq!(runs[2].strategy, Strategy::Incremental, "{runs:?}");
    bench.assert_equal(&session).await;
}

#[tokio::test]
async fn the_challenge_is_read_in_every_form() {
    let tenant = "79eb73a6-10b1-4cbd-a4e0-e7a278d471d1";
    let authority = format!("https://login.microsoftonline.com/{tenant}/oauth2/authorize");
    let resource = "https://norrvale.crm4.dynamics.com/";
    for header in [
        format!("Bearer authorization_uri={authority}, resource_id={resource}"),
        format!("Bearer authorization_uri={authority} resource_id={resource}"),
        format!("Bearer authorization_uri=\"{authority}\", resource_id=\"{resource}\""),
        format!("bearer resource_id=\"{resource}\" authorization_uri=\"{authority}\""),
        format!(
            "Bearer authorization_uri={}, resource_id={resource}",
            authority.replace("/oauth2/", "/oauth2/v2.0/")
        ),
    ] {
        let reply = Reply::json(401, "").with("www-authenticate", &header);
        let server = Server::in_turn(move |_| vec![reply.clone()]).await;
        let environment = Url::parse(&server.origin).expect("an address");
        let found = salesmirror_dataverse::challenge(&server.http(), &environment).await;
        let found = found.expect("a challenge").expect("where to sign in");
        assert_eq!(
            found.authority.as_str(),
            "https://login.microsoftonline.com/",
            "{header}"
        );
        assert_eq!(found.tenant, tenant, "{header}");
        assert_eq!(
            found.resource.expect("a resource").as_str(),
            resource,
            "{header}"
        );
    }
}
