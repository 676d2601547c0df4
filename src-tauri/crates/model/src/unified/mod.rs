//! The unified CRM model: five objects that programs read and write without knowing Dataverse.
//!
//! An object is a projection of a record as it was delivered ([`Delivered`]) with the table's metadata
//! and what other records say ([`Known`]). The way back, from a body to Dataverse's attributes, is in
//! [`write`]. JSON is snake_case; every field is always there, null where nothing is known.

mod account;
mod contact;
mod decimal;
mod delivered;
mod lead;
mod opportunity;
mod projection;
mod reach;
mod user;
pub mod write;

#[cfg(test)]
mod tests;

use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

pub use account::Account;
pub use contact::Contact;
pub use decimal::Decimal;
pub use delivered::{Delivered, Reference};
pub use lead::{Lead, LeadStatus};
pub use opportunity::{Opportunity, OpportunityStatus, Progress};
pub use projection::{Known, Labels, Projection, Wanted};
pub use reach::{
    Address, AddressType, EmailAddress, EmailAddressType, PhoneNumber, PhoneNumberType,
};
pub use user::User;

/// The kinds of unified objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Object {
    /// Firms.
    Account,
    /// People at them.
    Contact,
    /// Who may become a customer.
    Lead,
    /// Deals.
    Opportunity,
    /// People who work with Dynamics 365.
    User,
}

impl Object {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Account,
        Self::Contact,
        Self::Lead,
        Self::Opportunity,
        Self::User,
    ];

    /// The object of a table, by its logical name; `None` for every table but five.
    #[must_use]
    pub fn of_table(table: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|object| object.table() == table)
    }

    /// The object of a segment in addresses: `accounts`.
    #[must_use]
    pub fn of_segment(segment: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|object| object.segment() == segment)
    }

    /// Logical name of its table.
    #[must_use]
    pub const fn table(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Contact => "contact",
            Self::Lead => "lead",
            Self::Opportunity => "opportunity",
            Self::User => "systemuser",
        }
    }

    /// Its name: `account`, `user`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            other => other.table(),
        }
    }

    /// Its segment in addresses: `accounts`, `users`.
    #[must_use]
    pub const fn segment(self) -> &'static str {
        match self {
            Self::Account => "accounts",
            Self::Contact => "contacts",
            Self::Lead => "leads",
            Self::Opportunity => "opportunities",
            Self::User => "users",
        }
    }
}

/// What every object has.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Head {
    /// The record's id.
    pub id: Uuid,
    /// When it was created: the original date of a record that was migrated. ISO 8601, in UTC.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub created_at: Option<String>,
    /// When it was changed. ISO 8601, in UTC.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub updated_at: Option<String>,
    /// The same as `updated_at`.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub last_modified_at: Option<String>,
    /// Whether the organisation deleted it.
    pub is_deleted: bool,
    /// Who owns it: a user or a team.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub owner_id: Option<Uuid>,
    /// Which of the two it is.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub owner_type: Option<OwnerType>,
    /// The record as Dataverse gave it; there only where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub raw_data: Option<Box<RawValue>>,
}

/// Who an owner is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum OwnerType {
    /// A user.
    User,
    /// A team.
    Team,
}

/// How far somebody has come on the way to being a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum LifecycleStage {
    /// Wants to hear of us.
    Subscriber,
    /// May become a customer.
    Lead,
    /// Marketing thinks so.
    MarketingQualifiedLead,
    /// Sales thinks so.
    SalesQualifiedLead,
    /// There is a deal.
    Opportunity,
    /// Is one.
    Customer,
    /// Speaks well of us.
    Evangelist,
    /// Something else.
    Other,
}

/// A unified object.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Unified {
    /// A firm.
    Account(Box<Account>),
    /// A person.
    Contact(Box<Contact>),
    /// Who may become a customer.
    Lead(Box<Lead>),
    /// A deal.
    Opportunity(Box<Opportunity>),
    /// A person who works with Dynamics 365.
    User(Box<User>),
}

impl Unified {
    /// What every object has.
    #[must_use]
    pub fn head(&self) -> &Head {
        match self {
            Self::Account(account) => &account.head,
            Self::Contact(contact) => &contact.head,
            Self::Lead(lead) => &lead.head,
            Self::Opportunity(opportunity) => &opportunity.head,
            Self::User(user) => &user.head,
        }
    }

    /// Its kind.
    #[must_use]
    pub const fn object(&self) -> Object {
        match self {
            Self::Account(_) => Object::Account,
            Self::Contact(_) => Object::Contact,
            Self::Lead(_) => Object::Lead,
            Self::Opportunity(_) => Object::Opportunity,
            Self::User(_) => Object::User,
        }
    }

    /// As JSON.
    #[must_use]
    pub fn json(&self) -> String {
        // Nothing in an object can fail to be written: its keys are text, its amounts are numbers.
        serde_json::to_string(self).unwrap_or_default()
    }
}
