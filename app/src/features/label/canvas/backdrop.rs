//! The shapes that stand still: drawn once into a layer of their own, which is then shifted while panning and stretched while
//! zooming, until annotations, layers or looks change. What moves is drawn over it.

use super::outlines::Outlines;
use super::paint::{LABELS, ratio};
use crate::features::label::desk::Sheet;
use crate::features::label::look::Look;
use crate::features::label::pace::{Work, weight};
use limn_domain::{Annotation, AnnotationId, CategoryId, ItemId, Shape};
use limn_editor::Viewport;
use std::collections::BTreeMap;
use web_sys::CanvasRenderingContext2d as Context;

/// Shapes drawn as one path at most, and shapes drawn one by one before the clock is looked at.
const PATH: usize = 250;
const SOME: usize = 8;
/// What a name weighs.
const NAME: usize = 4;

/// What the drawing depends on besides scale and offset.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Key {
    item: ItemId,
    sheet: u64,
    doc: u64,
    frame: u64,
    layers: u64,
    selection: u64,
    looks: Look,
    screen: (f64, f64),
    ratio: f64,
    turn: f64,
}

impl Key {
    /// Whether a drawing of the one can stand in for the other until that is drawn.
    pub fn is_like(&self, other: &Self) -> bool {
        let of = |k: &Self| (k.item, k.screen, k.ratio, k.turn);
        of(self) == of(other)
    }

    pub fn of(s: &Sheet, screen: (f64, f64), looks: Look) -> Self {
        let epochs = s.editor.epochs();
        Self {
            item: s.item.id,
            sheet: s.number,
            doc: epochs.doc,
            frame: epochs.frame,
            layers: epochs.layers,
            selection: epochs.selection,
            looks,
            screen,
            ratio: ratio(),
            turn: s.editor.view().turn(),
        }
    }
}

/// What a frame has room for: units of [`Work`], and until when, in milliseconds, the script may run.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    pub units: usize,
    pub until: f64,
}

/// Shapes on their way into the layer, as many a frame as its time allows.
pub struct Crowd {
    pub key: Key,
    /// The view they are drawn for.
    pub view: Viewport,
    /// The selected ones, which are not among them.
    pub without: Vec<AnnotationId>,
    lots: Vec<Lot>,
    /// The lot that is drawn next, and how many of it are drawn.
    lot: usize,
    done: usize,
    /// Pixels of the screen that the canvas can show.
    most: f64,
    pub work: Work,
}

enum Lot {
    /// Outlines, many as one path: each stroke on its own costs far more. Those smaller than three pixels are dots.
    Paths(CategoryId, Vec<AnnotationId>),
    /// As they are drawn when they are few.
    Each(Vec<AnnotationId>),
    Names(Vec<AnnotationId>),
}

/// What is drawn of shapes one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Shapes,
    Names,
}

impl Crowd {
    fn new(s: &Sheet, key: Key, lots: Vec<Lot>, work: Work) -> Self {
        let (w, h) = key.screen;
        Self {
            key,
            view: *s.editor.view(),
            without: s.editor.selection().iter().collect(),
            lots,
            lot: 0,
            done: 0,
            most: 2.0 * w * h,
            work,
        }
    }

    /// Thousands, roughly.
    pub fn rough(s: &Sheet, key: Key, shapes: &[&Annotation]) -> Self {
        let mut groups: BTreeMap<CategoryId, Vec<AnnotationId>> = BTreeMap::new();
        for a in shapes {
            groups.entry(a.category_id).or_default().push(a.id);
        }
        let lots = groups
            .into_iter()
            .map(|(category, ids)| Lot::Paths(category, ids));
        Self::new(s, key, lots.collect(), Work::Crowd)
    }

    /// Hundreds, each as if it were alone, and their names.
    pub fn fine(s: &Sheet, key: Key, shapes: &[&Annotation]) -> Self {
        let ids = || shapes.iter().map(|a| a.id).collect();
        let lots = vec![Lot::Each(ids()), Lot::Names(ids())];
        Self::new(s, key, lots, Work::Shapes)
    }

    /// Whether all are drawn.
    pub fn is_done(&self) -> bool {
        self.lot >= self.lots.len()
    }

    /// Draws on, at least something, until there is no room left. Returns what it weighs. Names come with shapes only where these
    /// left half of the room.
    pub fn step<'a>(
        &mut self,
        to: &Context,
        s: &Sheet,
        outlines: &Outlines,
        look: &impl Fn(&CategoryId) -> (&'a str, &'a str),
        each: &impl Fn(&Context, &Viewport, &[&Annotation], Part),
        room: Room,
    ) -> usize {
        let of = |ids: &[AnnotationId]| -> Vec<&Annotation> {
            ids.iter().filter_map(|id| s.editor.doc().get(*id)).collect()
        };
        let mut drawn = 0;
        while let Some(lot) = self.lots.get(self.lot) {
            if drawn > 0 && (drawn >= room.units || js_sys::Date::now() >= room.until) {
                break;
            }
            let (Lot::Paths(_, ids) | Lot::Each(ids) | Lot::Names(ids)) = lot;
            let len = ids.len();
            let left = &ids[self.done.min(len)..];
            let units = room.units.saturating_sub(drawn);
            let taken = match lot {
                Lot::Paths(category, _) => {
                    let (some, weight) = self.first(s, left, PATH, units);
                    path(to, &self.view, s, outlines, look(category).1, some);
                    drawn += weight;
                    some.len()
                }
                Lot::Each(_) => {
                    let (some, weight) = self.first(s, left, SOME, units);
                    each(to, &self.view, &of(some), Part::Shapes);
                    drawn += weight;
                    some.len()
                }
                Lot::Names(_) if drawn > room.units / 2 => break,
                Lot::Names(_) => {
                    each(to, &self.view, &of(left), Part::Names);
                    drawn += if len > LABELS { 0 } else { NAME * len };
                    len
                }
            };
            self.done += taken;
            if self.done >= len {
                (self.lot, self.done) = (self.lot + 1, 0);
            }
        }
        drawn
    }

    /// The first of `ids`, at least one and at most `count`, that weigh no more than `units`; and what they weigh.
    fn first<'a>(
        &self,
        s: &Sheet,
        ids: &'a [AnnotationId],
        count: usize,
        units: usize,
    ) -> (&'a [AnnotationId], usize) {
        let (mut some, mut weight) = (0, 0);
        for id in ids.iter().take(count) {
            let more = weight + self.weight(s, *id);
            if some > 0 && more > units {
                break;
            }
            (some, weight) = (some + 1, more);
        }
        (&ids[..some], weight)
    }

    fn weight(&self, s: &Sheet, id: AnnotationId) -> usize {
        let doc = s.editor.doc();
        let (Some(a), Some(r)) = (doc.get(id), doc.bounds(id)) else {
            return 1;
        };
        let corners = match &a.shape {
            Shape::Polygon { parts } => parts.iter().flatten().map(Vec::len).sum::<usize>(),
            Shape::Mask { mask } => mask.counts.len(),
            Shape::Polyline { points } | Shape::Points { points } => points.len(),
            Shape::Keypoints { keypoints } => 4 * keypoints.len(),
            _ => 4,
        };
        let r = self.view.rect_to_screen(r);
        weight(corners, r.w * r.h, self.most)
    }
}

fn path(to: &Context, view: &Viewport, s: &Sheet, outlines: &Outlines, color: &str, ids: &[AnnotationId]) {
    to.set_fill_style_str(color);
    to.set_stroke_style_str(color);
    to.set_line_width(1.0);
    to.begin_path();
    for id in ids {
        let (Some(a), Some(r)) = (s.editor.doc().get(*id), s.editor.doc().bounds(*id)) else {
            continue;
        };
        let r = view.rect_to_screen(r);
        if r.w.max(r.h) < 3.0 {
            to.fill_rect(r.x, r.y, r.w.max(1.0), r.h.max(1.0));
        } else {
            outlines.add(to, view, &a.shape);
        }
    }
    to.stroke();
}
