//! Which part of the plane is in view, and how large.

/// Room around the plane when all of it is in view, as a share of the screen.
const ROOM: f64 = 0.06;
/// How small and how large it can be, beside all of it in view.
const ZOOM_MIN: f64 = 0.5;
const ZOOM_MAX: f64 = 400.0;
/// How far the middle of the view can leave the plane.
const BEYOND: f64 = 0.1;

/// The view. The plane reaches from 0 to 1 on both axes, y downwards.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Camera {
    /// The point of the plane in the middle of the screen.
    middle: (f64, f64),
    /// Beside all of it in view.
    zoom: f64,
    /// In pixels of CSS.
    screen: (f64, f64),
}

impl Camera {
    /// All of the plane.
    pub fn fitting(screen: (f64, f64)) -> Self {
        Self {
            middle: (0.5, 0.5),
            zoom: 1.0,
            screen,
        }
    }

    /// The same on a screen of another size; all of it on the first one.
    #[must_use]
    pub fn on(self, screen: (f64, f64)) -> Self {
        if self.zoom > 0.0 {
            Self { screen, ..self }
        } else {
            Self::fitting(screen)
        }
    }

    pub const fn screen(&self) -> (f64, f64) {
        self.screen
    }

    /// How many times larger than when all of it is in view.
    pub const fn zoom(&self) -> f64 {
        self.zoom
    }

    /// Pixels that a side of the plane takes.
    pub fn scale(&self) -> f64 {
        (self.screen.0.min(self.screen.1) * (1.0 - 2.0 * ROOM)).max(1.0) * self.zoom
    }

    pub fn to_screen(self, (x, y): (f64, f64)) -> (f64, f64) {
        let scale = self.scale();
        (
            (x - self.middle.0) * scale + self.screen.0 / 2.0,
            (y - self.middle.1) * scale + self.screen.1 / 2.0,
        )
    }

    pub fn to_plane(self, (x, y): (f64, f64)) -> (f64, f64) {
        let scale = self.scale();
        (
            (x - self.screen.0 / 2.0) / scale + self.middle.0,
            (y - self.screen.1 / 2.0) / scale + self.middle.1,
        )
    }

    /// Larger by a factor; what lies at a place of the screen stays there.
    #[must_use]
    pub fn zoomed(self, by: f64, at: (f64, f64)) -> Self {
        let before = self.to_plane(at);
        let larger = Self {
            zoom: (self.zoom * by).clamp(ZOOM_MIN, ZOOM_MAX),
            ..self
        };
        let after = larger.to_plane(at);
        larger.at((
            larger.middle.0 + before.0 - after.0,
            larger.middle.1 + before.1 - after.1,
        ))
    }

    /// Drags the plane by pixels.
    #[must_use]
    pub fn dragged(self, (dx, dy): (f64, f64)) -> Self {
        let scale = self.scale();
        self.at((self.middle.0 - dx / scale, self.middle.1 - dy / scale))
    }

    fn at(self, (x, y): (f64, f64)) -> Self {
        let within = |v: f64| v.clamp(-BEYOND, 1.0 + BEYOND);
        Self {
            middle: (within(x), within(y)),
            ..self
        }
    }

    /// The part of the plane that is in view: left, top, right, bottom.
    pub fn window(&self) -> [f64; 4] {
        let (left, top) = self.to_plane((0.0, 0.0));
        let (right, bottom) = self.to_plane(self.screen);
        [left, top, right, bottom]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: (f64, f64), b: (f64, f64)) -> bool {
        (a.0 - b.0).hypot(a.1 - b.1) < 1e-6
    }

    #[test]
    fn what_is_under_the_pointer_stays_there() {
        let c = Camera::fitting((800.0, 600.0));
        let at = (620.0, 150.0);
        let under = c.to_plane(at);
        let larger = c.zoomed(3.0, at);
        assert!(near(larger.to_screen(under), at));
        assert!((larger.zoom() - 3.0).abs() < 1e-9);
        assert!(near(c.to_screen(under), at));
        let dragged = larger.dragged((-20.0, 10.0));
        assert!(near(dragged.to_screen(under), (600.0, 160.0)));
    }

    #[test]
    fn all_of_it_fits_any_screen_and_none_of_it_gets_lost() {
        for screen in [(800.0, 600.0), (390.0, 500.0), (0.0, 0.0)] {
            let c = Camera::default().on(screen);
            let [left, top, right, bottom] = c.window();
            if screen.0 > 0.0 {
                assert!(left < 0.0 && top < 0.0 && right > 1.0 && bottom > 1.0);
            }
            let far = c.dragged((1e9, -1e9)).zoomed(1e9, (3.0, 3.0));
            assert!(far.zoom() <= ZOOM_MAX);
            assert!(far.window().iter().all(|v| v.is_finite() && v.abs() < 1e4));
        }
    }

    #[test]
    fn another_size_keeps_what_is_in_the_middle() {
        let c = Camera::fitting((800.0, 600.0)).zoomed(4.0, (100.0, 100.0));
        let middle = c.to_plane((400.0, 300.0));
        let other = c.on((300.0, 700.0));
        assert!(near(other.to_plane((150.0, 350.0)), middle));
    }
}
