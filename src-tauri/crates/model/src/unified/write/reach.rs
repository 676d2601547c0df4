//! Lists of telephone numbers and e-mail addresses: each entry goes to the columns of its type. Types
//! that are not in the list stay as they are; an entry without a value empties its own.

use serde_json::value::RawValue;

use super::values::{self, Found};
use super::{Problem, Writer};
use crate::unified::reach::{EMAILS, PHONES};
use crate::unified::{EmailAddressType, PhoneNumberType};

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
/// An entry of a list: its type, and its other fields.
pub(super) struct Entry<'r, T> {
    pub path: String,
    pub word: &'static str,
    pub kind: T,
    /// Whether the entry itself names its type.
    pub is_typed: bool,
    pub fields: Vec<(String, &'r RawValue)>,
}

/// Reads the entries of a list, whose type stands in `type_field`.
pub(super) fn entries<'r, T: Copy>(
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
        let given = given
            .map(|(_, value)| values::found(value))
            .filter(|given| !matches!(given, Found::Null));
        let is_typed = given.is_some();
        let (word, kind) = match given {
            None => usual,
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
            is_typed,
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

pub(super) fn not_there(path: String) -> Problem {
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
}
