//! Drawing. One animation frame at a time, and only the layer that changed.

use super::backdrop::{self, Crowd, Part};
use super::card::{self, Drawn};
use super::images::{Images, Keep, Which, next_frame};
use super::layer::{Bounds, Fits, Layer};
use super::outlines::Outlines;
use super::place::ring;
use super::sharpen::{Placed, Sharpening, Shown};
use super::standing::Turn;
use super::strokes::{Pen, label, one, own_color, stands_out};
use super::tiles::Tiles;
use super::{grips, links, overlay};
use crate::features::label::desk::{Desk, Sheet};
use crate::features::label::look::{ColorBy, Names, attribute_id};
use crate::features::label::pace::Paces;
use leptos::prelude::*;
use limn_domain::{Annotation, AnnotationId, CategoryId, ItemId, Rect};
use limn_editor::{Editor, Viewport};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{CanvasRenderingContext2d as Context, HtmlCanvasElement, ImageBitmap};

/// Up to this many shapes in view every frame draws them; from there on they stand in a picture that is kept.
const FEW: usize = 60;
/// From this many shapes on they are drawn in batches, without labels and shades.
const MANY: usize = 1_500;
/// Thousands of shapes take long to draw: they may look coarse for the moment, and leave the margin bare.
const STANDING: Bounds = Bounds {
    stretch: 6.0,
    needed: None,
};
/// Pictures, and frames of videos, that are kept decoded; as many frames of 3840 x 2160 fit as are loaded ahead.
const KEEP: Keep = Keep {
    pictures: 10,
    bytes: 256 << 20,
};
const KEEP_FRAMES: Keep = Keep {
    pictures: 48,
    bytes: 640 << 20,
};
/// Labels are drawn for at most this many shapes in view.
pub(super) const LABELS: usize = 250;
pub(super) const FONT: &str = "550 11px Inter, system-ui, sans-serif";

pub(super) struct Layers {
    pub picture: Layer<Placed>,
    /// The shapes that stand still, when they are many.
    standing: Layer<backdrop::Key>,
    /// The same by the graphics card, when they are thousands.
    card: card::Slot,
    card_canvas: HtmlCanvasElement,
    /// What moves.
    shapes: HtmlCanvasElement,
    shape_context: Context,
}

/// Draws the open item.
#[derive(Clone)]
pub struct Painter {
    pub(super) desk: Desk,
    pub(super) images: Images,
    /// Those of videos.
    pub(super) frames: Images,
    /// The frame drawn last, to stand in while another one is loaded.
    pub(super) last_frame: Rc<Cell<Option<(ItemId, u32)>>>,
    pub(super) clock: Rc<Cell<super::play::Clock>>,
    pub(super) tiles: Tiles,
    /// Where single pixels are read.
    pub(super) probe: Rc<RefCell<Option<Context>>>,
    pub(super) layers: Rc<RefCell<Option<Layers>>>,
    scheduled: Rc<Cell<bool>>,
    /// The picture itself has changed.
    dirty_picture: Rc<Cell<bool>>,
    /// The view has moved.
    dirty_view: Rc<Cell<bool>>,
    dirty_shapes: Rc<Cell<bool>>,
    size: Rc<Cell<(f64, f64)>>,
    pub(super) failed: Rc<Cell<Option<ItemId>>>,
    /// Shapes being drawn into the layer of those that stand still.
    crowd: Rc<RefCell<Option<Crowd>>>,
    /// Those that the layer leaves out because they were selected when it was drawn.
    pub(super) left_out: Rc<RefCell<Vec<AnnotationId>>>,
    /// The picture being drawn into its layer.
    pub(super) sharpening: Rc<RefCell<Option<Sharpening>>>,
    pub(super) paces: Rc<RefCell<Paces>>,
    /// Frames for which shapes have waited.
    pub(super) waited: Rc<Cell<u8>>,
    /// Counts the times something was shown stretched.
    pub(super) stretched: Rc<Cell<u32>>,
    /// The view rests: everything is to fit exactly.
    pub(super) rested: Rc<Cell<bool>>,
    pub(super) outlines: Outlines,
}

pub(super) fn context(canvas: &HtmlCanvasElement) -> Option<Context> {
    canvas.get_context("2d").ok()??.dyn_into().ok()
}

pub(super) fn ratio() -> f64 {
    window().device_pixel_ratio().clamp(0.5, 4.0)
}

impl Painter {
    pub fn new(desk: Desk) -> Self {
        Self {
            desk,
            images: Images::new(KEEP),
            frames: Images::new(KEEP_FRAMES),
            last_frame: Rc::default(),
            clock: Rc::default(),
            tiles: Tiles::default(),
            probe: Rc::default(),
            layers: Rc::default(),
            scheduled: Rc::default(),
            dirty_picture: Rc::default(),
            dirty_view: Rc::default(),
            dirty_shapes: Rc::default(),
            size: Rc::default(),
            failed: Rc::default(),
            crowd: Rc::default(),
            left_out: Rc::default(),
            sharpening: Rc::default(),
            paces: Rc::default(),
            waited: Rc::default(),
            stretched: Rc::default(),
            rested: Rc::default(),
            outlines: Outlines::default(),
        }
    }

    pub fn attach(
        &self,
        picture: HtmlCanvasElement,
        standing: HtmlCanvasElement,
        card_canvas: HtmlCanvasElement,
        shapes: HtmlCanvasElement,
    ) {
        if let (Some(picture), Some(standing), Some(shape_context)) =
            (Layer::new(picture), Layer::new(standing), context(&shapes))
        {
            self.layers.replace(Some(Layers {
                picture,
                standing,
                card: card::Slot::default(),
                card_canvas,
                shapes,
                shape_context,
            }));
            let (w, h) = self.size.get();
            self.resize(w, h);
        }
    }

    /// The stage has this size in CSS pixels; the canvases get the screen's own pixels.
    pub fn resize(&self, w: f64, h: f64) {
        self.size.set((w, h));
        // At once: a canvas that was resized is empty until it is drawn.
        self.dirty_picture.set(true);
        self.dirty_shapes.set(true);
        self.draw();
    }

    /// Everything has to be drawn.
    pub fn all(&self) {
        self.dirty_picture.set(true);
        self.shapes();
    }

    /// The view has moved.
    pub fn moved(&self) {
        self.dirty_view.set(true);
        self.shapes();
    }

    /// The shapes have to be drawn.
    pub fn shapes(&self) {
        self.dirty_shapes.set(true);
        self.soon();
    }

    /// Another frame is to come.
    pub(super) fn soon(&self) {
        if !self.scheduled.replace(true) {
            let this = self.clone();
            next_frame(move || {
                this.scheduled.set(false);
                this.draw();
            });
        }
    }

    fn draw(&self) {
        let mut layers = self.layers.borrow_mut();
        let Some(l) = layers.as_mut() else {
            return;
        };
        let began = js_sys::Date::now();
        self.paces.borrow_mut().begin(began);
        let (w, h) = self.size.get();
        let r = ratio();
        // Another size of the stage, or a screen with more pixels for the same one, of which nobody tells.
        let pixels = ((w * r).round() as u32, (h * r).round() as u32);
        let resized = (l.shapes.width(), l.shapes.height()) != pixels;
        if resized {
            l.shapes.set_width(pixels.0);
            l.shapes.set_height(pixels.1);
        }
        let picture = self.dirty_picture.replace(false) || resized;
        let moved = self.dirty_view.replace(false);
        let shapes = self.dirty_shapes.replace(false) || resized;
        let rested = self.rested.replace(false);
        if shapes {
            let c = &l.shape_context;
            let _ = c.set_transform(r, 0.0, 0.0, r, 0.0, 0.0);
            c.clear_rect(0.0, 0.0, w, h);
        }
        let read = self.desk.read(|s| {
            let shown = if picture || moved {
                self.show_picture(&mut l.picture, s, picture, rested)
            } else {
                Shown::Exactly
            };
            let mut rough = shown == Shown::Roughly;
            let busy = self.sharpen(&mut l.picture, s, began) || shown == Shown::Anew;
            if shapes {
                let turn = self.turn_of_shapes(s, busy, began);
                rough |= self.draw_shapes(l, s, (w, h), rested, turn);
            }
            if rough {
                self.draw_when_rested();
            }
            let value = s.editor.pointer().and_then(|p| self.value_at(s, p));
            self.desk.note_value(value);
        });
        if read.is_none() {
            l.picture.forget();
            l.standing.forget();
            l.card.hide();
            // Nor is anything on its way: what comes next may count its changes from the beginning again.
            self.sharpening.replace(None);
            self.crowd.replace(None);
            l.picture.abandon();
            l.standing.abandon();
        }
        if self.paces.borrow().is_open() {
            let paces = Rc::clone(&self.paces);
            // Behind the frame, for which the browser draws what it was told now.
            set_timeout(
                move || paces.borrow_mut().end(began, js_sys::Date::now()),
                std::time::Duration::ZERO,
            );
        }
    }

    /// Loads the pictures of the next items, so that they are there at once.
    pub fn prefetch(&self) {
        for id in self.desk.upcoming().into_iter().take(3) {
            if self.desk.is_shown_whole(id) {
                self.images.want(id, Which::Screen, || {});
            }
        }
    }

    /// The best picture of an item there is now. Without one it is loaded, and `ready` runs when it is there.
    pub fn picture(&self, id: ItemId, ready: impl Fn() + 'static) -> Option<ImageBitmap> {
        let best = self
            .images
            .get(id, Which::Full)
            .or_else(|| self.images.get(id, Which::Screen));
        if best.is_none() {
            self.images.want(id, Which::Screen, ready);
        }
        best
    }

    /// Draws the shapes; those that stand still into their own layer, when they are many. Returns whether that is stretched
    /// for the moment.
    fn draw_shapes(
        &self,
        layers: &mut Layers,
        s: &Sheet,
        screen: (f64, f64),
        rested: bool,
        turn: Turn,
    ) -> bool {
        let Layers {
            standing,
            card,
            card_canvas,
            shape_context: c,
            ..
        } = layers;
        let e = &s.editor;
        let names: HashMap<CategoryId, (String, String)> = self.desk.categories.with_untracked(|list| {
            list.iter()
                .map(|cat| (cat.category.id, (cat.category.name.clone(), cat.color.clone())))
                .collect()
        });
        let looks = self.desk.looks.get_untracked();
        let look = |id: &CategoryId| {
            names
                .get(id)
                .map_or(("Removed category", "#8b8d94"), |n| (&n.0, &n.1))
        };
        let legend = self.desk.legend_now();
        // Of a shape: its category's name, and the colour that the look wants.
        let look_of = |a: &Annotation| {
            let (name, color) = look(&a.category_id);
            match looks.color_by {
                ColorBy::Category => (name, color),
                ColorBy::Object => (name, own_color(a.id)),
                ColorBy::Attribute => match &legend {
                    Some(legend) => (name, legend.color_of(a.attributes.get(&legend.key))),
                    None => (name, color),
                },
            }
        };
        let key = backdrop::Key::of(s, screen, looks);
        let bounds = Bounds {
            stretch: if rested { 1.0 } else { STANDING.stretch },
            ..STANDING
        };
        let shown = |window: Rect| -> Vec<&Annotation> {
            let all = e.doc().in_window(window).into_iter();
            all.filter(|a| e.layers().is_visible(a) && !e.selection().contains(a.id))
                .collect()
        };
        let mut fits = standing.show(&key, e.view(), bounds);
        let mut by_card = false;
        if fits == Fits::No
            && let Some(card) = card.get(card_canvas, looks.card)
        {
            // Whether they are few by now is asked when the view rests.
            let stays = card.shows(s.item.id) && !rested;
            by_card = stays || shown(grown(e)).len() > MANY;
            if by_card {
                let colors = names.values().fold(0_u64, |sum, (_, color)| {
                    sum.wrapping_add(u64::from(attribute_id(color)))
                });
                let wanted = card::Key::of(s, looks, colors);
                match card.draw(wanted, e, &self.outlines, |a| look_of(a).1) {
                    Drawn::Exactly => standing.forget(),
                    Drawn::Soon { anything } => {
                        if anything {
                            standing.forget();
                        } else {
                            standing.stand_in(e.view(), |k| k.is_like(&key));
                        }
                        // On with it in the next frame.
                        self.shapes();
                    }
                    Drawn::No => by_card = false,
                }
            } else {
                card.hide();
            }
        } else {
            card.hide();
        }
        let c: &Context = c;
        let pen = Pen {
            c,
            e,
            view: e.view(),
            outlines: &self.outlines,
        };
        let names_of = |pen: Pen<'_>, list: &[&Annotation], hover: bool| {
            if list.len() > LABELS || looks.names != Names::Always {
                return;
            }
            let mut taken = Vec::new();
            let (first, rest): (Vec<&Annotation>, Vec<&Annotation>) =
                list.iter().partition(|a| stands_out(e, a));
            for a in first.into_iter().chain(rest) {
                label(pen, a, look_of(a), hover, &mut taken);
            }
        };
        let each = |to: &Context, view: &Viewport, list: &[&Annotation], part| match part {
            Part::Shapes => {
                for a in list {
                    let colors = (look_of(a).1, looks.fill);
                    one(Pen { c: to, view, ..pen }, a, colors, (false, false));
                }
            }
            Part::Names => names_of(Pen { c: to, view, ..pen }, list, false),
        };
        let mut crowd = self.crowd.borrow_mut();
        // Of another view: what stands is as good until the right one is drawn.
        let elsewhere = |c: &Crowd| rested && standing.is_on() && c.view != *e.view();
        if by_card || crowd.as_ref().is_some_and(|c| c.key != key || elsewhere(c)) {
            // The next one may leave out others.
            if let Some(old) = crowd.take().filter(|c| c.without.len() <= FEW) {
                let mut left_out = self.left_out.borrow_mut();
                let more = old.without.into_iter().filter(|id| !left_out.contains(id));
                let more: Vec<_> = more.collect();
                left_out.extend(more);
            }
            standing.abandon();
        }
        if fits == Fits::No && crowd.is_none() && !by_card {
            let visible = shown(grown(e));
            if visible.len() > FEW {
                if let Some(window) = standing.begin(e.view()) {
                    let list = shown(window);
                    *crowd = Some(if list.len() > MANY {
                        Crowd::rough(s, key, &list)
                    } else {
                        Crowd::fine(s, key, &list)
                    });
                }
            } else {
                standing.forget();
                for a in &visible {
                    one(pen, a, (look_of(a).1, looks.fill), (false, true));
                }
                if e.draft().is_none() {
                    names_of(pen, &visible, true);
                }
            }
        }
        if let Some(drawing) = crowd.as_mut() {
            if self.draw_crowd(standing, drawing, s, turn, &look, &each) {
                *crowd = None;
                fits = standing.show(&key, e.view(), STANDING);
            }
            if crowd.is_some() || fits == Fits::No {
                if fits == Fits::No {
                    standing.stand_in(e.view(), |k| k.is_like(&key));
                }
                // On with it in the next frame.
                self.shapes();
            }
        }
        drop(crowd);
        // Selected shapes lie above, whatever their place in the order; over the backdrop also the one under the pointer.
        let behind = by_card || standing.is_on();
        let hover = e
            .hover()
            .filter(|id| (behind || looks.names == Names::Hover) && !e.selection().contains(*id));
        // Not selected any more, and not in the layer yet.
        let left_out = self.left_out.borrow();
        let bare = left_out
            .iter()
            .copied()
            .filter(|id| standing.is_on() && !e.selection().contains(*id) && hover != Some(*id));
        // Of more than can be drawn in full those in view count, and beyond that their boxes: nothing that is selected is unseen.
        let picked: Vec<&Annotation> = if e.selection().len() > MANY {
            let all = e.doc().in_window(grown(e)).into_iter();
            all.filter(|a| e.selection().contains(a.id)).collect()
        } else {
            e.selection().iter().filter_map(|id| e.doc().get(id)).collect()
        };
        let (full, boxes) = picked.split_at(picked.len().min(MANY));
        if !boxes.is_empty() {
            c.begin_path();
            for a in boxes.iter().filter(|a| e.layers().is_visible(a)) {
                if let Some(r) = e.shown_rect(a) {
                    ring(c, e.view(), r);
                }
            }
            line(c, "#ffffff", 1.0);
        }
        let others = bare.take(MANY).chain(hover).filter_map(|id| e.doc().get(id));
        for a in full.iter().copied().chain(others) {
            if e.layers().is_visible(a) {
                let own = look_of(a);
                let selected = e.selection().contains(a.id);
                one(pen, a, (own.1, looks.fill), (selected, true));
                let named = selected || hover == Some(a.id);
                if named
                    && e.draft().is_none()
                    && e.selection().len() <= LABELS
                    && looks.names != Names::Never
                {
                    label(pen, a, own, true, &mut Vec::new());
                }
            }
        }
        if let Some(a) = e.selection().single().and_then(|id| e.doc().get(id))
            && e.layers().can_edit(a)
            && !e.is_read_only()
            && !e.tool().hides_grips()
        {
            grips::draw(c, e, &e.grip_shape(a), look_of(a).1);
        }
        for conflict in e.conflicts() {
            if let Some(theirs) = &conflict.theirs {
                self.outlines.trace(c, e.view(), &theirs.shape);
                dash(c, &[2.0, 3.0]);
                line(c, "#ffffff", 1.5);
                dash(c, &[]);
            }
        }
        links::draw(c, e);
        overlay::draw(
            c,
            e,
            &self.outlines,
            screen,
            self.desk
                .category
                .get_untracked()
                .as_ref()
                .map_or("#8296ff", |id| look(id).1),
        );
        fits == Fits::Roughly || by_card && !rested
    }
}

/// The window with a margin for outlines.
fn grown(e: &Editor) -> Rect {
    let w = e.view().window();
    let m = 4.0 / e.view().scale();
    Rect::new(w.x - m, w.y - m, w.w + 2.0 * m, w.h + 2.0 * m)
}

pub(super) fn dash(c: &Context, pattern: &[f64]) {
    let list: js_sys::Array = pattern.iter().map(|v| JsValue::from_f64(*v)).collect();
    let _ = c.set_line_dash(&list);
}

pub(super) fn outline(c: &Context, r: Rect, color: &str, width: f64) {
    c.set_stroke_style_str(color);
    c.set_line_width(width);
    c.stroke_rect(r.x, r.y, r.w, r.h);
}

/// Along the path.
pub(super) fn line(c: &Context, color: &str, width: f64) {
    c.set_stroke_style_str(color);
    c.set_line_width(width);
    c.stroke();
}

/// The colour a third of the way to white: lines of it stand out on dark pictures too.
pub(super) fn lighter(color: &str) -> String {
    let part = |i: usize| {
        let v = u8::from_str_radix(color.get(i..i + 2).unwrap_or("80"), 16).unwrap_or(128);
        u16::from(v) + (255 - u16::from(v)) * 3 / 10
    };
    format!("rgb({} {} {})", part(1), part(3), part(5))
}
