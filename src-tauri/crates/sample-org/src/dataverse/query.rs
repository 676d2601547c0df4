//! `$select`, `$filter`, `$orderby` and `$expand` of a request for rows.

use std::collections::HashMap;

use uuid::Uuid;

use super::errors;
use super::evaluate::{self, Condition, Path, QUERY_FUNCTIONS};
use super::filter::{self, Expression};
use super::record::{Expand, Leads, Shape, Shown};
use super::reply::Reply;
use crate::data::row::{Row, Value};
use crate::data::schema::{Kind, USER};
use crate::state::State;

/// Rows of a collection that is expanded, at most.
const LARGEST_EXPANSION: usize = 5_000;

/// The options of a query, as they stand in an address or inside an `$expand`.
#[derive(Default)]
pub struct Options {
    pub select: Option<String>,
    pub filter: Option<String>,
    pub order: Option<String>,
    pub top: Option<usize>,
    pub expand: Option<String>,
}

impl Options {
    /// The options in the parentheses of an expanded property: `$select=a,b;$top=2`.
    fn nested(text: &str) -> Self {
        let mut options = Self::default();
        for part in split(text, ';') {
            let Some((name, value)) = part.split_once('=') else {
                continue;
            };
            let value = value.to_owned();
            match name.trim() {
                "$select" => options.select = Some(value),
                "$filter" => options.filter = Some(value),
                "$orderby" => options.order = Some(value),
                "$top" => options.top = value.trim().parse().ok(),
                "$expand" => options.expand = Some(value),
                _ => {}
            }
        }
        options
    }
}

/// Splits at a separator that is outside of parentheses and of quotes.
pub fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut begin, mut depth, mut is_quoted) = (Vec::new(), 0, 0_usize, false);
    for (place, letter) in text.char_indices() {
        match letter {
            '\'' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if letter == separator && depth == 0 => {
                parts.push(&text[begin..place]);
                begin = place + letter.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[begin..]);
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// The condition of a `$filter`.
pub fn condition<'s>(
    state: &'s State,
    table: usize,
    text: Option<&str>,
) -> Result<Option<Condition<'s>>, Reply> {
    let Some(text) = text else {
        return Ok(None);
    };
    let parsed = filter::parse(text).map_err(|message| errors::bad_request(&message))?;
    if let Some(name) = unknown_function(&parsed) {
        return Err(errors::bad_request(&format!(
            "An unknown function with name '{name}' was found. This may also be a function import or a key lookup on a navigation property, which is not allowed."
        )));
    }
    evaluate::resolve(state, table, parsed).map(Some)
}

fn unknown_function(expression: &Expression<String>) -> Option<&str> {
    match expression {
        Expression::And(left, right) | Expression::Or(left, right) => {
            unknown_function(left).or_else(|| unknown_function(right))
        }
        Expression::Not(inner) => unknown_function(inner),
        Expression::Query(name, ..) => (!QUERY_FUNCTIONS.contains(&name.as_str())).then_some(name),
        Expression::Compare(..) | Expression::Text(..) => None,
    }
}

/// What rows are sorted by, and whether downwards.
pub type Order<'s> = Vec<(Path<'s>, bool)>;

/// The columns of an `$orderby`.
pub fn order<'s>(state: &'s State, table: usize, text: Option<&str>) -> Result<Order<'s>, Reply> {
    let mut order = Vec::new();
    for part in split(text.unwrap_or_default(), ',') {
        let mut words = part.split_whitespace();
        let path = evaluate::path(state, table, words.next().unwrap_or_default())?;
        let is_down = match words.next() {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(_) => return Err(errors::bad_request(&format!("Syntax error in '{part}'."))),
        };
        order.push((path, is_down));
    }
    Ok(order)
}

/// Sorts rows; those that are equal stand in the order of their ids, as they came.
pub fn sort(state: &State, rows: &mut Vec<Row>, order: &Order<'_>) {
    if order.is_empty() {
        return;
    }
    let mut keyed: Vec<(Vec<Value>, Row)> = rows
        .iter()
        .map(|row| {
            let key = order.iter().map(|(path, _)| sort_value(state, *row, path));
            (key.collect(), *row)
        })
        .collect();
    keyed.sort_by(|(left, _), (right, _)| {
        let mut places = left.iter().zip(right).zip(order);
        places
            .find_map(|((left, right), (_, is_down))| {
                let found = evaluate::order(left, right);
                let found = if *is_down { found.reverse() } else { found };
                found.is_ne().then_some(found)
            })
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    *rows = keyed.into_iter().map(|(_, row)| row).collect();
}

/// Lookups are sorted by the name of what they point to.
fn sort_value(state: &State, row: Row, path: &Path<'_>) -> Value {
    let value = evaluate::read(state, row, path);
    match state.target(&value) {
        None => value,
        Some((table, id)) => state
            .index(table, id)
            .and_then(|index| state.name(table, index))
            .map_or(Value::Null, Value::Text),
    }
}

/// The columns and expansions that a query asks for. The primary id always comes along, and so do
/// the currency with money and the composite with an address.
pub fn shape<'s>(
    state: &'s State,
    user: Uuid,
    table: usize,
    options: &Options,
) -> Result<Shape<'s>, Reply> {
    let here = &state.tables[table];
    let mut columns = Vec::new();
    let mut has_owner = false;
    match options.select.as_deref() {
        None | Some("*") => columns.extend(
            here.columns
                .iter()
                .filter(|column| is_readable(column.kind)),
        ),
        Some(text) => {
            for name in text
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty())
            {
                let Some(column) = here
                    .property(name)
                    .filter(|column| is_readable(column.kind))
                else {
                    return Err(errors::unknown_column(name, here.name));
                };
                if !columns
                    .iter()
                    .any(|other: &&_| std::ptr::eq(*other, column))
                {
                    columns.push(column);
                }
            }
            let mut unasked = vec![here.primary_id];
            if columns.iter().any(|column| column.kind == Kind::Money) {
                unasked.push("transactioncurrencyid");
            }
            if columns
                .iter()
                .any(|column| column.name.starts_with("address1_"))
            {
                unasked.push("address1_composite");
            }
            for name in unasked {
                if let Some(column) = here.column(name)
                    && !columns.iter().any(|other| other.name == name)
                {
                    columns.push(column);
                }
            }
            has_owner = table == USER;
        }
    }
    let columns = columns
        .into_iter()
        .map(|column| Shown {
            column,
            is_hidden: state.is_secured(table, &column.name),
        })
        .collect();
    Ok(Shape {
        columns,
        expands: expands(state, user, table, options.expand.as_deref())?,
        has_owner,
    })
}

/// Managed properties are in metadata, and in no row.
pub fn is_readable(kind: Kind) -> bool {
    kind != Kind::ManagedProperty
}

fn expands<'s>(
    state: &'s State,
    user: Uuid,
    table: usize,
    text: Option<&str>,
) -> Result<Vec<Expand<'s>>, Reply> {
    let mut expands = Vec::new();
    for part in split(text.unwrap_or_default(), ',') {
        let part = part.trim();
        let (name, nested) = match part.split_once('(') {
            None => (part, ""),
            Some((name, rest)) => (name.trim(), rest.strip_suffix(')').unwrap_or(rest)),
        };
        let options = Options::nested(nested);
        if let Some((column, target)) = evaluate::lookup(&state.tables[table], name) {
            let target = state
                .table(target)
                .ok_or_else(|| errors::unknown_column(name, target))?;
            state.may_read(target, user)?;
            expands.push(Expand {
                name: name.to_owned(),
                shape: shape(state, user, target, &options)?,
                leads: Leads::One(column, target),
            });
            continue;
        }
        let Some((child, column)) = collection(state, table, name) else {
            return Err(errors::unknown_column(name, state.tables[table].name));
        };
        state.may_read(child, user)?;
        let condition = condition(state, child, options.filter.as_deref())?;
        let mut rows: Vec<Row> = state
            .rows_after(child, None)
            .filter(|row| state.can_read(*row, user))
            .filter(|row| {
                condition
                    .as_ref()
                    .is_none_or(|condition| evaluate::holds(state, *row, condition))
            })
            .collect();
        sort(
            state,
            &mut rows,
            &order(state, child, options.order.as_deref())?,
        );
        let mut children: HashMap<Uuid, Vec<Row>> = HashMap::new();
        for row in rows {
            if let Some((of, parent)) = state.target(&state.cell(row, &column))
                && of == table
            {
                children.entry(parent).or_default().push(row);
            }
        }
        let most = options
            .top
            .unwrap_or(LARGEST_EXPANSION)
            .min(LARGEST_EXPANSION);
        expands.push(Expand {
            name: name.to_owned(),
            shape: shape(state, user, child, &options)?,
            leads: Leads::Many(children, most),
        });
    }
    Ok(expands)
}

/// The table and its lookup at the other end of a collection-valued navigation property.
pub fn collection(state: &State, table: usize, name: &str) -> Option<(usize, String)> {
    let here = state.tables[table].name;
    state
        .tables
        .iter()
        .enumerate()
        .filter(|(_, child)| !child.dropped)
        .find_map(|(place, child)| {
            let column = child.columns.iter().find(|column| {
                column.is_lookup()
                    && column.targets.contains(&here)
                    && column.relationship(child.name, here) == name
            })?;
            Some((place, column.name.clone()))
        })
}
