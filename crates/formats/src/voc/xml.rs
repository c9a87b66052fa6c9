//! A walk over an XML text that knows where it is: opening and closing of elements by path, with their text.

use quick_xml::Reader;
use quick_xml::events::Event;

const DEPTH_MAX: usize = 64;

pub(super) enum Next<'a> {
    Open {
        path: &'a [&'a str],
        line: u64,
    },
    /// An element ends; `path` still holds it, `text` is what stood directly inside.
    Close {
        path: &'a [&'a str],
        text: &'a str,
    },
    /// An entity that is declared, or used and not expanded.
    Entity {
        line: u64,
    },
    End,
}

pub(super) struct Walker<'t> {
    source: &'t str,
    reader: Reader<&'t [u8]>,
    path: Vec<&'t str>,
    text: String,
    text_max: usize,
    /// The element that closed at the last step is still on the path.
    pop: bool,
    /// The element opened at the last step was empty, so it closes now.
    close: bool,
    lines: u64,
    counted: usize,
}

impl<'t> Walker<'t> {
    pub fn new(source: &'t str, text_max: usize) -> Self {
        let mut reader = Reader::from_str(source);
        reader.config_mut().allow_dangling_amp = true;
        Self {
            source,
            reader,
            path: Vec::new(),
            text: String::new(),
            text_max,
            pop: false,
            close: false,
            lines: 1,
            counted: 0,
        }
    }

    /// The line reached, from 1.
    pub fn line(&mut self) -> u64 {
        self.line_at(self.reader.buffer_position())
    }

    #[allow(clippy::naive_bytecount, reason = "files are small")]
    fn line_at(&mut self, position: u64) -> u64 {
        let at = usize::try_from(position)
            .unwrap_or(usize::MAX)
            .min(self.source.len());
        if at > self.counted {
            self.lines += self.source.as_bytes()[self.counted..at]
                .iter()
                .filter(|b| **b == b'\n')
                .count() as u64;
            self.counted = at;
        }
        self.lines
    }

    /// Whether elements are still open.
    pub fn is_open(&self) -> bool {
        self.path.len() > usize::from(self.pop)
    }

    fn push_text(&mut self, text: &str) {
        let room = self.text_max.saturating_sub(self.text.len());
        self.text.push_str(&text[..text.floor_char_boundary(room)]);
    }

    /// The next step, or the line and reason why the XML is broken.
    pub fn next(&mut self) -> Result<Next<'_>, (u64, String)> {
        if std::mem::take(&mut self.pop) {
            self.path.pop();
            self.text.clear();
        }
        if std::mem::take(&mut self.close) {
            self.pop = true;
            return Ok(Next::Close {
                path: &self.path,
                text: "",
            });
        }
        loop {
            let before = self.reader.buffer_position();
            match self.reader.read_event() {
                Ok(event @ (Event::Start(_) | Event::Empty(_))) => {
                    let line = self.line_at(before);
                    self.close = matches!(event, Event::Empty(_));
                    let (Event::Start(e) | Event::Empty(e)) = event else {
                        continue;
                    };
                    if self.path.len() >= DEPTH_MAX {
                        return Err((line, format!("elements are nested more than {DEPTH_MAX} deep")));
                    }
                    self.text.clear();
                    self.path.push(name(self.source, before, e.name().as_ref().len()));
                    return Ok(Next::Open {
                        path: &self.path,
                        line,
                    });
                }
                Ok(Event::End(_)) => {
                    if self.path.is_empty() {
                        return Err((
                            self.line_at(before),
                            "an element is closed that was never opened".to_owned(),
                        ));
                    }
                    self.pop = true;
                    return Ok(Next::Close {
                        path: &self.path,
                        text: &self.text,
                    });
                }
                Ok(Event::Text(t)) => self.push_text(&String::from_utf8_lossy(&t)),
                Ok(Event::CData(t)) => self.push_text(&String::from_utf8_lossy(&t)),
                Ok(Event::GeneralRef(r)) => match (&*r, r.resolve_char_ref()) {
                    (_, Ok(Some(c))) => self.push_text(c.encode_utf8(&mut [0; 4])),
                    (b"amp", _) => self.push_text("&"),
                    (b"lt", _) => self.push_text("<"),
                    (b"gt", _) => self.push_text(">"),
                    (b"quot", _) => self.push_text("\""),
                    (b"apos", _) => self.push_text("'"),
                    _ => {
                        return Ok(Next::Entity {
                            line: self.line_at(before),
                        });
                    }
                },
                Ok(Event::DocType(t)) if t.windows(7).any(|w| w.eq_ignore_ascii_case(b"!ENTITY")) => {
                    return Ok(Next::Entity {
                        line: self.line_at(before),
                    });
                }
                Ok(Event::Eof) => return Ok(Next::End),
                Ok(Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_)) => {}
                Err(e) => {
                    let line = self.line_at(self.reader.error_position());
                    return Err((line, e.to_string()));
                }
            }
        }
    }
}

/// The name of the tag that begins at `at`, out of the source so that the path borrows from it and not from an event.
fn name(source: &str, at: u64, len: usize) -> &str {
    let start = usize::try_from(at).unwrap_or(usize::MAX).saturating_add(1);
    source.get(start..start.saturating_add(len)).unwrap_or_default()
}
