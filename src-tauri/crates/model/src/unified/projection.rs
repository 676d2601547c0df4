//! From a record to an object.

use std::collections::{HashMap, HashSet};

use serde_json::value::RawValue;
use uuid::Uuid;

use super::lead::QUALIFIED;
use super::{
    Account, Contact, Delivered, Head, Lead, Object, Opportunity, OwnerType, Progress, Reference,
    Unified, User,
};
use crate::TableMetadata;

/// What other records say, gathered for a page of records at once.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// ISO 4217 codes of currencies, by their ids.
    pub currencies: HashMap<Uuid, String>,
    /// The tables of records that lookups point to.
    pub tables: HashMap<Uuid, String>,
    /// Names of stages and processes that a record holds the ids of.
    pub names: HashMap<Uuid, String>,
    /// When leads were converted, by their ids. ISO 8601, in UTC.
    pub converted: HashMap<Uuid, String>,
    /// How far the process instances of opportunities have come, by the opportunities' ids.
    pub progress: HashMap<Uuid, Progress>,
}

/// What has to be known of other records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Ids of currencies.
    pub currencies: HashSet<Uuid>,
    /// Records that lookups point to, with the tables that they may be in.
    pub untyped: HashMap<Uuid, Vec<String>>,
    /// Qualified leads, each with its qualifying opportunity.
    pub qualified: HashMap<Uuid, Option<Uuid>>,
    /// Opportunities.
    pub opportunities: HashSet<Uuid>,
    /// Stages and processes without a name.
    pub unnamed: HashSet<Uuid>,
}

/// Which of a choice's two labels goes first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Labels {
    /// The one that came with the record: it is as new as the record.
    #[default]
    Delivered,
    /// The metadata's: a mirrored record is older than the metadata, and a label may have changed
    /// since.
    Metadata,
}

/// Lookups whose table has to be known, and the tables that they point to in every organisation.
const TYPED: [(&str, &[&str]); 3] = [
    ("ownerid", &["systemuser", "team"]),
    ("parentcustomerid", &["account", "contact"]),
    ("customerid", &["account", "contact"]),
];

/// Makes objects of a table's records.
#[derive(Debug, Clone, Copy)]
pub struct Projection<'a> {
    object: Object,
    table: &'a TableMetadata,
    labels: Labels,
}

impl<'a> Projection<'a> {
    /// `None` for a table that has no unified object.
    #[must_use]
    pub fn new(table: &'a TableMetadata, labels: Labels) -> Option<Self> {
        Some(Self {
            object: Object::of_table(&table.logical_name)?,
            table,
            labels,
        })
    }

    /// The kind of object that it makes.
    #[must_use]
    pub const fn object(&self) -> Object {
        self.object
    }

    /// Adds what has to be known of other records for this one.
    pub fn want(&self, record: &Delivered<'_>, wanted: &mut Wanted) {
        let nothing = Known::default();
        let reading = self.reading(record, &nothing);
        if let Some(currency) = record.reference("transactioncurrencyid") {
            wanted.currencies.insert(currency.id);
        }
        for (column, tables) in TYPED {
            if let Some(Reference { id, table: None }) = reading.reference(column) {
                let of_metadata = self.table.column(column).map(|column| &column.targets);
                let targets = match of_metadata {
                    Some(targets) if !targets.is_empty() => targets.clone(),
                    _ => tables.iter().map(|name| (*name).to_owned()).collect(),
                };
                wanted.untyped.insert(id, targets);
            }
        }
        let own_id = record.id(&self.table.primary_id);
        match (self.object, own_id) {
            (Object::Lead, Some(id)) if record.integer("statecode") == Some(QUALIFIED) => {
                let opportunity = record.reference("qualifyingopportunityid");
                wanted
                    .qualified
                    .insert(id, opportunity.map(|found| found.id));
            }
            (Object::Opportunity, Some(id)) => {
                wanted.opportunities.insert(id);
                for column in ["stageid", "processid"] {
                    let id = record.reference(column).map(|found| found.id);
                    if record.reference_name(column).is_none()
                        && let Some(id) = id.or_else(|| record.id(column))
                    {
                        wanted.unnamed.insert(id);
                    }
                }
            }
            _ => {}
        }
    }

    /// The object of a record. `id` is the record's, `raw` its JSON where it is to be given back.
    #[must_use]
    pub fn object_of(
        &self,
        id: Uuid,
        record: &Delivered<'_>,
        is_deleted: bool,
        known: &Known,
        raw: Option<Box<RawValue>>,
    ) -> Unified {
        let reading = self.reading(record, known);
        let modified = record.filled("modifiedon");
        let owner = reading.owner();
        let head = Head {
            id,
            created_at: record.filled("createdon"),
            updated_at: modified.clone(),
            last_modified_at: modified,
            is_deleted,
            owner_id: owner.as_ref().map(|(id, _)| *id),
            owner_type: owner.and_then(|(_, kind)| kind),
            raw_data: raw,
        };
        match self.object {
            Object::Account => Unified::Account(Box::new(Account::read(&reading, head))),
            Object::Contact => Unified::Contact(Box::new(Contact::read(&reading, head))),
            Object::Lead => Unified::Lead(Box::new(Lead::read(&reading, head))),
            Object::Opportunity => {
                Unified::Opportunity(Box::new(Opportunity::read(&reading, head)))
            }
            Object::User => Unified::User(Box::new(User::read(&reading, head))),
        }
    }

    fn reading<'r>(&'r self, record: &'r Delivered<'r>, known: &'r Known) -> Reading<'r> {
        Reading {
            table: self.table,
            labels: self.labels,
            record,
            known,
        }
    }
}

/// A record that is read, with everything that is known of it.
pub(super) struct Reading<'r> {
    pub record: &'r Delivered<'r>,
    pub known: &'r Known,
    table: &'r TableMetadata,
    labels: Labels,
}

impl Reading<'_> {
    /// The organisation's own label of a choice. A value that nobody labelled has none: its number
    /// stands for it.
    pub fn label(&self, column: &str) -> Option<String> {
        let value = self.record.value(column)?;
        let number = self.record.integer(column);
        let of_metadata = || {
            let label = self.table.column(column)?.label_of(number?)?;
            Some(label.to_owned()).filter(|label| !label.is_empty())
        };
        let of_record = || self.record.formatted(column);
        let label = match self.labels {
            Labels::Delivered => of_record().or_else(of_metadata),
            Labels::Metadata => of_metadata().or_else(of_record),
        };
        Some(label.unwrap_or_else(|| super::delivered::text(value)))
    }

    /// A lookup with its table: the annotation's, else what the mirror knows, else the only one that
    /// it can point to.
    pub fn reference(&self, column: &str) -> Option<Reference> {
        let found = self.record.reference(column)?;
        let only = || match self.table.column(column)?.targets.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        };
        let table = found
            .table
            .or_else(|| self.known.tables.get(&found.id).cloned())
            .or_else(only);
        Some(Reference { table, ..found })
    }

    /// The id of a lookup, where it points to this table. A column that can only point to one table
    /// needs no proof.
    pub fn id_of(&self, column: &str, table: &str) -> Option<Uuid> {
        let found = self.reference(column)?;
        let is_typed = TYPED.iter().any(|(typed, _)| *typed == column);
        match &found.table {
            Some(name) => (name == table).then_some(found.id),
            None => (!is_typed).then_some(found.id),
        }
    }

    /// ISO 4217 code of the record's currency.
    pub fn currency(&self) -> Option<String> {
        let id = self.record.reference("transactioncurrencyid")?.id;
        self.known.currencies.get(&id).cloned()
    }

    fn owner(&self) -> Option<(Uuid, Option<OwnerType>)> {
        let found = self.reference("ownerid")?;
        let is = |column: &str| {
            let own = self.record.reference(column);
            own.is_some_and(|own| own.id == found.id)
        };
        let kind = match found.table.as_deref() {
            Some("systemuser") => Some(OwnerType::User),
            Some("team") => Some(OwnerType::Team),
            _ if is("owninguser") => Some(OwnerType::User),
            _ if is("owningteam") => Some(OwnerType::Team),
            _ => None,
        };
        Some((found.id, kind))
    }
}
