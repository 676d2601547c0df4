//! Lists of telephone numbers and e-mail addresses: each entry goes to the columns of its type. Types
//! that are not in the list stay as they are; an entry without a value only names its type.

use serde_json::value::RawValue;

use super::values::{self, Found};
use super::{Problem, Purpose, Writer};
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

    /// Puts each entry into a column of its type: the one that has the same value already, else one that
    /// is empty, else one whose value the list has no more. A list is all there is of the types that it
    /// names: an existing record's other columns of theirs are emptied.
    fn slots<T: Copy + PartialEq>(
        &mut self,
        field: &'static str,
        name: &str,
        entries: &[Entry<'_, T>],
        columns: &[(&'static str, T)],
    ) -> Result<(), Problem> {
        let mut values = Vec::with_capacity(entries.len());
        for entry in entries {
            values.push((entry, entry.value(name)?));
        }
        let mut named: Vec<T> = Vec::new();
        for (entry, _) in &values {
            if named.contains(&entry.kind) {
                continue;
            }
            named.push(entry.kind);
            let own = columns.iter().filter(|(_, kind)| *kind == entry.kind);
            let slots: Vec<&'static str> = own
                .map(|(column, _)| *column)
                .filter(|column| self.writing.table.column(column).is_some())
                .collect();
            let same = values.iter().filter(|(other, _)| other.kind == entry.kind);
            let wanted: Vec<&str> = same.filter_map(|(_, value)| value.as_deref()).collect();
            if slots.is_empty() || wanted.len() > slots.len() {
                return Err(Problem::NoRoom {
                    field,
                    kind: entry.word,
                    room: slots.len(),
                });
            }
            self.fill(&slots, &wanted);
        }
        Ok(())
    }

    /// Puts no more values than there are columns into them, and empties the rest.
    fn fill(&mut self, slots: &[&'static str], wanted: &[&str]) {
        let now = |column: &str| self.writing.current?.filled(column);
        let now: Vec<Option<String>> = slots.iter().map(|column| now(column)).collect();
        let mut next: Vec<Option<&str>> = vec![None; slots.len()];
        let mut moving = Vec::new();
        for value in wanted {
            let is_there = |now: &Option<String>| {
                let now = now.as_deref().map(str::trim);
                now == Some(value.trim())
            };
            let place = (0..slots.len()).find(|at| next[*at].is_none() && is_there(&now[*at]));
            match place {
                Some(at) => next[at] = Some(value),
                None => moving.push(*value),
            }
        }
        for value in moving {
            let free = |at: &usize| next[*at].is_none();
            let empty = (0..slots.len()).find(|at| free(at) && now[*at].is_none());
            if let Some(at) = empty.or_else(|| (0..slots.len()).find(free)) {
                next[at] = Some(value);
            }
        }
        for (column, value) in slots.iter().zip(next) {
            // A new record has nothing to empty.
            if value.is_some() || self.writing.purpose == Purpose::Update {
                self.attributes.put(*column, value);
            }
        }
    }
}
