//! CoNLL: a token and its tag a line, an empty line between sentences, `-DOCSTART-` before every document.
//!
//! Written are Unicode's words and marks of punctuation with IOB2 tags; a line of the document is a sentence, unless a span goes on in the next. Read are
//! the first column as token and the last as tag, in IOB1, IOB2, IOBES or BILOU; the text is put together from the tokens.

use super::DOCUMENTS;
use super::gather::{Found, Gather, nth};
use crate::error::FormatError;
use crate::findings::{Detail, Findings, quote};
use crate::jsonl::JsonlReader;
use crate::model::Imported;
use crate::read::{Lines, Reader};
use crate::write::{Dataset, Item, Label, Output, Tally, Writer};
use limn_domain::text;
use std::fmt::Write as _;
use std::io::{self, BufRead, Read};

const FILE: &str = "entities.conll";
const START: &str = "-DOCSTART-";
const LINE_MAX: u64 = 1 << 20;

#[derive(Debug)]
pub struct ConllWriter {
    /// Without white space, which would be another column.
    names: Vec<String>,
}

impl ConllWriter {
    pub fn new(dataset: &Dataset) -> Self {
        let one_word = |name: String| name.split_whitespace().collect::<Vec<_>>().join("_");
        Self {
            names: dataset.names().into_iter().map(one_word).collect(),
        }
    }
}

/// A word, the tag it got, and the line of the document it is on.
struct Token<'a> {
    start: u32,
    end: u32,
    word: &'a str,
    /// Index of the span, and whether it begins here.
    of: Option<(usize, bool)>,
}

impl Writer for ConllWriter {
    fn begin(&mut self, out: &mut dyn Output) -> io::Result<()> {
        out.append(FILE, 0, b"")
    }

    fn item(
        &mut self,
        item: &Item<'_>,
        labels: &[Label<'_>],
        out: &mut dyn Output,
        tally: &mut Tally,
    ) -> io::Result<()> {
        let mut tokens: Vec<Token<'_>> = text::tokens(item.text)
            .map(|(start, end, word)| Token {
                start,
                end,
                word,
                of: None,
            })
            .collect();
        let mut spans: Vec<(u32, u32, usize)> = labels
            .iter()
            .filter_map(|l| l.shape.span().map(|(start, end)| (start, end, l.category)))
            .collect();
        // The longest first, then the first.
        spans.sort_by_key(|(start, end, category)| (u32::MAX - (end - start), *start, *category));
        for (n, (start, end, _)) in spans.iter().enumerate() {
            let from = tokens.partition_point(|t| t.end <= *start);
            let to = tokens.partition_point(|t| t.start < *end);
            let own = &mut tokens[from..to.max(from)];
            let (Some(first), Some(last)) = (own.first(), own.last()) else {
                tally.left_out("spans", "no word lies in them", item.name);
                continue;
            };
            if own.iter().any(|t| t.of.is_some()) {
                let why = "they share a word with a longer or an earlier one";
                tally.left_out("spans", why, item.name);
                continue;
            }
            if first.start < *start || last.end > *end {
                tally.changed("spans end within a word and were widened to whole words");
            }
            for (i, token) in own.iter_mut().enumerate() {
                token.of = Some((n, i == 0));
            }
            tally.labels += 1;
        }
        tally.items += 1;
        let mut lines = format!("{START} O\n\n");
        let mut before: Option<u32> = None;
        let mut chars = item.text.chars().enumerate();
        for token in &tokens {
            // A line end between two tokens is the end of a sentence.
            let mut ended = false;
            while before.is_some()
                && let Some((at, c)) = chars.next()
            {
                ended |= c == '\n' && at < token.start as usize;
                if at + 1 >= token.start as usize {
                    break;
                }
            }
            // A span over a line end stays one.
            if ended && token.of.is_none_or(|(_, first)| first) {
                lines.push('\n');
            }
            before = Some(token.end);
            // Writing to a text cannot fail.
            let _ = match token.of.and_then(|(n, first)| Some((spans.get(n)?, first))) {
                Some(((_, _, category), first)) => {
                    let name = self.names.get(*category).map_or("", String::as_str);
                    writeln!(lines, "{} {}-{name}", token.word, if first { 'B' } else { 'I' })
                }
                None => writeln!(lines, "{} O", token.word),
            };
        }
        lines.push('\n');
        out.append(FILE, 0, lines.as_bytes())
    }

    fn finish(&mut self, _: &mut dyn Output) -> io::Result<()> {
        Ok(())
    }

    fn picture(&self, name: &str) -> String {
        format!("{DOCUMENTS}/{name}")
    }
}

/// Reads a file of documents.
#[derive(Debug, Default)]
pub struct ConllReader;

/// A document being put together.
#[derive(Default)]
struct Document {
    text: String,
    length: u32,
    line: u64,
    /// A sentence has ended.
    pause: bool,
    spans: Vec<(u32, u32, String, u64)>,
    /// The last token's entity goes on with an `I-` of its name.
    open: bool,
}

impl Document {
    fn token(&mut self, word: &str, tag: &str, line: u64) {
        if self.text.is_empty() {
            self.line = line;
        } else {
            self.text.push(if self.pause { '\n' } else { ' ' });
            self.length += 1;
        }
        let fresh = self.pause;
        self.pause = false;
        let start = self.length;
        self.text.push_str(word);
        self.length += text::length(word);
        let (mark, name) = match tag.split_once('-') {
            Some((mark, name)) if matches!(mark, "B" | "I" | "E" | "S" | "L" | "U") && !name.is_empty() => {
                (mark, name)
            }
            _ => {
                self.open = false;
                return;
            }
        };
        let goes_on = self.open && !fresh && matches!(mark, "I" | "E" | "L");
        match self.spans.last_mut() {
            Some((_, end, of, _)) if goes_on && of == name => *end = self.length,
            _ => self.spans.push((start, self.length, name.to_owned(), line)),
        }
        self.open = !matches!(mark, "E" | "L" | "S" | "U");
    }
}

impl Reader for ConllReader {
    fn labels(
        &mut self,
        path: &str,
        reader: &mut dyn Read,
        findings: &mut Findings,
    ) -> Result<Imported, FormatError> {
        let mut lines = Lines::new(reader, LINE_MAX);
        let (mut gather, mut categories) = (Gather::default(), JsonlReader::default());
        let (mut buffer, mut n) = (Vec::new(), 0);
        let mut document = Document::default();
        // Whether documents are announced; otherwise an empty line ends one.
        let mut announced = false;
        let mut full = false;
        let mut end = |document: Document, findings: &mut Findings| {
            if document.text.is_empty() || full {
                return;
            }
            n += 1;
            match gather.document(nth(path, n), Some(document.text), document.line) {
                Ok(of) => {
                    for (start, end, name, line) in document.spans {
                        let found = Found {
                            span: Some((start.into(), end.into())),
                            ..Found::whole(&name)
                        };
                        gather.label(&mut categories, of, found, (line, None), findings);
                    }
                }
                Err((code, why)) => {
                    full = true;
                    findings.refused(code, || Detail::new(why).line(document.line));
                }
            }
        };
        let mut any = false;
        loop {
            buffer.clear();
            lines.record();
            let line = lines.line();
            match lines.read_until(b'\n', &mut buffer) {
                Ok(0) => break,
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::InvalidData => {
                    findings.refused("record_too_long", || {
                        Detail::new(format!("{e}; what stands before was taken.")).line(line)
                    });
                    break;
                }
                Err(e) => return Err(e.into()),
            }
            let Ok(record) = std::str::from_utf8(&buffer) else {
                findings.refused("not_utf8", || {
                    Detail::new("The line is not UTF-8. Save the file as UTF-8.").line(line)
                });
                continue;
            };
            let record = record.trim_start_matches('\u{feff}').trim();
            if record.starts_with(START) {
                announced = true;
                end(std::mem::take(&mut document), findings);
            } else if record.is_empty() {
                if announced {
                    document.pause = true;
                } else {
                    end(std::mem::take(&mut document), findings);
                }
            } else if !record.starts_with("# ") {
                let mut columns = record.split_whitespace();
                match (columns.next(), columns.next_back()) {
                    (Some(_), Some(tag)) if tag.contains('\0') => {
                        findings.refused("bad_record", || Detail::new("The tag holds a NUL.").line(line));
                    }
                    (Some(word), Some(tag)) => {
                        any = true;
                        document.token(word, tag, line);
                    }
                    _ => findings.refused("bad_record", || {
                        Detail::new("The line has no tag: a token and its tag are wanted, as in `Ana B-PER`.")
                            .line(line)
                    }),
                }
            }
        }
        end(document, findings);
        if !any && findings.count("bad_record") + findings.count("not_utf8") > 0 {
            return Err(FormatError::NotTheFormat(format!(
                "`{}` has no line with a token and its tag, as in `Ana B-PER`.",
                quote(findings.file())
            )));
        }
        Ok(gather.finish(&categories))
    }
}
