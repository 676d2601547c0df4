//! Views and records.

pub mod convert;
