//! What was found in a picture beside what is there, boxes or objects: from which confidence on it is worth showing, what is taken for what, and how
//! good that is by COCO's rules.

use super::threshold;
use crate::average_precision::{Cell, Precision, figures};
use std::collections::BTreeMap;

/// What is found is right from this overlap on (intersection over union).
const RIGHT: f32 = 0.5;

/// A picture.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    /// The category of each that is there.
    right: Vec<usize>,
    /// The category and confidence of each found one, the surest first.
    found: Vec<(usize, f32)>,
    /// Of each found one, those that are there and that it shares something with, and how much: intersection over union.
    shared: Vec<Vec<(usize, f32)>>,
}

impl Sheet {
    /// `share` says how much the found one and the right one of these numbers share, 0..=1.
    pub fn new(
        right: Vec<usize>,
        found: Vec<(usize, f32)>,
        mut share: impl FnMut(usize, usize) -> f32,
    ) -> Self {
        let shared = (0..found.len())
            .map(|n| {
                let all = (0..right.len()).map(|k| (k, share(n, k)));
                all.filter(|(_, s)| *s > 0.0).collect()
            })
            .collect();
        Self { right, found, shared }
    }

    /// The one that is there and lies best under a found one, of those that are allowed.
    fn nearest(&self, found: usize, allowed: impl Fn(usize) -> bool) -> Option<usize> {
        self.shared[found]
            .iter()
            .filter(|(k, s)| *s >= RIGHT && allowed(*k))
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(k, _)| *k)
    }

    /// Of one category.
    fn cell(&self, category: usize) -> Cell {
        let right = self.right.iter().enumerate().filter(|(_, c)| **c == category);
        let right: Vec<usize> = right.map(|(k, _)| k).collect();
        let found = self.found.iter().enumerate().filter(|(_, f)| f.0 == category);
        let found: Vec<usize> = found.map(|(n, _)| n).collect();
        let share = |n: usize, k: usize| {
            let known = self.shared[n].iter().find(|(at, _)| *at == k);
            known.map_or(0.0, |(_, s)| f64::from(*s))
        };
        Cell {
            // Small ones are not told apart from large ones.
            truths: right.iter().map(|_| (0.0, false)).collect(),
            found: found.iter().map(|n| (f64::from(self.found[*n].1), 0.0)).collect(),
            overlaps: found
                .iter()
                .map(|n| right.iter().map(|k| share(*n, *k)).collect())
                .collect(),
        }
    }
}

/// COCO's figures of these categories, with the mean over those that are there; none by size.
pub(super) fn precision(sheets: &[Sheet], categories: impl IntoIterator<Item = usize>) -> Precision {
    let mut cells = BTreeMap::new();
    for category in categories {
        for (image, sheet) in sheets.iter().enumerate() {
            let cell = sheet.cell(category);
            if !cell.truths.is_empty() || !cell.found.is_empty() {
                cells.insert((category as u64, image as u64), cell);
            }
        }
    }
    Precision {
        ap_small: None,
        ap_medium: None,
        ap_large: None,
        ar_small: None,
        ar_medium: None,
        ar_large: None,
        ..figures(&cells)
    }
}

/// From which confidence on what is found of a category is worth showing; `None` where nothing right was found.
pub(super) fn worth(sheets: &[Sheet], category: usize) -> Option<f32> {
    let (mut scored, mut wanted) = (Vec::new(), 0);
    for sheet in sheets {
        wanted += sheet.right.iter().filter(|c| **c == category).count();
        let mut taken = vec![false; sheet.right.len()];
        for (n, (_, score)) in sheet.found.iter().enumerate().filter(|(_, f)| f.0 == category) {
            let at = sheet.nearest(n, |k| !taken[k] && sheet.right[k] == category);
            if let Some(k) = at {
                taken[k] = true;
            }
            scored.push((*score, at.is_some()));
        }
    }
    threshold::best(scored, wanted).map(|(at, _)| at)
}

/// Rows are right, columns found; the last of both is nothing. One of the right category is taken before a nearer one of another.
pub(super) fn confusion(sheets: &[Sheet], threshold: &[f32]) -> Vec<Vec<u64>> {
    let n = threshold.len();
    let mut out = vec![vec![0; n + 1]; n + 1];
    for sheet in sheets {
        let right = &sheet.right;
        let mut taken = vec![false; right.len()];
        for (at, (category, score)) in sheet.found.iter().enumerate() {
            if *score < threshold[*category] {
                continue;
            }
            let own = sheet.nearest(at, |k| !taken[k] && right[k] == *category);
            let is = own.or_else(|| sheet.nearest(at, |k| !taken[k]));
            let row = is.map_or(n, |k| {
                taken[k] = true;
                right[k]
            });
            out[row][*category] += 1;
        }
        for (category, _) in right.iter().zip(&taken).filter(|(_, taken)| !**taken) {
            out[*category][n] += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two of one category and one of another; what is found shares this with them.
    fn sheet(found: &[(usize, f32, [f32; 3])]) -> Sheet {
        let said = found.iter().map(|f| (f.0, f.1)).collect();
        Sheet::new(vec![0, 0, 1], said, |n, k| found[n].2[k])
    }

    #[test]
    fn precision_is_that_of_all_overlaps() {
        // Right up to an overlap of 0.62: at three of the ten steps.
        let one = [sheet(&[
            (0, 0.9, [0.62, 0.0, 0.0]),
            (0, 0.8, [0.0, 0.97, 0.0]),
            (1, 0.7, [0.1, 0.0, 0.97]),
        ])];
        let of = |c: usize| precision(&one, [c]);
        assert!((of(1).ap.unwrap() - 1.0).abs() < 1e-9);
        assert!((of(0).ap50.unwrap() - 1.0).abs() < 1e-9);
        // One of two found after a mistake: a precision of a half up to a recall of a half.
        assert!(
            (of(0).ap75.unwrap() - 0.5 * 51.0 / 101.0).abs() < 1e-9,
            "{:?}",
            of(0)
        );
        let wish = (3.0 + 7.0 * 0.5 * 51.0 / 101.0) / 10.0;
        assert!((of(0).ap.unwrap() - wish).abs() < 1e-9);
        let all = precision(&one, 0..3);
        assert!((all.ap.unwrap() - f64::midpoint(wish, 1.0)).abs() < 1e-9);
        assert_eq!((all.ap_small, all.ar_large), (None, None));
        assert_eq!(precision(&[], 0..3).ap, None);
    }

    #[test]
    fn what_is_found_is_taken_for_what_lies_under_it() {
        let sheets = [
            sheet(&[
                (0, 0.9, [0.6, 0.7, 0.0]),
                // What it lies on best is taken.
                (0, 0.8, [0.3, 0.9, 0.0]),
                (0, 0.7, [0.0, 0.0, 0.8]),
                (1, 0.1, [0.0, 0.0, 0.9]),
            ]),
            Sheet::new(vec![1], Vec::new(), |_, _| 1.0),
        ];
        assert_eq!(confusion(&sheets, &[0.5, 0.5]), [[1, 0, 1], [1, 0, 1], [1, 0, 0]]);
        assert!(worth(&sheets, 0).is_some_and(|t| (0.8..0.9).contains(&t)));
        assert!(worth(&sheets, 1).is_some_and(|t| t < 0.1));
        assert_eq!(worth(&sheets, 2), None);
    }
}
