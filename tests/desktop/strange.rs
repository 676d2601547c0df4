//! Records and tables as no demo has them: very long, very wide, without a name, hostile.

use salesmirror_sample_org::SampleOrg;
use serde_json::{Value, json};

use crate::desktop::{Desktop, Keychain, Look};
use crate::wizard::{self, WATCH_POLICY, control, folder, small_organization};

/// Columns that an organisation added: with its own a contact has 300.
const ADDED: usize = 177;

/// The ids of a table's rows.
pub async fn ids(org: &SampleOrg, table: &str) -> Vec<Value> {
    let url = format!("{}/table/{table}", org.description().control_url);
    let reply = reqwest::get(url).await.expect("a reply");
    let text = reply.text().await.expect("a text");
    let id = |line: &str| -> Value {
        let row: Value = serde_json::from_str(line).expect("a row");
        row[format!("{table}id")].clone()
    };
    text.lines().map(id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn long_wide_nameless_and_hostile_records_are_shown_as_they_are() {
    let (folder, org) = (folder(), small_organization().await);
    for number in 0..ADDED {
        let column = json!({"table": "contact", "column": format!("nrv_extra{number:03}"), "action": "add",
            "type": "text", "label": format!("Zusatzangabe zur Geschäftsbeziehung Nummer {number}")});
        control(&org, "columns", column.to_string()).await;
    }
    control(
        &org,
        "columns",
        json!({"table": "lead", "hidden": ["fullname"]}).to_string(),
    )
    .await;
    let contacts = ids(&org, "contact").await;
    let long = "Donaudampfschifffahrtsgesellschaftskapitän ".repeat(5);
    for (id, name, job) in [
        (
            &contacts[0],
            long.trim(),
            "<img src=x onerror=\"window.hurt = true\"><b>bold</b>",
        ),
        (
            &contacts[1],
            "مرحبا بالعالم \u{202e}desrever\u{202c} שלום",
            "👩🏽‍🚀 Ⓐ\u{300}\u{301}\u{302} 𝕬𝖓𝖓𝖆",
        ),
        (&contacts[2], "", "=HYPERLINK(\"http://evil.example\")"),
        (
            &contacts[3],
            "Line one\nline two\tand a tab",
            "\u{0007}bell \u{200b}zero\u{200b}width",
        ),
    ] {
        let values =
            json!({"fullname": name, "lastname": name, "jobtitle": job, "emailaddress1": job});
        let record = json!({"table": "contact", "id": id, "values": values});
        control(&org, "records", record.to_string()).await;
    }
    let accounts = ids(&org, "account").await;
    let record = json!({"table": "account", "id": accounts[0], "values": {"name": long.trim()}});
    control(&org, "records", record.to_string()).await;

    let desktop = Desktop::start(folder.path(), Keychain::Unlocked, Look::Light);
    let window = desktop.open().await;
    window.js(WATCH_POLICY).await;
    wizard::to_check(&window, &desktop, &org).await;
    window.click("start-first-sync").await;
    wizard::synced(&window).await;

    window.click("nav-contact").await;
    window.expect_text("status-total", "60 contacts").await;
    window.click("columns-open").await;
    window.expect_text("columns-count", "of 300 shown").await;
    window.write("columns-search", "zusatz").await;
    window.state("strange-columns").await;
    window
        .click_css("[data-testid='column-nrv_extra007'] input")
        .await;
    window.press("\u{e00c}").await;
    window.state("strange-contacts").await;
    window.write("search", "Donaudampf").await;
    window.expect_text("status-total", "1 of 60").await;
    window.click_css(".ag-row[row-index='0'] .cell-name").await;
    window.expect_text("panel", "Donaudampfschifffahrts").await;
    window.expect_text("panel", "<b>bold</b>").await;
    window.state("strange-record").await;
    window.press("\u{e00c}").await;

    // Without a name column the first column stands for the row.
    window.click("nav-lead").await;
    window.expect_text("status-total", "20 leads").await;
    window.state("strange-nameless").await;
    window
        .click_css(".ag-row[row-index='0'] .ag-cell:not(.cell-select):not(.cell-glyph)")
        .await;
    window.see("panel").await;
    window.state("strange-nameless").await;
    window
        .expect_js("return window.hurt ?? null", &json!(null))
        .await;
    window.expect_js("return window.refused", &json!([])).await;
    window.close().await;
}
