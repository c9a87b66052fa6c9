//! The outline of a COCO annotation, kept whole: polygons with every corner, masks with every run.

use super::loose::{Loose, Numbers};
use limn_domain::mask::decode_counts;
use limn_domain::polygon::Ring;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Most coordinates or runs of one annotation.
const NUMBERS_MAX: usize = 4_000_000;

/// What stands in `segmentation`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Segmentation {
    #[default]
    Missing,
    /// Each ring is a part of its own.
    Polygons(Vec<Ring>),
    /// Uncompressed runs over columns of `height`.
    Runs {
        width: u32,
        height: u32,
        counts: Vec<u64>,
    },
    /// Why it cannot be used.
    Bad(&'static str),
}

const NOT_AN_OUTLINE: Segmentation =
    Segmentation::Bad("The segmentation is neither polygons nor a run-length mask.");

/// An element of the list: a coordinate, or an outline of its own.
enum Part {
    Number(f64),
    Outline(Segmentation),
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(AnyPart)
    }
}

impl<'de> Deserialize<'de> for Segmentation {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(AnyPart).map(|part| match part {
            Part::Outline(o) => o,
            Part::Number(_) => NOT_AN_OUTLINE,
        })
    }
}

struct AnyPart;

impl<'de> Visitor<'de> for AnyPart {
    type Value = Part;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Part, E> {
        Ok(Part::Outline(NOT_AN_OUTLINE))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Part, E> {
        Ok(Part::Number(v as f64))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Part, E> {
        Ok(Part::Number(v as f64))
    }

    fn visit_f64<E>(self, v: f64) -> Result<Part, E> {
        Ok(Part::Number(v))
    }

    fn visit_str<E>(self, v: &str) -> Result<Part, E> {
        let number = Loose::Text(v.to_owned()).number();
        Ok(number.map_or(Part::Outline(NOT_AN_OUTLINE), Part::Number))
    }

    fn visit_unit<E>(self) -> Result<Part, E> {
        Ok(Part::Outline(Segmentation::Missing))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Part, A::Error> {
        list(seq).map(Part::Outline)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Part, A::Error> {
        mask(map).map(Part::Outline)
    }
}

/// `[x1, y1, x2, y2, ...]`, a list of such lists, or a list with one mask.
fn list<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<Segmentation, A::Error> {
    let (mut own, mut rings, mut other): (Vec<f64>, Vec<Ring>, Option<Segmentation>) = Default::default();
    let mut count = 0;
    while let Some(part) = seq.next_element::<Part>()? {
        count += 1;
        if count > NUMBERS_MAX {
            other = Some(Segmentation::Bad(
                "The segmentation has more than 4,000,000 numbers.",
            ));
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            break;
        }
        match part {
            Part::Number(n) => own.push(n),
            Part::Outline(Segmentation::Polygons(more)) => rings.extend(more),
            Part::Outline(Segmentation::Missing) => {}
            Part::Outline(found) => other = Some(found),
        }
    }
    if let Some(other) = other {
        let alone = own.is_empty() && rings.is_empty() && count == 1;
        return Ok(match other {
            Segmentation::Runs { .. } if !alone => {
                Segmentation::Bad("The segmentation mixes masks and polygons; give one mask, or polygons.")
            }
            found => found,
        });
    }
    if own.len() % 2 == 1 {
        return Ok(Segmentation::Bad(
            "A polygon has an odd number of coordinates; each corner needs x and y.",
        ));
    }
    if !own.is_empty() {
        rings.push(own.chunks_exact(2).map(|c| [c[0], c[1]]).collect());
    }
    Ok(if rings.is_empty() {
        Segmentation::Missing
    } else {
        Segmentation::Polygons(rings)
    })
}

/// `{"size": [h, w], "counts": ...}`
fn mask<'de, A: MapAccess<'de>>(mut map: A) -> Result<Segmentation, A::Error> {
    let (mut size, mut counts) = (Numbers::Missing, Counts(None));
    while let Some(key) = map.next_key::<String>()? {
        match key.as_str() {
            "size" => size = map.next_value()?,
            "counts" => counts = map.next_value()?,
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
    }
    let side = |v: f64| (v >= 1.0 && v <= f64::from(u32::MAX) && v.fract() == 0.0).then_some(v as u32);
    let sides = match size {
        Numbers::List(n) => match n.as_slice() {
            [h, w] => side(*h).zip(side(*w)),
            _ => None,
        },
        _ => None,
    };
    let Some((height, width)) = sides else {
        return Ok(Segmentation::Bad("The mask needs its size as [height, width]."));
    };
    Ok(match counts.0 {
        Some(counts) => Segmentation::Runs {
            width,
            height,
            counts,
        },
        None => Segmentation::Bad("The mask's counts are no run lengths."),
    })
}

struct Counts(Option<Vec<u64>>);

impl<'de> Deserialize<'de> for Counts {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Counts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_str<E>(self, v: &str) -> Result<Counts, E> {
                Ok(Counts(decode_counts(v)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Counts, A::Error> {
                let mut counts = Some(Vec::new());
                while let Some(v) = seq.next_element::<Loose>()? {
                    match (v.number(), &mut counts) {
                        (Some(n), Some(list)) if n >= 0.0 && n.fract() == 0.0 && list.len() < NUMBERS_MAX => {
                            list.push(n as u64);
                        }
                        _ => counts = None,
                    }
                }
                Ok(Counts(counts))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Counts, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Counts(None))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Counts, E> {
                Ok(Counts(None))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Counts, E> {
                Ok(Counts(None))
            }

            fn visit_u64<E>(self, _: u64) -> Result<Counts, E> {
                Ok(Counts(None))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Counts, E> {
                Ok(Counts(None))
            }

            fn visit_unit<E>(self) -> Result<Counts, E> {
                Ok(Counts(None))
            }
        }
        d.deserialize_any(V)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Segmentation {
        serde_json::from_str(json).expect("valid JSON")
    }

    #[test]
    fn outlines_of_every_form() {
        let ring = vec![[1.0, 1.0], [4.0, 1.0], [4.0, 3.0]];
        assert_eq!(
            read("[[1,1,4,1,4,3]]"),
            Segmentation::Polygons(vec![ring.clone()])
        );
        assert_eq!(read("[1,1,4,1,4,3]"), Segmentation::Polygons(vec![ring.clone()]));
        assert_eq!(
            read("[[1,1,4,1,4,3],[1,1,4,1,4,3]]"),
            Segmentation::Polygons(vec![ring.clone(), ring])
        );
        let runs = Segmentation::Runs {
            width: 6,
            height: 5,
            counts: vec![6, 2, 3, 2, 3, 2, 12],
        };
        assert_eq!(read(r#"{"size":[5,6],"counts":[6,2,3,2,3,2,12]}"#), runs);
        assert_eq!(read(r#"{"counts":"6230009","size":[5,6]}"#), runs);
        assert_eq!(read(r#"[{"counts":"6230009","size":[5,6]}]"#), runs);
        for nothing in ["[]", "null", "[[]]"] {
            assert_eq!(read(nothing), Segmentation::Missing, "{nothing}");
        }
        for bad in [
            "7",
            r#""x""#,
            r#"["x"]"#,
            "{}",
            "[[1,2,3]]",
            "[1,2,3,4,5,6,7]",
            r#"[[1,2,3,4,5,6],{"counts":"6230009","size":[5,6]}]"#,
            r#"{"size":[5,6],"counts":"\u0001"}"#,
            r#"{"size":[5,6],"counts":[-1]}"#,
            r#"{"size":[0,6],"counts":[1]}"#,
            r#"{"size":[5],"counts":[1]}"#,
        ] {
            assert!(matches!(read(bad), Segmentation::Bad(_)), "{bad}");
        }
    }
}
