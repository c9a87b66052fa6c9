//! Tables as publishers write them, made CSV (RFC 4180) with names of columns: other separators, no header, lines before
//! it, spaces around values, marks for what is missing.

use crate::csv::{Records, quoted};
use crate::error::FormatError;
use crate::findings::quote;
use std::io::{self, Read, Write};

/// Most bytes of a record.
const RECORD_MAX: u64 = 16 << 20;
/// Most lines in front of a table.
pub const SKIP_MAX: u32 = 1_000;

/// How a table is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialect {
    pub separator: u8,
    /// The first record names the columns.
    pub header: bool,
    /// Names of the columns, in the place of those of the header where there is one.
    pub columns: Vec<String>,
    /// Lines in front of it that say something else.
    pub skip: u32,
    /// Whether spaces around values are taken off.
    pub trim: bool,
    /// What stands for a value that is missing.
    pub missing: Option<String>,
    /// What every record ends with and does not mean.
    pub line_end: Option<String>,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub columns: Vec<String>,
    pub rows: u64,
}

/// Reads a table and writes it as CSV, in bounded memory. `name` is for messages. Errors name the line.
pub fn rewrite<R: Read, W: Write>(
    name: &str,
    mut reader: R,
    dialect: &Dialect,
    out: &mut W,
) -> Result<Written, FormatError> {
    let refused = |why: String| FormatError::NotTheFormat(format!("`{}` {why}.", quote(name)));
    let before = u64::from(dialect.skip.min(SKIP_MAX));
    skip(&mut reader, before)?;
    let mut records = Records::separated(reader, RECORD_MAX, dialect.separator);
    let mut columns = dialect.columns.clone();
    if dialect.header {
        let line = before + records.line();
        let named = records
            .next_bytes()
            .map_err(|e| trouble(name, line, e))?
            .ok_or_else(|| refused("is empty".to_owned()))?;
        let named: Vec<String> = named.iter().map(|f| text(f).trim().to_owned()).collect();
        if columns.is_empty() {
            columns = named;
        } else if columns.len() != named.len() {
            let (want, have) = (columns.len(), named.len());
            return Err(refused(format!("has {have} columns; {want} are named")));
        }
    }
    if let Some(first) = columns.first_mut() {
        *first = first.trim_start_matches('\u{feff}').to_owned();
    }
    write_row(out, columns.iter().map(String::as_str))?;
    let mut rows = 0;
    loop {
        let line = before + records.line();
        let Some(fields) = records.next_bytes().map_err(|e| trouble(name, line, e))? else {
            break;
        };
        let mut fields: Vec<String> = fields.iter().map(|f| text(f)).collect();
        if let (Some(end), Some(last)) = (&dialect.line_end, fields.last_mut())
            && let Some(rest) = last.trim_end().strip_suffix(end.as_str())
        {
            *last = rest.to_owned();
        }
        if fields.len() != columns.len() {
            let (want, have) = (columns.len(), fields.len());
            return Err(refused(format!(
                "has {have} values in line {line}; there are {want} columns"
            )));
        }
        for value in &mut fields {
            if dialect.trim {
                *value = value.trim().to_owned();
            }
            if dialect.missing.as_deref() == Some(value.as_str()) {
                value.clear();
            }
        }
        write_row(out, fields.iter().map(String::as_str))?;
        rows += 1;
    }
    if rows == 0 {
        return Err(refused("has no rows".to_owned()));
    }
    Ok(Written { columns, rows })
}

/// Passes over some lines.
fn skip(reader: &mut impl Read, lines: u64) -> io::Result<()> {
    let (mut left, mut byte, mut taken) = (lines, [0; 1], 0);
    while left > 0 && taken < RECORD_MAX {
        if reader.read(&mut byte)? == 0 {
            return Ok(());
        }
        taken += 1;
        left -= u64::from(byte[0] == b'\n');
    }
    Ok(())
}

fn trouble(name: &str, line: u64, e: io::Error) -> FormatError {
    // A record without end; what comes from below stays what it is.
    if e.kind() == io::ErrorKind::InvalidData {
        return FormatError::Io(io::Error::new(
            e.kind(),
            format!("`{}`, from line {line}: {e}", quote(name)),
        ));
    }
    FormatError::Io(e)
}

/// UTF-8, or Latin-1 where it is none.
fn text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().copied().map(char::from).collect(), str::to_owned)
}

fn write_row<'a>(out: &mut impl Write, values: impl ExactSizeIterator<Item = &'a str>) -> io::Result<()> {
    // A single empty value would be an empty line.
    let alone = values.len() == 1;
    for (n, value) in values.enumerate() {
        if n > 0 {
            out.write_all(b",")?;
        }
        if alone && value.is_empty() {
            out.write_all(b"\"\"")?;
        } else {
            out.write_all(quoted(value).as_bytes())?;
        }
    }
    out.write_all(b"\n")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn dialect() -> Dialect {
        Dialect {
            separator: b',',
            header: true,
            columns: Vec::new(),
            skip: 0,
            trim: true,
            missing: None,
            line_end: None,
        }
    }

    fn made(text: &[u8], dialect: &Dialect) -> Result<String, String> {
        let mut out = Vec::new();
        rewrite("a.data", text, dialect, &mut out).map_err(|e| e.to_string())?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_table_without_a_header_as_the_census_writes_it() {
        let d = Dialect {
            header: false,
            columns: ["age", "work", "income"].map(str::to_owned).to_vec(),
            skip: 1,
            missing: Some("?".to_owned()),
            line_end: Some(".".to_owned()),
            ..dialect()
        };
        let text = b"|1x3 Cross validator\n25, Private, <=50K.\n38, ?, >50K.\r\n\n";
        assert_eq!(
            made(text, &d).unwrap(),
            "age,work,income\n25,Private,<=50K\n38,,>50K\n"
        );
        let why = made(b"x\n25, Private, a\n1, 2\n", &d).unwrap_err();
        assert_eq!(why, "`a.data` has 2 values in line 3; there are 3 columns.");
        assert!(made(b"x\n", &d).unwrap_err().contains("no rows"));
    }

    #[test]
    fn separators_quotes_and_encodings() {
        let d = Dialect {
            separator: b';',
            ..dialect()
        };
        let text = b"\xef\xbb\xbfname;note\nA;\"x; \"\"y\"\"\"\nRen\xe9;\"two\nlines\"\n";
        assert_eq!(
            made(text, &d).unwrap(),
            "name,note\nA,\"x; \"\"y\"\"\"\nRené,\"two\nlines\"\n"
        );
        let named = Dialect {
            columns: vec!["a".to_owned()],
            ..dialect()
        };
        assert_eq!(made(b"old\n\"\"\n5\n", &named).unwrap(), "a\n\"\"\n5\n");
        assert!(
            made(b"old,older\n1,2\n", &named)
                .unwrap_err()
                .contains("has 2 columns; 1 are named")
        );
        assert!(made(b"", &dialect()).unwrap_err().contains("is empty"));
    }
}
