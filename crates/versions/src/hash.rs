//! Digests as 32 bytes; [`limn_domain::Digest`] is the same as text.

use limn_domain::Digest;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// BLAKE3 of some bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash([u8; 32]);

impl Hash {
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// `None` unless there are exactly 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl From<&Digest> for Hash {
    fn from(d: &Digest) -> Self {
        let mut bytes = [0; 32];
        // A digest is 64 hexadecimal digits by construction.
        let read = hex::decode_to_slice(d.as_str(), &mut bytes);
        debug_assert!(read.is_ok(), "a digest is hexadecimal");
        Self(bytes)
    }
}

impl From<Hash> for Digest {
    fn from(h: Hash) -> Self {
        // 64 lower-case hexadecimal digits always parse; the alternative is a digest that names nothing.
        Self::parse(&h.hex()).unwrap_or_else(|_| unreachable_digest())
    }
}

/// A digest of nothing, for a case that cannot happen.
fn unreachable_digest() -> Digest {
    let zeros = serde_json::Value::String("0".repeat(64));
    serde_json::from_value(zeros).unwrap_or_else(|_| unreachable_digest())
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex()[..12])
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.hex())
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(&text, &mut bytes).map_err(serde::de::Error::custom)?;
        Ok(Self(bytes))
    }
}
