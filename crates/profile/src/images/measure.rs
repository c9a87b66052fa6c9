//! What is measured of the pixels of one image.

use serde::{Deserialize, Serialize};

/// Longest side that is looked at.
const SIDE: usize = 256;

/// Figures of luma, 0 black to 255 white.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    pub brightness: f32,
    /// Standard deviation.
    pub contrast: f32,
    /// Variance of the Laplacian (Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", 2000).
    pub sharpness: f32,
    /// Gradients of an image of 9 x 8: whether each is brighter than its right neighbour.
    pub dhash: u64,
    /// Low frequencies of the cosine transform of an image of 32 x 32: whether each is above their median.
    pub phash: u64,
}

/// Measures luma of `width` x `height`, row by row. A small rendition serves; it is made smaller still.
pub fn measure(luma: &[u8], width: usize, height: usize) -> Measured {
    if width == 0 || height == 0 || luma.len() < width * height {
        return Measured::default();
    }
    let scale = (SIDE as f64 / width.max(height) as f64).min(1.0);
    let (w, h) = (side(width, scale), side(height, scale));
    let small = shrunk(luma, width, height, w, h);
    let n = small.len() as f64;
    let mean = small.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
    let variance = small.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / n;
    Measured {
        brightness: mean as f32,
        contrast: variance.sqrt() as f32,
        sharpness: laplacian(&small, w, h) as f32,
        dhash: dhash(&shrunk(luma, width, height, 9, 8)),
        phash: phash(&shrunk(luma, width, height, 32, 32)),
    }
}

fn side(pixels: usize, scale: f64) -> usize {
    ((pixels as f64 * scale).round() as usize).max(1)
}

/// Each pixel is the mean of the area it stands for.
fn shrunk(luma: &[u8], width: usize, height: usize, w: usize, h: usize) -> Vec<f32> {
    let mut out = Vec::with_capacity(w * h);
    for y in 0..h {
        let (top, bottom) = span(y, h, height);
        for x in 0..w {
            let (left, right) = span(x, w, width);
            let mut sum = 0u64;
            for row in top..bottom {
                let line = luma
                    .get(row * width + left..row * width + right)
                    .unwrap_or_default();
                sum += line.iter().map(|v| u64::from(*v)).sum::<u64>();
            }
            out.push(sum as f32 / ((bottom - top) * (right - left)) as f32);
        }
    }
    out
}

fn span(at: usize, of: usize, pixels: usize) -> (usize, usize) {
    let start = (at * pixels / of).min(pixels - 1);
    (start, ((at + 1) * pixels / of).clamp(start + 1, pixels))
}

fn laplacian(v: &[f32], w: usize, h: usize) -> f64 {
    if w < 3 || h < 3 {
        return 0.0;
    }
    let (mut sum, mut squares) = (0.0, 0.0);
    for y in 1..h - 1 {
        for x in 1..w - 1 {
            let at = y * w + x;
            let l = f64::from(v[at - 1] + v[at + 1] + v[at - w] + v[at + w] - 4.0 * v[at]);
            sum += l;
            squares += l * l;
        }
    }
    let n = ((w - 2) * (h - 2)) as f64;
    (squares / n - (sum / n).powi(2)).max(0.0)
}

fn dhash(v: &[f32]) -> u64 {
    v.chunks(9)
        .flat_map(|row| row.windows(2))
        .fold(0, |hash, pair| hash << 1 | u64::from(pair[0] > pair[1]))
}

fn phash(v: &[f32]) -> u64 {
    const N: usize = 32;
    const K: usize = 8;
    let wave =
        |k: usize, x: usize| (std::f64::consts::PI * k as f64 * (2 * x + 1) as f64 / (2 * N) as f64).cos();
    let mut rows = [[0.0; K]; N];
    for (y, row) in rows.iter_mut().enumerate() {
        for (k, out) in row.iter_mut().enumerate() {
            *out = (0..N).map(|x| f64::from(v[y * N + x]) * wave(k, x)).sum();
        }
    }
    let mut low = [0.0; K * K];
    for (at, out) in low.iter_mut().enumerate() {
        let (ky, kx) = (at / K, at % K);
        *out = (0..N).map(|y| rows[y][kx] * wave(ky, y)).sum();
    }
    // The mean brightness says nothing about what is seen.
    let mut sorted: Vec<f64> = low[1..].to_vec();
    sorted.sort_by(f64::total_cmp);
    let median = sorted[sorted.len() / 2];
    low.iter()
        .skip(1)
        .fold(0, |hash, c| hash << 1 | u64::from(*c > median))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(w: usize, h: usize, f: impl Fn(f64, f64) -> f64) -> Vec<u8> {
        (0..w * h)
            .map(|i| f((i % w) as f64 / w as f64, (i / w) as f64 / h as f64).clamp(0.0, 255.0) as u8)
            .collect()
    }

    fn scene(x: f64, y: f64) -> f64 {
        120.0 + 60.0 * (7.0 * x).sin() + 50.0 * (9.0 * y + 3.0 * x).cos()
    }

    #[test]
    fn brightness_and_contrast_are_those_of_the_pixels() {
        let half = picture(100, 60, |x, _| if x < 0.5 { 0.0 } else { 200.0 });
        let m = measure(&half, 100, 60);
        assert!(
            (m.brightness - 100.0).abs() < 0.5 && (m.contrast - 100.0).abs() < 0.5,
            "{m:?}"
        );
        let flat = measure(&picture(40, 40, |_, _| 77.0), 40, 40);
        assert_eq!((flat.brightness, flat.contrast, flat.sharpness), (77.0, 0.0, 0.0));
    }

    #[test]
    fn blur_lowers_sharpness() {
        let sharp = picture(200, 200, |x, y| {
            if ((x * 20.0) as u32 + (y * 20.0) as u32).is_multiple_of(2) {
                30.0
            } else {
                220.0
            }
        });
        let soft = picture(200, 200, |x, y| {
            125.0 + 95.0 * (x * 62.8).sin() * (y * 62.8).sin()
        });
        assert!(measure(&sharp, 200, 200).sharpness > 5.0 * measure(&soft, 200, 200).sharpness);
    }

    #[test]
    fn another_size_or_light_looks_alike_and_another_scene_does_not() {
        let a = measure(&picture(320, 240, scene), 320, 240);
        let smaller = measure(&picture(160, 120, scene), 160, 120);
        let brighter = measure(&picture(320, 240, |x, y| scene(x, y) * 0.8 + 40.0), 320, 240);
        let other = measure(&picture(320, 240, |x, y| scene(y, 1.0 - x)), 320, 240);
        let far = |b: &Measured| ((a.dhash ^ b.dhash).count_ones(), (a.phash ^ b.phash).count_ones());
        assert!(
            far(&smaller).0 <= 3 && far(&smaller).1 <= 6,
            "{:?}",
            far(&smaller)
        );
        assert!(
            far(&brighter).0 <= 3 && far(&brighter).1 <= 6,
            "{:?}",
            far(&brighter)
        );
        assert!(far(&other).0 > 12, "{:?}", far(&other));
    }

    #[test]
    fn no_size_is_too_odd() {
        for (w, h) in [(0, 0), (1, 1), (1, 500), (500, 1), (2, 3)] {
            let m = measure(&vec![9; w * h], w, h);
            assert!(m.brightness.is_finite() && m.sharpness.is_finite());
        }
        assert_eq!(measure(&[1, 2], 4, 4), Measured::default());
    }
}
