//! Where described things lie in a plane, so that alike ones lie together.
//!
//! After UMAP (McInnes, Healy and Melville, "UMAP: Uniform Manifold Approximation and Projection for Dimension Reduction", 2018):
//! a graph of nearest neighbours whose edges say how likely two things belong together, laid out by edges that pull and random
//! others that push. Only a sample is laid out that way; all others are put beside the landmarks that are most like them,
//! so that the work grows with their number alone and takes little memory.

mod graph;
mod layout;
mod neighbours;

use crate::error::{MlError, Result, Stop, check};
use crate::linear::Matrix;
use crate::rng::Rng;
use neighbours::{Best, Cells, among};

/// Things that are laid out against each other.
const LANDMARKS: usize = 20_000;
/// Neighbours of a landmark that pull it.
const NEIGHBOURS: usize = 15;
/// Landmarks that say where another thing lies.
const GUIDES: usize = 6;
/// Of these only such that lie in one place: at most this share of the plane's width from the nearest one.
const ONE_PLACE: f32 = 0.05;
/// How far things are shifted from where their landmarks say, in shares of the width: copies do not hide each other.
const SHIFT: f64 = 0.003;
/// Things looked at at once.
const BATCH: usize = 1_024;
/// Share of the work that laying out the landmarks is, for those who wait.
const SHARE_LAYOUT: f32 = 0.3;
/// Things in a thousand that may lie outside the frame on each side; they are put at its edge.
const OUTSIDE: usize = 3;
/// Room around the others, in shares of their width.
const MARGIN: f32 = 0.04;

/// What is laid out: `dims` bytes of each row, whether or not it is meant, and the rows that are.
#[derive(Debug, Clone, Copy)]
pub struct Things<'a> {
    pub bytes: &'a [u8],
    pub dims: usize,
    pub rows: &'a [u32],
}

impl Things<'_> {
    fn check(&self) -> Result<()> {
        let fits = |row: &u32| (*row as usize + 1).saturating_mul(self.dims) <= self.bytes.len();
        if self.dims > 0 && self.rows.iter().all(fits) {
            return Ok(());
        }
        Err(MlError::Broken(
            "The descriptions are fewer than the things they are of; have them made anew.".to_owned(),
        ))
    }

    /// The descriptions of some of the rows, by their places among these.
    fn matrix(&self, places: impl ExactSizeIterator<Item = usize>) -> Matrix {
        let mut m = Matrix::zeros(places.len(), self.dims);
        for (i, place) in places.enumerate() {
            let from = self.rows[place] as usize * self.dims;
            let bytes = &self.bytes[from..from + self.dims];
            for (value, byte) in m.row_mut(i).iter_mut().zip(bytes) {
                *value = f32::from(*byte);
            }
        }
        m
    }
}

/// x and y of each thing, 0..=1. `tell` hears which share of the work is done. The same things and seed give the same plane.
pub fn plane(things: &Things<'_>, seed: u64, tell: &dyn Fn(f32), stop: Stop<'_>) -> Result<Vec<[f32; 2]>> {
    over(things, LANDMARKS, seed, tell, stop)
}

fn over(
    things: &Things<'_>,
    landmarks: usize,
    seed: u64,
    tell: &dyn Fn(f32),
    stop: Stop<'_>,
) -> Result<Vec<[f32; 2]>> {
    things.check()?;
    let n = things.rows.len();
    let mut rng = Rng::new(seed);
    let mut chosen = rng.sample(n, landmarks);
    chosen.sort_unstable();
    let marks = things.matrix(chosen.iter().copied());
    // Where all are neighbours of all, nothing lies apart.
    let neighbours = NEIGHBOURS.min(marks.rows.div_ceil(2));
    let near = among(&marks, neighbours, stop)?;
    let links = graph::links(&near);
    drop(near);
    let mut at = layout::start(&marks, &mut rng);
    let part = |share: f32| tell(share * SHARE_LAYOUT);
    layout::relax(&mut at, links, &mut rng, &part, stop)?;
    let mut all = vec![[0.0; 2]; n];
    for (place, at) in chosen.iter().zip(&at) {
        all[*place] = *at;
    }
    if chosen.len() < n {
        let mut is_mark = vec![false; n];
        for place in &chosen {
            is_mark[*place] = true;
        }
        let others: Vec<usize> = (0..n).filter(|p| !is_mark[*p]).collect();
        let cells = Cells::new(&marks, &mut rng, stop)?;
        let width = width(&at);
        let mut done = 0;
        for batch in others.chunks(BATCH) {
            check(stop)?;
            let rows = things.matrix(batch.iter().copied());
            cells.nearest(&rows, GUIDES, &mut |i, best| {
                all[batch[i]] = beside(best, &at, width, &mut rng);
            });
            done += batch.len();
            tell(SHARE_LAYOUT + (1.0 - SHARE_LAYOUT) * done as f32 / others.len() as f32);
        }
    }
    frame(&mut all);
    if all.iter().flatten().all(|v| v.is_finite()) {
        return Ok(all);
    }
    Err(MlError::Broken(
        "The map came out as no numbers; have the descriptions made anew.".to_owned(),
    ))
}

/// The place that the nearest landmarks give: their middle, the nearer the weightier. Those that lie elsewhere do not count, as
/// between two places there is nothing that is like it.
fn beside(best: &Best, at: &[[f32; 2]], width: f32, rng: &mut Rng) -> [f32; 2] {
    let Some(first) = best.of().first().map(|f| at[*f as usize]) else {
        return [0.0; 2];
    };
    let nearest = best.far()[0].sqrt();
    let farthest = best.far().last().map_or(nearest, |f| f.sqrt());
    let scale = (farthest - nearest).max(1.0);
    let (mut sum, mut weights) = ([0.0_f32; 2], 0.0_f32);
    for (of, far) in best.of().iter().zip(best.far()) {
        let p = at[*of as usize];
        if (p[0] - first[0]).hypot(p[1] - first[1]) > width * ONE_PLACE {
            continue;
        }
        let weight = (-2.0 * (far.sqrt() - nearest) / scale).exp();
        sum = [sum[0] + weight * p[0], sum[1] + weight * p[1]];
        weights += weight;
    }
    // The nearest one itself always counts, fully.
    let shift = |rng: &mut Rng| ((rng.unit() - 0.5) * SHIFT) as f32 * width;
    [sum[0] / weights + shift(rng), sum[1] / weights + shift(rng)]
}

/// The larger side of the box around all points.
fn width(at: &[[f32; 2]]) -> f32 {
    let side = |axis: usize| {
        let values = at.iter().map(|p| p[axis]);
        let (low, high) = values.fold((f32::MAX, f32::MIN), |(l, h), v| (l.min(v), h.max(v)));
        (high - low).max(0.0)
    };
    side(0).max(side(1))
}

/// Scales to 0..=1 with both sides alike, by where nearly all are: a few that lie far out do not make the others small.
fn frame(all: &mut [[f32; 2]]) {
    if all.is_empty() {
        return;
    }
    let cut = all.len() * OUTSIDE / 1_000;
    let bounds = |axis: usize| {
        let mut values: Vec<f32> = all.iter().map(|p| p[axis]).collect();
        values.sort_unstable_by(f32::total_cmp);
        (values[cut], values[values.len() - 1 - cut])
    };
    let (x, y) = (bounds(0), bounds(1));
    let side = (x.1 - x.0).max(y.1 - y.0) * (1.0 + 2.0 * MARGIN);
    let middle = [x.0.midpoint(x.1), y.0.midpoint(y.1)];
    for p in all {
        for (v, m) in p.iter_mut().zip(middle) {
            *v = if side > 1e-6 {
                ((*v - m) / side + 0.5).clamp(0.0, 1.0)
            } else {
                0.5
            };
        }
    }
}

#[cfg(test)]
mod tests;
