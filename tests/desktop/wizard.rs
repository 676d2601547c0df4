//! The wizard, as somebody clicks through it.

use std::path::Path;
use std::time::Duration;

use salesmirror_sample_org::{Config, SampleOrg, parse_rows, yesterday};
use serde_json::json;

use crate::desktop::{Desktop, Window};

/// Collects what the content security policy refuses from here on.
pub const WATCH_POLICY: &str = "window.refused = []; document.addEventListener(\
    'securitypolicyviolation', (event) => window.refused.push(event.violatedDirective));";

/// How the app is registered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    Web,
    Public,
}

pub fn folder() -> tempfile::TempDir {
    let _ = rustls::crypto::ring::default_provider().install_default();
    tempfile::tempdir().expect("a folder")
}

/// An organisation of somebody else, in another process as far as the app can tell.
pub async fn organization() -> SampleOrg {
    organization_at(0).await
}

/// The same one at a port where it was before.
pub async fn organization_at(port: u16) -> SampleOrg {
    start(
        "account=400,contact=16000,lead=300,opportunity=300,systemuser=20",
        400,
        port,
    )
    .await
}

/// One with few rows, that answers at once.
pub async fn small_organization() -> SampleOrg {
    start(
        "account=20,contact=60,lead=20,opportunity=20,systemuser=5",
        0,
        0,
    )
    .await
}

/// One with a million users, whose rows are short, so that they come soon in a build for tests.
pub async fn large_organization() -> SampleOrg {
    start(
        "account=20,contact=20,lead=20,opportunity=20,systemuser=1000000",
        0,
        0,
    )
    .await
}

/// One with a million contacts, whose records are as long as those of real ones, and end yesterday.
pub async fn million_contacts() -> SampleOrg {
    let rows = "account=2000,contact=1000000,lead=3000,opportunity=3000,systemuser=60";
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let config = Config {
        rows: parse_rows(rows).expect("rows"),
        present: yesterday(now.expect("a clock").as_secs().cast_signed()),
        ..Config::default()
    };
    SampleOrg::start(config).await.expect("an organisation")
}

async fn start(rows: &str, latency_ms: u64, port: u16) -> SampleOrg {
    let config = Config {
        port,
        rows: parse_rows(rows).expect("rows"),
        latency: Duration::from_millis(latency_ms),
        ..Config::default()
    };
    SampleOrg::start(config).await.expect("an organisation")
}

pub async fn control(org: &SampleOrg, path: &str, body: impl Into<String>) {
    let url = format!("{}/{path}", org.description().control_url);
    let reply = reqwest::Client::new()
        .post(url)
        .body(body.into())
        .send()
        .await;
    assert!(reply.expect("a reply").status().is_success(), "{path}");
}

pub async fn end_control(org: &SampleOrg, path: &str) {
    let url = format!("{}/{path}", org.description().control_url);
    let reply = reqwest::Client::new().delete(url).send().await;
    assert!(reply.expect("a reply").status().is_success(), "{path}");
}

/// Where the organisation is, and whose tenant.
pub async fn choose(window: &Window, org: &SampleOrg) {
    let place = org.description();
    window.see("step-choose").await;
    window.click("cloud-own").await;
    window.write("setup-authority", &place.authority_url).await;
    window.write("setup-discovery", &place.discovery_url).await;
    window.write("setup-tenant", &place.tenant_id).await;
    window.expect_text("step-choose", "Tenant found").await;
}

pub async fn next(window: &Window, step: &str) {
    window.click("setup-next").await;
    window.see(&format!("step-{step}")).await;
}

pub async fn credentials(window: &Window, org: &SampleOrg, registration: Registration) {
    let place = org.description();
    if registration == Registration::Public {
        window
            .write("setup-client_id", &place.public_client_id)
            .await;
        return;
    }
    window.write("setup-client_id", &place.client_id).await;
    window
        .write("setup-client_secret", &place.client_secret)
        .await;
    leave(window).await;
    window.see("secret-kept").await;
}

/// Leaves the field that is being typed in.
pub async fn leave(window: &Window) {
    window.js("document.activeElement.blur()").await;
}

pub async fn environment(window: &Window, org: &SampleOrg) {
    let address = &org.description().environment_url;
    window.write("setup-environment", address).await;
    window.see("environment-found").await;
    window.write("setup-name", "Norrvale").await;
}

/// From the welcome page to the sign-in.
pub async fn to_sign_in(window: &Window, org: &SampleOrg, registration: Registration) {
    window.click("welcome-connect").await;
    from_choose(window, org, registration).await;
}

/// From the first step to the sign-in.
pub async fn from_choose(window: &Window, org: &SampleOrg, registration: Registration) {
    choose(window, org).await;
    next(window, "register").await;
    next(window, "redirect").await;
    if registration == Registration::Public {
        window.click("platform-public").await;
    }
    next(window, "permission").await;
    next(window, "credentials").await;
    credentials(window, org, registration).await;
    next(window, "environment").await;
    environment(window, org).await;
    next(window, "sign_in").await;
}

/// Signs in at the page that the system's browser was sent to.
pub async fn sign_in(window: &Window, desktop: &Desktop) {
    window.click("setup-sign-in").await;
    visit(window, desktop).await;
}

pub async fn visit(window: &Window, desktop: &Desktop) {
    let address = desktop.visited().await;
    window.see("signin-wait").await;
    reqwest::get(address).await.expect("the browser's page");
}

/// From the welcome page to the checks, all of which pass.
pub async fn to_check(window: &Window, desktop: &Desktop, org: &SampleOrg) {
    control(org, "consent", r#"{"mode":"accept"}"#).await;
    to_sign_in(window, org, Registration::Web).await;
    sign_in(window, desktop).await;
    window
        .expect_text("check-title", "Everything is ready")
        .await;
}

/// Whether nothing is synced at the moment.
pub const IS_IDLE: &str =
    "return document.querySelector('[data-testid=\"sync-now\"]').disabled === false";

/// The sign-in of a connection ends, which its next sync finds out; keeps a picture of that as `state`, and
/// signs in again from the banner.
pub async fn sign_in_again(window: &Window, desktop: &Desktop, org: &SampleOrg, state: &str) {
    control(org, "tokens/revoke", "{}").await;
    window.expect_js(IS_IDLE, &json!(true)).await;
    window.click("sync-now").await;
    window.see("banner-sign-in").await;
    window.state(state).await;
    control(org, "consent", r#"{"mode":"accept"}"#).await;
    window.click("banner-sign-in").await;
    let address = desktop.visited().await;
    reqwest::get(address).await.expect("the browser's page");
    window
        .expect_js(
            "return document.querySelector('[data-testid=banner-sign-in]') === null",
            &json!(true),
        )
        .await;
}

/// Waits until all five tables are.
pub async fn synced(window: &Window) {
    for table in ["account", "contact", "lead", "opportunity", "systemuser"] {
        window
            .expect_text(&format!("table-state-{table}"), "In sync")
            .await;
    }
}

/// Whether a secret is in a file below the folder; names the first that has it.
pub fn file_with(folder: &Path, secret: &str) -> Option<String> {
    let wide: Vec<u8> = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap_or_default();
            let has = |wanted: &[u8]| bytes.windows(wanted.len()).any(|part| part == wanted);
            if has(secret.as_bytes()) || has(&wide) {
                return Some(path.display().to_string());
            }
        }
    }
    None
}
