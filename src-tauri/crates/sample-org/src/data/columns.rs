//! Columns as text, `name|label|kind|options or targets`, and how that text is read.

use super::schema::{Choice, Column, Key, Kind};

const CONTACT_METHOD: &str = "1:Any,2:Email,3:Phone,4:Fax,5:Mail";
pub const INDUSTRY: &str = "1:Accounting,6:Business Services,12:Distributors,15:Durable Manufacturing,19:Financial,27:Inbound Repair and Services,33:Petrochemical Extraction,46:Wholesale";
const ADDRESS_TYPE: &str = "1:Bill To,2:Ship To,3:Primary,4:Other";
const SHIPPING: &str = "1:Airborne,2:DHL,3:FedEx,4:UPS,5:Postal Mail,6:Full Load,7:Will Call";

/// The columns of an address: `address1_line1` and so on.
pub fn address(number: u8) -> String {
    let mut lines = String::new();
    for (name, label, kind) in [
        ("line1", "Street 1", "text"),
        ("line2", "Street 2", "text"),
        ("line3", "Street 3", "text"),
        ("city", "City", "text"),
        ("stateorprovince", "State/Province", "text"),
        ("postalcode", "ZIP/Postal Code", "text"),
        ("country", "Country/Region", "text"),
        ("county", "County", "text"),
        ("name", "Name", "text"),
        ("telephone1", "Phone", "text"),
        ("fax", "Fax", "text"),
        ("postofficebox", "Post Office Box", "text"),
        ("upszone", "UPS Zone", "text"),
        ("utcoffset", "UTC Offset", "integer"),
        ("latitude", "Latitude", "double"),
        ("longitude", "Longitude", "double"),
        ("composite", "Address", "memo"),
    ] {
        lines.push_str(&format!(
            "address{number}_{name}|Address {number}: {label}|{kind}\n"
        ));
    }
    lines.push_str(&format!(
        "address{number}_addresstypecode|Address {number}: Address Type|choice|{ADDRESS_TYPE}\n"
    ));
    lines.push_str(&format!(
        "address{number}_shippingmethodcode|Address {number}: Shipping Method|choice|{SHIPPING}\n"
    ));
    lines
}

/// The third address, of which few organisations use more than this.
pub fn third_address() -> String {
    address(3)
        .lines()
        .filter(|line| {
            [
                "_line1",
                "_line2",
                "_city",
                "_stateorprovince",
                "_postalcode",
                "_country|",
                "_addresstypecode",
                "_composite",
            ]
            .iter()
            .any(|part| line.contains(part))
        })
        .flat_map(|line| [line, "\n"])
        .collect()
}

/// Columns that every business table has.
pub fn common(states: &str, statuses: &str) -> String {
    format!(
        "statecode|Status|state|{states}\nstatuscode|Status Reason|status|{statuses}\n\
         createdon|Created On|datetime\nmodifiedon|Modified On|datetime\n\
         overriddencreatedon|Record Created On|datetime\n\
         createdby|Created By|lookup|systemuser\nmodifiedby|Modified By|lookup|systemuser\n\
         createdonbehalfby|Created By (Delegate)|lookup|systemuser\n\
         modifiedonbehalfby|Modified By (Delegate)|lookup|systemuser\n\
         ownerid|Owner|owner|systemuser,team\nowningbusinessunit|Owning Business Unit|lookup|businessunit\n\
         owninguser|Owning User|lookup|systemuser\nowningteam|Owning Team|lookup|team\n\
         transactioncurrencyid|Currency|lookup|transactioncurrency\nexchangerate|Exchange Rate|decimal\n\
         importsequencenumber|Import Sequence Number|integer\n\
         timezoneruleversionnumber|Time Zone Rule Version Number|integer\n\
         utcconversiontimezonecode|UTC Conversion Time Zone Code|integer\n\
         versionnumber|Version Number|bigint\n"
    )
}

/// Columns of people and firms that can be written to.
pub fn reachable() -> String {
    let mut lines = String::from(
        "telephone1|Business Phone|text\ntelephone2|Phone 2|text\ntelephone3|Phone 3|text\n\
         fax|Fax|text\nemailaddress1|Email|text\nemailaddress2|Email Address 2|text\n\
         emailaddress3|Email Address 3|text\nwebsiteurl|Website|text\ndescription|Description|memo\n",
    );
    for (name, label) in [
        ("donotemail", "Do not allow Emails"),
        ("donotphone", "Do not allow Phone Calls"),
        ("donotfax", "Do not allow Faxes"),
        ("donotpostalmail", "Do not allow Mails"),
        ("donotbulkemail", "Do not allow Bulk Emails"),
        ("donotsendmm", "Send Marketing Materials"),
        ("followemail", "Follow Email Activity"),
    ] {
        lines.push_str(&format!("{name}|{label}|boolean|0:Allow,1:Do Not Allow\n"));
    }
    lines.push_str(&format!(
        "preferredcontactmethodcode|Preferred Method of Contact|choice|{CONTACT_METHOD}\n"
    ));
    lines.push_str("lastusedincampaign|Last Date Included in Campaign|datetime\nonholdtime|On Hold Time (Minutes)|integer\n");
    lines
}

/// Columns of the organisation's own, to the number that real organisations have.
pub fn custom(table: &str, count: usize) -> String {
    (1..=count)
        .map(|number| {
            let kind = [
                "text",
                "integer",
                "decimal",
                "boolean|0:No,1:Yes",
                "datetime",
                "dateonly",
            ][number % 6];
            format!("nrv_{table}field{number}|Norrvale field {number}|{kind}\n")
        })
        .collect()
}

/// Option sets that several tables share.
pub const GLOBAL_OPTION_SETS: [(&str, &str, &str); 2] = [
    (
        "nrv_region",
        "Region",
        "100000000:Nordics,100000001:Central Europe,100000002:British Isles",
    ),
    ("nrv_channel", "Channel", "1:Web,2:Partner,3:Phone,4:Field"),
];

pub fn key(name: &'static str, label: &'static str, columns: &[&'static str]) -> Key {
    Key {
        name,
        label,
        columns: columns.to_vec(),
    }
}

/// The tables live as long as the process.
pub fn leak(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

/// Reads `1:Energy,2:Industry`, with a third part where a status reason names its state.
pub fn options(text: &str) -> Vec<Choice> {
    text.split(',')
        .filter_map(|option| {
            let mut parts = option.split(':');
            let value = parts.next()?.parse().ok()?;
            Some((
                value,
                leak(parts.next()?),
                parts.next().and_then(|state| state.parse().ok()),
            ))
        })
        .collect()
}

/// The kind that a word names, in the tables' text and in the control interface.
pub fn kind(word: &str) -> Kind {
    match word {
        "memo" => Kind::Memo,
        "integer" => Kind::Integer,
        "bigint" => Kind::BigInt,
        "decimal" => Kind::Decimal,
        "double" => Kind::Double,
        "money" => Kind::Money,
        "boolean" => Kind::Boolean,
        "choice" => Kind::Picklist,
        "state" => Kind::State,
        "status" => Kind::Status,
        "multiselect" => Kind::MultiSelect,
        "datetime" => Kind::DateTime,
        "fixeddatetime" => Kind::FixedDateTime,
        "dateonly" => Kind::DateOnly,
        "lookup" => Kind::Lookup,
        "customer" => Kind::Customer,
        "owner" => Kind::Owner,
        "id" => Kind::Id,
        "image" => Kind::Image,
        "file" => Kind::File,
        "entityname" => Kind::EntityName,
        "managed" => Kind::ManagedProperty,
        _ => Kind::Text,
    }
}

/// What stands behind a column's kind: targets of a lookup, options of a choice.
pub fn describe(column: &mut Column, more: &str) {
    if column.is_lookup() {
        column.targets = more
            .split(',')
            .filter(|name| !name.is_empty())
            .map(leak)
            .collect();
    } else if column.is_choice() {
        column.global = more.strip_prefix('@').map(leak);
        let listed = GLOBAL_OPTION_SETS
            .iter()
            .find(|(name, ..)| column.global == Some(name))
            .map_or(more, |(_, _, listed)| listed);
        column.options = options(listed);
    }
}

pub fn column(line: &str) -> Column {
    let mut parts = line.trim().split('|');
    let mut part = || parts.next().unwrap_or_default();
    let (schema, label, word, more) = (part(), part(), part(), part());
    let mut column = Column::added(&schema.to_lowercase(), label, kind(word));
    schema.clone_into(&mut column.schema);
    column.added = false;
    describe(&mut column, more);
    column
}
