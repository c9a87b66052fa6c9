//! Cuts a JSON document of any size into the elements of its top-level arrays, without parsing them.
//!
//! A parser of the whole document would stop at the first bad byte and lose the line of every record. This one only
//! follows strings and brackets, keeps one record in memory, and leaves a broken record to whoever parses it.

use std::io::{self, Read};
use std::ops::ControlFlow;

const BUFFER: usize = 64 * 1024;
const KEY_MAX: usize = 4 * 1024;

/// One element of a top-level array.
pub(crate) struct Element<'a> {
    /// Key of the array; empty when the document itself is the array.
    pub section: &'a str,
    /// From 0.
    pub index: u64,
    /// Line of its first byte, from 1.
    pub line: u64,
    /// Its text; `None` when it is longer than the limit.
    pub bytes: Option<&'a [u8]>,
}

/// Receives what the scanner finds.
pub(crate) trait Sink {
    /// Whether the elements under this key are wanted; others are skipped without keeping them.
    fn wants(&self, section: &str) -> bool;
    fn element(&mut self, element: Element<'_>) -> ControlFlow<()>;
    /// A wanted array holds nothing.
    fn empty(&mut self, section: &str);
    /// A wanted section is no array.
    fn not_an_array(&mut self, section: &str, line: u64);
}

/// Where and why scanning ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    Complete,
    /// The sink had enough.
    Stopped,
    /// The document stops in the middle of what began on `line`.
    Truncated {
        line: u64,
    },
    /// A byte that cannot be there.
    Malformed {
        line: u64,
        found: u8,
    },
    /// The document is neither an object nor an array; its first byte, if it has one.
    NotJson {
        found: Option<u8>,
    },
    /// Two-byte text.
    Utf16,
}

/// Scans a document. `record_max` is the most bytes kept of one element.
pub(crate) fn scan<R: Read>(reader: R, record_max: usize, sink: &mut impl Sink) -> io::Result<End> {
    let mut s = Scanner {
        reader,
        buf: vec![0; BUFFER].into_boxed_slice(),
        pos: 0,
        end: 0,
        line: 1,
    };
    s.fill_some(4)?;
    match &s.buf[..s.end] {
        [0xef, 0xbb, 0xbf, ..] => s.pos = 3,
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [_, 0, _, 0] | [0, _, 0, _] => return Ok(End::Utf16),
        _ => {}
    }
    let mut record = Vec::new();
    match s.token()? {
        Some(b'{') => {
            s.pos += 1;
            s.object(record_max, &mut record, sink)
        }
        Some(b'[') => s.array("", record_max, &mut record, sink),
        found => Ok(End::NotJson { found }),
    }
}

struct Scanner<R> {
    reader: R,
    buf: Box<[u8]>,
    pos: usize,
    end: usize,
    line: u64,
}

enum Value {
    Whole,
    TooLong,
    Truncated,
}

impl<R: Read> Scanner<R> {
    /// Reads until at least `n` bytes lie in the buffer or the input ends; only for the start.
    fn fill_some(&mut self, n: usize) -> io::Result<()> {
        while self.end < n {
            match self.reader.read(&mut self.buf[self.end..]) {
                Ok(0) => break,
                Ok(k) => self.end += k,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    fn fill(&mut self) -> io::Result<bool> {
        if self.pos == self.end {
            self.pos = 0;
            self.end = loop {
                match self.reader.read(&mut self.buf) {
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                    other => break other?,
                }
            };
        }
        Ok(self.pos < self.end)
    }

    /// The next byte that is not white space, left in place.
    fn token(&mut self) -> io::Result<Option<u8>> {
        while self.fill()? {
            match self.buf[self.pos] {
                b'\n' => self.line += 1,
                b' ' | b'\t' | b'\r' => {}
                b => return Ok(Some(b)),
            }
            self.pos += 1;
        }
        Ok(None)
    }

    fn object(&mut self, max: usize, record: &mut Vec<u8>, sink: &mut impl Sink) -> io::Result<End> {
        loop {
            match self.token()? {
                None => return Ok(End::Truncated { line: self.line }),
                Some(b'}') => return Ok(End::Complete),
                Some(b',') => self.pos += 1,
                Some(b'"') => {
                    let line = self.line;
                    record.clear();
                    if let Value::Truncated = self.value(Some((&mut *record, KEY_MAX)))? {
                        return Ok(End::Truncated { line });
                    }
                    let key: String = serde_json::from_slice(record).unwrap_or_default();
                    match self.token()? {
                        Some(b':') => self.pos += 1,
                        Some(found) => {
                            return Ok(End::Malformed {
                                line: self.line,
                                found,
                            });
                        }
                        None => return Ok(End::Truncated { line }),
                    }
                    let Some(first) = self.token()? else {
                        return Ok(End::Truncated { line });
                    };
                    if matches!(first, b',' | b'}' | b']' | b':') {
                        return Ok(End::Malformed {
                            line: self.line,
                            found: first,
                        });
                    }
                    let wanted = sink.wants(&key);
                    if wanted && first == b'[' {
                        match self.array(&key, max, record, sink)? {
                            End::Complete => {}
                            end => return Ok(end),
                        }
                        continue;
                    }
                    if wanted {
                        sink.not_an_array(&key, self.line);
                    }
                    if let Value::Truncated = self.value(None)? {
                        return Ok(End::Truncated { line });
                    }
                }
                Some(found) => {
                    return Ok(End::Malformed {
                        line: self.line,
                        found,
                    });
                }
            }
        }
    }

    /// The elements of an array; the opening bracket is still to come.
    fn array(
        &mut self,
        section: &str,
        max: usize,
        record: &mut Vec<u8>,
        sink: &mut impl Sink,
    ) -> io::Result<End> {
        self.pos += 1;
        let mut index = 0;
        loop {
            match self.token()? {
                None => return Ok(End::Truncated { line: self.line }),
                Some(b']') => {
                    self.pos += 1;
                    if index == 0 {
                        sink.empty(section);
                    }
                    return Ok(End::Complete);
                }
                Some(b',') => self.pos += 1,
                Some(found @ (b'}' | b':')) => {
                    return Ok(End::Malformed {
                        line: self.line,
                        found,
                    });
                }
                Some(_) => {
                    let line = self.line;
                    record.clear();
                    let value = self.value(Some((&mut *record, max)))?;
                    let bytes = match value {
                        Value::Truncated => return Ok(End::Truncated { line }),
                        Value::TooLong => None,
                        Value::Whole => Some(record.as_slice()),
                    };
                    if sink
                        .element(Element {
                            section,
                            index,
                            line,
                            bytes,
                        })
                        .is_break()
                    {
                        return Ok(End::Stopped);
                    }
                    index += 1;
                }
            }
        }
    }

    /// Passes over one value, keeping its text in `out` up to a limit.
    fn value(&mut self, mut out: Option<(&mut Vec<u8>, usize)>) -> io::Result<Value> {
        let (mut depth, mut in_string, mut escaped, mut too_long, mut scalar) =
            (0_u64, false, false, false, true);
        while self.fill()? {
            let chunk = &self.buf[self.pos..self.end];
            let (mut i, mut done) = (0, false);
            while i < chunk.len() {
                let b = chunk[i];
                if in_string {
                    if escaped {
                        escaped = false;
                    } else if b == b'\\' {
                        escaped = true;
                    } else if b == b'"' {
                        in_string = false;
                        if depth == 0 {
                            i += 1;
                            done = true;
                            break;
                        }
                    }
                } else {
                    match b {
                        b'"' => {
                            in_string = true;
                            scalar = false;
                        }
                        b'{' | b'[' => {
                            depth += 1;
                            scalar = false;
                        }
                        b'}' | b']' => {
                            if depth <= 1 {
                                i += usize::from(depth == 1);
                                done = true;
                                break;
                            }
                            depth -= 1;
                        }
                        b',' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => {
                            done = true;
                            break;
                        }
                        _ => {}
                    }
                }
                i += 1;
            }
            let taken = &chunk[..i];
            #[allow(
                clippy::naive_bytecount,
                reason = "the compiler vectorises it; not worth a dependency"
            )]
            let lines = taken.iter().filter(|b| **b == b'\n').count();
            self.line += lines as u64;
            if let Some((out, max)) = &mut out {
                if out.len() + taken.len() <= *max {
                    out.extend_from_slice(taken);
                } else {
                    too_long = true;
                }
            }
            self.pos += i;
            if done {
                return Ok(if too_long { Value::TooLong } else { Value::Whole });
            }
        }
        // The input ended: a bare number or word was complete, anything in brackets or quotes was not.
        Ok(if scalar && !too_long {
            Value::Whole
        } else {
            Value::Truncated
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Section, index, line and text of an element.
    type Seen = (String, u64, u64, Option<String>);

    #[derive(Default)]
    struct Log(Vec<Seen>);

    impl Sink for Log {
        fn wants(&self, section: &str) -> bool {
            section.is_empty() || section == "a" || section == "b"
        }

        fn element(&mut self, e: Element<'_>) -> ControlFlow<()> {
            let text = e.bytes.map(|b| String::from_utf8_lossy(b).into_owned());
            self.0.push((e.section.to_owned(), e.index, e.line, text));
            ControlFlow::Continue(())
        }

        fn empty(&mut self, _: &str) {}

        fn not_an_array(&mut self, section: &str, line: u64) {
            self.0.push((format!("!{section}"), 0, line, None));
        }
    }

    /// Hands out one byte at a time, to meet every buffer border.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            self.0.read(&mut buf[..1])
        }
    }

    fn run(text: &[u8]) -> (End, Vec<Seen>) {
        let (mut one, mut two) = (Log::default(), Log::default());
        let end = scan(text, 64, &mut one).expect("memory reads");
        assert_eq!(end, scan(Drip(text), 64, &mut two).expect("memory reads"));
        assert_eq!(one.0, two.0);
        (end, one.0)
    }

    #[test]
    fn cuts_records_with_their_lines() {
        let (end, log) = run(b"\xef\xbb\xbf{\"info\": {\"a\": [1]},\n\"a\": [\n{\"x\": \"]}\\\"\"},\n NaN, 7],\n\"b\": 5, \"a\":[[1,[2]]]}");
        assert_eq!(end, End::Complete);
        let got: Vec<_> = log
            .iter()
            .map(|(s, i, l, t)| (s.as_str(), *i, *l, t.as_deref()))
            .collect();
        assert_eq!(
            got,
            [
                ("a", 0, 3, Some("{\"x\": \"]}\\\"\"}")),
                ("a", 1, 4, Some("NaN")),
                ("a", 2, 4, Some("7")),
                ("!b", 0, 5, None),
                ("a", 0, 5, Some("[1,[2]]")),
            ]
        );
    }

    #[test]
    fn names_the_way_it_ended() {
        assert_eq!(
            run(b"{\"a\": [{\"x\": 1},\n{\"x\": ").0,
            End::Truncated { line: 2 }
        );
        assert_eq!(run(b"{\"a\": [{\"x\": 1},\n{\"x\": ").1.len(), 1);
        assert_eq!(run(b"{\"a\": [1}").0, End::Malformed { line: 1, found: b'}' });
        assert_eq!(run(b"").0, End::NotJson { found: None });
        assert_eq!(run(b"<xml/>").0, End::NotJson { found: Some(b'<') });
        assert_eq!(run(b"\xff\xfe{\0").0, End::Utf16);
        assert_eq!(run(b"{\0}\0").0, End::Utf16);
        assert_eq!(run(b"[1, 2").0, End::Truncated { line: 1 });
    }

    #[test]
    fn long_and_deep_records_cost_nothing() {
        let text = format!(
            "[\"{}\", 2, {}]",
            "x".repeat(100_000),
            "[".repeat(200_000) + &"]".repeat(200_000)
        );
        let (end, log) = run(text.as_bytes());
        assert_eq!(end, End::Complete);
        assert_eq!(
            log.iter().map(|r| r.3.as_deref()).collect::<Vec<_>>(),
            [None, Some("2"), None]
        );
    }

    proptest! {
        #[test]
        fn ends_on_any_input(bytes in proptest::collection::vec(prop_oneof![Just(b'['), Just(b'{'), Just(b'}'), Just(b']'), Just(b'"'),
            Just(b','), Just(b':'), Just(b'\\'), Just(b'\n'), Just(b'a'), any::<u8>()], 0..200)) {
            run(&bytes);
        }
    }
}
