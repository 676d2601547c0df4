//! Flags of what serves others, and of the keys to it.

use clap::{Args, Subcommand};

#[derive(Args)]
pub struct Serve {
    /// Any port where it is 0
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub port: u16,
    /// Take the API key that is written to stdin
    #[arg(long)]
    pub api_key_stdin: bool,
}

#[derive(Args)]
pub struct ApiKeys {
    #[command(subcommand)]
    pub action: Option<ApiKeyAction>,
}

#[derive(Subcommand)]
pub enum ApiKeyAction {
    /// Make a key and print it, this once
    Make {
        /// What uses it
        name: String,
        /// What it may do: read, write, passthrough, manage
        #[arg(
            long,
            value_delimiter = ',',
            default_value = "read",
            value_name = "SCOPES"
        )]
        scope: Vec<String>,
    },
    /// Revoke a key
    Revoke {
        /// Its name or its id
        key: String,
    },
}

#[derive(Args)]
pub struct SampleOrg {
    /// Any port where it is 0
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub port: u16,
    /// The same seed gives the same organisation
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// Rows of tables: account=N,contact=N
    #[arg(long, value_name = "ROWS")]
    pub rows: Option<String>,
    /// Time before each answer
    #[arg(long, default_value_t = 0, value_name = "MS")]
    pub latency_ms: u64,
    /// Records that end yesterday, and not on 12 March 2026
    #[arg(long)]
    pub recent: bool,
    /// https with a certificate of its own
    #[arg(long)]
    pub tls: bool,
}
