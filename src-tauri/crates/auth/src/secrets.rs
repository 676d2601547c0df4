//! The OS keychain. The only place that knows it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use keyring::Entry;
use keyring_core::Error as KeyringError;
use secrecy::{ExposeSecret as _, SecretString};

/// The name that the keychain's own programs show.
const SERVICE: &str = "Salesmirror";
/// A keychain may ask for a password; where nobody can answer it would wait for ever.
const PATIENCE: Duration = Duration::from_secs(60);
/// Names a file descriptor with a JSON object of secrets, for services without a desktop session.
const DESCRIPTOR: &str = "SALESMIRROR_SECRETS_FD";

/// Why a secret cannot be read or kept. `Display` is a sentence for the user.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SecretStoreError {
    /// There is none.
    #[error("No keychain is running, so secrets cannot be kept safely ({0}).")]
    Absent(String),
    /// It is locked, and nobody unlocked it.
    #[error("The keychain is locked.")]
    Locked,
    /// It refused.
    #[error("The keychain refused: {0}.")]
    Refused(String),
    /// Secrets came through a descriptor, and cannot be changed.
    #[error("Secrets were handed over by the service manager and cannot be changed from here.")]
    ReadOnly,
}

impl SecretStoreError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Absent(_) => "keychain_absent",
            Self::Locked => "keychain_locked",
            Self::Refused(_) => "keychain_refused",
            Self::ReadOnly => "keychain_read_only",
        }
    }

    /// What to do.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Absent(_) => {
                "Run inside a desktop session, or start one with an unlocked keyring: \
                 dbus-run-session -- sh -c 'printf \"\\n\" | gnome-keyring-daemon --unlock \
                 --components=secrets; exec salesmirror …'. A service hands secrets over through \
                 SALESMIRROR_SECRETS_FD."
            }
            Self::Locked => "Unlock the keychain (log in to the desktop once), then try again.",
            Self::Refused(_) => "Try again. If it stays, look at the keychain's own program.",
            Self::ReadOnly => "Connect and sign in where there is a keychain.",
        }
    }
}

/// Where secrets are kept; clones share it. Calls block.
#[derive(Clone)]
pub struct SecretStore {
    place: Place,
}

#[derive(Clone)]
enum Place {
    Keychain,
    Memory {
        values: Arc<Mutex<HashMap<String, SecretString>>>,
        read_only: bool,
    },
}

impl SecretStore {
    /// The OS keychain, or what `SALESMIRROR_SECRETS_FD` hands over.
    ///
    /// # Errors
    /// Where the descriptor cannot be read.
    pub fn open() -> Result<Self, SecretStoreError> {
        let Ok(number) = std::env::var(DESCRIPTOR) else {
            return Ok(Self {
                place: Place::Keychain,
            });
        };
        let refused = |what: String| SecretStoreError::Refused(format!("{DESCRIPTOR}: {what}"));
        let number: u32 = number
            .parse()
            .map_err(|_| refused("not a number".to_owned()))?;
        let text = std::fs::read(format!("/dev/fd/{number}"))
            .map_err(|error| refused(error.to_string()))?;
        let values: HashMap<String, SecretString> = serde_json::from_slice(&text)
            .map_err(|_| refused("no JSON object of texts".to_owned()))?;
        Ok(Self {
            place: Place::Memory {
                values: Arc::new(Mutex::new(values)),
                read_only: true,
            },
        })
    }

    /// A store that forgets everything with the process.
    #[must_use]
    pub fn in_memory() -> Self {
        Self {
            place: Place::Memory {
                values: Arc::default(),
                read_only: false,
            },
        }
    }

    /// A secret; `None` where there is none of this name.
    ///
    /// # Errors
    /// Where the keychain is absent, locked or refuses.
    pub fn get(&self, name: &str) -> Result<Option<SecretString>, SecretStoreError> {
        match &self.place {
            Place::Keychain => {
                let name = name.to_owned();
                match patiently(move || Entry::new(SERVICE, &name)?.get_password()) {
                    Ok(text) => Ok(Some(SecretString::from(text))),
                    Err(Failure::NoEntry) => Ok(None),
                    Err(Failure::Other(error)) => Err(error),
                }
            }
            Place::Memory { values, .. } => Ok(lock(values).get(name).cloned()),
        }
    }

    /// Keeps a secret.
    ///
    /// # Errors
    /// Where the keychain is absent, locked or refuses.
    pub fn set(&self, name: &str, secret: &SecretString) -> Result<(), SecretStoreError> {
        match &self.place {
            Place::Keychain => {
                let (name, secret) = (name.to_owned(), secret.clone());
                patiently(move || Entry::new(SERVICE, &name)?.set_password(secret.expose_secret()))
                    .map_err(Failure::into_error)
            }
            Place::Memory {
                read_only: true, ..
            } => Err(SecretStoreError::ReadOnly),
            Place::Memory { values, .. } => {
                lock(values).insert(name.to_owned(), secret.clone());
                Ok(())
            }
        }
    }

    /// Forgets a secret; whether there was one.
    ///
    /// # Errors
    /// Where the keychain is absent, locked or refuses.
    pub fn delete(&self, name: &str) -> Result<bool, SecretStoreError> {
        match &self.place {
            Place::Keychain => {
                let name = name.to_owned();
                match patiently(move || Entry::new(SERVICE, &name)?.delete_credential()) {
                    Ok(()) => Ok(true),
                    Err(Failure::NoEntry) => Ok(false),
                    Err(Failure::Other(error)) => Err(error),
                }
            }
            Place::Memory {
                read_only: true, ..
            } => Err(SecretStoreError::ReadOnly),
            Place::Memory { values, .. } => Ok(lock(values).remove(name).is_some()),
        }
    }
}

enum Failure {
    NoEntry,
    Other(SecretStoreError),
}

impl Failure {
    fn into_error(self) -> SecretStoreError {
        match self {
            Self::NoEntry => SecretStoreError::Refused("it forgot the entry at once".to_owned()),
            Self::Other(error) => error,
        }
    }
}

/// Calls the keychain on a thread of its own, which may be left behind waiting for a prompt that
/// nobody can see.
fn patiently<T, F>(call: F) -> Result<T, Failure>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, KeyringError> + Send + 'static,
{
    let (send, answer) = mpsc::sync_channel(1);
    let thread = std::thread::Builder::new()
        .name("keychain".to_owned())
        .spawn(move || {
            let _ = send.send(call());
        });
    if let Err(error) = thread {
        return Err(Failure::Other(SecretStoreError::Refused(error.to_string())));
    }
    match answer.recv_timeout(PATIENCE) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(KeyringError::NoEntry)) => Err(Failure::NoEntry),
        Ok(Err(error)) => Err(Failure::Other(explained(&error))),
        Err(_) => Err(Failure::Other(SecretStoreError::Locked)),
    }
}

fn explained(error: &KeyringError) -> SecretStoreError {
    match error {
        KeyringError::NoStorageAccess(_) => SecretStoreError::Locked,
        KeyringError::PlatformFailure(source) => SecretStoreError::Absent(source.to_string()),
        KeyringError::NoDefaultStore => SecretStoreError::Absent("none was found".to_owned()),
        other => SecretStoreError::Refused(other.to_string()),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
