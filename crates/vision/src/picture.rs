//! Pixels as colours whose distance means something to the eye.

use crate::cut::Window;
use crate::grid::Grid;

/// Steps of a lightness unit: colours are whole numbers, so that distances are quick.
pub const STEPS: f64 = 16.0;

/// CIELAB values (D65) in sixteenths.
pub type Lab = [i16; 3];

/// A picture in CIELAB, row by row.
#[derive(Debug, Clone)]
pub struct Picture {
    pub grid: Grid,
    pub lab: Vec<Lab>,
}

/// Entries of the table of cube roots over 0..=1.
const ROOTS: usize = 4096;

/// The function f of CIELAB.
fn root(t: f64) -> f64 {
    const KNEE: f64 = 216.0 / 24389.0;
    if t > KNEE {
        t.cbrt()
    } else {
        (24389.0 / 27.0 * t + 16.0) / 116.0
    }
}

impl Picture {
    /// From sRGB bytes, four a pixel, the fourth not looked at. `None` unless there are `width * height * 4`, and some.
    pub fn from_rgba(width: u32, height: u32, rgba: &[u8]) -> Option<Self> {
        let grid = Grid::new(width, height)?;
        if rgba.len() != grid.len() * 4 {
            return None;
        }
        let linear: Vec<f32> = (0..256)
            .map(|v| {
                let v = f64::from(v) / 255.0;
                let l = if v <= 0.04045 {
                    v / 12.92
                } else {
                    ((v + 0.055) / 1.055).powf(2.4)
                };
                l as f32
            })
            .collect();
        let roots: Vec<f32> = (0..=ROOTS)
            .map(|i| root(i as f64 / ROOTS as f64) as f32)
            .collect();
        let f = |t: f32| roots[((t * ROOTS as f32 + 0.5) as usize).min(ROOTS)];
        let lab = rgba
            .chunks_exact(4)
            .map(|p| {
                let [r, g, b] = [0, 1, 2].map(|i| linear[usize::from(p[i])]);
                // IEC 61966-2-1, over the white of D65.
                let x = f(0.433_953 * r + 0.376_219 * g + 0.189_828 * b);
                let y = f(0.212_671 * r + 0.715_160 * g + 0.072_169 * b);
                let z = f(0.017_758 * r + 0.109_477 * g + 0.872_765 * b);
                let s = STEPS as f32;
                [
                    ((116.0 * y - 16.0) * s) as i16,
                    (500.0 * (x - y) * s) as i16,
                    (200.0 * (y - z) * s) as i16,
                ]
            })
            .collect();
        Some(Self { grid, lab })
    }

    /// The part in a window; `None` of one that holds nothing or reaches beyond the picture.
    pub fn cropped(&self, area: Window) -> Option<Self> {
        if area.right > self.grid.width || area.bottom > self.grid.height {
            return None;
        }
        let side = |from: usize, to: usize| to.checked_sub(from).and_then(|n| u32::try_from(n).ok());
        let grid = Grid::new(side(area.left, area.right)?, side(area.top, area.bottom)?)?;
        let lab = (area.top..area.bottom)
            .flat_map(|y| &self.lab[self.grid.at(area.left, y)..][..grid.width])
            .copied()
            .collect();
        Some(Self { grid, lab })
    }

    /// The mean colour of the pixels around one, up to three by three.
    pub fn around(&self, at: usize) -> Lab {
        let (mut sum, mut n) = ([0_i32; 3], 0);
        for i in self.grid.block(at, 1) {
            for (s, v) in sum.iter_mut().zip(self.lab[i]) {
                *s += i32::from(v);
            }
            n += 1;
        }
        sum.map(|s| (s / n.max(1)) as i16)
    }
}

/// The square of the distance of two colours, in squares of [`STEPS`].
#[inline]
pub fn squared(a: Lab, b: Lab) -> i32 {
    let d = |i: usize| i32::from(a[i]) - i32::from(b[i]);
    d(0) * d(0) + d(1) * d(1) + d(2) * d(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_cielab() {
        // Values of the CIE's own formulas for sRGB primaries.
        let bytes = [
            255, 255, 255, 255, 255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 0, 0, 0, 255,
        ];
        let p = Picture::from_rgba(5, 1, &bytes).unwrap();
        let want = [
            [100.0, 0.0, 0.0],
            [53.24, 80.09, 67.20],
            [87.73, -86.18, 83.18],
            [32.30, 79.19, -107.86],
            [0.0, 0.0, 0.0],
        ];
        for (have, want) in p.lab.iter().zip(want) {
            for (h, w) in have.iter().zip(want) {
                assert!((f64::from(*h) / STEPS - w).abs() < 0.5, "{have:?} {want:?}");
            }
        }
        assert!(Picture::from_rgba(2, 2, &bytes).is_none());
        assert!(Picture::from_rgba(0, 0, &[]).is_none());
    }
}
