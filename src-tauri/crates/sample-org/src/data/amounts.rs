//! Amounts of money, each with its twin in the organisation's own currency.

use super::row::{RATES, Row, Value, World};

/// Columns that hold one.
pub const AMOUNTS: [&str; 6] = [
    "revenue",
    "estimatedvalue",
    "estimatedamount",
    "budgetamount",
    "actualvalue",
    "nrv_fee",
];

impl World {
    /// The amount of a column, or of its twin.
    pub(super) fn amount(&self, row: Row, name: &str) -> Value {
        if let Some(twin_of) = name.strip_suffix("_base") {
            return match self.amount(row, twin_of) {
                Value::Number(digits) => {
                    Value::Number(divide(&digits, RATES[self.currency(row) as usize]))
                }
                none => none,
            };
        }
        match name {
            "revenue" => self.money(row, "revenue", 80_000_000),
            "nrv_fee" => self.money(row, "fee", 90_000),
            "actualvalue" if self.state(row) != 1 => Value::Null,
            _ => self.money(row, "estimate", 400_000),
        }
    }

    fn money(&self, row: Row, salt: &str, top: u64) -> Value {
        let mut dice = self.dice(
            Row {
                index: row.index + u64::from(row.revision) * 104_729,
                ..row
            },
            salt,
        );
        let amount = dice.below(top / 100) * 100 + 500;
        Value::Number(match dice.below(3) {
            0 => format!("{amount}.0"),
            1 => format!("{amount}.5000"),
            _ => format!("{amount}.0000000000"),
        })
    }
}

/// An amount divided by a rate, to ten decimal places.
pub fn divide(amount: &str, rate: &str) -> String {
    if rate == RATES[0] {
        return amount.to_owned();
    }
    let scaled = |text: &str| -> Option<(i128, u32)> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = format!("{whole}{fraction}").parse().ok()?;
        Some((digits, u32::try_from(fraction.len()).ok()?))
    };
    let exact = || -> Option<String> {
        let ((amount, places), (rate, rate_places)) = (scaled(amount)?, scaled(rate)?);
        let numerator = amount.checked_mul(10_i128.checked_pow(10 + rate_places)?)?;
        let quotient = numerator / rate.checked_mul(10_i128.checked_pow(places)?)?;
        let sign = if quotient < 0 { "-" } else { "" };
        let digits = format!("{:011}", quotient.abs());
        let (whole, fraction) = digits.split_at(digits.len() - 10);
        Some(format!("{sign}{whole}.{fraction}"))
    };
    exact().unwrap_or_else(|| amount.to_owned())
}
