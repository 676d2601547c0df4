//! Where somebody is reached: addresses, e-mail addresses, telephone numbers.

use serde::Serialize;

use super::Delivered;

/// A postal address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Address {
    /// First line of the street.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub street_1: Option<String>,
    /// Second line of the street, and the third where there is one.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub street_2: Option<String>,
    /// City.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub city: Option<String>,
    /// State or province.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub state: Option<String>,
    /// Postal code.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub postal_code: Option<String>,
    /// Country or region.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub country: Option<String>,
    /// What it is for.
    pub address_type: AddressType,
}

/// What an address is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum AddressType {
    /// The main one.
    Primary,
    /// Bills.
    Billing,
    /// Letters. Dataverse has no such type: it is kept as [`AddressType::Other`].
    Mailing,
    /// Goods.
    Shipping,
    /// Something else, or nobody said.
    #[default]
    Other,
}

/// An e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EmailAddress {
    /// The address.
    pub email_address: String,
    /// What it is for.
    pub email_address_type: EmailAddressType,
}

/// What an e-mail address is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum EmailAddressType {
    /// The main one.
    Primary,
    /// At work. Dataverse has no such type: it is kept as [`EmailAddressType::Other`].
    Work,
    /// Another one.
    Other,
}

/// A telephone number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PhoneNumber {
    /// The number as it was typed.
    pub phone_number: String,
    /// What it is.
    pub phone_number_type: PhoneNumberType,
}

/// What a telephone number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum PhoneNumberType {
    /// The main one.
    Primary,
    /// A mobile telephone.
    Mobile,
    /// A fax.
    Fax,
    /// Another one.
    Other,
}

impl AddressType {
    /// The type of an `addresstypecode`.
    #[must_use]
    pub const fn of_code(code: Option<i64>) -> Self {
        match code {
            Some(1) => Self::Billing,
            Some(2) => Self::Shipping,
            Some(3) => Self::Primary,
            _ => Self::Other,
        }
    }

    /// The `addresstypecode` of a type.
    #[must_use]
    pub const fn code(self) -> i64 {
        match self {
            Self::Billing => 1,
            Self::Shipping => 2,
            Self::Primary => 3,
            Self::Mailing | Self::Other => 4,
        }
    }
}

/// The columns of telephone numbers, in the order in which they are listed.
pub(super) const PHONES: [(&str, PhoneNumberType); 5] = [
    ("telephone1", PhoneNumberType::Primary),
    ("mobilephone", PhoneNumberType::Mobile),
    ("fax", PhoneNumberType::Fax),
    ("telephone2", PhoneNumberType::Other),
    ("telephone3", PhoneNumberType::Other),
];
/// The columns of e-mail addresses, in the order in which they are listed.
pub(super) const EMAILS: [(&str, EmailAddressType); 3] = [
    ("emailaddress1", EmailAddressType::Primary),
    ("emailaddress2", EmailAddressType::Other),
    ("emailaddress3", EmailAddressType::Other),
];
/// Addresses that a record has at most.
pub(super) const ADDRESSES: u8 = 3;

/// The columns of an address.
struct Columns {
    line1: &'static str,
    line2: &'static str,
    line3: &'static str,
    city: &'static str,
    state: &'static str,
    postal_code: &'static str,
    country: &'static str,
    kind: &'static str,
}

macro_rules! columns {
    ($address:literal) => {
        Columns {
            line1: concat!($address, "_line1"),
            line2: concat!($address, "_line2"),
            line3: concat!($address, "_line3"),
            city: concat!($address, "_city"),
            state: concat!($address, "_stateorprovince"),
            postal_code: concat!($address, "_postalcode"),
            country: concat!($address, "_country"),
            kind: concat!($address, "_addresstypecode"),
        }
    };
}

/// Written out, since a page of a thousand records asks for them 24,000 times.
const COLUMNS: [Columns; ADDRESSES as usize] = [
    columns!("address1"),
    columns!("address2"),
    columns!("address3"),
];

/// The addresses in which something is filled in.
pub(super) fn addresses(record: &Delivered<'_>) -> Vec<Address> {
    (1..=ADDRESSES)
        .filter_map(|number| address(record, number))
        .collect()
}

/// One of the addresses; `None` where nothing but its type is filled in.
pub(super) fn address(record: &Delivered<'_>, number: u8) -> Option<Address> {
    let columns = COLUMNS.get(usize::from(number).checked_sub(1)?)?;
    let (second, third) = (record.filled(columns.line2), record.filled(columns.line3));
    let address = Address {
        street_1: record.filled(columns.line1),
        street_2: match (second, third) {
            (Some(second), Some(third)) => Some(format!("{second}, {third}")),
            (second, third) => second.or(third),
        },
        city: record.filled(columns.city),
        state: record.filled(columns.state),
        postal_code: record.filled(columns.postal_code),
        country: record.filled(columns.country),
        address_type: AddressType::of_code(record.integer(columns.kind)),
    };
    let nothing = Address {
        address_type: address.address_type,
        ..Address::default()
    };
    (address != nothing).then_some(address)
}

/// The telephone numbers that are filled in.
pub(super) fn phone_numbers(record: &Delivered<'_>) -> Vec<PhoneNumber> {
    let read = |(column, kind)| {
        Some(PhoneNumber {
            phone_number: record.filled(column)?,
            phone_number_type: kind,
        })
    };
    PHONES.into_iter().filter_map(read).collect()
}

/// The e-mail addresses that are filled in.
pub(super) fn email_addresses(record: &Delivered<'_>) -> Vec<EmailAddress> {
    let read = |(column, kind)| {
        Some(EmailAddress {
            email_address: record.filled(column)?,
            email_address_type: kind,
        })
    };
    EMAILS.into_iter().filter_map(read).collect()
}
