//! `cargo xtask bench`: speed, memory and size on this machine, beside what else reads the same
//! server in the same run. Machines differ, so that ratios say more than seconds.

mod api;
mod driver;
mod measure;
mod report;
mod window;

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::organization::{Cli, Organization, in_keyring_session, target};
use crate::process::{run as run_program, step};
use crate::system;

use measure::{airbyte, drain, export, mirror_bytes, sync};
use report::{Figure, Report};

/// What to measure.
#[derive(Args)]
pub struct Options {
    /// Rows of the first sync, over five tables
    #[arg(long, default_value_t = 200_000, value_name = "N")]
    rows: u64,
    /// Contacts of the large organisation; 0 leaves it out
    #[arg(long, default_value_t = 1_000_000, value_name = "N")]
    large: u64,
    /// How often each pair is measured; the median counts
    #[arg(long, default_value_t = 3, value_name = "N")]
    rounds: usize,
    /// Contacts that Airbyte's connector reads; 0 leaves it out
    #[arg(long, default_value_t = 100_000, value_name = "N")]
    airbyte: u64,
    /// Only the window, at the large organisation
    #[arg(long)]
    window: bool,
    /// Only the local API, at the large organisation
    #[arg(long)]
    api: bool,
    /// Readers of the local API
    #[arg(long, default_value_t = 200, value_name = "N")]
    readers: usize,
    /// Time from one page of a reader to its next
    #[arg(long, default_value_t = 1_000, value_name = "MS")]
    pause_ms: u64,
}

/// Time of the simulated network before each answer where round trips are counted, in ms.
const LATENCY_MS: u64 = 200;

/// Sets up, measures, prints a table and writes `target/bench/bench.json`.
///
/// # Errors
/// Where something that is measured does not work.
pub fn run(options: &Options) -> Result<()> {
    let packages = [
        &system::BUILD[..],
        &system::KEYRING[..],
        &system::BENCH[..],
        &system::WINDOW[..],
        &system::DISPLAY[..],
    ];
    system::ensure(&packages.concat())?;
    step("Building the command line");
    run_program(
        "cargo",
        ["build", "--release", "--package", "salesmirror-cli"],
    )?;
    let task: Vec<String> = std::env::args().skip(1).collect();
    if in_keyring_session(&task, &folder().join("keyring"))? {
        return Ok(());
    }
    let mut report = Report::default();
    if options.window {
        window::measure(options, &mut report)?;
        return report.finish(&folder().join("bench-window.json"));
    }
    if options.api {
        api::measure(options, &mut report)?;
        return report.finish(&folder().join("bench-api.json"));
    }
    first_sync(options, &mut report)?;
    far_away(options, &mut report)?;
    round_trips(&mut report)?;
    if options.large > 0 {
        growth(options, &mut report)?;
        window::measure(options, &mut report)?;
        api::measure(options, &mut report)?;
    }
    if options.airbyte > 0 {
        beside_airbyte(options, &mut report)?;
    }
    report.finish(&folder().join("bench.json"))
}

fn folder() -> PathBuf {
    target().join("bench")
}

fn cli() -> Cli {
    Cli {
        program: target().join("release").join("salesmirror"),
        data: folder().join("data"),
    }
}

/// So many rows over the five tables, most of them contacts.
fn spread(rows: u64) -> String {
    let part = |per_mille: u64| rows * per_mille / 1_000;
    format!(
        "account={},contact={},lead={},opportunity={},systemuser={}",
        part(150),
        part(750),
        part(50),
        part(45),
        part(5)
    )
}

/// S1, S1b, S10: a first sync beside a drain of the same pages.
fn first_sync(options: &Options, report: &mut Report) -> Result<()> {
    let rows = spread(options.rows);
    step(&format!("An organisation of {rows}"));
    let cli = cli();
    let organization = Organization::start(&cli.program, &["--rows", &rows])?;
    // The first sync makes the pages, which the server keeps; only the later ones are measured.
    cli.forget()?;
    cli.connect(&organization)?;
    sync(&cli, &["--no-search"])?;
    let pages = measure::pages(&organization)?;
    let (mut synced, mut drained) = (Vec::new(), Vec::new());
    for round in 1..=options.rounds.max(1) {
        step(&format!(
            "Round {round}: a drain of the pages, and a first sync"
        ));
        drained.push(drain(&organization, &pages)?);
        cli.forget()?;
        cli.connect(&organization)?;
        synced.push(sync(&cli, &["--no-search"])?);
    }
    let (best, plain) = (
        median(&synced, |run| run.seconds),
        median(&drained, |run| run.seconds),
    );
    let json_bytes = plain.json_bytes as f64;
    let rows = best.rows as f64;
    report.add(Figure::at_least(
        "S1",
        "first sync, rows/s",
        rows / best.seconds,
        40_000.0,
    ));
    report.add(Figure::at_least(
        "S1",
        "first sync, MB/s of JSON",
        json_bytes / best.seconds / 1e6,
        110.0,
    ));
    report.add(Figure::told("S1", "bytes of JSON a row", json_bytes / rows));
    report.add(Figure::told(
        "S1",
        "the plain drain, seconds",
        plain.seconds,
    ));
    report.add(Figure::at_most(
        "S1",
        "first sync ÷ plain drain",
        best.seconds / plain.seconds,
        2.0,
    ));
    let without_index = mirror_bytes(&cli)? as f64;
    step("The search index that follows");
    let indexed = sync(&cli, &[])?;
    report.add(Figure::at_least(
        "S1b",
        "search index, rows/s",
        rows / (indexed.seconds_in_all - indexed.seconds),
        25_000.0,
    ));
    report.add(Figure::at_most(
        "S10",
        "mirror without search index ÷ JSON",
        without_index / json_bytes,
        0.40,
    ));
    report.add(Figure::at_most(
        "S10",
        "mirror with substring search ÷ JSON",
        mirror_bytes(&cli)? as f64 / json_bytes,
        0.65,
    ));
    Ok(())
}

/// S2: a first sync from a service that takes its time for each page, beside the pages of its largest
/// table one after the other.
fn far_away(options: &Options, report: &mut Report) -> Result<()> {
    step("A first sync with 800 ms before each page");
    let rows = spread(options.rows / 2);
    let cli = cli();
    let organization = Organization::start(&cli.program, &["--rows", &rows])?;
    let sets = [
        "accounts",
        "contacts",
        "leads",
        "opportunities",
        "systemusers",
    ];
    let rules = sets.map(|set| {
        format!(r#"{{"match":{{"path":"/api/data/v9.2/{set}"}},"action":{{"delay_ms":800}}}}"#)
    });
    organization.control("faults", &format!("[{}]", rules.join(",")))?;
    // The first sync makes the pages, which the server keeps.
    cli.forget()?;
    cli.connect(&organization)?;
    sync(&cli, &["--no-search"])?;
    let chain = measure::chain(&organization, "/contacts")?;
    cli.forget()?;
    cli.connect(&organization)?;
    let far = sync(&cli, &["--no-search"])?;
    let alone = drain(&organization, &chain)?;
    report.add(Figure::told("S2", "pages of contacts", chain.len() as f64));
    report.add(Figure::told(
        "S2",
        "these pages alone, seconds",
        alone.seconds,
    ));
    report.add(Figure::at_most(
        "S2",
        "first sync ÷ these pages",
        far.seconds / alone.seconds,
        1.1,
    ));
    Ok(())
}

/// S3: a sync with nothing new, on a network that takes its time.
fn round_trips(report: &mut Report) -> Result<()> {
    step("A sync with nothing new");
    let cli = cli();
    let latency = LATENCY_MS.to_string();
    let organization = Organization::start(&cli.program, &["--latency-ms", &latency])?;
    cli.forget()?;
    cli.connect(&organization)?;
    sync(&cli, &["--no-search"])?;
    let nothing = sync(&cli, &["--no-search"])?;
    report.add(Figure::at_most(
        "S3",
        "nothing new, requests a table",
        nothing.requests as f64 / nothing.tables as f64,
        1.0,
    ));
    report.add(Figure::at_most(
        "S3",
        "nothing new, round trips",
        nothing.seconds * 1_000.0 / LATENCY_MS as f64,
        1.3,
    ));
    Ok(())
}

/// S9, S11: memory, and whether a large mirror is as quick as a small one.
fn growth(options: &Options, report: &mut Report) -> Result<()> {
    let small = options.large / 10;
    let mut rates = Vec::new();
    for contacts in [small, options.large] {
        step(&format!("An organisation of {contacts} contacts"));
        let cli = cli();
        let rows = format!("account=100,contact={contacts},lead=10,opportunity=10,systemuser=20");
        let organization = Organization::start(&cli.program, &["--rows", &rows])?;
        cli.forget()?;
        cli.connect(&organization)?;
        sync(&cli, &["--no-search"])?;
        cli.forget()?;
        cli.connect(&organization)?;
        let run = sync(&cli, &["--no-search"])?;
        rates.push(run.rows as f64 / run.seconds);
        if contacts == options.large {
            report.add(Figure::at_most(
                "S9",
                "peak memory of the sync, MB",
                run.peak_mb,
                150.0,
            ));
            let exported = export(&cli, "contact")?;
            report.add(Figure::at_most(
                "S9",
                "peak memory of its export, MB",
                exported.peak_mb,
                100.0,
            ));
            report.add(Figure::told("S9", "export, seconds", exported.seconds));
        }
    }
    report.add(Figure::told(
        "S11",
        &format!("rows/s at {small} rows"),
        rates[0],
    ));
    report.add(Figure::told(
        "S11",
        &format!("rows/s at {} rows", options.large),
        rates[1],
    ));
    report.add(Figure::at_least(
        "S11",
        "rows/s, large ÷ small",
        rates[1] / rates[0],
        0.8,
    ));
    Ok(())
}

/// S1: the same server read by Airbyte's connector.
fn beside_airbyte(options: &Options, report: &mut Report) -> Result<()> {
    step("Airbyte's connector, and ours, on the same server");
    let cli = cli();
    let rows = format!(
        "account=10,contact={},lead=10,opportunity=10,systemuser=10",
        options.airbyte
    );
    let organization = Organization::start(&cli.program, &["--tls", "--rows", &rows])?;
    let theirs = airbyte(&organization, &folder())?;
    let certificate = cli.certificate();
    let certificate = certificate.to_string_lossy();
    let flags = ["--no-search", "--ca-file", &certificate];
    // As for theirs, the first sync makes the pages, which the server keeps.
    let mut synced = Vec::new();
    for _ in 0..=options.rounds.max(1) {
        cli.forget()?;
        cli.connect(&organization)?;
        synced.push(sync(&cli, &flags)?);
    }
    let ours = median(&synced[1..], |run| run.seconds);
    let (theirs_rate, ours_rate) = (
        theirs.rows as f64 / theirs.seconds,
        ours.rows as f64 / ours.seconds,
    );
    report.add(Figure::told(
        "S1",
        "Airbyte's connector, rows/s",
        theirs_rate,
    ));
    report.add(Figure::told("S1", "ours on that server, rows/s", ours_rate));
    report.add(Figure::at_least(
        "S1",
        "ours ÷ Airbyte's",
        ours_rate / theirs_rate,
        10.0,
    ));
    Ok(())
}

/// The run in the middle, by a figure of it.
fn median<T>(runs: &[T], figure: impl Fn(&T) -> f64) -> &T {
    let mut order: Vec<&T> = runs.iter().collect();
    order.sort_by(|one, other| figure(one).total_cmp(&figure(other)));
    order[order.len() / 2]
}
