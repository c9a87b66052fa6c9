//! Which things belong together, and how likely: the fuzzy graph of UMAP.

use super::neighbours::Near;

/// Rounds of halving the bounds of a scale.
const ROUNDS: usize = 64;
/// The scale of a thing is at least this share of how far its neighbours are on average.
const SCALE_MIN: f32 = 1e-3;

/// Two things that belong together with this weight, 0..=1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Link {
    pub a: u32,
    pub b: u32,
    pub weight: f32,
}

/// The links of a graph of neighbours, each pair once, by places. The nearest neighbour of a thing belongs to it for certain, the others
/// the less the farther they are, all of them together as much as those of any other thing.
pub fn links(near: &Near) -> Vec<Link> {
    if near.k == 0 {
        return Vec::new();
    }
    let mut all = Vec::with_capacity(near.of.len());
    let rows = near.of.chunks_exact(near.k).zip(near.far.chunks_exact(near.k));
    for (row, (of, far)) in rows.enumerate() {
        let row = row as u32;
        let first = far.iter().copied().find(|f| *f > 0.0).unwrap_or(0.0);
        let scale = scale(far, first);
        for (other, far) in of.iter().zip(far) {
            all.push(Link {
                a: row.min(*other),
                b: row.max(*other),
                weight: weight(*far, first, scale),
            });
        }
    }
    all.sort_by_key(|l| (l.a, l.b));
    // Either of two says that they belong together.
    all.dedup_by(|second, kept| {
        let same = (second.a, second.b) == (kept.a, kept.b);
        if same {
            kept.weight += second.weight - kept.weight * second.weight;
        }
        same
    });
    all
}

fn weight(far: f32, first: f32, scale: f32) -> f32 {
    if far <= first {
        1.0
    } else {
        (-(far - first) / scale).exp()
    }
}

/// The scale at which the weights of all neighbours have the sum that they have everywhere.
fn scale(far: &[f32], first: f32) -> f32 {
    let wanted = ((far.len() + 1) as f32).log2();
    let (mut low, mut high, mut scale) = (0.0_f32, f32::INFINITY, 1.0_f32);
    for _ in 0..ROUNDS {
        let sum: f32 = far.iter().map(|f| weight(*f, first, scale)).sum();
        if (sum - wanted).abs() < 1e-5 {
            break;
        }
        if sum > wanted {
            high = scale;
            scale = low.midpoint(high);
        } else {
            low = scale;
            scale = if high.is_finite() {
                low.midpoint(high)
            } else {
                scale * 2.0
            };
        }
    }
    let mean = far.iter().sum::<f32>() / far.len() as f32;
    scale.max(mean * SCALE_MIN).clamp(f32::MIN_POSITIVE, f32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_fall_from_one_to_a_sum_that_all_have() {
        for far in [[1.0, 2.0, 3.0, 8.0], [100.0, 150.0, 170.0, 4_000.0]] {
            let s = scale(&far, far[0]);
            let weights = far.map(|f| weight(f, far[0], s));
            assert_eq!(weights[0], 1.0);
            assert!(weights.windows(2).all(|w| w[0] > w[1]), "{weights:?}");
            let sum: f32 = weights.iter().sum();
            assert!((sum - 5.0_f32.log2()).abs() < 1e-3, "{sum}");
        }
        // Copies are no reason to divide by nothing.
        assert!(weight(0.0, 0.0, scale(&[0.0, 0.0], 0.0)) == 1.0);
    }

    #[test]
    fn each_pair_is_linked_once() {
        let near = Near {
            k: 1,
            of: vec![1, 0, 1],
            far: vec![2.0, 2.0, 5.0],
        };
        let all = links(&near);
        let pairs: Vec<_> = all.iter().map(|l| (l.a, l.b)).collect();
        assert_eq!(pairs, [(0, 1), (1, 2)]);
        assert!(all.iter().all(|l| l.weight == 1.0), "{all:?}");
    }
}
