//! Selectors as people write them, read against a table's columns.

use jiff::Timestamp;
use jiff::civil::Date;
use salesmirror_model::{Cell, ColumnKind, ColumnMetadata, TableMetadata, parse_guid};
use salesmirror_store::{Condition, Deleted, Sort, Test, ViewSpec};

use crate::error::{Error, Result};
use crate::period;

/// Which records, in which order.
#[derive(Debug, Clone, Default)]
pub struct Selectors {
    /// `column op value`, joined by and.
    pub filters: Vec<String>,
    /// Text to search for.
    pub search: Option<String>,
    /// `column` or `column:desc`.
    pub sort: Option<String>,
    /// Deleted rows.
    pub deleted: Deleted,
    /// Invalidated rows only.
    pub stale_only: bool,
}

/// Longer operators first, so that `<=` is not read as `<`.
const SIGNS: [&str; 6] = ["<=", ">=", "!=", "=", "<", ">"];

impl Selectors {
    /// The view that they mean.
    ///
    /// # Errors
    /// An unknown column, an operator that does not exist, a value that does not fit its column.
    pub fn view(&self, table: &TableMetadata) -> Result<ViewSpec> {
        let conditions = self
            .filters
            .iter()
            .map(|text| condition(table, text))
            .collect::<Result<_>>()?;
        let sort = self.sort.as_deref().map(|text| {
            let (name, direction) = text.split_once(':').unwrap_or((text, "asc"));
            let descending = match direction {
                "asc" => false,
                "desc" => true,
                other => {
                    return Err(Error::usage(
                        "bad_sort",
                        format!("\"{other}\" is no direction."),
                        "Write --sort COLUMN or --sort COLUMN:desc.",
                    ));
                }
            };
            Ok(Sort {
                column: column(table, name)?.logical_name.clone(),
                descending,
            })
        });
        Ok(ViewSpec {
            table: table.logical_name.clone(),
            conditions,
            search: self.search.clone().filter(|text| !text.trim().is_empty()),
            sort: sort.transpose()?,
            deleted: self.deleted,
            stale_only: self.stale_only,
            at_most: None,
        })
    }
}

/// The columns of these names; all where none is given. `ownerid` and `_ownerid_value` are the same.
///
/// # Errors
/// An unknown column.
pub fn columns<'t>(table: &'t TableMetadata, names: &[String]) -> Result<Vec<&'t ColumnMetadata>> {
    if names.is_empty() {
        return Ok(table.columns.iter().collect());
    }
    names
        .iter()
        .map(|name| column(table, name.trim()))
        .collect()
}

/// Columns that people look for first, as far as the table has them: the name, then who and where.
#[must_use]
pub fn usual_columns(table: &TableMetadata, count: usize) -> Vec<String> {
    const USUAL: [&str; 18] = [
        "companyname",
        "parentcustomerid",
        "customerid",
        "jobtitle",
        "title",
        "estimatedvalue",
        "emailaddress1",
        "internalemailaddress",
        "telephone1",
        "mobilephone",
        "address1_city",
        "address1_country",
        "statuscode",
        "estimatedclosedate",
        "revenue",
        "isdisabled",
        "ownerid",
        "modifiedon",
    ];
    let mut names: Vec<String> = table.primary_name.iter().cloned().collect();
    let usual = USUAL.iter().filter(|name| {
        table
            .columns
            .iter()
            .any(|column| column.logical_name == **name)
    });
    names.extend(usual.map(|name| (*name).to_owned()));
    let rest = table
        .columns
        .iter()
        .map(|column| column.logical_name.clone());
    for name in rest {
        if names.len() >= count {
            break;
        }
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.truncate(count);
    names
}

fn column<'t>(table: &'t TableMetadata, name: &str) -> Result<&'t ColumnMetadata> {
    table.column(name.trim()).ok_or_else(|| {
        Error::usage(
            "unknown_column",
            format!(
                "{} has no column \"{}\".",
                table.display_collection_name,
                name.trim()
            ),
            format!(
                "`salesmirror records {} --limit 1 --json` shows all columns.",
                table.logical_name
            ),
        )
    })
}

/// A condition's column, operator and value, as they are written; `None` where there is nothing behind
/// the column.
#[must_use]
pub fn parts(text: &str) -> Option<(&str, &str, &str)> {
    let text = text.trim();
    let end = text.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'))?;
    let (name, rest) = text.split_at(end);
    let rest = rest.trim_start();
    let (operator, value) = match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
        Some(sign) => (*sign, rest[sign.len()..].trim()),
        None => match rest.split_once(char::is_whitespace) {
            Some((word, value)) => (word, value.trim()),
            None => (rest, ""),
        },
    };
    Some((name, operator, value))
}

/// What a condition's operator compares with: the values of a list with `in` and `not-in`, else one.
///
/// # Errors
/// A list that cannot be read.
pub fn compared(operator: &str, value: &str) -> Result<Vec<String>> {
    match operator {
        "in" | "not-in" => list(value),
        _ => Ok(vec![unquoted(value)]),
    }
}

fn condition(table: &TableMetadata, text: &str) -> Result<Condition> {
    let bad = || {
        Error::usage(
            "bad_filter",
            format!("The filter \"{text}\" cannot be read."),
            "Write COLUMN OP VALUE, with OP one of = != < <= > >= contains not-contains starts-with in not-in within is-null is-not-null.",
        )
    };
    let (name, operator, value) = parts(text).ok_or_else(bad)?;
    let found = column(table, name)?;
    let test = test(found, operator, value)?.ok_or_else(bad)?;
    Ok(Condition {
        column: found.logical_name.clone(),
        test,
    })
}

fn test(column: &ColumnMetadata, operator: &str, value: &str) -> Result<Option<Test>> {
    Ok(Some(match operator {
        "is-null" if value.is_empty() => Test::IsNull,
        "is-not-null" if value.is_empty() => Test::IsNotNull,
        "contains" => Test::Contains(unquoted(value)),
        "not-contains" => Test::NotContains(unquoted(value)),
        "within" => within(column, &unquoted(value))?,
        "starts-with" => Test::StartsWith(unquoted(value)),
        "=" | "in" => equal(column, &compared(operator, value)?)?,
        "!=" | "not-in" => negated(equal(column, &compared(operator, value)?)?),
        "<" => Test::Less(cell(column, &unquoted(value))?),
        "<=" => Test::LessOrEqual(cell(column, &unquoted(value))?),
        ">" => Test::Greater(cell(column, &unquoted(value))?),
        ">=" => Test::GreaterOrEqual(cell(column, &unquoted(value))?),
        _ => return Ok(None),
    }))
}

/// A span of days that is told from today, such as `last 30 days`.
fn within(column: &ColumnMetadata, text: &str) -> Result<Test> {
    let zone = jiff::tz::TimeZone::system();
    let today = Timestamp::now().to_zoned(zone.clone()).date();
    let span = match column.kind {
        ColumnKind::DateOnly | ColumnKind::DateTime => period::days(text, today),
        _ => None,
    };
    let (from, until) = span.ok_or_else(|| {
        Error::usage(
            "bad_value",
            format!("\"{text}\" is no span of days of {}.", column.logical_name),
            period::HELP,
        )
    })?;
    let cell = |day: Date| period::stored(day, column.kind, &zone).map(Cell::Integer);
    let bounds = cell(from).zip(cell(until));
    let (from, until) = bounds.ok_or_else(|| Error::usage("bad_value", text, period::HELP))?;
    Ok(Test::Within(from, until))
}

fn negated(test: Test) -> Test {
    match test {
        Test::Equal(cells) => Test::NotEqual(cells),
        Test::LookupNamed(names) => Test::NotLookupNamed(names),
        other => other,
    }
}

fn equal(column: &ColumnMetadata, values: &[String]) -> Result<Test> {
    if column.kind.is_lookup() && values.iter().any(|value| parse_guid(value).is_none()) {
        return Ok(Test::LookupNamed(values.to_vec()));
    }
    Ok(Test::Equal(
        values
            .iter()
            .map(|value| cell(column, value))
            .collect::<Result<_>>()?,
    ))
}

/// Comma-separated values, quoted as in CSV.
fn list(text: &str) -> Result<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut values = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| Error::usage("bad_filter", error.to_string(), ""))?;
        values.extend(record.iter().map(str::to_owned));
    }
    Ok(values)
}

fn unquoted(text: &str) -> String {
    let inner = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    inner.map_or_else(|| text.to_owned(), |inner| inner.replace("\"\"", "\""))
}

/// A value as the column stores it.
fn cell(column: &ColumnMetadata, text: &str) -> Result<Cell> {
    let bad = |what: &str| {
        Error::usage(
            "bad_value",
            format!(
                "\"{text}\" is no {what}, which {} holds.",
                column.logical_name
            ),
            "",
        )
    };
    if column.kind.has_labels() && column.kind != ColumnKind::MultiChoice {
        let labelled = column
            .choices
            .iter()
            .find(|choice| choice.label.to_lowercase() == text.to_lowercase());
        let truth = match text.to_ascii_lowercase().as_str() {
            "true" if column.kind == ColumnKind::Boolean => Some(1),
            "false" if column.kind == ColumnKind::Boolean => Some(0),
            _ => None,
        };
        return labelled
            .map(|choice| choice.value)
            .or(truth)
            .or_else(|| text.trim().parse().ok())
            .map(Cell::Integer)
            .ok_or_else(|| {
                let labels: Vec<&str> = column
                    .choices
                    .iter()
                    .map(|choice| choice.label.as_str())
                    .collect();
                Error::usage(
                    "bad_value",
                    format!("\"{text}\" is no value of {}.", column.logical_name),
                    format!("It has: {}.", labels.join(", ")),
                )
            });
    }
    match column.kind {
        ColumnKind::Integer | ColumnKind::BigInteger => {
            if let Ok(value) = text.parse::<i64>() {
                return Ok(Cell::Integer(value));
            }
            text.parse::<f64>()
                .map(Cell::Real)
                .map_err(|_| bad("number"))
        }
        ColumnKind::Decimal | ColumnKind::Double | ColumnKind::Money => text
            .parse::<f64>()
            .map(Cell::Real)
            .map_err(|_| bad("number")),
        ColumnKind::DateTime => moment(text).map(Cell::Integer).ok_or_else(|| bad("date")),
        ColumnKind::DateOnly => days(text).map(Cell::Integer).ok_or_else(|| bad("date")),
        ColumnKind::UniqueId => parse_guid(text).map(Cell::Id).ok_or_else(|| bad("id")),
        ColumnKind::Lookup | ColumnKind::Customer | ColumnKind::Owner => {
            parse_guid(text).map(Cell::Id).ok_or_else(|| bad("id"))
        }
        _ => Ok(Cell::Text(text.into())),
    }
}

/// A moment, or a day's beginning in UTC, in ms since 1970.
fn moment(text: &str) -> Option<i64> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment.as_millisecond());
    }
    days(text).map(|days| days * 86_400_000)
}

fn days(text: &str) -> Option<i64> {
    period::days_since_epoch(text.get(..10).unwrap_or(text).parse().ok()?)
}
