//! Views: selectors and an order become a vector of row numbers, which serves any window at once.

use std::rc::Rc;

use rusqlite::types::{ToSql, ToSqlOutput, Value};
use rusqlite::{Connection, params_from_iter};
use salesmirror_model::{Cell, ColumnMetadata, TableMetadata};

use crate::database::quoted;
use crate::ids::StoredId;
use crate::order::{self, COLLATION};
use crate::schema::{self, data, target_column};
use crate::search::{self, Terms, terms};
use crate::{Result, StoreError};

/// Whether deleted rows are in a view.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Deleted {
    /// Live rows only.
    #[default]
    Exclude,
    /// Both.
    Include,
    /// Deleted rows only.
    Only,
}

/// Which rows of a table, in which order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ViewSpec {
    /// Logical name of the table.
    pub table: String,
    /// Conditions, all of which hold.
    pub conditions: Vec<Condition>,
    /// Text to search for.
    pub search: Option<String>,
    /// Order; the mirror's own where empty. Nulls come last either way.
    pub sort: Option<Sort>,
    /// Deleted rows.
    pub deleted: Deleted,
    /// Invalidated rows only.
    pub stale_only: bool,
    /// The first rows alone, some so many, for a look at what is found while somebody types.
    pub at_most: Option<u32>,
}

/// A test of a column.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// Logical name of the column.
    pub column: String,
    /// The test.
    pub test: Test,
}

/// What a condition asks of a value. No test but `IsNull` and the negations holds for null.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// Equal to one of these.
    Equal(Vec<Cell>),
    /// Equal to none of these; null is.
    NotEqual(Vec<Cell>),
    /// Less.
    Less(Cell),
    /// Less or equal.
    LessOrEqual(Cell),
    /// Greater.
    Greater(Cell),
    /// Greater or equal.
    GreaterOrEqual(Cell),
    /// Greater than or equal to the first, and less than the second.
    Within(Cell, Cell),
    /// Contains, ignoring case; for lookups their name.
    Contains(String),
    /// Does not contain, ignoring case; null does not.
    NotContains(String),
    /// Starts with, ignoring case; for lookups their name.
    StartsWith(String),
    /// A lookup to a record of one of these names, ignoring case.
    LookupNamed(Vec<String>),
    /// A lookup to no record of these names, or null.
    NotLookupNamed(Vec<String>),
    /// Null.
    IsNull,
    /// Not null.
    IsNotNull,
}

/// The order of a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// Logical name of the column.
    pub column: String,
    /// Largest first.
    pub descending: bool,
}

/// A statement with its parameters.
#[derive(Default)]
pub struct Sql {
    pub text: String,
    pub values: Vec<Parameter>,
}

pub enum Parameter {
    One(Value),
    Rows(Rc<Vec<Value>>),
}

impl ToSql for Parameter {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::One(value) => value.to_sql(),
            Self::Rows(rowids) => rowids.to_sql(),
        }
    }
}

impl Sql {
    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub fn bind(&mut self, value: Value) {
        self.text.push('?');
        self.values.push(Parameter::One(value));
    }

    fn list(&mut self, values: impl Iterator<Item = Value>) {
        self.push("(");
        for (index, value) in values.enumerate() {
            if index > 0 {
                self.push(", ");
            }
            self.bind(value);
        }
        self.push(")");
    }
}

/// The row numbers of a view, and whether these are all.
pub fn rowids(connection: &Connection, spec: &ViewSpec) -> Result<(Vec<u32>, bool)> {
    let table = schema::known(connection, &spec.table)?;
    let sort = spec
        .sort
        .as_ref()
        .map(|sort| column(&table, &sort.column).map(|found| (found, sort)));
    let sort = sort.transpose()?;
    let search = spec.search.as_deref();
    let search = search.map(|text| Search::run(connection, &table, text, spec.at_most));
    let search = search.transpose()?;
    let search = search.as_ref();
    let mut rowids = Vec::new();
    match sort {
        None => select(connection, &table, spec, search, None, &mut rowids)?,
        Some((column, sort)) => {
            let key = sort_key(connection, column)?;
            let order = if sort.descending { "DESC" } else { "ASC" };
            if !order::has_index(connection, &table, column)? {
                // One pass over the table, which is decrypted on the way.
                let whole = format!(" ORDER BY {key} IS NULL, {key} {order}, d._rowid {order}");
                select(connection, &table, spec, search, Some(&whole), &mut rowids)?;
                return Ok(whole_view(spec, search, rowids));
            }
            // Two statements, so that an index serves both directions with nulls last.
            let present =
                format!(" AND {key} IS NOT NULL ORDER BY {key} {order}, d._rowid {order}");
            let absent = format!(" AND {key} IS NULL ORDER BY d._rowid {order}");
            select(
                connection,
                &table,
                spec,
                search,
                Some(&present),
                &mut rowids,
            )?;
            select(connection, &table, spec, search, Some(&absent), &mut rowids)?;
        }
    }
    Ok(whole_view(spec, search, rowids))
}

/// The rows, and whether they are all that match.
fn whole_view(spec: &ViewSpec, search: Option<&Search>, rowids: Vec<u32>) -> (Vec<u32>, bool) {
    let is_cut = spec
        .at_most
        .is_some_and(|most| rowids.len() >= most as usize);
    let is_whole = !is_cut && search.is_none_or(|search| search.is_whole);
    (rowids, is_whole)
}

fn select(
    connection: &Connection,
    table: &TableMetadata,
    spec: &ViewSpec,
    search: Option<&Search>,
    tail: Option<&str>,
    rowids: &mut Vec<u32>,
) -> Result<()> {
    let mut sql = Sql::default();
    sql.push(&format!(
        "SELECT d._rowid FROM {} d WHERE 1",
        data(&spec.table)
    ));
    // The index on `_deleted_at` serves a view of all rows in the mirror's own order.
    let is_plain = spec.sort.is_none() && spec.search.is_none() && spec.conditions.is_empty();
    sql.push(match spec.deleted {
        Deleted::Exclude if is_plain => " AND d._deleted_at IS NULL",
        other => deleted(other),
    });
    conditions(&mut sql, connection, table, spec, search)?;
    sql.push(tail.unwrap_or(" ORDER BY d._rowid"));
    if let Some(most) = spec.at_most {
        sql.push(" LIMIT ");
        sql.bind(Value::Integer(most.into()));
    }
    let mut statement = connection.prepare_cached(&sql.text)?;
    let mut rows = statement.query(params_from_iter(sql.values))?;
    while let Some(row) = rows.next()? {
        rowids.push(row.get(0)?);
    }
    Ok(())
}

/// Whether deleted rows are asked for. The plus keeps the index on `_deleted_at` out, which would fetch a
/// million rows one by one.
pub const fn deleted(which: Deleted) -> &'static str {
    match which {
        Deleted::Exclude => " AND +d._deleted_at IS NULL",
        Deleted::Include => "",
        Deleted::Only => " AND d._deleted_at IS NOT NULL",
    }
}

/// What a view's selectors ask of its rows, but whether they are deleted.
pub fn conditions(
    sql: &mut Sql,
    connection: &Connection,
    table: &TableMetadata,
    spec: &ViewSpec,
    search: Option<&Search>,
) -> Result<()> {
    if spec.stale_only {
        sql.push(" AND d._stale_at IS NOT NULL");
    }
    if let Some(search) = search {
        search.condition(sql, table);
    }
    for condition in &spec.conditions {
        let column = column(table, &condition.column)?;
        if let Test::Contains(needle) = &condition.test
            && column.kind.is_searchable()
            && let Some(matching) = search::candidates(connection, table, needle)?
        {
            // The rows whose texts have all threes of the needle; the test below looks into them.
            let index = schema::search(&spec.table);
            sql.push(&format!(
                " AND d._rowid IN (SELECT rowid FROM {index} WHERE {index} MATCH "
            ));
            sql.bind(Value::Text(matching));
            sql.push(")");
        }
        sql.push(" AND ");
        let collation = match order::covers(spec, condition, column) {
            true => COLLATION,
            false => "",
        };
        collated(sql, connection, column, &condition.test, collation)?;
    }
    Ok(())
}

/// What a search text asks of a view's rows.
pub struct Search {
    /// The rows that hold the longer terms.
    rowids: Option<Rc<Vec<Value>>>,
    prefixes: Vec<String>,
    /// Whether these are all.
    is_whole: bool,
}

impl Search {
    pub fn run(
        connection: &Connection,
        table: &TableMetadata,
        text: &str,
        at_most: Option<u32>,
    ) -> Result<Self> {
        let Terms { parts, prefixes } = terms(text);
        // Rows that the prefixes rule out would leave too few of the first ones.
        let at_most = at_most.filter(|_| prefixes.is_empty());
        let rowids = search::find(connection, table, &parts, at_most)?;
        let is_whole = match (&rowids, at_most) {
            (Some(rowids), Some(most)) => rowids.len() < most as usize,
            _ => true,
        };
        let values = |rowids: Vec<i64>| Rc::new(rowids.into_iter().map(Value::Integer).collect());
        Ok(Self {
            rowids: rowids.map(values),
            prefixes,
            is_whole,
        })
    }

    fn condition(&self, sql: &mut Sql, table: &TableMetadata) {
        if let Some(rowids) = &self.rowids {
            sql.push(" AND d._rowid IN rarray(?)");
            sql.values.push(Parameter::Rows(Rc::clone(rowids)));
        }
        for prefix in &self.prefixes {
            let Some(name) = &table.primary_name else {
                continue;
            };
            sql.push(&format!(" AND folded_starts_with(d.{}, ", quoted(name)));
            sql.bind(Value::Text(prefix.clone()));
            sql.push(")");
        }
    }
}

pub(crate) fn column<'t>(table: &'t TableMetadata, name: &str) -> Result<&'t ColumnMetadata> {
    table.column(name).ok_or_else(|| StoreError::UnknownColumn {
        table: table.logical_name.clone(),
        column: name.to_owned(),
    })
}

pub fn test(
    sql: &mut Sql,
    connection: &Connection,
    column: &ColumnMetadata,
    test: &Test,
) -> Result<()> {
    collated(sql, connection, column, test, "")
}

fn collated(
    sql: &mut Sql,
    connection: &Connection,
    column: &ColumnMetadata,
    test: &Test,
    collation: &str,
) -> Result<()> {
    let own = format!("d.{}", quoted(&column.logical_name));
    let compared = format!("{own} {collation}");
    // Text is what people see: for a lookup its name.
    let text = |connection| {
        if column.kind.is_lookup() {
            lookup_name(connection, column)
        } else {
            Ok(own.clone())
        }
    };
    match test {
        Test::IsNull => sql.push(&format!("{own} IS NULL")),
        Test::IsNotNull => sql.push(&format!("{own} IS NOT NULL")),
        Test::Equal(cells) => {
            sql.push(&format!("{own} IN "));
            sql.list(cells.iter().map(value));
        }
        Test::NotEqual(cells) => {
            sql.push(&format!("({own} IS NULL OR {own} NOT IN "));
            sql.list(cells.iter().map(value));
            sql.push(")");
        }
        Test::Less(cell) => compare(sql, &compared, "<", cell),
        Test::LessOrEqual(cell) => compare(sql, &compared, "<=", cell),
        Test::Greater(cell) => compare(sql, &compared, ">", cell),
        Test::GreaterOrEqual(cell) => compare(sql, &compared, ">=", cell),
        Test::Within(from, until) => {
            compare(sql, &compared, ">=", from);
            sql.push(" AND ");
            compare(sql, &compared, "<", until);
        }
        Test::NotContains(needle) => {
            let text = text(connection)?;
            sql.push(&format!("({text} IS NULL OR NOT "));
            folded(sql, "folded_contains", &text, needle);
            sql.push(")");
        }
        Test::Contains(needle) => folded(sql, "folded_contains", &text(connection)?, needle),
        Test::StartsWith(needle) => folded(sql, "folded_starts_with", &text(connection)?, needle),
        Test::LookupNamed(names) => {
            sql.push(&format!(
                "{} COLLATE NOCASE IN ",
                lookup_name(connection, column)?
            ));
            sql.list(names.iter().cloned().map(Value::Text));
        }
        Test::NotLookupNamed(names) => {
            let name = lookup_name(connection, column)?;
            sql.push(&format!("({name} IS NULL OR {name} COLLATE NOCASE NOT IN "));
            sql.list(names.iter().cloned().map(Value::Text));
            sql.push(")");
        }
    }
    Ok(())
}

fn compare(sql: &mut Sql, own: &str, operator: &str, cell: &Cell) {
    sql.push(&format!("{own} {operator} "));
    sql.bind(value(cell));
}

fn folded(sql: &mut Sql, function: &str, text: &str, needle: &str) {
    sql.push(&format!("{function}({text}, "));
    sql.bind(Value::Text(needle.to_lowercase()));
    sql.push(")");
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Integer(number) => Value::Integer(*number),
        Cell::Real(number) => Value::Real(*number),
        Cell::Text(text) => Value::Text(text.to_string()),
        Cell::Id(id) => Value::Blob(StoredId::from(*id).0.to_vec()),
        Cell::Lookup(lookup) => Value::Blob(StoredId::from(lookup.id).0.to_vec()),
    }
}

/// The expression that a column is sorted by: labels and names, as people see them.
pub fn sort_key(connection: &Connection, column: &ColumnMetadata) -> Result<String> {
    let own = format!("d.{}", quoted(&column.logical_name));
    if column.kind.is_lookup() {
        return Ok(format!(
            "{} COLLATE NOCASE",
            lookup_name(connection, column)?
        ));
    }
    if !column.choices.is_empty() {
        let labels: String = column
            .choices
            .iter()
            .map(|choice| {
                format!(
                    " WHEN {} THEN '{}'",
                    choice.value,
                    choice.label.replace('\'', "''")
                )
            })
            .collect();
        return Ok(format!("CASE {own}{labels} ELSE {own} END COLLATE NOCASE"));
    }
    Ok(format!("{own} COLLATE NOCASE"))
}

/// A lookup's name: the mirrored target's primary name, else what the annotation said.
pub fn lookup_name(connection: &Connection, column: &ColumnMetadata) -> Result<String> {
    let own = format!("d.{}", quoted(&column.logical_name));
    let target = format!("d.{}", target_column(&column.logical_name));
    let mut mirrored = String::new();
    let mut statement = connection
        .prepare_cached("SELECT t.number, t.name FROM target t JOIN mirrored USING (name)")?;
    let targets = statement
        .query_map([], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })?
        .collect::<Result<Vec<_>, _>>()?;
    for (number, name) in targets {
        if !column.targets.is_empty() && !column.targets.contains(&name) {
            continue;
        }
        if let Some(TableMetadata {
            primary_name: Some(primary),
            ..
        }) = schema::metadata(connection, &name)?
        {
            mirrored.push_str(&format!(
                " WHEN {number} THEN (SELECT l.{} FROM {} l WHERE l._id = {own})",
                quoted(&primary),
                data(&name)
            ));
        }
    }
    let annotated =
        format!("(SELECT n.name FROM lookup_name n WHERE n.target = {target} AND n.id = {own})");
    if mirrored.is_empty() {
        return Ok(annotated);
    }
    Ok(format!(
        "coalesce(CASE {target}{mirrored} END, {annotated})"
    ))
}
