//! What somebody who helps needs to know, without what is nobody's business: no secret, no token, no
//! record, no person.

use std::fmt::Write as _;

use salesmirror_store::{ConnectionRow, RunRow};

use crate::app::App;
use crate::error::{Error, Result};
use crate::log;

/// Runs of a connection that are listed.
const RUNS: u32 = 15;

impl App {
    /// One text to look at and to hand on. What cannot be read is told as such: that is when it is
    /// needed most.
    pub async fn diagnostics(&self, version: &str) -> String {
        let settings = self.app_settings();
        let mut text = format!(
            "Salesmirror {version} on {} {}\n",
            std::env::consts::OS,
            std::env::consts::ARCH
        );
        let line = |text: &mut String, name: &str, value: &str| {
            let _ = writeln!(text, "{name}: {value}");
        };
        line(
            &mut text,
            "Data",
            &without_home(&self.data_dir().root().display().to_string()),
        );
        let proxy = match settings.proxy.as_str() {
            "system" | "none" => settings.proxy.clone(),
            _ => "manual".to_owned(),
        };
        let with_user = if settings.proxy_user.is_empty() {
            ""
        } else {
            ", with a user name"
        };
        line(&mut text, "Proxy", &format!("{proxy}{with_user}"));
        line(&mut text, "Log", &settings.log_level);

        text.push_str("\nChecks\n");
        for found in self.diagnose().await {
            let word = if found.check.ok() { "ok" } else { "FAILED" };
            let said = redacted(&without_home(&found.check.detail));
            let _ = writeln!(
                text,
                "  {word}  {}: {said}",
                without_names(&found.check.name)
            );
        }
        match self.connections().await {
            Ok(rows) => {
                for (number, row) in rows.iter().enumerate() {
                    self.tell_connection(&mut text, number + 1, row).await;
                }
            }
            Err(error) => {
                let _ = writeln!(text, "\nConnections cannot be read: {}", words(&error));
            }
        }
        text.push_str("\nLog\n");
        for said in log::tail(self.data_dir()) {
            let _ = writeln!(text, "  {}", redacted(&without_home(&said)));
        }
        text
    }

    async fn tell_connection(&self, text: &mut String, number: usize, row: &ConnectionRow) {
        let shortened: String = row.client_id.chars().take(8).collect();
        let _ = writeln!(
            text,
            "\nConnection {number}: {} ({}), {}, client {shortened}…, {}, {}",
            host(&row.environment),
            row.environment_kind,
            host(&row.authority),
            if row.public_client {
                "public client"
            } else {
                "with a secret"
            },
            match (row.flow.as_str(), row.signed_in) {
                ("client-credentials", _) => "as the app",
                (_, true) => "signed in",
                (_, false) => "signed out",
            },
        );
        if let Some(version) = &row.organization_version {
            let _ = writeln!(text, "  Dynamics 365 {version}");
        }
        if let Err(error) = self.tell_mirror(text, row).await {
            let _ = writeln!(text, "  cannot be read: {}", words(&error));
        }
    }

    async fn tell_mirror(&self, text: &mut String, row: &ConnectionRow) -> Result<()> {
        let session = self.session(row).await?;
        for table in session.status().await? {
            let _ = writeln!(
                text,
                "  {}: {} rows, {} deleted, {} stale, {}",
                table.table, table.rows, table.deleted, table.stale, table.state
            );
        }
        for run in session.runs(None, RUNS).await? {
            let _ = writeln!(text, "  {}", told(&run));
        }
        Ok(())
    }
}

/// An error by its code and reference: its sentence may name files and people.
fn words(error: &Error) -> String {
    match &error.reference {
        Some(reference) => format!("{} ({reference})", error.code),
        None => error.code.clone(),
    }
}

fn told(run: &RunRow) -> String {
    let error = run.error.as_deref().and_then(|json| {
        let error: serde_json::Value = serde_json::from_str(json).ok()?;
        let part = |name: &str| error.get(name)?.as_str().map(str::to_owned);
        Some(format!(
            ", {} {}",
            part("code")?,
            part("reference").unwrap_or_default()
        ))
    });
    format!(
        "run {} {} {} {}: {} requests, {} retries, {} ms{}",
        run.id,
        run.table,
        run.strategy,
        run.status,
        run.requests,
        run.retries,
        run.duration_ms(),
        error.unwrap_or_default()
    )
}

fn host(address: &str) -> String {
    url::Url::parse(address)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_default()
}

/// A home folder is named after somebody.
fn without_home(text: &str) -> String {
    match std::env::var("HOME").or_else(|_| std::env::var("USERPROFILE")) {
        Ok(home) if home.len() > 1 => text.replace(&home, "~"),
        _ => text.to_owned(),
    }
}

/// Checks of a connection carry its name.
fn without_names(check: &str) -> &str {
    match check.split_once(" of ") {
        Some((kind, _)) => kind,
        None => check,
    }
}

/// What looks like an address of a person, or like a secret, is left out of a line.
fn redacted(line: &str) -> String {
    line.split(' ')
        .map(|word| {
            let is_mail = word.contains('@') && word.contains('.');
            let is_long = word.len() > 60 && !word.contains('/');
            if is_mail || is_long { "…" } else { word }
        })
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_told_without_persons_and_secrets() {
        let token = "x".repeat(80);
        for (line, told) in [
            (
                "signed in as dana@norrvale.example now",
                "signed in as … now",
            ),
            (&format!("token {token} was refused"), "token … was refused"),
            ("12 rows in 3 ms", "12 rows in 3 ms"),
        ] {
            assert_eq!(redacted(line), told);
        }
        assert_eq!(without_names("Sign-in of Norrvale"), "Sign-in");
    }
}
