//! Sums over a table's live rows: what charts are drawn of. A tally answers with some groups, however
//! many rows there are.

use rusqlite::params_from_iter;
use rusqlite::types::{Value, ValueRef};
use salesmirror_model::Cell;

use crate::database::quoted;
use crate::row::{Reader, Row};
use crate::schema::{self, data};
use crate::view::{self, Condition, Sql};
use crate::{Mirror, Result, StoreError};

/// Groups that an answer has at most: a column of free text may have as many values as rows.
const MOST_GROUPS: u32 = 500;
/// Below this many rows reading the table itself is quick enough.
const INDEX_FROM_ROWS: u64 = 20_000;

/// Live rows to be counted and added up, by the values of a column.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// Logical name of the table.
    pub table: String,
    /// Column whose values tell the groups apart.
    pub by: String,
    /// Column that is added up.
    pub amount: Option<String>,
    /// Conditions, all of which hold.
    pub conditions: Vec<Condition>,
    /// A column of dates or moments, and where the spans of it begin and the last one ends, in
    /// ascending order. Rows outside are left out.
    pub spans: Option<(String, Vec<i64>)>,
}

/// The rows of a tally that have the same value and lie in the same span.
#[derive(Debug, Clone, PartialEq)]
pub struct Tallied {
    /// The value.
    pub value: Cell,
    /// Number of the span; 0 where there are none.
    pub span: usize,
    /// How many rows.
    pub rows: u64,
    /// What they add up to.
    pub amount: f64,
    /// The number of one of them that has an amount.
    pub example: Option<i64>,
}

impl Mirror {
    /// Counts and adds up; the largest groups first.
    ///
    /// # Errors
    /// [`StoreError::UnknownTable`], [`StoreError::UnknownColumn`].
    pub fn tally(&self, tally: &Tally) -> Result<Vec<Tallied>> {
        self.read(|connection| {
            let table = schema::known(connection, &tally.table)?;
            let own = |name: &str| {
                let found = view::column(&table, name)?;
                Ok::<_, StoreError>(format!("d.{}", quoted(&found.logical_name)))
            };
            let by = own(&tally.by)?;
            let mut sql = Sql::default();
            sql.push(&format!("SELECT {by}, "));
            match &tally.spans {
                Some((name, bounds)) => {
                    let time = own(name)?;
                    let inner = bounds.iter().skip(1).rev().skip(1);
                    sql.push("0");
                    for bound in inner {
                        sql.push(&format!(" + ({time} >= "));
                        sql.bind(Value::Integer(*bound));
                        sql.push(")");
                    }
                }
                None => sql.push("0"),
            }
            match &tally.amount {
                Some(name) => {
                    let amount = own(name)?;
                    sql.push(&format!(
                        ", count(*), total({amount}), max(iif({amount} IS NULL, NULL, d._rowid))"
                    ));
                }
                None => sql.push(", count(*), 0.0, NULL"),
            }
            // The plus keeps the index on `_deleted_at` out: it would fetch rows one by one.
            sql.push(&format!(
                " FROM {} d WHERE +d._deleted_at IS NULL",
                data(&tally.table)
            ));
            for condition in &tally.conditions {
                sql.push(" AND ");
                let column = view::column(&table, &condition.column)?;
                view::test(&mut sql, connection, column, &condition.test)?;
            }
            if let Some((name, bounds)) = &tally.spans
                && let [first, .., end] = bounds.as_slice()
            {
                let time = own(name)?;
                for (operator, bound) in [(">=", first), ("<", end)] {
                    sql.push(&format!(" AND {time} {operator} "));
                    sql.bind(Value::Integer(*bound));
                }
            }
            sql.push(&format!(
                " GROUP BY 1, 2 ORDER BY 3 DESC LIMIT {MOST_GROUPS}"
            ));
            let mut statement = connection.prepare_cached(&sql.text)?;
            let mut rows = statement.query(params_from_iter(sql.values))?;
            let mut groups = Vec::new();
            while let Some(row) = rows.next()? {
                groups.push(Tallied {
                    value: cell(row.get_ref(0)?),
                    span: row.get(1)?,
                    rows: row.get(2)?,
                    amount: row.get(3)?,
                    example: row.get(4)?,
                });
            }
            Ok(groups)
        })
    }

    /// Makes the index that serves tallies over these columns, where the table is large; one a table.
    /// Takes seconds at a million rows: call it after the tallies were answered.
    ///
    /// # Errors
    /// [`StoreError::UnknownTable`], [`StoreError::UnknownColumn`], or where the disk refuses.
    pub fn keep_tally(&self, table: &str, columns: &[String]) -> Result<()> {
        let index = quoted(&format!("chart_{table}"));
        let wanted = self.read(|connection| {
            let metadata = schema::known(connection, table)?;
            let mut names = Vec::with_capacity(columns.len());
            for name in columns {
                names.push(quoted(&view::column(&metadata, name)?.logical_name));
            }
            let wanted = format!(
                "CREATE INDEX {index} ON {} ({}, _deleted_at)",
                data(table),
                names.join(", ")
            );
            let (rows, kept): (u64, Option<String>) = connection.query_row(
                "SELECT live + dead, (SELECT sql FROM sqlite_schema WHERE type = 'index' \
                 AND name = ?2) FROM mirrored WHERE name = ?1",
                [table, &format!("chart_{table}")],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            let is_due = rows >= INDEX_FROM_ROWS && kept.as_deref() != Some(wanted.as_str());
            Ok(is_due.then_some(wanted))
        })?;
        let Some(wanted) = wanted else { return Ok(()) };
        self.write(move |connection| {
            let sql = format!("DROP INDEX IF EXISTS {index}; {wanted}");
            let transaction = connection.transaction()?;
            transaction.execute_batch(&sql)?;
            transaction.commit()?;
            Ok(())
        })
    }

    /// A row by its number, with one column and the record as it was delivered.
    ///
    /// # Errors
    /// [`StoreError::UnknownTable`], [`StoreError::UnknownColumn`].
    pub fn example(&self, table: &str, column: &str, rowid: i64) -> Result<Option<Row>> {
        self.read(|connection| {
            let metadata = schema::known(connection, table)?;
            let name = &view::column(&metadata, column)?.logical_name;
            let at = metadata
                .columns
                .iter()
                .position(|column| column.logical_name == *name);
            let columns: Vec<usize> = at.into_iter().collect();
            Reader::new(connection, self.codec(), &metadata, &columns, true)?.read(rowid)
        })
    }
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Integer(number) => Cell::Integer(number),
        ValueRef::Real(number) => Cell::Real(number),
        ValueRef::Text(text) => Cell::Text(String::from_utf8_lossy(text).into()),
        ValueRef::Null | ValueRef::Blob(_) => Cell::Null,
    }
}
