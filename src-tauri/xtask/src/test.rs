//! `cargo xtask test`: everything that must hold before a change lands.

use anyhow::Result;

use crate::process::{run, step, works};
use crate::{api, clients, codegen, system, ui};

/// Sets up and runs all checks and tests.
///
/// # Errors
/// At the first check that fails.
pub fn run_all() -> Result<()> {
    let packages = [
        &system::BUILD[..],
        &system::KEYRING[..],
        &system::TESTS[..],
        &system::WINDOW[..],
        &system::DISPLAY[..],
        &system::PYTHON[..],
    ];
    system::ensure(&packages.concat())?;
    step("Generated files");
    codegen::run(true)?;
    step("Formatting");
    run("cargo", ["fmt", "--all", "--check"])?;
    ui::install()?;
    step("Types, lints and formatting of the pages");
    ui::npm(&["run", "check"])?;
    step("Tests of the pages");
    ui::npm(&["test"])?;
    // The app carries the pages, so that they come before anything that looks at it.
    ui::build()?;
    step("Lints");
    cargo(&["clippy"], &["--all-targets", "--", "--deny", "warnings"])?;
    step("The programs that the tests run");
    cargo(&["build"], &["--bins"])?;
    step("Rust tests");
    if works("cargo", &["nextest", "--version"]) {
        cargo(&["nextest", "run"], &["--no-fail-fast"])?;
    } else {
        cargo(&["test"], &["--no-fail-fast"])?;
    }
    clients::run_built()?;
    api::run_built()
}

/// Runs cargo on everything, each time with the same features, so that nothing is built twice.
fn cargo(command: &[&str], arguments: &[&str]) -> Result<()> {
    let everything = [
        "--workspace",
        "--features",
        "salesmirror-desktop/custom-protocol",
    ];
    run("cargo", [command, &everything, arguments].concat())
}
