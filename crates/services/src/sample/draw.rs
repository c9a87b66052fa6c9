//! The sample's images: circles, squares and triangles on noise. The same picture for the same number, every time, so
//! that a second sample project stores no byte twice.

use image::codecs::jpeg::JpegEncoder;
use image::{ImageEncoder as _, ImageError};
use limn_domain::{Point, Rect};

pub(crate) const WIDTH: usize = 800;
pub(crate) const HEIGHT: usize = 540;

/// What is drawn; also the sample's categories, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Circle,
    Square,
    Triangle,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Circle, Self::Square, Self::Triangle];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Circle => "circle",
            Self::Square => "square",
            Self::Triangle => "triangle",
        }
    }

    pub const fn color(self) -> &'static str {
        match self {
            Self::Circle => "#3e63dd",
            Self::Square => "#e5484d",
            Self::Triangle => "#30a46c",
        }
    }
}

/// A shape in a picture; `rect` touches it on every side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Drawn {
    pub kind: Kind,
    pub rect: Rect,
}

/// A picture as JPEG and what is in it.
pub(crate) struct Picture {
    pub jpeg: Vec<u8>,
    pub shapes: Vec<Drawn>,
}

/// SplitMix64: small, and the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in `low..high`.
    fn within(&mut self, low: f64, high: f64) -> f64 {
        low + (self.next() >> 11) as f64 / (1_u64 << 53) as f64 * (high - low)
    }
}

type Color = [f64; 3];

/// Draws picture `n`.
pub(crate) fn picture(n: u64) -> Result<Picture, ImageError> {
    let mut random = Random(0x11_3777 + n);
    let mut pixels = background(&mut random);
    let shapes = place(&mut random);
    for shape in &shapes {
        let center = shape.rect.center();
        let color = contrasting(pixels[center.y as usize * WIDTH + center.x as usize], &mut random);
        paint(&mut pixels, *shape, color, &mut random);
    }
    let bytes: Vec<u8> = pixels
        .iter()
        .flatten()
        .map(|v| v.round().clamp(0.0, 255.0) as u8)
        .collect();
    let mut jpeg = Vec::with_capacity(200_000);
    JpegEncoder::new_with_quality(&mut jpeg, 82).write_image(
        &bytes,
        WIDTH as u32,
        HEIGHT as u32,
        image::ExtendedColorType::Rgb8,
    )?;
    Ok(Picture { jpeg, shapes })
}

/// A color that stands out from what lies behind.
fn contrasting(behind: Color, random: &mut Random) -> Color {
    let mut color = behind;
    for _ in 0..50 {
        color = std::array::from_fn(|_| random.within(20.0, 235.0));
        let far: f64 = color.iter().zip(behind).map(|(a, b)| (a - b) * (a - b)).sum();
        if far > 110.0 * 110.0 {
            break;
        }
    }
    color
}

/// A soft slope of two colours under grain.
fn background(random: &mut Random) -> Vec<Color> {
    let from: Color = std::array::from_fn(|_| random.within(70.0, 200.0));
    let to: Color = std::array::from_fn(|_| random.within(70.0, 200.0));
    let (tilt, grain) = (random.within(-0.4, 0.4), random.within(8.0, 22.0));
    let mut pixels = Vec::with_capacity(WIDTH * HEIGHT);
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let t = (x as f64 / WIDTH as f64 + tilt * (y as f64 / HEIGHT as f64 - 0.5)).clamp(0.0, 1.0);
            let noise = random.within(-grain, grain);
            pixels.push(std::array::from_fn(|c| from[c] + (to[c] - from[c]) * t + noise));
        }
    }
    pixels
}

/// Two to five shapes that do not touch.
fn place(random: &mut Random) -> Vec<Drawn> {
    let wanted = 2 + (random.next() % 4) as usize;
    let mut shapes: Vec<Drawn> = Vec::with_capacity(wanted);
    for _ in 0..200 {
        if shapes.len() == wanted {
            break;
        }
        let kind = Kind::ALL[(random.next() % 3) as usize];
        let side = random.within(60.0, 190.0).round();
        let x = random.within(8.0, WIDTH as f64 - side - 8.0).round();
        let y = random.within(8.0, HEIGHT as f64 - side - 8.0).round();
        let rect = Rect::new(x, y, side, side);
        let apart = Rect::new(x - 10.0, y - 10.0, side + 20.0, side + 20.0);
        if shapes.iter().all(|s| !s.rect.intersects(apart)) {
            shapes.push(Drawn { kind, rect });
        }
    }
    shapes
}

/// How far inside the shape a point is, in pixels; negative outside.
fn depth(shape: Drawn, p: Point) -> f64 {
    let r = shape.rect;
    let sides = (p.x - r.x)
        .min(r.right() - p.x)
        .min(p.y - r.y)
        .min(r.bottom() - p.y);
    match shape.kind {
        Kind::Square => sides,
        Kind::Circle => r.w / 2.0 - p.distance(r.center()),
        Kind::Triangle => {
            // Tip in the middle of the top side; distance to the slanted sides.
            let slope = (r.w / 2.0).hypot(r.h);
            let from_tip = (p.y - r.y) * (r.w / 2.0) / slope;
            let aside = (p.x - r.center().x).abs() * r.h / slope;
            (from_tip - aside).min(sides)
        }
    }
}

fn paint(pixels: &mut [Color], shape: Drawn, color: Color, random: &mut Random) {
    let r = shape.rect;
    for y in r.y as usize..(r.bottom() as usize).min(HEIGHT) {
        for x in r.x as usize..(r.right() as usize).min(WIDTH) {
            // A soft edge of one pixel.
            let cover = (depth(shape, Point::new(x as f64 + 0.5, y as f64 + 0.5)) + 0.5).clamp(0.0, 1.0);
            let grain = random.within(-10.0, 10.0);
            let pixel = &mut pixels[y * WIDTH + x];
            for (p, c) in pixel.iter_mut().zip(color) {
                *p += (c + grain - *p) * cover;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use limn_domain::Size;

    #[test]
    fn pictures_are_the_same_every_time_and_differ_from_each_other() {
        let (a, again, b) = (picture(1).unwrap(), picture(1).unwrap(), picture(2).unwrap());
        assert_eq!(a.jpeg, again.jpeg);
        assert_eq!(a.shapes, again.shapes);
        assert_ne!(a.jpeg, b.jpeg);
    }

    #[test]
    fn shapes_lie_inside_apart_and_come_in_every_kind() {
        let mut seen = std::collections::HashSet::new();
        for n in 0..24 {
            let shapes = place(&mut Random(n));
            assert!((1..=5).contains(&shapes.len()));
            for (i, s) in shapes.iter().enumerate() {
                seen.insert(s.kind);
                assert_eq!(
                    s.rect.clipped(Size {
                        width: WIDTH as f64,
                        height: HEIGHT as f64
                    }),
                    s.rect
                );
                assert!(shapes[..i].iter().all(|o| !o.rect.intersects(s.rect)));
            }
        }
        assert_eq!(seen.len(), 3);
    }

    #[test]
    fn boxes_touch_what_is_drawn() {
        for kind in Kind::ALL {
            let shape = Drawn {
                kind,
                rect: Rect::new(100.0, 100.0, 80.0, 80.0),
            };
            let mut pixels = vec![[0.0; 3]; WIDTH * HEIGHT];
            paint(&mut pixels, shape, [200.0; 3], &mut Random(1));
            let hit = |x: usize, y: usize| pixels[y * WIDTH + x][0] > 60.0;
            let all = (90..200)
                .flat_map(|y| (90..200).map(move |x| (x, y)))
                .filter(|(x, y)| hit(*x, *y));
            let (mut x0, mut y0, mut x1, mut y1) = (999, 999, 0, 0);
            for (x, y) in all {
                (x0, y0, x1, y1) = (x0.min(x), y0.min(y), x1.max(x + 1), y1.max(y + 1));
            }
            for (got, want) in [(x0, 100), (y0, 100), (x1, 180), (y1, 180)] {
                assert!(got.abs_diff(want) <= 2, "{kind:?}: {got} {want}");
            }
        }
    }
}
