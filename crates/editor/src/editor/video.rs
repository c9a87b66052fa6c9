//! Videos: tools, panels and selection work on the document as it is seen on one frame, single shapes as on a picture; what
//! they change goes into the tracks, which are what is stored, undone and saved.

use super::Editor;
use crate::command::{Change, Edit};
use crate::document::Document;
use crate::history::History;
use limn_domain::annotation::ItemAnnotations;
use limn_domain::track::{self, KINDS, Keyframe};
use limn_domain::{Annotation, Shape, Timestamp};

/// The tracks of a video, and the frame in view.
#[derive(Debug, Clone)]
pub(super) struct Video {
    pub doc: Document,
    /// How many there are; at least one.
    pub frames: u32,
    pub frame: u32,
}

/// What is saved: the tracks of a video, else the document itself.
pub(super) fn stored<'a>(video: Option<&'a Video>, doc: &'a Document) -> &'a Document {
    video.map_or(doc, |v| &v.doc)
}

/// The same, to be changed.
pub(super) fn stored_mut<'a>(video: Option<&'a mut Video>, doc: &'a mut Document) -> &'a mut Document {
    match video {
        Some(v) => &mut v.doc,
        None => doc,
    }
}

/// An annotation as it is seen on a frame; `None` where its track is not there.
pub(super) fn seen(a: &Annotation, frame: u32) -> Option<Annotation> {
    let shape = match &a.shape {
        Shape::Track { keyframes } => track::at(keyframes, frame)?.shape,
        other => other.clone(),
    };
    Some(Annotation { shape, ..a.clone() })
}

impl Video {
    /// The document as it is seen on the frame in view.
    fn view(&self) -> Document {
        let server = ItemAnnotations {
            item_id: self.doc.item_id(),
            revision: self.doc.revision(),
            updated_by: None,
            updated_by_name: None,
            updated_at: Timestamp(0),
            attributes: self.doc.about().clone(),
            annotations: self.doc.iter().filter_map(|a| seen(a, self.frame)).collect(),
        };
        Document::new(self.doc.task(), self.doc.size(), server)
    }

    /// What a change of the frame in view means for the tracks: a new shape begins a track, another shape is a keyframe, and
    /// what goes goes from all frames. `None` when nothing changes, or a shape cannot be in a track.
    pub fn lift(&self, change: Change) -> Option<Change> {
        let mut edits = Vec::with_capacity(change.edits.len());
        for e in change.edits {
            let before = self.doc.get(e.id).cloned();
            let after = match e.after {
                None => None,
                Some(a) => Some(self.lifted(before.as_ref(), e.before.as_ref(), a)?),
            };
            if before != after {
                edits.push(Edit {
                    id: e.id,
                    before,
                    after,
                });
            }
        }
        (!edits.is_empty() || change.about.is_some()).then_some(Change { edits, ..change })
    }

    /// A shape of the frame in view as a track.
    fn lifted(
        &self,
        track: Option<&Annotation>,
        before: Option<&Annotation>,
        mut a: Annotation,
    ) -> Option<Annotation> {
        let old = track.map(|t| &t.shape);
        let shape = match old {
            Some(Shape::Track { keyframes }) if before.is_some_and(|b| b.shape == a.shape) => Shape::Track {
                keyframes: keyframes.clone(),
            },
            _ if !KINDS.contains(&a.shape.shape_kind()) => return None,
            Some(Shape::Track { keyframes }) => {
                let mut keyframes = keyframes.clone();
                track::set(&mut keyframes, self.frame, a.shape);
                Shape::Track { keyframes }
            }
            _ => Shape::Track {
                keyframes: vec![Keyframe::new(self.frame, a.shape)],
            },
        };
        a.shape = shape;
        Some(a)
    }

    /// Where a change is to be seen: `None` when that is on the frame in view.
    pub fn frame_of(&self, change: &Change) -> Option<u32> {
        let edit = change.edits.first()?;
        let of = |a: &Option<Annotation>| {
            a.as_ref()
                .map(|a| a.shape.keyframes().to_vec())
                .unwrap_or_default()
        };
        let (before, after) = (of(&edit.before), of(&edit.after));
        let differ: Vec<u32> = before
            .iter()
            .filter(|k| !after.contains(k))
            .chain(after.iter().filter(|k| !before.contains(k)))
            .map(|k| k.frame)
            .collect();
        let there = if differ.is_empty() { &after } else { &before };
        if differ.contains(&self.frame) || (differ.is_empty() && track::at(there, self.frame).is_some()) {
            return None;
        }
        differ.into_iter().min().or_else(|| track::first(there))
    }
}

impl Editor {
    /// The workspace of a video of `frames` frames; `doc` holds tracks.
    pub fn new_video(doc: Document, history: History, frames: u32) -> Self {
        let video = Video {
            doc,
            frames: frames.max(1),
            frame: 0,
        };
        let mut editor = Self::new(video.view(), history);
        editor.video = Some(Box::new(video));
        editor
    }

    /// What is stored on the server: the tracks of a video, else what is worked on.
    pub fn stored(&self) -> &Document {
        stored(self.video.as_deref(), &self.doc)
    }

    /// For saves: acknowledging and starting them does not change what is shown.
    pub fn stored_mut(&mut self) -> &mut Document {
        stored_mut(self.video.as_deref_mut(), &mut self.doc)
    }

    /// The number of frames of a video; `None` for a picture or a document.
    pub fn frames(&self) -> Option<u32> {
        self.video.as_ref().map(|v| v.frames)
    }

    /// The frame in view, from 0.
    pub fn frame(&self) -> u32 {
        self.video.as_ref().map_or(0, |v| v.frame)
    }

    /// Makes the view of the frame anew.
    pub(super) fn see_frame(&mut self) {
        if let Some(v) = &self.video {
            self.doc = v.view();
        }
    }

    /// Shows a frame. What is being drawn is closed as if another item were opened. Says whether the frame is another one.
    pub fn go_to_frame(&mut self, frame: u32) -> bool {
        let Some(last) = self.frames().map(|n| n - 1) else {
            return false;
        };
        let frame = frame.min(last);
        if frame == self.frame() {
            return false;
        }
        self.finish_outline();
        self.cancel();
        self.history.seal();
        if let Some(v) = &mut self.video {
            v.frame = frame;
        }
        self.see_frame();
        if self.hover.is_some_and(|h| !self.doc.contains(h.id())) {
            self.hover = None;
        }
        self.epochs.frame += 1;
        self.epochs.look += 1;
        true
    }

    /// Shows a frame `by` frames on, or back.
    pub fn step_frames(&mut self, by: i64) -> bool {
        let to = i64::from(self.frame()).saturating_add(by).max(0);
        self.go_to_frame(u32::try_from(to).unwrap_or(u32::MAX))
    }

    /// Shows a frame on which an object is there, if it is not on the one in view.
    pub fn seek(&mut self, id: limn_domain::AnnotationId) {
        if self.doc.contains(id) {
            return;
        }
        let first = self
            .stored()
            .get(id)
            .and_then(|a| track::first(a.shape.keyframes()));
        if let Some(frame) = first {
            self.go_to_frame(frame);
        }
    }
}
