//! System packages that the tasks need, on Debian and its relatives.

use std::process::Command;

use anyhow::{Result, bail};

use crate::process::{finish, step, works};

/// Compilers and what the vendored OpenSSL is built with.
pub const BUILD: [&str; 4] = ["build-essential", "perl", "pkg-config", "ca-certificates"];
/// A real keychain for tests without a desktop.
pub const KEYRING: [&str; 2] = ["dbus", "gnome-keyring"];
/// What the tests of the whole program look and meddle with.
pub const TESTS: [&str; 6] = [
    "libsecret-tools",
    "faketime",
    "curl",
    "python3",
    "squid",
    "openssl",
];

/// Environments for the foreign clients that are written in Python.
pub const PYTHON: [&str; 2] = ["python3", "python3-venv"];

/// What a sync is measured beside.
pub const BENCH: [&str; 4] = ["curl", "python3", "python3-venv", "sqlite3"];

/// The system's web view, which the window is drawn in.
pub const WINDOW: [&str; 1] = ["libwebkit2gtk-4.1-dev"];
/// A display without a screen, and what drives the window on it.
pub const DISPLAY: [&str; 5] = [
    "xvfb",
    "webkit2gtk-driver",
    "xdotool",
    "chromium",
    "chromium-driver",
];

/// Installs those of the packages that are missing.
///
/// # Errors
/// Without root or sudo, with the line to run; or where the package manager fails.
pub fn ensure(packages: &[&str]) -> Result<()> {
    if !works("dpkg", &["--version"]) {
        eprintln!(
            "This is no Debian system: make sure that these are there: {}",
            packages.join(" ")
        );
        return Ok(());
    }
    let missing: Vec<&str> = packages
        .iter()
        .copied()
        .filter(|package| !installed(package))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    step(&format!(
        "Installing system packages: {}",
        missing.join(" ")
    ));
    let Some(prefix) = privilege() else {
        bail!(
            "these packages are missing, and only root may install them. Run:\n  \
             sudo apt-get update && sudo apt-get install --yes {}",
            missing.join(" ")
        );
    };
    // An index that is a little old is no reason to stop: the installation itself tells.
    let _ = finish(apt(prefix).arg("update"));
    finish(
        apt(prefix)
            .args(["install", "--yes", "--no-install-recommends"])
            .args(&missing),
    )
}

fn installed(package: &str) -> bool {
    Command::new("dpkg-query")
        .args(["--show", "--showformat=${Status}", package])
        .output()
        .is_ok_and(|output| output.stdout.starts_with(b"install ok installed"))
}

/// The words before `apt-get`: none as root, `sudo` where it works without a question.
fn privilege() -> Option<&'static [&'static str]> {
    let root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    if root {
        Some(&[])
    } else if works("sudo", &["-n", "true"]) {
        Some(&["sudo", "-n", "--preserve-env=DEBIAN_FRONTEND"])
    } else {
        None
    }
}

fn apt(prefix: &[&str]) -> Command {
    let mut words = prefix.iter().copied().chain(["apt-get", "--quiet"]);
    let mut command = Command::new(words.next().unwrap_or("apt-get"));
    command.args(words).env("DEBIAN_FRONTEND", "noninteractive");
    command
}
