//! A window on a display without a screen, driven by the web view's own driver (WebDriver, W3C).

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::organization::web;

/// How long the driver and the window may take to begin.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a script may take.
const SCRIPT_MS: u64 = 600_000;

/// A display and a driver; both end with this.
pub struct Driver {
    display: Child,
    driver: Child,
    address: String,
}

impl Drop for Driver {
    fn drop(&mut self) {
        for process in [&mut self.driver, &mut self.display] {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

impl Driver {
    /// Starts both; windows read their data from this folder.
    ///
    /// # Errors
    /// Where one of them is missing.
    pub fn start(data: &Path) -> Result<Self> {
        let mut display = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1400x1000x24"])
            .args(["-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("Xvfb cannot be started")?;
        let mut number = String::new();
        let output = display.stdout.take().context("an output")?;
        BufReader::new(output).read_line(&mut number)?;
        let port = std::net::TcpListener::bind("127.0.0.1:0")?
            .local_addr()?
            .port();
        let driver = Command::new("WebKitWebDriver")
            .arg(format!("--port={port}"))
            .env("DISPLAY", format!(":{}", number.trim()))
            .env("SALESMIRROR_DATA_DIR", data)
            // The app chooses it by itself; the empty window is to have it too.
            .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1")
            .env("TAURI_AUTOMATION", "true")
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .env_remove("WAYLAND_DISPLAY")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("WebKitWebDriver cannot be started")?;
        let driver = Self {
            display,
            driver,
            address: format!("http://127.0.0.1:{port}"),
        };
        let begun = Instant::now();
        while driver.get("/status").is_err() {
            if begun.elapsed() > PATIENCE {
                bail!("WebKitWebDriver does not answer");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(driver)
    }

    /// Opens a program's window.
    ///
    /// # Errors
    /// Where it does not open.
    pub fn open(&self, program: &Path) -> Result<Window<'_>> {
        let options = json!({"binary": program, "args": []});
        let wanted =
            json!({"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": options}}});
        let reply = self.post("/session", &wanted)?;
        let session = reply["sessionId"]
            .as_str()
            .with_context(|| format!("no window: {reply}"))?;
        let window = Window {
            driver: self,
            path: format!("/session/{session}"),
        };
        let limits = json!({"script": SCRIPT_MS});
        self.post(&format!("{}/timeouts", window.path), &limits)?;
        Ok(window)
    }

    fn get(&self, path: &str) -> Result<Value> {
        let url = format!("{}{path}", self.address);
        value(web(async { Ok(reqwest::get(url).await?.json().await?) })?)
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let url = format!("{}{path}", self.address);
        let text = body.to_string();
        value(web(async {
            let request = reqwest::Client::new().post(url).body(text);
            Ok(request.send().await?.json().await?)
        })?)
    }

    fn delete(&self, path: &str) -> Result<Value> {
        let url = format!("{}{path}", self.address);
        value(web(async {
            Ok(reqwest::Client::new()
                .delete(url)
                .send()
                .await?
                .json()
                .await?)
        })?)
    }
}

/// What a reply of the driver carries.
fn value(mut reply: Value) -> Result<Value> {
    let value = reply["value"].take();
    match value["error"].as_str() {
        Some(error) => bail!("{error}: {}", value["message"]),
        None => Ok(value),
    }
}

/// A window; it closes with this.
pub struct Window<'d> {
    driver: &'d Driver,
    path: String,
}

impl Drop for Window<'_> {
    fn drop(&mut self) {
        let _ = self.driver.delete(&self.path);
    }
}

impl Window<'_> {
    /// Runs an expression that may be a promise; gives what it gives.
    ///
    /// # Errors
    /// What it throws.
    pub fn run(&self, expression: &str) -> Result<Value> {
        let script = format!(
            "const done = arguments[0]; Promise.resolve().then(() => {expression})
                .then((value) => done({{ value }}), (error) => done({{ error: JSON.stringify(error) + String(error) }}))"
        );
        let body = json!({"script": script, "args": []});
        let mut reply = self
            .driver
            .post(&format!("{}/execute/async", self.path), &body)?;
        match reply["error"].as_str() {
            Some(error) => bail!("{expression}: {error}"),
            None => Ok(reply["value"].take()),
        }
    }

    /// Runs statements.
    ///
    /// # Errors
    /// What they throw.
    pub fn prepare(&self, statements: &str) -> Result<()> {
        let body = json!({"script": statements, "args": []});
        self.driver
            .post(&format!("{}/execute/sync", self.path), &body)?;
        Ok(())
    }

    /// Waits until the expression is true.
    ///
    /// # Errors
    /// Where it never is.
    pub fn wait(&self, expression: &str) -> Result<()> {
        let begun = Instant::now();
        let script = json!({"script": format!("return {expression}"), "args": []});
        let path = format!("{}/execute/sync", self.path);
        loop {
            if self
                .driver
                .post(&path, &script)
                .is_ok_and(|value| value == json!(true))
            {
                return Ok(());
            }
            if begun.elapsed() > PATIENCE {
                bail!("{expression} stays untrue");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
