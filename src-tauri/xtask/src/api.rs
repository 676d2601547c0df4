//! `cargo xtask api`: the local API against its own document, by a program that nobody here wrote.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::organization::{Cli, Organization, in_keyring_session, target};
use crate::process::{finish, step};
use crate::{clients, root, system};

/// Few rows: thousands of calls come.
const ROWS: &str = "account=40,contact=60,lead=20,opportunity=20,systemuser=8";

/// A served connection; it ends with this.
pub struct Served {
    process: Child,
    /// Where it answers.
    pub url: String,
    /// A key that may do everything.
    pub key: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Served {
    /// Serves what the command line is connected to, with a new key.
    ///
    /// # Errors
    /// Where it does not say where it is.
    pub fn start(cli: &Cli) -> Result<Self> {
        let mut process = cli
            .command(&["--quiet", "serve"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().context("its output is a pipe")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let said: Value = serde_json::from_str(&line).context("`serve` did not say where it is")?;
        let text = |name: &str| said[name].as_str().map(str::to_owned);
        Ok(Self {
            process,
            url: text("url").context("an address")?,
            key: text("api_key").context("a key")?,
        })
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }
}

/// Builds the program and runs the check.
///
/// # Errors
/// Where the API does not do what its document says.
pub fn run() -> Result<()> {
    let packages = [
        &system::BUILD[..],
        &system::KEYRING[..],
        &system::PYTHON[..],
    ];
    system::ensure(&packages.concat())?;
    step("The program that is held against its document");
    crate::process::run("cargo", ["build", "--package", "salesmirror-cli"])?;
    run_built()
}

/// The same, with the program built already.
///
/// # Errors
/// Where the API does not do what its document says.
pub fn run_built() -> Result<()> {
    let folder = target().join("clients/api");
    if in_keyring_session(&["api".to_owned()], &folder.join("keyring"))? {
        return Ok(());
    }
    let python = clients::environment("schemathesis", "requirements-schemathesis.txt")?;
    let cli = Cli {
        program: target().join("debug/salesmirror"),
        data: folder.join("data"),
    };
    cli.forget()?;
    let organization = Organization::start(&cli.program, &["--rows", ROWS])?;
    cli.connect(&organization)?;
    finish(&mut cli.command(&["--quiet", "sync"]))?;
    let served = Served::start(&cli)?;
    step("The local API against its own document: schemathesis");
    hold(&python, &served, &folder)
}

fn hold(python: &Path, served: &Served, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    let status = Command::new(python.with_file_name("schemathesis"))
        .arg("--config-file")
        .arg(root().join("tests/clients/schemathesis.toml"))
        .arg("run")
        .arg(format!("{}/openapi.json", served.url))
        .env("API_KEY", &served.key)
        .env("NO_PROXY", "127.0.0.1")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(folder)
        .status()
        .context("schemathesis cannot be started")?;
    match status.success() {
        true => Ok(()),
        false => bail!("the local API does not do what its document says"),
    }
}
