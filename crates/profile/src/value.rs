//! Cells as readers hand them over, and what the text of one may mean.

use crate::hash;
use crate::when::{self, Instant};
use serde::{Deserialize, Serialize};

/// One cell of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// Nothing there; which of [`MISSING`] stood for it.
    Missing(u8),
    /// Text of a format without types: may turn out to be a number, a date...
    Raw(&'a str),
    /// Text that is known to be text. It may still be a date.
    Str(&'a str),
    Int(i64),
    Float(f64),
    Bool(bool),
    Time(Instant),
    /// A list of so many.
    List(u32),
    /// Binary or nested: only its being there counts.
    Other,
}

/// A value that is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    Raw(Box<str>),
    Str(Box<str>),
    Int(i64),
    Float(f64),
    Bool(bool),
    Time(Instant),
    List(u32),
    Other,
}

/// How a missing cell is written: what pandas reads as missing, and then how typed formats say it.
pub const MISSING: [&str; 20] = [
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A",
    "NA", "NULL", "NaN", "None", "n/a", "nan", "null", "(absent)",
];
/// The marker of typed formats: null, or a key that is not there.
pub const ABSENT: u8 = 19;
/// A floating-point value that is no number.
pub const NAN: u8 = 14;

/// The marker that a text without types is, if it is one.
pub fn missing(text: &str) -> Option<u8> {
    match text.as_bytes() {
        [] => Some(0),
        [b'#' | b'-' | b'1' | b'<' | b'N' | b'n', ..] if text.len() <= 8 => MISSING[..ABSENT as usize]
            .iter()
            .position(|m| *m == text)
            .map(|i| i as u8),
        _ => None,
    }
}

impl Cell<'_> {
    /// The same for the same cell in every file.
    pub fn hash(&self) -> u64 {
        match self {
            Cell::Missing(_) => 0,
            Cell::Raw(s) => hash::bytes(s.as_bytes()),
            Cell::Str(s) => hash::bytes(s.as_bytes()) ^ 0x5717,
            Cell::Int(i) => hash_int(*i),
            Cell::Float(x) => hash_number(*x),
            Cell::Bool(b) => hash::mix(0xb001 + u64::from(*b)),
            Cell::Time(t) => hash::mix(0x71e0_0000 ^ t.micros as u64),
            Cell::List(n) => hash::mix(0x1157_0000 ^ u64::from(*n)),
            Cell::Other => 1,
        }
    }

    pub fn to_value(self) -> Value {
        match self {
            Cell::Missing(_) | Cell::Other => Value::Other,
            Cell::Raw(s) => Value::Raw(s.into()),
            Cell::Str(s) => Value::Str(s.into()),
            Cell::Int(i) => Value::Int(i),
            Cell::Float(x) => Value::Float(unsigned_zero(x)),
            Cell::Bool(b) => Value::Bool(b),
            Cell::Time(t) => Value::Time(t),
            Cell::List(n) => Value::List(n),
        }
    }

    /// The cell as a number, for correlations: bools count 0 and 1, times their seconds.
    pub fn as_number(&self) -> Option<f64> {
        let x = match self {
            Cell::Int(i) => *i as f64,
            Cell::Float(x) => *x,
            Cell::Bool(b) => f64::from(u8::from(*b)),
            Cell::Time(t) => t.micros as f64 / 1e6,
            Cell::Raw(s) => match meaning(s) {
                Meaning::Int(i) => i as f64,
                Meaning::Float(x) => x,
                Meaning::Bool(b) => f64::from(u8::from(b)),
                Meaning::Time(t) => t.micros as f64 / 1e6,
                Meaning::Text => return None,
            },
            _ => return None,
        };
        x.is_finite().then_some(x)
    }
}

impl Value {
    pub fn as_cell(&self) -> Cell<'_> {
        match self {
            Value::Raw(s) => Cell::Raw(s),
            Value::Str(s) => Cell::Str(s),
            Value::Int(i) => Cell::Int(*i),
            Value::Float(x) => Cell::Float(*x),
            Value::Bool(b) => Cell::Bool(*b),
            Value::Time(t) => Cell::Time(*t),
            Value::List(n) => Cell::List(*n),
            Value::Other => Cell::Other,
        }
    }

    /// As a person reads it.
    pub fn text(&self) -> String {
        match self {
            Value::Raw(s) | Value::Str(s) => s.to_string(),
            Value::Int(i) => i.to_string(),
            Value::Float(x) => x.to_string(),
            Value::Bool(b) => b.to_string(),
            Value::Time(t) => when::written(t.micros),
            Value::List(n) => n.to_string(),
            Value::Other => "(not shown)".to_owned(),
        }
    }
}

/// Equal numbers hash alike, however they are written or stored.
pub fn hash_number(x: f64) -> u64 {
    if x.fract() == 0.0 && x.abs() < 9.0e18 {
        hash_int(x as i64)
    } else {
        hash::mix(x.to_bits())
    }
}

pub fn hash_int(i: i64) -> u64 {
    hash::mix(0x1e57_0000_0000_0000 ^ i as u64)
}

/// There is one zero: `-0.0` equals it, and which of the two is kept must not depend on which came first.
pub const fn unsigned_zero(x: f64) -> f64 {
    x + 0.0
}

/// What a text without types says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Meaning {
    Bool(bool),
    Int(i64),
    Float(f64),
    Time(Instant),
    Text,
}

/// Whole numbers that need more than 64 bits come out as floating point.
pub fn meaning(text: &str) -> Meaning {
    let trimmed = text.trim_matches([' ', '\t']);
    let bytes = trimmed.as_bytes();
    let Some(first) = bytes.first() else {
        return Meaning::Text;
    };
    match first {
        b'0'..=b'9' | b'-' | b'+' | b'.' => {
            if let Some(i) = whole(bytes) {
                return Meaning::Int(i);
            }
            if bytes
                .iter()
                .all(|b| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
            {
                if let Ok(x) = trimmed.parse::<f64>() {
                    return Meaning::Float(unsigned_zero(x));
                }
            } else if matches!(bytes.get(1), Some(b'i' | b'I'))
                && let Some(x) = infinity(trimmed)
            {
                return Meaning::Float(x);
            }
            when::parse(bytes).map_or(Meaning::Text, Meaning::Time)
        }
        b't' | b'T' if matches!(trimmed, "true" | "True" | "TRUE") => Meaning::Bool(true),
        b'f' | b'F' if matches!(trimmed, "false" | "False" | "FALSE") => Meaning::Bool(false),
        b'i' | b'I' => infinity(trimmed).map_or(Meaning::Text, Meaning::Float),
        _ => Meaning::Text,
    }
}

fn infinity(text: &str) -> Option<f64> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'-' => (-1.0, text.get(1..)?),
        b'+' => (1.0, text.get(1..)?),
        _ => (1.0, text),
    };
    (rest.eq_ignore_ascii_case("inf") || rest.eq_ignore_ascii_case("infinity"))
        .then_some(sign * f64::INFINITY)
}

fn whole(bytes: &[u8]) -> Option<i64> {
    let (negative, digits) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, bytes),
    };
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    let mut n: i64 = 0;
    for b in digits {
        let digit = b.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        // Downwards, so that the smallest one fits.
        n = n.checked_mul(10)?.checked_sub(i64::from(digit))?;
    }
    if negative { Some(n) } else { n.checked_neg() }
}

/// Whether a text of digits would lose zeros as a number: `007`.
pub fn has_leading_zero(text: &str) -> bool {
    matches!(text.as_bytes(), [b'0', b'0'..=b'9', ..])
}

/// Whether it is a whole number of any length.
pub fn is_digits(text: &str) -> bool {
    let t = text.trim_matches([' ', '\t']);
    let t = t.strip_prefix(['-', '+']).unwrap_or(t);
    !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit())
}
