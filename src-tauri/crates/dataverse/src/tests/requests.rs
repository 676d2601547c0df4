//! What the client does with refusals, breaks and batches, over real HTTP.

use axum::body::Body;
use salesmirror_model::parse_guid;
use uuid::Uuid;

use super::*;

const PAGE: &str = r#"{"@odata.context":"c","value":[]}"#;

pub fn status(code: u16, headers: &[(&str, &str)], body: &str) -> Response {
    let mut reply = axum::http::Response::builder().status(code);
    for (name, value) in headers {
        reply = reply.header(*name, *value);
    }
    reply.body(Body::from(body.to_owned())).unwrap()
}

/// A body that ends before its announced length.
fn cut() -> Response {
    let chunks = futures::stream::iter([
        Ok(axum::body::Bytes::from_static(b"{\"value\":[")),
        Err(std::io::Error::other("cut")),
    ]);
    Response::new(Body::from_stream(chunks))
}

#[tokio::test]
async fn a_second_rejection_asks_for_a_sign_in_and_a_later_one_does_not() {
    let (_service, client) = serve(vec![status(401, &[], ""), status(401, &[], "")]).await;
    assert_eq!(client.who_am_i().await.unwrap_err().code(), "not_signed_in");
    // Between the two a passing fault: both tokens had been good.
    let replies = vec![
        status(401, &[], ""),
        status(502, &[], "<html>"),
        status(401, &[], ""),
        json(WHO),
    ];
    let (_service, client) = serve(replies).await;
    client.who_am_i().await.unwrap();
}

#[tokio::test]
async fn throttling_that_lasts_ends_with_the_service_s_words() {
    let body = r#"{"error":{"code":"0x80072326","message":"Number of concurrent requests exceeded the limit of 100."}}"#;
    let headers = [
        ("retry-after", "3600"),
        ("x-ms-dop-hint", "8"),
        ("req_id", "a, b"),
    ];
    let (_service, client) = serve(vec![status(429, &headers, body)]).await;
    let error = client.who_am_i().await.unwrap_err();
    assert_eq!(error.code(), "throttled");
    assert_eq!(
        error.reference().as_deref(),
        Some("0x80072326, status 429, request a, b")
    );
    assert_eq!(client.parallelism(), 4);
    // The gate is everybody's: a clone does not even send.
    let error = client.metered().who_am_i().await.unwrap_err();
    assert_eq!((error.code(), client.meter().requests()), ("throttled", 1));
}

#[tokio::test]
async fn without_a_time_to_wait_the_pauses_are_our_own() {
    let replies = vec![status(429, &[], ""), status(429, &[], "<html>"), json(WHO)];
    let (_service, client) = serve(replies).await;
    client.who_am_i().await.unwrap();
    assert_eq!(client.meter().retries(), 2);
}

#[tokio::test]
async fn a_page_that_breaks_each_time_asks_for_a_smaller_one() {
    let broken = || {
        vec![
            cut(),
            json("<html>"),
            status(504, &[], "<html>"),
            status(
                500,
                &[],
                r#"{"error":{"code":"0x80044151","message":"SQL timeout"}}"#,
            ),
            cut(),
        ]
    };
    let (_service, client) = serve(broken()).await;
    let options = ScanOptions::default();
    let request = client.first_request(&accounts(), &options).unwrap();
    let error = client
        .fetch_page(&accounts(), &request, Rows::default)
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::PageBroke {
                times: 5,
                page_size: 5_000,
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(error.code(), "page_broken");
    let sizes: Vec<u32> = std::iter::successors(options.halved(), ScanOptions::halved)
        .map(|options| options.page_size)
        .collect();
    assert_eq!(sizes, [2_500, 1_250, 625, 312, 156, 78]);
    // Four breaks and then an answer are nothing.
    let mut replies = broken();
    replies.pop();
    replies.push(json(PAGE));
    let (service, client) = serve(replies).await;
    let request = client
        .first_request(&accounts(), &options.halved().unwrap())
        .unwrap();
    client
        .fetch_page(&accounts(), &request, Rows::default)
        .await
        .unwrap();
    let seen = service.seen.lock().unwrap();
    let prefer = seen[4].1["prefer"].to_str().unwrap();
    assert!(prefer.starts_with("odata.maxpagesize=2500,"), "{prefer}");
}

const IDS: [&str; 3] = [
    "60c4e274-0d87-e711-80e5-00155db19e6d",
    "60c4e274-0d87-e711-80e5-00155db19e6e",
    "60c4e274-0d87-e711-80e5-00155db19e6f",
];

fn record(id: &str) -> String {
    format!("{{\"@odata.context\":\"c\",\"accountid\":\"{id}\",\"name\":\"{id}\"}}")
}

/// Which of the records are there, in the order they were asked for.
async fn there(client: &Client, ids: &[Uuid]) -> Vec<bool> {
    let mut rows = Rows::default();
    client
        .fetch_records(&accounts(), ids, &mut rows)
        .await
        .unwrap();
    let found = rows.0.iter().zip(ids).map(|(change, wanted)| match change {
        Change::Upsert(record) if record.id == *wanted => true,
        Change::Delete(id) if id == wanted => false,
        other => panic!("{other:?}"),
    });
    found.collect()
}

#[tokio::test]
async fn records_come_in_a_batch_and_what_it_leaves_open_one_by_one() {
    let ids: Vec<_> = IDS.iter().map(|id| parse_guid(id).unwrap()).collect();
    let body = format!(
        "--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{}\r\n--b\r\n\r\n\
         HTTP/1.1 404 Not Found\r\nreq_id: x\r\n\r\n{{\"error\":{{\"code\":\"0x80040217\",\"message\":\"no\"}}}}\r\n\
         --b\r\n\r\nHTTP/1.1 429 Too Many Requests\r\n\r\n{{}}\r\n--b--\r\n",
        record(IDS[0])
    );
    let batch = status(
        200,
        &[("content-type", "multipart/mixed; boundary=b")],
        &body,
    );
    let single = status(200, &[], &record(IDS[2]));
    let (service, client) = serve(vec![batch, single]).await;
    assert_eq!(there(&client, &ids).await, [true, false, true]);
    let seen = service.seen.lock().unwrap();
    assert_eq!(seen[0].0, "/api/data/v9.2/$batch");
    assert_eq!(seen[0].1["prefer"], "odata.continue-on-error");
    assert!(seen[1].0.contains(IDS[2]), "{}", seen[1].0);
}

#[tokio::test]
async fn where_batches_are_refused_records_come_one_by_one() {
    let ids: Vec<_> = IDS.iter().map(|id| parse_guid(id).unwrap()).collect();
    let one = |id: &str| status(200, &[], &record(id));
    let gone = || {
        status(
            404,
            &[],
            r#"{"error":{"code":"0x80040217","message":"no"}}"#,
        )
    };
    let replies = vec![
        status(405, &[], "<html>"),
        gone(),
        gone(),
        gone(),
        one(IDS[0]),
    ];
    let (service, client) = serve(replies).await;
    assert_eq!(there(&client, &ids).await, [false; 3]);
    // Once refused, no batch is tried again.
    assert_eq!(there(&client, &ids[..1]).await, [true]);
    let seen = service.seen.lock().unwrap();
    let batches = seen.iter().filter(|(path, ..)| path.ends_with("$batch"));
    assert_eq!((batches.count(), seen.len()), (1, 5));
}

#[tokio::test]
async fn an_unknown_table_costs_only_its_own_count() {
    let unknown = || status(400, &[], r#"{"error":{"code":"0x80040203","message":"x"}}"#);
    let counted = |names: &str, values: &str| {
        let body = format!(
            r#"{{"EntityRecordCountCollection":{{"Count":1,"Keys":[{names}],"Values":[{values}]}}}}"#
        );
        status(200, &[], &body)
    };
    let replies = vec![
        unknown(),
        unknown(),
        counted("\"zzz\"", "0"),
        unknown(),
        counted("\"account\",\"contact\"", "19,0"),
    ];
    let (_service, client) = serve(replies).await;
    let counts = client
        .record_counts(&["account", "contact", "nothing", "zzz"])
        .await
        .unwrap();
    let counts: Vec<_> = counts.into_iter().collect();
    let expect = [("account", 19), ("contact", 0), ("zzz", 0)];
    assert_eq!(counts, expect.map(|(name, count)| (name.to_owned(), count)));
    let (_service, client) = serve(vec![counted("\"account\",\"contact\"", "0,0")]).await;
    let none = client.record_counts(&["account", "contact"]).await.unwrap();
    assert!(none.is_empty(), "not counted yet");
}

#[tokio::test]
async fn a_passed_request_comes_back_as_it_is() {
    let replies = vec![
        status(401, &[], ""),
        status(429, &[("retry-after", "0")], ""),
        status(412, &[("set-cookie", "a=b"), ("x", "1"), ("x", "2")], "oh"),
        status(500, &[], "no"),
    ];
    let (service, client) = serve(replies).await;
    let request = Passthrough {
        method: "patch".into(),
        path: "accounts(1)".into(),
        headers: vec![("If-Match".into(), "*".into())],
        query: vec![("$select".into(), "name".into())],
        body: Some(b"{}".to_vec()),
    };
    let reply = client.passthrough(request.clone()).await.unwrap();
    assert_eq!((reply.status, &reply.body[..]), (412, &b"oh"[..]));
    assert!(reply.headers.contains(&("x".into(), "1, 2".into())));
    assert!(!reply.headers.iter().any(|(name, _)| name == "set-cookie"));
    // A write is not repeated on a guess.
    assert_eq!(client.passthrough(request).await.unwrap().status, 500);
    let seen = service.seen.lock().unwrap();
    assert_eq!(seen.len(), 4);
    assert_eq!(seen[2].0, "/api/data/v9.2/accounts(1)?$select=name");
    assert_eq!(seen[2].1["content-type"], "application/json");
    assert!(!seen[2].1.contains_key("if-none-match"));
}
