//! The real window, end to end: the bundled pages in the system's web view, a real keyring, real
//! HTTP. `cargo xtask test` builds the app first.

mod api;
mod charts;
mod console;
mod desktop;
mod enlarged;
mod journeys;
mod keyboard;
mod million;
mod network;
mod records;
mod setup;
mod strange;
mod tables;
mod tour;
mod wizard;
