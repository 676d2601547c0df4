//! Values of a column as bars, with the words that people and filters have for them.

use salesmirror_model::{Cell, ColumnKind, ColumnMetadata, TableMetadata};
use salesmirror_store::Tallied;

use crate::charts::{Bar, ChartFilter, Group};

/// Bars that are told apart by a label; the smaller ones become one.
const MOST_GROUPS: usize = 10;

/// A bar for each value, with the smaller ones as one where there are many.
pub fn groups(
    table: &TableMetadata,
    column: &ColumnMetadata,
    tallied: Vec<Tallied>,
    filters: &[ChartFilter],
) -> Vec<Group> {
    let mut by_size: Vec<u64> = tallied.iter().map(|group| group.rows).collect();
    by_size.sort_unstable_by_key(|rows| std::cmp::Reverse(*rows));
    // One of them is left for what the smaller ones add up to.
    let least = match by_size.get(MOST_GROUPS) {
        Some(_) => by_size.get(MOST_GROUPS - 2).copied().unwrap_or_default(),
        None => 0,
    };
    let (mut shown, mut rest) = (Vec::new(), Vec::new());
    for group in tallied {
        let has_room = shown.len() < MOST_GROUPS - 1 || least == 0;
        if (group.rows >= least && has_room) || group.value == Cell::Null {
            shown.push(group);
        } else {
            rest.push(group);
        }
    }
    let bar = |label: String, rows, amount, own: Option<ChartFilter>| Group {
        bars: vec![Bar {
            name: label.clone(),
            rows,
            amount,
            table: table.logical_name.clone(),
            filters: own.map(|own| filters.iter().cloned().chain([own]).collect()),
        }],
        label,
    };
    let mut groups: Vec<Group> = shown
        .into_iter()
        .map(|group| {
            let own = match &group.value {
                Cell::Null => ChartFilter::new(column, "is_null", vec![]),
                value => ChartFilter::new(column, "equal", vec![written(column, value)]),
            };
            bar(
                label(column, &group.value),
                group.rows,
                group.amount,
                Some(own),
            )
        })
        .collect();
    if !rest.is_empty() {
        let values = rest.iter().map(|group| written(column, &group.value));
        let own = ChartFilter::new(column, "in", values.collect());
        let rows = rest.iter().map(|group| group.rows).sum();
        let amount = rest.iter().map(|group| group.amount).sum();
        groups.push(bar(format!("{} more", rest.len()), rows, amount, Some(own)));
    }
    groups
}

/// Where a value stands: in the organisation's order, text by the number that it begins with.
pub fn place(column: &ColumnMetadata, value: &Cell) -> (u8, i64, String) {
    match value {
        Cell::Integer(number) => {
            let listed = column
                .choices
                .iter()
                .position(|choice| choice.value == *number);
            match listed {
                Some(position) => (0, position as i64, String::new()),
                None => (1, *number, String::new()),
            }
        }
        Cell::Text(text) => {
            let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
            (0, digits.parse().unwrap_or(i64::MAX), text.to_lowercase())
        }
        _ => (2, 0, String::new()),
    }
}

/// What people call a value.
pub fn label(column: &ColumnMetadata, value: &Cell) -> String {
    match value {
        Cell::Integer(number) => column
            .label_of(*number)
            .map_or_else(|| number.to_string(), str::to_owned),
        Cell::Text(text) => text.to_string(),
        Cell::Real(number) => number.to_string(),
        _ => "Not set".to_owned(),
    }
}

/// A value as a filter writes it.
fn written(column: &ColumnMetadata, value: &Cell) -> String {
    match value {
        Cell::Integer(number) if column.kind != ColumnKind::Integer => said(column, *number),
        value => label(column, value),
    }
}

/// A choice as a filter writes it: its label, unless others have the same.
pub fn said(column: &ColumnMetadata, number: i64) -> String {
    let own = column.label_of(number).unwrap_or_default();
    let same = |label: &str| label.to_lowercase() == own.to_lowercase();
    let namesakes = column.choices.iter().filter(|choice| same(&choice.label));
    if own.is_empty() || namesakes.count() > 1 {
        number.to_string()
    } else {
        own.to_owned()
    }
}

/// What stands beside the digits of an amount.
pub fn sign(text: &str) -> Option<String> {
    let of_number = |letter: char| {
        letter.is_numeric()
            || letter.is_whitespace()
            || matches!(
                letter,
                '.' | ',' | '\'' | '’' | '٫' | '٬' | '-' | '−' | '(' | ')'
            )
    };
    let sign = text.trim_matches(of_number);
    let is_one = !sign.is_empty() && sign.chars().count() <= 4 && !sign.contains(of_number);
    is_one.then(|| sign.to_owned())
}
