//! The shapes that stand still: drawn once into a picture larger than the stage, which is then shown, shifted while panning
//! and stretched while zooming, until annotations, layers or looks change. What moves is drawn over it.

use super::outlines::Outlines;
use super::paint::{context, ratio};
use crate::features::label::desk::Sheet;
use crate::features::label::look::Look;
use leptos::prelude::document;
use limn_domain::{Annotation, CategoryId, ItemId, Point, Rect};
use limn_editor::Viewport;
use std::collections::HashMap;
use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d as Context, HtmlCanvasElement};

/// Shapes drawn as one path.
const BATCH: usize = 500;
/// How far the picture reaches beyond the stage, as a share of it, on each side.
const MARGIN: f64 = 0.3;
/// A picture is stretched to at most this many times its scale, or shrunk.
const STRETCH: f64 = 6.0;

/// What the picture depends on besides the view.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Key {
    item: ItemId,
    doc: u64,
    layers: u64,
    selection: u64,
    looks: Look,
    screen: (f64, f64),
    ratio: f64,
    turn: f64,
}

impl Key {
    fn of(s: &Sheet, screen: (f64, f64), looks: Look) -> Self {
        let epochs = s.editor.epochs();
        Self {
            item: s.item.id,
            doc: epochs.doc,
            layers: epochs.layers,
            selection: epochs.selection,
            looks,
            screen,
            ratio: ratio(),
            turn: s.editor.view().turn(),
        }
    }
}

/// How well the picture that was shown fits the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fits {
    Exactly,
    /// Stretched: it is to be drawn anew when the zoom rests.
    Roughly,
    /// Not at all; nothing was shown.
    No,
}

/// The picture.
#[derive(Default)]
pub struct Backdrop {
    canvas: Option<(HtmlCanvasElement, Context)>,
    /// What it shows, at which scale, and where the image's corner was on the stage then.
    shown: Option<(Key, f64, Point)>,
}

impl Backdrop {
    pub const fn is_on(&self) -> bool {
        self.shown.is_some()
    }

    pub const fn forget(&mut self) {
        self.shown = None;
    }

    /// Puts the picture on the stage as far as it fits; only an exact one when `exactly`.
    pub fn show(&self, c: &Context, s: &Sheet, screen: (f64, f64), looks: Look, exactly: bool) -> Fits {
        let (Some((canvas, _)), Some((key, scale, from))) = (&self.canvas, self.shown) else {
            return Fits::No;
        };
        if key != Key::of(s, screen, looks) {
            return Fits::No;
        }
        let view = s.editor.view();
        let (now, k) = (view.offset(), view.scale() / scale);
        let (mx, my) = (screen.0 * MARGIN, screen.1 * MARGIN);
        let same = (k - 1.0).abs() < 1e-9;
        // Where the picture's corner is now: it was (mx, my) before the stage's.
        let (x, y) = (now.x - (from.x + mx) * k, now.y - (from.y + my) * k);
        let (w, h) = ((screen.0 + 2.0 * mx) * k, (screen.1 + 2.0 * my) * k);
        let covers = x <= 0.0 && y <= 0.0 && x + w >= screen.0 && y + h >= screen.1;
        let rough = !exactly && (1.0 / STRETCH..STRETCH).contains(&k);
        if !(same && covers || rough) {
            return Fits::No;
        }
        match c.draw_image_with_html_canvas_element_and_dw_and_dh(canvas, x, y, w, h) {
            Ok(()) if same && covers => Fits::Exactly,
            Ok(()) => Fits::Roughly,
            Err(_) => Fits::No,
        }
    }

    /// Draws the picture anew with `paint`, which gets a canvas in the stage's coordinates and the window to draw, in image
    /// pixels; and puts it on the stage.
    pub fn draw(
        &mut self,
        c: &Context,
        s: &Sheet,
        screen: (f64, f64),
        looks: Look,
        paint: impl FnOnce(&Context, Rect),
    ) {
        self.shown = None;
        let (mx, my) = (screen.0 * MARGIN, screen.1 * MARGIN);
        let Some((canvas, to)) = self.canvas() else {
            return;
        };
        let r = ratio();
        let (width, height) = (
            ((screen.0 + 2.0 * mx) * r).round() as u32,
            ((screen.1 + 2.0 * my) * r).round() as u32,
        );
        if (canvas.width(), canvas.height()) == (width, height) {
            let _ = to.set_transform(1.0, 0.0, 0.0, 1.0, 0.0, 0.0);
            to.clear_rect(0.0, 0.0, f64::from(width), f64::from(height));
        } else {
            canvas.set_width(width);
            canvas.set_height(height);
        }
        let _ = to.set_transform(r, 0.0, 0.0, r, mx * r, my * r);
        let view = s.editor.view();
        let (scale, w) = (view.scale(), view.window());
        let window = Rect::new(
            w.x - mx / scale,
            w.y - my / scale,
            w.w + 2.0 * mx / scale,
            w.h + 2.0 * my / scale,
        );
        paint(&to, window);
        self.shown = Some((Key::of(s, screen, looks), scale, view.offset()));
        self.show(c, s, screen, looks, true);
    }

    fn canvas(&mut self) -> Option<(HtmlCanvasElement, Context)> {
        if self.canvas.is_none() {
            let canvas: HtmlCanvasElement = document().create_element("canvas").ok()?.dyn_into().ok()?;
            let to = context(&canvas)?;
            self.canvas = Some((canvas, to));
        }
        self.canvas.clone()
    }
}

/// Thousands of shapes: outlines in batches, one path for many; those smaller than three pixels are dots.
pub fn crowd<'a>(
    to: &Context,
    s: &Sheet,
    shapes: &[&Annotation],
    outlines: &Outlines,
    look: &impl Fn(&CategoryId) -> (&'a str, &'a str),
) {
    let view: &Viewport = s.editor.view();
    let mut groups: HashMap<CategoryId, Vec<&Annotation>> = HashMap::new();
    for a in shapes {
        groups.entry(a.category_id).or_default().push(a);
    }
    for (category, shapes) in groups {
        let color = look(&category).1;
        to.set_fill_style_str(color);
        to.set_stroke_style_str(color);
        to.set_line_width(1.0);
        // One path for many shapes: each stroke on its own costs far more.
        for batch in shapes.chunks(BATCH) {
            to.begin_path();
            for a in batch {
                let Some(r) = s.editor.doc().bounds(a.id).map(|r| view.rect_to_screen(r)) else {
                    continue;
                };
                if r.w.max(r.h) < 3.0 {
                    to.fill_rect(r.x, r.y, r.w.max(1.0), r.h.max(1.0));
                } else {
                    outlines.add(to, view, &a.shape);
                }
            }
            to.stroke();
        }
    }
}
