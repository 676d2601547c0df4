//! Generated files: the TypeScript of the bridge.

use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::root;

/// Writes the generated files; with `check` only compares them.
///
/// # Errors
/// With `check`, where a file differs from what would be written.
pub fn run(check: bool) -> Result<()> {
    let path = root().join("ui/src/bridge/generated.ts");
    let text = salesmirror_wire::typescript();
    if check {
        let found = fs::read_to_string(&path).unwrap_or_default();
        if found != text {
            bail!(
                "{} is not up to date. Run `cargo xtask codegen` and commit it.",
                path.display()
            );
        }
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}
