//! CSV and its relatives, after RFC 4180, leniently.

use super::blocks::{Block, Blocks, closing};
use super::encoding::salvage;
use super::stripes::{self, STRIPES, WIDE};
use super::{ReadError, ReadOptions, Watch};
use crate::table::{MAX_COLUMNS, TableState, row_key};
use crate::value::{Cell, Meaning, meaning, missing};
use limn_domain::profile::FindingKind;
use memchr::{memchr, memchr_iter, memchr2, memchr2_iter};
use std::borrow::Cow;
use std::io::Read;

/// Lines looked at to tell the delimiter and the header.
const LOOK: usize = 200;

pub fn profile(reader: impl Read, options: &ReadOptions, watch: Watch<'_>) -> Result<TableState, ReadError> {
    let mut blocks = Blocks::new(reader, None);
    let head = blocks.peek()?;
    let delimiter = options.delimiter.unwrap_or_else(|| tell_delimiter(head));
    let rows = first_rows(head, delimiter);
    let header = options.header.unwrap_or_else(|| has_header(&rows));
    blocks.divide_by(delimiter);
    let names: Vec<String> = match rows.first() {
        Some(row) if header => row.iter().map(|n| n.trim().chars().take(200).collect()).collect(),
        Some(row) => vec![String::new(); row.len()],
        None => Vec::new(),
    };
    let width = names.len();
    let count = if width > WIDE { 1 } else { STRIPES };
    let seed = options.seed;
    stripes::profile(
        blocks,
        count,
        watch,
        || TableState::new(names.iter().cloned()),
        |table, block| take(table, block, delimiter, header, width, seed),
    )
}

/// A cell's place in its block; `escaped` when it holds doubled quotes.
#[derive(Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
    escaped: bool,
}

fn take(table: &mut TableState, block: &Block, delimiter: u8, header: bool, width: usize, seed: u64) {
    // Checked once for all its cells.
    let text = std::str::from_utf8(&block.bytes).ok();
    let mut number = 0;
    let mut skip = header && block.index == 0;
    records(&block.bytes, delimiter, block.line, &mut |line, spans| {
        if skip {
            skip = false;
            return;
        }
        if spans.len() != width {
            table.note(
                line,
                FindingKind::Ragged,
                format!("a row of {} cells where there are {width} columns", spans.len()),
            );
        }
        table.begin_row(row_key(seed, block.index, number));
        number += 1;
        let kept = width.min(MAX_COLUMNS);
        for (at, span) in spans.iter().take(kept).enumerate() {
            let bytes = block.bytes.get(span.start..span.end).unwrap_or_default();
            let whole = text.and_then(|t| t.get(span.start..span.end));
            let mut content = if let Ok(s) = whole.map_or_else(|| std::str::from_utf8(bytes), Ok) {
                Cow::Borrowed(s)
            } else {
                table.note(
                    line,
                    FindingKind::Encoding,
                    format!(
                        "bytes that are not UTF-8 in column {}, read as Windows-1252",
                        at + 1
                    ),
                );
                Cow::Owned(salvage(bytes))
            };
            if span.escaped {
                content = Cow::Owned(content.replace("\"\"", "\""));
            }
            table.cell(at, missing(&content).map_or(Cell::Raw(&content), Cell::Missing));
        }
        for at in spans.len()..kept {
            table.cell(at, Cell::Missing(0));
        }
        table.end_row();
    });
}

/// Hands over every record of some bytes with its line. Blank lines are none.
fn records(bytes: &[u8], delimiter: u8, first_line: u64, emit: &mut dyn FnMut(u64, &[Span])) {
    let mut spans: Vec<Span> = Vec::new();
    if memchr(b'"', bytes).is_none() {
        let mut line = first_line;
        let mut start = 0;
        for at in memchr2_iter(delimiter, b'\n', bytes).chain(std::iter::once(bytes.len())) {
            let ends = bytes.get(at) != Some(&delimiter);
            let end = if ends && at > start && bytes[at - 1] == b'\r' {
                at - 1
            } else {
                at
            };
            spans.push(Span {
                start,
                end,
                escaped: false,
            });
            start = at + 1;
            if ends {
                finish(&mut spans, line, emit);
                line += 1;
            }
        }
        return;
    }
    let (mut at, mut line) = (0, first_line);
    while at < bytes.len() {
        let started = line;
        loop {
            let mut span = Span {
                start: at,
                end: at,
                escaped: false,
            };
            let is_quoted = bytes.get(at) == Some(&b'"');
            if is_quoted {
                span.start = at + 1;
                span.end = closing(bytes, at + 1).unwrap_or(bytes.len());
                let content = bytes.get(span.start..span.end).unwrap_or_default();
                span.escaped = memchr(b'"', content).is_some();
                line += memchr_iter(b'\n', content).count() as u64;
                at = (span.end + 1).min(bytes.len());
            }
            let next = memchr2(delimiter, b'\n', &bytes[at..]).map_or(bytes.len(), |k| at + k);
            let ends = bytes.get(next) != Some(&delimiter);
            if !is_quoted {
                span.end = if ends && next > span.start && bytes[next - 1] == b'\r' {
                    next - 1
                } else {
                    next
                };
            }
            spans.push(span);
            at = next + 1;
            if ends {
                break;
            }
        }
        finish(&mut spans, started, emit);
        line += 1;
    }
}

fn finish(spans: &mut Vec<Span>, line: u64, emit: &mut dyn FnMut(u64, &[Span])) {
    if spans.len() != 1 || spans[0].end > spans[0].start {
        emit(line, spans);
    }
    spans.clear();
}

/// The first lines, cell by cell.
fn first_rows(head: &[u8], delimiter: u8) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    // As many lines as are looked at, and not a megabyte of records.
    let end = memchr_iter(b'\n', head).nth(LOOK).map_or(head.len(), |at| at + 1);
    let head = &head[..end];
    records(head, delimiter, 1, &mut |_, spans| {
        if rows.len() < LOOK {
            let cell = |s: &Span| {
                let bytes = head.get(s.start..s.end).unwrap_or_default();
                let text = std::str::from_utf8(bytes).map_or_else(|_| salvage(bytes), str::to_owned);
                if s.escaped {
                    text.replace("\"\"", "\"")
                } else {
                    text
                }
            };
            rows.push(spans.iter().map(cell).collect::<Vec<_>>());
        }
    });
    // The last one may be cut.
    if rows.len() > 1 && end == head.len() && !head.ends_with(b"\n") {
        rows.pop();
    }
    rows
}

/// The byte that cuts the first lines most evenly into more than one cell.
fn tell_delimiter(head: &[u8]) -> u8 {
    let mut best = (0.0, b',');
    for delimiter in *b",\t;|" {
        let rows = first_rows(head, delimiter);
        let Some(width) = rows.first().map(Vec::len).filter(|w| *w > 1) else {
            continue;
        };
        let even = rows.iter().filter(|r| r.len() == width).count() as f64 / rows.len() as f64;
        let score = even + (width as f64).ln() / 100.0;
        if score > best.0 + 1e-9 {
            best = (score, delimiter);
        }
    }
    best.1
}

/// Whether the first line names the columns: unless at least half of its cells are numbers or dates, and those are no run of
/// years.
fn has_header(rows: &[Vec<String>]) -> bool {
    let Some(first) = rows.first() else {
        return false;
    };
    let numbers: Vec<Option<f64>> = first
        .iter()
        .map(|c| match meaning(c) {
            Meaning::Int(i) => Some(i as f64),
            Meaning::Float(x) => Some(x),
            Meaning::Time(_) => Some(f64::NAN),
            _ => None,
        })
        .collect();
    let found: Vec<f64> = numbers.iter().flatten().copied().collect();
    if found.len() * 2 < first.len() || found.is_empty() {
        return true;
    }
    found.len() > 2 && found.windows(2).all(|w| w[1] - w[0] == 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str, delimiter: u8) -> Vec<(u64, Vec<String>)> {
        let mut out = Vec::new();
        records(text.as_bytes(), delimiter, 1, &mut |line, spans| {
            out.push((
                line,
                spans.iter().map(|s| text[s.start..s.end].to_owned()).collect(),
            ));
        });
        out
    }

    #[test]
    fn cells_are_cut() {
        assert_eq!(
            cells("a,b\r\n\n1,\n", b','),
            [
                (1, vec!["a".into(), "b".into()]),
                (3, vec!["1".into(), String::new()])
            ]
        );
        assert_eq!(
            cells("\"x\ny\",\"\"\"q\"\"\"\r\n2,3", b','),
            [
                (1, vec!["x\ny".into(), "\"\"q\"\"".into()]),
                (3, vec!["2".into(), "3".into()])
            ]
        );
        assert_eq!(cells("a;\"b;c\"\n", b';'), [(1, vec!["a".into(), "b;c".into()])]);
    }

    #[test]
    fn delimiters_are_told() {
        assert_eq!(tell_delimiter(b"a;b;c\n1,5;2,5;3\n2,5;3,5;4\n"), b';');
        assert_eq!(tell_delimiter(b"a\tb\nx, y\tz\n"), b'\t');
        assert_eq!(tell_delimiter(b"name\nx\n"), b',');
        assert_eq!(tell_delimiter(b"a,b,c\n1,2,3\n"), b',');
    }

    #[test]
    fn headers_are_told() {
        let header = |text: &[u8]| has_header(&first_rows(text, b','));
        assert!(header(b"a,b\n1,2\n"));
        assert!(!header(b"5.1,3.5,setosa\n4.9,3.0,setosa\n"));
        assert!(header(b"country,1990,1991,1992,1993\nx,1,2,3,4\n"));
        assert!(header(b"id,2024\n1,2\n") || !header(b"1,2\n3,4\n"));
        assert!(!header(b"1,2\n3,4\n"));
    }
}
