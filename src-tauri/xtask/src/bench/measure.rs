//! Running what is measured.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::clients;
use crate::organization::{Cli, Organization, web};
use crate::root;

/// How often the memory of a running program is looked at. The system keeps its peak, so that only
/// what grows in the last moments can be missed.
const LOOK: Duration = Duration::from_millis(20);

/// A sync of all tables.
pub struct SyncRun {
    /// Until every row could be browsed, as the slowest table reported.
    pub seconds: f64,
    /// From the program's start to its end.
    pub seconds_in_all: f64,
    /// Rows that came.
    pub rows: u64,
    /// Requests that it cost.
    pub requests: u64,
    /// Tables.
    pub tables: u64,
    /// Peak memory.
    pub peak_mb: f64,
}

/// Syncs, and fails where a table does.
///
/// # Errors
/// Where a table is not synced.
pub fn sync(cli: &Cli, flags: &[&str]) -> Result<SyncRun> {
    let arguments = [&["sync", "--json", "--quiet"], flags].concat();
    let done = watch(cli.command(&arguments).stdout(Stdio::piped()))?;
    let reply: Value = serde_json::from_slice(&done.output)?;
    let runs = reply["runs"].as_array().context("no runs")?;
    let sum = |names: &[&str]| -> u64 {
        runs.iter()
            .flat_map(|run| names.iter().map(|name| run[*name].as_u64().unwrap_or(0)))
            .sum()
    };
    if let Some(failed) = runs.iter().find(|run| run["status"] != "success") {
        bail!("a table was not synced: {failed}");
    }
    let slowest = runs
        .iter()
        .filter_map(|run| run["duration_ms"].as_u64())
        .max();
    Ok(SyncRun {
        seconds: slowest.unwrap_or(0) as f64 / 1_000.0,
        seconds_in_all: done.seconds,
        rows: sum(&["inserted", "updated", "unchanged"]),
        requests: sum(&["requests"]),
        tables: runs.len() as u64,
        peak_mb: done.peak_mb,
    })
}

/// An export of 20 columns, thrown away.
///
/// # Errors
/// Where it fails.
pub fn export(cli: &Cli, table: &str) -> Result<Done> {
    let file = cli.data.with_extension("csv");
    let done = export_to(cli, table, &file)?;
    fs::remove_file(&file)?;
    Ok(done)
}

/// An export of 20 columns into a file.
///
/// # Errors
/// Where it fails.
pub fn export_to(cli: &Cli, table: &str, file: &Path) -> Result<Done> {
    const COLUMNS: &str = "contactid,fullname,firstname,lastname,jobtitle,emailaddress1,telephone1,\
        mobilephone,parentcustomerid,ownerid,address1_line1,address1_city,address1_country,\
        address1_postalcode,createdon,modifiedon,statecode,statuscode,preferredcontactmethodcode,\
        description";
    let path = file.to_string_lossy();
    let arguments = [
        "export",
        table,
        "--quiet",
        "--format",
        "csv",
        "--columns",
        COLUMNS,
        "--output",
        &path,
    ];
    watch(cli.command(&arguments).stdout(Stdio::piped()))
}

/// The size of the mirrors, in bytes.
///
/// # Errors
/// Where the folder cannot be read.
pub fn mirror_bytes(cli: &Cli) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(&cli.data)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("mirror-") {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes)
}

/// A program that ended.
pub struct Done {
    /// From its start to its end.
    pub seconds: f64,
    /// Peak memory.
    pub peak_mb: f64,
    /// What it printed.
    pub output: Vec<u8>,
}

/// Runs a program and watches its memory.
fn watch(command: &mut Command) -> Result<Done> {
    let begun = Instant::now();
    let mut child = command.spawn()?;
    let mut peak_kb = 0;
    let reader = child.stdout.take().map(|mut output| {
        std::thread::spawn(move || {
            let mut text = Vec::new();
            std::io::copy(&mut output, &mut text).map(|_| text)
        })
    });
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        peak_kb = peak_kb.max(peak_of(&child));
        std::thread::sleep(LOOK);
    };
    let seconds = begun.elapsed().as_secs_f64();
    let output = match reader.map(std::thread::JoinHandle::join) {
        Some(Ok(text)) => text?,
        _ => Vec::new(),
    };
    if !status.success() {
        bail!("{:?} ended with {status}", command.get_program());
    }
    Ok(Done {
        seconds,
        peak_mb: peak_kb as f64 / 1_024.0,
        output,
    })
}

/// The peak memory of a running program so far, in kB, as Linux tells it.
fn peak_of(child: &Child) -> u64 {
    let Ok(status) = fs::read_to_string(format!("/proc/{}/status", child.id())) else {
        return 0;
    };
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

/// A page as our client asked for it.
pub struct Page {
    url: String,
    prefer: String,
}

/// The pages of records that were asked for since the organisation began, in their order.
///
/// # Errors
/// Where the organisation does not tell.
pub fn pages(organization: &Organization) -> Result<Vec<Page>> {
    let log = format!("{}/requests", organization.said("control_url"));
    let log: Value = web(async { Ok(reqwest::get(&log).await?.json().await?) })?;
    let environment = organization.said("environment_url");
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    let entries = log.as_array().context("no log of requests")?;
    Ok(entries
        .iter()
        .filter(|entry| {
            text(entry, "prefer").contains("track-changes")
                || text(entry, "query").contains("skiptoken")
        })
        .map(|entry| Page {
            url: format!(
                "{environment}{}?{}",
                text(entry, "path"),
                text(entry, "query")
            ),
            prefer: text(entry, "prefer"),
        })
        .collect())
}

/// The pages of one table that were asked for since the organisation began.
///
/// # Errors
/// Where the organisation does not tell.
pub fn chain(organization: &Organization, set: &str) -> Result<Vec<Page>> {
    let mut pages = pages(organization)?;
    pages.retain(|page| page.url.contains(&format!("{set}?")));
    Ok(pages)
}

/// A drain of pages.
pub struct Drain {
    /// From the program's start to its end.
    pub seconds: f64,
    /// The pages' JSON, decompressed.
    pub json_bytes: u64,
}

/// Fetches pages one after the other and throws them away, as `curl --compressed` does.
///
/// # Errors
/// Where a page is refused.
pub fn drain(organization: &Organization, pages: &[Page]) -> Result<Drain> {
    let token = token(organization)?;
    let mut config = String::new();
    for (place, page) in pages.iter().enumerate() {
        if place > 0 {
            config.push_str("next\n");
        }
        config.push_str(&format!(
            "url = \"{}\"\nheader = \"Authorization: Bearer {token}\"\nheader = {}\n\
             header = \"Accept: application/json\"\ncompressed\ngloboff\nfail\noutput = \"-\"\n",
            page.url,
            json!(format!("Prefer: {}", page.prefer)),
        ));
    }
    // Once to count, once for the time: counting takes time.
    let counted = curl(&config, Stdio::piped())?;
    let timed = curl(&config, Stdio::null())?;
    Ok(Drain {
        seconds: timed.0,
        json_bytes: counted.1,
    })
}

fn curl(config: &str, output: Stdio) -> Result<(f64, u64)> {
    let begun = Instant::now();
    let mut child = Command::new("curl")
        .args(["--silent", "--show-error", "--config", "-"])
        .stdin(Stdio::piped())
        .stdout(output)
        .spawn()
        .context("curl cannot be started")?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(config.as_bytes())?;
    }
    let bytes = match child.stdout.take() {
        Some(mut output) => std::io::copy(&mut output, &mut std::io::sink())?,
        None => 0,
    };
    let status = child.wait()?;
    if !status.success() {
        bail!("curl ended with {status}");
    }
    Ok((begun.elapsed().as_secs_f64(), bytes))
}

/// A token of the app itself.
fn token(organization: &Organization) -> Result<String> {
    let address = format!(
        "{}{}/oauth2/v2.0/token",
        organization.said("authority_url"),
        organization.said("tenant_id")
    );
    let scope = format!("{}/.default", organization.said("environment_url"));
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", organization.said("client_id")),
        ("client_secret", organization.said("client_secret")),
        ("scope", &scope),
    ];
    let reply: Value = web(async {
        let client = reqwest::Client::new();
        Ok(client
            .post(address)
            .form(&form)
            .send()
            .await?
            .json()
            .await?)
    })?;
    let token = reply["access_token"].as_str();
    Ok(token
        .with_context(|| format!("no token: {reply}"))?
        .to_owned())
}

/// Rows that another program read.
pub struct Read {
    /// From the program's start to its end.
    pub seconds: f64,
    /// Rows.
    pub rows: u64,
}

/// A full refresh of the contacts by Airbyte's connector, in pages as large as ours.
///
/// # Errors
/// Where the connector fails.
pub fn airbyte(organization: &Organization, folder: &Path) -> Result<Read> {
    let python = clients::environment("airbyte", "requirements-airbyte.txt")?;
    fs::create_dir_all(folder)?;
    let certificate = folder.join("airbyte.pem");
    fs::write(&certificate, organization.said("ca_certificate"))?;
    let config = json!({
        "url": organization.said("environment_url"),
        "tenant_id": organization.said("tenant_id"),
        "client_id": organization.said("client_id"),
        "client_secret_value": organization.said("client_secret"),
        "odata_maxpagesize": 5_000,
    });
    let config_file = folder.join("airbyte-config.json");
    fs::write(&config_file, config.to_string())?;
    let run = |arguments: &[&std::ffi::OsStr]| {
        watch(
            Command::new(&python)
                .arg(root().join("tests/clients/airbyte_source.py"))
                .args(arguments)
                .arg("--config")
                .arg(&config_file)
                .current_dir(root().join("tests/clients"))
                .env("SAMPLE_ORG", organization.description.to_string())
                .env("REQUESTS_CA_BUNDLE", &certificate)
                .env("PYTHONDONTWRITEBYTECODE", "1")
                .env("NO_PROXY", "localhost")
                .stdout(Stdio::piped())
                .stderr(Stdio::null()),
        )
    };
    let found = run(&["discover".as_ref()])?;
    let stream = messages(&found.output, "CATALOG")
        .find_map(|message| {
            let streams = message["catalog"]["streams"].as_array()?.clone();
            streams
                .into_iter()
                .find(|stream| stream["name"] == "contact")
        })
        .context("the connector finds no contacts")?;
    let catalog = json!({"streams": [{
        "stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "append",
        "primary_key": stream["source_defined_primary_key"],
    }]});
    let catalog_file = folder.join("airbyte-catalog.json");
    fs::write(&catalog_file, catalog.to_string())?;
    let arguments = [
        "read".as_ref(),
        "--catalog".as_ref(),
        catalog_file.as_os_str(),
    ];
    // The first read makes the pages, which the server keeps.
    run(&arguments)?;
    let read = run(&arguments)?;
    Ok(Read {
        seconds: read.seconds,
        rows: messages(&read.output, "RECORD").count() as u64,
    })
}

/// The connector's messages of a kind.
fn messages<'a>(output: &'a [u8], kind: &'a str) -> impl Iterator<Item = Value> + 'a {
    output
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
        .filter(move |message| message["type"] == kind)
}
