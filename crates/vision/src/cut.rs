//! An object cut out of its surroundings, from a box or from strokes: Boykov and Jolly, "Interactive graph cuts" (2001),
//! with the colours learnt as in Rother, Kolmogorov and Blake, "GrabCut" (2004). Cut once on a coarse grid, then again at
//! full detail along the border that came out. Where a model says how likely each sample is the object, its word stands in
//! for the colours.

use crate::colors::Colors;
use crate::flow::Flow;
use crate::grid::Grid;
use crate::picture::{Lab, Picture, squared};
use crate::region;

/// Nodes of the coarse grid, at most.
const NODES: usize = 8_000;
/// How often colours and cut are found anew from each other.
const ROUNDS: usize = 3;
/// Whole units of an energy of 1.
const UNIT: f64 = 64.0;
/// What a difference of sides costs between samples of one colour; less where a model has looked at what lies around each already.
const SMOOTH: f64 = 12.0;
const SMOOTH_ODDS: f64 = 3.0;
/// More than everything else at one sample.
const HARD: i32 = 1 << 24;
/// Colours a mixture is fitted to, at most.
const COLORS: usize = 4_000;

/// What is known of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    Object,
    Ground,
    /// To be found; begins as object.
    Maybe,
    /// To be found; begins as ground.
    Doubt,
}

/// Columns `left..right` and rows `top..bottom`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub left: usize,
    pub top: usize,
    pub right: usize,
    pub bottom: usize,
}

/// Strokes by their samples.
#[derive(Debug, Clone, Default)]
pub struct Strokes {
    pub object: Vec<usize>,
    pub ground: Vec<usize>,
}

/// The object as a bitmap over the picture. With a box nothing outside it is the object; without, the strokes alone tell.
/// Every stroke is honoured.
pub fn cut(p: &Picture, frame: Option<Window>, strokes: &Strokes) -> Vec<u8> {
    let mut bits = vec![0_u8; p.grid.len()];
    if frame.is_none() && strokes.object.is_empty() {
        return bits;
    }
    let inside = frame.unwrap_or(Window {
        left: 0,
        top: 0,
        right: p.grid.width,
        bottom: p.grid.height,
    });
    // Around the box as much again as shows what the ground looks like.
    let margin = ((inside.right - inside.left).max(inside.bottom - inside.top) / 6).max(6);
    let area = Window {
        left: inside.left.saturating_sub(margin),
        top: inside.top.saturating_sub(margin),
        right: (inside.right + margin).min(p.grid.width),
        bottom: (inside.bottom + margin).min(p.grid.height),
    };
    let Some(full) = p.cropped(area) else {
        return bits;
    };
    let grid = full.grid;
    let mut known = vec![
        if frame.is_some() {
            Known::Maybe
        } else {
            Known::Doubt
        };
        grid.len()
    ];
    for (i, k) in known.iter_mut().enumerate() {
        let (x, y) = grid.xy(i);
        let (x, y) = (x + area.left, y + area.top);
        if x < inside.left || x >= inside.right || y < inside.top || y >= inside.bottom {
            *k = Known::Ground;
        }
    }
    let local = |i: usize| {
        let (x, y) = p.grid.xy(i);
        let there = x >= area.left && x < area.right && y >= area.top && y < area.bottom;
        there.then(|| grid.at(x - area.left, y - area.top))
    };
    for (list, what) in [(&strokes.object, Known::Object), (&strokes.ground, Known::Ground)] {
        for i in list.iter().filter_map(|i| local(*i)) {
            known[i] = what;
        }
    }
    let found = segment(&full, &known);
    for (i, bit) in found.into_iter().enumerate() {
        let (x, y) = grid.xy(i);
        bits[p.grid.at(x + area.left, y + area.top)] = bit;
    }
    bits
}

/// The object as a bitmap, where somebody else says how likely each sample is it, as the logarithm of the odds: its borders go to where
/// the picture has some. Nothing of it for odds of another number than there are samples.
pub fn by_odds(p: &Picture, odds: &[f32]) -> Vec<u8> {
    if odds.len() != p.grid.len() {
        return vec![0; p.grid.len()];
    }
    let step = step(p.grid);
    let known = vec![Known::Maybe; p.grid.len()];
    let (small, _) = shrunk(p, &known, step);
    let coarse = means(odds, p.grid, small.grid, step);
    let contrast = Contrast::of(&small, SMOOTH_ODDS);
    let mut bits = divide(&small, None, contrast, |i| sides(f64::from(coarse[i])));
    if step > 1 {
        bits = grown(p.grid, small.grid, step, &bits, &known);
        let band = near_border(p.grid, &bits, step);
        let contrast = Contrast::of(p, SMOOTH_ODDS);
        bits = divide(p, Some((&bits, &band)), contrast, |i| sides(f64::from(odds[i])));
    }
    region::without_small(p.grid, &mut bits, p.grid.len() / 400 + 2);
    bits
}

/// Samples a side of those that are one node of the coarse grid.
fn step(grid: Grid) -> usize {
    ((grid.len() as f64 / NODES as f64).sqrt().ceil() as usize).max(1)
}

/// Means of blocks of `step` x `step` numbers.
fn means(of: &[f32], grid: Grid, small: Grid, step: usize) -> Vec<f32> {
    let mut sums = vec![(0.0_f32, 0.0_f32); small.len()];
    for (i, v) in of.iter().enumerate() {
        let (x, y) = grid.xy(i);
        let sum = &mut sums[small.at(x / step, y / step)];
        *sum = (sum.0 + v, sum.1 + 1.0);
    }
    sums.into_iter().map(|(sum, n)| sum / n.max(1.0)).collect()
}

fn segment(p: &Picture, known: &[Known]) -> Vec<u8> {
    let step = step(p.grid);
    let (small, coarse) = shrunk(p, known, step);
    let mut bits: Vec<u8> = coarse
        .iter()
        .map(|k| u8::from(matches!(k, Known::Object | Known::Maybe)))
        .collect();
    let contrast = Contrast::of(&small, SMOOTH);
    let mut models = None;
    for _ in 0..ROUNDS {
        let of = |what: u8| {
            let all: Vec<Lab> = (0..bits.len())
                .filter(|i| bits[*i] == what)
                .map(|i| small.lab[i])
                .collect();
            let every = all.len().div_ceil(COLORS).max(1);
            Colors::of(&all.into_iter().step_by(every).collect::<Vec<_>>())
        };
        let (Some(object), Some(ground)) = (of(1), of(0)) else {
            break;
        };
        let next = divide(&small, None, contrast, |i| {
            terminals(coarse[i], small.lab[i], &object, &ground)
        });
        models = Some((object, ground));
        let same = next == bits;
        bits = next;
        if same {
            break;
        }
    }
    // Specks of the coarse grid are noise; but not where a stroke says so.
    region::without_small(small.grid, &mut bits, small.grid.len() / 400 + 2);
    force(&coarse, &mut bits);
    let Some((object, ground)) = models else {
        return grown(p.grid, small.grid, step, &bits, known);
    };
    let mut fine = grown(p.grid, small.grid, step, &bits, known);
    if step > 1 {
        let band = near_border(p.grid, &fine, step);
        let contrast = Contrast::of(p, SMOOTH);
        fine = divide(p, Some((&fine, &band)), contrast, |i| {
            terminals(known[i], p.lab[i], &object, &ground)
        });
        region::without_small(p.grid, &mut fine, step * step * 2);
        force(known, &mut fine);
    }
    fine
}

fn force(known: &[Known], bits: &mut [u8]) {
    for (bit, k) in bits.iter_mut().zip(known) {
        match k {
            Known::Object => *bit = 1,
            Known::Ground => *bit = 0,
            Known::Maybe | Known::Doubt => {}
        }
    }
}

/// Means of blocks of `step` x `step` samples. A block knows what most of its samples do; a stroke wins.
fn shrunk(p: &Picture, known: &[Known], step: usize) -> (Picture, Vec<Known>) {
    if step == 1 {
        return (p.clone(), known.to_vec());
    }
    let (w, h) = (p.grid.width.div_ceil(step), p.grid.height.div_ceil(step));
    let grid = Grid { width: w, height: h };
    let (mut lab, mut out) = (Vec::with_capacity(w * h), Vec::with_capacity(w * h));
    for y in 0..h {
        for x in 0..w {
            let (mut sum, mut n) = ([0_i32; 3], 0_i32);
            let mut counts = [0_i32; 4];
            for fy in y * step..((y + 1) * step).min(p.grid.height) {
                for fx in x * step..((x + 1) * step).min(p.grid.width) {
                    let i = p.grid.at(fx, fy);
                    for (s, v) in sum.iter_mut().zip(p.lab[i]) {
                        *s += i32::from(v);
                    }
                    n += 1;
                    counts[known[i] as usize] += 1;
                }
            }
            lab.push(sum.map(|s| (s / n.max(1)) as i16));
            out.push(match counts {
                [o, g, ..] if o > 0 && g == 0 => Known::Object,
                [0, g, m, d] if g > m + d => Known::Ground,
                [.., m, d] if m >= d => Known::Maybe,
                _ => Known::Doubt,
            });
        }
    }
    (Picture { grid, lab }, out)
}

/// The coarse bitmap at full detail.
fn grown(grid: Grid, small: Grid, step: usize, bits: &[u8], known: &[Known]) -> Vec<u8> {
    let mut out: Vec<u8> = (0..grid.len())
        .map(|i| {
            let (x, y) = grid.xy(i);
            bits[small.at(x / step, y / step)]
        })
        .collect();
    force(known, &mut out);
    out
}

/// Samples at most `reach` rows or columns from a border.
fn near_border(grid: Grid, bits: &[u8], reach: usize) -> Vec<bool> {
    let mut near = vec![false; bits.len()];
    for i in 0..bits.len() {
        let mut border = false;
        grid.sides(i, |j| border |= bits[j] != bits[i]);
        if border {
            for j in grid.block(i, reach) {
                near[j] = true;
            }
        }
    }
    near
}

/// How much contrast a picture has, the beta of the papers, and what a border costs without any.
#[derive(Debug, Clone, Copy)]
struct Contrast {
    beta: f64,
    smooth: f64,
}

impl Contrast {
    fn of(p: &Picture, smooth: f64) -> Self {
        let (mut sum, mut n) = (0.0, 0_u32);
        for i in (0..p.lab.len()).step_by(3) {
            if (i + 1) % p.grid.width != 0 && i + p.grid.width < p.lab.len() {
                sum += f64::from(squared(p.lab[i], p.lab[i + 1]));
                sum += f64::from(squared(p.lab[i], p.lab[i + p.grid.width]));
                n += 2;
            }
        }
        Self {
            beta: f64::from(n.max(1)) / (2.0 * sum).max(1.0),
            smooth,
        }
    }

    /// What it costs to part two neighbours.
    fn cost(self, a: Lab, b: Lab, slant: bool) -> i32 {
        let far = if slant {
            std::f64::consts::FRAC_1_SQRT_2
        } else {
            1.0
        };
        (self.smooth * UNIT * far * (-self.beta * f64::from(squared(a, b))).exp()) as i32 + 1
    }
}

/// An energy in whole units.
fn energy(c: f64) -> i32 {
    (c.clamp(-50.0, 200.0) * UNIT) as i32
}

/// What holds a sample on the object's side and on the ground's, by what is known of it and its colour.
fn terminals(known: Known, color: Lab, object: &Colors, ground: &Colors) -> [i32; 2] {
    match known {
        Known::Object => [HARD, 0],
        Known::Ground => [0, HARD],
        Known::Maybe | Known::Doubt => {
            let (o, g) = (energy(object.cost(color)), energy(ground.cost(color)));
            // Only the difference counts, and capacities are never negative.
            [(g - o).max(0), (o - g).max(0)]
        }
    }
}

/// The same by the logarithm of the odds that it is the object.
fn sides(odds: f64) -> [i32; 2] {
    let e = energy(odds.clamp(-50.0, 50.0));
    [e.max(0), (-e).max(0)]
}

/// The minimum cut. With a band, only its samples are decided; the others stay as they are and hold their side.
fn divide(
    p: &Picture,
    band: Option<(&[u8], &[bool])>,
    contrast: Contrast,
    holds: impl Fn(usize) -> [i32; 2],
) -> Vec<u8> {
    const OUT: u32 = u32::MAX;
    let mut nodes = vec![OUT; p.grid.len()];
    let mut list = Vec::new();
    for (i, node) in nodes.iter_mut().enumerate() {
        if band.is_none_or(|(_, near)| near[i]) {
            *node = list.len() as u32;
            list.push(i);
        }
    }
    let mut flow = Flow::new(list.len(), list.len() * 4);
    let w = p.grid.width;
    let mut ends = vec![[0_i32; 2]; list.len()];
    for (n, i) in list.iter().copied().enumerate() {
        let [source, sink] = holds(i);
        ends[n][0] += source;
        ends[n][1] += sink;
        let (x, y) = p.grid.xy(i);
        let mut beside = |j: usize, slant: bool| {
            let cost = contrast.cost(p.lab[i], p.lab[j], slant);
            match (nodes[j], band) {
                (OUT, Some((bits, _))) => ends[n][usize::from(bits[j] == 0)] += cost,
                (OUT, None) => {}
                (other, _) if j > i => flow.join(n, other as usize, cost, cost),
                _ => {}
            }
        };
        let (left, right, up, down) = (x > 0, x + 1 < w, y > 0, y + 1 < p.grid.height);
        for (there, j, slant) in [
            (right, i + 1, false),
            (down, i + w, false),
            (right && down, i + w + 1, true),
            (left && down, (i + w).wrapping_sub(1), true),
            (left, i.wrapping_sub(1), false),
            (up, i.wrapping_sub(w), false),
            (left && up, i.wrapping_sub(w + 1), true),
            (right && up, (i + 1).wrapping_sub(w), true),
        ] {
            if there {
                beside(j, slant);
            }
        }
    }
    for (n, [source, sink]) in ends.into_iter().enumerate() {
        flow.terminals(n, source, sink);
    }
    flow.run();
    let mut out = band.map_or_else(|| vec![0; p.grid.len()], |(bits, _)| bits.to_vec());
    for (n, i) in list.into_iter().enumerate() {
        out[i] = u8::from(flow.is_source(n));
    }
    out
}
