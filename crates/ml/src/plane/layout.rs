//! Putting linked things near each other: links pull, and things drawn by chance push.

use super::graph::Link;
use crate::error::{Result, Stop, check};
use crate::linear::{Matrix, dot, symmetric_eigen};
use crate::rng::Rng;

/// How steeply the pull falls: with it two things at the distance 1 belong together by 0.38. UMAP's exponent of the distance, some 0.9
/// at this scale, is 1 here, which takes no powers.
const STEEP: f32 = 1.6;
/// Rounds over all links; few things take more of them.
const ROUNDS: usize = 300;
const ROUNDS_FEW: usize = 600;
const FEW: usize = 2_000;
/// Things that push for each link that pulls.
const PUSHES: usize = 5;
/// A push does not grow beyond all bounds where two things nearly coincide.
const NEARLY: f32 = 1e-3;
/// The longest step along one axis.
const STEP: f32 = 4.0;
/// Half the width at the start, and how far by chance things are apart that are the same.
const WIDE: f32 = 10.0;
const APART: f64 = 0.01;

/// The two directions in which things differ most, as a place to start from.
pub fn start(rows: &Matrix, rng: &mut Rng) -> Vec<[f32; 2]> {
    let (n, width) = (rows.rows, rows.cols);
    let mut centred = rows.clone();
    let mut mean = vec![0.0_f64; width];
    for i in 0..n {
        let row = rows.row(i).iter().zip(&mut mean);
        row.for_each(|(v, m)| *m += f64::from(*v) / n as f64);
    }
    for i in 0..n {
        let row = centred.row_mut(i).iter_mut().zip(&mean);
        row.for_each(|(v, m)| *v -= *m as f32);
    }
    let squares: Vec<f64> = centred
        .transposed_times(&centred)
        .values
        .into_iter()
        .map(f64::from)
        .collect();
    let (_, vectors) = symmetric_eigen(&squares, width);
    let axes: Vec<Vec<f32>> = vectors
        .iter()
        .take(2)
        .map(|v| v.iter().map(|x| *x as f32).collect())
        .collect();
    let mut at = vec![[0.0_f32; 2]; n];
    for (axis, along) in axes.iter().enumerate() {
        for (i, p) in at.iter_mut().enumerate() {
            p[axis] = dot(centred.row(i), along);
        }
    }
    let most = at.iter().flatten().fold(0.0_f32, |m, v| m.max(v.abs()));
    let by = if most > 0.0 { WIDE / most } else { 0.0 };
    for v in at.iter_mut().flatten() {
        *v = *v * by + (rng.normal() * APART) as f32;
    }
    at
}

/// Moves things until linked ones lie together. `tell` hears which share of the rounds is done.
pub fn relax(
    at: &mut [[f32; 2]],
    mut links: Vec<Link>,
    rng: &mut Rng,
    tell: &dyn Fn(f32),
    stop: Stop<'_>,
) -> Result<()> {
    let n = at.len();
    let rounds = if n <= FEW { ROUNDS_FEW } else { ROUNDS };
    let most = links.iter().fold(0.0_f32, |m, l| m.max(l.weight));
    // Those that would never have a turn.
    links.retain(|l| l.weight * rounds as f32 >= most && l.weight > 0.0);
    // The heavier a link the more often it has its turn.
    let every: Vec<f32> = links.iter().map(|l| most / l.weight).collect();
    let mut next = every.clone();
    for round in 1..=rounds {
        check(stop)?;
        tell(round as f32 / rounds as f32);
        let speed = 1.0 - (round - 1) as f32 / rounds as f32;
        for (i, link) in links.iter().enumerate() {
            if next[i] > round as f32 {
                continue;
            }
            next[i] += every[i];
            pull(at, link.a as usize, link.b as usize, speed);
            // Both ends are pushed in turn.
            let end = if (round + i).is_multiple_of(2) {
                link.a
            } else {
                link.b
            };
            let end = end as usize;
            for _ in 0..PUSHES {
                let from = rng.below(n);
                if from != end {
                    push(at, end, from, speed);
                }
            }
        }
    }
    Ok(())
}

fn between(at: &[[f32; 2]], a: usize, b: usize) -> ([f32; 2], f32) {
    let (p, q) = (at[a], at[b]);
    let d = [p[0] - q[0], p[1] - q[1]];
    (d, d[0] * d[0] + d[1] * d[1])
}

fn pull(at: &mut [[f32; 2]], a: usize, b: usize, speed: f32) {
    let (d, square) = between(at, a, b);
    let force = -2.0 * STEEP / (1.0 + STEEP * square);
    for (axis, d) in d.into_iter().enumerate() {
        let step = (force * d).clamp(-STEP, STEP) * speed;
        at[a][axis] += step;
        at[b][axis] -= step;
    }
}

fn push(at: &mut [[f32; 2]], end: usize, from: usize, speed: f32) {
    let (d, square) = between(at, end, from);
    let force = 2.0 / ((NEARLY + square) * (1.0 + STEEP * square));
    for (axis, d) in d.into_iter().enumerate() {
        at[end][axis] += (force * d).clamp(-STEP, STEP) * speed;
    }
}
