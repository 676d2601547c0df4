//! The desktop shell: a window over core. Commands unpack, call core and return; core owns state.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod api;
mod commands;
mod console;
mod convert;
mod desk;
mod events;
mod files;
mod records;
mod setup;

use tauri::Manager as _;

use crate::desk::Desk;

/// Pages of records are millions of small pieces from many threads: the system's allocator on Linux
/// keeps several times what is in use.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// WebKitGTK draws through DMABUF by default, which costs most machines without a recent graphics
/// driver ten to twenty times the time a frame. Set before GTK starts.
#[cfg(target_os = "linux")]
const SLOW_RENDERER: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";

fn main() {
    #[cfg(target_os = "linux")]
    if std::env::var_os(SLOW_RENDERER).is_none()
        && let Some(program) = std::env::args_os().next()
    {
        // The environment of a running process cannot be changed safely, so the program starts
        // itself once more with the variable set, in place of this process.
        use std::os::unix::process::CommandExt as _;
        let error = std::process::Command::new(std::env::current_exe().unwrap_or(program.into()))
            .args(std::env::args_os().skip(1))
            .env(SLOW_RENDERER, "1")
            .exec();
        tracing::warn!(%error, "the faster renderer could not be chosen");
    }
    start();
}

macro_rules! handlers {
    ($($name:ident),*) => { tauri::generate_handler![$(commands::$name),*] };
}

#[expect(
    clippy::expect_used,
    reason = "without a window there is nobody else to tell"
)]
fn start() {
    // The product's client takes the provider from the process.
    let _ = rustls::crypto::ring::default_provider().install_default();
    if let Ok(data_dir) = desk::data_dir() {
        salesmirror_core::log::start(&data_dir, None);
    }
    tauri::Builder::default()
        .plugin(tauri_plugin_single_instance::init(|handle, _, _| {
            if let Some(window) = handle.get_webview_window("main") {
                let _ = window.unminimize();
                let _ = window.set_focus();
            }
        }))
        .plugin(tauri_plugin_window_state::Builder::default().build())
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_opener::init())
        .manage(Desk::default())
        .invoke_handler(salesmirror_wire::for_each_command!(handlers))
        .build(tauri::generate_context!())
        .expect("the window can be opened")
        .run(|handle, event| {
            if let tauri::RunEvent::Exit = event {
                tauri::async_runtime::block_on(handle.state::<Desk>().end());
            }
        });
}
