//! Intelligent scissors: the cheapest way along edges, after Mortensen and Barrett, "Interactive segmentation with
//! intelligent scissors" (1998): zero crossings 0.43, direction 0.43, gradient 0.14.

use crate::edges::{Edges, TURNS};
use crate::grid::Grid;
use std::cell::Cell;

/// Samples that one search settles at most; what lies further is reached in a straight line.
const SETTLED_MAX: usize = 700_000;
/// Searches remembered: the one in hand and its neighbours.
const KEEP: usize = 3;
/// Costs of a step of one sample, at most.
const SCALE: f32 = 100.0;
/// More than the dearest step, diagonal.
const BUCKETS: usize = 256;
const NONE: u8 = 255;
/// Column, row of the eight neighbours; each one's opposite is four on.
const AROUND: [(isize, isize); 8] = [
    (1, 0),
    (1, 1),
    (0, 1),
    (-1, 1),
    (-1, 0),
    (-1, -1),
    (0, -1),
    (1, -1),
];

/// What is not known yet of a sample.
const UNKNOWN: u16 = u16::MAX;
/// The direction of a sample without one.
const ANY: u8 = TURNS;

/// By the directions of both ends.
type Bend = [[f32; TURNS as usize + 1]; TURNS as usize + 1];

/// Costs of steps over a picture.
#[derive(Debug)]
pub struct Costs {
    grid: Grid,
    edges: Edges,
    /// What a sample costs of itself, by strength, without a crossing and with one.
    table: [[u8; 256]; 2],
    /// Of each sample once it was asked about: its own cost, and its direction above.
    known: Vec<Cell<u16>>,
    /// What a step costs for its direction and length: by the four headings, then by the directions of the samples at its ends.
    bend: Box<[Bend]>,
}

impl Costs {
    pub fn new(grid: Grid, edges: Edges) -> Self {
        let table = [0.43, 0.0].map(|zero| {
            let mut of = [0_u8; 256];
            for (strength, cost) in of.iter_mut().enumerate() {
                let weak = 0.14 * (1.0 - strength as f32 / 255.0);
                *cost = ((zero + weak) * SCALE) as u8;
            }
            of
        });
        // acos(|cos|) over half a turn, so 0 where the step runs along the edge and 1 where it crosses. Without an edge no
        // direction is better than another.
        let off = |heading: usize, across: usize| {
            if across == usize::from(ANY) {
                return 1.0;
            }
            let turned = (TURNS + heading as u8 * (TURNS / 4) - across as u8) % TURNS;
            f32::from(turned.abs_diff(TURNS / 2)) / f32::from(TURNS / 2)
        };
        let mut bend = vec![[[0.0; TURNS as usize + 1]; TURNS as usize + 1]; 4].into_boxed_slice();
        for (heading, of) in bend.iter_mut().enumerate() {
            for (before, of) in of.iter_mut().enumerate() {
                for (after, cost) in of.iter_mut().enumerate() {
                    // The paper's 2/3 and 1/3 of the angles at both ends.
                    let angles = off(heading, before) * 2.0 + off(heading, after);
                    *cost = 0.43 * SCALE * angles / 3.0 + 1.0;
                }
            }
        }
        let known = vec![Cell::new(UNKNOWN); grid.len()];
        Self {
            grid,
            edges,
            table,
            known,
            bend,
        }
    }

    /// A sample's own cost and its direction, [`ANY`] without one.
    #[inline]
    fn of(&self, i: usize) -> (u8, u8) {
        let mut known = self.known[i].get();
        if known == UNKNOWN {
            let of = &self.table[usize::from(self.edges.crossing(i))];
            let own = of[usize::from(self.edges.strength[i])];
            known = u16::from_le_bytes([own, self.edges.across(i).unwrap_or(ANY)]);
            self.known[i].set(known);
        }
        let [own, across] = known.to_le_bytes();
        (own, across)
    }

    /// Cost of a step from a sample of direction `before` to a neighbour, direction `d` of [`AROUND`].
    #[inline]
    fn step(&self, before: u8, to: usize, d: usize) -> u32 {
        let (own, after) = self.of(to);
        let bend = &self.bend[d % 4][usize::from(before.min(ANY))];
        let cost = f32::from(own) + bend[usize::from(after.min(ANY))];
        (if d % 2 == 1 {
            cost * std::f32::consts::SQRT_2
        } else {
            cost
        }) as u32
    }

    /// Cost of a way of neighbours.
    pub fn along(&self, way: &[usize]) -> Option<u32> {
        let mut sum = 0;
        for pair in way.windows(2) {
            let d = (0..8).find(|d| self.beside(pair[0], *d) == Some(pair[1]))?;
            sum += self.step(self.of(pair[0]).1, pair[1], d);
        }
        Some(sum)
    }

    #[inline]
    fn beside(&self, i: usize, d: usize) -> Option<usize> {
        let (x, y) = self.grid.xy(i);
        let (dx, dy) = *AROUND.get(d)?;
        let (x, y) = (x.checked_add_signed(dx)?, y.checked_add_signed(dy)?);
        (x < self.grid.width && y < self.grid.height).then(|| self.grid.at(x, y))
    }

    /// The sample of the strongest edge at most `reach` samples from one; itself where there is none.
    pub fn snapped(&self, at: usize, reach: usize) -> usize {
        let (x0, y0) = self.grid.xy(at);
        let value = |i: &usize| {
            let (x, y) = self.grid.xy(*i);
            let far = ((x.abs_diff(x0).pow(2) + y.abs_diff(y0).pow(2)) as f32).sqrt();
            let crossing = if self.edges.crossing(*i) { 24.0 } else { 0.0 };
            // Of two edges that are about as strong the closer one.
            f32::from(self.edges.strength[*i]) + crossing - 40.0 * far / reach.max(1) as f32
        };
        self.grid
            .block(at, reach)
            .filter(|i| self.edges.strength[*i] > 16)
            .max_by(|a, b| value(a).total_cmp(&value(b)))
            .unwrap_or(at)
    }
}

/// One search from a corner, which goes on where it stopped when another place is asked for.
#[derive(Debug)]
struct Search {
    from: usize,
    cost: Vec<u32>,
    /// Which way back, as a direction of [`AROUND`].
    back: Vec<u8>,
    done: Vec<bool>,
    buckets: Vec<Vec<u32>>,
    now: u32,
    waiting: usize,
    settled: usize,
}

impl Search {
    fn new(costs: &Costs, from: usize) -> Self {
        let n = costs.grid.len();
        let mut search = Self {
            from,
            cost: vec![u32::MAX; n],
            back: vec![NONE; n],
            done: vec![false; n],
            buckets: vec![Vec::new(); BUCKETS],
            now: 0,
            waiting: 1,
            settled: 0,
        };
        search.cost[from] = 0;
        search.buckets[0].push(from as u32);
        search
    }

    /// Settles samples in order of cost until `to` is. Says whether it is.
    fn reach(&mut self, costs: &Costs, to: usize) -> bool {
        while !self.done[to] {
            if self.waiting == 0 || self.settled >= SETTLED_MAX {
                return false;
            }
            let slot = self.now as usize % BUCKETS;
            let Some(i) = self.buckets[slot].pop() else {
                self.now += 1;
                continue;
            };
            self.waiting -= 1;
            let i = i as usize;
            if self.done[i] {
                continue;
            }
            self.done[i] = true;
            self.settled += 1;
            let (w, h) = (costs.grid.width as isize, costs.grid.height as isize);
            let (x, y) = costs.grid.xy(i);
            let (x, y) = (x as isize, y as isize);
            let (so_far, before) = (self.cost[i], costs.of(i).1);
            for (d, (dx, dy)) in AROUND.into_iter().enumerate() {
                let (jx, jy) = (x + dx, y + dy);
                if jx < 0 || jy < 0 || jx >= w || jy >= h {
                    continue;
                }
                let j = (jy * w + jx) as usize;
                if self.done[j] {
                    continue;
                }
                let cost = so_far + costs.step(before, j, d);
                if cost < self.cost[j] {
                    self.cost[j] = cost;
                    self.back[j] = ((d + 4) % 8) as u8;
                    self.buckets[cost as usize % BUCKETS].push(j as u32);
                    self.waiting += 1;
                }
            }
        }
        true
    }
}

/// The searches under way over one picture.
#[derive(Debug)]
pub struct Wire {
    costs: Costs,
    searches: Vec<Search>,
}

impl Wire {
    pub const fn new(costs: Costs) -> Self {
        Self {
            costs,
            searches: Vec::new(),
        }
    }

    pub const fn costs(&self) -> &Costs {
        &self.costs
    }

    /// The cheapest way from one place to another, both included; a straight line where that is too far.
    pub fn path(&mut self, from: usize, to: usize) -> Vec<usize> {
        let at = self.searches.iter().position(|s| s.from == from);
        let mut search = match at {
            Some(at) => self.searches.remove(at),
            None => Search::new(&self.costs, from),
        };
        let path = if search.reach(&self.costs, to) {
            let mut path = vec![to];
            let mut i = to;
            while i != from {
                let Some(next) = self.costs.beside(i, usize::from(search.back[i])) else {
                    break;
                };
                i = next;
                path.push(i);
            }
            path.reverse();
            path
        } else {
            self.costs.grid.line(from, to)
        };
        if self.searches.len() >= KEEP {
            self.searches.remove(0);
        }
        self.searches.push(search);
        path
    }
}
