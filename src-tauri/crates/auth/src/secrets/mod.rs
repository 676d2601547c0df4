//! The OS keychain. The only place that knows it.

mod sealed;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use keyring_core::{Entry, Error as KeyringError};
use salesmirror_model::Explanation;
use secrecy::{ExposeSecret as _, SecretString};

use crate::explain;
use sealed::SealedFile;

/// The name that the keychain's own programs show.
const SERVICE: &str = "Salesmirror";
/// A keychain may ask for a password; where nobody can answer it would wait for ever.
const PATIENCE: Duration = Duration::from_secs(60);
/// Names a file descriptor that gives a key, for machines without a keychain.
const DESCRIPTOR: &str = "SALESMIRROR_SECRETS_FD";

/// Why a secret cannot be read or kept. `Display` is a sentence for the user.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SecretStoreError {
    /// There is no keychain.
    #[error("No keychain is running, so secrets cannot be kept safely ({0}).")]
    Absent(String),
    /// It is locked, and nobody unlocked it.
    #[error("The keychain is locked.")]
    Locked,
    /// It refused.
    #[error("The keychain refused: {0}.")]
    Refused(String),
    /// A descriptor was named, and gives no key.
    #[error("SALESMIRROR_SECRETS_FD names a file descriptor that gives no key: {0}.")]
    NoKey(String),
    /// The descriptor's key is not the one that sealed what is there.
    #[error("The secrets in the data directory were sealed with another key.")]
    WrongKey,
}

impl SecretStoreError {
    /// The row of the table of errors.
    #[must_use]
    pub fn explanation(&self) -> &'static Explanation {
        let code = match self {
            Self::Absent(_) => "keychain_absent",
            Self::Locked => "keychain_locked",
            Self::Refused(_) => "keychain_refused",
            Self::NoKey(_) => "secrets_key_absent",
            Self::WrongKey => "secrets_key_wrong",
        };
        explain::of_code(code).unwrap_or(&explain::KEYCHAIN[0])
    }

    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.explanation().code
    }

    /// What to do.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        self.explanation().fix
    }

    /// What a script has to provide: `absent` where there is no place for secrets, `locked` where it
    /// is there and closed, else `refused`.
    #[must_use]
    pub const fn reference(&self) -> &'static str {
        match self {
            Self::Absent(_) | Self::NoKey(_) => "absent",
            Self::Locked | Self::WrongKey => "locked",
            Self::Refused(_) => "refused",
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
    Sealed(SealedFile),
    Memory(Arc<Mutex<HashMap<String, SecretString>>>),
}

impl SecretStore {
    /// The OS keychain; or, where `SALESMIRROR_SECRETS_FD` names a file descriptor, a file in
    /// `folder` that is sealed with the key which the descriptor gives.
    ///
    /// # Errors
    /// [`SecretStoreError::NoKey`] where the descriptor gives none.
    pub fn open(folder: &Path) -> Result<Self, SecretStoreError> {
        let place = match std::env::var(DESCRIPTOR) {
            Ok(descriptor) => Place::Sealed(SealedFile::open(folder, &descriptor)?),
            Err(_) => Place::Keychain,
        };
        Ok(Self { place })
    }

    /// A store that forgets everything with the process.
    #[must_use]
    pub fn in_memory() -> Self {
        Self {
            place: Place::Memory(Arc::default()),
        }
    }

    /// What the place is called.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.place {
            Place::Keychain => "the system's keychain",
            Place::Sealed(_) => "a file sealed with the key from SALESMIRROR_SECRETS_FD",
            Place::Memory(_) => "this process's memory",
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
                match patiently(move || keychain(&name, Entry::get_password)) {
                    Ok(text) => Ok(Some(SecretString::from(text))),
                    Err(Failure::NoEntry) => Ok(None),
                    Err(Failure::Other(error)) => Err(error),
                }
            }
            Place::Sealed(file) => file.get(name),
            Place::Memory(values) => Ok(lock(values).get(name).cloned()),
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
                let set = move |entry: &Entry| entry.set_password(secret.expose_secret());
                patiently(move || keychain(&name, set)).map_err(Failure::into_error)
            }
            Place::Sealed(file) => file.set(name, secret),
            Place::Memory(values) => {
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
                match patiently(move || keychain(&name, Entry::delete_credential)) {
                    Ok(()) => Ok(true),
                    Err(Failure::NoEntry) => Ok(false),
                    Err(Failure::Other(error)) => Err(error),
                }
            }
            Place::Sealed(file) => file.delete(name),
            Place::Memory(values) => Ok(lock(values).remove(name).is_some()),
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

/// One call of the keychain. One that came, or came anew, since the last call is connected to again:
/// its sessions end with it.
fn keychain<T>(
    name: &str,
    call: impl Fn(&Entry) -> Result<T, KeyringError>,
) -> Result<T, KeyringError> {
    if keyring_core::get_default_store().is_none() {
        connect()?;
    }
    let once = || call(&Entry::new(SERVICE, name)?);
    match once() {
        Err(KeyringError::PlatformFailure(_)) => {
            connect()?;
            once()
        }
        result => result,
    }
}

#[cfg(target_os = "linux")]
fn connect() -> Result<(), KeyringError> {
    let store = zbus_secret_service_keyring_store::Store::new()?;
    keyring_core::set_default_store(store);
    Ok(())
}

/// The keychains of the other systems are always there.
#[cfg(not(target_os = "linux"))]
fn connect() -> Result<(), KeyringError> {
    match keyring::Entry::store_status() {
        Ok(()) => Ok(()),
        Err(_) => Err(KeyringError::NoDefaultStore),
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
