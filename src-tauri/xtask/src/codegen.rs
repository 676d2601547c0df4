//! Generated files: the TypeScript of the bridge, the table of errors, and the list of licences.

use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::root;

/// Writes the generated files; with `check` only compares them.
///
/// # Errors
/// With `check`, where a file differs from what would be written.
pub fn run(check: bool) -> Result<()> {
    let files = [
        ("ui/src/bridge/generated.ts", salesmirror_wire::typescript()),
        (
            "docs/errors.md",
            salesmirror_core::explanations::documentation(),
        ),
        ("ui/src/settings/licences.json", crate::licences::list()?),
    ];
    for (path, text) in files {
        let path = root().join(path);
        if check {
            let found = fs::read_to_string(&path).unwrap_or_default();
            if found != text {
                bail!(
                    "{} is not up to date. Run `cargo xtask codegen` and commit it.",
                    path.display()
                );
            }
            continue;
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
