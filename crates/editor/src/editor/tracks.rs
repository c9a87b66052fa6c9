//! What is done to whole tracks: where they are there, their keyframes, one out of two and two out of one.

use super::Editor;
use crate::command::{Change, Edit, Kind};
use limn_domain::track::{self, Keyframe};
use limn_domain::{Annotation, AnnotationId, CategoryId, Shape};

/// A track as the timeline shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Lane {
    pub id: AnnotationId,
    pub category: CategoryId,
    pub selected: bool,
    /// Frames of keyframes, and whether the object is outside from there.
    pub keys: Vec<(u32, bool)>,
    /// Stretches on which the object is there: first frame, the one after the last, and whether it is occluded.
    pub spans: Vec<(u32, u32, bool)>,
}

/// The stretches on which a track is there, apart where it begins or ends to be occluded.
fn stretches(keyframes: &[Keyframe], frames: u32) -> Vec<(u32, u32, bool)> {
    let mut out: Vec<(u32, u32, bool)> = Vec::new();
    for (n, k) in keyframes.iter().enumerate().filter(|(_, k)| !k.outside) {
        let end = keyframes.get(n + 1).map_or(frames, |next| next.frame);
        match out.last_mut() {
            Some(last) if last.1 == k.frame && last.2 == k.occluded => last.1 = end,
            _ => out.push((k.frame, end, k.occluded)),
        }
    }
    out
}

impl Editor {
    /// Selects a track whether it is on the frame in view or not.
    pub fn select_track(&mut self, id: AnnotationId, add: bool) {
        if !self.stored().contains(id) {
            return;
        }
        if add {
            self.selection.toggle(id);
        } else {
            self.selection.set(id);
        }
        self.history.seal();
        self.epochs.selection += 1;
    }

    /// The tracks of a video, by where they begin.
    pub fn lanes(&self) -> Vec<Lane> {
        let Some(frames) = self.frames() else {
            return Vec::new();
        };
        let mut lanes: Vec<Lane> = self
            .stored()
            .iter()
            .filter(|a| matches!(a.shape, Shape::Track { .. }))
            .map(|a| {
                let keyframes = a.shape.keyframes();
                Lane {
                    id: a.id,
                    category: a.category_id,
                    selected: self.selection.contains(a.id),
                    keys: keyframes.iter().map(|k| (k.frame, k.outside)).collect(),
                    spans: stretches(keyframes, frames),
                }
            })
            .collect();
        lanes.sort_by_key(|l| (l.keys.first().map(|k| k.0), l.id));
        lanes
    }

    /// Selected tracks that may be changed.
    fn own_tracks(&self) -> Vec<&Annotation> {
        let doc = self.stored();
        self.selection
            .iter()
            .filter_map(|id| doc.get(id))
            .filter(|a| matches!(a.shape, Shape::Track { .. }) && self.layers.can_edit(a))
            .collect()
    }

    fn run_on_tracks(&mut self, kind: Kind, edits: Vec<Edit>) -> bool {
        if self.read_only || edits.is_empty() {
            return false;
        }
        self.cancel();
        let about = None;
        self.carry_out(Change { kind, edits, about }, false)
    }

    /// Changes the keyframes of every selected track by `f`, which says whether it did.
    fn change_tracks(&mut self, kind: Kind, f: impl Fn(&mut Vec<Keyframe>) -> bool) -> bool {
        let edits = self
            .own_tracks()
            .into_iter()
            .filter_map(|a| {
                let mut keyframes = a.shape.keyframes().to_vec();
                f(&mut keyframes).then(|| edit(a, keyframes))
            })
            .collect();
        self.run_on_tracks(kind, edits)
    }

    /// Whether any of the selected tracks is there on the frame in view.
    pub fn is_inside(&self) -> bool {
        let frame = self.frame();
        let tracks = self.own_tracks();
        tracks
            .iter()
            .any(|a| track::at(a.shape.keyframes(), frame).is_some())
    }

    /// Whether all selected tracks that are there have something in front of them.
    pub fn is_occluded(&self) -> bool {
        let frame = self.frame();
        let mut seen = self
            .own_tracks()
            .into_iter()
            .filter_map(|a| track::at(a.shape.keyframes(), frame))
            .peekable();
        seen.peek().is_some() && seen.all(|s| s.occluded)
    }

    /// Whether something is in front of an object on the frame in view.
    pub fn is_behind(&self, id: AnnotationId) -> bool {
        let frame = self.frame();
        let track = self.video.as_ref().and_then(|v| v.doc.get(id));
        track.is_some_and(|a| track::ruling(a.shape.keyframes(), frame).is_some_and(|k| k.occluded))
    }

    /// Whether the frame in view is a keyframe of a selected track.
    pub fn is_on_keyframe(&self) -> bool {
        let frame = self.frame();
        self.own_tracks()
            .iter()
            .any(|a| track::is_key(a.shape.keyframes(), frame))
    }

    /// The selected objects leave the picture here; those that are not there are back, or begin here.
    pub fn toggle_outside(&mut self) -> bool {
        let (frame, inside) = (self.frame(), self.is_inside());
        self.change_tracks(Kind::Outside, |k| {
            if inside || track::ruling(k, frame).is_some() {
                return track::set_outside(k, frame, inside);
            }
            let first = k.first().map(|k| k.shape.clone());
            if let Some(shape) = first {
                track::set(k, frame, shape);
            }
            true
        })
    }

    /// Something is in front of the selected objects from here, or nothing is.
    pub fn toggle_occluded(&mut self) -> bool {
        let (frame, on) = (self.frame(), !self.is_occluded());
        self.change_tracks(Kind::Occlude, |k| track::set_occluded(k, frame, on))
    }

    /// Makes the frame in view a keyframe of the selected tracks, or takes it away from those.
    pub fn toggle_keyframe(&mut self) -> bool {
        let (frame, on) = (self.frame(), self.is_on_keyframe());
        self.change_tracks(Kind::Keyframe, |k| {
            if on {
                track::remove(k, frame)
            } else {
                track::fix(k, frame)
            }
        })
    }

    /// The selected objects are on the frame in view and on no other.
    pub fn only_here(&mut self) -> bool {
        let frame = self.frame();
        let Some(frames) = self.frames() else { return false };
        self.change_tracks(Kind::Outside, |k| match track::only(k, frame, frames) {
            Some(one) if one != *k => {
                *k = one;
                true
            }
            _ => false,
        })
    }

    /// Cuts the selected tracks in two at the frame in view; the second parts are selected.
    pub fn split_selected(&mut self) -> bool {
        let frame = self.frame();
        let (mut edits, mut new) = (Vec::new(), Vec::new());
        for a in self.own_tracks() {
            let Some((left, right)) = track::split(a.shape.keyframes(), frame) else {
                continue;
            };
            let mut second = crate::command::confirmed(a.clone());
            second.id = AnnotationId::new();
            second.shape = Shape::Track { keyframes: right };
            second.links.relations.clear();
            new.push(second.id);
            edits.push(edit(a, left));
            edits.push(Edit {
                id: second.id,
                before: None,
                after: Some(second),
            });
        }
        let done = self.run_on_tracks(Kind::Split, edits);
        if done {
            self.selection.set_all(new);
            self.epochs.selection += 1;
        }
        done
    }

    /// Makes the two selected tracks one. Errors: why they cannot be.
    pub fn merge_selected(&mut self) -> Result<bool, String> {
        let Some(frames) = self.frames() else {
            return Ok(false);
        };
        let tracks = self.own_tracks();
        let [a, b] = tracks[..] else {
            return Err(
                "Select the two tracks to merge: Shift and a click adds one, also on another frame."
                    .to_owned(),
            );
        };
        if a.category_id != b.category_id {
            return Err(
                "The two tracks are of different categories; give them the same one first.".to_owned(),
            );
        }
        let (a, b) = if track::first(a.shape.keyframes()) <= track::first(b.shape.keyframes()) {
            (a, b)
        } else {
            (b, a)
        };
        let one = track::merge(a.shape.keyframes(), b.shape.keyframes(), frames).map_err(|frame| {
            format!("Both objects are there on frame {frame}; let the first leave before the second begins.")
        })?;
        let (kept, gone) = (a.id, b.id);
        let mut edits = vec![
            edit(a, one),
            Edit {
                id: gone,
                before: Some(b.clone()),
                after: None,
            },
        ];
        // Relations to what is no more go with it.
        for e in &mut edits {
            if let Some(a) = &mut e.after {
                a.links.relations.retain(|r| r.to != gone);
            }
        }
        for a in self.stored().iter() {
            if a.id != kept && a.id != gone && a.links.relations.iter().any(|r| r.to == gone) {
                let mut after = a.clone();
                after.links.relations.retain(|r| r.to != gone);
                edits.push(Edit {
                    id: a.id,
                    before: Some(a.clone()),
                    after: Some(after),
                });
            }
        }
        let done = self.run_on_tracks(Kind::Merge, edits);
        if done {
            self.selection.set(kept);
            self.epochs.selection += 1;
        }
        Ok(done)
    }

    /// Shows the keyframe before or after the frame in view: of the selected tracks, or of all.
    pub fn step_keyframe(&mut self, forward: bool) -> bool {
        let frame = self.frame();
        let doc = self.stored();
        let selected: Vec<&Annotation> = self.selection.iter().filter_map(|id| doc.get(id)).collect();
        let of: Vec<&Annotation> = if selected.is_empty() {
            doc.iter().collect()
        } else {
            selected
        };
        let near = of
            .into_iter()
            .filter_map(|a| track::neighbour(a.shape.keyframes(), frame, forward));
        let to = if forward { near.min() } else { near.max() };
        to.is_some_and(|to| self.go_to_frame(to))
    }
}

/// The track with other keyframes; a proposal that somebody changes is a label.
fn edit(a: &Annotation, keyframes: Vec<Keyframe>) -> Edit {
    let mut after = crate::command::confirmed(a.clone());
    after.shape = Shape::Track { keyframes };
    Edit {
        id: a.id,
        before: Some(a.clone()),
        after: Some(after),
    }
}
