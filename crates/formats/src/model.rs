//! What every reader produces: categories, images and their labels, not yet matched to a project.

use crate::attributes::ImportedAttributes;
use limn_domain::polygon::{Part, Ring, Vertex};
use limn_domain::{Attribute, Mask, Rect, Shape, Skeleton};

/// A category as the file names it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ImportedCategory {
    /// The file's own id; kept as the project's export id when it is free and at least 1.
    pub id: Option<i64>,
    /// Absent when the file only gives ids (COCO results); then `id` is an export id of the project.
    pub name: Option<String>,
    /// Index of the parent among the file's categories.
    pub parent: Option<usize>,
    /// The keypoints of its objects, checked.
    pub skeleton: Option<Skeleton>,
    /// `#rrggbb` in lower case.
    pub color: Option<String>,
    /// What the file says can be said of its objects; not checked.
    pub attributes: Vec<Attribute>,
    pub line: u64,
}

/// An image as the file names it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ImportedImage {
    /// The file's own id.
    pub id: Option<i64>,
    /// Absent when the file only gives ids (COCO results); then `id` is an export id of the project.
    pub file_name: Option<String>,
    /// Other names to try when `file_name` matches nothing.
    pub alternatives: Vec<String>,
    /// The names carry no extension: a dot in them is part of the name.
    pub without_extension: bool,
    /// The text of a document that the file brings along; it becomes an item of the name.
    pub text: Option<String>,
    /// Size in pixels the file claims, `(width, height)`.
    pub size: Option<(f64, f64)>,
    /// What is said of it as a whole.
    pub attributes: Option<Box<ImportedAttributes>>,
    pub line: u64,
}

impl ImportedImage {
    /// What to call it in messages.
    pub fn label(&self) -> String {
        match (&self.file_name, self.id) {
            (Some(name), _) => name.clone(),
            (None, Some(id)) => format!("image id {id}"),
            (None, None) => "image without a name".to_owned(),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum ImportedShape {
    /// The category goes to the whole image.
    Whole,
    /// A box in the file's own frame; [`crate::Fit`] brings it into the picture's.
    Box(Rect),
    /// An outline, likewise; boxed, because most files have boxes by the million.
    Outline(Box<ImportedOutline>),
    /// The corners of a turned box one after another, in the file's own frame, where it may not be right-angled.
    Corners(Box<[Vertex; 4]>),
    /// A turned box, an ellipse, a line, points or keypoints in the file's own frame.
    Other(Box<Shape>),
}

impl ImportedShape {
    /// A shape in our own form, for an image of `size` columns and rows.
    pub(crate) fn own(shape: Shape, size: (u32, u32)) -> Self {
        match shape {
            Shape::Whole => Self::Whole,
            Shape::Box { rect } => Self::Box(rect),
            Shape::Polygon { parts } => Self::Outline(Box::new(ImportedOutline::Parts(parts))),
            Shape::Mask { mask } => Self::Outline(Box::new(ImportedOutline::Mask { mask, size })),
            other => Self::Other(Box::new(other)),
        }
    }
}

/// The outline of an object.
#[derive(Debug, Clone, PartialEq)]
pub enum ImportedOutline {
    /// Each ring is a part of its own.
    Polygons(Vec<Ring>),
    /// Parts with their holes.
    Parts(Vec<Part>),
    /// Pixels of an image of `size`, columns and rows.
    Mask { mask: Mask, size: (u32, u32) },
}

/// How labels of one image hang together, in the file's own words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImportedLinks {
    /// What the file's relations call this label.
    pub key: Option<String>,
    /// Labels of the same image with the same text are a group.
    pub group: Option<String>,
    /// To which label, by its key, and what it says.
    pub relations: Vec<(String, String)>,
}

impl ImportedLinks {
    /// Boxed, or nothing when it says nothing; a key alone says that relations may come to it.
    pub(crate) fn some(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }
}

/// A label as the file gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedAnnotation {
    /// Index into [`Imported::images`].
    pub image: u32,
    /// Index into [`Imported::categories`].
    pub category: u32,
    pub shape: ImportedShape,
    /// Confidence, for proposals.
    pub score: Option<f64>,
    /// What is said of the object; boxed, because most labels have none.
    pub attributes: Option<Box<ImportedAttributes>>,
    /// Group and relations; boxed likewise.
    pub links: Option<Box<ImportedLinks>>,
    /// The file's own id.
    pub id: Option<i64>,
    /// Place in the file's list, from 0.
    pub index: u32,
    /// Line in the file, from 1; 0 when unknown.
    pub line: u32,
}

impl ImportedAnnotation {
    /// What to call it in messages, e.g. `annotations[17] (id 18)`.
    pub fn record(&self) -> String {
        match self.id {
            Some(id) => format!("annotations[{}] (id {id})", self.index),
            None => format!("annotations[{}]", self.index),
        }
    }
}

/// Everything taken from one file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Imported {
    pub categories: Vec<ImportedCategory>,
    pub images: Vec<ImportedImage>,
    /// Sorted by image, then by place in the file.
    pub annotations: Vec<ImportedAnnotation>,
    /// Coordinates run from 0 to 1 over the image instead of over its pixels.
    pub normalised: bool,
    /// The most captions that an image has. They are in its attributes and all that the file says of it: what else was said
    /// of the item stays.
    pub captions: usize,
}

impl Imported {
    /// Every image with its labels, in the file's order; also images without any.
    pub fn items(&self) -> impl Iterator<Item = (&ImportedImage, &[ImportedAnnotation])> {
        let mut rest = self.annotations.as_slice();
        self.images.iter().enumerate().map(move |(i, image)| {
            let n = rest.partition_point(|a| a.image as usize <= i);
            let (own, later) = rest.split_at(n);
            rest = later;
            (image, own)
        })
    }
}
