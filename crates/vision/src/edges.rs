//! Where a picture changes: gradients and zero crossings, for the scissors.

use crate::grid::Grid;
use crate::picture::{Picture, STEPS};

/// Edges of a picture. Strength is known of every sample; what else is asked of one is worked out then, as most are never
/// asked about.
#[derive(Debug)]
pub struct Edges {
    grid: Grid,
    /// Strength of the edge, 0 to 255; 255 is that of the strongest percent.
    pub strength: Vec<u8>,
    /// Of the channel that changes most: along x, along y.
    slopes: Vec<[i16; 2]>,
    laplace: Vec<i32>,
}

/// The strongest edges of any picture count as at least so strong, in units of lightness.
const WEAKEST: f32 = 4.0;
/// Weaker edges have no direction that is worth knowing.
const DIRECTED: u8 = 8;
/// Crossings of edges up to this strength are noise.
const CROSSED: u8 = 8;
/// Steps of half a turn.
pub const TURNS: u8 = 32;

impl Edges {
    /// Sobel's gradient of the channel that changes most, and the zero crossings of the Laplacian of lightness, both over a
    /// picture smoothed by three by three.
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    pub fn of(p: &Picture) -> Self {
        let (w, h, n) = (p.grid.width, p.grid.height, p.grid.len());
        let (mut slopes, mut laplace) = (vec![[0_i16; 2]; n], vec![0_i32; n]);
        let mut raw = vec![0_f32; n];
        let mut rows = Rows::new(w);
        for y in 0..h {
            let near = [y.saturating_sub(1), y, (y + 1).min(h - 1)]
                .map(|y| p.lab[y * w..(y + 1) * w].as_flattened());
            rows.derive(near);
            let here = y * w..(y + 1) * w;
            let out = raw[here.clone()]
                .iter_mut()
                .zip(&mut slopes[here.clone()])
                .zip(&mut laplace[here]);
            let steep = rows.square.as_chunks::<3>().0;
            let both = rows.gx.as_chunks::<3>().0.iter().zip(rows.gy.as_chunks::<3>().0);
            let all = steep.iter().zip(both).zip(rows.laplace.as_chunks::<3>().0);
            for (((raw, slope), laplace), ((steep, (gx, gy)), curve)) in out.zip(all) {
                let second = usize::from(steep[1] > steep[0]);
                let c = if steep[2] > steep[second] { 2 } else { second };
                *raw = steep[c] as f32;
                *slope = [gx[c], gy[c]];
                *laplace = if steep[c] > 0 { curve[c] } else { 0 };
            }
        }
        for v in &mut raw {
            *v = v.sqrt() / (8.0 * STEPS as f32);
        }
        let strong = strongest(&raw);
        let full = 255.0 / strong;
        let strength = raw.iter().map(|v| (v * full).min(255.0) as u8).collect();
        Self {
            grid: p.grid,
            strength,
            slopes,
            laplace,
        }
    }

    /// Direction across the edge, in steps of 1/64 turn over half a turn, 0..32: along x is 0. `None` where there is hardly one.
    #[inline]
    pub fn across(&self, i: usize) -> Option<u8> {
        let [x, y] = self.slopes[i];
        (self.strength[i] >= DIRECTED).then(|| turn(i32::from(x), i32::from(y)))
    }

    /// Whether the second derivative changes its sign here.
    #[inline]
    pub fn crossing(&self, i: usize) -> bool {
        let mut found = false;
        if self.strength[i] > CROSSED {
            self.grid
                .sides(i, |j| found |= meets(self.laplace[i], self.laplace[j]));
        }
        found
    }
}

/// Whether the edge between two samples is the first's: their signs differ, and it is closer to zero.
#[inline]
const fn meets(own: i32, other: i32) -> bool {
    ((own > 0) != (other > 0)) & (own.abs() <= other.abs())
}

/// Derivatives along one row, the three channels of each sample side by side.
struct Rows {
    /// Weighted sum, difference and sum of three samples above each other, with one more sample at both ends.
    smooth: Vec<i16>,
    change: Vec<i16>,
    sum: Vec<i16>,
    gx: Vec<i16>,
    gy: Vec<i16>,
    /// Squares of the slopes.
    square: Vec<i32>,
    laplace: Vec<i32>,
}

impl Rows {
    fn new(width: usize) -> Self {
        let (inner, padded) = (3 * width, 3 * width + 6);
        Self {
            smooth: vec![0; padded],
            change: vec![0; padded],
            sum: vec![0; padded],
            gx: vec![0; inner],
            gy: vec![0; inner],
            square: vec![0; inner],
            laplace: vec![0; inner],
        }
    }

    /// From the row above, the row itself and the one below. Values of colours stay below 2,100 either way, so that sums of
    /// nine fit. Plain loops over neighbours in memory: compilers turn them into vectors.
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    fn derive(&mut self, [above, row, below]: [&[i16]; 3]) {
        let m = row.len();
        let inner = 3..m + 3;
        let columns = self.smooth[inner.clone()]
            .iter_mut()
            .zip(&mut self.change[inner.clone()])
            .zip(&mut self.sum[inner]);
        for (((smooth, change), sum), ((a, b), c)) in columns.zip(above.iter().zip(row).zip(below)) {
            *smooth = a + 2 * b + c;
            *change = c - a;
            *sum = a + b + c;
        }
        for padded in [&mut self.smooth, &mut self.change, &mut self.sum] {
            padded.copy_within(3..6, 0);
            padded.copy_within(m..m + 3, m + 3);
        }
        for ((gx, left), right) in self.gx.iter_mut().zip(&self.smooth).zip(&self.smooth[6..]) {
            *gx = right - left;
        }
        let three = self.change.iter().zip(&self.change[3..]).zip(&self.change[6..]);
        for (gy, ((a, b), c)) in self.gy.iter_mut().zip(three) {
            *gy = a + 2 * b + c;
        }
        for (square, (gx, gy)) in self.square.iter_mut().zip(self.gx.iter().zip(&self.gy)) {
            *square = i32::from(*gx).pow(2) + i32::from(*gy).pow(2);
        }
        let three = self.sum.iter().zip(&self.sum[3..]).zip(&self.sum[6..]);
        for ((laplace, v), ((a, b), c)) in self.laplace.iter_mut().zip(row).zip(three) {
            *laplace = 9 * i32::from(*v) - (i32::from(*a) + i32::from(*b) + i32::from(*c));
        }
    }
}

/// Direction of a vector in steps, without its sign.
fn turn(x: i32, y: i32) -> u8 {
    let (ax, ay) = (x.abs() as f32, y.abs() as f32);
    let (less, more) = (ax.min(ay), ax.max(ay).max(1.0));
    let r = less / more;
    // The arc tangent to a quarter of a degree, in steps: an eighth of a turn has TURNS / 4.
    let eighth = r * (1.0 + 0.347_5 * (1.0 - r)) * f32::from(TURNS) / 4.0;
    let quarter = f32::from(TURNS) / 2.0;
    let angle = if ay > ax { quarter - eighth } else { eighth };
    let angle = if (x < 0) == (y < 0) {
        angle
    } else {
        2.0 * quarter - angle
    };
    // Rounding proper is a call where the processor has no instruction for it.
    ((angle + 0.5) as u8) % TURNS
}

/// The value that one percent of the samples exceed; a step of two units of lightness counts as weak in any picture.
fn strongest(raw: &[f32]) -> f32 {
    const BINS: usize = 512;
    let mut bins = [0_usize; BINS];
    for v in raw {
        bins[((v * 8.0) as usize).min(BINS - 1)] += 1;
    }
    let mut left = raw.len() / 100;
    for (bin, n) in bins.iter().enumerate().rev() {
        if *n > left {
            return ((bin + 1) as f32 / 8.0).max(WEAKEST);
        }
        left -= n;
    }
    WEAKEST
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, sample by sample.
    fn plainly(p: &Picture) -> (Vec<f32>, Vec<u8>, Vec<i32>) {
        let (w, h, n) = (p.grid.width, p.grid.height, p.grid.len());
        let (mut raw, mut across, mut laplace) = (vec![0.0; n], vec![0; n], vec![0; n]);
        for y in 0..h {
            for x in 0..w {
                let v = |dx: isize, dy: isize, c: usize| {
                    let x = x.saturating_add_signed(dx).min(w - 1);
                    let y = y.saturating_add_signed(dy).min(h - 1);
                    i32::from(p.lab[y * w + x][c])
                };
                let mut best = (0, 0, 0);
                for c in 0..3 {
                    let (mut gx, mut gy, mut sum) = (0, 0, 0);
                    for (d, weight) in [(-1, 1), (0, 2), (1, 1)] {
                        gx += weight * (v(1, d, c) - v(-1, d, c));
                        gy += weight * (v(d, 1, c) - v(d, -1, c));
                        sum += v(-1, d, c) + v(0, d, c) + v(1, d, c);
                    }
                    if gx * gx + gy * gy > best.0 {
                        best = (gx * gx + gy * gy, gx, gy);
                        laplace[y * w + x] = 9 * v(0, 0, c) - sum;
                    }
                }
                raw[y * w + x] = (best.0 as f32).sqrt() / (8.0 * STEPS as f32);
                across[y * w + x] = turn(best.1, best.2);
            }
        }
        (raw, across, laplace)
    }

    #[test]
    fn rows_at_a_time_give_what_the_definition_gives() {
        let mut seed = 5_u32;
        let mut random = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 24) as u8
        };
        for (w, h) in [(1, 1), (1, 7), (7, 1), (2, 2), (37, 23)] {
            let bytes: Vec<u8> = (0..w * h * 4).map(|_| random()).collect();
            let p = Picture::from_rgba(w, h, &bytes).unwrap();
            let (raw, across, laplace) = plainly(&p);
            let strong = strongest(&raw);
            let edges = Edges::of(&p);
            let strength: Vec<u8> = raw
                .iter()
                .map(|v| (v * (255.0 / strong)).min(255.0) as u8)
                .collect();
            assert_eq!(edges.strength, strength, "{w} x {h}");
            for i in 0..p.grid.len() {
                let mut meets = false;
                p.grid.sides(i, |j| {
                    let (a, b) = (laplace[i], laplace[j]);
                    meets |= (a > 0) != (b > 0) && (a != 0 || b != 0) && a.abs() <= b.abs();
                });
                assert_eq!(edges.crossing(i), meets && strength[i] > 8, "{w} x {h}, {i}");
                let directed = (strength[i] >= 8).then_some(across[i]);
                assert_eq!(edges.across(i), directed, "{w} x {h}, {i}");
            }
        }
    }
}
