//! The window at a million contacts: S4 to S8 over the bridge that its pages use, and sizes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::driver::{Driver, Window};
use super::measure::{export_to, sync};
use super::report::{Figure, Report};
use super::{Options, cli, folder};
use crate::organization::{Cli, Organization, target};
use crate::process::{run as run_program, step};
use crate::ui;

/// What runs inside the window.
const SCRIPT: &str = include_str!("window.js");
/// Windows of 200 rows for S5.
const WINDOWS: usize = 1_000;
/// Starts of each program for S8; the median counts.
const STARTS: usize = 5;
/// How long the grid is scrolled, in ms.
const SCROLL_MS: u32 = 6_000;
/// The frame of a screen with 60 pictures a second, in ms.
const FRAME_MS: f64 = 16.7;

/// Builds the app, mirrors the large organisation, and measures.
///
/// # Errors
/// Where something that is measured does not work.
pub fn measure(options: &Options, report: &mut Report) -> Result<()> {
    ui::build()?;
    step("Building the app");
    let desktop = ["build", "--release", "--package", "salesmirror-desktop"];
    let feature = ["--features", "custom-protocol"];
    run_program("cargo", [&desktop[..], &feature].concat())?;
    run_program(
        "cargo",
        [&desktop[..], &feature, &["--example", "empty"]].concat(),
    )?;
    let release = target().join("release");
    let app = release.join("salesmirror-desktop");
    sizes(&app, report)?;

    step(&format!("A mirror of {} contacts", options.large));
    let cli = cli();
    let rows = format!(
        "account=2000,contact={},lead=10,opportunity=10,systemuser=20",
        options.large
    );
    let organization = Organization::start(&cli.program, &["--rows", &rows])?;
    cli.forget()?;
    cli.connect(&organization)?;
    sync(&cli, &[])?;
    beside_sqlite(&cli, report)?;

    let driver = Driver::start(&cli.data)?;
    step("Starts, beside those of an empty window");
    starts(&driver, &app, &release.join("examples/empty"), report)?;
    step("Views, windows and searches over the bridge");
    let window = driver.open(&app)?;
    window.wait(HOME)?;
    window.prepare(SCRIPT)?;
    views(&window, report)?;
    step("Clicks and frames");
    clicks(&window, report)?;
    depth(&window, options.large, report)?;
    frames(&window, "frames while scrolling", report)?;
    window.run("bench.fullSync()")?;
    frames(&window, "frames while scrolling and syncing", report)?;
    window.run("bench.pauseSync()")?;
    Ok(())
}

/// Home with its table of tables.
const HOME: &str = "document.querySelector('[data-testid=\"table-rows-contact\"]') !== null";

fn sizes(app: &Path, report: &mut Report) -> Result<()> {
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    report.add(Figure::told(
        "size",
        "the app, MB",
        megabytes(fs::metadata(app)?.len()),
    ));
    let pages = crate::root().join("ui/dist");
    let mut bytes = 0;
    let mut folders = vec![pages];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            match entry.file_type()?.is_dir() {
                true => folders.push(entry.path()),
                false => bytes += entry.metadata()?.len(),
            }
        }
    }
    report.add(Figure::told("size", "its pages, MB", megabytes(bytes)));
    Ok(())
}

/// S8: from the start of the program to what it is started for, beside an empty window.
fn starts(driver: &Driver, app: &Path, empty: &Path, report: &mut Report) -> Result<()> {
    let start = |program: &Path, there: &str| -> Result<f64> {
        let begun = Instant::now();
        let window = driver.open(program)?;
        window.wait(there)?;
        Ok(begun.elapsed().as_secs_f64() * 1_000.0)
    };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        theirs.push(start(
            empty,
            "document.body?.textContent.includes('Nothing')",
        )?);
        ours.push(start(app, HOME)?);
    }
    let (ours, theirs) = (percentile(&mut ours, 50), percentile(&mut theirs, 50));
    report.add(Figure::told("S8", "start to the tables, ms", ours));
    report.add(Figure::told("S8", "start of an empty window, ms", theirs));
    report.add(Figure::at_most(
        "S8",
        "start ÷ that of an empty window",
        ours / theirs,
        1.5,
    ));
    Ok(())
}

/// S4, S5, S6.
fn views(window: &Window<'_>, report: &mut Report) -> Result<()> {
    let open = |part: &str| -> Result<(f64, f64)> {
        let reply = window.run(&format!("bench.open({part})"))?;
        Ok((figure(&reply["ms"])?, figure(&reply["rows"])?))
    };
    let order = "{ sort: { column: 'jobtitle', descending: false } }";
    let (without, _) = open(order)?;
    report.add(Figure::at_most(
        "S4",
        "a view in an order without an index, ms",
        without,
        1_500.0,
    ));
    // The index is made once the view is open.
    std::thread::sleep(std::time::Duration::from_secs(15));
    let (with, _) = open(order)?;
    report.add(Figure::at_most(
        "S4",
        "a view in an order with one, ms",
        with,
        100.0,
    ));
    let contains = "{ filters: [{ column: 'fullname', op: 'contains', values: ['quill'] }] }";
    let (ms, rows) = open(contains)?;
    report.add(Figure::told("S4", "rows that contain a word", rows));
    report.add(Figure::at_most("S4", "a view of them, ms", ms, 300.0));
    let mut times = list(&window.run(&format!("bench.windows({WINDOWS})"))?)?;
    report.add(Figure::told(
        "S5",
        "a window of 200 rows, median ms",
        percentile(&mut times, 50),
    ));
    report.add(Figure::at_most(
        "S5",
        "a window of 200 rows, p99 ms",
        percentile(&mut times, 99),
        10.0,
    ));
    let words = "['lindqvarn', 'maintenance', 'zephyr', 'emberoak', '555 0180', 'quillfeather']";
    let mut times = list(&window.run(&format!("bench.searches({words})"))?)?;
    report.add(Figure::told(
        "S6",
        "searching as one types, median ms",
        percentile(&mut times, 50),
    ));
    report.add(Figure::at_most(
        "S6",
        "searching as one types, p95 ms",
        percentile(&mut times, 95),
        50.0,
    ));
    Ok(())
}

/// From a click on a page's name to the page.
fn clicks(window: &Window<'_>, report: &mut Report) -> Result<()> {
    for (what, page, there, text) in [
        (
            "Home to the contacts, first time, ms",
            "nav-contact",
            ".ag-row .cell-name",
            " ",
        ),
        (
            "to the accounts, ms",
            "nav-account",
            ".ag-row .cell-name",
            " ",
        ),
        (
            "back to the contacts, ms",
            "nav-contact",
            "#root h1",
            "Contacts",
        ),
        (
            "to the settings, ms",
            "nav-settings",
            "#root h1",
            "Settings",
        ),
        (
            "to Home, ms",
            "nav-home",
            "[data-testid=\"table-rows-contact\"]",
            "1",
        ),
        (
            "Home to the contacts again, ms",
            "nav-contact",
            ".ag-row .cell-name",
            " ",
        ),
    ] {
        let expression = format!("bench.paint({page:?}, {there:?}, {text:?})");
        report.add(Figure::told(
            "click",
            what,
            figure(&window.run(&expression)?)?,
        ));
    }
    Ok(())
}

/// A jump to nine tenths of the grid, until the rows that are there are drawn.
fn depth(window: &Window<'_>, rows: u64, report: &mut Report) -> Result<()> {
    let reply = window.run("bench.reach(0.9)")?;
    let (row, wanted) = (figure(&reply["row"])?, 0.9 * rows as f64);
    if (row - wanted).abs() > wanted / 1_000.0 {
        bail!("at nine tenths of {rows} rows is row {row}");
    }
    let what = format!("a jump to row {row}, ms");
    report.add(Figure::told("depth", &what, figure(&reply["ms"])?));
    Ok(())
}

fn frames(window: &Window<'_>, what: &str, report: &mut Report) -> Result<()> {
    let mut times = list(&window.run(&format!("bench.frames({SCROLL_MS})"))?)?;
    let late = times.iter().filter(|time| **time > 2.0 * FRAME_MS).count();
    let share = late as f64 / times.len().max(1) as f64;
    for (name, part) in [("median", 50), ("p95", 95), ("p99", 99)] {
        let value = percentile(&mut times, part);
        report.add(Figure::told("frame", &format!("{what}, {name} ms"), value));
    }
    report.add(Figure::told(
        "frame",
        "of them later than two frames, %",
        share * 100.0,
    ));
    Ok(())
}

/// S7: an export, beside `sqlite3`'s own of the same rows out of an unencrypted copy.
fn beside_sqlite(cli: &Cli, report: &mut Report) -> Result<()> {
    step("An export, beside that of sqlite3");
    let rows = folder().join("rows.csv");
    let copy = folder().join("rows.db");
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let _ = fs::remove_file(&copy);
    for round in 0..3 {
        ours.push(export_to(cli, "contact", &rows)?.seconds);
        if round == 0 {
            let import = format!(".import {} rows", rows.display());
            sqlite(&copy, &[".mode csv", &import], Stdio::null())?;
        }
        let output = fs::File::create(folder().join("copy.csv"))?;
        let begun = Instant::now();
        sqlite(
            &copy,
            &[".mode csv", ".headers on", "SELECT * FROM rows;"],
            output.into(),
        )?;
        theirs.push(begun.elapsed().as_secs_f64());
    }
    for left in [rows, copy, folder().join("copy.csv")] {
        fs::remove_file(left)?;
    }
    let (ours, theirs) = (percentile(&mut ours, 50), percentile(&mut theirs, 50));
    report.add(Figure::told("S7", "export of 20 columns, seconds", ours));
    report.add(Figure::told("S7", "sqlite3 .mode csv, seconds", theirs));
    report.add(Figure::at_most(
        "S7",
        "export ÷ sqlite3",
        ours / theirs,
        1.0,
    ));
    Ok(())
}

fn sqlite(database: &PathBuf, commands: &[&str], output: Stdio) -> Result<()> {
    let status = Command::new("sqlite3")
        .arg("-batch")
        .arg(database)
        .args(commands)
        .stdout(output)
        .status()
        .context("sqlite3 cannot be started")?;
    if !status.success() {
        bail!("sqlite3 ended with {status}");
    }
    Ok(())
}

fn figure(value: &Value) -> Result<f64> {
    value
        .as_f64()
        .with_context(|| format!("{value} is no number"))
}

fn list(value: &Value) -> Result<Vec<f64>> {
    let values = value.as_array().context("no list")?;
    values.iter().map(figure).collect()
}

/// The value that so many percent do not exceed.
fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    values.get(last * percent / 100).copied().unwrap_or(0.0)
}
