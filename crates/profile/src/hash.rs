//! Hashes that stay the same on every machine and in every version: sketches built with them are stored.

use std::hash::{BuildHasherDefault, Hasher};
use twox_hash::XxHash3_64;

/// XXH3 of bytes.
pub fn bytes(bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot(bytes)
}

/// Spreads the bits of a number: the finaliser of SplitMix64 (Steele, Lea and Flood 2014).
pub const fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Takes keys that are hashes already.
#[derive(Default)]
pub struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for b in bytes {
            self.0 = mix(self.0 ^ u64::from(*b));
        }
    }

    fn write_u64(&mut self, x: u64) {
        self.0 = x;
    }
}

pub type HashMap<V> = std::collections::HashMap<u64, V, BuildHasherDefault<Hashed>>;
pub type HashSet = std::collections::HashSet<u64, BuildHasherDefault<Hashed>>;
