//! Tables for tests.
#![allow(dead_code, reason = "each test file uses some of it")]

use limn_domain::profile::{ColumnProfile, TableProfile};
use limn_profile::{ReadOptions, TableFormat, TableState, profile_lines};

pub fn state(format: TableFormat, text: impl AsRef<[u8]>, seed: u64) -> TableState {
    let options = ReadOptions {
        seed,
        ..ReadOptions::default()
    };
    profile_lines(format, text.as_ref(), &options, &|_| true).expect("it can be read")
}

pub fn csv(text: impl AsRef<[u8]>) -> TableProfile {
    state(TableFormat::Csv, text, 1).profile()
}

pub fn column<'a>(profile: &'a TableProfile, name: &str) -> &'a ColumnProfile {
    profile
        .columns
        .iter()
        .find(|c| c.name == name)
        .unwrap_or_else(|| panic!("no column {name}"))
}

/// A generator whose sequence never changes.
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    /// From 0 to 1.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.unit()).ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }
}
