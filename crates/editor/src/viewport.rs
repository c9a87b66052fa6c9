//! Where on the screen the image lies: scale, turn and offset, and the ways to change them. Only the view is turned:
//! everything else stays in image pixels.

use limn_domain::{Point, Rect, Size};

/// Smallest and largest scale, in screen pixels per image pixel.
pub const MIN_SCALE: f64 = 0.002;
pub const MAX_SCALE: f64 = 64.0;
/// By how much a step zooms in.
pub const STEP: f64 = 1.25;
/// At least this many screen pixels of the image stay in view.
const KEEP: f64 = 48.0;

/// Maps image pixels to screen pixels (CSS pixels from the canvas's top left): `screen = turned(image) * scale + offset`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Viewport {
    scale: f64,
    /// Clockwise, in degrees from 0 to below 360.
    turn: f64,
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
            turn: 0.0,
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

    /// How far the image is turned clockwise on the screen, in degrees from 0 to below 360.
    pub const fn turn(&self) -> f64 {
        self.turn
    }

    /// Sine and cosine of the turn; exact at quarters.
    pub fn sin_cos(&self) -> (f64, f64) {
        match self.turn {
            0.0 => (0.0, 1.0),
            90.0 => (1.0, 0.0),
            180.0 => (0.0, -1.0),
            270.0 => (-1.0, 0.0),
            t => t.to_radians().sin_cos(),
        }
    }

    /// A direction of the image as it is on the screen, and back.
    fn turned(&self, p: Point) -> Point {
        let (sin, cos) = self.sin_cos();
        Point::new(cos * p.x - sin * p.y, sin * p.x + cos * p.y)
    }

    fn upright(&self, p: Point) -> Point {
        let (sin, cos) = self.sin_cos();
        Point::new(cos * p.x + sin * p.y, cos * p.y - sin * p.x)
    }

    /// Width and height of what encloses a turned box of this size.
    fn spread(&self, w: f64, h: f64) -> (f64, f64) {
        let (sin, cos) = self.sin_cos();
        let (sin, cos) = (sin.abs(), cos.abs());
        (w * cos + h * sin, w * sin + h * cos)
    }

    /// Turns the view by degrees, clockwise, about the middle of the view; a fitted one stays fitted.
    pub fn turn_by(&mut self, degrees: f64) {
        if degrees.is_finite() {
            self.turn_to(self.turn + degrees);
        }
    }

    /// Turns the view to an angle in degrees; 0 is upright.
    pub fn turn_to(&mut self, degrees: f64) {
        if !degrees.is_finite() {
            return;
        }
        let middle = self.to_image(self.middle());
        // Thousandths, so that steps there and back end where they began.
        let turn = ((degrees * 1000.0).round() / 1000.0).rem_euclid(360.0);
        self.turn = if turn >= 360.0 { 0.0 } else { turn };
        if self.fitted {
            self.fit();
        } else {
            self.center_on(middle);
        }
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
        let (w, h) = self.spread(self.image.width.max(1.0), self.image.height.max(1.0));
        let scale = ((self.screen.width - m).max(1.0) / w).min((self.screen.height - m).max(1.0) / h);
        self.scale = scale.clamp(MIN_SCALE, 8.0);
        self.put(
            Point::new(self.image.width.max(1.0) / 2.0, self.image.height.max(1.0) / 2.0),
            self.middle(),
        );
    }

    /// One image pixel per screen pixel, about the centre of the view.
    pub fn one_to_one(&mut self) {
        self.set_scale(1.0, self.middle());
    }

    /// `rect` (image pixels) fills most of the view.
    pub fn zoom_to(&mut self, rect: Rect) {
        let m = 4.0 * self.margin();
        let (w, h) = self.spread(rect.w.max(1.0), rect.h.max(1.0));
        let scale = ((self.screen.width - m).max(1.0) / w).min((self.screen.height - m).max(1.0) / h);
        self.scale = scale.clamp(MIN_SCALE, 16.0);
        self.fitted = false;
        self.center_on(rect.center());
    }

    /// Brings a point of the image to the middle of the view.
    pub fn center_on(&mut self, p: Point) {
        self.fitted = false;
        self.put(p, self.middle());
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
        self.zoom_at(self.middle(), if inward { STEP } else { 1.0 / STEP });
    }

    fn set_scale(&mut self, scale: f64, at: Point) {
        let p = self.to_image(at);
        self.fitted = false;
        self.scale = scale.clamp(MIN_SCALE, MAX_SCALE);
        self.put(p, at);
        self.clamp();
    }

    /// Brings a point of the image to a place on the screen.
    fn put(&mut self, p: Point, at: Point) {
        let p = self.turned(p);
        self.offset = Point::new(at.x - p.x * self.scale, at.y - p.y * self.scale);
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
        let r = self.rect_to_screen(Rect::new(0.0, 0.0, self.image.width, self.image.height));
        let (kx, ky) = (KEEP.min(r.w), KEEP.min(r.h));
        self.offset.x += r.x.clamp(kx - r.w, (self.screen.width - kx).max(kx - r.w)) - r.x;
        self.offset.y += r.y.clamp(ky - r.h, (self.screen.height - ky).max(ky - r.h)) - r.y;
    }

    fn middle(&self) -> Point {
        Point::new(self.screen.width / 2.0, self.screen.height / 2.0)
    }

    pub fn to_image(&self, p: Point) -> Point {
        let p = self.upright(Point::new(p.x - self.offset.x, p.y - self.offset.y));
        Point::new(p.x / self.scale, p.y / self.scale)
    }

    pub fn to_screen(&self, p: Point) -> Point {
        let p = self.turned(p);
        Point::new(p.x * self.scale + self.offset.x, p.y * self.scale + self.offset.y)
    }

    /// The upright box on the screen that encloses a box of the image.
    pub fn rect_to_screen(&self, r: Rect) -> Rect {
        enclosing(r, |p| self.to_screen(p))
    }

    /// The upright box of the image plane that encloses what is in view, in image pixels; it may reach beyond the image, and
    /// beyond the view where that is turned.
    pub fn window(&self) -> Rect {
        let screen = Rect::new(0.0, 0.0, self.screen.width, self.screen.height);
        enclosing(screen, |p| self.to_image(p))
    }

    /// Whether a point of the image is in view.
    pub fn sees(&self, p: Point) -> bool {
        let p = self.to_screen(p);
        (0.0..=self.screen.width).contains(&p.x) && (0.0..=self.screen.height).contains(&p.y)
    }

    /// A step on the screen along the axes of the image: the nearest of its four directions.
    pub fn step_on_image(&self, dx: f64, dy: f64) -> (f64, f64) {
        match (self.turn / 90.0).round() as i32 % 4 {
            1 => (dy, -dx),
            2 => (-dx, -dy),
            3 => (-dy, dx),
            _ => (dx, dy),
        }
    }
}

/// Encloses a box whose corners are mapped.
fn enclosing(r: Rect, map: impl Fn(Point) -> Point) -> Rect {
    let (a, b, c, d) = (
        map(Point::new(r.x, r.y)),
        map(Point::new(r.x + r.w, r.y)),
        map(Point::new(r.x, r.y + r.h)),
        map(Point::new(r.x + r.w, r.y + r.h)),
    );
    let (x, y) = (a.x.min(b.x).min(c.x).min(d.x), a.y.min(b.y).min(c.y).min(d.y));
    let (right, bottom) = (a.x.max(b.x).max(c.x).max(d.x), a.y.max(b.y).max(c.y).max(d.y));
    Rect::new(x, y, right - x, bottom - y)
}
