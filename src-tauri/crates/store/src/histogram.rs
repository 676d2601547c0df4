//! How the rows of a view are spread over time: what a condition on dates is chosen by.

use rusqlite::params_from_iter;
use rusqlite::types::Value;

use crate::database::quoted;
use crate::order;
use crate::schema::{self, data};
use crate::view::{self, Search, Sql, ViewSpec};
use crate::{Mirror, Result};

impl Mirror {
    /// Counts a view's rows by where the value of a column of dates or moments lies. The bounds ascend,
    /// in what the column is stored in: days or ms since 1970. Gives one number less than there are
    /// bounds; rows outside are not counted.
    ///
    /// # Errors
    /// [`StoreError::UnknownTable`](crate::StoreError::UnknownTable), [`StoreError::UnknownColumn`](crate::StoreError::UnknownColumn).
    pub fn histogram(&self, spec: &ViewSpec, column: &str, bounds: &[i64]) -> Result<Vec<u64>> {
        let [first, inner @ .., end] = bounds else {
            return Ok(Vec::new());
        };
        let mut counts = vec![0; inner.len() + 1];
        self.read(|connection| {
            let table = schema::known(connection, &spec.table)?;
            let column = view::column(&table, column)?;
            let search = spec.search.as_deref();
            let search = search.map(|text| Search::run(connection, &table, text, None));
            let search = search.transpose()?;
            let own = format!("d.{}", quoted(&column.logical_name));
            // Alone, the index of the column's order has all that is asked for.
            let is_alone = spec.conditions.is_empty() && search.is_none();
            let time = match is_alone {
                true => format!("{own} {}", order::COLLATION),
                false => own.clone(),
            };
            let mut sql = Sql::default();
            sql.push("SELECT ");
            place(&mut sql, &own, inner, 0);
            sql.push(&format!(
                ", count(*) FROM {} d WHERE 1{}",
                data(&spec.table),
                view::deleted(spec.deleted)
            ));
            for (operator, bound) in [(">=", first), ("<", end)] {
                sql.push(&format!(" AND {time} {operator} "));
                sql.bind(Value::Integer(*bound));
            }
            view::conditions(&mut sql, connection, &table, spec, search.as_ref())?;
            sql.push(" GROUP BY 1");
            let mut statement = connection.prepare_cached(&sql.text)?;
            let mut rows = statement.query(params_from_iter(sql.values))?;
            while let Some(row) = rows.next()? {
                if let Some(count) = counts.get_mut(row.get::<_, usize>(0)?) {
                    *count = row.get(1)?;
                }
            }
            Ok(())
        })?;
        Ok(counts)
    }
}

/// The number of the span that a value lies in, found by halves: every row is asked a few times instead
/// of once for each bound.
fn place(sql: &mut Sql, own: &str, inner: &[i64], before: usize) {
    let middle = inner.len() / 2;
    let Some(bound) = inner.get(middle) else {
        sql.push(&before.to_string());
        return;
    };
    sql.push(&format!("iif({own} < "));
    sql.bind(Value::Integer(*bound));
    sql.push(", ");
    place(sql, own, inner.get(..middle).unwrap_or_default(), before);
    sql.push(", ");
    let after = inner.get(middle + 1..).unwrap_or_default();
    place(sql, own, after, before + middle + 1);
    sql.push(")");
}
