//! Lists of addresses, telephone numbers and e-mail addresses: each entry goes to the columns of its
//! type. Types that are not in the list stay as they are; an entry without a value empties its own.

use serde_json::Value;
use serde_json::value::RawValue;

use super::values::{self, Found};
use super::{Problem, Purpose, Writer};
use crate::unified::reach::{ADDRESSES, EMAILS, PHONES};
use crate::unified::{AddressType, EmailAddressType, PhoneNumberType};

const ADDRESS_TYPES: [(&str, AddressType); 5] = [
    ("primary", AddressType::Primary),
    ("billing", AddressType::Billing),
    ("mailing", AddressType::Mailing),
    ("shipping", AddressType::Shipping),
    ("other", AddressType::Other),
];
const PHONE_TYPES: [(&str, PhoneNumberType); 4] = [
    ("primary", PhoneNumberType::Primary),
    ("mobile", PhoneNumberType::Mobile),
    ("fax", PhoneNumberType::Fax),
    ("other", PhoneNumberType::Other),
];
const EMAIL_TYPES: [(&str, EmailAddressType); 3] = [
    ("primary", EmailAddressType::Primary),
    // Dataverse knows no address at work: it is another one.
    ("work", EmailAddressType::Other),
    ("other", EmailAddressType::Other),
];
/// The fields of an address, each with the column that it is kept in.
const PARTS: [(&str, &str); 6] = [
    ("street_1", "line1"),
    ("street_2", "line2"),
    ("city", "city"),
    ("state", "stateorprovince"),
    ("postal_code", "postalcode"),
    ("country", "country"),
];

/// An entry of a list: its type, and its other fields.
struct Entry<'r, T> {
    path: String,
    word: &'static str,
    kind: T,
    fields: Vec<(String, &'r RawValue)>,
}

/// Reads the entries of a list, whose type stands in `type_field`.
fn entries<'r, T: Copy>(
    field: &str,
    value: &'r RawValue,
    type_field: &str,
    types: &[(&'static str, T)],
    usual: (&'static str, T),
) -> Result<Vec<Entry<'r, T>>, Problem> {
    let listed = match values::found(value) {
        // Null and an empty list hold no entry: nothing is written.
        Found::Null => return Ok(Vec::new()),
        Found::List(list) => values::list(list).unwrap_or_default(),
        other => return Err(other.wrong(field, "a list")),
    };
    let mut entries = Vec::with_capacity(listed.len());
    for (place, entry) in listed.into_iter().enumerate() {
        let path = format!("{field}[{place}]");
        let fields =
            values::object(entry).ok_or_else(|| values::found(entry).wrong(&path, "an object"))?;
        let given = fields.iter().find(|(name, _)| name == type_field);
        let (word, kind) = match given.map(|(_, value)| values::found(value)) {
            None | Some(Found::Null) => usual,
            Some(Found::Text(text)) => {
                let found = types.iter().find(|(word, _)| *word == text);
                *found.ok_or_else(|| {
                    let words = types.iter().map(|(word, _)| (*word).to_owned()).collect();
                    Problem::unknown_label(&format!("{path}.{type_field}"), &text, words)
                })?
            }
            Some(other) => return Err(other.wrong(&format!("{path}.{type_field}"), "text")),
        };
        entries.push(Entry {
            path,
            word,
            kind,
            fields: fields
                .into_iter()
                .filter(|(name, _)| name != type_field)
                .collect(),
        });
    }
    Ok(entries)
}

impl<T> Entry<'_, T> {
    /// Its one value, such as the telephone number.
    fn value(&self, name: &str) -> Result<Option<String>, Problem> {
        let mut value = None;
        for (field, given) in &self.fields {
            let path = format!("{}.{field}", self.path);
            if field != name {
                return Err(not_there(path));
            }
            value = values::text(&path, given)?;
        }
        Ok(value.filter(|value| !value.trim().is_empty()))
    }
}

fn not_there(path: String) -> Problem {
    Problem::ReadOnly {
        field: path,
        why: "there is no such field here",
    }
}

impl Writer<'_> {
    pub(super) fn phone_numbers(&mut self, value: &RawValue) -> Result<(), Problem> {
        let field = "phone_numbers";
        let usual = ("primary", PhoneNumberType::Primary);
        let entries = entries(field, value, "phone_number_type", &PHONE_TYPES, usual)?;
        self.slots(field, "phone_number", &entries, &PHONES)
    }

    pub(super) fn email_addresses(&mut self, value: &RawValue) -> Result<(), Problem> {
        let field = "email_addresses";
        let usual = ("primary", EmailAddressType::Primary);
        let entries = entries(field, value, "email_address_type", &EMAIL_TYPES, usual)?;
        self.slots(field, "email_address", &entries, &EMAILS)
    }

    /// Puts each entry into the next column of its type that the table has.
    fn slots<T: Copy + PartialEq>(
        &mut self,
        field: &'static str,
        name: &str,
        entries: &[Entry<'_, T>],
        columns: &[(&'static str, T)],
    ) -> Result<(), Problem> {
        let table = self.writing.table;
        let mut free: Vec<(&str, T)> = columns
            .iter()
            .copied()
            .filter(|(column, _)| table.column(column).is_some())
            .collect();
        for entry in entries {
            let value = entry.value(name)?;
            let place = free.iter().position(|(_, kind)| *kind == entry.kind);
            let Some(place) = place else {
                let fits = |(column, kind): &&(&str, T)| {
                    *kind == entry.kind && table.column(column).is_some()
                };
                return Err(Problem::NoRoom {
                    field,
                    kind: entry.word,
                    room: columns.iter().filter(fits).count(),
                });
            };
            let (column, _) = free.remove(place);
            self.attributes.put(column, value);
        }
        Ok(())
    }

    pub(super) fn addresses(&mut self, value: &RawValue) -> Result<(), Problem> {
        let usual = ("primary", AddressType::Primary);
        let entries = entries("addresses", value, "address_type", &ADDRESS_TYPES, usual)?;
        let all: Vec<u8> = (1..=ADDRESSES).filter(|number| self.has(*number)).collect();
        let mut free = all.clone();
        // Those that have their place go first, so that nobody else takes it.
        let mut places: Vec<Option<u8>> = Vec::with_capacity(entries.len());
        for entry in &entries {
            let own = free
                .iter()
                .position(|number| self.holds(*number, entry.kind));
            places.push(own.map(|place| free.remove(place)));
        }
        for (entry, place) in entries.iter().zip(places) {
            let number = match place.or_else(|| self.empty(&free)) {
                Some(number) => number,
                None => {
                    return Err(Problem::NoRoom {
                        field: "addresses",
                        kind: entry.word,
                        room: all
                            .iter()
                            .filter(|number| self.holds(**number, entry.kind))
                            .count(),
                    });
                }
            };
            free.retain(|other| *other != number);
            self.address(number, entry)?;
        }
        Ok(())
    }

    /// Whether the table has this address.
    fn has(&self, number: u8) -> bool {
        let column = format!("address{number}_line1");
        self.writing.table.column(&column).is_some()
    }

    /// Whether the record has an address of this type there.
    fn holds(&self, number: u8, kind: AddressType) -> bool {
        self.writing.current.is_some_and(|current| {
            let here = crate::unified::reach::address(current, number);
            here.is_some_and(|here| here.address_type.code() == kind.code())
        })
    }

    /// The first place where nothing is.
    fn empty(&self, free: &[u8]) -> Option<u8> {
        let is_empty = |number: &&u8| match self.writing.current {
            Some(current) => crate::unified::reach::address(current, **number).is_none(),
            None => true,
        };
        free.iter().find(is_empty).copied()
    }

    fn address(&mut self, number: u8, entry: &Entry<'_, AddressType>) -> Result<(), Problem> {
        let table = self.writing.table;
        for (field, given) in &entry.fields {
            let path = format!("{}.{field}", entry.path);
            let Some((_, part)) = PARTS.iter().find(|(name, _)| name == field) else {
                return Err(not_there(path));
            };
            let value = values::text(&path, given)?;
            self.attributes
                .put(format!("address{number}_{part}"), value);
            // The third line is read as part of the second: what is written replaces both.
            let third = format!("address{number}_line3");
            if *part == "line2"
                && self.writing.purpose == Purpose::Update
                && table.column(&third).is_some()
            {
                self.attributes.put(third, Value::Null);
            }
        }
        let column = format!("address{number}_addresstypecode");
        let code = entry.kind.code();
        let takes = table.column(&column).is_some_and(|column| {
            column.choices.is_empty() || column.choices.iter().any(|choice| choice.value == code)
        });
        if takes && !self.holds(number, entry.kind) {
            self.attributes.put(column, code);
        }
        Ok(())
    }
}
