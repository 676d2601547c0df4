//! The charts of Home.

use serde_json::json;

use crate::desktop::{Desktop, Keychain, Look};
use crate::wizard::{WATCH_POLICY, folder};

/// Every chart that has something to show, by the words of what it draws.
const SAID: &str = "return [...document.querySelectorAll('.chart svg[role=img]')]
    .map((drawing) => drawing.getAttribute('aria-label').split(/[,:]/)[0])";

#[tokio::test(flavor = "multi_thread")]
async fn the_charts_are_seen_read_as_tables_and_lead_to_their_rows() {
    let folder = folder();
    let desktop = Desktop::start(folder.path(), Keychain::Unlocked, Look::Light);
    let window = desktop.open().await;
    window.see("welcome-sample").await;
    window.js(WATCH_POLICY).await;
    window.click("welcome-sample").await;
    for table in ["lead", "opportunity"] {
        window
            .expect_text(&format!("table-state-{table}"), "In sync")
            .await;
    }
    // The first copy of the tables is no change, so that the last of them has nothing to draw.
    window
        .expect_text("chart-changes", "No record changed in the last 14 days")
        .await;
    window.expect_text("chart-sources", "3,500 leads").await;
    window.expect_text("chart-pipeline", "2-Develop").await;
    window
        .expect_js(
            SAID,
            &json!([
                "Pipeline by stage",
                "Opportunities won and lost",
                "Leads by source"
            ]),
        )
        .await;
    // Numbers that are there stay: nothing is drawn anew when a sync ends.
    window
        .js("window.kept = document.querySelector('.chart svg'); document.querySelector('.home').scrollTop = 1e5")
        .await;
    window.state("charts").await;

    let runs = window.content("run-newest").await;
    window.click("sync-now").await;
    window.expect_other_content("run-newest", &runs).await;
    window
        .expect_js("return window.kept.isConnected", &json!(true))
        .await;

    window.click("chart-switch-pipeline").await;
    window.expect_text("chart-table-pipeline", "Stage").await;
    window.click("chart-switch-closed").await;
    window
        .js("document.querySelector('.home').scrollTop = 1e5")
        .await;
    window.state("charts-tables").await;
    window.click("chart-switch-pipeline").await;
    window
        .click_css("[data-testid='chart-pipeline'] .chart-marks button")
        .await;
    // The grid shows the rows of the bar, and no others.
    window.expect_text("status-total", " of 2,").await;
    window
        .expect_js(
            "return document.querySelectorAll('.pill').length > 0",
            &json!(true),
        )
        .await;
    window.expect_js("return window.refused", &json!([])).await;
    window.close().await;
}
