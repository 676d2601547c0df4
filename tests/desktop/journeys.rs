//! What people do with the window.

use salesmirror_sample_org::{Activity, SampleOrg};
use serde_json::json;

use crate::desktop::{Desktop, Keychain, Look, Window};
use crate::keyboard::ESCAPE;
use crate::wizard::{self, WATCH_POLICY, control, end_control, folder, organization};

/// Rows that are drawn, by their number in the grid.
const FIRST_ROW: &str = ".ag-row[row-index='0'] .cell-name";

#[tokio::test(flavor = "multi_thread")]
async fn the_sample_is_explored_exported_and_there_again_after_a_restart() {
    let folder = folder();
    let desktop = Desktop::start(folder.path(), Keychain::Unlocked, Look::Light);
    let window = desktop.open().await;
    window.see("welcome-sample").await;
    window.js(WATCH_POLICY).await;
    window.state("welcome").await;
    window.click("welcome-sample").await;
    wizard::synced(&window).await;
    window.expect_text("table-rows-contact", "12,000").await;
    styles_are_applied(&window).await;
    window.state("home-light").await;

    browse(&window).await;
    search_and_sort(&window).await;
    let file = folder.path().join("contacts.csv");
    export(&window, &file).await;
    let text = std::fs::read_to_string(&file).expect("the file");
    let lines = text.lines().count();
    assert!(text.starts_with('\u{feff}'), "Excel sees UTF-8");
    assert!(lines > 1, "{lines} lines");

    window.click("theme-switch").await;
    window.click("theme-dark").await;
    window
        .expect_js(
            "return getComputedStyle(document.querySelector('.layer')).backgroundColor",
            &json!("rgb(31, 31, 31)"),
        )
        .await;
    window.state("records-dark").await;
    window.expect_js("return window.refused", &json!([])).await;
    window.close().await;
    std::fs::remove_file(&file).expect("the export goes");
    nothing_in_the_clear(folder.path());

    let window = desktop.open().await;
    window.expect_text("table-rows-contact", "12,000").await;
    window.click("sync-now").await;
    window.expect_text("table-state-contact", "In sync").await;
    window
        .expect_js(
            "return document.querySelector('.theme-dark') !== null",
            &json!(true),
        )
        .await;
    window.state("home-dark").await;
    settings(&window).await;
    window.close().await;

    damage_mirror(folder.path());
    let window = desktop.open().await;
    window.expect_text("notice", "was damaged").await;
    // Rows come again by themselves; some were made and deleted meanwhile.
    window.expect_text("table-rows-contact", "12,0").await;
    window.expect_text("table-state-contact", "In sync").await;
    window.state("damaged").await;
    disconnect(&window).await;
    let left: Vec<_> = std::fs::read_dir(folder.path().join("data"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .filter(|name| name.to_string_lossy().contains(".db"))
        .collect();
    assert!(left.is_empty(), "{left:?} is left of a purged connection");
    window.close().await;
}

/// Neither the web view's caches nor anything else of ours holds what people wrote in a record, or
/// the secret.
pub fn nothing_in_the_clear(folder: &std::path::Path) {
    let wide = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let traces: Vec<Vec<u8>> = ["Brandvik", "norrvale.example\"", "smp8Q~"]
        .iter()
        .flat_map(|text| [text.as_bytes().to_vec(), wide(text)])
        .collect();
    let (mut folders, mut files) = (vec![folder.to_owned()], 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            } else if let Ok(bytes) = std::fs::read(&path) {
                files += 1;
                for trace in &traces {
                    let found = bytes.windows(trace.len()).any(|part| part == trace);
                    assert!(!found, "{} holds a record or a secret", path.display());
                }
            }
        }
    }
    assert!(files > 3, "{files} files were searched");
}

/// Without the nonce a Fluent button has no radius, and rows of the grid no place.
async fn styles_are_applied(window: &Window) {
    window
        .expect_js(
            "return getComputedStyle(document.querySelector('[data-testid=\"sync-now\"]')).borderRadius",
            &json!("4px"),
        )
        .await;
}

async fn browse(window: &Window) {
    window.click("nav-contact").await;
    window.element(FIRST_ROW).await;
    window.expect_text("status-total", "12,000 contacts").await;
    window
        .expect_js(
            "return document.querySelector('.ag-row').getBoundingClientRect().height",
            &json!(32),
        )
        .await;
    // The last row, at any depth: the scroll bar is dragged to its end.
    window
        .expect_js(
            "const grid = [...document.querySelectorAll('.grid *')].filter((one) => one.scrollHeight > one.clientHeight + 1000)[0]; \
             grid.scrollTop = grid.scrollHeight; \
             return document.querySelector(\".ag-row[row-index='11999'] .cell-name\")?.textContent.length > 3",
            &json!(true),
        )
        .await;
    window
        .expect_js(
            "const grid = [...document.querySelectorAll('.grid *')].filter((one) => one.scrollHeight > one.clientHeight + 1000)[0]; \
             grid.scrollTop = 0; return document.querySelector(\".ag-row[row-index='0'] .cell-name\") !== null",
            &json!(true),
        )
        .await;
    window.state("records-light").await;
    open_first_row(window).await;
    let name = "return document.querySelector('.panel h2').textContent === \
         document.querySelector(\".ag-row[row-index='0'] .cell-name\").textContent";
    window.expect_js(name, &json!(true)).await;
    window.click("panel-json").await;
    window
        .expect_js(
            "return document.querySelector('.panel-json').textContent.includes('\"contactid\"')",
            &json!(true),
        )
        .await;
    window.state("record-panel").await;
}

/// Opens the first row in the side panel, once it has come.
async fn open_first_row(window: &Window) {
    let has_come =
        "return document.querySelector(\".ag-row[row-index='0'] .cell-name\").textContent !== ''";
    window.expect_js(has_come, &json!(true)).await;
    window.click_css(FIRST_ROW).await;
    window.see("panel").await;
}

async fn search_and_sort(window: &Window) {
    // The search index may follow the sync still; the page looks again by itself.
    window.write("search", "brandvik").await;
    window
        .expect_js(
            "const names = [...document.querySelectorAll('.ag-row .cell-name')].map((cell) => cell.textContent); \
             return names.length > 2 && names.every((name) => name.includes('Brandvik') || name === '')",
            &json!(true),
        )
        .await;
    window
        .expect_text("status-total", " of 12,000 contacts")
        .await;
    window.click_css(".ag-header-cell[col-id='fullname']").await;
    window
        .expect_js(
            "const rows = [...document.querySelectorAll('.ag-row')].filter((row) => row.querySelector('.cell-name')?.textContent); \
             rows.sort((a, b) => a.getAttribute('row-index') - b.getAttribute('row-index')); \
             const names = rows.map((row) => row.querySelector('.cell-name').textContent.toLowerCase()); \
             return names.length > 2 && names.every((name, index) => index === 0 || names[index - 1] <= name)",
            &json!(true),
        )
        .await;
    window.state("records-search").await;
}

async fn export(window: &Window, file: &std::path::Path) {
    window.click("export-open").await;
    window.click("export-quotes").await;
    window.click("export-clock").await;
    window.click("export-local").await;
    window.state("export").await;
    window.click("export-start").await;
    window.save_as(file).await;
    window.expect_text("export-done", "Exported").await;
    let text = std::fs::read_to_string(file).expect("the file");
    assert!(text.starts_with("\u{feff}\"fullname\","), "{}", &text[..80]);
    assert!(!text.contains("Z\""), "moments of the clock on the wall");
    window.state("exported").await;
    window.click("export-close").await;
}

/// Writes zeros over the beginning of the mirror.
fn damage_mirror(folder: &std::path::Path) {
    let file = std::fs::read_dir(folder.join("data"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("mirror-") && name.ends_with(".db")
        })
        .expect("a mirror");
    let mut bytes = std::fs::read(&file).expect("bytes");
    bytes[..8_192].fill(0);
    std::fs::write(&file, bytes).expect("room");
}

/// What is chosen is kept, and shown when the page is opened again.
async fn settings(window: &Window) {
    window.click("nav-settings").await;
    window
        .expect_text("preference-mass-delete-percent", "More than 20%")
        .await;
    window
        .expect_text("preference-schedule", "Every 15 minutes")
        .await;
    window.click("preference-schedule/lead").await;
    window.click_css("[role='option']:last-of-type").await;
    window
        .expect_text("preference-schedule/lead", "Only by hand")
        .await;
    window.state("settings-sync").await;
    window.click("settings-storage-and-retention").await;
    window
        .expect_text("preference-keep-history", "1 year")
        .await;
    window.click("preference-keep-history").await;
    window.click_css("[role='option']:nth-of-type(2)").await;
    window
        .expect_text("preference-keep-history", "90 days")
        .await;
    window.click("nav-home").await;
    window.click("nav-settings").await;
    window.click("settings-storage-and-retention").await;
    window
        .expect_text("preference-keep-history", "90 days")
        .await;
    window.state("settings-storage").await;
    window.click("nav-home").await;
    window.expect_text("table-next-lead", "–").await;
    window.expect_text("table-next-contact", ":").await;
    window
        .expect_text("meter", "of 40,000 requests today")
        .await;
    window.state("home-scheduled").await;
}

async fn disconnect(window: &Window) {
    window.click("home-more").await;
    window.click("disconnect").await;
    window.click("disconnect-confirm").await;
    window.see("welcome-sample").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_is_connected_and_browsed_while_it_syncs() {
    let (folder, org) = (folder(), organization().await);
    let desktop = Desktop::start(folder.path(), Keychain::Unlocked, Look::Light);
    let window = desktop.open().await;
    wizard::to_check(&window, &desktop, &org).await;
    // The second page of contacts takes its time, so that there is something to browse meanwhile.
    let slow = r#"{"match":{"path_contains":"/contacts","query_contains":"skiptoken","times":1},"action":{"delay_ms":8000}}"#;
    control(&org, "faults", slow).await;
    window.click("start-first-sync").await;
    window.see("home-table-contact").await;
    browse_while_syncing(&window).await;
    wizard::synced(&window).await;
    prove(&window, &org).await;
    history(&window, &org).await;
    guard(&window, &desktop, &org).await;
    window.close().await;
}

/// The first page of contacts is browsed while the others are on their way.
async fn browse_while_syncing(window: &Window) {
    // What cannot be done now says when.
    window.click("more-account").await;
    window.expect_text("remove-account", "After the sync").await;
    window.state("table-menu-while-syncing").await;
    window.press(ESCAPE).await;
    window.click("nav-contact").await;
    window
        .expect_js(
            "return [...document.querySelectorAll('.ag-row .cell-name')].filter((cell) => cell.textContent !== '').length > 5 && \
             document.querySelector('.status-bar .state-syncing') !== null",
            &json!(true),
        )
        .await;
    open_first_row(window).await;
    window.state("browsing-while-syncing").await;
    window.click("nav-home").await;
}

/// The proof finds what changed since the last sync, repairs it, and says when all was equal.
async fn prove(window: &Window, org: &SampleOrg) {
    let made = org.activity(Activity {
        creates: 3,
        updates: 12,
        deletes: 2,
    });
    assert!(made.creates > 0, "{made:?}");
    window.click("verify").await;
    window.see("proof").await;
    window.state("proof-running").await;
    window.see("proof-repair").await;
    window.state("proof-differs").await;
    window.click("proof-repair").await;
    window.expect_text("proof", "are equal").await;
    window.state("proof-equal").await;
    window.click("proof-close").await;
    window.expect_text("verify", "Verified equal").await;
}

/// A record tells what changed in it.
async fn history(window: &Window, org: &SampleOrg) {
    let url = format!("{}/table/contact", org.description().control_url);
    let reply = reqwest::get(url).await.expect("a reply");
    let text = reply.text().await.expect("a text");
    let first = text.lines().next().expect("a contact");
    let first: serde_json::Value = serde_json::from_str(first).expect("JSON");
    for title in ["Chief Quilt Officer", "Quilt Emeritus"] {
        let id = &first["contactid"];
        let body = json!({"table": "contact", "id": id, "values": {"jobtitle": title}});
        control(org, "records", body.to_string()).await;
        window.expect_js(wizard::IS_IDLE, &json!(true)).await;
        let before = window.content("run-newest").await;
        window.click("sync-now").await;
        window.expect_other_content("run-newest", &before).await;
        window.expect_text("table-state-contact", "In sync").await;
    }
    window.click("nav-contact").await;
    window.write("search", "Quilt").await;
    window
        .expect_js(
            "return [...document.querySelectorAll('.ag-row .cell-name')].filter((cell) => cell.textContent !== '').length",
            &json!(1),
        )
        .await;
    open_first_row(window).await;
    window.expect_text("panel", "Quilt Emeritus").await;
    window.click("panel-history").await;
    window.expect_text("history", "Chief Quilt Officer").await;
    window.expect_text("history", "Quilt Emeritus").await;
    window.state("history").await;
    window.click("nav-home").await;
    window.click("run-contact").await;
    window.expect_text("run-details", "page").await;
    window.state("run-details").await;
}

/// A role that reads less makes rows vanish from a full sync: the guard asks, and keeps them.
async fn guard(window: &Window, desktop: &Desktop, org: &SampleOrg) {
    control(org, "privileges", r#"{"table":"contact","read":"user"}"#).await;
    window.click("more-contact").await;
    window.click("resync-contact").await;
    window
        .expect_text("table-state-contact", "Needs your answer")
        .await;
    window.click("review-contact").await;
    window.see("guard").await;
    window.state("guard").await;
    let kept = window.text("table-rows-contact").await;
    window.click("guard-keep").await;
    window.expect_text("table-state-contact", "In sync").await;
    window.expect_text("table-rows-contact", &kept).await;

    control(org, "privileges", r#"{"table":"contact","read":"none"}"#).await;
    window.click("sync-contact").await;
    window.expect_text("table-state-contact", "Failed").await;
    window.state("table-failed").await;
    window.click("nav-contact").await;
    window.click("bell").await;
    window
        .expect_text("bell-need", "Contacts could not be synced.")
        .await;
    window.state("bell").await;
    window.click("bell-need").await;
    window.see("home-table-contact").await;
    control(org, "privileges", r#"{"table":"contact","read":"all"}"#).await;
    window.click("more-account").await;
    window.click("invalidate-account").await;
    window.click("confirm").await;
    window.expect_text("table-state-account", "In sync").await;

    let throttle = r#"{"match":{"path_contains":"/contacts","times":1},"action":{"status":429,"retry_after_s":6}}"#;
    control(org, "faults", throttle).await;
    window.click("sync-contact").await;
    window
        .expect_text("table-state-contact", "Throttled, resumes in")
        .await;
    window.state("throttled").await;
    window.expect_text("table-state-contact", "In sync").await;
    window.click("bell").await;
    window.expect_text("bell-none", "Nothing needs you").await;
    window.press("\u{e00c}").await;
    pause(window, org).await;

    wizard::sign_in_again(window, desktop, org, "signed-out").await;
    window.expect_text("table-state-contact", "In sync").await;
}

/// A table is paused while it syncs; the others go on, and it too when it is asked to.
async fn pause(window: &Window, org: &SampleOrg) {
    window.expect_js(wizard::IS_IDLE, &json!(true)).await;
    let stall = r#"{"match":{"path_contains":"/contacts","times":1},"action":{"stall":true}}"#;
    control(org, "faults", stall).await;
    window.click("sync-now").await;
    window.expect_text("table-state-account", "In sync").await;
    window.expect_text("table-state-contact", "Syncing").await;
    window.click("pause-contact").await;
    window.expect_text("table-state-contact", "Paused").await;
    window.state("table-paused").await;
    // All of them are; none goes on by itself before its time.
    control(org, "faults", stall).await;
    window.click("sync-now").await;
    window.expect_text("table-state-contact", "Syncing").await;
    window.click("pause").await;
    window.expect_text("table-state-contact", "Paused").await;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert!(
        window
            .text("table-state-contact")
            .await
            .starts_with("Paused"),
        "it rests"
    );
    // The pause may have come before the request that was to be stalled.
    end_control(org, "faults").await;
    window.click("sync-contact").await;
    window.expect_text("table-state-contact", "In sync").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_keychain_the_window_says_so_and_keeps_nothing() {
    let folder = folder();
    let desktop = Desktop::start(folder.path(), Keychain::Absent, Look::Light);
    let window = desktop.open().await;
    window.click("welcome-sample").await;
    window
        .expect_js(
            "return document.querySelector('.banner-error')?.textContent.toLowerCase().includes('keychain')",
            &json!(true),
        )
        .await;
    window.state("no-keychain").await;
    assert!(!folder.path().join("data").join("app.db").exists());
    window.close().await;
}
