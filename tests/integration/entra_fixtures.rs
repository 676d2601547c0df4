//! Documented and captured replies of Entra ID, held against the simulated authority and against the
//! product's sign-in.

use std::time::Duration;

use salesmirror_auth::{
    AuthError, ClientKind, Endpoints, Registration, SignIn, SignInOptions, Tokens,
    client_credentials, discover, refresh,
};
use salesmirror_core::{Request, RunStatus, SyncOptions};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::bench::{Bench, sync};
use crate::replies::{Fixture, Reply, Server};

const TENANT: &str = "norrvale.example";

/// An authority that gives this reply at its token endpoint.
async fn authority(fixture: &'static str) -> Server {
    Server::start(move |origin, address| {
        let name = match address.contains("openid-configuration") {
            true => "openid-configuration",
            false => fixture,
        };
        Some(Fixture::read(&format!("entra/{name}")).reply(origin))
    })
    .await
}

async fn endpoints(server: &Server) -> Endpoints {
    let authority = Url::parse(&server.origin).expect("an address");
    discover(&http(), &authority, TENANT)
        .await
        .expect("a configuration")
}

fn http() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

fn registration(server: &Server) -> Registration {
    Registration {
        authority: Url::parse(&server.origin).expect("an address"),
        tenant: TENANT.into(),
        client_id: "00001111-aaaa-2222-bbbb-3333cccc4444".into(),
        client: ClientKind::Confidential("secret".into()),
    }
}

fn environment() -> Url {
    Url::parse("https://norrvale.crm4.dynamics.com/").expect("an address")
}

fn said(result: Result<Tokens, AuthError>) -> String {
    match result {
        Ok(tokens) => format!(
            "{} s{}",
            tokens.expires_in.as_secs(),
            if tokens.refresh.is_some() {
                ", a new refresh token"
            } else {
                ""
            }
        ),
        Err(error) => format!(
            "AADSTS{}{}{}",
            error.aadsts().unwrap_or_default(),
            if error.needs_sign_in() {
                ", sign in again"
            } else {
                ""
            },
            // What a support call needs is in the reference, not in the sentence.
            if error.reference().is_some_and(|text| text.contains("trace"))
                && !error.to_string().contains("Trace")
            {
                ", traced"
            } else {
                ""
            },
        ),
    }
}

#[tokio::test]
async fn the_sign_in_makes_of_documented_replies_what_they_say() {
    for (fixture, of_a_user, expected) in [
        ("token-of-an-app", false, "86399 s"),
        ("token-of-a-user", true, "3599 s, a new refresh token"),
        ("error-7000215", false, "AADSTS7000215, traced"),
        ("error-7000222", false, "AADSTS7000222, traced"),
        ("error-50079", true, "AADSTS50079, sign in again, traced"),
        ("error-700082", true, "AADSTS700082, sign in again, traced"),
        ("error-70011", true, "AADSTS70011, traced"),
    ] {
        let server = authority(fixture).await;
        let (http, found, registration) = (http(), endpoints(&server).await, registration(&server));
        let result = match of_a_user {
            true => {
                refresh(
                    &http,
                    &found,
                    &registration,
                    &"token".into(),
                    &environment(),
                )
                .await
            }
            false => client_credentials(&http, &found, &registration, &environment()).await,
        };
        assert_eq!(said(result), expected, "{fixture}");
    }
}

/// What the authority may do in one way or the other, told to the simulated one: people sign in, and
/// tokens are refreshed, all the same.
#[tokio::test(flavor = "multi_thread")]
async fn signing_in_works_with_every_variant_of_the_authority() {
    for variant in [
        r#"{"callback_iss":true}"#,
        r#"{"session_state":false}"#,
        r#"{"refresh_reply":"none"}"#,
        r#"{"refresh_reply":"single_use"}"#,
        r#"{"scope":"user_impersonation"}"#,
        r#"{"scope":"default"}"#,
        r#"{"expires_in_s":3599,"ext_expires_in":false}"#,
        r#"{"challenge_quoted":true,"challenge_separator":"blank"}"#,
        r#"{"two_request_ids":true}"#,
    ] {
        let bench = Bench::new("account=9,contact=3,lead=3,opportunity=3,systemuser=6").await;
        bench.control("variants", variant).await;
        let session = bench.session().await;
        for round in 0..3 {
            for run in sync(&session, SyncOptions::default()).await {
                assert_eq!(
                    run.status,
                    RunStatus::Success,
                    "{variant}, {round}: {run:?}"
                );
            }
            // Each further round needs a fresh token, from the refresh token that was kept.
            bench.control("tokens/expire", "").await;
        }
    }
    for variant in [
        r#"{"trace_separator":"crlf"}"#,
        r#"{"trace_separator":"blank","error_uri":false}"#,
    ] {
        let bench = Bench::new("account=3,contact=3,lead=3,opportunity=3,systemuser=6").await;
        bench.control("variants", variant).await;
        let request = Request {
            client_secret: Some("wrong".to_owned().into()),
            ..bench.request()
        };
        let error = bench
            .connect(&bench.app(), &request)
            .await
            .expect_err(variant);
        let reference = error.reference.unwrap_or_default();
        assert!(
            reference.contains("AADSTS7000215") && reference.contains("trace"),
            "{reference}"
        );
        assert!(!error.message.contains("Trace ID"), "{}", error.message);
    }
}

/// The callback can carry more than it has to, and errors without a code.
#[tokio::test]
async fn the_callback_is_understood_with_whatever_else_it_carries() {
    let denied = Fixture::read("entra/callback-denied").request.path;
    let (_, denied) = denied.split_once('?').expect("a query");
    let cases = [
        ("code=0.Acode".to_owned(), "3599 s, a new refresh token"),
        (
            "code=0.Acode&session_state=11bb11bb-cc22-dd33-ee44-55ff55ff55ff".to_owned(),
            "3599 s, a new refresh token",
        ),
        (
            "iss=https%3A%2F%2Flogin.microsoftonline.com%2Fx%2Fv2.0&code=0.Acode&session_state=y"
                .to_owned(),
            "3599 s, a new refresh token",
        ),
        (
            "code=0.Acode&something=new&client_info=eyJ9".to_owned(),
            "3599 s, a new refresh token",
        ),
        (denied.to_owned(), "AADSTS0"),
        (
            "error=access_denied&error_description=AADSTS65004%3A+User+declined&error_uri=x&iss=y"
                .to_owned(),
            "AADSTS65004",
        ),
        (
            "error=temporarily_unavailable&error_subcode=z".to_owned(),
            "AADSTS0",
        ),
    ];
    for (query, expected) in cases {
        let server = authority("token-of-a-user").await;
        let (http, found, registration) = (http(), endpoints(&server).await, registration(&server));
        let attempt = SignIn::begin(
            &found,
            &registration,
            &environment(),
            &SignInOptions::default(),
        )
        .await
        .expect("an attempt");
        let state = attempt
            .authorization_url()
            .query_pairs()
            .find(|(name, _)| name == "state")
            .expect("a state")
            .1
            .into_owned();
        let back = attempt.redirect_uri().to_owned();
        // A callback without our state is turned away and ends nothing.
        let stray = http
            .get(format!("{back}?{query}"))
            .send()
            .await
            .expect("a page");
        assert_eq!(stray.status().as_u16(), 400, "{query}");
        let browser = http.clone();
        let address = format!("{back}?{query}&state={state}");
        let visit = tokio::spawn(async move { browser.get(address).send().await });
        let result = attempt
            .finish(&http, Duration::from_secs(5), &CancellationToken::new())
            .await;
        assert_eq!(said(result), expected, "{query}");
        // The page may be cut off when the attempt ends; it has been shown or not.
        let _ = visit.await;
    }
}

/// A request of a fixture to the simulated authority, with what is told it first, and which
/// differences say nothing.
struct Row {
    fixture: &'static str,
    told: &'static [(&'static str, &'static str)],
    /// What is sent to the token endpoint; `{…}` stands for a value of the organisation.
    form: &'static str,
    allowed: &'static [&'static str],
}

const APP: &str = "client_id={client_id}&client_secret={client_secret}";

/// Headers of the real service's front door, which say nothing to a client.
const FRONT_DOOR: [&str; 5] = [
    "p3p",
    "x-ms-ests-server",
    "strict-transport-security",
    "access-control-allow-methods",
    "x-ms-clitelem",
];

const AUTHORITY: [Row; 9] = [
    Row {
        fixture: "openid-configuration",
        told: &[],
        form: "",
        allowed: &[],
    },
    Row {
        fixture: "instance-discovery",
        told: &[],
        form: "",
        allowed: &[],
    },
    Row {
        fixture: "token-of-an-app",
        told: &[],
        form: "grant_type=client_credentials&{app}&scope={environment}/.default",
        allowed: &[],
    },
    Row {
        fixture: "token-of-a-user",
        told: &[],
        form: "grant_type=authorization_code&{app}&code={code}&redirect_uri={redirect}&code_verifier={verifier}&scope={environment}/user_impersonation offline_access openid",
        // The documentation's sample leaves it out, captured replies have it.
        allowed: &[".ext_expires_in is not documented"],
    },
    Row {
        fixture: "error-7000215",
        told: &[],
        form: "grant_type=client_credentials&client_id={client_id}&client_secret=wrong&scope={environment}/.default",
        allowed: &[],
    },
    Row {
        fixture: "error-7000222",
        told: &[(
            "app",
            r#"{"client_id":"22222222-3333-4444-5555-666666666666","secrets":[{"value":"old","expires_in_s":-1}]}"#,
        )],
        form: "grant_type=client_credentials&client_id=22222222-3333-4444-5555-666666666666&client_secret=old&scope={environment}/.default",
        allowed: &["error_uri"],
    },
    Row {
        fixture: "error-50079",
        told: &[("user", r#"{"user":0,"condition":"mfa_registration"}"#)],
        form: "grant_type=refresh_token&{app}&refresh_token={refresh}&scope={environment}/.default",
        allowed: &["error_uri", ".suberror is not documented"],
    },
    Row {
        fixture: "error-700082",
        told: &[("entra", r#"{"advance_s":7776001}"#)],
        form: "grant_type=refresh_token&{app}&refresh_token={refresh}&scope={environment}/.default",
        allowed: &[],
    },
    Row {
        fixture: "error-70011",
        told: &[],
        form: "grant_type=client_credentials&{app}&scope=nonsense",
        allowed: &["error_uri"],
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn the_authority_gives_the_documented_shapes() {
    let mut refused = Vec::new();
    for row in AUTHORITY {
        let bench = Bench::new("account=3,contact=3,lead=3,opportunity=3,systemuser=6").await;
        let org = bench.org.description();
        let code = if row.form.contains("code=") || row.form.contains("{refresh}") {
            code(&bench).await
        } else {
            String::new()
        };
        let refresh = if row.form.contains("{refresh}") {
            redeem(&bench, &code).await
        } else {
            String::new()
        };
        // What ends a sign-in ends one that there is.
        for (path, body) in row.told {
            bench.control(path, body).await;
        }
        let fill = |text: &str| {
            [
                ("{app}", APP),
                ("{code}", &code),
                ("{refresh}", &refresh),
                ("{redirect}", REDIRECT),
                ("{verifier}", VERIFIER),
                ("{authority}/", org.authority_url.as_str()),
                ("{tenant}", &org.tenant_id),
                ("{client_id}", &org.client_id),
                ("{client_secret}", &org.client_secret),
                ("{environment}", &org.environment_url),
            ]
            .iter()
            .fold(text.to_owned(), |text, (name, value)| {
                text.replace(name, value)
            })
        };
        let fixture = Fixture::read(&format!("entra/{}", row.fixture));
        let address = fill(&fixture.request.path);
        let request = match row.form {
            "" => bench.http.get(address),
            form => bench
                .http
                .post(address)
                .header("content-type", "application/x-www-form-urlencoded")
                .body(fill(form)),
        };
        let found = Reply::of(request.send().await.expect("a reply")).await;
        let documented = fixture.reply(org.authority_url.trim_end_matches('/'));
        let mut list = fixture.against(&documented, &found);
        if documented.status >= 400 {
            for name in ["error", "error_codes"] {
                let value = |reply: &Reply| -> Value {
                    let body: Value = serde_json::from_str(&reply.body).expect("JSON");
                    body[name].clone()
                };
                if value(&documented) != value(&found) {
                    list.push(format!("{name} is {}", value(&found)));
                }
            }
        }
        let list = list.into_iter().filter(|what| {
            !row.allowed
                .iter()
                .chain(&FRONT_DOOR)
                .any(|part| what.contains(part))
        });
        refused.extend(list.map(|what| format!("{}: {what}", row.fixture)));
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

const REDIRECT: &str = "http://localhost:5000/oauth/callback";
/// The documentation's verifier, and what SHA-256 makes of it.
const VERIFIER: &str = "ThisIsntRandomButItNeedsToBe43CharactersLong";
const CHALLENGE: &str = "ocYCWfMwcSjWZok91g7EAZsKLdqPI7Nn_qoUWIdHHM4";

/// An authorisation code, as the browser brings it back.
async fn code(bench: &Bench) -> String {
    let org = bench.org.description();
    let address = format!(
        "{}{}/oauth2/v2.0/authorize",
        org.authority_url, org.tenant_id
    );
    let scope = format!(
        "{}/user_impersonation offline_access openid",
        org.environment_url
    );
    let query = [
        ("client_id", org.client_id.as_str()),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT),
        ("scope", &scope),
        ("state", "s"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("sample_consent", "accept"),
    ];
    let address = Url::parse_with_params(&address, query).expect("an address");
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let reply = browser
        .build()
        .expect("a browser")
        .get(address)
        .send()
        .await
        .expect("a reply");
    let back = reply.headers()["location"].to_str().expect("a text");
    let back = Url::parse(back).expect("an address");
    let (_, code) = back
        .query_pairs()
        .find(|(name, _)| name == "code")
        .expect("a code");
    code.into_owned()
}

/// The refresh token that a code is exchanged for.
async fn redeem(bench: &Bench, code: &str) -> String {
    let org = bench.org.description();
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", &org.client_id),
        ("client_secret", &org.client_secret),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let address = format!("{}{}/oauth2/v2.0/token", org.authority_url, org.tenant_id);
    let reply = bench
        .http
        .post(address)
        .form(&form)
        .send()
        .await
        .expect("a reply");
    let reply: Value = reply.json().await.expect("tokens");
    reply["refresh_token"]
        .as_str()
        .expect("a refresh token")
        .to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn global_discovery_gives_the_documented_shapes() {
    let bench = Bench::new("account=3,contact=3,lead=3,opportunity=3,systemuser=6").await;
    let org = bench.org.description();
    let refresh = redeem(&bench, &code(&bench).await).await;
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", &org.client_id),
        ("client_secret", &org.client_secret),
        ("refresh_token", &refresh),
        (
            "scope",
            &format!("{}/user_impersonation", org.discovery_url),
        ),
    ];
    let address = format!("{}{}/oauth2/v2.0/token", org.authority_url, org.tenant_id);
    let reply = bench
        .http
        .post(address)
        .form(&form)
        .send()
        .await
        .expect("a reply");
    let tokens: Value = reply.json().await.expect("tokens");
    for name in ["discovery-selected", "discovery-instances"] {
        let fixture = Fixture::read(&format!("dataverse/{name}"));
        let address = fixture
            .request
            .path
            .replace("{discovery}", &org.discovery_url);
        let request = bench
            .http
            .get(address)
            .bearer_auth(tokens["access_token"].as_str().expect("a token"));
        let found = Reply::of(request.send().await.expect("a reply")).await;
        let list = fixture.against(&fixture.reply(&org.environment_url), &found);
        // How long the text is says nothing, and an environment's id can be a GUID.
        let list: Vec<String> = list
            .into_iter()
            .filter(|what| !what.contains("content-length") && !what.contains("EnvironmentId"))
            .collect();
        assert!(list.is_empty(), "{name}: {list:?}");
    }
}
