//! Shapes out of the tags of CVAT's XML.

use super::rows;
use crate::findings::quote;
use crate::model::{ImportedOutline, ImportedShape};
use limn_domain::polygon::{Ring, VERTICES_MAX};
use limn_domain::{Point, Rect, Shape, TurnedRect};
use quick_xml::events::BytesStart;
use std::collections::HashMap;

/// Stable name of the reason, and a sentence.
pub(super) type Refusal = (&'static str, String);

/// The attributes of a tag as text.
pub(super) struct Attributes(HashMap<Vec<u8>, String>);

impl Attributes {
    pub fn of(tag: &BytesStart<'_>) -> Self {
        let all = tag.attributes().flatten().take(64);
        Self(
            all.map(|a| {
                let raw = String::from_utf8_lossy(&a.value).into_owned();
                let text = quick_xml::escape::unescape(&raw)
                    .map(|t| t.into_owned())
                    .unwrap_or(raw);
                (a.key.as_ref().to_vec(), text)
            })
            .collect(),
        )
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name.as_bytes()).map(String::as_str)
    }

    pub fn number(&self, name: &str) -> Option<f64> {
        self.text(name)?
            .trim()
            .parse()
            .ok()
            .filter(|v: &f64| v.is_finite())
    }

    pub fn whole(&self, name: &str) -> Option<u32> {
        let v = self.number(name)?;
        (v >= 0.0 && v <= f64::from(u32::MAX) && v.fract() == 0.0).then_some(v as u32)
    }
}

pub(super) fn other(shape: Shape) -> ImportedShape {
    ImportedShape::Other(Box::new(shape))
}

pub(super) fn shape(
    kind: &str,
    attributes: &Attributes,
    image: Option<(f64, f64)>,
) -> Result<ImportedShape, Refusal> {
    let angle = attributes.number("rotation").unwrap_or(0.0);
    match kind {
        "tag" => Ok(ImportedShape::Whole),
        "box" => {
            let corner = |x, y| attributes.number(x).zip(attributes.number(y));
            match (corner("xtl", "ytl"), corner("xbr", "ybr")) {
                (Some(a), Some(b)) => {
                    let rect = Rect::from_corners(Point::new(a.0, a.1), Point::new(b.0, b.1));
                    if angle % 360.0 == 0.0 {
                        return Ok(ImportedShape::Box(rect));
                    }
                    let rect = TurnedRect {
                        angle,
                        ..TurnedRect::upright(rect)
                    };
                    Ok(other(Shape::RotatedBox { rect }))
                }
                _ => Err((
                    "bad_box",
                    "The box needs the numbers xtl, ytl, xbr and ybr.".to_owned(),
                )),
            }
        }
        "ellipse" => {
            let number = |name| attributes.number(name);
            let [Some(cx), Some(cy), Some(rx), Some(ry)] =
                [number("cx"), number("cy"), number("rx"), number("ry")]
            else {
                return Err((
                    "bad_box",
                    "The ellipse needs the numbers cx, cy, rx and ry.".to_owned(),
                ));
            };
            let rect = TurnedRect {
                cx,
                cy,
                w: 2.0 * rx,
                h: 2.0 * ry,
                angle,
            };
            Ok(other(Shape::Ellipse { rect }))
        }
        "polyline" => ring(attributes.text("points").unwrap_or_default())
            .map(|points| other(Shape::Polyline { points })),
        "points" => {
            ring(attributes.text("points").unwrap_or_default()).map(|points| other(Shape::Points { points }))
        }
        "polygon" => ring(attributes.text("points").unwrap_or_default())
            .map(|ring| ImportedShape::Outline(Box::new(ImportedOutline::Polygons(vec![ring])))),
        "mask" => {
            let side = |name| attributes.whole(name);
            let window = [side("left"), side("top"), side("width"), side("height")];
            let [Some(x), Some(y), Some(w), Some(h)] = window else {
                return Err((
                    "bad_mask",
                    "The mask needs whole numbers for left, top, width and height.".to_owned(),
                ));
            };
            let Some((width, height)) = image else {
                return Err((
                    "bad_mask",
                    "The image gives no width and height, so its masks have no place.".to_owned(),
                ));
            };
            let size = (width as u32, height as u32);
            rows::read(attributes.text("rle").unwrap_or_default(), [x, y, w, h])
                .map(|mask| ImportedShape::Outline(Box::new(ImportedOutline::Mask { mask, size })))
                .map_err(|why| ("bad_mask", why.to_owned()))
        }
        other => Err((
            "kind_unknown",
            format!(
                "A `{}` is not imported; boxes, ellipses, polygons, masks, lines, points, skeletons and tags are.",
                quote(other)
            ),
        )),
    }
}

/// `x,y;x,y;...`
pub(super) fn ring(points: &str) -> Result<Ring, Refusal> {
    let bad = || {
        let why = "The polygon's points must be pairs of numbers, as in 1.5,2;3,4;5,6.";
        ("bad_outline", why.to_owned())
    };
    let mut ring = Ring::new();
    for pair in points.split(';') {
        let (x, y) = pair.split_once(',').ok_or_else(bad)?;
        let number = |t: &str| t.trim().parse::<f64>().ok().filter(|v| v.is_finite());
        ring.push([number(x).ok_or_else(bad)?, number(y).ok_or_else(bad)?]);
        if ring.len() > VERTICES_MAX {
            return Err((
                "outline_too_many",
                format!("The polygon has more than {VERTICES_MAX} corners."),
            ));
        }
    }
    Ok(ring)
}
