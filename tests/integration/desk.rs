//! The program in a session of its own, with a real keyring and somebody at the browser.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Output, Stdio};

use secrecy::SecretString;
use serde_json::{Value, json};

use crate::bench::Bench;

pub const ROWS: &str = "account=5,contact=5,lead=5,opportunity=5,systemuser=5";

/// A session with an unlocked keyring of its own, and an organisation.
pub struct Desk {
    pub bench: Bench,
    pub bus: String,
    session: Child,
    /// The session ends, and its keyring with it, when this is closed.
    open: Option<ChildStdin>,
    /// What the browser showed last.
    page: tokio::sync::Mutex<String>,
}

impl Drop for Desk {
    fn drop(&mut self) {
        drop(self.open.take());
        let _ = self.session.wait();
    }
}

/// What `connect` is called with.
#[derive(Clone)]
pub struct Attempt {
    pub environment: String,
    pub authority: Option<String>,
    pub tenant: Option<String>,
    pub client: String,
    pub secret: Option<String>,
    pub browser: bool,
    pub more: Vec<String>,
}

pub struct Answer {
    pub exit: i32,
    pub document: Value,
}

impl Answer {
    pub fn of(output: &Output) -> Self {
        let text = String::from_utf8_lossy(&output.stdout);
        Self {
            exit: output.status.code().unwrap_or(-1),
            document: text
                .lines()
                .last()
                .and_then(|line| serde_json::from_str(line).ok())
                .unwrap_or_default(),
        }
    }

    pub fn code(&self) -> &str {
        self.document["error"]["code"].as_str().unwrap_or_default()
    }
}

impl Desk {
    pub async fn new() -> Self {
        let bench = Bench::new(ROWS).await;
        let home = bench.folder.path();
        let mut session = Command::new("dbus-run-session")
            .args(["--", "sh", "-c"])
            .arg("printf '\\n' | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; echo \"$DBUS_SESSION_BUS_ADDRESS\"; exec cat")
            .env("HOME", home)
            .env("XDG_DATA_HOME", home.join("share"))
            .env("XDG_RUNTIME_DIR", home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("dbus-run-session runs");
        let mut bus = String::new();
        let out = session.stdout.take().expect("an output");
        BufReader::new(out).read_line(&mut bus).expect("an address");
        let open = session.stdin.take();
        Self {
            bench,
            bus: bus.trim().to_owned(),
            session,
            open,
            page: tokio::sync::Mutex::default(),
        }
    }

    pub fn command(&self, arguments: &[String]) -> Command {
        let home = self.bench.folder.path();
        let mut command = Command::new(tests::program("salesmirror"));
        command
            .args(arguments)
            .arg("--json")
            .env("HOME", home)
            .env("XDG_RUNTIME_DIR", home)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus)
            .env("SALESMIRROR_DATA_DIR", self.bench.data_dir())
            .env_remove("SALESMIRROR_SECRETS_FD")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Answer {
        let arguments: Vec<String> = arguments.iter().map(|&text| text.to_owned()).collect();
        Answer::of(&self.command(&arguments).output().expect("the program runs"))
    }

    /// An attempt that works.
    pub fn good(&self) -> Attempt {
        let org = self.bench.org.description();
        Attempt {
            environment: org.environment_url.clone(),
            authority: Some(org.authority_url.clone()),
            tenant: Some(org.tenant_id.clone()),
            client: org.client_id.clone(),
            secret: Some(org.client_secret.clone()),
            browser: false,
            more: Vec::new(),
        }
    }

    /// Connects; the browser is an HTTP client that follows redirects.
    pub async fn connect(&self, attempt: &Attempt) -> Answer {
        let mut arguments: Vec<String> = ["connect", "--name", "demo", "--environment"]
            .map(str::to_owned)
            .to_vec();
        arguments.extend([
            attempt.environment.clone(),
            "--client-id".into(),
            attempt.client.clone(),
        ]);
        for (flag, value) in [
            ("--authority", &attempt.authority),
            ("--tenant", &attempt.tenant),
        ] {
            if let Some(value) = value {
                arguments.extend([flag.to_owned(), value.clone()]);
            }
        }
        let flow: &[&str] = match attempt.browser {
            true if attempt.more.iter().any(|word| word == "--timeout") => &["--no-browser"],
            true => &["--no-browser", "--timeout", "20"],
            false => &["--flow", "client-credentials"],
        };
        arguments.extend(flow.iter().map(|&text| text.to_owned()));
        let secret = match attempt.secret {
            Some(_) => "--client-secret-stdin",
            None => "--public-client",
        };
        arguments.push(secret.to_owned());
        arguments.extend(attempt.more.clone());
        let input = attempt.secret.clone().unwrap_or_default();
        self.visit(&arguments, &input).await
    }

    /// Runs a command that waits for the browser.
    pub async fn with_browser(&self, arguments: &[&str], input: &str) -> Answer {
        let arguments: Vec<String> = arguments.iter().map(|&text| text.to_owned()).collect();
        self.visit(&arguments, input).await
    }

    async fn visit(&self, arguments: &[String], input: &str) -> Answer {
        let mut child = self.command(arguments).spawn().expect("the program runs");
        let mut stdin = child.stdin.take().expect("an input");
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        let out = child.stdout.take().expect("an output");
        let http = self.bench.http.clone();
        let (send, page) = tokio::sync::oneshot::channel();
        let reading = tokio::task::spawn_blocking(move || {
            let mut reader = BufReader::new(out);
            let mut first = String::new();
            reader.read_line(&mut first).expect("a line");
            let line: Value = serde_json::from_str(&first).unwrap_or_default();
            let _ = send.send(line["authorization_url"].as_str().map(str::to_owned));
            let mut rest = String::new();
            reader.read_to_string(&mut rest).expect("the rest");
            let exit = child.wait().expect("an end").code().unwrap_or(-1);
            (exit, if rest.is_empty() { first } else { rest })
        });
        if let Ok(Some(page)) = page.await {
            let shown = match http.get(page).send().await {
                Ok(reply) => reply.text().await.unwrap_or_default(),
                Err(error) => error.to_string(),
            };
            *self.page.lock().await = shown;
        }
        let (exit, text) = reading.await.expect("an answer");
        Answer {
            exit,
            document: serde_json::from_str(text.trim()).unwrap_or_default(),
        }
    }

    /// Fails where anything of a connection is on disk or in the keychain.
    pub fn assert_nothing_left(&self, what: &str) {
        assert!(!self.bench.data_dir().exists(), "{what}: files are left");
        let found = Command::new("dbus-send")
            .args([
                "--session",
                "--print-reply",
                "--dest=org.freedesktop.secrets",
                "/org/freedesktop/secrets",
                "org.freedesktop.Secret.Service.SearchItems",
                "dict:string:string:service,Salesmirror",
            ])
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus)
            .output()
            .expect("dbus-send runs");
        let text = String::from_utf8_lossy(&found.stdout);
        assert!(found.status.success() && text.contains("array ["), "{text}");
        assert!(
            !text.contains("/org/freedesktop/secrets/collection"),
            "{what}: {text}"
        );
    }

    /// What the browser showed last.
    pub async fn last_page(&self) -> String {
        self.page.lock().await.clone()
    }

    /// What the keyring holds of the product, by name.
    pub fn secrets(&self) -> Vec<(String, SecretString)> {
        let found = Command::new("secret-tool")
            .args(["search", "--all", "service", "Salesmirror"])
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus)
            .output()
            .expect("secret-tool runs");
        // Secrets go to the output, and in some versions attributes to the error output.
        let text = [found.stdout, found.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        let names = text
            .lines()
            .filter_map(|line| line.strip_prefix("attribute.username = "));
        names
            .map(|name| {
                let found = Command::new("secret-tool")
                    .args(["lookup", "service", "Salesmirror", "username", name])
                    .env("DBUS_SESSION_BUS_ADDRESS", &self.bus)
                    .output()
                    .expect("secret-tool runs");
                let secret = String::from_utf8_lossy(&found.stdout).trim().to_owned();
                (name.to_owned(), SecretString::from(secret))
            })
            .collect()
    }

    /// Ends what Entra ID was told to refuse.
    pub async fn relent(&self) {
        let url = format!("{}/entra", self.bench.org.description().control_url);
        let reply = self.bench.http.delete(url).send().await.expect("a reply");
        assert!(reply.status().is_success(), "{}", reply.status());
    }

    pub async fn tell(&self, path: &str, body: &Value) {
        let url = format!("{}/{path}", self.bench.org.description().control_url);
        let reply = self.bench.http.post(url).body(body.to_string()).send();
        let reply = reply.await.expect("a reply");
        let status = reply.status();
        let text = reply.text().await.unwrap_or_default();
        assert!(status.is_success(), "{path} {body}: {status} {text}");
    }

    /// Back to the start, with somebody at the browser who accepts.
    pub async fn reset(&self) {
        self.tell("reset", &json!({})).await;
        self.tell("consent", &json!({"mode": "accept"})).await;
    }
}
