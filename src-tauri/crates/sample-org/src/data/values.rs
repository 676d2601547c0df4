//! Values that several columns share the making of: sentences, addresses, columns of one's own.

use super::id;
use super::names::{AWKWARD, SENTENCES, STREETS};
use super::row::{FOUNDED, Row, Value, World};
use super::schema::{ACCOUNT, Column, Kind, TABLES};

/// How often a column of the organisation's own is filled, so that a contact has some 45 values in
/// its 120 columns, as they have in organisations.
const FILLED_PERCENT: u64 = 11;

impl World {
    pub(super) fn sentences(&self, row: Row, salt: &str) -> Value {
        let mut dice = self.dice(
            Row {
                index: row.index + u64::from(row.revision) * 31,
                ..row
            },
            salt,
        );
        if dice.below(400) == 0 {
            return Value::Text(dice.pick(&AWKWARD).to_owned());
        }
        let count = 1 + dice.below(5);
        let sentences: Vec<&str> = (0..count).map(|_| dice.pick(&SENTENCES)).collect();
        Value::Text(sentences.join(" "))
    }

    pub(super) fn address(&self, row: Row, name: &str) -> Value {
        let second = name.starts_with("address2");
        let third = name.starts_with("address3");
        if second && !self.dice(row, "second").chance(15) {
            return Value::Null;
        }
        if third && !self.dice(row, "third").chance(3) {
            return Value::Null;
        }
        let place = match (second, third) {
            (true, _) => "place2",
            (_, true) => "place3",
            _ => "place",
        };
        let (city, region, code, country, _) = self.place(row, place);
        let mut dice = self.dice(row, &name[..8]);
        let line = format!("{} {}", dice.pick(&STREETS), 1 + dice.below(180));
        match &name[9..] {
            "line1" => Value::Text(line),
            "city" => Value::Text(city.to_owned()),
            "stateorprovince" => Value::Text(region.to_owned()),
            "postalcode" => Value::Text(code.to_owned()),
            "country" => Value::Text(country.to_owned()),
            "composite" => Value::Text(format!("{line}\n{code} {city}\n{country}")),
            "line2" if third => Value::Text("Gate 4".to_owned()),
            "addresstypecode" if third => Value::Integer(1),
            "addresstypecode" => Value::Integer(3),
            "latitude" if !second && row.table == ACCOUNT => {
                Value::Number(format!("{}.{:04}", 40 + dice.below(25), dice.below(10_000)))
            }
            "longitude" if !second && row.table == ACCOUNT => {
                Value::Number(format!("{}.{:04}", dice.below(25), dice.below(10_000)))
            }
            _ => Value::Null,
        }
    }

    pub(super) fn custom(&self, row: Row, column: &Column) -> Value {
        let mut dice = self.dice(row, &column.name);
        if !dice.chance(FILLED_PERCENT) {
            return Value::Null;
        }
        match column.kind {
            Kind::Integer | Kind::BigInt => Value::Integer(dice.below(1_000) as i64),
            Kind::Decimal | Kind::Double => {
                Value::Number(format!("{}.{:04}", dice.below(500), dice.below(10_000)))
            }
            Kind::Money => Value::Number(format!("{}.0000", dice.below(50_000))),
            Kind::Boolean => Value::Boolean(dice.chance(50)),
            Kind::DateTime | Kind::FixedDateTime => {
                Value::Moment(FOUNDED + dice.below(150_000_000) as i64)
            }
            Kind::DateOnly => Value::Day(FOUNDED / 86_400 + dice.below(1_700) as i64),
            Kind::Picklist if column.options.is_empty() => Value::Null,
            Kind::Picklist => Value::Integer(dice.pick(&column.options).0),
            Kind::MultiSelect => Value::Text(
                column
                    .options
                    .iter()
                    .take(1 + dice.below(2) as usize)
                    .map(|(value, ..)| value.to_string())
                    .collect::<Vec<_>>()
                    .join(","),
            ),
            Kind::Lookup | Kind::Customer | Kind::Owner => column
                .targets
                .first()
                .and_then(|target| TABLES.iter().position(|table| table.name == *target))
                .map_or(Value::Null, |target| self.some(target, &mut dice)),
            Kind::Id | Kind::File => Value::Id(id(self.seed, 70, row.index)),
            Kind::Image | Kind::ManagedProperty | Kind::State | Kind::Status => Value::Null,
            _ => Value::Text(format!(
                "{}-{:04}",
                dice.pick(&["Lot", "Batch", "Route", "Zone"]),
                dice.below(10_000)
            )),
        }
    }
}
