//! Value types that accept whatever stands there, so that one odd field does not cost the record.

use limn_domain::mask::{counts_bounds, decode_counts};
use limn_domain::{Point, Rect};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Numbers kept of a `bbox`; more than four is already wrong.
const NUMBERS_KEPT: usize = 8;

/// A scalar of any kind.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Loose {
    #[default]
    Missing,
    Null,
    Int(i64),
    Float(f64),
    Text(String),
    Bool(bool),
    /// An array or an object.
    Other,
}

impl Loose {
    /// A finite number, also out of a text.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Int(i) => Some(*i as f64),
            Self::Float(f) => Some(*f).filter(|f| f.is_finite()),
            Self::Text(t) => t.trim().parse::<f64>().ok().filter(|f| f.is_finite()),
            _ => None,
        }
    }

    pub fn text(self) -> Option<String> {
        match self {
            Self::Text(t) => Some(t),
            _ => None,
        }
    }

    /// True for `true`, 1 and "1".
    pub fn truthy(&self) -> bool {
        matches!(self, Self::Bool(true)) || self.number().is_some_and(|n| n != 0.0)
    }

    /// As an id: whole numbers in any spelling are the same id; other texts are ids of their own.
    pub fn key(self) -> Option<Key> {
        match self {
            Self::Int(i) => Some(Key::Int(i)),
            Self::Float(f) if f.fract() == 0.0 && f.abs() < 9e15 => Some(Key::Int(f as i64)),
            Self::Text(t) => Some(match t.trim().parse::<i64>() {
                Ok(i) => Key::Int(i),
                Err(_) => Key::Text(t.into_boxed_str()),
            }),
            _ => None,
        }
    }
}

/// An id in a file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Int(i64),
    Text(Box<str>),
}

impl Key {
    pub const fn int(&self) -> Option<i64> {
        match self {
            Self::Int(i) => Some(*i),
            Self::Text(_) => None,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(i) => i.fmt(f),
            Self::Text(t) => write!(f, "\"{}\"", crate::findings::quote(t)),
        }
    }
}

/// The visitor methods for scalars, in terms of a constructor from [`Loose`].
macro_rules! scalars {
    ($make:expr) => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("any value")
        }

        fn visit_bool<E>(self, v: bool) -> Result<Self::Value, E> {
            Ok($make(Loose::Bool(v)))
        }

        fn visit_i64<E>(self, v: i64) -> Result<Self::Value, E> {
            Ok($make(Loose::Int(v)))
        }

        fn visit_u64<E>(self, v: u64) -> Result<Self::Value, E> {
            Ok($make(
                i64::try_from(v).map_or(Loose::Float(v as f64), Loose::Int),
            ))
        }

        fn visit_f64<E>(self, v: f64) -> Result<Self::Value, E> {
            Ok($make(Loose::Float(v)))
        }

        fn visit_str<E>(self, v: &str) -> Result<Self::Value, E> {
            Ok($make(Loose::Text(v.to_owned())))
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok($make(Loose::Null))
        }
    };
}

fn drain_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<(), A::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

fn drain_seq<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<(), A::Error> {
    while seq.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Loose;
            scalars!(|v| v);

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Loose, A::Error> {
                drain_seq(seq).map(|()| Loose::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Loose, A::Error> {
                drain_map(map).map(|()| Loose::Other)
            }
        }
        d.deserialize_any(V)
    }
}

/// A short list of numbers, such as a `bbox`. What is no finite number becomes NaN.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Numbers {
    #[default]
    Missing,
    List(Vec<f64>),
    /// Not a list.
    Other,
}

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Numbers;
            scalars!(|v| if v == Loose::Null {
                Numbers::Missing
            } else {
                Numbers::Other
            });

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Numbers, A::Error> {
                let mut list = Vec::with_capacity(4);
                while let Some(v) = seq.next_element::<Loose>()? {
                    if list.len() < NUMBERS_KEPT {
                        list.push(v.number().unwrap_or(f64::NAN));
                    }
                }
                Ok(Numbers::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Numbers, A::Error> {
                drain_map(map).map(|()| Numbers::Other)
            }
        }
        d.deserialize_any(V)
    }
}

/// The enclosing box of a segmentation in any of COCO's forms.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) enum Outline {
    /// Absent, null or an empty list.
    #[default]
    Missing,
    Bounds(Rect),
    /// There, but no outline.
    Bad,
}

/// Corners met so far.
#[derive(Default)]
struct Extent {
    corners: Option<(Point, Point)>,
    bad: bool,
}

impl Extent {
    fn point(&mut self, x: f64, y: f64) {
        if !(x.is_finite() && y.is_finite()) {
            self.bad = true;
            return;
        }
        let (a, b) = self.corners.get_or_insert((Point::new(x, y), Point::new(x, y)));
        *a = Point::new(a.x.min(x), a.y.min(y));
        *b = Point::new(b.x.max(x), b.y.max(y));
    }

    fn outline(self) -> Outline {
        match self.corners {
            Some((a, b)) => Outline::Bounds(Rect::from_corners(a, b)),
            None if self.bad => Outline::Bad,
            None => Outline::Missing,
        }
    }

    fn part(&mut self, part: &Part) {
        match part {
            Part::Number(_) | Part::Bad => self.bad = true,
            Part::Nothing => {}
            Part::Bounds(r) => {
                self.point(r.x, r.y);
                self.point(r.right(), r.bottom());
            }
        }
    }
}

/// An element of a segmentation.
enum Part {
    Number(f64),
    Bounds(Rect),
    Nothing,
    Bad,
}

impl From<Outline> for Part {
    fn from(o: Outline) -> Self {
        match o {
            Outline::Missing => Self::Nothing,
            Outline::Bounds(r) => Self::Bounds(r),
            Outline::Bad => Self::Bad,
        }
    }
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Part;
            scalars!(|v: Loose| v.number().map_or(Part::Bad, Part::Number));

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Part, A::Error> {
                ring(seq).map(Part::from)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Part, A::Error> {
                mask(map).map(Part::from)
            }
        }
        d.deserialize_any(V)
    }
}

/// `[x1, y1, x2, y2, ...]`, or one more level of lists.
fn ring<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<Outline, A::Error> {
    let (mut extent, mut x) = (Extent::default(), None);
    while let Some(part) = seq.next_element::<Part>()? {
        match (part, x.take()) {
            (Part::Number(n), None) => x = Some(n),
            (Part::Number(y), Some(x)) => extent.point(x, y),
            (part, _) => extent.part(&part),
        }
    }
    extent.bad |= x.is_some();
    Ok(extent.outline())
}

/// `{"size": [h, w], "counts": ...}`
fn mask<'de, A: MapAccess<'de>>(mut map: A) -> Result<Outline, A::Error> {
    let (mut size, mut counts) = (Numbers::Missing, Counts(None));
    while let Some(key) = map.next_key::<String>()? {
        match key.as_str() {
            "size" => size = map.next_value()?,
            "counts" => counts = map.next_value()?,
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
    }
    let Numbers::List(size) = size else {
        return Ok(Outline::Bad);
    };
    let Some(height) = size.first().filter(|h| **h >= 1.0 && **h < 1e9) else {
        return Ok(Outline::Bad);
    };
    Ok(match counts.0 {
        None => Outline::Bad,
        Some(counts) => counts_bounds(&counts, *height as u64).map_or(Outline::Missing, Outline::Bounds),
    })
}

struct Counts(Option<Vec<u64>>);

impl<'de> Deserialize<'de> for Counts {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Counts;
            scalars!(|v: Loose| Counts(v.text().as_deref().and_then(decode_counts)));

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Counts, A::Error> {
                let mut counts = Some(Vec::new());
                while let Some(v) = seq.next_element::<Loose>()? {
                    match (v.number(), &mut counts) {
                        (Some(n), Some(counts)) if n >= 0.0 => counts.push(n as u64),
                        _ => counts = None,
                    }
                }
                Ok(Counts(counts))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Counts, A::Error> {
                drain_map(map).map(|()| Counts(None))
            }
        }
        d.deserialize_any(V)
    }
}

impl<'de> Deserialize<'de> for Outline {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Outline;
            scalars!(|v| if v == Loose::Null {
                Outline::Missing
            } else {
                Outline::Bad
            });

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Outline, A::Error> {
                ring(seq)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Outline, A::Error> {
                mask(map)
            }
        }
        d.deserialize_any(V)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(json: &str) -> Outline {
        serde_json::from_str(json).expect("valid JSON")
    }

    #[test]
    fn outlines_of_every_form() {
        let unit = Outline::Bounds(Rect::new(1.0, 1.0, 3.0, 2.0));
        assert_eq!(outline("[[1,1,4,1,4,3,1,3]]"), unit);
        assert_eq!(outline("[[1,1,4,1,1,3],[2,2,4,3,4,3]]"), unit);
        assert_eq!(outline("[1,1,4,1,4,3,1,3]"), unit);
        assert_eq!(outline(r#"{"size":[5,6],"counts":[6,2,3,2,3,2,12]}"#), unit);
        assert_eq!(outline(r#"{"counts":"6230009","size":[5,6]}"#), unit);
        assert_eq!(outline(r#"[{"counts":"6230009","size":[5,6]}]"#), unit);
        for nothing in ["[]", "null", "[[]]"] {
            assert_eq!(outline(nothing), Outline::Missing, "{nothing}");
        }
        for bad in [
            "7",
            r#""x""#,
            r#"["x"]"#,
            "{}",
            r#"{"size":[5,6],"counts":"\u0001"}"#,
            r#"{"size":[0,6],"counts":[1]}"#,
        ] {
            assert_eq!(outline(bad), Outline::Bad, "{bad}");
        }
    }

    #[test]
    fn ids_in_any_spelling() {
        let key = |json: &str| serde_json::from_str::<Loose>(json).expect("valid JSON").key();
        for one in ["1", "1.0", "\"1\"", "\" 1 \""] {
            assert_eq!(key(one), Some(Key::Int(1)), "{one}");
        }
        assert_eq!(key("\"abc\""), Some(Key::Text("abc".into())));
        for none in ["null", "[1]", "{}", "1.5", "true", "1e300"] {
            assert_eq!(key(none), None, "{none}");
        }
    }

    #[test]
    fn numbers_keep_their_places() {
        let n: Numbers =
            serde_json::from_str(r#"[1, "2.5", null, [3], 1, 2, 3, 4, 5, 6, 7]"#).expect("valid JSON");
        let Numbers::List(list) = n else { panic!("{n:?}") };
        assert_eq!(list.len(), 8);
        assert!(list[..2] == [1.0, 2.5] && list[2].is_nan() && list[3].is_nan());
    }
}
