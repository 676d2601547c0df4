//! Requests of one's own, sent from the window.

use salesmirror_sample_org::SampleOrg;
use serde_json::json;

use crate::desktop::{Desktop, Keychain, Look, Window};
use crate::keyboard::{DOWN, ENTER, ESCAPE, TAB, push, tab_to, type_into};
use crate::strange::ids;
use crate::wizard::{
    self, WATCH_POLICY, control, end_control, file_with, folder, small_organization,
};

const CONTROL_ENTER: &str = "\u{e009}\u{e007}";
/// What was copied last; the web view's clipboard is not the test's to read.
const WATCH_CLIPBOARD: &str = "window.copied = []; navigator.clipboard.writeText = \
    (text) => { window.copied.push(text); return Promise.resolve(); };";

/// A connected organisation, with the page in sight.
async fn console(desktop: &Desktop, org: &SampleOrg) -> Window {
    let window = desktop.open().await;
    window.js(WATCH_POLICY).await;
    wizard::to_check(&window, desktop, org).await;
    window.click("start-first-sync").await;
    wizard::synced(&window).await;
    window.click("nav-console").await;
    window.see("path").await;
    window
}

async fn choose_method(window: &Window, method: &str) {
    window.click("method").await;
    let script = format!(
        "const found = [...document.querySelectorAll('[role=option]')].find((one) => one.textContent === '{method}'); \
         found?.click(); return found !== undefined"
    );
    window.expect_js(&script, &json!(true)).await;
    window.expect_text("method", method).await;
}

/// Puts a whole request into the editor.
async fn write_request(window: &Window, method: &str, path: &str, body: &str) {
    window.click("console-new").await;
    choose_method(window, method).await;
    window.write("path", path).await;
    if !body.is_empty() {
        window.click("part-body").await;
        window.write("body", body).await;
    }
    window.js("document.activeElement.blur()").await;
}

/// Reads a path, and waits for the status.
async fn get(window: &Window, path: &str, status: &str) {
    write_request(window, "GET", path, "").await;
    window.click("console-send").await;
    window.expect_text("reply-status", status).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_is_shown_copied_and_saved() {
    let (folder, org) = (folder(), small_organization().await);
    let desktop = Desktop::start(folder.path(), Keychain::Unlocked, Look::Light);
    let window = console(&desktop, &org).await;
    window.js(WATCH_CLIPBOARD).await;
    window
        .expect_text("console-examples", "Nothing sent yet")
        .await;
    window.state("console-empty").await;

    // The path and its parameters are completed from what is mirrored.
    window.write("path", "acc").await;
    window.see("path-list").await;
    window.state("console-completion").await;
    window.press(DOWN).await;
    window.press(ENTER).await;
    let path = "return document.querySelector('[data-testid=path]').value";
    window.expect_js(path, &json!("accounts")).await;
    window.write("query-name-0", "$select").await;
    window.write("query-value-0", "name,reven").await;
    window.see("query-value-0-list").await;
    window.press(DOWN).await;
    window.press(ENTER).await;
    window.write("query-name-1", "$top").await;
    window.write("query-value-1", "3").await;
    window.click("part-headers").await;
    window.write("headers-name-0", "Prefer").await;
    window
        .write("headers-value-0", "odata.include-annotations=\"*\"")
        .await;
    window.press(ESCAPE).await;
    window.click("console-send").await;
    window.expect_text("reply-status", "200 OK").await;
    window.expect_text("reply-time", " ").await;
    window.expect_text("reply-text", "\"@odata.etag\": ").await;
    window.expect_text("console-live", "200 OK").await;
    window.click("part-query").await;
    window.state("console-reply").await;

    window.click("reply-copy").await;
    window.click("console-curl").await;
    let copied = "return [window.copied[0].startsWith('{\\n  \"@odata.context\"'), \
         window.copied[1].includes('/api/data/v9.2/accounts?$select=name,revenue&$top=3'), \
         window.copied[1].includes('Bearer $TOKEN')]";
    window.expect_js(copied, &json!([true, true, true])).await;
    window.click("reply-headers-tab").await;
    window.expect_text("reply-headers", "odata-version").await;
    window.state("console-reply-headers").await;

    // Every digit stays, on the page and in the file.
    let body = r#"{"value":[922337203685477.5801,1.10]}"#;
    let fault =
        json!({"match": {"path_contains": "/leads"}, "action": {"status": 200, "body": body}});
    control(&org, "faults", fault.to_string()).await;
    get(&window, "leads", "200 OK").await;
    window
        .expect_text("reply-text", "    922337203685477.5801,\n    1.10\n")
        .await;
    let file = folder.path().join("leads.json");
    window.click("reply-save").await;
    window.save_as(&file).await;
    let said = "return document.body.innerText.includes('Saved leads.json')";
    window.expect_js(said, &json!(true)).await;
    assert_eq!(std::fs::read_to_string(&file).expect("the file"), body);

    // A long reply is drawn where one looks, and copied whole.
    let rows: Vec<String> = (0..150_000)
        .map(|row| format!("{{\"row\":{row}}}"))
        .collect();
    let body = format!("{{\"value\":[{}]}}", rows.join(","));
    let fault =
        json!({"match": {"path_contains": "/accounts"}, "action": {"status": 200, "body": body}});
    end_control(&org, "faults").await;
    control(&org, "faults", fault.to_string()).await;
    get(&window, "accounts", "200 OK").await;
    window.expect_text("reply-text", "\"row\": 0").await;
    let last = "const pane = document.querySelector('[data-testid=reply-text]'); \
         pane.scrollTop = pane.scrollHeight; \
         return [pane.innerText.includes('\"row\": 149999'), pane.querySelectorAll('.reply-line').length < 200]";
    window.expect_js(last, &json!([true, true])).await;
    window.state("console-long-reply").await;
    window.js("window.copied = []").await;
    window.click("reply-copy").await;
    let lines = "return window.copied[0]?.split('\\n').length";
    window.expect_js(lines, &json!(450_004)).await;
    end_control(&org, "faults").await;

    get(&window, "$metadata", "200 OK").await;
    window.expect_text("reply-text", "<edmx:Edmx").await;
    window.expect_js("return window.refused", &json!([])).await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_work_is_explained() {
    let (folder, org) = (folder(), small_organization().await);
    let desktop = Desktop::start(folder.path(), Keychain::Unlocked, Look::Dark);
    let window = console(&desktop, &org).await;

    get(&window, "accounts?$select=nonsense", "400 Bad request").await;
    window
        .expect_text("reply-problem", "Its own words say what is wrong")
        .await;
    window.expect_text("reply-text", "nonsense").await;
    window.state("console-refused").await;
    control(&org, "privileges", r#"{"table":"lead","read":"none"}"#).await;
    get(&window, "leads", "403 Forbidden").await;
    window
        .expect_text("reply-problem", "lacks the privilege")
        .await;
    control(&org, "privileges", r#"{"table":"lead","read":"all"}"#).await;

    // Refused here, with the reason.
    write_request(&window, "GET", "../../x", "").await;
    window.click("console-send").await;
    window.expect_text("answer-error", "Not sent").await;
    window.expect_text("answer-error", "dot segments").await;
    window.state("console-not-sent").await;
    write_request(&window, "POST", "accounts", "{\"name\" \"Quilt\"}").await;
    window.click("console-send").await;
    window
        .expect_text("answer-error", "a colon is expected")
        .await;
    window.expect_text("body-state", "Line 1, column 9").await;
    window.state("console-bad-body").await;

    // The service asks to wait: it is waited for.
    let throttle = r#"{"match":{"path_contains":"/WhoAmI","times":1},"action":{"status":429,"retry_after_s":12}}"#;
    control(&org, "faults", throttle).await;
    write_request(&window, "GET", "WhoAmI", "").await;
    window.click("console-send").await;
    window
        .expect_text("console-waiting", "Throttled, sent again in")
        .await;
    window.state("console-throttled").await;
    window.expect_text("reply-status", "200 OK").await;
    window.expect_text("reply-time", "throttled").await;

    // No answer comes, and somebody stops waiting.
    let stall = r#"{"match":{"path_contains":"/contacts"},"action":{"stall":true}}"#;
    control(&org, "faults", stall).await;
    write_request(&window, "GET", "contacts", "").await;
    window.click("console-send").await;
    window.expect_text("console-waiting", "Waiting for").await;
    window.state("console-waiting").await;
    window.click("console-cancel").await;
    window
        .expect_text("answer-error", "You stopped waiting")
        .await;
    let reset = r#"{"match":{"path_contains":"/contacts"},"action":{"reset":true}}"#;
    end_control(&org, "faults").await;
    control(&org, "faults", reset).await;
    window.click("send-again").await;
    window.expect_text("answer-error", "broke off").await;
    window.state("console-no-answer").await;
    end_control(&org, "faults").await;
    window.click("send-again").await;
    window.expect_text("reply-status", "200 OK").await;

    // The sign-in ends, and begins anew.
    control(&org, "tokens/revoke", "{}").await;
    write_request(&window, "GET", "WhoAmI", "").await;
    window.click("console-send").await;
    window.see("console-sign-in").await;
    window
        .expect_text("answer-error", "Sign in to send it")
        .await;
    let disabled = "return document.querySelector('[data-testid=console-send]').disabled";
    window.expect_js(disabled, &json!(true)).await;
    window.state("console-signed-out").await;
    window.click("console-sign-in").await;
    wizard::visit(&window, &desktop).await;
    window.see("path").await;
    window.expect_js(disabled, &json!(false)).await;
    window.click("console-send").await;
    window.expect_text("reply-status", "200 OK").await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_are_asked_about_and_requests_are_there_after_a_restart() {
    let (folder, org) = (folder(), small_organization().await);
    let contact = ids(&org, "contact").await[0].clone();
    let contact = contact.as_str().expect("an id").to_owned();
    let desktop = Desktop::start(folder.path(), Keychain::Unlocked, Look::Light);
    let window = console(&desktop, &org).await;

    let path = format!("contacts({contact})");
    let body = r#"{"jobtitle":"Quilt Emeritus"}"#;
    write_request(&window, "PATCH", &path, body).await;
    window.click("body-format").await;
    let formatted = "return document.querySelector('[data-testid=body]').value";
    let shown = json!("{\n  \"jobtitle\": \"Quilt Emeritus\"\n}");
    window.expect_js(formatted, &shown).await;
    window.click("console-send").await;
    window
        .expect_text("write-dialog", "Update this contact?")
        .await;
    window.expect_text("write-where", "Norrvale").await;
    window.expect_text("write-record", &contact).await;
    window.expect_text("write-request", "Quilt Emeritus").await;
    window.state("console-write").await;
    window.click("write-cancel").await;
    window
        .expect_js(
            "return document.querySelector('[data-testid=history-request]')",
            &json!(null),
        )
        .await;
    window.click("console-send").await;
    window.click("write-confirm").await;
    window.expect_text("reply-status", "204 No content").await;
    window
        .expect_text("reply-affected", "has read this contact again")
        .await;
    window.state("console-written").await;
    // The mirror has it already.
    window.click_css("[data-testid=reply-affected] a").await;
    window.expect_text("panel", "Quilt Emeritus").await;
    window.click("nav-console").await;

    // Saved, changed, and saved again.
    window.click("console-save").await;
    window.write("name", "Retire a quilter").await;
    window.state("console-save").await;
    window.click("name-confirm").await;
    window.expect_text("console-name", "Retire a quilter").await;
    window.click("part-headers").await;
    window.write("headers-name-0", "If-Match").await;
    window.write("headers-value-0", "*").await;
    window.click("console-update").await;
    window
        .expect_js(
            "return document.querySelector('[data-testid=console-update]')",
            &json!(null),
        )
        .await;

    write_request(&window, "DELETE", &path, "").await;
    window.click("console-send").await;
    window
        .expect_text("write-dialog", "Delete this contact?")
        .await;
    window.state("console-delete").await;
    window.click("write-cancel").await;
    get(&window, "WhoAmI", "200 OK").await;
    window.close().await;
    let traces = ["Quilt Emeritus", "Retire a quilter"].map(|text| file_with(folder.path(), text));
    assert_eq!(traces, [None, None]);

    let window = desktop.open().await;
    window.click("nav-console").await;
    window.expect_text("saved-list", "Retire a quilter").await;
    window.expect_text("history-list", "WhoAmI").await;
    window.expect_text("history-list", "204 No content").await;
    window.click("saved-request").await;
    window.expect_text("console-name", "Retire a quilter").await;
    window.click("part-headers").await;
    let value = "return document.querySelector('[data-testid=headers-value-0]').value";
    window.expect_js(value, &json!("*")).await;
    window.click("saved-more").await;
    window.click("saved-rename").await;
    window.write("name", "Quilter retires").await;
    window.click("name-confirm").await;
    window.expect_text("saved-list", "Quilter retires").await;
    window.expect_text("console-name", "Quilter retires").await;
    // What is done with a narrow window closes the menu, so that it is looked at first.
    window.click("history-more").await;
    window.state("console-menu").await;
    window.press(ESCAPE).await;
    window.click("saved-more").await;
    window.click("saved-run").await;
    window.click("write-confirm").await;
    window.expect_text("reply-status", "204 No content").await;
    window.state("console-kept").await;

    // Where there is no room for them the lists are opened over the editor.
    window.narrow(true).await;
    window.click("lists-open").await;
    window.expect_text("lists", "Quilter retires").await;
    window.picture("console-lists-900");
    window.press(ESCAPE).await;
    window
        .expect_js(
            "return document.querySelector('[data-testid=lists]')",
            &json!(null),
        )
        .await;
    window.narrow(false).await;

    // Something else takes the place of what was being written, which can be had back.
    write_request(&window, "GET", "opportunities", "").await;
    window.click("history-request").await;
    window.click("console-undo").await;
    let path = "return document.querySelector('[data-testid=path]').value";
    window.expect_js(path, &json!("opportunities")).await;

    window.click("saved-more").await;
    window.click("saved-delete").await;
    window.click("forget-confirm").await;
    window
        .expect_js(
            "return document.querySelector('[data-testid=saved-list]')",
            &json!(null),
        )
        .await;
    window.click("history-clear").await;
    window.click("forget-confirm").await;
    window
        .expect_js(
            "return document.querySelector('[data-testid=history-list]')",
            &json!(null),
        )
        .await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_written_sent_and_repeated_by_keyboard_alone() {
    let folder = folder();
    let desktop = Desktop::start(folder.path(), Keychain::Unlocked, Look::Dark);
    let window = desktop.open().await;
    push(&window, "welcome-sample").await;
    wizard::synced(&window).await;
    window.press("\u{e009}k").await;
    window.see("palette-input").await;
    window.press("passthrough").await;
    window.press(ENTER).await;

    type_into(&window, "path", "contac").await;
    window.see("path-list").await;
    window.press(DOWN).await;
    window.press(ENTER).await;
    type_into(&window, "query-name-0", "$top").await;
    window.press(TAB).await;
    window.press("2").await;
    window.press(CONTROL_ENTER).await;
    window.expect_text("reply-status", "200 OK").await;
    tab_to(&window, "reply-text").await;

    // Another method, and a body.
    tab_to(&window, "method").await;
    window.press(DOWN).await;
    window.press(DOWN).await;
    window.press(ENTER).await;
    window.expect_text("method", "POST").await;
    tab_to(&window, "console-parts").await;
    window.press("\u{e010}").await;
    window.press(ENTER).await;
    type_into(&window, "body", "{\"lastname\": \"Quilt\"}").await;
    window.press(CONTROL_ENTER).await;
    window.see("write-dialog").await;
    window.press(ESCAPE).await;
    window
        .expect_js(
            "return document.querySelector('[data-testid=write-dialog]')",
            &json!(null),
        )
        .await;
    window.press(CONTROL_ENTER).await;
    push(&window, "write-confirm").await;
    window.expect_text("reply-status", "204 No content").await;

    // From the history, with the arrows.
    tab_to(&window, "history-list").await;
    window.press(DOWN).await;
    window.press(ENTER).await;
    window.expect_text("method", "GET").await;
    window.press(CONTROL_ENTER).await;
    window.expect_text("reply-status", "200 OK").await;
    window.state("console-keyboard").await;
    window.close().await;
}
