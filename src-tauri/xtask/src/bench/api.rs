//! The local API under load: readers that page through a large table while it is synced.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use reqwest::Client;
use serde_json::Value;

use super::report::{Figure, Report};
use super::{Options, cli};
use crate::api::Served;
use crate::organization::Organization;
use crate::process::step;

/// How often it is looked whether the sync has ended, and at the memory.
const LOOK: Duration = Duration::from_millis(200);
/// Longest time for one page, and for a sync.
const PAGE_PATIENCE: Duration = Duration::from_secs(30);
const SYNC_PATIENCE: Duration = Duration::from_secs(1_800);

/// What readers saw.
#[derive(Default)]
struct Seen {
    /// Time of each page, in ms.
    times: Vec<f64>,
    bytes: u64,
    errors: Vec<String>,
}

/// Reads at large, while a full sync runs and while none does.
///
/// # Errors
/// Where something that is measured does not work.
pub fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let cli = cli();
    let contacts = options.large;
    step(&format!("An organisation of {contacts} contacts"));
    let rows = format!("account=100,contact={contacts},lead=10,opportunity=10,systemuser=20");
    let organization = Organization::start(&cli.program, &["--rows", &rows])?;
    cli.forget()?;
    cli.connect(&organization)?;
    // The first sync makes the pages, which the server keeps.
    super::measure::sync(&cli, &["--no-search"])?;
    let served = Served::start(&cli)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(load(options, &served, report))
}

async fn load(options: &Options, served: &Served, report: &mut Report) -> Result<()> {
    let http = Client::builder().timeout(PAGE_PATIENCE).build()?;
    // The search index follows the schedule's first round; the schedule rests from now on.
    ask(&http, served, "POST", "mgmt/v2/syncs/_pause", "{}").await?;
    step("A full sync by itself");
    let alone = full_sync(&http, served, &AtomicU64::new(0)).await?;
    let alone = alone.min(full_sync(&http, served, &AtomicU64::new(0)).await?);
    step(&format!(
        "{} readers, one page of 100 contacts every {} ms each, while a full sync runs",
        options.readers, options.pause_ms
    ));
    let over = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..options.readers)
        .map(|number| {
            let pause = Duration::from_millis(options.pause_ms);
            // Not all at the same moment.
            let first = pause.mul_f64(number as f64 / options.readers.max(1) as f64);
            tokio::spawn(read(
                http.clone(),
                format!("{}/crm/v2/contacts", served.url),
                served.key.clone(),
                (first, pause),
                Arc::clone(&over),
            ))
        })
        .collect();
    let begun = Instant::now();
    // Caches fill up first; what grows afterwards is a leak.
    tokio::time::sleep(Duration::from_millis(options.pause_ms.max(1_000) * 3)).await;
    let before_mb = memory_mb(served);
    let peak = AtomicU64::new(0);
    let beside = full_sync(&http, served, &peak).await?;
    // The memory of the sync itself goes back when it has ended.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let after_mb = memory_mb(served);
    over.store(true, SeqCst);
    let mut seen = Seen::default();
    for reader in readers {
        let one = reader.await?;
        seen.times.extend(one.times);
        seen.bytes += one.bytes;
        seen.errors.extend(one.errors);
    }
    let seconds = begun.elapsed().as_secs_f64();
    if let Some(error) = seen.errors.first() {
        eprintln!("the first of {} errors: {error}", seen.errors.len());
    }
    seen.times.sort_by(f64::total_cmp);
    let at = |part: f64| {
        let place = (seen.times.len() as f64 * part) as usize;
        seen.times
            .get(place.min(seen.times.len().saturating_sub(1)))
    };
    let percentile = |part: f64| at(part).copied().unwrap_or(f64::NAN);
    report.add(Figure::told("API", "pages read", seen.times.len() as f64));
    report.add(Figure::told(
        "API",
        "pages a second",
        seen.times.len() as f64 / seconds,
    ));
    report.add(Figure::told(
        "API",
        "MB a second",
        seen.bytes as f64 / seconds / 1e6,
    ));
    report.add(Figure::told(
        "API",
        "a page of 100 rows, p50 in ms",
        percentile(0.5),
    ));
    report.add(Figure::at_most(
        "API",
        "a page of 100 rows, p99 in ms",
        percentile(0.99),
        50.0,
    ));
    report.add(Figure::told("API", "the slowest page, ms", percentile(1.0)));
    report.add(Figure::at_most(
        "API",
        "errors",
        seen.errors.len() as f64,
        0.0,
    ));
    report.add(Figure::told("API", "the full sync alone, seconds", alone));
    report.add(Figure::at_most(
        "API",
        "sync with readers ÷ alone",
        beside / alone,
        4.0 / 3.0,
    ));
    report.add(Figure::told(
        "API",
        "memory with readers before the sync, MB",
        before_mb,
    ));
    report.add(Figure::told(
        "API",
        "peak memory, MB",
        peak.load(SeqCst) as f64 / 1e6,
    ));
    report.add(Figure::at_most(
        "API",
        "memory with readers, after ÷ before the sync",
        after_mb / before_mb,
        1.5,
    ));
    Ok(())
}

/// Pages through the whole table, over and over.
async fn read(
    http: Client,
    list: String,
    key: String,
    (first, pause): (Duration, Duration),
    over: Arc<AtomicBool>,
) -> Seen {
    let mut seen = Seen::default();
    let mut next: Option<String> = None;
    tokio::time::sleep(first).await;
    while !over.load(SeqCst) {
        let url = match &next {
            Some(cursor) => format!("{list}?cursor={cursor}"),
            None => list.clone(),
        };
        let begun = Instant::now();
        match page(&http, &url, &key).await {
            Ok(text) => {
                seen.times.push(begun.elapsed().as_secs_f64() * 1_000.0);
                seen.bytes += text.len() as u64;
                next = following(&text);
            }
            Err(error) => seen.errors.push(format!("{error:#}")),
        }
        tokio::time::sleep(pause.saturating_sub(begun.elapsed())).await;
    }
    seen
}

async fn page(http: &Client, url: &str, key: &str) -> Result<String> {
    let reply = http.get(url).bearer_auth(key).send().await?;
    let status = reply.status();
    let text = reply.text().await?;
    if !status.is_success() {
        bail!("{status}: {text}");
    }
    Ok(text)
}

/// The next cursor, which stands before the records: they need not be read for it.
fn following(text: &str) -> Option<String> {
    let rest = text.strip_prefix("{\"pagination\":{\"next\":\"")?;
    rest.split('"').next().map(str::to_owned)
}

async fn ask(
    http: &Client,
    served: &Served,
    method: &str,
    path: &str,
    body: &str,
) -> Result<Value> {
    let url = format!("{}/{path}", served.url);
    let request = match method {
        "GET" => http.get(url),
        _ => http
            .post(url)
            .header("content-type", "application/json")
            .body(body.to_owned()),
    };
    let reply = request
        .bearer_auth(&served.key)
        .send()
        .await?
        .error_for_status()?;
    Ok(serde_json::from_str(&reply.text().await?)?)
}

/// Reads every contact again; gives how long it took, in seconds, as its run says. Notes the highest memory,
/// in bytes.
async fn full_sync(http: &Client, served: &Served, peak: &AtomicU64) -> Result<f64> {
    let runs = "mgmt/v2/sync-runs?object=contacts&page_size=1";
    let newest = async || -> Result<Value> {
        let reply = ask(http, served, "GET", runs, "").await?;
        Ok(reply["sync_runs"][0].clone())
    };
    let before = newest().await?["id"].as_i64().unwrap_or_default();
    let body = r#"{"object":"contacts","perform_full_refresh":true}"#;
    ask(http, served, "POST", "mgmt/v2/syncs/_trigger", body).await?;
    let begun = Instant::now();
    loop {
        tokio::time::sleep(LOOK).await;
        peak.fetch_max((memory_mb(served) * 1e6) as u64, SeqCst);
        let run = newest().await?;
        let status = run["status"].as_str().unwrap_or_default();
        if run["id"].as_i64() > Some(before) && status != "running" {
            if status != "success" {
                bail!("the sync ended as {run}");
            }
            let took = run["duration_ms"].as_f64().context("a duration")?;
            return Ok(took / 1_000.0);
        }
        if begun.elapsed() > SYNC_PATIENCE {
            bail!("the sync does not end");
        }
    }
}

/// Memory of the serving program, in MB.
fn memory_mb(served: &Served) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", served.id()));
    let status = status.unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().split(' ').next()?.parse::<f64>().ok());
    kib.map_or(f64::NAN, |kib| kib * 1_024.0 / 1e6)
}
