//! Labels of a file find their item and its frame.

use super::attributes::{self, Losses};
use super::categories::Target;
use super::pixels;
use limn_domain::project::Task;
use limn_domain::{Attributes, CategoryId, ItemId, Mask, Rect, Shape, ShapeKind, Size};
use limn_formats::names::{Found, NameIndex};
use limn_formats::{Detail, Findings, Fit, ImportedAnnotation, ImportedImage, ImportedLinks, Placed};
use limn_store::repo::transfer::TargetItem;
use std::collections::HashMap;

/// A box that leaves at most this many pixels of the image free is a label of the whole image.
const WHOLE_SLACK: f64 = 0.5;

/// An item labels can go to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::jobs) struct Known {
    pub id: ItemId,
    pub width: f64,
    pub height: f64,
    pub orientation: u8,
    /// Unicode scalar values of a document, frames of a video.
    pub length: i64,
}

impl Known {
    /// The number of frames of a video; `None` for a picture or a document.
    fn frames(self) -> Option<u32> {
        // Documents have no width.
        (self.width > 0.0 && self.length > 0).then(|| u32::try_from(self.length).unwrap_or(u32::MAX))
    }
}

/// The project's items by name and by export id.
#[derive(Debug, Default)]
pub(super) struct Items {
    known: Vec<Known>,
    names: NameIndex<u32>,
    by_export_id: HashMap<i64, u32>,
}

impl Items {
    pub fn add(&mut self, item: &TargetItem) -> Known {
        let n = self.known.len() as u32;
        let known = Known {
            id: item.id,
            width: item.width as f64,
            height: item.height as f64,
            orientation: u8::try_from(item.orientation).unwrap_or(1),
            length: item.length,
        };
        self.known.push(known);
        self.names.insert(&item.name, n);
        self.by_export_id.insert(item.export_id, n);
        known
    }

    /// The item an image record means. One that cannot be told is in the findings, with its labels counted.
    pub fn find(
        &self,
        image: &ImportedImage,
        labels: &[ImportedAnnotation],
        findings: &mut Findings,
    ) -> Option<Known> {
        let Some(name) = &image.file_name else {
            let found = image.id.and_then(|id| self.by_export_id.get(&id));
            if found.is_none() {
                lost(
                    findings,
                    "missing_image",
                    image,
                    labels,
                    "no item of the project is exported under this id",
                );
            }
            return found.map(|n| self.known[*n as usize]);
        };
        let mut ambiguous = 0;
        for name in std::iter::once(name).chain(&image.alternatives) {
            let found = if image.without_extension {
                self.names.find_stem(name)
            } else {
                self.names.find(name)
            };
            match found {
                Found::Ambiguous(n) => ambiguous = n,
                Found::Missing => {}
                found => {
                    if let Found::Stem(_) = found
                        && !image.without_extension
                    {
                        findings.note("other_extension", || {
                            Detail::new(format!(
                                "`{name}` was taken for the item of the same name with another extension."
                            ))
                            .line(image.line)
                        });
                    }
                    return found.item().map(|n| self.known[n as usize]);
                }
            }
        }
        if ambiguous > 0 {
            let why = format!("{ambiguous} items have this name in different folders; write the folder too");
            lost(findings, "ambiguous_image", image, labels, &why);
        } else {
            lost(
                findings,
                "missing_image",
                image,
                labels,
                "it is not in the project; upload the picture, then import again",
            );
        }
        None
    }
}

/// Notes an image whose item is not known; every label of it counts as refused.
fn lost(
    findings: &mut Findings,
    code: &'static str,
    image: &ImportedImage,
    labels: &[ImportedAnnotation],
    why: &str,
) {
    let n = labels.len();
    let detail = || {
        let what = match n {
            0 => "It has no labels.".to_owned(),
            1 => "Its label was left out.".to_owned(),
            n => format!("Its {n} labels were left out."),
        };
        Detail::new(format!("`{}`: {why}. {what}", image.label())).line(image.line)
    };
    if n == 0 {
        findings.note(code, detail);
    } else {
        findings.refused(code, detail);
        findings.report_mut().refused += i64::try_from(n - 1).unwrap_or(0);
    }
}

/// A label ready for its item.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::jobs) struct Label {
    pub category_id: CategoryId,
    pub shape: Shape,
    pub score: Option<f64>,
    pub attributes: Attributes,
    pub links: Option<Box<ImportedLinks>>,
}

/// Brings the labels of one image into the item's frame. What cannot be used is in the findings.
pub(in crate::jobs) fn labels(
    task: Task,
    item: Known,
    (image, normalised): (&ImportedImage, bool),
    labels: &[ImportedAnnotation],
    categories: &[Target],
    losses: &mut Losses,
    findings: &mut Findings,
) -> Vec<Label> {
    let fit = Fit::new(
        image.size,
        (item.width, item.height),
        item.orientation,
        normalised,
    );
    if let (Some(note), Some((w, h))) = (fit.note(), image.size)
        && !labels.is_empty()
    {
        frame(findings, note, image, (w, h), item);
    }
    let mut out: Vec<Label> = Vec::with_capacity(labels.len());
    for label in labels {
        let refuse = |findings: &mut Findings, code, why: &str| {
            findings.refused(code, || {
                Detail::new(why)
                    .line(u64::from(label.line))
                    .record(record(image, label))
            });
        };
        let (category_id, keypoints, defined) = match categories.get(label.category as usize) {
            Some(Target::Known(id, keypoints, attributes)) => (*id, *keypoints, attributes),
            Some(Target::Refused(why)) => {
                refuse(findings, "unknown_category", why);
                continue;
            }
            None => continue,
        };
        let shape = match fit.place(&label.shape) {
            Placed::Whole => Shape::Whole,
            Placed::Box { rect, fixed } => {
                if let Some(fixed) = fixed {
                    mended(findings, fixed, image, label);
                }
                Shape::Box { rect }
            }
            Placed::Polygon { parts, fixed } => {
                if let Some(fixed) = fixed {
                    mended(findings, fixed, image, label);
                }
                Shape::Polygon { parts }
            }
            Placed::Mask { mask } => Shape::Mask { mask },
            Placed::Other { shape, fixed } => {
                if let Some(fixed) = fixed {
                    mended(findings, fixed, image, label);
                }
                shape
            }
            Placed::Refused(code, why) => {
                refuse(findings, code, &capital(why));
                continue;
            }
        };
        let shape = if task == Task::Detection && matches!(shape, Shape::Polygon { .. } | Shape::Mask { .. })
        {
            findings.fixed("box_from_outline", || {
                Detail::new(
                    "The label is an outline, and this project is for boxes; the box around it was taken.",
                )
                .line(u64::from(label.line))
                .record(record(image, label))
            });
            Shape::Box {
                rect: shape.bounds().unwrap_or_default(),
            }
        } else {
            shape
        };
        let shape = match suited(task, shape, item, keypoints) {
            Ok(shape) => shape,
            Err((code, why)) => {
                refuse(findings, code, &why);
                continue;
            }
        };
        if !task.marks_objects() && out.iter().any(|l| l.category_id == category_id) {
            findings.note("repeated_label", || {
                Detail::new("The item has this category already; once is enough.")
                    .line(u64::from(label.line))
                    .record(record(image, label))
            });
            continue;
        }
        if task.takes_one() && !out.is_empty() {
            refuse(
                findings,
                "second_category",
                "The item has a category already, and this project takes one an item.",
            );
            continue;
        }
        let place = attributes::Place {
            file: findings.file(),
            line: u64::from(label.line),
            record: &|| record(image, label),
        };
        out.push(Label {
            category_id,
            shape,
            score: label.score,
            attributes: attributes::matched(defined, label.attributes.as_deref(), &place, losses),
            links: label.links.clone(),
        });
    }
    if task == Task::Semantic {
        let (apart, merged) = pixels::apart(out);
        out = apart;
        if merged != pixels::Merged::default() {
            findings.note("pixels_merged", || {
                Detail::new(format!(
                    "`{}`: a pixel has one category and a category one mask here: {} labels went into the mask of their category, {} \
                     lost pixels to a later one.",
                    image.label(),
                    merged.joined,
                    merged.covered
                ))
                .line(image.line)
            });
        }
    }
    out
}

/// The shape as the project labels. Errors: stable name and sentence of why it cannot.
fn suited(
    task: Task,
    shape: Shape,
    item: Known,
    keypoints: Option<usize>,
) -> Result<Shape, (&'static str, String)> {
    match (shape, item.frames()) {
        (Shape::Track { keyframes }, Some(frames)) => {
            super::tracks::suited(task, keyframes, frames, keypoints)
        }
        (Shape::Track { .. }, None) => Err((
            "not_a_video",
            "The label is a track, and its item is a picture; tracks go to videos.".to_owned(),
        )),
        (_, Some(_)) => Err((
            "not_a_track",
            "The item is a video, whose labels are tracks; import them as MOT, CVAT for video or JSONL."
                .to_owned(),
        )),
        (shape, None) => suited_shape(task, shape, item, keypoints),
    }
}

fn suited_shape(
    task: Task,
    shape: Shape,
    item: Known,
    keypoints: Option<usize>,
) -> Result<Shape, (&'static str, String)> {
    if let Shape::Keypoints { keypoints: list } = &shape {
        let have = list.len();
        match keypoints {
            _ if !task.allows(ShapeKind::Keypoints) => {}
            Some(want) if want == have => {}
            Some(want) => {
                let why = format!("The label has {have} keypoints; the skeleton of its category has {want}.");
                return Err(("keypoint_count", why));
            }
            None => {
                let why = "The category of the label has no skeleton; give it one, or a file whose categories have one.";
                return Err(("no_skeleton", why.to_owned()));
            }
        }
    }
    if let Shape::Span { start, end } = shape
        && i64::from(end) > item.length
    {
        let length = item.length;
        return Err((
            "span_outside",
            format!("The span from {start} to {end} ends beyond the document's {length} characters."),
        ));
    }
    match shape {
        shape if task.allows(shape.shape_kind()) => Ok(shape),
        // One category a pixel: outlines become what they cover.
        Shape::Polygon { parts } if task == Task::Semantic => {
            let size = Size {
                width: item.width,
                height: item.height,
            };
            Mask::from_polygon(&parts, size)
                .map(|mask| Shape::Mask { mask })
                .ok_or_else(|| ("outline_empty", "The outline covers no pixel.".to_owned()))
        }
        Shape::Box { rect } if !task.marks_objects() && covers(rect, item) => Ok(Shape::Whole),
        shape => Err((unsuited(task), {
            let wanted = match task {
                Task::Detection => "boxes",
                Task::Segmentation => "outlines",
                Task::Semantic => "pixels",
                Task::Keypoints => "keypoints",
                Task::Objects => "objects",
                Task::Classification | Task::Multilabel => "labels of whole images",
                Task::TextClassification | Task::TextMultilabel => "labels of whole documents",
                Task::Entities => "spans",
            };
            format!(
                "The label is a {}, and this project is for {wanted}.",
                shape.shape_kind().label()
            )
        })),
    }
}

/// The stable name of the finding that a label is of another kind.
const fn unsuited(task: Task) -> &'static str {
    match task {
        Task::Detection => "not_a_box",
        Task::Segmentation | Task::Semantic => "not_an_outline",
        Task::Keypoints => "not_keypoints",
        Task::Objects => "not_an_object",
        Task::Classification | Task::Multilabel | Task::TextClassification | Task::TextMultilabel => {
            "not_whole"
        }
        Task::Entities => "not_a_span",
    }
}

/// What to call a label in messages.
fn record(image: &ImportedImage, label: &ImportedAnnotation) -> String {
    // VOC counts objects; it has no ids.
    if image.id.is_none() && label.id.is_none() {
        format!("object[{}]", label.index)
    } else {
        label.record()
    }
}

fn covers(rect: Rect, item: Known) -> bool {
    rect.x <= WHOLE_SLACK
        && rect.y <= WHOLE_SLACK
        && rect.right() >= item.width - WHOLE_SLACK
        && rect.bottom() >= item.height - WHOLE_SLACK
}

fn frame(
    findings: &mut Findings,
    note: &'static str,
    image: &ImportedImage,
    declared: (f64, f64),
    item: Known,
) {
    let what = format!(
        "`{}`: the file says {} x {} pixels, the picture has {} x {}",
        image.label(),
        declared.0,
        declared.1,
        item.width,
        item.height
    );
    let line = image.line;
    match note {
        "turned" => findings.fixed("turned", || {
            Detail::new(format!("{what} once it is turned as its EXIF tag says; the boxes were turned too.")).line(line)
        }),
        "scaled" => findings.fixed("scaled", || Detail::new(format!("{what}; the boxes were scaled.")).line(line)),
        _ => findings.note("size_differs", || {
            Detail::new(format!("{what}, of another shape; the boxes were taken as they are. Check that it is the same picture."))
                .line(line)
        }),
    }
}

fn mended(findings: &mut Findings, code: &'static str, image: &ImportedImage, label: &ImportedAnnotation) {
    let why = match code {
        "outline_clipped" => "The outline reaches beyond the image and was cut to it.",
        "outline_crossing" => "The outline crosses itself, or its parts overlap; what they cover was taken.",
        "outline_part_left_out" => "A part of the outline has no area in the image and was left out.",
        "track_outside" => "The object is nowhere in the picture on some frames; it is outside there.",
        "points_clipped" => "Points beyond the image were moved onto its border.",
        "line_clipped" => "The line reaches beyond the image and was cut at its border.",
        "line_pieces" => "The line leaves the image and comes back; the longest of its pieces was taken.",
        "box_clipped" => "The box reaches beyond the image and was cut to it.",
        _ => "The box had a negative width or height; its corners were put in order.",
    };
    findings.fixed(code, || {
        Detail::new(why)
            .line(u64::from(label.line))
            .record(record(image, label))
    });
}

fn capital(sentence: &str) -> String {
    let mut chars = sentence.chars();
    let first: String = chars
        .next()
        .map(|c| c.to_uppercase().collect())
        .unwrap_or_default();
    format!("{first}{}.", chars.as_str().trim_end_matches('.'))
}
