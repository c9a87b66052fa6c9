//! The magic wand: regions of a like colour, for every tolerance at once.

use crate::grid::Grid;
use crate::picture::{Picture, STEPS, squared};

/// Levels of a unit of colour distance.
const LEVELS: f64 = 2.0;
/// No region reaches there.
const NEVER: u8 = 255;
/// Clicks remembered.
const KEEP: usize = 24;

/// For each sample the least level (half units of colour distance) at which a region grown from the click holds it: the
/// smallest, over all ways to it, of the largest distance on the way. One flood gives the regions of all tolerances.
fn flood(p: &Picture, from: usize, everywhere: bool) -> Vec<u8> {
    let seed = p.around(from);
    let level = levels();
    let of = |i: usize| level[(squared(p.lab[i], seed) >> SHIFT).min(level.len() as i32 - 1) as usize];
    if everywhere {
        return (0..p.lab.len()).map(of).collect();
    }
    let mut out = vec![NEVER; p.lab.len()];
    // Like Dijkstra with one bucket a level. What is reached first is reached best, as levels only go up.
    let mut seen = vec![false; p.lab.len()];
    let mut buckets: Vec<Vec<u32>> = vec![Vec::new(); 256];
    // The clicked pixel itself is always in.
    seen[from] = true;
    buckets[0].push(from as u32);
    for now in 0..usize::from(NEVER) {
        while let Some(i) = buckets[now].pop() {
            out[i as usize] = now as u8;
            p.grid.sides(i as usize, |j| {
                if !seen[j] {
                    seen[j] = true;
                    let to = usize::from(of(j)).max(now);
                    buckets[to].push(j as u32);
                }
            });
        }
    }
    out
}

/// Squared distances are looked up in steps of 2^SHIFT.
const SHIFT: u32 = 4;

/// Level of a squared distance; [`NEVER`] for the largest.
fn levels() -> Vec<u8> {
    let most = f64::from(NEVER) / LEVELS * STEPS;
    let n = (most * most) as usize >> SHIFT;
    (0..=n)
        .map(|i| {
            let d = ((i << SHIFT) as f64).sqrt() / STEPS;
            (d * LEVELS).ceil().min(f64::from(NEVER)) as u8
        })
        .collect()
}

/// The floods of the clicks under way, so that another tolerance is only another threshold.
#[derive(Debug, Default)]
pub struct Wand {
    floods: Vec<((usize, bool), Vec<u8>)>,
}

impl Wand {
    fn flood(&mut self, p: &Picture, from: usize, everywhere: bool) -> usize {
        let key = (from, everywhere);
        if let Some(at) = self.floods.iter().position(|f| f.0 == key) {
            return at;
        }
        self.floods.push((key, flood(p, from, everywhere)));
        self.floods.len() - 1
    }

    /// What is within the tolerance (a CIELAB distance) of a positive click and not closer to a negative one. A bitmap.
    pub fn region(
        &mut self,
        p: &Picture,
        include: &[usize],
        exclude: &[usize],
        tolerance: f64,
        everywhere: bool,
    ) -> Vec<u8> {
        if self.floods.len() > KEEP {
            self.floods.clear();
        }
        let most = (tolerance.max(0.0) * LEVELS).min(f64::from(NEVER - 1)) as u8;
        let mut least = vec![NEVER; p.grid.len()];
        for seed in include {
            let at = self.flood(p, *seed, everywhere);
            for (l, v) in least.iter_mut().zip(&self.floods[at].1) {
                *l = (*l).min(*v);
            }
        }
        let mut bits: Vec<u8> = least.iter().map(|l| u8::from(*l <= most)).collect();
        for seed in exclude {
            let at = self.flood(p, *seed, everywhere);
            for ((bit, l), v) in bits.iter_mut().zip(&least).zip(&self.floods[at].1) {
                *bit &= u8::from(v > l);
            }
        }
        bits
    }
}

/// The samples of a bitmap, connected by their sides to one of `from`.
pub fn connected(grid: Grid, bits: &[u8], from: &[usize]) -> Vec<u8> {
    let mut out = vec![0; bits.len()];
    let mut stack: Vec<usize> = from.iter().copied().filter(|i| bits[*i] == 1).collect();
    for i in &stack {
        out[*i] = 1;
    }
    while let Some(i) = stack.pop() {
        grid.sides(i, |j| {
            if bits[j] == 1 && out[j] == 0 {
                out[j] = 1;
                stack.push(j);
            }
        });
    }
    out
}
