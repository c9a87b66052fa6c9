//! Writes COCO instance files, byte for byte the same for the same input, in constant memory.
//!
//! Images stand before annotations in the file but each image arrives with its annotations; so the annotations are
//! written to a spool (a temporary file, or memory for small sets) and appended at the end.
//!
//! What the files keep to: ids count from 1; `info` is an object; one licence, "Unknown", that every image names;
//! `iscrowd` is 0; sizes are whole numbers of the oriented image; boxes lie inside the image and have an area; numbers
//! are the shortest that read back exactly. A polygon is a list of its parts; one with holes, which that form cannot say, and a
//! mask are compressed run lengths. The area of an outline is the number of pixels that pycocotools counts. A label of a whole image, for which COCO has no form, is a box over the
//! whole image, so that every loader of boxes reads it.

use limn_domain::export::BoxSegmentation;
use limn_domain::polygon::{self, Part, Vertex};
use limn_domain::{Attributes, Keypoint, Mask, Rect, Shape, ShapeKind, Size, Skeleton, TurnedRect, keypoint};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom, Write};

/// Bytes of annotations written to the spool at once.
const BUFFER: usize = 128 << 10;
/// How far inside an ellipse the sides of its polygon lie at most, in pixels.
const ELLIPSE_TOLERANCE: f64 = 0.05;
/// Parts of a pixel to which the corners of turned shapes are written. COCO fills outlines after rounding corners to fifths of a
/// pixel: the last digits that sine and cosine leave would decide to which.
const TURNED_PARTS: f64 = 1e6;
/// Left-out labels named in [`Written::examples`].
const EXAMPLES: usize = 10;

/// The `info` of the file. Give it dates of the data, not of the export, to keep files reproducible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Info<'a> {
    pub year: i32,
    pub version: &'a str,
    pub description: &'a str,
    pub contributor: &'a str,
    pub url: &'a str,
    /// `YYYY-MM-DD HH:MM:SS`.
    pub date_created: &'a str,
}

/// A category. `supercategory` is the parent's name, or the category's own name at the top of the tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Category<'a> {
    pub id: i64,
    pub name: &'a str,
    pub supercategory: &'a str,
    /// Names of the keypoints, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keypoints: Vec<&'a str>,
    /// Pairs of keypoints that a line joins, counted from 1.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skeleton: Vec<[usize; 2]>,
}

impl<'a> Category<'a> {
    /// With the skeleton a category has, if any.
    pub fn new(id: i64, name: &'a str, supercategory: &'a str, skeleton: Option<&'a Skeleton>) -> Self {
        let points = skeleton.map(|s| s.keypoints.as_slice()).unwrap_or_default();
        let edges = skeleton.map(|s| s.edges.as_slice()).unwrap_or_default();
        Self {
            id,
            name,
            supercategory,
            keypoints: points.iter().map(|k| k.name.as_str()).collect(),
            skeleton: edges.iter().map(|[a, b]| [a + 1, b + 1]).collect(),
        }
    }
}

/// An image; size in pixels, orientation applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image<'a> {
    pub id: i64,
    pub width: i64,
    pub height: i64,
    pub file_name: &'a str,
}

/// A label of an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Label<'a> {
    pub category_id: i64,
    pub shape: LabelShape<'a>,
    /// Written when there are any: files of projects without attributes stay the same, byte for byte.
    pub attributes: Option<&'a Attributes>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LabelShape<'a> {
    Whole,
    /// In pixels of the oriented image.
    Box(Rect),
    /// Kept: no sides cross, inside the image.
    Polygon(&'a [Part]),
    Mask(&'a Mask),
    /// A rotated box or an ellipse.
    Turned(&'a Shape),
    Keypoints(&'a [Keypoint]),
    /// A kind that COCO has no form for.
    Other(ShapeKind),
}

impl<'a> From<&'a Shape> for LabelShape<'a> {
    fn from(shape: &'a Shape) -> Self {
        match shape {
            Shape::Whole => Self::Whole,
            Shape::Box { rect } => Self::Box(*rect),
            Shape::Polygon { parts } => Self::Polygon(parts),
            Shape::Mask { mask } => Self::Mask(mask),
            Shape::RotatedBox { .. } | Shape::Ellipse { .. } => Self::Turned(shape),
            Shape::Keypoints { keypoints } => Self::Keypoints(keypoints),
            Shape::Polyline { .. } | Shape::Points { .. } | Shape::Span { .. } | Shape::Track { .. } => {
                Self::Other(shape.shape_kind())
            }
        }
    }
}

/// What an export holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Written {
    pub images: u64,
    pub annotations: u64,
    /// Boxes cut to their image.
    pub clipped: u64,
    /// Boxes left out because nothing of them lies in their image.
    pub dropped: u64,
    /// Polygons written as run lengths because they have holes.
    pub holes: u64,
    /// Shapes left out because COCO has no form for them, by kind.
    pub formless: BTreeMap<ShapeKind, u64>,
    /// The first images (by file name) with a dropped box.
    pub examples: Vec<String>,
}

/// A COCO file being written.
pub struct CocoWriter<W, S> {
    out: W,
    spool: S,
    /// Annotations on their way to the spool.
    buffer: Vec<u8>,
    segmentation: BoxSegmentation,
    written: Written,
}

#[derive(Serialize)]
struct AnnotationRecord<'a> {
    id: u64,
    image_id: i64,
    category_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    segmentation: Option<Segmentation<'a>>,
    area: f64,
    bbox: [f64; 4],
    iscrowd: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    num_keypoints: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keypoints: Option<Vec<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotated_box: Option<[f64; 5]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ellipse: Option<[f64; 5]>,
    /// Values by key, as CVAT and datumaro write and read them.
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes: Option<&'a Attributes>,
}

impl<'a> AnnotationRecord<'a> {
    /// A record with the fields that every kind has.
    fn new(id: u64, image_id: i64, label: Label<'a>, area: f64, r: Rect) -> Self {
        Self {
            id,
            image_id,
            category_id: label.category_id,
            segmentation: None,
            area,
            bbox: [r.x, r.y, r.w, r.h],
            iscrowd: 0,
            num_keypoints: None,
            keypoints: None,
            rotated_box: None,
            ellipse: None,
            attributes: label.attributes.filter(|a| !a.is_empty()),
        }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Segmentation<'a> {
    Corners(&'a [[f64; 8]]),
    Parts(Vec<&'a [f64]>),
    Runs { size: [i64; 2], counts: String },
}

impl<W: Write, S: Read + Write + Seek> CocoWriter<W, S> {
    /// Begins the file. Wrap `out` in a buffer; `spool` needs none (a plain temporary file does) and must be empty.
    pub fn new(
        mut out: W,
        spool: S,
        info: &Info<'_>,
        categories: &[Category<'_>],
        segmentation: BoxSegmentation,
    ) -> io::Result<Self> {
        out.write_all(b"{\"info\":")?;
        serde_json::to_writer(&mut out, info)?;
        out.write_all(b",\n\"licenses\":[{\"id\":1,\"name\":\"Unknown\",\"url\":\"\"}],\n\"categories\":[")?;
        for (i, category) in categories.iter().enumerate() {
            out.write_all(separator(i == 0))?;
            serde_json::to_writer(&mut out, category)?;
        }
        out.write_all(b"\n],\n\"images\":[")?;
        Ok(Self {
            out,
            spool,
            buffer: Vec::with_capacity(2 * BUFFER),
            segmentation,
            written: Written::default(),
        })
    }

    /// Adds an image and its labels, in that order.
    pub fn image<'l>(
        &mut self,
        image: &Image<'_>,
        labels: impl IntoIterator<Item = Label<'l>>,
    ) -> io::Result<()> {
        self.out.write_all(separator(self.written.images == 0))?;
        write!(
            self.out,
            "{{\"id\":{},\"width\":{},\"height\":{},\"file_name\":",
            image.id, image.width, image.height
        )?;
        serde_json::to_writer(&mut self.out, image.file_name)?;
        self.out.write_all(b",\"license\":1}")?;
        self.written.images += 1;
        let size = Size {
            width: image.width as f64,
            height: image.height as f64,
        };
        for label in labels {
            self.label(image, size, label)?;
        }
        Ok(())
    }

    fn label(&mut self, image: &Image<'_>, size: Size, label: Label<'_>) -> io::Result<()> {
        let mut clipped = false;
        let rect = match label.shape {
            LabelShape::Polygon(parts) => return self.polygon(image, size, label, parts, None),
            LabelShape::Turned(shape) => return self.turned(image, size, label, shape),
            LabelShape::Keypoints(list) => return self.keypoints(image, size, label, list),
            LabelShape::Other(kind) => {
                *self.written.formless.entry(kind).or_default() += 1;
                return Ok(());
            }
            LabelShape::Mask(mask) => return self.mask(image, label, mask),
            LabelShape::Whole => Rect::new(0.0, 0.0, size.width, size.height),
            LabelShape::Box(r) if !r.is_finite() => Rect::default(),
            LabelShape::Box(r) => {
                clipped = r.x < 0.0 || r.y < 0.0 || r.right() > size.width || r.bottom() > size.height;
                // Boxes inside keep their numbers to the last digit.
                if clipped { r.clipped(size) } else { r }
            }
        };
        if rect.w <= 0.0 || rect.h <= 0.0 {
            self.drop(image);
            return Ok(());
        }
        self.written.clipped += u64::from(clipped);
        let corners = [[
            rect.x,
            rect.y,
            rect.right(),
            rect.y,
            rect.right(),
            rect.bottom(),
            rect.x,
            rect.bottom(),
        ]];
        let record = AnnotationRecord {
            segmentation: match self.segmentation {
                BoxSegmentation::Empty => Some(Segmentation::Corners(&[])),
                BoxSegmentation::Polygon => Some(Segmentation::Corners(&corners)),
                BoxSegmentation::Omit => None,
            },
            ..AnnotationRecord::new(self.next_id(), image.id, label, rect.area(), rect)
        };
        self.put(&record)
    }

    /// Notes a label that is left out.
    fn drop(&mut self, image: &Image<'_>) {
        self.written.dropped += 1;
        if self.written.examples.len() < EXAMPLES
            && self.written.examples.last().is_none_or(|l| l != image.file_name)
        {
            self.written.examples.push(image.file_name.to_owned());
        }
    }

    const fn next_id(&self) -> u64 {
        self.written.annotations + 1
    }

    /// `of` is the shape that the polygon stands for, if it is not one itself.
    fn polygon(
        &mut self,
        image: &Image<'_>,
        size: Size,
        label: Label<'_>,
        parts: &[Part],
        of: Option<&Shape>,
    ) -> io::Result<()> {
        if parts.iter().any(|p| p.len() > 1) {
            // With holes: only pixels can say it.
            let Some(mask) = Mask::from_polygon(parts, size) else {
                self.drop(image);
                return Ok(());
            };
            self.written.holes += 1;
            return self.mask(image, label, &mask);
        }
        let rings: Vec<&[Vertex]> = parts.iter().flatten().map(Vec::as_slice).collect();
        // Too small to hold the middle of a pixel: its own area.
        let area = Mask::from_rings(rings.iter().copied(), size)
            .map_or_else(|| polygon::area(parts), |m| m.area() as f64);
        let flat = rings.iter().map(|r| r.as_flattened()).collect();
        let numbers = |r: &TurnedRect| [r.cx, r.cy, r.w, r.h, r.angle];
        self.put(&AnnotationRecord {
            segmentation: Some(Segmentation::Parts(flat)),
            rotated_box: match of {
                Some(Shape::RotatedBox { rect }) => Some(numbers(rect)),
                _ => None,
            },
            ellipse: match of {
                Some(Shape::Ellipse { rect }) => Some(numbers(rect)),
                _ => None,
            },
            ..AnnotationRecord::new(self.next_id(), image.id, label, area, polygon::bounds(parts))
        })
    }

    /// A turned shape as the polygon of what of it lies in the image, and its own numbers beside that.
    fn turned(&mut self, image: &Image<'_>, size: Size, label: Label<'_>, shape: &Shape) -> io::Result<()> {
        let region = shape.region(ELLIPSE_TOLERANCE).unwrap_or_default();
        let region = polygon::mapped(&region, |v| v.map(|c| (c * TURNED_PARTS).round() / TURNED_PARTS));
        if let Ok((parts, _)) = polygon::mend(&region, size) {
            return self.polygon(image, size, label, &parts, Some(shape));
        }
        self.drop(image);
        Ok(())
    }

    /// Keypoints with the box around those that are labeled, a pixel wide at least. `area` is the box's: COCOeval divides
    /// by it.
    fn keypoints(
        &mut self,
        image: &Image<'_>,
        size: Size,
        label: Label<'_>,
        list: &[Keypoint],
    ) -> io::Result<()> {
        let labeled = list.iter().filter(|k| k.at().is_some()).count();
        let tight = keypoint::bounds(list);
        let mut r = Rect::new(tight.x, tight.y, tight.w.max(1.0), tight.h.max(1.0));
        r.x = r.x.min(size.width - r.w).max(0.0);
        r.y = r.y.min(size.height - r.h).max(0.0);
        if labeled == 0 || !r.is_finite() {
            self.drop(image);
            return Ok(());
        }
        self.put(&AnnotationRecord {
            segmentation: match self.segmentation {
                BoxSegmentation::Omit => None,
                _ => Some(Segmentation::Corners(&[])),
            },
            num_keypoints: Some(labeled),
            keypoints: Some(list.iter().flat_map(|k| <[f64; 3]>::from(*k)).collect()),
            ..AnnotationRecord::new(self.next_id(), image.id, label, r.area(), r)
        })
    }

    fn mask(&mut self, image: &Image<'_>, label: Label<'_>, mask: &Mask) -> io::Result<()> {
        let (Ok(width), Ok(height)) = (u32::try_from(image.width), u32::try_from(image.height)) else {
            self.drop(image);
            return Ok(());
        };
        self.put(&AnnotationRecord {
            segmentation: Some(Segmentation::Runs {
                size: [image.height, image.width],
                counts: mask.full_text(width, height),
            }),
            ..AnnotationRecord::new(self.next_id(), image.id, label, mask.area() as f64, mask.window())
        })
    }

    fn put(&mut self, record: &AnnotationRecord<'_>) -> io::Result<()> {
        self.buffer
            .extend_from_slice(separator(self.written.annotations == 0));
        serde_json::to_writer(&mut self.buffer, record)?;
        self.written.annotations += 1;
        if self.buffer.len() >= BUFFER {
            self.spool.write_all(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }

    /// Appends the annotations and closes the file; hands `out` back, flushed.
    pub fn finish(mut self) -> io::Result<(W, Written)> {
        self.out.write_all(b"\n],\n\"annotations\":[")?;
        self.spool.write_all(&self.buffer)?;
        self.spool.flush()?;
        self.spool.seek(SeekFrom::Start(0))?;
        // The larger buffer is there already.
        self.buffer.resize(BUFFER, 0);
        loop {
            match self.spool.read(&mut self.buffer) {
                Ok(0) => break,
                Ok(n) => self.out.write_all(&self.buffer[..n])?,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        self.out.write_all(b"\n]}\n")?;
        self.out.flush()?;
        Ok((self.out, self.written))
    }
}

const fn separator(first: bool) -> &'static [u8] {
    if first { b"\n" } else { b",\n" }
}
