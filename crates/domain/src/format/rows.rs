//! The rows of the table: a function for each format.

use super::Aspect;
use super::Keeps::{self, As, Exactly, Not};

const NO_ORDER: Keeps = As("by place in the file");
const NO_PARENTS: Keeps = Not("names only; equal names get their parent in front");
/// A width is the difference of two corners: its last digit may change.
const AS_CORNERS: Keeps = As("as corners, to a billionth of a pixel");
const NO_ATTRIBUTES: Keeps = Not("left out");
const NO_LINKS: Keeps = Not("left out");
const NO_COLORS: Keeps = Not("left out");
const NO_TEXT: Keeps = Not("left out");

pub(super) const fn coco(aspect: Aspect) -> Keeps {
    match aspect {
        Aspect::Spans | Aspect::Overlaps | Aspect::Texts => NO_TEXT,
        Aspect::Tracks => AS_PICTURES,
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

pub(super) const fn yolo(aspect: Aspect) -> Keeps {
    match aspect {
        Aspect::Spans | Aspect::Overlaps | Aspect::Texts => NO_TEXT,
        Aspect::Tracks => AS_PICTURES,
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

pub(super) const fn yolo_obb(aspect: Aspect) -> Keeps {
    match aspect {
        Aspect::Spans | Aspect::Overlaps | Aspect::Texts => NO_TEXT,
        Aspect::Tracks => AS_PICTURES,
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

pub(super) const fn voc(aspect: Aspect) -> Keeps {
    match aspect {
        Aspect::Spans | Aspect::Overlaps | Aspect::Texts => NO_TEXT,
        Aspect::Tracks => AS_PICTURES,
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

pub(super) const fn cvat(aspect: Aspect) -> Keeps {
    match aspect {
        Aspect::Spans | Aspect::Overlaps | Aspect::Texts => NO_TEXT,
        Aspect::Tracks => AS_PICTURES,
        Aspect::Attributes => As("by their names, without which are required"),
        Aspect::RotatedBoxes | Aspect::Ellipses => As("to a billionth of a pixel or degree"),
        Aspect::Lines | Aspect::Points => Exactly,
        Aspect::Keypoints => {
            As("with the drawing of their skeleton, without which keypoints are counterparts")
        }
        Aspect::Whole => As("as tags, in classification projects"),
        Aspect::Boxes => AS_CORNERS,
        Aspect::Polygons | Aspect::Masks => Exactly,
        Aspect::Parts => As("as polygons of one group"),
        Aspect::Holes => As("as masks, pixel by pixel"),
        Aspect::ItemAttributes => NO_ATTRIBUTES,
        Aspect::Links => As("groups by numbers; relations are left out"),
        Aspect::Order => As("as z_order"),
        Aspect::Hierarchy => NO_PARENTS,
        Aspect::Colors | Aspect::Unlabeled => Exactly,
    }
}

pub(super) const fn png(aspect: Aspect) -> Keeps {
    match aspect {
        Aspect::Spans | Aspect::Overlaps | Aspect::Texts => NO_TEXT,
        Aspect::Tracks => AS_PICTURES,
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

pub(super) const fn coco_panoptic(aspect: Aspect) -> Keeps {
    match aspect {
        Aspect::Spans | Aspect::Overlaps | Aspect::Texts => NO_TEXT,
        Aspect::Tracks => AS_PICTURES,
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

pub(super) const fn coco_captions(aspect: Aspect) -> Keeps {
    match aspect {
        Aspect::ItemAttributes => {
            As("those named `caption`, `caption_2` to `caption_10`, exactly; no others")
        }
        Aspect::Unlabeled => Exactly,
        _ => Not("left out"),
    }
}

pub(super) const fn labelme(aspect: Aspect) -> Keeps {
    match aspect {
        Aspect::Spans | Aspect::Overlaps | Aspect::Texts => NO_TEXT,
        Aspect::Tracks => AS_PICTURES,
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

pub(super) const fn csv(aspect: Aspect) -> Keeps {
    match aspect {
        Aspect::Tracks => AS_PICTURES,
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

pub(super) const fn jsonl(aspect: Aspect) -> Keeps {
    match aspect {
        Aspect::Spans | Aspect::Overlaps | Aspect::Texts | Aspect::Tracks => Exactly,
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

pub(super) const fn label_studio(aspect: Aspect) -> Keeps {
    match aspect {
        Aspect::Spans | Aspect::Overlaps | Aspect::Texts => NO_TEXT,
        Aspect::Tracks => AS_PICTURES,
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

pub(super) const fn coco_azureml(aspect: Aspect) -> Keeps {
    match aspect {
        Aspect::Spans | Aspect::Overlaps | Aspect::Texts => NO_TEXT,
        Aspect::Tracks => AS_PICTURES,
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

/// What formats without a form for tracks say of videos.
const AS_PICTURES: Keeps = As("as a picture for each frame, every shape where it is there");

pub(super) const fn cvat_video(aspect: Aspect) -> Keeps {
    match aspect {
        Aspect::Spans | Aspect::Overlaps | Aspect::Texts => NO_TEXT,
        Aspect::Tracks => As("with their keyframes, and the shapes between"),
        Aspect::Attributes => As("by their names, without which are required"),
        Aspect::RotatedBoxes | Aspect::Ellipses => As("to a billionth of a pixel or degree"),
        Aspect::Lines | Aspect::Points => Exactly,
        Aspect::Keypoints | Aspect::Masks | Aspect::Whole => Not("left out"),
        Aspect::Boxes => AS_CORNERS,
        Aspect::Polygons => Exactly,
        Aspect::Parts | Aspect::Holes => Not("only the outline of the first part"),
        Aspect::ItemAttributes => NO_ATTRIBUTES,
        Aspect::Links => NO_LINKS,
        Aspect::Order => As("as z_order"),
        Aspect::Hierarchy => NO_PARENTS,
        Aspect::Colors => Exactly,
        Aspect::Unlabeled => As("videos without tracks; pictures are left out"),
    }
}

pub(super) const fn mot(aspect: Aspect) -> Keeps {
    match aspect {
        Aspect::Spans | Aspect::Overlaps | Aspect::Texts => NO_TEXT,
        Aspect::Tracks => As("as a box on every frame; what is occluded has visibility 0"),
        Aspect::Boxes => As("exactly on every frame, cut to the picture"),
        Aspect::RotatedBoxes | Aspect::Ellipses | Aspect::Lines | Aspect::Points | Aspect::Keypoints => {
            As("as the boxes around them")
        }
        Aspect::Polygons | Aspect::Parts | Aspect::Holes => As("as the boxes around them"),
        Aspect::Masks | Aspect::Whole => Not("left out"),
        Aspect::Attributes => NO_ATTRIBUTES,
        Aspect::ItemAttributes => NO_ATTRIBUTES,
        Aspect::Links => NO_LINKS,
        Aspect::Order => NO_ORDER,
        Aspect::Hierarchy => NO_PARENTS,
        Aspect::Colors => NO_COLORS,
        Aspect::Unlabeled => As("videos without tracks; pictures are left out"),
    }
}

pub(super) const fn conll(aspect: Aspect) -> Keeps {
    match aspect {
        Aspect::Spans => As("widened to whole words"),
        Aspect::Overlaps => Not("of spans that share a word only the longest, then the first, is written"),
        Aspect::Texts => As("as words, apart by single spaces, sentences by line ends"),
        Aspect::Hierarchy => NO_PARENTS,
        Aspect::Unlabeled => Exactly,
        _ => Not("left out"),
    }
}

pub(super) const fn spacy(aspect: Aspect) -> Keeps {
    match aspect {
        Aspect::Spans | Aspect::Texts | Aspect::Unlabeled => Exactly,
        Aspect::Overlaps => As("exactly; spaCy's own `doc.ents` refuses them, `doc.spans` takes them"),
        Aspect::Hierarchy => NO_PARENTS,
        _ => Not("left out"),
    }
}
