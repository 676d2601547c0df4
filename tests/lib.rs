//! What the test binaries share.

use std::path::PathBuf;

/// A program that was built beside the tests.
///
/// # Panics
/// Where it was not built.
#[must_use]
#[expect(
    clippy::expect_used,
    reason = "a test without its program has nothing to test"
)]
pub fn program(name: &str) -> PathBuf {
    let mut path = std::env::current_exe().expect("a path");
    path.pop();
    path.pop();
    let path = path.join(name);
    assert!(
        path.exists(),
        "{} is missing: `cargo xtask test` builds it first",
        path.display()
    );
    path
}
