//! A list of addresses: each entry goes to the address that has its type. Where an organisation keeps
//! no such types, as its choices often hold nothing but "Default Value", the order of the list counts.

use serde_json::Value;
use serde_json::value::RawValue;

use super::reach::{Entry, entries, not_there};
use super::values;
use super::{Problem, Purpose, Writer};
use crate::ColumnMetadata;
use crate::unified::reach::{ADDRESSES, address};
use crate::unified::{AddressType, Delivered, Object};

const TYPES: [(&str, AddressType); 5] = [
    ("primary", AddressType::Primary),
    ("billing", AddressType::Billing),
    ("mailing", AddressType::Mailing),
    ("shipping", AddressType::Shipping),
    ("other", AddressType::Other),
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

type AddressEntry<'r> = Entry<'r, AddressType>;

/// One of the addresses that the table has.
struct Place<'t> {
    number: u8,
    /// Whether something is there now.
    is_filled: bool,
    /// Its `addresstypecode` now.
    code: Option<i64>,
    /// The column of its type.
    column: Option<&'t ColumnMetadata>,
}

impl Place<'_> {
    /// Whether an address of this type is there now.
    fn reads_as(&self, kind: AddressType) -> bool {
        self.is_filled && is_same(AddressType::of_code(self.code), kind)
    }

    fn offers(&self, kind: AddressType) -> bool {
        self.column.is_some_and(|column| {
            let mut choices = column.choices.iter();
            column.choices.is_empty() || choices.any(|choice| choice.value == kind.code())
        })
    }

    /// Whether the type would be read from here again: what says nothing is another one.
    fn keeps(&self, kind: AddressType) -> bool {
        self.offers(kind) || is_same(kind, AddressType::Other)
    }

    /// Whether its code does not rule out that it is the main address.
    fn is_unsaid(&self) -> bool {
        self.code.is_none() || !self.offers(AddressType::Primary)
    }

    /// Whether addresses here have all the same type.
    fn has_one_type(&self) -> bool {
        self.column.is_none_or(|column| column.choices.len() == 1)
    }
}

/// Mailing addresses are kept as other ones.
fn is_same(one: AddressType, other: AddressType) -> bool {
    one.code() == other.code()
}

/// Which entry goes to which place.
struct Assignment<'a, 't> {
    places: &'a [Place<'t>],
    entries: &'a [AddressEntry<'a>],
    /// The place of each entry.
    of: Vec<Option<usize>>,
}

impl Assignment<'_, '_> {
    fn is_free(&self, place: usize) -> bool {
        !self.of.contains(&Some(place))
    }

    /// The first free place that fits.
    fn find(&self, fits: impl Fn(&Place<'_>) -> bool) -> Option<usize> {
        let mut all = self.places.iter().enumerate();
        all.find(|(at, place)| self.is_free(*at) && fits(place))
            .map(|(at, _)| at)
    }

    /// Gives each entry for which something is wanted and that has no place yet the one that is found.
    fn give(
        &mut self,
        wants: impl Fn(&AddressEntry<'_>) -> bool,
        find: impl Fn(&Self, &AddressEntry<'_>) -> Option<usize>,
    ) {
        for (at, entry) in self.entries.iter().enumerate() {
            if self.of[at].is_none() && wants(entry) {
                self.of[at] = find(self, entry);
            }
        }
    }

    /// The first address, where it can be taken for the main one and no entry needs it that means it
    /// by the type it has now.
    fn first(&self) -> Option<usize> {
        let first = self.places.first()?;
        let now = AddressType::of_code(first.code);
        let others =
            self.entries.iter().zip(&self.of).filter(|(entry, place)| {
                place.is_none() && entry.is_typed && is_same(entry.kind, now)
            });
        let beyond = self.places.iter().enumerate().skip(1);
        let rest = beyond.filter(|(at, place)| self.is_free(*at) && place.reads_as(now));
        let fits = !first.is_filled || first.is_unsaid() && others.count() <= rest.count();
        (first.number == 1 && fits && self.is_free(0)).then_some(0)
    }

    /// The next place of an address whose type nobody names: an empty one, or the one that follows
    /// those of the list.
    fn next(&self) -> Option<usize> {
        let mut all = self.places.iter().enumerate();
        all.find(|(at, place)| {
            let follows = || (0..*at).all(|lower| !self.is_free(lower));
            self.is_free(*at) && (!place.is_filled || place.is_unsaid() && follows())
        })
        .map(|(at, _)| at)
    }

    fn run(mut self) -> Result<Vec<usize>, Problem> {
        let is_main = |entry: &AddressEntry<'_>| entry.kind == AddressType::Primary;
        let is_typed = |entry: &AddressEntry<'_>| entry.is_typed;
        let by_type =
            |all: &Self, entry: &AddressEntry<'_>| all.find(|place| place.reads_as(entry.kind));
        self.give(is_main, by_type);
        self.give(
            |entry| is_main(entry) && entry.is_typed,
            |all, _| all.first(),
        );
        self.give(is_main, |all, _| all.first());
        self.give(is_typed, by_type);
        // Those that need a certain type choose before those that take any place.
        self.give(is_typed, |all, entry| {
            all.find(|place| !place.is_filled && place.keeps(entry.kind))
        });
        self.give(|entry| !entry.is_typed, |all, _| all.next());
        let mut places = Vec::with_capacity(self.of.len());
        for (entry, place) in self.entries.iter().zip(&self.of) {
            places.push(place.ok_or_else(|| self.problem(entry))?);
        }
        Ok(places)
    }

    /// Why an entry has no place.
    fn problem(&self, entry: &AddressEntry<'_>) -> Problem {
        match self.find(|place| !place.is_filled) {
            Some(at) => Problem::TypeNotKept {
                field: format!("{}.address_type", entry.path),
                kind: entry.word,
                place: self.places[at].number,
            },
            None => {
                let placed = self.entries.iter().zip(&self.of);
                let same = placed
                    .filter(|(other, place)| place.is_some() && is_same(other.kind, entry.kind));
                Problem::NoRoom {
                    field: "addresses",
                    kind: entry.word,
                    room: same.count(),
                }
            }
        }
    }
}

impl<'w> Writer<'w> {
    pub(super) fn addresses(&mut self, value: &RawValue) -> Result<(), Problem> {
        let usual = ("primary", AddressType::Primary);
        let entries = entries("addresses", value, "address_type", &TYPES, usual)?;
        let places: Vec<Place<'w>> = (1..=ADDRESSES)
            .filter_map(|number| self.place(number))
            .collect();
        let is_only = self.writing.object == Object::Lead
            && entries.len() == 1
            && places.first().is_some_and(Place::has_one_type)
            && !places.iter().skip(1).any(|place| place.is_filled);
        let assigned = match is_only {
            // It is the lead's address, whatever its type is called.
            true => vec![0],
            false => Assignment {
                places: &places,
                entries: &entries,
                of: vec![None; entries.len()],
            }
            .run()?,
        };
        for (entry, at) in entries.iter().zip(assigned) {
            self.address(&places[at], entry)?;
        }
        Ok(())
    }

    /// One of the addresses, where the table has it.
    fn place(&self, number: u8) -> Option<Place<'w>> {
        let (table, current) = (self.writing.table, self.writing.current);
        table.column(&format!("address{number}_line1"))?;
        let kind = format!("address{number}_addresstypecode");
        let filled = |current: &Delivered<'_>| address(current, number).is_some();
        Some(Place {
            number,
            is_filled: current.is_some_and(filled),
            code: current.and_then(|current| current.integer(&kind)),
            column: table.column(&kind),
        })
    }

    fn address(&mut self, place: &Place<'_>, entry: &AddressEntry<'_>) -> Result<(), Problem> {
        let (table, number) = (self.writing.table, place.number);
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
        if place.reads_as(entry.kind) {
            return Ok(());
        }
        if place.offers(entry.kind) {
            // An address that is there keeps its type where none is given.
            if entry.is_typed || !place.is_filled {
                self.attributes.put(column, entry.kind.code());
            }
        } else if entry.is_typed
            && is_same(entry.kind, AddressType::Other)
            && place.column.is_some()
        {
            // Without a type it is read as another one; else the organisation's default may say more.
            self.attributes.put(column, Value::Null);
        }
        Ok(())
    }
}
