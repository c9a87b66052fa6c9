//! Tracks: one object through the frames of a video.
//!
//! A track is a list of keyframes, each a shape on a frame. Between two keyframes the shape is interpolated where the two are
//! alike (boxes with boxes, lines with as many points...); otherwise the earlier one holds. After the last keyframe it holds to
//! the end of the video. From a keyframe that is `outside` to the next one the object is not there, nor is it before the
//! first. Frames count from 0. All functions keep the list in the order of frames.

mod between;
mod fault;

pub use between::between;
pub use fault::{Fault, check};

use crate::annotation::{Shape, ShapeKind};
use crate::geometry::Rect;
use serde::{Deserialize, Serialize};

/// Most keyframes of one track.
pub const KEYFRAMES_MAX: usize = 20_000;
/// Most corners and points of all keyframes of one track.
pub const CORNERS_MAX: usize = 400_000;

/// The shape of a track on a frame, where somebody (or a file) said it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Keyframe {
    /// From 0.
    pub frame: u32,
    /// One of [`KINDS`].
    #[cfg_attr(feature = "openapi", schema(no_recursion))]
    pub shape: Shape,
    /// From here to the next keyframe the object is not in the picture; `shape` says where it went.
    #[serde(default, skip_serializing_if = "is_false")]
    pub outside: bool,
    /// From here to the next keyframe something is in front of it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub occluded: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
const fn is_false(v: &bool) -> bool {
    !*v
}

/// What a keyframe's shape can be.
pub const KINDS: [ShapeKind; 7] = [
    ShapeKind::Box,
    ShapeKind::RotatedBox,
    ShapeKind::Polygon,
    ShapeKind::Ellipse,
    ShapeKind::Polyline,
    ShapeKind::Points,
    ShapeKind::Keypoints,
];

/// A track as it is seen on one frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    pub shape: Shape,
    pub occluded: bool,
    /// The frame is a keyframe.
    pub is_key: bool,
}

impl Keyframe {
    /// In the picture, nothing in front of it.
    pub const fn new(frame: u32, shape: Shape) -> Self {
        Self {
            frame,
            shape,
            outside: false,
            occluded: false,
        }
    }
}

/// How many keyframes lie at or before a frame.
fn upto(keyframes: &[Keyframe], frame: u32) -> usize {
    keyframes.partition_point(|k| k.frame <= frame)
}

/// The keyframe that says how the track is on a frame: the last one at or before it.
pub fn ruling(keyframes: &[Keyframe], frame: u32) -> Option<&Keyframe> {
    keyframes.get(upto(keyframes, frame).checked_sub(1)?)
}

/// Whether a frame is a keyframe.
pub fn is_key(keyframes: &[Keyframe], frame: u32) -> bool {
    ruling(keyframes, frame).is_some_and(|k| k.frame == frame)
}

/// Where the object is on a frame, also where it is outside: then where it went. `None` before the first keyframe.
fn shape_at(keyframes: &[Keyframe], frame: u32) -> Option<Shape> {
    let n = upto(keyframes, frame);
    let before = keyframes.get(n.checked_sub(1)?)?;
    if before.frame == frame || before.outside {
        return Some(before.shape.clone());
    }
    let Some(after) = keyframes.get(n) else {
        return Some(before.shape.clone());
    };
    let share = f64::from(frame - before.frame) / f64::from(after.frame - before.frame);
    Some(between(&before.shape, &after.shape, share))
}

/// The track on a frame; `None` where the object is not there.
pub fn at(keyframes: &[Keyframe], frame: u32) -> Option<Seen> {
    let ruling = ruling(keyframes, frame).filter(|k| !k.outside)?;
    Some(Seen {
        shape: shape_at(keyframes, frame)?,
        occluded: ruling.occluded,
        is_key: ruling.frame == frame,
    })
}

/// The stretches of frames on which the object is there: first frame and the one after the last, in a video of `frames`.
pub fn spans(keyframes: &[Keyframe], frames: u32) -> Vec<(u32, u32)> {
    let mut out: Vec<(u32, u32)> = Vec::new();
    for (n, k) in keyframes.iter().enumerate().filter(|(_, k)| !k.outside) {
        let end = keyframes.get(n + 1).map_or(frames, |next| next.frame);
        match out.last_mut() {
            Some(last) if last.1 == k.frame => last.1 = end,
            _ => out.push((k.frame, end)),
        }
    }
    out.retain(|(from, to)| from < to);
    out
}

/// The first frame on which the object is there.
pub fn first(keyframes: &[Keyframe]) -> Option<u32> {
    keyframes.iter().find(|k| !k.outside).map(|k| k.frame)
}

/// The box around all of it, on every keyframe it is there.
pub fn bounds(keyframes: &[Keyframe]) -> Option<Rect> {
    let seen = keyframes.iter().filter(|k| !k.outside);
    let all = seen.filter_map(|k| k.shape.bounds()).reduce(Rect::union);
    all.or_else(|| keyframes.first()?.shape.bounds())
}

/// Puts a keyframe in its place, over one that is there.
fn put(keyframes: &mut Vec<Keyframe>, keyframe: Keyframe) {
    let n = keyframes.partition_point(|k| k.frame < keyframe.frame);
    match keyframes.get_mut(n) {
        Some(there) if there.frame == keyframe.frame => *there = keyframe,
        _ => keyframes.insert(n, keyframe),
    }
}

/// The object has this shape on a frame: a keyframe there, and it is in the picture. Other keyframes stay.
pub fn set(keyframes: &mut Vec<Keyframe>, frame: u32, shape: Shape) {
    let occluded = ruling(keyframes, frame).is_some_and(|k| k.occluded && !k.outside);
    put(
        keyframes,
        Keyframe {
            frame,
            shape,
            outside: false,
            occluded,
        },
    );
}

/// The object as it is seen on a frame becomes a keyframe. `false`: it is one already, or the object has not begun.
pub fn fix(keyframes: &mut Vec<Keyframe>, frame: u32) -> bool {
    let Some((shape, rule)) = shape_at(keyframes, frame).zip(ruling(keyframes, frame).cloned()) else {
        return false;
    };
    if rule.frame == frame {
        return false;
    }
    put(keyframes, Keyframe { frame, shape, ..rule });
    true
}

/// The object leaves the picture at a frame, or is back from there; until the next keyframe. What comes later stays as it
/// was seen. `false`: it is so already, the object has not begun, or it would never be there.
pub fn set_outside(keyframes: &mut Vec<Keyframe>, frame: u32, outside: bool) -> bool {
    if ruling(keyframes, frame).is_none_or(|k| k.outside == outside) {
        return false;
    }
    let mut after = keyframes.clone();
    fix(&mut after, frame);
    let Some(k) = after.iter_mut().find(|k| k.frame == frame) else {
        return false;
    };
    k.outside = outside;
    let Some(begins) = after.iter().position(|k| !k.outside) else {
        return false;
    };
    after.drain(..begins);
    *keyframes = after;
    true
}

/// Something is in front of the object from a frame to the next keyframe, or nothing is. `false`: it is so already, or the
/// object is not there.
pub fn set_occluded(keyframes: &mut Vec<Keyframe>, frame: u32, occluded: bool) -> bool {
    if ruling(keyframes, frame).is_none_or(|k| k.outside || k.occluded == occluded) {
        return false;
    }
    fix(keyframes, frame);
    if let Some(k) = keyframes.iter_mut().find(|k| k.frame == frame) {
        k.occluded = occluded;
    }
    true
}

/// Takes a keyframe away. `false`: there is none on the frame, or the object would never be there without it.
pub fn remove(keyframes: &mut Vec<Keyframe>, frame: u32) -> bool {
    let there = |k: &Keyframe| k.frame != frame && !k.outside;
    if !is_key(keyframes, frame) || !keyframes.iter().any(there) {
        return false;
    }
    keyframes.retain(|k| k.frame != frame);
    // It does not begin outside.
    let begins = keyframes.iter().position(|k| !k.outside).unwrap_or(0);
    keyframes.drain(..begins);
    true
}

/// The object is only on this frame.
pub fn only(keyframes: &[Keyframe], frame: u32, frames: u32) -> Option<Vec<Keyframe>> {
    let seen = at(keyframes, frame)?;
    let one = Keyframe {
        occluded: seen.occluded,
        ..Keyframe::new(frame, seen.shape)
    };
    let mut out = vec![one.clone()];
    if frame + 1 < frames {
        out.push(Keyframe {
            frame: frame + 1,
            outside: true,
            occluded: false,
            ..one
        });
    }
    Some(out)
}

/// The track up to a frame, which leaves there, and the track from it on. Together they are seen as the one was. `None`: one of
/// them would be nothing.
pub fn split(keyframes: &[Keyframe], frame: u32) -> Option<(Vec<Keyframe>, Vec<Keyframe>)> {
    if first(keyframes).is_none_or(|f| f >= frame) {
        return None;
    }
    let mut fixed = keyframes.to_vec();
    fix(&mut fixed, frame);
    let n = fixed.partition_point(|k| k.frame < frame);
    let (before, after) = fixed.split_at(n);
    let mut left = before.to_vec();
    let end = after.first()?;
    if left.last().is_some_and(|k| !k.outside) {
        left.push(Keyframe {
            outside: true,
            occluded: false,
            ..end.clone()
        });
    }
    let begins = after.iter().position(|k| !k.outside)?;
    Some((left, after[begins..].to_vec()))
}

/// One track of two that are never there at once. Errors: a frame on which both are.
pub fn merge(a: &[Keyframe], b: &[Keyframe], frames: u32) -> Result<Vec<Keyframe>, u32> {
    let (of_a, of_b) = (spans(a, frames), spans(b, frames));
    let clash = of_a.iter().find_map(|(from, to)| {
        let other = of_b.iter().find(|(f, t)| f < to && from < t)?;
        Some((*from).max(other.0))
    });
    if let Some(frame) = clash {
        return Err(frame);
    }
    let mut parts: Vec<(u32, u32, &[Keyframe])> = of_a.iter().map(|(f, t)| (*f, *t, a)).collect();
    parts.extend(of_b.iter().map(|(f, t)| (*f, *t, b)));
    parts.sort_unstable_by_key(|(from, ..)| *from);
    let mut out: Vec<Keyframe> = Vec::new();
    for (from, to, of) in parts {
        // Where one ends as the other begins elsewhere, the way up to there stays as it was.
        let begin = of.iter().find(|k| k.frame == from);
        if let Some(end) = out.pop_if(|k| k.frame == from)
            && begin.is_none_or(|b| b.shape != end.shape)
            && let Some(last) = out.last().filter(|k| k.frame + 1 < from)
        {
            let share = f64::from(from - 1 - last.frame) / f64::from(from - last.frame);
            let shape = between(&last.shape, &end.shape, share);
            out.push(Keyframe {
                frame: from - 1,
                shape,
                ..last.clone()
            });
        }
        out.extend(of.iter().filter(|k| (from..to).contains(&k.frame)).cloned());
        let end = of.iter().find(|k| k.frame == to);
        if let Some(end) = end {
            out.push(end.clone());
        }
    }
    Ok(out)
}

/// The keyframe before a frame, or after it.
pub fn neighbour(keyframes: &[Keyframe], frame: u32, forward: bool) -> Option<u32> {
    let mut frames = keyframes.iter().map(|k| k.frame);
    if forward {
        frames.find(|f| *f > frame)
    } else {
        frames.rfind(|f| *f < frame)
    }
}

#[cfg(test)]
mod tests;
