//! Images, and what is labeled in them.

use super::{NumberProfile, TopValue};
use serde::{Deserialize, Serialize};

/// All images of a version.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImagesProfile {
    pub images: u64,
    pub bytes: u64,
    /// Files that cannot be decoded, with the reason.
    pub corrupt: Vec<TopPath>,
    pub corrupt_total: u64,
    pub widths: NumberProfile,
    pub heights: NumberProfile,
    /// Width over height.
    pub aspects: NumberProfile,
    pub file_sizes: NumberProfile,
    /// Mean of luma, 0 black to 255 white.
    pub brightness: NumberProfile,
    /// Standard deviation of luma.
    pub contrast: NumberProfile,
    /// Variance of the Laplacian of luma, over the image at 256 pixels at most; low is blurred or flat.
    pub sharpness: NumberProfile,
    /// The most frequent sizes, as `640 x 480`.
    pub sizes: Vec<TopValue>,
    pub formats: Vec<TopValue>,
    /// Channels: `gray`, `rgb`, `rgba`...
    pub modes: Vec<TopValue>,
    /// Files of the same bytes.
    pub duplicates: DuplicateImages,
    /// Images that look the same: perceptual hashes within a few bits.
    pub look_alikes: DuplicateImages,
    /// The darkest, brightest, least sharp and oddest in shape.
    pub outliers: Vec<ImageOutlier>,
    pub labels: Option<LabelsProfile>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TopPath {
    pub path: String,
    pub note: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DuplicateImages {
    pub groups_total: u64,
    /// Images beyond the first of their group.
    pub extra: u64,
    /// The largest groups, the first paths of each.
    pub groups: Vec<DuplicateGroup>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DuplicateGroup {
    pub size: u64,
    pub paths: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum OutlierKind {
    Dark,
    Bright,
    Flat,
    Blurred,
    Shape,
    Small,
}

impl OutlierKind {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Dark => "Very dark",
            Self::Bright => "Very bright",
            Self::Flat => "Flat",
            Self::Blurred => "Blurred",
            Self::Shape => "Odd shape",
            Self::Small => "Very small",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImageOutlier {
    pub kind: OutlierKind,
    pub path: String,
    /// The figure that is out of line, in the unit of its histogram.
    pub value: f64,
}

/// What is labeled. Boxes are those of any shape.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LabelsProfile {
    pub objects: u64,
    pub labeled: u64,
    pub unlabeled: u64,
    /// The first images without a label.
    pub unlabeled_paths: Vec<String>,
    pub per_image: NumberProfile,
    /// Side of a square as large as the box, in pixels.
    pub box_sides: NumberProfile,
    /// Share of the image that the box covers.
    pub box_shares: NumberProfile,
    /// By COCO's limits of 32 and 96 pixels squared.
    pub small: u64,
    pub medium: u64,
    pub large: u64,
    pub categories: Vec<CategoryBalance>,
    /// How often two categories share an image; the most frequent categories only.
    pub together: Together,
    pub heat: HeatMap,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CategoryBalance {
    pub name: String,
    pub objects: u64,
    pub images: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Together {
    pub categories: Vec<String>,
    /// Images that hold both; the diagonal holds the images of one.
    pub images: Vec<Vec<u64>>,
}

/// Where in the image objects lie: centres of boxes in a grid over the image, row by row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HeatMap {
    pub side: u32,
    pub counts: Vec<u64>,
}
