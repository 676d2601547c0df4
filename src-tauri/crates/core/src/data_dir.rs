//! Where the databases lie, and the locks on them.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::error::{Category, Error, Result};

/// Room that a new connection takes for its two databases, in bytes: where it is not there, that is
/// said before anybody signs in.
static PROBE: [u8; 512 * 1024] = [0; 512 * 1024];

/// The folder with `app.db`, one mirror a connection, and lock files.
#[derive(Debug, Clone)]
pub struct DataDir {
    root: PathBuf,
}

/// Holds a connection's lock until it is dropped. The system releases it when the process dies.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl DataDir {
    /// The folder at `root`, or the platform's data directory. Nothing is created yet.
    ///
    /// # Errors
    /// Where the platform names no data directory (no home directory).
    pub fn new(root: Option<PathBuf>) -> Result<Self> {
        let root = match root {
            Some(root) => root,
            None => directories::ProjectDirs::from("", "", "Salesmirror")
                .map(|found| found.data_dir().to_owned())
                .ok_or_else(|| {
                    Error::usage(
                        "no_data_dir",
                        "This account has no home directory to keep data in.",
                        "Name a folder with --data-dir or SALESMIRROR_DATA_DIR.",
                    )
                })?,
        };
        Ok(Self { root })
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The database of connections, settings and runs.
    #[must_use]
    pub fn app_db(&self) -> PathBuf {
        self.root.join("app.db")
    }

    /// What was typed for a connection that is being set up.
    pub(crate) fn setup(&self) -> PathBuf {
        self.root.join("setup.json")
    }

    /// Settings that are needed before the keychain is open: the way to the network, the log.
    pub(crate) fn app_settings(&self) -> PathBuf {
        self.root.join("app-settings.json")
    }

    /// Whether anything is kept here: settings, a set-up that was begun, or a connection.
    pub(crate) fn is_used(&self) -> bool {
        [self.app_db(), self.setup(), self.app_settings()]
            .iter()
            .any(|path| path.exists())
    }

    /// The folder of the log's files.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// A connection's mirror.
    #[must_use]
    pub fn mirror(&self, connection: Uuid) -> PathBuf {
        self.root.join(format!("mirror-{connection}.db"))
    }

    /// The second copy of a connection's deleted rows and history.
    #[must_use]
    pub fn second_copy(&self, connection: Uuid) -> PathBuf {
        self.root.join(format!("kept-{connection}.db"))
    }

    /// Makes the folder, readable by its owner only.
    pub(crate) fn create(&self) -> Result<()> {
        fs::create_dir_all(&self.root).map_err(|source| Error::file(&self.root, &source))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            // A folder that somebody else owns but lets us write to is theirs to protect.
            let _ = fs::set_permissions(&self.root, fs::Permissions::from_mode(0o700));
        }
        let probe = self.root.join(".writable");
        let written =
            fs::write(&probe, PROBE.as_slice()).map_err(|source| Error::file(&self.root, &source));
        let _ = fs::remove_file(probe);
        written
    }

    /// What [`DataDir::create`] would make: the uppermost folder that is not there yet.
    pub(crate) fn missing(&self) -> Option<PathBuf> {
        self.root
            .ancestors()
            .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
            .last()
            .map(Path::to_owned)
    }

    /// Removes what was made since [`DataDir::missing`] gave this folder, as far as it is empty.
    pub(crate) fn remove_made(&self, uppermost: &Path) {
        let _ = fs::remove_file(self.root.join("installation"));
        for folder in self.root.ancestors() {
            if fs::remove_dir(folder).is_err() || folder == uppermost {
                return;
            }
        }
    }

    /// An id that tells this folder's keychain entries from another folder's.
    pub(crate) fn installation(&self) -> Result<Uuid> {
        let path = self.root.join("installation");
        if let Ok(text) = fs::read_to_string(&path)
            && let Ok(id) = Uuid::parse_str(text.trim())
        {
            return Ok(id);
        }
        let id = Uuid::new_v4();
        fs::write(&path, id.to_string()).map_err(|source| Error::file(&path, &source))?;
        Ok(id)
    }

    /// Removes a database with its companions.
    pub(crate) fn remove_database(path: &Path) -> Result<()> {
        for suffix in ["", "-wal", "-shm"] {
            let mut name = path.as_os_str().to_owned();
            name.push(suffix);
            let file = PathBuf::from(name);
            match fs::remove_file(&file) {
                Ok(()) => {}
                Err(source) if source.kind() == std::io::ErrorKind::NotFound => {}
                Err(source) => return Err(Error::file(&file, &source)),
            }
        }
        Ok(())
    }

    fn damage_note(&self, connection: Uuid) -> PathBuf {
        self.root.join(format!("mirror-{connection}.damaged"))
    }

    /// Notes that a mirror was found to be damaged, so that it is moved aside when it is opened next.
    pub(crate) fn note_damage(&self, connection: Uuid) -> Result<()> {
        let note = self.damage_note(connection);
        if note.exists() {
            return Ok(());
        }
        fs::write(&note, []).map_err(|source| Error::file(&note, &source))
    }

    /// Whether a mirror was found to be damaged.
    pub(crate) fn is_damaged(&self, connection: Uuid) -> bool {
        self.damage_note(connection).exists()
    }

    /// Moves a damaged mirror aside with its companions; gives where it is now. Where that was begun
    /// before, it goes on, and what was made in the mirror's place since is removed: it is half a
    /// mirror until [`DataDir::forget_damage`].
    pub(crate) fn set_aside(&self, connection: Uuid, now: i64) -> Result<PathBuf> {
        let (path, note) = (self.mirror(connection), self.damage_note(connection));
        let kept = fs::read_to_string(&note).unwrap_or_default();
        let name = match kept.trim() {
            "" => format!("mirror-{connection}.damaged-{now}.db"),
            begun => begun.to_owned(),
        };
        fs::write(&note, &name).map_err(|source| Error::file(&note, &source))?;
        let aside = self.root.join(name);
        if aside.exists() {
            Self::remove_database(&path)?;
            return Ok(aside);
        }
        // The file itself comes last: where it is aside, all of it is.
        for suffix in ["-shm", "-wal", ""] {
            let [from, to] = [&path, &aside].map(|path| {
                let mut name = path.as_os_str().to_owned();
                name.push(suffix);
                PathBuf::from(name)
            });
            match fs::rename(&from, &to) {
                Ok(()) => {}
                Err(source) if source.kind() == std::io::ErrorKind::NotFound => {}
                Err(source) => return Err(Error::file(&from, &source)),
            }
        }
        Ok(aside)
    }

    /// Removes what was moved aside of a connection's damaged mirrors, with the note of a damage.
    pub(crate) fn remove_damaged(&self, connection: Uuid) -> Result<()> {
        let begin = format!("mirror-{connection}.damaged");
        let Ok(entries) = fs::read_dir(&self.root) else {
            return Ok(());
        };
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(&begin) {
                let path = entry.path();
                fs::remove_file(&path).map_err(|source| Error::file(&path, &source))?;
            }
        }
        Ok(())
    }

    /// Forgets that a mirror was damaged: another one is in its place.
    pub(crate) fn forget_damage(&self, connection: Uuid) -> Result<()> {
        let note = self.damage_note(connection);
        match fs::remove_file(&note) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::file(&note, &source))
            }
            _ => Ok(()),
        }
    }

    /// Takes a connection's lock, which covers sync and token refresh: two refreshers of a
    /// rotating token would sign each other out. `None` where another process holds it.
    pub(crate) fn try_lock(&self, connection: Uuid) -> Result<Option<Lock>> {
        let path = self.root.join(format!("mirror-{connection}.lock"));
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|source| Error::file(&path, &source))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(Error::file(&path, &source)),
        }
    }

    /// The answer where another process holds the lock.
    pub(crate) fn busy() -> Error {
        Error::new(
            Category::Busy,
            "busy",
            "Another Salesmirror process is syncing this connection.",
            "Wait until it is done, or stop it, then try again.",
        )
    }

    pub(crate) fn remove_lock(&self, connection: Uuid) {
        let _ = fs::remove_file(self.root.join(format!("mirror-{connection}.lock")));
    }
}
/// Writes a file in one move: after a power cut it is the one of before, or the new one.
pub(crate) fn write_whole(path: &Path, text: &str) -> Result<()> {
    let beside = path.with_extension("new");
    let written = File::create(&beside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written
        .and_then(|()| fs::rename(&beside, path))
        .map_err(|error| Error::file(path, &error))
}
