//! Thousands of shapes: drawn once into a picture larger than the stage, which is then shown, and shifted while panning,
//! until the annotations, the zoom or the layers change.

use super::outlines::Outlines;
use super::paint::{context, ratio};
use crate::features::label::desk::Sheet;
use leptos::prelude::document;
use limn_domain::{Annotation, CategoryId, ItemId, Point, Rect};
use std::collections::HashMap;
use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d as Context, HtmlCanvasElement};

/// Shapes drawn as one path.
const BATCH: usize = 500;
/// How far the picture reaches beyond the stage, as a share of it, on each side.
const MARGIN: f64 = 0.3;

#[derive(Debug, Clone, Copy, PartialEq)]
struct Key {
    item: ItemId,
    doc: u64,
    layers: u64,
    scale: f64,
    screen: (f64, f64),
    ratio: f64,
}

impl Key {
    fn of(s: &Sheet, screen: (f64, f64)) -> Self {
        let epochs = s.editor.epochs();
        Self {
            item: s.item.id,
            doc: epochs.doc,
            layers: epochs.layers,
            scale: s.editor.view().scale(),
            screen,
            ratio: ratio(),
        }
    }
}

/// The picture of a crowd.
#[derive(Default)]
pub struct Crowd {
    canvas: Option<(HtmlCanvasElement, Context)>,
    /// What the picture shows, and where the image's corner was on the stage then.
    shown: Option<(Key, Point)>,
}

impl Crowd {
    pub const fn is_on(&self) -> bool {
        self.shown.is_some()
    }

    pub const fn forget(&mut self) {
        self.shown = None;
    }

    /// Puts the picture on the stage if it fits; says whether it did.
    pub fn shows(&self, c: &Context, s: &Sheet, screen: (f64, f64)) -> bool {
        let (Some((canvas, _)), Some((key, from))) = (&self.canvas, self.shown) else {
            return false;
        };
        let now = s.editor.view().offset();
        let (dx, dy) = (now.x - from.x, now.y - from.y);
        let (mx, my) = (screen.0 * MARGIN, screen.1 * MARGIN);
        if key != Key::of(s, screen) || dx.abs() > mx || dy.abs() > my {
            return false;
        }
        let (w, h) = (screen.0 + 2.0 * mx, screen.1 + 2.0 * my);
        c.draw_image_with_html_canvas_element_and_dw_and_dh(canvas, dx - mx, dy - my, w, h)
            .is_ok()
    }

    /// Draws the picture anew and puts it on the stage. Shapes smaller than three pixels become dots.
    pub fn draw<'a>(
        &mut self,
        c: &Context,
        s: &Sheet,
        screen: (f64, f64),
        categories: usize,
        outlines: &Outlines,
        look: &impl Fn(&CategoryId) -> (&'a str, &'a str),
    ) {
        self.shown = None;
        let e = &s.editor;
        let (mx, my) = (screen.0 * MARGIN, screen.1 * MARGIN);
        let Some((canvas, to)) = self.canvas() else {
            return;
        };
        let r = ratio();
        canvas.set_width(((screen.0 + 2.0 * mx) * r).round() as u32);
        canvas.set_height(((screen.1 + 2.0 * my) * r).round() as u32);
        let _ = to.set_transform(r, 0.0, 0.0, r, mx * r, my * r);
        let scale = e.view().scale();
        let w = e.view().window();
        let window = Rect::new(
            w.x - mx / scale,
            w.y - my / scale,
            w.w + 2.0 * mx / scale,
            w.h + 2.0 * my / scale,
        );
        let mut groups: HashMap<CategoryId, Vec<&Annotation>> = HashMap::with_capacity(categories);
        for a in e
            .doc()
            .in_window(window)
            .into_iter()
            .filter(|a| e.layers().is_visible(a))
        {
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
                    let Some(r) = e.doc().bounds(a.id).map(|r| e.view().rect_to_screen(r)) else {
                        continue;
                    };
                    if r.w.max(r.h) < 3.0 {
                        to.fill_rect(r.x, r.y, r.w.max(1.0), r.h.max(1.0));
                    } else {
                        outlines.add(&to, e.view(), &a.shape);
                    }
                }
                to.stroke();
            }
        }
        self.shown = Some((Key::of(s, screen), e.view().offset()));
        self.shows(c, s, screen);
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
