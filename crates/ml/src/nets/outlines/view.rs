//! What lies in a box and around it, in few samples.

use limn_services::training::port::{Cutout, NetBox};
use limn_vision::cut::Window;
use limn_vision::{Lab, Picture};

/// Samples along the longer side of a window, at most.
const SAMPLES: usize = 48;
/// How far a window reaches beyond the sides of its box: as a share of the side, and in pixels at least.
const MARGIN: (f32, f32) = (0.15, 2.0);

pub(super) struct View {
    /// In pixels of the picture.
    pub window: Window,
    pub columns: usize,
    pub rows: usize,
    /// The mean colour of each sample, row by row.
    pub lab: Vec<Lab>,
    /// Pixels along a sample.
    step: usize,
    /// The box in pixels: left, top, width, height.
    frame: [f32; 4],
    /// Of the picture.
    size: (f32, f32),
}

impl View {
    /// `None` of a box that has nothing to do with the picture.
    pub fn of(p: &Picture, b: &NetBox) -> Option<Self> {
        let size = (p.grid.width as f32, p.grid.height as f32);
        let frame = [
            b.x * size.0,
            b.y * size.1,
            (b.width * size.0).max(1e-3),
            (b.height * size.1).max(1e-3),
        ];
        let along = |from: f32, side: f32, most: f32| {
            let margin = (side * MARGIN.0).max(MARGIN.1);
            let pixel = |v: f32| v.clamp(0.0, most) as usize;
            (
                pixel((from - margin).floor()),
                pixel((from + side + margin).ceil()),
            )
        };
        let (left, right) = along(frame[0], frame[2], size.0);
        let (top, bottom) = along(frame[1], frame[3], size.1);
        let window = Window {
            left,
            top,
            right,
            bottom,
        };
        let part = p.cropped(window)?;
        let (w, h) = (part.grid.width, part.grid.height);
        let step = w.max(h).div_ceil(SAMPLES);
        let (columns, rows) = (w.div_ceil(step), h.div_ceil(step));
        let mut sums = vec![([0_i32; 3], 0_i32); columns * rows];
        for (i, color) in part.lab.iter().enumerate() {
            let (x, y) = part.grid.xy(i);
            let (sum, n) = &mut sums[y / step * columns + x / step];
            for (s, v) in sum.iter_mut().zip(color) {
                *s += i32::from(*v);
            }
            *n += 1;
        }
        let mean = |(sum, n): ([i32; 3], i32)| sum.map(|s| (s / n.max(1)) as i16);
        Some(Self {
            window,
            columns,
            rows,
            lab: sums.into_iter().map(mean).collect(),
            step,
            frame,
            size,
        })
    }

    /// How many samples there are.
    pub const fn len(&self) -> usize {
        self.columns * self.rows
    }

    /// The middle of a sample in pixels of the picture.
    fn middle(&self, n: usize) -> (f32, f32) {
        let along = |k: usize, from: usize, end: usize| {
            let low = from + k * self.step;
            (low + (low + self.step).min(end)) as f32 / 2.0
        };
        (
            along(n % self.columns, self.window.left, self.window.right),
            along(n / self.columns, self.window.top, self.window.bottom),
        )
    }

    /// Where a sample lies in the box: from -1 to 1 across and down, and more or less than that outside.
    pub fn place(&self, n: usize) -> [f32; 2] {
        let (x, y) = self.middle(n);
        let [left, top, width, height] = self.frame;
        [(x - left) / width * 2.0 - 1.0, (y - top) / height * 2.0 - 1.0]
    }

    /// Which samples are an object.
    pub fn truth(&self, of: &Cutout) -> Vec<bool> {
        (0..self.len())
            .map(|n| {
                let (x, y) = self.middle(n);
                of.contains(x / self.size.0, y / self.size.1)
            })
            .collect()
    }

    /// The box in pixels of the window.
    pub fn inner(&self) -> Window {
        let [left, top, width, height] = self.frame;
        let along = |low: f32, side: f32, from: usize, end: usize| {
            let most = end - from;
            let pixel = |v: f32| (v - from as f32).round().clamp(0.0, most as f32) as usize;
            let low = pixel(low).min(most - 1);
            (low, pixel(low as f32 + from as f32 + side).max(low + 1))
        };
        let (left, right) = along(left, width, self.window.left, self.window.right);
        let (top, bottom) = along(top, height, self.window.top, self.window.bottom);
        Window {
            left,
            top,
            right,
            bottom,
        }
    }

    /// A number a sample, mixed between the samples for every pixel of the window.
    pub fn at_every_pixel(&self, of: &[f32]) -> Vec<f32> {
        let between = |n: usize, count: usize| {
            let at = ((n as f32 + 0.5) / self.step as f32 - 0.5).clamp(0.0, (count - 1) as f32);
            let low = at as usize;
            (low, (low + 1).min(count - 1), at - low as f32)
        };
        let width = self.window.right - self.window.left;
        let across: Vec<_> = (0..width).map(|x| between(x, self.columns)).collect();
        let mut out = Vec::with_capacity(width * (self.window.bottom - self.window.top));
        for y in 0..self.window.bottom - self.window.top {
            let (top, bottom, down) = between(y, self.rows);
            let (top, bottom) = (&of[top * self.columns..], &of[bottom * self.columns..]);
            out.extend(across.iter().map(|(left, right, share)| {
                let mix = |row: &[f32]| row[*left] * (1.0 - share) + row[*right] * share;
                mix(top) * (1.0 - down) + mix(bottom) * down
            }));
        }
        out
    }
}
