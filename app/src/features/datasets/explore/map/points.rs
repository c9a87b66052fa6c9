//! The points of a map, in cells: what lies near a place is found without looking at all of them.

use limn_domain::map::{MapHead, MapPoints, PASSES};
use std::collections::HashMap;

/// Cells of a side.
const CELLS: usize = 96;

/// A set of colours, a bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ColorSet(u32);

impl ColorSet {
    pub const fn has(self, color: u8) -> bool {
        self.0 >> (color & 31) & 1 == 1
    }

    #[must_use]
    pub const fn toggled(self, color: u8) -> Self {
        Self(self.0 ^ (1 << (color & 31)))
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn list(self) -> Vec<u8> {
        (0..32).filter(|c| self.has(*c)).collect()
    }
}

/// The points in the order of rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Points {
    pub head: MapHead,
    rows: Vec<u32>,
    at: Vec<(f64, f64)>,
    marks: Vec<u8>,
    /// Where the points of each cell begin in `cells`; one more than there are cells.
    starts: Vec<u32>,
    cells: Vec<u32>,
    by_row: HashMap<u32, u32>,
}

impl Points {
    pub fn new(from: MapPoints) -> Self {
        let side = |v: u16| f64::from(v) / f64::from(u16::MAX);
        let at: Vec<(f64, f64)> = from.at.iter().map(|[x, y]| (side(*x), side(*y))).collect();
        let mut starts = vec![0_u32; CELLS * CELLS + 1];
        for p in &at {
            starts[cell(*p) + 1] += 1;
        }
        for i in 1..starts.len() {
            starts[i] += starts[i - 1];
        }
        let mut next = starts.clone();
        let mut cells = vec![0; at.len()];
        for (i, p) in at.iter().enumerate() {
            let to = &mut next[cell(*p)];
            cells[*to as usize] = i as u32;
            *to += 1;
        }
        Self {
            by_row: from.rows.iter().copied().zip(0..).collect(),
            head: from.head,
            rows: from.rows,
            at,
            marks: from.marks,
            starts,
            cells,
        }
    }

    pub fn count(&self) -> usize {
        self.rows.len()
    }

    /// The place of a point's file in the order of paths.
    pub fn row(&self, point: u32) -> Option<u32> {
        self.rows.get(point as usize).copied()
    }

    /// The point of a row.
    pub fn of_row(&self, row: u32) -> Option<u32> {
        self.by_row.get(&row).copied()
    }

    pub fn at(&self, point: u32) -> Option<(f64, f64)> {
        self.at.get(point as usize).copied()
    }

    pub fn color(&self, point: u32) -> u8 {
        self.marks.get(point as usize).map_or(0, |m| m & !PASSES)
    }

    /// Whether it passes the filter and its colour is shown.
    pub fn is_lit(&self, point: u32, hidden: ColorSet) -> bool {
        self.marks
            .get(point as usize)
            .is_some_and(|m| m & PASSES != 0 && !hidden.has(m & !PASSES))
    }

    /// How many of those that pass have a colour that is shown.
    pub fn lit(&self, hidden: ColorSet) -> i64 {
        let legend = self.head.legend.iter().map(|v| v.count).zip(1_u8..);
        let rest = [
            (self.head.without, limn_domain::map::WITHOUT),
            (self.head.others, limn_domain::map::OTHERS),
        ];
        let all = legend.chain(rest);
        all.filter(|(_, color)| !hidden.has(*color)).map(|(n, _)| n).sum()
    }

    /// Points in a part of the plane: left, top, right, bottom.
    pub fn within(&self, [left, top, right, bottom]: [f64; 4]) -> impl Iterator<Item = u32> + '_ {
        let (from, to) = (cell_of(left), cell_of(right));
        let lines = cell_of(top)..=cell_of(bottom);
        let found = lines.flat_map(move |line| {
            let start = self.starts.get(line * CELLS + from).copied().unwrap_or(0);
            let end = self.starts.get(line * CELLS + to + 1).copied().unwrap_or(0);
            self.cells
                .get(start as usize..end as usize)
                .unwrap_or_default()
                .iter()
                .copied()
        });
        found.filter(move |i| {
            let (x, y) = self.at[*i as usize];
            x >= left && x <= right && y >= top && y <= bottom
        })
    }

    /// The nearest point to a place of those that are shown, at most so far away.
    pub fn nearest(&self, (x, y): (f64, f64), reach: f64, hidden: ColorSet) -> Option<u32> {
        let near = self.within([x - reach, y - reach, x + reach, y + reach]);
        let far = |i: &u32| {
            let (px, py) = self.at[*i as usize];
            (px - x).hypot(py - y)
        };
        near.filter(|i| self.is_lit(*i, hidden) && far(i) <= reach)
            .min_by(|a, b| far(a).total_cmp(&far(b)))
    }
}

fn cell_of(v: f64) -> usize {
    ((v * CELLS as f64) as usize).min(CELLS - 1)
}

fn cell((x, y): (f64, f64)) -> usize {
    cell_of(y) * CELLS + cell_of(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use limn_domain::explore::FacetValue;

    fn five() -> Points {
        Points::new(MapPoints {
            head: MapHead {
                legend: vec![FacetValue {
                    value: "train".to_owned(),
                    count: 3,
                }],
                without: 1,
                ..MapHead::default()
            },
            rows: vec![2, 4, 6, 8, 9],
            at: vec![
                [0, 0],
                [65_535, 65_535],
                [32_768, 32_768],
                [32_800, 32_768],
                [65_535, 0],
            ],
            marks: vec![PASSES | 1, PASSES | 1, PASSES | 1, PASSES, 1],
        })
    }

    #[test]
    fn what_is_near_is_found() {
        let points = five();
        let none = ColorSet::default();
        assert_eq!(points.nearest((0.501, 0.5), 0.01, none), Some(3));
        assert_eq!(points.nearest((0.4999, 0.5), 0.01, none), Some(2));
        assert_eq!(points.nearest((0.7, 0.7), 0.01, none), None);
        assert_eq!(
            points.nearest((1.005, 1.005), 0.01, none),
            Some(1),
            "over the edge"
        );
        // What does not pass, and what is hidden, is not there for the pointer.
        assert_eq!(points.nearest((1.0, 0.0), 0.1, none), None);
        assert_eq!(points.nearest((0.501, 0.5), 0.01, none.toggled(0)), Some(2));
        assert_eq!(
            (points.of_row(8), points.row(3), points.of_row(3)),
            (Some(3), Some(8), None)
        );
    }

    #[test]
    fn windows_hold_what_lies_in_them() {
        let points = five();
        let mut all: Vec<u32> = points.within([-1.0, -1.0, 2.0, 2.0]).collect();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3, 4]);
        assert_eq!(points.within([0.9, 0.9, 1.0, 1.0]).collect::<Vec<_>>(), [1]);
        assert_eq!(points.within([0.6, 0.1, 0.7, 0.2]).count(), 0);
        assert_eq!(points.within([2.0, 2.0, 3.0, 3.0]).count(), 0);
        assert_eq!(Points::default().within([0.0, 0.0, 1.0, 1.0]).count(), 0);
    }

    #[test]
    fn counts_leave_out_what_is_hidden() {
        let points = five();
        let none = ColorSet::default();
        assert_eq!((points.lit(none), points.lit(none.toggled(1))), (4, 1));
        assert_eq!(none.toggled(17).toggled(1).list(), [1, 17]);
        assert!(none.toggled(5).toggled(5).is_empty());
    }
}
