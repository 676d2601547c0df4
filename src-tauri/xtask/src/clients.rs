//! `cargo xtask clients`: clients that nobody here wrote, against the sample organisation.
//!
//! They keep the simulator honest: it is built by the same people as the product, and would
//! otherwise agree with their mistakes. `docs/protocol.md` says what each of them proves.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::organization::{Organization, target};
use crate::process::{finish, output, step};
use crate::{root, system, ui};

/// Few rows, so that a run is quick, but more than a page of each client's.
const ROWS: &str = "account=60,contact=120,lead=50,opportunity=40,systemuser=12";

/// Airbyte's connector is made for these versions of Python 3; later ones lack a build of its parts.
const AIRBYTE_PYTHONS: std::ops::RangeInclusive<u32> = 9..=11;

/// Sets up and runs all foreign clients.
///
/// # Errors
/// Where a client refuses something, or where an environment cannot be made.
pub fn run() -> Result<()> {
    system::ensure(&[&system::BUILD[..], &system::PYTHON[..]].concat())?;
    step("The program that the foreign clients are held against");
    crate::process::run("cargo", ["build", "--package", "salesmirror-cli"])?;
    run_built()
}

/// The same, with the program built already. All of them run, whatever the first ones say.
///
/// # Errors
/// Where a client refuses something, or where an environment cannot be made.
pub fn run_built() -> Result<()> {
    let python = environment("python", "requirements.txt")?;
    let airbyte = environment("airbyte", "requirements-airbyte.txt")?;
    let azure = environment("azure", "requirements-azure.txt")?;
    let modules = node_modules()?;
    let mut refused = Vec::new();
    let mut hold = |name: &'static str, tests: &mut Command| -> Result<()> {
        step(&format!("Foreign client: {name}"));
        if !against_an_organisation(tests)? {
            refused.push(name);
        }
        Ok(())
    };
    for (name, module) in [
        ("msal", "test_msal.py"),
        ("PowerPlatform-Dataverse-Client", "test_dataverse_client.py"),
        ("airbyte-source-microsoft-dataverse", "test_airbyte.py"),
        ("azure-cli", "test_azure.py"),
    ] {
        let mut tests = Command::new(&python);
        tests
            .args([
                "-m",
                "pytest",
                "-p",
                "no:cacheprovider",
                "--verbose",
                module,
            ])
            .env("AIRBYTE_PYTHON", &airbyte)
            .env("AZURE_PYTHON", &azure)
            .env("SALESMIRROR", target().join("debug/salesmirror"));
        hold(name, &mut tests)?;
    }
    let mut tests = Command::new("node");
    tests
        .args(["--test", "--test-reporter=spec"])
        .arg("dynamics-web-api.test.cjs")
        .env("NODE_PATH", modules);
    hold("dynamics-web-api", &mut tests)?;
    if !refused.is_empty() {
        bail!(
            "these clients do not get along with the sample organisation: {}",
            refused.join(", ")
        );
    }
    Ok(())
}

/// Where the clients' tests lie.
fn folder() -> PathBuf {
    root().join("tests/clients")
}

/// Where their environments are made, out of the tree.
fn made(name: &str) -> PathBuf {
    target().join("clients").join(name)
}

/// Runs tests with an organisation of their own behind TLS; tells whether they passed.
fn against_an_organisation(tests: &mut Command) -> Result<bool> {
    let program = target().join("debug/salesmirror");
    let organization = Organization::start(&program, &["--tls", "--rows", ROWS])?;
    let certificate = made("organisation.pem");
    fs::write(&certificate, organization.said("ca_certificate"))?;
    let status = tests
        .current_dir(folder())
        .env("SAMPLE_ORG", organization.description.to_string())
        .env("REQUESTS_CA_BUNDLE", &certificate)
        .env("NODE_EXTRA_CA_CERTS", &certificate)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        // A proxy of the machine has no business with loopback.
        .env("NO_PROXY", "localhost")
        .status()
        .context("the client cannot be started")?;
    Ok(status.success())
}

/// A Python environment with what the file names; made anew where the file has changed. Gives its
/// interpreter.
pub fn environment(name: &str, requirements: &str) -> Result<PathBuf> {
    let (place, wanted) = (made(name), folder().join(requirements));
    let (interpreter, note) = (place.join("bin/python"), place.join(requirements));
    let wanted_text = fs::read_to_string(&wanted)?;
    if fs::read_to_string(&note).is_ok_and(|text| text == wanted_text) {
        return Ok(interpreter);
    }
    let python = python()?;
    if name == "airbyte" {
        check_airbyte(&python)?;
    }
    step(&format!("Python environment: {name}"));
    finish(
        Command::new(&python)
            .args(["-m", "venv", "--clear"])
            .arg(&place),
    )?;
    finish(
        Command::new(&interpreter)
            .args(["-m", "pip", "install", "--quiet"])
            .args(["--disable-pip-version-check", "--requirement"])
            .arg(&wanted),
    )?;
    fs::write(note, wanted_text)?;
    Ok(interpreter)
}

/// The system's own Python, which the package of virtual environments belongs to; else any.
fn python() -> Result<String> {
    ["/usr/bin/python3", "python3"]
        .into_iter()
        .find(|program| minor_version(program).is_some())
        .map(str::to_owned)
        .context("Python 3 is missing. Install it with its `venv` module, then try again.")
}

fn minor_version(python: &str) -> Option<u32> {
    let code = "import sys, venv; print(sys.version_info.minor)";
    output(python, &["-c", code])?.trim().parse().ok()
}

fn check_airbyte(python: &str) -> Result<()> {
    match minor_version(python) {
        Some(minor) if AIRBYTE_PYTHONS.contains(&minor) => Ok(()),
        _ => bail!(
            "Airbyte's connector needs Python 3.9 to 3.11, and `{python}` is another. Debian 12 has 3.11."
        ),
    }
}

/// The packages of the client for Node; made anew where the lock file has changed.
fn node_modules() -> Result<PathBuf> {
    ui::check_node()?;
    let place = made("node");
    let modules = place.join("node_modules");
    let lock = "package-lock.json";
    let same = |place: &Path| fs::read(place.join(lock)).ok() == fs::read(folder().join(lock)).ok();
    if same(&place) && modules.exists() {
        return Ok(modules);
    }
    step("Packages of the client for Node");
    fs::create_dir_all(&place)?;
    for file in ["package.json", lock] {
        fs::copy(folder().join(file), place.join(file))?;
    }
    let installed = finish(
        Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund"])
            .current_dir(&place),
    );
    if installed.is_err() {
        // The next run must not take what is half there for whole.
        let _ = fs::remove_file(place.join(lock));
    }
    installed.map(|()| modules)
}
