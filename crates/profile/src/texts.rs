//! Documents: what is measured of each, and the profile of all of them.

use crate::figures::of_values;
use crate::hash;
use crate::images::listed;
use crate::text::{add_classes, classes_of};
use encoding_rs::{UTF_16BE, UTF_16LE};
use limn_domain::profile::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is kept of one document, by its content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum TextRecord {
    Read(TextFigures),
    /// It is no text; why.
    Unreadable(String),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextFigures {
    pub characters: u64,
    pub words: u64,
    pub lines: u64,
    pub classes: CharClasses,
    pub encoding: String,
    /// Of the text without differences in case and white space.
    pub same: u64,
}

/// Measures a document.
pub fn measure_text(bytes: &[u8]) -> TextRecord {
    let (text, encoding) = match bytes {
        [0xff, 0xfe, rest @ ..] => (UTF_16LE.decode_without_bom_handling(rest).0, "UTF-16LE"),
        [0xfe, 0xff, rest @ ..] => (UTF_16BE.decode_without_bom_handling(rest).0, "UTF-16BE"),
        [0xef, 0xbb, 0xbf, rest @ ..] => (String::from_utf8_lossy(rest), "UTF-8 with mark"),
        _ => match std::str::from_utf8(bytes) {
            Ok(text) if text.is_ascii() => (text.into(), "ASCII"),
            Ok(text) => (text.into(), "UTF-8"),
            Err(_) if bytes.contains(&0) => return TextRecord::Unreadable("binary, no text".to_owned()),
            Err(_) => (
                encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0,
                "windows-1252",
            ),
        },
    };
    if text.contains('\0') {
        return TextRecord::Unreadable("binary, no text".to_owned());
    }
    let (characters, classes) = classes_of(&text);
    let mut same = 0u64;
    let mut words = 0;
    for word in text.split_whitespace() {
        words += 1;
        same = hash::mix(same ^ hash::bytes(word.to_lowercase().as_bytes()));
    }
    TextRecord::Read(TextFigures {
        characters: characters as u64,
        words,
        lines: text.lines().count() as u64,
        classes,
        encoding: encoding.to_owned(),
        same,
    })
}

/// Collects documents.
#[derive(Debug, Default)]
pub struct Documents {
    entries: Vec<(String, u64, TextFigures)>,
    unreadable: Vec<TopPath>,
    unreadable_total: u64,
}

impl Documents {
    pub fn add(&mut self, path: &str, bytes: u64, record: &TextRecord) {
        match record {
            TextRecord::Read(figures) => self.entries.push((path.to_owned(), bytes, figures.clone())),
            TextRecord::Unreadable(why) => {
                self.unreadable_total += 1;
                if self.unreadable.len() < 60 {
                    self.unreadable.push(TopPath {
                        path: path.to_owned(),
                        note: why.clone(),
                    });
                }
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.unreadable_total == 0
    }

    /// Values of the figures that drift is measured in, by name.
    pub fn series(&self) -> Vec<(&'static str, Vec<f64>)> {
        let of = |f: fn(&TextFigures) -> u64| self.entries.iter().map(|e| f(&e.2) as f64).collect();
        vec![
            ("document characters", of(|f| f.characters)),
            ("document words", of(|f| f.words)),
        ]
    }

    pub fn profile(&self) -> TextsProfile {
        let figure =
            |f: fn(&TextFigures) -> u64| of_values(self.entries.iter().map(|e| f(&e.2) as f64), true);
        let mut classes = CharClasses::default();
        let mut encodings: BTreeMap<&str, u64> = BTreeMap::new();
        let mut same: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
        for (path, _, f) in &self.entries {
            add_classes(&mut classes, &f.classes, 1);
            *encodings.entry(&f.encoding).or_default() += 1;
            if f.words > 0 {
                same.entry(f.same).or_default().push(path);
            }
        }
        let mut encodings: Vec<TopValue> = encodings
            .into_iter()
            .map(|(value, count)| TopValue {
                value: value.to_owned(),
                count,
            })
            .collect();
        encodings.sort_by_key(|e| std::cmp::Reverse(e.count));
        TextsProfile {
            documents: self.entries.len() as u64 + self.unreadable_total,
            bytes: self.entries.iter().map(|e| e.1).sum(),
            characters: figure(|f| f.characters),
            words: figure(|f| f.words),
            lines: figure(|f| f.lines),
            classes,
            encodings,
            empty: self.entries.iter().filter(|e| e.2.words == 0).count() as u64,
            duplicates: listed(same.into_values()),
            unreadable: self.unreadable.clone(),
            unreadable_total: self.unreadable_total,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> TextFigures {
        match measure_text(bytes) {
            TextRecord::Read(f) => f,
            TextRecord::Unreadable(why) => panic!("{why}"),
        }
    }

    #[test]
    fn encodings_are_told() {
        assert_eq!(read(b"plain").encoding, "ASCII");
        assert_eq!(read("Grüße".as_bytes()).encoding, "UTF-8");
        assert_eq!(read(b"Gr\xfc\xdfe").encoding, "windows-1252");
        assert_eq!(read(b"Gr\xfc\xdfe").characters, 5);
        let wide: Vec<u8> = [0xff, 0xfe]
            .into_iter()
            .chain("Grüße".encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        assert_eq!(
            (read(&wide).encoding.as_str(), read(&wide).characters),
            ("UTF-16LE", 5)
        );
        assert!(matches!(
            measure_text(b"\x89PNG\0\0\xff"),
            TextRecord::Unreadable(_)
        ));
    }

    #[test]
    fn the_same_words_are_duplicates() {
        let mut all = Documents::default();
        for (path, text) in [
            ("a", "One two\nthree"),
            ("b", "one  TWO three"),
            ("c", "one two"),
            ("d", " \n"),
        ] {
            all.add(path, text.len() as u64, &measure_text(text.as_bytes()));
        }
        let p = all.profile();
        assert_eq!(
            (
                p.documents,
                p.empty,
                p.duplicates.groups_total,
                p.duplicates.extra
            ),
            (4, 1, 1, 1)
        );
        assert_eq!(p.duplicates.groups[0].paths, ["a", "b"]);
        assert_eq!(p.words.max, Some(3.0));
    }
}
