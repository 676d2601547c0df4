//! Requests of the admin's own.

pub mod commands;
mod convert;
