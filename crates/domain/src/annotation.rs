//! Labels on items.

use crate::geometry::Rect;
use crate::id::{AnnotationId, CategoryId, ChangeId, ItemId, UserId};
use crate::mask::Mask;
use crate::polygon::{self, Part};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What an annotation marks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Shape {
    /// The whole item belongs to the category (image classification).
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
}

impl Shape {
    /// The stable name of the kind, as stored.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Box { .. } => "box",
            Self::Polygon { .. } => "polygon",
            Self::Mask { .. } => "mask",
        }
    }

    /// The enclosing box in image pixels; `None` for a label of the whole item.
    pub fn bounds(&self) -> Option<Rect> {
        match self {
            Self::Whole => None,
            Self::Box { rect } => Some(*rect),
            Self::Polygon { parts } => Some(polygon::bounds(parts)),
            Self::Mask { mask } => Some(mask.window()),
        }
    }
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
    /// In drawing order, lowest first.
    pub annotations: Vec<Annotation>,
}
