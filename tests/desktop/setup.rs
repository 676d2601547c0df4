//! Setting up a connection in the window.

use serde_json::json;

use crate::desktop::{Desktop, Keychain, Window};
use crate::wizard::{
    self, Registration, WATCH_POLICY, choose, control, credentials, environment, file_with, folder,
    leave, next, small_organization,
};

/// What is typed is there again after the app was closed in the middle of a step.
async fn reopen(desktop: &Desktop, window: Window, step: &str) -> Window {
    window.close().await;
    let window = desktop.open().await;
    window.see("welcome-begun").await;
    window.click("welcome-connect").await;
    window.see(&format!("step-{step}")).await;
    window
}

async fn value(window: &Window, field: &str) -> serde_json::Value {
    let script = format!("return document.querySelector('[data-testid=\"setup-{field}\"]').value");
    window.js(&script).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wizard_leads_from_nothing_to_a_synced_organisation_and_loses_nothing_when_closed() {
    let (folder, org) = (folder(), small_organization().await);
    let place = org.description().clone();
    let desktop = Desktop::start(folder.path(), Keychain::Unlocked);
    let window = desktop.open().await;
    window.js(WATCH_POLICY).await;
    window.click("welcome-connect").await;
    window.see("step-choose").await;
    window.picture("setup-1-choose");
    choose(&window, &org).await;
    window.picture("setup-1-own");
    let window = reopen(&desktop, window, "choose").await;
    assert_eq!(value(&window, "tenant").await, json!(place.tenant_id));
    next(&window, "register").await;
    window.picture("setup-2-portal");
    window.click("way-azure_cli").await;
    window.expect_text("script", "az ").await;
    window.picture("setup-2-script");
    let window = reopen(&desktop, window, "register").await;
    window.expect_text("script", "az ").await;
    window.click("way-exists").await;
    next(&window, "redirect").await;
    window.picture("setup-3-redirect");
    window.write("setup-redirect_port", "8765").await;
    window
        .expect_text("step-redirect", "http://localhost:8765/oauth/callback")
        .await;
    let window = reopen(&desktop, window, "redirect").await;
    assert_eq!(value(&window, "redirect_port").await, json!("8765"));
    next(&window, "permission").await;
    window.picture("setup-4-permission");
    let window = reopen(&desktop, window, "permission").await;
    next(&window, "credentials").await;
    what_is_wrong_is_said(&window).await;
    credentials(&window, &org, Registration::Web).await;
    window.picture("setup-5-credentials");
    secret_is_gone(&window, &place.client_secret).await;
    let window = reopen(&desktop, window, "credentials").await;
    window.see("secret-kept").await;
    assert_eq!(value(&window, "client_id").await, json!(place.client_id));
    next(&window, "environment").await;
    environment(&window, &org).await;
    window.picture("setup-6-environment");
    let window = reopen(&desktop, window, "environment").await;
    window.see("environment-found").await;
    next(&window, "sign_in").await;
    window.picture("setup-7-sign-in");
    let window = reopen(&desktop, window, "sign_in").await;
    window.click("setup-sign-in").await;
    window.see("signin-wait").await;
    window.picture("setup-7-waiting");
    // Closed while the browser is open: the sign-in begins anew.
    window.close().await;
    let _ = desktop.visited().await;
    let window = desktop.open().await;
    window.click("welcome-connect").await;
    window.see("step-sign_in").await;
    control(&org, "consent", r#"{"mode":"accept"}"#).await;
    wizard::sign_in(&window, &desktop).await;
    window
        .expect_text("check-title", "Everything is ready")
        .await;
    window.expect_text("cost", "of 40,000 a day").await;
    window.picture("setup-8-check");
    let window = reopen(&desktop, window, "check").await;
    window
        .expect_text("check-title", "Everything is ready")
        .await;
    window.click("start-first-sync").await;
    window.expect_text("table-state-contact", "In sync").await;
    window.expect_text("table-rows-contact", "60").await;
    window
        .expect_js("return window.refused ?? []", &json!([]))
        .await;
    window.close().await;
    assert_eq!(file_with(folder.path(), &place.client_secret), None);
    assert!(!folder.path().join("data/setup.json").exists());
}

/// Everything that can be seen to be wrong is said before anything is sent.
async fn what_is_wrong_is_said(window: &Window) {
    for (field, typed, said) in [
        ("client_id", "Salesmirror", "not an application (client) ID"),
        ("tenant", "two words", "A tenant is a GUID or a domain"),
        ("tenant", "nobody.example", "does not know"),
    ] {
        window.write(&format!("setup-{field}"), typed).await;
        leave(window).await;
        window.expect_text("step-credentials", said).await;
    }
    window.write("setup-tenant", "norrvale.example").await;
    leave(window).await;
    window.expect_text("step-credentials", "Tenant found").await;
    for (typed, said) in [
        (
            "5f1c0f64-2a57-4b5a-9c53-0d3f4c3ba001",
            "This is the secret's ID, not its value.",
        ),
        (" smp8Q~with.space", "white space around the secret"),
    ] {
        window.write("setup-client_secret", typed).await;
        leave(window).await;
        window.expect_text("secret-error", said).await;
    }
    window.picture("setup-5-problem");
}

/// Once it is kept, neither the fields nor the page have it.
async fn secret_is_gone(window: &Window, secret: &str) {
    let script = format!(
        "return [...document.querySelectorAll('input')].some((input) => input.value.includes('{secret}')) || \
         document.documentElement.outerHTML.includes('{secret}')"
    );
    assert_eq!(window.js(&script).await, json!(false));
}
