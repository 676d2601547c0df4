//! What ends a sign-in that once worked, and what Microsoft's pages keep to themselves: provoked by
//! the state of accounts, registrations and clocks, and told by the program's codes.

use std::fs;

use salesmirror_store::DatabaseKey;
use salesmirror_store::testing::{Kind, make_newer};
use serde_json::{Value, json};

use crate::desk::{Answer, Attempt, Desk};

/// A state, the number that Entra ID gives it, and our code.
type State = (&'static str, Value, u32, &'static str);

/// States that the next refresh meets. Every row of the table of the protocol that can come there.
fn states() -> Vec<State> {
    let condition = |condition: &str| json!({"user": 0, "condition": condition});
    let revoked = |code: u32| json!({"code": code});
    vec![
        ("user", condition("mfa"), 50_076, "conditional_access"),
        (
            "user",
            condition("mfa_registration"),
            50_079,
            "conditional_access",
        ),
        ("user", condition("external"), 50_158, "conditional_access"),
        (
            "user",
            condition("device_not_compliant"),
            53_000,
            "conditional_access",
        ),
        (
            "user",
            condition("device_not_joined"),
            53_001,
            "conditional_access",
        ),
        (
            "user",
            condition("app_not_approved"),
            53_002,
            "conditional_access",
        ),
        ("user", condition("blocked"), 53_003, "conditional_access"),
        (
            "user",
            json!({"user": 0, "enabled": false}),
            50_057,
            "account_disabled",
        ),
        (
            "user",
            json!({"user": 0, "password_changed": true}),
            50_173,
            "sign_in_revoked",
        ),
        (
            "user",
            json!({"user": 0, "password_expired": true}),
            50_133,
            "sign_in_revoked",
        ),
        ("tokens/revoke", revoked(50_173), 50_173, "sign_in_revoked"),
        ("tokens/revoke", revoked(70_008), 70_008, "sign_in_expired"),
        (
            "tokens/revoke",
            revoked(700_084),
            700_084,
            "sign_in_expired",
        ),
        (
            "entra",
            json!({"advance_s": 7_776_001}),
            700_082,
            "sign_in_expired",
        ),
        (
            "app",
            json!({"assignment_required": true}),
            50_105,
            "user_not_assigned",
        ),
        (
            "app",
            json!({"consent": "withdrawn"}),
            65_001,
            "consent_needed",
        ),
        ("app", json!({"permissions": []}), 90_008, "consent_needed"),
        (
            "app",
            json!({"permissions": ["graph"]}),
            650_057,
            "permission_missing",
        ),
        (
            "tenant",
            json!({"dynamics": false}),
            650_052,
            "permission_missing",
        ),
        (
            "app",
            json!({"secrets": [{"value": "{secret}", "expires_in_s": -1}]}),
            7_000_222,
            "secret_expired",
        ),
        (
            "app",
            json!({"secrets": [{"value": "another~one", "expires_in_s": 600}]}),
            7_000_215,
            "invalid_client_secret",
        ),
        (
            "app",
            json!({"public_flows": true, "deleted": true}),
            700_016,
            "client_not_found",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_ends_a_sign_in_is_told_by_the_next_sync_and_keeps_everything() {
    let (desk, _) = connected_by_browser().await;
    assert_eq!(desk.run(&["sync"]).exit, 0);
    let secret = desk.bench.org.description().client_secret.clone();
    for (path, body, number, code) in states() {
        desk.reset().await;
        let again = sign_in(&desk).await;
        assert_eq!(again.exit, 0, "{number}: {}", again.document);
        let body = body.to_string().replace("{secret}", &secret);
        desk.tell(path, &serde_json::from_str(&body).expect("JSON"))
            .await;
        let synced = desk.run(&["sync", "--table", "account"]);
        let error = &synced.document["runs"][0]["error"];
        assert_eq!(
            (error["code"].as_str(), synced.exit),
            (Some(code), 3),
            "{number}: {}",
            synced.document
        );
        let reference = error["reference"].as_str().unwrap_or_default();
        assert!(
            reference.contains(&format!("AADSTS{number}")),
            "{number}: {error}"
        );
        assert!(
            error["hint"].as_str().is_some_and(|hint| hint.len() > 10),
            "{error}"
        );
        let records = desk.run(&["records", "account"]);
        assert_eq!(records.document["total"], 5, "{number}: rows stay");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signs_in_again_keeps_their_name_where_it_cannot_be_read() {
    let (desk, connected) = connected_by_browser().await;
    let name = &connected.document["user"];
    assert!(
        name.as_str().is_some_and(|name| name.contains('@')),
        "{name}"
    );
    let hidden = json!({"match": {"path_contains": "/systemusers("}, "action": {"status": 403}});
    desk.tell("faults", &hidden).await;
    let again = sign_in(&desk).await;
    assert_eq!(again.exit, 0, "{}", again.document);
    assert_eq!(&again.document["user"], name);
}

/// A connection that somebody at the browser signed in to, and what was said of it.
async fn connected_by_browser() -> (Desk, Answer) {
    let desk = Desk::new().await;
    let browser = Attempt {
        browser: true,
        ..desk.good()
    };
    desk.reset().await;
    let connected = desk.connect(&browser).await;
    assert_eq!(connected.exit, 0, "{}", connected.document);
    (desk, connected)
}

/// Signs in again, with somebody at the browser who accepts.
async fn sign_in(desk: &Desk) -> Answer {
    desk.with_browser(&["sign-in", "--no-browser", "--timeout", "20"], "")
        .await
}

/// States that Microsoft's page shows and keeps to itself: the browser never comes back.
fn pages() -> Vec<State> {
    let condition = |condition: &str| json!({"user": 0, "condition": condition});
    vec![
        ("app", json!({"redirect_uris": []}), 50_011, ""),
        ("app", json!({"assignment_required": true}), 50_105, ""),
        ("app", json!({"deleted": true}), 700_016, ""),
        ("user", condition("blocked"), 53_003, ""),
        ("user", condition("security_defaults"), 530_035, ""),
        (
            "user",
            json!({"user": 0, "password_expired": true}),
            50_055,
            "",
        ),
        ("user", json!({"user": 0, "enabled": false}), 50_057, ""),
        (
            "consent",
            json!({"mode": "accept", "user": "anna.berg@lykke.example"}),
            50_020,
            "",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_the_browser_was_told_ends_in_a_time_out_that_points_there() {
    let desk = Desk::new().await;
    for (path, body, number, _) in pages() {
        desk.reset().await;
        desk.tell(path, &body).await;
        let attempt = Attempt {
            browser: true,
            more: vec!["--timeout".into(), "2".into()],
            ..desk.good()
        };
        let answer = desk.connect(&attempt).await;
        let page = desk.last_page().await;
        assert!(
            page.contains(&format!("AADSTS{number}")),
            "{number}: {page}"
        );
        assert_eq!(
            (answer.code(), answer.exit),
            ("timed_out", 3),
            "{number}: {}",
            answer.document
        );
        let hint = answer.document["error"]["hint"]
            .as_str()
            .unwrap_or_default();
        assert!(hint.contains("AADSTS"), "{hint}");
        desk.assert_nothing_left(&number.to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_of_a_newer_version_are_refused_and_stay_as_they_are() {
    let desk = Desk::new().await;
    assert_eq!(desk.connect(&desk.good()).await.exit, 0);
    assert_eq!(desk.run(&["sync"]).exit, 0);
    let folder = desk.bench.data_dir();
    let databases: Vec<_> = fs::read_dir(&folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "db"))
        .collect();
    let mirror = databases
        .iter()
        .find(|path| path.file_name().is_some_and(|name| name != "app.db"))
        .expect("a mirror");
    let keys = desk.secrets();
    for (path, kind, name) in [
        (mirror.clone(), Kind::Mirror, "/mirror-key"),
        (folder.join("app.db"), Kind::App, "/app-key"),
    ] {
        let (_, key) = keys
            .iter()
            .find(|(found, _)| found.ends_with(name))
            .expect("a key");
        let key = DatabaseKey::from_hex(key).expect("a key");
        make_newer(&path, &key, kind).expect("a newer file");
        let before = fs::read(&path).expect("bytes");
        for command in [vec!["status"], vec!["sync"], vec!["records", "account"]] {
            let answer = desk.run(&command);
            assert_eq!(
                (answer.code(), answer.exit),
                ("database_newer", 1),
                "{kind:?} {command:?}: {}",
                answer.document
            );
        }
        assert_eq!(fs::read(&path).expect("bytes"), before, "{kind:?}");
    }
}
