//! Tauri's build step: reads the configuration, checks capabilities, embeds icons.

fn main() {
    tauri_build::build();
}
