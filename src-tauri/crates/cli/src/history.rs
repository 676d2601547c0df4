//! The history of a record, as `show --history` tells it.

use salesmirror_core::{Happening, Told, What, happening_json, told_text, what_word};

use crate::output::moment;

/// Entries that are told at most: more than a record gets in years.
pub const MOST: u32 = 100_000;
/// Longer values are cut in the text output.
const WIDEST: usize = 60;

/// The record's JSON with its history under `_history`.
pub fn beside(record: &str, history: &[Happening]) -> String {
    let entries: Vec<String> = history.iter().map(happening_json).collect();
    let record = record.trim_end();
    let object = record.strip_suffix('}').unwrap_or(record).trim_end();
    let comma = if object.ends_with('{') { "" } else { "," };
    format!("{object}{comma}\"_history\":[{}]}}", entries.join(","))
}

/// The history for people.
pub fn text(history: &[Happening]) -> String {
    if history.is_empty() {
        return "\nNothing happened to it since it was first mirrored.".to_owned();
    }
    let mut text = String::new();
    for happening in history {
        let run = match happening.run {
            Some(run) => format!("run {run}"),
            None => "no run".to_owned(),
        };
        text.push_str(&format!(
            "\n{}  {}  {run}\n",
            moment(happening.seen_at),
            what_word(happening.what)
        ));
        for change in &happening.fields {
            text.push_str(&format!(
                "  {}: {} → {}\n",
                change.column,
                value(change.from.as_ref()),
                value(change.to.as_ref())
            ));
        }
        if happening.what == What::Returned && happening.fields.is_empty() {
            text.push_str("  as it was\n");
        }
    }
    text.trim_end().to_owned()
}

fn value(told: Option<&Told>) -> String {
    let Some(told) = told else {
        return "(empty)".to_owned();
    };
    let text = told_text(Some(told)).replace(['\n', '\r', '\t'], " ");
    if text.chars().count() > WIDEST {
        text.chars().take(WIDEST - 1).chain("…".chars()).collect()
    } else {
        text
    }
}
