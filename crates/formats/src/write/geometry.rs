//! The one place where stored shapes become what the formats of many files can say.

use limn_domain::polygon::{self, Part, Vertex};
use limn_domain::{Mask, Rect, Shape, Size, TurnedRect};
use std::borrow::Cow;

/// A shape as the formats see it. Lengths are in pixels of the oriented image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Geometry<'a> {
    Whole,
    Box(Rect),
    Polygon(&'a [Part]),
    Mask(&'a Mask),
    RotatedBox(TurnedRect),
    Ellipse(TurnedRect),
    Line(&'a [Vertex]),
    Points(&'a [Vertex]),
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
            Shape::RotatedBox { rect } => Self::RotatedBox(*rect),
            Shape::Ellipse { rect } => Self::Ellipse(*rect),
            Shape::Polyline { points } => Self::Line(points),
            Shape::Points { points } => Self::Points(points),
            Shape::Keypoints { .. } => Self::Other("skeletons"),
            Shape::Span { .. } => Self::Other("spans"),
            Shape::Track { .. } => Self::Other("tracks"),
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
            Self::RotatedBox(_) => "rotated boxes",
            Self::Ellipse(_) => "ellipses",
            Self::Line(_) => "lines",
            Self::Points(_) => "points",
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

    /// The outline of an object inside its image: a mask's along the borders of its pixels, an ellipse's to a tenth of a
    /// pixel; `None` for what has none.
    pub fn outline(&self, image: Size) -> Option<Cow<'a, [Part]>> {
        let within = |ring| {
            polygon::mend(&[vec![ring]], image)
                .ok()
                .map(|(parts, _)| Cow::Owned(parts))
        };
        match *self {
            Self::Whole | Self::Line(_) | Self::Points(_) | Self::Other(_) => None,
            Self::Box(r) => within(TurnedRect::upright(r).corners().map(|p| [p.x, p.y]).to_vec()),
            Self::RotatedBox(r) => within(r.corners().map(|p| [p.x, p.y]).to_vec()),
            Self::Ellipse(r) => within(r.ellipse_ring(0.1)),
            Self::Polygon(parts) => Some(Cow::Borrowed(parts)),
            Self::Mask(mask) => Some(mask.to_polygon()).filter(|p| !p.is_empty()).map(Cow::Owned),
        }
    }

    /// The pixels of an object as COCO fills outlines; `None` when there are none.
    pub fn mask(&self, image: Size) -> Option<Cow<'a, Mask>> {
        match self {
            Self::Mask(mask) => Some(Cow::Borrowed(*mask)),
            _ => Mask::from_polygon(&self.outline(image)?, image).map(Cow::Owned),
        }
    }
}

/// Whether some part has a hole.
pub fn has_holes(parts: &[Part]) -> bool {
    parts.iter().any(|p| p.len() > 1)
}
