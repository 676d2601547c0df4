//! The search index: derived, built beside the sync, and rebuilt where that is needed.
//!
//! It knows which rows hold which three characters in a row, but not where (a tenth of the size, and
//! twice as quick to build): longer terms are found by all their threes, and each row that has them
//! is looked at.

use memchr::memmem;
use rusqlite::{CachedStatement, Connection, params};
use salesmirror_model::TableMetadata;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

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

/// Indexes up to `limit` rows: those that changed since they were indexed, then those that never
/// were.
pub fn index(
    connection: &mut Connection,
    table: &TableMetadata,
    limit: u32,
) -> Result<IndexProgress> {
    let name = &table.logical_name;
    let transaction = connection.transaction()?;
    let through: i64 = transaction
        .prepare_cached("SELECT indexed_through FROM mirrored WHERE name = ?")?
        .query_row([name], |row| row.get(0))?;
    let (columns, data, queue) = (text_columns(table), data(name), queue(name));
    let changed = format!(
        "SELECT q._rowid{columns} FROM (SELECT _rowid FROM {queue} ORDER BY _rowid LIMIT ?) q \
         JOIN {data} USING (_rowid)"
    );
    let changed = put(&transaction, table, &changed, params![limit])?;
    let mut done = transaction.prepare_cached(&format!("DELETE FROM {queue} WHERE _rowid = ?"))?;
    for rowid in &changed {
        done.execute([rowid])?;
    }
    drop(done);
    let left = limit.saturating_sub(changed.len() as u32);
    let unseen =
        format!("SELECT _rowid{columns} FROM {data} WHERE _rowid > ? ORDER BY _rowid LIMIT ?");
    if let Some(last) = put(&transaction, table, &unseen, params![through, left])?.last() {
        transaction
            .prepare_cached("UPDATE mirrored SET indexed_through = ? WHERE name = ?")?
            .execute(params![last, name])?;
    }
    let progress = progress(&transaction, name)?;
    transaction.commit()?;
    Ok(progress)
}

/// Puts the rows of a statement into the index; gives their numbers.
fn put(
    connection: &Connection,
    table: &TableMetadata,
    sql: &str,
    parameters: &[&dyn rusqlite::ToSql],
) -> Result<Vec<i64>> {
    let mut rows = connection.prepare_cached(sql)?;
    let columns = rows.column_count();
    let mut put = connection.prepare_cached(&format!(
        "INSERT OR REPLACE INTO {} (rowid, text) VALUES (?, ?)",
        search(&table.logical_name)
    ))?;
    let mut found = rows.query(parameters)?;
    let (mut text, mut rowids) = (String::new(), Vec::new());
    while let Some(row) = found.next()? {
        text.clear();
        for index in 1..columns {
            if let Ok(part) = row.get_ref(index)?.as_str() {
                fold_into(&mut text, part);
                // No search term holds a line feed, so none matches across two columns.
                text.push('\n');
            }
        }
        let rowid: i64 = row.get(0)?;
        put.execute(params![rowid, text])?;
        rowids.push(rowid);
    }
    Ok(rowids)
}

/// How far the index of a table follows.
pub fn progress(connection: &Connection, table: &str) -> Result<IndexProgress> {
    // Row numbers have no gaps but those of purged rows, which only show as waiting for a while.
    let waiting: u64 = connection
        .prepare_cached(&format!(
            "SELECT (SELECT count(*) FROM {}) + coalesce((SELECT max(_rowid) FROM {}), 0) \
             - (SELECT indexed_through FROM mirrored WHERE name = ?)",
            queue(table),
            data(table)
        ))?
        .query_row([table], |row| row.get(0))?;
    let total: u64 = connection
        .prepare_cached("SELECT live + dead FROM mirrored WHERE name = ?")?
        .query_row([table], |row| row.get(0))?;
    Ok(IndexProgress {
        indexed: total.saturating_sub(waiting),
        total,
    })
}

/// The columns that search looks at, each behind a comma.
fn text_columns(table: &TableMetadata) -> String {
    table
        .columns
        .iter()
        .filter(|column| column.kind.is_searchable())
        .map(|column| format!(", {}", quoted(&column.logical_name)))
        .collect()
}

/// Text as it is searched: without case, and without accents where a letter has them as marks.
pub fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    fold_into(&mut folded, text);
    folded
}

fn fold_into(folded: &mut String, text: &str) {
    // A NUL would end the text for the tokenizer.
    let part = |letter: char| if letter == '\0' { '\n' } else { letter };
    if text.is_ascii() {
        folded.extend(text.chars().map(|letter| part(letter.to_ascii_lowercase())));
        return;
    }
    let letters = text.chars().flat_map(char::to_lowercase);
    folded.extend(
        letters
            .nfd()
            .filter(|letter| !is_combining_mark(*letter))
            .map(part),
    );
}

/// What a search text asks for: terms of three characters and more are found anywhere in any text
/// column; shorter ones at the beginning of the primary name. All have to match.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Terms of three characters and more, folded.
    pub parts: Vec<String>,
    /// Beginnings of the primary name, in lower case.
    pub prefixes: Vec<String>,
}

/// Reads a search text: blanks separate terms.
pub fn terms(text: &str) -> Terms {
    let mut terms = Terms::default();
    for term in text.split(|letter: char| letter.is_whitespace() || letter == '\0') {
        let part = folded(term);
        if part.chars().count() >= 3 {
            terms.parts.push(part);
        } else if !term.is_empty() {
            terms.prefixes.push(term.to_lowercase());
        }
    }
    terms
}

/// The rows that hold all of these terms, in their own order, no more than so many; `None` where there
/// is no term.
pub fn find(
    connection: &Connection,
    table: &TableMetadata,
    parts: &[String],
    at_most: Option<u32>,
) -> Result<Option<Vec<i64>>> {
    if parts.is_empty() {
        return Ok(None);
    }
    let mut threes: Vec<String> = parts.iter().flat_map(|part| threes(part)).collect();
    threes.sort_unstable();
    threes.dedup();
    let index = search(&table.logical_name);
    let mut candidates = connection.prepare_cached(&format!(
        "SELECT rowid FROM {index} WHERE {index} MATCH ? ORDER BY rowid"
    ))?;
    let longer: Vec<memmem::Finder<'_>> = parts
        .iter()
        .filter(|part| part.chars().count() > 3)
        .map(|part| memmem::Finder::new(part.as_bytes()))
        .collect();
    let mut reader = Reader {
        read: connection.prepare_cached(&format!(
            "SELECT 0{} FROM {} WHERE _rowid = ?",
            text_columns(table),
            data(&table.logical_name)
        ))?,
        missing: vec![true; longer.len()],
        text: String::new(),
    };
    let most = at_most.map_or(usize::MAX, |most| most as usize);
    let mut rowids = Vec::new();
    let mut found = candidates.query([threes.join(" AND ")])?;
    while rowids.len() < most
        && let Some(row) = found.next()?
    {
        let rowid: i64 = row.get(0)?;
        if longer.is_empty() || reader.has(rowid, &longer)? {
            rowids.push(rowid);
        }
    }
    Ok(Some(rowids))
}

/// What to ask the index for the rows that may contain a text; `None` where it cannot tell: it does
/// not know all rows yet, or the text is too short.
pub fn candidates(
    connection: &Connection,
    table: &TableMetadata,
    text: &str,
) -> Result<Option<String>> {
    let part = folded(text);
    if part.chars().count() < 3 || part.contains(char::is_control) {
        return Ok(None);
    }
    let name = &table.logical_name;
    let is_whole: bool = connection
        .prepare_cached(&format!(
            "SELECT NOT EXISTS (SELECT 1 FROM {}) AND indexed_through >= \
             coalesce((SELECT max(_rowid) FROM {}), 0) FROM mirrored WHERE name = ?",
            queue(name),
            data(name)
        ))?
        .query_row([name], |row| row.get(0))?;
    Ok(is_whole.then(|| threes(&part).join(" AND ")))
}

/// Looks at rows that have all threes of a term, whether they have the term.
struct Reader<'c> {
    read: CachedStatement<'c>,
    missing: Vec<bool>,
    text: String,
}

impl Reader<'_> {
    fn has(&mut self, rowid: i64, terms: &[memmem::Finder<'_>]) -> Result<bool> {
        self.missing.fill(true);
        let columns = self.read.column_count();
        let mut rows = self.read.query([rowid])?;
        let Some(row) = rows.next()? else {
            return Ok(false);
        };
        for index in 1..columns {
            let Ok(part) = row.get_ref(index)?.as_str() else {
                continue;
            };
            self.text.clear();
            fold_into(&mut self.text, part);
            for (term, missing) in terms.iter().zip(&mut self.missing) {
                *missing = *missing && term.find(self.text.as_bytes()).is_none();
            }
            if !self.missing.contains(&true) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// All threes of a term, as the index's query takes them.
fn threes(part: &str) -> Vec<String> {
    let letters: Vec<char> = part.chars().collect();
    letters
        .windows(3)
        .map(|three| {
            let three: String = three.iter().collect();
            format!("\"{}\"", three.replace('"', "\"\""))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_terms_are_found_anywhere_and_short_ones_begin_the_name() {
        let read = terms("Grå \"x\"y An");
        assert_eq!(read.parts, ["gra", "\"x\"y"]);
        assert_eq!(read.prefixes, ["an"]);
        assert_eq!(terms("  "), Terms::default());
        assert_eq!(threes("\"x\"y"), ["\"\"\"x\"\"\"", "\"x\"\"y\""]);
    }

    #[test]
    fn folding_knows_case_and_marks() {
        for (text, expect) in [
            ("ÅNGSTRÖM", "angstrom"),
            ("e\u{301}te\u{301}", "ete"),
            ("Straße", "straße"),
            ("a\0b", "a\nb"),
            ("ΣΊΣΥΦΟΣ", "σισυφοσ"),
        ] {
            assert_eq!(folded(text), expect, "{text}");
        }
    }
}
