//! Tracks of a file in the frame of the video.

use super::{Fit, Placed};
use crate::ImportedShape;
use limn_domain::track::{KINDS, Keyframe};
use limn_domain::{Shape, track};

impl Fit {
    /// Every keyframe like a shape of a picture. Where nothing of one lies in the picture the object is outside.
    pub(super) fn place_track(&self, keyframes: &[Keyframe]) -> Placed {
        let mut out: Vec<Keyframe> = Vec::with_capacity(keyframes.len());
        let mut fixed = None;
        for k in keyframes {
            if !KINDS.contains(&k.shape.shape_kind()) {
                return Placed::Refused("track_kind", "a track holds a shape that cannot be in one");
            }
            if out.last().is_some_and(|last| last.frame >= k.frame) {
                return Placed::Refused("track_order", "the frames of the track do not ascend");
            }
            let placed = match &k.shape {
                // Between keyframes each point of a line has its counterpart, so none may go.
                Shape::Polyline { points } => {
                    self.place_points(points, 2, |points| Shape::Polyline { points })
                }
                shape => self.place(&ImportedShape::own(shape.clone(), (0, 0))),
            };
            let found = match placed {
                Placed::Box { rect, fixed: f } => Some((Shape::Box { rect }, f)),
                Placed::Polygon { parts, fixed: f } => Some((Shape::Polygon { parts }, f)),
                Placed::Other { shape, fixed: f } => Some((shape, f)),
                Placed::Refused(code @ ("not_a_number" | "box_empty"), why) if !k.outside => {
                    return Placed::Refused(code, why);
                }
                Placed::Whole | Placed::Mask { .. } | Placed::Refused(..) => None,
            };
            let keyframe = if let Some((shape, f)) = found {
                if !k.outside {
                    fixed = fixed.or(f);
                }
                Keyframe { shape, ..k.clone() }
            } else if let Some(last) = out.last() {
                if !k.outside {
                    fixed = Some("track_outside");
                }
                Keyframe {
                    shape: last.shape.clone(),
                    outside: true,
                    ..k.clone()
                }
            } else {
                fixed = Some("track_outside");
                continue;
            };
            if !(out.is_empty() && keyframe.outside) {
                out.push(keyframe);
            }
        }
        if track::first(&out).is_none() {
            return Placed::Refused("track_empty", "the track is nowhere in the picture");
        }
        Placed::Other {
            shape: Shape::Track { keyframes: out },
            fixed,
        }
    }
}
