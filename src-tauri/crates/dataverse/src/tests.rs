use std::borrow::Cow;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use salesmirror_model::{
    Change, Collect, ColumnKind, ColumnMetadata, PageEnd, Record, TableMetadata, Value,
};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::*;

mod requests;
mod writes;

fn accounts() -> Arc<TableMetadata> {
    let column = |name: &str, kind| ColumnMetadata {
        logical_name: name.into(),
        display_name: name.into(),
        kind,
        targets: vec![],
        choices: vec![],
        is_custom: false,
    };
    Arc::new(TableMetadata {
        logical_name: "account".into(),
        entity_set_name: "accounts".into(),
        primary_id: "accountid".into(),
        primary_name: Some("name".into()),
        display_name: "Account".into(),
        display_collection_name: "Accounts".into(),
        is_custom: false,
        object_type_code: Some(1),
        change_tracking: true,
        columns: vec![
            column("accountid", ColumnKind::UniqueId),
            column("name", ColumnKind::Text),
            column("revenue", ColumnKind::Money),
            column("ownerid", ColumnKind::Owner),
            column("versionnumber", ColumnKind::BigInteger),
        ],
    })
}

/// A delta in the documented shape: a changed row, and a deleted entry with a context of its own.
const DELTA: &str = r#"{
  "@odata.context": "https://norrvale.crm4.dynamics.com/api/data/v9.2/$metadata#accounts(name)/$delta",
  "@Microsoft.Dynamics.CRM.globalmetadataversion": "2341840",
  "@odata.deltaLink": "https://norrvale.crm4.dynamics.com/api/data/v9.2/accounts?$deltatoken=919042%2108",
  "value": [
    {
      "@odata.etag": "W/\"915244\"",
      "name": "Osterhall \"Energy\"",
      "revenue": 4990.0000000000,
      "_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "team",
      "_ownerid_value@OData.Community.Display.V1.FormattedValue": "Nordics",
      "_ownerid_value": "2e451703-c686-e711-80e5-00155db19e6e",
      "unknown": {"nested": [1, 2]},
      "accountid": "60c4e274-0d87-e711-80e5-00155db19e6d",
      "versionnumber": 915244
    },
    {
      "@odata.context": "https://norrvale.crm4.dynamics.com/api/data/v9.2/$metadata#accounts/$deletedEntity",
      "id": "2e451703-c686-e711-80e5-00155db19e6d",
      "reason": "deleted"
    },
    {"name": "no id"}
  ]
}"#;

/// The rows of a page, for as long as the test runs.
#[derive(Debug, Default)]
struct Rows(Vec<Change<'static>>);

impl Collect for Rows {
    fn take(&mut self, change: Change<'_>) {
        let kept = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        self.0.push(match change {
            Change::Delete(id) => Change::Delete(id),
            Change::Upsert(record) => Change::Upsert(Record {
                id: record.id,
                version: record.version,
                raw: record.raw.to_owned().leak(),
                values: record
                    .values
                    .into_iter()
                    .map(|(column, value)| {
                        let value = match value {
                            Value::Text(text) => Value::Text(kept(text)),
                            Value::Lookup { id, table, name } => Value::Lookup {
                                id,
                                table: table.map(kept),
                                name: name.map(kept),
                            },
                            Value::Integer(number) => Value::Integer(number),
                            Value::Real(number) => Value::Real(number),
                            Value::Id(id) => Value::Id(id),
                        };
                        (column, value)
                    })
                    .collect(),
            }),
        });
    }
}

fn read(body: &str) -> Result<(Vec<Change<'static>>, PageEnd)> {
    let mut rows = Rows::default();
    let end = read_page(&accounts(), body.as_bytes(), &mut rows)?;
    Ok((rows.0, end))
}

#[test]
fn a_delta_gives_rows_deletes_links_and_says_what_it_could_not_read() {
    let (rows, end) = read(DELTA).unwrap();
    let Change::Upsert(record) = &rows[0] else {
        panic!("{rows:?}")
    };
    assert_eq!(record.version, Some(915_244));
    let value = |column: usize| {
        let found = record.values.iter().find(|(place, _)| *place == column);
        found.map(|(_, value)| value.clone())
    };
    assert_eq!(value(1), Some(Value::Text("Osterhall \"Energy\"".into())));
    assert_eq!(value(2), Some(Value::Real(4990.0)));
    let Some(Value::Lookup { table, name, .. }) = value(3) else {
        panic!("{record:?}")
    };
    assert_eq!(
        (table.as_deref(), name.as_deref()),
        (Some("team"), Some("Nordics"))
    );
    assert!(record.raw.contains("4990.0000000000"));
    assert!(matches!(&rows[1], Change::Delete(id) if id.to_string().ends_with("9e6d")));
    assert_eq!((end.rows, end.unreadable.len()), (3, 1));
    assert_eq!(end.metadata_version.as_deref(), Some("2341840"));
    assert!(end.delta_link.unwrap().ends_with("%2108"));
}

#[test]
fn a_page_without_value_is_a_delta_without_changes() {
    for body in [
        r#"{"@odata.context":"c","@odata.deltaLink":"d"}"#,
        r#"{"@odata.context":"c","value":null,"@odata.deltaLink":"d"}"#,
        "\u{feff}{\"value\":[],\"@odata.deltaLink\":\"d\"}",
    ] {
        let (rows, end) = read(body).unwrap();
        assert_eq!(
            (rows.len(), end.delta_link.as_deref()),
            (0, Some("d")),
            "{body}"
        );
    }
    for (body, code) in [
        ("<html>Sign in</html>", "service_unavailable"),
        (r#"{"value":[{"name":"#, "service_unavailable"),
        (r#"{"value":[]} and more"#, "service_unavailable"),
        (r#"{"hello":1}"#, "bad_reply"),
        (r#"{"value":7}"#, "bad_reply"),
        ("[]", "bad_reply"),
    ] {
        let error = read(body).unwrap_err();
        assert_eq!(error.code(), code, "{body}");
    }
}

/// Gives `t0`, and after a rejection `t1`.
struct Tokens;

#[async_trait]
impl TokenSource for Tokens {
    async fn token(&self, rejected: Option<&SecretString>) -> Result<SecretString, TokenError> {
        Ok(if rejected.is_some() { "t1" } else { "t0" }.into())
    }
}

type Script = Arc<Mutex<Vec<Response>>>;

/// Answers each request with the next reply of a script, and remembers the requests.
#[derive(Clone)]
struct Service {
    script: Script,
    /// Address, headers, and method and body of each.
    seen: Arc<Mutex<Vec<(String, HeaderMap, String)>>>,
}

async fn serve(replies: Vec<Response>) -> (Service, Client) {
    let service = Service {
        script: Arc::new(Mutex::new(replies.into_iter().rev().collect())),
        seen: Arc::default(),
    };
    async fn answer(
        State(service): State<Service>,
        method: Method,
        uri: Uri,
        headers: HeaderMap,
        body: String,
    ) -> Response {
        service
            .seen
            .lock()
            .unwrap()
            .push((uri.to_string(), headers, format!("{method} {body}")));
        service
            .script
            .lock()
            .unwrap()
            .pop()
            .unwrap_or_else(|| StatusCode::IM_A_TEAPOT.into_response())
    }
    let router = Router::new().fallback(answer).with_state(service.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let environment = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let http = http_client(&HttpConfig {
        user_agent: "test".into(),
        ..HttpConfig::default()
    })
    .unwrap();
    let policy = RetryPolicy {
        max_wait: Duration::from_secs(5),
        backoff: Duration::from_millis(1),
    };
    let client = Client::new(http, &environment, &[], Arc::new(Tokens))
        .unwrap()
        .with_policy(policy);
    (service, client)
}

fn json(body: &'static str) -> Response {
    ([("content-type", "application/json")], body).into_response()
}

const WHO: &str = r#"{"UserId":"60c4e274-0d87-e711-80e5-00155db19e6d","BusinessUnitId":"60c4e274-0d87-e711-80e5-00155db19e6d","OrganizationId":"60c4e274-0d87-e711-80e5-00155db19e6d"}"#;

#[tokio::test]
async fn a_passing_fault_is_tried_again_and_a_rejected_token_renewed() {
    let throttled = (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "0.05")]).into_response();
    let html = (StatusCode::BAD_GATEWAY, "<html>").into_response();
    let replies = vec![
        StatusCode::UNAUTHORIZED.into_response(),
        throttled,
        html,
        json(WHO),
    ];
    let (service, client) = serve(replies).await;
    client.who_am_i().await.unwrap();
    let seen = service.seen.lock().unwrap();
    assert_eq!(
        (client.meter().requests(), client.meter().retries()),
        (4, 3)
    );
    assert!(client.meter().throttled_ms() >= 40);
    assert_eq!(seen[0].1["authorization"], "Bearer t0");
    assert_eq!(seen[1].1["authorization"], "Bearer t1");
    assert_eq!(seen[0].1["if-none-match"], "null");
}

#[tokio::test]
async fn errors_say_what_and_what_to_do() {
    let privilege = r#"{"error":{"code":"0x80040220","message":"Principal user is missing prvReadLead privilege on OTC=4"}}"#;
    let expired = r#"{"error":{"code":"-2147204270","message":"x"}}"#;
    let cases = [
        (
            (StatusCode::FORBIDDEN, privilege).into_response(),
            "missing_privilege",
            "prvReadLead",
        ),
        (
            (StatusCode::GONE, expired).into_response(),
            "delta_expired",
            "expired",
        ),
        (
            (StatusCode::FOUND, [("location", "http://evil.example/")]).into_response(),
            "not_dataverse",
            "evil.example",
        ),
        (
            (StatusCode::NOT_FOUND, "<html>").into_response(),
            "not_dataverse",
            "Dynamics 365 environment",
        ),
        (
            json("<html>").into_response(),
            "not_dataverse",
            "Dynamics 365 environment",
        ),
    ];
    for (reply, code, words) in cases {
        let (_service, client) = serve(vec![reply]).await;
        let error = client.who_am_i().await.unwrap_err();
        assert_eq!(error.code(), code);
        assert!(error.to_string().contains(words), "{error}");
        assert!(!error.hint().is_empty());
    }
}

#[tokio::test]
async fn no_token_goes_to_another_origin() {
    let (service, client) = serve(vec![]).await;
    for link in [
        "http://127.0.0.1:1/api/data/v9.2/accounts",
        "https://evil.example/api/data/v9.2/accounts",
    ] {
        let request = client
            .continue_request(link, &ScanOptions::default())
            .unwrap();
        let error = client
            .fetch_page(&accounts(), &request, Rows::default)
            .await
            .unwrap_err();
        assert_eq!(error.code(), "foreign_link");
    }
    assert!(service.seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_next_link_reaches_the_wire_unchanged() {
    let (service, client) = serve(vec![json(r#"{"value":[]}"#)]).await;
    let path = "/api/data/v9.2/accounts?$select=name&$skiptoken=%3Ccookie%20pagingcookie=%22%253c'(a,b)%22/%3E";
    let link = format!("{}{path}", client.base().origin().ascii_serialization());
    let request = client
        .continue_request(&link, &ScanOptions::default())
        .unwrap();
    client
        .fetch_page(&accounts(), &request, Rows::default)
        .await
        .unwrap();
    assert_eq!(service.seen.lock().unwrap()[0].0, path);
    let token = Tokens.token(None).await.unwrap();
    assert_eq!(token.expose_secret(), "t0");
}
