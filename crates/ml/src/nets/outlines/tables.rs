//! Where in a box objects are, and what colours they have: counted over what people outlined, by category. What a category has little of is taken from
//! all together.

use super::view::View;
use limn_vision::Lab;

/// Places across and down a box and a little beyond it.
pub(super) const GRID: usize = 16;
const CELLS: usize = GRID * GRID;
/// How far the places reach, where 1 is the side of the box.
const REACH: f32 = 1.4;
/// Steps of lightness and of the two colours, how many sixteenths of CIELAB each is, and where the first begins.
const LEVELS: [usize; 3] = [8, 12, 12];
const STEP: [i32; 3] = [200, 192, 192];
const FROM: [i32; 3] = [0, -1_152, -1_152];
pub(super) const BINS: usize = LEVELS[0] * LEVELS[1] * LEVELS[2];
/// What all categories together say counts as much as so many objects.
const HELD: f32 = 4.0;
/// No count says more than this, as the logarithm of the odds.
const MOST: f32 = 4.0;

/// The place of the grid at which something lies, not a whole number.
fn along(v: f32) -> f32 {
    (f32::midpoint(v / REACH, 1.0) * GRID as f32 - 0.5).clamp(0.0, (GRID - 1) as f32)
}

fn cell([x, y]: [f32; 2]) -> usize {
    along(y).round() as usize * GRID + along(x).round() as usize
}

fn bin(c: Lab) -> usize {
    let level = |k: usize| {
        let n = (i32::from(c[k]) - FROM[k]) / STEP[k];
        n.clamp(0, LEVELS[k] as i32 - 1) as usize
    };
    (level(0) * LEVELS[1] + level(1)) * LEVELS[2] + level(2)
}

/// How often something is seen on the ground, and on objects. Every object counts the same, however large.
pub(super) struct Counts {
    cells: Vec<[f32; 2]>,
    bins: Vec<[f32; 2]>,
}

impl Counts {
    pub fn new() -> Self {
        Self {
            cells: vec![[0.0; 2]; CELLS],
            bins: vec![[0.0; 2]; BINS],
        }
    }

    pub fn add(&mut self, view: &View, truth: &[bool]) {
        let share = CELLS as f32 / truth.len().max(1) as f32;
        for (n, is) in truth.iter().enumerate() {
            let is = usize::from(*is);
            self.cells[cell(view.place(n))][is] += share;
            self.bins[bin(view.lab[n])][is] += share;
        }
    }

    pub fn plus(&mut self, other: &Self) {
        let all = self.cells.iter_mut().chain(&mut self.bins);
        for (to, from) in all.zip(other.cells.iter().chain(&other.bins)) {
            *to = [to[0] + from[0], to[1] + from[1]];
        }
    }

    /// The shares of the colours on the ground and on objects, each a little like its neighbours; where there are few, as they are in `all`.
    fn shares(&self, all: &[[f32; 2]]) -> Vec<[f32; 2]> {
        let sum = self
            .bins
            .iter()
            .fold([0.0_f32; 2], |s, v| [s[0] + v[0], s[1] + v[1]]);
        let held = HELD * CELLS as f32;
        let own = calmed(&self.bins);
        own.iter()
            .zip(all)
            .map(|(own, all)| [0, 1].map(|k| (own[k] + held * all[k]) / (sum[k] + held)))
            .collect()
    }
}

/// Every colour a quarter of each neighbour, of lightness and of either colour.
fn calmed(bins: &[[f32; 2]]) -> Vec<[f32; 2]> {
    let mut out = bins.to_vec();
    let mut stride = 1;
    for levels in LEVELS.into_iter().rev() {
        let before = out.clone();
        for (i, to) in out.iter_mut().enumerate() {
            let level = i / stride % levels;
            let low = if level == 0 { i } else { i - stride };
            let high = if level + 1 == levels { i } else { i + stride };
            *to = [0, 1].map(|k| 0.5 * before[i][k] + 0.25 * (before[low][k] + before[high][k]));
        }
        stride *= levels;
    }
    out
}

/// What counts say, as logarithms of odds: of every category, then of all together.
pub(super) struct Tables {
    pub shapes: Vec<f32>,
    pub colors: Vec<f32>,
}

/// Of one category.
#[derive(Clone, Copy)]
pub(super) struct Table<'a> {
    shape: &'a [f32],
    color: &'a [f32],
}

fn odds(object: f32, ground: f32) -> f32 {
    (object / ground).ln().clamp(-MOST, MOST)
}

impl Tables {
    /// From the counts of each category.
    pub fn of(counts: &[Counts]) -> Self {
        let mut all = Counts::new();
        for c in counts {
            all.plus(c);
        }
        let likely: Vec<f32> = all
            .cells
            .iter()
            .map(|[ground, object]| (object + 0.5) / (ground + object + 1.0))
            .collect();
        let even = vec![[1.0 / BINS as f32; 2]; BINS];
        let shares = all.shares(&even);
        let (mut shapes, mut colors) = (Vec::new(), Vec::new());
        for c in counts.iter().chain([&all]) {
            let cells = c.cells.iter().zip(&likely);
            shapes.extend(
                cells.map(|([ground, object], p)| odds(object + HELD * p, ground + HELD * (1.0 - p))),
            );
            colors.extend(
                c.shares(&shares)
                    .iter()
                    .map(|[ground, object]| odds(*object, *ground)),
            );
        }
        Self { shapes, colors }
    }

    pub fn rows(&self) -> usize {
        self.colors.len() / BINS
    }

    pub fn of_category(&self, category: usize) -> Table<'_> {
        let row = category.min(self.rows() - 1);
        Table {
            shape: &self.shapes[row * CELLS..][..CELLS],
            color: &self.colors[row * BINS..][..BINS],
        }
    }
}

impl Table<'_> {
    /// How likely an object is at a place of its box.
    pub fn shape(&self, [x, y]: [f32; 2]) -> f32 {
        let (x, y) = (along(x), along(y));
        let (left, top) = (x as usize, y as usize);
        let (right, bottom) = ((left + 1).min(GRID - 1), (top + 1).min(GRID - 1));
        let (across, down) = (x - left as f32, y - top as f32);
        let row =
            |y: usize| self.shape[y * GRID + left] * (1.0 - across) + self.shape[y * GRID + right] * across;
        row(top) * (1.0 - down) + row(bottom) * down
    }

    /// How much more a colour is one of objects than of what surrounds them.
    pub fn color(&self, c: Lab) -> f32 {
        self.color[bin(c)]
    }
}
