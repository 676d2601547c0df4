//! What `EntityDefinitions` says of a table, reduced to what the mirror needs.

use serde::{Deserialize, Serialize};

/// A table of the organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableMetadata {
    /// Logical name: `account`.
    pub logical_name: String,
    /// Entity set name, the segment in addresses: `accounts`. Not an English plural by rule.
    pub entity_set_name: String,
    /// Logical name of the primary id column. Not always `{table}id`: activities have `activityid`.
    pub primary_id: String,
    /// Logical name of the primary name column, where the table has one.
    pub primary_name: Option<String>,
    /// Singular label in the user's language: "Account".
    pub display_name: String,
    /// Plural label in the user's language: "Accounts".
    pub display_collection_name: String,
    /// Whether the table was made by the organisation.
    pub is_custom: bool,
    /// Object type code, for links into Dynamics 365.
    pub object_type_code: Option<i64>,
    /// Whether change tracking is switched on (`ChangeTrackingEnabled`).
    pub change_tracking: bool,
    /// The columns that can be selected, in the service's order, the primary id among them.
    pub columns: Vec<ColumnMetadata>,
}

impl TableMetadata {
    /// The column with this logical name, or `_name_value` for a lookup.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&ColumnMetadata> {
        self.columns
            .iter()
            .find(|column| column.logical_name == name || column.wire_name() == name)
    }

    /// The same table without a primary name that none of its columns holds: it would be asked for in
    /// vain.
    #[must_use]
    pub fn mirrored(mut self) -> Self {
        let columns = &self.columns;
        self.primary_name
            .take_if(|name| !columns.iter().any(|column| column.logical_name == *name));
        self
    }
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnMetadata {
    /// Logical name: `parentcustomerid`.
    pub logical_name: String,
    /// Label in the user's language; the logical name where there is none.
    pub display_name: String,
    /// How values are stored, compared and shown.
    pub kind: ColumnKind,
    /// For lookups: logical names of the tables it can point to. Empty where unknown.
    pub targets: Vec<String>,
    /// For choices and booleans: the values with their labels.
    pub choices: Vec<Choice>,
    /// Whether the column was made by the organisation.
    pub is_custom: bool,
}

impl ColumnMetadata {
    /// The name in `$select` and in records: `_name_value` for lookups, else the logical name.
    #[must_use]
    pub fn wire_name(&self) -> String {
        if self.kind.is_lookup() {
            format!("_{}_value", self.logical_name)
        } else {
            self.logical_name.clone()
        }
    }

    /// The label of a choice value, from metadata.
    #[must_use]
    pub fn label_of(&self, value: i64) -> Option<&str> {
        self.choices
            .iter()
            .find(|choice| choice.value == value)
            .map(|choice| choice.label.as_str())
    }
}

/// One value of a choice column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The number that records carry (0 and 1 for booleans).
    pub value: i64,
    /// The label in the user's language.
    pub label: String,
    /// For a status reason: the state it belongs to.
    pub state: Option<i64>,
}

/// How a column's values are stored, compared and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// One line of text.
    Text,
    /// Several lines of text.
    Memo,
    /// A 32-bit integer.
    Integer,
    /// A 64-bit integer, such as `versionnumber`.
    BigInteger,
    /// A decimal number; the record keeps the digits as delivered.
    Decimal,
    /// A floating-point number.
    Double,
    /// An amount in the record's currency.
    Money,
    /// A two-options column.
    Boolean,
    /// One of a list of numbered labels.
    Choice,
    /// The record's state.
    State,
    /// The record's status reason.
    Status,
    /// Several of a list of numbered labels; records carry `1,2,3`.
    MultiChoice,
    /// A moment, in UTC.
    DateTime,
    /// A calendar day without time zone.
    DateOnly,
    /// A reference to a record of one or more tables.
    Lookup,
    /// A reference to an account or a contact.
    Customer,
    /// A reference to a user or a team.
    Owner,
    /// A GUID that is no reference, the primary id among them.
    UniqueId,
    /// A kind that this version does not know: kept and shown as it is delivered.
    Other,
}

impl ColumnKind {
    /// Whether records carry the column as `_name_value`.
    #[must_use]
    pub const fn is_lookup(self) -> bool {
        matches!(self, Self::Lookup | Self::Customer | Self::Owner)
    }

    /// Whether values are numbers with labels.
    #[must_use]
    pub const fn has_labels(self) -> bool {
        matches!(
            self,
            Self::Boolean | Self::Choice | Self::State | Self::Status | Self::MultiChoice
        )
    }

    /// Whether digits after the decimal point matter as delivered.
    #[must_use]
    pub const fn is_decimal(self) -> bool {
        matches!(self, Self::Decimal | Self::Double | Self::Money)
    }

    /// Whether full-text search covers the column.
    #[must_use]
    pub const fn is_searchable(self) -> bool {
        matches!(self, Self::Text | Self::Memo)
    }
}
