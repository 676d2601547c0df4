//! A sample organisation in a process of its own, and a command line that is connected to it.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::process::finish;
use crate::root;

/// A running organisation; it ends with this.
pub struct Organization {
    process: Child,
    /// The first line that it printed.
    pub description: Value,
}

impl Drop for Organization {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Organization {
    /// Starts one.
    ///
    /// # Errors
    /// Where it does not say where it is.
    pub fn start(program: &Path, arguments: &[&str]) -> Result<Self> {
        let mut process = Command::new(program)
            .arg("sample-org")
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        let output = process.stdout.take().context("its output is a pipe")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let description =
            serde_json::from_str(&line).context("the organisation did not say where it is")?;
        Ok(Self {
            process,
            description,
        })
    }

    /// Tells its control interface something; gives the reply.
    ///
    /// # Errors
    /// Where it refuses.
    pub fn control(&self, path: &str, body: &str) -> Result<String> {
        let url = format!("{}/{path}", self.said("control_url"));
        let body = body.to_owned();
        web(async {
            let reply = reqwest::Client::new().post(url).body(body).send().await?;
            Ok(reply.error_for_status()?.text().await?)
        })
    }

    /// Every row of a table as it is now, by id.
    ///
    /// # Errors
    /// Where it cannot be asked.
    pub fn rows(&self, table: &str) -> Result<HashMap<String, Value>> {
        let url = format!("{}/table/{table}", self.said("control_url"));
        let text = web(async { Ok(reqwest::get(url).await?.error_for_status()?.text().await?) })?;
        let id = format!("{table}id");
        text.lines()
            .map(|line| {
                let row: Value = serde_json::from_str(line)?;
                let id = row[&id].as_str().context("a row has an id")?.to_owned();
                Ok((id, row))
            })
            .collect()
    }

    /// A value of the first line.
    pub fn said(&self, name: &str) -> &str {
        self.description[name].as_str().unwrap_or_default()
    }
}

/// The command line with a data directory of its own.
pub struct Cli {
    /// The program.
    pub program: PathBuf,
    /// Its data directory.
    pub data: PathBuf,
}

impl Cli {
    /// A command, with its data directory named.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg("--data-dir")
            .arg(&self.data)
            .args(arguments)
            .current_dir(root());
        command
    }

    /// Connects and signs in as a person would, but without a browser: visits the page and accepts.
    /// Gives what `connect` said.
    ///
    /// # Errors
    /// Where the sign-in does not work.
    pub fn connect(&self, organization: &Organization) -> Result<Value> {
        let mut command = self.command(&["connect", "--json", "--no-browser", "--name", "Sample"]);
        for (flag, name) in [
            ("--environment", "environment_url"),
            ("--authority", "authority_url"),
            ("--tenant", "tenant_id"),
            ("--client-id", "client_id"),
        ] {
            command.arg(flag).arg(organization.said(name));
        }
        if let Some(certificate) = organization.description["ca_certificate"].as_str() {
            fs::create_dir_all(&self.data)?;
            let file = self.certificate();
            fs::write(&file, certificate)?;
            command.arg("--ca-file").arg(file);
        }
        let mut child = command
            .arg("--client-secret-stdin")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        if let Some(mut input) = child.stdin.take() {
            input.write_all(organization.said("client_secret").as_bytes())?;
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
        Ok(serde_json::from_str(&last)?)
    }

    /// Where the certificate of an organisation behind TLS is kept.
    pub fn certificate(&self) -> PathBuf {
        self.data.with_extension("pem")
    }

    /// Forgets what was connected before.
    ///
    /// # Errors
    /// Where the files cannot be removed.
    pub fn forget(&self) -> Result<()> {
        if self.data.exists() {
            fs::remove_dir_all(&self.data)?;
        }
        Ok(())
    }
}

fn visit(address: &str) -> Result<()> {
    let status = web(async {
        let client = reqwest::Client::builder()
            .tls_danger_accept_invalid_certs(true)
            .build()?;
        Ok(client.get(address).send().await?.status())
    })?;
    if !status.is_success() {
        bail!("the sign-in page answered {status}");
    }
    Ok(())
}

/// Runs a piece of work with the network.
///
/// # Errors
/// What the work says.
pub fn web<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(work)
}

/// Where cargo builds.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Set in the process that runs inside a session with a keyring.
const INSIDE: &str = "SALESMIRROR_TASK_SESSION";

/// This program, for as long as it runs. Building everything may have put another file in its place; Linux
/// has the running one under the process.
fn this_program() -> Result<PathBuf> {
    let running = PathBuf::from(format!("/proc/{}/exe", std::process::id()));
    match running.exists() {
        true => Ok(running),
        false => Ok(std::env::current_exe()?),
    }
}

/// Runs this task again inside a session with a keyring of its own, kept in `home`, where there is
/// no desktop session. Gives whether it did.
///
/// # Errors
/// Where the task fails there.
pub fn in_keyring_session(task: &[String], home: &Path) -> Result<bool> {
    if std::env::var_os(INSIDE).is_some() || std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some()
    {
        return Ok(false);
    }
    let script = "printf '\\n' | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; exec \"$0\" \"$@\"";
    fs::create_dir_all(home)?;
    finish(
        Command::new("dbus-run-session")
            .args(["--", "sh", "-c", script])
            .arg(this_program()?)
            .args(task)
            .env(INSIDE, "1")
            .env("XDG_DATA_HOME", home)
            .env("XDG_RUNTIME_DIR", home)
            .current_dir(root()),
    )?;
    Ok(true)
}
