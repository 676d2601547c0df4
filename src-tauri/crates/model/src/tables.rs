//! The five tables of the product's mission. Defaults, not special cases.

/// Logical names of the tables that a new connection mirrors.
pub const DEFAULT_TABLES: [&str; 5] = ["account", "contact", "lead", "opportunity", "systemuser"];

/// The logical name of a default table for a name that people type: logical name, set name,
/// or `users`. `None` for every other table.
#[must_use]
pub fn default_table(name: &str) -> Option<&'static str> {
    Some(match name.trim().to_ascii_lowercase().as_str() {
        "account" | "accounts" => "account",
        "contact" | "contacts" => "contact",
        "lead" | "leads" => "lead",
        "opportunity" | "opportunities" => "opportunity",
        "systemuser" | "systemusers" | "user" | "users" => "systemuser",
        _ => return None,
    })
}
