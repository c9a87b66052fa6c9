//! The records of a COCO file, each parsed on its own and as far as it can be.

use crate::attributes::Values;
use crate::json::loose::{Key, Loose, Numbers, Outline};
use crate::json::segmentation::Segmentation;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, MapAccess, Visitor};
use std::fmt;

/// Declares a record whose every field is optional, of any type, and may appear twice (the last one counts).
macro_rules! record {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub(crate) struct $name { $(pub $field: $kind,)* }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                struct V;
                impl<'de> Visitor<'de> for V {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<$name, A::Error> {
                        let mut out = $name::default();
                        while let Some(key) = map.next_key::<KeyText<'de>>()? {
                            match key.0.as_ref() {
                                $(stringify!($field) => out.$field = map.next_value()?,)*
                                _ => { map.next_value::<IgnoredAny>()?; }
                            }
                        }
                        Ok(out)
                    }
                }
                d.deserialize_any(V)
            }
        }
    };
}

record!(RawCategory {
    id: Loose,
    name: Loose,
    supercategory: Loose,
});
record!(RawImage {
    id: Loose,
    file_name: Loose,
    coco_url: Loose,
    width: Loose,
    height: Loose,
});
record!(RawAnnotation {
    id: Loose,
    image_id: Loose,
    category_id: Loose,
    bbox: Numbers,
    segmentation: Outline,
    score: Loose,
    iscrowd: Loose,
    caption: Loose,
    keypoints: Numbers,
    attributes: Values,
});

record!(
    /// What the short record leaves out.
    RawOutline {
        segmentation: Segmentation,
    }
);

record!(
    /// Fields of an annotation that few files have.
    RawExtras {
        keypoints: Any,
        rotated_box: Numbers,
        ellipse: Numbers,
    }
);
record!(
    /// The skeleton of a category.
    RawSkeleton {
        keypoints: Any,
        skeleton: Any,
    }
);

/// Any value, for records of limited length.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Any(pub Option<serde_json::Value>);

/// A key without copying it where it needs no unescaping.
struct KeyText<'a>(std::borrow::Cow<'a, str>);

impl<'de> Deserialize<'de> for KeyText<'de> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = KeyText<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Self::Value, E> {
                Ok(KeyText(v.into()))
            }

            fn visit_str<E>(self, v: &str) -> Result<Self::Value, E> {
                Ok(KeyText(v.to_owned().into()))
            }
        }
        d.deserialize_str(V)
    }
}

/// Repairs that were needed to read a record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Repairs {
    /// `NaN` or `Infinity`, which Python writes and JSON does not know, was read as null.
    pub nan: bool,
    /// Bytes that are no UTF-8 were replaced.
    pub encoding: bool,
}

/// Parses one record, repairing what can be; the error is the parser's own sentence.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, Repairs), String> {
    let first = match serde_json::from_slice(bytes) {
        Ok(v) => return Ok((v, Repairs::default())),
        Err(e) => e,
    };
    let text = String::from_utf8_lossy(bytes);
    let encoding = matches!(text, std::borrow::Cow::Owned(_));
    let (text, nan) = without_nan(&text);
    if !encoding && !nan {
        return Err(sentence(&first));
    }
    serde_json::from_str(&text)
        .map(|v| (v, Repairs { nan, encoding }))
        .map_err(|e| sentence(&e))
}

/// serde's message without its own position, which counts from the record.
fn sentence(e: &serde_json::Error) -> String {
    let text = e.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

/// Replaces the bare words `NaN`, `Infinity` and `-Infinity` outside of strings by `null`.
fn without_nan(text: &str) -> (String, bool) {
    const WORDS: [&str; 6] = ["NaN", "-NaN", "Infinity", "-Infinity", "nan", "inf"];
    let (mut out, mut found) = (String::with_capacity(text.len()), false);
    let (mut in_string, mut escaped) = (false, false);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if in_string {
            (in_string, escaped) = (escaped || c != '"', !escaped && c == '\\');
        } else if c == '"' {
            in_string = true;
        } else if let Some(word) = WORDS
            .iter()
            .find(|w| rest.starts_with(**w) && !rest[w.len()..].starts_with(|c: char| c.is_alphanumeric()))
        {
            out.push_str("null");
            found = true;
            rest = &rest[word.len()..];
            continue;
        }
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    (out, found)
}

/// An id, and whether it was written as a text.
pub(crate) fn key(id: Loose) -> (Option<Key>, bool) {
    let text = matches!(id, Loose::Text(_));
    (id.key(), text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn repairs_what_python_writes() {
        let (a, repairs) = parse::<RawAnnotation>(
            br#"{"id": 1, "name": "NaN \" NaN", "bbox": [NaN, -Infinity, 3, 4], "id": 2}"#,
        )
        .expect("repaired");
        assert!(repairs.nan && !repairs.encoding);
        assert_eq!(a.id, Loose::Int(2));
        let Numbers::List(n) = a.bbox else { panic!() };
        assert!(n[0].is_nan() && n[1].is_nan() && n[2..] == [3.0, 4.0]);

        let (c, repairs) = parse::<RawCategory>(b"{\"name\": \"caf\xe9\"}").expect("repaired");
        assert!(repairs.encoding);
        assert_eq!(c.name, Loose::Text("caf\u{fffd}".to_owned()));
    }

    #[test]
    fn refuses_what_is_no_record() {
        for bad in [
            "7",
            "[1]",
            "\"x\"",
            "{\"id\": }",
            "{\"id\": 1",
            "null",
            "{\"id\": Nanny}",
        ] {
            assert!(parse::<RawImage>(bad.as_bytes()).is_err(), "{bad}");
        }
        // Deep nesting costs the record where it is read, and nothing where it is passed over.
        let deep = |key: &str| format!("{{\"{key}\": {}{}}}", "[".repeat(50_000), "]".repeat(50_000));
        assert!(parse::<RawAnnotation>(deep("segmentation").as_bytes()).is_err());
        assert!(parse::<RawAnnotation>(deep("x").as_bytes()).is_ok());
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..80), text in "[\\[\\]{}\",:a-zN0-9 -]{0,60}") {
            let _ = parse::<RawAnnotation>(&bytes);
            let _ = parse::<RawAnnotation>(text.as_bytes());
        }
    }
}
