//! Flags of what is set up and changed beside a connection's data.

use clap::{Args, ValueEnum};

/// Prints a script that registers the app with its redirect URI, its permission, consent and a secret.
/// Nothing is sent: read it, then run it where you are signed in.
#[derive(Args)]
pub struct SetupScript {
    /// What runs it
    #[arg(value_enum)]
    pub shell: SetupShell,
    /// Name of the app registration
    #[arg(long, default_value = "Salesmirror", value_name = "N")]
    pub name: String,
    /// Cloud: commercial, gcc, gcc-high, dod or china
    #[arg(long, default_value = "commercial", value_name = "CLOUD")]
    pub cloud: String,
    /// Tenant id or domain
    #[arg(long, value_name = "T")]
    pub tenant: Option<String>,
    /// For the platform Mobile and desktop, without a secret
    #[arg(long)]
    pub public_client: bool,
    /// Fixed port of the redirect URI
    #[arg(long, value_name = "N")]
    pub redirect_port: Option<u16>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SetupShell {
    /// Bash with the Azure CLI, as in Azure Cloud Shell
    AzureCli,
    /// PowerShell with the module Microsoft.Graph.Authentication
    Powershell,
}

/// Changes a connection; its rows stay.
#[derive(Args)]
pub struct Change {
    /// Another name
    #[arg(long, value_name = "N")]
    pub name: Option<String>,
    /// Read another client secret from standard input
    #[arg(long)]
    pub client_secret_stdin: bool,
    /// The secret's last day, as 2028-03-11; empty where it is not known
    #[arg(long, value_name = "DATE")]
    pub secret_expires: Option<String>,
    /// Fixed port of the redirect URI; 0 for any free one
    #[arg(long, value_name = "N")]
    pub redirect_port: Option<u16>,
}

/// Shows the settings of the whole product, or changes what is named.
#[derive(Args)]
pub struct AppSettings {
    /// "system", "none", or an address such as http://proxy.contoso.com:8080
    #[arg(long, value_name = "PROXY")]
    pub proxy: Option<String>,
    /// The user name that the proxy wants; empty where it wants none
    #[arg(long, value_name = "NAME")]
    pub proxy_user: Option<String>,
    /// Read the proxy's password from standard input; it goes to the keychain
    #[arg(long)]
    pub proxy_password_stdin: bool,
    /// error, warn, info or debug
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<String>,
}
