//! Tables and their columns, as metadata shows them.

use std::sync::LazyLock;

use super::tables::tables;

/// Kinds of columns, by the names of `AttributeType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Memo,
    Integer,
    BigInt,
    Decimal,
    Double,
    Money,
    Boolean,
    Picklist,
    State,
    Status,
    MultiSelect,
    DateTime,
    /// A date-time that no time zone moves.
    FixedDateTime,
    DateOnly,
    Lookup,
    Customer,
    Owner,
    Id,
    Image,
    File,
    EntityName,
    ManagedProperty,
}

/// An option: its value, its label, and for a status reason the state it belongs to.
pub type Choice = (i64, &'static str, Option<i64>);

/// A column.
#[derive(Debug, Clone)]
pub struct Column {
    pub name: String,
    /// The property's name in records.
    pub wire: String,
    /// The name as it was typed by who made the column; navigation properties of custom lookups
    /// carry it.
    pub schema: String,
    pub label: String,
    pub kind: Kind,
    pub targets: Vec<&'static str>,
    pub options: Vec<Choice>,
    /// The global option set that the options come from.
    pub global: Option<&'static str>,
    /// Came by the control interface, after the organisation had begun.
    pub added: bool,
}

impl Column {
    /// A column of the organisation's own, as the control interface adds one.
    pub fn added(name: &str, label: &str, kind: Kind) -> Self {
        let mut column = Self {
            name: name.to_owned(),
            wire: String::new(),
            schema: name.to_owned(),
            label: label.to_owned(),
            kind,
            targets: Vec::new(),
            options: Vec::new(),
            global: None,
            added: true,
        };
        column.name_wire();
        column
    }

    pub fn name_wire(&mut self) {
        self.wire = if self.is_lookup() {
            format!("_{}_value", self.name)
        } else {
            self.name.clone()
        };
    }

    pub fn is_lookup(&self) -> bool {
        matches!(self.kind, Kind::Lookup | Kind::Customer | Kind::Owner)
    }

    pub fn is_choice(&self) -> bool {
        matches!(
            self.kind,
            Kind::Picklist | Kind::State | Kind::Status | Kind::MultiSelect | Kind::Boolean
        )
    }

    pub fn is_custom(&self) -> bool {
        self.added || self.name.starts_with("nrv_")
    }

    /// Whether a client may write it; others are ignored when they are sent.
    pub fn is_writable(&self) -> bool {
        !matches!(self.kind, Kind::EntityName | Kind::ManagedProperty)
            && !matches!(
                self.name.as_str(),
                "createdon"
                    | "modifiedon"
                    | "createdby"
                    | "modifiedby"
                    | "createdonbehalfby"
                    | "modifiedonbehalfby"
                    | "owninguser"
                    | "owningteam"
                    | "owningbusinessunit"
                    | "fullname"
                    | "exchangerate"
                    | "versionnumber"
            )
            && !self.name.ends_with("_base")
            && !self.name.ends_with("_composite")
    }

    /// The navigation property that leads to a row of `target`.
    pub fn navigation(&self, table: &str, target: &str) -> String {
        match self.kind {
            Kind::Owner => self.name.clone(),
            _ if self.name == "regardingobjectid" => format!("{}_{target}_{table}", self.name),
            Kind::Customer => format!("{}_{target}", self.name),
            _ if self.is_custom() => self.schema.clone(),
            _ => self.name.clone(),
        }
    }

    /// The collection-valued navigation property at the other end.
    pub fn relationship(&self, table: &str, target: &str) -> String {
        match (table, self.name.as_str(), target) {
            ("contact", "parentcustomerid", "account") => "contact_customer_accounts".into(),
            ("contact", "parentcustomerid", _) => "contact_customer_contacts".into(),
            ("opportunity", "customerid", "account") => "opportunity_customer_accounts".into(),
            ("opportunity", "customerid", _) => "opportunity_customer_contacts".into(),
            ("account", "primarycontactid", _) => "account_primary_contact".into(),
            ("opportunity", "originatingleadid", _) => "opportunity_originating_lead".into(),
            ("task", "regardingobjectid", "account") => "Account_Tasks".into(),
            ("task", "regardingobjectid", "contact") => "Contact_Tasks".into(),
            ("task", "regardingobjectid", "opportunity") => "Opportunity_Tasks".into(),
            ("task", "regardingobjectid", _) => "Lead_Tasks".into(),
            ("opportunitysalesprocess", "opportunityid", _) => {
                "opportunity_opportunitysalesprocess".into()
            }
            (_, "ownerid", _) => format!("owner_{target}_{table}s"),
            (_, "owninguser", _) => format!("user_{table}s"),
            (_, "owningteam", _) => format!("team_{table}s"),
            (_, "owningbusinessunit", _) => format!("business_unit_{table}s"),
            (_, "createdby" | "modifiedby" | "createdonbehalfby" | "modifiedonbehalfby", _) => {
                format!("lk_{table}base_{}", self.name)
            }
            (_, "transactioncurrencyid", _) => format!("transactioncurrency_{table}"),
            (_, name, _) => match name
                .strip_prefix("parent")
                .and_then(|rest| rest.strip_suffix("id"))
            {
                Some(parent) => format!("{table}_parent_{parent}"),
                None => format!("{target}_{table}_{name}"),
            },
        }
    }
}

/// An alternate key.
#[derive(Debug, Clone)]
pub struct Key {
    pub name: &'static str,
    pub label: &'static str,
    pub columns: Vec<&'static str>,
}

/// A table.
#[derive(Debug, Clone)]
pub struct Table {
    pub name: &'static str,
    pub set: &'static str,
    pub schema: &'static str,
    pub label: &'static str,
    pub plural: &'static str,
    pub primary_id: &'static str,
    pub primary_name: &'static str,
    pub type_code: i64,
    pub tracked: bool,
    pub rows: u64,
    /// Rows a page holds at most: elastic tables give 500.
    pub largest_page: usize,
    pub keys: Vec<Key>,
    pub columns: Vec<Column>,
    /// Dropped through the control interface: as if it never was.
    pub dropped: bool,
}

impl Table {
    pub fn is_custom(&self) -> bool {
        self.name.starts_with("nrv_")
    }

    pub fn is_activity(&self) -> bool {
        self.primary_id == "activityid"
    }

    pub fn is_elastic(&self) -> bool {
        self.largest_page < 5_000
    }

    /// The column of this logical name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The column of this property name.
    pub fn property(&self, wire: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.wire == wire)
    }
}

/// All tables as they are at first; a table's number is its place here.
pub static TABLES: LazyLock<Vec<Table>> = LazyLock::new(tables);

pub const ACCOUNT: usize = 0;
pub const CONTACT: usize = 1;
pub const LEAD: usize = 2;
pub const OPPORTUNITY: usize = 3;
pub const USER: usize = 4;
pub const TEAM: usize = 5;
pub const CURRENCY: usize = 6;
pub const UNIT: usize = 7;
pub const ORGANIZATION: usize = 8;
pub const SERVICE_LINE: usize = 9;
pub const TASK: usize = 10;
pub const STAGE: usize = 11;
pub const SALES_PROCESS: usize = 12;
pub const WORKFLOW: usize = 13;
pub const READING: usize = 14;

/// The number of the table with this logical name or set name.
pub fn number(name: &str) -> Option<usize> {
    TABLES
        .iter()
        .position(|table| table.name == name || table.set == name)
}
