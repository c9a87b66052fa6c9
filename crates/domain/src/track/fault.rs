//! What stands in the way of a track.

use super::{CORNERS_MAX, KEYFRAMES_MAX, KINDS, Keyframe};
use crate::annotation::{Shape, ShapeKind};

/// What is wrong with a track; goes on after `keyframes`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("are none; a track needs at least one")]
    Empty,
    #[error("are more than {KEYFRAMES_MAX}")]
    TooMany,
    #[error("have more than {CORNERS_MAX} corners and points together")]
    TooLarge,
    #[error("[{at}].frame is {frame}, beyond the last frame of the video ({last})")]
    BeyondTheEnd { at: usize, frame: u32, last: u32 },
    #[error("[{at}].frame is {frame}, which must be after the frame of the keyframe before it")]
    NotAscending { at: usize, frame: u32 },
    #[error("[{at}].shape is a {}, which cannot be in a track", .kind.label())]
    Kind { at: usize, kind: ShapeKind },
    #[error("are all outside; the object would never be there")]
    NeverThere,
    #[error("begin outside; a track begins where the object is there")]
    BeginsOutside,
}

fn corners(shape: &Shape) -> usize {
    match shape {
        Shape::Polygon { parts } => parts.iter().flatten().map(Vec::len).sum(),
        Shape::Polyline { points } | Shape::Points { points } => points.len(),
        Shape::Keypoints { keypoints } => keypoints.len(),
        _ => 1,
    }
}

/// Checks everything about a track but the shapes themselves, in a video of `frames`.
pub fn check(keyframes: &[Keyframe], frames: u32) -> Result<(), Fault> {
    let first = keyframes.first().ok_or(Fault::Empty)?;
    if keyframes.len() > KEYFRAMES_MAX {
        return Err(Fault::TooMany);
    }
    if keyframes.iter().map(|k| corners(&k.shape)).sum::<usize>() > CORNERS_MAX {
        return Err(Fault::TooLarge);
    }
    if keyframes.iter().all(|k| k.outside) {
        return Err(Fault::NeverThere);
    }
    if first.outside {
        return Err(Fault::BeginsOutside);
    }
    for (at, k) in keyframes.iter().enumerate() {
        let frame = k.frame;
        if frame >= frames {
            let last = frames.saturating_sub(1);
            return Err(Fault::BeyondTheEnd { at, frame, last });
        }
        if at.checked_sub(1).is_some_and(|b| keyframes[b].frame >= frame) {
            return Err(Fault::NotAscending { at, frame });
        }
        let kind = k.shape.shape_kind();
        if !KINDS.contains(&kind) {
            return Err(Fault::Kind { at, kind });
        }
    }
    Ok(())
}
