//! Groups of vectors that are alike.

use crate::error::{Result, Stop, check};
use crate::linear::{Matrix, add, dot, normalise};
use crate::rng::Rng;

/// Groups by nearest centre.
#[derive(Debug, Clone, PartialEq)]
pub struct Clusters {
    /// Which group each vector is in.
    pub of: Vec<usize>,
    /// Distance (squared) of each vector to its group's centre.
    pub distance: Vec<f32>,
    pub centres: Matrix,
}

impl Clusters {
    /// Of each group the member nearest to its centre, largest group first; groups without members are left out.
    pub fn typical(&self) -> Vec<usize> {
        let k = self.centres.rows;
        let mut best: Vec<Option<usize>> = vec![None; k];
        let mut size = vec![0_usize; k];
        for (i, c) in self.of.iter().enumerate() {
            size[*c] += 1;
            if best[*c].is_none_or(|b| self.distance[i] < self.distance[b]) {
                best[*c] = Some(i);
            }
        }
        let mut order: Vec<usize> = (0..k).collect();
        order.sort_by_key(|c| std::cmp::Reverse(size[*c]));
        order.into_iter().filter_map(|c| best[c]).collect()
    }
}

/// k-means with k-means++ starts, at most 25 rounds. `k` is cut to the number of vectors.
pub fn kmeans(data: &Matrix, k: usize, rng: &mut Rng, stop: Stop<'_>) -> Result<Clusters> {
    let n = data.rows;
    let k = k.min(n);
    if k == 0 {
        return Ok(Clusters {
            of: Vec::new(),
            distance: Vec::new(),
            centres: Matrix::zeros(0, data.cols),
        });
    }
    let norms: Vec<f32> = (0..n).map(|i| dot(data.row(i), data.row(i))).collect();
    let mut centres = Matrix::zeros(k, data.cols);
    let mut nearest = vec![f32::MAX; n];
    let mut next = rng.below(n);
    for c in 0..k {
        check(stop)?;
        centres.row_mut(c).copy_from_slice(data.row(next));
        for (i, (least, norm)) in nearest.iter_mut().zip(&norms).enumerate() {
            let d = norm + norms[next] - 2.0 * dot(data.row(i), data.row(next));
            *least = least.min(d.max(0.0));
        }
        let total: f64 = nearest.iter().map(|d| f64::from(*d)).sum();
        let mut at = rng.unit() * total;
        next = nearest
            .iter()
            .position(|d| {
                at -= f64::from(*d);
                at <= 0.0 && *d > 0.0
            })
            .unwrap_or_else(|| rng.below(n));
    }
    let mut of = vec![usize::MAX; n];
    let mut distance = vec![0.0; n];
    for _ in 0..25 {
        check(stop)?;
        let moved = assign(data, &norms, &centres, &mut of, &mut distance);
        if moved == 0 {
            break;
        }
        let mut count = vec![0_usize; k];
        let mut sums = Matrix::zeros(k, data.cols);
        for (i, c) in of.iter().enumerate() {
            count[*c] += 1;
            add(sums.row_mut(*c), 1.0, data.row(i));
        }
        for (c, count) in count.iter().enumerate() {
            if *count > 0 {
                let by = 1.0 / *count as f32;
                for v in sums.row_mut(c) {
                    *v *= by;
                }
                centres.row_mut(c).copy_from_slice(sums.row(c));
            }
        }
    }
    Ok(Clusters {
        of,
        distance,
        centres,
    })
}

fn assign(data: &Matrix, norms: &[f32], centres: &Matrix, of: &mut [usize], distance: &mut [f32]) -> usize {
    let along = data.times_transposed(centres);
    let lengths: Vec<f32> = (0..centres.rows)
        .map(|c| dot(centres.row(c), centres.row(c)))
        .collect();
    let mut moved = 0;
    for (i, (of, distance)) in of.iter_mut().zip(distance).enumerate() {
        let (mut best, mut least) = (0, f32::MAX);
        for (c, (s, length)) in along.row(i).iter().zip(&lengths).enumerate() {
            let d = length - 2.0 * s;
            if d < least {
                (best, least) = (c, d);
            }
        }
        moved += usize::from(*of != best);
        *of = best;
        *distance = (least + norms[i]).max(0.0);
    }
    moved
}

/// Directions that many of the (whitened) rows point along or against: `k` unit rows. Coates and Ng, "Learning feature
/// representations with k-means" (2012).
pub(crate) fn directions(data: &Matrix, k: usize, rng: &mut Rng, stop: Stop<'_>) -> Result<Matrix> {
    let mut d = Matrix::zeros(k, data.cols);
    for v in &mut d.values {
        *v = rng.normal() as f32;
    }
    for c in 0..k {
        normalise(d.row_mut(c));
    }
    for _ in 0..10 {
        check(stop)?;
        let along = data.times_transposed(&d);
        // Damped: what a direction was counts as one more row.
        let mut sums = d.clone();
        for i in 0..data.rows {
            let row = along.row(i);
            let (mut best, mut most) = (0, -1.0);
            for (c, s) in row.iter().enumerate() {
                if s.abs() > most {
                    (best, most) = (c, s.abs());
                }
            }
            add(sums.row_mut(best), row[best], data.row(i));
        }
        for c in 0..k {
            normalise(sums.row_mut(c));
        }
        d = sums;
    }
    Ok(d)
}
