//! What people do with records: find, filter, arrange, select, copy, export, invalidate.

use serde_json::json;

use crate::desktop::{Desktop, Keychain, Look, Window};
use crate::wizard::{WATCH_POLICY, folder, synced};

/// Opens the sample organisation, with the contacts in sight.
async fn contacts(desktop: &Desktop) -> Window {
    let window = desktop.open().await;
    window.js(WATCH_POLICY).await;
    window.click("welcome-sample").await;
    synced(&window).await;
    window.click("nav-contact").await;
    window.expect_text("status-total", "12,000 contacts").await;
    window
}

/// What was copied last; the web view's clipboard is not the test's to read.
const WATCH_CLIPBOARD: &str = "window.copied = []; navigator.clipboard.writeText = \
    (text) => { window.copied.push(text); return Promise.resolve(); };";

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_filtered_arranged_and_kept_as_a_view() {
    let folder = folder();
    let desktop = Desktop::start(folder.path(), Keychain::Unlocked, Look::Light);
    let window = contacts(&desktop).await;
    filter(&window).await;

    // The columns: one more, one less, and pinned.
    window.click("columns-open").await;
    window.state("columns").await;
    window
        .click_css("[data-testid='column-jobtitle'] input")
        .await;
    window.write("columns-search", "preferredcontact").await;
    window
        .click_css("[data-testid='column-preferredcontactmethodcode'] input")
        .await;
    window.expect_text("columns-count", "9 of 123 shown").await;
    window.press("\u{e00c}").await;
    let script = "const heads = [...document.querySelectorAll('.ag-header-cell')].map((cell) => cell.getAttribute('col-id')); \
         return heads.includes('fullname') && !heads.includes('jobtitle')";
    window.expect_js(script, &json!(true)).await;
    // What stands under a heading is what it says.
    let mails = "const cells = [...document.querySelectorAll(`.ag-row [col-id='emailaddress1']`)]; \
         return cells.length > 5 && cells.every((cell) => cell.textContent.includes('@'))";
    window.expect_js(mails, &json!(true)).await;
    window.click("view-save").await;
    window.write("name", "Norwegians").await;
    window.state("view-save").await;
    window.click("name-confirm").await;
    window.expect_text("view-picker", "Norwegians").await;
    let total = window.text("status-total").await;
    window.close().await;

    let window = desktop.open().await;
    window.click("nav-contact").await;
    window.expect_text("status-total", "12,0").await;
    window.click("view-picker").await;
    window.state("views").await;
    window.click("saved-view").await;
    window.expect_text("view-picker", "Norwegians").await;
    let part = total.split(" of ").next().expect("a count").to_owned();
    window.expect_text("status-total", &part).await;
    window.see("pill-address1_country").await;

    // No row matches, and it is said what would help.
    add_filter(&window, "fullname", "zzzz").await;
    window.see("no-matches").await;
    window.expect_text("no-matches", "match both filters").await;
    window
        .expect_text("no-matches", &format!("there are {part}"))
        .await;
    window.state("no-matches").await;
    window.click("relax").await;
    window.expect_text("status-total", &part).await;
    window.click("filters-clear").await;
    window.expect_text("status-total", "contacts").await;
    window.click("view-picker").await;
    window.click("view-delete").await;
    window.expect_text("view-picker", "All rows").await;
    window.close().await;
}

/// One filter by a text, one by a time that moves.
async fn filter(window: &Window) {
    window.click("filter-add").await;
    window.state("filter-columns").await;
    window.write("filter-column-search", "country").await;
    window.click("filter-column-address1_country").await;
    window.see("filter-editor").await;
    window.click("filter-apply").await;
    window.expect_text("filter-editor", "Enter a text").await;
    window.write("filter-value", "Norway").await;
    // How many there are is known before anything changes.
    window.expect_text("filter-count", "rows").await;
    window.state("filter-editor").await;
    let count = window.text("filter-count").await;
    window.expect_text("status-total", "12,0").await;
    window.click("filter-apply").await;
    let rows = count.split(' ').next().unwrap_or_default().to_owned();
    window
        .expect_text("status-total", &format!("{rows} of 12,0"))
        .await;
    window.expect_text("pill-address1_country", "Norway").await;

    window.click("filter-add").await;
    window.write("filter-column-search", "modified on").await;
    window.click("filter-column-modifiedon").await;
    window.expect_text("filter-count", "row").await;
    // How the rows lie in time is drawn, with as much before the span as it is long.
    let bars = "const bars = [...document.querySelectorAll('.histogram-bar')]; \
         const chosen = bars.filter((bar) => bar.classList.contains('histogram-bar-chosen')); \
         return [bars.length, chosen.length]";
    window.expect_js(bars, &json!([62, 31])).await;
    let heard = "return /^[1-9][0-9,]* rows? from .+ rows? in the days around$/u.test( \
         document.querySelector('.histogram svg')?.getAttribute('aria-label') ?? '')";
    window.expect_js(heard, &json!(true)).await;
    window.state("filter-period").await;
    window.write("filter-value", "last 7 weeks of what").await;
    window.expect_text("filter-count", "Enter a time").await;
    window.write("filter-value", "this year").await;
    window
        .expect_js(
            "return document.querySelectorAll('.histogram-bar').length < 67",
            &json!(true),
        )
        .await;
    window.expect_text("filter-count", "counted in").await;
    window.state("filter-year").await;
    window.write("filter-value", "last 30 days").await;
    window.expect_js(bars, &json!([62, 31])).await;
    // The list of periods covers what is counted, so that it opens only when it is asked for.
    let is_open = "return document.querySelector('[data-testid=filter-value]').ariaExpanded";
    window.expect_js(is_open, &json!("false")).await;
    window.press("\u{e015}").await;
    window.expect_js(is_open, &json!("true")).await;
    window.press("\u{e00c}").await;
    window.expect_js(is_open, &json!("false")).await;
    window.click("filter-apply").await;
    window.expect_text("pill-modifiedon", "last 30 days").await;
    window
        .click_css("[data-testid='pill-modifiedon'] .pill-remove")
        .await;
    window
        .expect_text("status-total", &format!("{rows} of 12,0"))
        .await;
}

async fn add_filter(window: &Window, column: &str, value: &str) {
    window.click("filter-add").await;
    window.write("filter-column-search", column).await;
    window.click(&format!("filter-column-{column}")).await;
    window.write("filter-value", value).await;
    window.click("filter-apply").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_selected_copied_exported_and_invalidated() {
    let folder = folder();
    let desktop = Desktop::start(folder.path(), Keychain::Unlocked, Look::Dark);
    let window = contacts(&desktop).await;
    window.js(WATCH_CLIPBOARD).await;
    let box_of = |row: u32| format!(".ag-row[row-index='{row}'] .select-box");
    window.click_css(&box_of(1)).await;
    window.shift_click(&box_of(5)).await;
    window.expect_text("status-selected", "5 selected").await;
    let marked = "return ['.select-box:checked', '.row-selected .cell-name']
        .map((marks) => document.querySelectorAll(marks).length)";
    window.expect_js(marked, &json!([5, 5])).await;
    window.state("selected").await;
    window.click("copy-selected").await;
    let lines = "return window.copied[0]?.split('\\r\\n').length";
    window.expect_js(lines, &json!(7)).await;
    window
        .expect_js(
            "return window.copied[0].startsWith('Full Name\\t')",
            &json!(true),
        )
        .await;

    window.click("export-selected").await;
    window.see("export-selection").await;
    window.click("export-format").await;
    window.state("export-formats").await;
    window.click_css("[role='option']:nth-of-type(3)").await;
    let file = folder.path().join("five.jsonl");
    window.click("export-start").await;
    window.save_as(&file).await;
    window
        .expect_text("export-done", "Exported 5 contacts")
        .await;
    window.click("export-close").await;
    let text = std::fs::read_to_string(&file).expect("the file");
    assert_eq!(text.lines().count(), 5, "{text}");

    window.click("invalidate-selected").await;
    window
        .expect_js(
            "return document.body.innerText.includes('Invalidated 5 rows')",
            &json!(true),
        )
        .await;
    // All that match: 12,000 rows are one range.
    window.click_css(&box_of(0)).await;
    window.click("select-all").await;
    window.expect_text("status-selected", ",0").await;
    window.click("clear-selected").await;

    // The menu of a cell: only rows like it.
    window
        .right_click(".ag-row[row-index='2'] [col-id='jobtitle']")
        .await;
    window.see("cell-menu").await;
    window.state("cell-menu").await;
    window.click("menu-copy-cell").await;
    window
        .expect_js("return window.copied.length", &json!(2))
        .await;
    window
        .right_click(".ag-row[row-index='2'] [col-id='jobtitle']")
        .await;
    window.click("menu-filter").await;
    window.see("pill-jobtitle").await;
    window.expect_text("status-total", " of 12,0").await;
    window.click("filters-clear").await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn anything_is_found_from_one_place_and_leads_to_what_belongs_to_it() {
    let folder = folder();
    let desktop = Desktop::start(folder.path(), Keychain::Unlocked, Look::Light);
    let window = contacts(&desktop).await;
    window.click("omnibox").await;
    window.state("palette").await;
    // The search index may follow the sync still.
    window
        .expect_js(
            "return document.querySelector('[data-testid=\"status-search\"]') === null",
            &json!(true),
        )
        .await;
    window.write("palette-input", "brandvik").await;
    window
        .expect_text("palette-list", "Contacts, 264 matches")
        .await;
    window.state("palette-found").await;
    window.press("\u{e015}").await;
    window.press("\u{e007}").await;
    window.see("panel").await;
    window.expect_text("panel", "Brandvik").await;
    window.click("panel-related").await;
    window.state("panel-related").await;

    // From a user to what is theirs, and to all of it in the grid.
    window.click("nav-systemuser").await;
    // A row that is not read yet opens nothing.
    window
        .expect_js(
            "return document.querySelector('h1').textContent === 'Users' &&
                document.querySelector(`.ag-row[row-index='0'] .cell-name`)?.textContent.length > 0",
            &json!(true),
        )
        .await;
    window.click_css(".ag-row[row-index='0'] .cell-name").await;
    window.click("panel-related").await;
    window.see("related-record").await;
    window.state("panel-related-user").await;
    window.click("related-all").await;
    window.expect_text("status-total", " of ").await;
    window.click("omnibox").await;
    window.write("palette-input", ">full").await;
    window.expect_text("palette-list", "Full resync of").await;
    window.write("palette-input", "qqqqqqqq").await;
    window.see("palette-none").await;
    window.state("palette-none").await;
    window.write("palette-input", "export").await;
    window.press("\u{e007}").await;
    window.see("export-start").await;
    window.press("\u{e00c}").await;
    window.expect_js("return window.refused", &json!([])).await;
    window.close().await;
}
