//! A network that goes away and comes back, and an app that is closed meanwhile.

use serde_json::json;

use crate::desktop::{Desktop, Keychain, Look};
use crate::wizard::{self, control, end_control, folder, organization, organization_at};

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_goes_on_where_it_stopped_and_the_mirror_is_read_without_a_network() {
    let (folder, org) = (folder(), organization().await);
    let desktop = Desktop::start(folder.path(), Keychain::Unlocked, Look::Light);
    let window = desktop.open().await;
    wizard::to_check(&window, &desktop, &org).await;
    // Closed in the middle: three pages of contacts have come, the last one does not.
    let stalled = r#"{"match":{"path_contains":"/contacts","query_contains":"skiptoken","after":2},"action":{"stall":true}}"#;
    control(&org, "faults", stalled).await;
    window.click("start-first-sync").await;
    window.expect_text("table-rows-contact", "15,000").await;
    window.close().await;

    end_control(&org, "faults").await;
    let window = desktop.open().await;
    window.expect_text("table-state-contact", "In sync").await;
    window.expect_text("table-rows-contact", "16,000").await;

    // The network goes. What is mirrored is there, and it is said what is going on.
    let address = reqwest::Url::parse(&org.description().environment_url).expect("an address");
    drop(org);
    window.click("sync-now").await;
    window
        .expect_text("table-state-contact", "No answer, trying again")
        .await;
    window.state("offline").await;
    window.click("nav-contact").await;
    window.expect_text("status-total", "16,000 contacts").await;
    window.click_css(".ag-row[row-index='0'] .cell-name").await;
    window.see("panel").await;
    window.close().await;

    // The app starts without it and goes on with the sync: nobody can be signed in anew, which is said too.
    let window = desktop.open().await;
    window.expect_text("table-rows-contact", "16,000").await;
    window
        .expect_text("table-state-contact", "No answer, trying again")
        .await;
    window.state("offline-start").await;
    // Whoever wants something of the organisation now is told within seconds.
    window.click("add-table").await;
    window
        .expect_text("add-table-dialog", "does not answer")
        .await;
    window.state("offline-add-table").await;
    window.click("add-table-close").await;

    // It comes back, and nobody has to do anything.
    let _org = organization_at(address.port().expect("a port")).await;
    window.expect_text("table-state-contact", "In sync").await;
    window
        .expect_js(
            "return document.body.innerText.includes('No answer')",
            &json!(false),
        )
        .await;
    window.close().await;
}
