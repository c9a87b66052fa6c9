//! A spatial index of boxes: a loose grid of levels.
//!
//! A box lives in exactly one cell: on the level whose cells are at least as large as the box, in the cell that holds
//! its centre. A query looks, per level, at the cells within half a cell of the window. Insertion and removal are O(1),
//! a query costs what it finds, whatever the mix of sizes.

use limn_domain::Rect;
use std::collections::HashMap;

const FIRST_CELL: f64 = 16.0;
const LEVELS: u8 = 32;

type Cell = (i64, i64);

#[derive(Debug, Clone, Default)]
struct Level {
    cells: HashMap<Cell, Vec<u32>>,
    len: usize,
}

/// Boxes by place. Entries are small integers, named by the caller.
#[derive(Debug, Clone, Default)]
pub struct SpatialIndex {
    levels: Vec<Level>,
}

fn cell_size(level: u8) -> f64 {
    FIRST_CELL * f64::from(2_u32).powi(i32::from(level))
}

fn level_of(rect: Rect) -> u8 {
    let extent = rect.w.max(rect.h);
    let mut level = 0;
    while level < LEVELS - 1 && cell_size(level) < extent {
        level += 1;
    }
    level
}

fn cell_of(rect: Rect, level: u8) -> Cell {
    let size = cell_size(level);
    let c = rect.center();
    ((c.x / size).floor() as i64, (c.y / size).floor() as i64)
}

impl SpatialIndex {
    pub fn insert(&mut self, entry: u32, rect: Rect) {
        let level = level_of(rect);
        if self.levels.len() <= usize::from(level) {
            self.levels.resize_with(usize::from(level) + 1, Level::default);
        }
        let l = &mut self.levels[usize::from(level)];
        l.cells.entry(cell_of(rect, level)).or_default().push(entry);
        l.len += 1;
    }

    /// Takes out an entry; `rect` is the one it was inserted with.
    pub fn remove(&mut self, entry: u32, rect: Rect) {
        let level = level_of(rect);
        let Some(l) = self.levels.get_mut(usize::from(level)) else {
            return;
        };
        let cell = cell_of(rect, level);
        if let Some(entries) = l.cells.get_mut(&cell)
            && let Some(at) = entries.iter().position(|e| *e == entry)
        {
            entries.swap_remove(at);
            l.len -= 1;
            if entries.is_empty() {
                l.cells.remove(&cell);
            }
        }
    }

    /// Calls `found` with every entry that may touch `window`, and with some that do not: the caller checks.
    pub fn candidates(&self, window: Rect, mut found: impl FnMut(u32)) {
        for (level, l) in self.levels.iter().enumerate() {
            if l.len == 0 {
                continue;
            }
            let size = cell_size(level as u8);
            let slack = size / 2.0;
            let x0 = ((window.x - slack) / size).floor() as i64;
            let x1 = ((window.right() + slack) / size).floor() as i64;
            let y0 = ((window.y - slack) / size).floor() as i64;
            let y1 = ((window.bottom() + slack) / size).floor() as i64;
            let area = (x1 - x0 + 1).saturating_mul(y1 - y0 + 1);
            if area as usize > l.cells.len() {
                for ((x, y), entries) in &l.cells {
                    if (x0..=x1).contains(x) && (y0..=y1).contains(y) {
                        entries.iter().copied().for_each(&mut found);
                    }
                }
            } else {
                for y in y0..=y1 {
                    for x in x0..=x1 {
                        if let Some(entries) = l.cells.get(&(x, y)) {
                            entries.iter().copied().for_each(&mut found);
                        }
                    }
                }
            }
        }
    }
}
