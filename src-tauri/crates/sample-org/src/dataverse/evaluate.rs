//! Conditions and orders over rows.

use std::cmp::Ordering;

use uuid::Uuid;

use super::errors;
use super::filter::{Expression, Literal, Operand, Operator};
use super::reply::Reply;
use crate::data::row::{Row, Value};
use crate::data::schema::{Column, Kind, Table};
use crate::data::time::{read_day, read_moment};
use crate::rows::ordered;
use crate::state::State;

/// A column of the row, or of the row that a lookup leads to.
#[derive(Debug, Clone)]
pub struct Path<'s> {
    pub via: Option<&'s Column>,
    pub column: &'s Column,
}

pub type Condition<'s> = Expression<Path<'s>>;

/// Finds the columns of a filter.
///
/// # Errors
/// The refusal of a column that there is not, or of a literal that does not fit its column.
pub fn resolve<'s>(
    state: &'s State,
    table: usize,
    filter: Expression<String>,
) -> Result<Condition<'s>, Reply> {
    let condition = filter.resolve(&|name: String| path(state, table, &name))?;
    fit(&condition)?;
    Ok(condition)
}

/// The column that a name in a filter or an order means.
pub fn path<'s>(state: &'s State, table: usize, name: &str) -> Result<Path<'s>, Reply> {
    let here = &state.tables[table];
    let unknown = |table: &Table| errors::unknown_column(name, table.name);
    let Some((first, rest)) = name.split_once('/') else {
        // Query functions name lookups without their `_value`.
        let column = here.property(name).or_else(|| here.column(name));
        return Ok(Path {
            via: None,
            column: column.ok_or_else(|| unknown(here))?,
        });
    };
    let (via, target) = lookup(here, first).ok_or_else(|| unknown(here))?;
    let there = state
        .tables
        .iter()
        .find(|table| table.name == target)
        .ok_or_else(|| unknown(here))?;
    Ok(Path {
        via: Some(via),
        column: there.property(rest).ok_or_else(|| unknown(there))?,
    })
}

/// The lookup behind a single-valued navigation property, and the table it leads to.
pub fn lookup<'s>(table: &'s Table, navigation: &str) -> Option<(&'s Column, &'static str)> {
    table
        .columns
        .iter()
        .filter(|column| column.is_lookup())
        .flat_map(|column| column.targets.iter().map(move |target| (column, *target)))
        .find(|(column, target)| column.navigation(table.name, target) == navigation)
}

fn fit(condition: &Condition<'_>) -> Result<(), Reply> {
    match condition {
        Expression::And(left, right) | Expression::Or(left, right) => {
            fit(left)?;
            fit(right)
        }
        Expression::Not(inner) => fit(inner),
        Expression::Compare(_, Operand::Path(path), Operand::Literal(literal))
        | Expression::Compare(_, Operand::Literal(literal), Operand::Path(path)) => {
            fits(path.column.kind, literal)
        }
        Expression::Compare(..) | Expression::Text(..) | Expression::Query(..) => Ok(()),
    }
}

fn fits(kind: Kind, literal: &Literal) -> Result<(), Reply> {
    let (of, given) = match (kind, literal) {
        (_, Literal::Null) => return Ok(()),
        (Kind::Text | Kind::Memo | Kind::MultiSelect | Kind::EntityName, Literal::Word(_)) => {
            ("Edm.String", "Edm.Int32")
        }
        (Kind::Boolean, Literal::Text(_)) => ("Edm.Boolean", "Edm.String"),
        (Kind::Boolean, Literal::Word(_)) => ("Edm.Boolean", "Edm.Int32"),
        (Kind::Integer | Kind::Picklist | Kind::State | Kind::Status, Literal::Text(_)) => {
            ("Edm.Int32", "Edm.String")
        }
        (Kind::BigInt, Literal::Text(_)) => ("Edm.Int64", "Edm.String"),
        (Kind::Decimal | Kind::Money | Kind::Double, Literal::Text(_)) => {
            ("Edm.Decimal", "Edm.String")
        }
        (Kind::DateTime | Kind::FixedDateTime, Literal::Text(_)) => {
            ("Edm.DateTimeOffset", "Edm.String")
        }
        (Kind::DateOnly, Literal::Text(_)) => ("Edm.Date", "Edm.String"),
        (Kind::DateTime | Kind::FixedDateTime | Kind::DateOnly, Literal::Word(word)) => {
            return match read_moment(word) {
                Some(_) => Ok(()),
                None => Err(errors::bad_request(&format!(
                    "The literal '{word}' is not a date."
                ))),
            };
        }
        (
            Kind::Id | Kind::Lookup | Kind::Customer | Kind::Owner,
            Literal::Text(text) | Literal::Word(text),
        ) => {
            return match Uuid::try_parse(text) {
                Ok(_) => Ok(()),
                Err(_) => Err(errors::bad_request(&format!(
                    "The literal '{text}' is not a GUID."
                ))),
            };
        }
        _ => return Ok(()),
    };
    Err(errors::bad_request(&format!(
        "A binary operator with incompatible types was detected. Found operand types '{of}' and \
         '{given}' for operator kind 'Equal'."
    )))
}

/// Ids, where a condition asks for nothing else than rows of these ids.
pub fn ids(condition: &Condition<'_>, primary_id: &str) -> Option<Vec<Uuid>> {
    match condition {
        Expression::Or(left, right) => {
            let mut all = ids(left, primary_id)?;
            all.extend(ids(right, primary_id)?);
            Some(all)
        }
        Expression::Compare(
            Operator::Equal,
            Operand::Path(path),
            Operand::Literal(Literal::Word(id) | Literal::Text(id)),
        ) if path.via.is_none() && path.column.name == primary_id => {
            Some(vec![Uuid::try_parse(id).ok()?])
        }
        Expression::Query(name, path, ids)
            if name == "In" && path.via.is_none() && path.column.name == primary_id =>
        {
            ids.iter().map(|id| Uuid::try_parse(id).ok()).collect()
        }
        _ => None,
    }
}

/// Whether a row meets a condition.
pub fn holds(state: &State, row: Row, condition: &Condition<'_>) -> bool {
    match condition {
        Expression::And(left, right) => holds(state, row, left) && holds(state, row, right),
        Expression::Or(left, right) => holds(state, row, left) || holds(state, row, right),
        Expression::Not(inner) => !holds(state, row, inner),
        Expression::Compare(operator, left, right) => {
            // The mark of incremental reads: not worth a value.
            if let (Operand::Path(path), Operand::Literal(Literal::Word(word))) = (left, right)
                && path.column.name == "versionnumber"
                && path.via.is_none()
                && let Ok(mark) = word.parse::<u64>()
            {
                return meets(*operator, Some(row.version.cmp(&mark)));
            }
            compare(state, row, *operator, left, right)
        }
        Expression::Text(name, left, right) => {
            let (Some(text), Some(part)) = (string(state, row, left), string(state, row, right))
            else {
                return false;
            };
            let (text, part) = (text.to_lowercase(), part.to_lowercase());
            match name.as_str() {
                "contains" => text.contains(&part),
                "startswith" => text.starts_with(&part),
                _ => text.ends_with(&part),
            }
        }
        Expression::Query(name, path, values) => query(state, row, name, path, values),
    }
}

fn query(state: &State, row: Row, name: &str, path: &Path<'_>, values: &[String]) -> bool {
    let value = read(state, row, path);
    let order = |text: &String| against(state, &value, &Literal::Word(text.clone()));
    let day = |text: &String| {
        let seconds = match value {
            Value::Moment(seconds) => seconds.div_euclid(86_400),
            Value::Day(days) => days,
            _ => return None,
        };
        Some(seconds.cmp(&read_day(text.get(..10)?)?))
    };
    let first = values.first();
    match name {
        "In" => values
            .iter()
            .any(|text| order(text) == Some(Ordering::Equal)),
        "NotIn" => !values
            .iter()
            .any(|text| order(text) == Some(Ordering::Equal)),
        "Between" => {
            first.and_then(order).is_some_and(Ordering::is_ge)
                && values.get(1).and_then(order).is_some_and(Ordering::is_le)
        }
        "On" => first.and_then(day) == Some(Ordering::Equal),
        "OnOrAfter" => first.and_then(day).is_some_and(Ordering::is_ge),
        "OnOrBefore" => first.and_then(day).is_some_and(Ordering::is_le),
        "ContainValues" => match &value {
            Value::Text(text) => values
                .iter()
                .any(|wanted| text.split(',').any(|part| part == wanted)),
            _ => false,
        },
        _ => false,
    }
}

/// Query functions that conditions may use.
pub const QUERY_FUNCTIONS: [&str; 7] = [
    "In",
    "NotIn",
    "Between",
    "On",
    "OnOrAfter",
    "OnOrBefore",
    "ContainValues",
];

/// The value at the end of a path.
pub fn read(state: &State, row: Row, path: &Path<'_>) -> Value {
    let Some(via) = path.via else {
        return plain(state.value(row, path.column), path.column);
    };
    state
        .target(&plain(state.value(row, via), via))
        .and_then(|(table, id)| state.find(table, id))
        .filter(|target| {
            state.tables[target.table]
                .column(&path.column.name)
                .is_some()
        })
        .map_or(Value::Null, |target| {
            plain(state.value(target, path.column), path.column)
        })
}

/// A value that the control interface put there as JSON, as its column's kind has it.
pub fn plain(value: Value, column: &Column) -> Value {
    let Value::Exact(json) = value else {
        return value;
    };
    let Ok(parsed) = serde_json::from_str::<serde_json::Value>(&json) else {
        return Value::Null;
    };
    match (parsed, column.kind) {
        (serde_json::Value::Bool(value), _) => Value::Boolean(value),
        (serde_json::Value::Number(number), Kind::Decimal | Kind::Double | Kind::Money) => {
            let _ = number;
            Value::Number(json)
        }
        (serde_json::Value::Number(number), _) => {
            number.as_i64().map_or(Value::Number(json), Value::Integer)
        }
        (serde_json::Value::String(text), Kind::DateTime | Kind::FixedDateTime) => {
            read_moment(&text).map_or(Value::Text(text), Value::Moment)
        }
        (serde_json::Value::String(text), Kind::DateOnly) => {
            read_day(&text).map_or(Value::Text(text), Value::Day)
        }
        (
            serde_json::Value::String(text),
            Kind::Id | Kind::Lookup | Kind::Customer | Kind::Owner,
        ) => Uuid::try_parse(&text).map_or(Value::Text(text), Value::Id),
        (serde_json::Value::String(text), _) => Value::Text(text),
        _ => Value::Null,
    }
}

fn operand(state: &State, row: Row, operand: &Operand<Path<'_>>) -> Result<Value, Literal> {
    match operand {
        Operand::Path(path) => Ok(read(state, row, path)),
        Operand::Literal(literal) => Err(literal.clone()),
        Operand::Function(name, inner) => Ok(match string(state, row, inner) {
            None => Value::Null,
            Some(text) => match name.as_str() {
                "tolower" => Value::Text(text.to_lowercase()),
                "toupper" => Value::Text(text.to_uppercase()),
                "trim" => Value::Text(text.trim().to_owned()),
                "length" => Value::Integer(text.chars().count() as i64),
                _ => Value::Null,
            },
        }),
    }
}

fn string(state: &State, row: Row, of: &Operand<Path<'_>>) -> Option<String> {
    match operand(state, row, of) {
        Ok(Value::Text(text) | Value::Number(text))
        | Err(Literal::Text(text) | Literal::Word(text)) => Some(text),
        _ => None,
    }
}

fn compare(
    state: &State,
    row: Row,
    operator: Operator,
    left: &Operand<Path<'_>>,
    right: &Operand<Path<'_>>,
) -> bool {
    let (left, right) = (operand(state, row, left), operand(state, row, right));
    let order = match (&left, &right) {
        (Ok(value), Err(Literal::Null)) | (Err(Literal::Null), Ok(value)) => {
            let is_null = matches!(value, Value::Null);
            return is_null == (operator == Operator::Equal);
        }
        // `ne` finds rows without a value, as the service does.
        (Ok(Value::Null), _) | (_, Ok(Value::Null)) => return operator == Operator::NotEqual,
        (Ok(value), Err(literal)) => against(state, value, literal),
        (Err(literal), Ok(value)) => against(state, value, literal).map(Ordering::reverse),
        (Ok(left), Ok(right)) => Some(order(left, right)),
        (Err(left), Err(right)) => (left == right).then_some(Ordering::Equal),
    };
    meets(operator, order)
}

fn meets(operator: Operator, order: Option<Ordering>) -> bool {
    let Some(order) = order else {
        return operator == Operator::NotEqual;
    };
    match operator {
        Operator::Equal => order.is_eq(),
        Operator::NotEqual => order.is_ne(),
        Operator::Greater => order.is_gt(),
        Operator::GreaterOrEqual => order.is_ge(),
        Operator::Less => order.is_lt(),
        Operator::LessOrEqual => order.is_le(),
    }
}

fn against(state: &State, value: &Value, literal: &Literal) -> Option<Ordering> {
    let text = match literal {
        Literal::Text(text) | Literal::Word(text) => text,
        Literal::Boolean(wanted) => {
            return match value {
                Value::Boolean(value) => Some(value.cmp(wanted)),
                _ => None,
            };
        }
        Literal::Null => return None,
    };
    match value {
        Value::Text(value) => Some(value.to_lowercase().cmp(&text.to_lowercase())),
        Value::Integer(value) => decimal_order(&value.to_string(), text),
        Value::Number(value) => decimal_order(value, text),
        Value::Moment(seconds) => Some(seconds.cmp(&read_moment(text)?)),
        Value::Day(days) => Some(days.cmp(&read_moment(text)?.div_euclid(86_400))),
        Value::Id(id) => Some(ordered(*id).cmp(&ordered(Uuid::try_parse(text).ok()?))),
        Value::Lookup(..) | Value::Reference(..) => {
            let (_, id) = state.target(value)?;
            Some(ordered(id).cmp(&ordered(Uuid::try_parse(text).ok()?)))
        }
        Value::Boolean(value) => Some(value.cmp(&text.parse().ok()?)),
        Value::Null | Value::Exact(_) => None,
    }
}

/// The order of two values of one column: nulls first, GUIDs as SQL Server orders them.
pub fn order(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        (Value::Text(left), Value::Text(right)) => left
            .to_lowercase()
            .cmp(&right.to_lowercase())
            .then_with(|| left.cmp(right)),
        (Value::Integer(left), Value::Integer(right)) => left.cmp(right),
        (Value::Number(left), Value::Number(right)) => {
            decimal_order(left, right).unwrap_or(Ordering::Equal)
        }
        (Value::Boolean(left), Value::Boolean(right)) => left.cmp(right),
        (Value::Moment(left), Value::Moment(right)) | (Value::Day(left), Value::Day(right)) => {
            left.cmp(right)
        }
        (Value::Id(left), Value::Id(right)) => ordered(*left).cmp(&ordered(*right)),
        _ => Ordering::Equal,
    }
}

/// Compares two decimal numbers digit by digit; `None` where one is no number.
pub fn decimal_order(left: &str, right: &str) -> Option<Ordering> {
    let parts = |text: &str| -> Option<(bool, String, String)> {
        let is_negative = text.starts_with('-');
        let digits = text.trim_start_matches(['-', '+']);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let is_plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if digits.is_empty() || !is_plain(whole) || !is_plain(fraction) {
            return None;
        }
        let whole = whole.trim_start_matches('0').to_owned();
        let fraction = fraction.trim_end_matches('0').to_owned();
        let is_zero = whole.is_empty() && fraction.is_empty();
        Some((is_negative && !is_zero, whole, fraction))
    };
    let (Some(a), Some(b)) = (parts(left), parts(right)) else {
        return left.parse::<f64>().ok()?.partial_cmp(&right.parse().ok()?);
    };
    let order = match (a.0, b.0) {
        (true, false) => return Some(Ordering::Less),
        (false, true) => return Some(Ordering::Greater),
        _ => (a.1.len(), &a.1, &a.2).cmp(&(b.1.len(), &b.1, &b.2)),
    };
    Some(if a.0 { order.reverse() } else { order })
}
