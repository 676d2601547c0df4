//! `cargo xtask soak`: syncs that are killed at random moments while the organisation changes. What
//! has to hold afterwards: the mirror equals the organisation, row by row and column by column.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use serde_json::Value;

use crate::organization::{Cli, Organization, in_keyring_session, target};
use crate::process::{run as run_program, step};
use crate::system;

/// How long to try.
#[derive(Args)]
pub struct Options {
    /// Syncs to kill
    #[arg(long, default_value_t = 200, value_name = "N")]
    kills: u32,
    /// What the moments depend on; printed at the beginning
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How often mirror and organisation are compared on the way
    #[arg(long, default_value_t = 10, value_name = "N")]
    comparisons: u32,
}

const ROWS: &str = "account=2000,contact=12000,lead=2000,opportunity=1000,systemuser=100";
/// Small pages, so that there are many middles to be killed in.
const SMALL_PAGES: &str = r#"{"data":{"largest_page":400}}"#;
const TABLES: [&str; 5] = ["account", "contact", "lead", "opportunity", "systemuser"];
/// A first sync takes some two seconds with this.
const PAGE_DELAY_MS: &str = "30";
/// Of so many kills the first two hit a full sync and its resumption; before the third a sync ends
/// undisturbed, so that the others hit incremental ones.
const CYCLE: u32 = 6;

/// Sets up, kills, compares, and says how it went.
///
/// # Errors
/// Where mirror and organisation differ, with what differs and the seed.
pub fn run(options: &Options) -> Result<()> {
    system::ensure(&[&system::BUILD[..], &system::KEYRING[..]].concat())?;
    step("Building the command line");
    run_program(
        "cargo",
        ["build", "--release", "--package", "salesmirror-cli"],
    )?;
    let task: Vec<String> = std::env::args().skip(1).collect();
    if in_keyring_session(&task, &folder().join("keyring"))? {
        return Ok(());
    }
    let seed = options.seed.unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.map_or(1, |now| now.as_secs())
    });
    step(&format!("{} kills, seed {seed}", options.kills));
    let mut soak = Soak::begin(seed)?;
    let begun = Instant::now();
    let every = (options.kills / options.comparisons.max(1)).max(1);
    for kill in 1..=options.kills {
        soak.kill_one(kill)?;
        if kill % every == 0 {
            soak.compare()
                .with_context(|| format!("after {kill} kills, seed {seed}"))?;
            step(&format!("{kill} kills: equal"));
        }
    }
    soak.compare()
        .with_context(|| format!("at the end, seed {seed}"))?;
    let moments: Vec<String> = soak
        .moments
        .iter()
        .map(|(moment, count)| format!("{count} {moment}"))
        .collect();
    step(&format!(
        "{} kills in {} s, {} comparisons, every one equal. Killed: {}",
        options.kills,
        begun.elapsed().as_secs(),
        soak.compared,
        moments.join(", ")
    ));
    Ok(())
}

fn folder() -> PathBuf {
    target().join("soak")
}

struct Soak {
    cli: Cli,
    organization: Organization,
    random: u64,
    /// Where the tables stood when the process ended.
    moments: BTreeMap<String, u32>,
    compared: u32,
}

impl Soak {
    fn begin(seed: u64) -> Result<Self> {
        let cli = Cli {
            program: target().join("release").join("salesmirror"),
            data: folder().join("data"),
        };
        let seed_text = (seed % 1_000).to_string();
        let organization = Organization::start(
            &cli.program,
            &[
                "--rows",
                ROWS,
                "--seed",
                &seed_text,
                "--latency-ms",
                PAGE_DELAY_MS,
            ],
        )?;
        organization.control("variants", SMALL_PAGES)?;
        cli.forget()?;
        cli.connect(&organization)?;
        Ok(Self {
            cli,
            organization,
            random: seed | 1,
            moments: BTreeMap::new(),
            compared: 0,
        })
    }

    /// A number below this (xorshift; nothing here has to be unpredictable).
    fn below(&mut self, bound: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % bound
    }

    /// Begins a sync, changes the organisation meanwhile, and kills the process at a random moment.
    fn kill_one(&mut self, number: u32) -> Result<()> {
        let mut flags = vec!["sync", "--quiet", "--yes"];
        let longest = match number % CYCLE {
            1 => {
                flags.push("--full");
                1_500
            }
            2 => 2_500,
            3 => {
                self.cli.command(&flags).stdout(Stdio::null()).status()?;
                600
            }
            _ => 600,
        };
        // Several pages of changes wait for it already.
        self.organization
            .control("activity", r#"{"updates":1500}"#)?;
        let moment = Duration::from_millis(20 + self.below(longest));
        let mut sync = self
            .cli
            .command(&flags)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let end = Instant::now() + moment;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            self.live()?;
            std::thread::sleep(left.min(Duration::from_millis(15 + self.below(60))));
        }
        let has_ended = sync.try_wait()?.is_some();
        kill(&mut sync)?;
        let place = if has_ended {
            "after its end".to_owned()
        } else {
            self.place()?
        };
        *self.moments.entry(place).or_default() += 1;
        Ok(())
    }

    /// Some rows are created, changed and deleted.
    fn live(&mut self) -> Result<()> {
        let (creates, updates, deletes) = (self.below(4), self.below(30), self.below(4));
        let body = format!(r#"{{"creates":{creates},"updates":{updates},"deletes":{deletes}}}"#);
        self.organization.control("activity", &body).map(drop)
    }

    /// What contacts were in the middle of, as the next process finds them.
    fn place(&self) -> Result<String> {
        let output = self.cli.command(&["status", "--json"]).output()?;
        let status: Value = serde_json::from_slice(&output.stdout)?;
        let tables = status["tables"].as_array().context("tables")?;
        let paused = tables
            .iter()
            .filter(|table| table["state"] == "paused")
            .count();
        let contact = tables.iter().find(|table| table["table"] == "contact");
        let strategy = contact.map_or("", |table| table["strategy"].as_str().unwrap_or_default());
        Ok(match paused {
            0 => "before the first page or after the last".to_owned(),
            _ => format!("between pages ({strategy})"),
        })
    }

    /// Syncs once without a kill, then compares everything.
    fn compare(&mut self) -> Result<()> {
        let output = self.cli.command(&["sync", "--json", "--yes"]).output()?;
        ensure!(
            output.status.success(),
            "the sync failed: {}",
            String::from_utf8_lossy(&output.stdout)
        );
        for table in TABLES {
            let theirs = self.organization.rows(table)?;
            let output = self
                .cli
                .command(&["records", table, "--limit", "10000000", "--json"])
                .output()?;
            let document: Value = serde_json::from_slice(&output.stdout)?;
            let rows = document["rows"].as_array().context("rows")?;
            ensure!(
                rows.len() == theirs.len(),
                "{table}: {} rows here, {} there",
                rows.len(),
                theirs.len()
            );
            for row in rows {
                let id = row[format!("{table}id")].as_str().unwrap_or_default();
                let Some(truth) = theirs.get(id) else {
                    bail!("{table} {id} is not in the organisation");
                };
                for (name, value) in truth.as_object().context("an object")? {
                    ensure!(
                        name.contains('@') || row[name] == *value,
                        "{table} {id}: {name} is {} here and {value} there",
                        row[name]
                    );
                }
            }
        }
        let proof = self.cli.command(&["verify", "--json"]).output()?;
        ensure!(
            proof.status.success(),
            "the proof says: {}",
            String::from_utf8_lossy(&proof.stdout)
        );
        self.compared += 1;
        Ok(())
    }
}

impl Drop for Soak {
    fn drop(&mut self) {
        // Test data of nobody.
        let _ = fs::remove_dir_all(&self.cli.data);
    }
}

fn kill(process: &mut Child) -> Result<()> {
    // SIGKILL on Unix; a process that has ended already is as good.
    let _ = process.kill();
    process.wait()?;
    Ok(())
}
