//! `cargo xtask demo`: the main job on the sample organisation. Opens the app where there is a
//! display, else does the same through the command line.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::process::{finish, run as run_program, step};
use crate::{root, system, ui};

/// Set in the process that runs inside a session with a keyring.
const INSIDE: &str = "SALESMIRROR_DEMO_SESSION";
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
    if std::env::var_os(INSIDE).is_none() && std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_none()
    {
        step("No desktop session: starting one with a keyring of its own");
        let this = std::env::current_exe()?;
        let script = "printf '\\n' | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; exec \"$0\" demo";
        let home = folder().join("keyring");
        fs::create_dir_all(&home)?;
        return finish(
            Command::new("dbus-run-session")
                .args(["--", "sh", "-c", script])
                .arg(this)
                .env(INSIDE, "1")
                .env("XDG_DATA_HOME", &home)
                .env("XDG_RUNTIME_DIR", &home)
                .current_dir(root()),
        );
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

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

fn folder() -> PathBuf {
    target().join("demo")
}

/// A running organisation; it ends with this.
struct Demo {
    organization: Child,
    description: Value,
    program: PathBuf,
    data: PathBuf,
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.organization.kill();
        let _ = self.organization.wait();
    }
}

impl Demo {
    fn start() -> Result<Self> {
        let program = target().join("release").join("salesmirror");
        let data = folder().join("data");
        let _ = fs::remove_dir_all(&data);
        step("Starting the sample organisation (20,000 rows in five tables)");
        let mut organization = Command::new(&program)
            .arg("sample-org")
            .stdout(Stdio::piped())
            .spawn()?;
        let output = organization
            .stdout
            .take()
            .context("the organisation has an output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let description =
            serde_json::from_str(&line).context("the organisation did not say where it is")?;
        Ok(Self {
            organization,
            description,
            program,
            data,
        })
    }

    fn said(&self, name: &str) -> &str {
        self.description[name].as_str().unwrap_or_default()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg("--data-dir")
            .arg(&self.data)
            .args(arguments)
            .current_dir(root());
        command
    }

    fn main_job(&self) -> Result<()> {
        step("Connecting and signing in");
        self.connect()?;
        step("Syncing");
        finish(&mut self.command(&["sync"]))?;
        step("What is mirrored");
        finish(&mut self.command(&["status"]))?;
        step("Some contacts");
        finish(&mut self.command(&[
            "records",
            "contacts",
            "--sort",
            "modifiedon:desc",
            "--limit",
            "5",
        ]))?;
        step("Open opportunities, the largest first");
        finish(&mut self.command(&[
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
        finish(&mut self.command(&["sync"]))?;
        step("Writing CSV files");
        for table in TABLES {
            let file = folder().join(format!("{table}.csv"));
            let path = file.to_string_lossy();
            finish(&mut self.command(&["export", table, "--format", "csv", "--output", &path]))?;
        }
        finish(&mut self.command(&["disconnect", "Sample", "--purge"]))?;
        eprintln!("\nDone. The CSV files are in {}", folder().display());
        Ok(())
    }

    /// Signs in as a person would, but without a browser: visits the page and accepts.
    fn connect(&self) -> Result<()> {
        let mut child = self
            .command(&[
                "connect",
                "--json",
                "--no-browser",
                "--name",
                "Sample",
                "--client-secret-stdin",
                "--environment",
                self.said("environment_url"),
                "--authority",
                self.said("authority_url"),
                "--tenant",
                self.said("tenant_id"),
                "--client-id",
                self.said("client_id"),
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        if let Some(mut input) = child.stdin.take() {
            input.write_all(self.said("client_secret").as_bytes())?;
        }
        let mut lines = BufReader::new(child.stdout.take().context("an output")?).lines();
        let first: Value = serde_json::from_str(&lines.next().context("no answer")??)?;
        if let Some(address) = first["authorization_url"].as_str() {
            visit(&format!("{address}&sample_consent=accept"))?;
        }
        let last = lines
            .last()
            .transpose()?
            .unwrap_or_else(|| first.to_string());
        if !child.wait()?.success() {
            bail!("connecting failed: {last}");
        }
        let reply: Value = serde_json::from_str(&last)?;
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

fn visit(address: &str) -> Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let status = runtime
        .block_on(async { reqwest::get(address).await })?
        .status();
    if !status.is_success() {
        bail!("the sign-in page answered {status}");
    }
    Ok(())
}
