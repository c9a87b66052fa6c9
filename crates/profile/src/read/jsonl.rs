//! JSON lines: an object a line. Objects inside become columns with dotted names; of lists the length is kept.

use super::blocks::{Block, Blocks};
use super::stripes::{self, STRIPES};
use super::{ReadError, ReadOptions, Watch};
use crate::table::{TableState, row_key};
use crate::value::{ABSENT, Cell, NAN};
use limn_domain::profile::FindingKind;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::io::Read;

/// Objects within objects that become columns.
const DEPTH: usize = 4;

pub fn profile(reader: impl Read, options: &ReadOptions, watch: Watch<'_>) -> Result<TableState, ReadError> {
    let blocks = Blocks::new(reader, None);
    let seed = options.seed;
    stripes::profile(blocks, STRIPES, watch, TableState::default, |table, block| {
        take(table, block, seed);
    })
}

fn take(table: &mut TableState, block: &Block, seed: u64) {
    let mut number = 0;
    for (offset, line) in block.bytes.split(|b| *b == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let at = block.line + offset as u64;
        // Looked through first, so that no half of a broken row is counted.
        if let Err(e) = serde_json::from_slice::<IgnoredAny>(line) {
            let kind = if std::str::from_utf8(line).is_err() {
                FindingKind::Encoding
            } else {
                FindingKind::Malformed
            };
            table.note(at, kind, format!("no JSON, left out: {e}"));
            continue;
        }
        if line.trim_ascii_start().first() != Some(&b'{') {
            table.note(at, FindingKind::Malformed, "no object, left out".to_owned());
            continue;
        }
        table.begin_row(row_key(seed, block.index, number));
        number += 1;
        let mut json = serde_json::Deserializer::from_slice(line);
        let object = Object {
            table,
            prefix: "",
            depth: 0,
        };
        let read = object.deserialize(&mut json);
        table.end_row();
        if read.is_err() {
            table.note(
                at,
                FindingKind::Encoding,
                "text that is not UTF-8; the rest of the row is left out".to_owned(),
            );
        }
    }
}

/// The columns of an object.
struct Object<'a> {
    table: &'a mut TableState,
    prefix: &'a str,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            let name = if self.prefix.is_empty() {
                key
            } else {
                Cow::Owned(format!("{}.{key}", self.prefix))
            };
            map.next_value_seed(Member {
                table: self.table,
                name: &name,
                depth: self.depth,
            })?;
        }
        Ok(())
    }
}

/// One member of an object.
struct Member<'a> {
    table: &'a mut TableState,
    name: &'a str,
    depth: usize,
}

impl Member<'_> {
    fn put(self, cell: Cell<'_>) {
        if let Some(at) = self.table.column(self.name) {
            self.table.cell(at, cell);
        }
    }
}

impl<'de> DeserializeSeed<'de> for Member<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Member<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, v: bool) -> Result<(), E> {
        self.put(Cell::Bool(v));
        Ok(())
    }

    fn visit_i64<E>(self, v: i64) -> Result<(), E> {
        self.put(Cell::Int(v));
        Ok(())
    }

    fn visit_u64<E>(self, v: u64) -> Result<(), E> {
        self.put(i64::try_from(v).map_or(Cell::Float(v as f64), Cell::Int));
        Ok(())
    }

    fn visit_f64<E>(self, v: f64) -> Result<(), E> {
        self.put(if v.is_nan() {
            Cell::Missing(NAN)
        } else {
            Cell::Float(v)
        });
        Ok(())
    }

    fn visit_str<E>(self, v: &str) -> Result<(), E> {
        self.put(Cell::Str(v));
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.put(Cell::Missing(ABSENT));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut n = 0u32;
        while seq.next_element::<IgnoredAny>()?.is_some() {
            n = n.saturating_add(1);
        }
        self.put(Cell::List(n));
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        if self.depth < DEPTH {
            if self.name.len() > 1000 {
                return Err(A::Error::custom("a name that is too long"));
            }
            return Object {
                table: self.table,
                prefix: self.name,
                depth: self.depth + 1,
            }
            .visit_map(map);
        }
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        self.put(Cell::Other);
        Ok(())
    }
}
