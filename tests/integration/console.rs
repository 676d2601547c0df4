//! Requests of the admin's own: what is remembered, what is said of the answer, what the mirror makes of it.

use std::time::Duration;

use salesmirror_core::{
    BodyKind, ConsoleChange, ConsoleReply, OwnRequest, Result, Session, SyncOptions,
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::bench::{Bench, succeed};

const SMALL: &str = "account=5,contact=30,lead=5,opportunity=5,systemuser=3";

fn request(method: &str, path: &str) -> OwnRequest {
    OwnRequest {
        method: method.into(),
        path: path.into(),
        ..OwnRequest::default()
    }
}

async fn send(session: &Session, request: OwnRequest) -> Result<ConsoleReply> {
    session
        .send_request(request, &CancellationToken::new())
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_is_remembered_and_the_mirror_follows_at_once() {
    let bench = Bench::new(SMALL).await;
    let session = bench.session().await;
    succeed(&session, SyncOptions::default()).await;
    let id = bench.truth("contact").await.into_keys().next();
    let id = id.expect("a contact");

    let update = OwnRequest {
        body: Some(r#"{"jobtitle":"Quilt Emeritus"}"#.into()),
        headers: vec![("If-Match".into(), "*".into())],
        ..request("PATCH", &format!("contacts({id})"))
    };
    let reply = send(&session, update.clone()).await.expect("a reply");
    assert_eq!((reply.status, reply.kind), (204, BodyKind::Empty));
    let affected = reply.affected.expect("a record");
    assert_eq!(affected.table, "contact");
    assert_eq!(affected.id.map(|id| id.to_string()), Some(id.clone()));
    settled(&session).await;
    bench.assert_equal(&session).await;

    // The service chooses the id of a new record, and says it.
    let create = OwnRequest {
        body: Some(r#"{"lastname":"Quilt","firstname":"Zeno"}"#.into()),
        ..request("POST", "contacts")
    };
    let reply = send(&session, create).await.expect("a reply");
    let made = reply.affected.and_then(|affected| affected.id);
    assert!(made.is_some(), "{}", reply.text);
    settled(&session).await;
    let remove = request("DELETE", &format!("contacts({})", made.expect("an id")));
    send(&session, remove).await.expect("a reply");
    settled(&session).await;
    bench.assert_equal(&session).await;

    // What is read changes nothing, and neither does what was refused.
    let read = request("GET", &format!("contacts({id})?$select=jobtitle"));
    let reply = send(&session, read).await.expect("a reply");
    assert!(reply.text.contains("\n  \"jobtitle\": \"Quilt Emeritus\""));
    assert_eq!((reply.kind, reply.affected), (BodyKind::Json, None));
    let gone = request("DELETE", "contacts(6e0b9d14-7a25-4c8f-91d3-08e2a6b4f517)");
    let reply = send(&session, gone).await.expect("a reply");
    let problem = reply.problem.expect("a problem");
    assert_eq!((reply.status, problem.code.as_str()), (404, "not_found"));
    assert!(problem.hint.starts_with("Check the path."), "{problem:?}");
    assert_eq!(reply.affected, None);

    let kept = session.console(None).await.expect("lists").sent;
    let statuses: Vec<_> = kept.iter().map(|sent| sent.status).collect();
    assert_eq!(
        statuses,
        [Some(404), Some(200), Some(204), Some(204), Some(204)]
    );
    assert_eq!(kept[4].request, update);
    assert!(kept.iter().all(|sent| sent.duration_ms.is_some()));
}

/// Waits until the sync that a write has started is over.
async fn settled(session: &Session) {
    while session.is_syncing() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_is_shown_with_every_digit_and_saved_as_it_came() {
    let bench = Bench::new(SMALL).await;
    let session = bench.session().await;
    let file = bench.folder.path().join("reply.json");
    let error = session.save_reply(file.clone()).await.expect_err("nothing");
    assert_eq!(error.code, "no_reply");

    let body = "{\"value\": [922337203685477.5801,1.10,  12345678901234567890]}";
    let fault =
        json!({"match": {"path_contains": "/accounts"}, "action": {"status": 200, "body": body}});
    bench.control("faults", &fault).await;
    let wanted = OwnRequest {
        query: vec![("$filter".into(), "name eq 'A & B'".into())],
        ..request("GET", "accounts")
    };
    let reply = send(&session, wanted).await.expect("a reply");
    let lines = ["922337203685477.5801,", "1.10,", "12345678901234567890"];
    let shown = format!("{{\n  \"value\": [\n    {}\n  ]\n}}", lines.join("\n    "));
    assert_eq!((reply.text, reply.bytes), (shown, body.len() as u64));
    assert!(
        reply
            .url
            .ends_with("/accounts?$filter=name%20eq%20'A%20%26%20B'"),
        "{}",
        reply.url
    );
    session.save_reply(file.clone()).await.expect("a file");
    assert_eq!(std::fs::read_to_string(&file).expect("the file"), body);
    let folder = bench.folder.path().join("nowhere").join("reply.json");
    let error = session.save_reply(folder).await.expect_err("no folder");
    assert_eq!(error.code, "file_failed");

    let metadata = send(&session, request("GET", "$metadata")).await;
    let metadata = metadata.expect("a reply");
    assert_eq!(metadata.kind, BodyKind::Text, "{}", metadata.text);
    assert!(metadata.text.contains("<edmx:Edmx"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_work_is_told_and_nothing_is_sent_twice() {
    let bench = Bench::new(SMALL).await;
    let session = bench.session().await;
    succeed(&session, SyncOptions::default()).await;
    bench.requests().await;

    // Refused before it is sent: nothing to remember.
    let error = send(&session, request("GET", "../../x")).await;
    assert_eq!(error.expect_err("refused").code, "not_sent");
    assert!(bench.requests().await.is_empty());
    assert!(session.console(None).await.expect("lists").sent.is_empty());

    // A service that asks to wait is waited for, and a write is done once.
    let throttle = json!({"match": {"path_contains": "/contacts", "times": 1},
        "action": {"status": 429, "retry_after_s": 1}});
    bench.control("faults", &throttle).await;
    let before = bench.truth("contact").await.len();
    let create = OwnRequest {
        body: Some(r#"{"lastname":"Quilt"}"#.into()),
        ..request("POST", "contacts")
    };
    let reply = send(&session, create.clone()).await.expect("a reply");
    assert!(reply.waited_ms >= 900 && reply.duration_ms >= reply.waited_ms);
    assert_eq!(bench.truth("contact").await.len(), before + 1);
    settled(&session).await;

    // A write whose answer is lost may have been done, and is not sent again.
    let lost = json!({"match": {"path_contains": "/contacts", "times": 1},
        "action": {"reset": true}});
    bench.control("faults", &lost).await;
    bench.requests().await;
    let error = send(&session, create).await.expect_err("no answer");
    assert_eq!(error.code, "answer_broken");
    assert!(error.hint.contains("may have been made"), "{error:?}");
    assert_eq!(bench.requests().await.len(), 1);

    // Somebody stops waiting.
    let stall = json!({"match": {"path_contains": "/leads"}, "action": {"stall": true}});
    bench.control("faults", &stall).await;
    let cancel = CancellationToken::new();
    let stopped = session.send_request(request("GET", "leads"), &cancel);
    let (stopped, ()) = tokio::join!(stopped, async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        cancel.cancel();
    });
    assert_eq!(stopped.expect_err("stopped").code, "request_stopped");
    let sent = session.console(None).await.expect("lists").sent;
    let codes: Vec<_> = sent.iter().map(|sent| sent.error.as_deref()).collect();
    let expected = [Some("request_stopped"), Some("answer_broken"), None];
    assert_eq!(codes, expected);

    // What is asked of another path at the same time is not held up by what is stopped.
    let reply = send(&session, request("GET", "accounts?$top=1")).await;
    assert_eq!(reply.expect("a reply").status, 200);

    // The sign-in ends.
    bench.control("tokens/revoke", "{}").await;
    let error = send(&session, request("GET", "WhoAmI")).await;
    let error = error.expect_err("signed out");
    assert_eq!(error.category, salesmirror_core::Category::SignIn);
}

#[tokio::test(flavor = "multi_thread")]
async fn saved_requests_have_names_and_go_with_the_connection() {
    let bench = Bench::new(SMALL).await;
    let app = bench.app();
    let connected = bench.connect(&app, &bench.request()).await;
    let row = connected.expect("a connection").row;
    let session = app.session(&row).await.expect("a session");
    let save = |name: &str, path: &str| ConsoleChange::Save {
        name: name.into(),
        request: request("GET", path),
    };
    let names = |console: &salesmirror_core::Console| -> Vec<String> {
        console
            .saved
            .iter()
            .map(|saved| saved.name.clone())
            .collect()
    };
    session
        .console(Some(save(" Me ", "WhoAmI")))
        .await
        .expect("kept");
    let kept = session.console(Some(save("All", "accounts"))).await;
    let kept = kept.expect("kept");
    assert_eq!(names(&kept), ["All", "Me"]);
    let id = kept.saved[0].id;
    for (name, code) in [
        ("me", "request_name_taken"),
        ("", "bad_request_name"),
        ("two\nlines", "bad_request_name"),
        (&"x".repeat(81), "bad_request_name"),
    ] {
        let name = name.to_owned();
        let renamed = session
            .console(Some(ConsoleChange::Rename { id, name }))
            .await;
        assert_eq!(renamed.expect_err("no name").code, code);
    }
    drop(session);
    drop(app);

    let app = bench.app();
    let session = app.session(&row).await.expect("a session");
    send(&session, request("GET", "WhoAmI"))
        .await
        .expect("a reply");
    let kept = session.console(None).await.expect("lists");
    assert_eq!((names(&kept).len(), kept.sent.len()), (2, 1));
    // Left without its rows, and connected anew: its requests are gone.
    app.disconnect(&row, false).await.expect("gone");
    let again = bench.connect(&app, &bench.request()).await;
    let row = again.expect("a connection").row;
    let session = app.session(&row).await.expect("a session");
    let kept = session.console(None).await.expect("lists");
    assert_eq!((kept.saved.len(), kept.sent.len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_is_gone_is_told_soon_and_a_refusal_keeps_the_services_words() {
    let bench = Bench::new(SMALL).await;
    let session = bench.session().await;
    for (path, status, code, words, hint) in [
        (
            "accounts?$select=nonsense",
            400,
            "refused",
            "Could not find a property named 'nonsense'",
            "Its own words",
        ),
        (
            "nonsenses",
            400,
            "refused",
            "segment 'nonsenses'",
            "Check the path.",
        ),
        (
            "accounts(6e0b9d14-7a25-4c8f-91d3-08e2a6b4f517)",
            404,
            "not_found",
            "no such record",
            "Check the path.",
        ),
    ] {
        let reply = send(&session, request("GET", path)).await.expect(path);
        let problem = reply.problem.expect(path);
        assert_eq!((reply.status, problem.code.as_str()), (status, code));
        assert!(problem.message.contains(words), "{problem:?}");
        assert!(problem.hint.starts_with(hint), "{problem:?}");
        assert!(problem.reference.is_some(), "{problem:?}");
    }
    let body = r#"{"match": {"path_contains": "/accounts"},
        "action": {"status": 502, "body": "<html>Bad gateway</html>"}}"#;
    bench.control("faults", body).await;
    let write = OwnRequest {
        body: Some("{}".into()),
        ..request("POST", "accounts")
    };
    let reply = send(&session, write).await.expect("a reply");
    assert_eq!((reply.status, reply.kind), (502, BodyKind::Text));
    let problem = reply.problem.expect("a problem");
    assert!(problem.hint.contains("may have been made"), "{problem:?}");

    let Bench { org, folder, .. } = bench;
    drop(org);
    let begun = std::time::Instant::now();
    let error = send(&session, request("GET", "WhoAmI")).await;
    assert_eq!(error.expect_err("no network").code, "unreachable");
    assert!(begun.elapsed() < Duration::from_secs(30));
    drop(folder);
}
