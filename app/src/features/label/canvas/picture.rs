//! The layer of the picture: whole, or by the tiles that are in view; and the value under the pointer.

use super::images::Which;
use super::paint::{Painter, context, line, ratio};
use super::place::{Picture as Placed, place};
use super::tiles::{Drawable, Window};
use crate::features::label::desk::{Sheet, is_small};
use leptos::prelude::*;
use limn_domain::picture::{Picture, Pyramid, TileAt};
use limn_domain::{Point, Rect};
use limn_editor::Viewport;
use wasm_bindgen::prelude::*;
use web_sys::{CanvasRenderingContext2d as Context, HtmlCanvasElement};

/// Scale (screen pixels a pixel) from which pixels are drawn crisp.
const CRISP: f64 = 4.0;

impl Painter {
    /// Draws what lies in the window, image pixels.
    pub(super) fn draw_image(&self, c: &Context, s: &Sheet, window: Rect) {
        let view = s.editor.view();
        let r = Rect::new(0.0, 0.0, s.item.width as f64, s.item.height as f64);
        let dense = view.scale() * ratio();
        c.set_image_smoothing_enabled(dense < CRISP);
        let drawn = match self.desk.picture_now(&s.item) {
            _ if s.editor.frames().is_some() => self.draw_frame(c, s, r),
            Some(Picture::Tiled(pyramid)) => {
                self.draw_tiles(c, s, &pyramid, window);
                true
            }
            Some(Picture::Whole) => self.draw_whole(c, s, r, dense),
            // Its rendition stands in for the moment until it is known whether there is more.
            None if is_small(&s.item) => self.draw_whole(c, s, r, dense),
            Some(Picture::Making { .. } | Picture::Failed { .. }) | None => false,
        };
        if !drawn {
            c.set_fill_style_str("#1b1d21");
            c.begin_path();
            super::place::ring(c, view, r);
            c.fill();
            return;
        }
        if self.desk.looks.get_untracked().grid && view.scale() >= 8.0 {
            pixel_grid(c, view, window);
        }
    }

    fn draw_whole(&self, c: &Context, s: &Sheet, r: Rect, dense: f64) -> bool {
        let id = s.item.id;
        let again = self.clone();
        let redraw = move || again.all();
        self.images.want(id, Which::Screen, redraw.clone());
        let screen = self.images.get(id, Which::Screen);
        // Looked at closer than the rendition is sharp: every pixel.
        let have = screen
            .as_ref()
            .map_or(1.0, |i| f64::from(i.width()) / r.w.max(1.0));
        let full = ((have < 0.99 && dense > have * 1.15) || dense >= CRISP).then(|| {
            self.images.want(id, Which::Full, redraw);
            self.images.get(id, Which::Full)
        });
        let Some(picture) = full.flatten().or(screen) else {
            if self.images.failed(id, Which::Screen) && self.failed.replace(Some(id)) != Some(id) {
                let name = s.item.name.clone();
                let toasts = self.desk.toasts;
                super::images::next_frame(move || {
                    toasts.fail(format!("The picture of {name} could not be loaded."));
                });
            }
            return false;
        };
        let all = [0.0, 0.0, f64::from(picture.width()), f64::from(picture.height())];
        place(c, s.editor.view(), &Placed::Image(&picture), all, r);
        true
    }

    /// Draws the tiles in view; where one is not there yet, the part of a coarser one.
    fn draw_tiles(&self, c: &Context, s: &Sheet, pyramid: &Pyramid, w: Rect) {
        let (id, view) = (s.item.id, s.editor.view());
        let window = self.window_of(pyramid);
        let level = pyramid.level_for(view.scale() * ratio());
        let mut list = pyramid.tiles_in(level, [w.x, w.y, w.right(), w.bottom()]);
        if view.turn() % 90.0 != 0.0 {
            // The corners of the window are out of view.
            let middle = w.center();
            let reach = w.w.hypot(w.h) / 2.0;
            list.retain(|at| distance(pyramid.covers(*at), middle) <= reach);
        }
        let middle = w.center();
        list.sort_by(|a, b| {
            distance(pyramid.covers(*a), middle).total_cmp(&distance(pyramid.covers(*b), middle))
        });
        // The coarsest is there first and shows everything.
        let base = TileAt {
            level: pyramid.levels.saturating_sub(1),
            x: 0,
            y: 0,
        };
        let mut wanted = vec![base];
        wanted.extend(list.iter().filter(|at| **at != base));
        let again = self.clone();
        self.tiles.want(id, pyramid, &wanted, move || {
            again.desk.tiles_tick.try_update(|n| *n += 1);
            again.all();
        });
        for at in list {
            let mut from = at;
            loop {
                if let Some(tile) = self.tiles.get(id, from, window) {
                    draw_part(c, view, pyramid, &tile, from, at);
                    break;
                }
                if from.level >= base.level {
                    break;
                }
                from = from.parent();
            }
        }
    }

    /// The samples shown from black to white.
    fn window_of(&self, pyramid: &Pyramid) -> Window {
        let own = self.desk.window.get_untracked();
        own.unwrap_or((pyramid.window[0], pyramid.window[1]))
    }

    /// The value of the pixel under the pointer: one number a channel, where it can be told without waiting.
    pub(super) fn value_at(&self, s: &Sheet, p: Point) -> Option<Vec<u16>> {
        let (w, h) = (s.item.width as f64, s.item.height as f64);
        if !((0.0..w).contains(&p.x) && (0.0..h).contains(&p.y)) {
            return None;
        }
        let (x, y) = (p.x as u32, p.y as u32);
        if s.editor.frames().is_some() {
            let image = self.frames.get(s.item.id, Which::Frame(s.editor.frame()))?;
            let rgb = self.read_pixel(&Placed::Image(&image), f64::from(x), f64::from(y))?;
            return Some(rgb.to_vec());
        }
        match self.desk.picture_now(&s.item)? {
            Picture::Tiled(pyramid) if pyramid.bits > 8 => self.tiles.samples(s.item.id, &pyramid, x, y),
            Picture::Tiled(pyramid) => {
                let side = pyramid.tile.max(1);
                let at = TileAt {
                    level: 0,
                    x: x / side,
                    y: y / side,
                };
                let tile = self.tiles.get(s.item.id, at, (0, 255))?;
                let rgb = self.read_pixel(&Placed::Tile(&tile), f64::from(x % side), f64::from(y % side))?;
                Some(rgb[..usize::from(pyramid.channels).min(3)].to_vec())
            }
            Picture::Whole => {
                let exact = |which| {
                    self.images
                        .get(s.item.id, which)
                        .filter(|i| f64::from(i.width()) == w && f64::from(i.height()) == h)
                };
                let image = exact(Which::Full).or_else(|| exact(Which::Screen))?;
                let rgb = self.read_pixel(&Placed::Image(&image), f64::from(x), f64::from(y))?;
                Some(rgb.to_vec())
            }
            Picture::Making { .. } | Picture::Failed { .. } => None,
        }
    }

    /// Red, green and blue of one pixel.
    fn read_pixel(&self, picture: &Placed<'_>, x: f64, y: f64) -> Option<[u16; 3]> {
        let mut probe = self.probe.borrow_mut();
        if probe.is_none() {
            let canvas: HtmlCanvasElement = document().create_element("canvas").ok()?.dyn_into().ok()?;
            canvas.set_width(1);
            canvas.set_height(1);
            // Kept in ordinary memory, where a single pixel is read at once.
            let options = js_sys::Object::new();
            js_sys::Reflect::set(&options, &"willReadFrequently".into(), &JsValue::TRUE).ok()?;
            let context = canvas
                .get_context_with_context_options("2d", &options)
                .ok()??
                .dyn_into::<Context>()
                .ok()?;
            context.set_image_smoothing_enabled(false);
            *probe = Some(context);
        }
        let c = probe.as_ref()?;
        c.clear_rect(0.0, 0.0, 1.0, 1.0);
        match *picture {
            Placed::Image(b) | Placed::Tile(Drawable::Bitmap(b)) => c
                .draw_image_with_image_bitmap_and_sw_and_sh_and_dx_and_dy_and_dw_and_dh(
                    b, x, y, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0,
                ),
            Placed::Tile(Drawable::Canvas(k)) => c
                .draw_image_with_html_canvas_element_and_sw_and_sh_and_dx_and_dy_and_dw_and_dh(
                    k, x, y, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0,
                ),
        }
        .ok()?;
        let data = c.get_image_data(0.0, 0.0, 1.0, 1.0).ok()?.data();
        Some([0, 1, 2].map(|i| u16::from(data[i])))
    }

    /// What the picture's shades are to become so that each is used alike: 64 steps, as an SVG filter's table. From what is in
    /// view; `None` while nothing is drawn.
    pub fn equal_shades(&self) -> Option<String> {
        const SIDE: u32 = 192;
        const STEPS: usize = 64;
        let layers = self.layers.borrow();
        let canvas: HtmlCanvasElement = document().create_element("canvas").ok()?.dyn_into().ok()?;
        canvas.set_width(SIDE);
        canvas.set_height(SIDE);
        let c = context(&canvas)?;
        let side = f64::from(SIDE);
        let view = self.desk.read(|s| *s.editor.view())?;
        layers.as_ref()?.picture.copy_to(&c, side, side, &view)?;
        let data = c.get_image_data(0.0, 0.0, side, side).ok()?.data();
        let mut counts = [0_u32; 256];
        for p in data.chunks_exact(4).filter(|p| p[3] == 255) {
            // ITU-R BT.601.
            let y = (299 * u32::from(p[0]) + 587 * u32::from(p[1]) + 114 * u32::from(p[2])) / 1000;
            counts[y as usize] += 1;
        }
        let all: u32 = counts.iter().sum();
        if all == 0 {
            return None;
        }
        let below = |v: usize| counts[..v].iter().sum::<u32>();
        let table: Vec<String> = (0..=STEPS)
            .map(|i| format!("{:.3}", f64::from(below(i * 256 / STEPS)) / f64::from(all)))
            .collect();
        Some(table.join(" "))
    }
}

/// From the middle of a box to a point, less what the box itself reaches.
fn distance([x, y, w, h]: [f64; 4], p: Point) -> f64 {
    let along = |start: f64, len: f64, v: f64| (v - v.clamp(start, start + len)).abs();
    along(x, w, p.x).hypot(along(y, h, p.y))
}

/// Draws the part of the tile `from` that shows what `at` covers, which is the same tile or a finer one.
fn draw_part(c: &Context, view: &Viewport, pyramid: &Pyramid, tile: &Drawable, from: TileAt, at: TileAt) {
    let [x, y, w, h] = pyramid.covers(at);
    let (width, height) = (f64::from(pyramid.width), f64::from(pyramid.height));
    // Not beyond the picture, where the last pixel of a level stands for less than a square.
    let (right, bottom) = ((x + w).min(width), (y + h).min(height));
    let [fx, fy, ..] = pyramid.covers(from);
    let k = f64::from(from.level).exp2();
    let part = [(x - fx) / k, (y - fy) / k, (right - x) / k, (bottom - y) / k];
    let rect = Rect::new(x, y, right - x, bottom - y);
    place(c, view, &Placed::Tile(tile), part, rect);
}

/// Lines between the pixels of the window.
fn pixel_grid(c: &Context, view: &Viewport, w: Rect) {
    let from = |v: f64| v.floor().max(0.0) as i64;
    let crisp = |p: Point| {
        if view.turn() % 90.0 == 0.0 {
            Point::new(p.x.round() + 0.5, p.y.round() + 0.5)
        } else {
            p
        }
    };
    let segment = |a: Point, b: Point| {
        let (a, b) = (crisp(view.to_screen(a)), crisp(view.to_screen(b)));
        c.move_to(a.x, a.y);
        c.line_to(b.x, b.y);
    };
    c.begin_path();
    for x in from(w.x)..=from(w.right()) {
        segment(Point::new(x as f64, w.y), Point::new(x as f64, w.bottom()));
    }
    for y in from(w.y)..=from(w.bottom()) {
        segment(Point::new(w.x, y as f64), Point::new(w.right(), y as f64));
    }
    line(c, "rgb(128 128 128 / 0.35)", 1.0);
}
