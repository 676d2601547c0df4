//! `salesmirror`: the product without a window. Data on stdout, messages on stderr.
#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a command line talks to its terminal"
)]

mod arguments;
mod connections;
mod explain;
mod history;
mod output;
mod progress;
mod query;
mod records;
mod runs;
mod sample_org;
mod schedule;
mod serve;
mod settings;
mod setup_script;
mod sync;
mod tables;
mod unified;
mod verify;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use salesmirror_core::{App, Category, DataDir, Error, Result, RetryPolicy, Session, Settings};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::arguments::{Arguments, Command};
use crate::output::Output;

/// Pages of records are millions of small pieces from many threads: the system's allocator on Linux
/// keeps several times what is in use.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long an interrupted command may take to end: with the start of the signal below a second.
const GRACE: Duration = Duration::from_millis(800);

/// What every command needs.
struct Context {
    app: App,
    output: Output,
    connection: Option<String>,
    cancel: CancellationToken,
}

impl Context {
    /// The open session of the chosen connection.
    async fn session(&self) -> Result<Session> {
        let row = self.app.find(self.connection.as_deref()).await?;
        let session = self.app.session(&row).await?;
        self.say(&session);
        Ok(session)
    }

    /// Says what there is to say of how a connection was opened.
    fn say(&self, session: &Session) {
        if let Some(notice) = session.notice() {
            self.output.message(notice);
        }
    }
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return misread(&error),
    };
    let output = Output {
        json: arguments.json,
        quiet: arguments.quiet,
    };
    start_log(&arguments);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: The program cannot start: {error}.");
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(async {
        let cancel = CancellationToken::new();
        let interrupt = cancel.clone();
        tokio::spawn(async move {
            interrupted().await;
            interrupt.cancel();
            // What does not end by itself is ended: whatever was committed is kept.
            tokio::time::sleep(GRACE).await;
            std::process::exit(i32::from(output::exit_code(Category::Interrupted)));
        });
        match run(arguments, output, cancel.clone()).await {
            Ok(0) if cancel.is_cancelled() => output::exit_code(Category::Interrupted),
            Ok(code) => code,
            Err(error) => {
                output.error(&error);
                output::exit_code(error.category)
            }
        }
    });
    // A keychain that waits for a prompt must not hold the end up.
    runtime.shutdown_timeout(Duration::from_millis(200));
    ExitCode::from(code)
}

/// Waits for Ctrl C, or for the system's request to end.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Says what is wrong with the flags; to scripts in the form of every other error.
fn misread(error: &clap::Error) -> ExitCode {
    let wants_json = std::env::args_os().any(|argument| argument == "--json");
    if !error.use_stderr() || !wants_json {
        error.exit();
    }
    let text = error.render().to_string();
    // What is wrong may go on in further lines; the usage and tips behind it are no part of it.
    let said: Vec<&str> = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.is_empty())
        .collect();
    let said = said.join(" ");
    let message = said.trim_start_matches("error: ").trim_end_matches('.');
    let output = Output {
        json: true,
        quiet: false,
    };
    output.error(&Error::explained(
        Category::Usage,
        "usage",
        format!("{message}."),
    ));
    ExitCode::from(output::exit_code(Category::Usage))
}

async fn run(arguments: Arguments, output: Output, cancel: CancellationToken) -> Result<u8> {
    if let Command::SampleOrg(options) = arguments.command {
        return sample_org::run(options, &cancel).await;
    }
    if let Command::Completions { shell } = arguments.command {
        return query::completions(shell);
    }
    if let Command::Explain { code } = &arguments.command {
        return explain::explain(output, code);
    }
    if let Command::SetupScript(options) = &arguments.command {
        return setup_script::print(output, options);
    }
    let data_dir = DataDir::new(arguments.data_dir)?;
    let ca_file = arguments.ca_file.as_deref();
    let version = env!("CARGO_PKG_VERSION");
    let app = App::open(Settings {
        retry: RetryPolicy {
            max_wait: Duration::from_secs(arguments.max_wait),
            ..RetryPolicy::default()
        },
        ..Settings::of(&data_dir, ca_file, version)?
    })?;
    let context = Context {
        app,
        output,
        connection: arguments.connection,
        cancel,
    };
    let done = act(&context, arguments.command).await;
    context.app.keep_request_counts().await;
    // Whatever found damage, the next command repairs it.
    context.app.note_damage()?;
    done
}

async fn act(context: &Context, command: Command) -> Result<u8> {
    match command {
        Command::Connect(options) => connections::connect(context, options).await,
        Command::SignIn(options) => connections::sign_in(context, options).await,
        Command::Change(options) => connections::change(context, options).await,
        Command::Environments(options) => connections::environments(context, options).await,
        Command::Connections => connections::list(context).await,
        Command::Disconnect { name, purge } => connections::disconnect(context, &name, purge).await,
        Command::Status => sync::status(context).await,
        Command::Tables(options) => tables::tables(context, options).await,
        Command::Sync(options) => sync::sync(context, options).await,
        Command::Schedule(options) => schedule::schedule(context, options).await,
        Command::Runs(options) => runs::runs(context, options).await,
        Command::Settings(options) => settings::settings(context, options).await,
        Command::Purge(options) => settings::purge(context, options).await,
        Command::Verify(options) => verify::verify(context, options).await,
        Command::Invalidate(options) => sync::invalidate(context, options).await,
        Command::Records(options) => records::records(context, options).await,
        Command::Show(options) => records::show(context, options).await,
        Command::Export(options) => records::export(context, options).await,
        Command::AppSettings(options) => settings::app_settings(context, options).await,
        Command::Doctor { diagnostics: true } => settings::diagnostics(context).await,
        Command::Doctor { diagnostics: false } => connections::doctor(context).await,
        Command::Query(options) => query::query(context, options).await,
        Command::Passthrough(options) => query::passthrough(context, options).await,
        Command::Serve(options) => serve::serve(context, &options).await,
        Command::ApiKeys(options) => serve::api_keys(context, options).await,
        Command::SampleOrg(_)
        | Command::Completions { .. }
        | Command::Explain { .. }
        | Command::SetupScript(_) => Ok(0),
    }
}

fn start_log(arguments: &Arguments) {
    let level = match arguments.verbose {
        0 => None,
        1 => Some("salesmirror=info"),
        2 => Some("salesmirror=debug"),
        _ => Some("debug"),
    };
    // A folder that cannot be named is said by the command that needs it.
    if let Ok(data_dir) = DataDir::new(arguments.data_dir.clone()) {
        salesmirror_core::log::start(&data_dir, level.map(EnvFilter::new));
    }
}
