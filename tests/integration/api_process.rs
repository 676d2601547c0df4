//! `serve` and `api-keys` as programs, in a session with a keyring.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::desk::Desk;

/// A program that serves; it ends with this.
struct Serving {
    child: Child,
    first: Value,
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Serving {
    fn start(desk: &Desk, arguments: &[&str], input: Option<&str>) -> Self {
        let arguments: Vec<String> = ["serve"]
            .iter()
            .chain(arguments)
            .map(|&text| text.to_owned())
            .collect();
        let mut child = desk.command(&arguments).spawn().expect("the program runs");
        if let Some(input) = input {
            // Left open: the program takes a line and waits for no end.
            let stdin = child.stdin.as_mut().expect("an input");
            stdin.write_all(input.as_bytes()).expect("it is written");
            stdin.flush().expect("it is written");
        }
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("an output"))
            .read_line(&mut line)
            .expect("a line");
        let first = serde_json::from_str(&line).unwrap_or_else(|_| {
            let mut said = String::new();
            let _ = child
                .stderr
                .as_mut()
                .map(|err| err.read_to_string(&mut said));
            panic!("{line} {said}")
        });
        Self { child, first }
    }

    fn url(&self) -> &str {
        self.first["url"].as_str().expect("an address")
    }

    /// Asks it to end as Ctrl C does; gives the exit code and the time.
    fn interrupt(mut self) -> (i32, Duration) {
        let begun = Instant::now();
        let killed = Command::new("kill")
            .args(["-INT", &self.child.id().to_string()])
            .status();
        assert!(killed.expect("kill runs").success());
        let exit = self.child.wait().expect("an end").code().unwrap_or(-1);
        (exit, begun.elapsed())
    }
}

async fn status(url: &str, key: &str) -> u16 {
    let http = reqwest::Client::new();
    let reply = http
        .get(format!("{url}/crm/v2/accounts?page_size=1"))
        .bearer_auth(key)
        .send()
        .await;
    reply.expect("an answer").status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_makes_a_key_once_takes_one_from_stdin_and_ends_when_it_is_asked() {
    let desk = Desk::new().await;
    desk.connect(&desk.good()).await;
    let synced = desk.run(&["sync", "--no-search"]);
    assert_eq!(synced.exit, 0, "{}", synced.document);
    let serving = Serving::start(&desk, &[], None);
    let key = serving.first["api_key"].as_str().expect("a key").to_owned();
    assert!(key.starts_with("smk_") && key.len() > 40, "{key}");
    assert!(serving.url().starts_with("http://127.0.0.1:"));
    assert_eq!(status(serving.url(), &key).await, 200);
    let (exit, time) = serving.interrupt();
    assert!(
        exit == 130 && time < Duration::from_secs(3),
        "{exit} {time:?}"
    );
    // Where there is one already none is made, and it stays good.
    let serving = Serving::start(&desk, &[], None);
    assert_eq!(serving.first["api_key"], Value::Null, "{}", serving.first);
    assert_eq!(status(serving.url(), &key).await, 200);
    // Keys are made and revoked while it serves.
    let made = desk.run(&["api-keys", "make", "Reports", "--scope", "read"]);
    let reader = made.document["api_key"].as_str().expect("a key").to_owned();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(status(serving.url(), &reader).await, 200);
    assert_eq!(desk.run(&["api-keys", "revoke", "reports"]).exit, 0);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(status(serving.url(), &reader).await, 401);
    assert_eq!(
        desk.run(&["api-keys", "revoke", "reports"]).code(),
        "unknown_api_key"
    );
    drop(serving);
    let own = "chosen-by-a-script-0123456789";
    let serving = Serving::start(&desk, &["--api-key-stdin"], Some(&format!("{own}\n")));
    assert_eq!(serving.first["api_key"], Value::Null);
    assert_eq!(status(serving.url(), own).await, 200);
    drop(serving);
    let listed = desk.run(&["api-keys"]).document.to_string();
    assert!(!listed.contains(&key) && !listed.contains(own), "{listed}");
    // Neither key is on the disk, nor in the log.
    let mut found = Vec::new();
    search(&desk.bench.data_dir(), &[&key, own, &reader], &mut found);
    assert!(found.is_empty(), "{found:?}");
}

fn search(folder: &std::path::Path, secrets: &[&str], found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            search(&path, secrets, found);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap_or_default();
        for secret in secrets {
            if bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes())
            {
                found.push(format!("{secret} in {}", path.display()));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_and_a_key_that_is_too_short_are_said() {
    let desk = Desk::new().await;
    desk.connect(&desk.good()).await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener
        .local_addr()
        .expect("an address")
        .port()
        .to_string();
    let answer = desk.run(&["serve", "--port", &port]);
    assert_eq!((answer.exit, answer.code()), (1, "port_taken"));
    let answer = desk
        .with_browser(&["serve", "--api-key-stdin"], "short\n")
        .await;
    assert_eq!((answer.exit, answer.code()), (2, "bad_api_key"));
    let answer = desk.run(&["api-keys", "make", "x", "--scope", "everything"]);
    assert_eq!((answer.exit, answer.code()), (2, "bad_scope"));
}
