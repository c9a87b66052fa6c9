//! What each annotation file format keeps of a project's labels and what it loses: one table for the export dialog, the
//! command line and docs/formats.md.

mod rows;

use crate::annotation::ShapeKind;
use crate::export::ExportFormat;
use crate::import::ImportFormat;
use crate::project::Task;

/// A part of a project's labels that a format may or may not be able to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Aspect {
    /// Labels of whole items.
    Whole,
    Boxes,
    RotatedBoxes,
    Ellipses,
    Lines,
    Points,
    /// Keypoints of a skeleton.
    Keypoints,
    /// Outlines of one ring.
    Polygons,
    /// Several rings that are one object.
    Parts,
    /// Rings cut out of an outline.
    Holes,
    /// Single pixels.
    Masks,
    /// Stretches of a document.
    Spans,
    /// Spans that overlap others, or lie within them.
    Overlaps,
    /// Tracks through the frames of videos.
    Tracks,
    /// The document's text.
    Texts,
    /// What is said of objects beside their category.
    Attributes,
    /// What is said of items as a whole.
    ItemAttributes,
    /// Groups of labels, and relations between them.
    Links,
    /// Which of two labels lies above the other.
    Order,
    /// Parents of categories.
    Hierarchy,
    Colors,
    /// Items without labels.
    Unlabeled,
}

/// What becomes of an aspect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    /// To the last digit.
    Exactly,
    /// Kept, in this way.
    As(&'static str),
    /// Lost; what happens instead.
    Not(&'static str),
}

impl Aspect {
    pub const ALL: [Self; 22] = [
        Self::Whole,
        Self::Boxes,
        Self::RotatedBoxes,
        Self::Ellipses,
        Self::Lines,
        Self::Points,
        Self::Keypoints,
        Self::Polygons,
        Self::Parts,
        Self::Holes,
        Self::Masks,
        Self::Spans,
        Self::Overlaps,
        Self::Tracks,
        Self::Texts,
        Self::Attributes,
        Self::ItemAttributes,
        Self::Links,
        Self::Order,
        Self::Hierarchy,
        Self::Colors,
        Self::Unlabeled,
    ];

    pub const fn label(self) -> &'static str {
        match self {
            Self::Whole => "Labels of whole items",
            Self::Boxes => "Boxes",
            Self::RotatedBoxes => "Rotated boxes",
            Self::Ellipses => "Ellipses",
            Self::Lines => "Lines",
            Self::Points => "Points",
            Self::Keypoints => "Skeletons",
            Self::Polygons => "Polygons",
            Self::Parts => "Several parts of one object",
            Self::Holes => "Holes",
            Self::Masks => "Masks",
            Self::Spans => "Spans",
            Self::Overlaps => "Overlapping spans",
            Self::Tracks => "Tracks of videos",
            Self::Texts => "Texts",
            Self::Attributes => "Attributes",
            Self::ItemAttributes => "Attributes of items",
            Self::Links => "Groups and relations",
            Self::Order => "Drawing order",
            Self::Hierarchy => "Parents of categories",
            Self::Colors => "Colours of categories",
            Self::Unlabeled => "Items without labels",
        }
    }

    /// The kind of shape it is about; `None` for what all or none of them have.
    const fn kind(self) -> Option<ShapeKind> {
        Some(match self {
            Self::Whole => ShapeKind::Whole,
            Self::Boxes => ShapeKind::Box,
            Self::RotatedBoxes => ShapeKind::RotatedBox,
            Self::Ellipses => ShapeKind::Ellipse,
            Self::Lines => ShapeKind::Polyline,
            Self::Points => ShapeKind::Points,
            Self::Keypoints => ShapeKind::Keypoints,
            Self::Polygons | Self::Parts | Self::Holes => ShapeKind::Polygon,
            Self::Masks => ShapeKind::Mask,
            Self::Spans | Self::Overlaps => ShapeKind::Span,
            Self::Tracks
            | Self::Texts
            | Self::Attributes
            | Self::ItemAttributes
            | Self::Links
            | Self::Order
            | Self::Hierarchy
            | Self::Colors
            | Self::Unlabeled => return None,
        })
    }

    /// Whether labels of the task have it.
    pub fn concerns(self, task: Task) -> bool {
        match self.kind() {
            Some(kind) => task.allows(kind),
            None => match self {
                // Spans have their place in the text.
                Self::Order => task.marks_objects() && !task.is_text(),
                Self::Links => task.marks_objects(),
                Self::Tracks => task.takes_videos(),
                Self::Texts => task.is_text(),
                _ => true,
            },
        }
    }
}

impl ExportFormat {
    pub const ALL: [Self; 17] = [
        Self::Coco,
        Self::Yolo,
        Self::YoloObb,
        Self::Voc,
        Self::Cvat,
        Self::CvatVideo,
        Self::Mot,
        Self::Png,
        Self::CocoPanoptic,
        Self::CocoCaptions,
        Self::Labelme,
        Self::Csv,
        Self::Jsonl,
        Self::LabelStudio,
        Self::CocoAzureml,
        Self::Conll,
        Self::Spacy,
    ];

    /// The name on the command line and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Coco => "coco",
            Self::Yolo => "yolo",
            Self::YoloObb => "yolo_obb",
            Self::Voc => "voc",
            Self::Cvat => "cvat",
            Self::CvatVideo => "cvat_video",
            Self::Mot => "mot",
            Self::Png => "png",
            Self::CocoPanoptic => "coco_panoptic",
            Self::CocoCaptions => "coco_captions",
            Self::Labelme => "labelme",
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::LabelStudio => "label_studio",
            Self::CocoAzureml => "coco_azureml",
            Self::Conll => "conll",
            Self::Spacy => "spacy",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Coco => "COCO",
            Self::Yolo => "YOLO (Ultralytics)",
            Self::YoloObb => "YOLO, oriented boxes",
            Self::Voc => "Pascal VOC",
            Self::Cvat => "CVAT for images 1.1",
            Self::CvatVideo => "CVAT for video 1.1",
            Self::Mot => "MOTChallenge",
            Self::Png => "Masks as PNG",
            Self::CocoPanoptic => "COCO panoptic",
            Self::CocoCaptions => "COCO captions",
            Self::Labelme => "LabelMe",
            Self::Csv => "CSV",
            Self::Jsonl => "JSONL",
            Self::LabelStudio => "Label Studio",
            Self::CocoAzureml => "COCO, Azure ML profile",
            Self::Conll => "CoNLL",
            Self::Spacy => "spaCy",
        }
    }

    /// What it is, in a line.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Coco => "One JSON file that pycocotools, torchvision, Detectron2 and others read.",
            Self::Yolo => "A text file for each picture and data.yaml, as Ultralytics trains on.",
            Self::YoloObb => "YOLO with the four corners of every box (Ultralytics OBB).",
            Self::Voc => "An XML file for each picture, boxes only.",
            Self::Cvat => "One XML file, as CVAT and datumaro read it.",
            Self::CvatVideo => "An XML file of tracks for each video, as CVAT and datumaro read it.",
            Self::Mot => "gt.txt and seqinfo.ini for each video, as multiple object tracking uses them.",
            Self::Png => {
                "A picture of class numbers for each item and a table of the classes (semantic segmentation)."
            }
            Self::CocoPanoptic => "A JSON file and a picture of segments for each item, without overlaps.",
            Self::CocoCaptions => "One JSON file with the item attributes caption, caption_2 and so on.",
            Self::Labelme => "A JSON file beside each picture.",
            Self::Csv => "A line for each label, for spreadsheets and scripts.",
            Self::Jsonl => "Limn's own model, an item a line: every label to the last digit.",
            Self::LabelStudio => "A list of tasks in JSON, and the labeling configuration for them.",
            Self::CocoAzureml => "COCO with coordinates from 0 to 1, as Azure Machine Learning writes it.",
            Self::Conll => "A token a line with its tag (IOB2), as many taggers train on.",
            Self::Spacy => "A document a line with its entities, as spaCy's examples and converters read it.",
        }
    }

    /// Whether the labels of a task can be said in it at all.
    pub const fn suits(self, task: Task) -> bool {
        if task.is_text() {
            return match self {
                Self::Csv | Self::Jsonl => true,
                Self::Conll | Self::Spacy => matches!(task, Task::Entities),
                _ => false,
            };
        }
        match self {
            Self::Conll | Self::Spacy => false,
            Self::CvatVideo => task.takes_videos(),
            Self::Mot => matches!(task, Task::Detection | Task::Objects),
            Self::Coco | Self::Cvat | Self::CocoCaptions | Self::Csv | Self::Jsonl => true,
            // They have no skeletons.
            Self::Labelme | Self::LabelStudio | Self::CocoAzureml => !matches!(task, Task::Keypoints),
            Self::CocoPanoptic | Self::Png => {
                matches!(task, Task::Segmentation | Task::Semantic | Task::Objects)
            }
            Self::Yolo => task.marks_objects(),
            Self::YoloObb | Self::Voc => matches!(task, Task::Detection | Task::Objects),
        }
    }

    /// The format that reads it again.
    pub const fn import(self) -> ImportFormat {
        match self {
            Self::Coco | Self::CocoAzureml | Self::CocoCaptions => ImportFormat::Coco,
            Self::Yolo => ImportFormat::Yolo,
            Self::YoloObb => ImportFormat::YoloObb,
            Self::Voc => ImportFormat::Voc,
            Self::Cvat | Self::CvatVideo => ImportFormat::Cvat,
            Self::Mot => ImportFormat::Mot,
            Self::Png => ImportFormat::Png,
            Self::CocoPanoptic => ImportFormat::CocoPanoptic,
            Self::Labelme => ImportFormat::Labelme,
            Self::Csv => ImportFormat::Csv,
            Self::Jsonl => ImportFormat::Jsonl,
            Self::LabelStudio => ImportFormat::LabelStudio,
            Self::Conll => ImportFormat::Conll,
            Self::Spacy => ImportFormat::Spacy,
        }
    }

    /// Whether it has a form for tracks. The others get a picture for each frame of a video.
    pub const fn says_tracks(self) -> bool {
        matches!(self, Self::CvatVideo | Self::Mot | Self::Jsonl)
    }

    /// Whether it holds nothing but videos.
    pub const fn is_of_videos(self) -> bool {
        matches!(self, Self::CvatVideo | Self::Mot)
    }

    /// The format to propose for a task.
    pub const fn first_for(task: Task) -> Self {
        if task.is_text() { Self::Jsonl } else { Self::Coco }
    }

    /// The formats for a task.
    pub fn for_task(task: Task) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |f| f.suits(task))
    }

    /// The table.
    pub const fn keeps(self, aspect: Aspect) -> Keeps {
        match self {
            Self::Coco => rows::coco(aspect),
            Self::Yolo => rows::yolo(aspect),
            Self::YoloObb => rows::yolo_obb(aspect),
            Self::Voc => rows::voc(aspect),
            Self::Cvat => rows::cvat(aspect),
            Self::CvatVideo => rows::cvat_video(aspect),
            Self::Mot => rows::mot(aspect),
            Self::Png => rows::png(aspect),
            Self::CocoPanoptic => rows::coco_panoptic(aspect),
            Self::CocoCaptions => rows::coco_captions(aspect),
            Self::Labelme => rows::labelme(aspect),
            Self::Csv => rows::csv(aspect),
            Self::Jsonl => rows::jsonl(aspect),
            Self::LabelStudio => rows::label_studio(aspect),
            Self::CocoAzureml => rows::coco_azureml(aspect),
            Self::Conll => rows::conll(aspect),
            Self::Spacy => rows::spacy(aspect),
        }
    }
}

impl std::str::FromStr for ExportFormat {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|f| f.as_str() == s).ok_or_else(|| {
            let all: Vec<_> = Self::ALL.iter().map(|f| f.as_str()).collect();
            format!("`{s}` is not an export format; use one of {}", all.join(", "))
        })
    }
}
