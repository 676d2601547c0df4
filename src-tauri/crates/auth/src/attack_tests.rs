//! Attacks on a sign-in that must fail.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use secrecy::ExposeSecret as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::*;

const SECRET: &str = "xyz~the-secret-value";
const REFRESH: &str = "1.AXkA-the-refresh-token";

/// What an authority answers, and every request that it got.
#[derive(Clone)]
struct Authority {
    url: Url,
    seen: Arc<Mutex<Vec<(String, String)>>>,
}

impl Authority {
    async fn start(answer: impl Fn(usize, &str) -> Response + Send + Sync + 'static) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let seen: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
        let (log, answer) = (Arc::clone(&seen), Arc::new(answer));
        let router = Router::new().fallback(move |uri: Uri, body: Bytes| {
            let body = String::from_utf8_lossy(&body).into_owned();
            let number = {
                let mut log = log.lock().unwrap();
                log.push((uri.path().to_owned(), body.clone()));
                log.len() - 1
            };
            let reply = answer(number, &body);
            async move { reply }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, seen }
    }

    fn endpoints(&self) -> Endpoints {
        Endpoints {
            authorization: self.url.join("authorize").unwrap(),
            token: self.url.join("token").unwrap(),
            issuer: String::new(),
        }
    }

    fn registration(&self) -> Registration {
        Registration {
            authority: self.url.clone(),
            tenant: "t".into(),
            client_id: "c".into(),
            client: ClientKind::Confidential(SECRET.to_owned().into()),
        }
    }

    async fn refresh(&self) -> Result<Tokens, AuthError> {
        let http = no_redirects();
        let (endpoints, registration) = (self.endpoints(), self.registration());
        refresh(
            &http,
            &endpoints,
            &registration,
            &REFRESH.to_owned().into(),
            &resource(),
        )
        .await
    }

    async fn begin(&self) -> SignIn {
        let (endpoints, registration) = (self.endpoints(), self.registration());
        SignIn::begin(
            &endpoints,
            &registration,
            &resource(),
            &SignInOptions::default(),
        )
        .await
        .unwrap()
    }

    fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

/// As the product's own client: nothing follows a redirect.
fn no_redirects() -> reqwest::Client {
    let policy = reqwest::redirect::Policy::none();
    reqwest::Client::builder().redirect(policy).build().unwrap()
}

fn resource() -> Url {
    Url::parse("https://norrvale.crm4.dynamics.com/").unwrap()
}

fn json(status: u16, body: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (
        status,
        [("content-type", "application/json")],
        body.to_owned(),
    )
        .into_response()
}

fn tokens(more: &str) -> Response {
    json(
        200,
        &format!(r#"{{"access_token":"a","token_type":"Bearer"{more}}}"#),
    )
}

fn state(attempt: &SignIn) -> String {
    let pairs: HashMap<_, _> = attempt
        .authorization_url()
        .query_pairs()
        .into_owned()
        .collect();
    pairs["state"].clone()
}

async fn finish(attempt: SignIn, patience_ms: u64) -> Result<Tokens, AuthError> {
    let patience = Duration::from_millis(patience_ms);
    attempt
        .finish(&no_redirects(), patience, &CancellationToken::new())
        .await
}

#[tokio::test]
async fn a_secret_follows_no_redirect_and_goes_to_no_foreign_endpoint() {
    let thief = Authority::start(|_, _| tokens("")).await;
    let target = thief.url.to_string();
    let authority = Authority::start(move |_, _| {
        (
            StatusCode::TEMPORARY_REDIRECT,
            [("location", target.clone())],
        )
            .into_response()
    })
    .await;
    assert_eq!(
        authority.refresh().await.unwrap_err().code(),
        "not_an_authority"
    );
    for endpoint in [
        thief.url.as_str(),
        "https://login.evil.example/token",
        "http://127.0.0.1@login.evil.example/",
    ] {
        let body = format!(
            r#"{{"authorization_endpoint":"{endpoint}","token_endpoint":"{endpoint}","issuer":"x"}}"#
        );
        let authority = Authority::start(move |_, _| json(200, &body)).await;
        let error = discover(&no_redirects(), &authority.url, "t")
            .await
            .unwrap_err();
        let code = error.code();
        assert!(
            matches!(code, "foreign_endpoint" | "not_an_authority"),
            "{endpoint}: {code}"
        );
    }
    assert_eq!(thief.count(), 0);
}

#[tokio::test]
async fn nothing_that_comes_back_is_shown_where_it_is_secret_or_a_terminal_would_obey_it() {
    let echo = format!(
        r#"{{"error":"invalid_request","error_description":"\u001b[31mYou sent {SECRET} and {REFRESH}","trace_id":"{SECRET}"}}"#
    );
    let authority = Authority::start(move |_, _| json(400, &echo)).await;
    let error = authority.refresh().await.unwrap_err();
    let shown = format!(
        "{error} {error:?} {:?} {:?}",
        error.reference(),
        error.raw()
    );
    for hidden in [SECRET, REFRESH, "\u{1b}"] {
        assert!(!shown.contains(hidden), "{hidden:?} in {shown}");
    }
}

#[tokio::test]
async fn replies_that_are_none_are_refused_and_odd_ones_do_no_harm() {
    for body in [
        "x".repeat(2 * 1024 * 1024),
        "<html>".to_owned(),
        r#"{"access_token":""}"#.to_owned(),
        r#"{"access_token":"a\r\nX-Evil: 1"}"#.to_owned(),
        r#"{"access_token":"a","token_type":"pop"}"#.to_owned(),
    ] {
        let length = body.len();
        let authority = Authority::start(move |_, _| json(200, &body)).await;
        let error = authority.refresh().await.unwrap_err();
        assert_eq!(error.code(), "not_an_authority", "{length} bytes");
    }
    // A life that no clock could hold, one that is none, and ones of other types.
    for (life, seconds) in [
        (r#","expires_in":18446744073709551615"#, 3_600),
        (r#","expires_in":1e12"#, 86_400),
        (r#","expires_in":-5"#, 0),
        (r#","expires_in":"3599""#, 3_599),
        (r#","expires_in":3599.5"#, 3_599),
        (r#","expires_in":null"#, 3_600),
        ("", 3_600),
    ] {
        let authority = Authority::start(move |_, _| tokens(life)).await;
        let life = authority.refresh().await.unwrap().expires_in.as_secs();
        assert_eq!(life, seconds);
    }
}

#[tokio::test]
async fn the_other_scope_is_tried_once_and_a_service_out_of_order_is_asked_again() {
    let refusal = r#"{"error":"invalid_scope","error_description":"AADSTS70011: no"}"#;
    for (again, works) in [("/.default", true), ("nothing", false)] {
        let authority = Authority::start(move |_, body| {
            let scope = url::form_urlencoded::parse(body.as_bytes());
            let scope: String = scope
                .filter(|(name, _)| name == "scope")
                .map(|(_, value)| value.into_owned())
                .collect();
            if scope.contains(again) {
                tokens("")
            } else {
                json(400, refusal)
            }
        })
        .await;
        assert_eq!(authority.refresh().await.is_ok(), works, "{again}");
        assert_eq!(authority.count(), 2);
    }
    let authority = Authority::start(|number, _| match number {
        0 => json(503, "<html>"),
        1 => json(400, r#"{"error":"temporarily_unavailable"}"#),
        _ => tokens(""),
    })
    .await;
    assert!(authority.refresh().await.is_ok());
    assert_eq!(authority.count(), 3);
}

#[tokio::test]
async fn a_refused_scope_sends_the_browser_on_and_what_is_no_browser_hears_the_refusal() {
    let authority = Authority::start(|_, _| tokens("")).await;
    let attempt = authority.begin().await;
    let (port, http) = (
        Url::parse(attempt.redirect_uri()).unwrap().port().unwrap(),
        no_redirects(),
    );
    let refused = format!(
        "{}?error=invalid_scope&state={}",
        attempt.redirect_uri(),
        state(&attempt)
    );
    let callback = attempt.redirect_uri().to_owned();
    let browsing = tokio::spawn(async move {
        let hop = http.get(refused).send().await.unwrap();
        let hop = hop.headers()["location"].to_str().unwrap().to_owned();
        let page = http
            .get(format!("http://localhost:{port}{hop}"))
            .send()
            .await
            .unwrap();
        let page = Url::parse(page.headers()["location"].to_str().unwrap()).unwrap();
        let pairs: HashMap<_, _> = page.query_pairs().into_owned().collect();
        assert!(pairs["scope"].contains("/.default "), "{}", pairs["scope"]);
        let url = format!(
            "{callback}?code=x&state={}&iss=y&session_state=z",
            pairs["state"]
        );
        http.get(url).send().await.unwrap();
    });
    assert!(finish(attempt, 10_000).await.is_ok());
    browsing.await.unwrap();

    let attempt = authority.begin().await;
    let refused = format!(
        "{}?error=invalid_scope&state={}",
        attempt.redirect_uri(),
        state(&attempt)
    );
    no_redirects().get(refused).send().await.unwrap();
    assert_eq!(
        finish(attempt, 20_000).await.unwrap_err().code(),
        "invalid_scope"
    );
}

#[tokio::test]
async fn forged_callbacks_change_nothing() {
    let authority = Authority::start(|_, _| tokens("")).await;
    let (mine, other) = (authority.begin().await, authority.begin().await);
    let (uri, state_of_mine) = (mine.redirect_uri().to_owned(), state(&mine));
    let http = no_redirects();
    let good = format!("{uri}?code=evil&state={state_of_mine}");
    for (what, request, status) in [
        ("no state", http.get(format!("{uri}?code=evil")), 400),
        (
            "another attempt's state",
            http.get(format!("{uri}?code=evil&state={}", state(&other))),
            400,
        ),
        ("two states", http.get(format!("{good}&state=x")), 400),
        ("two codes", http.get(format!("{good}&code=x")), 400),
        (
            "an error without state",
            http.get(format!("{uri}?error=access_denied")),
            400,
        ),
        (
            "a second round that nobody began",
            http.get(uri.replace("callback", "again")),
            404,
        ),
        ("HEAD", http.head(&good), 405),
        ("POST", http.post(&good), 405),
        (
            "a name that resolves here",
            http.get(&good).header("host", "evil.example"),
            403,
        ),
        (
            "a name without the port",
            http.get(&good).header("host", "localhost"),
            403,
        ),
        (
            "a script of another page",
            http.get(&good).header("origin", "https://evil.example"),
            403,
        ),
        (
            "the icon",
            http.get(uri.replace("/oauth/callback", "/favicon.ico")),
            204,
        ),
        (
            "another path",
            http.get(uri.replace("/oauth/callback", "/oauth")),
            404,
        ),
    ] {
        assert_eq!(request.send().await.unwrap().status(), status, "{what}");
    }
    assert_eq!(finish(mine, 50).await.unwrap_err().code(), "timed_out");
    assert_eq!(authority.count(), 0, "no code was sent");
    // Once the attempt is over nobody listens any more.
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(http.get(good).send().await.is_err());
}

#[tokio::test]
async fn slow_and_endless_connections_do_not_keep_the_browser_out() {
    let authority = Authority::start(|_, _| tokens("")).await;
    let attempt = authority.begin().await;
    let port = Url::parse(attempt.redirect_uri()).unwrap().port().unwrap();
    let mut slow = Vec::new();
    for _ in 0..40 {
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .unwrap();
        stream
            .write_all(b"GET /oauth/callback HTTP/1.1\r\nHost: x")
            .await
            .unwrap();
        slow.push(stream);
    }
    let mut endless = tokio::net::TcpStream::connect(("127.0.0.1", port))
        .await
        .unwrap();
    let filler = vec![b'a'; 256 * 1024];
    let _ = endless.write_all(&filler).await;
    let good = format!(
        "{}?code=x&state={}",
        attempt.redirect_uri(),
        state(&attempt)
    );
    tokio::spawn(async move { no_redirects().get(good).send().await });
    assert!(finish(attempt, 30_000).await.is_ok());
    let mut byte = [0; 1];
    let ended = tokio::time::timeout(Duration::from_secs(15), slow[0].read(&mut byte)).await;
    assert!(ended.is_ok(), "a slow connection is ended");
}

#[tokio::test]
async fn a_port_of_either_family_that_is_taken_is_said() {
    let authority = Authority::start(|_, _| tokens("")).await;
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let Ok(foreign) = std::net::TcpListener::bind(address) else {
            continue;
        };
        let options = SignInOptions {
            redirect_port: foreign.local_addr().ok().map(|address| address.port()),
            ..SignInOptions::default()
        };
        let (endpoints, registration) = (authority.endpoints(), authority.registration());
        let begun = SignIn::begin(&endpoints, &registration, &resource(), &options).await;
        let error = begun.err().expect("the port is taken");
        assert_eq!(error.code(), "port_taken", "{address}");
    }
}

#[test]
fn tokens_and_secrets_stay_out_of_debug_output() {
    let tokens = Tokens {
        access: "the-access-token".to_owned().into(),
        expires_in: Duration::ZERO,
        refresh: Some(REFRESH.to_owned().into()),
        scope: None,
        user: None,
    };
    let text = format!("{tokens:?} {:?}", tokens.refresh);
    assert!(
        !text.contains("the-access-token") && !text.contains(REFRESH),
        "{text}"
    );
    assert_eq!(tokens.access.expose_secret(), "the-access-token");
}
