//! Outlines of shapes as a graphics card takes them: corners, and which of them lines join.

use super::outlines::Outlines;
use limn_domain::{AnnotationId, Point, Shape};
use std::collections::HashMap;

/// Corners at most: some 100 MB on the card.
const MOST: u32 = 4_000_000;
/// Lines that stand for an ellipse.
const ROUND: u32 = 48;
/// Width of the dot of a point in pixels of the screen.
const DOT: u8 = 8;

/// Corners of many shapes. All bytes are little-endian, as WebAssembly's are.
#[derive(Default)]
pub struct Mesh {
    /// Per corner: place in pixels of the image (two `f32`), red, green, blue, and the least width of a dot.
    pub vertices: Vec<u8>,
    /// Per corner: the longer side of its shape in pixels of the image (`f32`).
    pub sizes: Vec<u8>,
    /// Pairs of corners joined by a line (`u32`).
    pub lines: Vec<u8>,
    /// Corners that are dots (`u32`): a shape's first, which stands for it where it is tiny, and every point.
    pub dots: Vec<u8>,
    pub line_ends: i32,
    pub dot_count: i32,
    count: u32,
    /// First corner and number of corners of each shape.
    spans: HashMap<AnnotationId, (u32, u32)>,
    /// How every corner looks that is added now.
    look: [u8; 3],
    size: f32,
}

impl Mesh {
    /// Bytes of a corner in [`Self::vertices`].
    pub const STRIDE: i32 = 12;

    /// Whether no more should be added.
    pub const fn is_full(&self) -> bool {
        self.count > MOST
    }

    /// Adds a shape of which `size` is the longer side. Its colour is `#rrggbb`.
    pub fn add(&mut self, id: AnnotationId, size: f64, color: &str, shape: &Shape, outlines: &Outlines) {
        let part = |i: usize| u8::from_str_radix(color.get(i..i + 2).unwrap_or("80"), 16).unwrap_or(128);
        self.look = [part(1), part(3), part(5)];
        self.size = size as f32;
        let first = self.count;
        match shape {
            // Of a track the frame in view is drawn.
            Shape::Whole | Shape::Span { .. } | Shape::Track { .. } => {}
            Shape::Box { rect: r } => {
                let corners = [
                    [r.x, r.y],
                    [r.right(), r.y],
                    [r.right(), r.bottom()],
                    [r.x, r.bottom()],
                ];
                self.run(corners.into_iter(), true);
            }
            Shape::Polygon { parts } => {
                for ring in parts.iter().flatten() {
                    self.run(ring.iter().copied(), true);
                }
            }
            Shape::RotatedBox { rect } => self.run(rect.corners().into_iter().map(|p| [p.x, p.y]), true),
            Shape::Ellipse { rect } => {
                let (c, (sin, cos)) = (rect.center(), rect.angle.to_radians().sin_cos());
                let around = (0..ROUND).map(|i| {
                    let t = f64::from(i) / f64::from(ROUND) * std::f64::consts::TAU;
                    let (x, y) = (rect.w / 2.0 * t.cos(), rect.h / 2.0 * t.sin());
                    [c.x + cos * x - sin * y, c.y + sin * x + cos * y]
                });
                self.run(around, true);
            }
            Shape::Polyline { points } => self.run(points.iter().copied(), false),
            Shape::Points { .. } | Shape::Keypoints { .. } => {
                self.size = 0.0;
                for at in shape.dots() {
                    self.dot(self.count);
                    self.corner(at, DOT);
                }
            }
            Shape::Mask { mask } => {
                let corner = Point::new(f64::from(mask.x), f64::from(mask.y));
                for ring in outlines.of(mask).iter().flatten() {
                    self.run(ring.iter().map(|v| [v[0] + corner.x, v[1] + corner.y]), true);
                }
            }
        }
        if self.count > first {
            self.spans.insert(id, (first, self.count - first));
            if self.size > 0.0 {
                self.dot(first);
            }
        }
    }

    fn corner(&mut self, [x, y]: [f64; 2], least: u8) {
        self.vertices.extend((x as f32).to_le_bytes());
        self.vertices.extend((y as f32).to_le_bytes());
        self.vertices.extend(self.look);
        self.vertices.push(least);
        self.sizes.extend(self.size.to_le_bytes());
        self.count += 1;
    }

    fn dot(&mut self, corner: u32) {
        self.dots.extend(corner.to_le_bytes());
        self.dot_count += 1;
    }

    /// A line along the corners, back to the first if it is closed.
    fn run(&mut self, corners: impl Iterator<Item = [f64; 2]>, closed: bool) {
        let first = self.count;
        for at in corners {
            self.corner(at, 1);
        }
        let mut join = |a: u32, b: u32| {
            self.lines.extend(a.to_le_bytes());
            self.lines.extend(b.to_le_bytes());
            self.line_ends += 2;
        };
        for i in first + 1..self.count {
            join(i - 1, i);
        }
        if closed && self.count > first + 2 {
            join(self.count - 1, first);
        }
    }

    /// The card has all of it: only what is needed for changes stays.
    pub fn handed_over(&mut self) {
        for bytes in [
            &mut self.vertices,
            &mut self.sizes,
            &mut self.lines,
            &mut self.dots,
        ] {
            *bytes = Vec::new();
        }
    }

    /// Where in the sizes those of a shape begin, in bytes, and what they are when its longer side is `size`; below 0 it is not
    /// shown. `None` for a shape without outline.
    pub fn size_of(&self, id: AnnotationId, size: f64) -> Option<(u32, Vec<u8>)> {
        let (first, count) = *self.spans.get(&id)?;
        let of = (size as f32).to_le_bytes();
        Some((first * 4, of.repeat(count as usize)))
    }

    /// All sizes anew.
    pub fn sizes_with(&self, size: impl Fn(AnnotationId) -> f64) -> Vec<u8> {
        let mut out = vec![0; self.count as usize * 4];
        for id in self.spans.keys() {
            if let Some((from, bytes)) = self.size_of(*id, size(*id)) {
                out[from as usize..from as usize + bytes.len()].copy_from_slice(&bytes);
            }
        }
        out
    }
}
