//! What lists are filtered and sorted by, field by field.

use super::fields::{Field, To, find};
use crate::unified::Object;
use crate::unified::account::{CUSTOMER, PROSPECT};
use crate::unified::lead::QUALIFIED;

/// How records are found by a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sought {
    /// By a column that holds its value.
    Column(&'static str),
    /// By a column that holds numbers for its words. Every other number, as none, is a field without a
    /// value.
    Words {
        /// Logical name of the column.
        column: &'static str,
        /// The words with their numbers.
        words: &'static [(&'static str, i64)],
    },
    /// By the ids that a column holds: it holds others too, which are none of this field's.
    Ids(&'static str),
    /// By none: its value is made of several columns, or stands in other records. These columns, by
    /// their logical names, can be used instead.
    Instead(&'static [&'static str]),
}

/// How records of an object are found by a field; `None` where it has no such field.
#[must_use]
pub fn sought(object: Object, field: &str) -> Option<Sought> {
    find(object, field).map(Field::sought)
}

impl Field {
    fn sought(&self) -> Sought {
        match self.to {
            To::Column(column) => Sought::Column(column),
            To::Reference { column, .. } => match self.name {
                "account_id" => Sought::Instead(&["parentaccountid", "customerid"]),
                "contact_id" => Sought::Instead(&["parentcontactid", "customerid"]),
                _ => Sought::Column(column),
            },
            To::Nothing { sought, .. } => sought,
            To::Customer { .. } => Sought::Ids("parentcustomerid"),
            To::Owner => Sought::Column("ownerid"),
            To::OwnerType => Sought::Instead(&["ownerid"]),
            To::Currency => Sought::Instead(&["transactioncurrencyid"]),
            To::Lifecycle => Sought::Words {
                column: "customertypecode",
                words: &[("customer", CUSTOMER), ("lead", PROSPECT)],
            },
            To::LeadStatus => Sought::Words {
                column: "statecode",
                words: &[("OPEN", 0), ("QUALIFIED", QUALIFIED), ("DISQUALIFIED", 2)],
            },
            To::OpportunityStatus => Sought::Words {
                column: "statecode",
                words: &[("OPEN", 0), ("WON", 1), ("LOST", 2)],
            },
            To::Amount => Sought::Instead(&["estimatedvalue", "actualvalue"]),
            To::CloseDate => Sought::Instead(&["estimatedclosedate", "actualclosedate"]),
            To::Addresses => Sought::Instead(&[
                "address1_line1",
                "address1_postalcode",
                "address1_city",
                "address1_country",
            ]),
            To::PhoneNumbers => Sought::Instead(&[
                "telephone1",
                "telephone2",
                "telephone3",
                "mobilephone",
                "fax",
            ]),
            To::EmailAddresses => {
                Sought::Instead(&["emailaddress1", "emailaddress2", "emailaddress3"])
            }
        }
    }
}
