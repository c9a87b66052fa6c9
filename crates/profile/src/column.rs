//! What is kept of one column while its rows go by.

use crate::hash::HashMap;
use crate::numbers::{Lengths, Numbers};
use crate::sketch::{Distinct, Frequent, Kll, Moments, Spread};
use crate::text::Texts;
use crate::value::{self, Cell, MISSING, Meaning, Value, has_leading_zero, meaning};
use crate::when::{Instant, Zone};
use serde::{Deserialize, Serialize};

/// Texts longer than this are not kept whole.
const LONG: usize = 256;
/// Bytes of text kept of values that are counted one by one.
const BYTES: usize = 1 << 19;
/// Characters shown of a value that was too long to keep.
const SHOWN: usize = 120;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Values that are there.
    pub count: u64,
    /// Missing ones, by [`MISSING`].
    pub missing: [u64; MISSING.len()],
    /// Equal for two columns of the same table that hold the same, cell by cell.
    pub fingerprint: u64,
    /// Empty once there are `many`.
    pub few: Few,
    /// Sketches, from when there were too many distinct values.
    pub many: Option<Box<Stream>>,
}

/// Every value as it was written, by its hash: from these all figures follow exactly. This is also the fast path: a value that was
/// seen before costs one look-up.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Few {
    pub values: HashMap<(Value, u64)>,
    bytes: usize,
}

impl Default for Column {
    fn default() -> Self {
        Self {
            count: 0,
            missing: [0; MISSING.len()],
            fingerprint: 0,
            few: Few::default(),
            many: None,
        }
    }
}

impl Column {
    /// Takes a cell with its [`Cell::hash`]; `few` is how many distinct values are counted one by one.
    pub fn add(&mut self, hash: u64, cell: Cell<'_>, few: usize) {
        if let Cell::Missing(marker) = cell {
            self.missing[usize::from(marker).min(MISSING.len() - 1)] += 1;
            return;
        }
        self.count += 1;
        if let Some(stream) = &mut self.many {
            stream.add(hash, cell, 1);
            return;
        }
        let held = &mut self.few;
        if let Some((_, n)) = held.values.get_mut(&hash) {
            *n += 1;
            return;
        }
        let text = match cell {
            Cell::Raw(s) | Cell::Str(s) => s.len(),
            _ => 0,
        };
        if held.values.len() < few && text <= LONG && held.bytes + text <= BYTES {
            held.bytes += text;
            held.values.insert(hash, (cell.to_value(), 1));
        } else {
            self.spill().add(hash, cell, 1);
        }
    }

    pub fn merge(&mut self, other: &Self, few: usize) {
        self.count += other.count;
        for (a, b) in self.missing.iter_mut().zip(other.missing) {
            *a += b;
        }
        self.fingerprint = self.fingerprint.wrapping_add(other.fingerprint);
        if let Some(theirs) = &other.many {
            self.spill().merge(theirs);
        }
        let mut all: Vec<_> = other.few.values.iter().collect();
        all.sort_unstable_by_key(|(h, _)| **h);
        for (hash, (value, n)) in all {
            self.take(*hash, value, *n, few);
        }
    }

    fn take(&mut self, hash: u64, value: &Value, n: u64, few: usize) {
        let held = &mut self.few;
        if self.many.is_none() {
            let text = match value {
                Value::Raw(s) | Value::Str(s) => s.len(),
                _ => 0,
            };
            if let Some((_, count)) = held.values.get_mut(&hash) {
                *count += n;
                return;
            }
            if held.values.len() < few && held.bytes + text <= BYTES {
                held.bytes += text;
                held.values.insert(hash, (value.clone(), n));
                return;
            }
        }
        self.spill().add(hash, value.as_cell(), n);
    }

    fn spill(&mut self) -> &mut Stream {
        let few = &mut self.few;
        self.many
            .get_or_insert_with(|| Box::new(std::mem::take(few).stream()))
    }

    pub fn missing_total(&self) -> u64 {
        self.missing.iter().sum()
    }
}

impl Few {
    /// In an order of its own, so that merging in another order gives the same sketches.
    pub fn stream(&self) -> Stream {
        let mut stream = Stream::default();
        let mut all: Vec<_> = self.values.iter().collect();
        all.sort_unstable_by_key(|(h, _)| **h);
        for (hash, (value, n)) in all {
            stream.add(*hash, value.as_cell(), *n);
        }
        stream
    }
}

/// Kinds of values, in the order of [`Stream::kinds`].
pub const KINDS: [&str; 7] = ["bool", "integer", "float", "datetime", "text", "list", "other"];

/// Sketches of all that a column may turn out to be.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Stream {
    /// Values by [`KINDS`].
    pub kinds: [u64; KINDS.len()],
    pub distinct: Distinct,
    pub frequent: Frequent<Value>,
    pub numbers: Numbers,
    pub times: Times,
    pub texts: Texts,
    /// Lengths of lists.
    pub lists: Lengths,
    pub leading_zeros: u64,
    /// Characters of numbers and dates as they were written: they count as text where the column is text.
    pub written: Lengths,
}

impl Stream {
    fn add(&mut self, hash: u64, cell: Cell<'_>, n: u64) {
        let (meant, written) = match cell {
            Cell::Raw(s) => match meaning(s) {
                Meaning::Int(i) => (Cell::Int(i), Some(s)),
                Meaning::Float(x) => (Cell::Float(x), Some(s)),
                Meaning::Bool(b) => (Cell::Bool(b), Some(s)),
                Meaning::Time(t) => (Cell::Time(t), Some(s)),
                Meaning::Text => (Cell::Str(s), None),
            },
            Cell::Str(s) => match crate::when::parse(s.as_bytes()) {
                Some(t) => (Cell::Time(t), Some(s)),
                None => (cell, None),
            },
            _ => (cell, None),
        };
        if let Some(s) = written {
            self.written.add(s.chars().count(), n);
            if has_leading_zero(s) {
                self.leading_zeros += n;
            }
        }
        let mut identity = hash;
        let kind = match meant {
            Cell::Bool(_) => 0,
            Cell::Int(i) => {
                identity = value::hash_int(i);
                self.numbers.add(i as f64, n);
                1
            }
            Cell::Float(x) => {
                let x = value::unsigned_zero(x);
                self.numbers.add(x, n);
                match written {
                    // Too long for an integer, and told apart by its digits.
                    Some(s) if value::is_digits(s) => 1,
                    _ => {
                        identity = value::hash_number(x);
                        2
                    }
                }
            }
            Cell::Time(t) => {
                identity = cell_hash_of_time(t);
                self.times.add(t, n);
                3
            }
            Cell::Str(s) => {
                self.texts.add(s, n);
                4
            }
            Cell::List(length) => {
                self.lists.add(length as usize, n);
                5
            }
            _ => 6,
        };
        self.kinds[kind] += n;
        self.distinct.add(identity);
        self.frequent.add(identity, n, || match meant {
            Cell::Str(s) => Value::Str(shortened(s)),
            Cell::Float(_) if kind == 1 => written.map_or(Value::Other, |s| Value::Str(s.into())),
            _ => meant.to_value(),
        });
    }

    fn merge(&mut self, other: &Self) {
        for (a, b) in self.kinds.iter_mut().zip(other.kinds) {
            *a += b;
        }
        self.distinct.merge(&other.distinct);
        self.frequent.merge(&other.frequent);
        self.numbers.merge(&other.numbers);
        self.times.merge(&other.times);
        self.texts.merge(&other.texts);
        self.lists.merge(&other.lists);
        self.leading_zeros += other.leading_zeros;
        self.written.merge(&other.written);
    }
}

fn cell_hash_of_time(t: Instant) -> u64 {
    Cell::Time(t).hash()
}

fn shortened(s: &str) -> Box<str> {
    match s.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}\u{2026}", s.get(..at).unwrap_or_default()).into(),
        None => s.into(),
    }
}

/// What is kept of dates and times.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Times {
    pub min: i64,
    pub max: i64,
    /// Of seconds since 1970.
    pub moments: Moments,
    /// Of microseconds since 1970.
    pub kll: Kll,
    pub spread: Spread,
    pub utc: u64,
    pub offset: u64,
    pub naive: u64,
    pub dates: u64,
}

impl Times {
    fn add(&mut self, t: Instant, n: u64) {
        if self.moments.n == 0 {
            (self.min, self.max) = (t.micros, t.micros);
        } else {
            self.min = self.min.min(t.micros);
            self.max = self.max.max(t.micros);
        }
        self.moments.add_weighted(t.micros as f64 / 1e6, n);
        self.kll.add_weighted(t.micros as f64, n);
        self.spread.add(t.micros, n);
        match t.zone {
            Zone::Utc => self.utc += n,
            Zone::Offset => self.offset += n,
            Zone::Naive => self.naive += n,
        }
        if !t.has_time {
            self.dates += n;
        }
    }

    fn merge(&mut self, other: &Self) {
        if other.moments.n == 0 {
            return;
        }
        if self.moments.n == 0 {
            *self = other.clone();
            return;
        }
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.moments.merge(&other.moments);
        self.kll.merge(&other.kll);
        self.spread.merge(&other.spread);
        self.utc += other.utc;
        self.offset += other.offset;
        self.naive += other.naive;
        self.dates += other.dates;
    }
}
