//! The examples of `docs/simulator.md` are run as they stand there.

use std::path::Path;
use std::process::Command;

/// The blocks of this kind in a document.
fn blocks<'a>(document: &'a str, kind: &str) -> Vec<&'a str> {
    let start = format!("\n```{kind}\n");
    document
        .split(start.as_str())
        .skip(1)
        .filter_map(|rest| rest.split_once("```").map(|(block, _)| block))
        .collect()
}

#[test]
fn the_documented_examples_do_what_they_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/simulator.md");
    let document = std::fs::read_to_string(path).expect("the document");
    let (script, expected) = (blocks(&document, "sh"), blocks(&document, "text"));
    assert_eq!(
        (script.len(), expected.len()),
        (4, 4),
        "a start and three examples"
    );
    let program = tests::program("salesmirror");
    let programs = program.parent().expect("a folder").display().to_string();
    let others = std::env::var("PATH").unwrap_or_default();
    let folder = tempfile::tempdir().expect("a folder");
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script.concat()])
        .current_dir(&folder)
        .env("PATH", format!("{programs}:{others}"))
        .output()
        .expect("bash runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        said,
        expected.concat(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
