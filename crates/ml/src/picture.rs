//! Small pictures as numbers.

/// A picture, RGB row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub width: usize,
    pub height: usize,
    pub rgb: Vec<u8>,
}

impl Picture {
    /// `None` when the bytes are not `width * height * 3`, or there are none.
    pub fn new(width: usize, height: usize, rgb: Vec<u8>) -> Option<Self> {
        let fits = width > 0 && height > 0 && width.checked_mul(height)?.checked_mul(3)? == rgb.len();
        fits.then_some(Self { width, height, rgb })
    }

    /// Whether it has no colours to speak of.
    pub fn is_gray(&self) -> bool {
        let pixels = self.rgb.as_chunks::<3>().0;
        let coloured = pixels
            .iter()
            .filter(|p| p.iter().max().unwrap_or(&0) - p.iter().min().unwrap_or(&0) > 12)
            .count();
        coloured * 100 <= pixels.len()
    }

    /// `side` x `side` numbers 0..=1 a channel, one channel after the other; `channels` is 1 (luma) or 3. Shrunk by the mean
    /// over the area that a pixel stands for, enlarged linearly; the sides are scaled apart.
    pub fn planes(&self, side: usize, channels: usize) -> Vec<f32> {
        self.scaled(side, side, channels)
    }

    /// As [`Picture::planes`], `width` x `height`.
    pub fn scaled(&self, width: usize, height: usize, channels: usize) -> Vec<f32> {
        let (across, down) = (weights(self.width, width), weights(self.height, height));
        let mut rows = vec![0.0_f32; self.height * width * 3];
        for y in 0..self.height {
            for (x, (from, shares)) in across.iter().enumerate() {
                let to = &mut rows[(y * width + x) * 3..][..3];
                for (i, share) in shares.iter().enumerate() {
                    let at = (y * self.width + from + i) * 3;
                    for (t, v) in to.iter_mut().zip(&self.rgb[at..at + 3]) {
                        *t += share * f32::from(*v) / 255.0;
                    }
                }
            }
        }
        let mut out = vec![0.0_f32; channels * width * height];
        for (y, (from, shares)) in down.iter().enumerate() {
            for x in 0..width {
                let mut p = [0.0_f32; 3];
                for (i, share) in shares.iter().enumerate() {
                    let at = ((from + i) * width + x) * 3;
                    for (t, v) in p.iter_mut().zip(&rows[at..at + 3]) {
                        *t += share * v;
                    }
                }
                let at = y * width + x;
                if channels == 1 {
                    out[at] = 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2];
                } else {
                    for (c, v) in p.iter().enumerate() {
                        out[c * width * height + at] = *v;
                    }
                }
            }
        }
        out
    }
}

/// For each of `to` places, where its shares of `from` pixels begin and what they are; they sum to 1.
fn weights(from: usize, to: usize) -> Vec<(usize, Vec<f32>)> {
    let scale = from as f32 / to as f32;
    (0..to)
        .map(|i| {
            if scale <= 1.0 {
                let at = ((i as f32 + 0.5) * scale - 0.5).clamp(0.0, (from - 1) as f32);
                let first = (at.floor() as usize).min(from - 1);
                let part = at - first as f32;
                if part == 0.0 || first + 1 >= from {
                    return (first, vec![1.0]);
                }
                return (first, vec![1.0 - part, part]);
            }
            let (low, high) = (i as f32 * scale, ((i + 1) as f32 * scale).min(from as f32));
            let first = (low as usize).min(from - 1);
            let last = (high.ceil() as usize).clamp(first + 1, from);
            let mut shares: Vec<f32> = (first..last)
                .map(|p| (high.min((p + 1) as f32) - low.max(p as f32)).max(0.0))
                .collect();
            let sum: f32 = shares.iter().sum();
            if sum <= 0.0 {
                return (first, vec![1.0]);
            }
            for s in &mut shares {
                *s /= sum;
            }
            (first, shares)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_picture_stays_flat_at_every_size() {
        for (w, h, side) in [(1, 1, 8), (3, 50, 8), (320, 213, 32), (8, 8, 8)] {
            let p = Picture::new(w, h, vec![51; w * h * 3]).unwrap();
            for channels in [1, 3] {
                let planes = p.planes(side, channels);
                assert_eq!(planes.len(), channels * side * side);
                assert!(planes.iter().all(|v| (v - 0.2).abs() < 1e-5), "{w}x{h} to {side}");
            }
        }
    }

    #[test]
    fn shrinking_takes_the_mean() {
        let mut rgb = vec![0; 4 * 2 * 3];
        rgb[..6].fill(255);
        let p = Picture::new(4, 2, rgb).unwrap();
        let planes = p.planes(2, 1);
        assert!((planes[0] - 1.0).abs() < 1e-5 && planes[1].abs() < 1e-5 && planes[2].abs() < 1e-5);
    }

    #[test]
    fn bytes_that_do_not_fit_are_no_picture() {
        assert_eq!(Picture::new(2, 2, vec![0; 11]), None);
        assert_eq!(Picture::new(0, 2, vec![]), None);
        assert_eq!(Picture::new(usize::MAX, 2, vec![]), None);
    }
}
