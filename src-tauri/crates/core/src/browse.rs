//! What the grid and the record panel read.

use salesmirror_model::{ColumnKind, ColumnMetadata, parse_guid};
use salesmirror_store::{View, ViewSpec};
use url::Url;
use uuid::Uuid;

use crate::error::{Error, Result, blocking};
use crate::export::logical_names;
use crate::objects::unified_object;
use crate::render::{ViewRow, view_row};
use crate::selectors::{Selectors, columns};
use crate::session::Session;

/// One record in full.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordDetail {
    /// The record, one value for each column of its table.
    pub row: ViewRow,
    /// `versionnumber`.
    pub version: Option<i64>,
    /// The record as the organisation delivered it, indented.
    pub raw: String,
    /// Its unified object as JSON, where the table has one.
    pub unified: Option<String>,
    /// When it was found deleted, ms since 1970.
    pub deleted_at: Option<i64>,
    /// Address of its form in Dynamics 365.
    pub link: String,
}

impl Session {
    /// Opens a view, or the first rows of it alone. Where its order has no index yet one is made
    /// afterwards, so that the next time is quick.
    ///
    /// # Errors
    /// A bad selector, an unknown column, a database that cannot be read.
    pub async fn open_view(
        &self,
        table: &str,
        selectors: &Selectors,
        at_most: Option<u32>,
    ) -> Result<View> {
        let metadata = self.metadata(table).await?;
        let spec = ViewSpec {
            at_most,
            ..selectors.view(&metadata)?
        };
        let (mirror, wanted) = (self.mirror().clone(), spec.clone());
        let view = blocking(move || Ok(mirror.open_view(&wanted)?)).await?;
        self.keep_order(spec);
        Ok(view)
    }

    /// Makes the index that serves a view's order, in the background.
    pub(crate) fn keep_order(&self, spec: ViewSpec) {
        // While rows arrive an index would have to be kept up with each of them.
        if spec.sort.is_none() || self.is_syncing() {
            return;
        }
        let mirror = self.mirror().clone();
        tokio::task::spawn_blocking(move || {
            if let Err(error) = mirror.keep_order(&spec) {
                tracing::warn!(%error, "no index was made for the order of a view");
            }
        });
    }

    /// Live and deleted rows of a table.
    ///
    /// # Errors
    /// A table that was never synced, a database that cannot be read.
    pub async fn totals(&self, table: &str) -> Result<(u64, u64)> {
        self.on_mirror(table, |mirror, table| mirror.counts(table))
            .await
    }

    /// Rows of a view for the grid.
    ///
    /// # Errors
    /// An unknown column, a database that cannot be read.
    pub async fn window(
        &self,
        view: &View,
        offset: u64,
        limit: usize,
        names: &[String],
    ) -> Result<Vec<ViewRow>> {
        let metadata = self.metadata(&view.table).await?;
        let (mirror, view, names) = (self.mirror().clone(), view.clone(), names.to_vec());
        blocking(move || {
            let columns = columns(&metadata, &names)?;
            // An amount is shown as the organisation writes it, which only the record knows.
            let needs_record = columns
                .iter()
                .any(|column| column.kind == ColumnKind::Money);
            let rows =
                mirror.window(&view, offset, limit, &logical_names(&columns), needs_record)?;
            Ok(rows
                .into_iter()
                .map(|row| view_row(&columns, row))
                .collect())
        })
        .await
    }

    /// One record, by its id as text.
    ///
    /// # Errors
    /// A record that the mirror never saw, a table that was never synced, a database that cannot be
    /// read.
    pub async fn record(&self, table: &str, id: &str) -> Result<RecordDetail> {
        let id = parse_guid(id).ok_or_else(unknown_record)?;
        let metadata = self.metadata(table).await?;
        let unified = match unified_object(table) {
            Ok(_) => self.unified_record(table, id, false).await?,
            Err(_) => None,
        };
        let unified = unified.map(|object| object.json());
        let (mirror, link) = (self.mirror().clone(), self.record_link(table, id)?);
        blocking(move || {
            let Some(row) = mirror.record(&metadata.logical_name, id, true)? else {
                return Err(unknown_record());
            };
            let raw = row.raw.clone().unwrap_or_default();
            let raw = indented(&String::from_utf8_lossy(&raw));
            let columns: Vec<&ColumnMetadata> = metadata.columns.iter().collect();
            let (version, deleted_at) = (row.version, row.deleted_at);
            Ok(RecordDetail {
                row: view_row(&columns, row),
                version,
                raw,
                unified,
                deleted_at,
                link,
            })
        })
        .await
    }

    /// Address of a record's form, as Dynamics 365 documents it for links.
    fn record_link(&self, table: &str, id: Uuid) -> Result<String> {
        let mut url = Url::parse(&self.row().environment)
            .and_then(|environment| environment.join("main.aspx"))
            .map_err(|error| Error::usage("bad_url", error.to_string(), ""))?;
        url.query_pairs_mut()
            .append_pair("pagetype", "entityrecord")
            .append_pair("etn", table)
            .append_pair("id", &id.to_string());
        Ok(url.into())
    }
}

/// Ids of records, as text.
///
/// # Errors
/// What is no GUID.
pub fn record_ids(texts: &[String]) -> Result<Vec<Uuid>> {
    let ids = texts.iter().map(|text| parse_guid(text));
    ids.map(|id| id.ok_or_else(unknown_record)).collect()
}

/// What to say of an id that the mirror has not.
pub(crate) fn unknown_record() -> Error {
    Error::usage(
        "unknown_record",
        "The mirror has no such record.",
        "Sync the table, then look again.",
    )
}

/// JSON over several lines, two spaces a level. Values are not read, so that every digit stays.
#[must_use]
pub fn indented(json: &str) -> String {
    let mut text = String::with_capacity(json.len() * 5 / 4);
    let (mut depth, mut in_string, mut is_escaped) = (0_usize, false, false);
    let mut characters = json.chars().peekable();
    let new_line = |text: &mut String, depth: usize| {
        text.push('\n');
        text.extend(std::iter::repeat_n("  ", depth));
    };
    while let Some(character) = characters.next() {
        if in_string {
            text.push(character);
            in_string = is_escaped || character != '"';
            is_escaped = !is_escaped && character == '\\';
            continue;
        }
        match character {
            '"' => {
                in_string = true;
                text.push(character);
            }
            '{' | '[' => {
                text.push(character);
                while characters
                    .next_if(|next| next.is_ascii_whitespace())
                    .is_some()
                {}
                if let Some(end) = characters.next_if(|next| matches!(next, '}' | ']')) {
                    text.push(end);
                } else {
                    depth += 1;
                    new_line(&mut text, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut text, depth);
                text.push(character);
            }
            ',' => {
                text.push(character);
                new_line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            blank if blank.is_ascii_whitespace() => {}
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_indented_and_keeps_every_digit() {
        let rows = [
            (
                r#"{"a":922337203685477.5801,"b":null}"#,
                "{\n  \"a\": 922337203685477.5801,\n  \"b\": null\n}",
            ),
            (r#"{ }"#, "{}"),
            (
                r#"{"a":"x, \"{y}\": \\","b":[1,{"c":[]}]}"#,
                "{\n  \"a\": \"x, \\\"{y}\\\": \\\\\",\n  \"b\": [\n    1,\n    {\n      \"c\": []\n    }\n  ]\n}",
            ),
        ];
        for (json, expected) in rows {
            assert_eq!(indented(json), expected);
        }
    }
}
