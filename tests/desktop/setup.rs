//! Setting up a connection in the window.

use fantoccini::Locator;
use salesmirror_core::explanations::look_up;
use salesmirror_sample_org::SampleOrg;
use serde_json::{Value, json};

use crate::desktop::{Browser, Desktop, Keychain, Look, Window};
use crate::wizard::{
    self, Registration, WATCH_POLICY, choose, control, credentials, end_control, environment,
    file_with, folder, leave, next, small_organization,
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

async fn value(window: &Window, field: &str) -> Value {
    let script = format!("return document.querySelector('[data-testid=\"setup-{field}\"]').value");
    window.js(&script).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wizard_leads_from_nothing_to_a_synced_organisation_and_loses_nothing_when_closed() {
    let (folder, org) = (folder(), small_organization().await);
    let place = org.description().clone();
    let desktop = Desktop::start(folder.path(), Keychain::Unlocked, Look::Light);
    let window = desktop.open().await;
    window.js(WATCH_POLICY).await;
    window.click("welcome-connect").await;
    window.see("step-choose").await;
    window.state("setup-1-choose").await;
    choose(&window, &org).await;
    window.state("setup-1-own").await;
    let window = reopen(&desktop, window, "choose").await;
    assert_eq!(value(&window, "tenant").await, json!(place.tenant_id));
    next(&window, "register").await;
    window.state("setup-2-portal").await;
    window.click("way-azure_cli").await;
    window.expect_text("script", "az ").await;
    window.state("setup-2-script").await;
    let window = reopen(&desktop, window, "register").await;
    window.expect_text("script", "az ").await;
    window.click("way-exists").await;
    next(&window, "redirect").await;
    window.state("setup-3-redirect").await;
    window.write("setup-redirect_port", "8765").await;
    window
        .expect_text("step-redirect", "http://localhost:8765/oauth/callback")
        .await;
    let window = reopen(&desktop, window, "redirect").await;
    assert_eq!(value(&window, "redirect_port").await, json!("8765"));
    next(&window, "permission").await;
    window.state("setup-4-permission").await;
    let window = reopen(&desktop, window, "permission").await;
    next(&window, "credentials").await;
    what_is_wrong_is_said(&window).await;
    credentials(&window, &org, Registration::Web).await;
    window.state("setup-5-credentials").await;
    secret_is_gone(&window, &place.client_secret).await;
    let window = reopen(&desktop, window, "credentials").await;
    window.see("secret-kept").await;
    assert_eq!(value(&window, "client_id").await, json!(place.client_id));
    next(&window, "environment").await;
    environment(&window, &org).await;
    window.state("setup-6-environment").await;
    let window = reopen(&desktop, window, "environment").await;
    window.see("environment-found").await;
    next(&window, "sign_in").await;
    window.state("setup-7-sign-in").await;
    let window = reopen(&desktop, window, "sign_in").await;
    window.click("setup-sign-in").await;
    window.see("signin-wait").await;
    window.state("setup-7-waiting").await;
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
    window.state("setup-8-check").await;
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
    window.state("setup-5-problem").await;
}

/// Once it is kept, neither the fields nor the page have it.
async fn secret_is_gone(window: &Window, secret: &str) {
    let script = format!(
        "return [...document.querySelectorAll('input')].some((input) => input.value.includes('{secret}')) || \
         document.documentElement.outerHTML.includes('{secret}')"
    );
    assert_eq!(window.js(&script).await, json!(false));
}

/// The system's browser is a real one, and the sign-in page is the organisation's own.
#[tokio::test(flavor = "multi_thread")]
async fn a_public_client_picks_its_environment_from_the_list_in_a_real_browser() {
    let (folder, org) = (folder(), small_organization().await);
    let desktop = Desktop::start(folder.path(), Keychain::Unlocked, Look::Dark);
    let browser = Browser::install(&desktop);
    let window = desktop.open().await;
    window.click("welcome-connect").await;
    choose(&window, &org).await;
    next(&window, "register").await;
    next(&window, "redirect").await;
    window.click("platform-public").await;
    window.state("setup-3-public").await;
    next(&window, "permission").await;
    next(&window, "credentials").await;
    credentials(&window, &org, Registration::Public).await;
    window.state("setup-5-public").await;
    next(&window, "environment").await;

    // First a list that is empty, then the real one.
    control(
        &org,
        "discovery",
        r#"{"own":false,"enabled":0,"disabled":0}"#,
    )
    .await;
    window.click("list-environments").await;
    accept(&browser, "authorize").await;
    window.see("environments-empty").await;
    window.state("setup-6-empty").await;
    control(
        &org,
        "discovery",
        r#"{"own":true,"enabled":1,"disabled":1}"#,
    )
    .await;
    window.click("list-environments").await;
    accept(&browser, "authorize").await;
    window.see("environments").await;
    window.state("setup-6-list").await;
    window.click("listed-environment").await;
    window.see("environment-found").await;
    assert_eq!(value(&window, "name").await, json!("Norrvale Group"));
    next(&window, "sign_in").await;

    // Declined first, then another account, then accepted.
    window.click("setup-sign-in").await;
    answer(&browser, "authorize", "cancel").await;
    expect_error(&window, "declined").await;
    window.click("setup-sign-in-other").await;
    let asked = desktop.visited_last();
    assert!(asked.contains("prompt=select_account"), "{asked}");
    let page = accept(&browser, "authorize").await;
    let said = page.find(Locator::Css("body")).await.expect("a page");
    let said = said.text().await.expect("a text");
    assert!(said.contains("Salesmirror"), "{said}");
    window
        .expect_text("check-title", "Everything is ready")
        .await;
    window.state("setup-8-public").await;
    window.click("start-first-sync").await;
    window.expect_text("table-state-contact", "In sync").await;
    window.close().await;
}

/// Answers the page that the browser shows; gives the browser at the page it lands on.
async fn answer(browser: &Browser, part: &str, word: &str) -> fantoccini::Client {
    let page = browser.page(part).await;
    let button = format!("button[value='{word}']");
    let button = page.find(Locator::Css(&button)).await.expect("a button");
    button.click().await.expect("a click");
    browser.page("/oauth/callback").await
}

async fn accept(browser: &Browser, part: &str) -> fantoccini::Client {
    answer(browser, part, "accept").await
}

async fn expect_error(window: &Window, code: &str) {
    let script =
        "return document.querySelector('[data-testid=\"setup-error\"]')?.dataset.code ?? null";
    window.expect_js(script, &json!(code)).await;
}

/// The app signs in by itself once the organisation knows it, and reads what its role allows.
#[tokio::test(flavor = "multi_thread")]
async fn an_unattended_connection_leaves_out_what_its_role_does_not_read() {
    let (folder, org) = (folder(), small_organization().await);
    let client = org.description().client_id.clone();
    let desktop = Desktop::start(folder.path(), Keychain::Unlocked, Look::Dark);
    let window = desktop.open().await;
    wizard::to_sign_in(&window, &org, Registration::Web).await;
    window.click("flow-app").await;
    window.state("setup-7-app").await;
    let known = |is_known: bool| json!({"client_id": client, "application_user": is_known});
    control(&org, "app", known(false).to_string()).await;
    window.click("setup-sign-in").await;
    expect_error(&window, "not_a_member").await;
    window.state("setup-7-not-a-member").await;
    control(&org, "app", known(true).to_string()).await;
    control(&org, "privileges", r#"{"table":"lead","read":"none"}"#).await;
    let own_rows = r#"{"table":"opportunity","read":"user"}"#;
    control(&org, "privileges", own_rows).await;
    window.click("setup-sign-in").await;
    window
        .expect_text("check-title", "One check needs you")
        .await;
    window.expect_text("check-Read Leads", "privilege").await;
    window.expect_text("check-Read Leads", "0x80040220").await;
    window
        .expect_text("check-Read Opportunities", "Own rows only")
        .await;
    window.state("setup-8-failed").await;
    // Mended while one looks at it, and broken again.
    control(&org, "privileges", r#"{"table":"lead","read":"all"}"#).await;
    window.click("check-again").await;
    window
        .expect_text("check-title", "Ready, with something to know")
        .await;
    window
        .expect_text("check-Read Opportunities", "Organization")
        .await;
    window.state("setup-8-caution").await;
    control(&org, "privileges", r#"{"table":"lead","read":"none"}"#).await;
    window.click("check-again").await;
    window
        .expect_text("start-without", "Start without Leads")
        .await;
    window.click("start-without").await;
    window.expect_text("table-state-contact", "In sync").await;
    let tables = "return document.querySelectorAll('[data-testid^=\"home-table-\"]').length";
    window.expect_js(tables, &json!(4)).await;
    window.close().await;
}

/// The keychain locks while one is in the middle of it: nothing is lost, and it goes on once it is
/// unlocked.
#[tokio::test(flavor = "multi_thread")]
async fn a_keychain_that_locks_in_the_middle_is_said_and_goes_on_when_unlocked() {
    let (folder, org) = (folder(), small_organization().await);
    let place = org.description().clone();
    let desktop = Desktop::start(folder.path(), Keychain::Unlocked, Look::Light);
    let window = desktop.open().await;
    window.click("welcome-connect").await;
    choose(&window, &org).await;
    for step in ["register", "redirect", "permission", "credentials"] {
        next(&window, step).await;
    }
    window.write("setup-client_id", &place.client_id).await;
    desktop.replace_keyring(false);
    window
        .write("setup-client_secret", &place.client_secret)
        .await;
    leave(&window).await;
    window
        .expect_text("secret-error", "keychain is locked")
        .await;
    window.state("setup-5-keychain-locked").await;
    desktop.replace_keyring(true);
    window.click("secret-again").await;
    window.see("secret-kept").await;
    secret_is_gone(&window, &place.client_secret).await;

    next(&window, "environment").await;
    environment(&window, &org).await;
    next(&window, "sign_in").await;
    desktop.replace_keyring(false);
    window.click("setup-sign-in").await;
    expect_error(&window, "keychain_locked").await;
    window.state("setup-7-keychain-locked").await;
    desktop.replace_keyring(true);
    control(&org, "consent", r#"{"mode":"accept"}"#).await;
    wizard::sign_in(&window, &desktop).await;
    window
        .expect_text("check-title", "Everything is ready")
        .await;
    window.click("start-first-sync").await;
    window.expect_text("table-state-contact", "In sync").await;

    // And once everything runs: a sync says so, and goes on.
    desktop.replace_keyring(false);
    window.close().await;
    let window = desktop.open().await;
    window
        .expect_js(
            "return document.body.innerText.includes('keychain is locked')",
            &json!(true),
        )
        .await;
    window.state("keychain-locked").await;
    desktop.replace_keyring(true);
    window.click("open-again").await;
    window.expect_text("table-rows-contact", "60").await;
    window.close().await;
    assert_eq!(file_with(folder.path(), &place.client_secret), None);
}

/// How a sign-in is refused.
struct Refusal {
    number: u32,
    /// The state that leads to it: an address of the control interface, and what it is told.
    state: (&'static str, Value),
}

fn refusals(org: &SampleOrg) -> Vec<Refusal> {
    let place = org.description();
    let app = |fields: Value| {
        let mut all = fields;
        all["client_id"] = place.client_id.clone().into();
        ("app", all)
    };
    let user = |fields: Value| {
        let mut all = fields;
        all["user"] = 0.into();
        ("user", all)
    };
    let uri = "http://localhost/oauth/callback";
    let by_state = [
        (
            7_000_215,
            app(json!({"secrets": [{"value": "another~secret"}]})),
        ),
        (
            7_000_222,
            app(json!({"secrets": [{"value": place.client_secret, "expires_in_s": -1}]})),
        ),
        (
            700_025,
            app(
                json!({"public_flows": true, "redirect_uris": [{"uri": uri, "platform": "public"}]}),
            ),
        ),
        (50_011, app(json!({"redirect_uris": []}))),
        (
            9_002_327,
            app(json!({"redirect_uris": [{"uri": uri, "platform": "spa"}]})),
        ),
        (700_016, app(json!({"deleted": true}))),
        (90_008, app(json!({"permissions": []}))),
        (650_057, app(json!({"permissions": ["graph"]}))),
        (50_105, app(json!({"assignment_required": true}))),
        (
            650_052,
            (
                "tenant",
                json!({"tenant": place.tenant_id, "dynamics": false}),
            ),
        ),
        (65_004, ("consent", json!({"mode": "decline"}))),
        (
            50_020,
            (
                "consent",
                json!({"mode": "accept", "user": "anna.berg@lykke.example"}),
            ),
        ),
        (53_000, user(json!({"condition": "device_not_compliant"}))),
        (53_001, user(json!({"condition": "device_not_joined"}))),
        (53_002, user(json!({"condition": "app_not_approved"}))),
        (53_003, user(json!({"condition": "blocked"}))),
        (530_035, user(json!({"condition": "security_defaults"}))),
        (50_055, user(json!({"password_expired": true}))),
        (50_057, user(json!({"enabled": false}))),
    ];
    // What another client, or a moment that cannot be waited for, leads to.
    let by_word = [
        7_000_218, 90_023, 9_002_326, 90_002, 900_023, 65_001, 90_094, 500_011, 50_034, 50_076,
        50_079, 50_158, 50_173, 50_133, 70_008, 700_082, 700_084, 54_005, 70_000, 50_126,
    ];
    let by_word = by_word.map(|number| {
        let rule = json!({"refuse": {"at": "code", "code": number}});
        (number, ("entra", rule))
    });
    by_state
        .into_iter()
        .chain(by_word)
        .map(|(number, state)| Refusal { number, state })
        .collect()
}

/// Every row of the table of refusals, as it is seen: what it is, what to do, and the button that
/// leads there. Some refusals are shown by the browser only; there the number leads to the same.
#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_of_a_sign_in_is_seen_with_its_fix_and_repaired() {
    let (folder, org) = (folder(), small_organization().await);
    let desktop = Desktop::start(folder.path(), Keychain::Unlocked, Look::Light);
    let window = desktop.open().await;
    wizard::to_sign_in(&window, &org, Registration::Web).await;
    let mut in_browser = 0;
    for refusal in refusals(&org) {
        let number = refusal.number;
        control(&org, "reset", "{}").await;
        control(&org, "consent", r#"{"mode":"accept"}"#).await;
        let (path, body) = &refusal.state;
        control(&org, path, body.to_string()).await;
        window.click("setup-sign-in").await;
        let address = desktop.visited().await;
        window.see("signin-wait").await;
        let reply = reqwest::get(&address).await.expect("the browser's page");
        let is_in_browser = !reply.url().path().contains("/oauth/callback");
        let page = reply.text().await.expect("a text");
        let expected = look_up(&format!("AADSTS{number}")).expect("a row of the table");
        let place = match is_in_browser {
            true => "browser-error-found",
            false => "setup-error",
        };
        if is_in_browser {
            in_browser += 1;
            assert!(
                page.contains(&format!("AADSTS{number}")),
                "{number}: {page}"
            );
            window
                .write(
                    "browser-error",
                    &format!("AADSTS{number}: as the page said"),
                )
                .await;
        }
        let code = format!(
            "return document.querySelector('[data-testid=\"{place}\"]')?.dataset.code ?? null"
        );
        window.expect_js(&code, &json!(expected.code)).await;
        let said = window.text(place).await;
        let fix: String = expected.fix.chars().take(30).collect();
        assert!(said.contains(&fix), "{number}: {said}");
        assert_eq!(
            said.contains("Open the page"),
            expected.page.is_some(),
            "{number}: {said}"
        );
        if !is_in_browser {
            assert!(
                said.contains("AADSTS") || said.contains("Copy details"),
                "{number}: {said}"
            );
        }
        window.state(&format!("error-{number}")).await;
        if is_in_browser {
            window.click("signin-cancel").await;
            window.see("setup-sign-in").await;
        }
    }
    assert!(in_browser > 5, "{in_browser}");

    // What is mended in the set-up itself is one click away.
    control(&org, "reset", "{}").await;
    control(&org, "consent", r#"{"mode":"accept"}"#).await;
    let place = org.description();
    let app = json!({"client_id": place.client_id, "secrets": [{"value": "another~secret"}]});
    control(&org, "app", app.to_string()).await;
    wizard::sign_in(&window, &desktop).await;
    expect_error(&window, "invalid_client_secret").await;
    window.click("setup-mend").await;
    window.see("step-credentials").await;
    window.click("rail-sign_in").await;

    // Nobody is at the other end, the port is taken, the sign-in is stopped: each with its own words.
    control(&org, "reset", "{}").await;
    end_control(&org, "entra").await;
    window.click("rail-redirect").await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    window.write("setup-redirect_port", &port.to_string()).await;
    next(&window, "permission").await;
    window.click("rail-sign_in").await;
    window.click("setup-sign-in").await;
    expect_error(&window, "port_taken").await;
    window.state("error-port").await;
    drop(taken);
    control(&org, "consent", r#"{"mode":"accept"}"#).await;
    wizard::sign_in(&window, &desktop).await;
    window
        .expect_text("check-title", "Everything is ready")
        .await;
    window.close().await;
}

/// Two connections side by side, and what can be changed of one.
#[tokio::test(flavor = "multi_thread")]
async fn two_connections_are_told_apart_changed_and_disconnected() {
    let (folder, org) = (folder(), small_organization().await);
    let desktop = Desktop::start(folder.path(), Keychain::Unlocked, Look::Dark);
    let window = desktop.open().await;
    window.click("welcome-sample").await;
    window.expect_text("table-rows-contact", "12,0").await;
    window.click("switcher").await;
    window.click("connect-another").await;
    control(&org, "consent", r#"{"mode":"accept"}"#).await;
    wizard::from_choose(&window, &org, Registration::Web).await;
    wizard::sign_in(&window, &desktop).await;
    window.click("start-first-sync").await;
    window.expect_text("table-rows-contact", "60").await;
    window.click("switcher").await;
    window.state("switcher").await;
    window.click_css("[data-testid='switch-connection']").await;
    window.expect_text("table-rows-contact", "12,0").await;
    window.click("switcher").await;
    window
        .click_css("[data-testid='switch-connection']:nth-of-type(2)")
        .await;
    window.expect_text("table-rows-contact", "60").await;

    window.click("nav-settings").await;
    window.click("settings-connections").await;
    window.state("settings-connections").await;
    window.write("connection-name", "Sample organisation").await;
    window.click("connection-save").await;
    window.expect_text("connection-error", "already").await;
    window.write("connection-name", "Norrvale production").await;
    window.write("connection-expires", "2020-01-01").await;
    window.write("connection-port", "8766").await;
    window.click("connection-save").await;
    window.see("connection-kept").await;
    // The secret was changed at the service: nothing works until the new one is entered here.
    let place = org.description().clone();
    let app = json!({"client_id": place.client_id, "secrets": [{"value": "new~secret.Value"}]});
    control(&org, "app", app.to_string()).await;
    control(&org, "tokens/expire", "{}").await;
    window.click("nav-home").await;
    window
        .expect_text("notice", "has expired on 1 Jan 2020")
        .await;
    window.click("sync-now").await;
    window
        .expect_js(
            "return document.body.textContent.includes('did not accept the client secret')",
            &json!(true),
        )
        .await;
    window.state("home-wrong-secret").await;
    window.click("nav-settings").await;
    window.click("settings-connections").await;
    window
        .write("connection-secret", "5f1c0f64-2a57-4b5a-9c53-0d3f4c3ba001")
        .await;
    window.click("connection-save").await;
    window
        .expect_text("connection-error", "secret's ID, not its value")
        .await;
    window.write("connection-secret", "new~secret.Value").await;
    window.click("connection-save").await;
    window.see("connection-kept").await;
    secret_is_gone(&window, "new~secret.Value").await;
    window.click("nav-home").await;
    window.click("sync-now").await;
    window.expect_text("table-state-contact", "In sync").await;
    assert_eq!(file_with(folder.path(), "new~secret.Value"), None);

    window.click("nav-settings").await;
    window.click("settings-network").await;
    window.state("settings-network").await;
    window.click("settings-diagnostics").await;
    window.click("diagnostics-show").await;
    window.expect_text("diagnostics", "contact: 60 rows").await;
    window.state("settings-diagnostics").await;
    window.click("settings-about").await;
    window.click("licences-show").await;
    window.write("licences-search", "sqlcipher").await;
    window.state("settings-about").await;
    window.click("settings-connections").await;
    window.click("connection-disconnect").await;
    window.click("disconnect-erase").await;
    window.state("disconnect-keep").await;
    window.click("disconnect-confirm").await;
    window.expect_text("table-rows-contact", "12,0").await;
    // What was kept is told, and can be erased.
    window.click("nav-settings").await;
    window.click("settings-connections").await;
    window.see("left-data").await;
    window.state("settings-left").await;
    window.click("left-erase").await;
    window.click("left-confirm").await;
    window
        .expect_js(
            "return document.querySelector('[data-testid=left-data]') === null",
            &json!(true),
        )
        .await;
    let left = desktop.secrets();
    assert_eq!(
        left.len(),
        3,
        "the sample's key and secret, and the app's key: {left:?}"
    );
    window.close().await;
}
