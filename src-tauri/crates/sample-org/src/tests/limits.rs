//! Service protection limits.

use std::time::Duration;

use reqwest::Response;
use serde_json::Value;

use super::{Bench, pairs};
use crate::Config;

async fn send(bench: &Bench, token: &str) -> Response {
    bench.call("WhoAmI", token).send().await.expect("a reply")
}

fn header<'a>(reply: &'a Response, name: &str) -> &'a str {
    let value = reply.headers().get(name);
    value.map_or("", |value| value.to_str().expect("a text"))
}

async fn code(reply: Response) -> String {
    let body: Value = reply.json().await.expect("JSON");
    body["error"]["code"].as_str().expect("a code").to_owned()
}

/// Seconds that the reply asks for.
fn wait(reply: &Response) -> u64 {
    header(reply, "retry-after").parse().expect("seconds")
}

#[tokio::test]
async fn headers_count_down_and_say_the_truth() {
    let bench = Bench::new().await;
    let token = bench.access_token().await;
    bench
        .control("limits", r#"{"enabled":true,"requests":5,"cost_ms":1000}"#)
        .await;
    for left in (0..5).rev() {
        let reply = send(&bench, &token).await;
        assert_eq!(reply.status(), 200);
        let burst = header(&reply, "x-ms-ratelimit-burst-remaining-xrm-requests");
        assert_eq!(burst, left.to_string());
        let time = header(&reply, "x-ms-ratelimit-time-remaining-xrm-requests");
        let seconds: f64 = time.replace(',', "").parse().expect("a number");
        assert!(
            time.starts_with("1,1") && seconds <= 1_200.0 - f64::from(5 - left),
            "{time}"
        );
    }
    let reply = send(&bench, &token).await;
    assert_eq!(reply.status(), 429);
    assert!((1..=300).contains(&wait(&reply)));
    assert_eq!(code(reply).await, "0x80072322");
}

#[tokio::test]
async fn whoever_waits_as_told_finds_room_and_whoever_does_not_waits_longer() {
    let bench = Bench::new().await;
    let token = bench.access_token().await;
    bench
        .control(
            "limits",
            r#"{"enabled":true,"requests":2,"window_ms":1500}"#,
        )
        .await;
    for _ in 0..2 {
        assert_eq!(send(&bench, &token).await.status(), 200);
    }
    let told = wait(&send(&bench, &token).await);
    tokio::time::sleep(Duration::from_secs(told)).await;
    assert_eq!(send(&bench, &token).await.status(), 200, "after {told} s");
    bench
        .control(
            "limits",
            r#"{"enabled":true,"requests":1,"window_ms":60000}"#,
        )
        .await;
    assert_eq!(send(&bench, &token).await.status(), 200);
    let mut waits = Vec::new();
    for _ in 0..4 {
        waits.push(wait(&send(&bench, &token).await));
        // Longer than a request may have been under way.
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    let [first, second, third, fourth] = waits[..] else {
        panic!("{waits:?}");
    };
    assert!(first <= 60 && second > first && third > second, "{waits:?}");
    assert!(
        fourth >= third && fourth <= 240,
        "four windows are the most: {waits:?}"
    );
}

#[tokio::test]
async fn execution_time_has_its_own_code() {
    let bench = Bench::new().await;
    let token = bench.access_token().await;
    bench
        .control(
            "limits",
            r#"{"enabled":true,"execution_ms":900,"cost_ms":500}"#,
        )
        .await;
    assert_eq!(send(&bench, &token).await.status(), 200);
    assert_eq!(send(&bench, &token).await.status(), 200);
    let reply = send(&bench, &token).await;
    assert_eq!(reply.status(), 429);
    assert_eq!(code(reply).await, "0x80072321");
}

#[tokio::test]
async fn too_many_at_once_have_their_own_code() {
    let bench = Bench::with(Config {
        latency: Duration::from_millis(400),
        ..Config::default()
    })
    .await;
    let token = bench.access_token().await;
    bench
        .control("limits", r#"{"enabled":true,"concurrent":2}"#)
        .await;
    let replies = futures::future::join_all((0..4).map(|_| send(&bench, &token))).await;
    let (good, refused): (Vec<_>, Vec<_>) =
        replies.into_iter().partition(|reply| reply.status() == 200);
    assert_eq!((good.len(), refused.len()), (2, 2));
    for reply in refused {
        assert_eq!(reply.status(), 429);
        assert_eq!(code(reply).await, "0x80072326");
    }
    assert_eq!(send(&bench, &token).await.status(), 200, "they have ended");
}

#[tokio::test]
async fn late_limits_let_the_first_window_pass() {
    let bench = Bench::new().await;
    let token = bench.access_token().await;
    bench
        .control(
            "limits",
            r#"{"enabled":true,"requests":1,"late":true,"window_ms":60000}"#,
        )
        .await;
    for _ in 0..3 {
        assert_eq!(send(&bench, &token).await.status(), 200);
    }
}

#[tokio::test]
async fn the_front_door_refuses_without_a_code() {
    let bench = Bench::new().await;
    let token = bench.access_token().await;
    bench.control("limits", r#"{"front_door":1}"#).await;
    assert_eq!(send(&bench, &token).await.status(), 200);
    let reply = send(&bench, &token).await;
    assert_eq!(reply.status(), 429);
    assert!(wait(&reply) >= 1);
    assert!(header(&reply, "content-type").starts_with("text/html"));
}

#[tokio::test]
async fn users_have_windows_of_their_own() {
    let bench = Bench::new().await;
    let one = bench.access_token().await;
    let (_, users) = bench.control_reply("GET", "user", "").await;
    let mail = users[1]["mail"].as_str().expect("a mail");
    let tokens = bench.sign_in(&pairs(&[("login_hint", mail)])).await;
    let other = tokens["access_token"].as_str().expect("a token");
    bench
        .control("limits", r#"{"enabled":true,"requests":1}"#)
        .await;
    assert_eq!(send(&bench, &one).await.status(), 200);
    assert_eq!(send(&bench, &one).await.status(), 429);
    assert_eq!(send(&bench, other).await.status(), 200);
}

#[tokio::test]
async fn an_environment_that_is_not_there_answers_in_html() {
    let bench = Bench::new().await;
    let token = bench.access_token().await;
    for mode in ["administration", "disabled", "copying"] {
        bench
            .control("environment", &format!(r#"{{"mode":"{mode}"}}"#))
            .await;
        let reply = send(&bench, &token).await;
        assert_eq!(reply.status(), 503, "{mode}");
        assert!(header(&reply, "content-type").starts_with("text/html"));
    }
    bench.control("environment", r#"{"mode":"normal"}"#).await;
    assert_eq!(send(&bench, &token).await.status(), 200);
}
