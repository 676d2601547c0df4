//! Which tables are mirrored, chosen in the window.

use salesmirror_sample_org::SampleOrg;
use serde_json::json;

use crate::desktop::{Desktop, Keychain, Look, Window};
use crate::keyboard::{DOWN, ENTER, ESCAPE};
use crate::wizard::{self, WATCH_POLICY, control, end_control, folder, small_organization};

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_added_browsed_and_removed() {
    let (folder, org) = (folder(), small_organization().await);
    let desktop = Desktop::start(folder.path(), Keychain::Unlocked, Look::Light);
    let window = desktop.open().await;
    window.js(WATCH_POLICY).await;
    wizard::to_check(&window, &desktop, &org).await;
    window.click("start-first-sync").await;
    wizard::synced(&window).await;

    // What the organisation has cannot be read: it is said why, and tried again.
    let broken = r#"{"match":{"path_contains":"/EntityDefinitions"},"action":{"status":403}}"#;
    control(&org, "faults", broken).await;
    window.click("add-table").await;
    window.see("tables-again").await;
    window.state("add-table-error").await;
    end_control(&org, "faults").await;
    window.click("tables-again").await;
    window.expect_text("add-table-count", "can be added").await;
    window.state("add-table").await;
    window.press(ESCAPE).await;
    of_eight_hundred(&window, &org).await;
    window.write("add-table-search", "zzzz").await;
    window
        .expect_text("add-table-count", "No table that can be added has “zzzz”.")
        .await;
    window.state("add-table-none").await;
    window.press(ESCAPE).await;

    // A role that does not read it: it is listed with the reason, and cannot be chosen.
    let table = "nrv_serviceline";
    let privileges = |read: &str| json!({"table": table, "read": read}).to_string();
    control(&org, "privileges", privileges("none")).await;
    window.click("add-table").await;
    window.write("add-table-search", "serviceline").await;
    window
        .expect_text(&format!("add-{table}"), "security role does not read")
        .await;
    window
        .expect_js(
            &format!("return document.querySelector('[data-testid=add-{table}]').disabled"),
            &json!(true),
        )
        .await;
    window.state("add-table-unreadable").await;
    window.press(ESCAPE).await;
    control(&org, "privileges", privileges("all")).await;

    // By keyboard alone, from the field into the list.
    window.click("add-table").await;
    window.write("add-table-search", "serviceline").await;
    window
        .expect_text("add-table-count", "1 table can be added")
        .await;
    window.press(DOWN).await;
    window
        .expect_js(
            "return document.activeElement.dataset.testid",
            &json!(format!("add-{table}")),
        )
        .await;
    window.press(ENTER).await;
    window
        .expect_text(&format!("table-state-{table}"), "In sync")
        .await;
    window.state("table-added").await;
    window.click(&format!("nav-{table}")).await;
    window
        .expect_js(
            "return [...document.querySelectorAll('.ag-row .cell-name')].some((cell) => cell.textContent !== '')",
            &json!(true),
        )
        .await;
    window.state("added-records").await;

    // It is there after a restart, and gone when somebody says so; asked twice.
    window.close().await;
    let window = desktop.open().await;
    window.js(WATCH_POLICY).await;
    window.see(&format!("nav-{table}")).await;
    let idle = "return document.querySelector('[data-testid=\"sync-now\"]')?.disabled === false";
    window.expect_js(idle, &json!(true)).await;
    window.click(&format!("more-{table}")).await;
    window.click(&format!("remove-{table}")).await;
    window.see("remove-table").await;
    window.state("remove-table").await;
    window.click("remove-table-keep").await;
    window.see(&format!("home-table-{table}")).await;
    window.click(&format!("more-{table}")).await;
    window.click(&format!("remove-{table}")).await;
    window.click("remove-table-confirm").await;
    let is_gone = format!(
        "return document.querySelectorAll('[data-testid=nav-{table}], [data-testid=home-table-{table}]').length"
    );
    window.expect_js(&is_gone, &json!(0)).await;
    window.expect_js("return window.refused", &json!([])).await;
    window.close().await;
}

/// Organisations have hundreds of tables, and counts of few of these made up ones.
async fn of_eight_hundred(window: &Window, org: &SampleOrg) {
    let tables: Vec<_> = (0..812)
        .map(|number| {
            let name = format!("nrv_depot{number}");
            json!({"LogicalName": name, "EntitySetName": format!("{name}s"),
                "PrimaryIdAttribute": format!("{name}id"), "ChangeTrackingEnabled": number % 3 == 0,
                "DisplayCollectionName": {"UserLocalizedLabel": {"Label": format!("Depots {number}")}}})
        })
        .collect();
    let fault = json!({"match": {"path_contains": "/EntityDefinitions"},
        "action": {"status": 200, "body": json!({"value": tables}).to_string()}});
    control(org, "faults", fault.to_string()).await;
    window.click("add-table").await;
    window
        .expect_text("add-table-count", "The first 100 of 812")
        .await;
    window.state("add-table-of-many").await;
    window.write("add-table-search", "depots 811").await;
    window
        .expect_text("add-table-count", "1 table can be added")
        .await;
    window.see("add-nrv_depot811").await;
    window.press(ESCAPE).await;
    end_control(org, "faults").await;
    window.click("add-table").await;
    window.expect_text("add-table-count", "can be added").await;
}
