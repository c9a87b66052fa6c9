//! Superpixels: SLIC (Achanta et al., "SLIC Superpixels Compared to State-of-the-art Superpixel Methods", 2012). The first
//! rounds look at every second row and column only; the last one assigns every sample. A picture is worked out tile by
//! tile, where somebody looks.

use std::collections::{BTreeMap, BTreeSet};

use crate::grid::Grid;
use crate::picture::{Picture, STEPS, squared};

/// How much nearness counts beside colour: the paper's m.
const COMPACT: f64 = 12.0;
const ROUNDS: usize = 4;
const NONE: u32 = u32::MAX;

/// A picture in superpixels.
#[derive(Debug)]
pub struct Superpixels {
    /// Samples across one, as asked for.
    pub grain: usize,
    /// The superpixel of each sample; every one is connected by its sides.
    pub labels: Vec<u32>,
    pub count: usize,
}

/// Samples across a tile, about.
const TILE: usize = 240;

/// A superpixel of a tile.
pub type Patch = (usize, u32);

/// The superpixels of the tiles that were looked at so far. None reaches across the border of a tile.
#[derive(Debug)]
pub struct Tiles {
    grain: usize,
    side: usize,
    known: BTreeMap<usize, (Grid, Superpixels)>,
}

impl Tiles {
    pub fn new(grain: usize) -> Self {
        Self {
            grain,
            // Whole superpixels fit, and at least a few of them.
            side: (TILE / grain).max(4) * grain,
            known: BTreeMap::new(),
        }
    }

    pub const fn grain(&self) -> usize {
        self.grain
    }

    /// The superpixel of a sample.
    pub fn of(&mut self, p: &Picture, i: usize) -> Patch {
        let (x, y) = p.grid.xy(i);
        let (left, top) = (x - x % self.side, y - y % self.side);
        let first = p.grid.at(left, top);
        let (grid, tile) = self.known.entry(first).or_insert_with(|| {
            let grid = Grid {
                width: self.side.min(p.grid.width - left),
                height: self.side.min(p.grid.height - top),
            };
            let lab = (top..top + grid.height)
                .flat_map(|y| &p.lab[p.grid.at(left, y)..p.grid.at(left, y) + grid.width])
                .copied()
                .collect();
            (grid, Superpixels::of(&Picture { grid, lab }, self.grain))
        });
        (first, tile.labels[grid.at(x - left, y - top)])
    }

    /// Sets the samples of some superpixels.
    pub fn paint(&self, grid: Grid, patches: &BTreeSet<Patch>, bits: &mut [u8]) {
        for (first, (tile, pixels)) in &self.known {
            let mut on = vec![0_u8; pixels.count];
            for (_, label) in patches.range((*first, 0)..=(*first, u32::MAX)) {
                on[*label as usize] = 1;
            }
            if !on.contains(&1) {
                continue;
            }
            for (y, row) in pixels.labels.chunks_exact(tile.width).enumerate() {
                let to = &mut bits[first + y * grid.width..][..tile.width];
                for (bit, label) in to.iter_mut().zip(row) {
                    *bit |= on[*label as usize];
                }
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Centre {
    x: f32,
    y: f32,
    lab: [i16; 3],
}

impl Superpixels {
    pub fn of(p: &Picture, grain: usize) -> Self {
        let grain = grain.max(2);
        let mut centres = start(p, grain);
        let mut labels = vec![NONE; p.grid.len()];
        for round in 0..=ROUNDS {
            let step = if round < ROUNDS { 2 } else { 1 };
            assign(p, &centres, grain, step, &mut labels);
            if round < ROUNDS {
                update(p, &mut centres, step, &labels);
            }
        }
        let (labels, count) = connected(p, &labels, grain * grain / 4);
        Self { grain, labels, count }
    }
}

/// Centres on a lattice.
fn start(p: &Picture, grain: usize) -> Vec<Centre> {
    let along = |n: usize| (n / grain).max(1);
    let (columns, rows) = (along(p.grid.width), along(p.grid.height));
    let mut centres = Vec::with_capacity(columns * rows);
    for r in 0..rows {
        for c in 0..columns {
            let x = (2 * c + 1) * p.grid.width / (2 * columns);
            let y = (2 * r + 1) * p.grid.height / (2 * rows);
            centres.push(Centre {
                x: x as f32,
                y: y as f32,
                lab: p.around(p.grid.at(x, y)),
            });
        }
    }
    centres
}

fn assign(p: &Picture, centres: &[Centre], grain: usize, step: usize, labels: &mut [u32]) {
    let near = COMPACT * STEPS / grain as f64;
    let near = (near * near) as f32;
    let mut best = vec![f32::MAX; labels.len()];
    for (label, c) in centres.iter().enumerate() {
        let (cx, cy) = (c.x as usize, c.y as usize);
        let (right, bottom) = (
            (cx + grain).min(p.grid.width - 1),
            (cy + grain).min(p.grid.height - 1),
        );
        let left = cx.saturating_sub(grain).next_multiple_of(step);
        for y in (cy.saturating_sub(grain).next_multiple_of(step)..=bottom).step_by(step) {
            let dy = y as f32 - c.y;
            for x in (left..=right).step_by(step) {
                let i = p.grid.at(x, y);
                let dx = x as f32 - c.x;
                let d = squared(p.lab[i], c.lab) as f32 + (dx * dx + dy * dy) * near;
                if d < best[i] {
                    best[i] = d;
                    labels[i] = label as u32;
                }
            }
        }
    }
}

/// Moves the centres to the means of their samples.
fn update(p: &Picture, centres: &mut [Centre], step: usize, labels: &[u32]) {
    let mut sums = vec![[0_i64; 6]; centres.len()];
    for y in (0..p.grid.height).step_by(step) {
        for x in (0..p.grid.width).step_by(step) {
            let i = p.grid.at(x, y);
            if let Some(s) = sums.get_mut(labels[i] as usize) {
                let [l, a, b] = p.lab[i].map(i64::from);
                for (s, v) in s.iter_mut().zip([x as i64, y as i64, l, a, b, 1]) {
                    *s += v;
                }
            }
        }
    }
    for (c, [x, y, l, a, b, n]) in centres.iter_mut().zip(sums) {
        if n > 0 {
            let mean = |v: i64| v as f32 / n as f32;
            *c = Centre {
                x: mean(x),
                y: mean(y),
                lab: [l, a, b].map(|v| (v / n) as i16),
            };
        }
    }
}

/// Makes every label connected: each connected piece becomes a label of its own, and one of fewer than `least` samples goes
/// to the neighbour it was found beside.
fn connected(p: &Picture, labels: &[u32], least: usize) -> (Vec<u32>, usize) {
    let mut out = vec![NONE; labels.len()];
    let mut count = 0;
    let mut piece = Vec::new();
    for first in 0..labels.len() {
        if out[first] != NONE {
            continue;
        }
        let mut beside = NONE;
        p.grid.sides(first, |j| {
            if out[j] != NONE {
                beside = out[j];
            }
        });
        piece.clear();
        piece.push(first);
        out[first] = count;
        let mut at = 0;
        while let Some(&i) = piece.get(at) {
            at += 1;
            p.grid.sides(i, |j| {
                if out[j] == NONE && labels[j] == labels[first] {
                    out[j] = count;
                    piece.push(j);
                }
            });
        }
        if piece.len() < least && beside != NONE {
            for i in &piece {
                out[*i] = beside;
            }
        } else {
            count += 1;
        }
    }
    (out, count as usize)
}
