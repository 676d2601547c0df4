//! `cargo xtask test`: everything that must hold before a change lands.

use anyhow::Result;

use crate::process::{run, step, works};
use crate::{codegen, system};

/// Sets up and runs all checks and tests.
///
/// # Errors
/// At the first check that fails.
pub fn run_all() -> Result<()> {
    system::ensure(&[&system::BUILD[..], &system::KEYRING[..]].concat())?;
    step("Generated files");
    codegen::run(true)?;
    step("Formatting");
    run("cargo", ["fmt", "--all", "--check"])?;
    step("Lints");
    run(
        "cargo",
        ["clippy", "--all-targets", "--", "--deny", "warnings"],
    )?;
    step("The program that the tests run");
    run("cargo", ["build", "--package", "salesmirror-cli"])?;
    step("Rust tests");
    if works("cargo", &["nextest", "--version"]) {
        run("cargo", ["nextest", "run", "--no-fail-fast"])
    } else {
        run("cargo", ["test", "--no-fail-fast"])
    }
}
