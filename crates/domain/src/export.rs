//! Exports.

use crate::dataset::Split;
use crate::id::JobId;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ExportFormat {
    #[default]
    Coco,
    /// Ultralytics YOLO: `data.yaml` and a text file for each picture.
    Yolo,
    /// Ultralytics YOLO for oriented boxes (OBB): four corners a line.
    YoloObb,
    /// Pascal VOC: an XML file for each picture.
    Voc,
    /// CVAT for images 1.1: one XML file.
    Cvat,
    /// CVAT for video 1.1: an XML file of tracks for each video.
    CvatVideo,
    /// MOTChallenge: `gt/gt.txt`, `gt/labels.txt` and `seqinfo.ini` for each video.
    Mot,
    /// A picture of class numbers for each item, and a class table.
    Png,
    /// COCO panoptic: JSON, and a picture of segment ids for each item.
    CocoPanoptic,
    /// COCO captions: the item attributes `caption`, `caption_2` and so on; imported as COCO.
    CocoCaptions,
    /// LabelMe: a JSON file for each picture.
    Labelme,
    /// CSV: a line for each label.
    Csv,
    /// JSONL in our own annotation model: an item a line.
    Jsonl,
    /// Label Studio JSON: a list of tasks.
    LabelStudio,
    /// COCO as Azure Machine Learning writes it, coordinates from 0 to 1; imported as COCO.
    CocoAzureml,
    /// CoNLL: a token a line with its IOB2 tag.
    Conll,
    /// spaCy's JSONL: `{"text", "ents": [[start, end, label]]}`.
    Spacy,
}

/// What `segmentation` of a box says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum BoxSegmentation {
    /// `[]`, as most tools write and read it.
    #[default]
    Empty,
    /// The four corners as a polygon, for tools that need a mask.
    Polygon,
    /// No such field.
    Omit,
}

/// Which items an export holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ExportScope {
    /// Every item, also those without labels.
    #[default]
    All,
    /// Only submitted items.
    Done,
}

/// How files are named in the export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum FileNames {
    /// The item's path as uploaded.
    #[default]
    Preserve,
    /// No folders; a collision gets a suffix.
    Flat,
}

/// An export to run as a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewExport {
    #[serde(default)]
    pub format: ExportFormat,
    /// The pictures too, rotation baked in: a zip also of formats that are a single file without them.
    #[serde(default)]
    pub with_images: bool,
    #[serde(default)]
    pub scope: ExportScope,
    #[serde(default)]
    pub box_segmentation: BoxSegmentation,
    #[serde(default)]
    pub file_names: FileNames,
}

/// An export of a version of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VersionExport {
    #[serde(flatten)]
    pub export: NewExport,
    /// Only the files of this split.
    #[serde(default)]
    pub split: Option<Split>,
}

/// What an export job leaves as its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExportResult {
    pub job_id: JobId,
    /// Path of the file on this server.
    pub url: String,
    pub file_name: String,
    pub size: i64,
    /// BLAKE3 of the file; the same content gives the same bytes.
    pub digest: String,
    pub images: i64,
    pub annotations: i64,
    /// Findings, such as labels left out for want of an area.
    pub notes: Vec<String>,
}
