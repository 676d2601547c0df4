//! From a body with unified fields to Dataverse's attributes. Only the fields that are present are
//! written; what cannot be written is said, field by field.

mod addresses;
mod custom;
mod fields;
mod problem;
mod reach;
mod sought;
mod values;

#[cfg(test)]
mod reach_tests;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

pub use fields::{FieldInfo, FieldKind, fields};
pub use problem::Problem;
pub use sought::{Sought, sought};

use super::{Delivered, Object};
use crate::{ColumnMetadata, TableMetadata};
use fields::{Field, To};
use values::Found;

/// What a body is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A new record.
    Create,
    /// An existing one.
    Update,
}

/// What other records and the metadata of other tables say.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// Currencies: ISO 4217 code and id.
    pub currencies: Vec<(String, Uuid)>,
    /// The tables of records, where the mirror knows them.
    pub tables: HashMap<Uuid, String>,
    /// Where lookups of `custom_fields` lead, by column and target's table.
    pub navigation: HashMap<(String, String), Navigation>,
}

/// How a lookup is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Navigation {
    /// The single-valued navigation property.
    pub property: String,
    /// Entity set name of the target's table.
    pub set: String,
}

/// How bodies for a table are read.
#[derive(Debug, Clone, Copy)]
pub struct Writing<'a> {
    object: Object,
    table: &'a TableMetadata,
    purpose: Purpose,
    current: Option<&'a Delivered<'a>>,
    around: &'a Surroundings,
}

/// Attributes of a record, for the body of a `POST` or `PATCH`.
#[derive(Debug, Clone, Default)]
pub struct Attributes(Vec<(String, Box<RawValue>)>);

impl Attributes {
    /// Names and values, in the order of the body.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), &**value))
    }

    /// Whether nothing is written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As a JSON object, with the digits that were given.
    #[must_use]
    pub fn json(&self) -> String {
        // Names are text and values are JSON already: nothing can fail to be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    fn put(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        let (name, value) = (name.into(), value.into());
        if let Ok(raw) = serde_json::value::to_raw_value(&value) {
            self.put_raw(name, raw);
        }
    }

    /// What is written twice is written as it was given last.
    fn put_raw(&mut self, name: impl Into<String>, raw: Box<RawValue>) {
        let name = name.into();
        self.0.retain(|(other, _)| *other != name);
        self.0.push((name, raw));
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Logical names of the columns that a body's `custom_fields` name; what else it holds does not matter.
#[must_use]
pub fn custom_columns(body: &RawValue) -> Vec<String> {
    let fields = values::object(body).unwrap_or_default();
    let custom = fields
        .into_iter()
        .filter(|(name, _)| name == custom::FIELD)
        .filter_map(|(_, value)| values::object(value));
    custom.flatten().map(|(name, _)| name).collect()
}

/// Whether a body for an existing record goes to where its fields are now, so that the record has to be
/// known as it is.
#[must_use]
pub fn depends_on_current(object: Object, body: &RawValue) -> bool {
    let fields = values::object(body).unwrap_or_default();
    fields.iter().any(|(name, value)| {
        let is_null = matches!(values::found(value), Found::Null);
        match fields::find(object, name).map(|field| (&field.to, field.customer())) {
            Some((To::Amount | To::CloseDate, _)) => true,
            Some((To::Addresses | To::PhoneNumbers | To::EmailAddresses, _)) => !is_null,
            // Only what is there is emptied.
            Some((To::Customer { .. }, _) | (To::Reference { .. }, Some(_))) => is_null,
            _ => false,
        }
    })
}

impl<'a> Writing<'a> {
    /// `None` for a table that has no unified object. `current` is the record as it is, where it is
    /// known: some fields go to where they are now.
    #[must_use]
    pub fn new(
        table: &'a TableMetadata,
        purpose: Purpose,
        current: Option<&'a Delivered<'a>>,
        around: &'a Surroundings,
    ) -> Option<Self> {
        Some(Self {
            object: Object::of_table(&table.logical_name)?,
            table,
            purpose,
            current: current.filter(|_| purpose == Purpose::Update),
            around,
        })
    }

    /// The attributes of a body.
    ///
    /// # Errors
    /// Everything in it that cannot be written.
    pub fn attributes(&self, body: &RawValue) -> Result<Attributes, Vec<Problem>> {
        let parsed = values::object(body).ok_or_else(|| {
            vec![Problem::WrongType {
                field: "record".to_owned(),
                expected: "an object",
                found: values::kind(body),
            }]
        })?;
        let mut writer = Writer {
            writing: self,
            body: &parsed,
            attributes: Attributes::default(),
            problems: Vec::new(),
        };
        for (name, value) in &parsed {
            writer.field(name, value);
        }
        match writer.problems.is_empty() {
            true => Ok(writer.attributes),
            false => Err(writer.problems),
        }
    }
}

struct Writer<'w> {
    writing: &'w Writing<'w>,
    body: &'w [(String, &'w RawValue)],
    attributes: Attributes,
    problems: Vec<Problem>,
}

impl<'w> Writer<'w> {
    fn field(&mut self, name: &str, value: &RawValue) {
        let written = match name {
            custom::FIELD => return self.custom_fields(value),
            _ => match fields::find(self.writing.object, name) {
                Some(field) => self.write(field, value),
                None => Err(Problem::UnknownField {
                    field: name.to_owned(),
                    object: self.writing.object,
                }),
            },
        };
        if let Err(problem) = written {
            self.problems.push(problem);
        }
    }

    fn write(&mut self, field: &Field, value: &RawValue) -> Result<(), Problem> {
        let name = field.name;
        match field.to {
            To::Nothing { why, .. } => Err(Problem::ReadOnly {
                field: name.to_owned(),
                why,
            }),
            To::Column(column) => {
                let column = self.column(name, column)?;
                self.put_value(name, column, value)
            }
            To::Amount => {
                let column = self.opportunity_column("actualvalue", "estimatedvalue");
                let column = self.column(name, column)?;
                self.put_value(name, column, value)
            }
            To::CloseDate => {
                let column = self.opportunity_column("actualclosedate", "estimatedclosedate");
                let column = self.column(name, column)?;
                self.put_value(name, column, value)
            }
            To::Reference {
                column,
                property,
                target,
            } => {
                self.column(name, column)?;
                let id = values::id(name, value)?;
                self.bind(property, target_set(target), id);
                if let (None, Some(customer)) = (id, field.customer()) {
                    self.clear_customer(customer);
                }
                Ok(())
            }
            To::Customer { target } => {
                self.column(name, "parentcustomerid")?;
                let id = values::id(name, value)?;
                match (id, self.current_table("parentcustomerid")) {
                    // Nobody belongs to an account here: the contact stays where it is.
                    (None, Some(other)) if other != target => Ok(()),
                    _ => {
                        let property = format!("parentcustomerid_{target}");
                        self.bind(&property, target_set(target), id);
                        Ok(())
                    }
                }
            }
            To::Owner => self.owner(value),
            To::OwnerType => self.owner_type(value),
            To::Currency => self.currency(value),
            To::Lifecycle => self.lifecycle(value),
            To::LeadStatus => self.lead_status(value),
            To::OpportunityStatus => self.opportunity_status(value),
            To::Addresses => self.addresses(value),
            To::PhoneNumbers => self.phone_numbers(value),
            To::EmailAddresses => self.email_addresses(value),
        }
    }

    /// A column that the organisation has.
    fn column(&self, field: &str, column: &'static str) -> Result<&'w ColumnMetadata, Problem> {
        let found = self.writing.table.column(column);
        found.ok_or_else(|| Problem::NoColumn {
            field: field.to_owned(),
            table: self.writing.table.logical_name.clone(),
            column,
        })
    }

    fn put_value(
        &mut self,
        field: &str,
        column: &ColumnMetadata,
        value: &RawValue,
    ) -> Result<(), Problem> {
        let raw = values::value(field, column, value)?;
        self.attributes.put_raw(&column.logical_name, raw);
        Ok(())
    }

    /// Binds a lookup, or empties it. A new record has nothing to empty.
    fn bind(&mut self, property: &str, set: &str, id: Option<Uuid>) {
        let name = format!("{property}@odata.bind");
        match id {
            Some(id) => self.attributes.put(name, format!("/{set}({id})")),
            None if self.writing.purpose == Purpose::Update => {
                self.attributes.put(name, Value::Null);
            }
            None => {}
        }
    }

    /// The column that a closed opportunity's value is read from, else the usual one.
    fn opportunity_column(&self, closed: &'static str, usual: &'static str) -> &'static str {
        let Some(current) = self.writing.current else {
            return usual;
        };
        let is_closed = matches!(current.integer("statecode"), Some(1 | 2));
        match is_closed && current.value(closed).is_some() {
            true => closed,
            false => usual,
        }
    }

    /// The table that a lookup points to now, where that is known.
    fn current_table(&self, column: &str) -> Option<String> {
        let found = self.writing.current?.reference(column)?;
        found
            .table
            .or_else(|| self.writing.around.tables.get(&found.id).cloned())
    }

    /// An opportunity's customer stands for the account or contact that it names nowhere else.
    fn clear_customer(&mut self, table: &str) {
        if self.current_table("customerid").as_deref() == Some(table) {
            self.bind(&format!("customerid_{table}"), target_set(table), None);
        }
    }

    fn owner(&mut self, value: &RawValue) -> Result<(), Problem> {
        let id = values::id("owner_id", value)?.ok_or(Problem::Required { field: "owner_id" })?;
        let given = self.body.iter().find(|(name, _)| name == "owner_type");
        let kind = match given.map(|(_, value)| values::found(value)) {
            Some(Found::Text(text)) if text == "team" => "team",
            // What else it may be is said of the field itself.
            Some(Found::Text(_)) => "systemuser",
            _ => match self.writing.around.tables.get(&id).map(String::as_str) {
                Some("team") => "team",
                _ => "systemuser",
            },
        };
        self.bind("ownerid", target_set(kind), Some(id));
        Ok(())
    }

    fn owner_type(&mut self, value: &RawValue) -> Result<(), Problem> {
        let has_owner = self.body.iter().any(|(name, _)| name == "owner_id");
        match values::found(value) {
            Found::Null => Ok(()),
            Found::Text(text) if matches!(text.as_str(), "user" | "team") => match has_owner {
                true => Ok(()),
                false => Err(Problem::Alone {
                    field: "owner_type",
                    with: "owner_id",
                }),
            },
            found => Err(found.not_one_of("owner_type", &["user", "team"])),
        }
    }

    fn currency(&mut self, value: &RawValue) -> Result<(), Problem> {
        self.column("currency", "transactioncurrencyid")?;
        let code = values::text("currency", value)?;
        let id = match code {
            None => None,
            Some(code) => {
                let known = &self.writing.around.currencies;
                let same = |(own, _): &&(String, Uuid)| own.eq_ignore_ascii_case(code.trim());
                let found = known.iter().find(same);
                Some(found.map(|(_, id)| *id).ok_or_else(|| {
                    let codes = known.iter().map(|(own, _)| own.clone()).collect();
                    Problem::unknown_label("currency", &code, codes)
                })?)
            }
        };
        self.bind("transactioncurrencyid", "transactioncurrencies", id);
        Ok(())
    }

    fn lifecycle(&mut self, value: &RawValue) -> Result<(), Problem> {
        use super::account::{CUSTOMER, PROSPECT};
        let column = self.column("lifecycle_stage", "customertypecode")?;
        let number = match values::found(value) {
            Found::Null => None,
            Found::Text(text) if text == "customer" => Some(CUSTOMER),
            Found::Text(text) if text == "lead" => Some(PROSPECT),
            found => return Err(found.not_one_of("lifecycle_stage", &["customer", "lead"])),
        };
        self.attributes.put(&column.logical_name, number);
        Ok(())
    }

    fn lead_status(&mut self, value: &RawValue) -> Result<(), Problem> {
        let state = match values::found(value) {
            Found::Text(text) if text == "OPEN" => 0,
            Found::Text(text) if text == "DISQUALIFIED" => 2,
            Found::Text(text) if text == "QUALIFIED" => {
                return Err(Problem::NeedsAction {
                    field: "status",
                    value: "QUALIFIED",
                    action: "QualifyLead",
                });
            }
            found => {
                return Err(found.not_one_of("status", &["OPEN", "QUALIFIED", "DISQUALIFIED"]));
            }
        };
        self.state(state, "lead")
    }

    fn opportunity_status(&mut self, value: &RawValue) -> Result<(), Problem> {
        let needs = |value, action| {
            Err(Problem::NeedsAction {
                field: "status",
                value,
                action,
            })
        };
        match values::found(value) {
            Found::Text(text) if text == "OPEN" => self.state(0, "opportunity"),
            Found::Text(text) if text == "WON" => needs("WON", "WinOpportunity"),
            Found::Text(text) if text == "LOST" => needs("LOST", "LoseOpportunity"),
            found => Err(found.not_one_of("status", &["OPEN", "WON", "LOST"])),
        }
    }

    /// Sets a state. A new record is open, and can be nothing else.
    fn state(&mut self, state: i64, what: &'static str) -> Result<(), Problem> {
        match (self.writing.purpose, state) {
            (Purpose::Create, 0) => Ok(()),
            (Purpose::Create, _) => Err(Problem::NewIsOpen { what }),
            (Purpose::Update, _) => {
                self.column("status", "statecode")?;
                self.attributes.put("statecode", state);
                Ok(())
            }
        }
    }
}

/// Entity set name of a table that lookups of the five point to, the same in every organisation.
pub(super) fn target_set(table: &str) -> &'static str {
    match table {
        "account" => "accounts",
        "contact" => "contacts",
        "lead" => "leads",
        "opportunity" => "opportunities",
        "team" => "teams",
        _ => "systemusers",
    }
}
