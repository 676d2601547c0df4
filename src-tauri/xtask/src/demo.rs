//! `cargo xtask demo`: the main job on the sample organisation. Opens the app where there is a
//! display, else does the same through the command line.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::organization::{Cli, Organization, in_keyring_session, target};
use crate::process::{finish, run as run_program, step};
use crate::{root, system, ui};

const TABLES: [&str; 5] = ["accounts", "contacts", "leads", "opportunities", "users"];

/// Sets up, then connects, signs in, syncs, shows some rows and writes CSV files.
///
/// # Errors
/// Where a step does not work; the step says why.
pub fn run() -> Result<()> {
    system::ensure(&[&system::BUILD[..], &system::KEYRING[..]].concat())?;
    if has_display() {
        return open_app();
    }
    step("Building the command line");
    run_program(
        "cargo",
        ["build", "--release", "--package", "salesmirror-cli"],
    )?;
    if in_keyring_session(&["demo".to_owned()], &folder().join("keyring"))? {
        return Ok(());
    }
    Demo::start()?.main_job()
}

fn has_display() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Builds and opens the app; its first page offers the sample organisation.
fn open_app() -> Result<()> {
    system::ensure(&system::WINDOW)?;
    ui::build()?;
    step("Building the app");
    run_program(
        "cargo",
        [
            "build",
            "--release",
            "--package",
            "salesmirror-desktop",
            "--features",
            "custom-protocol",
        ],
    )?;
    step("Opening the app: choose \"Explore the sample\" there");
    let program = target().join("release").join("salesmirror-desktop");
    finish(Command::new(program).current_dir(root()))
}

fn folder() -> PathBuf {
    target().join("demo")
}

/// An organisation, and a command line for it.
struct Demo {
    organization: Organization,
    cli: Cli,
}

impl Demo {
    fn start() -> Result<Self> {
        let cli = Cli {
            program: target().join("release").join("salesmirror"),
            data: folder().join("data"),
        };
        cli.forget()?;
        step("Starting the sample organisation (20,000 rows in five tables)");
        Ok(Self {
            organization: Organization::start(&cli.program, &["--recent"])?,
            cli,
        })
    }

    fn main_job(&self) -> Result<()> {
        step("Connecting and signing in");
        self.connect()?;
        step("Syncing");
        finish(&mut self.cli.command(&["sync"]))?;
        step("What is mirrored");
        finish(&mut self.cli.command(&["status"]))?;
        step("Some contacts");
        finish(&mut self.cli.command(&[
            "records",
            "contacts",
            "--sort",
            "modifiedon:desc",
            "--limit",
            "5",
        ]))?;
        step("Open opportunities, the largest first");
        finish(&mut self.cli.command(&[
            "records",
            "opportunities",
            "--columns",
            "name,customerid,estimatedvalue,statuscode",
            "--filter",
            "statecode = Open",
            "--sort",
            "estimatedvalue:desc",
            "--limit",
            "5",
        ]))?;
        step("Syncing again: only what changed since");
        finish(&mut self.cli.command(&["sync"]))?;
        step("Writing CSV files");
        for table in TABLES {
            let file = folder().join(format!("{table}.csv"));
            let path = file.to_string_lossy();
            finish(
                &mut self
                    .cli
                    .command(&["export", table, "--format", "csv", "--output", &path]),
            )?;
        }
        finish(&mut self.cli.command(&["disconnect", "Sample", "--purge"]))?;
        eprintln!("\nDone. The CSV files are in {}", folder().display());
        Ok(())
    }

    fn connect(&self) -> Result<()> {
        let reply = self.cli.connect(&self.organization)?;
        eprintln!(
            "Signed in to {} as {}",
            reply["organization"], reply["user"]
        );
        for check in reply["checks"].as_array().into_iter().flatten() {
            let mark = if check["ok"] == true { "✓" } else { "✗" };
            eprintln!(
                "{mark} {}: {}",
                check["name"].as_str().unwrap_or_default(),
                check["detail"].as_str().unwrap_or_default()
            );
        }
        Ok(())
    }
}
