//! What keys, menus and panels do.

use super::{Editor, Tool, grips, links};
use crate::command::{Command, Order};
use crate::shape::{placed, with_turned_rect};
use crate::snap::clamp_shift;
use limn_domain::{Annotation, AnnotationId, CategoryId, Point, Rect, Shape, Size, Source};
use std::collections::{BTreeSet, HashMap};

impl Editor {
    pub fn set_tool(&mut self, tool: Tool) {
        if tool.asks_server() && !self.segments {
            return;
        }
        self.cancel();
        self.tool = tool;
        self.intent = None;
        self.hover = None;
        self.cursor = match tool {
            Tool::Select => super::Cursor::Default,
            Tool::Pan => super::Cursor::Grab,
            _ => super::Cursor::Crosshair,
        };
        self.epochs.look += 1;
    }

    /// While held, a press pans whatever the tool.
    pub fn hold_pan(&mut self, on: bool) {
        if self.hold_pan != on {
            self.hold_pan = on;
            self.epochs.look += 1;
        }
    }

    pub const fn is_hold_pan(&self) -> bool {
        self.hold_pan
    }

    /// The category new shapes get.
    pub fn set_category(&mut self, id: CategoryId) {
        self.category = Some(id);
        self.epochs.look += 1;
    }

    /// Somebody picked a category, by key or click: it is the one for new shapes, and with the select tool (or
    /// `relabel`) also that of the selected shapes. While drawing, the shape drawn last keeps its own. Says whether all
    /// shapes took it, see [`Self::relabel_selected`].
    pub fn pick_category(&mut self, id: CategoryId, relabel: bool) -> bool {
        if !self.doc.task().marks_objects() {
            self.toggle_whole(id);
            return true;
        }
        let mut fit = true;
        if !self.selection.is_empty() && (relabel || !self.tool.draws()) {
            fit = self.relabel_selected(id);
        } else if self.tool.paints() && self.category != Some(id) {
            // The next stroke is another object's.
            self.clear_selection();
        }
        self.set_category(id);
        fit
    }

    /// Classification: the category on or off. With one label an item, another choice replaces the first. With many, a category
    /// says what lies above it in the tree as well: those above are taken away, and come to nothing while one below is on.
    pub fn toggle_whole(&mut self, id: CategoryId) {
        let confirmed = |a: &&Annotation| a.source != Source::Prelabel;
        let mut set: BTreeSet<CategoryId> = self
            .doc
            .whole()
            .filter(confirmed)
            .map(|a| a.category_id)
            .collect();
        let had = set.remove(&id);
        if self.doc.task().takes_one() {
            set.clear();
        }
        if !had {
            if set.iter().any(|s| self.is_below(*s, id)) {
                return;
            }
            set.retain(|s| !self.is_below(id, *s));
            set.insert(id);
        }
        self.run(Command::Classify(set.into_iter().collect()));
        self.epochs.look += 1;
    }

    /// Selected shapes that may be changed.
    pub fn editable(&self) -> Vec<AnnotationId> {
        self.selection
            .iter()
            .filter(|id| self.doc.get(*id).is_some_and(|a| self.layers.can_edit(a)))
            .collect()
    }

    pub fn select(&mut self, id: AnnotationId, add: bool) {
        if !self.doc.contains(id) || self.end_relation(id) {
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

    pub fn select_all(&mut self) {
        let ids: Vec<AnnotationId> = self
            .doc
            .iter()
            .filter(|a| a.shape != Shape::Whole && self.layers.can_edit(a))
            .map(|a| a.id)
            .collect();
        self.selection.set_all(ids);
        self.epochs.selection += 1;
    }

    pub fn clear_selection(&mut self) {
        self.selection.clear();
        self.history.seal();
        self.epochs.selection += 1;
    }

    /// Escape: ends a gesture, else takes the keyboard's pointer away, else lets go of a mask's corners, else of the selection, else puts the tool down. Says whether anything happened.
    pub fn escape(&mut self) -> bool {
        if self.cancel() || self.hide_aim() || self.leave_corners() {
            return true;
        }
        if !self.selection.is_empty() {
            self.clear_selection();
            return true;
        }
        if self.tool != Tool::Select {
            self.set_tool(Tool::Select);
            return true;
        }
        false
    }

    /// The next (or previous) shape: proposals first, then the rest, in drawing order; brought into view.
    pub fn cycle(&mut self, forward: bool) {
        let shown = |a: &&Annotation| a.shape != Shape::Whole && self.layers.can_edit(a);
        let (first, rest): (Vec<_>, Vec<_>) = self
            .doc
            .iter()
            .filter(shown)
            .map(|a| (a.source == Source::Prelabel, a.id))
            .partition(|(proposal, _)| *proposal);
        let all: Vec<AnnotationId> = first.into_iter().chain(rest).map(|(_, id)| id).collect();
        if all.is_empty() {
            return;
        }
        let at = self
            .selection
            .primary()
            .and_then(|p| all.iter().position(|id| *id == p));
        let next = match (at, forward) {
            (Some(i), true) => (i + 1) % all.len(),
            (Some(i), false) => (i + all.len() - 1) % all.len(),
            (None, true) => 0,
            (None, false) => all.len() - 1,
        };
        self.select(all[next], false);
        self.reveal(all[next]);
    }

    /// Pans so that a place is in the middle.
    pub fn look_at(&mut self, p: Point) {
        self.view.center_on(p);
        self.epochs.view += 1;
    }

    /// Pans so that the shape is in view.
    pub fn reveal(&mut self, id: AnnotationId) {
        let Some(r) = self.doc.bounds(id) else {
            return;
        };
        let c = r.center();
        if !self.view.sees(c) {
            self.view.center_on(c);
            self.epochs.view += 1;
        }
    }

    /// Deletes the selected shapes; the next shape is selected when a proposal was refused.
    pub fn delete_selected(&mut self) -> bool {
        let ids = self.editable();
        let proposals = !ids.is_empty()
            && ids
                .iter()
                .all(|id| self.doc.get(*id).is_some_and(|a| a.source == Source::Prelabel));
        if proposals {
            let next = self.next_proposal(&ids);
            let done = self.run(Command::Reject(ids));
            self.go_to(next);
            done
        } else {
            self.run(Command::Remove(ids))
        }
    }

    /// Deletes a shape, unless it is locked.
    pub fn delete(&mut self, id: AnnotationId) -> bool {
        !self.is_locked(id) && self.run(Command::Remove(vec![id]))
    }

    /// The proposal after the primary one that is not among `gone`.
    fn next_proposal(&self, gone: &[AnnotationId]) -> Option<AnnotationId> {
        let mut all: Vec<&Annotation> = self.doc.prelabels().collect();
        // Spans come in the order of the text; the others have no such place and stay as they are.
        all.sort_by_key(|a| a.shape.span().map(|(start, end)| (start, u32::MAX - end)));
        let all: Vec<AnnotationId> = all.into_iter().map(|a| a.id).collect();
        let from = self
            .selection
            .primary()
            .and_then(|p| all.iter().position(|id| *id == p))
            .map_or(0, |i| i + 1);
        all[from..]
            .iter()
            .chain(&all[..from])
            .copied()
            .find(|id| !gone.contains(id))
    }

    fn go_to(&mut self, next: Option<AnnotationId>) {
        if let Some(id) = next {
            self.select(id, false);
            self.reveal(id);
        }
    }

    /// The selected proposals become labels; the next proposal is selected.
    pub fn accept_selected(&mut self) -> bool {
        let ids = self.editable();
        let next = self.next_proposal(&ids);
        let done = self.run(Command::Accept(ids));
        if done {
            self.go_to(next);
        }
        done
    }

    /// A proposal becomes a label.
    pub fn accept(&mut self, id: AnnotationId) -> bool {
        self.run(Command::Accept(vec![id]))
    }

    pub fn accept_all(&mut self) -> bool {
        let shown = |a: &&Annotation| self.layers.can_edit(a);
        if self.doc.task().takes_one() {
            // One label an item: the surest proposal.
            let best = self
                .doc
                .prelabels()
                .max_by(|a, b| a.score.unwrap_or(0.0).total_cmp(&b.score.unwrap_or(0.0)));
            let best = best.map(|a| a.category_id);
            return best.is_some_and(|c| self.run(Command::Classify(vec![c])));
        }
        let ids: Vec<AnnotationId> = self.doc.prelabels().filter(shown).map(|a| a.id).collect();
        self.run(Command::Accept(ids))
    }

    /// Like [`Self::accept_all`]: what is hidden or locked stays.
    pub fn reject_all(&mut self) -> bool {
        let shown = |a: &&Annotation| self.layers.can_edit(a);
        let ids: Vec<AnnotationId> = self.doc.prelabels().filter(shown).map(|a| a.id).collect();
        self.run(Command::Reject(ids))
    }

    /// Copies of the selected shapes.
    pub fn copied(&self) -> Vec<Annotation> {
        self.doc
            .iter()
            .filter(|a| self.selection.contains(a.id))
            .cloned()
            .collect()
    }

    /// Adds copies of `list` and selects them: shifted a little where a copy would cover its origin, brought onto the
    /// image, left out where an equal shape is there already (`unless_equal`).
    pub fn paste(&mut self, list: &[Annotation], unless_equal: bool) -> bool {
        let size = self.doc.size();
        let step = (12.0 / self.view.scale()).max(1.0);
        let mut z = self.doc.top_z();
        let (mut new, mut ids, mut groups) = (Vec::new(), HashMap::new(), links::Groups::new());
        for a in list {
            // Turned boxes and ellipses may reach beyond the image: where they can stay they do.
            let stays = matches!(a.shape, Shape::RotatedBox { .. } | Shape::Ellipse { .. })
                && self.is_in_image(&a.shape);
            let place = a.shape.bounds();
            let Some(rect) = place.and_then(|r| if stays { Some(r) } else { onto(r, size) }) else {
                continue;
            };
            let equal = self.doc.near(rect).into_iter().any(|o| {
                o.category_id == a.category_id
                    && o.shape.kind() == a.shape.kind()
                    && o.shape.bounds() == Some(rect)
            });
            if equal && unless_equal {
                continue;
            }
            let rect = if equal { shifted(rect, step, size) } else { rect };
            let Some(shape) = placed(&a.shape, rect) else {
                continue;
            };
            z += 1;
            let id = AnnotationId::new();
            ids.insert(a.id, id);
            new.push(Annotation {
                id,
                category_id: a.category_id,
                shape,
                z,
                source: Source::Human,
                score: None,
                attributes: a.attributes.clone(),
                links: a.links.clone(),
            });
        }
        for a in &mut new {
            a.links = links::copied(&a.links, &ids, &mut groups);
        }
        let ids: Vec<AnnotationId> = new.iter().map(|a| a.id).collect();
        let done = self.run(Command::Paste(new));
        if done {
            // In semantic segmentation copies may have gone into masks that were there.
            self.selection
                .set_all(ids.into_iter().filter(|id| self.doc.contains(*id)));
            self.epochs.selection += 1;
        }
        done
    }

    pub fn duplicate(&mut self) -> bool {
        let list = self.copied();
        self.paste(&list, false)
    }

    /// Moves the selected shapes by image pixels; nudges in a row are one step.
    pub fn nudge(&mut self, dx: f64, dy: f64) -> bool {
        let boxes: Vec<(AnnotationId, Rect)> = self.editable_boxes();
        let (dx, dy) = clamp_shift(boxes.iter().map(|b| b.1), dx, dy, self.doc.size());
        let to = boxes
            .into_iter()
            .map(|(id, r)| (id, Rect::new(r.x + dx, r.y + dy, r.w, r.h)))
            .collect();
        self.run_joining(Command::Move(to), true)
    }

    /// Moves the right and bottom sides of the selected shapes by image pixels; of turned ones their own sides.
    pub fn grow(&mut self, dw: f64, dh: f64) -> bool {
        let to = self
            .editable_boxes()
            .into_iter()
            .filter_map(|(id, r)| Some((id, self.grown(&self.doc.get(id)?.shape, r, dw, dh)?)))
            .collect();
        self.run_joining(Command::Reshape(to, Vec::new()), true)
    }

    fn grown(&self, shape: &Shape, bounds: Rect, dw: f64, dh: f64) -> Option<Shape> {
        // A turned one may reach beyond the image as long as some of it is in it.
        if let Shape::RotatedBox { rect } | Shape::Ellipse { rect } = shape {
            return with_turned_rect(shape, grips::grown(*rect, dw, dh)).filter(|s| self.is_in_image(s));
        }
        let size = self.doc.size();
        let w = (bounds.w + dw).clamp(1.0, (size.width - bounds.x).max(1.0));
        let h = (bounds.h + dh).clamp(1.0, (size.height - bounds.y).max(1.0));
        placed(shape, Rect::new(bounds.x, bounds.y, w, h))
    }

    fn editable_boxes(&self) -> Vec<(AnnotationId, Rect)> {
        self.editable()
            .into_iter()
            .filter_map(|id| Some((id, self.doc.bounds(id)?)))
            .collect()
    }

    /// Exact numbers from the panel. Another place keeps the size and stays on the image; another size is clipped to it, and
    /// refused when nothing is left. Locked shapes stay.
    pub fn set_rect(&mut self, id: AnnotationId, rect: Rect) -> bool {
        let Some(was) = self.doc.bounds(id).filter(|_| !self.is_locked(id)) else {
            return false;
        };
        if !rect.is_finite() {
            return false;
        }
        let size = self.doc.size();
        if (rect.w, rect.h) == (was.w, was.h) {
            let (dx, dy) = clamp_shift(std::iter::once(was), rect.x - was.x, rect.y - was.y, size);
            return self.run(Command::Move(vec![(
                id,
                Rect::new(was.x + dx, was.y + dy, was.w, was.h),
            )]));
        }
        let r = rect.clipped(size);
        // A level line has no height, and keeps none.
        let fits = |now: f64, was: f64| now > 0.0 || (now == 0.0 && was == 0.0);
        fits(r.w, was.w) && fits(r.h, was.h) && self.run(Command::Resize(id, r))
    }

    /// Whether a shape is locked, by itself or through its category.
    pub(super) fn is_locked(&self, id: AnnotationId) -> bool {
        let doc = self.stored();
        doc.get(id).is_some_and(|a| self.layers.is_locked(a))
    }

    /// A box of the last size at the pointer, or in the middle of the view.
    pub fn template_box(&mut self) -> bool {
        let w = self.view.window();
        let at = self.pointer().unwrap_or_else(|| w.center());
        let (bw, bh) = self.last_size;
        let r = Rect::new(at.x - bw / 2.0, at.y - bh / 2.0, bw, bh);
        let round = |r: Rect| Rect::new(r.x.round(), r.y.round(), r.w, r.h);
        onto(round(r), self.doc.size()).is_some_and(|r| self.add_box(r).is_some())
    }

    pub fn reorder(&mut self, order: Order) -> bool {
        let ids = self.editable();
        self.run(Command::Reorder(ids, order))
    }

    pub fn toggle_hidden(&mut self, id: AnnotationId) {
        self.layers.toggle_hidden(id);
        self.epochs.layers += 1;
        self.epochs.look += 1;
    }

    pub fn toggle_locked(&mut self, id: AnnotationId) {
        self.layers.toggle_locked(id);
        self.epochs.layers += 1;
        self.epochs.look += 1;
    }

    pub fn toggle_category_hidden(&mut self, id: CategoryId) {
        self.layers.toggle_category_hidden(id);
        self.epochs.layers += 1;
        self.epochs.look += 1;
    }

    pub fn toggle_category_locked(&mut self, id: CategoryId) {
        self.layers.toggle_category_locked(id);
        self.epochs.layers += 1;
        self.epochs.look += 1;
    }

    pub fn toggle_hidden_selected(&mut self) {
        for id in self.selection.to_vec() {
            self.layers.toggle_hidden(id);
        }
        self.epochs.layers += 1;
        self.epochs.look += 1;
    }

    /// Shows only the selection; with nothing selected, or again, everything.
    pub fn toggle_isolated(&mut self) {
        let ids = if self.layers.is_isolated() {
            Vec::new()
        } else {
            self.selection.to_vec()
        };
        self.isolate(ids);
    }

    /// Shows only these; everything when there are none.
    pub fn isolate(&mut self, ids: Vec<AnnotationId>) {
        self.layers.isolate(ids);
        self.epochs.layers += 1;
        self.epochs.look += 1;
    }

    /// Selects these, as far as they may be changed.
    pub fn select_these(&mut self, ids: &[AnnotationId]) {
        let can: Vec<AnnotationId> = ids
            .iter()
            .copied()
            .filter(|id| self.doc.get(*id).is_some_and(|a| self.layers.can_edit(a)))
            .collect();
        self.selection.set_all(can);
        self.history.seal();
        self.epochs.selection += 1;
    }

    pub fn toggle_locked_selected(&mut self) {
        for id in self.selection.to_vec() {
            self.layers.toggle_locked(id);
        }
        self.epochs.layers += 1;
        self.epochs.look += 1;
    }

    pub fn toggle_all_hidden(&mut self) {
        self.layers.all_hidden = !self.layers.all_hidden;
        self.epochs.layers += 1;
        self.epochs.look += 1;
    }

    pub fn resize_view(&mut self, size: Size) {
        self.view.resize(size);
        self.epochs.view += 1;
    }

    pub fn fit(&mut self) {
        self.view.fit();
        self.epochs.view += 1;
    }

    pub fn one_to_one(&mut self) {
        self.view.one_to_one();
        self.epochs.view += 1;
    }

    /// Turns the view clockwise by degrees.
    pub fn turn_view(&mut self, degrees: f64) {
        self.view.turn_by(degrees);
        self.epochs.view += 1;
    }

    /// Turns the view to an angle in degrees.
    pub fn turn_view_to(&mut self, degrees: f64) {
        self.view.turn_to(degrees);
        self.epochs.view += 1;
    }

    /// Turns the view upright.
    pub fn upright_view(&mut self) {
        self.turn_view_to(0.0);
    }

    /// The selection fills the view; the whole image when nothing is selected.
    pub fn zoom_to_selection(&mut self) {
        match self.selected_rect() {
            Some(r) => self.view.zoom_to(r),
            None => self.view.fit(),
        }
        self.epochs.view += 1;
    }

    /// What encloses the selected shapes.
    pub(super) fn selected_rect(&self) -> Option<Rect> {
        let boxes = self.selection.iter().filter_map(|id| self.doc.bounds(id));
        boxes.reduce(|a, b| {
            let corner = Point::new(a.x.min(b.x), a.y.min(b.y));
            Rect::from_corners(
                corner,
                Point::new(a.right().max(b.right()), a.bottom().max(b.bottom())),
            )
        })
    }
}

/// The box moved and, where it is larger than the image, cut so that it lies on it. That of a point or a level line has no area.
fn onto(r: Rect, size: Size) -> Option<Rect> {
    let w = r.w.min(size.width);
    let h = r.h.min(size.height);
    let ok = r.is_finite() && w >= 0.0 && h >= 0.0;
    ok.then(|| {
        Rect::new(
            r.x.clamp(0.0, size.width - w),
            r.y.clamp(0.0, size.height - h),
            w,
            h,
        )
    })
}

/// The box a step down and to the right, or up and to the left where there is no room.
fn shifted(r: Rect, step: f64, size: Size) -> Rect {
    let along = |start: f64, len: f64, max: f64| {
        if start + len + step <= max {
            start + step
        } else {
            (start - step).max(0.0)
        }
    };
    Rect::new(
        along(r.x, r.w, size.width),
        along(r.y, r.h, size.height),
        r.w,
        r.h,
    )
}
