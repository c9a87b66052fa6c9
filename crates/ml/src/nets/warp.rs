//! Pictures as a network takes them, moved and tinted a little while it learns.

use super::data::sound;
use super::segmenter::IGNORED;
use crate::Rng;
use limn_services::training::port::{NetBox, PixelMap};

/// Planes of the input: three colours of two by two pixels each. A first layer on half the side costs a quarter and sees the same.
pub(super) const CHANNELS: usize = 12;
/// Less of a box than this is left in the picture: nobody would have drawn it.
const VISIBLE_MIN: f32 = 0.25;

/// A part of the network's picture: left, top, right and bottom edge in shares of its sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Frame([f32; 4]);

impl Frame {
    pub(super) const WHOLE: Self = Self([0.0, 0.0, 1.0, 1.0]);

    /// The four parts around a point.
    pub(super) const fn quarters(x: f32, y: f32) -> [Self; 4] {
        [
            Self([0.0, 0.0, x, y]),
            Self([x, 0.0, 1.0, y]),
            Self([0.0, y, x, 1.0]),
            Self([x, y, 1.0, 1.0]),
        ]
    }
}

/// Where the network's picture is looked up in the stored one: `u = a[0] x + a[1] y + a[2]`, `v = a[3] x + a[4] y + a[5]`, in shares of both
/// pictures' sides, from the top left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Warp {
    a: [f32; 6],
    /// Gain and offset of each colour.
    tint: [(f32, f32); 3],
}

fn between(rng: &mut Rng, low: f64, high: f64) -> f32 {
    (low + (high - low) * rng.unit()) as f32
}

fn tint(rng: &mut Rng) -> [(f32, f32); 3] {
    let (gain, offset) = (between(rng, 0.85, 1.15), between(rng, -0.08, 0.08));
    std::array::from_fn(|_| {
        let g = gain * between(rng, 0.94, 1.06);
        // Around the middle, so that more contrast is not more light.
        (g, 0.5 - 0.5 * g + offset)
    })
}

impl Warp {
    /// The picture as it is.
    pub(super) const NONE: Self = Self {
        a: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        tint: [(1.0, 0.0); 3],
    };

    /// For boxes: mirrored or not, nearer or farther, moved, tinted.
    pub(super) fn of_boxes(rng: &mut Rng) -> Self {
        let mirror = if rng.below(2) == 0 { 1.0 } else { -1.0 };
        let zoom = between(rng, -0.15, 0.15).exp();
        let stretch = between(rng, -0.06, 0.06).exp();
        let (sx, sy) = (1.0 / (zoom * stretch), stretch / zoom);
        let mut centre = |window: f32| {
            let way = f64::from((1.0 - window).abs() / 2.0 + 0.03);
            0.5 + between(rng, -way, way)
        };
        let (cx, cy) = (centre(sx), centre(sy));
        Self {
            a: [mirror * sx, 0.0, cx - 0.5 * mirror * sx, 0.0, sy, cy - 0.5 * sy],
            tint: tint(rng),
        }
    }

    /// For whole pictures: turned, nearer or farther, moved, tinted; never mirrored, for digits and letters are not what they are in a mirror.
    pub(super) fn of_whole(rng: &mut Rng) -> Self {
        let angle = between(rng, -0.17, 0.17);
        let (zoom, stretch) = (between(rng, -0.14, 0.14).exp(), between(rng, -0.07, 0.07).exp());
        let (sin, cos) = angle.sin_cos();
        let a = [
            cos * zoom * stretch,
            -sin * zoom,
            sin * zoom,
            cos * zoom / stretch,
        ];
        let (cx, cy) = (0.5 + between(rng, -0.07, 0.07), 0.5 + between(rng, -0.07, 0.07));
        Self {
            a: [
                a[0],
                a[1],
                cx - 0.5 * (a[0] + a[1]),
                a[2],
                a[3],
                cy - 0.5 * (a[2] + a[3]),
            ],
            tint: tint(rng),
        }
    }

    /// Where a box comes to lie of what the frame shows; `None` when too little of it is left.
    pub(super) fn place_in(&self, frame: &Frame, b: &NetBox) -> Option<NetBox> {
        let [sx, _, tx, _, sy, ty] = self.a;
        let across = [(b.x - tx) / sx, (b.x + b.width - tx) / sx];
        let down = [(b.y - ty) / sy, (b.y + b.height - ty) / sy];
        let (x, y) = (across[0].min(across[1]), down[0].min(down[1]));
        let (width, height) = ((across[1] - across[0]).abs(), (down[1] - down[0]).abs());
        let Frame([left, top, right, bottom]) = *frame;
        let placed = sound(&NetBox {
            category: b.category,
            x: x.max(left),
            y: y.max(top),
            width: (x + width).min(right) - x.max(left),
            height: (y + height).min(bottom) - y.max(top),
        })?;
        (placed.width * placed.height >= VISIBLE_MIN * width * height).then_some(placed)
    }

    /// Appends the classes that the network's pixels show, `width` x `height`, of a map of the stored picture: `nothing` where it has no category, and
    /// [`IGNORED`] beyond its edge.
    pub(super) fn classes(
        &self,
        map: &PixelMap,
        (width, height): (usize, usize),
        nothing: u8,
        out: &mut Vec<u8>,
    ) {
        let pixels = map.pixels();
        let at = |share: f32, side: usize| {
            (0.0..1.0)
                .contains(&share)
                .then(|| ((share * side as f32) as usize).min(side - 1))
        };
        for y in 0..height {
            for x in 0..width {
                let (sx, sy) = ((x as f32 + 0.5) / width as f32, (y as f32 + 0.5) / height as f32);
                let u = at(self.a[0] * sx + self.a[1] * sy + self.a[2], map.width);
                let v = at(self.a[3] * sx + self.a[4] * sy + self.a[5], map.height);
                let class = match (u, v) {
                    (Some(u), Some(v)) => pixels.get(v * map.width + u).copied().unwrap_or(IGNORED),
                    _ => IGNORED,
                };
                out.push(if class == PixelMap::NOTHING {
                    nothing
                } else {
                    class
                });
            }
        }
    }

    /// Writes the network's [`CHANNELS`] planes of `width / 2` x `height / 2` numbers, around 0, of a picture of red, green and blue planes of
    /// `width` x `height`.
    pub(super) fn write(&self, planes: &[u8], width: usize, height: usize, out: &mut [f32]) {
        self.write_in(&Frame::WHOLE, planes, width, height, out);
    }

    /// As [`Warp::write`], what the frame shows alone.
    pub(super) fn write_in(
        &self,
        frame: &Frame,
        planes: &[u8],
        width: usize,
        height: usize,
        out: &mut [f32],
    ) {
        let (w, h) = (width as f32, height as f32);
        let area = width * height;
        let is_plain = self.a == Self::NONE.a;
        let edge = |share: f32, side: usize| (share * side as f32).round() as usize;
        let Frame([left, top, right, bottom]) = *frame;
        // Where nothing is turned, a column comes from the same place in all rows.
        let straight = self.a[1] == 0.0 && self.a[3] == 0.0;
        let across = |x: usize, y: usize| {
            let (sx, sy) = ((x as f32 + 0.5) / w, (y as f32 + 0.5) / h);
            Between::new((self.a[0] * sx + self.a[1] * sy + self.a[2]) * w - 0.5, width)
        };
        let down = |x: usize, y: usize| {
            let (sx, sy) = ((x as f32 + 0.5) / w, (y as f32 + 0.5) / h);
            Between::new((self.a[3] * sx + self.a[4] * sy + self.a[5]) * h - 0.5, height)
        };
        let columns: Vec<Between> = (0..width).map(|x| across(x, 0)).collect();
        for y in edge(top, height)..edge(bottom, height) {
            let row = down(0, y);
            let seen = columns.iter().enumerate().take(edge(right, width));
            for (x, column) in seen.skip(edge(left, width)) {
                let at = (y / 2) * (width / 2) + x / 2;
                let plane = (y % 2) * 2 + x % 2;
                let pixel = if is_plain {
                    let i = y * width + x;
                    [0, 1, 2].map(|c| f32::from(planes[c * area + i]) / 255.0)
                } else if straight {
                    mixed(planes, width, area, column, &row)
                } else {
                    mixed(planes, width, area, &across(x, y), &down(x, y))
                };
                for (c, v) in pixel.iter().enumerate() {
                    let (gain, offset) = self.tint[c];
                    let v = (v * gain + offset).clamp(0.0, 1.0);
                    out[(c * 4 + plane) * (area / 4) + at] = (v - 0.5) * 4.0;
                }
            }
        }
    }
}

/// Two neighbouring pixels of a row or a column, and how far from the first to the second.
struct Between {
    first: usize,
    second: usize,
    share: f32,
}

impl Between {
    /// A place among `side` pixels, in pixels from the middle of the first one; beyond an edge what is at the edge goes on, for a gray border would be
    /// a picture that is never seen again.
    fn new(place: f32, side: usize) -> Self {
        let last = side.saturating_sub(1);
        let place = place.clamp(0.0, last as f32);
        let first = place as usize;
        Self {
            first,
            second: (first + 1).min(last),
            share: place - first as f32,
        }
    }
}

/// The colour between four pixels, 0..=1, of planes of `area` pixels each.
fn mixed(planes: &[u8], width: usize, area: usize, x: &Between, y: &Between) -> [f32; 3] {
    let (above, below) = (y.first * width, y.second * width);
    [0, 1, 2].map(|c| {
        let p = &planes[c * area..(c + 1) * area];
        let in_row = |row: usize| {
            let of = |x: usize| f32::from(p[row + x]);
            of(x.first) * (1.0 - x.share) + of(x.second) * x.share
        };
        (in_row(above) * (1.0 - y.share) + in_row(below) * y.share) / 255.0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bright square on black: where the network sees it is where its box says.
    #[test]
    fn boxes_move_with_the_picture() {
        let (w, h) = (64, 48);
        let b = NetBox {
            category: 0,
            x: 16.0 / 64.0,
            y: 16.0 / 48.0,
            width: 24.0 / 64.0,
            height: 16.0 / 48.0,
        };
        let mut planes = vec![0_u8; w * h * 3];
        for c in 0..3 {
            for y in 16..32 {
                planes[c * w * h + y * w + 16..][..24].fill(255);
            }
        }
        let mut rng = Rng::new(5);
        for _ in 0..50 {
            let warp = Warp::of_boxes(&mut rng);
            let Some(placed) = warp.place_in(&Frame::WHOLE, &b) else {
                continue;
            };
            let mut out = vec![0.0; w * h * 3];
            let plain = Warp {
                tint: Warp::NONE.tint,
                ..warp
            };
            plain.write(&planes, w, h, &mut out);
            let (mut x, mut y, mut n) = (0.0, 0.0, 0.0_f32);
            for j in 0..h {
                for i in 0..w {
                    let plane = (j % 2) * 2 + i % 2;
                    if out[plane * (w * h / 4) + (j / 2) * (w / 2) + i / 2] > 0.5 {
                        x += i as f32 + 0.5;
                        y += j as f32 + 0.5;
                        n += 1.0;
                    }
                }
            }
            let area = placed.width * w as f32 * placed.height * h as f32;
            assert!((n / area - 1.0).abs() < 0.2, "{n} pixels, a box of {area}");
            let (cx, cy) = (
                (placed.x + placed.width / 2.0) * w as f32,
                (placed.y + placed.height / 2.0) * h as f32,
            );
            assert!((x / n - cx).abs() < 1.0 && (y / n - cy).abs() < 1.0);
        }
    }

    #[test]
    fn classes_move_with_the_picture_and_end_at_its_edge() {
        let map = PixelMap::new(4, 2, &[0, 0, 1, 1, 0, 0, PixelMap::NOTHING, 1]);
        let seen = |warp: Warp| {
            let mut out = Vec::new();
            warp.classes(&map, (4, 2), 2, &mut out);
            out
        };
        assert_eq!(seen(Warp::NONE), [0, 0, 1, 1, 0, 0, 2, 1]);
        let mirrored = Warp {
            a: [-1.0, 0.0, 1.0, 0.0, 1.0, 0.0],
            ..Warp::NONE
        };
        assert_eq!(seen(mirrored), [1, 1, 0, 0, 1, 2, 0, 0]);
        let moved = Warp {
            a: [1.0, 0.0, 0.5, 0.0, 1.0, 0.0],
            ..Warp::NONE
        };
        assert_eq!(seen(moved), [1, 1, IGNORED, IGNORED, 2, 1, IGNORED, IGNORED]);
    }

    #[test]
    fn a_box_that_has_left_is_gone() {
        let warp = Warp {
            a: [0.5, 0.0, 0.0, 0.0, 0.5, 0.0],
            ..Warp::NONE
        };
        let b = |x| NetBox {
            category: 1,
            x,
            y: 0.1,
            width: 0.2,
            height: 0.2,
        };
        let place = |x| warp.place_in(&Frame::WHOLE, &b(x));
        assert!(place(0.6).is_none());
        assert!(place(0.47).is_none());
        let kept = place(0.2).unwrap();
        assert!((kept.x - 0.4).abs() < 1e-6 && (kept.width - 0.4).abs() < 1e-6);
        let [left, right, ..] = Frame::quarters(0.5, 1.0);
        assert!(
            warp.place_in(&left, &b(0.24)).is_none(),
            "a twentieth is on the left"
        );
        let kept = warp.place_in(&right, &b(0.24)).unwrap();
        assert!((kept.x - 0.5).abs() < 1e-6 && (kept.width - 0.38).abs() < 1e-6);
    }
}
