//! Principal components: the directions in which rows differ most.

use crate::error::{Result, Stop, check, finite};
use crate::linear::{Matrix, orthonormal_columns, symmetric_eigen};
use crate::rng::Rng;

/// Numbers of a description.
pub const DIMS: usize = 128;

/// What turns wide rows into short ones.
#[derive(Debug, Clone, Default)]
pub struct Principal {
    pub mean: Vec<f32>,
    /// `dims` rows as wide as the mean.
    pub components: Vec<f32>,
    /// At most [`DIMS`].
    pub dims: usize,
}

/// Finds them by randomised subspace iteration (Halko et al. 2011).
pub fn principal(mut raw: Matrix, rng: &mut Rng, stop: Stop<'_>) -> Result<Principal> {
    let (n, width) = (raw.rows, raw.cols);
    let mut mean = vec![0.0_f64; width];
    for i in 0..n {
        raw.row(i)
            .iter()
            .zip(&mut mean)
            .for_each(|(v, m)| *m += f64::from(*v) / n as f64);
    }
    let mean: Vec<f32> = mean.iter().map(|m| *m as f32).collect();
    less(&mut raw, &mean);
    let wide = (DIMS + 16).min(n).min(width);
    let mut base = Matrix::zeros(width, wide);
    for v in &mut base.values {
        *v = rng.normal() as f32;
    }
    for _ in 0..4 {
        check(stop)?;
        let mut seen = raw.times(&base);
        orthonormal_columns(&mut seen);
        base = raw.transposed_times(&seen);
        orthonormal_columns(&mut base);
    }
    let low = raw.times(&base);
    let square: Vec<f64> = low
        .transposed_times(&low)
        .values
        .into_iter()
        .map(f64::from)
        .collect();
    let (values, vectors) = symmetric_eigen(&square, wide);
    let most = values.first().copied().unwrap_or(0.0);
    let dims = values
        .iter()
        .take(DIMS)
        .filter(|v| **v > most * 1e-6 && **v / n as f64 > 1e-9)
        .count();
    // The first has the mean square 1, the others less, as in the data.
    let scale = (n as f64 / most.max(1e-30)).sqrt() as f32;
    let mut turn = Matrix::zeros(dims, wide);
    for (i, vector) in vectors.iter().take(dims).enumerate() {
        let row = turn.row_mut(i);
        row.iter_mut()
            .zip(vector)
            .for_each(|(r, v)| *r = *v as f32 * scale);
    }
    let components = turn.times_transposed(&base).values;
    finite(&components, "The features")?;
    Ok(Principal {
        mean,
        components,
        dims,
    })
}

/// Takes the mean off every row.
pub fn less(rows: &mut Matrix, mean: &[f32]) {
    for i in 0..rows.rows {
        rows.row_mut(i).iter_mut().zip(mean).for_each(|(v, m)| *v -= m);
    }
}
