//! Contacts.

use serde::Serialize;
use uuid::Uuid;

use super::projection::Reading;
use super::{Address, EmailAddress, Head, LifecycleStage, PhoneNumber};

/// A person.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Contact {
    /// What every object has.
    #[serde(flatten)]
    pub head: Head,
    /// First name.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub first_name: Option<String>,
    /// Last name.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub last_name: Option<String>,
    /// What they do.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub title: Option<String>,
    /// Addresses.
    pub addresses: Vec<Address>,
    /// E-mail addresses.
    pub email_addresses: Vec<EmailAddress>,
    /// Telephone numbers.
    pub phone_numbers: Vec<PhoneNumber>,
    /// The account that they belong to; null where they belong to another contact.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub account_id: Option<Uuid>,
    /// Null: Dataverse has no such thing for contacts.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub lifecycle_stage: Option<LifecycleStage>,
    /// The last activity; null while activities are not mirrored.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub last_activity_at: Option<String>,
}

impl Contact {
    pub(super) fn read(reading: &Reading<'_>, head: Head) -> Self {
        let record = reading.record;
        Self {
            head,
            first_name: record.text("firstname"),
            last_name: record.text("lastname"),
            title: record.text("jobtitle"),
            addresses: super::reach::addresses(record),
            email_addresses: super::reach::email_addresses(record),
            phone_numbers: super::reach::phone_numbers(record),
            account_id: reading.id_of("parentcustomerid", "account"),
            lifecycle_stage: None,
            last_activity_at: None,
        }
    }
}
