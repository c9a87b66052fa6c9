//! Drawing corner by corner: outlines and lines, click by click or by dragging, closed by a click on the first corner, a
//! double click or a key; boxes told by three or four corners; keypoints in their order.
//!
//! It is no gesture: between its clicks one may pan and zoom.

use super::boolean::combined;
use super::border::Border;
use super::{Editor, Pointer, Tool};
use crate::command::Command;
use crate::selection::Selection;
use crate::snap::{MIN_SIDE, Snap};
use limn_domain::polygon::{self, Combine, Part};
use limn_domain::project::Task;
use limn_domain::{
    Annotation, AnnotationId, Keypoint, Mask, Point, Rect, Shape, Source, TurnedRect, Visibility,
};
use serde::{Deserialize, Serialize};

/// Screen pixels between the corners of a dragged outline.
const TRACE_STEP: f64 = 7.0;
/// A dragged outline loses corners that matter less than this, in screen pixels.
const TRACE_TOLERANCE: f64 = 0.9;

/// What becomes of the outline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A new object.
    Draw,
    /// Added to a polygon or mask: where they meet they grow together, elsewhere it gets another part.
    Add(AnnotationId),
    /// Cut out of a polygon or mask: inside it makes a hole.
    Cut(AnnotationId),
}

impl Purpose {
    /// The same, as long as the object that it is for is there.
    pub(super) fn while_there(self, there: impl Fn(AnnotationId) -> bool) -> Self {
        match self {
            Self::Add(id) | Self::Cut(id) if !there(id) => Self::Draw,
            purpose => purpose,
        }
    }
}

/// What is being drawn corner by corner: an outline, a line, the corners that tell a box, the keypoints of a skeleton.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    pub tool: Tool,
    pub points: Vec<Point>,
    /// How well each point is seen; of interest for keypoints only. One that is absent has no place.
    pub marks: Vec<Visibility>,
    pub purpose: Purpose,
    /// The pointer is where a click would close it.
    pub closes: bool,
    /// Where the next corner would go.
    pub next: Option<Point>,
    /// The point of `points` from which on it is being dragged.
    traced_from: Option<usize>,
    /// The borders that the first and the last corner lie on.
    began: Option<Border>,
    on: Option<Border>,
}

/// What there was before a press that set a corner.
#[derive(Debug, Clone)]
pub(super) struct Before {
    outline: Option<Outline>,
    intent: Option<Purpose>,
    selection: Selection,
    /// Number of changes of the annotations until then.
    doc: u64,
}

impl Outline {
    /// What is already complete.
    pub(super) const fn closed(points: Vec<Point>, purpose: Purpose) -> Self {
        Self {
            tool: Tool::Polygon,
            points,
            marks: Vec::new(),
            purpose,
            closes: true,
            next: None,
            traced_from: None,
            began: None,
            on: None,
        }
    }

    /// What the corners set so far and the next one say of a box told by its corners.
    pub fn preview(&self) -> Option<Shape> {
        let all: Vec<Point> = self.points.iter().copied().chain(self.next).collect();
        match (self.tool, all.as_slice()) {
            (Tool::RotatedBox, [a, b, c, ..]) => {
                rotated_box(*a, *b, *c).map(|rect| Shape::RotatedBox { rect })
            }
            (Tool::ExtremeBox, [_, _, ..]) => enclosing(&all).map(|rect| Shape::Box { rect }),
            _ => None,
        }
    }

    /// As it was when it had these corners; the pointer and what it was tracing are forgotten.
    pub(super) const fn resumed(
        tool: Tool,
        points: Vec<Point>,
        marks: Vec<Visibility>,
        purpose: Purpose,
    ) -> Self {
        Self {
            tool,
            points,
            marks,
            purpose,
            closes: false,
            next: None,
            traced_from: None,
            began: None,
            on: None,
        }
    }

    /// Fewest corners of what the tool draws.
    pub const fn least(&self) -> usize {
        match self.tool {
            Tool::Polyline | Tool::Slice => 2,
            Tool::ExtremeBox => 4,
            Tool::Keypoints => 1,
            _ => 3,
        }
    }
}

/// The box with the side from `a` to `b` that reaches as far as `c`.
fn rotated_box(a: Point, b: Point, c: Point) -> Option<TurnedRect> {
    let w = a.distance(b);
    if w < MIN_SIDE {
        return None;
    }
    let (ux, uy) = ((b.x - a.x) / w, (b.y - a.y) / w);
    let depth = (c.y - a.y) * ux - (c.x - a.x) * uy;
    let rect = TurnedRect {
        cx: f64::midpoint(a.x, b.x) - uy * depth / 2.0,
        cy: f64::midpoint(a.y, b.y) + ux * depth / 2.0,
        w,
        h: depth.abs(),
        angle: uy.atan2(ux).to_degrees(),
    };
    (rect.h >= MIN_SIDE).then(|| rect.normal())
}

/// The box around points, if it has an area.
fn enclosing(points: &[Point]) -> Option<Rect> {
    let ring = points.iter().map(|p| [p.x, p.y]).collect();
    let rect = polygon::bounds(&[vec![ring]]);
    (rect.w >= MIN_SIDE && rect.h >= MIN_SIDE).then_some(rect)
}

impl Editor {
    /// What is being drawn corner by corner.
    pub const fn outline(&self) -> Option<&Outline> {
        self.outline.as_ref()
    }

    /// What a button says the next outline is for; the polygon tool comes to hand.
    pub fn next_outline(&mut self, purpose: Purpose) {
        self.set_tool(Tool::Polygon);
        self.intent = Some(purpose);
    }

    /// What the next outline is for, if a button said so and the object is still selected.
    pub fn intent(&self) -> Option<Purpose> {
        self.intent.filter(|p| match p {
            Purpose::Draw => true,
            Purpose::Add(id) | Purpose::Cut(id) => self.selection.single() == Some(*id),
        })
    }

    /// What a new outline is for, by the modifiers at its first press.
    fn purpose(&mut self, p: &Pointer) -> Purpose {
        let intent = self.intent.take();
        let target = self.selection.single().filter(|id| {
            // In semantic segmentation what an outline encloses is painted.
            self.tool == Tool::Polygon
                && self.doc.task() != Task::Semantic
                && self.doc.get(*id).is_some_and(|a| {
                    matches!(a.shape, Shape::Polygon { .. } | Shape::Mask { .. }) && self.layers.can_edit(a)
                })
        });
        match target {
            Some(id) if intent == Some(Purpose::Add(id)) || intent == Some(Purpose::Cut(id)) => {
                intent.unwrap_or(Purpose::Draw)
            }
            Some(id) if p.mods.shift => Purpose::Add(id),
            Some(id) if p.mods.alt => Purpose::Cut(id),
            _ => Purpose::Draw,
        }
    }

    /// What is drawn goes on after the annotations have become others: an object of its own where the one that it was for is gone.
    pub(super) fn outline_goes_on(&mut self) {
        let there = |id: AnnotationId| self.doc.contains(id);
        if let Some(outline) = &mut self.outline {
            outline.purpose = outline.purpose.while_there(there);
            // Their borders may be others.
            (outline.began, outline.on) = (None, None);
        }
    }

    /// What to go back to when the press that follows turns out to be none.
    pub(super) fn before_press(&self) -> Before {
        Before {
            outline: self.outline.clone(),
            intent: self.intent,
            selection: self.selection.clone(),
            doc: self.epochs.doc,
        }
    }

    /// The press was none: the corner that it set, or what it made, is gone again.
    pub(super) fn outline_unpress(&mut self, before: Before) {
        self.outline = None;
        if self.epochs.doc != before.doc {
            self.undo();
            self.selection = before.selection;
            self.epochs.selection += 1;
        }
        self.outline = before.outline;
        self.intent = before.intent;
        self.epochs.look += 1;
    }

    /// A press with a tool that sets corners.
    pub(super) fn outline_press(&mut self, p: &Pointer, reach: f64) {
        let at = self.view.to_image(p.at);
        let border = self.outline_border(p);
        let point = border.map_or_else(|| self.outline_snap(p).point(at), |b| b.point);
        if self.tool == Tool::Points {
            self.add_point(point, p.mods.shift);
            return;
        }
        let hidden = self.tool == Tool::Keypoints && p.mods.alt;
        let mark = if hidden {
            Visibility::Hidden
        } else {
            Visibility::Visible
        };
        let traced = self.tool.traces();
        let follow = self.border_between(self.outline.as_ref().and_then(|o| o.on), border);
        let Some(outline) = &mut self.outline else {
            if self.tool == Tool::Keypoints && self.skeleton().is_none() {
                return;
            }
            let purpose = self.purpose(p);
            self.outline = Some(Outline {
                tool: self.tool,
                points: vec![point],
                marks: vec![mark],
                purpose,
                closes: false,
                next: None,
                traced_from: traced.then_some(0),
                began: border,
                on: border,
            });
            self.finish_if_full();
            return;
        };
        let (first, last) = (outline.points[0], outline.points[outline.points.len() - 1]);
        let (near_first, near_last) = (at.distance(first) <= reach, at.distance(last) <= reach / 2.0);
        let closes = match outline.tool {
            Tool::Polygon => outline.points.len() >= 3 && (near_first || near_last),
            Tool::Polyline | Tool::Slice => outline.points.len() >= 2 && near_last,
            _ => false,
        };
        if closes {
            self.finish_outline();
        } else if point != last || outline.tool == Tool::Keypoints {
            outline.points.extend(follow);
            outline.points.push(point);
            outline
                .marks
                .resize(outline.points.len() - 1, Visibility::Visible);
            outline.marks.push(mark);
            outline.on = border;
            outline.traced_from = traced.then_some(outline.points.len() - 1);
            self.finish_if_full();
        }
    }

    /// The border of another outline under the pointer, for a tool whose outlines have neighbours. Alt frees from it.
    fn outline_border(&self, p: &Pointer) -> Option<Border> {
        let follows = self.tool == Tool::Polygon && !(p.mods.alt && self.outline.is_some());
        follows
            .then(|| self.border_at(self.view.to_image(p.at), p.kind, None))
            .flatten()
    }

    /// Number of corners after which the tool is done by itself.
    pub fn corners_wanted(&self) -> Option<usize> {
        match self.tool {
            Tool::RotatedBox => Some(3),
            Tool::ExtremeBox => Some(4),
            Tool::Keypoints => self.skeleton().map(|s| s.keypoints.len()),
            _ => None,
        }
    }

    fn finish_if_full(&mut self) {
        let have = self.outline.as_ref().map_or(0, |o| o.points.len());
        if have > 0 && self.corners_wanted().is_some_and(|n| have >= n) {
            self.finish_outline();
        }
    }

    /// The next keypoint is not in the picture. Says whether one was awaited.
    pub fn outline_leave_out(&mut self) -> bool {
        let Some(outline) = self.outline.as_mut().filter(|o| o.tool == Tool::Keypoints) else {
            return false;
        };
        outline.points.push(Point::default());
        outline.marks.push(Visibility::Absent);
        self.epochs.look += 1;
        self.finish_if_full();
        true
    }

    /// A point, of its own or one more of the selected points.
    fn add_point(&mut self, at: Point, more: bool) {
        let selected = self
            .selection
            .single()
            .filter(|_| more)
            .and_then(|id| self.doc.get(id));
        if let Some(a) = selected.filter(|a| self.layers.can_edit(a))
            && let Shape::Points { points } = &a.shape
        {
            let (id, mut points) = (a.id, points.clone());
            points.push([at.x, at.y]);
            self.run(Command::Reshape(vec![(id, Shape::Points { points })], Vec::new()));
        } else {
            self.add_shape(Shape::Points {
                points: vec![[at.x, at.y]],
            });
        }
    }

    /// Alt and Shift at the first press say what the outline is for; after that Alt frees it from the grid.
    fn outline_snap(&self, p: &Pointer) -> Snap {
        self.snap(p.mods.alt && self.outline.is_some() && self.tool != Tool::Keypoints)
    }

    /// The pointer moves while a tool that sets corners is in hand.
    pub(super) fn outline_move(&mut self, p: &Pointer, reach: f64) {
        let at = self.view.to_image(p.at);
        let border = self.outline.as_ref().and_then(|_| self.outline_border(p));
        let point = border.map_or_else(|| self.outline_snap(p).point(at), |b| b.point);
        let step = TRACE_STEP / self.view.scale();
        let Some(outline) = &mut self.outline else { return };
        outline.next = Some(point);
        if outline.traced_from.is_some() {
            let last = outline.points[outline.points.len() - 1];
            if last.distance(point) >= step {
                outline.points.push(point);
                outline.marks.push(Visibility::Visible);
                outline.on = border;
            }
        }
        outline.closes = outline.tool == Tool::Polygon
            && outline.points.len() >= 3
            && at.distance(outline.points[0]) <= reach;
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
            outline.marks.resize(outline.points.len(), Visibility::Visible);
        }
        if traced > 8 && from == 0 && outline.closes {
            self.finish_outline();
        }
    }

    /// Takes back the last corner (or click of a smart tool); with none left the outline is gone. Says whether there was one.
    pub fn outline_back(&mut self) -> bool {
        if self.smart_back() {
            return true;
        }
        let Some(outline) = &mut self.outline else {
            return false;
        };
        outline.points.pop();
        outline.marks.pop();
        outline.on = None;
        if outline.points.is_empty() {
            self.outline = None;
        }
        self.epochs.look += 1;
        true
    }

    /// Closes the outline, or accepts what a smart tool proposes. Says whether one was being drawn; one without an area is dropped.
    pub fn finish_outline(&mut self) -> bool {
        if self.finish_smart() {
            return true;
        }
        let Some(outline) = self.outline.take() else {
            return false;
        };
        self.epochs.look += 1;
        match outline.tool {
            Tool::Polyline => {
                let mut points: Vec<_> = outline.points.iter().map(|p| [p.x, p.y]).collect();
                points.dedup();
                if points.len() >= 2 {
                    self.add_shape(Shape::Polyline { points });
                }
            }
            Tool::RotatedBox | Tool::ExtremeBox => {
                let full = outline.points.len() >= outline.least();
                let told = Outline {
                    next: None,
                    ..outline
                }
                .preview()
                .filter(|_| full);
                if let Some(shape) = told.filter(|s| self.is_in_image(s)) {
                    self.add_shape(shape);
                }
            }
            Tool::Keypoints => self.finish_keypoints(&outline),
            Tool::Slice => {
                self.slice_selected(&outline.points);
            }
            _ => self.finish_polygon(&outline),
        }
        true
    }

    fn finish_keypoints(&mut self, outline: &Outline) {
        let Some(count) = self.skeleton().map(|s| s.keypoints.len()) else {
            return;
        };
        let mut keypoints: Vec<Keypoint> = outline
            .points
            .iter()
            .zip(&outline.marks)
            .map(|(p, v)| {
                if *v == Visibility::Absent {
                    Keypoint::default()
                } else {
                    Keypoint::new(*p, *v)
                }
            })
            .collect();
        keypoints.resize(count, Keypoint::default());
        if keypoints.iter().any(|k| k.at().is_some()) {
            self.add_shape(Shape::Keypoints { keypoints });
        }
    }

    pub(super) fn finish_polygon(&mut self, outline: &Outline) {
        let closing = if outline.points.len() >= 2 {
            self.border_between(outline.on, outline.began)
        } else {
            Vec::new()
        };
        let ring = outline
            .points
            .iter()
            .chain(&closing)
            .map(|p| [p.x, p.y])
            .collect();
        let Ok((parts, _)) = polygon::mend(&[vec![ring]], self.doc.size()) else {
            return;
        };
        if self.doc.task() == Task::Semantic {
            if let Some(mask) = Mask::from_polygon(&parts, self.doc.size()) {
                self.paint(&mask, false);
            }
            return;
        }
        match outline.purpose {
            Purpose::Draw => {
                self.add_shape(Shape::Polygon { parts });
            }
            Purpose::Add(id) => {
                self.combine(id, parts, Combine::Union);
            }
            Purpose::Cut(id) => {
                self.combine(id, parts, Combine::Subtract);
            }
        }
    }

    /// Changes the polygon or mask `id` by an outline; one of which nothing is left is removed.
    fn combine(&mut self, id: AnnotationId, with: Vec<Part>, how: Combine) -> bool {
        let Some(shape) = self.doc.get(id).map(|a| &a.shape) else {
            return false;
        };
        match combined(shape, &Shape::Polygon { parts: with }, how, self.doc.size()) {
            Ok(Some(shape)) => self.run(Command::Reshape(vec![(id, shape)], Vec::new())),
            Ok(None) => self.run(Command::Remove(vec![id])),
            Err(_) => false,
        }
    }

    /// Puts a new shape in place; an outline is mended where it crosses itself or leaves the image, that of a mask taken hold of by
    /// its corners becomes pixels.
    pub(super) fn reshape(&mut self, id: AnnotationId, shape: Shape) -> bool {
        if let Shape::Polygon { parts } = &shape
            && let Some(done) = self.reshape_by_corners(id, parts)
        {
            return done;
        }
        let shape = match shape {
            Shape::Polygon { parts } => match polygon::mend(&parts, self.doc.size()) {
                Ok((parts, _)) => Shape::Polygon { parts },
                Err(_) => return false,
            },
            other => other,
        };
        self.run(Command::Reshape(vec![(id, shape)], Vec::new()))
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
            attributes: self.default_attributes(category_id),
            links: limn_domain::Links::default(),
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
pub(super) fn thinned(points: &[Point], tolerance: f64) -> Vec<Point> {
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
