//! Where on the screen the image lies: scale and offset, and the ways to change them.

use limn_domain::{Point, Rect, Size};

/// Smallest and largest scale, in screen pixels per image pixel.
pub const MIN_SCALE: f64 = 0.01;
pub const MAX_SCALE: f64 = 64.0;
/// At least this many screen pixels of the image stay in view.
const KEEP: f64 = 48.0;

/// Maps image pixels to screen pixels (CSS pixels from the canvas's top left): `screen = image * scale + offset`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Viewport {
    scale: f64,
    offset: Point,
    /// Size of the canvas in CSS pixels.
    screen: Size,
    image: Size,
    /// Whether the view follows the canvas's size until somebody zooms or pans.
    fitted: bool,
}

impl Viewport {
    pub fn new(image: Size) -> Self {
        Self {
            scale: 1.0,
            offset: Point::default(),
            screen: Size::default(),
            image,
            fitted: true,
        }
    }

    /// Screen pixels per image pixel.
    pub const fn scale(&self) -> f64 {
        self.scale
    }

    pub const fn screen(&self) -> Size {
        self.screen
    }

    /// Where the image's top left corner is on the screen.
    pub const fn offset(&self) -> Point {
        self.offset
    }

    /// The canvas has this size now; a fitted view stays fitted, any other keeps its centre.
    pub fn resize(&mut self, screen: Size) {
        let old = self.screen;
        self.screen = screen;
        if self.fitted || old.width <= 0.0 {
            self.fit();
        } else {
            self.offset.x += (screen.width - old.width) / 2.0;
            self.offset.y += (screen.height - old.height) / 2.0;
            self.clamp();
        }
    }

    /// Another image: fitted.
    pub fn set_image(&mut self, image: Size) {
        self.image = image;
        self.fit();
    }

    fn margin(&self) -> f64 {
        (self.screen.width.min(self.screen.height) * 0.06).clamp(8.0, 48.0)
    }

    /// The whole image, centred; small images are enlarged up to eightfold.
    pub fn fit(&mut self) {
        self.fitted = true;
        let m = 2.0 * self.margin();
        let (w, h) = (self.image.width.max(1.0), self.image.height.max(1.0));
        let scale = ((self.screen.width - m).max(1.0) / w).min((self.screen.height - m).max(1.0) / h);
        self.scale = scale.clamp(MIN_SCALE, 8.0);
        self.offset = Point::new(
            (self.screen.width - w * self.scale) / 2.0,
            (self.screen.height - h * self.scale) / 2.0,
        );
    }

    /// One image pixel per screen pixel, about the centre of the view.
    pub fn one_to_one(&mut self) {
        self.set_scale(1.0, self.middle());
    }

    /// `rect` (image pixels) fills most of the view.
    pub fn zoom_to(&mut self, rect: Rect) {
        let m = 4.0 * self.margin();
        let w = rect.w.max(1.0);
        let h = rect.h.max(1.0);
        let scale = ((self.screen.width - m).max(1.0) / w).min((self.screen.height - m).max(1.0) / h);
        self.scale = scale.clamp(MIN_SCALE, 16.0);
        self.fitted = false;
        self.center_on(rect.center());
    }

    /// Brings a point of the image to the middle of the view.
    pub fn center_on(&mut self, p: Point) {
        let m = self.middle();
        self.fitted = false;
        self.offset = Point::new(m.x - p.x * self.scale, m.y - p.y * self.scale);
        self.clamp();
    }

    /// Zooms by `factor` keeping the image point under `at` (screen pixels) in place.
    pub fn zoom_at(&mut self, at: Point, factor: f64) {
        if factor.is_finite() && factor > 0.0 {
            self.set_scale(self.scale * factor, at);
        }
    }

    /// Zooms by one step about the middle of the view.
    pub fn step(&mut self, inward: bool) {
        self.zoom_at(self.middle(), if inward { 1.25 } else { 0.8 });
    }

    fn set_scale(&mut self, scale: f64, at: Point) {
        let p = self.to_image(at);
        self.fitted = false;
        self.scale = scale.clamp(MIN_SCALE, MAX_SCALE);
        self.offset = Point::new(at.x - p.x * self.scale, at.y - p.y * self.scale);
        self.clamp();
    }

    /// Moves the image by screen pixels.
    pub fn pan(&mut self, dx: f64, dy: f64) {
        if dx.is_finite() && dy.is_finite() {
            self.fitted = false;
            self.offset.x += dx;
            self.offset.y += dy;
            self.clamp();
        }
    }

    fn clamp(&mut self) {
        let (w, h) = (self.image.width * self.scale, self.image.height * self.scale);
        let (kx, ky) = (KEEP.min(w), KEEP.min(h));
        self.offset.x = self.offset.x.clamp(kx - w, (self.screen.width - kx).max(kx - w));
        self.offset.y = self.offset.y.clamp(ky - h, (self.screen.height - ky).max(ky - h));
    }

    fn middle(&self) -> Point {
        Point::new(self.screen.width / 2.0, self.screen.height / 2.0)
    }

    pub fn to_image(&self, p: Point) -> Point {
        Point::new(
            (p.x - self.offset.x) / self.scale,
            (p.y - self.offset.y) / self.scale,
        )
    }

    pub fn to_screen(&self, p: Point) -> Point {
        Point::new(p.x * self.scale + self.offset.x, p.y * self.scale + self.offset.y)
    }

    pub fn rect_to_screen(&self, r: Rect) -> Rect {
        let p = self.to_screen(Point::new(r.x, r.y));
        Rect::new(p.x, p.y, r.w * self.scale, r.h * self.scale)
    }

    /// The part of the image plane that is in view, in image pixels; it may reach beyond the image.
    pub fn window(&self) -> Rect {
        let p = self.to_image(Point::default());
        Rect::new(
            p.x,
            p.y,
            self.screen.width / self.scale,
            self.screen.height / self.scale,
        )
    }
}
