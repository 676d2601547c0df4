//! Tables and their columns, as metadata shows them.

use std::sync::LazyLock;

/// Kinds of columns, by the names of `AttributeType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Memo,
    Integer,
    BigInt,
    Decimal,
    Double,
    Money,
    Boolean,
    Picklist,
    State,
    Status,
    MultiSelect,
    DateTime,
    DateOnly,
    Lookup,
    Customer,
    Owner,
    Id,
}

/// A column.
pub struct Column {
    pub name: String,
    pub label: String,
    pub kind: Kind,
    pub targets: Vec<&'static str>,
    /// Value, label, and for a status reason its state.
    pub options: Vec<(i64, &'static str, Option<i64>)>,
}

impl Column {
    pub fn is_lookup(&self) -> bool {
        matches!(self.kind, Kind::Lookup | Kind::Customer | Kind::Owner)
    }

    /// The property's name in records.
    pub fn wire(&self) -> String {
        if self.is_lookup() {
            format!("_{}_value", self.name)
        } else {
            self.name.clone()
        }
    }
}

/// A table.
pub struct Table {
    pub name: &'static str,
    pub set: &'static str,
    pub label: &'static str,
    pub plural: &'static str,
    pub primary_id: &'static str,
    pub primary_name: &'static str,
    pub type_code: i64,
    pub tracked: bool,
    pub rows: u64,
    pub columns: Vec<Column>,
}

/// All tables; a table's number is its place here.
pub static TABLES: LazyLock<Vec<Table>> = LazyLock::new(tables);

pub const ACCOUNT: usize = 0;
pub const CONTACT: usize = 1;
pub const LEAD: usize = 2;
pub const OPPORTUNITY: usize = 3;
pub const USER: usize = 4;
pub const TEAM: usize = 5;
pub const CURRENCY: usize = 6;
pub const UNIT: usize = 7;
pub const ORGANIZATION: usize = 8;

/// The number of the table with this logical name or set name.
pub fn number(name: &str) -> Option<usize> {
    TABLES
        .iter()
        .position(|table| table.name == name || table.set == name)
}

const CONTACT_METHOD: &str = "1:Any,2:Email,3:Phone,4:Fax,5:Mail";
const INDUSTRY: &str = "1:Accounting,6:Business Services,12:Distributors,15:Durable Manufacturing,19:Financial,27:Inbound Repair and Services,33:Petrochemical Extraction,46:Wholesale";
const ADDRESS_TYPE: &str = "1:Bill To,2:Ship To,3:Primary,4:Other";
const SHIPPING: &str = "1:Airborne,2:DHL,3:FedEx,4:UPS,5:Postal Mail,6:Full Load,7:Will Call";

/// The columns of an address: `address1_line1` and so on.
fn address(number: u8) -> String {
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

/// Columns that every business table has.
fn common(states: &str, statuses: &str) -> String {
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
fn reachable() -> String {
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
fn custom(table: &str, count: usize) -> String {
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

fn tables() -> Vec<Table> {
    let active = common("0:Active,1:Inactive", "1:Active:0,2:Inactive:1");
    let account = format!(
        "accountid|Account|id\nname|Account Name|text\naccountnumber|Account Number|text\n{}{}{}{active}\
         industrycode|Industry|choice|{INDUSTRY}\nnumberofemployees|Number of Employees|integer\n\
         revenue|Annual Revenue|money\nrevenue_base|Annual Revenue (Base)|money\n\
         creditlimit|Credit Limit|money\ncreditonhold|Credit Hold|boolean|0:No,1:Yes\n\
         customertypecode|Relationship Type|choice|1:Competitor,2:Consultant,3:Customer,8:Prospect,11:Vendor\n\
         parentaccountid|Parent Account|lookup|account\nprimarycontactid|Primary Contact|lookup|contact\n\
         ownershipcode|Ownership|choice|1:Public,2:Private,3:Subsidiary,4:Other\ntickersymbol|Ticker Symbol|text\n\
         sic|SIC Code|text\nnrv_segments|Segments|multiselect|1:Energy,2:Industry,3:Public,4:Retail\n{}",
        reachable(),
        address(1),
        address(2),
        custom("account", 28),
    );
    let contact = format!(
        "contactid|Contact|id\nfullname|Full Name|text\nfirstname|First Name|text\nmiddlename|Middle Name|text\n\
         lastname|Last Name|text\nsalutation|Salutation|text\njobtitle|Job Title|text\ndepartment|Department|text\n\
         mobilephone|Mobile Phone|text\nparentcustomerid|Company Name|customer|account,contact\n{}{}{}{active}\
         birthdate|Birthday|dateonly\ngendercode|Gender|choice|1:Male,2:Female\n\
         familystatuscode|Marital Status|choice|1:Single,2:Married,3:Divorced,4:Widowed\n\
         accountrolecode|Role|choice|1:Decision Maker,2:Employee,3:Influencer\ncreditlimit|Credit Limit|money\n\
         nickname|Nickname|text\nassistantname|Assistant|text\nassistantphone|Assistant Phone|text\n\
         managername|Manager|text\nspousesname|Spouse/Partner Name|text\nanniversary|Anniversary|dateonly\n{}",
        reachable(),
        address(1),
        address(2),
        custom("contact", 26),
    );
    let lead_states = common(
        "0:Open,1:Qualified,2:Disqualified",
        "1:New:0,2:Contacted:0,3:Qualified:1,4:Lost:2,5:Cannot Contact:2,6:No Longer Interested:2,7:Canceled:2",
    );
    let lead = format!(
        "leadid|Lead|id\nfullname|Name|text\nsubject|Topic|text\nfirstname|First Name|text\nlastname|Last Name|text\n\
         companyname|Company Name|text\njobtitle|Job Title|text\nmobilephone|Mobile Phone|text\n{}{}{}{lead_states}\
         leadsourcecode|Lead Source|choice|1:Advertisement,2:Employee Referral,3:External Referral,4:Partner,5:Public Relations,6:Seminar,7:Trade Show,8:Web,9:Word of Mouth,10:Other\n\
         leadqualitycode|Rating|choice|1:Hot,2:Warm,3:Cold\nindustrycode|Industry|choice|{INDUSTRY}\n\
         estimatedamount|Est. Value|money\nestimatedamount_base|Est. Value (Base)|money\n\
         estimatedclosedate|Est. Close Date|dateonly\nparentaccountid|Parent Account|lookup|account\n\
         parentcontactid|Parent Contact|lookup|contact\nqualifyingopportunityid|Qualifying Opportunity|lookup|opportunity\n\
         revenue|Annual Revenue|money\nnumberofemployees|No. of Employees|integer\n{}",
        reachable(),
        address(1),
        address(2),
        custom("lead", 26),
    );
    let deal_states = common(
        "0:Open,1:Won,2:Lost",
        "1:In Progress:0,2:On Hold:0,3:Won:1,4:Canceled:2,5:Out-Sold:2",
    );
    let opportunity = format!(
        "opportunityid|Opportunity|id\nname|Topic|text\ncustomerid|Potential Customer|customer|account,contact\n\
         parentaccountid|Account|lookup|account\nparentcontactid|Contact|lookup|contact\n\
         estimatedvalue|Est. Revenue|money\nestimatedvalue_base|Est. Revenue (Base)|money\n\
         actualvalue|Actual Revenue|money\nactualvalue_base|Actual Revenue (Base)|money\n\
         estimatedclosedate|Est. Close Date|dateonly\nactualclosedate|Actual Close Date|dateonly\n\
         closeprobability|Probability|integer\nstepname|Pipeline Phase|text\n\
         salesstage|Sales Stage|choice|0:Qualify,1:Develop,2:Propose,3:Close\n\
         opportunityratingcode|Rating|choice|1:Hot,2:Warm,3:Cold\nprioritycode|Priority|choice|1:Default Value\n\
         budgetamount|Budget Amount|money\ntotalamount|Total Amount|money\ndiscountpercentage|Opportunity Discount (%)|decimal\n\
         description|Description|memo\ncurrentsituation|Current Situation|memo\ncustomerneed|Customer Need|memo\n\
         originatingleadid|Originating Lead|lookup|lead\ndecisionmaker|Decision Maker?|boolean|0:mark complete,1:completed\n{deal_states}{}",
        custom("opportunity", 74),
    );
    let user = format!(
        "systemuserid|User|id\nfullname|Full Name|text\ndomainname|User Name|text\ninternalemailaddress|Primary Email|text\n\
         firstname|First Name|text\nlastname|Last Name|text\ntitle|Title|text\njobtitle|Job Title|text\n\
         isdisabled|Status|boolean|0:Enabled,1:Disabled\naccessmode|Access Mode|choice|0:Read-Write,1:Administrative,2:Read,4:Non-interactive\n\
         azureactivedirectoryobjectid|Azure AD Object ID|id\napplicationid|Application ID|id\n\
         businessunitid|Business Unit|lookup|businessunit\nparentsystemuserid|Manager|lookup|systemuser\n\
         mobilephone|Mobile Phone|text\nhomephone|Home Phone|text\nemployeeid|Employee|text\nnickname|Nickname|text\n\
         createdon|Created On|datetime\nmodifiedon|Modified On|datetime\ncreatedby|Created By|lookup|systemuser\n\
         modifiedby|Modified By|lookup|systemuser\ntransactioncurrencyid|Currency|lookup|transactioncurrency\n\
         exchangerate|Exchange Rate|decimal\nversionnumber|Version Number|bigint\n{}{}{}",
        address(1),
        address(2),
        custom("user", 56),
    );
    let team = "teamid|Team|id\nname|Team Name|text\nbusinessunitid|Business Unit|lookup|businessunit\n\
        teamtype|Team Type|choice|0:Owner,1:Access\ncreatedon|Created On|datetime\nmodifiedon|Modified On|datetime\nversionnumber|Version Number|bigint\n";
    let currency = "transactioncurrencyid|Transaction Currency|id\ncurrencyname|Currency Name|text\nisocurrencycode|Currency Code|text\n\
        currencysymbol|Currency Symbol|text\nexchangerate|Exchange Rate|decimal\nmodifiedon|Modified On|datetime\nversionnumber|Version Number|bigint\n";
    let unit = "businessunitid|Business Unit|id\nname|Name|text\nmodifiedon|Modified On|datetime\nversionnumber|Version Number|bigint\n";
    let organization = "organizationid|Organization|id\nname|Organization Name|text\n\
        expirechangetrackingindays|Days to Expire Change Tracking Deleted Records|integer\nexpiresubscriptionsindays|Days to Expire Subscriptions|integer\n\
        versionnumber|Version Number|bigint\n";
    let table =
        |name, set, label, plural, primary_name, type_code, tracked, rows, columns: &str| Table {
            name,
            set,
            label,
            plural,
            primary_id: Box::leak(format!("{name}id").into_boxed_str()),
            primary_name,
            type_code,
            tracked,
            rows,
            columns: columns.lines().map(column).collect(),
        };
    vec![
        table(
            "account", "accounts", "Account", "Accounts", "name", 1, true, 2_000, &account,
        ),
        table(
            "contact", "contacts", "Contact", "Contacts", "fullname", 2, true, 12_000, &contact,
        ),
        table(
            "lead", "leads", "Lead", "Leads", "fullname", 4, true, 3_500, &lead,
        ),
        table(
            "opportunity",
            "opportunities",
            "Opportunity",
            "Opportunities",
            "name",
            3,
            true,
            2_400,
            &opportunity,
        ),
        table(
            "systemuser",
            "systemusers",
            "User",
            "Users",
            "fullname",
            8,
            true,
            100,
            &user,
        ),
        table("team", "teams", "Team", "Teams", "name", 9, true, 6, team),
        table(
            "transactioncurrency",
            "transactioncurrencies",
            "Currency",
            "Currencies",
            "currencyname",
            9105,
            false,
            4,
            currency,
        ),
        table(
            "businessunit",
            "businessunits",
            "Business Unit",
            "Business Units",
            "name",
            10,
            false,
            3,
            unit,
        ),
        table(
            "organization",
            "organizations",
            "Organization",
            "Organizations",
            "name",
            1019,
            false,
            1,
            organization,
        ),
    ]
}

fn column(line: &str) -> Column {
    let mut parts = line.trim().split('|');
    let mut part = || parts.next().unwrap_or_default();
    let (name, label, kind, more) = (part().to_owned(), part().to_owned(), part(), part());
    let leak = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
    let options = || {
        more.split(',')
            .filter_map(|option| {
                let mut parts = option.split(':');
                let value = parts.next()?.parse().ok()?;
                Some((
                    value,
                    leak(parts.next()?),
                    parts.next().and_then(|state| state.parse().ok()),
                ))
            })
            .collect::<Vec<_>>()
    };
    let targets = || {
        more.split(',')
            .filter(|name| !name.is_empty())
            .map(leak)
            .collect::<Vec<_>>()
    };
    let (kind, targets, options) = match kind {
        "memo" => (Kind::Memo, vec![], vec![]),
        "integer" => (Kind::Integer, vec![], vec![]),
        "bigint" => (Kind::BigInt, vec![], vec![]),
        "decimal" => (Kind::Decimal, vec![], vec![]),
        "double" => (Kind::Double, vec![], vec![]),
        "money" => (Kind::Money, vec![], vec![]),
        "boolean" => (Kind::Boolean, vec![], options()),
        "choice" => (Kind::Picklist, vec![], options()),
        "state" => (Kind::State, vec![], options()),
        "status" => (Kind::Status, vec![], options()),
        "multiselect" => (Kind::MultiSelect, vec![], options()),
        "datetime" => (Kind::DateTime, vec![], vec![]),
        "dateonly" => (Kind::DateOnly, vec![], vec![]),
        "lookup" => (Kind::Lookup, targets(), vec![]),
        "customer" => (Kind::Customer, targets(), vec![]),
        "owner" => (Kind::Owner, targets(), vec![]),
        "id" => (Kind::Id, vec![], vec![]),
        _ => (Kind::Text, vec![], vec![]),
    };
    Column {
        name,
        label,
        kind,
        targets,
        options,
    }
}
