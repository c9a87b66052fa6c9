//! The shapes that stand still: drawn once into a layer of their own, which is then shifted while panning and stretched while
//! zooming, until annotations, layers or looks change. What moves is drawn over it.

use super::outlines::Outlines;
use super::paint::ratio;
use crate::features::label::desk::Sheet;
use crate::features::label::look::Look;
use limn_domain::{Annotation, AnnotationId, CategoryId, ItemId};
use limn_editor::Viewport;
use std::collections::BTreeMap;
use web_sys::CanvasRenderingContext2d as Context;

/// Shapes drawn as one path, and shapes drawn one by one before the clock is looked at.
const BATCH: usize = 250;
const SOME: usize = 8;

/// What the drawing depends on besides scale and offset.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Key {
    item: ItemId,
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

/// Shapes on their way into the layer, a few milliseconds a frame.
pub struct Crowd {
    pub key: Key,
    /// The view they are drawn for.
    pub view: Viewport,
    batches: Vec<Batch>,
    next: usize,
}

enum Batch {
    /// Outlines as one path: each stroke on its own costs far more. Those smaller than three pixels are dots.
    Path(CategoryId, Vec<AnnotationId>),
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
    /// Thousands, roughly.
    pub fn rough(key: Key, view: Viewport, shapes: &[&Annotation]) -> Self {
        let mut groups: BTreeMap<CategoryId, Vec<AnnotationId>> = BTreeMap::new();
        for a in shapes {
            groups.entry(a.category_id).or_default().push(a.id);
        }
        let batches = groups.into_iter().flat_map(|(category, ids)| {
            let chunks: Vec<_> = ids.chunks(BATCH).map(<[AnnotationId]>::to_vec).collect();
            chunks.into_iter().map(move |ids| Batch::Path(category, ids))
        });
        Self {
            key,
            view,
            batches: batches.collect(),
            next: 0,
        }
    }

    /// Hundreds, each as if it were alone, and their names.
    pub fn fine(key: Key, view: Viewport, shapes: &[&Annotation]) -> Self {
        let ids = |some: &[&Annotation]| some.iter().map(|a| a.id).collect();
        let mut batches: Vec<Batch> = shapes.chunks(SOME).map(|some| Batch::Each(ids(some))).collect();
        batches.push(Batch::Names(ids(shapes)));
        Self {
            key,
            view,
            batches,
            next: 0,
        }
    }

    /// Draws on until the time is up, at least one batch. Whether all are drawn.
    pub fn step<'a>(
        &mut self,
        to: &Context,
        s: &Sheet,
        outlines: &Outlines,
        look: &impl Fn(&CategoryId) -> (&'a str, &'a str),
        each: &impl Fn(&Context, &Viewport, &[&Annotation], Part),
        is_up: impl Fn() -> bool,
    ) -> bool {
        let of = |ids: &[AnnotationId]| -> Vec<&Annotation> {
            ids.iter().filter_map(|id| s.editor.doc().get(*id)).collect()
        };
        while let Some(batch) = self.batches.get(self.next) {
            self.next += 1;
            match batch {
                Batch::Path(category, ids) => {
                    path(to, &self.view, s, outlines, look(category).1, ids);
                }
                Batch::Each(ids) => each(to, &self.view, &of(ids), Part::Shapes),
                Batch::Names(ids) => each(to, &self.view, &of(ids), Part::Names),
            }
            if is_up() {
                break;
            }
        }
        self.next >= self.batches.len()
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
