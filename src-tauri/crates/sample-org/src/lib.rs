//! A complete simulated organisation behind real HTTP on loopback.
