//! Which items come next, and which are alike.

use crate::cluster::kmeans;
use crate::error::{Result, Stop};
use crate::linear::{Matrix, dot};
use crate::rng::Rng;

/// So many times the batch are candidates by margin, of which the batch is chosen to differ.
const CANDIDATES: usize = 8;

/// How little the model is torn: the first probability less the second, or for several classes an item the least distance of
/// any from 1/2. 0 is most torn.
pub fn margin(p: &[f32], multi: bool) -> f32 {
    if multi {
        return p.iter().map(|v| (v - 0.5).abs()).fold(0.5, f32::min);
    }
    let (mut first, mut second) = (0.0_f32, 0.0_f32);
    for v in p {
        if *v > first {
            (first, second) = (*v, first);
        } else if *v > second {
            second = *v;
        }
    }
    first - second
}

/// All rows, those first that a model learns most from: of the most torn `8 * batch`, one from each of `batch` groups; then
/// the others by margin.
pub fn most_useful(
    features: &Matrix,
    probabilities: &[Vec<f32>],
    multi: bool,
    batch: usize,
    seed: u64,
    stop: Stop<'_>,
) -> Result<Vec<usize>> {
    let margins: Vec<f32> = probabilities.iter().map(|p| margin(p, multi)).collect();
    let mut order: Vec<usize> = (0..features.rows).collect();
    order.sort_by(|a, b| margins[*a].total_cmp(&margins[*b]).then(a.cmp(b)));
    let candidates = &order[..order.len().min(batch * CANDIDATES)];
    if batch == 0 || candidates.len() <= batch {
        return Ok(order);
    }
    let rows: Vec<Vec<f32>> = candidates.iter().map(|i| features.row(*i).to_vec()).collect();
    let clusters = kmeans(&Matrix::of(&rows), batch, &mut Rng::new(seed), stop)?;
    let first: Vec<usize> = clusters.typical().into_iter().map(|i| candidates[i]).collect();
    let rest = order.iter().copied().filter(|i| !first.contains(i));
    Ok(first.iter().copied().chain(rest).collect())
}

/// An order in which alike rows lie together, and the group of each row. The most typical of every group come first when
/// `start` is so asked: a good first sample of all there is.
pub fn by_cluster(
    features: &Matrix,
    groups: usize,
    start: bool,
    seed: u64,
    stop: Stop<'_>,
) -> Result<(Vec<usize>, Vec<usize>)> {
    let clusters = kmeans(features, groups, &mut Rng::new(seed), stop)?;
    let typical = clusters.typical();
    // Groups in the order of their typical members: largest first.
    let mut place = vec![usize::MAX; clusters.centres.rows];
    for (at, i) in typical.iter().enumerate() {
        place[clusters.of[*i]] = at;
    }
    let mut order: Vec<usize> = (0..features.rows).collect();
    order.sort_by(|a, b| {
        let key = |i: usize| place[clusters.of[i]];
        key(*a)
            .cmp(&key(*b))
            .then(clusters.distance[*a].total_cmp(&clusters.distance[*b]))
            .then(a.cmp(b))
    });
    if start {
        let rest: Vec<usize> = order.into_iter().filter(|i| !typical.contains(i)).collect();
        order = typical.into_iter().chain(rest).collect();
    }
    let of = clusters.of.iter().map(|c| place[*c]).collect();
    Ok((order, of))
}

/// Cosine of the angle between two descriptions, -1..=1; 0 when either says nothing.
pub fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let length = (dot(a, a) * dot(b, b)).sqrt();
    if length < 1e-20 {
        return 0.0;
    }
    (dot(a, b) / length).clamp(-1.0, 1.0)
}
