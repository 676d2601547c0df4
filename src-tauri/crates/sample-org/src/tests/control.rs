//! The control interface refuses what it does not understand, and changes nothing then.

use super::{Bench, Pairs};

#[tokio::test]
async fn what_is_not_understood_is_refused_in_a_sentence() {
    let bench = Bench::new().await;
    for (method, path, body, status) in [
        ("POST", "app", r#"{"colour":"red"}"#, 400),
        ("POST", "app", r#"{"audience":"everybody"}"#, 400),
        (
            "POST",
            "app",
            r#"{"redirect_uris":[{"uri":"nowhere","platform":"web"}]}"#,
            400,
        ),
        ("POST", "user", "{}", 400),
        (
            "POST",
            "user",
            r#"{"user":"nobody@x.example","member":true}"#,
            400,
        ),
        ("POST", "user", r#"{"user":99999}"#, 400),
        ("POST", "user", r#"{"user":0,"condition":"rain"}"#, 400),
        ("POST", "user", r#"{"user":0,"tenant":"no.example"}"#, 400),
        ("POST", "tenant", r#"{"user_consent":"perhaps"}"#, 400),
        ("POST", "consent", r#"{"mode":"maybe"}"#, 400),
        (
            "POST",
            "consent",
            r#"{"mode":"accept","user":"nobody@norrvale.example"}"#,
            400,
        ),
        (
            "POST",
            "entra",
            r#"{"refuse":{"at":"night","code":1}}"#,
            400,
        ),
        (
            "POST",
            "entra",
            r#"{"refuse":{"at":"any","code":1,"status":200}}"#,
            400,
        ),
        ("POST", "tokens/revoke", r#"{"code":12}"#, 400),
        ("POST", "environment", r#"{"mode":"holiday"}"#, 400),
        ("POST", "environment", "{}", 400),
        ("POST", "discovery", r#"{"others":1}"#, 400),
        ("POST", "limits", r#"{"requests":"many"}"#, 400),
        ("POST", "limits", r#"{"window_ms":0}"#, 400),
        ("POST", "variants", r#"{"public_secret_code":1}"#, 400),
        ("POST", "variants", r#"{"challenge_separator":"crlf"}"#, 400),
        ("POST", "faults", r#"{"action":{"explode":true}}"#, 400),
        (
            "POST",
            "faults",
            r#"{"match":{"paths":"x"},"action":{}}"#,
            400,
        ),
        ("POST", "faults", r#"{"action":{"status":99}}"#, 400),
        ("POST", "faults", r#"{"action":{"gzip":"burnt"}}"#, 400),
        (
            "POST",
            "faults",
            r#"{"match":{"path":"/x"},"action":{"reset_accept":true}}"#,
            400,
        ),
        (
            "POST",
            "faults",
            r#"[{"action":{"stall":true}},{"action":{"stall":1}}]"#,
            400,
        ),
        (
            "POST",
            "activity",
            r#"{"creates":1,"tables":["dragon"]}"#,
            400,
        ),
        (
            "POST",
            "privileges",
            r#"{"table":"account","read":"most"}"#,
            400,
        ),
        (
            "POST",
            "tracking",
            r#"{"table":"dragon","enabled":true}"#,
            400,
        ),
        ("POST", "limits", "{", 400),
        ("GET", "dragon", "", 404),
        ("DELETE", "app", "", 404),
        ("GET", "table/dragon", "", 404),
    ] {
        let (got, answer) = bench.control_reply(method, path, body).await;
        assert_eq!(got, status, "{method} {path} {body}: {answer}");
        let sentence = answer["error"].as_str().unwrap_or_default();
        assert!(sentence.ends_with('.'), "{method} {path} {body}: {answer}");
    }
    let (_, faults) = bench.control_reply("GET", "faults", "").await;
    assert_eq!(faults, serde_json::json!([]), "nothing was half taken");
}

#[tokio::test]
async fn a_change_names_only_what_changes_and_is_answered_with_all() {
    let bench = Bench::new().await;
    for (path, change, field, value) in [
        ("limits", r#"{"enabled":true}"#, "requests", "6000"),
        ("variants", r#"{"error_uri":false}"#, "expires_in_s", "4500"),
        ("app", r#"{"public_flows":true}"#, "audience", "\"multi\""),
        ("user", r#"{"user":1,"assigned":true}"#, "enabled", "true"),
        (
            "tenant",
            r#"{"dynamics":false}"#,
            "user_consent",
            "\"allowed\"",
        ),
        ("discovery", r#"{"enabled":5}"#, "own", "true"),
    ] {
        let answer = bench.control(path, change).await;
        assert_eq!(answer[field].to_string(), value, "{path}: {answer}");
    }
}

#[tokio::test]
async fn a_reset_takes_everything_back() {
    let bench = Bench::new().await;
    let token = bench.access_token().await;
    let count = |text: String| text.lines().count();
    let truth = format!("{}/table/account", bench.org.description().control_url);
    for (path, body) in [
        ("limits", r#"{"enabled":true,"requests":1}"#),
        ("environment", r#"{"mode":"copying"}"#),
        ("app", r#"{"deleted":true}"#),
        ("variants", r#"{"challenge_quoted":true}"#),
        ("faults", r#"{"action":{"status":500}}"#),
        ("activity", r#"{"creates":5,"tables":["account"]}"#),
    ] {
        bench.control(path, body).await;
    }
    bench.control("reset", "").await;
    let rows = bench.http.get(truth).send().await.expect("rows");
    assert_eq!(count(rows.text().await.expect("a text")), 30);
    let reply = bench.call("WhoAmI", &token).send().await.expect("a reply");
    assert_eq!(reply.status(), 401, "tokens of before are gone");
    let tokens = bench.sign_in(&Pairs::new()).await;
    let token = tokens["access_token"].as_str().expect("a token");
    for _ in 0..3 {
        let reply = bench.call("WhoAmI", token).send().await.expect("a reply");
        assert_eq!(reply.status(), 200);
    }
}
