//! Commands and their flags. Scripts rely on them: they may grow, not change.

mod records;
mod serving;
mod setup;

pub use records::{DeletedName, Records, Selection, Show};
pub use serving::{ApiKeyAction, ApiKeys, SampleOrg, Serve};
pub use setup::{AppSettings, Change, SetupScript, SetupShell};

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use salesmirror_core::CLOUDS;

/// Keeps a local, encrypted copy of Dynamics 365 Sales data.
#[derive(Parser)]
#[command(name = "salesmirror", version)]
pub struct Arguments {
    /// Where the databases lie
    #[arg(long, global = true, env = "SALESMIRROR_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// The connection; the only one where there is one
    #[arg(long, global = true, value_name = "NAME")]
    pub connection: Option<String>,
    /// Print one JSON document
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress and no messages
    #[arg(long, global = true)]
    pub quiet: bool,
    /// Say more on stderr; twice says everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Give up on throttling or the network after so many seconds
    #[arg(long, global = true, default_value_t = 900, value_name = "SECS")]
    pub max_wait: u64,
    /// A further root certificate (PEM) to trust
    #[arg(long, global = true, env = "SALESMIRROR_CA_FILE", value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Register a connection and sign in
    Connect(Connect),
    /// Sign a connection in again; its data stays
    SignIn(SignIn),
    /// Change a connection's name, secret, its last day, or the port of its redirect URI
    Change(Change),
    /// List connections
    Connections,
    /// List the environments to connect to
    Environments(Environments),
    /// Forget a connection
    Disconnect {
        name: String,
        /// Remove its data and its keychain entries too
        #[arg(long)]
        purge: bool,
    },
    /// Show the mirrored tables
    Status,
    /// List tables, and choose which of them are mirrored
    Tables(Tables),
    /// Bring the mirror up to date
    Sync(Sync),
    /// Show or change when tables are synced by `sync --watch` and by the app
    Schedule(Schedule),
    /// List what syncs did
    Runs(Runs),
    /// Show or change what is kept for how long, and when the mass-delete guard asks
    Settings(SettingsArguments),
    /// Let go of deleted rows
    Purge(Purge),
    /// Prove that the mirror equals the organisation
    Verify(Verify),
    /// List records
    Records(Records),
    /// Show one record
    Show(Show),
    /// Write records into a file
    Export(Export),
    /// Mark records as stale and read them again
    Invalidate(Invalidate),
    /// Ask the mirror in SQL, reading only
    Query(Query),
    /// Send a request of your own to the Web API
    Passthrough(Passthrough),
    /// Serve the local API to programs on this computer
    Serve(Serve),
    /// List, make and revoke keys of the local API
    ApiKeys(ApiKeys),
    /// Run the simulated organisation
    SampleOrg(SampleOrg),
    /// Print what a shell needs to complete commands
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Say what an error code means and what to do
    Explain {
        /// A code that was printed, or the number that Microsoft showed: AADSTS50011, 0x80040220
        code: String,
    },
    /// Print a script that registers the app in Entra ID
    SetupScript(SetupScript),
    /// Show or change settings of the whole product: the proxy, the log
    AppSettings(AppSettings),
    /// Check keychain, data directory, databases, network and clock
    Doctor {
        /// Print everything that somebody who helps needs, without secrets, records and persons
        #[arg(long)]
        diagnostics: bool,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FlowName {
    Browser,
    ClientCredentials,
}

#[derive(Args)]
pub struct Connect {
    /// A name for the connection
    #[arg(long)]
    pub name: String,
    /// Environment URL
    #[arg(long, value_name = "URL")]
    pub environment: String,
    /// Tenant id or domain; without it the environment is asked
    #[arg(long)]
    pub tenant: Option<String>,
    /// Application (client) id
    #[arg(long, value_name = "GUID")]
    pub client_id: String,
    /// Read the client secret from stdin
    #[arg(
        long,
        required_unless_present = "public_client",
        conflicts_with = "public_client"
    )]
    pub client_secret_stdin: bool,
    /// The registration has no secret
    #[arg(long)]
    pub public_client: bool,
    /// The sign-in service; without it the environment is asked
    #[arg(long, value_name = "URL")]
    pub authority: Option<String>,
    #[arg(long, value_enum, default_value = "browser")]
    pub flow: FlowName,
    /// Fixed port of the redirect URI
    #[arg(long, value_name = "N")]
    pub redirect_port: Option<u16>,
    /// The secret's last day, as 2028-03-11: you are warned 30 and 7 days ahead
    #[arg(long, value_name = "DATE")]
    pub secret_expires: Option<String>,
    /// Print the sign-in address instead of opening the browser
    #[arg(long)]
    pub no_browser: bool,
    /// How long to wait for the browser
    #[arg(long, default_value_t = 300, value_name = "SECS")]
    pub timeout: u64,
}

#[derive(Args)]
pub struct SignIn {
    /// The connection; the only one where there is one
    pub name: Option<String>,
    /// Let the browser offer other accounts than the one that is signed in there
    #[arg(long)]
    pub another_user: bool,
    /// Print the sign-in address instead of opening the browser
    #[arg(long)]
    pub no_browser: bool,
    /// How long to wait for the browser
    #[arg(long, default_value_t = 300, value_name = "SECS")]
    pub timeout: u64,
}

/// Lists the environments that a user can reach, from Microsoft's Global Discovery Service: those
/// of a connection's user, or with --client-id those of somebody who signs in for this. The list can
/// be short or empty, as for delegated administrators; `connect` takes any address.
#[derive(Args)]
pub struct Environments {
    /// Sign in with this application (client) id instead of using a connection
    #[arg(long, value_name = "GUID")]
    pub client_id: Option<String>,
    /// Read the client secret from stdin; without it the registration has none
    #[arg(long, requires = "client_id")]
    pub client_secret_stdin: bool,
    /// Tenant id or domain; any that the user belongs to where there is none
    #[arg(long, requires = "client_id")]
    pub tenant: Option<String>,
    #[arg(long, requires = "client_id", default_value = "commercial", value_parser = cloud_names())]
    pub cloud: String,
    /// Another sign-in service than the cloud's
    #[arg(long, requires = "client_id", value_name = "URL")]
    pub authority: Option<String>,
    /// Another discovery service than the cloud's, on this computer
    #[arg(long, value_name = "URL")]
    pub discovery: Option<String>,
    /// Fixed port of the redirect URI
    #[arg(long, value_name = "N")]
    pub redirect_port: Option<u16>,
    /// Print the sign-in address instead of opening the browser
    #[arg(long)]
    pub no_browser: bool,
    /// How long to wait for the browser
    #[arg(long, default_value_t = 300, value_name = "SECS")]
    pub timeout: u64,
}

fn cloud_names() -> Vec<&'static str> {
    CLOUDS.iter().map(|cloud| cloud.id).collect()
}

#[derive(Args)]
pub struct Sync {
    /// A table; may be repeated
    #[arg(long, value_name = "T")]
    pub table: Vec<String>,
    /// Read every row
    #[arg(long)]
    pub full: bool,
    /// Answer the mass-delete guard with yes
    #[arg(long)]
    pub yes: bool,
    /// Do not wait for another process that syncs
    #[arg(long)]
    pub no_join: bool,
    /// Leave the search index as it is; the next sync lets it follow
    #[arg(long)]
    pub no_search: bool,
    /// Go on until interrupted, and sync what is due by the schedule
    #[arg(long, conflicts_with_all = ["full", "yes", "no_join"])]
    pub watch: bool,
}

/// Without a table the connection's own schedule, by which all tables go that have none.
#[derive(Args)]
pub struct Schedule {
    /// A table
    pub table: Option<String>,
    /// From one sync to the next: 30s, 15m, 2h, 1d, or off, or default
    #[arg(long, value_name = "TIME")]
    pub every: Option<String>,
    /// Let the schedule rest
    #[arg(long, conflicts_with = "resume")]
    pub pause: bool,
    /// Let it go on
    #[arg(long)]
    pub resume: bool,
}

/// Compares ids and versions of all rows, which takes one small page for 5,000 rows. Exits with 1
/// where something differs.
#[derive(Args)]
pub struct Verify {
    /// A table; may be repeated
    #[arg(long, value_name = "T")]
    pub table: Vec<String>,
    /// Read again what differs, and mark as deleted what is not there any more
    #[arg(long)]
    pub repair: bool,
    /// Answer the mass-delete guard with yes
    #[arg(long)]
    pub yes: bool,
}

/// Without a key all settings are listed. A sync goes by them when it ends.
#[derive(Args)]
pub struct SettingsArguments {
    /// A setting, such as keep-history
    pub key: Option<String>,
    /// Its new value; "default" gives it its default back
    pub value: Option<String>,
}

/// Rows that the organisation deleted stay in the mirror until they are let go of, here or by the
/// setting keep-deleted. Their history goes with them, and nothing brings them back.
#[derive(Args)]
pub struct Purge {
    /// Tables
    #[arg(
        required_unless_present = "all",
        conflicts_with = "all",
        value_name = "TABLE"
    )]
    pub tables: Vec<String>,
    /// All tables
    #[arg(long)]
    pub all: bool,
    /// Only what was found deleted longer ago than so many days
    #[arg(long, default_value_t = 0, value_name = "DAYS")]
    pub older_than: u32,
}

/// What syncs did and why, the newest first.
#[derive(Args)]
pub struct Runs {
    /// Those of one table
    #[arg(long, value_name = "T")]
    pub table: Option<String>,
    #[arg(long, default_value_t = 50, value_name = "N")]
    pub limit: u32,
}

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Tables {
    /// All that the organisation offers
    #[arg(long)]
    pub available: bool,
    #[command(subcommand)]
    pub action: Option<TablesAction>,
}

#[derive(Subcommand)]
pub enum TablesAction {
    /// Mirror a table from now on
    Add {
        /// Logical name or set name
        name: String,
    },
    /// Mirror a table no more, and drop its rows
    Remove {
        /// Logical name or set name
        name: String,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum QueryFormat {
    Table,
    Csv,
    Json,
}

#[derive(Args)]
pub struct Query {
    /// One statement that reads, such as SELECT name, statecode_label FROM account
    pub sql: String,
    #[arg(long, value_enum, default_value = "table")]
    pub format: QueryFormat,
    /// Rows at most
    #[arg(long, default_value_t = 100_000, value_name = "N")]
    pub limit: usize,
    /// Stop the statement after so many seconds
    #[arg(long, default_value_t = 60, value_name = "SECS")]
    pub timeout: u64,
}

#[derive(Args)]
pub struct Passthrough {
    /// GET, POST, PUT, PATCH or DELETE
    pub method: String,
    /// Relative to /api/data/v9.2/
    pub path: String,
    /// 'Name: value'; may be repeated
    #[arg(long, value_name = "K: V")]
    pub header: Vec<String>,
    /// name=value; may be repeated
    #[arg(long, value_name = "K=V")]
    pub query: Vec<String>,
    /// JSON, or @ and the name of a file
    #[arg(long, value_name = "JSON|@FILE")]
    pub body: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Format {
    Csv,
    Xlsx,
    Jsonl,
    Parquet,
}

#[derive(Args)]
pub struct Export {
    pub table: String,
    #[arg(long, value_enum)]
    pub format: Format,
    /// A file, or - for stdout
    #[arg(long, value_name = "FILE")]
    pub output: PathBuf,
    #[command(flatten)]
    pub selection: Selection,
    /// Values as delivered instead of labels
    #[arg(long)]
    pub raw_values: bool,
    /// Begin with a byte order mark
    #[arg(long)]
    pub bom: bool,
    #[arg(long, default_value_t = ',', value_name = "C")]
    pub delimiter: char,
    /// CSV: quotes around every value
    #[arg(long)]
    pub quote_all: bool,
    /// CSV: moments in this computer's time zone instead of UTC
    #[arg(long)]
    pub local_dates: bool,
    /// Leave cells that a spreadsheet would run
    #[arg(long)]
    pub no_formula_guard: bool,
}

#[derive(Args)]
pub struct Invalidate {
    /// The table
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub table: Option<String>,
    /// Records of it; all where none is named
    pub ids: Vec<String>,
    /// All tables
    #[arg(long)]
    pub all: bool,
    /// Do not sync now
    #[arg(long)]
    pub no_sync: bool,
}
