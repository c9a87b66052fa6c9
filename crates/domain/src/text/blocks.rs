//! A text cut into blocks, so that what concerns one place looks at some kilobytes and not at a megabyte.

use super::{byte_of, from_utf16, length, to_utf16};
use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation as _};

/// A block ends with the line it has reached after so many bytes.
const AIM: usize = 2_048;
/// A line longer than this is cut, after a blank where there is one.
const LONGEST: usize = 8_192;

/// A text, with where its blocks begin. A block ends after a line end, or within a very long line; never within a
/// grapheme.
#[derive(Debug, Clone, Default)]
pub struct Text {
    text: String,
    /// Byte and scalar value at which each block begins.
    starts: Vec<(usize, u32)>,
    length: u32,
}

impl Text {
    pub fn new(text: String) -> Self {
        let (mut starts, mut byte, mut scalar) = (Vec::new(), 0, 0);
        while byte < text.len() {
            starts.push((byte, scalar));
            let n = block(&text[byte..]);
            scalar += length(&text[byte..byte + n]);
            byte += n;
        }
        Self {
            text,
            starts,
            length: scalar,
        }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Scalar values.
    pub const fn length(&self) -> u32 {
        self.length
    }

    /// Number of blocks.
    pub fn blocks(&self) -> usize {
        self.starts.len()
    }

    /// The text of a block; empty beyond the last.
    pub fn block(&self, n: usize) -> &str {
        let Some((from, _)) = self.starts.get(n) else {
            return "";
        };
        let to = self.starts.get(n + 1).map_or(self.text.len(), |s| s.0);
        &self.text[*from..to]
    }

    /// Where a block begins and ends, in scalar values.
    pub fn range(&self, n: usize) -> (u32, u32) {
        let at = |n: usize| self.starts.get(n).map_or(self.length, |s| s.1);
        (at(n), at(n + 1))
    }

    /// The block of a scalar value; the last one for the text's end.
    pub fn block_of(&self, scalar: u32) -> usize {
        self.starts.partition_point(|s| s.1 <= scalar).saturating_sub(1)
    }

    /// The scalar value at a place in UTF-16 code units within a block.
    pub fn scalar(&self, block: usize, units: u32) -> u32 {
        self.range(block).0 + from_utf16(self.block(block), units)
    }

    /// The block of a scalar value, and its place there in UTF-16 code units.
    pub fn place(&self, scalar: u32) -> (usize, u32) {
        let n = self.block_of(scalar);
        let within = scalar.saturating_sub(self.range(n).0);
        (n, to_utf16(self.block(n), within))
    }

    /// The byte at which a scalar value begins.
    pub fn byte(&self, scalar: u32) -> usize {
        let n = self.block_of(scalar);
        let Some((byte, start)) = self.starts.get(n) else {
            return 0;
        };
        byte + byte_of(self.block(n), scalar.saturating_sub(*start))
    }

    /// The text of a span; empty when it is none.
    pub fn slice(&self, start: u32, end: u32) -> &str {
        if start >= end {
            return "";
        }
        &self.text[self.byte(start)..self.byte(end)]
    }

    /// The word around a scalar value, by Unicode's word boundaries; a mark of punctuation is one too. `None` on white
    /// space and at the text's end.
    pub fn word_at(&self, scalar: u32) -> Option<(u32, u32)> {
        let n = self.block_of(scalar);
        let mut start = self.range(n).0;
        for word in self.block(n).split_word_bounds() {
            let end = start + length(word);
            if scalar < end {
                return (!word.chars().all(char::is_whitespace)).then_some((start, end));
            }
            start = end;
        }
        None
    }

    /// The span without white space at its ends; `None` when nothing else is in it.
    pub fn trimmed(&self, start: u32, end: u32) -> Option<(u32, u32)> {
        let text = self.slice(start, end.min(self.length));
        let front = length(text) - length(text.trim_start());
        let inner = length(text.trim());
        (inner > 0).then_some((start + front, start + front + inner))
    }

    /// The next or previous place that is not within a grapheme.
    pub fn step(&self, scalar: u32, forward: bool) -> u32 {
        let byte = self.byte(scalar.min(self.length));
        let mut cursor = GraphemeCursor::new(byte, self.text.len(), true);
        let found = if forward {
            cursor.next_boundary(&self.text, 0)
        } else {
            cursor.prev_boundary(&self.text, 0)
        };
        let Ok(Some(to)) = found else {
            return if forward { self.length } else { 0 };
        };
        if forward {
            scalar + length(&self.text[byte..to])
        } else {
            scalar - length(&self.text[to..byte])
        }
    }
}

/// Bytes of the block that `rest` begins with.
fn block(rest: &str) -> usize {
    if rest.len() <= AIM {
        return rest.len();
    }
    let end = rest.as_bytes()[AIM - 1..]
        .iter()
        .position(|b| *b == b'\n')
        .map_or(rest.len(), |n| AIM + n);
    if end <= LONGEST {
        return end;
    }
    let head = &rest[..rest.floor_char_boundary(LONGEST)];
    if let Some((at, blank)) = head.char_indices().rev().find(|(_, c)| c.is_whitespace())
        && at >= AIM
    {
        // Not between CR and LF.
        let cut = at + blank.len_utf8();
        if !(blank == '\r' && rest[cut..].starts_with('\n')) {
            return cut;
        }
    }
    let mut cursor = GraphemeCursor::new(head.len(), rest.len(), true);
    match cursor.is_boundary(rest, 0) {
        Ok(true) => head.len(),
        // A grapheme of kilobytes is cut: nobody writes one.
        _ => match cursor.prev_boundary(rest, 0) {
            Ok(Some(at)) if at > 0 => at,
            _ => head.len(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str) -> Text {
        let t = Text::new(text.to_owned());
        let joined: String = (0..t.blocks()).map(|n| t.block(n)).collect();
        assert_eq!(joined, text);
        assert_eq!(t.length(), length(text));
        for n in 0..t.blocks() {
            assert!(!t.block(n).is_empty() && t.block(n).len() <= LONGEST);
            assert_eq!(length(t.block(n)), t.range(n).1 - t.range(n).0);
        }
        t
    }

    #[test]
    fn blocks_end_with_lines() {
        let lines = check(&"a line of some words\r\n".repeat(1_000));
        assert!(lines.blocks() > 5);
        assert!((0..lines.blocks()).all(|n| lines.block(n).ends_with("\r\n")));
        let one_line = check(&"word ".repeat(10_000));
        assert!(one_line.blocks() > 5 && one_line.block(0).ends_with(' '));
        check(&"x".repeat(100_000));
        // A family is not torn apart.
        let family = "👨\u{200d}👩\u{200d}👧";
        let t = check(&family.repeat(3_000));
        assert!((0..t.blocks()).all(|n| t.block(n).len().is_multiple_of(family.len())));
        // One "letter" of a million marks.
        check(&format!("e{}", "\u{301}".repeat(100_000)));
        check("");
        check(&format!("{}\r\n", "x".repeat(LONGEST)));
    }

    #[test]
    fn words_and_steps() {
        let t = Text::new("Dr. Ana's 👨\u{200d}👩\u{200d}👧 e\u{301}t\r\n中文 ".to_owned());
        let at = |n| t.word_at(n).map(|(a, b)| t.slice(a, b));
        assert_eq!((at(0), at(4), at(8)), (Some("Dr"), Some("Ana's"), Some("Ana's")));
        assert_eq!(at(2), Some("."), "punctuation is marked alone");
        assert_eq!((at(3), at(9)), (None, None));
        assert_eq!(at(11), Some("👨\u{200d}👩\u{200d}👧"));
        assert_eq!(at(17), Some("e\u{301}t"), "a combining mark belongs to its word");
        assert_eq!(at(t.length()), None);
        assert_eq!((t.step(10, true), t.step(15, false)), (15, 10));
        assert_eq!((t.step(16, true), t.step(0, false)), (18, 0));
        assert_eq!(t.step(t.length(), true), t.length());
        assert_eq!(t.trimmed(3, 10), Some((4, 9)));
        assert_eq!((t.trimmed(9, 10), t.trimmed(4, 4)), (None, None));
        assert_eq!(t.slice(5, 3), "");
    }

    proptest! {
        #[test]
        fn places_there_and_back(text in "[ab 😀\r\n\u{301}é]{0,400}", repeat in 1usize..40, n in 0u32..20_000) {
            let t = check(&text.repeat(repeat));
            let n = n.min(t.length());
            let (block, units) = t.place(n);
            prop_assert_eq!(t.scalar(block, units), n);
            prop_assert_eq!(t.byte(n), byte_of(t.as_str(), n));
            let (on, back) = (t.step(n, true), t.step(n, false));
            prop_assert!(back <= n && n <= on && on <= t.length());
            if let Some((a, b)) = t.word_at(n) {
                prop_assert!(a <= n && n < b);
            }
        }
    }
}
