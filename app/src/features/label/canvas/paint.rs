//! Drawing. One animation frame at a time, and only the layer that changed.

use super::backdrop::{Backdrop, Fits, crowd};
use super::images::{Images, Which, next_frame};
use super::outlines::{Outlines, fill};
use super::{grips, joints, links, overlay};
use crate::features::label::desk::{Desk, Sheet};
use crate::features::label::look::{ColorBy, Names};
use leptos::prelude::*;
use limn_domain::category::PALETTE;
use limn_domain::project::Task;
use limn_domain::{Annotation, AnnotationId, CategoryId, ItemId, Point, Rect, Shape, Source};
use limn_editor::Editor;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{CanvasRenderingContext2d as Context, HtmlCanvasElement};

/// Up to this many shapes in view every frame draws them; from there on they stand in a picture that is kept.
const FEW: usize = 60;
/// From this many shapes on they are drawn in batches, without labels and shades.
const MANY: usize = 1_500;
/// Milliseconds without a change of the zoom after which a stretched picture is drawn anew.
const REST: u64 = 120;
/// Labels are drawn for at most this many shapes in view.
const LABELS: usize = 250;
pub(super) const FONT: &str = "550 11px Inter, system-ui, sans-serif";

struct Layers {
    image: HtmlCanvasElement,
    shapes: HtmlCanvasElement,
    image_context: Context,
    shape_context: Context,
}

/// Draws the open item.
#[derive(Clone)]
pub struct Painter {
    desk: Desk,
    images: Images,
    layers: Rc<RefCell<Option<Layers>>>,
    scheduled: Rc<Cell<bool>>,
    dirty_image: Rc<Cell<bool>>,
    dirty_shapes: Rc<Cell<bool>>,
    size: Rc<Cell<(f64, f64)>>,
    failed: Rc<Cell<Option<ItemId>>>,
    backdrop: Rc<RefCell<Backdrop>>,
    /// Counts the times the backdrop was shown stretched.
    stretched: Rc<Cell<u32>>,
    /// The zoom rests: the backdrop is to fit exactly.
    rested: Rc<Cell<bool>>,
    outlines: Outlines,
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
            images: Images::default(),
            layers: Rc::default(),
            scheduled: Rc::default(),
            dirty_image: Rc::default(),
            dirty_shapes: Rc::default(),
            size: Rc::default(),
            failed: Rc::default(),
            backdrop: Rc::default(),
            stretched: Rc::default(),
            rested: Rc::default(),
            outlines: Outlines::default(),
        }
    }

    pub fn attach(&self, image: HtmlCanvasElement, shapes: HtmlCanvasElement) {
        if let (Some(image_context), Some(shape_context)) = (context(&image), context(&shapes)) {
            self.layers.replace(Some(Layers {
                image,
                shapes,
                image_context,
                shape_context,
            }));
            let (w, h) = self.size.get();
            self.resize(w, h);
        }
    }

    /// The stage has this size in CSS pixels; the canvases get the screen's own pixels.
    pub fn resize(&self, w: f64, h: f64) {
        self.size.set((w, h));
        if let Some(l) = self.layers.borrow().as_ref() {
            let r = ratio();
            for c in [&l.image, &l.shapes] {
                c.set_width((w * r).round() as u32);
                c.set_height((h * r).round() as u32);
            }
        }
        // At once: a canvas that was resized is empty until it is drawn.
        self.dirty_image.set(true);
        self.dirty_shapes.set(true);
        self.draw();
    }

    /// Both layers have to be drawn.
    pub fn all(&self) {
        self.dirty_image.set(true);
        self.shapes();
    }

    /// The shapes have to be drawn.
    pub fn shapes(&self) {
        self.dirty_shapes.set(true);
        if !self.scheduled.replace(true) {
            let this = self.clone();
            next_frame(move || {
                this.scheduled.set(false);
                this.draw();
            });
        }
    }

    fn draw(&self) {
        let layers = self.layers.borrow();
        let Some(l) = layers.as_ref() else {
            return;
        };
        let (w, h) = self.size.get();
        let r = ratio();
        let image = self.dirty_image.replace(false);
        let shapes = self.dirty_shapes.replace(false);
        for (on, c) in [(image, &l.image_context), (shapes, &l.shape_context)] {
            if on {
                let _ = c.set_transform(r, 0.0, 0.0, r, 0.0, 0.0);
                c.clear_rect(0.0, 0.0, w, h);
            }
        }
        self.desk.read(|s| {
            if image {
                self.draw_image(&l.image_context, s);
            }
            if shapes {
                self.draw_shapes(&l.shape_context, s, w, h);
            }
        });
    }

    /// Draws the shapes exactly when the zoom has rested for a moment.
    fn draw_when_rested(&self) {
        let now = self.stretched.get().wrapping_add(1);
        self.stretched.set(now);
        let this = self.clone();
        set_timeout(
            move || {
                // The page may be gone by now.
                let there = this.desk.looks.try_get_untracked().is_some();
                if there && this.stretched.get() == now {
                    this.rested.set(true);
                    this.shapes();
                }
            },
            std::time::Duration::from_millis(REST),
        );
    }

    /// Loads the pictures of the next items, so that they are there at once.
    pub fn prefetch(&self) {
        for id in self.desk.upcoming().into_iter().take(3) {
            self.images.want(id, Which::Screen, || {});
        }
    }

    fn draw_image(&self, c: &Context, s: &Sheet) {
        let id = s.item.id;
        let view = s.editor.view();
        let r = view.rect_to_screen(Rect::new(0.0, 0.0, s.item.width as f64, s.item.height as f64));
        let again = self.clone();
        let redraw = move || again.all();
        self.images.want(id, Which::Screen, redraw.clone());
        let screen = self.images.get(id, Which::Screen);
        // Looked at closer than the rendition is sharp: every pixel.
        let dense = view.scale() * ratio();
        let have = screen.as_ref().map_or(1.0, |i| {
            f64::from(i.natural_width()) / (s.item.width as f64).max(1.0)
        });
        let full = ((have < 0.99 && dense > have * 1.15) || dense >= 4.0).then(|| {
            self.images.want(id, Which::Full, redraw);
            self.images.get(id, Which::Full)
        });
        let Some(picture) = full.flatten().or(screen) else {
            c.set_fill_style_str("#1b1d21");
            c.fill_rect(r.x, r.y, r.w, r.h);
            if self.images.failed(id, Which::Screen) && self.failed.replace(Some(id)) != Some(id) {
                let name = s.item.name.clone();
                let toasts = self.desk.toasts;
                next_frame(move || toasts.fail(format!("The picture of {name} could not be loaded.")));
            }
            return;
        };
        let grid = self.desk.looks.get_untracked().grid && view.scale() >= 8.0;
        c.set_image_smoothing_enabled(dense < 4.0);
        let _ = c.draw_image_with_html_image_element_and_dw_and_dh(&picture, r.x, r.y, r.w, r.h);
        if grid {
            pixel_grid(c, view);
        }
    }

    fn draw_shapes(&self, c: &Context, s: &Sheet, w: f64, h: f64) {
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
        // Of a shape: its category's name, and the colour that the look wants.
        let look_of = |a: &Annotation| {
            let (name, color) = look(&a.category_id);
            match looks.color_by {
                ColorBy::Category => (name, color),
                ColorBy::Object => (name, own_color(a.id)),
            }
        };
        let screen = (w, h);
        let exactly = self.rested.replace(false);
        let fits = self.backdrop.borrow().show(c, s, screen, looks, exactly);
        if fits == Fits::Roughly {
            self.draw_when_rested();
        } else if fits == Fits::No {
            let shown = |window: Rect| -> Vec<&Annotation> {
                let all = e.doc().in_window(window).into_iter();
                all.filter(|a| e.layers().is_visible(a) && !e.selection().contains(a.id))
                    .collect()
            };
            let fine = |to: &Context, list: &[&Annotation], hover: bool| {
                for a in list {
                    one(
                        to,
                        e,
                        &self.outlines,
                        a,
                        (look_of(a).1, looks.fill),
                        (false, hover),
                    );
                }
                // A picture that is kept outlives the box being drawn.
                let now = !hover || e.draft().is_none();
                if list.len() <= LABELS && now && looks.names == Names::Always {
                    for a in list {
                        label(to, e, a, look_of(a), hover);
                    }
                }
            };
            let visible = shown(grown(e));
            if visible.len() > FEW {
                let draw = |to: &Context, window: Rect| {
                    let list = shown(window);
                    if list.len() > MANY {
                        crowd(to, s, &list, &self.outlines, &look);
                    } else {
                        fine(to, &list, false);
                    }
                };
                self.backdrop.borrow_mut().draw(c, s, screen, looks, draw);
            } else {
                self.backdrop.borrow_mut().forget();
                fine(c, &visible, true);
            }
        }
        // Selected shapes lie above, whatever their place in the order; over the backdrop also the one under the pointer.
        let behind = self.backdrop.borrow().is_on();
        let hover = e
            .hover()
            .filter(|id| (behind || looks.names == Names::Hover) && !e.selection().contains(*id));
        for a in e
            .selection()
            .iter()
            .take(MANY)
            .chain(hover)
            .filter_map(|id| e.doc().get(id))
        {
            if e.layers().is_visible(a) {
                let own = look_of(a);
                one(
                    c,
                    e,
                    &self.outlines,
                    a,
                    (own.1, looks.fill),
                    (e.selection().contains(a.id), true),
                );
                if e.draft().is_none() && e.selection().len() <= LABELS && looks.names != Names::Never {
                    label(c, e, a, own, true);
                }
            }
        }
        if let Some(a) = e.selection().single().and_then(|id| e.doc().get(id))
            && e.layers().can_edit(a)
            && !e.is_read_only()
            && !e.tool().hides_grips()
        {
            grips::draw(c, e, &e.shown_shape(a), look_of(a).1);
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
    }
}

/// Lines between the pixels in view.
fn pixel_grid(c: &Context, view: &limn_editor::Viewport) {
    let w = view.window();
    c.begin_path();
    let from = |v: f64| v.floor().max(0.0) as i64;
    for x in from(w.x)..=from(w.right()) {
        let p = view.to_screen(Point::new(x as f64, w.y)).x.round() + 0.5;
        c.move_to(p, 0.0);
        c.line_to(p, view.screen().height);
    }
    for y in from(w.y)..=from(w.bottom()) {
        let p = view.to_screen(Point::new(w.x, y as f64)).y.round() + 0.5;
        c.move_to(0.0, p);
        c.line_to(view.screen().width, p);
    }
    line(c, "rgb(128 128 128 / 0.35)", 1.0);
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

/// A colour of its own for every object, the same each time.
fn own_color(id: AnnotationId) -> &'static str {
    let mixed = id
        .to_string()
        .bytes()
        .fold(0_u32, |h, b| h.wrapping_mul(31).wrapping_add(u32::from(b)));
    PALETTE[mixed as usize % PALETTE.len()]
}

/// Draws a shape in its colour, its fill in percent of the usual.
fn one(
    c: &Context,
    e: &Editor,
    outlines: &Outlines,
    a: &Annotation,
    (color, filled): (&str, u16),
    (selected, hover): (bool, bool),
) {
    let shape = e.shown_shape(a);
    if matches!(*shape, Shape::Whole) {
        return;
    }
    let hover = hover && e.hover() == Some(a.id);
    if let Shape::Keypoints { keypoints } = &*shape {
        let look = joints::Look {
            color,
            strong: selected || hover,
            named: e.hover_corner().filter(|(id, _)| *id == a.id).map(|(_, c)| c.at),
        };
        joints::draw(c, e.view(), keypoints, e.skeleton_of(a.category_id), look);
        return;
    }
    outlines.trace(c, e.view(), &shape);
    let proposal = a.source == Source::Prelabel;
    let semantic = e.doc().task() == Task::Semantic;
    let shade = match (selected, hover, proposal) {
        _ if semantic => 0.42 + if selected { 0.2 } else { 0.0 },
        (true, ..) => 0.24,
        (_, true, _) => 0.2,
        (_, _, true) => 0.07,
        _ => 0.1,
    };
    // Lines enclose nothing; points are solid.
    let shade = match &*shape {
        Shape::Polyline { .. } => 0.0,
        Shape::Points { .. } => 0.9,
        _ => (shade * f64::from(filled) / 100.0).min(1.0),
    };
    c.set_global_alpha(shade);
    c.set_fill_style_str(color);
    fill(c);
    // A dark rim keeps the line visible on any picture.
    c.set_global_alpha(0.4);
    line(c, "#000000", if selected { 4.0 } else { 3.0 });
    c.set_global_alpha(1.0);
    if proposal {
        dash(c, &[6.0, 4.0]);
    }
    line(c, &lighter(color), if selected || hover { 2.25 } else { 1.75 });
    if selected {
        c.set_global_alpha(0.55);
        line(c, "#ffffff", 0.75);
        c.set_global_alpha(1.0);
    }
    if proposal {
        dash(c, &[]);
    }
}

/// The name at a shape; `strong` says whether it may stand out because it is selected or under the pointer.
fn label(c: &Context, e: &Editor, a: &Annotation, (name, color): (&str, &str), strong: bool) {
    let Some(r) = e.shown_rect(a).map(|r| e.view().rect_to_screen(r)) else {
        return;
    };
    let strong = strong && (e.selection().contains(a.id) || e.hover() == Some(a.id));
    if r.w < 22.0 && !strong {
        return;
    }
    let text = match a.score.filter(|_| a.source == Source::Prelabel) {
        Some(score) => format!("{name} {score:.2}"),
        None => name.to_owned(),
    };
    c.set_font(FONT);
    let width = c.measure_text(&text).map_or(40.0, |m| m.width()) + 10.0;
    if width > r.w + 40.0 && !strong {
        return;
    }
    let x = r.x - 0.75;
    // Above the box; inside where the picture's edge cuts it off.
    let y = if r.y >= 17.0 { r.y - 17.0 } else { r.y.max(0.0) };
    c.set_global_alpha(if strong { 1.0 } else { 0.86 });
    c.set_fill_style_str(color);
    c.begin_path();
    if c.round_rect_with_f64(x, y, width, 16.0, 3.0).is_err() {
        c.rect(x, y, width, 16.0);
    }
    c.fill();
    c.set_global_alpha(1.0);
    c.set_fill_style_str(if is_light(color) { "#0b0d1a" } else { "#ffffff" });
    c.set_text_baseline("middle");
    let _ = c.fill_text(&text, x + 5.0, y + 8.5);
}

/// The colour a third of the way to white: lines of it stand out on dark pictures too.
pub(super) fn lighter(color: &str) -> String {
    let part = |i: usize| {
        let v = u8::from_str_radix(color.get(i..i + 2).unwrap_or("80"), 16).unwrap_or(128);
        u16::from(v) + (255 - u16::from(v)) * 3 / 10
    };
    format!("rgb({} {} {})", part(1), part(3), part(5))
}

/// Whether dark text reads better on the colour.
fn is_light(color: &str) -> bool {
    let part = |i: usize| {
        let v = u8::from_str_radix(color.get(i..i + 2).unwrap_or("00"), 16).unwrap_or(0);
        let v = f64::from(v) / 255.0;
        if v <= 0.04045 {
            v / 12.92
        } else {
            ((v + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5) > 0.2
}
