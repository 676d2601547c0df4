//! Every refusal that an admin can meet, provoked for real through the program: by its code and its
//! exit code, never by its text. After a refused connect nothing is left.

use std::process::Command;

use serde_json::{Value, json};

use crate::bench::Bench;
use crate::desk::{Answer, Attempt, Desk, ROWS};

/// What Entra ID answers, our code for it, and whether its page is known.
const REFUSED_CODES: [(u32, &str, bool); 38] = [
    (7_000_215, "invalid_client_secret", true),
    (7_000_222, "secret_expired", true),
    (7_000_218, "secret_missing", true),
    (700_025, "public_client_with_secret", true),
    (90_023, "public_client_with_secret", true),
    (50_011, "redirect_uri_not_registered", true),
    (9_002_326, "redirect_uri_single_page", true),
    (9_002_327, "redirect_uri_single_page", true),
    (700_016, "client_not_found", true),
    (90_002, "tenant_not_found", true),
    (900_023, "tenant_not_found", true),
    (65_001, "consent_needed", true),
    (90_094, "consent_needed", true),
    (90_008, "consent_needed", true),
    (65_004, "declined", false),
    (500_011, "resource_not_found", true),
    (650_057, "permission_missing", true),
    (650_052, "permission_missing", true),
    (50_020, "user_not_in_tenant", true),
    (50_034, "user_not_in_tenant", true),
    (50_076, "conditional_access", true),
    (50_079, "conditional_access", true),
    (50_158, "conditional_access", true),
    (53_000, "conditional_access", true),
    (53_001, "conditional_access", true),
    (53_002, "conditional_access", true),
    (53_003, "conditional_access", true),
    (50_105, "user_not_assigned", true),
    (50_173, "sign_in_revoked", false),
    (50_133, "sign_in_revoked", false),
    (70_008, "sign_in_expired", false),
    (54_005, "grant_refused", false),
    (70_000, "grant_refused", false),
    (50_126, "wrong_password", false),
    (530_035, "blocked_by_defaults", true),
    (50_055, "password_expired", false),
    (50_057, "account_disabled", false),
    (70_011, "invalid_scope", true),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_number_of_entra_id_has_its_code_its_exit_code_and_its_fix() {
    let desk = Desk::new().await;
    let attempt = Attempt {
        browser: true,
        ..desk.good()
    };
    for (number, code, has_page) in REFUSED_CODES {
        desk.tell("entra", &json!({"refuse": {"at": "code", "code": number}}))
            .await;
        let answer = desk.connect(&attempt).await;
        let error = &answer.document["error"];
        assert_eq!((answer.code(), answer.exit), (code, 3), "{number}: {error}");
        let reference = error["reference"].as_str().unwrap_or_default();
        assert!(
            reference.contains(&format!("AADSTS{number},")),
            "{number}: {reference}"
        );
        assert!(
            !error["hint"].as_str().unwrap_or_default().is_empty(),
            "{number}"
        );
        assert_eq!(error["link"].is_string(), has_page, "{number}: {error}");
        desk.assert_nothing_left(code);
        desk.relent().await;
    }
    // One that is in no table, and a service that is out of order.
    desk.tell(
        "entra",
        &json!({"refuse": {"at": "code", "code": 99_999, "error": "invalid_request", "status": 400, "text": "Something new."}}),
    )
    .await;
    let answer = desk.connect(&attempt).await;
    assert_eq!((answer.code(), answer.exit), ("sign_in_refused", 3));
    desk.assert_nothing_left("unlisted");
}

/// A name, what the simulator is told, the attempt, its code and its exit code.
type Mistake = (
    &'static str,
    Option<(&'static str, Value)>,
    Attempt,
    &'static str,
    i32,
);

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_in_the_registration_are_refused_by_what_is_really_there() {
    let desk = Desk::new().await;
    let good = desk.good();
    let browser = Attempt {
        browser: true,
        ..good.clone()
    };
    let public = desk.bench.org.description().public_client_id.clone();
    let spa =
        json!({"redirect_uris": [{"uri": "http://localhost/oauth/callback", "platform": "spa"}]});
    let expired = json!({"secrets": [{"id": "00000000-0000-4000-8000-000000000001", "value": "old~secret", "expires_in_s": -1}]});
    let cases: Vec<Mistake> = vec![
        (
            "another secret",
            None,
            Attempt {
                secret: Some("wrong".into()),
                ..good.clone()
            },
            "invalid_client_secret",
            3,
        ),
        (
            "an expired secret",
            Some(("app", expired)),
            Attempt {
                secret: Some("old~secret".into()),
                ..good.clone()
            },
            "secret_expired",
            3,
        ),
        (
            "no secret",
            None,
            Attempt {
                secret: None,
                ..browser.clone()
            },
            "secret_missing",
            3,
        ),
        (
            "a secret too many",
            None,
            Attempt {
                client: public,
                ..browser.clone()
            },
            "public_client_with_secret",
            3,
        ),
        (
            "the wrong platform",
            Some(("app", spa)),
            browser.clone(),
            "redirect_uri_single_page",
            3,
        ),
        (
            "another client",
            None,
            Attempt {
                client: "11111111-1111-4111-8111-111111111111".into(),
                ..good.clone()
            },
            "client_not_found",
            3,
        ),
        (
            "another tenant",
            None,
            Attempt {
                tenant: Some("22222222-2222-4222-8222-222222222222".into()),
                ..good.clone()
            },
            "tenant_not_found",
            3,
        ),
        (
            "a tenant of no form",
            None,
            Attempt {
                tenant: Some("nobody".into()),
                ..good.clone()
            },
            "tenant_not_found",
            3,
        ),
        (
            "somebody else's tenant",
            None,
            Attempt {
                tenant: Some("lykke.example".into()),
                ..good.clone()
            },
            "other_tenant",
            3,
        ),
        (
            "a tenant without Dynamics",
            Some(("tenant", json!({"dynamics": false}))),
            good.clone(),
            "permission_missing",
            3,
        ),
        (
            "declined",
            Some(("consent", json!({"mode": "decline"}))),
            browser.clone(),
            "declined",
            3,
        ),
        (
            "not a member",
            Some(("app", json!({"application_user": false}))),
            good.clone(),
            "not_a_member",
            3,
        ),
    ];
    for (what, told, attempt, code, exit) in cases {
        desk.reset().await;
        if let Some((path, body)) = told {
            desk.tell(path, &body).await;
        }
        let answer = desk.connect(&attempt).await;
        assert_eq!(
            (answer.code(), answer.exit),
            (code, exit),
            "{what}: {}",
            answer.document
        );
        desk.assert_nothing_left(what);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_refused_each_in_its_own_way() {
    let desk = Desk::new().await;
    let good = desk.good();
    let foreign = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = foreign.local_addr().expect("an address").port().to_string();
    let at = |environment: &str| Attempt {
        environment: environment.to_owned(),
        ..good.clone()
    };
    let cases = [
        ("not a url", at("not a url"), "bad_environment", 2),
        (
            "plain http",
            at("http://norrvale.example"),
            "bad_environment",
            2,
        ),
        (
            "with a password",
            at("https://a:b@norrvale.example"),
            "bad_environment",
            2,
        ),
        ("nobody there", at("http://localhost:9"), "unreachable", 4),
        (
            "another web site",
            at(&desk.bench.org.description().foreign_url),
            "not_dataverse",
            1,
        ),
        (
            "no client id",
            Attempt {
                client: "norrvale".into(),
                ..good.clone()
            },
            "bad_client_id",
            2,
        ),
        (
            "a tenant that climbs",
            Attempt {
                tenant: Some("..".into()),
                ..good.clone()
            },
            "bad_tenant",
            2,
        ),
        (
            "the secret's id",
            Attempt {
                secret: Some("5f1c0f64-2a57-4b5a-9c53-0d3f4c3ba001".into()),
                ..good.clone()
            },
            "bad_client_secret",
            2,
        ),
        (
            "no authority",
            Attempt {
                authority: Some("http://login.example".into()),
                ..good.clone()
            },
            "bad_authority",
            2,
        ),
        (
            "a port that is taken",
            Attempt {
                browser: true,
                more: vec!["--redirect-port".into(), port],
                ..good.clone()
            },
            "port_taken",
            1,
        ),
        (
            "wrong flags",
            Attempt {
                more: vec!["--no-such-flag".into()],
                ..good.clone()
            },
            "usage",
            2,
        ),
        (
            "a folder that cannot be made",
            Attempt {
                more: vec!["--data-dir".into(), "/sys/salesmirror".into()],
                ..good.clone()
            },
            "not_writable",
            1,
        ),
        (
            "a folder in a file",
            Attempt {
                more: vec!["--data-dir".into(), "/dev/null/salesmirror".into()],
                ..good.clone()
            },
            "file_failed",
            1,
        ),
    ];
    for (what, attempt, code, exit) in cases {
        let answer = desk.connect(&attempt).await;
        assert_eq!(
            (answer.code(), answer.exit),
            (code, exit),
            "{what}: {}",
            answer.document
        );
        for key in ["message", "hint"] {
            let text = answer.document["error"][key].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{what}: {}", answer.document);
        }
        desk.assert_nothing_left(what);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_enough_and_only_a_known_sign_in_service_is_believed() {
    let desk = Desk::new().await;
    let alone = Attempt {
        authority: None,
        tenant: None,
        ..desk.good()
    };
    desk.tell(
        "faults",
        &json!({"match": {"path_contains": "/WhoAmI", "times": 1}, "action": {"status": 401, "headers": {
            "WWW-Authenticate": "Bearer authorization_uri=https://login.evil.example/t/oauth2/authorize, resource_id=https://evil.example/"}}}),
    )
    .await;
    let answer = desk.connect(&alone).await;
    assert_eq!(
        (answer.code(), answer.exit),
        ("unknown_authority", 1),
        "{}",
        answer.document
    );
    desk.assert_nothing_left("unknown authority");

    for variants in [
        json!({"challenge_quoted": true, "challenge_separator": "comma"}),
        json!({"challenge_quoted": false, "challenge_separator": "blank"}),
    ] {
        desk.reset().await;
        desk.tell("variants", &variants).await;
        let answer = desk.connect(&alone).await;
        assert_eq!(answer.exit, 0, "{variants}: {}", answer.document);
        let purged = desk.run(&["disconnect", "demo", "--purge"]);
        assert_eq!(
            purged.document,
            json!({"disconnected": "demo", "purged": true})
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_lists_environments_and_hears_why_a_sign_in_ended() {
    let desk = Desk::new().await;
    let browser = Attempt {
        browser: true,
        ..desk.good()
    };
    desk.tell("privileges", &json!({"table": "lead", "read": "none"}))
        .await;
    let connected = desk.connect(&browser).await;
    assert_eq!(connected.exit, 0, "{}", connected.document);
    let user = connected.document["user"].clone();
    let failed: Vec<&str> = connected.document["checks"]
        .as_array()
        .expect("checks")
        .iter()
        .filter(|check| check["ok"] == false)
        .filter_map(|check| check["name"].as_str())
        .collect();
    assert_eq!(failed, ["Read lead"]);
    assert_eq!(desk.run(&["sync"]).exit, 1, "one table is refused");

    let discovery = desk.bench.org.description().discovery_url.clone();
    let listed = desk.run(&["environments", "--discovery", &discovery]);
    let names = listed.document["environments"].as_array().expect("a list");
    assert!(
        listed.exit == 0
            && names
                .iter()
                .any(|found| found["url"]
                    .as_str()
                    .is_some_and(|url| url.trim_end_matches('/')
                        == browser.environment.trim_end_matches('/'))),
        "{}",
        listed.document
    );
    desk.tell(
        "discovery",
        &json!({"own": false, "enabled": 0, "disabled": 0}),
    )
    .await;
    let listed = desk.run(&["environments", "--discovery", &discovery]);
    assert_eq!(
        (listed.exit, &listed.document),
        (0, &json!({"environments": []}))
    );
    let elsewhere = desk.run(&[
        "environments",
        "--discovery",
        "https://globaldisco.evil.example",
    ]);
    assert_eq!((elsewhere.code(), elsewhere.exit), ("bad_discovery", 2));

    let doctor = desk.run(&["doctor"]);
    let checks = doctor.document["checks"].as_array().expect("checks");
    assert!(
        doctor.exit == 0 && checks.iter().all(|check| check["ok"] == true),
        "{}",
        doctor.document
    );

    for (number, code) in [
        (700_082, "sign_in_expired"),
        (700_084, "sign_in_expired"),
        (50_133, "sign_in_revoked"),
    ] {
        desk.tell("tokens/revoke", &json!({"user": user, "code": number}))
            .await;
        let synced = desk.run(&["sync", "--table", "account"]);
        let error = &synced.document["runs"][0]["error"];
        assert_eq!(
            (error["code"].as_str(), synced.exit),
            (Some(code), 3),
            "{number}: {}",
            synced.document
        );
        let connections = desk.run(&["connections"]).document;
        assert_eq!(connections[0]["signed_in"], false, "{connections}");
        desk.run(&["disconnect", "demo", "--purge"]);
        assert_eq!(desk.connect(&browser).await.exit, 0);
    }

    // What conditional access asks for goes along with the next interactive sign-in.
    let claims = r#"{"access_token":{"polids":{"essential":true}}}"#;
    desk.tell(
        "entra",
        &json!({"refuse": {"at": "refresh", "code": 50_079, "claims": claims}}),
    )
    .await;
    let synced = desk.run(&["sync", "--table", "account"]);
    assert_eq!(
        synced.document["runs"][0]["error"]["code"], "conditional_access",
        "{}",
        synced.document
    );
    let arguments = ["sign-in", "--no-browser", "--timeout", "1"].map(str::to_owned);
    let output = desk.command(&arguments).output().expect("the program runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let first: Value =
        serde_json::from_str(text.lines().next().unwrap_or_default()).expect("a line");
    let page = first["authorization_url"]
        .as_str()
        .expect("an address")
        .to_owned();
    assert!(page.contains("&claims=%7B%22access_token%22"), "{page}");
    assert_eq!(
        (Answer::of(&output).code(), output.status.code()),
        ("timed_out", Some(3)),
        "{text}"
    );
}

#[test]
fn a_handed_over_key_stands_in_for_a_keychain() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let bench = runtime.block_on(Bench::new(ROWS));
    let org = bench.org.description();
    let script = r#"cd "$HOME"; export SALESMIRROR_SECRETS_FD=3
        head -c 32 /dev/urandom | base64 > key; head -c 32 /dev/urandom | base64 > other; echo short > short
        connect() { printf '%s' "$SECRET" | "$SM" connect --json --name demo --environment "$ENVIRONMENT" \
          --client-id "$CLIENT" --client-secret-stdin --flow client-credentials; }
        connect 3< short; echo "exit $?"; connect; echo "exit $?"
        "$SM" doctor --json 3< key > /dev/null; echo "exit $?"; [ ! -e "$SALESMIRROR_DATA_DIR" ]; echo "exit $?"
        connect 3< key > /dev/null; echo "exit $?"
        "$SM" sync --json 3< key > /dev/null; echo "exit $?"
        "$SM" status --json 3< other; echo "exit $?"
        "$SM" disconnect demo --purge --json 3< key; ls -A "$SALESMIRROR_DATA_DIR""#;
    let output = Command::new("sh")
        .args(["-c", script])
        .env("SM", tests::program("salesmirror"))
        .env("HOME", bench.folder.path())
        .env("SALESMIRROR_DATA_DIR", bench.data_dir())
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
        .env("ENVIRONMENT", &org.environment_url)
        .env("CLIENT", &org.client_id)
        .env("SECRET", &org.client_secret)
        .output()
        .expect("a shell");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let exits: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("exit"))
        .collect();
    assert_eq!(
        exits,
        [
            "exit 6", "exit 6", "exit 0", "exit 0", "exit 0", "exit 0", "exit 6"
        ],
        "{text}"
    );
    assert_eq!(
        text.matches("\"reference\":\"absent\"").count(),
        2,
        "{text}"
    );
    assert_eq!(
        text.matches("\"reference\":\"locked\"").count(),
        1,
        "{text}"
    );
    assert!(!text.contains("secrets.sealed"), "{text}");
}

#[test]
fn a_full_disk_is_said_before_the_sign_in_and_by_a_sync_that_goes_on_later() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let rows = "account=4000,contact=4000,lead=10,opportunity=10,systemuser=10";
    let bench = runtime.block_on(Bench::new(rows));
    let org = bench.org.description();
    // Small file systems of their own, in a mount namespace that ends with the script.
    let script = r#"cd "$HOME"; export SALESMIRROR_SECRETS_FD=3
        head -c 32 /dev/urandom | base64 > key
        connect() { printf '%s' "$SECRET" | "$SM" --data-dir "$1/data" connect --json --name demo \
          --environment "$ENVIRONMENT" --client-id "$CLIENT" --client-secret-stdin --flow client-credentials 3< key; }
        mkdir tiny small; mount -t tmpfs -o size=128k tmpfs tiny && mount -t tmpfs -o size=2m tmpfs small || exit 77
        connect tiny; echo "exit $?"; ls -A tiny
        connect small > /dev/null; echo "exit $?"
        "$SM" --data-dir small/data sync --json 3< key; echo "exit $?"
        mount -o remount,size=200m small
        "$SM" --data-dir small/data sync --json 3< key > /dev/null; echo "exit $?""#;
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", script])
        .env("SM", tests::program("salesmirror"))
        .env("HOME", bench.folder.path())
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
        .env("ENVIRONMENT", &org.environment_url)
        .env("CLIENT", &org.client_id)
        .env("SECRET", &org.client_secret)
        .output()
        .expect("unshare runs");
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let exits: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("exit"))
        .collect();
    assert_eq!(exits, ["exit 1", "exit 0", "exit 1", "exit 0"], "{text}");
    assert!(
        text.starts_with("{\"error\":{\"code\":\"disk_full\""),
        "{text}"
    );
    assert!(!text.contains("\ndata\n"), "{text}");
    let synced = text
        .lines()
        .find(|line| line.starts_with("{\"runs\""))
        .unwrap_or_default();
    assert!(synced.contains("\"code\":\"disk_full\""), "{synced}");
}
