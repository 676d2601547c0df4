//! Every `AADSTS` code, provoked by the state that gives it.

use serde_json::Value;

use super::{Bench, Pairs, Seen, pairs};

/// What the client does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Flow {
    Authorize,
    /// Signs in and redeems the code.
    Code,
    /// Redeems the same code again.
    CodeTwice,
    Refresh,
    Password,
    ClientCredentials,
    Device,
    Configuration,
}

/// Where the refusal appears.
#[derive(Clone, Copy, Debug)]
enum Place {
    Page,
    Callback(&'static str),
    Token(u16, &'static str),
}

struct Row {
    code: u32,
    flow: Flow,
    /// Controls before the sign-in, `path body`.
    before: &'static [&'static str],
    /// Controls between sign-in and refusal.
    after: &'static [&'static str],
    /// Fields that the request changes; empty values remove.
    fields: &'static [(&'static str, &'static str)],
    place: Place,
    /// `suberror`, or `claims` where that comes too.
    with: &'static str,
}

use Flow::{
    Authorize, ClientCredentials, Code, CodeTwice, Configuration, Device, Password, Refresh,
};
use Place::{Callback, Page, Token};

const fn row(
    code: u32,
    flow: Flow,
    before: &'static [&'static str],
    after: &'static [&'static str],
    fields: &'static [(&'static str, &'static str)],
    place: Place,
    with: &'static str,
) -> Row {
    Row {
        code,
        flow,
        before,
        after,
        fields,
        place,
        with,
    }
}

const SPA: &str =
    r#"app {"redirect_uris":[{"uri":"http://localhost/oauth/callback","platform":"spa"}]}"#;

#[rustfmt::skip]
const ROWS: &[Row] = &[
    // The client.
    row(7_000_215, Code, &[], &[], &[("client_secret", "wrong")], Token(401, "invalid_client"), ""),
    row(7_000_215, Code, &[], &[], &[("client_secret", "{secret_id}")], Token(401, "invalid_client"), ""),
    row(7_000_215, ClientCredentials, &[], &[], &[("client_secret", "{secret_id}")], Token(401, "invalid_client"), ""),
    row(7_000_215, Refresh, &[], &[], &[("client_secret", "wrong")], Token(401, "invalid_client"), ""),
    row(7_000_222, Code, &[], &[r#"app {"secrets":[{"value":"{secret}","expires_in_s":-1}]}"#], &[], Token(401, "invalid_client"), ""),
    row(7_000_222, ClientCredentials, &[], &[r#"entra {"advance_s":63072001}"#], &[], Token(401, "invalid_client"), ""),
    row(7_000_218, Code, &[], &[], &[("client_secret", "")], Token(400, "invalid_client"), ""),
    row(7_000_218, Password, &[], &[r#"app {"client_id":"{public}","public_flows":false}"#], &[], Token(400, "invalid_client"), ""),
    row(700_025, Code, &[], &[], &[("client_id", "{public}")], Token(400, "invalid_client"), ""),
    row(90_023, Code, &[r#"variants {"public_secret_code":90023}"#], &[], &[("client_id", "{public}")], Token(400, "invalid_request"), ""),
    row(50_011, Authorize, &[], &[], &[("redirect_uri", "http://localhost:4711/other")], Page, ""),
    row(50_011, Authorize, &[], &[], &[("redirect_uri", "https://localhost/oauth/callback")], Page, ""),
    row(9_002_326, Code, &[], &[], &[("@origin", "http://localhost:1")], Token(400, "invalid_request"), ""),
    row(9_002_327, Code, &[SPA], &[], &[], Token(400, "invalid_request"), ""),
    row(700_016, Authorize, &[], &[], &[("client_id", "5b1ba6a4-6a43-4f3a-9f2d-0123456789ab")], Page, ""),
    row(700_016, ClientCredentials, &[], &[r#"app {"deleted":true}"#], &[], Token(400, "unauthorized_client"), ""),
    row(700_016, ClientCredentials, &[], &[], &[("@tenant", "lykke.example")], Token(400, "unauthorized_client"), ""),
    row(90_002, Authorize, &[], &[], &[("@tenant", "nobody.example")], Page, ""),
    row(90_002, ClientCredentials, &[], &[], &[("@tenant", "5b1ba6a4-6a43-4f3a-9f2d-0123456789ab")], Token(400, "invalid_request"), ""),
    row(90_002, Configuration, &[], &[], &[("@tenant", "nobody.example")], Token(400, "invalid_tenant"), ""),
    row(900_023, Authorize, &[], &[], &[("@tenant", "no_tenant")], Page, ""),
    row(900_023, ClientCredentials, &[], &[], &[("@tenant", "no_tenant")], Token(400, "invalid_request"), ""),
    row(50_194, Authorize, &[r#"app {"audience":"single"}"#], &[], &[("@tenant", "common")], Page, ""),
    row(50_059, ClientCredentials, &[], &[], &[("@tenant", "organizations")], Token(400, "invalid_request"), ""),
    // Consent and permissions.
    row(65_001, Authorize, &[], &[], &[("prompt", "none")], Callback("consent_required"), ""),
    row(65_001, Password, &[], &[], &[], Token(400, "invalid_grant"), "consent_required"),
    row(65_001, Refresh, &[], &[r#"app {"consent":"withdrawn"}"#], &[], Token(400, "invalid_grant"), "consent_required"),
    row(90_094, Authorize, &[r#"tenant {"user_consent":"admin_only"}"#], &[], &[("login_hint", "{user}")], Page, ""),
    row(90_008, Authorize, &[r#"app {"permissions":[]}"#], &[], &[], Callback("invalid_request"), ""),
    row(90_008, Refresh, &[], &[r#"app {"permissions":[]}"#], &[], Token(400, "invalid_request"), ""),
    row(650_057, Authorize, &[r#"app {"permissions":["graph"]}"#], &[], &[], Callback("invalid_resource"), ""),
    row(650_057, Refresh, &[], &[r#"app {"permissions":["graph"]}"#], &[], Token(400, "invalid_resource"), ""),
    row(650_052, Authorize, &[r#"tenant {"dynamics":false}"#], &[], &[], Callback("invalid_client"), ""),
    row(650_052, Authorize, &[], &[], &[("@tenant", "organizations"), ("login_hint", "anna.berg@lykke.example")], Callback("invalid_client"), ""),
    row(650_052, ClientCredentials, &[], &[r#"tenant {"dynamics":false}"#], &[], Token(400, "invalid_client"), ""),
    row(65_004, Authorize, &[r#"consent {"mode":"decline"}"#], &[], &[], Callback("access_denied"), ""),
    row(65_004, Device, &[r#"consent {"mode":"decline"}"#], &[], &[], Token(400, "authorization_declined"), ""),
    // Scopes and resources.
    row(500_011, Authorize, &[], &[], &[("scope", "https://other.crm4.dynamics.com/user_impersonation")], Callback("invalid_resource"), ""),
    row(500_011, Refresh, &[], &[], &[("scope", "https://other.crm4.dynamics.com/.default")], Token(400, "invalid_resource"), ""),
    row(500_011, ClientCredentials, &[], &[], &[("scope", "https://other.crm4.dynamics.com/.default")], Token(400, "invalid_resource"), ""),
    row(70_011, Authorize, &[], &[], &[("scope", "user_impersonation")], Callback("invalid_scope"), ""),
    row(70_011, Refresh, &[], &[], &[("scope", "user_impersonation")], Token(400, "invalid_scope"), ""),
    row(70_011, Refresh, &[], &[r#"variants {"scope":"default"}"#], &[], Token(400, "invalid_scope"), ""),
    row(70_011, Refresh, &[], &[r#"variants {"scope":"user_impersonation"}"#], &[("scope", "{environment}/.default")], Token(400, "invalid_scope"), ""),
    row(70_011, Refresh, &[], &[], &[("scope", "{environment}/.default {discovery}/.default")], Token(400, "invalid_scope"), ""),
    row(650_053, Refresh, &[], &[], &[("scope", "{environment}/everything")], Token(400, "invalid_client"), ""),
    row(1_002_012, ClientCredentials, &[], &[], &[("scope", "{environment}/user_impersonation")], Token(400, "invalid_scope"), ""),
    row(900_144, Refresh, &[], &[], &[("scope", "")], Token(400, "invalid_request"), ""),
    row(900_144, Code, &[], &[], &[("code", "")], Token(400, "invalid_request"), ""),
    row(70_003, ClientCredentials, &[], &[], &[("grant_type", "magic")], Token(400, "unsupported_grant_type"), ""),
    row(700_054, Authorize, &[], &[], &[("response_type", "token")], Callback("unsupported_response_type"), ""),
    row(9_002_325, Authorize, &[SPA], &[], &[("code_challenge", "")], Callback("invalid_request"), ""),
    // The account.
    row(50_020, Authorize, &[], &[], &[("login_hint", "anna.berg@lykke.example")], Page, ""),
    row(50_034, Authorize, &[], &[], &[("login_hint", "nobody@norrvale.example")], Page, ""),
    row(50_034, Password, &[], &[], &[("username", "nobody@norrvale.example")], Token(400, "invalid_grant"), ""),
    row(50_058, Authorize, &[r#"consent {"mode":"page"}"#], &[], &[("prompt", "none")], Callback("login_required"), ""),
    row(50_076, Refresh, &[], &[r#"user {"user":0,"condition":"mfa"}"#], &[], Token(400, "interaction_required"), "claims"),
    row(50_076, Password, &[], &[r#"user {"user":0,"condition":"mfa"}"#], &[], Token(400, "invalid_grant"), "claims"),
    row(50_079, Refresh, &[], &[r#"user {"user":0,"condition":"mfa_registration"}"#], &[], Token(400, "interaction_required"), "claims"),
    row(50_158, Refresh, &[], &[r#"user {"user":0,"condition":"external"}"#], &[], Token(400, "interaction_required"), "claims"),
    row(53_000, Refresh, &[], &[r#"user {"user":0,"condition":"device_not_compliant"}"#], &[], Token(400, "invalid_grant"), "claims"),
    row(53_001, Refresh, &[], &[r#"user {"user":0,"condition":"device_not_joined"}"#], &[], Token(400, "invalid_grant"), "claims"),
    row(53_002, Refresh, &[], &[r#"user {"user":0,"condition":"app_not_approved"}"#], &[], Token(400, "invalid_grant"), "claims"),
    row(53_003, Refresh, &[], &[r#"user {"user":0,"condition":"blocked"}"#], &[], Token(400, "invalid_grant"), "claims"),
    row(53_003, Authorize, &[r#"user {"user":0,"condition":"blocked"}"#], &[], &[], Page, ""),
    row(530_035, Authorize, &[r#"user {"user":0,"condition":"security_defaults"}"#], &[], &[], Page, ""),
    row(530_035, Password, &[], &[r#"user {"user":0,"condition":"security_defaults"}"#], &[], Token(400, "invalid_grant"), "claims"),
    row(50_105, Authorize, &[r#"app {"assignment_required":true}"#], &[], &[], Page, ""),
    row(50_105, Refresh, &[], &[r#"app {"assignment_required":true}"#], &[], Token(400, "invalid_grant"), ""),
    row(50_126, Password, &[], &[], &[("password", "wrong")], Token(400, "invalid_grant"), ""),
    row(50_126, Authorize, &[], &[], &[("password", "wrong")], Page, ""),
    row(50_055, Password, &[], &[r#"user {"user":0,"password_expired":true}"#], &[], Token(400, "invalid_grant"), ""),
    row(50_055, Authorize, &[r#"user {"user":0,"password_expired":true}"#], &[], &[], Page, ""),
    row(50_057, Password, &[], &[r#"user {"user":0,"enabled":false}"#], &[], Token(400, "invalid_grant"), ""),
    row(50_057, Refresh, &[], &[r#"user {"user":0,"enabled":false}"#], &[], Token(400, "invalid_grant"), ""),
    row(50_057, Authorize, &[r#"user {"user":0,"enabled":false}"#], &[], &[], Page, ""),
    // Codes and refresh tokens.
    row(50_173, Refresh, &[], &["tokens/revoke {}"], &[], Token(400, "invalid_grant"), ""),
    row(50_173, Refresh, &[], &[r#"user {"user":0,"password_changed":true}"#], &[], Token(400, "invalid_grant"), ""),
    row(50_133, Refresh, &[], &[r#"tokens/revoke {"code":50133}"#], &[], Token(400, "invalid_grant"), ""),
    row(50_133, Refresh, &[], &[r#"user {"user":0,"password_expired":true}"#], &[], Token(400, "invalid_grant"), ""),
    row(70_008, Refresh, &[], &[r#"tokens/revoke {"code":70008}"#], &[], Token(400, "invalid_grant"), ""),
    row(70_008, Code, &[], &[r#"entra {"advance_s":601}"#], &[], Token(400, "invalid_grant"), ""),
    row(700_082, Refresh, &[], &[r#"entra {"advance_s":7776001}"#], &[], Token(400, "invalid_grant"), ""),
    row(700_084, Refresh, &[], &[r#"tokens/revoke {"code":700084}"#], &[], Token(400, "invalid_grant"), ""),
    row(54_005, CodeTwice, &[], &[], &[], Token(400, "invalid_grant"), ""),
    row(70_000, Code, &[], &[], &[("code", "0.Aforged")], Token(400, "invalid_grant"), ""),
    row(70_000, Refresh, &[], &[], &[("refresh_token", "1.A0.x.w.1.1.n.forged")], Token(400, "invalid_grant"), ""),
    row(70_000, Refresh, &[], &[r#"app {"client_id":"5b1ba6a4-0000-4f3a-9f2d-0123456789ab","secrets":[{"value":"theirs"}]}"#],
        &[("client_id", "5b1ba6a4-0000-4f3a-9f2d-0123456789ab"), ("client_secret", "theirs")], Token(400, "invalid_grant"), ""),
    row(501_481, Code, &[], &[], &[("code_verifier", "another")], Token(400, "invalid_grant"), ""),
    row(501_481, Code, &[], &[], &[("code_verifier", "")], Token(400, "invalid_grant"), ""),
    row(500_112, Code, &[], &[], &[("redirect_uri", "http://localhost:4712/oauth/callback")], Token(400, "invalid_client"), ""),
    row(70_016, Device, &[r#"consent {"mode":"page"}"#], &[], &[], Token(400, "authorization_pending"), ""),
    row(70_020, Device, &[], &[r#"entra {"advance_s":901}"#], &[], Token(400, "expired_token"), ""),
    // What was asked for.
    row(50_076, Refresh, &[], &[r#"entra {"refuse":{"at":"refresh","code":50076,"times":1,"suberror":"basic_action","claims":"{}"}}"#], &[], Token(400, "interaction_required"), "claims"),
    row(53_003, Authorize, &[r#"entra {"refuse":{"at":"authorize","code":53003}}"#], &[], &[], Page, ""),
    row(90_033, Code, &[], &[r#"entra {"refuse":{"at":"any","code":90033,"error":"temporarily_unavailable","status":503,"text":"A transient error."}}"#], &[], Token(503, "temporarily_unavailable"), ""),
];

/// The codes of the specification.
const SPECIFIED: &[u32] = &[
    7_000_215, 7_000_222, 7_000_218, 700_025, 90_023, 50_011, 9_002_326, 9_002_327, 700_016,
    90_002, 900_023, 65_001, 90_094, 90_008, 65_004, 500_011, 650_057, 650_052, 50_020, 50_034,
    50_076, 50_079, 50_158, 53_000, 53_001, 53_002, 53_003, 50_105, 50_173, 50_133, 70_008,
    700_082, 700_084, 54_005, 70_000, 50_126, 530_035, 50_055, 50_057,
];

/// Names of the organisation that rows refer to.
async fn filled(bench: &Bench, text: &str) -> String {
    let description = bench.org.description();
    let (_, apps) = bench.control_reply("GET", "app", "").await;
    let (_, users) = bench.control_reply("GET", "user", "").await;
    let text_of = |value: &Value| value.as_str().expect("a text").to_owned();
    text.replace("{secret}", &description.client_secret)
        .replace("{secret_id}", &text_of(&apps[0]["secrets"][0]["id"]))
        .replace("{public}", &description.public_client_id)
        .replace("{user}", &text_of(&users[1]["mail"]))
        .replace("{environment}", &description.environment_url)
        .replace("{discovery}", &description.discovery_url)
}

async fn apply(bench: &Bench, controls: &[&str]) {
    for control in controls {
        let control = filled(bench, control).await;
        let (path, body) = control.split_once(' ').expect("a path and a body");
        bench.control(path, body).await;
    }
}

/// What the client sends at the refused step.
async fn form(bench: &Bench, row: &Row, tenant: &str) -> Pairs {
    let description = bench.org.description();
    let (_, users) = bench.control_reply("GET", "user", "").await;
    let confidential = [
        ("client_id", description.client_id.as_str()),
        ("client_secret", &description.client_secret),
    ];
    let public = ("client_id", description.public_client_id.as_str());
    let scope = bench.scope();
    match row.flow {
        Authorize | Configuration => Pairs::new(),
        Code => bench.redemption(&bench.code(tenant, &Pairs::new()).await),
        CodeTwice => {
            let form = bench.redemption(&bench.code(tenant, &Pairs::new()).await);
            let (status, _) = bench.token(tenant, &Pairs::new(), &form).await;
            assert_eq!(status, 200);
            form
        }
        Refresh => {
            let tokens = bench.sign_in(&Pairs::new()).await;
            let mut form = pairs(&confidential);
            form.extend(pairs(&[
                ("grant_type", "refresh_token"),
                ("scope", &scope),
                (
                    "refresh_token",
                    tokens["refresh_token"].as_str().expect("a token"),
                ),
            ]));
            form
        }
        Password => pairs(&[
            public,
            ("grant_type", "password"),
            ("username", users[0]["mail"].as_str().expect("a mail")),
            ("password", "Norrvale-2026!"),
            ("scope", &scope),
        ]),
        ClientCredentials => {
            let mut form = pairs(&confidential);
            let scope = format!("{}/.default", description.environment_url);
            form.extend(pairs(&[
                ("grant_type", "client_credentials"),
                ("scope", &scope),
            ]));
            form
        }
        Device => {
            let url = bench.endpoint(tenant, "oauth2/v2.0/devicecode");
            let request = bench.http.post(url).form(&[public, ("scope", &scope)]);
            let reply: Value = request
                .send()
                .await
                .expect("a reply")
                .json()
                .await
                .expect("JSON");
            pairs(&[
                public,
                ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
                (
                    "device_code",
                    reply["device_code"].as_str().expect("a code"),
                ),
            ])
        }
    }
}

async fn check(bench: &Bench, row: &Row) {
    let what = format!(
        "{} {:?} {:?} {:?}",
        row.code, row.flow, row.after, row.fields
    );
    bench.control("reset", "").await;
    apply(bench, &[r#"consent {"mode":"accept"}"#]).await;
    apply(bench, row.before).await;
    let mut tenant = bench.org.description().tenant_id.clone();
    let mut form = form(bench, row, &tenant).await;
    apply(bench, row.after).await;
    let mut headers = Pairs::new();
    for (name, value) in row.fields {
        let value = filled(bench, value).await;
        match name.strip_prefix('@') {
            Some("tenant") => tenant = value,
            Some(header) => {
                headers.insert(header.to_owned(), value);
            }
            None => {
                form.insert((*name).to_owned(), value);
            }
        }
    }
    let prefix = format!("AADSTS{}: ", row.code);
    match (row.flow, row.place) {
        (Authorize, Page) => match bench.authorize(&tenant, &form).await {
            Seen::Page(400, text) => assert!(text.contains(&prefix), "{what}: {text}"),
            other => panic!("{what}: {other:?}"),
        },
        (Authorize, Callback(error)) => match bench.authorize(&tenant, &form).await {
            Seen::Callback(pairs) => {
                assert_eq!(pairs["error"], error, "{what}");
                assert_eq!(pairs["state"], "s-1", "{what}");
                assert!(
                    pairs["error_description"].starts_with(&prefix),
                    "{what}: {pairs:?}"
                );
            }
            other => panic!("{what}: {other:?}"),
        },
        (Configuration, Token(status, error)) => {
            let url = bench.endpoint(&tenant, "v2.0/.well-known/openid-configuration");
            let (got, body) = bench.fetch(&url, "none").await;
            assert_eq!(
                (got, body["error"].as_str()),
                (status, Some(error)),
                "{what}: {body}"
            );
            assert_eq!(body["error_codes"][0], row.code, "{what}");
        }
        (_, Token(status, error)) => {
            let (got, body) = bench.token(&tenant, &headers, &form).await;
            assert_eq!(
                (got, body["error"].as_str()),
                (status, Some(error)),
                "{what}: {body}"
            );
            check_body(row, &body, &what);
        }
        other => panic!("{what}: {other:?} cannot be"),
    }
}

/// The shape of the recorded bodies.
fn check_body(row: &Row, body: &Value, what: &str) {
    let text = body["error_description"].as_str().expect("a text");
    assert!(
        text.starts_with(&format!("AADSTS{}: ", row.code)),
        "{what}: {text}"
    );
    assert_eq!(body["error_codes"], serde_json::json!([row.code]), "{what}");
    for name in ["trace_id", "correlation_id", "timestamp"] {
        let value = body[name]
            .as_str()
            .unwrap_or_else(|| panic!("{what}: {name}"));
        assert!(text.contains(value), "{what}: {name} in {text}");
    }
    match row.with {
        "" => assert!(body.get("claims").is_none(), "{what}: {body}"),
        "claims" => {
            let claims = body["claims"].as_str().expect("claims as a text");
            serde_json::from_str::<Value>(claims).expect("JSON in the text");
            assert!(body["suberror"].is_string(), "{what}: {body}");
        }
        suberror => assert_eq!(body["suberror"], suberror, "{what}"),
    }
}

#[tokio::test]
async fn every_code_has_a_state_that_gives_it() {
    let bench = Bench::new().await;
    for row in ROWS {
        check(&bench, row).await;
    }
    for code in SPECIFIED {
        assert!(
            ROWS.iter().any(|row| row.code == *code),
            "{code} is provoked"
        );
    }
}
