//! Every page and state over a million contacts, looked at by the rules of accessibility and, where
//! `SALESMIRROR_PICTURES` names a folder, kept as pictures at both widths. It takes minutes, and wants the
//! release build, so that it runs only when it is asked for:
//!
//! ```text
//! cargo build --release --package salesmirror-desktop --features custom-protocol
//! SALESMIRROR_PICTURES=/tmp/pictures SALESMIRROR_LOOK=dark \
//!     cargo nextest run --release -p tests --test desktop --run-ignored only
//! ```

use std::path::Path;
use std::time::{Duration, Instant};

use salesmirror_sample_org::SampleOrg;
use serde_json::{Value, json};

use crate::desktop::{Desktop, Keychain, Look, Window};
use crate::wizard::{self, control, end_control, folder};

/// How long reading a million contacts and indexing their texts may take.
const SYNC_PATIENCE: Duration = Duration::from_secs(300);
/// Escape, as the driver knows it.
const ESCAPE: &str = "\u{e00c}";
/// Whether rows are drawn, with what is in them.
const HAS_ROWS: &str = "return [...document.querySelectorAll('.ag-row .cell-name')]
    .filter((cell) => cell.textContent !== '').length > 5";
const FIRST_ROW: &str = ".ag-row[row-index='0'] .cell-name";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes, and wants the release build"]
async fn every_page_and_state_holds_a_million_contacts() {
    let (folder, org) = (folder(), wizard::million_contacts().await);
    let id = long_names(&org).await;
    let desktop = Desktop::start(folder.path(), Keychain::Unlocked, Look::Light);
    let window = desktop.open().await;
    window.see("welcome-sample").await;
    window.state("tour-welcome").await;
    wizard::to_check(&window, &desktop, &org).await;
    window.state("tour-check").await;
    first_sync(&window).await;
    grid(&window).await;
    filters(&window).await;
    selection(&window, folder.path()).await;
    panel(&window, &org, &id).await;
    everywhere(&window).await;
    pages(&window).await;
    home(&window, &desktop, &org).await;
    window.close().await;
}

/// Names of 200 characters, in records that are found by them; gives the id of the contact.
async fn long_names(org: &SampleOrg) -> Value {
    let contact = crate::strange::ids(org, "account").await;
    let long = "Donaudampfschifffahrtsgesellschaftskapitän ".repeat(5);
    let long: String = long.chars().take(200).collect();
    let account = json!({"table": "account", "id": contact[0], "values": {"name": long}});
    control(org, "records", account.to_string()).await;
    let id = json!("00000000-aaaa-4000-8000-000000000001");
    let values = json!({"fullname": long, "lastname": long, "firstname": "Wilhelmina", "jobtitle": long,
        "_parentcustomerid_value": contact[0], "emailaddress1": "w@example.com"});
    let record = json!({"table": "contact", "id": id, "values": values});
    control(org, "records", record.to_string()).await;
    id
}

async fn first_sync(window: &Window) {
    window.click("start-first-sync").await;
    window.expect_text("table-state-contact", "rows/s").await;
    window.state("tour-home-syncing").await;
    window.click("nav-contact").await;
    window.expect_js(HAS_ROWS, &json!(true)).await;
    window.state("tour-browsing-while-syncing").await;
    window.click("nav-home").await;
    let begun = Instant::now();
    while !window.text("table-state-contact").await.contains("In sync") {
        assert!(begun.elapsed() < SYNC_PATIENCE, "the sync does not end");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    wizard::synced(window).await;
    window.expect_text("table-rows-contact", "1,000,0").await;
    window.expect_text("chart-sources", "leads").await;
    window.state("tour-home").await;
    window
        .js("document.querySelector('.home').scrollTop = 1e5")
        .await;
    window.state("tour-home-charts").await;
    // The search index follows the sync.
    window.click("nav-contact").await;
    let begun = Instant::now();
    let is_searchable = "return document.querySelector('[data-testid=\"status-search\"]') === null";
    while window.js(is_searchable).await != json!(true) {
        assert!(begun.elapsed() < SYNC_PATIENCE, "the index does not end");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn grid(window: &Window) {
    window.expect_text("status-total", "1,000,0").await;
    window.state("tour-records").await;
    window.click_css(".ag-header-cell[col-id='fullname']").await;
    window.expect_js(HAS_ROWS, &json!(true)).await;
    window.state("tour-records-sorted").await;
    window.write("search", "Brandvik").await;
    window.expect_text("status-total", " of 1,000,0").await;
    window.state("tour-records-search").await;
    window.write("search", "Donaudampf").await;
    window.expect_text("status-total", "1 of 1,000,0").await;
    window.state("tour-records-long").await;
    window.write("search", " \u{e003}").await;
    window.click("columns-open").await;
    window.see("columns-count").await;
    window.state("tour-columns").await;
    window.press(ESCAPE).await;
    window.click("view-picker").await;
    window.state("tour-views").await;
    window.press(ESCAPE).await;
    window
        .right_click(".ag-row[row-index='2'] [col-id='jobtitle']")
        .await;
    window.see("cell-menu").await;
    window.state("tour-cell-menu").await;
    window.press(ESCAPE).await;
}

async fn filters(window: &Window) {
    window.click("filter-add").await;
    window.state("tour-filter-columns").await;
    window.write("filter-column-search", "country").await;
    window.click("filter-column-address1_country").await;
    window.write("filter-value", "Norway").await;
    window.expect_text("filter-count", "counted in").await;
    window.state("tour-filter-text").await;
    window.click("filter-apply").await;
    window.click("filter-add").await;
    window.write("filter-column-search", "modified on").await;
    window.click("filter-column-modifiedon").await;
    window.expect_text("filter-count", "counted in").await;
    window.see("histogram").await;
    window.state("tour-filter-period").await;
    window.click("filter-apply").await;
    window.expect_text("pill-modifiedon", "last 30 days").await;
    window.state("tour-filtered").await;
    window.click("filter-add").await;
    window.write("filter-column-search", "full name").await;
    window.click("filter-column-fullname").await;
    window.write("filter-value", "zzzz").await;
    window.click("filter-apply").await;
    window.expect_text("no-matches", "there are").await;
    window.state("tour-no-matches").await;
    window.click("filters-clear").await;
    window.expect_text("status-total", "1,000,0").await;
    window.expect_js(HAS_ROWS, &json!(true)).await;
}

async fn selection(window: &Window, folder: &Path) {
    let box_of = |row: u32| format!(".ag-row[row-index='{row}'] .select-box");
    window.click_css(&box_of(1)).await;
    window.shift_click(&box_of(5)).await;
    window.expect_text("status-selected", "5 selected").await;
    window.state("tour-selected").await;
    window.click("select-all").await;
    window.expect_text("status-selected", "1,000,0").await;
    window.state("tour-selected-all").await;
    window.click("clear-selected").await;
    window.click("export-open").await;
    window.state("tour-export").await;
    window.click("export-start").await;
    window.save_as(&folder.join("contacts.csv")).await;
    window.expect_text("export-progress", "of 1,000,0").await;
    window.state("tour-exporting").await;
    let begun = Instant::now();
    while window.content("export-done").await == Value::Null {
        assert!(begun.elapsed() < SYNC_PATIENCE, "the export does not end");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    window.state("tour-exported").await;
    window.click("export-close").await;
}

async fn panel(window: &Window, org: &SampleOrg, id: &Value) {
    // What changed in the record is there to be seen in its history.
    let values = json!({"table": "contact", "id": id, "values": {"jobtitle": "Captain"}});
    control(org, "records", values.to_string()).await;
    window.click("nav-home").await;
    window.expect_js(wizard::IS_IDLE, &json!(true)).await;
    let before = window.content("run-newest").await;
    window.click("sync-now").await;
    window.expect_other_content("run-newest", &before).await;
    wizard::synced(window).await;
    window.click("nav-contact").await;
    window.write("search", "Donaudampf").await;
    window.expect_text("status-total", "1 of 1,000,0").await;
    let has_come =
        format!("return document.querySelector(\"{FIRST_ROW}\")?.textContent.length > 0");
    window.expect_js(&has_come, &json!(true)).await;
    window.click_css(FIRST_ROW).await;
    window.expect_text("panel", "Captain").await;
    window.state("tour-panel").await;
    for tab in ["unified", "related", "history", "json"] {
        window.click(&format!("panel-{tab}")).await;
        window.state(&format!("tour-panel-{tab}")).await;
    }
    window.press(ESCAPE).await;
    window.write("search", " \u{e003}").await;
}

/// What is there on every page.
async fn everywhere(window: &Window) {
    window.click("omnibox").await;
    window.state("tour-palette").await;
    window.write("palette-input", "brandvik").await;
    window.expect_text("palette-list", "matches").await;
    window.state("tour-palette-found").await;
    window.press(ESCAPE).await;
    let is_closed = "return document.querySelector('[data-testid=palette]') === null";
    window.expect_js(is_closed, &json!(true)).await;
    window.press("?").await;
    window
        .expect_js(
            "return document.body.innerText.includes('Keyboard shortcuts')",
            &json!(true),
        )
        .await;
    window.state("tour-shortcuts").await;
    window.press(ESCAPE).await;
    window.click("switcher").await;
    window.state("tour-switcher").await;
    window.press(ESCAPE).await;
}

async fn pages(window: &Window) {
    for page in ["account", "lead", "opportunity", "systemuser"] {
        window.click(&format!("nav-{page}")).await;
        window.expect_js(HAS_ROWS, &json!(true)).await;
        window.state(&format!("tour-{page}")).await;
    }
    for page in ["api", "console", "settings"] {
        window.click(&format!("nav-{page}")).await;
        window.element(".layer h1").await;
        window.state(&format!("tour-{page}")).await;
    }
    window.click("nav-home").await;
}

/// The states of a connection and of its tables.
async fn home(window: &Window, desktop: &Desktop, org: &SampleOrg) {
    window.click("run-contact").await;
    window.see("run-details").await;
    window.state("tour-run").await;
    let stall = r#"{"match":{"path_contains":"/contacts"},"action":{"stall":true}}"#;
    control(org, "faults", stall).await;
    window.click("more-contact").await;
    window.state("tour-table-menu").await;
    window.click("invalidate-contact").await;
    window.see("confirm").await;
    window.state("tour-invalidate").await;
    window.click("confirm").await;
    window.expect_text("table-state-contact", "Syncing").await;
    window.state("tour-stale").await;
    window.click("pause-contact").await;
    window.expect_text("table-state-contact", "Paused").await;
    window.state("tour-paused").await;
    end_control(org, "faults").await;

    let throttle =
        r#"{"match":{"path_contains":"/contacts"},"action":{"status":429,"retry_after_s":42}}"#;
    control(org, "faults", throttle).await;
    window.click("sync-contact").await;
    window
        .expect_text("table-state-contact", "Throttled, resumes in")
        .await;
    window.state("tour-throttled").await;
    window.click("nav-contact").await;
    window.expect_js(HAS_ROWS, &json!(true)).await;
    window.state("tour-records-stale").await;
    window.click("nav-home").await;
    window.click("pause").await;
    window.expect_text("table-state-contact", "Paused").await;
    end_control(org, "faults").await;

    control(org, "privileges", r#"{"table":"contact","read":"none"}"#).await;
    window.click("sync-contact").await;
    window.expect_text("table-state-contact", "Failed").await;
    window.state("tour-failed").await;
    window.click("bell").await;
    window.see("bell-need").await;
    window.state("tour-bell").await;
    window.press(ESCAPE).await;

    control(org, "privileges", r#"{"table":"contact","read":"user"}"#).await;
    window.click("more-contact").await;
    window.click("resync-contact").await;
    window
        .expect_text("table-state-contact", "Needs your answer")
        .await;
    window.state("tour-needs-answer").await;
    window.click("review-contact").await;
    window.see("guard").await;
    window.state("tour-guard").await;
    window.click("guard-keep").await;
    // What was invalidated above was not read again yet.
    window.expect_text("table-state-contact", "Stale").await;
    control(org, "privileges", r#"{"table":"contact","read":"all"}"#).await;

    wizard::sign_in_again(window, desktop, org, "tour-signed-out").await;
    // The sync that follows by itself gets no answer.
    let gone = r#"{"match":{},"action":{"reset":true}}"#;
    control(org, "faults", gone).await;
    window
        .expect_text("table-state-contact", "No answer, trying again")
        .await;
    window.state("tour-offline").await;
    end_control(org, "faults").await;
}
