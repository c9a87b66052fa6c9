//! Drawing an outline: click by click, or by dragging; closed by a click on its first corner, a double click or a key.
//!
//! It is no gesture: between its clicks one may pan and zoom.

use super::{Editor, Pointer};
use crate::command::Command;
use crate::snap::Snap;
use limn_domain::polygon::{self, Combine, Part};
use limn_domain::{Annotation, AnnotationId, Point, Shape, Source};

/// Screen pixels between the corners of a dragged outline.
const TRACE_STEP: f64 = 7.0;
/// A dragged outline loses corners that matter less than this, in screen pixels.
const TRACE_TOLERANCE: f64 = 0.9;

/// What becomes of the outline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A new object.
    Draw,
    /// Added to a polygon: where they meet they grow together, elsewhere it gets another part.
    Add(AnnotationId),
    /// Cut out of a polygon: inside it makes a hole.
    Cut(AnnotationId),
}

/// An outline that is being drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    pub points: Vec<Point>,
    pub purpose: Purpose,
    /// The pointer is where a click would close it.
    pub closes: bool,
    /// Where the next corner would go.
    pub next: Option<Point>,
    /// The point of `points` from which on it is being dragged.
    traced_from: Option<usize>,
}

impl Editor {
    /// The outline being drawn.
    pub const fn outline(&self) -> Option<&Outline> {
        self.outline.as_ref()
    }

    /// What a button says the next outline is for; the polygon tool comes to hand.
    pub fn next_outline(&mut self, purpose: Purpose) {
        self.set_tool(super::Tool::Polygon);
        self.intent = Some(purpose);
    }

    /// What the next outline is for, if a button said so and the object is still selected.
    pub fn intent(&self) -> Option<Purpose> {
        self.intent.filter(|p| match p {
            Purpose::Draw => true,
            Purpose::Add(id) | Purpose::Cut(id) => self.selection.single() == Some(*id),
        })
    }

    /// A press with the polygon tool.
    pub(super) fn outline_press(&mut self, p: &Pointer, reach: f64) {
        let at = self.view.to_image(p.at);
        let snap = self.outline_snap(p);
        let point = snap.point(at);
        let Some(outline) = &mut self.outline else {
            let target = self.selection.single().filter(|id| {
                self.doc
                    .get(*id)
                    .is_some_and(|a| matches!(a.shape, Shape::Polygon { .. }) && self.layers.can_edit(a))
            });
            let intent = self.intent.take();
            let purpose = match target {
                Some(id) if intent == Some(Purpose::Add(id)) || intent == Some(Purpose::Cut(id)) => {
                    intent.unwrap_or(Purpose::Draw)
                }
                Some(id) if p.mods.shift => Purpose::Add(id),
                Some(id) if p.mods.alt => Purpose::Cut(id),
                _ => Purpose::Draw,
            };
            self.outline = Some(Outline {
                points: vec![point],
                purpose,
                closes: false,
                next: None,
                traced_from: Some(0),
            });
            return;
        };
        let first = outline.points[0];
        let last = outline.points[outline.points.len() - 1];
        let closes =
            outline.points.len() >= 3 && (at.distance(first) <= reach || at.distance(last) <= reach / 2.0);
        if closes {
            self.finish_outline();
        } else if point != last {
            outline.points.push(point);
            outline.traced_from = Some(outline.points.len() - 1);
        }
    }

    /// Alt and Shift at the first press say what the outline is for; after that Alt frees it from the grid.
    fn outline_snap(&self, p: &Pointer) -> Snap {
        self.snap(p.mods.alt && self.outline.is_some())
    }

    /// The pointer moves while the polygon tool is in hand.
    pub(super) fn outline_move(&mut self, p: &Pointer, reach: f64) {
        let at = self.view.to_image(p.at);
        let point = self.outline_snap(p).point(at);
        let step = TRACE_STEP / self.view.scale();
        let Some(outline) = &mut self.outline else { return };
        outline.next = Some(point);
        if outline.traced_from.is_some() {
            let last = outline.points[outline.points.len() - 1];
            if last.distance(point) >= step {
                outline.points.push(point);
            }
        }
        outline.closes = outline.points.len() >= 3 && at.distance(outline.points[0]) <= reach;
    }

    /// The button is released: a dragged stretch ends. Back at its beginning, the outline is closed.
    pub(super) fn outline_release(&mut self) {
        let tolerance = TRACE_TOLERANCE / self.view.scale();
        let Some(outline) = &mut self.outline else { return };
        let Some(from) = outline.traced_from.take() else {
            return;
        };
        let traced = outline.points.len() - from;
        if traced > 3 {
            let kept = thinned(&outline.points[from..], tolerance);
            outline.points.truncate(from);
            outline.points.extend(kept);
        }
        if traced > 8 && from == 0 && outline.closes {
            self.finish_outline();
        }
    }

    /// Takes back the last corner; with none left the outline is gone. Says whether there was one.
    pub fn outline_back(&mut self) -> bool {
        let Some(outline) = &mut self.outline else {
            return false;
        };
        outline.points.pop();
        if outline.points.is_empty() {
            self.outline = None;
        }
        self.epochs.look += 1;
        true
    }

    /// Closes the outline. Says whether one was being drawn; one without an area is dropped.
    pub fn finish_outline(&mut self) -> bool {
        let Some(outline) = self.outline.take() else {
            return false;
        };
        self.epochs.look += 1;
        let ring = outline.points.iter().map(|p| [p.x, p.y]).collect();
        let Ok((parts, _)) = polygon::mend(&[vec![ring]], self.doc.size()) else {
            return true;
        };
        match outline.purpose {
            Purpose::Draw => {
                self.add_shape(Shape::Polygon { parts });
            }
            Purpose::Add(id) => {
                self.combine(id, &parts, Combine::Union);
            }
            Purpose::Cut(id) => {
                self.combine(id, &parts, Combine::Subtract);
            }
        }
        true
    }

    /// Changes the polygon `id` by another; one of which nothing is left is removed.
    fn combine(&mut self, id: AnnotationId, with: &[Part], how: Combine) -> bool {
        let Some(Shape::Polygon { parts }) = self.doc.get(id).map(|a| &a.shape) else {
            return false;
        };
        let parts = polygon::combine(parts, with, how);
        if parts.is_empty() {
            return self.run(Command::Remove(vec![id]));
        }
        self.reshape(id, parts)
    }

    /// Puts a new outline in place, mended where it crosses itself or leaves the image.
    pub(super) fn reshape(&mut self, id: AnnotationId, parts: Vec<Part>) -> bool {
        match polygon::mend(&parts, self.doc.size()) {
            Ok((parts, _)) => self.run(Command::Reshape(vec![(id, Shape::Polygon { parts })], Vec::new())),
            Err(_) => false,
        }
    }

    /// The selected polygons as one object, of the category and at the place of the lowest.
    pub fn join_selected(&mut self) -> bool {
        let list: Vec<&Annotation> = self
            .editable()
            .into_iter()
            .filter_map(|id| self.doc.get(id))
            .filter(|a| matches!(a.shape, Shape::Polygon { .. }))
            .collect();
        let [first, rest @ ..] = list.as_slice() else {
            return false;
        };
        if rest.is_empty() {
            return false;
        }
        let mut all: Vec<Part> = Vec::new();
        for a in &list {
            if let Shape::Polygon { parts } = &a.shape {
                all = polygon::combine(&all, parts, Combine::Union);
            }
        }
        let (keep, gone) = (first.id, rest.iter().map(|a| a.id).collect());
        let Ok((parts, _)) = polygon::mend(&all, self.doc.size()) else {
            return false;
        };
        self.run(Command::Reshape(vec![(keep, Shape::Polygon { parts })], gone))
    }

    /// The selected polygons with fewer corners; nothing moves by more than a screen pixel.
    pub fn simplify_selected(&mut self) -> bool {
        let tolerance = (1.0 / self.view.scale()).clamp(0.2, 4.0);
        let size = self.doc.size();
        let list = self
            .editable()
            .into_iter()
            .filter_map(|id| match &self.doc.get(id)?.shape {
                Shape::Polygon { parts } => {
                    let (parts, _) = polygon::mend(&polygon::simplified(parts, tolerance), size).ok()?;
                    Some((id, Shape::Polygon { parts }))
                }
                _ => None,
            })
            .collect();
        self.run(Command::Reshape(list, Vec::new()))
    }

    /// Selected polygons become masks, selected masks polygons: the pixels stay the same.
    pub fn convert_selected(&mut self) -> bool {
        let size = self.doc.size();
        let list = self
            .editable()
            .into_iter()
            .filter_map(|id| {
                let shape = match &self.doc.get(id)?.shape {
                    Shape::Polygon { parts } => Shape::Mask {
                        mask: limn_domain::Mask::from_polygon(parts, size)?,
                    },
                    Shape::Mask { mask } => {
                        let (parts, _) = polygon::mend(&mask.to_polygon(), size).ok()?;
                        Shape::Polygon { parts }
                    }
                    _ => return None,
                };
                Some((id, shape))
            })
            .collect();
        self.run(Command::Reshape(list, Vec::new()))
    }

    /// Adds a shape of the current category on top and selects it. Nothing happens without a category.
    pub fn add_shape(&mut self, shape: Shape) -> Option<AnnotationId> {
        let category_id = self.category?;
        let id = AnnotationId::new();
        let a = Annotation {
            id,
            category_id,
            shape,
            z: self.doc.top_z(),
            source: Source::Human,
            score: None,
        };
        if !self.run(Command::Add(vec![a])) {
            return None;
        }
        self.selection.set(id);
        self.epochs.selection += 1;
        Some(id)
    }
}

/// A stretch of an outline without the corners that hardly bend it; its ends stay.
fn thinned(points: &[Point], tolerance: f64) -> Vec<Point> {
    let mut keep = vec![false; points.len()];
    keep[0] = true;
    keep[points.len() - 1] = true;
    let mut spans = vec![(0, points.len() - 1)];
    while let Some((from, to)) = spans.pop() {
        let off = |i: usize| polygon::nearest_on(points[from], points[to], points[i]).distance(points[i]);
        let worst = (from + 1..to)
            .map(|i| (i, off(i)))
            .max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((i, d)) = worst
            && d > tolerance
        {
            keep[i] = true;
            spans.push((from, i));
            spans.push((i, to));
        }
    }
    points
        .iter()
        .zip(keep)
        .filter(|(_, k)| *k)
        .map(|(p, _)| *p)
        .collect()
}
