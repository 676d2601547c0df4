//! What the app is made of and under which licences: the crates that it links and the packages that
//! its pages carry.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::process::output;
use crate::root;

/// One part a line, so that a change reads as one.
///
/// # Errors
/// Where Cargo or the lock file of the packages cannot be read.
pub fn list() -> Result<String> {
    let mut parts = crates()?;
    parts.extend(packages()?);
    let lines: Vec<String> = parts
        .iter()
        .map(|(name, version, licence)| format!("  {}", json!([name, version, licence])))
        .collect();
    Ok(format!("[\n{}\n]\n", lines.join(",\n")))
}

/// What crates compile in that is somebody else's: the crate, the part, and its licence.
const COMPILED_IN: [(&str, &str, &str); 4] = [
    ("libsqlite3-sys", "SQLite", "blessing"),
    ("libsqlite3-sys", "SQLCipher", "BSD-3-Clause"),
    ("openssl-sys", "OpenSSL", "Apache-2.0"),
    ("zstd-sys", "Zstandard", "BSD-3-Clause"),
];

type Parts = BTreeSet<(String, String, String)>;

/// What the desktop program links on any system, by Cargo's own graph of normal dependencies.
fn crates() -> Result<Parts> {
    let text = output("cargo", &["metadata", "--format-version", "1", "--locked"])
        .context("cargo metadata gives nothing")?;
    let metadata: Value = serde_json::from_str(&text)?;
    let packages: BTreeMap<&str, &Value> = list_of(&metadata["packages"])
        .map(|package| (text_of(&package["id"]), package))
        .collect();
    let nodes: BTreeMap<&str, &Value> = list_of(&metadata["resolve"]["nodes"])
        .map(|node| (text_of(&node["id"]), node))
        .collect();
    let start = packages
        .iter()
        .find(|(_, package)| package["name"] == "salesmirror-desktop");
    let mut waiting: Vec<&str> = start.map(|(id, _)| *id).into_iter().collect();
    let mut seen = BTreeSet::new();
    let mut parts = Parts::new();
    while let Some(id) = waiting.pop() {
        if !seen.insert(id) {
            continue;
        }
        if let Some(package) = packages.get(id)
            && !package["source"].is_null()
        {
            let licence = package["license"].as_str().unwrap_or("see its repository");
            let (name, version) = (text_of(&package["name"]), text_of(&package["version"]));
            parts.insert((
                name.to_owned(),
                version.to_owned(),
                licence.replace('/', " OR "),
            ));
            for (_, part, licence) in COMPILED_IN.iter().filter(|(by, ..)| *by == name) {
                parts.insert((
                    (*part).to_owned(),
                    format!("in {name} {version}"),
                    (*licence).to_owned(),
                ));
            }
        }
        let Some(node) = nodes.get(id) else { continue };
        for dependency in list_of(&node["deps"]) {
            let is_normal = list_of(&dependency["dep_kinds"]).any(|kind| kind["kind"].is_null());
            if is_normal {
                waiting.push(text_of(&dependency["pkg"]));
            }
        }
    }
    Ok(parts)
}

/// What the pages carry, from the lock file: it names licences too.
fn packages() -> Result<Parts> {
    let path = root().join("ui/package-lock.json");
    let lock: Value = serde_json::from_str(&fs::read_to_string(path)?)?;
    let all = lock["packages"].as_object().context("no packages")?;
    let parts = all.iter().filter(|(path, package)| {
        !path.is_empty() && package["dev"] != true && package["optional"] != true
    });
    Ok(parts
        .map(|(path, package)| {
            let name = path
                .rsplit_once("node_modules/")
                .map_or("", |(_, name)| name);
            let licence = package["license"].as_str().unwrap_or("see its repository");
            (
                name.to_owned(),
                text_of(&package["version"]).to_owned(),
                licence.to_owned(),
            )
        })
        .collect())
}

fn list_of(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
