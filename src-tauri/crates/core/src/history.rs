//! What happened to a record while it was mirrored.

use salesmirror_model::{ColumnKind, ColumnMetadata, TableMetadata, parse_guid};
use salesmirror_store::{FieldChange, Happening, Told, What};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::browse::unknown_record;
use crate::error::Result;
use crate::render::moment;
use crate::session::Session;

impl Session {
    /// The same for an id as it was typed or clicked.
    ///
    /// # Errors
    /// Those of [`Session::history`], and a record that the mirror never saw.
    pub async fn history_of(&self, table: &str, id: &str, limit: u32) -> Result<Vec<Happening>> {
        let id = parse_guid(id).ok_or_else(unknown_record)?;
        self.history(table, id, limit).await
    }

    /// What happened to a record, the newest first: changes of its columns, its deletion, its return,
    /// its arrival where that was after its table's first full sync. Choices have the labels that the organisation has for them now.
    ///
    /// # Errors
    /// A table that was never synced, a database that cannot be read.
    pub async fn history(&self, table: &str, id: Uuid, limit: u32) -> Result<Vec<Happening>> {
        let metadata = self.metadata(table).await?;
        let mut happenings = self
            .on_mirror(table, move |mirror, table| mirror.history(table, id, limit))
            .await?;
        for happening in &mut happenings {
            label_choices(&metadata, happening);
        }
        Ok(happenings)
    }
}

/// Gives choices the labels that the organisation has for them now.
pub(crate) fn label_choices(table: &TableMetadata, happening: &mut Happening) {
    for field in &mut happening.fields {
        let column = table.column(&field.column);
        let Some(column) = column.filter(|column| column.kind == field.kind) else {
            continue;
        };
        for told in [&mut field.from, &mut field.to].into_iter().flatten() {
            if told.label.is_none() {
                told.label = choice_label(column, &told.json);
            }
        }
    }
}

/// The label of a choice, of several choices, or of yes and no.
fn choice_label(column: &ColumnMetadata, json: &str) -> Option<String> {
    match serde_json::from_str(json).ok()? {
        Value::Number(number) => column.label_of(number.as_i64()?).map(str::to_owned),
        Value::Bool(is_so) => column.label_of(i64::from(is_so)).map(str::to_owned),
        Value::String(numbers) if column.kind == ColumnKind::MultiChoice => {
            let labels: Option<Vec<&str>> = numbers
                .split(',')
                .map(|number| column.label_of(number.trim().parse().ok()?))
                .collect();
            Some(labels?.join("; "))
        }
        _ => None,
    }
}

/// The word for what happened.
#[must_use]
pub const fn what_word(what: What) -> &'static str {
    match what {
        What::Changed => "changed",
        What::Deleted => "deleted",
        What::Returned => "returned",
        What::Created => "created",
    }
}

/// Something that happened, as scripts see it: values as they were delivered, with their labels.
#[must_use]
pub fn happening_json(happening: &Happening) -> String {
    let fields: Vec<String> = happening.fields.iter().map(field_json).collect();
    let head = json!({
        "what": what_word(happening.what), "seen": moment(happening.seen_at), "run": happening.run,
    });
    let head = head.to_string();
    let head = head.strip_suffix('}').unwrap_or(&head);
    format!("{head},\"fields\":[{}]}}", fields.join(","))
}

fn field_json(change: &FieldChange) -> String {
    let mut json = format!("{{\"column\":{}", Value::from(change.column.as_str()));
    for (name, told) in [("from", &change.from), ("to", &change.to)] {
        let value = told.as_ref().map_or("null", |told| told.json.as_str());
        json.push_str(&format!(",\"{name}\":{value}"));
        let parts = told.iter().flat_map(|told| {
            [("label", &told.label), ("table", &told.table)]
                .into_iter()
                .filter_map(|(part, text)| Some((part, text.as_deref()?)))
        });
        for (part, text) in parts {
            json.push_str(&format!(",\"{name}_{part}\":{}", Value::from(text)));
        }
    }
    json.push('}');
    json
}

/// A value of the history as people read it: its label, else itself without quotes; empty for null.
#[must_use]
pub fn told_text(told: Option<&Told>) -> String {
    let Some(told) = told else {
        return String::new();
    };
    if let Some(label) = &told.label {
        return label.clone();
    }
    serde_json::from_str::<String>(&told.json).unwrap_or_else(|_| told.json.clone())
}
