//! The table of commands that the window can call. Named once: the TypeScript side is generated
//! from it, and the shell registers its handlers through [`for_each_command`](crate::for_each_command).

use ts_rs::{Config, TS};

use crate::{
    Api, ApiChange, AppSettings, AppSettingsChange, AppState, AvailableTable, Charts, Checks,
    Connection, ConnectionChange, Console, ConsoleChange, ConsoleReply, ConsoleRequest, ErrorReply,
    ExportFormat, ExportRequest, Filter, FoundEnvironment, FoundTenant, Happening, HistogramBar,
    LeftData, ListedEnvironment, Picked, Preference, Proof, Record, RecordKey, Run, Setup,
    SetupDraft, TableColumns, TableKey, Theme, View, ViewRequest, Window, Work,
};

/// A command: its name, its arguments and what it gives, in TypeScript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Name on the bridge.
    pub name: &'static str,
    /// Arguments: name and TypeScript type.
    pub arguments: Vec<(&'static str, String)>,
    /// TypeScript type of the reply.
    pub reply: String,
}

macro_rules! commands {
    ($($name:ident($($argument:ident: $kind:ty),*) -> $reply:ty;)*) => {
        /// All commands.
        #[must_use]
        pub fn commands(config: &Config) -> Vec<Command> {
            vec![$(Command {
                name: stringify!($name),
                arguments: vec![$((stringify!($argument), <$kind as TS>::name(config))),*],
                reply: <$reply as TS>::name(config),
            }),*]
        }

        /// Calls a macro with the names of all commands.
        #[macro_export]
        macro_rules! for_each_command {
            ($callback:ident) => { $callback! { $($name),* } };
        }
    };
}

commands! {
    app_state() -> AppState;
    explore_sample() -> Connection;
    begin_setup() -> Setup;
    change_setup(draft: SetupDraft) -> Setup;
    keep_setup_secret(secret: String) -> Setup;
    find_tenant() -> Option<FoundTenant>;
    find_environment() -> FoundEnvironment;
    setup_environments() -> Vec<ListedEnvironment>;
    sign_in_setup(other: bool) -> Setup;
    check_setup() -> Checks;
    finish_setup(without: Vec<String>) -> Connection;
    discard_setup() -> ();
    explain_error(text: String) -> Option<ErrorReply>;
    sign_in(connection: String, other: bool) -> Connection;
    cancel(work: Work) -> ();
    left_data() -> Vec<LeftData>;
    erase_left(id: String) -> ();
    change_connection(connection: String, change: ConnectionChange) -> ();
    disconnect(connection: String, purge: bool) -> ();
    sync(connection: String, tables: Vec<String>, full: bool) -> ();
    pause(connection: String, table: Option<String>) -> ();
    answer_guard(key: TableKey, remove: bool) -> ();
    invalidate(key: TableKey, ids: Vec<String>) -> f64;
    invalidate_rows(picked: Picked) -> f64;
    verify(key: TableKey, repair: bool, remove: bool) -> Proof;
    available_tables(connection: String) -> Vec<AvailableTable>;
    add_table(key: TableKey) -> ();
    remove_table(key: TableKey) -> ();
    runs(connection: String, limit: u32) -> Vec<Run>;
    charts(connection: String) -> Charts;
    table_columns(key: TableKey) -> TableColumns;
    open_view(connection: String, request: ViewRequest, most: Option<u32>) -> View;
    window(view: u32, offset: f64, limit: u32, columns: Vec<String>) -> Window;
    close_view(view: u32) -> ();
    histogram(connection: String, request: ViewRequest, filter: Filter) -> Vec<HistogramBar>;
    record(key: RecordKey) -> Record;
    history(key: RecordKey) -> Vec<Happening>;
    choose_file(suggested: String, format: Option<ExportFormat>) -> Option<String>;
    export(connection: String, request: ExportRequest) -> ();
    show_in_folder(path: String) -> ();
    open_file(path: String) -> ();
    recall(connection: String, name: String) -> Option<String>;
    remember(connection: String, name: String, text: String) -> ();
    open_link(url: String) -> ();
    console(connection: String, change: Option<ConsoleChange>) -> Console;
    send_request(connection: String, request: ConsoleRequest) -> ConsoleReply;
    save_reply(connection: String, path: String) -> ();
    app_settings() -> AppSettings;
    set_app_settings(change: AppSettingsChange) -> AppSettings;
    diagnostics() -> String;
    api(connection: String, change: Option<ApiChange>) -> Api;
    preferences(connection: String) -> Vec<Preference>;
    set_preference(connection: String, key: String, value: String) -> ();
    set_theme(theme: Theme) -> ();
}
