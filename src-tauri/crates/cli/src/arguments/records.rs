//! Flags of the commands that show records.

use clap::{Args, ValueEnum};

#[derive(Clone, Copy, ValueEnum)]
pub enum DeletedName {
    Exclude,
    Include,
    Only,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum StaleName {
    Only,
}

#[derive(Args)]
pub struct Selection {
    /// Columns, by commas
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    pub columns: Vec<String>,
    /// COLUMN OP VALUE; may be repeated
    #[arg(long, value_name = "EXPR")]
    pub filter: Vec<String>,
    /// Text to search for
    #[arg(long, value_name = "TEXT")]
    pub search: Option<String>,
    /// COLUMN or COLUMN:desc
    #[arg(long, value_name = "COL")]
    pub sort: Option<String>,
    #[arg(long, value_enum, default_value = "exclude")]
    pub deleted: DeletedName,
    #[arg(long, value_enum)]
    pub stale: Option<StaleName>,
}

#[derive(Args)]
pub struct Records {
    pub table: String,
    #[command(flatten)]
    pub selection: Selection,
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub offset: u64,
    #[arg(long, default_value_t = 100, value_name = "N")]
    pub limit: usize,
    /// As unified objects: the same fields in every organisation
    #[arg(long, conflicts_with = "columns")]
    pub unified: bool,
}

#[derive(Args)]
pub struct Show {
    pub table: String,
    pub id: String,
    /// As it was delivered
    #[arg(long)]
    pub raw: bool,
    /// As a unified object: the same fields in every organisation
    #[arg(long, conflicts_with = "raw")]
    pub unified: bool,
    /// And what happened to it, the newest first; in JSON under _history
    #[arg(long)]
    pub history: bool,
}
