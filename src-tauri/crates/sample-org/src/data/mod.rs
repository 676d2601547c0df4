//! The organisation's data: a pure function of seed, present, table, index and revision, so that a million
//! rows take no memory and come out the same every time.

pub mod amounts;
pub mod columns;
pub mod names;
pub mod row;
pub mod schema;
pub mod tables;
pub mod time;
mod values;

use uuid::Uuid;

/// A stream of numbers from a seed (SplitMix64): cheap, even, and the same everywhere.
#[derive(Clone, Copy)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64, salt: u64, index: u64) -> Self {
        let mut dice = Self(
            seed ^ salt.wrapping_mul(0x9e37_79b9_7f4a_7c15)
                ^ index.wrapping_mul(0xbf58_476d_1ce4_e5b9),
        );
        dice.roll();
        dice
    }

    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    /// A number below `sides`.
    pub fn below(&mut self, sides: u64) -> u64 {
        self.roll() % sides.max(1)
    }

    /// True in `percent` of a hundred cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len() as u64) as usize]
    }
}

/// The id of a row. SQL Server orders GUIDs by their last six bytes first, and those hold the index:
/// pages come in the order of the index.
pub fn id(seed: u64, table: u64, index: u64) -> Uuid {
    let mut dice = Dice::new(seed, table.wrapping_add(77), 0);
    let high = (dice.roll() & !0xf000) | 0x7000;
    let low = 0x8d11_0000_0000_0000 | (index & 0xffff_ffff_ffff);
    Uuid::from_u64_pair((high & !0xffff) | 0x11ee, low)
}

/// The index of a row id; `None` where it is another table's or organisation's.
pub fn index_of(seed: u64, table: u64, wanted: Uuid) -> Option<u64> {
    let index = wanted.as_u64_pair().1 & 0xffff_ffff_ffff;
    (id(seed, table, index) == wanted).then_some(index)
}
