//! Documents: plain text, and places in it.
//!
//! A place is counted in Unicode scalar values from the start of the text as it is stored: decoded, without a byte order
//! mark, with its line ends and combining marks untouched. That is how Python (and so spaCy) counts. Browsers count in
//! UTF-16 code units; the conversion is here and nowhere else.

mod blocks;
mod decode;
mod search;

pub use blocks::Text;
pub use decode::{Encoding, Fault, decode};
pub use search::{HITS_MAX, find};

use unicode_segmentation::UnicodeSegmentation as _;

/// Largest document that is taken unless the studio is set up otherwise, in bytes.
pub const BYTES_MAX: u64 = 1 << 20;
/// Scalar values of [`excerpt`] at most.
pub const EXCERPT: usize = 240;
pub const MEDIA_TYPE: &str = "text/plain";

/// Scalar values of a text.
pub fn length(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}

/// The byte at which a scalar value begins; the text's end for one beyond it.
pub fn byte_of(text: &str, scalar: u32) -> usize {
    text.char_indices()
        .nth(scalar as usize)
        .map_or(text.len(), |(at, _)| at)
}

/// Scalar values before a place in UTF-16 code units. A place within a surrogate pair is before it, one beyond the end is
/// the end.
pub fn from_utf16(text: &str, units: u32) -> u32 {
    let (mut seen, mut scalars) = (0, 0);
    for c in text.chars() {
        seen += c.len_utf16() as u32;
        if seen > units {
            break;
        }
        scalars += 1;
    }
    scalars
}

/// UTF-16 code units before a scalar value.
pub fn to_utf16(text: &str, scalar: u32) -> u32 {
    text.chars()
        .take(scalar as usize)
        .map(|c| c.len_utf16() as u32)
        .sum()
}

/// How a text begins, on one line: runs of white space and control characters are single spaces.
pub fn excerpt(text: &str) -> String {
    let mut out = String::new();
    let mut n = 0;
    // What a page of lists shows comes from the beginning; a megabyte of blanks is not read for it.
    for c in text.chars().take(EXCERPT * 8) {
        if n >= EXCERPT {
            break;
        }
        if c.is_whitespace() || c.is_control() {
            if !out.is_empty() && !out.ends_with(' ') {
                out.push(' ');
                n += 1;
            }
        } else {
            out.push(c);
            n += 1;
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Words and marks of punctuation by Unicode's rules for word boundaries (UAX #29), with where they begin and end in
/// scalar values; no white space.
pub fn tokens(text: &str) -> impl Iterator<Item = (u32, u32, &str)> {
    let mut at = 0;
    text.split_word_bounds().filter_map(move |word| {
        let start = at;
        at += length(word);
        let blank = word.chars().all(|c| c.is_whitespace() || c.is_control());
        (!blank).then_some((start, at, word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Emoji, a family joined by zero-width joiners, a combining mark, CRLF, right to left.
    const MIXED: &str = "a😀\r\ne\u{301}👨\u{200d}👩\u{200d}👧 שלום\u{feff}z";

    #[test]
    fn places_are_scalar_values() {
        assert_eq!(length(MIXED), MIXED.chars().count() as u32);
        // The emoji is one scalar value and two code units.
        assert_eq!((from_utf16(MIXED, 1), from_utf16(MIXED, 3)), (1, 2));
        assert_eq!(from_utf16(MIXED, 2), 1, "within the pair is before it");
        assert_eq!((to_utf16(MIXED, 2), to_utf16(MIXED, 3)), (3, 4));
        assert_eq!(from_utf16(MIXED, 9_999), length(MIXED));
        assert_eq!(&MIXED[byte_of(MIXED, 2)..byte_of(MIXED, 4)], "\r\n");
        assert_eq!(byte_of(MIXED, 9_999), MIXED.len());
    }

    #[test]
    fn excerpts_are_one_line() {
        assert_eq!(excerpt("  a\r\n\tb\u{0}c \n"), "a b c");
        assert_eq!(excerpt(""), "");
        assert_eq!(length(&excerpt(&"x".repeat(9_000))) as usize, EXCERPT);
        assert_eq!(excerpt(&" ".repeat(1_000_000)), "");
    }

    #[test]
    fn tokens_know_their_place() {
        let all: Vec<_> = tokens("Ana's 3.14 € in Köln,\r\n中文").collect();
        let words: Vec<_> = all.iter().map(|t| t.2).collect();
        assert_eq!(words, ["Ana's", "3.14", "€", "in", "Köln", ",", "中", "文"]);
        assert_eq!((all[4].0, all[4].1), (16, 20));
    }

    proptest! {
        #[test]
        fn utf16_and_back(text in "\\PC{0,40}|[a😀\r\n\u{301}\u{200d}👩ש]{0,40}", n in 0u32..50) {
            let n = n.min(length(&text));
            prop_assert_eq!(from_utf16(&text, to_utf16(&text, n)), n);
            let units: Vec<u16> = text.encode_utf16().collect();
            let before = String::from_utf16(&units[..to_utf16(&text, n) as usize]).unwrap();
            prop_assert_eq!(before, &text[..byte_of(&text, n)]);
        }

        #[test]
        fn tokens_are_the_text_they_say(text in "\\PC{0,60}") {
            for (start, end, word) in tokens(&text) {
                prop_assert!(start < end);
                prop_assert_eq!(&text[byte_of(&text, start)..byte_of(&text, end)], word);
            }
        }
    }
}
