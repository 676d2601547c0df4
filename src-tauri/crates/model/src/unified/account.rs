//! Accounts.

use serde::Serialize;
use uuid::Uuid;

use super::projection::Reading;
use super::{Address, Decimal, EmailAddress, Head, LifecycleStage, PhoneNumber};

/// A firm.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Account {
    /// What every object has.
    #[serde(flatten)]
    pub head: Head,
    /// Name.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub name: Option<String>,
    /// What is noted of it.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub description: Option<String>,
    /// The organisation's own label of its industry.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub industry: Option<String>,
    /// Address of its website.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub website: Option<String>,
    /// People who work there.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub number_of_employees: Option<i64>,
    /// Addresses.
    pub addresses: Vec<Address>,
    /// Telephone numbers.
    pub phone_numbers: Vec<PhoneNumber>,
    /// E-mail addresses.
    pub email_addresses: Vec<EmailAddress>,
    /// The account that it belongs to.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub parent_account_id: Option<Uuid>,
    /// The contact to turn to.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub primary_contact_id: Option<Uuid>,
    /// Revenue a year, in `currency`.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub annual_revenue: Option<Decimal>,
    /// ISO 4217 code of its amounts' currency.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub currency: Option<String>,
    /// `customer` and `lead` (a prospect) as the relationship type says; null for every other.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub lifecycle_stage: Option<LifecycleStage>,
    /// The last activity; null while activities are not mirrored.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub last_activity_at: Option<String>,
}

/// `customertypecode` of a customer.
pub(super) const CUSTOMER: i64 = 3;
/// `customertypecode` of a prospect.
pub(super) const PROSPECT: i64 = 8;

impl Account {
    pub(super) fn read(reading: &Reading<'_>, head: Head) -> Self {
        let record = reading.record;
        Self {
            head,
            name: record.text("name"),
            description: record.text("description"),
            industry: reading.label("industrycode"),
            website: record.text("websiteurl"),
            number_of_employees: record.integer("numberofemployees"),
            addresses: super::reach::addresses(record),
            phone_numbers: super::reach::phone_numbers(record),
            email_addresses: super::reach::email_addresses(record),
            parent_account_id: reading.id_of("parentaccountid", "account"),
            primary_contact_id: reading.id_of("primarycontactid", "contact"),
            annual_revenue: record.decimal("revenue"),
            currency: reading.currency(),
            lifecycle_stage: match record.integer("customertypecode") {
                Some(CUSTOMER) => Some(LifecycleStage::Customer),
                Some(PROSPECT) => Some(LifecycleStage::Lead),
                _ => None,
            },
            last_activity_at: None,
        }
    }
}
