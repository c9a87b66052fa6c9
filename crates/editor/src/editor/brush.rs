//! Painting: the brush adds to the selected mask or outline or begins a new one, the eraser takes away. Masks change by
//! whole pixels, outlines along the round way of the brush, with their other corners where they were.
//!
//! In semantic segmentation every category has one mask and no pixel has two: what is painted is taken from the others,
//! unless they are locked.

use super::outline::thinned;
use super::{Button, Editor, Pointer, Tool};
use crate::command::Command;
use limn_domain::mask::{TIP_MAX, Tip};
use limn_domain::polygon::{self, Combine, Part};
use limn_domain::project::Task;
use limn_domain::{Annotation, AnnotationId, CategoryId, Mask, Point, Rect, Shape, Source};
use serde::{Deserialize, Serialize};

/// The brush in hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brush {
    /// Image pixels across.
    pub size: u32,
    pub tip: Tip,
    /// What is painted is taken from the other objects.
    pub takes: bool,
}

impl Default for Brush {
    fn default() -> Self {
        Self {
            size: 16,
            tip: Tip::Round,
            takes: false,
        }
    }
}

/// A stroke on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Stroke {
    points: Vec<Point>,
    /// The pixels covered so far.
    pub mask: Option<Mask>,
    pub erase: bool,
    /// The object that is painted on; without one the brush begins a new object and the eraser takes from all.
    pub target: Option<AnnotationId>,
}

impl Stroke {
    pub(super) const fn new(
        points: Vec<Point>,
        mask: Option<Mask>,
        erase: bool,
        target: Option<AnnotationId>,
    ) -> Self {
        Self {
            points,
            mask,
            erase,
            target,
        }
    }

    /// Its way so far, in image pixels.
    pub fn points(&self) -> &[Point] {
        &self.points
    }
}

impl Editor {
    pub const fn brush(&self) -> Brush {
        self.brush
    }

    pub fn set_brush(&mut self, brush: Brush) {
        self.brush = Brush {
            size: brush.size.clamp(1, TIP_MAX),
            ..brush
        };
        self.epochs.look += 1;
    }

    /// A larger or smaller brush: by one pixel while it is small, by about a tenth from there on. With a smart tool
    /// in hand, more or less of what that is set by.
    pub fn grow_brush(&mut self, larger: bool) {
        if self.grow_smart(larger) {
            return;
        }
        let size = self.brush.size;
        let step = (size / 10).max(1);
        let size = if larger {
            size + step
        } else {
            size.saturating_sub(step)
        };
        self.set_brush(Brush { size, ..self.brush });
    }

    /// The stroke on its way.
    pub const fn stroke(&self) -> Option<&Stroke> {
        self.gesture.stroke()
    }

    /// The pixels that a click would cover, while a tool that paints is over the image.
    pub fn brush_print(&self) -> Option<Mask> {
        let at = self.pointer.filter(|_| self.tool.paints() && !self.read_only)?;
        Mask::stroke(&[at], self.brush.size, self.brush.tip, self.doc.size())
    }

    /// The object a stroke would go to.
    fn paint_target(&self) -> Option<AnnotationId> {
        let id = self.selection.single()?;
        let a = self.doc.get(id)?;
        let paintable = matches!(a.shape, Shape::Polygon { .. } | Shape::Mask { .. });
        (paintable && self.layers.can_edit(a)).then_some(id)
    }

    pub(super) fn paint_press(&mut self, p: &Pointer) {
        let at = self.view.to_image(p.at);
        let erase = p.button == Button::Eraser || (self.tool == Tool::Eraser) != p.mods.alt;
        let target = self.paint_target().filter(|_| erase || !p.mods.shift);
        self.gesture = super::gesture::Gesture::Paint(Stroke {
            points: vec![at],
            mask: Mask::stroke(&[at], self.brush.size, self.brush.tip, self.doc.size()),
            erase,
            target,
        });
    }

    pub(super) fn paint_move(&mut self, p: &Pointer) {
        let at = self.view.to_image(p.at);
        let (brush, size) = (self.brush, self.doc.size());
        if let super::gesture::Gesture::Paint(stroke) = &mut self.gesture {
            let last = stroke.points[stroke.points.len() - 1];
            if last == at {
                return;
            }
            stroke.points.push(at);
            let piece = Mask::stroke(&[last, at], brush.size, brush.tip, size);
            stroke.mask = match (stroke.mask.take(), piece) {
                (Some(a), Some(b)) => a.union(&b),
                (a, b) => a.or(b),
            };
        }
    }

    pub(super) fn paint_release(&mut self, stroke: Stroke) {
        let Some(pixels) = stroke.mask else { return };
        let tolerance = 0.3 / self.view.scale().max(0.5);
        let way = thinned(&stroke.points, tolerance);
        let outline = match self.brush.tip {
            Tip::Round => polygon::stroked(&way, f64::from(self.brush.size)),
            Tip::Square => pixels.to_polygon(),
        };
        self.paint_on(&pixels, &outline, stroke.erase, stroke.target);
    }

    /// Paints or erases pixels as a stroke would.
    pub fn paint(&mut self, pixels: &Mask, erase: bool) -> bool {
        let target = self.paint_target();
        self.paint_on(pixels, &pixels.to_polygon(), erase, target)
    }

    pub(super) fn paint_on(
        &mut self,
        pixels: &Mask,
        outline: &[Part],
        erase: bool,
        target: Option<AnnotationId>,
    ) -> bool {
        let semantic = self.doc.task() == Task::Semantic;
        let mut edit = Painting::default();
        if erase {
            let from: Vec<AnnotationId> = match target {
                Some(id) => vec![id],
                None => self.paintable_near(pixels.window(), None),
            };
            for id in from {
                edit.change(self, id, pixels, outline, true);
            }
            return self.run(Command::Paint(edit.set, edit.gone, None));
        }
        let Some(category) = self.category.or_else(|| Some(self.doc.get(target?)?.category_id)) else {
            return false;
        };
        let pixels = if semantic {
            self.unlocked(pixels)
        } else {
            Some(pixels.clone())
        };
        let Some(pixels) = pixels else { return false };
        let target = if semantic { self.mask_of(category) } else { target };
        let mut new = None;
        match target {
            Some(id) => edit.change(self, id, &pixels, outline, false),
            None => {
                new = Some(Annotation {
                    id: AnnotationId::new(),
                    category_id: category,
                    shape: Shape::Mask { mask: pixels.clone() },
                    z: self.doc.top_z(),
                    source: Source::Human,
                    score: None,
                    attributes: self.default_attributes(category),
                    links: limn_domain::Links::default(),
                });
            }
        }
        if semantic || self.brush.takes {
            for id in self.paintable_near(pixels.window(), target) {
                edit.change(self, id, &pixels, outline, true);
            }
        }
        let show = target.or_else(|| new.as_ref().map(|a| a.id));
        let done = self.run(Command::Paint(edit.set, edit.gone, new));
        if let Some(id) = show.filter(|_| done && !semantic) {
            self.selection.set(id);
            self.epochs.selection += 1;
        }
        done
    }

    /// The mask of a category, in semantic segmentation; what nobody has confirmed yet only where there is no other.
    fn mask_of(&self, category: CategoryId) -> Option<AnnotationId> {
        let own = |a: &&Annotation| a.category_id == category && matches!(a.shape, Shape::Mask { .. });
        self.doc
            .iter()
            .filter(own)
            .filter(|a| self.layers.can_edit(a))
            .min_by_key(|a| a.source == Source::Prelabel)
            .map(|a| a.id)
    }

    /// What may be painted: the pixels that no locked or hidden mask holds.
    pub(super) fn unlocked(&self, pixels: &Mask) -> Option<Mask> {
        let mut left = pixels.clone();
        for a in self.doc.near(pixels.window()) {
            if let Shape::Mask { mask } = &a.shape
                && !self.layers.can_edit(a)
            {
                left = left.subtract(mask)?;
            }
        }
        Some(left)
    }

    /// Masks and outlines in a window that may be changed.
    fn paintable_near(&self, window: Rect, but: Option<AnnotationId>) -> Vec<AnnotationId> {
        let mut ids: Vec<AnnotationId> = self
            .doc
            .near(window)
            .into_iter()
            .filter(|a| matches!(a.shape, Shape::Polygon { .. } | Shape::Mask { .. }))
            .filter(|a| self.layers.can_edit(a) && Some(a.id) != but)
            .map(|a| a.id)
            .collect();
        ids.sort_unstable();
        ids
    }
}

/// What a stroke changes.
#[derive(Default)]
struct Painting {
    set: Vec<(AnnotationId, Shape)>,
    gone: Vec<AnnotationId>,
}

impl Painting {
    fn change(&mut self, e: &Editor, id: AnnotationId, pixels: &Mask, outline: &[Part], erase: bool) {
        let Some(a) = e.doc.get(id) else { return };
        let shape = match &a.shape {
            Shape::Mask { mask } => {
                let mask = if erase {
                    mask.subtract(pixels)
                } else {
                    mask.union(pixels)
                };
                mask.map(|mask| Shape::Mask { mask })
            }
            Shape::Polygon { parts } => {
                let how = if erase { Combine::Subtract } else { Combine::Union };
                let parts = polygon::combine(parts, outline, how);
                if parts.is_empty() {
                    None
                } else {
                    // More corners than may be kept: it stays as it was.
                    match polygon::mend(&parts, e.doc.size()) {
                        Ok((parts, _)) => Some(Shape::Polygon { parts }),
                        Err(polygon::Fault::NoArea | polygon::Fault::Outside) => None,
                        Err(_) => return,
                    }
                }
            }
            _ => return,
        };
        match shape {
            Some(shape) if shape != a.shape => self.set.push((id, shape)),
            None if erase => self.gone.push(id),
            // As it was. (What paint is added to cannot come to nothing: it would be more than can be kept.)
            Some(_) | None => {}
        }
    }
}
