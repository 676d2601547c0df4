//! What keeps a field from being written, one sentence each.

use crate::unified::Object;

use super::fields::fields;

/// Values that a sentence lists at most.
const MOST_LISTED: usize = 60;

/// Something in a body that cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// No such field.
    #[error("{field} is no field of {}. These can be written: {}. Columns of your own go into custom_fields.",
        object.name(), writable(*object))]
    UnknownField {
        /// The field.
        field: String,
        /// The object.
        object: Object,
    },
    /// A field that follows from others.
    #[error("{field} cannot be written: {why}.")]
    ReadOnly {
        /// The field.
        field: String,
        /// Why.
        why: &'static str,
    },
    /// A value of another type.
    #[error("{field} takes {expected}, not {found}.")]
    WrongType {
        /// The field.
        field: String,
        /// What it takes.
        expected: &'static str,
        /// What was given.
        found: &'static str,
    },
    /// A number, date or id that is none.
    #[error("{field} takes {expected}, and \"{value}\" is none.")]
    BadValue {
        /// The field.
        field: String,
        /// What it takes.
        expected: &'static str,
        /// What was given.
        value: String,
    },
    /// A label that the organisation has not.
    #[error(
        "{field} has no value \"{label}\" in this organisation. {}",
        listed(known)
    )]
    UnknownLabel {
        /// The field.
        field: String,
        /// What was given.
        label: String,
        /// The labels that there are.
        known: Vec<String>,
    },
    /// A label that several values have.
    #[error("{field} has several values with the label \"{label}\": give the number instead, one of {}.",
        values.iter().map(i64::to_string).collect::<Vec<_>>().join(", "))]
    AmbiguousLabel {
        /// The field.
        field: String,
        /// The label.
        label: String,
        /// Their numbers.
        values: Vec<i64>,
    },
    /// The organisation lacks the column that a field is kept in.
    #[error(
        "{field} is kept in the column {column}, which the table {table} of this organisation has not."
    )]
    NoColumn {
        /// The field.
        field: String,
        /// Logical name of the table.
        table: String,
        /// Logical name of the column.
        column: &'static str,
    },
    /// A column that does not exist.
    #[error(
        "custom_fields.{column} is no column of the table {table}. Give its logical name, such as {example}."
    )]
    UnknownColumn {
        /// What was given.
        column: String,
        /// Logical name of the table.
        table: String,
        /// A column that there is.
        example: String,
    },
    /// A lookup that cannot be written by its column.
    #[error("custom_fields.{column} is a lookup: {hint}.")]
    Lookup {
        /// The column.
        column: String,
        /// How it is written.
        hint: String,
    },
    /// More values of a kind than the table has columns for.
    #[error("{field} has room for {room} of the type {kind} here.")]
    NoRoom {
        /// The field.
        field: &'static str,
        /// The type.
        kind: &'static str,
        /// How many there can be.
        room: usize,
    },
    /// A type of an address that the organisation does not offer.
    #[error(
        "{field} cannot be {kind}: address{place}_addresstypecode, which would keep it, offers no such type in this organisation. Leave address_type out, or add the type to the column's choices and sync."
    )]
    TypeNotKept {
        /// The field.
        field: String,
        /// The type.
        kind: &'static str,
        /// Number of the address that it would have gone to.
        place: u8,
    },
    /// A field that cannot be empty.
    #[error("{field} cannot be null.")]
    Required {
        /// The field.
        field: &'static str,
    },
    /// A field that means nothing without another.
    #[error("{field} says nothing without {with}.")]
    Alone {
        /// The field.
        field: &'static str,
        /// The other.
        with: &'static str,
    },
    /// A state that only an action of Dataverse's sets.
    #[error(
        "{field} cannot be set to {value}: Dataverse does that with the action {action}. Call it through the passthrough."
    )]
    NeedsAction {
        /// The field.
        field: &'static str,
        /// The value.
        value: &'static str,
        /// The action.
        action: &'static str,
    },
    /// A state that a new record cannot have.
    #[error("A new {what} is OPEN. Create it, then change its status.")]
    NewIsOpen {
        /// What it is.
        what: &'static str,
    },
}

impl Problem {
    /// The field that it is about, as a path within the record.
    #[must_use]
    pub fn field(&self) -> String {
        match self {
            Self::UnknownField { field, .. }
            | Self::ReadOnly { field, .. }
            | Self::WrongType { field, .. }
            | Self::BadValue { field, .. }
            | Self::UnknownLabel { field, .. }
            | Self::AmbiguousLabel { field, .. }
            | Self::NoColumn { field, .. }
            | Self::TypeNotKept { field, .. } => field.clone(),
            Self::UnknownColumn { column, .. } | Self::Lookup { column, .. } => {
                format!("custom_fields.{column}")
            }
            Self::NoRoom { field, .. }
            | Self::Required { field }
            | Self::Alone { field, .. }
            | Self::NeedsAction { field, .. } => (*field).to_owned(),
            Self::NewIsOpen { .. } => "status".to_owned(),
        }
    }

    /// A stable word for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownField { .. } | Self::UnknownColumn { .. } => "unknown_field",
            Self::ReadOnly { .. } => "read_only_field",
            Self::WrongType { .. } => "wrong_type",
            Self::BadValue { .. } | Self::Required { .. } | Self::Alone { .. } => "bad_value",
            Self::UnknownLabel { .. } | Self::AmbiguousLabel { .. } | Self::TypeNotKept { .. } => {
                "unknown_label"
            }
            Self::NoColumn { .. } | Self::NoRoom { .. } => "no_column",
            Self::Lookup { .. } => "lookup_field",
            Self::NeedsAction { .. } | Self::NewIsOpen { .. } => "needs_action",
        }
    }

    pub(super) fn unknown_label(field: &str, label: &str, known: Vec<String>) -> Self {
        Self::UnknownLabel {
            field: field.to_owned(),
            label: label.to_owned(),
            known,
        }
    }
}

fn writable(object: Object) -> String {
    let names: Vec<&str> = fields(object)
        .filter(|field| field.is_writable)
        .map(|field| field.name)
        .collect();
    names.join(", ")
}

fn listed(known: &[String]) -> String {
    if known.is_empty() {
        return "None is known: sync first.".to_owned();
    }
    let shown = &known[..known.len().min(MOST_LISTED)];
    let more = match known.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("There are: {}{more}.", shown.join(", "))
}
