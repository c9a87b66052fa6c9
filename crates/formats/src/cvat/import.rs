//! Reads CVAT for images 1.1, image by image, and CVAT for video 1.1, track by track, in one pass.

use super::attributes::Definition;
use super::drawing::Drawing;
use super::export::OCCLUDED;
use super::groups::{self, Drawn};
use super::shapes::{Attributes, Refusal, shape};
use super::skeletons::{Labels, Pose};
use super::tracks::Track;
use crate::attributes::ImportedAttributes;
use crate::error::FormatError;
use crate::findings::{Detail, Findings, quote};
use crate::model::{Imported, ImportedAnnotation, ImportedCategory, ImportedImage, ImportedShape};
use crate::names::stem;
use crate::read::Lines;
use limn_domain::attribute::{self, ATTRIBUTES_MAX};
use limn_domain::{Attribute, AttributeKind, AttributeValue, validate};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::collections::{BTreeSet, HashMap};
use std::io::Read;
use std::sync::Arc;

/// Most bytes of one tag with its attributes, or of the text between two tags.
const TAG_MAX: u64 = 64 << 20;
const DEPTH_MAX: usize = 64;
const IMAGES_MAX: usize = 2_000_000;
const LABELS_MAX: usize = 5_000_000;
const CATEGORIES_MAX: usize = 10_000;
/// Longest text kept of an element.
const TEXT_MAX: usize = 64 << 10;
/// The same of the drawing of a skeleton.
const SVG_MAX: usize = 1 << 20;

/// Reads a file. Entities of its own are not expanded. Errors: it is no such file, or reading fails underneath.
pub fn read<R: Read>(reader: R, findings: &mut Findings) -> Result<Imported, FormatError> {
    let mut xml = Reader::from_reader(Lines::new(reader, TAG_MAX));
    xml.config_mut().allow_dangling_amp = true;
    let mut gather = Gather::default();
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        xml.get_mut().record();
        let line = xml.get_ref().line();
        match xml.read_event_into(&mut buffer) {
            Ok(Event::Start(tag)) => {
                if gather.path.len() >= DEPTH_MAX {
                    let why = format!("elements are nested more than {DEPTH_MAX} deep");
                    return gather.broken(line, &why, findings);
                }
                gather.open(&tag, line, findings);
                gather.path.push(tag.name().as_ref().to_vec());
                gather.text.clear();
            }
            Ok(Event::Empty(tag)) => {
                gather.open(&tag, line, findings);
                if gather.path.len() == 1 || tag.name().as_ref() == b"attribute" {
                    gather.text.clear();
                    gather.close(tag.name().as_ref(), line, findings);
                } else if gather.path.len() == 2 {
                    // A skeleton without keypoints is refused.
                    gather.pose_end(findings);
                    if gather.in_image {
                        gather.values_end();
                    }
                }
            }
            Ok(Event::End(tag)) => {
                if gather.path.pop().is_none() {
                    return gather.broken(line, "an element is closed that was never opened", findings);
                }
                gather.close(tag.name().as_ref(), line, findings);
            }
            Ok(Event::Text(t)) => gather.text(&String::from_utf8_lossy(&t)),
            Ok(Event::CData(t)) => gather.text(&String::from_utf8_lossy(&t)),
            Ok(Event::GeneralRef(r)) => {
                let c = match &*r {
                    b"amp" => Some('&'),
                    b"lt" => Some('<'),
                    b"gt" => Some('>'),
                    b"quot" => Some('"'),
                    b"apos" => Some('\''),
                    _ => r.resolve_char_ref().ok().flatten(),
                };
                if let Some(c) = c {
                    gather.text(c.encode_utf8(&mut [0; 4]));
                }
            }
            Ok(Event::Eof) => {
                if !gather.path.is_empty() {
                    return gather.broken(line, "it ends before its elements are closed", findings);
                }
                return gather.finish(findings);
            }
            Ok(_) => {}
            Err(quick_xml::Error::Io(e)) if e.kind() != std::io::ErrorKind::InvalidData => {
                let own = |e: Arc<std::io::Error>| std::io::Error::new(e.kind(), e.to_string());
                return Err(FormatError::Io(Arc::try_unwrap(e).unwrap_or_else(own)));
            }
            Err(e) => return gather.broken(line, &e.to_string(), findings),
        }
    }
}

/// A label of `meta`.
#[derive(Default)]
struct Label {
    name: String,
    /// The skeleton that it is a keypoint of; empty for others.
    parent: String,
    color: String,
    attributes: Vec<Attribute>,
    /// The drawing of a skeleton.
    svg: String,
}

#[derive(Default)]
struct Gather {
    path: Vec<Vec<u8>>,
    text: String,
    is_cvat: bool,
    out: Imported,
    by_name: HashMap<String, u32>,
    /// The image under way.
    labels: Vec<Drawn>,
    in_image: bool,
    /// The label whose element is open, in `labels`.
    current: Option<usize>,
    /// The name of the attribute whose element is open, and the values of the current label so far.
    attribute: Option<String>,
    values: ImportedAttributes,
    /// The current label is occluded; categories of such labels.
    is_occluded: bool,
    occluded: BTreeSet<u32>,
    /// The label of `meta` that is open, and its attribute; keypoints of skeletons.
    defining: Label,
    definition: Definition,
    skeletons: Labels,
    /// The skeleton that is open.
    pose: Option<Pose>,
    /// The track that is open.
    track: Option<Track>,
    about: About,
}

/// What `meta` says of the video.
#[derive(Default)]
struct About {
    name: String,
    source: String,
    width: Option<f64>,
    height: Option<f64>,
    /// The video is among the images.
    made: bool,
}

impl Gather {
    fn text(&mut self, text: &str) {
        let is_svg = self.path.last().is_some_and(|element| element == b"svg");
        let most = if is_svg { SVG_MAX } else { TEXT_MAX };
        let room = most.saturating_sub(self.text.len());
        self.text.push_str(&text[..text.floor_char_boundary(room)]);
    }

    fn open(&mut self, tag: &BytesStart<'_>, line: u64, findings: &mut Findings) {
        let name = tag.name();
        let name = name.as_ref();
        match self.path.len() {
            0 => self.is_cvat = name == b"annotations",
            1 if self.is_cvat && name == b"track" => {
                self.track = Some(Track::new(&Attributes::of(tag), line));
            }
            1 if self.is_cvat && name == b"image" => {
                self.settle();
                self.image(&Attributes::of(tag), line, findings);
            }
            2 if name != b"attribute"
                && let Some(track) = &mut self.track =>
            {
                track.shape(&String::from_utf8_lossy(name), &Attributes::of(tag));
            }
            3 if (self.current.is_some() || self.pose.is_some() || self.track.is_some())
                && name == b"attribute" =>
            {
                self.attribute = Attributes::of(tag).text("name").map(str::to_owned);
            }
            3 if name == b"points"
                && let Some(pose) = &mut self.pose =>
            {
                pose.point(&Attributes::of(tag));
            }
            2 if self.in_image && name != b"attribute" => {
                self.current = None;
                self.pose = None;
                self.label(
                    &String::from_utf8_lossy(name),
                    &Attributes::of(tag),
                    line,
                    findings,
                );
            }
            _ => {}
        }
    }

    fn image(&mut self, attributes: &Attributes, line: u64, findings: &mut Findings) {
        if self.out.images.len() >= IMAGES_MAX {
            findings.refused("too_many", || {
                Detail::new(format!("Only the first {IMAGES_MAX} images of a file are taken.")).line(line)
            });
            return;
        }
        let Some(name) = attributes
            .text("name")
            .filter(|n| !n.trim().is_empty() && n.len() <= 4_096)
        else {
            findings.refused("no_file_name", || {
                Detail::new("The image has no name, so it cannot be found.").line(line)
            });
            return;
        };
        let size = attributes.number("width").zip(attributes.number("height"));
        self.out.images.push(ImportedImage {
            file_name: Some(name.to_owned()),
            size: size.filter(|(w, h)| *w >= 1.0 && *h >= 1.0),
            line,
            ..ImportedImage::default()
        });
        self.in_image = true;
    }

    fn close(&mut self, name: &[u8], line: u64, findings: &mut Findings) {
        let path: Vec<&[u8]> = self.path.iter().map(Vec::as_slice).collect();
        match (path.as_slice(), name) {
            ([b"annotations"], b"image") if self.in_image => {
                self.in_image = false;
                groups::join(&mut self.labels);
                self.settle();
            }
            ([b"annotations"], b"track") => self.track_end(findings),
            ([b"annotations", b"meta"], b"source") => self.about.source = std::mem::take(&mut self.text),
            ([b"annotations", b"meta", _], b"name") => self.about.name = std::mem::take(&mut self.text),
            ([b"annotations", b"meta", .., b"original_size"], b"width") => {
                self.about.width = self.text.trim().parse().ok();
            }
            ([b"annotations", b"meta", .., b"original_size"], b"height") => {
                self.about.height = self.text.trim().parse().ok();
            }
            ([b"annotations", b"image" | b"track", _], b"attribute") => {
                if let Some(name) = self.attribute.take() {
                    self.values
                        .put(&name, AttributeValue::Text(std::mem::take(&mut self.text)));
                }
            }
            ([b"annotations", b"image"], _) => {
                self.pose_end(findings);
                self.values_end();
            }
            ([b"annotations", b"meta", .., b"label"], b"name") => {
                self.defining.name = std::mem::take(&mut self.text);
            }
            ([b"annotations", b"meta", .., b"label"], b"parent") => {
                self.text.trim().clone_into(&mut self.defining.parent);
            }
            ([b"annotations", b"meta", .., b"label"], b"color") => {
                self.defining.color = self.text.trim().to_lowercase();
            }
            ([b"annotations", b"meta", .., b"label"], b"svg") => {
                self.defining.svg = std::mem::take(&mut self.text);
            }
            ([b"annotations", b"meta", ..], b"label") => self.defined(line, findings),
            ([b"annotations", b"meta", .., b"label", b"attributes", b"attribute"], element) => {
                self.definition.take(element, &self.text);
            }
            ([b"annotations", b"meta", .., b"label", b"attributes"], b"attribute") => {
                std::mem::take(&mut self.definition).finish(&mut self.defining.attributes);
            }
            _ => {}
        }
        self.text.clear();
    }

    /// The labels of the item under way are complete.
    fn settle(&mut self) {
        // Higher lies above; equal ones in the file's order.
        self.labels.sort_by_key(|drawn| drawn.z);
        self.out
            .annotations
            .extend(self.labels.drain(..).map(|drawn| drawn.label));
    }

    /// A track is complete. The first one of a file makes its video, called as `meta` or the file's folder says.
    fn track_end(&mut self, findings: &mut Findings) {
        let Some(track) = self.track.take() else { return };
        if !std::mem::replace(&mut self.about.made, true) {
            self.settle();
            let folder = findings.file().rsplit_once('/').map_or("", |(dir, _)| dir);
            let own = folder.rsplit('/').next().unwrap_or_default();
            let mut names: Vec<String> = [self.about.source.trim(), self.about.name.trim(), own, stem(own)]
                .into_iter()
                .filter(|n| !n.is_empty() && n.len() <= 4_096)
                .map(str::to_owned)
                .collect();
            names.dedup();
            let first = if names.is_empty() {
                "video".to_owned()
            } else {
                names.remove(0)
            };
            self.out.images.push(ImportedImage {
                file_name: Some(first),
                alternatives: names,
                size: self
                    .about
                    .width
                    .zip(self.about.height)
                    .filter(|(w, h)| *w >= 1.0 && *h >= 1.0),
                line: track.line,
                ..ImportedImage::default()
            });
        }
        let (label, z, line) = (track.label.clone(), track.z, track.line);
        match track.finish() {
            Ok(shape) => {
                self.add("track", label, (z, 0), shape, line, findings);
                self.values_end();
            }
            Err((code, why)) => {
                let index = self.labels.len();
                findings.refused(code, || {
                    Detail::new(why).line(line).record(format!("track[{index}]"))
                });
            }
        }
        self.values = ImportedAttributes::default();
    }

    /// A label of `meta` is complete. One with a parent is a keypoint of a skeleton.
    fn defined(&mut self, line: u64, findings: &mut Findings) {
        let label = std::mem::take(&mut self.defining);
        if !label.parent.is_empty() {
            return self.skeletons.add(label.parent, label.name);
        }
        match Drawing::read(&label.svg) {
            Ok(drawing) => self.skeletons.draw(label.name.trim(), drawing),
            Err(why) => findings.note("bad_drawing", || {
                let name = quote(&label.name);
                Detail::new(format!(
                    "The drawing (svg) of the skeleton `{name}` is not used: {why}."
                ))
                .line(line)
            }),
        }
        let Ok(name) = validate::name("category", &label.name) else {
            return;
        };
        let category = self.category(name, line);
        let Some(category) = category.and_then(|n| self.out.categories.get_mut(n as usize)) else {
            return;
        };
        let c = label.color;
        if c.len() == 7 && c.starts_with('#') && c[1..].bytes().all(|b| b.is_ascii_hexdigit()) {
            category.color = Some(c);
        }
        if category.attributes.is_empty() {
            category.attributes = label.attributes;
        }
    }

    /// A skeleton is complete: its keypoints in the order of `meta`, or of the first skeleton where that says nothing.
    fn pose_end(&mut self, findings: &mut Findings) {
        let Some(pose) = self.pose.take() else { return };
        let (kind, line, index) = ("skeleton", pose.line, self.labels.len());
        let known = self
            .by_name
            .get(&pose.label)
            .and_then(|n| self.out.categories.get(*n as usize));
        let known = known.and_then(|c| c.skeleton.clone());
        let refuse = |findings: &mut Findings, (code, why): Refusal| {
            findings.refused(code, || {
                Detail::new(why).line(line).record(format!("{kind}[{index}]"))
            });
        };
        let skeleton = match known.map_or_else(|| self.skeletons.skeleton(&pose), Ok) {
            Ok(skeleton) => skeleton,
            Err(why) => return refuse(findings, why),
        };
        match pose.shape(&skeleton) {
            Ok(shape) => {
                self.add(kind, pose.label, (pose.z, pose.group), shape, line, findings);
                let drawn = self.current.and_then(|n| self.labels.get(n));
                if let Some(drawn) = drawn
                    && let Some(category) = self.out.categories.get_mut(drawn.label.category as usize)
                {
                    category.skeleton.get_or_insert(skeleton);
                }
            }
            Err(why) => refuse(findings, why),
        }
    }

    /// The current label has all its values. An attribute of the name says more than what CVAT says of every shape.
    fn values_end(&mut self) {
        let mut values = std::mem::take(&mut self.values);
        let is_occluded = std::mem::take(&mut self.is_occluded);
        let Some(drawn) = self.current.take().and_then(|n| self.labels.get_mut(n)) else {
            return;
        };
        if is_occluded
            && !values
                .0
                .iter()
                .any(|(name, _)| name.eq_ignore_ascii_case(OCCLUDED))
        {
            values.put(OCCLUDED, AttributeValue::Flag(true));
            self.occluded.insert(drawn.label.category);
        }
        drawn.label.attributes = values.boxed();
    }

    /// Defines what values of occluded labels need, where `meta` does not.
    fn define_occluded(&mut self) {
        for n in &self.occluded {
            let Some(category) = self.out.categories.get_mut(*n as usize) else {
                continue;
            };
            let list = &mut category.attributes;
            if list.len() < ATTRIBUTES_MAX && attribute::find(list, OCCLUDED).is_none() {
                list.push(Attribute {
                    key: OCCLUDED.to_owned(),
                    name: OCCLUDED.to_owned(),
                    kind: AttributeKind::Checkbox,
                    required: false,
                    default: None,
                });
            }
        }
    }

    fn category(&mut self, name: String, line: u64) -> Option<u32> {
        if let Some(n) = self.by_name.get(&name) {
            return Some(*n);
        }
        if self.out.categories.len() >= CATEGORIES_MAX {
            return None;
        }
        let n = self.out.categories.len() as u32;
        self.by_name.insert(name.clone(), n);
        self.out.categories.push(ImportedCategory {
            name: Some(name),
            line,
            ..ImportedCategory::default()
        });
        Some(n)
    }

    fn label(&mut self, kind: &str, attributes: &Attributes, line: u64, findings: &mut Findings) {
        let label = attributes.text("label").unwrap_or_default().to_owned();
        let whole = |name| attributes.number(name).map_or(0, |v| v as i64);
        self.is_occluded = matches!(
            attributes.text(OCCLUDED).map(str::trim),
            Some("1" | "true" | "True")
        );
        if kind == "skeleton" {
            self.pose = Some(Pose::new(label, (whole("z_order"), whole("group_id")), line));
            return;
        }
        let size = self.out.images.last().and_then(|i| i.size);
        match shape(kind, attributes, size) {
            Ok(shape) => self.add(
                kind,
                label,
                (whole("z_order"), whole("group_id")),
                shape,
                line,
                findings,
            ),
            Err((code, why)) => {
                let index = self.labels.len();
                findings.refused(code, || {
                    Detail::new(why).line(line).record(format!("{kind}[{index}]"))
                });
            }
        }
    }

    /// Adds a label to the image under way; `z` and `group` as the file says them.
    fn add(
        &mut self,
        kind: &str,
        label: String,
        (z, group): (i64, i64),
        shape: ImportedShape,
        line: u64,
        findings: &mut Findings,
    ) {
        let index = self.labels.len() as u32;
        let refuse = |findings: &mut Findings, (code, why): Refusal| {
            findings.refused(code, || {
                Detail::new(why).line(line).record(format!("{kind}[{index}]"))
            });
        };
        if self.out.annotations.len() + self.labels.len() >= LABELS_MAX {
            return refuse(
                findings,
                (
                    "too_many",
                    format!("Only the first {LABELS_MAX} labels of a file are taken."),
                ),
            );
        }
        let name = match validate::name("category", &label) {
            Ok(name) => name,
            Err(why) => {
                return refuse(
                    findings,
                    ("bad_name", format!("The label's name cannot be used. {why}")),
                );
            }
        };
        let Some(category) = self.category(name, line) else {
            return refuse(
                findings,
                (
                    "too_many",
                    format!("Only {CATEGORIES_MAX} labels can be told apart."),
                ),
            );
        };
        self.current = Some(self.labels.len());
        self.labels.push(Drawn {
            z,
            group,
            label: ImportedAnnotation {
                image: self.out.images.len() as u32 - 1,
                category,
                shape,
                score: None,
                attributes: None,
                id: None,
                index,
                line: u32::try_from(line).unwrap_or(0),
                links: None,
            },
        });
    }

    fn broken(mut self, line: u64, why: &str, findings: &mut Findings) -> Result<Imported, FormatError> {
        if !self.is_cvat {
            return self.finish(findings);
        }
        if self.in_image {
            // What was complete of the image is taken.
            self.path = vec![b"annotations".to_vec()];
            self.close(b"image", line, findings);
        }
        findings.refused("bad_xml", || {
            Detail::new(format!(
                "The XML is broken here ({why}); what stands before it was taken."
            ))
            .line(line)
        });
        self.finish(findings)
    }

    fn finish(mut self, findings: &Findings) -> Result<Imported, FormatError> {
        self.settle();
        self.define_occluded();
        if self.is_cvat {
            for category in self.out.categories.iter_mut().filter(|c| c.skeleton.is_none()) {
                // One that cannot be used was refused with the labels that need it.
                category.skeleton = self.skeletons.of(category.name.as_deref().unwrap_or_default());
            }
            Ok(self.out)
        } else {
            Err(FormatError::NotTheFormat(format!(
                "`{}` has no `annotations` element at its top, so it is not a CVAT file.",
                quote(findings.file())
            )))
        }
    }
}
