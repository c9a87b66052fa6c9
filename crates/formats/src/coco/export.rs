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
use limn_domain::{Mask, Rect, Shape, Size};
use serde::Serialize;
use std::io::{self, Read, Seek, SeekFrom, Write};

/// Bytes of annotations written to the spool at once.
const BUFFER: usize = 128 << 10;
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
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LabelShape<'a> {
    Whole,
    /// In pixels of the oriented image.
    Box(Rect),
    /// Kept: no sides cross, inside the image.
    Polygon(&'a [Part]),
    Mask(&'a Mask),
}

impl<'a> From<&'a Shape> for LabelShape<'a> {
    fn from(shape: &'a Shape) -> Self {
        match shape {
            Shape::Whole => Self::Whole,
            Shape::Box { rect } => Self::Box(*rect),
            Shape::Polygon { parts } => Self::Polygon(parts),
            Shape::Mask { mask } => Self::Mask(mask),
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
            LabelShape::Polygon(parts) => return self.polygon(image, size, label.category_id, parts),
            LabelShape::Mask(mask) => return self.mask(image, label.category_id, mask),
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
            id: self.written.annotations + 1,
            image_id: image.id,
            category_id: label.category_id,
            segmentation: match self.segmentation {
                BoxSegmentation::Empty => Some(Segmentation::Corners(&[])),
                BoxSegmentation::Polygon => Some(Segmentation::Corners(&corners)),
                BoxSegmentation::Omit => None,
            },
            area: rect.area(),
            bbox: [rect.x, rect.y, rect.w, rect.h],
            iscrowd: 0,
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

    fn polygon(&mut self, image: &Image<'_>, size: Size, category_id: i64, parts: &[Part]) -> io::Result<()> {
        if parts.iter().any(|p| p.len() > 1) {
            // With holes: only pixels can say it.
            let Some(mask) = Mask::from_polygon(parts, size) else {
                self.drop(image);
                return Ok(());
            };
            self.written.holes += 1;
            return self.mask(image, category_id, &mask);
        }
        let rings: Vec<&[Vertex]> = parts.iter().flatten().map(Vec::as_slice).collect();
        // Too small to hold the middle of a pixel: its own area.
        let area = Mask::from_rings(rings.iter().copied(), size)
            .map_or_else(|| polygon::area(parts), |m| m.area() as f64);
        let flat = rings.iter().map(|r| r.as_flattened()).collect();
        let r = polygon::bounds(parts);
        self.put(&AnnotationRecord {
            id: self.written.annotations + 1,
            image_id: image.id,
            category_id,
            segmentation: Some(Segmentation::Parts(flat)),
            area,
            bbox: [r.x, r.y, r.w, r.h],
            iscrowd: 0,
        })
    }

    fn mask(&mut self, image: &Image<'_>, category_id: i64, mask: &Mask) -> io::Result<()> {
        let (Ok(width), Ok(height)) = (u32::try_from(image.width), u32::try_from(image.height)) else {
            self.drop(image);
            return Ok(());
        };
        let r = mask.window();
        self.put(&AnnotationRecord {
            id: self.written.annotations + 1,
            image_id: image.id,
            category_id,
            segmentation: Some(Segmentation::Runs {
                size: [image.height, image.width],
                counts: mask.full_text(width, height),
            }),
            area: mask.area() as f64,
            bbox: [r.x, r.y, r.w, r.h],
            iscrowd: 0,
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
