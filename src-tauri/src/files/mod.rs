//! What leaves the window: exported files, and addresses.

pub mod commands;
pub mod convert;
