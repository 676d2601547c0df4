//! Leads.

use serde::Serialize;
use uuid::Uuid;

use super::projection::Reading;
use super::{Address, EmailAddress, Head, PhoneNumber};

/// Who may become a customer.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Lead {
    /// What every object has.
    #[serde(flatten)]
    pub head: Head,
    /// The organisation's own label of where it came from.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub lead_source: Option<String>,
    /// What they do.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub title: Option<String>,
    /// Their firm.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub company: Option<String>,
    /// First name.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub first_name: Option<String>,
    /// Last name.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub last_name: Option<String>,
    /// Addresses.
    pub addresses: Vec<Address>,
    /// E-mail addresses.
    pub email_addresses: Vec<EmailAddress>,
    /// Telephone numbers.
    pub phone_numbers: Vec<PhoneNumber>,
    /// Its state, whatever status reasons the organisation has.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub status: Option<LeadStatus>,
    /// When it was seen to be qualified, else when the opportunity was made. ISO 8601, in UTC.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub converted_date: Option<String>,
    /// The contact that it became.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub converted_contact_id: Option<Uuid>,
    /// The account that it became.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub converted_account_id: Option<Uuid>,
    /// The opportunity that it became.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub converted_opportunity_id: Option<Uuid>,
}

/// The state of a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum LeadStatus {
    /// Being worked on.
    Open,
    /// Became an account, a contact or an opportunity.
    Qualified,
    /// Came to nothing.
    Disqualified,
}

impl LeadStatus {
    /// The status of a `statecode`.
    #[must_use]
    pub const fn of_state(state: Option<i64>) -> Option<Self> {
        match state {
            Some(0) => Some(Self::Open),
            Some(QUALIFIED) => Some(Self::Qualified),
            Some(2) => Some(Self::Disqualified),
            _ => None,
        }
    }
}

/// `statecode` of a qualified lead.
pub const QUALIFIED: i64 = 1;

impl Lead {
    pub(super) fn read(reading: &Reading<'_>, head: Head) -> Self {
        let record = reading.record;
        let status = LeadStatus::of_state(record.integer("statecode"));
        let is_qualified = status == Some(LeadStatus::Qualified);
        let converted = |column: &str, table: &str| {
            let found = reading.id_of(column, table);
            found.filter(|_| is_qualified)
        };
        let converted_date = reading.known.converted.get(&head.id).cloned();
        Self {
            lead_source: reading.label("leadsourcecode"),
            title: record.text("jobtitle"),
            company: record.text("companyname"),
            first_name: record.text("firstname"),
            last_name: record.text("lastname"),
            addresses: super::reach::addresses(record),
            email_addresses: super::reach::email_addresses(record),
            phone_numbers: super::reach::phone_numbers(record),
            status,
            converted_date: converted_date.filter(|_| is_qualified),
            converted_contact_id: converted("parentcontactid", "contact"),
            converted_account_id: converted("parentaccountid", "account"),
            converted_opportunity_id: converted("qualifyingopportunityid", "opportunity"),
            head,
        }
    }
}
