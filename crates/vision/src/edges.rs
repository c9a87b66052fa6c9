//! Where a picture changes: gradients and zero crossings, for the scissors.

use crate::picture::{Picture, STEPS};

/// Edges of a picture, sample by sample.
#[derive(Debug)]
pub struct Edges {
    /// Strength of the edge, 0 to 255; 255 is that of the strongest percent.
    pub strength: Vec<u8>,
    /// Whether the second derivative changes its sign here.
    pub crossing: Vec<bool>,
    /// Direction across the edge, in steps of 1/64 turn over half a turn, 0..32: along x is 0.
    pub across: Vec<u8>,
}

/// The strongest edges of any picture count as at least so strong, in units of lightness.
const WEAKEST: f32 = 4.0;
/// Steps of half a turn.
pub const TURNS: u8 = 32;

impl Edges {
    /// Sobel's gradient of the channel that changes most, and the zero crossings of the Laplacian of lightness, both over a
    /// picture smoothed by three by three.
    pub fn of(p: &Picture) -> Self {
        let (w, h, n) = (p.grid.width, p.grid.height, p.grid.len());
        let (mut across, mut laplace) = (vec![0_u8; n], vec![0_i32; n]);
        let mut raw = vec![0_f32; n];
        for y in 0..h {
            let rows = [y.saturating_sub(1), y, (y + 1).min(h - 1)].map(|y| y * w);
            for x in 0..w {
                let columns = [x.saturating_sub(1), x, (x + 1).min(w - 1)];
                let mut best = (0, 0, 0);
                for channel in 0..3 {
                    let v = |r: usize, c: usize| i32::from(p.lab[rows[r] + columns[c]][channel]);
                    let gx = v(0, 2) + 2 * v(1, 2) + v(2, 2) - v(0, 0) - 2 * v(1, 0) - v(2, 0);
                    let gy = v(2, 0) + 2 * v(2, 1) + v(2, 2) - v(0, 0) - 2 * v(0, 1) - v(0, 2);
                    let all = gx * gx + gy * gy;
                    if all > best.0 {
                        best = (all, gx, gy);
                        laplace[rows[1] + x] = 8 * v(1, 1)
                            - (v(0, 0) + v(0, 1) + v(0, 2) + v(1, 0) + v(1, 2) + v(2, 0) + v(2, 1) + v(2, 2));
                    }
                }
                let at = rows[1] + x;
                raw[at] = (best.0 as f32).sqrt() / (8.0 * STEPS as f32);
                // Of weaker ones nobody asks.
                if raw[at] > WEAKEST / 32.0 {
                    across[at] = turn(best.1, best.2);
                }
            }
        }
        let strong = strongest(&raw);
        let strength: Vec<u8> = raw
            .iter()
            .map(|v| (v / strong * 255.0).min(255.0) as u8)
            .collect();
        let crossing = (0..n)
            .map(|i| {
                let (x, y) = p.grid.xy(i);
                let mut here = false;
                // Between two samples of opposite sign the one closer to zero is the edge.
                let mut look = |j: usize| {
                    let (a, b) = (laplace[i], laplace[j]);
                    here |= (a > 0) != (b > 0) && (a != 0 || b != 0) && a.abs() <= b.abs();
                };
                if x + 1 < w {
                    look(i + 1);
                }
                if x > 0 {
                    look(i - 1);
                }
                if y + 1 < h {
                    look(i + w);
                }
                if y > 0 {
                    look(i - w);
                }
                here && strength[i] > 8
            })
            .collect();
        Self {
            strength,
            crossing,
            across,
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
    (angle.round() as u8) % TURNS
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
