//! The local API, switched on and off.

pub mod commands;
mod convert;
