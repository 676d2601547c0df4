//! Attacks on the local API, each of them really sent.

use std::time::Duration;

use salesmirror_core::Scope;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::api::Served;

const ROWS: &str = "account=30,contact=60,lead=10,opportunity=10,systemuser=5";

/// Sends bytes as they are; gives the status and the whole answer.
async fn raw(served: &Served, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", served.running.port()))
        .await
        .expect("a connection");
    stream
        .write_all(request.as_bytes())
        .await
        .expect("it is sent");
    let mut answer = Vec::new();
    let reading = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer));
    let _ = reading.await.expect("an answer in time");
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.split(' ').nth(1).and_then(|word| word.parse().ok());
    (status.unwrap_or_default(), text)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_lets_its_name_point_here_gets_nothing() {
    let served = Served::new(ROWS).await;
    let (key, port) = (&served.key, served.running.port());
    let get = |path: &str, headers: &str| {
        format!(
            "GET {path} HTTP/1.1\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n{headers}\r\n"
        )
    };
    let own = format!("Host: 127.0.0.1:{port}\r\n");
    let (status, _) = raw(&served, &get("/crm/v2/accounts", &own)).await;
    assert_eq!(status, 200);
    for host in [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        format!("127.0.0.1.evil.example:{port}"),
        format!("localhost.evil.example:{port}"),
        format!("127.0.0.1:{}", port.wrapping_add(1)),
        "127.0.0.1".to_owned(),
        format!("evil@127.0.0.1:{port}"),
        format!("0.0.0.0:{port}"),
        format!("[::ffff:127.0.0.1]:{port}"),
        String::new(),
    ] {
        for path in ["/crm/v2/accounts", "/openapi.json", "/", "/nowhere"] {
            let (status, text) = raw(&served, &get(path, &format!("Host: {host}\r\n"))).await;
            assert_eq!(status, 403, "{host} {path}: {text}");
            assert!(
                text.contains("\"foreign_host\"") && !text.contains("\"records\""),
                "{text}"
            );
        }
    }
    // None at all, two of them, and one in the first line that is another than in the header.
    for request in [
        format!("GET /crm/v2/accounts HTTP/1.0\r\nAuthorization: Bearer {key}\r\n\r\n"),
        get("/crm/v2/accounts", &format!("{own}Host: evil.example\r\n")),
        get("http://evil.example/crm/v2/accounts", &own),
    ] {
        let (status, text) = raw(&served, &request).await;
        assert_eq!(status, 403, "{text}");
    }
    for origin in [
        "http://evil.example".to_owned(),
        "null".to_owned(),
        format!("https://127.0.0.1:{port}"),
        format!("http://127.0.0.1:{}", port.wrapping_add(1)),
        format!("http://127.0.0.1:{port}.evil.example"),
        "tauri://localhost".to_owned(),
        String::new(),
    ] {
        let headers = format!("{own}Origin: {origin}\r\n");
        let (status, text) = raw(&served, &get("/crm/v2/accounts", &headers)).await;
        assert_eq!(status, 403, "{origin}: {text}");
        assert!(text.contains("\"foreign_origin\""), "{text}");
        let lower = text.to_lowercase();
        assert!(!lower.contains("access-control-allow"), "{text}");
    }
    // A request that a browser asks about first, and one that needs no question.
    let asked = format!(
        "OPTIONS /crm/v2/accounts HTTP/1.1\r\nConnection: close\r\n{own}Origin: http://evil.example\r\nAccess-Control-Request-Method: GET\r\n\r\n"
    );
    let (status, text) = raw(&served, &asked).await;
    assert!(
        status == 403 && !text.to_lowercase().contains("access-control"),
        "{text}"
    );
    for site in ["cross-site", "same-site"] {
        let headers = format!("{own}Sec-Fetch-Site: {site}\r\nSec-Fetch-Mode: no-cors\r\n");
        assert_eq!(
            raw(&served, &get("/crm/v2/accounts", &headers)).await.0,
            403,
            "{site}"
        );
    }
    assert!(
        served.bench.requests().await.is_empty(),
        "nothing was passed on"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_right_key_nothing_is_given_or_done() {
    let served = Served::new(ROWS).await;
    let revoked = served
        .app
        .make_api_key("gone", &Scope::ALL)
        .await
        .expect("a key");
    let other = served.bench.app();
    other.revoke_api_key(revoked.key.id).await.expect("revoked");
    // Another process revoked it: that is noticed within a second.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let calls = [
        ("GET", "/crm/v2/accounts"),
        ("GET", "/mgmt/v2/syncs"),
        ("GET", "/mgmt/v2/sync-runs"),
        ("POST", "/mgmt/v2/syncs/_trigger"),
        ("POST", "/mgmt/v2/syncs/_pause"),
        ("POST", "/mgmt/v2/invalidations"),
        ("POST", "/actions/v2/passthrough"),
        ("GET", "/nowhere"),
        ("DELETE", "/"),
    ];
    let cut = &served.key[..served.key.len() - 1];
    for (method, path) in calls {
        let reply = served.send(served.request(method, path)).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (401, "no_api_key"),
            "{method} {path}"
        );
        assert!(reply.headers["www-authenticate"].starts_with("Bearer"));
        for wrong in [
            cut,
            revoked.text(),
            "smk_wrong",
            &format!("{}x", served.key),
            &"k".repeat(5_000),
        ] {
            for (header, value) in [
                ("authorization", format!("Bearer {wrong}")),
                ("x-api-key", wrong.to_owned()),
            ] {
                let reply = served
                    .send(served.request(method, path).header(header, value))
                    .await;
                assert_eq!(
                    (reply.status, reply.code().as_str()),
                    (401, "wrong_api_key"),
                    "{method} {path}"
                );
            }
        }
        let basic = served
            .request(method, path)
            .basic_auth("user", Some(&served.key));
        assert_eq!(served.send(basic).await.code(), "no_api_key");
    }
    // A key in the address would be in logs: it is none.
    let reply = served
        .send(served.request("GET", &format!("/mgmt/v2/syncs?api_key={}", served.key)))
        .await;
    assert_eq!(reply.code(), "no_api_key");
    // Revoked here, it ends with the next request.
    let short = served
        .app
        .make_api_key("short", &Scope::ALL)
        .await
        .expect("a key");
    let ask = || {
        served
            .request("GET", "/crm/v2/leads")
            .header("x-api-key", short.text())
    };
    assert_eq!(served.send(ask()).await.status, 200);
    served
        .app
        .revoke_api_key(short.key.id)
        .await
        .expect("revoked");
    assert_eq!(served.send(ask()).await.code(), "wrong_api_key");
    assert!(
        served.bench.requests().await.is_empty(),
        "nothing was passed on"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_does_what_its_scopes_say_and_no_more() {
    let served = Served::new(ROWS).await;
    let calls = [
        (
            Scope::Read,
            "GET",
            "/crm/v2/accounts?page_size=1",
            json!(null),
        ),
        (Scope::Read, "GET", "/mgmt/v2/syncs", json!(null)),
        (Scope::Read, "GET", "/mgmt/v2/sync-runs", json!(null)),
        (Scope::Manage, "POST", "/mgmt/v2/syncs/_resume", json!({})),
        (
            Scope::Manage,
            "POST",
            "/mgmt/v2/invalidations",
            json!({"object": "leads", "sync": false}),
        ),
        (
            Scope::Passthrough,
            "POST",
            "/actions/v2/passthrough",
            json!({"method": "GET", "path": "WhoAmI"}),
        ),
    ];
    for has in Scope::ALL {
        let key = served
            .app
            .make_api_key(has.as_str(), &[has])
            .await
            .expect("a key");
        for (needs, method, path, body) in &calls {
            let mut request = served.request(method, path).bearer_auth(key.text());
            if !body.is_null() {
                request = request.json(body);
            }
            let reply = served.send(request).await;
            match *needs == has {
                true => assert!(reply.status < 300, "{has:?} {path}: {reply:?}"),
                false => assert_eq!(
                    (reply.status, reply.code().as_str()),
                    (403, "missing_scope"),
                    "{has:?} {path}"
                ),
            }
        }
    }
    let listed = served.app.api_keys().await.expect("keys");
    let text = format!("{listed:?}");
    assert!(!text.contains(&served.key), "a list holds no key");
    let taken = served.app.make_api_key("READ", &[Scope::Read]).await;
    assert_eq!(
        taken.err().map(|error| error.code),
        Some("api_key_name_taken".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn passthrough_reaches_nothing_but_the_web_api() {
    let served = Served::new(ROWS).await;
    let call = |body: serde_json::Value| served.post("/actions/v2/passthrough", body);
    for path in [
        "https://evil.example/api/data/v9.2/WhoAmI",
        "HTTPS://evil.example/",
        "https:evil.example",
        "//evil.example/WhoAmI",
        "/\\evil.example/WhoAmI",
        "\\\\evil.example\\WhoAmI",
        "../../../evil",
        "/api/data/v9.2/../../evil",
        "accounts/../../../evil",
        "accounts/%2e%2e/%2e%2e/evil",
        "accounts/%252e%252e/evil",
        "accounts/..%2f..%2fevil",
        "accounts/..;/evil",
        "accounts%5c..%5cevil",
        "%2f%2fevil.example/WhoAmI",
        "https%3a%2f%2fevil.example",
        "WhoAmI#@evil.example",
        "WhoAmI\r\nHost: evil.example",
        "WhoAmI%0d%0aHost: evil.example",
        "WhoAmI?x=1\r\nX-Injected: y",
    ] {
        let reply = call(json!({"method": "GET", "path": path})).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (422, "not_sent"),
            "{path}: {reply:?}"
        );
    }
    for (name, value) in [
        ("Authorization", "Bearer stolen"),
        ("authorization", "Bearer stolen"),
        ("Host", "evil.example"),
        ("Cookie", "session=1"),
        ("Content-Length", "0"),
        ("Transfer-Encoding", "chunked"),
        ("X-Forwarded-Host", "evil.example"),
        ("Prefer\r\nHost", "evil.example"),
        ("Prefer", "x\r\nAuthorization: Bearer stolen"),
        ("MSCRM.X\nCookie", "y"),
        ("Prefer", "x\u{0}y"),
    ] {
        let reply =
            call(json!({"method": "GET", "path": "WhoAmI", "headers": {name: value}})).await;
        assert_eq!(reply.code(), "not_sent", "{name:?}: {reply:?}");
    }
    for method in ["TRACE", "CONNECT", "get", "GET\r\nX: y", ""] {
        let reply = call(json!({"method": method, "path": "WhoAmI"})).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (400, "bad_request_body"),
            "{method}"
        );
    }
    let paths = served.bench.requests().await;
    assert!(paths.is_empty(), "nothing was sent: {paths:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn cursors_that_were_not_given_out_are_refused() {
    use base64::Engine as _;
    let encode = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    let served = Served::new(ROWS).await;
    let given = served
        .list("contacts", &[("page_size", "5")])
        .await
        .cursor("next")
        .expect("a cursor");
    let own = served.list("contacts", &[("cursor", &given)]).await;
    assert_eq!(own.status, 200);
    let content = r#"{"object":"contacts","query":{},"page_size":5,"raw":false,"at":{"After":"00000000-0000-0000-0000-000000000000"}}"#;
    let mut turned = given.clone().into_bytes();
    turned[40] ^= 1;
    let turned = String::from_utf8_lossy(&turned).into_owned();
    for cursor in [
        "",
        "x",
        "https://evil.example/contacts?$skiptoken=1",
        "' OR 1=1 --",
        "../../etc/passwd",
        &given[1..],
        &given[..given.len() - 2],
        &turned,
        &encode(content),
        &encode(&format!("{}{content}", "A".repeat(16))),
        &"A".repeat(10_000),
    ] {
        let reply = served.list("contacts", &[("cursor", cursor)]).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (422, "bad_cursor"),
            "{cursor}"
        );
    }
    // Those of another list.
    assert_eq!(
        served.list("leads", &[("cursor", &given)]).await.code(),
        "bad_cursor"
    );
    for other in [
        ("filter", "title is-null"),
        ("sort", "title"),
        ("search", "a"),
        ("include_deleted", "true"),
    ] {
        let reply = served.list("contacts", &[("cursor", &given), other]).await;
        assert_eq!(reply.code(), "bad_cursor", "{other:?}");
    }
    // One of another installation, with the same content.
    let stranger = Served::new(ROWS).await;
    assert_eq!(
        stranger
            .list("contacts", &[("cursor", &given)])
            .await
            .code(),
        "bad_cursor"
    );
    // One that outlived its list says so; one of a whole table outlives the process.
    let sorted = served
        .list("contacts", &[("sort", "title"), ("page_size", "5")])
        .await;
    let sorted = sorted.cursor("next").expect("a cursor");
    let again = salesmirror_local_api::Server::start(served.app.clone(), served.row.clone(), 0);
    let again = again.await.expect("a server");
    let ask = |cursor: &str| {
        let url = format!("{}/crm/v2/contacts?cursor={cursor}", again.url());
        served.send(served.http.get(url).bearer_auth(&served.key))
    };
    let reply = ask(&sorted).await;
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (410, "cursor_expired")
    );
    assert_eq!(ask(&given).await.ids(), own.ids());
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_in_names_and_values_stays_text() {
    let served = Served::new(ROWS).await;
    let before = served
        .list("contacts", &[("page_size", "1000")])
        .await
        .ids();
    let harmful = "'; DROP TABLE data_contact; --";
    for parameters in [
        [("filter", format!("lastname = {harmful}"))],
        [("filter", format!("lastname = \"x' OR '1'='1{harmful}\""))],
        [("filter", format!("lastname contains \"{harmful}\""))],
        [("filter", format!("lastname in \"a\",\"{harmful}\""))],
        [("search", harmful.to_owned())],
        [("search", "\" OR text MATCH \"*".to_owned())],
        [("search", "NEAR(a b) AND * -x ^y".to_owned())],
    ] {
        let parameters: Vec<(&str, &str)> = parameters
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let reply = served.list("contacts", &parameters).await;
        assert!(
            reply.status == 200 && reply.ids().is_empty(),
            "{parameters:?}: {reply:?}"
        );
    }
    for parameters in [
        [("filter", "lastname\"; DROP TABLE data_contact; -- = 1")],
        [("filter", "_rowid = 1")],
        [("filter", "1=1; DELETE FROM data_contact")],
        [("filter", "(SELECT hash FROM api_key) = 1")],
        [("sort", "lastname; DROP TABLE data_contact")],
        [("sort", "(SELECT 1)")],
        [("sort", "_rowid")],
        [("sort", "lastname COLLATE x:desc")],
    ] {
        let reply = served.list("contacts", &parameters).await;
        assert_eq!(reply.status, 422, "{parameters:?}: {reply:?}");
        reply.code();
    }
    for object in [
        "sqlite_master",
        "app.connection",
        "contacts'; DROP TABLE mirrored; --",
        "../contacts",
        "data_contact",
    ] {
        for path in ["/mgmt/v2/syncs/_trigger", "/mgmt/v2/invalidations"] {
            let reply = served.post(path, json!({"object": object})).await;
            assert_eq!(
                (reply.status, reply.code().as_str()),
                (404, "unknown_table"),
                "{object}"
            );
        }
        let reply = served.list(object, &[]).await;
        assert_eq!(reply.status, 404, "{object}");
        reply.code();
    }
    assert_eq!(
        served
            .list("contacts", &[("page_size", "1000")])
            .await
            .ids(),
        before
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_is_the_same_document_however_early_it_comes() {
    let served = Served::new(ROWS).await;
    let with_key = |method: &str, path: &str| served.request(method, path).bearer_auth(&served.key);
    for (method, path, status, code) in [
        ("GET", "/nowhere", 404, "no_such_path"),
        ("GET", "/crm/v2/nothings", 404, "no_such_path"),
        ("GET", "/crm/v2/accounts/", 404, "no_such_path"),
        ("GET", "/crm/v2/accounts/no-guid", 400, "bad_parameter"),
        ("GET", "/crm/v2/accounts/%ff", 400, "bad_parameter"),
        ("PUT", "/crm/v2/accounts", 405, "method_not_allowed"),
        ("OPTIONS", "/crm/v2/accounts", 405, "method_not_allowed"),
        ("TRACE", "/mgmt/v2/syncs", 405, "method_not_allowed"),
        (
            "DELETE",
            "/actions/v2/passthrough",
            405,
            "method_not_allowed",
        ),
        ("POST", "/", 405, "method_not_allowed"),
    ] {
        let reply = served.send(with_key(method, path)).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (status, code),
            "{method} {path}"
        );
        assert_eq!(reply.headers["content-type"], "application/json");
        assert_eq!(reply.headers["cache-control"], "no-store");
        if status == 405 {
            assert!(
                !reply.headers["allow"].is_empty(),
                "{method} {path}: {reply:?}"
            );
        }
    }
    let trigger = "/mgmt/v2/syncs/_trigger";
    for (kind, body, status, code) in [
        ("application/json", "{", 400, "bad_request_body"),
        ("application/json", "", 400, "bad_request_body"),
        ("application/json", "[]", 400, "bad_request_body"),
        (
            "application/json",
            "{\"object\": 5}",
            400,
            "bad_request_body",
        ),
        (
            "application/json",
            "{\"object\": \"leads\"} trailing",
            400,
            "bad_request_body",
        ),
        (
            "application/json",
            "{\"object\": \"leads\", \"object\": \"leads\"}",
            400,
            "bad_request_body",
        ),
        (
            "application/json",
            "{\"object\": \"\u{0}\"}",
            400,
            "bad_request_body",
        ),
        ("text/plain", "{}", 415, "body_not_json"),
        (
            "application/x-www-form-urlencoded",
            "object=leads",
            415,
            "body_not_json",
        ),
        ("multipart/form-data", "{}", 415, "body_not_json"),
    ] {
        let request = with_key("POST", trigger)
            .header("content-type", kind)
            .body(body);
        let reply = served.send(request).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (status, code),
            "{kind} {body}"
        );
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let request = with_key("POST", trigger)
        .header("content-type", "application/json")
        .body(deep);
    assert_eq!(served.send(request).await.code(), "bad_request_body");
    assert!(
        served.bench.requests().await.is_empty(),
        "nothing was passed on"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_or_too_slow_is_let_go() {
    let served = Served::new(ROWS).await;
    let port = served.running.port();
    let head = format!(
        "POST /actions/v2/passthrough HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nConnection: close\r\n",
        served.key
    );
    // Announced, and refused before it is sent.
    let (status, text) = raw(
        &served,
        &format!("{head}Content-Length: 99999999999\r\n\r\n"),
    )
    .await;
    assert!(
        status == 413 && text.contains("\"body_too_large\""),
        "{text}"
    );
    // Not announced.
    let endless = reqwest::Body::wrap_stream(futures::stream::repeat_with(|| {
        Ok::<_, std::io::Error>(vec![b' '; 1 << 20])
    }));
    let request = served
        .request("POST", "/actions/v2/passthrough")
        .bearer_auth(&served.key)
        .header("content-type", "application/json")
        .body(endless);
    if let Ok(reply) = request.send().await {
        assert_eq!(reply.status(), 413);
    }
    // Heads that are too long are refused by the parser, before there is anybody to ask.
    let long = format!(
        "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX: {}\r\n\r\n",
        "x".repeat(200_000)
    );
    let (status, _) = raw(&served, &long).await;
    assert!(matches!(status, 400 | 431), "{status}");
    let many: String = (0..500)
        .map(|number| format!("X-{number}: y\r\n"))
        .collect();
    let (status, _) = raw(
        &served,
        &format!("GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{many}\r\n"),
    )
    .await;
    assert!(matches!(status, 400 | 431), "{status}");
    // What is no HTTP.
    for nonsense in [
        "\u{16}\u{3}\u{1}",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(("127.0.0.1", port))
            .await
            .expect("a connection");
        stream
            .write_all(nonsense.as_bytes())
            .await
            .expect("it is sent");
        stream.shutdown().await.expect("it ends");
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(!String::from_utf8_lossy(&answer).contains(" 200 "));
    }
    // Two bodies' worth of lengths must not smuggle a second request in.
    let smuggled = format!(
        "{head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /crm/v2/accounts HTTP/1.1\r\n\r\n"
    );
    let (_, text) = raw(&served, &smuggled).await;
    assert!(!text.contains("\"records\""), "{text}");
    assert_eq!(
        served.get("/mgmt/v2/syncs").await.status,
        200,
        "it still answers"
    );
}
