//! Labeling projects.

use crate::annotation::ShapeKind;
use crate::attribute::Attribute;
use crate::authz::Role;
use crate::category::NewCategory;
use crate::id::{ProjectId, UserId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What a project's labelers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(
    feature = "sqlx",
    derive(sqlx::Type),
    sqlx(type_name = "text", rename_all = "snake_case")
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Task {
    /// Boxes around objects.
    #[default]
    Detection,
    /// The outline of every object, as a polygon or its pixels (instance segmentation).
    Segmentation,
    /// A category for every pixel (semantic segmentation): one mask a category, none over another.
    Semantic,
    /// The keypoints of every object.
    Keypoints,
    /// Shapes of every kind side by side.
    Objects,
    /// Exactly one category an image.
    Classification,
    /// Any number of categories an image.
    Multilabel,
    /// Exactly one category a document.
    TextClassification,
    /// Any number of categories a document.
    TextMultilabel,
    /// Stretches of text (named entities), which may overlap.
    Entities,
}

/// What the items of a project are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Media {
    /// Pictures.
    Image,
    /// Documents: plain text.
    Text,
}

impl Media {
    /// Its items in words: singular, plural.
    pub const fn nouns(self) -> (&'static str, &'static str) {
        match self {
            Self::Image => ("picture", "pictures"),
            Self::Text => ("document", "documents"),
        }
    }
}

impl Task {
    pub const ALL: [Self; 10] = [
        Self::Detection,
        Self::Segmentation,
        Self::Semantic,
        Self::Keypoints,
        Self::Objects,
        Self::Classification,
        Self::Multilabel,
        Self::TextClassification,
        Self::TextMultilabel,
        Self::Entities,
    ];

    /// What its items are.
    pub const fn media(self) -> Media {
        match self {
            Self::TextClassification | Self::TextMultilabel | Self::Entities => Media::Text,
            _ => Media::Image,
        }
    }

    /// Whether its items are documents.
    pub const fn is_text(self) -> bool {
        matches!(self.media(), Media::Text)
    }

    /// Whether items can be videos, whose labels are tracks; pictures may lie beside them.
    pub const fn takes_videos(self) -> bool {
        matches!(
            self,
            Self::Detection | Self::Segmentation | Self::Keypoints | Self::Objects
        )
    }

    /// Whether labels mark objects in the item, not the item as a whole.
    pub const fn marks_objects(self) -> bool {
        !(self.takes_one() || self.takes_any())
    }

    /// Whether an item has exactly one category.
    pub const fn takes_one(self) -> bool {
        matches!(self, Self::Classification | Self::TextClassification)
    }

    /// Whether an item has any number of categories.
    pub const fn takes_any(self) -> bool {
        matches!(self, Self::Multilabel | Self::TextMultilabel)
    }

    /// What labels of the project are.
    pub const fn kinds(self) -> &'static [ShapeKind] {
        match self {
            Self::Detection => &[ShapeKind::Box, ShapeKind::RotatedBox],
            Self::Segmentation => &[ShapeKind::Polygon, ShapeKind::Mask],
            Self::Semantic => &[ShapeKind::Mask],
            Self::Keypoints => &[ShapeKind::Keypoints],
            Self::Objects => &ShapeKind::OBJECTS,
            Self::Classification | Self::Multilabel | Self::TextClassification | Self::TextMultilabel => {
                &[ShapeKind::Whole]
            }
            Self::Entities => &[ShapeKind::Span],
        }
    }

    /// Whether labels of the project may be of a kind.
    pub fn allows(self, kind: ShapeKind) -> bool {
        self.kinds().contains(&kind)
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Detection => "detection",
            Self::Segmentation => "segmentation",
            Self::Semantic => "semantic",
            Self::Keypoints => "keypoints",
            Self::Objects => "objects",
            Self::Classification => "classification",
            Self::Multilabel => "multilabel",
            Self::TextClassification => "text_classification",
            Self::TextMultilabel => "text_multilabel",
            Self::Entities => "entities",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Detection => "Object detection",
            Self::Segmentation => "Instance segmentation",
            Self::Semantic => "Semantic segmentation",
            Self::Keypoints => "Keypoints",
            Self::Objects => "Shapes of every kind",
            Self::Classification => "Image classification",
            Self::Multilabel => "Multi-label classification",
            Self::TextClassification => "Text classification",
            Self::TextMultilabel => "Multi-label text classification",
            Self::Entities => "Named entities",
        }
    }

    pub const fn describe(self) -> &'static str {
        match self {
            Self::Detection => "Draw a box around every object",
            Self::Segmentation => "Draw the outline of every object",
            Self::Semantic => "Paint a category on every pixel",
            Self::Keypoints => "Place the joints of every object",
            Self::Objects => "Boxes, outlines, masks, lines, points side by side",
            Self::Classification => "One category for each image",
            Self::Multilabel => "Any number of categories for each image",
            Self::TextClassification => "One category for each document",
            Self::TextMultilabel => "Any number of categories for each document",
            Self::Entities => "Mark names, places, dates: spans of text, also overlapping ones",
        }
    }
}

impl std::str::FromStr for Task {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|t| t.as_str() == s).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            format!("`{s}` is not a task; use one of {known}")
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(
    feature = "sqlx",
    derive(sqlx::Type),
    sqlx(type_name = "text", rename_all = "snake_case")
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ProjectStatus {
    /// The queue hands out items.
    #[default]
    Running,
    /// The queue hands out nothing; work in hand can still be saved and submitted.
    Paused,
}

/// How a project works.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProjectSettings {
    /// Minutes without a heartbeat after which an item returns to the queue; 1..=1440.
    pub lease_minutes: i64,
    /// Whether a skip needs a reason.
    pub skip_needs_reason: bool,
    /// Whether the queue hands out items in random order instead of the order added.
    pub shuffle: bool,
    /// What relations between objects can say; see [`link`](crate::link).
    pub relations: Vec<String>,
    /// What is said of an item as a whole, in the order it is asked.
    pub attributes: Vec<Attribute>,
}

impl Default for ProjectSettings {
    fn default() -> Self {
        Self {
            lease_minutes: 10,
            skip_needs_reason: false,
            shuffle: false,
            relations: Vec::new(),
            attributes: Vec::new(),
        }
    }
}

/// Items by status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Progress {
    pub total: i64,
    pub todo: i64,
    pub done: i64,
    pub skipped: i64,
    /// Of `todo`, those with proposals.
    pub prelabeled: i64,
}

/// A row of the project list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProjectSummary {
    pub id: ProjectId,
    pub name: String,
    pub task: Task,
    pub status: ProjectStatus,
    pub description: String,
    pub progress: Progress,
    /// The caller's role in the project; `admin` for a studio admin.
    pub my_role: Role,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A project with everything its pages need besides items and categories.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Project {
    #[serde(flatten)]
    pub summary: ProjectSummary,
    /// Markdown as written.
    pub instructions: String,
    /// The same as sanitised HTML, safe to insert.
    pub instructions_html: String,
    pub settings: ProjectSettings,
}

/// A project to create.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewProject {
    /// 1..=120 characters, unique in the studio regardless of case.
    pub name: String,
    #[serde(default)]
    pub task: Task,
    #[serde(default)]
    pub description: String,
    /// Markdown.
    #[serde(default)]
    pub instructions: String,
    /// In tree order: a row with `parent` set names an earlier row by its index.
    #[serde(default)]
    pub categories: Vec<NewProjectCategory>,
    #[serde(default)]
    pub settings: Option<ProjectSettings>,
}

/// A category of a project to create.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewProjectCategory {
    #[serde(flatten)]
    pub category: NewCategory,
    /// Index of the parent in the same list.
    #[serde(default)]
    pub parent: Option<usize>,
}

/// Changes to a project; absent fields stay.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateProject {
    pub name: Option<String>,
    pub description: Option<String>,
    pub instructions: Option<String>,
    pub status: Option<ProjectStatus>,
    pub settings: Option<ProjectSettings>,
}

/// Somebody's membership in a project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Member {
    pub user_id: UserId,
    pub name: String,
    pub email: String,
    pub role: Role,
    pub added_at: Timestamp,
    /// Items this person has submitted in the project.
    pub done: i64,
}
