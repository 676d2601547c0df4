//! The pages of the window: their packages and their build.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::process::{finish, output, step};
use crate::root;

/// The oldest Node that the build runs on.
const NODE: (u32, u32) = (20, 19);

/// Installs the packages where the lock file has changed since.
///
/// # Errors
/// Without Node, with an old one, or where the packages cannot be had.
pub fn install() -> Result<()> {
    check_node()?;
    let (lock, installed) = (
        folder().join("package-lock.json"),
        folder().join("node_modules/.package-lock.json"),
    );
    let changed = |path: &PathBuf| fs::metadata(path).and_then(|found| found.modified());
    if let (Ok(lock), Ok(installed)) = (changed(&lock), changed(&installed))
        && installed >= lock
    {
        return Ok(());
    }
    step("Packages of the window's pages");
    npm(&["ci", "--no-audit", "--no-fund"])
}

/// Builds the pages that the app carries.
///
/// # Errors
/// Where they do not compile.
pub fn build() -> Result<()> {
    install()?;
    step("The window's pages");
    npm(&["run", "build"])
}

/// Runs npm in the folder of the pages.
///
/// # Errors
/// Where it fails.
pub fn npm(arguments: &[&str]) -> Result<()> {
    finish(Command::new("npm").args(arguments).current_dir(folder()))
}

fn folder() -> PathBuf {
    root().join("ui")
}

/// Whether Node is there and new enough.
///
/// # Errors
/// Where it is not, with what to do.
pub fn check_node() -> Result<()> {
    let said = output("node", &["--version"])
        .context("Node is missing. Install Node 20.19 or later, then try again.")?;
    let mut numbers = said.trim().trim_start_matches('v').split('.');
    let mut number = || {
        numbers
            .next()
            .and_then(|text| text.parse().ok())
            .unwrap_or(0)
    };
    let version: (u32, u32) = (number(), number());
    if version < NODE {
        bail!("Node {} is too old: 20.19 or later is needed.", said.trim());
    }
    Ok(())
}
