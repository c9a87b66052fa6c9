//! The nearest of many: each to each by matrix products, and of others by cells.

use crate::cluster::kmeans;
use crate::error::{Result, Stop, check};
use crate::linear::{Matrix, dot};
use crate::rng::Rng;

/// Rows compared with all others at once: some 20 MB of products.
const BLOCK: usize = 256;
/// Cells looked through for one row.
const PROBES: usize = 6;

/// The nearest other rows of each row, nearest first, with their distances.
#[derive(Debug)]
pub struct Near {
    /// Neighbours of a row.
    pub k: usize,
    pub of: Vec<u32>,
    pub far: Vec<f32>,
}

/// The nearest so far, nearest first; of equally near ones those that came first.
#[derive(Debug)]
pub struct Best {
    k: usize,
    of: Vec<u32>,
    /// Squares of distances.
    far: Vec<f32>,
}

impl Best {
    pub fn new(k: usize) -> Self {
        Self {
            k,
            of: Vec::with_capacity(k + 1),
            far: Vec::with_capacity(k + 1),
        }
    }

    pub fn of(&self) -> &[u32] {
        &self.of
    }

    /// Squares of distances.
    pub fn far(&self) -> &[f32] {
        &self.far
    }

    fn clear(&mut self) {
        self.of.clear();
        self.far.clear();
    }

    fn offer(&mut self, of: u32, far: f32) {
        if self.far.len() == self.k && self.far.last().is_none_or(|worst| far >= *worst) {
            return;
        }
        let at = self.far.partition_point(|f| *f <= far);
        self.far.insert(at, far);
        self.of.insert(at, of);
        self.far.truncate(self.k);
        self.of.truncate(self.k);
    }
}

fn norms(rows: &Matrix) -> Vec<f32> {
    (0..rows.rows).map(|i| dot(rows.row(i), rows.row(i))).collect()
}

/// The `k` nearest other rows of each row; `k` is cut to how many there are. Exact: sums of some hundred products of bytes are
/// whole numbers that single precision holds.
pub fn among(rows: &Matrix, k: usize, stop: Stop<'_>) -> Result<Near> {
    let n = rows.rows;
    let k = k.min(n.saturating_sub(1));
    let mut near = Near {
        k,
        of: Vec::with_capacity(n * k),
        far: Vec::with_capacity(n * k),
    };
    if k == 0 {
        return Ok(near);
    }
    let norms = norms(rows);
    let mut best = Best::new(k);
    for from in (0..n).step_by(BLOCK) {
        check(stop)?;
        let to = (from + BLOCK).min(n);
        let block = Matrix {
            rows: to - from,
            cols: rows.cols,
            values: rows.values[from * rows.cols..to * rows.cols].to_vec(),
        };
        let along = block.times_transposed(rows);
        for i in from..to {
            best.clear();
            for (j, (product, norm)) in along.row(i - from).iter().zip(&norms).enumerate() {
                if j != i {
                    best.offer(j as u32, (norms[i] + norm - 2.0 * product).max(0.0));
                }
            }
            near.of.extend_from_slice(best.of());
            near.far.extend(best.far().iter().map(|f| f.sqrt()));
        }
    }
    Ok(near)
}

/// Rows in groups of alike ones: whoever looks for the nearest looks into few of them.
pub struct Cells<'a> {
    rows: &'a Matrix,
    norms: Vec<f32>,
    centres: Matrix,
    lengths: Vec<f32>,
    members: Vec<Vec<u32>>,
}

impl<'a> Cells<'a> {
    pub fn new(rows: &'a Matrix, rng: &mut Rng, stop: Stop<'_>) -> Result<Self> {
        let count = (rows.rows as f64).sqrt().ceil() as usize;
        let groups = kmeans(rows, count, rng, stop)?;
        let mut members = vec![Vec::new(); groups.centres.rows];
        for (row, cell) in groups.of.iter().enumerate() {
            members[*cell].push(row as u32);
        }
        Ok(Self {
            rows,
            norms: norms(rows),
            lengths: norms(&groups.centres),
            centres: groups.centres,
            members,
        })
    }

    /// Calls `each` with the `k` nearest rows of each of some others, nearly always the nearest indeed.
    pub fn nearest(&self, others: &Matrix, k: usize, each: &mut dyn FnMut(usize, &Best)) {
        let along = others.times_transposed(&self.centres);
        let mut order: Vec<(f32, u32)> = Vec::with_capacity(self.lengths.len());
        let mut best = Best::new(k.min(self.rows.rows));
        for i in 0..others.rows {
            let this = others.row(i);
            let length = dot(this, this);
            order.clear();
            let far = along
                .row(i)
                .iter()
                .zip(&self.lengths)
                .map(|(product, l)| l - 2.0 * product);
            order.extend(far.zip(0_u32..));
            order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            best.clear();
            for (tried, (_, cell)) in order.iter().enumerate() {
                // Small cells do not fill it.
                if tried >= PROBES && best.of().len() == best.k {
                    break;
                }
                for row in &self.members[*cell as usize] {
                    let at = *row as usize;
                    let far = length + self.norms[at] - 2.0 * dot(this, self.rows.row(at));
                    best.offer(*row, far.max(0.0));
                }
            }
            each(i, &best);
        }
    }
}
