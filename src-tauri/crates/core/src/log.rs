//! The log: a file a day, kept for a week, of this product's own words only. What is in records, and
//! secrets of any kind, are never in it at any level.

use std::io::{self, Write};
use std::sync::{Mutex, OnceLock};

use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry, fmt, reload};

use crate::app::AppSettings;
use crate::data_dir::DataDir;
use crate::error::{Error, Result};

/// What is logged where nobody said anything.
pub const USUAL_LEVEL: &str = "info";
const LEVELS: [&str; 4] = ["error", "warn", "info", "debug"];
/// Files that are kept: a week.
const KEPT_FILES: usize = 7;
/// Lines at the end of the log that diagnostics hold.
const TAIL_LINES: usize = 60;
/// Bytes that are read for them.
const TAIL_BYTES: usize = 64 * 1024;

static HANDLE: OnceLock<reload::Handle<EnvFilter, Registry>> = OnceLock::new();

/// The word of a level.
///
/// # Errors
/// Where it is none.
pub(crate) fn level(text: &str) -> Result<&'static str> {
    let wanted = text.trim().to_ascii_lowercase();
    let found = LEVELS.into_iter().find(|level| *level == wanted);
    found.ok_or_else(|| {
        Error::usage(
            "bad_log_level",
            format!("\"{text}\" is no level of the log."),
            format!("There are: {}.", LEVELS.join(", ")),
        )
    })
}

/// Only our own crates: others' words can hold addresses with codes in them.
fn filter(level: &str) -> EnvFilter {
    let crates = [
        "",
        "_auth",
        "_dataverse",
        "_store",
        "_core",
        "_cli",
        "_desktop",
    ];
    EnvFilter::new(
        crates
            .map(|name| format!("salesmirror{name}={level}"))
            .join(","),
    )
}

/// Begins to log into the folder, at the level that is set there; and what `also` wants to standard
/// error. Panics are logged too, without what they were called with.
pub fn start(data_dir: &DataDir, also: Option<EnvFilter>) {
    let settings = AppSettings::read(data_dir);
    let level = level(&settings.log_level).unwrap_or(USUAL_LEVEL);
    let (filter, handle) = reload::Layer::new(filter(level));
    let file = LogFile {
        data_dir: data_dir.clone(),
        open: None,
    };
    let to_file = fmt::layer()
        .with_ansi(false)
        .with_writer(Mutex::new(file))
        .with_filter(filter);
    let to_stderr = also.map(|wanted| {
        fmt::layer()
            .with_writer(io::stderr)
            .without_time()
            .with_filter(wanted)
    });
    let is_first = tracing_subscriber::registry()
        .with(to_file)
        .with(to_stderr)
        .try_init()
        .is_ok();
    if is_first {
        let _ = HANDLE.set(handle);
        note_panics();
        tracing::info!(version = env!("CARGO_PKG_VERSION"), "started");
    }
}

/// The file of the day, from the moment on that something is kept: a first session is logged too, and
/// a sign-in that failed, or a look at what is there, leaves no folder behind.
struct LogFile {
    data_dir: DataDir,
    open: Option<RollingFileAppender>,
}

impl LogFile {
    fn open(&mut self) -> Option<&mut RollingFileAppender> {
        if self.open.is_none() && self.data_dir.is_used() {
            let folder = self.data_dir.logs();
            // The appender looks for old files first, and complains where there is no folder.
            std::fs::create_dir_all(&folder).ok()?;
            self.open = RollingFileAppender::builder()
                .rotation(Rotation::DAILY)
                .filename_prefix("salesmirror")
                .filename_suffix("log")
                .max_log_files(KEPT_FILES)
                .build(folder)
                .ok();
        }
        self.open.as_mut()
    }
}

impl Write for LogFile {
    /// What cannot be kept is let go: nobody waits for the log.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.open() {
            Some(file) => file.write(bytes),
            None => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.open.as_mut().map_or(Ok(()), Write::flush)
    }
}

fn note_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        // The message may quote what it was about; the place does not.
        let place = panic.location().map(ToString::to_string);
        tracing::error!(
            place = place.as_deref().unwrap_or("unknown"),
            "the program panicked"
        );
        before(panic);
    }));
}

/// Logs more or less from now on.
pub(crate) fn set_level(level: &str) {
    if let Some(handle) = HANDLE.get() {
        let _ = handle.reload(filter(level));
    }
}

/// The last lines of the log; empty where there is none.
pub(crate) fn tail(data_dir: &DataDir) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(data_dir.logs()) else {
        return Vec::new();
    };
    let newest = entries.flatten().map(|entry| entry.path()).max();
    let bytes = newest.and_then(|path| std::fs::read(path).ok());
    let bytes = bytes.unwrap_or_default();
    let end = &bytes[bytes.len().saturating_sub(TAIL_BYTES)..];
    let text = String::from_utf8_lossy(end);
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.len().saturating_sub(TAIL_LINES);
    lines[first..]
        .iter()
        .map(|line| (*line).to_owned())
        .collect()
}
