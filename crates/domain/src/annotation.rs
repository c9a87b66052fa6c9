//! Labels on items.

use crate::attribute::Attributes;
use crate::geometry::{Point, Rect};
use crate::id::{AnnotationId, CategoryId, ChangeId, ItemId, UserId};
use crate::keypoint::{self, Keypoint};
use crate::link::Links;
use crate::mask::Mask;
use crate::polygon::{self, Part, Vertex};
use crate::time::Timestamp;
use crate::track::{self, Keyframe};
use crate::turned::TurnedRect;
use serde::{Deserialize, Serialize};

/// What an annotation marks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Shape {
    /// The whole item belongs to the category (classification).
    Whole,
    /// An axis-aligned box in image pixels.
    Box { rect: Rect },
    /// An outline with holes and several parts; see [`polygon`](crate::polygon).
    Polygon {
        #[cfg_attr(feature = "openapi", schema(value_type = Vec<Vec<Vec<Vec<f64>>>>))]
        parts: Vec<Part>,
    },
    /// Single pixels.
    Mask { mask: Mask },
    /// A box turned about its centre.
    RotatedBox { rect: TurnedRect },
    /// The ellipse within a turned box.
    Ellipse { rect: TurnedRect },
    /// A line through at least two points.
    Polyline {
        #[cfg_attr(feature = "openapi", schema(value_type = Vec<Vec<f64>>))]
        points: Vec<Vertex>,
    },
    /// At least one point.
    Points {
        #[cfg_attr(feature = "openapi", schema(value_type = Vec<Vec<f64>>))]
        points: Vec<Vertex>,
    },
    /// The keypoints of the category's skeleton, in its order; `[x, y, v]` each.
    Keypoints {
        #[cfg_attr(feature = "openapi", schema(value_type = Vec<Vec<f64>>))]
        keypoints: Vec<Keypoint>,
    },
    /// A stretch of a document: Unicode scalar values `start..end` of its text as stored, `end` not among them.
    /// `start < end <= length`; see [`text`](crate::text).
    Span { start: u32, end: u32 },
    /// One object through the frames of a video; see [`track`](crate::track).
    Track { keyframes: Vec<Keyframe> },
}

/// The kinds of [`Shape`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShapeKind {
    Whole,
    Box,
    Polygon,
    Mask,
    RotatedBox,
    Ellipse,
    Polyline,
    Points,
    Keypoints,
    Span,
    Track,
}

impl ShapeKind {
    /// Those that mark an object in a picture.
    pub const OBJECTS: [Self; 8] = [
        Self::Box,
        Self::RotatedBox,
        Self::Polygon,
        Self::Mask,
        Self::Ellipse,
        Self::Polyline,
        Self::Points,
        Self::Keypoints,
    ];

    /// The stable name, as stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Box => "box",
            Self::Polygon => "polygon",
            Self::Mask => "mask",
            Self::RotatedBox => "rotated_box",
            Self::Ellipse => "ellipse",
            Self::Polyline => "polyline",
            Self::Points => "points",
            Self::Keypoints => "keypoints",
            Self::Span => "span",
            Self::Track => "track",
        }
    }

    /// In words, singular.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Whole => "label of the whole item",
            Self::Box => "box",
            Self::Polygon => "outline",
            Self::Mask => "mask",
            Self::RotatedBox => "rotated box",
            Self::Ellipse => "ellipse",
            Self::Polyline => "line",
            Self::Points => "point",
            Self::Keypoints => "skeleton",
            Self::Span => "span",
            Self::Track => "track",
        }
    }
}

impl Shape {
    pub const fn shape_kind(&self) -> ShapeKind {
        match self {
            Self::Whole => ShapeKind::Whole,
            Self::Box { .. } => ShapeKind::Box,
            Self::Polygon { .. } => ShapeKind::Polygon,
            Self::Mask { .. } => ShapeKind::Mask,
            Self::RotatedBox { .. } => ShapeKind::RotatedBox,
            Self::Ellipse { .. } => ShapeKind::Ellipse,
            Self::Polyline { .. } => ShapeKind::Polyline,
            Self::Points { .. } => ShapeKind::Points,
            Self::Keypoints { .. } => ShapeKind::Keypoints,
            Self::Span { .. } => ShapeKind::Span,
            Self::Track { .. } => ShapeKind::Track,
        }
    }

    /// Start and end of a span in Unicode scalar values; `None` for the other kinds.
    pub const fn span(&self) -> Option<(u32, u32)> {
        match self {
            Self::Span { start, end } => Some((*start, *end)),
            _ => None,
        }
    }

    /// The keyframes of a track; none of the other kinds.
    pub fn keyframes(&self) -> &[Keyframe] {
        match self {
            Self::Track { keyframes } => keyframes,
            _ => &[],
        }
    }

    /// The stable name of the kind, as stored.
    pub const fn kind(&self) -> &'static str {
        self.shape_kind().as_str()
    }

    /// What a box, a rotated box, an ellipse or a polygon covers, as a polygon that may reach beyond the image. The sides of
    /// an ellipse lie nowhere more than `tolerance` pixels inside it. `None` for the other kinds.
    pub fn region(&self, tolerance: f64) -> Option<Vec<Part>> {
        let ring = match self {
            Self::Box { rect } => TurnedRect::upright(*rect).corners().map(|p| [p.x, p.y]).to_vec(),
            Self::RotatedBox { rect } => rect.corners().map(|p| [p.x, p.y]).to_vec(),
            Self::Ellipse { rect } => rect.ellipse_ring(tolerance),
            Self::Polygon { parts } => return Some(parts.clone()),
            _ => return None,
        };
        Some(vec![vec![ring]])
    }

    /// The points of points and the labeled keypoints of keypoints; none of the other kinds.
    pub fn dots(&self) -> Vec<Vertex> {
        match self {
            Self::Points { points } => points.clone(),
            Self::Keypoints { keypoints } => keypoints
                .iter()
                .filter_map(|k| k.at())
                .map(|p| [p.x, p.y])
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The enclosing box in image pixels, of a track over all of its frames; `None` for a label of the whole item and for spans.
    pub fn bounds(&self) -> Option<Rect> {
        match self {
            Self::Whole | Self::Span { .. } => None,
            Self::Box { rect } => Some(*rect),
            Self::Polygon { parts } => Some(polygon::bounds(parts)),
            Self::Mask { mask } => Some(mask.window()),
            Self::RotatedBox { rect } => Some(rect.bounds()),
            Self::Ellipse { rect } => Some(rect.ellipse_bounds()),
            Self::Polyline { points } | Self::Points { points } => Some(bounds_of(points)),
            Self::Keypoints { keypoints } => Some(keypoint::bounds(keypoints)),
            Self::Track { keyframes } => track::bounds(keyframes),
        }
    }
}

/// The box around points; empty without any.
fn bounds_of(points: &[Vertex]) -> Rect {
    let corner = |of: fn(f64, f64) -> f64| {
        let along = |i: usize| points.iter().map(|v| v[i]).reduce(of).unwrap_or(0.0);
        Point::new(along(0), along(1))
    };
    Rect::from_corners(corner(f64::min), corner(f64::max))
}

/// Who or what made an annotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(
    feature = "sqlx",
    derive(sqlx::Type),
    sqlx(type_name = "text", rename_all = "snake_case")
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Source {
    /// Drawn or confirmed by a person.
    #[default]
    Human,
    /// Came in with an import as a final label.
    Import,
    /// A proposal nobody has confirmed yet; never counted or exported as a label.
    Prelabel,
}

/// One label on an item. The client makes the id, so that drawing works offline and a retry changes nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Annotation {
    pub id: AnnotationId,
    pub category_id: CategoryId,
    #[serde(flatten)]
    pub shape: Shape,
    /// Drawing order; higher lies above.
    #[serde(default)]
    pub z: i64,
    #[serde(default)]
    pub source: Source,
    /// Confidence 0..=1 of a proposal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// What is said of the object, by the keys of its category's attributes.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// Its group, and its relations to other annotations of the item.
    #[serde(flatten)]
    pub links: Links,
}

impl Annotation {
    /// In semantic segmentation, where a pixel has one category: the pixels that it gives its own. A proposal gives none.
    pub fn claimed(&self) -> Option<&Mask> {
        match &self.shape {
            Shape::Mask { mask } if self.source != Source::Prelabel => Some(mask),
            _ => None,
        }
    }

    /// The pixels that it claims and did not claim `before`.
    pub fn newly_claimed(&self, before: Option<&Self>) -> Option<Mask> {
        let now = self.claimed()?;
        let before = before.filter(|b| b.category_id == self.category_id);
        match before.and_then(Self::claimed) {
            Some(was) if was == now => None,
            Some(was) => now.subtract(was),
            None => Some(now.clone()),
        }
    }
}

/// One edit to save: what to put and what to remove, against the revision the editor saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SaveChange {
    /// Sending the same change again is answered as the first time.
    pub change_id: ChangeId,
    /// Revision of the item this edit was made on; 0 for an item nobody has touched.
    pub base_revision: i64,
    #[serde(default)]
    pub upserts: Vec<Annotation>,
    #[serde(default)]
    pub removes: Vec<AnnotationId>,
    /// What is said of the item as a whole, all of it; absent when that stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Attributes>,
    /// Milliseconds somebody actively worked on the item since the last save.
    #[serde(default)]
    pub active_ms: i64,
}

/// Answer to a save.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum SaveOutcome {
    /// Durable under this revision.
    Saved { revision: i64 },
    /// Somebody else saved in between: nothing was written, here is what is there now.
    Conflict { current: ItemAnnotations },
}

/// All labels of one item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ItemAnnotations {
    pub item_id: ItemId,
    pub revision: i64,
    pub updated_by: Option<UserId>,
    pub updated_by_name: Option<String>,
    pub updated_at: Timestamp,
    /// What is said of the item as a whole, by the keys of the project's item attributes.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// In drawing order, lowest first.
    pub annotations: Vec<Annotation>,
}
