//! Linear algebra: products by ndarray, small decompositions by hand.

use ndarray::Array2;

/// A matrix, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    pub rows: usize,
    pub cols: usize,
    pub values: Vec<f32>,
}

impl Matrix {
    pub fn zeros(rows: usize, cols: usize) -> Self {
        Self {
            rows,
            cols,
            values: vec![0.0; rows * cols],
        }
    }

    /// Of rows that are equally long.
    pub fn of(rows: &[Vec<f32>]) -> Self {
        Self {
            rows: rows.len(),
            cols: rows.first().map_or(0, Vec::len),
            values: rows.concat(),
        }
    }

    pub fn row(&self, i: usize) -> &[f32] {
        &self.values[i * self.cols..(i + 1) * self.cols]
    }

    pub fn row_mut(&mut self, i: usize) -> &mut [f32] {
        &mut self.values[i * self.cols..(i + 1) * self.cols]
    }

    fn array(&self) -> Array2<f32> {
        Array2::from_shape_fn((self.rows, self.cols), |(i, j)| self.values[i * self.cols + j])
    }

    /// `self * other`.
    #[must_use]
    pub fn times(&self, other: &Self) -> Self {
        Self::from(self.array().dot(&other.array()))
    }

    /// `self * otherᵀ`.
    #[must_use]
    pub fn times_transposed(&self, other: &Self) -> Self {
        Self::from(self.array().dot(&other.array().t()))
    }

    /// `selfᵀ * other`.
    #[must_use]
    pub fn transposed_times(&self, other: &Self) -> Self {
        Self::from(self.array().t().dot(&other.array()))
    }
}

impl From<Array2<f32>> for Matrix {
    fn from(a: Array2<f32>) -> Self {
        let (rows, cols) = a.dim();
        Self {
            rows,
            cols,
            values: a.iter().copied().collect(),
        }
    }
}

pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    // Eight sums at once, which the compiler keeps in one register.
    let mut sums = [0.0_f32; 8];
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a8
        .remainder()
        .iter()
        .zip(b8.remainder())
        .map(|(x, y)| x * y)
        .sum();
    for (x, y) in a8.zip(b8) {
        for (s, (x, y)) in sums.iter_mut().zip(x.iter().zip(y)) {
            *s += x * y;
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// Adds `by * from` to `to`.
pub(crate) fn add(to: &mut [f32], by: f32, from: &[f32]) {
    for (t, f) in to.iter_mut().zip(from) {
        *t += by * f;
    }
}

/// Scales to length 1; zero stays zero.
pub(crate) fn normalise(v: &mut [f32]) {
    let norm = dot(v, v).sqrt();
    if norm > 1e-12 {
        for x in v.iter_mut() {
            *x /= norm;
        }
    }
}

/// Eigenvalues, largest first, and their vectors as the rows of a matrix; of a symmetric `n` x `n` matrix. Jacobi's
/// rotations.
pub fn symmetric_eigen(a: &[f64], n: usize) -> (Vec<f64>, Vec<Vec<f64>>) {
    let mut a = a.to_vec();
    // Row i of `v` is the i-th vector.
    let mut v = vec![0.0; n * n];
    for i in 0..n {
        v[i * n + i] = 1.0;
    }
    let size: f64 = a.iter().map(|x| x * x).sum();
    for _ in 0..40 {
        let mut off = 0.0;
        for i in 0..n {
            for j in i + 1..n {
                off += a[i * n + j] * a[i * n + j];
            }
        }
        if off <= size * 1e-20 {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                let apq = a[p * n + q];
                if apq == 0.0 {
                    continue;
                }
                let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * apq);
                let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
                let t = if theta == 0.0 { 1.0 } else { t };
                let c = 1.0 / (t * t + 1.0).sqrt();
                rotate(&mut a, &mut v, n, (p, q), c, t * c);
            }
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|x, y| a[y * n + y].total_cmp(&a[x * n + x]));
    let values = order.iter().map(|i| a[i * n + i]).collect();
    let vectors = order.iter().map(|i| v[i * n..(i + 1) * n].to_vec()).collect();
    (values, vectors)
}

fn rotate(a: &mut [f64], v: &mut [f64], n: usize, (p, q): (usize, usize), c: f64, s: f64) {
    for k in 0..n {
        let (x, y) = (a[k * n + p], a[k * n + q]);
        a[k * n + p] = c * x - s * y;
        a[k * n + q] = s * x + c * y;
    }
    for k in 0..n {
        let (x, y) = (a[p * n + k], a[q * n + k]);
        a[p * n + k] = c * x - s * y;
        a[q * n + k] = s * x + c * y;
        let (x, y) = (v[p * n + k], v[q * n + k]);
        v[p * n + k] = c * x - s * y;
        v[q * n + k] = s * x + c * y;
    }
}

/// Makes the columns of `m` orthonormal (Gram-Schmidt, twice); those without a direction of their own become zero.
pub(crate) fn orthonormal_columns(m: &mut Matrix) {
    let (rows, cols) = (m.rows, m.cols);
    let mut columns: Vec<Vec<f64>> = (0..cols)
        .map(|j| (0..rows).map(|i| f64::from(m.values[i * cols + j])).collect())
        .collect();
    for j in 0..cols {
        let (done, rest) = columns.split_at_mut(j);
        let c = &mut rest[0];
        let before: f64 = c.iter().map(|x| x * x).sum::<f64>().sqrt();
        for _ in 0..2 {
            for d in done.iter() {
                let along: f64 = d.iter().zip(c.iter()).map(|(x, y)| x * y).sum();
                c.iter_mut().zip(d).for_each(|(x, y)| *x -= along * y);
            }
        }
        let norm: f64 = c.iter().map(|x| x * x).sum::<f64>().sqrt();
        let keep = norm > 1e-7 * before.max(1e-30);
        for x in c.iter_mut() {
            *x = if keep { *x / norm } else { 0.0 };
        }
    }
    for (j, c) in columns.iter().enumerate() {
        for (i, x) in c.iter().enumerate() {
            m.values[i * cols + j] = *x as f32;
        }
    }
}
