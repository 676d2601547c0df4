//! A signed-in client of the Web API.

use std::collections::BTreeMap;

use serde_json::Value;
use url::Url;

use super::Bench;

/// A client with a token.
pub struct Desk<'b> {
    pub bench: &'b Bench,
    token: String,
}

/// A reply, read.
pub struct Reply {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub text: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub fn code(&self) -> String {
        let body = self.json();
        body["error"]["code"].as_str().expect("a code").to_owned()
    }

    /// The id of the row that was written.
    pub fn id(&self) -> String {
        let address = &self.headers["odata-entityid"];
        let (_, id) = address.rsplit_once('(').expect("an id");
        id.trim_end_matches(')').to_owned()
    }
}

impl<'b> Desk<'b> {
    pub async fn new(bench: &'b Bench) -> Self {
        Self {
            bench,
            token: bench.access_token().await,
        }
    }

    /// A request; the path is below the Web API, or a whole link, and goes out as it is.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> Reply {
        let environment = &self.bench.org.description().environment_url;
        let address = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{environment}/api/data/v9.2/{path}")
        };
        let url = Url::parse(&address).expect("a URL");
        let method = method.parse().expect("a method");
        let mut request = self
            .bench
            .http
            .request(method, url)
            .bearer_auth(&self.token);
        if !body.is_empty() && !headers.iter().any(|(name, _)| *name == "content-type") {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(*name, *value);
        }
        let reply = request.body(body.to_owned()).send().await.expect("a reply");
        let headers = reply
            .headers()
            .iter()
            .map(|(name, value)| {
                let value = value.to_str().expect("a text").to_owned();
                (name.as_str().to_owned(), value)
            })
            .collect();
        Reply {
            status: reply.status().as_u16(),
            headers,
            // Not `text()`, which takes a byte order mark away.
            text: String::from_utf8(reply.bytes().await.expect("a body").to_vec()).expect("UTF-8"),
        }
    }

    pub async fn prefer(&self, path: &str, prefer: &str) -> (u16, Value) {
        let reply = self.send("GET", path, "", &[("prefer", prefer)]).await;
        (reply.status, reply.json())
    }

    pub async fn fetch(&self, path: &str) -> (u16, Value) {
        self.prefer(path, "").await
    }

    /// A list, with its options encoded.
    pub async fn get(&self, set: &str, options: &[(&str, &str)]) -> (u16, Value) {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(options)
            .finish();
        self.fetch(&format!("{set}?{query}")).await
    }

    /// The rows of all pages.
    pub async fn all(&self, path: &str, prefer: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut next = Some(path.to_owned());
        while let Some(path) = next {
            let (status, page) = self.prefer(&path, prefer).await;
            assert_eq!(status, 200, "{path}: {page}");
            rows.extend(page["value"].as_array().expect("rows").iter().cloned());
            next = page["@odata.nextLink"].as_str().map(str::to_owned);
        }
        rows
    }
}
