//! What colours an object has: mixtures of Gaussians, fitted by hard assignment as in Rother, Kolmogorov and Blake,
//! "GrabCut" (2004).

use crate::picture::Lab;

/// Gaussians of one mixture.
const PARTS: usize = 5;
/// Added to the variances, so that a flat colour still has one (square of 1.5 units of lightness).
const LEAST: f64 = 2.25;

#[derive(Debug, Clone, Copy, Default)]
struct Gauss {
    mean: [f64; 3],
    /// Inverse of the covariance, row by row.
    inverse: [f64; 9],
    /// Minus the logarithm of weight over the root of the determinant.
    offset: f64,
    empty: bool,
}

/// A mixture.
#[derive(Debug, Clone)]
pub struct Colors {
    parts: Vec<Gauss>,
}

fn units(c: Lab) -> [f64; 3] {
    c.map(|v| f64::from(v) / crate::picture::STEPS)
}

impl Gauss {
    fn of(list: &[[f64; 3]], all: usize) -> Self {
        if list.is_empty() {
            return Self {
                empty: true,
                ..Self::default()
            };
        }
        let n = list.len() as f64;
        let mean = [0, 1, 2].map(|k| list.iter().map(|c| c[k]).sum::<f64>() / n);
        let mut m = [0.0; 9];
        for c in list {
            for r in 0..3 {
                for k in 0..3 {
                    m[r * 3 + k] += (c[r] - mean[r]) * (c[k] - mean[k]) / n;
                }
            }
        }
        for k in 0..3 {
            m[k * 4] += LEAST;
        }
        let minor = |a: usize, b: usize, c: usize, d: usize| m[a] * m[d] - m[b] * m[c];
        let det = m[0] * minor(4, 5, 7, 8) - m[1] * minor(3, 5, 6, 8) + m[2] * minor(3, 4, 6, 7);
        let inverse = [
            minor(4, 5, 7, 8),
            -minor(1, 2, 7, 8),
            minor(1, 2, 4, 5),
            -minor(3, 5, 6, 8),
            minor(0, 2, 6, 8),
            -minor(0, 2, 3, 5),
            minor(3, 4, 6, 7),
            -minor(0, 1, 6, 7),
            minor(0, 1, 3, 4),
        ]
        .map(|v| v / det);
        Self {
            mean,
            inverse,
            offset: -(n / all as f64).ln() + 0.5 * det.ln(),
            empty: false,
        }
    }

    fn cost(&self, c: [f64; 3]) -> f64 {
        if self.empty {
            return f64::MAX;
        }
        let d = [0, 1, 2].map(|k| c[k] - self.mean[k]);
        let m = &self.inverse;
        let mut square = 0.0;
        for r in 0..3 {
            square += d[r] * (m[r * 3] * d[0] + m[r * 3 + 1] * d[1] + m[r * 3 + 2] * d[2]);
        }
        self.offset + 0.5 * square
    }
}

impl Colors {
    /// Fitted to colours; `None` when there are none.
    pub fn of(list: &[Lab]) -> Option<Self> {
        let list: Vec<[f64; 3]> = list.iter().map(|c| units(*c)).collect();
        let first = *list.first()?;
        let far = |c: &[f64; 3], m: &[f64; 3]| c.iter().zip(m).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
        // Each next centre is the colour furthest from those there are.
        let mut centres = vec![first];
        let mut gap: Vec<f64> = list.iter().map(|c| far(c, &first)).collect();
        while centres.len() < PARTS {
            let at = (0..gap.len()).max_by(|a, b| gap[*a].total_cmp(&gap[*b]))?;
            if gap[at] < LEAST {
                break;
            }
            let new = list[at];
            centres.push(new);
            for (g, c) in gap.iter_mut().zip(&list) {
                *g = g.min(far(c, &new));
            }
        }
        let mut groups = vec![Vec::new(); centres.len()];
        for _ in 0..4 {
            groups.iter_mut().for_each(Vec::clear);
            for c in &list {
                let near =
                    (0..centres.len()).min_by(|a, b| far(c, &centres[*a]).total_cmp(&far(c, &centres[*b])));
                groups[near.unwrap_or(0)].push(*c);
            }
            for (centre, group) in centres.iter_mut().zip(&groups) {
                if !group.is_empty() {
                    *centre = [0, 1, 2].map(|k| group.iter().map(|c| c[k]).sum::<f64>() / group.len() as f64);
                }
            }
        }
        let parts = groups.iter().map(|g| Gauss::of(g, list.len())).collect();
        Some(Self { parts })
    }

    /// Minus the logarithm of how likely a colour is, by the Gaussian it fits best.
    pub fn cost(&self, c: Lab) -> f64 {
        let c = units(c);
        self.parts.iter().map(|g| g.cost(c)).fold(f64::MAX, f64::min)
    }
}
