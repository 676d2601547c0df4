//! The local API, switched on in the window and called by other programs.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::desktop::{Desktop, Keychain, Look, Window};
use crate::keyboard::{ENTER, SPACE, push, tab_to, type_into};
use crate::wizard::{WATCH_POLICY, folder, synced};

/// Whether no key is listed.
const HAS_NO_KEY: &str = "return document.querySelector('[data-testid=api-key]') === null";

#[tokio::test(flavor = "multi_thread")]
async fn the_api_is_switched_on_called_moved_and_there_again_after_a_restart() {
    let folder = folder();
    let desktop = Desktop::start(folder.path(), Keychain::Unlocked, Look::Light);
    let window = desktop.open().await;
    window.js(WATCH_POLICY).await;
    window.click("welcome-sample").await;
    synced(&window).await;
    window.click("nav-api").await;
    window.expect_text("api-state", "Off").await;
    window.state("api-off").await;

    // A port that another program has is said, and another one is taken.
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = taken.local_addr().expect("an address").port();
    move_to(&window, port).await;
    window.click("api-switch").await;
    window.expect_text("api-state", "Not running").await;
    window.state("api-port-taken").await;
    drop(taken);
    let port = free_port();
    move_to(&window, port).await;
    window.expect_text("api-state", "Running").await;
    let base = window.text("api-url").await;
    assert_eq!(base, format!("http://127.0.0.1:{port}"));

    let list = format!("{base}/crm/v2/contacts?page_size=3");
    assert_eq!(call(&list, None).await.0, StatusCode::UNAUTHORIZED);
    let key = make_key(&window, "Nightly report").await;
    window.expect_text("api-snippet", &key).await;
    window.state("api-key-made").await;
    let (status, page) = call(&list, Some(&key)).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    assert_eq!(page["records"].as_array().map(Vec::len), Some(3), "{page}");
    window.click("api-made-done").await;
    window
        .expect_text("api-snippet", "SALESMIRROR_API_KEY")
        .await;
    window.expect_text("api-key", "Nightly report").await;
    window.expect_text("api-call", "/crm/v2/contacts").await;
    // It may read, and no more.
    let write = reqwest::Client::new()
        .delete(format!("{base}/crm/v2/contacts/{}", uuid::Uuid::nil()))
        .bearer_auth(&key)
        .send()
        .await
        .expect("an answer");
    assert_eq!(write.status(), StatusCode::FORBIDDEN);
    window.expect_text("api-call", "DELETE").await;
    window.state("api-called").await;
    window.close().await;

    let window = desktop.open().await;
    window.click("nav-api").await;
    window.expect_text("api-state", "Running").await;
    assert_eq!(call(&list, Some(&key)).await.0, StatusCode::OK);
    // What is revoked is refused at once, and what is off answers nobody.
    window.click("api-key-revoke").await;
    window.state("api-revoke").await;
    window.click("api-revoke-confirm").await;
    window.expect_js(HAS_NO_KEY, &json!(true)).await;
    assert_eq!(call(&list, Some(&key)).await.0, StatusCode::UNAUTHORIZED);
    window.click("theme-switch").await;
    window.click("theme-dark").await;
    window.state("api-dark").await;
    window.click("api-switch").await;
    window.expect_text("api-state", "Off").await;
    assert!(reqwest::get(&list).await.is_err(), "nobody listens");
    assert_eq!(window.js("return window.refused ?? []").await, json!([]));
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_made_tried_and_revoked_by_keyboard_alone() {
    let folder = folder();
    let desktop = Desktop::start(folder.path(), Keychain::Unlocked, Look::Light);
    let window = desktop.open().await;
    push(&window, "welcome-sample").await;
    synced(&window).await;
    push(&window, "nav-api").await;
    let port = free_port();
    tab_to(&window, "api-port").await;
    window.js("document.activeElement.select()").await;
    window.press(&port.to_string()).await;
    window.press(ENTER).await;
    tab_to(&window, "api-switch").await;
    window.press(SPACE).await;
    window.expect_text("api-state", "Running").await;
    push(&window, "api-key-add").await;
    type_into(&window, "api-key-name", "Nightly report").await;
    push(&window, "api-key-make").await;
    let key = window.text("api-made-key").await;
    let list = format!("http://127.0.0.1:{port}/crm/v2/contacts?page_size=3");
    assert_eq!(call(&list, Some(&key)).await.0, StatusCode::OK);
    push(&window, "api-made-done").await;
    push(&window, "api-key-revoke").await;
    tab_to(&window, "api-revoke-confirm").await;
    window.press(SPACE).await;
    window.expect_js(HAS_NO_KEY, &json!(true)).await;
    assert_eq!(call(&list, Some(&key)).await.0, StatusCode::UNAUTHORIZED);
    window.close().await;
}

async fn move_to(window: &Window, port: u16) {
    window.write("api-port", &port.to_string()).await;
    window.click("api-move").await;
    window
        .expect_js(
            "return document.querySelector('[data-testid=api-move]') === null",
            &json!(true),
        )
        .await;
}

/// Makes a key that may read; it is shown once.
async fn make_key(window: &Window, name: &str) -> String {
    window.click("api-key-add").await;
    window.write("api-key-name", name).await;
    window.state("api-key-new").await;
    window.click("api-key-make").await;
    window.text("api-made-key").await
}

/// Calls as another program does; gives the status and what was answered.
async fn call(url: &str, key: Option<&str>) -> (StatusCode, Value) {
    let mut request = reqwest::Client::new().get(url);
    if let Some(key) = key {
        request = request.bearer_auth(key);
    }
    let answer = request.send().await.expect("an answer");
    let status = answer.status();
    let body = answer.json().await.expect("JSON");
    (status, body)
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}
