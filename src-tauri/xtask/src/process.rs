//! Running other programs.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::root;

/// Announces a step of a task.
pub fn step(text: &str) {
    eprintln!("\n==> {text}");
}

/// Runs a program in the project's root with its output shown.
///
/// # Errors
/// Where it cannot be started or does not exit with 0.
pub fn run<I, S>(program: &str, arguments: I) -> Result<()>
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    finish(Command::new(program).args(arguments).current_dir(root()))
}

/// Runs a prepared command with its output shown.
///
/// # Errors
/// Where it cannot be started or does not exit with 0.
pub fn finish(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command
        .status()
        .with_context(|| format!("`{program}` cannot be started"))?;
    if !status.success() {
        bail!("`{program}` failed with {status}");
    }
    Ok(())
}

/// Whether a program can be started and exits with 0.
pub fn works(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// What a program prints; `None` where it cannot be started or fails.
pub fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let found = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&found.stdout).into_owned();
    found.status.success().then_some(text)
}
