//! The window without a mouse.

use serde_json::{Value, json};

use crate::desktop::{Desktop, Keychain, Look, Window};
use crate::wizard::{control, folder, small_organization, visit};

pub const TAB: &str = "\u{e004}";
pub const ENTER: &str = "\u{e007}";
pub const SPACE: &str = " ";
pub const ESCAPE: &str = "\u{e00c}";
pub const DOWN: &str = "\u{e015}";
pub const RIGHT: &str = "\u{e014}";

/// More than any page has stops.
const STOPS: usize = 60;

/// What has the focus, and whether it can be seen to have it.
const FOCUSED: &str = "const at = document.activeElement; const place = at.getBoundingClientRect();
    return { name: `${at.tagName} ${at.dataset.testid ?? at.textContent.slice(0, 30)}`,
        isSeen: at === document.body || at.matches(':focus-visible') && place.bottom > 0 &&
            place.right > 0 && place.top < innerHeight && place.left < innerWidth }";

/// Goes from stop to stop with Tab until there. Each stop on the way has to show that it has the focus.
pub async fn tab_to(window: &Window, id: &str) {
    window.see(id).await;
    let is_there =
        format!("return document.activeElement.closest('[data-testid=\"{id}\"]') !== null");
    let mut passed = Vec::new();
    for _ in 0..STOPS {
        window.press(TAB).await;
        let focused = window.js(FOCUSED).await;
        passed.push(focused["name"].as_str().unwrap_or_default().to_owned());
        assert_eq!(focused["isSeen"], json!(true), "{passed:?}");
        if window.js(&is_there).await == json!(true) {
            return;
        }
    }
    window.picture("failed");
    panic!("{id} is not reached: {passed:?}");
}

pub async fn push(window: &Window, id: &str) {
    tab_to(window, id).await;
    window.press(ENTER).await;
}

pub async fn type_into(window: &Window, id: &str, text: &str) {
    tab_to(window, id).await;
    window.press(text).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_is_connected_and_a_record_looked_at_by_keyboard_alone() {
    let (folder, org) = (folder(), small_organization().await);
    let place = org.description().clone();
    let desktop = Desktop::start(folder.path(), Keychain::Unlocked, Look::Light);
    let window = desktop.open().await;
    push(&window, "welcome-connect").await;

    tab_to(&window, "cloud-commercial").await;
    let own = json!(true);
    for _ in 0..STOPS {
        window.press(DOWN).await;
        let script = "return document.querySelector('[data-testid=\"cloud-own\"]').checked";
        if window.js(script).await == own {
            break;
        }
    }
    type_into(&window, "setup-authority", &place.authority_url).await;
    type_into(&window, "setup-discovery", &place.discovery_url).await;
    type_into(&window, "setup-tenant", &place.tenant_id).await;
    window.expect_text("step-choose", "Tenant found").await;
    window.press(ENTER).await;

    window.see("step-register").await;
    push(&window, "setup-next").await;
    window.see("step-redirect").await;
    push(&window, "setup-next").await;
    window.see("step-permission").await;
    push(&window, "setup-next").await;
    window.see("step-credentials").await;
    type_into(&window, "setup-client_id", &place.client_id).await;
    type_into(&window, "setup-client_secret", &place.client_secret).await;
    window.press(TAB).await;
    window.see("secret-kept").await;
    push(&window, "setup-next").await;
    window.see("step-environment").await;
    type_into(&window, "setup-environment", &place.environment_url).await;
    window.see("environment-found").await;
    push(&window, "setup-next").await;
    window.see("step-sign_in").await;
    control(&org, "consent", r#"{"mode":"accept"}"#).await;
    push(&window, "setup-sign-in").await;
    visit(&window, &desktop).await;
    window
        .expect_text("check-title", "Everything is ready")
        .await;
    push(&window, "start-first-sync").await;

    window.expect_text("table-state-contact", "In sync").await;
    push(&window, "nav-contact").await;
    window.expect_text("status-total", "60").await;
    tab_to(&window, "grid").await;
    for _ in 0..STOPS {
        window.press(DOWN).await;
        let script = "return document.activeElement.closest('.ag-row')?.getAttribute('row-index')";
        if window.js(script).await == json!("2") {
            break;
        }
    }
    window.press(ENTER).await;
    window.see("panel").await;
    // The tabs of the record are one stop, gone through with the arrows.
    tab_to(&window, "panel-tabs").await;
    window.press(RIGHT).await;
    window.press(ENTER).await;
    window.press(ESCAPE).await;
    // The focus is again where it was.
    window
        .expect_js(
            "return document.querySelector('[data-testid=panel]') === null &&
                document.activeElement.closest('.ag-row')?.getAttribute('row-index')",
            &json!("2"),
        )
        .await;
    let help: Value = json!(true);
    window.press("?").await;
    window
        .expect_js(
            "return document.body.innerText.includes('Keyboard shortcuts')",
            &help,
        )
        .await;
    window.press(ESCAPE).await;
    window.close().await;
}
