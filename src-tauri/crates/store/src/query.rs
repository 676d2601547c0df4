//! Read-only SQL over the mirror. A statement sees views that are made for it, and nothing else: the
//! connection cannot write, and SQLite itself refuses whatever is no read of a published view.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rusqlite::functions::FunctionFlags;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, params};
use salesmirror_model::{ColumnKind, ColumnMetadata, TableMetadata};
use uuid::Uuid;

use crate::database::quoted;
use crate::ids::StoredId;
use crate::schema::{data, target_column};
use crate::view::lookup_name;
use crate::{Mirror, Result, StoreError};

/// The longest text or blob a statement may make, in bytes: a memo holds 1 MB.
const LONGEST_VALUE: i32 = 32 * 1024 * 1024;
/// The longest statement, in bytes. The views with their labels are longer, and made before.
const LONGEST_STATEMENT: i32 = 1024 * 1024;
/// The clock is looked at every so many steps of SQLite's machine: some milliseconds.
const STEPS: i32 = 100_000;

/// How much a statement may do.
#[derive(Debug, Clone, Copy)]
pub struct QueryLimits {
    /// How long it may run.
    pub time: Duration,
    /// Rows that it may give.
    pub rows: usize,
}

/// A value of a result.
#[derive(Debug, Clone, PartialEq)]
pub enum QueryValue {
    /// Null.
    Null,
    /// An integer; booleans are 0 and 1.
    Integer(i64),
    /// A number.
    Real(f64),
    /// Text; ids, dates and labels too.
    Text(String),
    /// Bytes, which no column of a record gives.
    Bytes(Vec<u8>),
}

/// What a statement gave.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryResult {
    /// Names of its columns.
    pub columns: Vec<String>,
    /// Its rows.
    pub rows: Vec<Vec<QueryValue>>,
    /// Whether there were more rows.
    pub truncated: bool,
}

/// SQL functions that a statement may call: those that compute and do nothing else.
const FUNCTIONS: &str = " abs acos acosh asin asinh atan atan2 atanh avg ceil ceiling changes char \
    coalesce concat concat_ws cos cosh count cume_dist date datetime degrees dense_rank exp \
    first_value floor format glob group_concat guid hex ifnull iif if instr julianday json json_array \
    json_array_length json_extract json_group_array json_group_object json_object json_patch json_pretty \
    json_quote json_remove json_replace json_set json_type json_valid -> ->> label lag last_value \
    lead length like likelihood likely ln log log10 log2 lower ltrim max median min mod moment \
    nth_value ntile nullif octet_length percent_rank percentile percentile_cont percentile_disc pi \
    pow power printf quote radians random rank replace round row_number rtrim sign sin sinh soundex \
    sqrt strftime string_agg substr substring subtype sum tan tanh time timediff total trim trunc \
    typeof unhex unicode unixepoch unlikely upper day folded_contains folded_starts_with ";

impl Mirror {
    /// Runs one statement that reads. Tables are there by logical name and by set name, with live
    /// rows; columns by logical name, `column_label` for choices and for the names of lookups.
    ///
    /// # Errors
    /// [`StoreError::QueryRefused`] where it would do more than read published views,
    /// [`StoreError::BadQuery`] where it is no SQL, [`StoreError::QueryTooLong`] where the time is up.
    pub fn query(&self, sql: &str, limits: QueryLimits) -> Result<QueryResult> {
        let tables: Vec<TableMetadata> = self
            .tables()?
            .into_iter()
            .map(|state| state.metadata)
            .collect();
        let mut connection = self.open_reader()?;
        let denied = publish(&mut connection, &tables)?;
        // What SQLite says of a denial varies; that there was one decides.
        run(&mut connection, sql, limits).map_err(|error| match error {
            StoreError::BadQuery(_) if denied.load(Relaxed) || writes(sql) => {
                StoreError::QueryRefused
            }
            other => other,
        })
    }
}

/// Makes the views, then shuts everything else. Gives whether something was denied since.
fn publish(connection: &mut Connection, tables: &[TableMetadata]) -> Result<Arc<AtomicBool>> {
    add_functions(connection, tables)?;
    // Nobody can guess these names, so that no name of a statement's own stands for them.
    let secret = format!("view_{}_", Uuid::new_v4().simple());
    let mut published = HashSet::new();
    // Temporary views lie in memory; the file stays opened for reading only.
    connection.pragma_update(None, "query_only", false)?;
    for table in tables {
        let inner = format!("{secret}{}", table.logical_name);
        let columns = columns(connection, table)?;
        connection.execute_batch(&format!(
            "CREATE TEMP VIEW {} AS SELECT {columns} FROM main.{} d WHERE d._deleted_at IS NULL",
            quoted(&inner),
            data(&table.logical_name),
        ))?;
        name(connection, &mut published, &table.logical_name, &inner)?;
    }
    for table in tables {
        let inner = format!("{secret}{}", table.logical_name);
        name(connection, &mut published, &table.entity_set_name, &inner)?;
        if table.logical_name == "systemuser" {
            name(connection, &mut published, "users", &inner)?;
        }
    }
    connection.pragma_update(None, "query_only", true)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, LONGEST_VALUE)?;
    connection.set_limit(Limit::SQLITE_LIMIT_SQL_LENGTH, LONGEST_STATEMENT)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    let denied = Arc::new(AtomicBool::new(false));
    let noted = Arc::clone(&denied);
    connection.authorizer(Some(move |context: AuthContext<'_>| {
        if is_allowed(&context, &secret, &published) {
            return Authorization::Allow;
        }
        noted.store(true, Relaxed);
        Authorization::Deny
    }))?;
    Ok(denied)
}

/// A name for a view, unless another table has it already.
fn name(
    connection: &Connection,
    published: &mut HashSet<String>,
    name: &str,
    inner: &str,
) -> Result<()> {
    // SQLite's names do not differ by case alone.
    if name.is_empty() || !published.insert(name.to_ascii_lowercase()) {
        return Ok(());
    }
    connection.execute_batch(&format!(
        "CREATE TEMP VIEW {} AS SELECT * FROM temp.{}",
        quoted(name),
        quoted(inner)
    ))?;
    Ok(())
}

fn is_allowed(context: &AuthContext<'_>, secret: &str, published: &HashSet<String>) -> bool {
    match context.action {
        AuthAction::Select | AuthAction::Recursive => true,
        AuthAction::Function { function_name } => {
            FUNCTIONS.contains(&format!(" {} ", function_name.to_ascii_lowercase()))
        }
        AuthAction::Read { table_name, .. } => {
            // What a view reads for itself; the names of these views are ours alone.
            let by_view = context
                .accessor
                .is_some_and(|accessor| accessor.starts_with(secret));
            let is_view = table_name.starts_with(secret)
                || (context.database_name == Some("temp")
                    && published.contains(&table_name.to_ascii_lowercase()));
            by_view || is_view || matches!(table_name, "json_each" | "json_tree")
        }
        _ => false,
    }
}

/// The columns of a view: values as people know them from records, and their labels.
fn columns(connection: &Connection, table: &TableMetadata) -> Result<String> {
    let mut parts = vec!["d._stale_at IS NOT NULL AS _stale".to_owned()];
    let mut names: HashSet<String> = table
        .columns
        .iter()
        .map(|column| column.logical_name.to_ascii_lowercase())
        .collect();
    for column in &table.columns {
        let own = format!("d.{}", quoted(&column.logical_name));
        let value = match column.kind {
            ColumnKind::DateTime => format!("moment({own})"),
            ColumnKind::DateOnly => format!("day({own})"),
            kind if kind.is_lookup() || kind == ColumnKind::UniqueId => format!("guid({own})"),
            _ => own.clone(),
        };
        parts.push(format!("{value} AS {}", quoted(&column.logical_name)));
        let mut further = |name: String, value: String| {
            if names.insert(name.to_ascii_lowercase()) {
                parts.push(format!("{value} AS {}", quoted(&name)));
            }
        };
        if column.kind.is_lookup() {
            let label = lookup_name(connection, column)?;
            let target = target_column(&column.logical_name);
            let table = format!("(SELECT t.name FROM main.target t WHERE t.number = d.{target})");
            further(format!("{}_label", column.logical_name), label);
            further(format!("{}_table", column.logical_name), table);
            further(column.wire_name(), value);
        } else if column.kind.has_labels() {
            let key = label_key(table, column).replace('\'', "''");
            further(
                format!("{}_label", column.logical_name),
                format!("label('{key}', {own})"),
            );
        }
    }
    Ok(parts.join(", "))
}

fn label_key(table: &TableMetadata, column: &ColumnMetadata) -> String {
    format!("{}.{}", table.logical_name, column.logical_name)
}

/// `moment`, `day` and `guid` write a stored value as records carry it, `label` names a choice.
/// What does not fit its column is kept as text, and stays as it is.
fn add_functions(connection: &Connection, tables: &[TableMetadata]) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    for (name, write) in [
        ("moment", moment as fn(i64) -> String),
        ("day", day as fn(i64) -> String),
    ] {
        connection.create_scalar_function(name, 1, flags, move |context| {
            Ok(match context.get_raw(0) {
                ValueRef::Integer(number) => Some(write(number)),
                ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
                _ => None,
            })
        })?;
    }
    connection.create_scalar_function("guid", 1, flags, |context| {
        Ok(match context.get_raw(0) {
            ValueRef::Blob(bytes) => StoredId::read(bytes).map(|id| id.to_string()),
            ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
            _ => None,
        })
    })?;
    let mut labels: HashMap<String, HashMap<i64, String>> = HashMap::new();
    for table in tables {
        for column in &table.columns {
            let choices = column.choices.iter();
            let named = choices.map(|choice| (choice.value, choice.label.clone()));
            labels.insert(label_key(table, column), named.collect());
        }
    }
    let labels = Arc::new(labels);
    connection.create_scalar_function("label", 2, flags, move |context| {
        let key = context.get_raw(0).as_str().unwrap_or_default();
        let Some(known) = labels.get(key) else {
            return Ok(None);
        };
        Ok(match context.get_raw(1) {
            ValueRef::Integer(value) => known.get(&value).cloned(),
            ValueRef::Text(values) => {
                let values = String::from_utf8_lossy(values);
                let named: Option<Vec<&str>> = values
                    .split(',')
                    .map(|value| known.get(&value.trim().parse().ok()?).map(String::as_str))
                    .collect();
                named.map(|labels| labels.join("; "))
            }
            _ => None,
        })
    })?;
    Ok(())
}

/// `YYYY-MM-DDTHH:MM:SSZ` from ms since 1970, with the fraction where there is one.
fn moment(milliseconds: i64) -> String {
    let date = day(milliseconds.div_euclid(86_400_000));
    let rest = milliseconds.rem_euclid(86_400_000);
    let (seconds, fraction) = (rest / 1_000, rest % 1_000);
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    let seconds = seconds % 60;
    if fraction == 0 {
        format!("{date}T{hours:02}:{minutes:02}:{seconds:02}Z")
    } else {
        format!("{date}T{hours:02}:{minutes:02}:{seconds:02}.{fraction:03}Z")
    }
}

/// `YYYY-MM-DD` from days since 1970-01-01 (Howard Hinnant's civil_from_days).
fn day(days: i64) -> String {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

fn run(connection: &mut Connection, sql: &str, limits: QueryLimits) -> Result<QueryResult> {
    let until = Instant::now() + limits.time;
    connection.progress_handler(STEPS, Some(move || Instant::now() >= until))?;
    let mut statement = connection.prepare(sql).map_err(refusal)?;
    if !statement.readonly() || statement.is_explain() != 0 || statement.column_count() == 0 {
        return Err(StoreError::QueryRefused);
    }
    let names = statement.column_names();
    let columns: Vec<String> = names.into_iter().map(str::to_owned).collect();
    let mut found = Vec::new();
    let mut truncated = false;
    let mut rows = statement.query(params![]).map_err(refusal)?;
    while let Some(row) = rows.next().map_err(refusal)? {
        if found.len() >= limits.rows {
            truncated = true;
            break;
        }
        let values = (0..columns.len()).map(|index| Ok(value(row.get_ref(index)?)));
        found.push(values.collect::<Result<Vec<_>>>()?);
    }
    Ok(QueryResult {
        columns,
        rows: found,
        truncated,
    })
}

/// Whether a statement that failed meant to write: SQLite says first that a view cannot be written,
/// and only then asks whether it may be. It decides what is said, not what is done.
fn writes(sql: &str) -> bool {
    let word = sql.split_whitespace().next().unwrap_or_default();
    ["insert", "update", "delete", "replace"]
        .iter()
        .any(|verb| word.eq_ignore_ascii_case(verb))
}

fn value(value: ValueRef<'_>) -> QueryValue {
    match value {
        ValueRef::Null => QueryValue::Null,
        ValueRef::Integer(number) => QueryValue::Integer(number),
        ValueRef::Real(number) => QueryValue::Real(number),
        ValueRef::Text(text) => QueryValue::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => QueryValue::Bytes(bytes.to_vec()),
    }
}

/// What SQLite says of a statement, told apart from what it says of the database.
fn refusal(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::AuthorizationForStatementDenied | ErrorCode::ReadOnly) => {
            StoreError::QueryRefused
        }
        Some(ErrorCode::OperationInterrupted) => StoreError::QueryTooLong,
        Some(ErrorCode::TooBig) => StoreError::BadQuery("a value is too long".to_owned()),
        Some(ErrorCode::Unknown) | None => match error {
            rusqlite::Error::MultipleStatement => StoreError::QueryRefused,
            rusqlite::Error::SqlInputError { msg, .. } => StoreError::BadQuery(msg),
            rusqlite::Error::SqliteFailure(_, Some(words)) => StoreError::BadQuery(words),
            other => StoreError::BadQuery(other.to_string()),
        },
        _ => error.into(),
    }
}
