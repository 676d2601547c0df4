//! Prepared replies: what `tests/fixtures` keeps, a server that gives them, and a client of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use salesmirror_dataverse::{
    Client, Error, HttpConfig, RetryPolicy, ScanOptions, TokenError, TokenSource, http_client,
};
use salesmirror_model::{
    Change, Collect, ColumnKind, ColumnMetadata, PageEnd, TableMetadata, Value as Found,
};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use url::Url;

use crate::shape::{differences, shape};

/// Whose id it is does not matter where replies are compared.
const SOME_TENANT: &str = "73c9ac59-f404-4845-8125-cd30addd9f47";

/// A reply as `tests/fixtures` keeps it.
#[derive(Deserialize)]
pub struct Fixture {
    pub source: String,
    pub exactness: String,
    pub request: Asked,
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Box<RawValue>,
}

/// The request that a fixture answers.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Asked {
    pub method: String,
    /// Below the Web API's path, or from a `{placeholder}` of an address on.
    pub path: String,
    pub prefer: Option<String>,
    pub if_match: Option<String>,
    pub if_none_match: Option<String>,
    pub content_type: Option<String>,
    pub body: Option<Box<RawValue>>,
}

impl Fixture {
    pub fn read(name: &str) -> Self {
        let text = fs::read_to_string(folder().join(format!("{name}.json"))).expect(name);
        serde_json::from_str(&text).expect(name)
    }

    /// The names of all fixtures: `dataverse/page` and so on.
    pub fn all() -> Vec<String> {
        let mut names = Vec::new();
        for part in ["dataverse", "entra"] {
            for entry in fs::read_dir(folder().join(part)).expect("a folder") {
                let name = entry.expect("an entry").file_name();
                let name = name.to_string_lossy();
                let stem = name.strip_suffix(".json").expect("a fixture");
                names.push(format!("{part}/{stem}"));
            }
        }
        names.sort();
        names
    }

    /// The body as it goes over the wire: a JSON text as it stands, digits and order included; a
    /// text without its quotes; nothing for null.
    pub fn body(&self) -> String {
        let json = self.body.get();
        match serde_json::from_str::<String>(json) {
            Ok(text) => text,
            Err(_) if json == "null" => String::new(),
            Err(_) => json.to_owned(),
        }
    }

    /// This reply, given by a server at `origin`.
    pub fn reply(&self, origin: &str) -> Reply {
        let place = |text: &str| {
            ["{origin}", "{api}", "{authority}", "{discovery}"]
                .iter()
                .fold(text.to_owned(), |text, name| text.replace(name, origin))
                .replace("{tenant}", SOME_TENANT)
        };
        Reply {
            status: self.status,
            headers: self
                .headers
                .iter()
                .map(|(name, value)| (name.to_lowercase(), place(value)))
                .collect(),
            body: place(&self.body()),
        }
    }

    /// What the organisation's reply has that the documented one has not, or the other way round.
    pub fn against(&self, documented: &Reply, found: &Reply) -> Vec<String> {
        let mut list = Vec::new();
        let is_assumed = self.exactness == "reconstructed";
        if documented.status != found.status && !is_assumed {
            list.push(format!(
                "status {} instead of {}",
                found.status, documented.status
            ));
        }
        for (name, value) in &documented.headers {
            let given = found
                .headers
                .iter()
                .find(|(other, _)| other == name)
                .map(|(_, value)| value);
            match given {
                None => list.push(format!("the header {name} is missing")),
                Some(given)
                    if without_ids(media_type(given)) != without_ids(media_type(value))
                        && !is_assumed =>
                {
                    list.push(format!(
                        "the header {name} is {given:?} instead of {value:?}"
                    ));
                }
                Some(_) => {}
            }
        }
        if documented.body.starts_with("--") {
            list.extend(parts_against(&documented.body, &found.body));
            return list;
        }
        if !documented.body.starts_with(['{', '[']) {
            return list;
        }
        if !found.body.starts_with(['{', '[']) {
            list.push(format!("no JSON: {:?}", found.body));
            return list;
        }
        let error = |body: &str| -> Option<(String, String)> {
            let body: Value = serde_json::from_str(body).expect("JSON");
            let text = |name: &str| body["error"][name].as_str().map(without_ids);
            Some((text("code")?, text("message")?))
        };
        match (error(&documented.body), error(&found.body)) {
            (Some((code, message)), Some((other, said))) => {
                let (message, said) = (without_numbers(&message), without_numbers(&said));
                if code != other {
                    list.push(format!("code {other} instead of {code}"));
                }
                if message != said && !is_assumed {
                    list.push(format!("it says {said:?} instead of {message:?}"));
                }
            }
            _ => list.extend(differences(&shape(&documented.body), &shape(&found.body))),
        }
        list
    }
}

/// A header's value without parameters.
fn media_type(text: &str) -> &str {
    match text.split_once(';') {
        Some((media, _)) if media.contains('/') => media,
        _ => text,
    }
}

/// A text without what differs from one organisation to the next.
fn without_ids(text: &str) -> String {
    let mut rest = text;
    let mut plain = String::new();
    while let Some(letter) = rest.chars().next() {
        let is_id = |text: &str| salesmirror_model::parse_guid(text).is_some();
        match rest.get(..36).filter(|text| is_id(text)) {
            Some(id) => {
                plain.push('…');
                rest = &rest[id.len()..];
            }
            None => {
                plain.push(letter);
                rest = &rest[letter.len_utf8()..];
            }
        }
    }
    plain
}

/// A sentence without its numbers: limits differ, and nobody reads them.
fn without_numbers(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let is_number =
            word.starts_with(|letter: char| letter.is_ascii_digit()) && !word.starts_with("0x");
        if is_number { "9" } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The same for the parts of a batch: their heads line by line, their bodies by shape.
fn parts_against(documented: &str, found: &str) -> Vec<String> {
    let (documented, found) = (parts(documented), parts(found));
    if documented.len() != found.len() {
        return vec![format!("{} parts: {found:?}", found.len())];
    }
    let mut list = Vec::new();
    for ((head, body), (other, other_body)) in documented.iter().zip(&found) {
        for line in head {
            if !other.contains(line) {
                list.push(format!("the part has no line {line:?} but {other:?}"));
            }
        }
        match (body, other_body) {
            (Some(body), Some(other)) => list.extend(differences(&shape(body), &shape(other))),
            (None, None) => {}
            _ => list.push("one part has a body, the other has none".to_owned()),
        }
    }
    list
}

fn parts(text: &str) -> Vec<(Vec<String>, Option<String>)> {
    let boundary = text.lines().next().unwrap_or_default();
    text.split(boundary)
        .filter(|part| part.contains("HTTP/1.1"))
        .map(|part| {
            let (head, body) = match part.find('{') {
                Some(place) => (&part[..place], Some(part[place..].trim().to_owned())),
                None => (part, None),
            };
            let lines = head.lines().map(str::trim).filter(|line| !line.is_empty());
            (lines.map(without_ids).collect(), body)
        })
        .collect()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// A reply as it goes over the wire.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Reply {
    pub fn json(status: u16, body: &str) -> Self {
        let kind = "application/json; odata.metadata=minimal";
        Self {
            status,
            headers: vec![("content-type".into(), kind.into())],
            body: body.to_owned(),
        }
    }

    /// What an answer said.
    pub async fn of(answer: reqwest::Response) -> Self {
        Self {
            status: answer.status().as_u16(),
            headers: answer
                .headers()
                .iter()
                .map(|(name, value)| {
                    let value = value.to_str().expect("a text");
                    (name.to_string(), value.to_owned())
                })
                .collect(),
            body: answer.text().await.expect("a text"),
        }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    fn response(self) -> Response {
        let mut response = Response::builder().status(self.status);
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        response.body(Body::from(self.body)).expect("a response")
    }
}

/// A server that gives prepared replies.
pub struct Server {
    pub origin: String,
    /// What was asked for, as it came: path and query, byte for byte.
    pub seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers every request with what `answer` says of its address; `None` is 404.
    pub async fn start(
        answer: impl Fn(&str, &str) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let (own, log) = (origin.clone(), Arc::clone(&seen));
        let answer = Arc::new(answer);
        let handler = move |request: Request| {
            let address = request.uri().to_string();
            log.lock().expect("a log").push(address.clone());
            let reply = answer(&own, &address);
            async move { reply.map_or_else(|| StatusCode::NOT_FOUND.into_response(), Reply::response) }
        };
        let router = Router::new().fallback(handler);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { origin, seen }
    }

    /// Gives the replies one after the other, whatever is asked; the last one from then on.
    pub async fn in_turn(replies: impl Fn(&str) -> Vec<Reply> + Send + Sync + 'static) -> Self {
        let place = Mutex::new(0);
        Self::start(move |origin, _| {
            let mut place = place.lock().expect("a place");
            let replies = replies(origin);
            let reply = replies.get(*place).or(replies.last()).cloned();
            *place += 1;
            reply
        })
        .await
    }

    /// The product's own client, with an environment here.
    pub fn client(&self) -> Client {
        self.client_with(&[])
    }

    /// The client's own way to the network.
    pub fn http(&self) -> reqwest::Client {
        http_client(&HttpConfig {
            user_agent: "test".into(),
            ..HttpConfig::default()
        })
        .expect("a client")
    }

    pub fn client_with(&self, other_origins: &[Url]) -> Client {
        let environment = Url::parse(&self.origin).expect("an address");
        let policy = RetryPolicy {
            max_wait: Duration::from_secs(3),
            backoff: Duration::from_millis(1),
        };
        Client::new(self.http(), &environment, other_origins, Arc::new(Token))
            .expect("a client")
            .with_policy(policy)
    }
}

struct Token;

#[async_trait]
impl TokenSource for Token {
    async fn token(&self, _: Option<&SecretString>) -> Result<SecretString, TokenError> {
        Ok("token".into())
    }
}

/// A table with these columns, as metadata would give it: `revenue:money`, text where nothing is said.
pub fn table(logical: &str, set: &str, primary_id: &str, columns: &str) -> Arc<TableMetadata> {
    let columns = format!("{primary_id}:id {columns}");
    let column = |text: &str| {
        let (name, kind) = text.split_once(':').unwrap_or((text, "text"));
        ColumnMetadata {
            logical_name: name.into(),
            display_name: name.into(),
            kind: match kind {
                "id" => ColumnKind::UniqueId,
                "money" => ColumnKind::Money,
                "decimal" => ColumnKind::Decimal,
                "choice" => ColumnKind::Choice,
                "boolean" => ColumnKind::Boolean,
                "lookup" => ColumnKind::Lookup,
                "customer" => ColumnKind::Customer,
                "owner" => ColumnKind::Owner,
                "moment" => ColumnKind::DateTime,
                "day" => ColumnKind::DateOnly,
                "bigint" => ColumnKind::BigInteger,
                _ => ColumnKind::Text,
            },
            targets: vec![],
            choices: vec![],
            is_custom: false,
        }
    };
    Arc::new(TableMetadata {
        logical_name: logical.into(),
        entity_set_name: set.into(),
        primary_id: primary_id.into(),
        primary_name: None,
        display_name: logical.into(),
        display_collection_name: set.into(),
        is_custom: false,
        object_type_code: None,
        change_tracking: true,
        columns: columns.split_whitespace().map(column).collect(),
    })
}

/// A line for each row that the client read.
#[derive(Debug)]
pub struct Lines {
    table: Arc<TableMetadata>,
    pub rows: Vec<String>,
}

impl Lines {
    pub fn of(table: &Arc<TableMetadata>) -> Self {
        Self {
            table: Arc::clone(table),
            rows: Vec::new(),
        }
    }
}

impl Collect for Lines {
    fn take(&mut self, change: Change<'_>) {
        self.rows.push(match change {
            Change::Delete(_) => "delete".to_owned(),
            Change::Upsert(record) => record_line(&self.table, record.values),
        });
    }
}

/// A page as the client makes of it.
pub type Page = (Lines, PageEnd);

/// The first page of a table.
pub async fn first_page(client: &Client, table: &Arc<TableMetadata>) -> Result<Page, Error> {
    let request = client.first_request(table, &ScanOptions::default())?;
    let page = client
        .fetch_page(table, &request, || Lines::of(table))
        .await?;
    Ok((page.rows, page.end))
}

/// The page behind a link.
pub async fn page_behind(
    client: &Client,
    table: &Arc<TableMetadata>,
    link: &str,
) -> Result<Page, Error> {
    let request = client.continue_request(link, &ScanOptions::default())?;
    let page = client
        .fetch_page(table, &request, || Lines::of(table))
        .await?;
    Ok((page.rows, page.end))
}

/// What a page says, a line for each row and each link.
pub fn page_lines((lines, end): &Page) -> Vec<String> {
    let mut lines = lines.rows.clone();
    lines.extend(end.unreadable.iter().cloned());
    lines.extend(end.next_link.iter().map(|_| "next link".to_owned()));
    lines.extend(end.delta_link.iter().map(|_| "delta link".to_owned()));
    lines
}

/// The values of a record in the order of its columns, without ids, which say nothing to a reader.
fn record_line(table: &TableMetadata, mut values: Vec<(usize, Found<'_>)>) -> String {
    values.sort_by_key(|(column, _)| *column);
    let parts = values.into_iter().filter_map(|(column, value)| {
        let name = &table.columns[column].logical_name;
        Some(match value {
            Found::Id(_) => return None,
            Found::Integer(value) => format!("{name}={value}"),
            Found::Real(value) => format!("{name}={value}"),
            Found::Text(text) => format!("{name}={text}"),
            Found::Lookup {
                table, name: of, ..
            } => format!(
                "{name}={}/{}",
                table.as_deref().unwrap_or("?"),
                of.as_deref().unwrap_or("?")
            ),
        })
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// What an error says to a program, and whether it passes.
pub fn error_line(error: &Error) -> String {
    let passing = if error.is_transient() {
        ", passing"
    } else {
        ""
    };
    let reference = error.reference().unwrap_or_default();
    format!("error {} ({reference}){passing}", error.code())
}
