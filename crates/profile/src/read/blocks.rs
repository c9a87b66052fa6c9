//! Cutting a stream into blocks of whole records.

use limn_domain::profile::FindingKind;
use memchr::{memchr, memchr2, memrchr};
use std::io::{self, Read};

/// Bytes of a block, about.
pub const BLOCK: usize = 2 << 20;
/// Bytes of a record at most.
pub const MAX_RECORD: usize = 16 << 20;

/// Whole records.
#[derive(Debug)]
pub struct Block {
    pub index: u64,
    /// Line number of its first byte, from 1.
    pub line: u64,
    pub bytes: Vec<u8>,
}

/// Reads blocks. Records longer than [`MAX_RECORD`], and quotes that never close, are left out and noted.
pub struct Blocks<R> {
    reader: R,
    /// The byte between cells, when quotes can hold line ends.
    delimiter: Option<u8>,
    buffer: Vec<u8>,
    eof: bool,
    line: u64,
    index: u64,
    pub read: u64,
    pub notes: Vec<(u64, FindingKind, String)>,
}

enum Scan {
    /// Records end here; what follows is the start of another one.
    Whole(usize),
    /// No record ends in these bytes.
    Open { quoted: bool },
}

impl<R: Read> Blocks<R> {
    pub fn new(reader: R, delimiter: Option<u8>) -> Self {
        Self {
            reader,
            delimiter,
            buffer: Vec::new(),
            eof: false,
            line: 1,
            index: 0,
            read: 0,
            notes: Vec::new(),
        }
    }

    /// The first bytes, without taking them.
    pub fn peek(&mut self) -> io::Result<&[u8]> {
        self.fill(BLOCK)?;
        Ok(&self.buffer)
    }

    /// To be set before the first block is taken.
    pub fn divide_by(&mut self, delimiter: u8) {
        self.delimiter = Some(delimiter);
    }

    /// Whether nothing is left to read.
    pub fn at_end(&self) -> bool {
        self.eof
    }

    pub fn next(&mut self) -> io::Result<Option<Block>> {
        let mut wanted = BLOCK;
        loop {
            self.fill(wanted)?;
            if self.buffer.is_empty() {
                return Ok(None);
            }
            match self.scan() {
                Scan::Whole(end) => {
                    let rest = self.buffer.split_off(end);
                    let bytes = std::mem::replace(&mut self.buffer, rest);
                    let block = Block {
                        index: self.index,
                        line: self.line,
                        bytes,
                    };
                    self.index += 1;
                    self.line += newlines(&block.bytes);
                    return Ok(Some(block));
                }
                Scan::Open { quoted: true } if self.eof || self.buffer.len() >= MAX_RECORD => {
                    self.note(
                        FindingKind::OpenQuote,
                        "a quote opens that does not close; the line is left out".to_owned(),
                    );
                    match memchr(b'\n', &self.buffer) {
                        Some(at) => {
                            self.buffer.drain(..=at);
                            self.line += 1;
                        }
                        None => self.skip_line()?,
                    }
                    wanted = BLOCK;
                }
                Scan::Open { quoted: false } if self.buffer.len() >= MAX_RECORD => {
                    self.note(
                        FindingKind::TooLong,
                        format!("a line longer than {} MB is left out", MAX_RECORD >> 20),
                    );
                    self.skip_line()?;
                    wanted = BLOCK;
                }
                Scan::Open { .. } => wanted = self.buffer.len() + BLOCK,
            }
        }
    }

    fn note(&mut self, kind: FindingKind, message: String) {
        if self.notes.len() < 1000 {
            self.notes.push((self.line, kind, message));
        }
    }

    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        while !self.eof && self.buffer.len() < wanted {
            let missing = (wanted - self.buffer.len()) as u64;
            let n = self.reader.by_ref().take(missing).read_to_end(&mut self.buffer)?;
            self.read += n as u64;
            self.eof = n == 0;
        }
        Ok(())
    }

    /// Throws away everything up to the end of the line.
    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            if let Some(at) = memchr(b'\n', &self.buffer) {
                self.buffer.drain(..=at);
                self.line += 1;
                return Ok(());
            }
            self.buffer.clear();
            self.fill(1 << 16)?;
            if self.buffer.is_empty() {
                return Ok(());
            }
        }
    }

    fn scan(&self) -> Scan {
        let bytes = &self.buffer;
        let quotes = self.delimiter.filter(|_| memchr(b'"', bytes).is_some());
        let Some(delimiter) = quotes else {
            return match memrchr(b'\n', bytes) {
                _ if self.eof => Scan::Whole(bytes.len()),
                Some(at) => Scan::Whole(at + 1),
                None => Scan::Open { quoted: false },
            };
        };
        let (mut at, mut end) = (0, 0);
        let mut quoted = false;
        while at < bytes.len() {
            if bytes[at] == b'"' {
                match closing(bytes, at + 1) {
                    // The byte after it decides whether it closes.
                    Some(close) if close + 1 < bytes.len() || self.eof => at = close + 1,
                    _ => {
                        quoted = true;
                        break;
                    }
                }
            }
            match memchr2(delimiter, b'\n', &bytes[at..]) {
                Some(k) => {
                    at += k + 1;
                    if bytes[at - 1] == b'\n' {
                        end = at;
                    }
                }
                None => break,
            }
        }
        match end {
            _ if self.eof && !quoted => Scan::Whole(bytes.len()),
            0 => Scan::Open { quoted },
            _ => Scan::Whole(end),
        }
    }
}

/// The quote that closes a cell whose content starts at `from`; doubled ones are content.
pub fn closing(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let quote = at + memchr(b'"', bytes.get(at..)?)?;
        if bytes.get(quote + 1) == Some(&b'"') {
            at = quote + 2;
        } else {
            return Some(quote);
        }
    }
}

pub fn newlines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::type_complexity, reason = "lines, and findings with their places")]
    fn all(text: &[u8], delimiter: Option<u8>) -> (Vec<(u64, String)>, Vec<(u64, FindingKind, String)>) {
        let mut blocks = Blocks::new(text, delimiter);
        let mut out = Vec::new();
        while let Some(b) = blocks.next().expect("reading from memory") {
            out.push((b.line, String::from_utf8(b.bytes).expect("text")));
        }
        (out, blocks.notes)
    }

    #[test]
    fn blocks_end_where_records_do() {
        let row = format!("1,\"two\nlines \"\" {}\",3\n", "x".repeat(1000));
        let text = row.repeat(BLOCK / row.len() * 3);
        let (blocks, notes) = all(text.as_bytes(), Some(b','));
        assert!(notes.is_empty());
        assert!(blocks.len() >= 3);
        let mut line = 1;
        for (first, block) in &blocks {
            assert_eq!(*first, line);
            assert!(block.starts_with("1,") && block.ends_with(",3\n"));
            line += newlines(block.as_bytes());
        }
        assert_eq!(blocks.iter().map(|b| b.1.as_str()).collect::<String>(), text);
    }

    #[test]
    fn a_quote_that_never_closes_costs_its_line_only() {
        let (blocks, notes) = all(b"a,b\n1,\"x\n2,y\n3,z\n", Some(b','));
        let text: String = blocks.iter().map(|b| b.1.as_str()).collect();
        assert_eq!(text, "a,b\n2,y\n3,z\n");
        assert_eq!(notes.len(), 1);
        assert_eq!((notes[0].0, notes[0].1), (2, FindingKind::OpenQuote));
    }

    #[test]
    fn a_quote_inside_a_cell_is_text() {
        let (blocks, notes) = all(b"a,b\n5\" pipe,x\n6,y\n", Some(b','));
        assert_eq!(blocks.len(), 1);
        assert!(notes.is_empty());
    }

    #[test]
    fn a_line_beyond_the_limit_is_left_out() {
        let mut text = b"a,b\n1,2\n".to_vec();
        text.extend(std::iter::repeat_n(b'x', MAX_RECORD + BLOCK));
        text.extend_from_slice(b"\n3,4\n");
        let (blocks, notes) = all(&text, Some(b','));
        let text: String = blocks.iter().map(|b| b.1.as_str()).collect();
        assert_eq!(text, "a,b\n1,2\n3,4\n");
        assert_eq!((notes[0].0, notes[0].1), (3, FindingKind::TooLong));
        assert_eq!(blocks.last().map(|b| b.0), Some(4));
    }
}
