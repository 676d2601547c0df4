//! The organisation as a client meets it: over HTTP, and changed only by its control interface.

mod access;
mod batches;
mod control;
mod desk;
mod entra;
mod entra_table;
mod faults;
mod limits;
mod metadata;
mod roles;
mod rows;
mod schema;
mod tracking;
mod writes;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::{Config, SampleOrg, parse_rows};

/// Where the app listens; nobody does, since the tests read the redirect.
const CALLBACK: &str = "http://localhost:4711/oauth/callback";
const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters-0123456789";

struct Bench {
    org: SampleOrg,
    http: reqwest::Client,
}

type Pairs = BTreeMap<String, String>;

/// What a browser saw.
#[derive(Debug)]
enum Seen {
    Page(u16, String),
    Callback(Pairs),
}

fn pairs(list: &[(&str, &str)]) -> Pairs {
    list.iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

impl Bench {
    async fn new() -> Self {
        Self::with(Config::default()).await
    }

    async fn with_rows(rows: &str) -> Self {
        let rows = parse_rows(rows).expect("rows");
        Self::with(Config {
            rows,
            ..Config::default()
        })
        .await
    }

    async fn with(config: Config) -> Self {
        let mut rows =
            parse_rows("account=30,contact=30,lead=5,opportunity=5,systemuser=6").expect("rows");
        rows.extend(config.rows.clone());
        let config = Config { rows, ..config };
        let org = SampleOrg::start(config).await.expect("an organisation");
        // The first of a process installs it; the others find it there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client");
        Self { org, http }
    }

    async fn control_reply(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let url = format!("{}/{path}", self.org.description().control_url);
        let method = method.parse().expect("a method");
        let request = self.http.request(method, url).body(body.to_owned());
        let reply = request.send().await.expect("a reply");
        let status = reply.status().as_u16();
        let text = reply.text().await.expect("a text");
        (status, serde_json::from_str(&text).expect("JSON"))
    }

    async fn control(&self, path: &str, body: &str) -> Value {
        let (status, value) = self.control_reply("POST", path, body).await;
        assert_eq!(status, 200, "{path} {body}: {value}");
        value
    }

    async fn requests(&self) -> Vec<Value> {
        let (_, log) = self.control_reply("GET", "requests", "").await;
        log.as_array().expect("a list").clone()
    }

    fn endpoint(&self, tenant: &str, rest: &str) -> String {
        format!("{}{tenant}/{rest}", self.org.description().authority_url)
    }

    fn scope(&self) -> String {
        let environment = &self.org.description().environment_url;
        format!("{environment}/user_impersonation offline_access openid profile")
    }

    /// What the app sends the browser with; `changes` override, and empty ones remove.
    async fn authorize(&self, tenant: &str, changes: &Pairs) -> Seen {
        let description = self.org.description();
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        let mut query = pairs(&[
            ("client_id", &description.client_id),
            ("response_type", "code"),
            ("redirect_uri", CALLBACK),
            ("scope", &self.scope()),
            ("state", "s-1"),
            ("nonce", "n-1"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        query.extend(changes.clone());
        query.retain(|_, value| !value.is_empty());
        self.browse(&self.endpoint(tenant, "oauth2/v2.0/authorize"), &query)
            .await
    }

    async fn browse(&self, endpoint: &str, query: &Pairs) -> Seen {
        let url = Url::parse_with_params(endpoint, query).expect("a URL");
        let reply = self.http.get(url).send().await.expect("a reply");
        let status = reply.status().as_u16();
        let Some(location) = reply.headers().get("location") else {
            return Seen::Page(status, reply.text().await.expect("a text"));
        };
        let target = Url::parse(location.to_str().expect("a text")).expect("a URL");
        Seen::Callback(target.query_pairs().into_owned().collect())
    }

    /// Signs in and gives the code.
    async fn code(&self, tenant: &str, changes: &Pairs) -> String {
        match self.authorize(tenant, changes).await {
            Seen::Callback(pairs) => pairs
                .get("code")
                .unwrap_or_else(|| panic!("{pairs:?}"))
                .clone(),
            Seen::Page(status, text) => panic!("{status} {text}"),
        }
    }

    async fn token(&self, tenant: &str, headers: &Pairs, form: &Pairs) -> (u16, Value) {
        let mut request = self.http.post(self.endpoint(tenant, "oauth2/v2.0/token"));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let form: Vec<_> = form.iter().filter(|(_, value)| !value.is_empty()).collect();
        let reply = request.form(&form).send().await.expect("a reply");
        let status = reply.status().as_u16();
        (status, reply.json().await.expect("JSON"))
    }

    /// The form that redeems a code.
    fn redemption(&self, code: &str) -> Pairs {
        let description = self.org.description();
        pairs(&[
            ("grant_type", "authorization_code"),
            ("client_id", &description.client_id),
            ("client_secret", &description.client_secret),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ])
    }

    /// Signs in as a person would, and gives the tokens.
    async fn sign_in(&self, changes: &Pairs) -> Value {
        let tenant = self.org.description().tenant_id.clone();
        let accepted = self.control_reply("GET", "consent", "").await.1;
        if accepted["mode"] == "page" {
            self.control("consent", r#"{"mode":"accept"}"#).await;
        }
        let code = self.code(&tenant, changes).await;
        let mut form = self.redemption(&code);
        for name in ["client_id", "redirect_uri"] {
            if let Some(value) = changes.get(name) {
                form.insert(name.to_owned(), value.clone());
            }
        }
        if changes.contains_key("client_id") {
            form.remove("client_secret");
        }
        let (status, tokens) = self.token(&tenant, &Pairs::new(), &form).await;
        assert_eq!(status, 200, "{tokens}");
        tokens
    }

    async fn access_token(&self) -> String {
        let tokens = self.sign_in(&Pairs::new()).await;
        tokens["access_token"].as_str().expect("a token").to_owned()
    }

    /// A call of the Web API.
    fn call(&self, path: &str, token: &str) -> reqwest::RequestBuilder {
        let environment = &self.org.description().environment_url;
        self.http
            .get(format!("{environment}/api/data/v9.2/{path}"))
            .header("accept", "application/json")
            .bearer_auth(token)
    }

    /// Status and body of a call.
    async fn fetch(&self, url: &str, token: &str) -> (u16, Value) {
        let request = self.http.get(url).bearer_auth(token);
        let reply = request.send().await.expect("a reply");
        let status = reply.status().as_u16();
        let text = reply.text().await.expect("a text");
        (status, serde_json::from_str(&text).unwrap_or(json!(text)))
    }
}

/// What a JWT claims.
fn claims(token: &Value) -> Value {
    let text = token.as_str().expect("a token");
    let payload = text.split('.').nth(1).expect("a payload");
    let bytes = URL_SAFE_NO_PAD.decode(payload).expect("base64");
    serde_json::from_slice(&bytes).expect("JSON")
}

/// A text of an object.
fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} in {value}"))
}

/// The form that refreshes.
fn refresh(bench: &Bench, tokens: &Value, scope: &str) -> Pairs {
    let description = bench.org.description();
    pairs(&[
        ("grant_type", "refresh_token"),
        ("client_id", &description.client_id),
        ("client_secret", &description.client_secret),
        ("refresh_token", text(tokens, "refresh_token")),
        ("scope", scope),
    ])
}
