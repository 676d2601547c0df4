//! A window with nothing in it: what the start of the app is measured beside.

#[expect(
    clippy::expect_used,
    reason = "without a window there is nothing to measure"
)]
fn main() {
    tauri::Builder::default()
        .run(tauri::generate_context!("examples/empty/tauri.conf.json"))
        .expect("the window can be opened");
}
