use std::time::Duration;

use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use axum::routing::post;
use axum::{Form, Router};
use secrecy::ExposeSecret as _;
use std::collections::HashMap;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::*;

/// A token endpoint that takes the code `good` with a verifier.
async fn authority() -> Url {
    async fn token(Form(form): Form<HashMap<String, String>>) -> axum::response::Response {
        let get = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        let right = get("code") == "good"
            && get("code_verifier").len() >= 43
            && get("client_secret") == "s";
        let (status, body) = if right {
            (
                StatusCode::OK,
                r#"{"access_token":"a","refresh_token":"r","expires_in":"3599","token_type":"Bearer"}"#,
            )
        } else {
            (
                StatusCode::UNAUTHORIZED,
                r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided. Trace ID: t","error_codes":[7000215],"trace_id":"t","correlation_id":"c"}"#,
            )
        };
        (status, [("content-type", "application/json")], body).into_response()
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let router = Router::new().route("/token", post(token));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn begin(port: Option<u16>) -> Result<(SignIn, reqwest::Client), AuthError> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let authority = authority().await;
    let endpoints = Endpoints {
        authorization: authority.join("authorize").unwrap(),
        token: authority.join("token").unwrap(),
        issuer: String::new(),
    };
    let registration = Registration {
        authority,
        tenant: "t".into(),
        client_id: "c".into(),
        client: ClientKind::Confidential("s".to_owned().into()),
    };
    let resource = Url::parse("https://norrvale.crm4.dynamics.com/").unwrap();
    let options = SignInOptions {
        redirect_port: port,
        ..SignInOptions::default()
    };
    let attempt = SignIn::begin(&endpoints, &registration, &resource, &options).await?;
    Ok((attempt, reqwest::Client::new()))
}

fn parameter(attempt: &SignIn, name: &str) -> String {
    let pairs: HashMap<_, _> = attempt
        .authorization_url()
        .query_pairs()
        .into_owned()
        .collect();
    pairs[name].clone()
}

#[tokio::test]
async fn a_forged_callback_changes_nothing_and_the_real_one_signs_in_once() {
    let (attempt, http) = begin(None).await.unwrap();
    assert_eq!(parameter(&attempt, "code_challenge_method"), "S256");
    assert_eq!(
        parameter(&attempt, "scope"),
        "https://norrvale.crm4.dynamics.com/user_impersonation offline_access openid profile"
    );
    let (state, callback) = (
        parameter(&attempt, "state"),
        attempt.redirect_uri().to_owned(),
    );
    let browser = http.clone();
    let browsing = tokio::spawn(async move {
        let visit = async |query: String| {
            browser
                .get(format!("{callback}?{query}"))
                .send()
                .await
                .unwrap()
        };
        for forged in ["code=evil&state=other", "code=evil", ""] {
            assert_eq!(visit(forged.to_owned()).await.status(), 400, "{forged}");
        }
        let good = visit(format!("code=good&state={state}")).await;
        let policy = good.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(
            policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert!(
            good.text()
                .await
                .unwrap()
                .contains("Microsoft has answered")
        );
    });
    let tokens = attempt
        .finish(&http, Duration::from_secs(5), &CancellationToken::new())
        .await
        .unwrap();
    browsing.await.unwrap();
    assert_eq!(tokens.access.expose_secret(), "a");
    assert_eq!(tokens.expires_in, Duration::from_secs(3_599));
    assert!(!format!("{tokens:?}").contains("\"a\""));
}

#[tokio::test]
async fn a_refused_code_a_refused_consent_and_a_foreign_name_are_told_apart() {
    for (query, code) in [
        ("code=stolen", "invalid_client_secret"),
        (
            "error=access_denied&error_description=AADSTS65004",
            "declined",
        ),
    ] {
        let (attempt, http) = begin(None).await.unwrap();
        let url = format!(
            "{}?{query}&state={}",
            attempt.redirect_uri(),
            parameter(&attempt, "state")
        );
        let browser = http.clone();
        tokio::spawn(async move { browser.get(url).send().await });
        let error = attempt
            .finish(&http, Duration::from_secs(5), &CancellationToken::new())
            .await
            .unwrap_err();
        assert_eq!(error.code(), code);
        assert!(!error.hint().is_empty());
        assert!(error.reference().is_some());
    }
    let (attempt, http) = begin(None).await.unwrap();
    let url = format!(
        "{}?code=good&state={}",
        attempt.redirect_uri(),
        parameter(&attempt, "state")
    );
    for (name, value) in [("host", "evil.example"), ("origin", "https://evil.example")] {
        let reply = http.get(&url).header(name, value).send().await.unwrap();
        assert_eq!(reply.status(), 403, "{name}");
    }
    let error = attempt
        .finish(&http, Duration::from_millis(50), &CancellationToken::new())
        .await
        .unwrap_err();
    assert_eq!(error.code(), "timed_out");
}

#[tokio::test]
async fn an_attempt_can_be_cancelled_and_a_taken_port_is_said() {
    let (attempt, http) = begin(None).await.unwrap();
    let port = Url::parse(attempt.redirect_uri()).unwrap().port().unwrap();
    let taken = begin(Some(port)).await.err().expect("the port is taken");
    assert_eq!(taken.code(), "port_taken");
    let cancel = CancellationToken::new();
    cancel.cancel();
    let error = attempt
        .finish(&http, Duration::from_secs(60), &cancel)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "cancelled");
}

#[test]
fn every_documented_code_has_a_meaning_and_a_fix() {
    let documented = [
        7_000_215, 7_000_222, 7_000_218, 700_025, 90_023, 50_011, 9_002_326, 9_002_327, 700_016,
        90_002, 900_023, 65_001, 90_094, 90_008, 65_004, 500_011, 650_057, 650_052, 50_020, 50_034,
        50_076, 50_079, 50_158, 53_000, 53_001, 53_002, 53_003, 50_105, 50_173, 50_133, 70_008,
        700_082, 700_084, 54_005, 70_000, 50_126, 530_035, 50_055, 50_057,
    ];
    for code in documented {
        let found = explain::explain(code).unwrap_or_else(|| panic!("{code} is unexplained"));
        assert!(!found.meaning.is_empty() && !found.fix.is_empty());
    }
}

#[test]
fn secrets_are_kept_and_forgotten() {
    let store = SecretStore::in_memory();
    store.set("a", &"x".to_owned().into()).unwrap();
    assert_eq!(store.get("a").unwrap().unwrap().expose_secret(), "x");
    assert!(store.delete("a").unwrap() && !store.delete("a").unwrap());
    assert!(store.get("a").unwrap().is_none());
}
