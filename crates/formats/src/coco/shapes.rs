//! What an annotation record marks.

use super::record::{self, RawOutline};
use crate::json::loose::{Numbers, Outline};
use crate::json::segmentation::Segmentation;
use crate::model::{ImportedOutline, ImportedShape};
use limn_domain::{Mask, Rect};

/// What the segmentation of an annotation holds, if anything. `Err`: stable name of the reason and a sentence.
pub(super) fn outline(bytes: Option<&[u8]>) -> Result<Option<ImportedOutline>, (&'static str, String)> {
    // The record was read before: repairs are in the findings already.
    let Some((raw, _)) = bytes.and_then(|b| record::parse::<RawOutline>(b).ok()) else {
        return Ok(None);
    };
    match raw.segmentation {
        Segmentation::Missing => Ok(None),
        Segmentation::Bad(why) => Err(("bad_outline", why.to_owned())),
        Segmentation::Polygons(rings) => Ok(Some(ImportedOutline::Polygons(rings))),
        Segmentation::Runs {
            width,
            height,
            counts,
        } => match Mask::from_runs(width, height, &counts) {
            Ok(mask) => Ok(Some(ImportedOutline::Mask {
                mask,
                size: (width, height),
            })),
            Err(fault) => Err(("bad_mask", format!("The mask cannot be used: {fault}."))),
        },
    }
}

/// The shape of an annotation, and whether it had to be derived from the segmentation.
pub(super) fn shape(
    bbox: &Numbers,
    outline: Outline,
) -> Result<(ImportedShape, bool), (&'static str, &'static str)> {
    match (bbox, outline) {
        (Numbers::List(n), outline) if !n.is_empty() => match n.as_slice() {
            [x, y, w, h] if [x, y, w, h].iter().all(|v| v.is_finite()) => {
                Ok((ImportedShape::Box(Rect::new(*x, *y, *w, *h)), false))
            }
            _ => match outline {
                Outline::Bounds(r) => Ok((ImportedShape::Box(r), true)),
                _ if n.len() == 4 => {
                    Err(("not_a_number", "A coordinate of the bbox is not a finite number."))
                }
                _ => Err((
                    "bad_bbox",
                    "The bbox must be four numbers: [x, y, width, height].",
                )),
            },
        },
        (_, Outline::Bounds(r)) => Ok((ImportedShape::Box(r), true)),
        (Numbers::Other, _) => Err((
            "bad_bbox",
            "The bbox must be four numbers: [x, y, width, height].",
        )),
        (_, Outline::Bad) => Err((
            "bad_outline",
            "The segmentation is neither polygons nor a run-length mask, and there is no bbox.",
        )),
        (_, Outline::Missing) => Ok((ImportedShape::Whole, false)),
    }
}
