//! Writes: what is sent, what is made of refusals, and what happens where an answer is lost.

use salesmirror_model::parse_guid;

use super::requests::status;
use super::*;

const ID: &str = "60c4e274-0d87-e711-80e5-00155db19e6d";
const OTHER: &str = "2e451703-c686-e711-80e5-00155db19e6e";

fn refusal(code: u16, number: &str, message: &str) -> Response {
    let body = format!(r#"{{"error":{{"code":"{number}","message":"{message}"}}}}"#);
    status(code, &[], &body)
}

fn missing() -> Response {
    refusal(404, "", "account With Id = 60c4… Does Not Exist")
}

fn mismatch() -> Response {
    let text = "The version of the existing record doesn't match the RowVersion property provided.";
    refusal(412, "", text)
}

fn duplicate() -> Response {
    refusal(412, "", "A record with matching key values already exists.")
}

fn taken() -> Response {
    refusal(412, "0x80060892", "Entity Key Number violated.")
}

fn done() -> Response {
    let address = format!("https://norrvale.crm4.dynamics.com/api/data/v9.2/accounts({ID})");
    status(204, &[("odata-entityid", &address)], "")
}

fn lost() -> Response {
    status(504, &[("content-type", "text/html")], "<html>")
}

fn found() -> Response {
    record(r#""name":"Halden","revenue":20000.0000,"_ownerid_value":null"#)
}

fn record(columns: &str) -> Response {
    status(
        200,
        &[],
        &format!(r#"{{"@odata.etag":"W/\"9\"","accountid":"{ID}",{columns}}}"#),
    )
}

fn attributes() -> Attributes {
    Attributes::read(r#"{"name":"Halden","revenue":20000.00}"#).unwrap()
}

/// What is asked for, what is answered, what comes of it, and what was sent.
struct Case {
    what: &'static str,
    replies: Vec<Response>,
    outcome: &'static str,
    sent: &'static [&'static str],
}

const POST: &str = "POST accounts";
const PATCH: &str = "PATCH accounts(ID)";
const DELETE: &str = "DELETE accounts(ID)";
const LOOK: &str = "GET accounts(ID)?$select=accountid";
const READ: &str = "GET accounts(ID)?$select=accountid,name,revenue,_ownerid_value,versionnumber";

fn cases() -> Vec<Case> {
    let case = |what, replies, outcome, sent| Case {
        what,
        replies,
        outcome,
        sent,
    };
    let other = format!("https://norrvale.crm4.dynamics.com/api/data/v9.2/accounts({OTHER})");
    vec![
        case("create", vec![done()], "created", &[POST]),
        case(
            "create",
            vec![status(201, &[("location", &other)], "{}")],
            "created other",
            &[POST],
        ),
        case("create", vec![status(201, &[], "")], "created", &[POST]),
        // Once more with the same id, or after an answer that was lost: it is there.
        case(
            "create",
            vec![duplicate(), found()],
            "existed",
            &[POST, LOOK],
        ),
        case("create", vec![taken(), found()], "existed", &[POST, LOOK]),
        case(
            "create",
            vec![taken(), missing()],
            "duplicate_key",
            &[POST, LOOK],
        ),
        case(
            "create",
            vec![lost(), taken(), found()],
            "created",
            &[POST, POST, LOOK],
        ),
        case(
            "create",
            vec![lost(), duplicate(), found()],
            "created",
            &[POST, POST, LOOK],
        ),
        case("create", vec![lost(), done()], "created", &[POST, POST]),
        // The first request arrived, and a plug-in refuses the second.
        case(
            "create",
            vec![lost(), refusal(400, "0x80040265", "no"), found()],
            "created",
            &[POST, POST, LOOK],
        ),
        case(
            "create",
            vec![lost(), refusal(400, "0x80040265", "no"), missing()],
            "refused",
            &[POST, POST, LOOK],
        ),
        case(
            "create",
            vec![refusal(400, "0x80040265", "no")],
            "refused",
            &[POST],
        ),
        case(
            "create",
            vec![refusal(404, "0x80040217", "x")],
            "unknown_reference",
            &[POST],
        ),
        case(
            "create",
            vec![refusal(403, "0x80040220", "prvCreateAccount")],
            "missing_privilege",
            &[POST],
        ),
        case(
            "create",
            vec![status(401, &[], ""), done()],
            "created",
            &[POST, POST],
        ),
        case(
            "create",
            vec![status(429, &[("retry-after", "0")], ""), done()],
            "created",
            &[POST, POST],
        ),
        // A page of something on the way is no answer, whatever its status.
        case(
            "create",
            vec![
                status(200, &[("content-type", "text/html")], "<html>"),
                done(),
            ],
            "created",
            &[POST, POST],
        ),
        case("update", vec![done()], "done", &[PATCH]),
        case("update", vec![status(200, &[], "{\"cut")], "done", &[PATCH]),
        case(
            "update",
            vec![missing(), missing()],
            "not_found",
            &[PATCH, LOOK],
        ),
        case(
            "update",
            vec![status(404, &[], ""), missing()],
            "not_found",
            &[PATCH, LOOK],
        ),
        // It is there: what is not is something that the change points to.
        case(
            "update",
            vec![missing(), found()],
            "unknown_reference",
            &[PATCH, LOOK],
        ),
        case(
            "update",
            vec![status(412, &[], ""), missing()],
            "not_found",
            &[PATCH, LOOK],
        ),
        case("update", vec![lost(), done()], "done", &[PATCH, PATCH]),
        case(
            "update",
            vec![lost(), refusal(400, "0x80040265", "closed"), found()],
            "done",
            &[PATCH, PATCH, READ],
        ),
        case("update W/\"8\"", vec![done()], "done", &[PATCH]),
        case(
            "update W/\"8\"",
            vec![mismatch()],
            "version_conflict",
            &[PATCH],
        ),
        case(
            "update W/\"8\"",
            vec![status(412, &[], "")],
            "version_conflict",
            &[PATCH],
        ),
        case("update W/\"8\"", vec![taken()], "duplicate_key", &[PATCH]),
        // The conflict is with the first request of this very change, or with another's.
        case(
            "update W/\"8\"",
            vec![lost(), mismatch(), found()],
            "done",
            &[PATCH, PATCH, READ],
        ),
        case(
            "update W/\"8\"",
            vec![lost(), mismatch(), record(r#""name":"Other","revenue":1"#)],
            "write_unanswered",
            &[PATCH, PATCH, READ],
        ),
        case("delete", vec![done()], "done", &[DELETE]),
        case("delete", vec![missing()], "not_found", &[DELETE]),
        case("delete", vec![lost(), missing()], "done", &[DELETE, DELETE]),
        case(
            "delete W/\"8\"",
            vec![mismatch()],
            "version_conflict",
            &[DELETE],
        ),
        case(
            "delete W/\"8\"",
            vec![lost(), mismatch()],
            "version_conflict",
            &[DELETE, DELETE],
        ),
    ]
}

#[tokio::test]
async fn writes_say_what_became_of_them_whatever_is_answered() {
    for case in cases() {
        let (service, client) = serve(case.replies).await;
        let (id, table) = (parse_guid(ID).unwrap(), accounts());
        let (verb, etag) = match case.what.split_once(' ') {
            Some((verb, etag)) => (verb, Some(etag)),
            None => (case.what, None),
        };
        let outcome = match verb {
            "create" => match client.create_record(&table, id, &attributes()).await {
                Ok(made) if made.existed => "existed",
                Ok(made) if made.id == id => "created",
                Ok(_) => "created other",
                Err(error) => error.code(),
            },
            "update" => {
                let updated = client.update_record(&table, id, &attributes(), etag).await;
                updated.map_or_else(|error| error.code(), |()| "done")
            }
            _ => {
                let deleted = client.delete_record(&table, id, etag).await;
                deleted.map_or_else(|error| error.code(), |()| "done")
            }
        };
        let seen = service.seen.lock().unwrap();
        let sent: Vec<String> = seen
            .iter()
            .map(|(path, _, sent)| {
                let method = sent.split(' ').next().unwrap();
                let path = path.strip_prefix("/api/data/v9.2/").unwrap();
                format!("{method} {}", path.replace(ID, "ID"))
            })
            .collect();
        assert_eq!(
            (outcome, sent),
            (
                case.outcome,
                case.sent.iter().map(|sent| (*sent).to_owned()).collect()
            ),
            "{} → {}",
            case.what,
            case.outcome
        );
        for (_, headers, sent) in seen.iter() {
            let condition = headers.get("if-match").map(|value| value.to_str().unwrap());
            match sent.split_once(' ').unwrap() {
                ("POST", body) => {
                    let expect =
                        format!(r#"{{"name":"Halden","revenue":20000.00,"accountid":"{ID}"}}"#);
                    assert_eq!((condition, body), (None, expect.as_str()));
                }
                ("PATCH", body) => {
                    let expect = r#"{"name":"Halden","revenue":20000.00}"#;
                    assert_eq!((condition, body), (Some(etag.unwrap_or("*")), expect));
                }
                ("DELETE", body) => assert_eq!((condition, body), (etag, "")),
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn a_write_that_never_left_is_no_lost_one() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let environment = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let http = http_client(&HttpConfig::default()).unwrap();
    let policy = RetryPolicy {
        max_wait: Duration::from_millis(50),
        backoff: Duration::from_millis(1),
    };
    let client = Client::new(http, &environment, &[], Arc::new(Tokens)).unwrap();
    let client = client.with_policy(policy);
    let id = parse_guid(ID).unwrap();
    let error = client
        .create_record(&accounts(), id, &attributes())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    let error = client
        .update_record(&accounts(), id, &attributes(), Some("W/\"1\r\nx: y\""))
        .await;
    assert_eq!(error.unwrap_err().code(), "not_sent");
}

#[tokio::test]
async fn what_was_written_is_recognised_however_it_is_written() {
    let written = [
        (r#"{"name":"a"}"#, r#""name":"a""#, true),
        (r#"{"name":"a"}"#, r#""name":"b""#, false),
        (r#"{"name":null}"#, r#""name":null"#, true),
        (r#"{"name":null}"#, r#""x":1"#, true),
        (r#"{"name":"a"}"#, r#""x":1"#, false),
        (r#"{"revenue":5}"#, r#""revenue":5.0000000000"#, true),
        (r#"{"revenue":5}"#, r#""revenue":5.01"#, false),
        (
            r#"{"when":"2026-01-02T03:04:05+01:00"}"#,
            r#""when":"2026-01-02T02:04:05Z""#,
            true,
        ),
        (
            r#"{"parentcustomerid_account@odata.bind":"/accounts(2E451703-c686-e711-80e5-00155db19e6e)"}"#,
            r#""_parentcustomerid_value":"2e451703-c686-e711-80e5-00155db19e6e""#,
            true,
        ),
        (
            r#"{"OwnerId@odata.bind":"/teams(2e451703-c686-e711-80e5-00155db19e6e)"}"#,
            r#""_ownerid_value":"60c4e274-0d87-e711-80e5-00155db19e6d""#,
            false,
        ),
        (
            r#"{"ownerid@odata.bind":null}"#,
            r#""_ownerid_value":null"#,
            true,
        ),
    ];
    for (attributes, columns, is_held) in written {
        let attributes = Attributes::read(attributes).unwrap();
        let (_service, client) = serve(vec![lost(), mismatch(), record(columns)]).await;
        let id = parse_guid(ID).unwrap();
        let updated = client
            .update_record(&accounts(), id, &attributes, Some("W/\"8\""))
            .await;
        assert_eq!(updated.is_ok(), is_held, "{columns}");
    }
    for text in ["[]", "7", "", "{"] {
        assert!(Attributes::read(text).is_err(), "{text}");
    }
    let mut twice = Attributes::read(r#"{"a":1,"b":2.10,"a":3}"#).unwrap();
    twice.set("c", "x").unwrap();
    let text = serde_json::to_string(&twice).unwrap();
    assert_eq!(text, r#"{"b":2.10,"a":3,"c":"x"}"#);
}
