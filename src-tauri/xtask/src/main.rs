//! `cargo xtask demo | test | clients | api | bench | soak | codegen`: each does all set-up by itself.
#![expect(clippy::print_stderr, reason = "a task reports to the terminal")]

mod api;
mod bench;
mod clients;
mod codegen;
mod demo;
mod licences;
mod organization;
mod process;
mod soak;
mod system;
mod test;
mod ui;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Development tasks of Salesmirror.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Set up and run the main job on the sample organisation.
    Demo,
    /// Set up and run all tests, lints and checks.
    Test,
    /// Set up and run clients that were written elsewhere against the sample organisation.
    Clients,
    /// Hold the local API against its own document.
    Api,
    /// Measure speed, memory and size, beside what else reads the same server; prints a table and
    /// writes JSON.
    Bench(bench::Options),
    /// Kill syncs at random moments while the organisation changes, and compare afterwards.
    Soak(soak::Options),
    /// Write the generated files, or with `--check` say whether they are up to date.
    Codegen {
        /// Change nothing; fail where a file differs.
        #[arg(long)]
        check: bool,
    },
}

fn main() -> Result<()> {
    match Arguments::parse().task {
        Task::Demo => demo::run(),
        Task::Test => test::run_all(),
        Task::Clients => clients::run(),
        Task::Api => api::run(),
        Task::Bench(options) => bench::run(&options),
        Task::Soak(options) => soak::run(&options),
        Task::Codegen { check } => codegen::run(check),
    }
}

/// The project's root: this package lies two folders below it.
fn root() -> PathBuf {
    let mut path = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    path.pop();
    path.pop();
    path
}
