//! The unified REST API on loopback.
