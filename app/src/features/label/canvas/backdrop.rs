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

/// Shapes drawn as one path.
const BATCH: usize = 250;
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

/// Thousands of shapes on their way into the layer, a few milliseconds a frame: outlines in batches, one path for many; those
/// smaller than three pixels are dots.
pub struct Crowd {
    pub key: Key,
    /// The view they are drawn for.
    pub view: Viewport,
    batches: Vec<(CategoryId, Vec<AnnotationId>)>,
    next: usize,
}

impl Crowd {
    pub fn new(key: Key, view: Viewport, shapes: &[&Annotation]) -> Self {
        let mut groups: BTreeMap<CategoryId, Vec<AnnotationId>> = BTreeMap::new();
        for a in shapes {
            groups.entry(a.category_id).or_default().push(a.id);
        }
        // One path for many shapes: each stroke on its own costs far more.
        let batches = groups
            .into_iter()
            .flat_map(|(category, ids)| {
                let chunks: Vec<_> = ids.chunks(BATCH).map(<[AnnotationId]>::to_vec).collect();
                chunks.into_iter().map(move |ids| (category, ids))
            })
            .collect();
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
        is_up: impl Fn() -> bool,
    ) -> bool {
        while let Some((category, ids)) = self.batches.get(self.next) {
            self.next += 1;
            let color = look(category).1;
            to.set_fill_style_str(color);
            to.set_stroke_style_str(color);
            to.set_line_width(1.0);
            to.begin_path();
            for id in ids {
                let (Some(a), Some(r)) = (s.editor.doc().get(*id), s.editor.doc().bounds(*id)) else {
                    continue;
                };
                let r = self.view.rect_to_screen(r);
                if r.w.max(r.h) < 3.0 {
                    to.fill_rect(r.x, r.y, r.w.max(1.0), r.h.max(1.0));
                } else {
                    outlines.add(to, &self.view, &a.shape);
                }
            }
            to.stroke();
            if is_up() {
                break;
            }
        }
        self.next >= self.batches.len()
    }
}
