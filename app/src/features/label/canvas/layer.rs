//! A canvas that reaches beyond the stage. What it shows is drawn once; while the view moves, the browser's compositor shifts
//! and stretches it, which costs the page's main thread next to nothing.

use super::paint::{context, ratio};
use leptos::prelude::document;
use limn_domain::{Point, Rect};
use limn_editor::Viewport;
use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d as Context, HtmlCanvasElement};

/// How far the canvas reaches beyond the stage, as a share of it, on each side.
const MARGIN: f64 = 0.3;

/// How well what a layer shows fits the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fits {
    Exactly,
    /// Stretched: it is to be drawn anew when the view rests.
    Roughly,
    No,
}

/// What must hold for a drawing to be shown at another view.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// It is stretched to at most this many times its scale, or shrunk.
    pub stretch: f64,
    /// What has to be covered, on the stage; a stretched drawing may leave some of it bare when `None`.
    pub needed: Option<Rect>,
}

/// The canvas; `K` is what the drawing depends on besides scale and offset of the view.
pub struct Layer<K> {
    canvas: HtmlCanvasElement,
    context: Context,
    /// What it shows, at which scale, and where the image's corner was on the stage then.
    shown: Option<(K, f64, Point)>,
    /// Size of the stage and margins on each side, CSS pixels.
    screen: (f64, f64),
    margin: (f64, f64),
    /// Where a drawing that takes several frames is made before it is shown. Empty, without memory, while there is none.
    spare: Option<(HtmlCanvasElement, Context)>,
    /// What the drawing that was begun reaches over.
    begun: Option<Extent>,
}

/// Canvas pixels, margins in CSS pixels.
#[derive(Debug, Clone, Copy)]
struct Extent {
    size: (u32, u32),
    margin: (f64, f64),
}

impl Extent {
    fn of(view: &Viewport) -> Self {
        let (w, h, r) = (view.screen().width, view.screen().height, ratio());
        let margin = (whole(w * MARGIN), whole(h * MARGIN));
        let size = (
            ((w + 2.0 * margin.0) * r).round() as u32,
            ((h + 2.0 * margin.1) * r).round() as u32,
        );
        Self { size, margin }
    }

    /// Empties a canvas and turns it to the stage's coordinates. Whether it has another size now.
    fn prepare(&self, canvas: &HtmlCanvasElement, c: &Context) -> bool {
        let (w, h) = self.size;
        let other = (canvas.width(), canvas.height()) != self.size;
        if other {
            canvas.set_width(w);
            canvas.set_height(h);
        } else {
            let _ = c.set_transform(1.0, 0.0, 0.0, 1.0, 0.0, 0.0);
            c.clear_rect(0.0, 0.0, f64::from(w), f64::from(h));
        }
        self.set_stage(c);
        other
    }

    /// Turns a canvas to the stage's coordinates.
    fn set_stage(&self, c: &Context) {
        let r = ratio();
        let _ = c.set_transform(r, 0.0, 0.0, r, self.margin.0 * r, self.margin.1 * r);
    }

    /// What the canvas shows of the image, in its pixels (what encloses it where the view is turned).
    fn window(&self, view: &Viewport) -> Rect {
        let (scale, seen) = (view.scale(), view.window());
        let (mx, my) = if view.turn() % 180.0 == 0.0 {
            self.margin
        } else {
            let most = self.margin.0.max(self.margin.1);
            (most, most)
        };
        Rect::new(
            seen.x - mx / scale,
            seen.y - my / scale,
            seen.w + 2.0 * mx / scale,
            seen.h + 2.0 * my / scale,
        )
    }
}

/// Whole pixels of the screen, so that what is drawn on them stays sharp.
fn whole(v: f64) -> f64 {
    (v * ratio()).round() / ratio()
}

impl<K: PartialEq> Layer<K> {
    pub fn new(canvas: HtmlCanvasElement) -> Option<Self> {
        let context = context(&canvas)?;
        Some(Self {
            canvas,
            context,
            shown: None,
            screen: (0.0, 0.0),
            margin: (0.0, 0.0),
            spare: None,
            begun: None,
        })
    }

    pub const fn is_on(&self) -> bool {
        self.shown.is_some()
    }

    /// Shows nothing until it is drawn.
    pub fn forget(&mut self) {
        if self.shown.take().is_some() {
            self.style("visibility", "hidden");
        }
    }

    fn style(&self, name: &str, value: &str) {
        let _ = self.canvas.style().set_property(name, value);
    }

    /// Where the canvas lies on the stage when the view is this one: its corner, and how much it is stretched.
    fn at(&self, view: &Viewport) -> Option<(Point, f64)> {
        let (_, scale, from) = self.shown.as_ref()?;
        let (now, k) = (view.offset(), view.scale() / scale);
        let (mx, my) = self.margin;
        let corner = Point::new(now.x - (from.x + mx) * k, now.y - (from.y + my) * k);
        Some(if (k - 1.0).abs() < 1e-9 {
            (Point::new(whole(corner.x), whole(corner.y)), 1.0)
        } else {
            (corner, k)
        })
    }

    /// Moves what is shown to where the view has it, as far as it fits.
    pub fn show(&self, key: &K, view: &Viewport, bounds: Bounds) -> Fits {
        let (Some((shown, ..)), Some((corner, k))) = (&self.shown, self.at(view)) else {
            return Fits::No;
        };
        if shown != key {
            return Fits::No;
        }
        let (mx, my) = self.margin;
        let own = Rect::new(
            corner.x,
            corner.y,
            (self.screen.0 + 2.0 * mx) * k,
            (self.screen.1 + 2.0 * my) * k,
        );
        let stage = Rect::new(0.0, 0.0, self.screen.0, self.screen.1);
        let covers = |r: Rect| {
            own.x <= r.x + 0.5
                && own.y <= r.y + 0.5
                && own.right() >= r.right() - 0.5
                && own.bottom() >= r.bottom() - 0.5
        };
        let same = k == 1.0 && covers(bounds.needed.unwrap_or(stage));
        let rough = (1.0 / bounds.stretch..bounds.stretch).contains(&k) && bounds.needed.is_none_or(covers);
        if !same && !rough {
            return Fits::No;
        }
        self.put(corner, k);
        if same { Fits::Exactly } else { Fits::Roughly }
    }

    fn put(&self, corner: Point, k: f64) {
        let (mx, my) = self.margin;
        self.style(
            "transform",
            &format!("translate({}px,{}px) scale({k})", corner.x + mx, corner.y + my),
        );
    }

    /// Keeps showing what is out of date, where it is `alike`, until the new drawing is made.
    pub fn stand_in(&mut self, view: &Viewport, alike: impl Fn(&K) -> bool) {
        let fits = self.shown.as_ref().is_some_and(|(key, ..)| alike(key));
        match self.at(view).filter(|_| fits) {
            Some((corner, k)) => self.put(corner, k),
            None => self.forget(),
        }
    }

    /// Begins a drawing that takes several frames; [`Self::finish`] shows it. The window to draw is in image pixels.
    pub fn begin(&mut self, view: &Viewport) -> Option<Rect> {
        if self.spare.is_none() {
            let canvas: HtmlCanvasElement = document().create_element("canvas").ok()?.dyn_into().ok()?;
            let c = context(&canvas)?;
            self.spare = Some((canvas, c));
        }
        let (canvas, c) = self.spare.as_ref()?;
        let extent = Extent::of(view);
        extent.prepare(canvas, c);
        self.begun = Some(extent);
        Some(extent.window(view))
    }

    /// Columns and rows of the drawing that was begun.
    pub fn sketch_size(&self) -> (u32, u32) {
        self.begun.map_or((0, 0), |extent| extent.size)
    }

    /// The canvas of the drawing that was begun, in the stage's coordinates; only so many rows of its pixels can be drawn on until
    /// its state is restored. Bands that are drawn one after the other make up what is drawn at once: they meet between pixels.
    pub fn band(&self, from: u32, rows: u32) -> Option<Context> {
        let (extent, (_, c)) = (self.begun?, self.spare.as_ref()?);
        c.save();
        let _ = c.set_transform(1.0, 0.0, 0.0, 1.0, 0.0, 0.0);
        c.begin_path();
        c.rect(0.0, f64::from(from), f64::from(extent.size.0), f64::from(rows));
        c.clip();
        extent.set_stage(c);
        Some(c.clone())
    }

    /// Gives up the drawing that was begun, and its memory.
    pub fn abandon(&mut self) {
        if self.begun.take().is_some()
            && let Some((canvas, _)) = &self.spare
        {
            // The memory of a canvas goes at once when it has no size.
            canvas.set_width(0);
        }
    }

    /// The canvas of the drawing that was begun, in the stage's coordinates.
    pub fn sketch(&self) -> Option<Context> {
        Some(self.spare.as_ref()?.1.clone())
    }

    /// Shows the drawing that was begun for this view. A frame of its own: it is a copy of every pixel.
    pub fn finish(&mut self, key: K, view: &Viewport) {
        let Some((spare, _)) = self.spare.clone().filter(|_| self.begun.is_some()) else {
            return;
        };
        self.draw(key, view, |c, _| {
            let _ = c.set_transform(1.0, 0.0, 0.0, 1.0, 0.0, 0.0);
            c.set_image_smoothing_enabled(false);
            let _ = c.draw_image_with_html_canvas_element(&spare, 0.0, 0.0);
        });
        self.abandon();
    }

    /// Draws anew for this view with `paint`, which gets a canvas in the stage's coordinates and the window to draw, in image
    /// pixels (what encloses it where the view is turned).
    pub fn draw(&mut self, key: K, view: &Viewport, paint: impl FnOnce(&Context, Rect)) {
        let extent = Extent::of(view);
        let (w, h) = (view.screen().width, view.screen().height);
        let other = extent.prepare(&self.canvas, &self.context);
        // As many pixels can be less of the stage: the screen is denser now.
        if other || (self.screen, self.margin) != ((w, h), extent.margin) {
            let (mx, my) = extent.margin;
            for (name, v) in [
                ("left", -mx),
                ("top", -my),
                ("width", w + 2.0 * mx),
                ("height", h + 2.0 * my),
            ] {
                self.style(name, &format!("{v}px"));
            }
        }
        (self.screen, self.margin) = ((w, h), extent.margin);
        paint(&self.context, extent.window(view));
        self.shown = Some((key, view.scale(), view.offset()));
        self.style("transform", "none");
        self.style("visibility", "visible");
    }

    /// Puts the part that lies on the stage into `to`, over the whole of `width` x `height`.
    pub fn copy_to(&self, to: &Context, width: f64, height: f64, view: &Viewport) -> Option<()> {
        let (corner, k) = self.at(view)?;
        let r = ratio() / k;
        to.draw_image_with_html_canvas_element_and_sw_and_sh_and_dx_and_dy_and_dw_and_dh(
            &self.canvas,
            -corner.x * r,
            -corner.y * r,
            self.screen.0 * r,
            self.screen.1 * r,
            0.0,
            0.0,
            width,
            height,
        )
        .ok()
    }
}
