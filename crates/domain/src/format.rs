//! What each annotation file format keeps of a project's labels and what it loses: one table for the export dialog, the
//! command line and docs/formats.md.

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

use Keeps::{As, Exactly, Not};

impl Aspect {
    pub const ALL: [Self; 21] = [
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
            Self::Texts
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
                Self::Texts => task.is_text(),
                _ => true,
            },
        }
    }
}

impl ExportFormat {
    pub const ALL: [Self; 14] = [
        Self::Coco,
        Self::Yolo,
        Self::YoloObb,
        Self::Voc,
        Self::Cvat,
        Self::Png,
        Self::CocoPanoptic,
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
            Self::Png => "png",
            Self::CocoPanoptic => "coco_panoptic",
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
            Self::Png => "Masks as PNG",
            Self::CocoPanoptic => "COCO panoptic",
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
            Self::Png => {
                "A picture of class numbers for each item and a table of the classes (semantic segmentation)."
            }
            Self::CocoPanoptic => "A JSON file and a picture of segments for each item, without overlaps.",
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
            Self::Coco | Self::Cvat | Self::Csv | Self::Jsonl => true,
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
            Self::Coco | Self::CocoAzureml => ImportFormat::Coco,
            Self::Yolo => ImportFormat::Yolo,
            Self::YoloObb => ImportFormat::YoloObb,
            Self::Voc => ImportFormat::Voc,
            Self::Cvat => ImportFormat::Cvat,
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
            Self::Coco => coco(aspect),
            Self::Yolo => yolo(aspect),
            Self::YoloObb => yolo_obb(aspect),
            Self::Voc => voc(aspect),
            Self::Cvat => cvat(aspect),
            Self::Png => png(aspect),
            Self::CocoPanoptic => coco_panoptic(aspect),
            Self::Labelme => labelme(aspect),
            Self::Csv => csv(aspect),
            Self::Jsonl => jsonl(aspect),
            Self::LabelStudio => label_studio(aspect),
            Self::CocoAzureml => coco_azureml(aspect),
            Self::Conll => conll(aspect),
            Self::Spacy => spacy(aspect),
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

const NO_ORDER: Keeps = As("by place in the file");
const NO_PARENTS: Keeps = Not("names only; equal names get their parent in front");
/// A width is the difference of two corners: its last digit may change.
const AS_CORNERS: Keeps = As("as corners, to a billionth of a pixel");
const NO_ATTRIBUTES: Keeps = Not("left out");
const NO_LINKS: Keeps = Not("left out");
const NO_COLORS: Keeps = Not("left out");
const NO_TEXT: Keeps = Not("left out");

const fn coco(aspect: Aspect) -> Keeps {
    match aspect {
        Aspect::Spans | Aspect::Overlaps | Aspect::Texts => NO_TEXT,
        Aspect::Attributes => As("exactly, by their keys, without definitions"),
        Aspect::RotatedBoxes | Aspect::Ellipses => As("with their numbers beside the outline"),
        Aspect::Keypoints => Exactly,
        Aspect::Lines | Aspect::Points => Not("left out"),
        Aspect::Whole => As("as boxes over the whole image"),
        Aspect::Boxes | Aspect::Polygons | Aspect::Parts | Aspect::Masks => Exactly,
        Aspect::Holes => As("as run-length masks, pixel by pixel"),
        Aspect::ItemAttributes => NO_ATTRIBUTES,
        Aspect::Links => NO_LINKS,
        Aspect::Order => NO_ORDER,
        Aspect::Hierarchy => As("as supercategory, one level"),
        Aspect::Colors => NO_COLORS,
        Aspect::Unlabeled => Exactly,
    }
}

const fn yolo(aspect: Aspect) -> Keeps {
    match aspect {
        Aspect::Spans | Aspect::Overlaps | Aspect::Texts => NO_TEXT,
        Aspect::Attributes => NO_ATTRIBUTES,
        Aspect::RotatedBoxes => As("as polygons where boxes are not alone, else left out"),
        Aspect::Ellipses => As("as polygons"),
        Aspect::Keypoints => {
            As("as shares of the image in keypoints projects, without lines of the skeleton, else left out")
        }
        Aspect::Lines | Aspect::Points => Not("left out"),
        Aspect::Whole => Not("left out"),
        Aspect::Boxes => As("as shares of the image with nine decimals"),
        Aspect::Polygons => As("as shares of the image with nine decimals"),
        Aspect::Parts => As("joined by bridges of no width, as Ultralytics does"),
        Aspect::Holes => Not("filled"),
        Aspect::Masks => As("as polygons along the borders of their pixels"),
        Aspect::ItemAttributes => NO_ATTRIBUTES,
        Aspect::Links => NO_LINKS,
        Aspect::Order => NO_ORDER,
        Aspect::Hierarchy => NO_PARENTS,
        Aspect::Colors => NO_COLORS,
        Aspect::Unlabeled => As("as empty files"),
    }
}

const fn yolo_obb(aspect: Aspect) -> Keeps {
    match aspect {
        Aspect::Spans | Aspect::Overlaps | Aspect::Texts => NO_TEXT,
        Aspect::Attributes => NO_ATTRIBUTES,
        Aspect::Boxes | Aspect::RotatedBoxes => As("as corners in shares of the image with nine decimals"),
        Aspect::Ellipses => As("as the rotated boxes around them"),
        Aspect::Whole | Aspect::Lines | Aspect::Points | Aspect::Keypoints => Not("left out"),
        Aspect::Polygons | Aspect::Parts | Aspect::Holes | Aspect::Masks => Not("left out"),
        Aspect::ItemAttributes => NO_ATTRIBUTES,
        Aspect::Links => NO_LINKS,
        Aspect::Order => NO_ORDER,
        Aspect::Hierarchy => NO_PARENTS,
        Aspect::Colors => NO_COLORS,
        Aspect::Unlabeled => As("as empty files"),
    }
}

const fn voc(aspect: Aspect) -> Keeps {
    match aspect {
        Aspect::Spans | Aspect::Overlaps | Aspect::Texts => NO_TEXT,
        Aspect::Attributes => NO_ATTRIBUTES,
        Aspect::RotatedBoxes | Aspect::Ellipses | Aspect::Lines | Aspect::Points | Aspect::Keypoints => {
            Not("left out")
        }
        Aspect::Boxes => AS_CORNERS,
        Aspect::Whole | Aspect::Polygons | Aspect::Parts | Aspect::Holes | Aspect::Masks => Not("left out"),
        Aspect::ItemAttributes => NO_ATTRIBUTES,
        Aspect::Links => NO_LINKS,
        Aspect::Order => NO_ORDER,
        Aspect::Hierarchy => NO_PARENTS,
        Aspect::Colors => NO_COLORS,
        Aspect::Unlabeled => As("as files without objects"),
    }
}

const fn cvat(aspect: Aspect) -> Keeps {
    match aspect {
        Aspect::Spans | Aspect::Overlaps | Aspect::Texts => NO_TEXT,
        Aspect::Attributes => As("by their keys, without which are required"),
        Aspect::RotatedBoxes | Aspect::Ellipses => As("to a billionth of a pixel or degree"),
        Aspect::Lines | Aspect::Points => Exactly,
        Aspect::Keypoints => As("with the names of their keypoints, without lines between them"),
        Aspect::Whole => As("as tags"),
        Aspect::Boxes => AS_CORNERS,
        Aspect::Polygons | Aspect::Masks => Exactly,
        Aspect::Parts => As("as polygons of one group"),
        Aspect::Holes => As("as masks, pixel by pixel"),
        Aspect::ItemAttributes => NO_ATTRIBUTES,
        Aspect::Links => NO_LINKS,
        Aspect::Order => As("as z_order"),
        Aspect::Hierarchy => NO_PARENTS,
        Aspect::Colors | Aspect::Unlabeled => Exactly,
    }
}

const fn png(aspect: Aspect) -> Keeps {
    match aspect {
        Aspect::Spans | Aspect::Overlaps | Aspect::Texts => NO_TEXT,
        Aspect::Attributes => NO_ATTRIBUTES,
        Aspect::RotatedBoxes | Aspect::Ellipses => As("pixel by pixel"),
        Aspect::Lines | Aspect::Points | Aspect::Keypoints => Not("left out"),
        Aspect::Whole | Aspect::Boxes => Not("left out"),
        Aspect::Polygons | Aspect::Holes => As("pixel by pixel"),
        Aspect::Parts => Not("all pixels of a category in an item become one label"),
        Aspect::Masks => As("pixel by pixel, where no other label lies above"),
        Aspect::ItemAttributes => NO_ATTRIBUTES,
        Aspect::Links => NO_LINKS,
        Aspect::Order => As("by who has the pixel; what lies below is lost"),
        Aspect::Hierarchy => NO_PARENTS,
        Aspect::Colors => Exactly,
        Aspect::Unlabeled => As("as pictures of background"),
    }
}

const fn coco_panoptic(aspect: Aspect) -> Keeps {
    match aspect {
        Aspect::Spans | Aspect::Overlaps | Aspect::Texts => NO_TEXT,
        Aspect::Attributes => NO_ATTRIBUTES,
        Aspect::RotatedBoxes | Aspect::Ellipses => As("pixel by pixel"),
        Aspect::Lines | Aspect::Points | Aspect::Keypoints => Not("left out"),
        Aspect::Whole | Aspect::Boxes => Not("left out"),
        Aspect::Polygons | Aspect::Parts | Aspect::Holes => As("pixel by pixel"),
        Aspect::Masks => As("pixel by pixel, where no other label lies above"),
        Aspect::ItemAttributes => NO_ATTRIBUTES,
        Aspect::Links => NO_LINKS,
        Aspect::Order => As("by who has the pixel; what lies below is lost"),
        Aspect::Hierarchy => As("as supercategory, one level"),
        Aspect::Colors | Aspect::Unlabeled => Exactly,
    }
}

const fn labelme(aspect: Aspect) -> Keeps {
    match aspect {
        Aspect::Spans | Aspect::Overlaps | Aspect::Texts => NO_TEXT,
        Aspect::Attributes => As("as flags and by their keys, without definitions"),
        Aspect::Lines => Exactly,
        Aspect::Points => As("as points of one group"),
        Aspect::RotatedBoxes | Aspect::Ellipses => As("as polygons"),
        Aspect::Keypoints => Not("left out"),
        Aspect::Whole => As("as flags"),
        Aspect::Boxes => AS_CORNERS,
        Aspect::Polygons | Aspect::Masks => Exactly,
        Aspect::Parts => As("as polygons of one group"),
        Aspect::Holes => As("as masks, pixel by pixel"),
        Aspect::ItemAttributes => NO_ATTRIBUTES,
        Aspect::Links => NO_LINKS,
        Aspect::Order => NO_ORDER,
        Aspect::Hierarchy => NO_PARENTS,
        Aspect::Colors => NO_COLORS,
        Aspect::Unlabeled => As("as files without shapes"),
    }
}

const fn csv(aspect: Aspect) -> Keeps {
    match aspect {
        Aspect::Spans | Aspect::Overlaps => Exactly,
        Aspect::Texts => As("with categories of whole documents; of spans only what they cover"),
        Aspect::Attributes => As("exactly, as JSON in a column, without definitions"),
        Aspect::RotatedBoxes | Aspect::Ellipses | Aspect::Lines | Aspect::Points => {
            As("exactly, as JSON in a column")
        }
        Aspect::Keypoints => As("exactly, as JSON in a column, without the skeleton"),
        Aspect::Whole | Aspect::Boxes | Aspect::Unlabeled => Exactly,
        Aspect::Polygons | Aspect::Parts | Aspect::Holes | Aspect::Masks => {
            As("exactly, as JSON in a column")
        }
        Aspect::ItemAttributes => NO_ATTRIBUTES,
        Aspect::Links => NO_LINKS,
        Aspect::Order => NO_ORDER,
        Aspect::Hierarchy => NO_PARENTS,
        Aspect::Colors => NO_COLORS,
    }
}

const fn jsonl(aspect: Aspect) -> Keeps {
    match aspect {
        Aspect::Spans | Aspect::Overlaps | Aspect::Texts => Exactly,
        Aspect::Attributes => Exactly,
        Aspect::RotatedBoxes | Aspect::Ellipses | Aspect::Lines | Aspect::Points | Aspect::Keypoints => {
            Exactly
        }
        Aspect::Whole | Aspect::Boxes | Aspect::Polygons | Aspect::Parts | Aspect::Holes | Aspect::Masks => {
            Exactly
        }
        Aspect::ItemAttributes => As("exactly, by their keys, without definitions"),
        Aspect::Links => Exactly,
        Aspect::Order | Aspect::Hierarchy | Aspect::Colors | Aspect::Unlabeled => Exactly,
    }
}

const fn label_studio(aspect: Aspect) -> Keeps {
    match aspect {
        Aspect::Spans | Aspect::Overlaps | Aspect::Texts => NO_TEXT,
        Aspect::Attributes => As("as results of their regions, defined in the labeling configuration"),
        Aspect::RotatedBoxes | Aspect::Ellipses => As("in percent, to a billionth of a pixel"),
        Aspect::Points => As("where one is alone, else left out"),
        Aspect::Lines | Aspect::Keypoints => Not("left out"),
        Aspect::Whole => As("as choices"),
        Aspect::Boxes | Aspect::Polygons => As("in percent, to a billionth of a pixel"),
        Aspect::Parts | Aspect::Holes => As("as brush masks, pixel by pixel"),
        Aspect::Masks => Exactly,
        Aspect::ItemAttributes => NO_ATTRIBUTES,
        Aspect::Links => As("relations with their kinds; groups are left out"),
        Aspect::Order => NO_ORDER,
        Aspect::Hierarchy => NO_PARENTS,
        Aspect::Colors => As("in the labeling configuration; an import does not read them"),
        Aspect::Unlabeled => Exactly,
    }
}

const fn coco_azureml(aspect: Aspect) -> Keeps {
    match aspect {
        Aspect::Spans | Aspect::Overlaps | Aspect::Texts => NO_TEXT,
        Aspect::Attributes => NO_ATTRIBUTES,
        Aspect::RotatedBoxes | Aspect::Ellipses => As("as polygons"),
        Aspect::Lines | Aspect::Points | Aspect::Keypoints => Not("left out"),
        Aspect::Whole => As("as annotations without a box"),
        Aspect::Boxes | Aspect::Polygons | Aspect::Parts => {
            As("as shares of the image, to a billionth of a pixel")
        }
        Aspect::Holes => Not("filled"),
        Aspect::Masks => As("as polygons along the borders of their pixels"),
        Aspect::ItemAttributes => NO_ATTRIBUTES,
        Aspect::Links => NO_LINKS,
        Aspect::Order => NO_ORDER,
        Aspect::Hierarchy => NO_PARENTS,
        Aspect::Colors => NO_COLORS,
        Aspect::Unlabeled => Exactly,
    }
}

const fn conll(aspect: Aspect) -> Keeps {
    match aspect {
        Aspect::Spans => As("widened to whole words"),
        Aspect::Overlaps => Not("of spans that share a word only the longest, then the first, is written"),
        Aspect::Texts => As("as words, apart by single spaces, sentences by line ends"),
        Aspect::Hierarchy => NO_PARENTS,
        Aspect::Unlabeled => Exactly,
        _ => Not("left out"),
    }
}

const fn spacy(aspect: Aspect) -> Keeps {
    match aspect {
        Aspect::Spans | Aspect::Texts | Aspect::Unlabeled => Exactly,
        Aspect::Overlaps => As("exactly; spaCy's own `doc.ents` refuses them, `doc.spans` takes them"),
        Aspect::Hierarchy => NO_PARENTS,
        _ => Not("left out"),
    }
}
