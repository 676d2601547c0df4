//! The fields of each object, and where they are kept.

use super::sought::Sought;
use crate::unified::Object;

/// A field.
pub(super) struct Field {
    pub name: &'static str,
    pub to: To,
    /// What its JSON is.
    pub kind: FieldKind,
}

/// Where a field is kept.
#[derive(Clone, Copy)]
pub(super) enum To {
    /// In a column, as it is.
    Column(&'static str),
    /// In a lookup, through a navigation property.
    Reference {
        column: &'static str,
        property: &'static str,
        target: &'static str,
    },
    /// In a contact's customer.
    Customer {
        target: &'static str,
    },
    Owner,
    OwnerType,
    Currency,
    Lifecycle,
    LeadStatus,
    OpportunityStatus,
    /// In the actual or the estimated value.
    Amount,
    /// In the actual or the estimated date.
    CloseDate,
    Addresses,
    PhoneNumbers,
    EmailAddresses,
    /// It follows from something else.
    Nothing {
        sought: Sought,
        why: &'static str,
    },
}

/// What the JSON of a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// Text.
    Text,
    /// The label of a choice, or its number.
    Label,
    /// A whole number.
    Integer,
    /// A decimal number.
    Decimal,
    /// True or false.
    Boolean,
    /// A day, ISO 8601.
    Day,
    /// A moment, ISO 8601.
    Moment,
    /// A GUID.
    Id,
    /// One of some words.
    Words(&'static [&'static str]),
    /// A list of addresses.
    Addresses,
    /// A list of telephone numbers.
    PhoneNumbers,
    /// A list of e-mail addresses.
    EmailAddresses,
}

/// A field as others see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldInfo {
    /// Its name.
    pub name: &'static str,
    /// What its JSON is.
    pub kind: FieldKind,
    /// Whether a body may hold it.
    pub is_writable: bool,
}

const LIFECYCLE: FieldKind = FieldKind::Words(&["customer", "lead"]);
const OWNERS: FieldKind = FieldKind::Words(&["user", "team"]);
const BY_THE_SERVICE: &str = "Dataverse sets it";
const BY_NOBODY: &str = "activities are not mirrored";
/// No column says anything of it.
const NOWHERE: Sought = Sought::Instead(&[]);

const fn field(name: &'static str, kind: FieldKind, to: To) -> Field {
    Field { name, to, kind }
}

const fn text(name: &'static str, column: &'static str) -> Field {
    field(name, FieldKind::Text, To::Column(column))
}

const fn reference(name: &'static str, column: &'static str, target: &'static str) -> Field {
    let to = To::Reference {
        column,
        property: column,
        target,
    };
    field(name, FieldKind::Id, to)
}

const fn read_only(
    name: &'static str,
    kind: FieldKind,
    sought: Sought,
    why: &'static str,
) -> Field {
    field(name, kind, To::Nothing { sought, why })
}

const CREATED: Field = read_only(
    "created_at",
    FieldKind::Moment,
    Sought::Column("createdon"),
    BY_THE_SERVICE,
);
const UPDATED: Field = read_only(
    "updated_at",
    FieldKind::Moment,
    Sought::Column("modifiedon"),
    BY_THE_SERVICE,
);
const MODIFIED: Field = read_only(
    "last_modified_at",
    FieldKind::Moment,
    Sought::Column("modifiedon"),
    BY_THE_SERVICE,
);
const DELETED: Field = read_only(
    "is_deleted",
    FieldKind::Boolean,
    NOWHERE,
    "delete the record instead",
);
const OWNER: Field = field("owner_id", FieldKind::Id, To::Owner);
const OWNER_TYPE: Field = field("owner_type", OWNERS, To::OwnerType);
const CURRENCY: Field = field("currency", FieldKind::Text, To::Currency);
const ADDRESSES: Field = field("addresses", FieldKind::Addresses, To::Addresses);
const PHONES: Field = field("phone_numbers", FieldKind::PhoneNumbers, To::PhoneNumbers);
const EMAILS: Field = field(
    "email_addresses",
    FieldKind::EmailAddresses,
    To::EmailAddresses,
);
const ACTIVITY: Field = read_only("last_activity_at", FieldKind::Moment, NOWHERE, BY_NOBODY);
const RAW: Field = read_only(
    "raw_data",
    FieldKind::Text,
    NOWHERE,
    "it is the record as Dataverse gave it",
);

const fn id(column: &'static str) -> Field {
    let why = "it is chosen when the record is made";
    read_only("id", FieldKind::Id, Sought::Column(column), why)
}

const ACCOUNT: &[Field] = &[
    id("accountid"),
    CREATED,
    UPDATED,
    MODIFIED,
    DELETED,
    OWNER,
    OWNER_TYPE,
    RAW,
    text("name", "name"),
    text("description", "description"),
    field("industry", FieldKind::Label, To::Column("industrycode")),
    text("website", "websiteurl"),
    field(
        "number_of_employees",
        FieldKind::Integer,
        To::Column("numberofemployees"),
    ),
    ADDRESSES,
    PHONES,
    EMAILS,
    reference("parent_account_id", "parentaccountid", "account"),
    reference("primary_contact_id", "primarycontactid", "contact"),
    field("annual_revenue", FieldKind::Decimal, To::Column("revenue")),
    CURRENCY,
    field("lifecycle_stage", LIFECYCLE, To::Lifecycle),
    ACTIVITY,
];

const CONTACT: &[Field] = &[
    id("contactid"),
    CREATED,
    UPDATED,
    MODIFIED,
    DELETED,
    OWNER,
    OWNER_TYPE,
    RAW,
    text("first_name", "firstname"),
    text("last_name", "lastname"),
    text("title", "jobtitle"),
    ADDRESSES,
    EMAILS,
    PHONES,
    field(
        "account_id",
        FieldKind::Id,
        To::Customer { target: "account" },
    ),
    read_only(
        "lifecycle_stage",
        LIFECYCLE,
        NOWHERE,
        "Dataverse keeps none for contacts",
    ),
    ACTIVITY,
];

const LEAD: &[Field] = &[
    id("leadid"),
    CREATED,
    UPDATED,
    MODIFIED,
    DELETED,
    OWNER,
    OWNER_TYPE,
    RAW,
    field(
        "lead_source",
        FieldKind::Label,
        To::Column("leadsourcecode"),
    ),
    text("title", "jobtitle"),
    text("company", "companyname"),
    text("first_name", "firstname"),
    text("last_name", "lastname"),
    ADDRESSES,
    EMAILS,
    PHONES,
    field(
        "status",
        FieldKind::Words(&["OPEN", "DISQUALIFIED"]),
        To::LeadStatus,
    ),
    read_only(
        "converted_date",
        FieldKind::Moment,
        NOWHERE,
        "it follows from the lead's state",
    ),
    converted("converted_contact_id", &["parentcontactid", "statecode"]),
    converted("converted_account_id", &["parentaccountid", "statecode"]),
    converted(
        "converted_opportunity_id",
        &["qualifyingopportunityid", "statecode"],
    ),
];

const fn converted(name: &'static str, columns: &'static [&'static str]) -> Field {
    let why = "the action QualifyLead sets it";
    read_only(name, FieldKind::Id, Sought::Instead(columns), why)
}

const OPPORTUNITY: &[Field] = &[
    id("opportunityid"),
    CREATED,
    UPDATED,
    MODIFIED,
    DELETED,
    OWNER,
    OWNER_TYPE,
    RAW,
    text("name", "name"),
    text("description", "description"),
    read_only(
        "stage",
        FieldKind::Text,
        Sought::Instead(&["stepname"]),
        "its sales process sets it. An organisation without one can write \
         {\"custom_fields\": {\"stepname\": …}}",
    ),
    read_only(
        "pipeline",
        FieldKind::Text,
        NOWHERE,
        "it is the name of its sales process",
    ),
    field("amount", FieldKind::Decimal, To::Amount),
    CURRENCY,
    field("status", FieldKind::Words(&["OPEN"]), To::OpportunityStatus),
    field("close_date", FieldKind::Day, To::CloseDate),
    field(
        "probability",
        FieldKind::Integer,
        To::Column("closeprobability"),
    ),
    reference("account_id", "parentaccountid", "account"),
    reference("contact_id", "parentcontactid", "contact"),
    ACTIVITY,
];

const USERS: &str = "users are changed in the admin center";

const fn of_user(name: &'static str, kind: FieldKind, sought: Sought) -> Field {
    read_only(name, kind, sought, USERS)
}

const USER: &[Field] = &[
    id("systemuserid"),
    CREATED,
    UPDATED,
    MODIFIED,
    DELETED,
    of_user("owner_id", FieldKind::Id, NOWHERE),
    of_user("owner_type", OWNERS, NOWHERE),
    RAW,
    of_user("name", FieldKind::Text, Sought::Column("fullname")),
    of_user(
        "email",
        FieldKind::Text,
        Sought::Column("internalemailaddress"),
    ),
    of_user(
        "is_active",
        FieldKind::Boolean,
        Sought::Words {
            column: "isdisabled",
            words: &[("true", 0), ("false", 1)],
        },
    ),
    of_user("title", FieldKind::Text, Sought::Column("title")),
];

const fn all(object: Object) -> &'static [Field] {
    match object {
        Object::Account => ACCOUNT,
        Object::Contact => CONTACT,
        Object::Lead => LEAD,
        Object::Opportunity => OPPORTUNITY,
        Object::User => USER,
    }
}

pub(super) fn find(object: Object, name: &str) -> Option<&'static Field> {
    all(object).iter().find(|field| field.name == name)
}

/// The fields of an object.
pub fn fields(object: Object) -> impl Iterator<Item = FieldInfo> {
    all(object).iter().map(|field| FieldInfo {
        name: field.name,
        kind: field.kind,
        is_writable: !matches!(field.to, To::Nothing { .. }),
    })
}

impl Field {
    /// The table of an opportunity's customer that stands for this field too.
    pub fn customer(&self) -> Option<&'static str> {
        match self.name {
            "account_id" => Some("account"),
            "contact_id" => Some("contact"),
            _ => None,
        }
    }
}
