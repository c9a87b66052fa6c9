//! Categories: what annotations say.

use crate::attribute::Attribute;
use crate::id::CategoryId;
use crate::keypoint::Skeleton;
use serde::{Deserialize, Serialize};

/// Deepest level of a category tree, counting the root as 1.
pub const MAX_LEVELS: usize = 6;

/// The colours offered to new categories in turn; distinguishable on photos and in both themes.
pub const PALETTE: [&str; 16] = [
    "#3e63dd", "#e5484d", "#30a46c", "#f5a524", "#8e4ec6", "#12a594", "#e93d82", "#978365", "#0091ff",
    "#f76b15", "#46a758", "#ab4aba", "#00a2c7", "#ffc53d", "#5b5bd6", "#d6409f",
];

/// A category of a project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Category {
    pub id: CategoryId,
    pub parent_id: Option<CategoryId>,
    pub name: String,
    /// `#rrggbb`.
    pub color: String,
    /// Key 1-9 that picks it while labeling.
    pub hotkey: Option<i64>,
    /// Place among its siblings, from 0.
    pub position: i64,
    /// The id in exported files: from 1, given once and never reused in the project.
    pub export_id: i64,
    /// The keypoints of its objects; absent for categories without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skeleton: Option<Skeleton>,
    /// What is said of its objects, in the order people are asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Attribute>,
    /// Labels by people or imports that carry it.
    pub annotation_count: i64,
    /// Items with at least one such label.
    pub item_count: i64,
}

/// A category to create; also one row of the project wizard.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewCategory {
    pub name: String,
    /// `#rrggbb`; the next colour of the palette when absent.
    #[serde(default)]
    pub color: Option<String>,
    #[serde(default)]
    pub hotkey: Option<i64>,
    #[serde(default)]
    pub parent_id: Option<CategoryId>,
    /// Exported id to keep, e.g. of an imported file; the next free one when absent.
    #[serde(default)]
    pub export_id: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skeleton: Option<Skeleton>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Attribute>,
}

/// Changes to a category; absent fields stay.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateCategory {
    pub name: Option<String>,
    pub color: Option<String>,
    /// `Some(None)` takes the key away.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub hotkey: Option<Option<i64>>,
    /// `Some(None)` moves it to the top level.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<CategoryId>))]
    pub parent_id: Option<Option<CategoryId>>,
    pub position: Option<i64>,
    /// `Some(None)` takes it away. While objects of the category have keypoints, their number stays.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Skeleton>))]
    pub skeleton: Option<Option<Skeleton>>,
    /// All of them, in order. Values of one that is left out stay with their objects until those are saved again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Vec<Attribute>>,
}

/// What removing or merging a category would touch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CategoryImpact {
    pub annotations: i64,
    pub items: i64,
    /// Child categories that move up (merge) or go too (remove).
    pub children: i64,
}

mod double_option {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[allow(clippy::option_option, reason = "absent, null and a value differ in a patch")]
    pub fn serialize<S: Serializer, T: Serialize>(v: &Option<Option<T>>, s: S) -> Result<S::Ok, S::Error> {
        v.as_ref().and_then(Option::as_ref).serialize(s)
    }

    #[allow(clippy::option_option, reason = "absent, null and a value differ in a patch")]
    pub fn deserialize<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
        d: D,
    ) -> Result<Option<Option<T>>, D::Error> {
        Option::<T>::deserialize(d).map(Some)
    }
}
