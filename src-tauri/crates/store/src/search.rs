//! The search index: derived, built beside the sync, and rebuilt where that is needed.

use rusqlite::{Connection, params};
use salesmirror_model::TableMetadata;

use crate::Result;
use crate::database::quoted;
use crate::schema::{data, queue, search};

/// How far the search index follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexProgress {
    /// Rows that search finds in their newest state.
    pub indexed: u64,
    /// Rows in all.
    pub total: u64,
}

/// Indexes up to `limit` rows that changed since they were indexed.
pub fn index(
    connection: &mut Connection,
    table: &TableMetadata,
    limit: u32,
) -> Result<IndexProgress> {
    let name = &table.logical_name;
    let transaction = connection.transaction()?;
    let columns: Vec<String> = table
        .columns
        .iter()
        .filter(|column| column.kind.is_searchable())
        .map(|column| format!(", {}", quoted(&column.logical_name)))
        .collect();
    {
        let mut rows = transaction.prepare_cached(&format!(
            "SELECT q._rowid{} FROM (SELECT _rowid FROM {} ORDER BY _rowid LIMIT ?) q \
             JOIN {} USING (_rowid)",
            columns.concat(),
            queue(name),
            data(name),
        ))?;
        let mut put = transaction.prepare_cached(&format!(
            "INSERT OR REPLACE INTO {} (rowid, text) VALUES (?, ?)",
            search(name)
        ))?;
        let mut done =
            transaction.prepare_cached(&format!("DELETE FROM {} WHERE _rowid = ?", queue(name)))?;
        let mut found = rows.query([limit])?;
        let mut text = String::new();
        let mut rowids = Vec::new();
        while let Some(row) = found.next()? {
            text.clear();
            for index in 1..=columns.len() {
                if let Ok(part) = row.get_ref(index)?.as_str() {
                    // No search term holds a line feed, so none matches across two columns.
                    text.push_str(part);
                    text.push('\n');
                }
            }
            let rowid: i64 = row.get(0)?;
            put.execute(params![rowid, text])?;
            rowids.push(rowid);
        }
        for rowid in rowids {
            done.execute([rowid])?;
        }
    }
    let progress = progress(&transaction, name)?;
    transaction.commit()?;
    Ok(progress)
}

/// How far the index of a table follows.
pub fn progress(connection: &Connection, table: &str) -> Result<IndexProgress> {
    let waiting: u64 = connection
        .prepare_cached(&format!("SELECT count(*) FROM {}", queue(table)))?
        .query_row([], |row| row.get(0))?;
    let total: u64 = connection
        .prepare_cached("SELECT live + dead FROM mirrored WHERE name = ?")?
        .query_row([table], |row| row.get(0))?;
    Ok(IndexProgress {
        indexed: total.saturating_sub(waiting),
        total,
    })
}

/// What a search text asks for: parts of three characters and more are found anywhere in any text
/// column; shorter ones at the beginning of the primary name. All have to match.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// A query for the index.
    pub phrases: Option<String>,
    /// Beginnings of the primary name, in lower case.
    pub prefixes: Vec<String>,
}

/// Reads a search text: blanks separate terms.
pub fn terms(text: &str) -> Terms {
    let mut phrases = Vec::new();
    let mut prefixes = Vec::new();
    for term in text.split_whitespace() {
        // A NUL would end the query.
        let term = term.replace('\0', "");
        if term.chars().count() >= 3 {
            phrases.push(format!("\"{}\"", term.replace('"', "\"\"")));
        } else if !term.is_empty() {
            prefixes.push(term.to_lowercase());
        }
    }
    Terms {
        phrases: (!phrases.is_empty()).then(|| phrases.join(" AND ")),
        prefixes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_terms_are_phrases_and_short_ones_beginnings_of_the_name() {
        let read = terms("Grå \"x\"y An");
        assert_eq!(read.phrases.as_deref(), Some("\"Grå\" AND \"\"\"x\"\"y\""));
        assert_eq!(read.prefixes, ["an"]);
        assert_eq!(terms("  "), Terms::default());
    }
}
