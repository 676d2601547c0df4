//! Faults, as a connection meets them.

use std::io::ErrorKind;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Bench;
use crate::Config;

/// An answer that never comes is one that has not come by then.
const PATIENCE: Duration = Duration::from_millis(600);

/// How a connection ended.
#[derive(Debug, PartialEq)]
enum End {
    /// As it should.
    Closed,
    Reset,
    Silence,
}

/// Sends a request over a connection of its own, and reads until it ends.
async fn exchange(bench: &Bench, token: &str, headers: &str) -> (Vec<u8>, End) {
    let environment = &bench.org.description().environment_url;
    let port = environment.rsplit(':').next().expect("a port");
    let mut received = Vec::new();
    let connected = TcpStream::connect(format!("127.0.0.1:{port}")).await;
    let Ok(mut stream) = connected else {
        return (received, End::Reset);
    };
    let request = format!(
        "GET /api/data/v9.2/accounts HTTP/1.1\r\nHost: localhost:{port}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n{headers}\r\n"
    );
    if stream.write_all(request.as_bytes()).await.is_err() {
        return (received, End::Reset);
    }
    loop {
        let mut buffer = [0; 4_096];
        match tokio::time::timeout(PATIENCE, stream.read(&mut buffer)).await {
            Err(_) => return (received, End::Silence),
            Ok(Ok(0)) => return (received, End::Closed),
            Ok(Ok(length)) => received.extend_from_slice(&buffer[..length]),
            Ok(Err(error)) => {
                assert_eq!(error.kind(), ErrorKind::ConnectionReset);
                return (received, End::Reset);
            }
        }
    }
}

/// Head and body of an answer.
fn parts(received: &[u8]) -> (String, Vec<u8>) {
    let place = received
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap_or(received.len().saturating_sub(4));
    let head = String::from_utf8_lossy(&received[..place]).to_ascii_lowercase();
    (head, received[(place + 4).min(received.len())..].to_vec())
}

fn length(head: &str) -> Option<usize> {
    let line = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))?;
    line.parse().ok()
}

#[tokio::test]
async fn connections_end_as_the_fault_says() {
    let bench = Bench::new().await;
    let token = bench.access_token().await;
    for (action, body, end) in [
        (r#"{"reset":true}"#, None, End::Reset),
        (r#"{"reset_accept":true}"#, None, End::Reset),
        (r#"{"reset_body_at":500}"#, Some(500), End::Reset),
        (r#"{"cut_body_at":500}"#, Some(500), End::Closed),
        (r#"{"stall_body_at":500}"#, Some(500), End::Silence),
        (r#"{"stall":true}"#, None, End::Silence),
    ] {
        bench
            .control(
                "faults",
                &format!(r#"{{"match":{{"times":1}},"action":{action}}}"#),
            )
            .await;
        let (received, ended) = exchange(&bench, &token, "").await;
        assert_eq!(ended, end, "{action}");
        match body {
            None => assert!(received.is_empty(), "{action}: {received:?}"),
            Some(wanted) => {
                let (head, body) = parts(&received);
                assert_eq!(body.len(), wanted, "{action}: {head}");
                assert!(
                    length(&head).expect("a length") > wanted,
                    "{action}: {head}"
                );
            }
        }
        let (received, ended) = exchange(&bench, &token, "").await;
        assert!(
            ended == End::Closed && received.starts_with(b"HTTP/1.1 200"),
            "once: {action}"
        );
    }
}

#[tokio::test]
async fn a_connection_behind_tls_is_reset_too() {
    let bench = Bench::with(Config {
        tls: true,
        ..Config::default()
    })
    .await;
    let certificate = bench
        .org
        .description()
        .ca_certificate
        .clone()
        .expect("a certificate");
    let http = reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(certificate.as_bytes()).expect("PEM")])
        .build()
        .expect("a client");
    let url = format!("{}/faults", bench.org.description().control_url);
    let body = r#"{"match":{"path":"/x"},"action":{"reset":true}}"#;
    assert_eq!(
        http.post(url)
            .body(body)
            .send()
            .await
            .expect("a reply")
            .status(),
        200
    );
    let environment = &bench.org.description().environment_url;
    assert!(http.get(format!("{environment}/x")).send().await.is_err());
    assert_eq!(
        http.get(format!("{environment}/y/z"))
            .send()
            .await
            .expect("a reply")
            .status(),
        404
    );
}

#[tokio::test]
async fn lengths_that_lie_are_kept_to() {
    let bench = Bench::new().await;
    let token = bench.access_token().await;
    for lie in [100_usize, 9_000_000] {
        bench
            .control(
                "faults",
                &format!(r#"{{"match":{{"times":1}},"action":{{"content_length":{lie}}}}}"#),
            )
            .await;
        let (received, ended) = exchange(&bench, &token, "").await;
        let (head, body) = parts(&received);
        assert_eq!(length(&head), Some(lie), "{head}");
        assert_eq!(ended, End::Closed);
        let is_short =
            body.len() == lie || (lie > 1_000_000 && body.len() < lie && body.len() > 100);
        assert!(is_short, "{lie}: {}", body.len());
    }
}

#[tokio::test]
async fn compression_is_broken_in_three_ways() {
    let bench = Bench::new().await;
    let token = bench.access_token().await;
    for (how, starts_as_gzip) in [("truncated", true), ("corrupt", true), ("none", false)] {
        bench
            .control(
                "faults",
                &format!(r#"{{"match":{{"times":1}},"action":{{"gzip":"{how}"}}}}"#),
            )
            .await;
        let (received, ended) = exchange(&bench, &token, "Accept-Encoding: gzip\r\n").await;
        let (head, body) = parts(&received);
        assert!(head.contains("content-encoding: gzip"), "{how}: {head}");
        assert_eq!(ended, End::Closed, "the frame is whole: {how}");
        assert_eq!(length(&head), Some(body.len()), "{how}");
        assert_eq!(body.starts_with(&[0x1f, 0x8b]), starts_as_gzip, "{how}");
        let mut text = Vec::new();
        let mut reader = flate2::read::GzDecoder::new(body.as_slice());
        assert!(
            std::io::Read::read_to_end(&mut reader, &mut text).is_err(),
            "{how}"
        );
    }
    let (received, _) = exchange(&bench, &token, "Accept-Encoding: gzip\r\n").await;
    let (_, body) = parts(&received);
    let mut text = Vec::new();
    let mut reader = flate2::read::GzDecoder::new(body.as_slice());
    std::io::Read::read_to_end(&mut reader, &mut text).expect("a whole page");
}

#[tokio::test]
async fn answers_are_replaced() {
    let bench = Bench::new().await;
    let token = bench.access_token().await;
    for (action, status, header, value) in [
        (r#"{"status":503}"#, 503, "content-length", "0"),
        (
            r#"{"status":429,"retry_after_s":7}"#,
            429,
            "retry-after",
            "7",
        ),
        (
            r#"{"status":429,"retry_after_date_s":90}"#,
            429,
            "retry-after",
            "GMT",
        ),
        (r#"{"html":true}"#, 200, "content-type", "text/html"),
        (
            r#"{"status":502,"html":true}"#,
            502,
            "content-type",
            "text/html",
        ),
        (
            r#"{"redirect":"http://localhost:1/x"}"#,
            302,
            "location",
            "http://localhost:1/x",
        ),
        (
            r#"{"status":308,"redirect":"http://localhost:1/x"}"#,
            308,
            "location",
            "http://localhost:1/x",
        ),
        (
            r#"{"status":400,"error_code":"0x80040216","message":"no"}"#,
            400,
            "content-type",
            "application/json",
        ),
        (
            r#"{"status":500,"headers":{"x-why":"because"}}"#,
            500,
            "x-why",
            "because",
        ),
    ] {
        bench
            .control(
                "faults",
                &format!(r#"{{"match":{{"times":1}},"action":{action}}}"#),
            )
            .await;
        let reply = bench.call("WhoAmI", &token).send().await.expect("a reply");
        assert_eq!(reply.status().as_u16(), status, "{action}");
        let got = reply.headers()[header].to_str().expect("a text");
        assert!(got.contains(value), "{action}: {got}");
    }
}

#[tokio::test]
async fn rules_meet_the_requests_that_they_name() {
    let bench = Bench::new().await;
    let token = bench.access_token().await;
    let host = bench
        .org
        .description()
        .environment_url
        .replace("http://", "");
    let path = "/api/data/v9.2/accounts";
    // What the rule says; which of five requests of accounts it meets.
    for (rule, met) in [
        (r#""path":"PATH""#.to_owned(), vec![0, 1, 2, 3, 4]),
        (r#""path_contains":"dragon","times":9"#.to_owned(), vec![]),
        (r#""path":"PATH","after":2"#.to_owned(), vec![2, 3, 4]),
        (
            r#""path":"PATH","after":1,"times":2"#.to_owned(),
            vec![1, 2],
        ),
        (
            r#""query_contains":"select=name""#.to_owned(),
            vec![0, 1, 2, 3, 4],
        ),
        (r#""query_contains":"skiptoken""#.to_owned(), vec![]),
        (r#""method":"get","times":1"#.to_owned(), vec![0]),
        (r#""method":"POST""#.to_owned(), vec![]),
        (format!(r#""host":"{host}""#), vec![0, 1, 2, 3, 4]),
        (r#""host":"elsewhere""#.to_owned(), vec![]),
    ] {
        let rule = rule.replace("PATH", path);
        bench
            .control(
                "faults",
                &format!(r#"{{"match":{{{rule}}},"action":{{"status":500}}}}"#),
            )
            .await;
        let mut got = Vec::new();
        for number in 0..5 {
            let call = bench.call("accounts?$select=name", &token);
            if call.send().await.expect("a reply").status() == 500 {
                got.push(number);
            }
        }
        assert_eq!(got, met, "{rule}");
        bench.control_reply("DELETE", "faults", "").await;
    }
}

#[tokio::test]
async fn links_lead_elsewhere_and_the_log_shows_what_came() {
    let bench = Bench::new().await;
    let token = bench.access_token().await;
    let foreign = &bench.org.description().foreign_url;
    bench
        .control(
            "faults",
            &format!(r#"{{"action":{{"link_origin":"{foreign}"}}}}"#),
        )
        .await;
    let call = bench
        .call("accounts?$select=name", &token)
        .header("prefer", "odata.maxpagesize=10");
    let page: Value = call
        .send()
        .await
        .expect("a reply")
        .json()
        .await
        .expect("JSON");
    let link = page["@odata.nextLink"].as_str().expect("a link");
    assert!(link.starts_with(foreign.as_str()), "{link}");
    bench.control_reply("DELETE", "requests", "").await;
    let request = bench.http.get(link).header("x-ms-client-request-id", "r-1");
    assert_eq!(request.send().await.expect("a reply").status(), 200);
    let log = bench.requests().await;
    let [entry] = log.as_slice() else {
        panic!("one request: {log:?}");
    };
    assert_eq!(entry["host"], foreign.replace("http://", ""));
    assert_eq!(
        (&entry["authorization"], &entry["audience"]),
        (&Value::Bool(false), &Value::Null)
    );
    assert_eq!(entry["client_request_id"], "r-1");
    assert_eq!(entry["status"], 200);
}
