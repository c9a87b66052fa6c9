//! From what is said of cells to boxes.

use super::{CELL, REACH, REACH_LOG, Said};
use crate::nets::plan::Design;
use crate::processor::numbers;
use limn_services::training::port::{EngineError, NetBox, Prediction};
use std::collections::VecDeque;

/// Less likely ones are not mentioned.
const SCORE_MIN: f32 = 0.01;
/// Boxes that are looked at, and that are said, of a picture.
const LOOKED_AT: usize = 300;
const SAID_MAX: usize = 100;
/// Of two boxes of a category that share more than this, the surer one stands.
const SAME: f32 = 0.5;
/// Boxes of other categories over a surer one become less likely by a Gaussian of this width in what they share
/// (soft suppression, Bodla et al. 2017): one thing rarely is two, but a cell may lie over another one.
const OTHER: f32 = 0.5;

pub(super) fn boxes(said: Said, design: &Design) -> Result<Vec<Prediction>, EngineError> {
    let [n, categories, down, across] = said.centres.dims();
    let read = |t: burn::tensor::Tensor<4>| {
        numbers(t).map_err(|why| EngineError::Broken(format!("A network's answer cannot be read: {why}")))
    };
    let (centres, ways) = (read(said.centres)?, read(said.ways)?);
    let cells = across * down;
    Ok((0..n)
        .map(|i| {
            let centres = &centres[i * categories * cells..][..categories * cells];
            let ways = &ways[i * 4 * cells..][..4 * cells];
            let mut found: Vec<(NetBox, f32)> = peaks(centres, categories, across, down)
                .into_iter()
                .filter_map(|(category, at, score)| {
                    Some((place(category, at, ways, across, cells, design)?, score))
                })
                .collect();
            found.sort_by(|a, b| b.1.total_cmp(&a.1));
            found.truncate(LOOKED_AT);
            Prediction::Boxes(apart(found))
        })
        .collect())
}

/// Cells that are likelier than the eight around them: category, cell, probability.
fn peaks(centres: &[f32], categories: usize, across: usize, down: usize) -> Vec<(usize, usize, f32)> {
    let least = (SCORE_MIN / (1.0 - SCORE_MIN)).ln();
    let mut out = Vec::new();
    for c in 0..categories {
        let map = &centres[c * across * down..][..across * down];
        for j in 0..down {
            for i in 0..across {
                let v = map[j * across + i];
                if v.is_nan() || v < least {
                    continue;
                }
                let around = (j.saturating_sub(1)..=(j + 1).min(down - 1)).flat_map(|y| {
                    (i.saturating_sub(1)..=(i + 1).min(across - 1)).map(move |x| y * across + x)
                });
                if around.into_iter().all(|k| map[k] <= v) {
                    out.push((c, j * across + i, 1.0 / (1.0 + (-v).exp())));
                }
            }
        }
    }
    out
}

fn place(
    category: usize,
    at: usize,
    ways: &[f32],
    across: usize,
    cells: usize,
    design: &Design,
) -> Option<NetBox> {
    let way = |k: usize| ways[k * cells + at].clamp(REACH_LOG.0, REACH_LOG.1).exp() * REACH;
    let (w, h) = (design.width as f32, design.height as f32);
    let centre = |i: usize| (i as f32 + 0.5) * CELL as f32;
    let (x, y) = (centre(at % across), centre(at / across));
    crate::nets::data::sound(&NetBox {
        category,
        x: (x - way(0)).max(0.0) / w,
        y: (y - way(1)).max(0.0) / h,
        width: ((x + way(2)).min(w) - (x - way(0)).max(0.0)) / w,
        height: ((y + way(3)).min(h) - (y - way(1)).max(0.0)) / h,
    })
}

/// Intersection over union; scaling an axis does not change it.
pub(crate) fn share(a: &NetBox, b: &NetBox) -> f32 {
    let w = (a.x + a.width).min(b.x + b.width) - a.x.max(b.x);
    let h = (a.y + a.height).min(b.y + b.height) - a.y.max(b.y);
    if w <= 0.0 || h <= 0.0 {
        return 0.0;
    }
    let both = w * h;
    both / (a.width * a.height + b.width * b.height - both)
}

/// What several looks at a picture say together, each with what it found (after weighted boxes fusion, Solovyev et al. 2021): boxes of a category
/// that share more than a half, one of each look, become one. It lies where they do in the mean, the surer ones counting for more, and is as
/// likely as they are in the mean; a look that did not see it was not sure at all.
pub(super) fn agreed(looks: &[&[(NetBox, f32)]]) -> Vec<(NetBox, f32)> {
    let mut left: Vec<(usize, &(NetBox, f32))> = looks
        .iter()
        .enumerate()
        .flat_map(|(look, found)| found.iter().map(move |one| (look, one)))
        .collect();
    left.sort_by(|(_, a), (_, b)| b.1.total_cmp(&a.1));
    let mut left = VecDeque::from(left);
    let mut out = Vec::new();
    while let Some((own, surest)) = left.pop_front() {
        let mut sum = Sum::default();
        sum.add(surest);
        for look in (0..looks.len()).filter(|look| *look != own) {
            let alike = left
                .iter()
                .enumerate()
                .filter(|(_, (of, (b, _)))| *of == look && b.category == surest.0.category)
                .map(|(at, (_, (b, _)))| (at, share(b, &surest.0)))
                .filter(|(_, shared)| *shared > SAME)
                .max_by(|a, b| a.1.total_cmp(&b.1));
            if let Some((_, one)) = alike.and_then(|(at, _)| left.remove(at)) {
                sum.add(one);
            }
        }
        out.push(sum.mean(surest.0.category, looks.len()));
    }
    apart(out)
}

/// Boxes weighed by how sure they are.
#[derive(Default)]
struct Sum {
    sides: [f32; 4],
    weight: f32,
}

impl Sum {
    fn add(&mut self, (b, sure): &(NetBox, f32)) {
        for (sum, v) in self.sides.iter_mut().zip([b.x, b.y, b.width, b.height]) {
            *sum += v * sure;
        }
        self.weight += sure;
    }

    fn mean(&self, category: usize, looks: usize) -> (NetBox, f32) {
        let [x, y, width, height] = self.sides.map(|v| v / self.weight.max(f32::MIN_POSITIVE));
        let b = NetBox {
            category,
            x,
            y,
            width,
            height,
        };
        (b, self.weight / looks.max(1) as f32)
    }
}

/// Of boxes over each other, what is likely; the surest first.
fn apart(mut found: Vec<(NetBox, f32)>) -> Vec<(NetBox, f32)> {
    let mut kept: Vec<(NetBox, f32)> = Vec::new();
    while kept.len() < SAID_MAX {
        let surest = (0..found.len()).max_by(|a, b| found[*a].1.total_cmp(&found[*b].1));
        let Some(one) = surest.map(|at| found.swap_remove(at)) else {
            break;
        };
        found.retain_mut(|(b, score)| {
            let shared = share(&one.0, b);
            if b.category == one.0.category {
                return shared <= SAME;
            }
            *score *= (-shared * shared / OTHER).exp();
            *score >= SCORE_MIN
        });
        kept.push(one);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn b(category: usize, x: f32) -> NetBox {
        NetBox {
            category,
            x,
            y: 0.2,
            width: 0.2,
            height: 0.2,
        }
    }

    #[test]
    fn what_several_looks_see_is_surer_and_lies_between() {
        let looks = [
            vec![(b(0, 0.30), 0.9), (b(1, 0.85), 0.4)],
            vec![(b(0, 0.34), 0.3), (b(0, 0.60), 0.6)],
            vec![(b(0, 0.30), 0.6), (b(1, 0.31), 0.3)],
        ];
        let looks: Vec<&[(NetBox, f32)]> = looks.iter().map(Vec::as_slice).collect();
        let said = agreed(&looks);
        let near = |n: usize, category: usize, x: f32, sure: f32| {
            let (b, s) = &said[n];
            assert_eq!(b.category, category, "{said:?}");
            assert!((b.x - x).abs() < 1e-5 && (s - sure).abs() < 1e-5, "{said:?}");
        };
        near(0, 0, 0.30 + 0.3 / 1.8 * 0.04, 0.6);
        near(1, 0, 0.60, 0.2);
        near(2, 1, 0.85, 0.4 / 3.0);
        assert_eq!(
            said.len(),
            4,
            "one of another category over it is less likely, and is said"
        );
        assert!(said[3].1 < 0.1);
        assert!(agreed(&[]).is_empty());
    }

    #[test]
    fn a_thing_is_said_once_and_rarely_to_be_two() {
        let said = apart(vec![
            (b(0, 0.31), 0.6),
            (b(1, 0.3), 0.8),
            (b(0, 0.3), 0.9),
            (b(1, 0.7), 0.7),
            (b(2, 0.3), 0.02),
        ]);
        let order: Vec<(usize, f32)> = said.iter().map(|(b, _)| (b.category, b.x)).collect();
        assert_eq!(order, [(0, 0.3), (1, 0.7), (1, 0.3)]);
        assert_eq!((said[0].1, said[1].1), (0.9, 0.7));
        assert!((said[2].1 - 0.8 * (-2.0_f32).exp()).abs() < 1e-5, "{}", said[2].1);
    }
}
