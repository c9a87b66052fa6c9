//! Records of CSV one by one: fields quoted or not, quoted ones over several lines, with commas, semicolons or tabs.

use crate::read::Lines;
use std::io::{self, BufRead, Read};

/// Most fields of a record.
const FIELDS_MAX: usize = 1_000;

pub(crate) struct Records<R> {
    lines: Lines<R>,
    separator: u8,
}

impl<R: Read> Records<R> {
    /// `record_max`: most bytes of one record.
    pub fn new(reader: R, record_max: u64) -> Self {
        Self {
            lines: Lines::new(reader, record_max),
            separator: b',',
        }
    }

    /// With a separator that is known.
    pub fn separated(reader: R, record_max: u64, separator: u8) -> Self {
        Self {
            lines: Lines::new(reader, record_max),
            separator,
        }
    }

    /// The line the next record begins on.
    pub const fn line(&self) -> u64 {
        self.lines.line()
    }

    /// The first record, whose separators say what they are throughout.
    pub fn header(&mut self) -> io::Result<Option<Vec<String>>> {
        let start = self.lines.fill_buf()?;
        let first = start.split(|b| *b == b'\n').next().unwrap_or_default();
        let count = |c: u8| first.split(|b| *b == c).count();
        self.separator = [b',', b';', b'\t']
            .into_iter()
            .max_by_key(|c| (count(*c), *c == b','))
            .unwrap_or(b',');
        let mut header = self.next()?;
        if let Some(first) = header.as_mut().and_then(|h| h.first_mut()) {
            *first = first.trim_start_matches('\u{feff}').to_owned();
        }
        Ok(header)
    }

    /// The next record that is not an empty line; `None` at the end. What is no UTF-8 is replaced.
    pub fn next(&mut self) -> io::Result<Option<Vec<String>>> {
        Ok(self
            .next_bytes()?
            .map(|fields| fields.iter().map(|f| text(f)).collect()))
    }

    /// The same as bytes.
    pub fn next_bytes(&mut self) -> io::Result<Option<Vec<Vec<u8>>>> {
        self.lines.record();
        let (mut fields, mut field) = (Vec::new(), Vec::new());
        let (mut inside, mut was_quote, mut any) = (false, false, false);
        loop {
            let buffer = self.lines.fill_buf()?;
            if buffer.is_empty() {
                if any {
                    fields.push(field);
                    return Ok(Some(fields));
                }
                return Ok(None);
            }
            let mut used = 0;
            let mut ended = false;
            for b in buffer {
                used += 1;
                match *b {
                    b'"' if inside => {
                        inside = false;
                        was_quote = true;
                    }
                    b'"' if was_quote => {
                        // Doubled: one of the text.
                        field.push(b'"');
                        inside = true;
                        was_quote = false;
                    }
                    b'"' if field.is_empty() => inside = true,
                    b'\n' if !inside => {
                        ended = true;
                        break;
                    }
                    b'\r' if !inside => continue,
                    b if b == self.separator && !inside => {
                        was_quote = false;
                        if fields.len() < FIELDS_MAX {
                            fields.push(std::mem::take(&mut field));
                        }
                        field.clear();
                        any = true;
                        continue;
                    }
                    b => {
                        was_quote = false;
                        field.push(b);
                    }
                }
                any = true;
            }
            self.lines.consume(used);
            if ended && any {
                fields.push(field);
                return Ok(Some(fields));
            }
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_every_form() {
        let text = "\u{feff}a;b;c\r\n\r\n1;\"x;\"\"y\"\"\nz\";\n;;3";
        let mut records = Records::new(text.as_bytes(), 100);
        assert_eq!(records.header().unwrap().unwrap(), ["a", "b", "c"]);
        assert_eq!(records.next().unwrap().unwrap(), ["1", "x;\"y\"\nz", ""]);
        assert_eq!(records.line(), 5);
        assert_eq!(records.next().unwrap().unwrap(), ["", "", "3"]);
        assert!(records.next().unwrap().is_none());
        let mut endless = Records::new(io::repeat(b'"').take(1 << 20), 1_000);
        assert!(endless.next().is_err());
    }
}
