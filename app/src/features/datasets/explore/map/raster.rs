//! Dots drawn into a picture: some hundred thousand take a few milliseconds, which asking a canvas for each would not.

/// Places between two pixels that are told apart, on each axis.
const BETWEEN: usize = 4;

/// A picture of four bytes a pixel.
#[derive(Debug, Clone, Default)]
pub struct Raster {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

/// A round dot of one size, ready to be drawn.
#[derive(Debug, Clone)]
pub struct Dot {
    /// Pixels from the middle one to the edge.
    half: usize,
    /// How far each pixel is covered, for each place between two pixels.
    masks: Vec<Vec<u8>>,
}

impl Dot {
    /// `radius` in pixels.
    pub fn new(radius: f64) -> Self {
        let half = radius.clamp(0.0, 64.0).ceil() as usize + 1;
        let side = 2 * half + 1;
        let masks = (0..BETWEEN * BETWEEN).map(|place| {
            let middle = |n: usize| half as f64 + (n as f64 + 0.5) / BETWEEN as f64;
            let (x, y) = (middle(place % BETWEEN), middle(place / BETWEEN));
            let cover = |at: usize| {
                let (px, py) = ((at % side) as f64 + 0.5, (at / side) as f64 + 0.5);
                let inside = radius + 0.5 - (px - x).hypot(py - y);
                (inside.clamp(0.0, 1.0) * 255.0).round() as u8
            };
            (0..side * side).map(cover).collect()
        });
        Self {
            half,
            masks: masks.collect(),
        }
    }
}

impl Raster {
    /// Of a size, filled with a colour.
    pub fn clear(&mut self, width: usize, height: usize, [r, g, b]: [u8; 3]) {
        (self.width, self.height) = (width, height);
        self.pixels.resize(width * height * 4, 0);
        for pixel in self.pixels.chunks_exact_mut(4) {
            pixel.copy_from_slice(&[r, g, b, 255]);
        }
    }

    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Draws a dot around a place; what lies outside is cut off. `strength` of 255 covers what is below.
    pub fn dot(&mut self, (x, y): (f64, f64), dot: &Dot, color: [u8; 3], strength: u8) {
        let side = 2 * dot.half + 1;
        let (left, top) = (x.floor() - dot.half as f64, y.floor() - dot.half as f64);
        let (right, bottom) = (left + side as f64, top + side as f64);
        let fits = left.is_finite() && top.is_finite();
        if !fits || right <= 0.0 || bottom <= 0.0 || left >= self.width as f64 || top >= self.height as f64 {
            return;
        }
        let between = |v: f64| ((v - v.floor()) * BETWEEN as f64) as usize % BETWEEN;
        let mask = &dot.masks[between(y) * BETWEEN + between(x)];
        // Of the mask, what lies within.
        let (x0, y0) = ((-left).max(0.0) as usize, (-top).max(0.0) as usize);
        let x1 = side.min((self.width as f64 - left) as usize);
        let y1 = side.min((self.height as f64 - top) as usize);
        let (first, line) = (left.max(0.0) as usize, top.max(0.0) as usize);
        for row in y0..y1 {
            let from = ((line + row - y0) * self.width + first) * 4;
            let pixels = &mut self.pixels[from..from + (x1 - x0) * 4];
            let covers = &mask[row * side + x0..row * side + x1];
            for (pixel, cover) in pixels.chunks_exact_mut(4).zip(covers) {
                let part = i32::from(*cover) * i32::from(strength) / 255;
                if part == 0 {
                    continue;
                }
                for (to, wanted) in pixel.iter_mut().zip(color) {
                    let now = i32::from(*to);
                    *to = (now + (i32::from(wanted) - now) * part / 255) as u8;
                }
            }
        }
    }
}

/// `#rrggbb`, or `rgb(...)` as browsers answer it; grey where it is something else.
pub fn parse_color(text: &str) -> [u8; 3] {
    let grey = [0x8b, 0x8d, 0x94];
    let text = text.trim();
    if let Some(hex) = text.strip_prefix('#') {
        let part = |i: usize| u8::from_str_radix(hex.get(i..i + 2)?, 16).ok();
        return match (part(0), part(2), part(4)) {
            (Some(r), Some(g), Some(b)) => [r, g, b],
            _ => grey,
        };
    }
    let Some(inner) = text.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')) else {
        return grey;
    };
    let mut numbers = inner
        .split([',', ' ', '/'])
        .filter(|part| !part.is_empty())
        .map_while(|part| part.parse::<f64>().ok())
        .map(|v| v.clamp(0.0, 255.0).round() as u8);
    match (numbers.next(), numbers.next(), numbers.next()) {
        (Some(r), Some(g), Some(b)) => [r, g, b],
        _ => grey,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixel(r: &Raster, x: usize, y: usize) -> &[u8] {
        &r.pixels()[(y * r.width + x) * 4..][..4]
    }

    #[test]
    fn dots_are_round_and_where_they_belong() {
        let mut r = Raster::default();
        r.clear(40, 30, [255, 255, 255]);
        r.dot((20.5, 10.5), &Dot::new(4.0), [200, 0, 0], 255);
        assert_eq!(pixel(&r, 20, 10), [200, 0, 0, 255]);
        assert_eq!(pixel(&r, 23, 10), [200, 0, 0, 255]);
        assert_eq!(pixel(&r, 20, 16), [255, 255, 255, 255]);
        assert_eq!(
            pixel(&r, 24, 14),
            [255, 255, 255, 255],
            "a corner of the square around it"
        );
        // A faint one lets through what is below.
        r.dot((5.0, 5.0), &Dot::new(2.0), [0, 0, 0], 51);
        let faint = pixel(&r, 5, 5)[0];
        assert!((200..=210).contains(&faint), "{faint}");
    }

    #[test]
    fn what_lies_outside_is_cut_off() {
        let mut r = Raster::default();
        for at in [
            (-1.0, 5.0),
            (9.9, 9.9),
            (5.0, -2.5),
            (12.0, 5.0),
            (-50.0, 3.0),
            (1e12, 1.0),
            (f64::NAN, 1.0),
            (3.0, f64::INFINITY),
        ] {
            r.clear(10, 10, [0, 0, 0]);
            r.dot(at, &Dot::new(3.0), [255, 255, 255], 255);
            assert_eq!(r.pixels().len(), 400);
        }
        r.clear(10, 10, [0, 0, 0]);
        r.dot((0.0, 0.0), &Dot::new(3.0), [255, 255, 255], 255);
        assert_eq!(pixel(&r, 0, 0)[0], 255);
        r.clear(0, 0, [0, 0, 0]);
        r.dot((0.0, 0.0), &Dot::new(3.0), [255, 255, 255], 255);
    }

    #[test]
    fn colors_are_read_as_they_come() {
        assert_eq!(parse_color("#3e63dd"), [0x3e, 0x63, 0xdd]);
        assert_eq!(parse_color("rgb(1, 2, 300)"), [1, 2, 255]);
        assert_eq!(parse_color("rgba(1, 2, 3, 0.5)"), [1, 2, 3]);
        for odd in ["", "#12", "#ärger", "rgb(1)", "blue", "color(srgb"] {
            assert_eq!(parse_color(odd), [0x8b, 0x8d, 0x94], "{odd}");
        }
    }
}
