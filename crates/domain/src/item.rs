//! Items: the images or documents of a project.

use crate::annotation::Annotation;
use crate::explore::ExploreFilter;
use crate::id::{CategoryId, Digest, ItemId, ProjectId, UserId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Where an item stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(
    feature = "sqlx",
    derive(sqlx::Type),
    sqlx(type_name = "text", rename_all = "snake_case")
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ItemStatus {
    /// Waits in the queue (or is being labeled right now).
    Todo,
    /// Submitted by a labeler.
    Done,
    /// Put aside with a reason; a manager may requeue it.
    Skipped,
}

impl ItemStatus {
    pub const ALL: [Self; 3] = [Self::Todo, Self::Done, Self::Skipped];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Todo => "todo",
            Self::Done => "done",
            Self::Skipped => "skipped",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Todo => "To do",
            Self::Done => "Done",
            Self::Skipped => "Skipped",
        }
    }
}

/// An item as lists and the label page need it. Width and height are of the oriented image, in pixels; a document has
/// neither.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Item {
    pub id: ItemId,
    pub project_id: ProjectId,
    /// Relative path with forward slashes, unique in the project regardless of case.
    pub name: String,
    pub digest: Digest,
    pub media_type: String,
    pub byte_size: i64,
    pub width: i64,
    pub height: i64,
    /// Unicode scalar values of a document's text, frames of a video; 0 for a picture.
    #[serde(default)]
    pub length: i64,
    /// How a document's text begins, on one line; empty for a picture.
    #[serde(default)]
    pub excerpt: String,
    pub status: ItemStatus,
    pub skip_reason: Option<String>,
    /// Number of confirmed labels.
    pub annotation_count: i64,
    /// Number of proposals nobody has confirmed.
    pub prelabel_count: i64,
    pub revision: i64,
    /// The `id` of the image in exported COCO files.
    pub export_id: i64,
    /// Who submitted or skipped it last.
    pub done_by: Option<UserId>,
    pub done_by_name: Option<String>,
    pub done_at: Option<Timestamp>,
    /// Who holds it now, if anybody.
    pub leased_by: Option<UserId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Item {
    /// The number of frames of a video; `None` for a picture or a document.
    pub fn frames(&self) -> Option<u32> {
        (self.media_type == crate::video::MEDIA_TYPE)
            .then(|| u32::try_from(self.length).unwrap_or(u32::MAX).max(1))
    }
}

/// An item with its labels, e.g. for the grid that draws them on the thumbnails.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ItemWithAnnotations {
    pub item: Item,
    pub annotations: Vec<Annotation>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ItemSort {
    /// In the order added.
    #[default]
    Added,
    Name,
    /// Latest change first.
    Updated,
    /// Most labels first.
    Annotations,
}

/// Filter, sort and cursor of an item list. Absent fields do not filter.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct ItemQuery {
    #[serde(default)]
    pub status: Option<ItemStatus>,
    /// Items with at least one label or proposal of this category.
    #[serde(default)]
    pub category_id: Option<CategoryId>,
    /// Items submitted or skipped by this person.
    #[serde(default)]
    pub annotator_id: Option<UserId>,
    /// Part of the name, regardless of case.
    #[serde(default)]
    pub text: Option<String>,
    #[serde(default)]
    pub sort: ItemSort,
    #[serde(default)]
    pub cursor: Option<String>,
    /// 1..=200, 60 when absent.
    #[serde(default)]
    pub limit: Option<i64>,
}

/// Which items a bulk action takes: those named, or all that match a filter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ItemSelection {
    Ids(Vec<ItemId>),
    Matching(ItemQuery),
    /// Those that pass a filter of the explorer.
    Found(ExploreFilter),
}

/// Something done to many items at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum BulkAction {
    /// Back into the queue; labels stay.
    Requeue,
    /// Out of the project, with their labels.
    Delete,
    /// All labels and proposals off; back into the queue.
    ClearAnnotations,
    /// Adds a whole-item label (classification projects only) and marks them done.
    Classify(CategoryId),
}

/// How many items a bulk action changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BulkOutcome {
    pub changed: i64,
}

/// What became of one uploaded file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum AddItemOutcome {
    Added {
        item: Box<Item>,
    },
    /// The project already has this name with these very bytes.
    Unchanged {
        item: Box<Item>,
    },
}
