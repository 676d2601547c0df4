//! The examples of `docs/simulator.md` are run as they stand there.

use std::path::Path;
use std::process::Command;

use salesmirror_sample_org::{Config, SampleOrg, parse_rows, yesterday};
use serde_json::Value;

/// The blocks of this kind in a document.
fn blocks<'a>(document: &'a str, kind: &str) -> Vec<&'a str> {
    let start = format!("\n```{kind}\n");
    document
        .split(start.as_str())
        .skip(1)
        .filter_map(|rest| rest.split_once("```").map(|(block, _)| block))
        .collect()
}

#[test]
fn the_documented_examples_do_what_they_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/simulator.md");
    let document = std::fs::read_to_string(path).expect("the document");
    let (script, expected) = (blocks(&document, "sh"), blocks(&document, "text"));
    assert_eq!(
        (script.len(), expected.len()),
        (4, 4),
        "a start and three examples"
    );
    let program = tests::program("salesmirror");
    let programs = program.parent().expect("a folder").display().to_string();
    let others = std::env::var("PATH").unwrap_or_default();
    let folder = tempfile::tempdir().expect("a folder");
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script.concat()])
        .current_dir(&folder)
        .env("PATH", format!("{programs}:{others}"))
        .output()
        .expect("bash runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        said,
        expected.concat(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn records_end_when_the_organisation_is_told_and_amounts_have_a_twin_in_its_currency() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    // 2031-05-17 09:00, in seconds since 1970.
    let now = 1_936_947_600;
    let config = Config {
        rows: parse_rows("account=50,contact=5,lead=5,opportunity=400,systemuser=5").expect("rows"),
        present: yesterday(now),
        ..Config::default()
    };
    let org = SampleOrg::start(config).await.expect("an organisation");
    let url = format!("{}/table/opportunity", org.description().control_url);
    let reply = reqwest::get(url).await.expect("a reply");
    let text = reply.text().await.expect("a text");
    let rows = text.lines().map(serde_json::from_str);
    let rows: Vec<Value> = rows.collect::<Result<_, _>>().expect("rows");
    let newest = rows
        .iter()
        .filter_map(|row| row["modifiedon"].as_str())
        .max();
    assert_eq!(&newest.expect("a moment")[..7], "2031-05");
    let mut in_other_currencies = 0;
    for row in &rows {
        let amount = row["estimatedvalue"].as_f64().expect("an amount");
        let base = row["estimatedvalue_base"].as_f64().expect("its twin");
        let rate = row["exchangerate"].as_f64().expect("a rate");
        assert!(
            (amount / rate - base).abs() < 0.01,
            "{amount} {rate} {base}"
        );
        let shown = "estimatedvalue_base@OData.Community.Display.V1.FormattedValue";
        if let Some(text) = row[shown].as_str() {
            assert!(text.starts_with('€'), "{text}");
        }
        in_other_currencies += usize::from((rate - 1.0).abs() > 0.01);
    }
    assert!(in_other_currencies > 20);
}
