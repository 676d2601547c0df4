//! What goes to stdout and stderr.

use salesmirror_core::{Category, Error};
use serde_json::{Value, json};

/// How to speak.
#[derive(Clone, Copy)]
pub struct Output {
    pub json: bool,
    pub quiet: bool,
}

impl Output {
    /// The command's result: the document with `--json`, else the text.
    pub fn result(self, document: &Value, text: &str) {
        if self.json {
            println!("{document}");
        } else if !text.is_empty() {
            println!("{}", text.trim_end_matches('\n'));
        }
    }

    /// A message for people, beside the data.
    pub fn message(self, text: &str) {
        if !self.quiet {
            eprintln!("{text}");
        }
    }

    /// What went wrong, and what to do.
    pub fn error(self, error: &Error) {
        if self.json {
            println!("{}", json!({"error": error_json(error)}));
            return;
        }
        eprintln!("error: {}", error.message);
        if !error.hint.is_empty() {
            eprintln!("hint: {}", error.hint);
        }
        if let Some(link) = &error.link {
            eprintln!("link: {link}");
        }
        if let Some(reference) = &error.reference {
            eprintln!("reference: {reference}");
        }
    }
}

/// A line for people that cannot be done without.
pub fn notice(text: &str) {
    eprintln!("{text}");
}

/// An error as scripts see it.
pub fn error_json(error: &Error) -> Value {
    json!({
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "reference": error.reference,
        "link": error.link,
    })
}

/// The exit codes of the contract.
pub fn exit_code(category: Category) -> u8 {
    match category {
        Category::Failed => 1,
        Category::Usage => 2,
        Category::SignIn => 3,
        Category::GaveUp => 4,
        Category::Confirmation => 5,
        Category::Keychain => 6,
        Category::Busy => 7,
        Category::Interrupted => 130,
    }
}

/// Milliseconds since 1970 as ISO 8601.
pub fn moment(milliseconds: i64) -> String {
    jiff::Timestamp::from_millisecond(milliseconds).map_or_else(
        |_| milliseconds.to_string(),
        |moment| moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    )
}

/// Rows as an aligned table; columns whose head begins with `>` are right-aligned.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let heads: Vec<&str> = head
        .iter()
        .map(|name| name.trim_start_matches('>'))
        .collect();
    let mut widths: Vec<usize> = heads.iter().map(|name| name.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    let mut line = |cells: Vec<&str>| {
        let mut columns = Vec::new();
        for ((cell, width), name) in cells.into_iter().zip(&widths).zip(head) {
            let gap = " ".repeat(width.saturating_sub(cell.chars().count()));
            columns.push(if name.starts_with('>') {
                format!("{gap}{cell}")
            } else {
                format!("{cell}{gap}")
            });
        }
        text.push_str(columns.join("  ").trim_end());
        text.push('\n');
    };
    line(heads);
    for row in rows {
        line(row.iter().map(String::as_str).collect());
    }
    text
}

/// A line of data.
pub fn line(text: &str) {
    println!("{text}");
}
