//! Answers in XML, read as a flat run of elements.

use crate::{ConnectError, Result};
use quick_xml::events::Event;

/// Most steps of an answer: an element of four bytes takes a hundred here, and whoever answers may send nothing else.
const STEPS_MAX: usize = 1_500_000;

/// An element begins, ends, or has a text. Names are without their prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Begin(String),
    Text(String),
    End(String),
}

/// Reads a document. Entities of its own are not known, so none can grow.
pub fn steps(text: &str, who: &str) -> Result<Vec<Step>> {
    let wrong = || {
        ConnectError::Wrong(format!(
            "{who} answered something that is not what such a store answers."
        ))
    };
    let mut reader = quick_xml::Reader::from_str(text);
    let mut out = Vec::new();
    let mut held = String::new();
    let flush = |held: &mut String, out: &mut Vec<Step>| {
        if !held.is_empty() {
            out.push(Step::Text(std::mem::take(held)));
        }
    };
    let name = |n: quick_xml::name::QName<'_>| String::from_utf8_lossy(n.local_name().as_ref()).into_owned();
    loop {
        if out.len() > STEPS_MAX {
            return Err(ConnectError::TooMuch(format!(
                "{who} answered more than can be looked at at once; name a folder further down."
            )));
        }
        match reader.read_event().map_err(|_| wrong())? {
            Event::Start(e) => {
                flush(&mut held, &mut out);
                out.push(Step::Begin(name(e.name())));
            }
            Event::Empty(e) => {
                flush(&mut held, &mut out);
                let n = name(e.name());
                out.extend([Step::Begin(n.clone()), Step::End(n)]);
            }
            Event::End(e) => {
                flush(&mut held, &mut out);
                out.push(Step::End(name(e.name())));
            }
            Event::Text(t) => held.push_str(&t.decode().map_err(|_| wrong())?),
            Event::CData(t) => held.push_str(&t.decode().map_err(|_| wrong())?),
            Event::GeneralRef(r) => match r.resolve_char_ref() {
                Ok(Some(c)) => held.push(c),
                _ => held.push(match r.decode().map_err(|_| wrong())?.as_ref() {
                    "amp" => '&',
                    "lt" => '<',
                    "gt" => '>',
                    "quot" => '"',
                    "apos" => '\'',
                    _ => return Err(wrong()),
                }),
            },
            Event::Eof => return Ok(out),
            _ => {}
        }
    }
}

/// The text of the first element of a name.
pub fn first<'a>(steps: &'a [Step], name: &str) -> Option<&'a str> {
    steps.windows(2).find_map(|w| match w {
        [Step::Begin(n), Step::Text(t)] if n == name => Some(t.as_str()),
        _ => None,
    })
}

/// The insides of each element of a name, which is not inside another of it.
pub fn each<'a>(steps: &'a [Step], name: &str) -> Vec<&'a [Step]> {
    let (mut out, mut from) = (Vec::new(), None);
    for (n, step) in steps.iter().enumerate() {
        match step {
            Step::Begin(s) if s == name && from.is_none() => from = Some(n + 1),
            Step::End(s) if s == name => {
                if let Some(from) = from.take() {
                    out.push(&steps[from..n]);
                }
            }
            _ => {}
        }
    }
    out
}

/// Seconds since 1970 of a time as these protocols write it.
pub fn seconds(text: &str) -> Option<i64> {
    chrono::DateTime::parse_from_rfc3339(text)
        .or_else(|_| chrono::DateTime::parse_from_rfc2822(text))
        .ok()
        .map(|t| t.timestamp())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_would_grow_is_refused() {
        let many = format!("<a>{}</a>", "<b/>".repeat(STEPS_MAX / 2 + 1));
        assert!(matches!(steps(&many, "x"), Err(ConnectError::TooMuch(_))));
        let bomb = "<!DOCTYPE a [<!ENTITY b \"bbbbbbbb\"><!ENTITY c \"&b;&b;&b;\">]><a>&c;</a>";
        assert!(matches!(steps(bomb, "x"), Err(ConnectError::Wrong(_))));
        let outside = "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>";
        assert!(matches!(steps(outside, "x"), Err(ConnectError::Wrong(_))));
        let fine = steps("<a>x &amp; <b>y</b></a>", "x").unwrap();
        assert_eq!((first(&fine, "a"), first(&fine, "b")), (Some("x & "), Some("y")));
    }
}
