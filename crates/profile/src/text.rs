//! What is kept of a stream of texts: lengths, characters, shapes, known formats.

use crate::hash;
use crate::numbers::Lengths;
use crate::sketch::Frequent;
use limn_domain::profile::CharClasses;
use serde::{Deserialize, Serialize};

/// Symbols of a pattern at most.
const PATTERN: usize = 24;

/// Formats that are told; the names as they are shown.
pub const FORMATS: [&str; 5] = ["e-mail address", "URL", "UUID", "IPv4 address", "phone number"];

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Texts {
    pub lengths: Lengths,
    pub classes: CharClasses,
    pub patterns: Frequent<Box<str>>,
    pub formats: [u64; FORMATS.len()],
}

impl Texts {
    pub fn add(&mut self, text: &str, weight: u64) {
        let seen = look(text);
        self.lengths.add(seen.chars, weight);
        add_classes(&mut self.classes, &seen.classes, weight);
        self.patterns.add(seen.pattern, weight, || pattern(text));
        if let Some(format) = format_of(text, &seen) {
            self.formats[format] += weight;
        }
    }

    pub fn merge(&mut self, other: &Self) {
        self.lengths.merge(&other.lengths);
        add_classes(&mut self.classes, &other.classes, 1);
        self.patterns.merge(&other.patterns);
        for (a, b) in self.formats.iter_mut().zip(other.formats) {
            *a += b;
        }
    }
}

pub fn add_classes(to: &mut CharClasses, more: &CharClasses, weight: u64) {
    to.upper += more.upper * weight;
    to.lower += more.lower * weight;
    to.digit += more.digit * weight;
    to.space += more.space * weight;
    to.punctuation += more.punctuation * weight;
    to.control += more.control * weight;
    to.letter += more.letter * weight;
    to.other += more.other * weight;
}

/// Counts the classes of a text of any length.
pub fn classes_of(text: &str) -> (usize, CharClasses) {
    let seen = look(text);
    (seen.chars, seen.classes)
}

struct Seen {
    chars: usize,
    classes: CharClasses,
    /// Hash of the pattern.
    pattern: u64,
}

/// Reads a text once.
fn look(text: &str) -> Seen {
    let mut classes = CharClasses::default();
    let (mut chars, mut symbols, mut hash) = (0, 0, 0u64);
    let (mut last, mut run) = ('\0', 0u32);
    for c in text.chars() {
        chars += 1;
        let symbol = symbol(c, &mut classes);
        if symbol == last {
            run += 1;
        } else {
            if symbols <= PATTERN {
                hash = end_of_run(hash, last, run);
            }
            (last, run) = (symbol, 1);
            symbols += 1;
        }
    }
    if symbols <= PATTERN {
        hash = end_of_run(hash, last, run);
    }
    Seen {
        chars,
        classes,
        pattern: hash::mix(hash),
    }
}

fn end_of_run(hash: u64, symbol: char, run: u32) -> u64 {
    let length = shown_run(symbol, run);
    (hash ^ (u64::from(u32::from(symbol)) << 8 | u64::from(length))).wrapping_mul(0x0000_0100_0000_01b3)
}

/// Digits keep their number up to eight; of other runs it is only told that they are some.
fn shown_run(symbol: char, run: u32) -> u32 {
    match symbol {
        '9' if run <= 8 => run,
        _ => run.min(2),
    }
}

fn symbol(c: char, classes: &mut CharClasses) -> char {
    match c {
        'a'..='z' => {
            classes.lower += 1;
            'a'
        }
        'A'..='Z' => {
            classes.upper += 1;
            'A'
        }
        '0'..='9' => {
            classes.digit += 1;
            '9'
        }
        ' ' | '\t' | '\n' | '\r' => {
            classes.space += 1;
            ' '
        }
        '!'..='~' => {
            classes.punctuation += 1;
            c
        }
        '\0'..='\x1f' | '\x7f' => {
            classes.control += 1;
            '\u{fffd}'
        }
        _ if c.is_alphabetic() => {
            classes.letter += 1;
            if c.is_uppercase() { 'A' } else { 'a' }
        }
        _ => {
            classes.other += 1;
            '\u{b7}'
        }
    }
}

/// The pattern that [`look`] hashed, written out.
fn pattern(text: &str) -> Box<str> {
    let mut out = String::new();
    let mut ignored = CharClasses::default();
    let mut symbols = 0;
    let (mut last, mut run) = ('\0', 0);
    let mut end = |last: char, run: u32, symbols: usize| {
        if run == 0 || symbols > PATTERN {
            return;
        }
        if last == '9' && run <= 8 {
            out.extend(std::iter::repeat_n('9', run as usize));
        } else {
            out.push(last);
            if run > 1 {
                out.push('+');
            }
        }
        if symbols == PATTERN {
            out.push('\u{2026}');
        }
    };
    for c in text.chars() {
        let symbol = symbol(c, &mut ignored);
        if symbol == last {
            run += 1;
        } else {
            end(last, run, symbols);
            (last, run) = (symbol, 1);
            symbols += 1;
            if symbols > PATTERN {
                break;
            }
        }
    }
    end(last, run, symbols.min(PATTERN + 1));
    out.into()
}

/// Which of [`FORMATS`] it looks like. A hint, not a proof.
fn format_of(text: &str, seen: &Seen) -> Option<usize> {
    let c = &seen.classes;
    if text.len() > 2000 || c.punctuation == 0 {
        return None;
    }
    if c.space == 0 && is_mail(text) {
        return Some(0);
    }
    if c.space == 0 && (text.starts_with("http://") || text.starts_with("https://")) && text.len() > 10 {
        return Some(1);
    }
    if text.len() == 36 && is_uuid(text) {
        return Some(2);
    }
    if c.digit >= 4 && c.lower + c.upper + c.letter + c.other == 0 {
        if is_ipv4(text) {
            return Some(3);
        }
        if is_phone(text, c) {
            return Some(4);
        }
    }
    None
}

fn is_mail(text: &str) -> bool {
    let Some((name, host)) = text.split_once('@') else {
        return false;
    };
    !name.is_empty()
        && name.len() <= 64
        && host.len() >= 3
        && host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-') || b >= 128)
        && host
            .split_once('.')
            .is_some_and(|(a, b)| !a.is_empty() && b.len() >= 2 && !b.ends_with('.'))
}

fn is_uuid(text: &str) -> bool {
    text.bytes().enumerate().all(|(i, b)| match i {
        8 | 13 | 18 | 23 => b == b'-',
        _ => b.is_ascii_hexdigit(),
    })
}

fn is_ipv4(text: &str) -> bool {
    let mut parts = 0;
    text.split('.').all(|p| {
        parts += 1;
        !p.is_empty() && p.len() <= 3 && p.parse::<u16>().is_ok_and(|n| n < 256)
    }) && parts == 4
}

/// International form, or digits grouped by at least two separators.
fn is_phone(text: &str, c: &CharClasses) -> bool {
    (7..=15).contains(&c.digit)
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b' ' | b'(' | b')' | b'/' | b'.'))
        && (text.starts_with('+') || (text.starts_with(['0', '(']) && c.punctuation + c.space >= 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(text: &str) -> Option<&'static str> {
        format_of(text, &look(text)).map(|f| FORMATS[f])
    }

    #[test]
    fn shapes_are_written() {
        for (text, shape) in [
            ("AB-1234", "A+-9999"),
            ("Hello World", "Aa+ Aa+"),
            ("1234567890", "9+"),
            ("", ""),
            ("a", "a"),
            ("Übung", "Aa+"),
            ("2024-01-02", "9999-99-99"),
        ] {
            assert_eq!(&*pattern(text), shape, "{text}");
        }
        let long = "a1".repeat(40);
        assert_eq!(pattern(&long).chars().count(), PATTERN + 1);
        assert!(pattern(&long).ends_with('\u{2026}'));
    }

    #[test]
    fn equal_shapes_hash_alike() {
        assert_eq!(look("AB-1234").pattern, look("XYZ-9876").pattern);
        assert_ne!(look("AB-1234").pattern, look("AB-12345").pattern);
        assert_eq!(look(&"a1".repeat(40)).pattern, look(&"b2".repeat(50)).pattern);
    }

    #[test]
    fn formats_are_told() {
        assert_eq!(format("ada@example.org"), Some("e-mail address"));
        assert_eq!(format("https://example.org/a?b=c"), Some("URL"));
        assert_eq!(format("123e4567-e89b-12d3-a456-426614174000"), Some("UUID"));
        assert_eq!(format("192.168.0.1"), Some("IPv4 address"));
        assert_eq!(format("+49 30 1234567"), Some("phone number"));
        for text in [
            "ada@",
            "@example.org",
            "300.1.1.1",
            "2024-01-02",
            "a b@c.de",
            "12.345.678",
        ] {
            assert_eq!(format(text), None, "{text}");
        }
    }

    #[test]
    fn characters_are_counted_by_class() {
        let (chars, c) = classes_of("Aé1 !\u{1}漢€");
        assert_eq!(chars, 8);
        assert_eq!(
            (
                c.upper,
                c.letter,
                c.digit,
                c.space,
                c.punctuation,
                c.control,
                c.other
            ),
            (1, 2, 1, 1, 1, 1, 1)
        );
    }
}
