//! Outlines and masks joined, cut by each other, and sliced in two.

use super::Editor;
use crate::command::{Command, confirmed};
use limn_domain::polygon::{self, Combine, Fault, Part};
use limn_domain::{Annotation, AnnotationId, Mask, Point, Shape, Size};

/// Two shapes as one; `None` when nothing is left. The result is of the kind of the first. Errors: it would be more than can be
/// kept.
pub(super) fn combined(a: &Shape, b: &Shape, how: Combine, size: Size) -> Result<Option<Shape>, Fault> {
    match a {
        Shape::Polygon { parts } => {
            let other = match b {
                Shape::Polygon { parts } => parts.clone(),
                Shape::Mask { mask } => mask.to_polygon(),
                _ => return Ok(Some(a.clone())),
            };
            let parts = polygon::combine(parts, &other, how);
            if parts.is_empty() {
                return Ok(None);
            }
            match polygon::mend(&parts, size) {
                Ok((parts, _)) => Ok(Some(Shape::Polygon { parts })),
                Err(Fault::NoArea | Fault::Outside) => Ok(None),
                Err(fault) => Err(fault),
            }
        }
        Shape::Mask { mask } => {
            let other = match b {
                Shape::Mask { mask } => Some(mask.clone()),
                Shape::Polygon { parts } => Mask::from_polygon(parts, size),
                _ => return Ok(Some(a.clone())),
            };
            // An outline so thin that it holds no middle of a pixel.
            let Some(other) = other else {
                return Ok((how != Combine::Intersect).then(|| a.clone()));
            };
            let mask = match how {
                Combine::Union => Some(mask.union(&other).ok_or(Fault::TooMany)?),
                Combine::Subtract => mask.subtract(&other),
                Combine::Intersect => mask.intersect(&other),
            };
            Ok(mask.map(|mask| Shape::Mask { mask }))
        }
        _ => Ok(Some(a.clone())),
    }
}

impl Editor {
    /// The first selected outline or mask united with the others, which go into it; cut by them, which stay; or what it has
    /// in common with all of them, which go.
    pub fn combine_selected(&mut self, how: Combine) -> bool {
        let size = self.doc.size();
        let list: Vec<&Annotation> = self
            .editable()
            .into_iter()
            .filter_map(|id| self.doc.get(id))
            .filter(|a| matches!(a.shape, Shape::Polygon { .. } | Shape::Mask { .. }))
            .collect();
        let [first, rest @ ..] = list.as_slice() else {
            return false;
        };
        if rest.is_empty() {
            return false;
        }
        let mut shape = Some(first.shape.clone());
        for other in rest {
            shape = match shape.map(|s| combined(&s, &other.shape, how, size)).transpose() {
                Ok(shape) => shape.flatten(),
                // Too much for one object: all stay as they are.
                Err(_) => return false,
            };
        }
        let mut gone: Vec<AnnotationId> = match how {
            Combine::Subtract => Vec::new(),
            Combine::Union | Combine::Intersect => rest.iter().map(|a| a.id).collect(),
        };
        let id = first.id;
        match shape {
            Some(shape) => self.run(Command::Reshape(vec![(id, shape)], gone)),
            // Nothing in common is no reason to lose everything.
            None if how == Combine::Intersect => false,
            None => {
                gone.push(id);
                self.run(Command::Reshape(Vec::new(), gone))
            }
        }
    }

    /// Slices the selected outline or mask along a line that crosses it. The largest piece stays the object, each other piece
    /// becomes one of its own. Says whether there was something to slice.
    pub(super) fn slice_selected(&mut self, line: &[Point]) -> bool {
        let size = self.doc.size();
        let Some(a) = self.editable().first().and_then(|id| self.doc.get(*id)).cloned() else {
            return false;
        };
        let mut pieces: Vec<Shape> = match &a.shape {
            Shape::Polygon { parts } => polygon::sliced(parts, line)
                .into_iter()
                .map(|parts| Shape::Polygon { parts })
                .collect(),
            Shape::Mask { mask } => slice_mask(mask, line, size)
                .into_iter()
                .map(|mask| Shape::Mask { mask })
                .collect(),
            _ => return false,
        };
        if pieces.len() < 2 {
            return false;
        }
        let first = pieces.remove(0);
        let new: Vec<Annotation> = pieces
            .into_iter()
            .zip(self.doc.top_z() + 1..)
            .map(|(shape, z)| Annotation {
                id: AnnotationId::new(),
                shape,
                z,
                ..confirmed(a.clone())
            })
            .collect();
        let mut all = vec![a.id];
        all.extend(new.iter().map(|a| a.id));
        let done = self.run(Command::Slice(a.id, first, new));
        if done {
            self.selection.set_all(all);
            self.epochs.selection += 1;
        }
        done
    }
}

/// The pieces of a mask on the sides of a line, the largest first; every pixel is in one of them.
fn slice_mask(mask: &Mask, line: &[Point], size: Size) -> Vec<Mask> {
    let window = mask.window();
    let frame: Vec<Part> = vec![vec![vec![
        [window.x, window.y],
        [window.right(), window.y],
        [window.right(), window.bottom()],
        [window.x, window.bottom()],
    ]]];
    let mut left = Some(mask.clone());
    let mut out = Vec::new();
    for parts in polygon::sliced(&frame, line) {
        if let Some(rest) = &left
            && let Some(piece) = Mask::from_polygon(&parts, size).and_then(|p| rest.intersect(&p))
        {
            left = rest.subtract(&piece);
            out.push(piece);
        }
    }
    // Pixels on the line that neither side's filling took.
    if let (Some(rest), Some(first)) = (left, out.first_mut())
        && let Some(all) = first.union(&rest)
    {
        *first = all;
    }
    out.sort_by_key(|m| std::cmp::Reverse(m.area()));
    out
}
