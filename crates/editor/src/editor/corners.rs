//! A mask taken hold of by the corners of its border, as if it were an outline.

use super::{Editor, Tool};
use crate::command::Command;
use limn_domain::mask::Tip;
use limn_domain::polygon::{self, Part};
use limn_domain::{Annotation, AnnotationId, Mask, Point, Shape, Size};
use std::borrow::Cow;

/// The corners that a mask is taken hold of by.
#[derive(Debug, Clone)]
pub(super) struct MaskCorners {
    id: AnnotationId,
    /// What they are the corners of.
    mask: Mask,
    /// The polygon of them: nowhere farther than `tolerance` image pixels from the border of the mask.
    outline: Shape,
    tolerance: f64,
}

impl MaskCorners {
    fn of(id: AnnotationId, mask: Mask, tolerance: f64, size: Size) -> Self {
        let exact = mask.to_polygon();
        let parts = if tolerance > 0.0 {
            polygon::mend(&polygon::simplified(&exact, tolerance), size).map_or(exact, |(parts, _)| parts)
        } else {
            exact
        };
        Self {
            id,
            mask,
            outline: Shape::Polygon { parts },
            tolerance,
        }
    }
}

fn either(a: Option<Mask>, b: Option<Mask>) -> Option<Mask> {
    match (a, b) {
        (Some(a), Some(b)) => a.union(&b),
        (a, b) => a.or(b),
    }
}

/// The pixels and those that lie no farther than `reach` from them.
fn with_neighbours(pixels: &Mask, reach: u32, size: Size) -> Option<Mask> {
    let mut all = Some(pixels.clone());
    for ring in pixels.to_polygon().iter().flatten() {
        let mut way: Vec<Point> = ring.iter().map(|v| Point::new(v[0], v[1])).collect();
        way.extend(way.first().copied());
        all = either(all, Mask::stroke(&way, 2 * reach + 1, Tip::Square, size));
    }
    all
}

/// The mask after the pixels that its corners enclose have become others. Along the border that went, what the corners had left
/// out of the mask goes with it; everywhere else the mask stays to the pixel. `None` when nothing is left.
fn moved(held: &MaskCorners, old: Option<&Mask>, now: &Mask, size: Size) -> Option<Mask> {
    let mask = &held.mask;
    let Some(old) = old else {
        return mask.union(now);
    };
    let reach = held.tolerance.ceil() as u32 + 1;
    let near = |pixels: &Mask| with_neighbours(pixels, reach, size);
    let (added, removed) = (now.subtract(old), old.subtract(now));
    // Where the polygon of the corners is more than the mask, and where less.
    let (dents, bumps) = (old.subtract(mask), mask.subtract(old));
    let filled = dents
        .zip(added.as_ref().and_then(near))
        .and_then(|(dents, near)| dents.intersect(&near)?.intersect(now));
    let levelled = bumps
        .zip(removed.as_ref().and_then(near))
        .and_then(|(bumps, near)| bumps.intersect(&near)?.subtract(now));
    let grown = match either(added, filled) {
        Some(more) => mask.union(&more)?,
        None => mask.clone(),
    };
    match either(removed, levelled) {
        Some(less) => grown.subtract(&less),
        None => Some(grown),
    }
}

impl Editor {
    /// The polygon that stands in for a mask taken hold of by its corners.
    pub(super) fn corners_of(&self, a: &Annotation) -> Option<&Shape> {
        let held = self.corners.as_ref().filter(|c| c.id == a.id)?;
        matches!(&a.shape, Shape::Mask { mask } if *mask == held.mask).then_some(&held.outline)
    }

    /// The shape whose points are the grips of an object: of a mask that is taken hold of by its corners a polygon, else what is
    /// shown of it.
    pub fn grip_shape<'a>(&'a self, a: &'a Annotation) -> Cow<'a, Shape> {
        match self.gesture.preview(a) {
            Some(shape) => Cow::Owned(shape),
            None => Cow::Borrowed(self.corners_of(a).unwrap_or(&a.shape)),
        }
    }

    /// Whether the selected mask is taken hold of by its corners.
    pub fn edits_corners(&self) -> bool {
        let single = self.selection.single().and_then(|id| self.doc.get(id));
        single.is_some_and(|a| self.corners_of(a).is_some())
    }

    /// The selected mask is taken hold of by the corners of its border, or no more. They are simplified by `tolerance` image
    /// pixels, a screen pixel when there is none; at 0 they are all there are. Says whether one mask is selected that may be
    /// changed.
    pub fn toggle_corners(&mut self, tolerance: Option<f64>) -> bool {
        if self.leave_corners() {
            return true;
        }
        let single = self.selection.single().and_then(|id| self.doc.get(id));
        let Some((id, mask)) = single
            .filter(|a| !self.read_only && self.layers.can_edit(a))
            .and_then(|a| match &a.shape {
                Shape::Mask { mask } => Some((a.id, mask.clone())),
                _ => None,
            })
        else {
            return false;
        };
        let corners = MaskCorners::of(id, mask, self.tolerance(tolerance), self.doc.size());
        self.set_tool(Tool::Select);
        self.corners = Some(corners);
        true
    }

    /// The selected mask is taken hold of by its corners no more. Says whether it was.
    pub(super) fn leave_corners(&mut self) -> bool {
        let was = self.edits_corners();
        if was {
            self.corners = None;
            self.epochs.look += 1;
        }
        was
    }

    /// After a change of the annotations: a mask that has become another one has other corners.
    pub(super) fn corners_follow(&mut self) {
        let Some(held) = self.corners.take() else {
            return;
        };
        self.corners = match self.doc.get(held.id).map(|a| &a.shape) {
            Some(Shape::Mask { mask }) if *mask == held.mask => Some(held),
            Some(Shape::Mask { mask }) => Some(MaskCorners::of(
                held.id,
                mask.clone(),
                held.tolerance,
                self.doc.size(),
            )),
            _ => None,
        };
    }

    /// Gives the mask that is taken hold of by its corners others, and the pixels that those enclose by COCO's rule. `None` when
    /// the object is not taken hold of so, else whether a pixel changed.
    pub(super) fn reshape_by_corners(&mut self, id: AnnotationId, parts: &[Part]) -> Option<bool> {
        let held = self.corners.clone()?;
        let a = self.doc.get(id)?;
        let Shape::Polygon { parts: old } = self.corners_of(a)? else {
            return None;
        };
        let size = self.doc.size();
        // Dragged to nothing: it stays.
        let Ok((parts, _)) = polygon::mend(parts, size) else {
            return Some(false);
        };
        let Some(now) = Mask::from_polygon(&parts, size) else {
            return Some(false);
        };
        let Some(mask) = moved(&held, Mask::from_polygon(old, size).as_ref(), &now, size) else {
            return Some(false);
        };
        // Its corners stay where they were dragged to.
        self.corners = Some(MaskCorners {
            id,
            mask: mask.clone(),
            outline: Shape::Polygon { parts },
            tolerance: held.tolerance,
        });
        self.epochs.look += 1;
        let same = mask == held.mask;
        let done = !same && self.run(Command::Reshape(vec![(id, Shape::Mask { mask })], Vec::new()));
        if !done && !same {
            self.corners = Some(held);
        }
        Some(done)
    }
}
