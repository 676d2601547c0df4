//! Secrets in a file, sealed with a key that a service manager hands over: for machines without a
//! keychain.
//!
//! The key comes through a file descriptor, so that it stands in no environment and no argument
//! list. The file holds a random salt, a nonce, and the secrets under AES-256-GCM; the cipher's key
//! is derived with HKDF-SHA-256 from what was handed over.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom as _, SystemRandom};
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use serde::{Deserialize, Serialize};

use super::{DESCRIPTOR, SecretStoreError};

/// Beside the databases.
const FILE: &str = "secrets.sealed";
/// Shorter ones could be guessed: 32 characters of base64 are 192 bits.
const SHORTEST_KEY: usize = 32;
/// A key is a line of text; more is another file.
const LONGEST_KEY: u64 = 64 * 1024;
const SALT_LENGTH: usize = 32;

/// The sealed file; clones share it.
#[derive(Clone)]
pub struct SealedFile {
    folder: PathBuf,
    key: Arc<SecretSlice<u8>>,
}

#[derive(Serialize, Deserialize)]
struct Envelope {
    salt: String,
    nonce: String,
    sealed: String,
}

type Secrets = BTreeMap<String, String>;
type Result<T> = std::result::Result<T, SecretStoreError>;

impl SealedFile {
    /// Reads the key from the descriptor of this number.
    pub fn open(folder: &Path, descriptor: &str) -> Result<Self> {
        let unusable = |why: &str| SecretStoreError::NoKey(why.to_owned());
        let number: u32 = descriptor
            .trim()
            .parse()
            .map_err(|_| unusable("it is not the number of a descriptor"))?;
        let mut key = Vec::new();
        File::open(format!("/dev/fd/{number}"))
            .and_then(|file| file.take(LONGEST_KEY).read_to_end(&mut key))
            .map_err(|error| unusable(&error.to_string()))?;
        let key = key.trim_ascii();
        if key.is_empty() {
            return Err(unusable("it is empty, or was read already"));
        }
        if key.len() < SHORTEST_KEY {
            return Err(unusable("its key is shorter than 32 characters"));
        }
        Ok(Self {
            folder: folder.to_owned(),
            key: Arc::new(key.to_vec().into()),
        })
    }

    pub fn get(&self, name: &str) -> Result<Option<SecretString>> {
        Ok(self.read()?.remove(name).map(SecretString::from))
    }

    pub fn set(&self, name: &str, secret: &SecretString) -> Result<()> {
        self.change(|secrets| {
            secrets.insert(name.to_owned(), secret.expose_secret().to_owned());
        })
    }

    pub fn delete(&self, name: &str) -> Result<bool> {
        if !self.path().exists() {
            return Ok(false);
        }
        let mut found = false;
        self.change(|secrets| found = secrets.remove(name).is_some())?;
        Ok(found)
    }

    fn path(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    /// Reads, changes and writes while no other process does. The lock is on the folder, since the
    /// file is replaced.
    fn change(&self, work: impl FnOnce(&mut Secrets)) -> Result<()> {
        create_private(&self.folder).map_err(refused)?;
        let folder = File::open(&self.folder).map_err(refused)?;
        folder.lock().map_err(refused)?;
        let mut secrets = self.read()?;
        work(&mut secrets);
        if secrets.is_empty() {
            return match fs::remove_file(self.path()) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(refused(error)),
                _ => Ok(()),
            };
        }
        self.write(&secrets)
    }

    fn read(&self) -> Result<Secrets> {
        let bytes = match fs::read(self.path()) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Secrets::new());
            }
            Err(error) => return Err(refused(error)),
        };
        let decode = |text: &str| {
            STANDARD
                .decode(text)
                .map_err(|_| SecretStoreError::WrongKey)
        };
        let envelope: Envelope =
            serde_json::from_slice(&bytes).map_err(|_| SecretStoreError::WrongKey)?;
        let nonce = Nonce::try_assume_unique_for_key(&decode(&envelope.nonce)?)
            .map_err(|_| SecretStoreError::WrongKey)?;
        let mut sealed = decode(&envelope.sealed)?;
        let plain = self
            .cipher(&decode(&envelope.salt)?)?
            .open_in_place(nonce, Aad::empty(), &mut sealed)
            .map_err(|_| SecretStoreError::WrongKey)?;
        serde_json::from_slice(plain).map_err(|_| SecretStoreError::WrongKey)
    }

    fn write(&self, secrets: &Secrets) -> Result<()> {
        let mut salt = [0; SALT_LENGTH];
        let mut nonce = [0; NONCE_LEN];
        let random = SystemRandom::new();
        for bytes in [&mut salt[..], &mut nonce[..]] {
            random.fill(bytes).map_err(|_| no_cipher())?;
        }
        let mut sealed = serde_json::to_vec(secrets).map_err(|_| no_cipher())?;
        self.cipher(&salt)?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::empty(),
                &mut sealed,
            )
            .map_err(|_| no_cipher())?;
        let envelope = Envelope {
            salt: STANDARD.encode(salt),
            nonce: STANDARD.encode(nonce),
            sealed: STANDARD.encode(sealed),
        };
        let bytes = serde_json::to_vec(&envelope).map_err(|_| no_cipher())?;
        let new = self.folder.join(format!("{FILE}.new"));
        let written = create_file(&new)
            .and_then(|mut file| file.write_all(&bytes).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&new, self.path()));
        if written.is_err() {
            let _ = fs::remove_file(&new);
        }
        written.map_err(refused)
    }

    fn cipher(&self, salt: &[u8]) -> Result<LessSafeKey> {
        let derived = Salt::new(HKDF_SHA256, salt).extract(self.key.expose_secret());
        let info: [&[u8]; 1] = [b"Salesmirror secrets, version 1"];
        let key = derived
            .expand(&info, &AES_256_GCM)
            .map(UnboundKey::from)
            .map_err(|_| no_cipher())?;
        Ok(LessSafeKey::new(key))
    }
}

fn create_private(folder: &Path) -> std::io::Result<()> {
    if folder.exists() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

fn create_file(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

fn refused(error: impl std::fmt::Display) -> SecretStoreError {
    SecretStoreError::Refused(format!("{FILE}: {error}"))
}

fn no_cipher() -> SecretStoreError {
    SecretStoreError::Refused(format!("{DESCRIPTOR}: the system gave no random numbers"))
}
