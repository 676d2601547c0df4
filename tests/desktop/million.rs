//! The grid over a million rows: any depth of it, in any order, while they come and afterwards.

use std::ops::Range;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::desktop::{Desktop, Keychain, Look, Window};
use crate::wizard::{self, folder, large_organization};

/// How long the first sync may take in a build for tests, with server and client on two cores.
const SYNC_PATIENCE: Duration = Duration::from_secs(900);
/// How long a view in a new order may take in such a build.
const ROW_PATIENCE: Duration = Duration::from_secs(120);
/// Scrolls to a share of the table, given as `depth`, and says which row is drawn there with its name; null
/// while there is no grid yet, or too few rows came to scroll. Like a wheel it never stands still: for half a
/// second after the grid scrolled by itself, such as to the top of a new order, it overhears others, and to
/// go where one is already tells it nothing.
const SCROLL: &str = r"
const grid = [...document.querySelectorAll('.grid *')]
  .find((one) => one.scrollHeight > 10 * one.clientHeight && one.clientHeight > 200);
if (!grid) return null;
const place = Math.floor(depth * (grid.scrollHeight - grid.clientHeight));
grid.scrollTop = grid.scrollTop === place ? Math.abs(place - 1) : place;
const top = grid.getBoundingClientRect().top;
const row = [...document.querySelectorAll('.ag-row')]
  .filter((one) => (one.querySelector('.cell-name')?.textContent ?? '') !== '')
  .find((one) => one.getBoundingClientRect().top >= top + 32);
return row ? Number(row.getAttribute('row-index')) : null;
";

#[tokio::test(flavor = "multi_thread")]
async fn a_million_rows_are_browsed_at_any_depth() {
    let (folder, org) = (folder(), large_organization().await);
    let desktop = Desktop::start(folder.path(), Keychain::Unlocked, Look::Light);
    let window = desktop.open().await;
    wizard::to_check(&window, &desktop, &org).await;
    window.click("start-first-sync").await;

    // While they come, what is there can be read at any depth.
    window.expect_text("table-state-systemuser", "rows/s").await;
    window.state("million-home-syncing").await;
    window.click("nav-systemuser").await;
    window.expect_text("status-total", "users").await;
    reach(&window, 0.9, 1..1_000_000).await;
    window.click("nav-home").await;
    let begun = Instant::now();
    while !window
        .text("table-state-systemuser")
        .await
        .contains("In sync")
    {
        assert!(begun.elapsed() < SYNC_PATIENCE, "the sync does not end");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    window
        .expect_text("table-rows-systemuser", "1,000,000")
        .await;
    window.state("million-home").await;

    window.click("nav-systemuser").await;
    window.expect_text("status-total", "1,000,000 users").await;
    reach(&window, 0.9, 899_900..900_100).await;
    window.state("million-records").await;
    // In another order, down to the last row.
    window.click_css(".ag-header-cell[col-id='fullname']").await;
    window
        .expect_js(
            "return document.querySelector(\".ag-header-cell[col-id='fullname']\").ariaSort",
            &json!("ascending"),
        )
        .await;
    reach(&window, 0.0, 0..100).await;
    reach(&window, 0.9, 899_900..900_100).await;
    let last = reach(&window, 1.0, 999_900..1_000_000).await;
    window
        .click_css(&format!(".ag-row[row-index='{last}'] .cell-name"))
        .await;
    window.see("panel").await;
    window.state("million-panel").await;
    window.close().await;
}

/// Scrolls to a share of the table, until a row of these has come there; gives its number. In a new order
/// there are few rows at first.
async fn reach(window: &Window, depth: f64, rows: Range<u64>) -> u64 {
    let script = SCROLL.replace("depth", &depth.to_string());
    let begun = Instant::now();
    loop {
        let row = window.js(&script).await;
        if let Some(row) = row.as_u64().filter(|row| rows.contains(row)) {
            return row;
        }
        assert!(begun.elapsed() < ROW_PATIENCE, "there is row {row}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
