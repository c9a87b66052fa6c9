//! The one place where stored shapes become what the formats of many files can say.

use limn_domain::polygon::Part;
use limn_domain::{Mask, Rect, Shape, Size};
use std::borrow::Cow;

/// A shape as the formats see it. Lengths are in pixels of the oriented image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Geometry<'a> {
    Whole,
    Box(Rect),
    Polygon(&'a [Part]),
    Mask(&'a Mask),
    /// A kind that no format here says yet, by its name.
    Other(&'static str),
}

impl<'a> From<&'a Shape> for Geometry<'a> {
    fn from(shape: &'a Shape) -> Self {
        match shape {
            Shape::Whole => Self::Whole,
            Shape::Box { rect } => Self::Box(*rect),
            Shape::Polygon { parts } => Self::Polygon(parts),
            Shape::Mask { mask } => Self::Mask(mask),
            Shape::RotatedBox { .. } => Self::Other("rotated boxes"),
            Shape::Ellipse { .. } => Self::Other("ellipses"),
            Shape::Polyline { .. } => Self::Other("lines"),
            Shape::Points { .. } => Self::Other("points"),
            Shape::Keypoints { .. } => Self::Other("skeletons"),
        }
    }
}

impl<'a> Geometry<'a> {
    /// What a label of the kind is called in notes.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Whole => "labels of the whole image",
            Self::Box(_) => "boxes",
            Self::Polygon(_) => "polygons",
            Self::Mask(_) => "masks",
            Self::Other(kind) => kind,
        }
    }

    /// A box cut to its image: `None` when nothing of it lies inside. One that is inside keeps its numbers to the last digit.
    pub fn boxed(rect: Rect, image: Size) -> Option<Rect> {
        let outside =
            rect.x < 0.0 || rect.y < 0.0 || rect.right() > image.width || rect.bottom() > image.height;
        let rect = if outside { rect.clipped(image) } else { rect };
        (rect.is_finite() && rect.w > 0.0 && rect.h > 0.0).then_some(rect)
    }

    /// The outline of an object, a mask's along the borders of its pixels; `None` for what has none.
    pub fn outline(&self) -> Option<Cow<'a, [Part]>> {
        match *self {
            Self::Whole | Self::Other(_) => None,
            Self::Box(r) => {
                let ring = vec![
                    [r.x, r.y],
                    [r.right(), r.y],
                    [r.right(), r.bottom()],
                    [r.x, r.bottom()],
                ];
                Some(Cow::Owned(vec![vec![ring]]))
            }
            Self::Polygon(parts) => Some(Cow::Borrowed(parts)),
            Self::Mask(mask) => Some(mask.to_polygon()).filter(|p| !p.is_empty()).map(Cow::Owned),
        }
    }

    /// The pixels of an object as COCO fills outlines; `None` when there are none.
    pub fn mask(&self, image: Size) -> Option<Cow<'a, Mask>> {
        match self {
            Self::Mask(mask) => Some(Cow::Borrowed(*mask)),
            _ => Mask::from_polygon(&self.outline()?, image).map(Cow::Owned),
        }
    }
}

/// Whether some part has a hole.
pub fn has_holes(parts: &[Part]) -> bool {
    parts.iter().any(|p| p.len() > 1)
}
