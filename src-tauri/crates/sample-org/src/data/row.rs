//! The values of a row, and a row as JSON.

use uuid::Uuid;

use super::amounts::AMOUNTS;
use super::names::{
    AWKWARD, FIRM_HEADS, FIRM_TAILS, FIRST, LAST, PLACES, STRANGE, SUBJECTS, TITLES,
};
use super::schema::{
    ACCOUNT, CONTACT, CURRENCY, Column, Kind, LEAD, OPPORTUNITY, READING, SALES_PROCESS,
    SERVICE_LINE, STAGE, TABLES, TASK, TEAM, UNIT, USER, WORKFLOW,
};
use super::{Dice, id};

/// What the data depends on.
#[derive(Clone)]
pub struct World {
    pub seed: u64,
    /// Rows of each table at the beginning.
    pub rows: Vec<u64>,
    /// `versionnumber` of the first row of the first table.
    pub first_version: u64,
    /// The organisation's present, in seconds since 1970: its records end here.
    pub present: i64,
}

/// A row to be written.
#[derive(Clone, Copy)]
pub struct Row {
    pub table: usize,
    pub index: u64,
    /// How often it was changed.
    pub revision: u32,
    pub version: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Text(String),
    Integer(i64),
    /// A number in the digits that are sent.
    Number(String),
    Boolean(bool),
    Id(Uuid),
    /// Seconds since 1970.
    Moment(i64),
    /// Days since 1970.
    Day(i64),
    Lookup(usize, u64),
    /// A lookup that a client wrote: table and id.
    Reference(usize, Uuid),
    /// JSON that the control interface put there, byte by byte.
    Exact(String),
}

pub const CURRENCIES: [(&str, &str, &str); 4] = [
    ("Euro", "EUR", "€"),
    ("Swedish Krona", "SEK", "kr"),
    ("Pound Sterling", "GBP", "£"),
    ("US Dollar", "USD", "$"),
];
/// What one euro costs in each of them.
pub const RATES: [&str; 4] = [
    "1.0000000000",
    "11.2400000000",
    "0.8600000000",
    "1.0900000000",
];
const TEAMS: [&str; 6] = [
    "Nordics Sales",
    "DACH Sales",
    "UK & Ireland Sales",
    "Key Accounts",
    "Inside Sales",
    "Norrvale Group",
];
const UNITS: [&str; 3] = [
    "Norrvale Group",
    "Norrvale Nordics",
    "Norrvale Central Europe",
];
const STAGES: [&str; 4] = ["Qualify", "Develop", "Propose", "Close"];
/// 2021-01-04, in seconds since 1970.
pub(super) const FOUNDED: i64 = 1_609_718_400;

impl World {
    pub fn id(&self, table: usize, index: u64) -> Uuid {
        id(self.seed, table as u64, index)
    }

    pub(super) fn dice(&self, row: Row, salt: &str) -> Dice {
        let salt = salt.bytes().fold(row.table as u64 + 1, |hash, byte| {
            hash.wrapping_mul(1_099_511_628_211) ^ u64::from(byte)
        });
        Dice::new(self.seed, salt, row.index)
    }

    fn person(&self, table: usize, index: u64) -> (&'static str, &'static str) {
        let mut dice = Dice::new(self.seed, 900 + table as u64, index);
        (dice.pick(&FIRST), dice.pick(&LAST))
    }

    /// The primary name of a row; some leads have none.
    pub fn name(&self, table: usize, index: u64) -> Option<String> {
        Some(match table {
            ACCOUNT => {
                let mut dice = Dice::new(self.seed, 910, index);
                if dice.below(500) == 0 {
                    return Some(dice.pick(&AWKWARD).to_owned());
                }
                let (head, tail) = (dice.pick(&FIRM_HEADS), dice.pick(&FIRM_TAILS));
                match dice.below(8) {
                    0 => format!("{head} {tail} AB"),
                    1 => format!("{head} {tail} GmbH"),
                    2 => format!("{head} {tail} Ltd"),
                    3 => format!("{head} & {} {tail}", dice.pick(&LAST)),
                    _ => format!("{head} {tail}"),
                }
            }
            CONTACT | LEAD => {
                if table == LEAD && index % 701 == 700 {
                    return None;
                }
                let (first, last) = self.person(table, index);
                format!("{first} {last}")
            }
            OPPORTUNITY => {
                let mut dice = Dice::new(self.seed, 920, index);
                format!(
                    "{}, {}",
                    dice.pick(&SUBJECTS),
                    PLACES[dice.below(20) as usize].0
                )
            }
            USER if index == 0 => "Daniel Ashgrove".to_owned(),
            USER if index == 3 => "# Mirror Service".to_owned(),
            USER => {
                let (first, last) = self.person(USER, index);
                format!("{first} {last}")
            }
            TEAM => TEAMS[index as usize % 6].to_owned(),
            CURRENCY => CURRENCIES[index as usize % 4].0.to_owned(),
            UNIT => UNITS[index as usize % 3].to_owned(),
            SERVICE_LINE | TASK => {
                let mut dice = Dice::new(self.seed, 930 + table as u64, index);
                if index % 20 == 19 {
                    return Some(dice.pick(&STRANGE).to_owned());
                }
                dice.pick(&SUBJECTS).to_owned()
            }
            STAGE => STAGES[index as usize % 4].to_owned(),
            SALES_PROCESS | WORKFLOW if index % 7 != 1 => "Opportunity Sales Process".to_owned(),
            SALES_PROCESS | WORKFLOW => "Key Account Process".to_owned(),
            READING => format!("Reading {index}"),
            _ => "Norrvale Group".to_owned(),
        })
    }

    /// The user or team that owns a row: its table and index.
    pub fn owner(&self, row: Row) -> (usize, u64) {
        let mut dice = self.dice(row, "owner");
        if dice.chance(4) {
            (TEAM, dice.below(6))
        } else {
            (USER, dice.below(self.rows[USER].min(60)))
        }
    }

    pub(super) fn some(&self, table: usize, dice: &mut Dice) -> Value {
        match self.rows[table] {
            0 => Value::Null,
            rows => Value::Lookup(table, dice.below(rows)),
        }
    }

    fn created(&self, row: Row) -> i64 {
        FOUNDED
            + self
                .dice(row, "created")
                .below((self.present - FOUNDED) as u64 - 90 * 86_400) as i64
    }

    /// When the row was changed, in seconds since 1970.
    pub fn modified(&self, row: Row) -> i64 {
        if row.revision > 0 {
            return self.present + (row.version % 86_400) as i64;
        }
        let created = self.created(row);
        let mut dice = self.dice(row, "modified");
        // Half of all records were touched in the last three months.
        let since = if dice.chance(50) {
            (self.present - 90 * 86_400).max(created)
        } else {
            created
        };
        since + dice.below((self.present - since).max(1) as u64) as i64
    }

    pub(super) fn place(
        &self,
        row: Row,
        salt: &str,
    ) -> (
        &'static str,
        &'static str,
        &'static str,
        &'static str,
        &'static str,
    ) {
        PLACES[self.dice(row, salt).below(20) as usize]
    }

    fn phone(&self, row: Row, salt: &str) -> Value {
        let dial = self.place(row, "place").4;
        let mut dice = self.dice(
            Row {
                index: row.index + u64::from(row.revision) * 7_919,
                ..row
            },
            salt,
        );
        Value::Text(format!("{dial} 555 01{:02}", dice.below(100)))
    }

    fn mail(&self, row: Row) -> String {
        let (first, last) = self.person(row.table, row.index);
        let mut name = String::new();
        for letter in format!("{first}.{last}").to_lowercase().chars() {
            match letter {
                'å' | 'ä' | 'à' => name.push('a'),
                'ö' | 'ø' | 'ó' => name.push('o'),
                'ü' => name.push('u'),
                'é' | 'ë' => name.push('e'),
                'ß' => name.push_str("ss"),
                'ł' => name.push('l'),
                '\'' | ' ' => {}
                _ => name.push(letter),
            }
        }
        let host = FIRM_HEADS[self.dice(row, "host").below(8) as usize]
            .to_lowercase()
            .replace([' ', '&'], "");
        format!("{name}@{host}.example")
    }

    /// The money of a row: `(amount, digits after the point)`.
    /// The value of a column.
    pub fn value(&self, row: Row, column: &Column) -> Value {
        let text = |text: &str| Value::Text(text.to_owned());
        let mut dice = self.dice(row, &column.name);
        let table = &TABLES[row.table];
        let name = column.name.as_str();
        if column.added {
            return self.custom(row, column);
        }
        if name == table.primary_id {
            return Value::Id(self.id(row.table, row.index));
        }
        if name == table.primary_name {
            return self
                .name(row.table, row.index)
                .map_or(Value::Null, Value::Text);
        }
        let is_person = matches!(row.table, CONTACT | LEAD | USER);
        match name {
            "versionnumber" => Value::Integer(row.version as i64),
            "createdon" => Value::Moment(self.created(row)),
            "modifiedon" => Value::Moment(self.modified(row)),
            "firstname" if is_person => text(self.person(row.table, row.index).0),
            "lastname" if is_person => text(self.person(row.table, row.index).1),
            "middlename" if dice.chance(6) => text(dice.pick(&FIRST)),
            "statecode" => Value::Integer(self.state(row)),
            "statuscode" => Value::Integer(self.status(row, column)),
            "ownerid" => {
                let (table, index) = self.owner(row);
                Value::Lookup(table, index)
            }
            "owninguser" => match self.owner(row) {
                (USER, index) => Value::Lookup(USER, index),
                _ => Value::Null,
            },
            "owningteam" => match self.owner(row) {
                (TEAM, index) => Value::Lookup(TEAM, index),
                _ => Value::Null,
            },
            "owningbusinessunit" | "businessunitid" => Value::Lookup(UNIT, dice.below(3)),
            "createdby" | "modifiedby" => self.some(USER, &mut dice),
            // Records from before currencies were asked for have none.
            "transactioncurrencyid" if row.table == OPPORTUNITY && row.index % 250 == 249 => {
                Value::Null
            }
            "transactioncurrencyid" if row.table != CURRENCY => {
                Value::Lookup(CURRENCY, self.currency(row))
            }
            "exchangerate" => Value::Number(RATES[self.currency(row) as usize].to_owned()),
            "isocurrencycode" => text(CURRENCIES[row.index as usize % 4].1),
            "currencysymbol" => text(CURRENCIES[row.index as usize % 4].2),
            "expirechangetrackingindays" => Value::Integer(7),
            "expiresubscriptionsindays" => Value::Integer(90),
            "teamtype" => Value::Integer(0),
            "parentcustomerid" | "customerid" => {
                if dice.chance(5) {
                    self.some(CONTACT, &mut dice)
                } else {
                    self.some(ACCOUNT, &mut dice)
                }
            }
            "parentaccountid" if dice.chance(if row.table == ACCOUNT { 15 } else { 60 }) => {
                self.some(ACCOUNT, &mut dice)
            }
            "parentcontactid" if dice.chance(50) => self.some(CONTACT, &mut dice),
            "primarycontactid" if dice.chance(70) => self.some(CONTACT, &mut dice),
            "originatingleadid" if dice.chance(30) => self.some(LEAD, &mut dice),
            "qualifyingopportunityid" if self.state(row) == 1 => self.some(OPPORTUNITY, &mut dice),
            "parentaccountid" | "parentcontactid" if row.table == LEAD && self.state(row) == 1 => {
                let target = if name == "parentaccountid" {
                    ACCOUNT
                } else {
                    CONTACT
                };
                self.some(target, &mut dice)
            }
            "activestageid" => Value::Lookup(STAGE, dice.below(4)),
            "processid" => Value::Lookup(WORKFLOW, u64::from(row.index % 7 == 1)),
            "opportunityid" if row.table == SALES_PROCESS => {
                if row.index < self.rows[OPPORTUNITY] {
                    Value::Lookup(OPPORTUNITY, row.index)
                } else {
                    Value::Null
                }
            }
            "stagecategory" => Value::Integer(row.index as i64 % 4),
            "regardingobjectid" if dice.chance(80) => {
                let target = dice.pick(&[ACCOUNT, CONTACT, OPPORTUNITY, LEAD]);
                self.some(target, &mut dice)
            }
            "activitytypecode" => text("task"),
            "primaryentity" => text("opportunity"),
            "uniquename" => Value::Text(format!("nrv_process{}", row.index)),
            "category" => Value::Integer(4),
            "scheduledend" => Value::Moment(self.present + dice.below(8_000_000) as i64),
            "percentcomplete" => Value::Integer(dice.below(101) as i64),
            "partitionid" => text(dice.pick(&["north", "south"])),
            "parentsystemuserid" if row.index > 4 => Value::Lookup(USER, dice.below(4)),
            "jobtitle" | "title" => {
                let mut dice = self.dice(
                    Row {
                        index: row.index + u64::from(row.revision),
                        ..row
                    },
                    "job",
                );
                text(dice.pick(&TITLES))
            }
            "department" if dice.chance(40) => {
                text(dice.pick(&["Sales", "Procurement", "Finance", "IT", "Operations"]))
            }
            "telephone1" | "mobilephone" | "address1_telephone1" => self.phone(row, name),
            "telephone2" | "fax" | "homephone" if dice.chance(20) => self.phone(row, name),
            "emailaddress1" if row.table == ACCOUNT => {
                Value::Text(format!("info@firm{}.example", row.index))
            }
            "emailaddress1" => Value::Text(self.mail(row)),
            "domainname" | "internalemailaddress" => Value::Text(self.user_mail(row.index)),
            "azureactivedirectoryobjectid" => Value::Id(id(self.seed, 50, row.index)),
            "applicationid" if row.index == 3 => Value::Id(id(self.seed, 60, 0)),
            "applicationid" => Value::Text("00000000-0000-0000-0000-000000000000".to_owned()),
            "isdisabled" => Value::Boolean(row.index % 17 == 16),
            "accessmode" => Value::Integer(if row.index == 3 { 4 } else { 0 }),
            "websiteurl" if dice.chance(60) => {
                Value::Text(format!("https://www.firm{}.example", row.index))
            }
            "companyname" => self
                .name(ACCOUNT, dice.below(self.rows[ACCOUNT].max(1)))
                .map_or(Value::Null, Value::Text),
            "accountnumber" => Value::Text(format!("NV-{:06}", row.index + 1)),
            "subject" => text(dice.pick(&SUBJECTS)),
            "description" | "currentsituation" | "customerneed" => self.sentences(row, name),
            "stepname" => {
                text(["1-Qualify", "2-Develop", "3-Propose", "4-Close"][dice.below(4) as usize])
            }
            "closeprobability" => Value::Integer(dice.below(20) as i64 * 5),
            "numberofemployees" => Value::Integer(dice.below(4_000) as i64 + 3),
            "estimatedclosedate" => Value::Day(self.present / 86_400 - 60 + dice.below(240) as i64),
            "actualclosedate" if self.state(row) != 0 => {
                Value::Day(self.present / 86_400 - dice.below(400) as i64)
            }
            "birthdate" if dice.chance(30) => Value::Day(dice.below(16_000) as i64 - 7_000),
            "nrv_code" => Value::Text(format!("SL-{:04}", row.index)),
            "nrv_serial" => Value::Integer(9_007_199_254_740_993 + row.index as i64),
            "nrv_accountid" => self.some(ACCOUNT, &mut dice),
            "nrv_customer" if dice.chance(30) => self.some(CONTACT, &mut dice),
            "nrv_customer" => self.some(ACCOUNT, &mut dice),
            "nrv_objecttype" => text("account"),
            "nrv_processid" if dice.chance(50) => Value::Id(Uuid::nil()),
            "nrv_notes" if row.index % 20 == 7 => Value::Text("Long text. ".repeat(1_800)),
            "nrv_segments" if dice.chance(50) => text(dice.pick(&["1", "1,2", "2,4", "1,3,4"])),
            _ if AMOUNTS.contains(&name.trim_end_matches("_base")) => self.amount(row, name),
            _ if name.starts_with("address") => self.address(row, name),
            _ if column.is_custom() => self.custom(row, column),
            _ => match column.kind {
                Kind::Boolean => Value::Boolean(dice.chance(12)),
                // One in three hundred has a value that metadata does not list.
                Kind::Picklist if dice.below(300) == 0 => Value::Integer(100_000_999),
                Kind::Picklist if dice.chance(70) => Value::Integer(dice.pick(&column.options).0),
                _ => Value::Null,
            },
        }
    }

    pub fn user_mail(&self, index: u64) -> String {
        match index {
            0 => "d.ashgrove@norrvale.example".to_owned(),
            3 => "mirror.service@norrvale.example".to_owned(),
            _ => {
                let mail = self.mail(Row {
                    table: USER,
                    index,
                    revision: 0,
                    version: 0,
                });
                format!(
                    "{}{index}@norrvale.example",
                    mail.split('@').next().unwrap_or_default()
                )
            }
        }
    }

    pub(super) fn currency(&self, row: Row) -> u64 {
        if row.table == CURRENCY {
            return row.index % 4;
        }
        match self.place(row, "place").3 {
            "Sweden" => 1,
            "United Kingdom" => 2,
            "United States" => 3,
            _ => 0,
        }
    }

    pub(super) fn state(&self, row: Row) -> i64 {
        let mut dice = self.dice(row, "state");
        let roll = dice.below(100);
        match row.table {
            LEAD | OPPORTUNITY => i64::from(roll >= 55) + i64::from(roll >= 80),
            _ => i64::from(roll >= 93 || (row.revision > 0 && row.revision.is_multiple_of(4))),
        }
    }

    fn status(&self, row: Row, column: &Column) -> i64 {
        let state = self.state(row);
        let fitting: Vec<i64> = column
            .options
            .iter()
            .filter(|(_, _, of)| *of == Some(state))
            .map(|(value, ..)| *value)
            .collect();
        if fitting.is_empty() {
            state + 1
        } else {
            self.dice(row, "status").pick(&fitting)
        }
    }
}
