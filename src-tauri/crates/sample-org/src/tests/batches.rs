//! `$batch`: parts, change sets, references.

use super::Bench;
use super::desk::{Desk, Reply};

async fn send(desk: &Desk<'_>, body: &str, headers: &[(&str, &str)]) -> Reply {
    let mut all = vec![("content-type", "multipart/mixed; boundary=\"batch_1\"")];
    all.extend(headers);
    desk.send("POST", "$batch", body, &all).await
}

fn statuses(reply: &Reply) -> Vec<String> {
    let lines = reply.text.split("\r\n");
    lines
        .filter_map(|line| line.strip_prefix("HTTP/1.1 "))
        .map(|line| line[..3].to_owned())
        .collect()
}

fn part(request: &str) -> String {
    format!(
        "--batch_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n{request}\r\n\r\n\r\n"
    )
}

#[tokio::test]
async fn parts_are_answered_in_their_order_in_the_recorded_form() {
    let bench = Bench::new().await;
    let desk = Desk::new(&bench).await;
    let environment = &bench.org.description().environment_url;
    let body = part("GET /api/data/v9.2/accounts?$select=name&$top=1 HTTP/1.1")
        + &part(&format!(
            "GET {environment}/api/data/v9.2/contacts?$select=fullname&$top=1 HTTP/1.1\r\nPrefer: odata.include-annotations=\"*\""
        ))
        + &part(
            "GET EntityDefinitions(LogicalName='account')/Attributes/Microsoft.Dynamics.CRM.DateTimeAttributeMetadata?$select=LogicalName,DateTimeBehavior HTTP/1.1",
        )
        + &part(
            "POST /api/data/v9.2/tasks HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{\"subject\":\"Task 1 in batch\"}",
        )
        + "--batch_1--\r\n";
    let reply = send(&desk, &body, &[]).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(
        statuses(&reply),
        ["200", "200", "200", "204"],
        "{}",
        reply.text
    );
    let kind = &reply.headers["content-type"];
    let boundary = kind
        .strip_prefix("multipart/mixed; boundary=")
        .expect("a boundary");
    assert!(boundary.starts_with("batchresponse_"), "{kind}");
    assert!(reply.text.starts_with(&format!("--{boundary}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nHTTP/1.1 200 OK\r\n")));
    assert!(reply.text.ends_with(&format!("--{boundary}--\r\n")));
    assert!(
        reply
            .text
            .contains("HTTP/1.1 204 No Content\r\nOData-Version: 4.0\r\nLocation: "),
        "{}",
        reply.text
    );
    assert!(
        reply.text.contains("\"DateTimeBehavior\""),
        "{}",
        reply.text
    );
    assert!(
        reply.text.contains("totalrecordcount"),
        "the part's own preference"
    );
}

#[tokio::test]
async fn a_change_set_refers_to_what_it_made() {
    let bench = Bench::new().await;
    let desk = Desk::new(&bench).await;
    for (name, ends) in [("crlf", "\r\n"), ("lf", "\n")] {
        let body = format!(
            "\r\n--batch_1\r\nContent-Type: multipart/mixed;boundary=set_1\r\n\r\n\
             --set_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding:binary\r\nContent-ID: 1\r\n\r\n\
             POST /api/data/v9.2/contacts HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{{\"lastname\":\"{name}\"}}\r\n\
             --set_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: 2\r\n\r\n\
             POST /api/data/v9.2/accounts HTTP/1.1\r\nContent-Type: application/json\r\n\r\n\
             {{\"name\":\"{name}\",\"primarycontactid@odata.bind\":\"$1\"}}\r\n\
             --set_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: 3\r\n\r\n\
             PATCH $1 HTTP/1.1\r\nContent-Type: application/json\r\nIf-Match: *\r\n\r\n{{\"firstname\":\"Set\"}}\r\n\
             --set_1--\r\n--batch_1--\r\n"
        );
        let body = body.replace("\r\n", ends);
        let reply = send(&desk, &body, &[]).await;
        assert_eq!(
            statuses(&reply),
            ["204", "204", "204"],
            "{name}: {}",
            reply.text
        );
        assert!(
            reply.text.contains("boundary=changesetresponse_"),
            "{}",
            reply.text
        );
        for id in ["1", "2", "3"] {
            assert!(
                reply.text.contains(&format!("Content-ID: {id}\r\n")),
                "{}",
                reply.text
            );
        }
        let filter = format!("name eq '{name}'");
        let (_, page) = desk
            .get(
                "accounts",
                &[
                    ("$filter", &filter),
                    ("$expand", "primarycontactid($select=fullname)"),
                ],
            )
            .await;
        let contact = &page["value"][0]["primarycontactid"];
        assert_eq!(contact["fullname"], format!("Set {name}"), "{page}");
    }
}

#[tokio::test]
async fn a_change_set_that_fails_has_not_happened() {
    let bench = Bench::new().await;
    let desk = Desk::new(&bench).await;
    let (_, before) = desk
        .prefer("accounts?$select=name", "odata.track-changes")
        .await;
    let link = before["@odata.deltaLink"]
        .as_str()
        .expect("a link")
        .to_owned();
    let set = "--batch_1\r\nContent-Type: multipart/mixed; boundary=set_1\r\n\r\n\
        --set_1\r\nContent-Type: application/http\r\n\r\nPOST /api/data/v9.2/accounts HTTP/1.1\r\n\r\n{\"name\":\"half\"}\r\n\
        --set_1\r\nContent-Type: application/http\r\n\r\nPATCH /api/data/v9.2/accounts(accountnumber='NV-000001') HTTP/1.1\r\n\r\n{\"name\":\"half\"}\r\n\
        --set_1\r\nContent-Type: application/http\r\n\r\nPOST /api/data/v9.2/accounts HTTP/1.1\r\n\r\n{\"bogus\":1}\r\n\
        --set_1--\r\n";
    let read = part("GET /api/data/v9.2/accounts?$select=name&$filter=name%20eq%20'half' HTTP/1.1");
    for (prefer, status, parts) in [
        ("", 400, vec!["400"]),
        ("odata.continue-on-error", 200, vec!["400", "200"]),
    ] {
        let body = format!("{set}{read}--batch_1--\r\n");
        let reply = send(&desk, &body, &[("prefer", prefer)]).await;
        assert_eq!(reply.status, status, "{prefer}: {}", reply.text);
        assert_eq!(statuses(&reply), parts, "{prefer}: {}", reply.text);
    }
    let (_, page) = desk.get("accounts", &[("$filter", "name eq 'half'")]).await;
    assert_eq!(page["value"], serde_json::json!([]));
    let (_, delta) = desk.fetch(&link).await;
    assert_eq!(
        delta["value"],
        serde_json::json!([]),
        "and nobody hears of it"
    );
}

#[tokio::test]
async fn a_batch_has_its_limits() {
    let bench = Bench::new().await;
    let desk = Desk::new(&bench).await;
    let one = part("GET /api/data/v9.2/WhoAmI HTTP/1.1");
    for (count, status) in [(1_000, 200), (1_001, 400)] {
        let body = one.repeat(count) + "--batch_1--\r\n";
        let reply = send(&desk, &body, &[]).await;
        assert_eq!(reply.status, status, "{count}");
    }
    for (kind, body) in [
        ("application/json", "{}"),
        (
            "multipart/mixed; boundary=batch_1",
            "--batch_1\r\nContent-Type: application/http\r\n\r\nnonsense\r\n--batch_1--\r\n",
        ),
    ] {
        let reply = desk
            .send("POST", "$batch", body, &[("content-type", kind)])
            .await;
        assert_eq!(reply.status, 400, "{kind}");
    }
}
