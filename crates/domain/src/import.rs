//! Imports and their reports.

use crate::id::UploadId;
use crate::project::Task;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ImportFormat {
    /// COCO JSON: instances and results.
    Coco,
    /// Ultralytics YOLO: a text file for each picture, with `data.yaml` or `classes.txt`.
    Yolo,
    /// Ultralytics YOLO for oriented boxes (OBB): four corners a line.
    YoloObb,
    /// Pascal VOC, one XML a picture.
    Voc,
    /// CVAT for images 1.1 or for video 1.1, XML.
    Cvat,
    /// MOTChallenge: `gt.txt` with `labels.txt` and `seqinfo.ini`.
    Mot,
    /// Pictures of class numbers or colours, with a class table.
    Png,
    /// COCO panoptic: JSON and pictures of segment ids.
    CocoPanoptic,
    /// LabelMe: a JSON file for each picture.
    Labelme,
    /// CSV: a line for each label.
    Csv,
    /// JSONL in our own annotation model, with `categories.json`.
    Jsonl,
    /// Label Studio JSON: a list of tasks.
    LabelStudio,
    /// CoNLL: a token a line with its IOB2 tag.
    Conll,
    /// spaCy's JSONL: `{"text", "ents": [[start, end, label]]}`.
    Spacy,
    /// Pictures or documents only, no labels; from archives.
    Images,
}

impl ImportFormat {
    pub const ALL: [Self; 15] = [
        Self::Coco,
        Self::Yolo,
        Self::YoloObb,
        Self::Voc,
        Self::Cvat,
        Self::Mot,
        Self::Png,
        Self::CocoPanoptic,
        Self::Labelme,
        Self::Csv,
        Self::Jsonl,
        Self::LabelStudio,
        Self::Conll,
        Self::Spacy,
        Self::Images,
    ];

    /// The name on the command line and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Coco => "coco",
            Self::Yolo => "yolo",
            Self::YoloObb => "yolo_obb",
            Self::Voc => "voc",
            Self::Cvat => "cvat",
            Self::Mot => "mot",
            Self::Png => "png",
            Self::CocoPanoptic => "coco_panoptic",
            Self::Labelme => "labelme",
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::LabelStudio => "label_studio",
            Self::Conll => "conll",
            Self::Spacy => "spacy",
            Self::Images => "images",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Coco => "COCO",
            Self::Yolo => "YOLO (Ultralytics)",
            Self::YoloObb => "YOLO, oriented boxes",
            Self::Voc => "Pascal VOC",
            Self::Cvat => "CVAT",
            Self::Mot => "MOTChallenge",
            Self::Png => "Masks as PNG",
            Self::CocoPanoptic => "COCO panoptic",
            Self::Labelme => "LabelMe",
            Self::Csv => "CSV",
            Self::Jsonl => "JSONL",
            Self::LabelStudio => "Label Studio",
            Self::Conll => "CoNLL",
            Self::Spacy => "spaCy",
            Self::Images => "Items only",
        }
    }

    /// Which files it takes besides pictures.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Coco => "A JSON file, alone or zipped with its pictures",
            Self::Yolo => "Text files, one a picture, with data.yaml or classes.txt; or a zip",
            Self::YoloObb => "Text files with four corners a line, and data.yaml or classes.txt; or a zip",
            Self::Voc => "XML files, one a picture; or a zip",
            Self::Cvat => {
                "annotations.xml of \"CVAT for images 1.1\" or \"CVAT for video 1.1\", alone or zipped with its pictures"
            }
            Self::Mot => "A zip of gt/gt.txt, gt/labels.txt and seqinfo.ini, also with the frames in img1/",
            Self::Png => {
                "A PNG of class numbers or colours for each picture, with classes.csv, labelmap.txt or classes.txt"
            }
            Self::CocoPanoptic => "The JSON with segments_info and its PNG files, in a zip",
            Self::Labelme => "JSON files, one a picture; or a zip",
            Self::Csv => "A table with a line for each label",
            Self::Jsonl => "items.jsonl with categories.json",
            Self::Conll => "A token a line with its tag (IOB2), documents apart by empty lines or -DOCSTART-",
            Self::Spacy => "A document a line with its text and its entities",
            Self::LabelStudio => "The JSON export (a list of tasks), not JSON_MIN",
            Self::Images => "Zip files of pictures or documents, no labels",
        }
    }

    /// [`Self::describe`] in a project of the task.
    pub const fn describe_for(self, task: Task) -> &'static str {
        match self {
            Self::Csv if task.is_text() => "A table (CSV or TSV) with a document a line: choose its columns",
            Self::Jsonl if task.is_text() => {
                "A document a line as JSON, with its text and its labels: choose its fields"
            }
            Self::Images if task.is_text() => "Text files, also in a zip, no labels",
            _ => self.describe(),
        }
    }

    /// Whether its files can hold labels of a task.
    pub const fn suits(self, task: Task) -> bool {
        if task.is_text() {
            return match self {
                Self::Csv | Self::Jsonl | Self::Images => true,
                Self::Conll | Self::Spacy => matches!(task, Task::Entities),
                _ => false,
            };
        }
        match self {
            Self::Conll | Self::Spacy => false,
            Self::Mot => matches!(task, Task::Detection | Task::Objects),
            Self::Coco | Self::Cvat | Self::Csv | Self::Jsonl | Self::Images => true,
            Self::Labelme | Self::LabelStudio => !matches!(task, Task::Keypoints),
            Self::CocoPanoptic | Self::Png => {
                matches!(task, Task::Segmentation | Task::Semantic | Task::Objects)
            }
            Self::Yolo => task.marks_objects(),
            Self::YoloObb | Self::Voc => matches!(task, Task::Detection | Task::Objects),
        }
    }

    /// The formats for a task.
    pub fn for_task(task: Task) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |f| f.suits(task))
    }
}

impl std::str::FromStr for ImportFormat {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|f| f.as_str() == s).ok_or_else(|| {
            let all: Vec<_> = Self::ALL.iter().map(|f| f.as_str()).collect();
            format!("`{s}` is not an import format; use one of {}", all.join(", "))
        })
    }
}

/// What imported labels become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ImportAs {
    /// Final labels; their items are done.
    #[default]
    Labels,
    /// Proposals for people to confirm; their items stay in the queue.
    Prelabels,
}

/// An import to run as a job. Files: the format's annotation files, pictures, and zip archives of either.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewImport {
    pub format: ImportFormat,
    #[serde(default, rename = "as")]
    pub import_as: ImportAs,
    /// Complete uploads, taken in this order and deleted afterwards.
    pub uploads: Vec<UploadId>,
    /// Create categories the project lacks; otherwise their labels are refused by name.
    #[serde(default = "yes")]
    pub create_categories: bool,
    /// Replace the labels an item already has; otherwise imported labels are added.
    #[serde(default)]
    pub replace: bool,
    /// Text projects: which columns of a table, or fields of a JSON line, hold what. Usual names when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<TextColumns>,
    /// The pictures of each folder of an archive are the frames of one video, in the natural order of their names; separate
    /// items when absent. Video files become videos in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<Sequence>,
}

/// How pictures become videos.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Sequence {
    /// Frames a second, 0.01 to 1000.
    #[serde(default = "rate")]
    pub rate: f64,
}

impl Default for Sequence {
    fn default() -> Self {
        Self { rate: rate() }
    }
}

const fn rate() -> f64 {
    crate::video::RATE
}

/// Where a table of documents holds what, by the names in its header (or the fields of its JSON lines).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TextColumns {
    /// The document's text.
    pub text: String,
    /// What to call the document; its place in the file when absent.
    #[serde(default)]
    pub name: Option<String>,
    /// Its category, or several apart by `|`.
    #[serde(default)]
    pub label: Option<String>,
    /// Something unique to name it by when there is no name.
    #[serde(default)]
    pub id: Option<String>,
}

const fn yes() -> bool {
    true
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Severity {
    /// Worth knowing; nothing was changed.
    Note,
    /// Taken after a repair.
    Fixed,
    /// Left out.
    Refused,
}

/// One line of an import report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReportEntry {
    pub severity: Severity,
    /// File inside the upload, with the archive's name in front when it came out of one.
    pub file: String,
    /// Line in the file, from 1, where known.
    pub line: Option<u64>,
    /// The record, e.g. `annotations[17] (id 18)`.
    pub record: Option<String>,
    /// Stable snake_case name of the finding, e.g. `unknown_category`, `box_clipped`.
    pub code: String,
    /// What is wrong and what was or should be done.
    pub message: String,
}

/// What an import took, fixed and refused. Counts are complete, `entries` is cut at [`ImportReport::MAX_ENTRIES`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportReport {
    pub items_added: i64,
    pub items_unchanged: i64,
    pub annotations_added: i64,
    pub categories_added: i64,
    pub fixed: i64,
    pub refused: i64,
    pub entries: Vec<ReportEntry>,
    /// More findings than `entries` holds.
    pub truncated: bool,
}

impl ImportReport {
    pub const MAX_ENTRIES: usize = 1000;

    /// Adds a finding, counting it in any case.
    pub fn push(&mut self, entry: ReportEntry) {
        match entry.severity {
            Severity::Fixed => self.fixed += 1,
            Severity::Refused => self.refused += 1,
            Severity::Note => {}
        }
        if self.entries.len() < Self::MAX_ENTRIES {
            self.entries.push(entry);
        } else {
            self.truncated = true;
        }
    }
}
