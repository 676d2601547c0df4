//! Documented and captured replies of Entra ID, held against the simulated authority and against the
//! product's sign-in.

use std::time::Duration;

use salesmirror_auth::{
    AuthError, ClientKind, Endpoints, Registration, SignIn, SignInOptions, Tokens,
    client_credentials, discover, refresh,
};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::bench::Bench;
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

const AUTHORITY: [Row; 1] = [Row {
    fixture: "error-7000215",
    told: &[],
    form: "grant_type=client_credentials&client_id={client_id}&client_secret=wrong&scope={environment}/.default",
    allowed: &[],
}];

#[tokio::test(flavor = "multi_thread")]
async fn the_authority_gives_the_documented_shapes() {
    let mut refused = Vec::new();
    for row in AUTHORITY {
        let bench = Bench::new("account=3,contact=3,lead=3,opportunity=3,systemuser=6").await;
        for (path, body) in row.told {
            bench.control(path, body).await;
        }
        let org = bench.org.description();
        let fill = |text: &str| {
            [
                ("{app}", APP),
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
        let list = fixture.against(&documented, &found);
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
