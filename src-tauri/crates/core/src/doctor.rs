//! Whether everything that the product stands on is in order.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use salesmirror_model::network::Reason;
use url::Url;

use crate::app::App;
use crate::error::{Category, Error, Result};
use crate::examine::Check;

/// A clock that is further off breaks sign-ins: Entra ID allows five minutes.
const LARGEST_SKEW: Duration = Duration::from_secs(300);
/// A clock before this never was right: 2025-01-01, in seconds since 1970.
const EARLIEST: u64 = 1_735_689_600;
/// How to run at night, when nobody is logged in.
const AT_NIGHT: &str = "At night, without a desktop session, start a keychain with the command: dbus-run-session -- sh -c \
     'printf \"PASSWORD\" | gnome-keyring-daemon --unlock --components=secrets; exec salesmirror sync'. Or give a \
     service a key instead of a keychain: make one with `head -c 32 /dev/urandom | base64 > key-file`, and let a \
     service manager's credential store hand it over as SALESMIRROR_SECRETS_FD=3 salesmirror … 3< key-file.";

/// A check, and what it means for a script where it failed.
#[derive(Debug, Clone)]
pub struct Diagnosis {
    /// The check.
    pub check: Check,
    /// What its failure means.
    pub category: Option<Category>,
}

impl Diagnosis {
    fn new(name: &str, found: Result<String>) -> Self {
        match found {
            Ok(detail) => Self {
                check: Check::passed(name, detail),
                category: None,
            },
            Err(error) => Self {
                check: Check::failed(name, &error),
                category: Some(error.category),
            },
        }
    }
}

impl App {
    /// Checks keychain, data directory, databases, network and clock.
    pub async fn diagnose(&self) -> Vec<Diagnosis> {
        let missing = self.data_dir().missing();
        let keychain = self.check_keychain().await;
        let keychain = keychain.map(|()| format!("{} keeps secrets", self.secrets_name()));
        let mut keychain = Diagnosis::new("Keychain", keychain);
        if keychain.category.is_some() {
            keychain.check.hint = format!("{} {AT_NIGHT}", keychain.check.hint);
        } else {
            keychain.check.hint = AT_NIGHT.to_owned();
        }
        let place = self.data_dir().root().display().to_string();
        let mut found = vec![
            keychain,
            Diagnosis::new("Data directory", self.check_folder().await.map(|()| place)),
        ];
        let connections = self.connections().await;
        found.push(Diagnosis::new(
            "Databases",
            self.check_databases().await.map(|count| match count {
                0 => "there is none yet".to_owned(),
                count => format!("{count} can be read"),
            }),
        ));
        let rows = connections.unwrap_or_default();
        let mut skews = Vec::new();
        for row in &rows {
            for address in [&row.environment, &row.authority] {
                let reached = self.reach(address).await;
                if let Ok(Some(date)) = &reached {
                    skews.push(*date);
                }
                let name = format!("Network to {}", host(address));
                found.push(Diagnosis::new(&name, reached.map(|_| "answers".to_owned())));
            }
        }
        if rows.is_empty() {
            let nothing = "there is no connection yet, so nothing to reach".to_owned();
            found.push(Diagnosis::new("Network", Ok(nothing)));
        }
        found.push(Diagnosis::new("Clock", check_clock(&skews)));
        for row in rows.iter().filter(|row| !row.signed_in) {
            let error = crate::tokens::signed_out();
            found.push(Diagnosis::new(
                &format!("Sign-in of {}", row.name),
                Err(error),
            ));
        }
        // To look is not to begin: what was not there before is not there afterwards.
        if let Some(missing) = missing {
            self.data_dir().remove_made(&missing);
        }
        found
    }

    /// Whether a service answers at all, whatever it answers; gives how far the service's clock is
    /// ahead of ours, in seconds.
    async fn reach(&self, address: &str) -> Result<Option<i64>> {
        match self.http().get(address).send().await {
            Ok(reply) => {
                let date = reply.headers().get("date");
                let date = date
                    .and_then(|date| date.to_str().ok())
                    .and_then(|date| httpdate::parse_http_date(date).ok());
                Ok(date.map(|date| seconds(date) - seconds(SystemTime::now())))
            }
            Err(error) => {
                let reason = Reason::of(&error);
                Err(Error::explained(
                    Category::GaveUp,
                    reason.code,
                    format!("{} cannot be reached: {reason}.", host(address)),
                ))
            }
        }
    }
}

/// Compares with what the services say; without them only a clock that never was set is found.
fn check_clock(skews: &[i64]) -> Result<String> {
    let wrong = |message: String| Error::explained(Category::Failed, "clock_wrong", message);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let largest = skews.iter().copied().max_by_key(|skew| skew.abs());
    match largest {
        None if now.as_secs() < EARLIEST => {
            Err(wrong("The clock says it is before 2025.".to_owned()))
        }
        None => Ok("is plausible".to_owned()),
        Some(skew) if skew.unsigned_abs() > LARGEST_SKEW.as_secs() => Err(wrong(format!(
            "This computer's clock is {} minutes {} the service's.",
            skew.abs() / 60,
            if skew > 0 { "behind" } else { "ahead of" }
        ))),
        Some(skew) => Ok(format!("agrees with the service's to {} s", skew.abs())),
    }
}

fn seconds(moment: SystemTime) -> i64 {
    let elapsed = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX)
}

fn host(address: &str) -> String {
    Url::parse(address)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_else(|| address.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_wrong_from_five_minutes_on() {
        for (skews, right) in [
            (&[][..], true),
            (&[0, 2, -3][..], true),
            (&[300][..], true),
            (&[1, 301][..], false),
            (&[-90_000][..], false),
        ] {
            assert_eq!(check_clock(skews).is_ok(), right, "{skews:?}");
        }
    }
}
