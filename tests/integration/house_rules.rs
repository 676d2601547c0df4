//! Rules of the house that a reader would otherwise have to remember.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::MetadataCommand;

/// Longer files want to be two.
const LONGEST_FILE: usize = 500;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("a parent")
        .to_owned()
}

/// Which of our crates each of them may use.
fn allowed() -> BTreeMap<&'static str, Vec<&'static str>> {
    let services = vec!["core", "wire", "local-api", "sample-org", "demo"];
    BTreeMap::from([
        ("model", vec![]),
        ("wire", vec!["model"]),
        ("auth", vec!["model"]),
        ("dataverse", vec!["model"]),
        ("store", vec!["model"]),
        ("core", vec!["model", "auth", "dataverse", "store"]),
        ("local-api", vec!["core", "wire"]),
        ("cli", services.clone()),
        ("desktop", services),
        ("sample-org", vec![]),
        ("demo", vec!["core", "sample-org"]),
    ])
}

/// Libraries that only these crates may know.
const ONLY_IN: [(&str, &[&str]); 4] = [
    ("rusqlite", &["store"]),
    ("keyring", &["auth"]),
    ("clap", &["cli", "xtask"]),
    ("tauri", &["desktop"]),
];

#[test]
fn crates_use_only_what_lies_below_them() {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo metadata");
    let allowed = allowed();
    for package in &metadata.packages {
        let name = package.name.trim_start_matches("salesmirror-");
        for dependency in &package.dependencies {
            if let (Some(ours), Some(rules)) = (
                dependency.name.strip_prefix("salesmirror-"),
                allowed.get(name),
            ) {
                assert!(rules.contains(&ours), "{name} must not use {ours}");
            }
            for (library, owners) in ONLY_IN {
                assert!(
                    dependency.name != library || owners.contains(&name),
                    "{name} must not use {library}"
                );
            }
        }
    }
}

#[test]
fn no_source_file_outgrows_its_purpose() {
    let mut files = Vec::new();
    for folder in ["src-tauri", "ui/src"] {
        collect(&root().join(folder), &mut files);
    }
    assert!(files.len() > 40, "the sources are found");
    for file in files {
        let lines = fs::read_to_string(&file).expect("a text").lines().count();
        let name = file
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let is_exempt = name.contains("test") || name.contains("generated");
        assert!(
            is_exempt || lines <= LONGEST_FILE,
            "{} has {lines} lines",
            file.display()
        );
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            if !path.ends_with("node_modules") && !path.ends_with("gen") {
                collect(&path, files);
            }
        } else if path
            .extension()
            .is_some_and(|ending| ["rs", "ts", "tsx"].iter().any(|known| ending == *known))
        {
            files.push(path);
        }
    }
}

#[test]
fn the_generated_files_are_up_to_date() {
    for (path, expected) in [
        ("ui/src/bridge/generated.ts", salesmirror_wire::typescript()),
        (
            "docs/errors.md",
            salesmirror_core::explanations::documentation(),
        ),
    ] {
        let text = fs::read_to_string(root().join(path)).unwrap_or_default();
        assert!(text == expected, "{path}: run `cargo xtask codegen`");
    }
}

#[test]
fn every_code_of_core_and_command_line_is_in_the_table_of_errors() {
    let mut files = Vec::new();
    for folder in ["core", "cli", "local-api"] {
        collect(
            &root().join("src-tauri/crates").join(folder).join("src"),
            &mut files,
        );
    }
    let mut unexplained = Vec::new();
    let mut found = 0;
    for file in files {
        let text = fs::read_to_string(&file).expect("a text");
        for call in ["Error::new(", "Error::usage(", "Error::explained("] {
            for (_, rest) in text.match_indices(call).map(|(at, _)| text.split_at(at)) {
                // The first text of a call is its code.
                let Some(code) = rest[call.len()..].split('"').nth(1) else {
                    continue;
                };
                let is_code = code
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
                if !is_code || code.is_empty() {
                    continue;
                }
                found += 1;
                if salesmirror_core::explanations::explain(code).is_none() {
                    unexplained.push(format!("{code} in {}", file.display()));
                }
            }
        }
    }
    assert!(found > 30, "the codes are found");
    assert!(
        unexplained.is_empty(),
        "add a row to core's explanations.rs for {unexplained:#?}"
    );
}

#[test]
fn the_top_level_is_the_layout_that_was_agreed() {
    let allowed = [
        "Cargo.toml",
        "Cargo.lock",
        "clippy.toml",
        "LICENSE",
        "README.md",
        "src-tauri",
        "ui",
        "icons",
        "tests",
        "docs",
        "target",
    ];
    for entry in fs::read_dir(root()).expect("a folder") {
        let name = entry
            .expect("an entry")
            .file_name()
            .to_string_lossy()
            .into_owned();
        assert!(
            name.starts_with('.') || allowed.contains(&name.as_str()),
            "{name} has no place at the top"
        );
    }
}

#[test]
fn one_folder_of_the_pages_knows_the_shell() {
    let mut files = Vec::new();
    collect(&root().join("ui/src"), &mut files);
    let bridge = root().join("ui/src/bridge");
    let mut users = 0;
    for file in files {
        let text = fs::read_to_string(&file).expect("a text");
        if text.contains("from \"@tauri-apps/") {
            users += 1;
            assert!(file.starts_with(&bridge), "{} knows Tauri", file.display());
        }
    }
    assert!(users > 0, "the bridge is found");
}

#[test]
fn the_window_is_closed_to_foreign_code() {
    let read = |path: &str| fs::read_to_string(root().join(path)).expect("a text");
    let configuration: serde_json::Value =
        serde_json::from_str(&read("src-tauri/tauri.conf.json")).expect("JSON");
    assert_eq!(configuration["app"]["withGlobalTauri"], false);
    let security = &configuration["app"]["security"];
    let policy = security["csp"].to_string();
    for forbidden in ["unsafe-inline", "unsafe-eval", "https:", "*"] {
        assert!(!policy.contains(forbidden), "{forbidden} in {policy}");
    }
    assert_eq!(security["csp"]["default-src"], "'none'");
    assert!(
        security
            .get("dangerousDisableAssetCspModification")
            .is_none()
    );
    let capability: serde_json::Value =
        serde_json::from_str(&read("src-tauri/capabilities/main.json")).expect("JSON");
    assert_eq!(
        capability["permissions"],
        serde_json::json!([
            "core:event:allow-listen",
            "core:event:allow-unlisten",
            "core:webview:allow-set-webview-zoom"
        ])
    );
    let page = read("ui/index.html");
    assert_eq!(page.matches("<style").count(), 1, "one inline style");
    assert!(!page.contains("onclick") && !page.contains("style="));
}

#[test]
fn the_shell_stays_thin() {
    let mut files = Vec::new();
    collect(&root().join("src-tauri/src"), &mut files);
    // What only gives core's types the form of the wire does nothing.
    files.retain(|file| !file.ends_with("convert.rs"));
    let lines: usize = files
        .iter()
        .map(|file| fs::read_to_string(file).expect("a text").lines().count())
        .sum();
    assert!(lines < 1_000, "the shell has {lines} lines");
}
