//! A `<track>` of CVAT for video while it is read.

use super::shapes::{Attributes, Refusal, shape};
use crate::model::{ImportedOutline, ImportedShape};
use limn_domain::track::{KEYFRAMES_MAX, Keyframe};
use limn_domain::{Shape, video};

/// A track under way.
#[derive(Debug)]
pub(super) struct Track {
    pub label: String,
    pub z: i64,
    pub line: u64,
    keyframes: Vec<Keyframe>,
    /// The first thing that is wrong with it.
    fault: Option<Refusal>,
}

impl Track {
    pub fn new(attributes: &Attributes, line: u64) -> Self {
        Self {
            label: attributes.text("label").unwrap_or_default().to_owned(),
            z: 0,
            line,
            keyframes: Vec::new(),
            fault: None,
        }
    }

    /// A shape of the track on a frame; those between keyframes say nothing new.
    pub fn shape(&mut self, kind: &str, attributes: &Attributes) {
        if self.fault.is_none()
            && let Err(why) = self.try_shape(kind, attributes)
        {
            self.fault = Some(why);
        }
    }

    fn try_shape(&mut self, kind: &str, attributes: &Attributes) -> Result<(), Refusal> {
        let is = |name| attributes.text(name).map(|v| v.trim() == "1");
        if is("keyframe") == Some(false) {
            return Ok(());
        }
        let frame = attributes
            .whole("frame")
            .filter(|f| (*f as usize) < video::FRAMES_MAX);
        let frame = frame.ok_or_else(|| {
            (
                "bad_frame",
                "A shape of the track needs its frame, from 0.".to_owned(),
            )
        })?;
        if self.keyframes.len() >= KEYFRAMES_MAX {
            return Err((
                "too_many",
                format!("The track has more than {KEYFRAMES_MAX} keyframes."),
            ));
        }
        let shape = match shape(kind, attributes, None)? {
            ImportedShape::Box(rect) => Shape::Box { rect },
            ImportedShape::Other(shape) => *shape,
            ImportedShape::Outline(outline) => match *outline {
                ImportedOutline::Polygons(rings) => Shape::Polygon {
                    parts: rings.into_iter().map(|ring| vec![ring]).collect(),
                },
                ImportedOutline::Parts(parts) => Shape::Polygon { parts },
                ImportedOutline::Mask { .. } => return Err(unknown(kind)),
            },
            ImportedShape::Whole | ImportedShape::Corners(_) => return Err(unknown(kind)),
        };
        if self.keyframes.is_empty() {
            self.z = attributes.number("z_order").map_or(0, |v| v as i64);
        }
        self.keyframes.push(Keyframe {
            frame,
            shape,
            outside: is("outside") == Some(true),
            occluded: is("occluded") == Some(true),
        });
        Ok(())
    }

    /// The whole of it, in the order of frames.
    pub fn finish(mut self) -> Result<ImportedShape, Refusal> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        self.keyframes.sort_by_key(|k| k.frame);
        self.keyframes.dedup_by_key(|k| k.frame);
        if self.keyframes.is_empty() {
            return Err(("track_empty", "The track has no keyframes.".to_owned()));
        }
        Ok(ImportedShape::Other(Box::new(Shape::Track {
            keyframes: self.keyframes,
        })))
    }
}

fn unknown(kind: &str) -> Refusal {
    (
        "kind_unknown",
        format!(
            "A `{}` in a track is not imported; boxes, polygons, lines, points and ellipses are.",
            crate::findings::quote(kind)
        ),
    )
}
