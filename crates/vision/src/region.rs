//! Regions as bitmaps: one byte a sample, 1 where set.

use crate::grid::Grid;

/// Without frayed borders: a sample is what most of the three by three around it are, twice over; and without groups
/// (specks and holes) of fewer than `least` samples.
pub fn tidied(grid: Grid, bits: &mut Vec<u8>, least: usize) {
    for _ in 0..2 {
        *bits = majority(grid, bits);
    }
    without_small(grid, bits, least);
}

/// Each sample as most of the three by three around it. Beyond the picture its last row and column go on.
fn majority(grid: Grid, bits: &[u8]) -> Vec<u8> {
    let (w, h) = (grid.width, grid.height);
    // Sums of three in a row first.
    let mut rows = vec![0_u8; bits.len()];
    for (row, out) in bits.chunks_exact(w).zip(rows.chunks_exact_mut(w)) {
        for x in 0..w {
            out[x] = row[x.saturating_sub(1)] + row[x] + row[(x + 1).min(w - 1)];
        }
    }
    let mut out = vec![0_u8; bits.len()];
    for y in 0..h {
        let [above, here, below] =
            [y.saturating_sub(1), y, (y + 1).min(h - 1)].map(|y| &rows[y * w..(y + 1) * w]);
        for (x, to) in out[y * w..(y + 1) * w].iter_mut().enumerate() {
            *to = u8::from(above[x] + here[x] + below[x] >= 5);
        }
    }
    out
}

/// Flips groups, connected by their sides, of fewer than `least` samples, whether set or not. The largest set group stays.
pub fn without_small(grid: Grid, bits: &mut [u8], least: usize) {
    let mut seen = vec![false; bits.len()];
    let mut stack = Vec::new();
    let mut small: Vec<Vec<usize>> = Vec::new();
    let mut large = false;
    for first in 0..bits.len() {
        if seen[first] {
            continue;
        }
        let what = bits[first];
        let mut group = Vec::new();
        let mut size = 0_usize;
        seen[first] = true;
        stack.push(first);
        while let Some(i) = stack.pop() {
            size += 1;
            if size <= least {
                group.push(i);
            }
            grid.sides(i, |j| {
                if !seen[j] && bits[j] == what {
                    seen[j] = true;
                    stack.push(j);
                }
            });
        }
        if size < least {
            small.push(group);
        } else if what == 1 {
            large = true;
        }
    }
    if !large {
        // All that there is is small: the largest of it is no speck.
        let most = small
            .iter()
            .filter(|g| bits[g[0]] == 1)
            .map(Vec::len)
            .max()
            .unwrap_or(0);
        small.retain(|g| bits[g[0]] == 0 || g.len() < most);
    }
    for i in small.into_iter().flatten() {
        bits[i] ^= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specks_and_holes_go() {
        let grid = Grid::new(8, 6).unwrap();
        let mut bits = vec![0_u8; grid.len()];
        for y in 0..6 {
            for x in 0..5 {
                bits[grid.at(x, y)] = 1;
            }
        }
        let whole = bits.clone();
        bits[grid.at(2, 3)] = 0;
        bits[grid.at(7, 0)] = 1;
        let mut open = bits.clone();
        without_small(grid, &mut open, 3);
        assert_eq!(open, whole);
        tidied(grid, &mut bits, 3);
        assert_eq!(bits, whole);
        // A lone speck is the object.
        let mut one = vec![0_u8; grid.len()];
        one[9] = 1;
        without_small(grid, &mut one, 4);
        assert_eq!(one.iter().map(|b| u32::from(*b)).sum::<u32>(), 1);
    }
}
